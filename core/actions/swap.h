/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making, formatting, switching on and off the swap area.
 *
 * A swap file is made under a temporary name beside its place and renamed when it is complete and
 * on the disk, so that at PATH there is never half a swap file.
 */
#ifndef EC2HIB_ACTIONS_SWAP_H
#define EC2HIB_ACTIONS_SWAP_H

#include <stdint.h>

#include "core/base/reporter.h"
#include "core/base/config.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/facts/facts.h"

/* Why a swap file is made the way it is. */
struct swap_request {
	const char *path;	/* below the root */
	uint64_t size;		/* bytes, a multiple of the page size */
	const char *filesystem; /* its type: ext4, xfs, btrfs, ... */
	const char *kernel;	/* release that will use it, NULL when not known */
	bool write_out;		/* write every block in place of fallocate(2) */
	bool nocow;		/* btrfs: no copy on write, no compression */
	bool label;		/* SELinux is on: system_u:object_r:swapfile_t:s0 */
};

/*
 * Makes the swap file: 0600 root:root, no holes, mkswap done, in as few extents as the file system
 * gives (a second try when the first is in many), then renamed to its place over whatever is there.
 * An error leaves nothing behind: -ENOSPC, -EPERM (the folder is not root's alone), -ECANCELED, ...
 */
int swap_file_create(const struct root *root, const struct swap_request *request,
	const struct reporter *reporter, struct error *err);

/* Removes what an interrupted swap_file_create() left beside PATH; -EPERM as for creating. */
int swap_file_sweep(const struct root *root, const char *path, struct error *err);

/* Removes PATH and what an interrupted swap_file_create() left beside it. */
int swap_file_remove(const struct root *root, const char *path, struct error *err);

/* fchmod 0600 and fchown root:root of the file itself, never of a link. */
int swap_file_protect(const struct root *root, const char *path, struct error *err);
int swap_file_label(const struct root *root, const char *path, struct error *err);

/*
 * mkswap(8). UUID and LABEL may be NULL; an image in the area is gone afterwards. The area must not
 * be active.
 */
int swap_format(const struct root *root, const char *path, const char *uuid, const char *label,
	struct error *err);

/*
 * swapon(2) on the running machine; not for an image, and only of what nobody but root can change
 * (-EPERM). PRIORITY as in swapon(2), where the kernel
 * chooses for one below 0.
 */
int swap_on(const char *path, long priority, struct error *err);

/*
 * swapoff(8), with a time limit: after a failed test_resume the kernel never gives the image's
 * slots back and swapoff(2) would go on for ever (seen on 6.1). USED is what it holds, in bytes.
 * Refuses with -EBUSY, and the numbers, when what the area holds does not fit into the memory that
 * is free: swapoff would then block (aws/amazon-ec2-hibinit-agent #57).
 */
int swap_off(const struct root *root, const char *path, uint64_t used,
	const struct memory_facts *memory, struct error *err);

/*
 * Makes an area that holds a hibernation image plain swap again, by what the kernel itself does
 * when it loads the image: the old signature, kept just before, goes back to its place (Linux
 * kernel/power/swap.c, struct swsusp_header). Works while the area is active, through the block
 * device past the page cache; UUID and label stay. DEVICE is a path as the host sees it, POSITION
 * the byte where the area's header begins. -EBADMSG when there is no such image, or no swap
 * signature to bring back.
 */
int swap_header_mend(const char *device, uint64_t position, struct error *err);

#endif
