/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The record of lines that ec2hib changed in files that are not its own, read only. The actions
 * that write it are in core/actions/edits.h.
 */
#ifndef EC2HIB_FACTS_BOOT_RECORD_H
#define EC2HIB_FACTS_BOOT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"

/* One changed line. BEFORE "": it was added; AFTER "": it was taken away. */
struct edit {
	char *file;
	char *before;
	char *after;
	uint64_t line;	/* which line of the file it was, from 1 */
	bool open_end;	/* the line in front of an added one, or one that was taken away, had no
			   newline at its end */
	bool made_file; /* the file was made for the added line */
};
struct edit_record {
	struct edit *items;
	size_t count;
};

/* Where the record is; the caller frees it. */
char *edit_record_path(const char *state_dir);

/* 0, also when there is no record. -EINVAL: it is damaged. -EPERM: not root alone can
 * have written it. edit_record_free() in any case. */
int edit_record_read(const struct root *root, const char *state_dir, struct edit_record *record,
	struct error *err);
void edit_record_free(struct edit_record *record);

/* True when FILE is one that tells the kernel's command line. */
bool edit_is_boot_file(const char *file);

#endif
