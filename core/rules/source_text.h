/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The texts from which boot entries have their command line, with our arguments and without. Pure.
 *
 * A line keeps its number, and what is added is the last line, so that old and new can be compared
 * line by line (core/actions/edits.h). What is not understood stays as it is.
 */
#ifndef EC2HIB_RULES_SOURCE_TEXT_H
#define EC2HIB_RULES_SOURCE_TEXT_H

#include "core/base/text.h"
#include "core/facts/boot_loader.h"

/*
 * TEXT, which SOURCE's file holds, with the WANTED arguments where the entries have theirs from,
 * and without others of arguments_keys. Lines that start another system than BOOT's stay. The
 * caller frees it.
 *
 * Of settings in the manner of a shell, the last assignment to GRUB_CMDLINE_LINUX changes; where
 * that is no plain text, or others are made from it, one that adds to it is appended: nothing but
 * plain assignments, which other programs than a shell read as well. A text that already says what
 * is wanted, in whatever way, stays.
 */
char *source_text_set(const struct boot_source *source, const struct boot_facts *boot,
	const char *text, const struct strings *wanted);

/*
 * TEXT without our arguments: those of lines that have resume= and resume_offset= as one of the
 * command lines OURS has them. The caller frees it.
 */
char *source_text_clean(
	const struct boot_source *source, const char *text, const struct strings *ours);

/* True when the command line LINE has resume= and resume_offset= as one of OURS. */
bool source_line_is_ours(const char *line, const struct strings *ours);

#endif
