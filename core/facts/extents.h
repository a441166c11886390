/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a file lies on its block device. ext4 and xfs answer FS_IOC_FIEMAP with physical places.
 * btrfs answers with its own logical addresses, which its chunk tree maps to the device
 * (BTRFS_IOC_TREE_SEARCH_V2, as btrfs inspect-internal map-swapfile does); that needs root.
 */
#ifndef EC2HIB_FACTS_EXTENTS_H
#define EC2HIB_FACTS_EXTENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/facts/facts.h"

/* What the map says besides the extents. */
struct extents_summary {
	uint64_t holes;	 /* ranges without blocks */
	bool shared;	 /* with another file or a snapshot */
	bool compressed; /* or encoded otherwise, inline data too */
	bool unmapped;	 /* something has no place yet (delayed allocation) */
};

/*
 * Maps the open regular file FD of SIZE bytes. EXTENTS are merged where they follow one another
 * both in the file and on the device. 0 or a negative errno: -EOPNOTSUPP when the file system
 * cannot tell, -EPERM on btrfs without root, -ENOTSUP for a btrfs file on several devices.
 */
int extents_map(extent_list *extents, struct extents_summary *summary, int fd, uint64_t size,
	struct error *err);

/*
 * The resume offset of a mapped swap file: the place of its first page, the header, counted in
 * pages of PAGE bytes. Absent for a file that begins with a hole. Unknown where blocks are smaller
 * than a page and the first one is not at the start of one: no offset names such a place, and
 * the kernel, which swaps to whole pages of the device only (mm/page_io.c, fs/iomap/swapfile.c),
 * leaves it out.
 */
void extents_resume_offset(struct fact_number *offset, const extent_list *extents, uint64_t page);

/* Appends one piece, merged with the last when it continues it. */
void extents_append(extent_list *extents, uint64_t logical, uint64_t physical, uint64_t length);

#endif
