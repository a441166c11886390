/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/suspend_ioctls.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/facts.h"
#include "core/facts/header.h"

#define RESUME	       "/sys/power/resume"
#define RESUME_OFFSET  "/sys/power/resume_offset"
#define FREEZE_TIMEOUT "/sys/power/pm_freeze_timeout"
#define IMAGE_SIZE     "/sys/power/image_size"
#define STATE	       "/sys/power/state"
#define PM_TEST	       "/sys/power/pm_test"

/* Writes VALUE and sees that it is there. */
static int set_and_see(
	const struct root *root, const char *path, const char *value, struct error *err)
{
	memory_cleanup_free char *seen = NULL;
	int status = root_write_kernel(root, path, value, err);

	if (status == 0)
		status = root_read_line(root, path, &seen, err);
	if (status == 0 && strcmp(seen, value) != 0)
		return error_set(err, EIO, "wrote %s to %s, but it says %s", value, path, seen);
	return status;
}

/* What the kernel would find at AREA: it reads the device, not the file. */
static int see_plain_swap(
	const struct root *root, const struct resume_area *area, struct error *err)
{
	file_cleanup_close int folder = root_openat(root, "/dev", O_RDONLY | O_DIRECTORY, 0, err);
	uint64_t position = area->offset * area->page_size;
	struct swap_header header;
	int status;

	if (folder < 0)
		return folder;
	status = header_read(&header, folder, area->name, position, err);
	if (status < 0)
		return status;
	if (strcmp(header.signature, SIGNATURE_SWAP) == 0)
		return 0;
	return error_set(err, EBUSY,
		"there is no plain swap at byte %llu of /dev/%s (the header says: %s); the kernel is not told about it",
		(unsigned long long)position, area->name, header.signature);
}

/* The kernel opens it for reading (hibernation) or for writing (resume), never for both. */
static int set_by_ioctl(
	const struct root *root, const char *device, uint64_t offset, struct error *err)
{
	file_cleanup_close int fd = root_openat(root, "/dev/snapshot", O_RDONLY, 0, err);
	struct resume_swap_area request = { .offset = (int64_t)offset };
	unsigned major_number, minor_number;

	if (fd < 0)
		return fd;
	if (sscanf(device, "%u:%u", &major_number, &minor_number) != 2)
		return error_set(
			err, EINVAL, "\"%s\" is not a device number (major:minor)", device);
	request.dev = (uint32_t)makedev(major_number, minor_number);
	if (ioctl(fd, SNAPSHOT_SET_SWAP_AREA, &request) < 0)
		return error_errno(err, errno, "cannot set the swap area through /dev/snapshot");
	return 0;
}

/* The offset first: the write of the device is what makes the kernel look. */
static int set_by_files(const struct root *root, const struct resume_area *area, struct error *err)
{
	memory_cleanup_free char *pages = text_format("%llu", (unsigned long long)area->offset);
	memory_cleanup_free char *before = NULL;
	struct error ignored = { "" };
	int status = root_read_line(root, RESUME_OFFSET, &before, err);

	if (status == 0)
		status = set_and_see(root, RESUME_OFFSET, pages, err);
	if (status < 0)
		return status;
	status = set_and_see(root, RESUME, area->device, err);
	/* The old device with the new offset would name no area at all. */
	if (status < 0)
		root_write_kernel(root, RESUME_OFFSET, before, &ignored);
	return status;
}

int kernel_set_resume(const struct root *root, const struct resume_area *area, struct error *err)
{
	memory_cleanup_free char *seen = NULL;
	int status = see_plain_swap(root, area, err);

	if (status < 0)
		return status;
	if (root_exists(root, RESUME_OFFSET))
		return set_by_files(root, area, err);
	status = set_by_ioctl(root, area->device, area->offset, err);
	if (status == 0)
		status = root_read_line(root, RESUME, &seen, err);
	if (status == 0 && strcmp(seen, area->device) != 0)
		return error_set(err, ENOTSUP,
			"this kernel has no %s and does not take the swap area from /dev/snapshot: it can hibernate only after a reboot",
			RESUME_OFFSET);
	return status;
}

int kernel_forget_resume(const struct root *root, struct error *err)
{
	if (!root_exists(root, RESUME_OFFSET))
		return 0;
	return set_and_see(root, RESUME_OFFSET, "0", err);
}

static int set_number(const struct root *root, const char *path, uint64_t number, struct error *err)
{
	memory_cleanup_free char *text = text_format("%llu", (unsigned long long)number);

	return set_and_see(root, path, text, err);
}

int kernel_set_resume_offset(const struct root *root, uint64_t pages, struct error *err)
{
	return set_number(root, RESUME_OFFSET, pages, err);
}

int kernel_set_freeze_timeout(const struct root *root, uint64_t milliseconds, struct error *err)
{
	return set_number(root, FREEZE_TIMEOUT, milliseconds, err);
}

int kernel_set_image_size(const struct root *root, uint64_t bytes, struct error *err)
{
	return set_number(root, IMAGE_SIZE, bytes, err);
}

/* It shows all of them, the one that is set in brackets. */
int kernel_set_test(const struct root *root, const char *test, struct error *err)
{
	memory_cleanup_free char *seen = NULL, *chosen = text_format("[%s]", test);
	int status = root_write_kernel(root, PM_TEST, test, err);

	if (status == 0)
		status = root_read_line(root, PM_TEST, &seen, err);
	if (status == 0 && !strstr(seen, chosen))
		return error_set(
			err, EIO, "wrote %s to %s, but it says \"%s\"", test, PM_TEST, seen);
	return status;
}

int kernel_hibernate(const struct root *root, struct error *err)
{
	return root_write_kernel(root, STATE, "disk", err);
}
