/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GRUB 2's files: where they are, and the settings from which grub-mkconfig makes them. */
#include "core/facts/boot_grub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_grub_script.h"
#include "core/facts/boot_text.h"
#include "core/facts/device.h"
#include "core/facts/shell_settings.h"

/* ---- Where the files are ---- */

#define EFI_MOUNT "/boot/efi"

/* From 2.12 on it sets LoaderInfo (its module bli). shim starts the GRUB beside it. */
const struct boot_program boot_program_grub = {
	.name = "GRUB",
	.info = "GRUB",
	.sector = "GRUB",
	.images = (const char *const[]) { "grub*.efi", "shim*.efi", "core.efi", NULL },
};

char *boot_environment_path(const struct root *root)
{
	static const char *const paths[] = { "/boot/grub2/grubenv", "/boot/grub/grubenv",
		"/boot/efi/EFI/amzn/grubenv", "/boot/efi/EFI/redhat/grubenv",
		"/boot/efi/EFI/fedora/grubenv", "/boot/efi/EFI/centos/grubenv" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (root_exists(root, paths[i]))
			return text_copy(paths[i]);
	return NULL;
}

/* Was this system started from the folder of PATH, a grub.cfg? Systems have a folder each there. */
static bool is_started_beside(const struct firmware *firmware, const char *path)
{
	const char *folder = path + strlen(EFI_MOUNT);
	const char *started = firmware->current ? firmware->current->path : NULL;

	return started && strncasecmp(started, folder, (size_t)(path_name(folder) - folder)) == 0;
}

/*
 * The UUID of the file system that a grub.cfg only leads to: "search.fs_uuid UUID root", "search
 * --fs-uuid --set=root UUID". The caller frees it; NULL: none is named.
 */
static char *led_to(const char *text)
{
	char *found = NULL, *line;

	while (!found && (line = boot_next_line(&text))) {
		strings_cleanup struct strings words = { 0 };

		strings_split(&words, line, " \t");
		free(line);
		if (words.count < 2)
			continue;
		if (strcmp(words.items[0], "search.fs_uuid") == 0)
			found = text_copy(words.items[1]);
		else if (strcmp(words.items[0], "search") == 0 &&
			 (strings_contain(&words, "--fs-uuid") || strings_contain(&words, "-u")) &&
			 *words.items[words.count - 1] != '-')
			found = text_copy(words.items[words.count - 1]);
	}
	return found;
}

/* Notes when the grub.cfg of PATH, whose text this is, leads to another file system than /boot's. */
static void follow(struct boot_search *search, const char *path, const char *text)
{
	memory_cleanup_free char *uuid = led_to(text);
	device_list devices = { 0 };
	struct error ignored = { "" };
	dev_t number;

	if (!uuid || !search->root->live ||
		device_of_path("/boot", &number, NULL, NULL, &ignored) < 0)
		return;
	devices_gather(&devices, search->root, search->root, number);
	search->misled = devices.count && devices.items->uuid.is == FACT_KNOWN &&
			 strcasecmp(devices.items->uuid.value, uuid) != 0;
	if (search->misled)
		error_set(&search->unclear, EXDEV,
			"%s leads to the file system %s, and /boot lies on %s", path, uuid,
			devices.items->uuid.value);
	fact_list_free(&device_facts_layout, &devices);
}

/*
 * A grub.cfg on the EFI partition that has entries itself; most only lead to the one in /boot. Of
 * several systems' files it is the one beside what has started this one; where that is not told,
 * nobody knows, unless the entries are in files of their own (blscfg).
 */
static char *find_efi_config(struct boot_search *search)
{
	strings_cleanup struct strings names = { 0 };
	memory_cleanup_free char *lead = NULL, *lead_text = NULL;
	struct error err = { "" };
	char *found = NULL;
	size_t count = 0;

	root_list(search->root, EFI_MOUNT "/EFI", &names, &err);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *path =
			text_format(EFI_MOUNT "/EFI/%s/grub.cfg", names.items[i]);
		memory_cleanup_free char *text = NULL;
		struct error ignored = { "" };
		bool own;

		root_read(search->root, path, BOOT_TEXT_LIMIT, &text, NULL, &ignored);
		if (!text)
			continue;
		own = strstr(text, "menuentry ") || strstr(text, "blscfg");
		if (is_started_beside(&search->firmware, path)) {
			*search->unclear.text = '\0';
			text_set(&found, own ? text_copy(path) : NULL);
			if (!own)
				follow(search, path, text);
			return found;
		}
		count++;
		if (!own) {
			text_set(&lead, text_copy(path));
			text_set(&lead_text, text_copy(text));
			continue;
		}
		if (found && !strstr(text, "blscfg"))
			error_set(&search->unclear, EEXIST,
				"%s and %s both have boot entries, and nothing says which of them boots",
				found, path);
		if (!found)
			found = text_copy(path);
	}
	if (lead && count == 1)
		follow(search, lead, lead_text);
	return found;
}

