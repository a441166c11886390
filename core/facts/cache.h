/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was found in a file the last time: to unpack an initramfs, or a kernel of arm64, takes a
 * second and more, and status is asked often. It counts for the same files alone, by device, inode,
 * size and times, and is root's: nobody else's record is believed, and for an image of another
 * system (--root) none is made.
 */
#ifndef EC2HIB_FACTS_CACHE_H
#define EC2HIB_FACTS_CACHE_H

#include <stdbool.h>

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/facts/fact.h"

/* The first facts of whatever is cached: NUMBER(format, ...) and TEXT(files, ...). */
struct cache_head {
	struct fact_number format;
	struct fact_text files; /* their identity */
};

/* A kind of record: its name in the state folder, and its struct, which begins as cache_head. */
struct cache_kind {
	const char *name;
	const struct layout *layout;
	uint64_t format; /* another one whenever what is looked for in the files changes */
};

/*
 * What tells these FILES below ROOT from any others; the caller frees it, NULL: one cannot be
 * looked at.
 */
char *cache_identity(const struct root *root, const struct strings *files);

/*
 * True when something is cached of the files of that IDENTITY, which may be NULL. STRUCTURE has to be
 * zeroed before, and freed in any case.
 */
bool cache_read(const struct cache_kind *kind, void *structure, const struct root *root,
	const char *state_dir, const char *identity);

/*
 * Keeps STRUCTURE, whose head is filled here, where that can be. A file that was changed in the
 * last seconds may change once more without telling by its times: nothing is cached of it yet.
 */
void cache_write(const struct cache_kind *kind, void *structure, const struct root *root,
	const char *state_dir, const struct strings *files, const char *identity);

#endif
