/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A change of one line, made in a text and taken back. Pure; used by edits.c. */
#ifndef EC2HIB_ACTIONS_EDITS_TEXT_H
#define EC2HIB_ACTIONS_EDITS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/facts/boot_record.h"

/* A line of a text, without its end. */
struct line {
	const char *start;
	size_t length;
	uint64_t number; /* from 1; {0} before the first */
};
bool line_next(const char **at, struct line *line);

/*
 * The line of TEXT that says WANTED, the one nearest to line NUMBER; with LOOSE one with the same
 * words in any order. False: there is none.
 */
bool line_find(
	const char *text, const char *wanted, uint64_t number, bool loose, struct line *found);

/*
 * TEXT, a changed version of OLD. When that is GRUB's environment block, filled with '#' to the same
 * size again; one whose lines no longer fit stays too long. Takes TEXT over, the caller frees what
 * comes back.
 */
char *text_fit_environment(const char *old, char *text);

/* Finds out line, open_end of a new EDIT of TEXT. False: TEXT does not have the line. */
bool edit_locate(const char *text, struct edit *edit);

/*
 * TEXT with EDIT made, or taken back; the caller frees it. NULL: nothing to do, for it is so
 * already. *FOREIGN: nor can it be done, for somebody else has changed the line.
 */
char *edit_make(const char *text, const struct edit *edit, bool *foreign);
char *edit_unmake(const char *text, const struct edit *edit, bool *foreign);

#endif
