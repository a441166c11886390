/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GRUB legacy (0.97): menu.lst, as on Amazon Linux 1. Its grubby copies the default entry for a
 * kernel that is installed later.
 */
#include "core/facts/boot_grub_legacy.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot_text.h"

#define SAVED_LIMIT ((size_t)64 * 1024)

struct entry {
	char *title;
	char *kernel;
	char *arguments;
	char *initramfs;
};

/* What follows the command at the start of LINE; '=' or blanks may be between. */
static const char *rest_of(const char *line, const char *command)
{
	line += strspn(line, " \t") + strlen(command);
	return line + strspn(line, " \t=");
}

/* "kernel [--option...] FILE argument..." */
static void read_kernel(struct entry *entry, const char *line)
{
	const char *at = rest_of(line, "kernel");

	while (text_starts(at, "--")) {
		at += strcspn(at, " \t");
		at += strspn(at, " \t");
	}
	text_set(&entry->kernel, text_copy_length(at, strcspn(at, " \t")));
	at += strcspn(at, " \t");
	text_set(&entry->arguments, text_trim(text_copy(at)));
}

static void finish(struct boot_facts *boot, struct entry *entry, size_t *number)
{
	if (entry->title && entry->kernel && *entry->kernel) {
		memory_cleanup_free char *id = text_format("%zu", *number);

		boot_add_entry(boot, id, entry->title, entry->kernel, NULL, entry->initramfs,
			entry->arguments);
	}
	*number += entry->title != NULL;
	free(entry->title);
	free(entry->kernel);
	free(entry->arguments);
	free(entry->initramfs);
	*entry = (struct entry) { 0 };
}

void boot_legacy_parse(struct boot_facts *boot, const char *text, const char *saved)
{
	memory_cleanup_free char *choice = text_copy("0");
	struct entry entry = { 0 };
	size_t number = 0;
	char *line;

	while ((line = boot_next_line(&text))) {
		/* Before the first title, "default=1" and "default 1" are the same. */
		if (boot_line_is(line, "title")) {
			finish(boot, &entry, &number);
			entry.title = text_trim(text_copy(rest_of(line, "title")));
		} else if (entry.title && boot_line_is(line, "kernel")) {
			read_kernel(&entry, line);
		} else if (entry.title && boot_line_is(line, "initrd")) {
			text_set(&entry.initramfs, text_copy(rest_of(line, "initrd")));
		} else if (!entry.title &&
			   (boot_line_is(line, "default") || text_starts(line, "default="))) {
			text_set(&choice, text_trim(text_copy(rest_of(line, "default"))));
		}
		free(line);
	}
	finish(boot, &entry, &number);
	if (strcmp(choice, "saved") == 0)
		text_set(&choice, text_copy(saved));
	for (size_t i = 0; i < boot->entries.count; i++)
		fact_set_flag(&boot->entries.items[i].is_default,
			fact_text_is(&boot->entries.items[i].id, choice));
}

/* menu.lst, and grub.conf where that is another file. */
static void list_files(const struct root *root, struct strings *files)
{
	struct stat menu, conf;
	bool has_menu = root_stat(root, "/boot/grub/menu.lst", &menu) == 0;
	bool has_conf = root_stat(root, "/boot/grub/grub.conf", &conf) == 0;

	if (has_menu)
		strings_add(files, "/boot/grub/menu.lst");
	if (has_conf && !(has_menu && menu.st_dev == conf.st_dev && menu.st_ino == conf.st_ino))
		strings_add(files, "/boot/grub/grub.conf");
}

static bool boots(const struct boot_search *search)
{
	strings_cleanup struct strings files = { 0 };

	list_files(search->root, &files);
	return files.count && !search->config;
}

static void gather(struct boot_search *search)
{
	strings_cleanup struct strings files = { 0 };
	memory_cleanup_free char *text = NULL, *saved = NULL;

	list_files(search->root, &files);
	if (files.count == 0)
		return; /* gone since boots() has looked */
	fact_set_text(&search->boot->config, files.items[0]);
	text = boot_search_read(search, files.items[0], BOOT_TEXT_LIMIT);
	saved = boot_search_read(search, "/boot/grub/default", SAVED_LIMIT);
	if (saved)
		saved[strcspn(saved, "\n")] = '\0';
	if (text)
		boot_legacy_parse(search->boot, text, saved ? text_trim(saved) : "0");
}

static void sources(
	const struct root *root, const struct boot_facts *boot UNUSED, struct boot_sources *sources)
{
	strings_cleanup struct strings files = { 0 };

	list_files(root, &files);
	for (size_t i = 0; i < files.count; i++)
		boot_sources_add(sources, text_copy(files.items[i]), "kernel")->each = true;
}

const struct boot_loader boot_loader_grub_legacy = {
	.name = "grub-legacy",
	.where = "in menu.lst",
	.program = &boot_program_grub,
	.boots = boots,
	.gather = gather,
	.sources = sources,
};
