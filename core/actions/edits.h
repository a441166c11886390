/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines changed in files that are not ours, recorded so that teardown undoes exactly that.
 *
 * The record is a stack in STATE_DIR/edits.json. It reaches the disk before a file is changed, so
 * that a kill at any moment leaves either an entry for a change that was not made yet, which
 * undoing recognizes and drops, or a change with its entry. Files that are ours alone carry our
 * name and need no record.
 *
 * A GRUB environment block (grubenv) keeps its size and padding.
 */
#ifndef EC2HIB_ACTIONS_EDITS_H
#define EC2HIB_ACTIONS_EDITS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/text.h"
#include "core/facts/edits.h"

/*
 * Adds the edit that changes the line BEFORE of FILE to AFTER, both without line end; nothing when
 * they are the same. BEFORE "" adds AFTER as the last line (and makes the file, mode 0644, when
 * there is none); AFTER "" takes the line BEFORE away. LINE is the line's number, from 1; of
 * several equal lines the nearest one changes.
 */
void edits_add(struct edits *edits, const char *file, uint64_t line, const char *before,
	const char *after);

/*
 * Records the edits, and changes no file; finds out where their lines are. -ENOENT: no such line,
 * or no file to take it from. -EILSEQ: the file is not UTF-8 text and cannot be recorded. -EINVAL:
 * the record is damaged. Or what reading and root_replace() return.
 */
int edits_record(
	const struct root *root, const char *state_dir, struct edits *edits, struct error *err);

/*
 * Makes recorded edits, those that are not made yet. A line that another program has meanwhile
 * turned into something else is recognized by its number and its first word.
 */
int edits_make(const struct root *root, const struct edits *edits, struct error *err);

/*
 * Undoes the edits of the record, or with ONLY just these, last one first; each file changes at
 * once. A line that is not as we left it (but for white space and the order of its words) stays as
 * it is, and a sentence about it is added to LEFT, which may be NULL. Its edit stays in the record
 * while the file has resume arguments of ours, or lacks those that we took away. The record
 * goes away with its last entry. No record is no error.
 */
int edits_undo(const struct root *root, const char *state_dir, const struct edits *only,
	struct strings *left, struct error *err);

/* The same for EDITS without a word of the record, which edits_undo() then takes away. */
int edits_undo_lines(const struct root *root, const struct edits *edits, struct error *err);

/* Removes what a killed run may have left beside the record. */
void edits_sweep(const struct root *root, const char *state_dir);

/* ---- Lines of a text ---- */

/* A line of a text, without its end. */
struct line {
	const char *start;
	size_t length;
	uint64_t number; /* from 1; {0} before the first */
};
bool line_next(const char **at, struct line *line);

/*
 * TEXT, a changed version of OLD. When that is GRUB's environment block, filled with '#' to the
 * same size again; one whose lines no longer fit stays too long. Takes TEXT over, the caller frees
 * what comes back.
 */
char *text_fit_environment(const char *old, char *text);

#endif
