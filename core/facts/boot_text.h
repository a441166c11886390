/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the texts of boot configuration have in common: lines, settings in the manner of a shell,
 * and what an entry is. Pure; any garbage gives less, never a crash.
 */
#ifndef EC2HIB_FACTS_BOOT_TEXT_H
#define EC2HIB_FACTS_BOOT_TEXT_H

#include <stdbool.h>

#include "core/base/text.h"
#include "core/facts/facts.h"

/* No boot configuration is larger; what is, is not read. */
#define BOOT_TEXT_LIMIT ((size_t)1024 * 1024)

/* The next line from *AT on, without its end, which the caller frees; NULL at the end. */
char *boot_next_line(const char **at);

/* True when the line, less white space in front, begins with WORD and a blank. */
bool boot_line_is(const char *line, const char *word);

/*
 * The value that NAME has after TEXT was read as a shell would: NAME=value, the last one counts,
 * quotes are taken off, nothing is expanded. The caller frees it; NULL: it is not set there.
 */
char *boot_setting(const char *text, const char *name);

/* True when a line NAME=... or NAME+=... of TEXT has WORD among its words. */
bool boot_setting_names(const char *text, const char *name, const char *word);

/*
 * Adds an entry: KERNEL and INITRAMFS as the loader names them. VERSION NULL: taken from the
 * kernel's file name. INITRAMFS is a list of files (microcode among them) or NULL.
 */
struct entry_facts *boot_add_entry(struct boot_facts *boot, const char *id, const char *title,
	const char *kernel, const char *version, const char *initramfs, const char *arguments);

#endif
