/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * extlinux.conf, which EXTLINUX, SYSLINUX and U-Boot read
 * (wiki.syslinux.org/wiki/index.php?title=Config; U-Boot doc/README.distro): labels with a kernel
 * and an APPEND line each. Tools that make the file anew for a new kernel have the arguments in a
 * file of settings, where they change as well.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_loader.h"
#include "core/facts/boot_text.h"

/* Files that include files: no configuration is deeper. */
#define DEPTH_LIMIT 4

static const struct boot_program program_extlinux = {
	.name = "extlinux",
	.sector = "LINUX",
	.images = (const char *const[]) { "syslinux*.efi", "/EFI/syslinux/*.efi", NULL },
};

/* Tools that make the file: their settings, and the name that has the arguments. */
static const struct {
	const char *program;
	const char *file;
	const char *name; /* with the '=' */
} makers[] = {
	{ "u-boot-update", "/etc/default/u-boot", "U_BOOT_PARAMETERS=" },
	{ "extlinux-update", "/etc/default/extlinux", "EXTLINUX_PARAMETERS=" },
	{ "update-extlinux", "/etc/update-extlinux.conf", "default_kernel_opts=" },
};

static const char *find_config(const struct root *root)
{
	static const char *const paths[] = { "/boot/extlinux/extlinux.conf", "/boot/extlinux.conf",
		"/boot/syslinux/extlinux.conf", "/boot/syslinux/syslinux.cfg",
		"/extlinux/extlinux.conf", "/extlinux.conf", "/boot/efi/extlinux/extlinux.conf",
		"/boot/firmware/extlinux/extlinux.conf", "/efi/EFI/syslinux/syslinux.cfg",
		"/boot/EFI/syslinux/syslinux.cfg", "/boot/efi/EFI/syslinux/syslinux.cfg",
		"/boot/syslinux.cfg" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (root_exists(root, paths[i]))
			return paths[i];
	return NULL;
}

/* ---- The file ---- */

struct label {
	char *id;
	char *title;
	char *kernel;
	char *initramfs;
	char *arguments; /* NULL: those in front of all labels */
	bool preset;	 /* MENU DEFAULT */
};

struct reader {
	struct boot_search *search;
	const char *folder; /* of the first file: paths begin there */
	struct strings files;
	struct label *labels;
	size_t count;
	char *arguments; /* in front of all labels */
	char *choice;
};

/* What follows WORD, in any case, at the start of LINE; NULL: the line is another. */
static const char *after(const char *line, const char *word)
{
	size_t length = strlen(word);

	line += strspn(line, " \t");
	if (strncasecmp(line, word, length) != 0 || !strchr(" \t", line[length]) || !line[length])
		return NULL;
	return line + length + strspn(line + length, " \t");
}

static char *rest(const char *text)
{
	return text_trim(text_copy(text));
}

/* A path without a slash in front begins at the configuration's folder. */
static char *whole_path(const struct reader *reader, const char *path)
{
	memory_cleanup_free char *name = rest(path);

	if (*name == '/' || !*name)
		return text_copy(name);
	return text_format("%s/%s", reader->folder, name);
}

static void read_label_line(struct reader *reader, struct label *label, const char *line)
{
	const char *value;

	if ((value = after(line, "LINUX")) || (value = after(line, "KERNEL")))
		text_set(&label->kernel, whole_path(reader, value));
	else if ((value = after(line, "INITRD")))
		text_set(&label->initramfs, whole_path(reader, value));
	else if ((value = after(line, "APPEND")))
		text_set(&label->arguments, rest(value));
	else if ((value = after(line, "MENU")) && after(value, "LABEL"))
		text_set(&label->title, rest(after(value, "LABEL")));
	else if (value && strncasecmp(value, "DEFAULT", strlen("DEFAULT")) == 0)
		label->preset = true;
}

static void read_file(struct reader *reader, const char *path, int depth);

static void read_line(struct reader *reader, const char *line, int depth)
{
	struct label *label = reader->count ? &reader->labels[reader->count - 1] : NULL;
	const char *value;

	if ((value = after(line, "LABEL"))) {
		reader->labels = memory_grow(reader->labels, reader->count, sizeof(*label));
		reader->labels[reader->count++] = (struct label) { .id = rest(value) };
	} else if ((value = after(line, "DEFAULT")) || (value = after(line, "ONTIMEOUT"))) {
		text_set(&reader->choice, rest(value));
	} else if ((value = after(line, "INCLUDE"))) {
		memory_cleanup_free char *name = text_copy_length(value, strcspn(value, " \t"));
		memory_cleanup_free char *path = whole_path(reader, name);

		read_file(reader, path, depth + 1);
	} else if (label) {
		read_label_line(reader, label, line);
	} else if ((value = after(line, "APPEND"))) {
		text_set(&reader->arguments, rest(value));
	}
}

static void read_file(struct reader *reader, const char *path, int depth)
{
	memory_cleanup_free char *text = NULL;
	const char *at;
	char *line;

	if (depth > DEPTH_LIMIT || strings_contain(&reader->files, path))
		return;
	text = boot_search_read(reader->search, path, BOOT_TEXT_LIMIT);
	if (!text)
		return;
	strings_add(&reader->files, path);
	at = text;
	while ((line = boot_next_line(&at))) {
		read_line(reader, line, depth);
		free(line);
	}
}

/* initrd= among the arguments is for the loader. */
static char *initramfs_of(
	const struct reader *reader, const struct label *label, const char *arguments)
{
	strings_cleanup struct strings words = { 0 };

	if (label->initramfs)
		return text_copy(label->initramfs);
	strings_split_arguments(&words, arguments);
	for (size_t i = 0; i < words.count; i++)
		if (text_starts(words.items[i], "initrd=")) {
			char *list = text_copy(words.items[i] + strlen("initrd="));

			for (char *at = list; *at; at++)
				*at = *at == ',' ? ' ' : *at;
			text_set(&list, whole_path(reader, list));
			return list;
		}
	return NULL;
}

/* The label that boots when nobody chooses: the named one, MENU DEFAULT, else the first. */
static size_t find_default(const struct reader *reader)
{
	for (size_t i = 0; reader->choice && i < reader->count; i++)
		if (strcasecmp(reader->labels[i].id, reader->choice) == 0)
			return i;
	for (size_t i = 0; i < reader->count; i++)
		if (reader->labels[i].preset)
			return i;
	return 0;
}

static void add_labels(const struct reader *reader)
{
	size_t next = find_default(reader);

	for (size_t i = 0; i < reader->count; i++) {
		const struct label *label = &reader->labels[i];
		const char *arguments = label->arguments    ? label->arguments
					: reader->arguments ? reader->arguments
							    : "";
		memory_cleanup_free char *initramfs = NULL;

		/* A menu, another boot sector, a module: no Linux. */
		if (!label->kernel || text_ends(label->kernel, ".c32"))
			continue;
		initramfs = initramfs_of(reader, label, arguments);
		fact_set_flag(&boot_add_entry(reader->search->boot, label->id,
				      label->title ? label->title : label->id, label->kernel, NULL,
				      initramfs, arguments)
				       ->is_default,
			i == next);
	}
}

static void reader_free(struct reader *reader)
{
	for (size_t i = 0; i < reader->count; i++) {
		free(reader->labels[i].id);
		free(reader->labels[i].title);
		free(reader->labels[i].kernel);
		free(reader->labels[i].initramfs);
		free(reader->labels[i].arguments);
	}
	free(reader->labels);
	free(reader->arguments);
	free(reader->choice);
	strings_free(&reader->files);
}

/* ---- The loader ---- */

static bool is_here(const struct boot_search *search)
{
	return find_config(search->root) != NULL;
}

/* The settings of the tool that will make the file anew; false: it has none that can be changed. */
static bool has_settings(const struct root *root, size_t maker)
{
	memory_cleanup_free char *text = NULL, *value = NULL, *name = NULL;
	struct error ignored = { "" };

	if (root_read(root, makers[maker].file, BOOT_TEXT_LIMIT, &text, NULL, &ignored) < 0)
		return false;
	name = text_copy_length(makers[maker].name, strlen(makers[maker].name) - 1);
	value = boot_setting(text, name);
	return value != NULL;
}

/* A tool whose settings say nothing would take our arguments away with the next kernel. */
static bool boots(const struct boot_search *search)
{
	if (!is_here(search))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		memory_cleanup_free char *program = process_find(search->root, makers[i].program);

		if (program && !has_settings(search->root, i))
			return false;
	}
	return true;
}

