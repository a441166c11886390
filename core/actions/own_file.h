/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration files that are ours alone, in folders that others own. A folder that had to be made
 * for such a file goes with it: a comment at the end of the file remembers that.
 */
#ifndef EC2HIB_ACTIONS_OWN_FILE_H
#define EC2HIB_ACTIONS_OWN_FILE_H

#include "core/base/error.h"
#include "core/base/files.h"

/* The file without that comment; *TEXT (the caller frees it) is NULL when there is no file. */
int own_file_read(const struct root *root, const char *path, char **text, struct error *err);

/* Makes the file hold TEXT, mode 0644; with TEXT NULL it goes. As root_replace(): old or new. */
int own_file_put(const struct root *root, const char *path, const char *text, struct error *err);

/*
 * Removes what root_replace() left beside PATH, or beside what the link PATH names, and what
 * own_file_put() left beside its folder, when it was killed. Only what has exactly that name, and
 * is a regular file (or that folder) of root or of the owner of PATH. Best effort: no program reads
 * such a file.
 */
void own_leftover_remove(const struct root *root, const char *path);

/* The same for DRAFT, under which a program was making the file OF. */
void own_draft_remove(const struct root *root, const char *draft, const char *of);

#endif