/* The grub.cfg that counts: with EFI firmware the one on its partition, if that is a real one. */
static char *find_config(struct boot_search *search)
{
	static const char *const paths[] = { "/boot/grub2/grub.cfg", "/boot/grub/grub.cfg" };
	char *efi;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && !search->firmware.efi; i++)
		if (root_exists(search->root, paths[i]))
			return text_copy(paths[i]);
	efi = find_efi_config(search);
	for (size_t i = 0; i < ARRAY_SIZE(paths) && !efi; i++)
		if (root_exists(search->root, paths[i]))
			return text_copy(paths[i]);
	return efi;
}

void boot_grub_find(struct boot_search *search)
{
	memory_cleanup_free char *environment = boot_environment_path(search->root);

	if (environment)
		search->environment = boot_search_read(search, environment, BOOT_TEXT_LIMIT);
	search->config = find_config(search);
	if (search->config)
		search->config_text = boot_search_read(search, search->config, BOOT_TEXT_LIMIT);
}

void boot_grub_gather(struct boot_search *search)
{
	memory_cleanup_free char *choice = NULL;

	fact_set_text(&search->boot->config, search->config);
	if (search->config_text)
		boot_grub_parse(search->boot, search->config_text, search->environment,
			search->firmware.efi, &choice);
}

/* ---- Settings that grub-mkconfig reads ---- */

/* The files of settings in the order in which they are read: by name, and the last one counts. */
static void list_settings(const struct root *root, bool drop_ins, struct strings *files)
{
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	strings_add(files, GRUB_DEFAULTS);
	if (drop_ins)
		root_list(root, GRUB_DROP_INS, &names, &err);
	for (size_t i = 0; i < names.count; i++)
		if (text_ends(names.items[i], ".cfg"))
			strings_take(files, text_format(GRUB_DROP_INS "/%s", names.items[i]));
}

/* True when the entry that boots next has an initramfs, or it is not known. */
static bool next_has_initramfs(const struct boot_facts *boot)
{
	for (size_t i = 0; i < boot->entries.count; i++)
		if (fact_is_true(&boot->entries.items[i].is_default))
			return boot->entries.items[i].initramfs.is != FACT_ABSENT;
	return true;
}

/*
 * What we have set counts once grub.cfg is made from it: until then the next boot is one without
 * an initramfs. Otherwise a setup that was cut short would have the next one decide otherwise.
 */
void boot_grub_gather_force_partuuid(struct boot_search *search)
{
	struct fact_text *fact = &search->boot->force_partuuid;
	strings_cleanup struct strings files = { 0 }, texts = { 0 };
	memory_cleanup_free char *value = NULL;

	list_settings(search->root, true, &files);
	if (!boot_search_read_all(search, &files, &texts, fact_of(fact)))
		return;
	for (size_t i = 0; i < files.count; i++) {
		char *found = boot_setting(texts.items[i], "GRUB_FORCE_PARTUUID");

		if (found && strcmp(files.items[i], GRUB_DROP_IN) == 0 &&
			!next_has_initramfs(search->boot))
			text_set(&found, NULL);
		if (found)
			text_set(&value, found);
	}
	fact_set_text(fact, value && *value ? value : NULL);
}

void boot_grub_add_copies(const struct root *root, struct boot_sources *sources)
{
	static const char *const commands[] = { "linux", "linuxefi", "linux16" };
	strings_cleanup struct strings files = { 0 }, names = { 0 };
	struct error ignored = { "" };

	strings_add(&files, "/boot/grub/custom.cfg");
	strings_add(&files, "/boot/grub2/custom.cfg");
	root_list(root, "/etc/grub.d", &names, &ignored);
	for (size_t i = 0; i < names.count; i++)
		strings_take(&files, text_format("/etc/grub.d/%s", names.items[i]));
	for (size_t i = 0; i < files.count; i++) {
		struct stat status;

		if (root_stat(root, files.items[i], &status) < 0 || !S_ISREG(status.st_mode))
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(commands); j++)
			boot_sources_add(sources, text_copy(files.items[i]), commands[j])->copy =
				true;
	}
}

static void variables_begin(struct shell_variables *variables)
{
	*variables = (struct shell_variables) { 0 };
	shell_set(variables, GRUB_CMDLINE, "");
	shell_set(variables, GRUB_CMDLINE "_DEFAULT", "");
}

/* The command line that they make; NULL: nobody can tell. */
static char *variables_end(struct shell_variables *variables)
{
	const char *all = shell_value(variables, GRUB_CMDLINE);
	const char *ordinary = shell_value(variables, GRUB_CMDLINE "_DEFAULT");
	char *line = all && ordinary ? text_format("%s %s", all, ordinary) : NULL;

	shell_variables_free(variables);
	return line ? text_trim(line) : NULL;
}