static void gather(struct boot_search *search)
{
	const char *config = find_config(search->root);
	memory_cleanup_free char *folder = path_folder(config);
	struct reader reader = { .search = search, .folder = folder };

	fact_set_text(&search->boot->config, config);
	read_file(&reader, config, 0);
	add_labels(&reader);
	reader_free(&reader);
}

/* What the tool will write into a new file; without a tool nothing is told. */
static void gather_settings(struct boot_search *search)
{
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		memory_cleanup_free char *text = NULL, *name = NULL;

		if (!has_settings(search->root, i))
			continue;
		text = boot_search_read(search, makers[i].file, BOOT_TEXT_LIMIT);
		name = text_copy_length(makers[i].name, strlen(makers[i].name) - 1);
		fact_take_text(&search->boot->settings, text ? boot_setting(text, name) : NULL);
		return;
	}
	fact_set_absent(fact_of(&search->boot->settings));
}

static void sources(
	const struct root *root, const struct boot_facts *boot UNUSED, struct boot_sources *list)
{
	static const char *const keywords[] = { "APPEND", "append", "Append" };
	struct boot_facts none = { 0 };
	struct boot_search search = { .root = root, .boot = &none };
	const char *config = find_config(root);
	memory_cleanup_free char *folder = config ? path_folder(config) : NULL;
	struct reader reader = { .search = &search, .folder = folder };

	if (!config)
		return;
	read_file(&reader, config, 0);
	for (size_t i = 0; i < reader.files.count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(keywords); j++)
			boot_sources_add(list, text_copy(reader.files.items[i]), keywords[j])
				->each = true;
	reader_free(&reader);
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (has_settings(root, i))
			boot_sources_add(list, text_copy(makers[i].file), makers[i].name)->quoted =
				true;
}

const struct boot_loader boot_loader_extlinux = {
	.name = "extlinux",
	.where = "in extlinux.conf",
	.program = &program_extlinux,
	.boots = boots,
	.gather = gather,
	.sources = sources,
	.gather_settings = gather_settings,
};

const struct boot_loader boot_loader_extlinux_made = {
	.name = "extlinux-by-hand",
	.program = &program_extlinux,
	.manual =
		&(const struct boot_manual) {
			.before =
				"add to the kernel parameters in the settings of extlinux.conf (U_BOOT_PARAMETERS in /etc/default/u-boot): ",
			.between = " ",
			.after = "; then run: u-boot-update",
		},
	.boots = is_here,
	.gather = gather,
};
