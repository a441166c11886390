/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hibernation image that is written and read back, and that no boot can ever resume.
 *
 * The kernel's own test_resume marks the swap area as an image (S1SUSPEND) before it has read it
 * back; what fails after that, or a power cut, leaves the mark for the next boot. Here the kernel
 * makes the image and hands it out through /dev/snapshot, as it did for uswsusp (Linux
 * Documentation/power/userland-swsusp.rst, kernel/power/user.c), and we write it: to pages of the
 * very swap area, which the kernel reserves for us, and never to the header. So whatever happens,
 * and whenever, there is plain swap on the disk. When the file is closed, also by the end of the
 * process, SIGKILL included, the kernel itself gives the pages back, frees the image and thaws all
 * tasks.
 *
 * What it does not show is the kernel's own writing (with compression) and reading: only a whole
 * cycle does.
 */
#ifndef EC2HIB_ACTIONS_SNAPSHOT_H
#define EC2HIB_ACTIONS_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/reporter.h"
#include "core/facts/facts.h"

#define SNAPSHOT_DEVICE "/dev/snapshot"

struct snapshot {
	const struct root *root; /* the running machine */
	const char *number;	 /* of the resume device, "major:minor" */
	const char *name;	 /* the same device's in /dev */
	uint64_t offset;	 /* of the swap header on it, in pages */
	uint64_t page_size;	 /* bytes */
	/* Where the area lies on the device, and how large it is where it has no extents. Nothing is
	 * written anywhere else, whatever the kernel says. */
	const extent_list *extents;
	uint64_t size;			 /* bytes */
	bool platform;			 /* the firmware takes part: /sys/power/disk is platform */
	unsigned timeout_ms;		 /* the machine stands still for hardly longer than this */
	const struct reporter *reporter; /* is asked whether to stop; nothing is said */
};

/* How far it came; 0 where it did not come there. Bytes and milliseconds. */
struct snapshot_result {
	/* The kernel was told to make one; see core/actions/rehearse.h on what that leaves. */
	bool requested;
	uint64_t image_size;
	uint64_t written, write_ms;
	uint64_t read, read_ms;
	uint64_t still_ms; /* all tasks were frozen */
};

/*
 * All tasks but this one are frozen meanwhile: nothing is said, no file is written and no program
 * run before it is over, and a terminal's signals that stop a process (Ctrl-Z) are ignored.
 *
 * 0 when every byte came back as it was written. -EBUSY: tasks or devices that did not stop.
 * -ENOSPC: the free part of the area is too small. -ETIMEDOUT. -ECANCELED. -EPERM: a debugger or
 * strace(1) traces this process. -EILSEQ: something else was read back than was written. -EFAULT:
 * the kernel named a page outside the area. Else what failed.
 */
int snapshot_rehearse(
	const struct snapshot *snapshot, struct snapshot_result *result, struct error *err);

#endif
