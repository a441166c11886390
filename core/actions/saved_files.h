/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files as they were before something was tried with them, so that all of it can be taken back when
 * that fails, and what a foreign program changed can be told. They are held in memory: what has to
 * outlive this run is recorded elsewhere (core/actions/edits.h).
 */
#ifndef EC2HIB_ACTIONS_SAVED_FILES_H
#define EC2HIB_ACTIONS_SAVED_FILES_H

#include "core/base/error.h"
#include "core/base/files.h"

struct saved_file {
	char *path;
	char *text; /* NULL: it was not there */
	mode_t mode;
	bool own; /* core/actions/own_file.h: its folder may come and go with it */
};
struct saved_files {
	struct saved_file *items;
	size_t count;
};

/*
 * Remembers the text file PATH; once is enough. 0, also where no such file is; or a negative errno:
 * it cannot be read, is larger than FILE_LIMIT, or is no text.
 */
int saved_files_add(
	struct saved_files *saved, const struct root *root, const char *path, struct error *err);

/* The same for a file that is ours alone. */
int saved_files_add_own(
	struct saved_files *saved, const struct root *root, const char *path, struct error *err);

/*
 * Makes the files what they were, the last one first; those that did not change are not written. A
 * file that cannot be written does not stop the others. 0 or the first error.
 */
int saved_files_restore(
	const struct saved_files *saved, const struct root *root, struct error *err);

/* Adds the path of each file that is not what it was to CHANGED. What cannot be read counts. */
void saved_files_compare(
	const struct saved_files *saved, const struct root *root, struct strings *changed);

void saved_files_free(struct saved_files *saved);

#endif
