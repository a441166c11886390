/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Block devices: the stack from a file system's device down to its disks, and what kind of storage
 * these are. Read from /sys/dev/block; identities from libblkid, or from udev's database where the
 * device itself may not be read.
 */
#ifndef EC2HIB_FACTS_DEVICE_H
#define EC2HIB_FACTS_DEVICE_H

#include <sys/types.h>

#include "core/facts/facts.h"

/*
 * Fills DEVICES with NUMBER and all that lies below it, each device once and before what is below
 * it; where everything has one device below, that is a chain whose last one is the disk. HOST is
 * the machine that we run on: device numbers are its kernel's, also for an image that is mounted.
 * CRYPTTAB is read below ROOT.
 */
void devices_gather(
	device_list *devices, const struct root *host, const struct root *root, dev_t number);

/*
 * The same, and a copy of KNOWN where that is the chain of NUMBER: identifying a device means
 * reading a megabyte from its disk, and most of what a machine has lies on one.
 */
void devices_gather_known(device_list *devices, const struct root *host, const struct root *root,
	dev_t number, const device_list *known);

/* The leaf after AFTER, the first one after NULL; NULL: there is no other. */
const struct device_facts *devices_next_leaf(
	const device_list *devices, const struct device_facts *after);

/* The medium of the leaves: the one that is lost first counts. Unknown when the stack is. */
void devices_medium(struct fact_text *medium, const device_list *devices);

/* True when a device of the stack has a key that is new at every boot. */
bool devices_random_key(const device_list *devices);

/*
 * The device that holds the file system with PATH (as the host sees it): 0 or a negative errno;
 * -ENODEV when that file system lies on no block device that the kernel knows (overlay, tmpfs, NFS,
 * ZFS). On btrfs st_dev is not a block device; the mount table knows the real one. TYPE,
 * MOUNT_POINT (owned by the caller afterwards) may be NULL.
 */
int device_of_path(
	const char *path, dev_t *number, char **type, char **mount_point, struct error *err);

/* "259:1" */
char *device_number_text(dev_t number);

#endif
