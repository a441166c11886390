/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GRUB legacy (0.97): menu.lst, as on Amazon Linux 1. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/facts/boot_text.h"

struct entry {
	char *title;
	char *kernel;
	char *arguments;
	char *initramfs;
};

/* What stands behind the command at the start of LINE; it may be followed by '=' or blanks. */
static const char *behind(const char *line, const char *command)
{
	line += strspn(line, " \t") + strlen(command);
	return line + strspn(line, " \t=");
}

/* "kernel [--option...] FILE argument..." */
static void read_kernel(struct entry *entry, const char *line)
{
	const char *at = behind(line, "kernel");

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
			entry.title = text_trim(text_copy(behind(line, "title")));
		} else if (entry.title && boot_line_is(line, "kernel")) {
			read_kernel(&entry, line);
		} else if (entry.title && boot_line_is(line, "initrd")) {
			text_set(&entry.initramfs, text_copy(behind(line, "initrd")));
		} else if (!entry.title &&
			   (boot_line_is(line, "default") || text_starts(line, "default="))) {
			text_set(&choice, text_trim(text_copy(behind(line, "default"))));
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
