/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/boot_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/files.h"
#include "core/base/memory.h"

char *boot_next_line(const char **at)
{
	size_t length = strcspn(*at, "\n");
	char *line;

	if (!**at)
		return NULL;
	line = text_copy_length(*at, length);
	*at += length + ((*at)[length] == '\n');
	if (length && line[length - 1] == '\r')
		line[length - 1] = '\0';
	return line;
}

bool boot_line_is(const char *line, const char *word)
{
	size_t length = strlen(word);

	line += strspn(line, " \t");
	return strncmp(line, word, length) == 0 && (line[length] == ' ' || line[length] == '\t');
}

/* Where the value begins when LINE sets NAME, with = or, when MORE, +=; NULL: it does not. */
static const char *assigned(const char *line, const char *name, bool more)
{
	size_t length = strlen(name);

	line += strspn(line, " \t");
	if (boot_line_is(line, "export")) {
		line += strlen("export");
		line += strspn(line, " \t");
	}
	if (strncmp(line, name, length) != 0)
		return NULL;
	line += length;
	if (more && *line == '+')
		line++;
	return *line == '=' ? line + 1 : NULL;
}

/* One word of a shell, up to white space, ';' or a comment, without its quotes. */
static char *shell_word(const char *text)
{
	char *word = memory_new(strlen(text) + 1, 1), *end = word;
	char quote = '\0';

	for (; *text; text++) {
		if (!quote && (isspace((unsigned char)*text) || *text == ';'))
			break;
		if (quote ? *text == quote : *text == '"' || *text == '\'') {
			quote = quote ? '\0' : *text;
			continue;
		}
		if (*text == '\\' && quote != '\'' && text[1])
			text++;
		*end++ = *text;
	}
	return word;
}

char *boot_setting(const char *text, const char *name)
{
	char *value = NULL, *line;

	while ((line = boot_next_line(&text))) {
		const char *assignment = assigned(line, name, false);

		if (assignment)
			text_set(&value, shell_word(assignment));
		free(line);
	}
	return value;
}

bool boot_setting_names(const char *text, const char *name, const char *word)
{
	bool found = false;
	char *line;

	while (!found && (line = boot_next_line(&text))) {
		const char *assignment = assigned(line, name, true);

		if (assignment) {
			memory_cleanup_free char *value = shell_word(assignment);
			strings_cleanup struct strings words = { 0 };

			strings_split(&words, value, " \t");
			found = strings_contain(&words, word);
		}
		free(line);
	}
	return found;
}

/* Loaded before the initramfs proper: microcode, which is not an initramfs. */
static bool is_microcode(const char *path)
{
	const char *name = path_name(path);

	return strstr(name, "ucode") || strstr(name, "microcode");
}

/* "6.1.0-13-cloud-amd64" of /boot/vmlinuz-6.1.0-13-cloud-amd64; NULL: the name has no version. */
static const char *version_of(const char *kernel)
{
	const char *version = strchr(path_name(kernel), '-');

	return version && version[1] ? version + 1 : NULL;
}

/* An entry that repairs rather than boots: its kernel or its command line says so. */
static bool is_rescue(const char *kernel, const char *arguments)
{
	static const char *const words[] = { "single", "recovery", "rescue", "emergency",
		"systemd.unit=rescue.target", "systemd.unit=emergency.target" };
	strings_cleanup struct strings all = { 0 };

	if (strstr(path_name(kernel), "-rescue"))
		return true;
	strings_split_arguments(&all, arguments);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strings_contain(&all, words[i]))
			return true;
	return false;
}

/* "/boot/vmlinuz" of "(hd0,gpt1)/boot/vmlinuz": the device means nothing to Linux. */
static const char *without_device(const char *path)
{
	const char *end = *path == '(' ? strchr(path, ')') : NULL;

	return end ? end + 1 : path;
}

/* All files of the LIST, and which of them is the initramfs proper: one that is not microcode. */
static void set_initramfs(struct entry_facts *entry, const char *list)
{
	strings_cleanup struct strings files = { 0 };
	const char *proper = NULL;

	strings_split(&files, list ? list : "", " \t");
	for (size_t i = 0; i < files.count; i++) {
		text_set(&files.items[i], text_copy(without_device(files.items[i])));
		if (!proper && !is_microcode(files.items[i]))
			proper = files.items[i];
	}
	fact_set_text(&entry->initramfs, proper);
	fact_take_text(&entry->initramfs_files, files.count ? strings_join(&files, " ") : NULL);
}

struct entry_facts *boot_add_entry(struct boot_facts *boot, const char *id, const char *title,
	const char *kernel, const char *version, const char *initramfs, const char *arguments)
{
	struct entry_facts *entry = facts_add(&boot->entries);

	kernel = without_device(kernel);
	if (!version)
		version = version_of(kernel);
	fact_set_text(&entry->id, id);
	fact_set_text(&entry->title, title);
	fact_set_text(&entry->kernel, kernel);
	fact_set_text(&entry->arguments, arguments);
	fact_set_flag(&entry->is_default, false);
	fact_set_flag(&entry->rescue, is_rescue(kernel, arguments));
	if (version)
		fact_set_text(&entry->version, version);
	else
		fact_set_unknown(fact_of(&entry->version), "the name of %s has no version", kernel);
	set_initramfs(entry, initramfs);
	return entry;
}
