/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folders in which partitions that a boot loader reads are mounted: /boot, the EFI system
 * partition. One that is to be mounted and is not shows what is below it on the root file system:
 * nothing, or files of an earlier time that nobody boots.
 */
#ifndef EC2HIB_FACTS_BOOT_MOUNTS_H
#define EC2HIB_FACTS_BOOT_MOUNTS_H

#include <stdbool.h>

#include "core/base/files.h"
#include "core/base/text.h"

struct boot_mount {
	char *folder;	 /* "/boot/efi" */
	const char *who; /* wants it mounted: "/etc/fstab", or "its mount unit"; NULL: nobody */
	bool mounted;	 /* it is a file system of its own */
	bool doubtful;	 /* an image with files there: whether of that partition, nobody can tell */
	char *partition; /* PARTUUID of what is mounted, in lower case; NULL: not known */
};
struct boot_mounts {
	struct boot_mount *items;
	size_t count;
};

/*
 * All folders that somebody wants mounted or that are mounted. On a live machine an automount is
 * touched. PARTUUIDs are read there alone.
 */
void boot_mounts_gather(struct boot_mounts *mounts, const struct root *root);
void boot_mounts_free(struct boot_mounts *mounts);

/* The folder that is to be mounted, is not, and has PATH in it; NULL: there is none. */
const struct boot_mount *boot_mounts_missing(const struct boot_mounts *mounts, const char *path);

/* The mounted file system that has PATH in it; NULL: that of /. */
const struct boot_mount *boot_mounts_of(const struct boot_mounts *mounts, const char *path);

#endif
