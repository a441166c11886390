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

/*
 * Changes the line BEFORE of FILE to AFTER, both without line end, and records it first. BEFORE ""
 * adds AFTER as the last line (and makes the file, mode 0644, when there is none); AFTER "" takes
 * the line BEFORE away. Of several equal lines the first one changes.
 *
 * 0 when the line is as wanted. -ENOENT: no such line, or no file to take it from. -EILSEQ: the
 * file is not UTF-8 text and cannot be recorded. -EINVAL: the record is damaged; nothing was
 * changed. Or what reading and root_replace() return.
 */
int edit_line(const struct root *root, const char *state_dir, const char *file, const char *before,
	const char *after, struct error *err);

/*
 * Undoes the edits of FILE, or of all files when FILE is NULL, last one first. A line that is not
 * as we left it (but for white space and the order of its words) stays as it is, and a sentence
 * about it is added to LEFT, which may be NULL. The record goes away with its last entry. No record
 * is no error.
 */
int edits_undo(const struct root *root, const char *state_dir, const char *file,
	struct strings *left, struct error *err);

/* The files that have edits, each once, sorted. No record: none. */
int edits_files(
	const struct root *root, const char *state_dir, struct strings *files, struct error *err);

/* True when FILE has an edit that added or changed to the line AFTER. */
bool edits_have(
	const struct root *root, const char *state_dir, const char *file, const char *after);

/* Removes what a killed run may have left beside the record. */
void edits_sweep(const struct root *root, const char *state_dir);

/* Several changes that belong together, and may be made by another program. */
struct line_change {
	char *file;
	char *before;
	char *after;
	uint64_t line; /* of the file, from 1 */
};
struct line_changes {
	struct line_change *items;
	size_t count;
};

/* Adds a change (copied) unless BEFORE and AFTER are the same. */
void line_changes_add(struct line_changes *changes, const char *file, uint64_t line,
	const char *before, const char *after);
void line_changes_free(struct line_changes *changes);

/* Records the changes, and changes no file; finds out their line numbers. Else as edit_line(). */
int edits_record(const struct root *root, const char *state_dir, struct line_changes *changes,
	struct error *err);

/*
 * Makes recorded changes, those that are not made yet. A line that another program has meanwhile
 * turned into something else is recognized by its number and its first word.
 */
int edits_make(const struct root *root, const struct line_changes *changes, struct error *err);

/* Undoes just these changes and takes them off the record. */
int edits_take_back(const struct root *root, const char *state_dir,
	const struct line_changes *changes, struct error *err);

#endif
