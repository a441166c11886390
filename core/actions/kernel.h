/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of the running kernel, read back after every write. */
#ifndef EC2HIB_ACTIONS_KERNEL_H
#define EC2HIB_ACTIONS_KERNEL_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"

/*
 * Points the kernel at the swap area: OFFSET in pages, DEVICE as "major:minor". Writing the device
 * makes the kernel look for an image there at once, so the caller has read the header and it says
 * plain swap. Kernels without /sys/power/resume_offset (before 4.17) get the SNAPSHOT_SET_SWAP_AREA
 * ioctl on /dev/snapshot, and -ENOTSUP comes back when they do not show the device afterwards.
 */
int kernel_set_resume(
	const struct root *root, const char *device, uint64_t offset, struct error *err);

/* Makes the kernel's offset 0; nothing on kernels that have none to set. */
int kernel_forget_resume(const struct root *root, struct error *err);

/* /sys/power/pm_freeze_timeout, in milliseconds. */
int kernel_set_freeze_timeout(
	const struct root *root, uint64_t milliseconds, struct error *err);

/* /sys/power/image_size, in bytes. */
int kernel_set_image_size(const struct root *root, uint64_t bytes, struct error *err);

/*
 * Writes to /sys/power/state, and comes back when the machine has been away and resumed (0), or when
 * the kernel refused: its errno, such as -EBUSY for a task or a device that would not stop.
 */
int kernel_hibernate(const struct root *root, struct error *err);

#endif
