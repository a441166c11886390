/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The record of lines that ec2hib changed in files that are not its own, read only: files that tell
 * the kernel's command line. The actions that write it are in core/actions/edits.h.
 */
#ifndef EC2HIB_FACTS_EDITS_H
#define EC2HIB_FACTS_EDITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"

/* In the state folder. */
#define EDITS_NAME "edits.json"

/* One changed line. BEFORE "": it was added; AFTER "": it was taken away. */
struct edit {
	char *file;
	char *before;
	char *after;
	uint64_t line;	/* which line of the file it was, from 1 */
	bool open_end;	/* the line before an added one, or one that was taken away, had no newline
			   at its end */
	bool made_file; /* the file was made for the added line */
};
struct edits {
	struct edit *items;
	size_t count;
};

/* Where the record is; the caller frees it. */
char *edits_path(const char *state_dir);

/* 0, also when there is no record. -EINVAL: it is damaged. -EPERM: not root alone can
 * have written it. edits_free() in any case. */
int edits_read(
	const struct root *root, const char *state_dir, struct edits *edits, struct error *err);
void edits_free(struct edits *edits);

#endif
