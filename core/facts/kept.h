/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was found in a file the last time: to unpack an initramfs, or a kernel of arm64, takes a
 * second and more, and status is asked often. It counts for the same files alone, by device, inode,
 * size and times, and is root's: nobody else's record is believed, and for an image of another
 * system (--root) none is made.
 */
#ifndef EC2HIB_FACTS_KEPT_H
#define EC2HIB_FACTS_KEPT_H

#include <stdbool.h>

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/facts/fact.h"

/* The first facts of whatever is kept: NUMBER(format, ...) and TEXT(files, ...). */
struct kept_head {
	struct fact_number format;
	struct fact_text files; /* their identity */
};

/* A kind of record: its name in the state folder, and its struct, which begins as kept_head. */
struct kept_kind {
	const char *name;
	const struct layout *layout;
	uint64_t format; /* another one whenever what is looked for in the files changes */
};

/*
 * What tells these FILES below ROOT from any others; the caller frees it, NULL: one cannot be
 * looked at.
 */
char *kept_identity(const struct root *root, const struct strings *files);

/*
 * True when something is kept of the files of that IDENTITY, which may be NULL. STRUCTURE has to be
 * zeroed before, and freed in any case.
 */
bool kept_read(const struct kept_kind *kind, void *structure, const struct root *root,
	const char *state_dir, const char *identity);

/*
 * Keeps STRUCTURE, whose head is filled here, where that can be. A file that was changed in the
 * last seconds may change once more without telling by its times: nothing is kept of it yet.
 */
void kept_write(const struct kept_kind *kind, void *structure, const struct root *root,
	const char *state_dir, const struct strings *files, const char *identity);

#endif
