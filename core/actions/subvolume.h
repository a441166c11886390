/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The btrfs subvolume that a swap file gets for itself; core/facts/subvolume.h says why. It is made
 * under a temporary name, gets our mark, and is renamed: one with its name and without the mark is
 * not ours.
 */
#ifndef EC2HIB_ACTIONS_SUBVOLUME_H
#define EC2HIB_ACTIONS_SUBVOLUME_H

#include "core/base/error.h"
#include "core/base/files.h"

/*
 * Makes the folder PATH, which must not be there, as a subvolume (0755 root:root). -EPERM when a
 * folder above is not root's alone, else what failed; an error leaves nothing behind.
 */
int subvolume_create(const struct root *root, const char *path, struct error *err);

/* Removes what an interrupted subvolume_create() left beside PATH. */
int subvolume_sweep(const struct root *root, const char *path, struct error *err);

/*
 * Removes the subvolume PATH where it carries our mark and is empty (rmdir(2) takes one from Linux
 * 4.18 on). 0 also where it stays because something is in it or it is not ours.
 */
int subvolume_remove(const struct root *root, const char *path, struct error *err);

#endif
