/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is to be warmed: the area's place on its device, and names for both beyond a boot. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/actions/prewarm_parts.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/area.h"
#include "core/facts/device.h"
#include "core/facts/prewarmed.h"
#include "core/facts/swaps.h"

/* ---- The device ----------------------------------------------------------------------------- */

/* Of the whole disk: who uses another partition of it waits as well. Without them it does not give way. */
static void open_counters(
	struct prewarm_target *target, const struct root *host, const device_list *devices)
{
	memory_cleanup_free char *path =
		text_format("/sys/block/%s/stat", devices->items[devices->count - 1].name.value);
	struct error err = { "" };

	target->counters = root_openat(host, path, O_RDONLY, 0, &err);
}

/* Opens the first device of a chain as what the chain says that it is. */
static int open_device(struct prewarm_target *target, const struct root *host,
	const device_list *devices, struct error *err)
{
	memory_cleanup_free char *number = NULL;
	struct stat status;

	if (devices->is != FACT_KNOWN || devices->count == 0)
		return error_set(err, ENODEV, "the device of %s is not known%s%s", target->path,
			devices->why ? ": " : "", devices->why ? devices->why : "");
	target->device = text_format("/dev/%s", devices->items[0].name.value);
	for (char *bang = target->device; (bang = strchr(bang, '!'));)
		*bang = '/'; /* sysfs has cciss!c0d0 for /dev/cciss/c0d0 */
	target->volume = prewarm_volume_name(host, devices);
	target->fd = root_openat(
		host, target->device, O_RDONLY | O_DIRECT | O_NOFOLLOW | O_NONBLOCK, 0, err);
	if (target->fd < 0)
		return target->fd;
	if (fstat(target->fd, &status) < 0)
		return error_errno(err, errno, "cannot look at %s", target->device);
	number = device_number_text(status.st_rdev);
	if (!S_ISBLK(status.st_mode) || !fact_text_is(&devices->items[0].number, number))
		return error_set(err, ENODEV, "%s is not the block device %s", target->device,
			devices->items[0].number.value);
	open_counters(target, host, devices);
	return 0;
}

static int measure_device(struct prewarm_target *target, uint64_t *size, struct error *err)
{
	int logical;

	if (ioctl(target->fd, BLKGETSIZE64, size) < 0 || ioctl(target->fd, BLKSSZGET, &logical) < 0)
		return error_errno(err, errno, "cannot ask %s for its size", target->device);
	if (*size == 0 || logical <= 0)
		return error_set(err, ENODEV, "%s has no medium: its size is 0", target->device);
	target->logical = (uint64_t)logical;
	return 0;
}

static void whole_device(struct prewarm_target *target, uint64_t size)
{
	prewarm_ranges_add(
		&target->ranges, &(struct prewarm_range) { 0, size - size % target->logical });
}

/* ---- The area ------------------------------------------------------------------------------- */

/* Of all facts only those about the area: nothing else has a say. */
static void gather_area(struct facts *facts, const struct gather *gather)
{
	memory_cleanup_free char *path = area_path(gather->config, gather->root);

	root_gather(&facts->root, gather->root, gather->host);
	swaps_gather(&facts->swaps, gather->root, &facts->root.devices);
	area_gather(&facts->area, gather->root, gather->host, &facts->root.devices, path);
	area_complete(facts);
}

/*
 * The file may be an active swap under another name (a hard link, a second mount), and kernels before
 * 5.4 let root write to one.
 */
static int refuse_active(int fd, const struct prewarm *prewarm, const char *path, struct error *err)
{
	swap_list swaps = { 0 };
	struct stat file, swap;
	int status = fstat(fd, &file) < 0 ? -errno : 0;

	swaps_gather(&swaps, prewarm->gather->root, &(device_list) { 0 });
	if (status < 0 || swaps.is != FACT_KNOWN)
		status = error_set(err, EBUSY,
			"cannot tell whether %s is an active swap; nothing is written", path);
	for (size_t i = 0; status == 0 && i < swaps.count; i++)
		if (stat(swaps.items[i].path.value, &swap) == 0 && swap.st_dev == file.st_dev &&
			swap.st_ino == file.st_ino)
			status = error_set(err, EBUSY,
				"%s is the active swap %s: writing would destroy what is swapped out; use the read method",
				path, swaps.items[i].path.value);
	swaps_free(&swaps);
	return status;
}

