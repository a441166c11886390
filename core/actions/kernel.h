/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of the running kernel, read back after every write. */
#ifndef EC2HIB_ACTIONS_KERNEL_H
#define EC2HIB_ACTIONS_KERNEL_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"

/* Where the kernel is to put the image and to look for it. */
struct resume_area {
	const char *device; /* "major:minor" */
	const char *name;   /* the same device's in /dev: "nvme0n1p1" */
	uint64_t offset;    /* of the swap header, in pages */
	uint64_t page_size; /* bytes */
};

/*
 * Points the kernel at the swap area. Writing the device makes the kernel look for an image there
 * at once, so first the very page that it will look at is read: -EBUSY, and nothing is written,
 * when that does not say plain swap. Kernels without /sys/power/resume_offset (before 4.17) get the
 * SNAPSHOT_SET_SWAP_AREA ioctl on /dev/snapshot, and -ENOTSUP comes back when they do not show the
 * device afterwards.
 */
int kernel_set_resume(const struct root *root, const struct resume_area *area, struct error *err);

/* Makes the kernel's offset 0; nothing on kernels that have none to set. */
int kernel_forget_resume(const struct root *root, struct error *err);

/*
 * No swap area begins there: a kernel that is to look for one there finds none, and writes nothing.
 */
#define RESUME_OFFSET_NOWHERE ((uint64_t)UINT32_MAX)

/*
 * /sys/power/resume_offset, in pages. The kernel looks there when it hibernates or resumes, not
 * now.
 */
int kernel_set_resume_offset(const struct root *root, uint64_t pages, struct error *err);

/* /sys/power/pm_freeze_timeout, in milliseconds. */
int kernel_set_freeze_timeout(const struct root *root, uint64_t milliseconds, struct error *err);

/* /sys/power/image_size, in bytes. */
int kernel_set_image_size(const struct root *root, uint64_t bytes, struct error *err);

/* /sys/power/pm_test: none, freezer, devices, platform, processors or core. */
int kernel_set_test(const struct root *root, const char *test, struct error *err);

/*
 * Writes to /sys/power/state, and comes back when the machine has been away and resumed (0), or
 * when the kernel refused: its errno, such as -EBUSY for a task or a device that would not stop.
 */
int kernel_hibernate(const struct root *root, struct error *err);

#endif
