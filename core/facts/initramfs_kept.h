/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was found in an initramfs the last time: to unpack one takes a second and more, and status is asked
 * often. It counts for the same files alone, by device, inode, size and times, and is root's: nobody else's
 * record is believed, and for an image of another system (--root) none is made.
 */
#ifndef EC2HIB_FACTS_INITRAMFS_KEPT_H
#define EC2HIB_FACTS_INITRAMFS_KEPT_H

#include <stdbool.h>

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/facts/initramfs_image.h"

/* In the state folder. */
#define INITRAMFS_KEPT_NAME "initramfs.json"

/* What tells these FILES below ROOT from any others; the caller frees it, NULL: one cannot be looked at. */
char *initramfs_identity(const struct root *root, const struct strings *files);

/* True with IMAGE, which is the caller's then, when it was found in the files of that IDENTITY. */
bool initramfs_kept_read(struct initramfs_image *image, const struct root *root,
	const char *state_dir, const char *identity);

/*
 * Keeps it for the next time, where that can be. A file that was changed in the last seconds may change
 * once more without telling by its times: nothing is kept of it yet.
 */
void initramfs_kept_write(const struct initramfs_image *image, const struct root *root,
	const char *state_dir, const struct strings *files, const char *identity);

#endif