/*
 * Through the file. Its header stays what it is until mkswap(8) writes it again at the end: at no
 * time is there a swap file without one.
 */
static int open_file(struct prewarm_target *target, const struct prewarm *prewarm,
	const struct area_facts *area, struct error *err)
{
	uint64_t header = area->header_page_size.value, size = area->size.value;
	int status;

	close(target->fd);
	target->fd = root_openat(prewarm->gather->root, target->path,
		O_RDWR | O_DIRECT | O_NOFOLLOW | O_NONBLOCK, 0, err);
	if (target->fd < 0)
		return target->fd;
	status = refuse_active(target->fd, prewarm, target->path, err);
	if (status < 0)
		return status;
	/* Whole pages; mkswap(8) makes nothing of the rest. */
	size -= size % header;
	prewarm_ranges_free(&target->ranges);
	if (size > header)
		prewarm_ranges_add(
			&target->ranges, &(struct prewarm_range) { header, size - header });
	if (area->header_uuid.is == FACT_KNOWN)
		target->uuid = text_copy(area->header_uuid.value);
	if (area->header_label.is == FACT_KNOWN)
		target->label = text_copy(area->header_label.value);
	return 0;
}

static int open_area(struct prewarm_target *target, const struct prewarm *prewarm,
	const struct area_facts *area, struct error *err)
{
	uint64_t size;
	int status;

	target->path = text_copy(area->path.value);
	status = prewarm_method_for(&target->method, area, err);
	if (status == 0)
		status = open_device(target, prewarm->gather->host, &area->devices, err);
	if (status == 0)
		status = measure_device(target, &size, err);
	if (status < 0)
		return status;
	if (fact_text_is(&area->kind, "device"))
		whole_device(target, size);
	else
		status = prewarm_ranges_of(
			&target->ranges, &area->extents, size, target->logical, err);
	if (status < 0)
		return error_prefix(err, status, "%s on %s", target->path, target->device);
	/* The map is that of the device either way, so that a file that moved is known. */
	target->map = prewarm_map_name(&target->ranges, size);
	return target->method == PREWARM_WRITE ? open_file(target, prewarm, area, err) : 0;
}

static int open_whole(
	struct prewarm_target *target, const struct prewarm *prewarm, struct error *err)
{
	const struct gather *gather = prewarm->gather;
	device_list devices = { 0 };
	struct stat found;
	uint64_t size;
	int status;

	target->path = text_copy(prewarm->device);
	if (prewarm->method == PREWARM_WRITE)
		return error_set(err, EINVAL, "%s is a device: the write method is for a swap file",
			target->path);
	target->method = PREWARM_READ;
	status = root_stat(gather->root, prewarm->device, &found);
	if (status < 0)
		return error_errno(err, -status, "cannot look at %s", target->path);
	if (!S_ISBLK(found.st_mode))
		return error_set(err, ENOTBLK, "%s is no block device", target->path);
	devices_gather(&devices, gather->host, gather->root, found.st_rdev);
	status = open_device(target, gather->host, &devices, err);
	if (status == 0)
		status = measure_device(target, &size, err);
	if (status == 0) {
		whole_device(target, size);
		target->map = prewarm_map_name(&target->ranges, size);
	}
	for (size_t i = 0; i < devices.count; i++)
		layout_free(&device_facts_layout, &devices.items[i]);
	free(devices.items);
	free(devices.why);
	return status;
}

int prewarm_target_open(
	struct prewarm_target *target, const struct prewarm *prewarm, struct error *err)
{
	struct facts facts = { 0 };
	int status;

	*target = (struct prewarm_target) { .method = prewarm->method, .fd = -1, .counters = -1 };
	if (prewarm->device)
		return open_whole(target, prewarm, err);
	gather_area(&facts, prewarm->gather);
	status = open_area(target, prewarm, &facts.area, err);
	facts_free(&facts);
	return status;
}

void prewarm_target_close(struct prewarm_target *target)
{
	if (target->fd >= 0)
		close(target->fd);
	if (target->counters >= 0)
		close(target->counters);
	prewarm_ranges_free(&target->ranges);
	free(target->path);
	free(target->device);
	free(target->volume);
	free(target->map);
	free(target->uuid);
	free(target->label);
}