char *boot_grub_settings_line(const char *text)
{
	struct shell_variables variables;

	variables_begin(&variables);
	shell_read(&variables, text);
	return variables_end(&variables);
}

/* How our drop-in adds what is wanted, once it has taken the same arguments out everywhere. */
#define DROP_IN_ADDS GRUB_CMDLINE "=\"${" GRUB_CMDLINE ":+$" GRUB_CMDLINE " }"

/* Of our drop-in, just the arguments that it adds: all others of these names are gone then. */
static void read_drop_in(struct shell_variables *variables, const char *text)
{
	const char *added = strstr(text, DROP_IN_ADDS);
	memory_cleanup_free char *arguments = NULL;

	if (!added)
		return;
	added += strlen(DROP_IN_ADDS);
	arguments = text_copy_length(added, strcspn(added, "\"\n"));
	shell_set(variables, GRUB_CMDLINE, arguments);
	shell_set(variables, GRUB_CMDLINE "_DEFAULT", "");
}

void boot_grub_gather_settings(struct boot_search *search, bool drop_ins)
{
	struct fact_text *fact = &search->boot->settings;
	strings_cleanup struct strings files = { 0 }, texts = { 0 };
	memory_cleanup_free char *line = NULL;
	struct shell_variables variables;

	list_settings(search->root, drop_ins, &files);
	if (!boot_search_read_all(search, &files, &texts, fact_of(fact)))
		return;
	variables_begin(&variables);
	for (size_t i = 0; i < files.count; i++)
		if (strcmp(files.items[i], GRUB_DROP_IN) == 0)
			read_drop_in(&variables, texts.items[i]);
		else
			shell_read(&variables, texts.items[i]);
	line = variables_end(&variables);
	if (line)
		fact_set_text(fact, line);
	else
		fact_set_unknown(fact_of(fact),
			"code in " GRUB_DEFAULTS " decides what " GRUB_CMDLINE " is");
}

/* Settings that are there but cannot be looked at are there: who reads them says why. */
bool boot_grub_is_generated(const struct boot_search *search)
{
	struct stat status;
	int result = root_stat(search->root, GRUB_DEFAULTS, &status);

	return search->config && result != -ENOENT && result != -ENOTDIR;
}

/*
 * GRUB_CMDLINE_LINUX is what every entry gets; GRUB_CMDLINE_LINUX_DEFAULT would leave out the
 * recovery entries, and a recovery boot over a hibernated system destroys its file systems. The
 * lines are indented for the sake of tools that edit lines beginning with GRUB_.
 */
char *boot_grub_shell(const struct boot_wanted *wanted)
{
	static const char *const names[] = { GRUB_CMDLINE, GRUB_CMDLINE "_DEFAULT",
		GRUB_CMDLINE "_RECOVERY" };
	memory_cleanup_free char *line = strings_join(wanted->arguments, " "), *keys = NULL;
	char *shell = NULL;

	for (const char *const *key = wanted->keys; *key; key++)
		text_append(&keys, "%s%s", keys ? "|" : "", *key);
	/* The kernel takes both signs in a name as one. */
	for (char *at = keys; (at = strchr(at, '_')); at += strlen("[-_]")) {
		memory_cleanup_free char *before = text_copy_length(keys, (size_t)(at - keys));
		size_t done = strlen(before);

		text_set(&keys, text_format("%s[-_]%s", before, at + 1));
		at = keys + done;
	}
	text_append(&shell,
		"# The next boot finds the hibernated system by these kernel arguments.\n"
		"ec2hib_clean() {\n"
		"\tprintf '%%s\\n' \" $1 \" | sed -E -e ':again' \\\n"
		"\t\t-e 's/[[:space:]](%s)(=[^[:space:]]*)?[[:space:]]/ /' \\\n"
		"\t\t-e 't again' -e 's/^ //' -e 's/ $//'\n"
		"}\n",
		keys);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		text_append(&shell,
			"if [ \"${%s+set}\" ]; then\n"
			"\t%s=\"$(ec2hib_clean \"$%s\")\"\n"
			"fi\n",
			names[i], names[i], names[i]);
	text_append(&shell,
		"\t" DROP_IN_ADDS "%s\"\n"
		"unset -f ec2hib_clean\n",
		line);
	if (wanted->needs_initramfs)
		text_append(&shell,
			"# Only an initramfs can find %s: do not boot without one.\n"
			"\tGRUB_FORCE_PARTUUID=\n",
			wanted->resume);
	return shell;
}

void boot_grub_generator(const struct root *root, const char *product UNUSED, const char *output,
	struct strings *program)
{
	char *found = process_find(root, "grub-mkconfig");

	strings_take(program, found ? found : text_copy("grub2-mkconfig"));
	strings_add(program, "-o");
	strings_add(program, output);
}
