/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/area.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/device.h"
#include "core/facts/extents.h"
#include "core/facts/header.h"
#include "core/facts/subvolume.h"

void area_record_gather(
	struct area_facts *area, const struct root *root, const struct config *config)
{
	memory_cleanup_free char *record =
		text_format("%s/%s", config->state_dir, AREA_RECORD_NAME);
	struct error err = { "" };

	if (root_check_own(root, record, &err) < 0) {
		fact_set_unknown(fact_of(&area->remembered), "%s", err.text);
		return;
	}
	fact_read_text(&area->remembered, root, record);
	if (area->remembered.is == FACT_KNOWN && *area->remembered.value != '/')
		fact_set_unknown(
			fact_of(&area->remembered), "%s%s has no path", root->path, record);
}

/* BASE and VALUE as one path when that leads to DEVICE, as udev or LVM has made it; else NULL. */
static char *link_of(
	const struct device_facts *device, const char *base, const struct fact_text *value)
{
	memory_cleanup_free char *path = NULL;
	strings_cleanup struct strings links = { 0 };

	if (value->is != FACT_KNOWN)
		return NULL;
	path = text_format("%s%s", base, value->value);
	strings_split(&links, fact_text_or(&device->links, ""), " ");
	return strings_contain(&links, path) ? text_copy(path) : NULL;
}

char *area_stable_name(const struct area_facts *area)
{
	const struct device_facts *device = area->devices.items;
	char *name;

	if (!fact_text_is(&area->kind, "device") || area->devices.count == 0)
		return text_copy(area->path.value);
	if (device->partuuid.is == FACT_KNOWN)
		return text_format("/dev/disk/by-partuuid/%s", device->partuuid.value);
	name = link_of(device, "/dev/mapper/", &device->mapper);
	if (!name)
		name = link_of(device, "/dev/disk/by-uuid/", &area->header_uuid);
	return name ? name : text_copy(area->path.value);
}

static bool is_same_file(const struct root *root, const char *a, const char *b)
{
	struct stat first, second;

	return root_stat(root, a, &first) == 0 && root_stat(root, b, &second) == 0 &&
	       first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

enum name_match area_name_match(
	const struct area_facts *area, const struct root *root, const char *name)
{
	memory_cleanup_free char *path = device_name_path(name);
	memory_cleanup_free char *own = device_name_path(area->path.value);
	memory_cleanup_free char *unit = swap_unit_name(path), *own_unit = swap_unit_name(own);
	struct device_facts device;

	/* Also with a slash too many: systemd takes them off. */
	if (strcmp(unit, own_unit) == 0)
		return NAME_MATCHES;
	if (!fact_text_is(&area->kind, "device"))
		return is_same_file(root, path, own) ? NAME_MATCHES : NAME_DIFFERS;
	if (area->devices.count == 0)
		return NAME_UNKNOWN;
	device = area->devices.items[0];
	if (device.uuid.is != FACT_KNOWN)
		device.uuid = area->header_uuid;
	if (device.label.is != FACT_KNOWN)
		device.label = area->header_label;
	return device_name_match(name, &device);
}

char *area_remembered_path(const struct config *config, const struct root *root)
{
	struct area_facts area = { 0 };
	char *path = NULL;

	area_record_gather(&area, root, config);
	if (area.remembered.is == FACT_KNOWN) {
		path = area.remembered.value;
		area.remembered.value = NULL;
	}
	free(area.remembered.value);
	free(area.remembered.why);
	return path;
}

void area_gather_header(struct area_facts *area, const struct root *root, const char *path)
{
	memory_cleanup_free char *parent = path_folder(path);
	struct error err = { "" };
	file_cleanup_close int folder = root_openat(root, parent, O_RDONLY | O_DIRECTORY, 0, &err);
	struct swap_header header;

	if (folder < 0 || header_read(&header, folder, path_name(path), 0, &err) < 0) {
		fact_set_unknown(fact_of(&area->signature), "%s", err.text);
		fact_set_unknown(fact_of(&area->header_page_size), "%s", err.text);
		fact_set_unknown(fact_of(&area->header_size), "%s", err.text);
		fact_set_unknown(fact_of(&area->header_uuid), "%s", err.text);
		fact_set_unknown(fact_of(&area->header_label), "%s", err.text);
		return;
	}
	fact_set_text(&area->signature, header.signature);
	fact_set_absent(fact_of(&area->header_page_size));
	fact_set_absent(fact_of(&area->header_size));
	if (header.page_size) {
		fact_set_number(&area->header_page_size, header.page_size);
		fact_set_number(&area->header_size, header.size);
	}
	fact_set_text(&area->header_uuid, *header.uuid ? header.uuid : NULL);
	fact_set_text(&area->header_label, *header.label ? header.label : NULL);
}

static void extents_unknown(struct area_facts *area, const char *why)
{
	fact_set_unknown(fact_of(&area->extents), "%s", why);
	fact_set_unknown(fact_of(&area->holes), "%s", why);
	fact_set_unknown(fact_of(&area->shared), "%s", why);
	fact_set_unknown(fact_of(&area->compressed), "%s", why);
	fact_set_unknown(fact_of(&area->copy_on_write), "%s", why);
	fact_set_unknown(fact_of(&area->resume_offset), "%s", why);
}

/* The file's place on its device, its attributes and its label. */
static void gather_extents(struct area_facts *area, const struct root *root)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct extents_summary summary = { 0 };
	struct error err = { "" };
	file_cleanup_close int fd =
		root_openat(root, area->path.value, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &err);
	unsigned attributes = 0;

	if (fd < 0 || extents_map(&area->extents, &summary, fd, area->size.value, &err) < 0) {
		extents_unknown(area, err.text);
		return;
	}
	fact_set_number(&area->holes, summary.holes);
	fact_set_flag(&area->shared, summary.shared);
	fact_set_flag(&area->compressed, summary.compressed);
	/* Only btrfs copies on write by default; elsewhere a file is written where it is. */
	if (!fact_text_is(&area->filesystem, "btrfs"))
		fact_set_flag(&area->copy_on_write, false);
	else if (ioctl(fd, FS_IOC_GETFLAGS, &attributes) == 0)
		fact_set_flag(&area->copy_on_write, !(attributes & FS_NOCOW_FL));
	extents_resume_offset(&area->resume_offset, &area->extents, page);
}

static void count_btrfs_devices(struct area_facts *area, const struct root *root, const char *path)
{
	struct btrfs_ioctl_fs_info_args info = { 0 };
	struct error err = { "" };
	file_cleanup_close int fd = root_openat(root, path, O_RDONLY | O_NONBLOCK, 0, &err);

	if (fd >= 0 && ioctl(fd, BTRFS_IOC_FS_INFO, &info) == 0)
		fact_set_number(&area->filesystem_devices, info.num_devices);
	else if (fd >= 0)
		fact_set_unknown(fact_of(&area->filesystem_devices),
			"cannot ask the btrfs of %s%s for its devices: %s", root->path, path,
			strerror(errno));
	else
		fact_set_unknown(fact_of(&area->filesystem_devices), "%s", err.text);
}

static void gather_filesystem(struct area_facts *area, const struct root *root,
	const struct root *host, const device_list *root_devices, const char *path)
{
	memory_cleanup_free char *existing = text_copy(path);
	memory_cleanup_free char *link = NULL, *type = NULL, *point = NULL;
	file_cleanup_close int fd = -1;
	struct error err = { "" };
	struct statvfs space;
	dev_t number;
	int status;

	/* A file that is not there yet will lie where its folder lies. */
	while (!root_exists(root, existing) && strcmp(existing, "/") != 0)
		text_set(&existing, path_folder(existing));
	/* By a descriptor: an absolute link of an image would lead to a file of the host. */
	fd = root_openat(root, existing, O_PATH, 0, &err);
	link = file_path(fd);
	status = fd < 0 ? fd : device_of_path(link, &number, &type, &point, &err);
	if (type)
		fact_set_text(&area->filesystem, type);
	if (point)
		fact_set_text(&area->mount_point, point);
	fact_set_absent(fact_of(&area->filesystem_devices));
	if (type && strcmp(type, "btrfs") == 0)
		count_btrfs_devices(area, root, existing);
	if (fd >= 0 && fstatvfs(fd, &space) == 0) {
		fact_set_flag(&area->filesystem_read_only, space.f_flag & ST_RDONLY);
		fact_set_number(&area->filesystem_size, (uint64_t)space.f_blocks * space.f_frsize);
		fact_set_number(&area->filesystem_free, (uint64_t)space.f_bavail * space.f_frsize);
		fact_set_number(&area->filesystem_reserved,
			(uint64_t)(space.f_bfree - space.f_bavail) * space.f_frsize);
	}
	if (status == -ENODEV) {
		fact_set_absent(fact_of(&area->devices));
		fact_set_absent(fact_of(&area->resume_device));
		return;
	}
	if (status < 0) {
		fact_set_unknown(fact_of(&area->devices),
			"cannot find the file system that holds %s%s", root->path, existing);
		fact_set_unknown(fact_of(&area->resume_device), "%s", area->devices.why);
		return;
	}
	devices_gather_known(&area->devices, host, root, number, root_devices);
	fact_take_text(&area->resume_device, device_number_text(number));
}

static void gather_label(struct area_facts *area, const struct root *root)
{
	struct error err = { "" };
	file_cleanup_close int fd = root_openat(root, area->path.value, O_PATH, 0, &err);
	memory_cleanup_free char *link = file_path(fd);
	char label[256];
	ssize_t length;

	if (fd < 0) {
		fact_set_unknown(fact_of(&area->selinux_label), "%s", err.text);
		return;
	}
	length = getxattr(link, "security.selinux", label, sizeof(label) - 1);
	if (length >= 0) {
		label[length] = '\0';
		fact_set_text(&area->selinux_label, label);
	} else if (errno == ENODATA || errno == ENOTSUP) {
		fact_set_absent(fact_of(&area->selinux_label));
	} else {
		fact_set_unknown(fact_of(&area->selinux_label), "cannot read the label of %s%s: %s",
			root->path, area->path.value, strerror(errno));
	}
}

/* What setup was making when it was killed: it is in nobody's way but takes room. */
static void gather_unfinished(struct area_facts *area, const struct root *root, const char *path)
{
	static const char *const suffixes[] = { AREA_UNFINISHED, AREA_UNFINISHED_SECOND };
	memory_cleanup_free char *folder = NULL;
	uint64_t bytes = 0;
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		memory_cleanup_free char *name = text_format("%s%s", path, suffixes[i]);
		struct stat status;

		if (root_lstat(root, name, &status) < 0)
			continue;
		found = true;
		bytes += (uint64_t)status.st_blocks * 512; /* always 512: stat(2) */
	}
	folder = path_folder(path);
	text_append(&folder, SUBVOLUME_UNFINISHED);
	found |= strcmp(folder, "/" SUBVOLUME_UNFINISHED) != 0 && root_exists(root, folder);
	if (found)
		fact_set_number(&area->unfinished, bytes);
	else
		fact_set_absent(fact_of(&area->unfinished));
}

static void gather_device(
	struct area_facts *area, const struct root *root, const struct root *host, dev_t number)
{
	fact_set_text(&area->kind, "device");
	devices_gather(&area->devices, host, root, number);
	fact_take_text(&area->resume_device, device_number_text(number));
	if (area->devices.count && area->devices.items[0].size.is == FACT_KNOWN)
		fact_set_number(&area->size, area->devices.items[0].size.value);
	fact_set_number(&area->resume_offset, 0);
	fact_set_number(&area->holes, 0);
	fact_set_flag(&area->shared, false);
	fact_set_flag(&area->copy_on_write, false);
	fact_set_flag(&area->compressed, false);
	fact_set_absent(fact_of(&area->extents));
	fact_set_absent(fact_of(&area->selinux_label));
	fact_set_absent(fact_of(&area->folder));
	fact_set_absent(fact_of(&area->folder_ours));
	fact_set_absent(fact_of(&area->subvolume));
	fact_set_absent(fact_of(&area->subvolume_shared));
	fact_set_absent(fact_of(&area->snapshots));
	fact_set_absent(fact_of(&area->filesystem));
	fact_set_absent(fact_of(&area->mount_point));
	fact_set_absent(fact_of(&area->filesystem_devices));
	fact_set_absent(fact_of(&area->filesystem_read_only));
	fact_set_absent(fact_of(&area->filesystem_size));
	fact_set_absent(fact_of(&area->filesystem_free));
	fact_set_absent(fact_of(&area->filesystem_reserved));
}

/* There is no such file: what would be there is absent, where it would lie is known. */
static void gather_missing(struct area_facts *area)
{
	fact_set_absent(fact_of(&area->kind));
	fact_set_absent(fact_of(&area->size));
	fact_set_absent(fact_of(&area->mode));
	fact_set_absent(fact_of(&area->owner));
	fact_set_absent(fact_of(&area->selinux_label));
	fact_set_absent(fact_of(&area->extents));
	fact_set_absent(fact_of(&area->holes));
	fact_set_absent(fact_of(&area->shared));
	fact_set_absent(fact_of(&area->copy_on_write));
	fact_set_absent(fact_of(&area->compressed));
	fact_set_absent(fact_of(&area->signature));
	fact_set_absent(fact_of(&area->header_page_size));
	fact_set_absent(fact_of(&area->header_size));
	fact_set_absent(fact_of(&area->header_uuid));
	fact_set_absent(fact_of(&area->header_label));
	fact_set_absent(fact_of(&area->resume_offset));
}

void area_gather(struct area_facts *area, const struct root *root, const struct root *host,
	const device_list *root_devices, const char *path)
{
	memory_cleanup_free char *folder = NULL;
	struct error err = { "" };
	struct stat status;
	int found = root_lstat(root, path, &status);

	fact_set_text(&area->path, path);
	gather_unfinished(area, root, path);
	fact_set_absent(fact_of(&area->untrusted_folder));
	/* A folder that is not there yet will be made, by root and below the one that is there. */
	folder = path_folder(path);
	if (root_check_trusted(root, root_exists(root, folder) ? path : folder, &err) < 0)
		fact_set_text(&area->untrusted_folder, err.text);
	/* Programs of LVM and friends make their devices symbolic links: /dev/vg/swap. */
	if (found == 0 && S_ISLNK(status.st_mode) && text_starts(path, "/dev/"))
		found = root_stat(root, path, &status);
	if (found == 0) {
		fact_set_number(&area->mode, status.st_mode & 07777);
		fact_set_number(&area->owner, status.st_uid);
	}
	if (found == 0 && S_ISBLK(status.st_mode)) {
		memory_cleanup_free char *device = NULL;

		gather_device(area, root, host, status.st_rdev);
		/* Not by a link's name: the header is read without following links. */
		if (area->devices.count)
			device = text_format("/dev/%s", area->devices.items[0].name.value);
		area_gather_header(area, root, device ? device : path);
		return;
	}
	gather_filesystem(area, root, host, root_devices, path);
	subvolume_gather(area, root, path);
	if (found == -ENOENT) {
		gather_missing(area);
	} else if (found < 0) {
		fact_set_unknown(
			fact_of(&area->kind), "cannot look at %s: %s", path, strerror(-found));
	} else if (S_ISREG(status.st_mode)) {
		fact_set_text(&area->kind, "file");
		fact_set_number(&area->size, (uint64_t)status.st_size);
		gather_label(area, root);
		gather_extents(area, root);
		area_gather_header(area, root, path);
	} else {
		fact_set_text(&area->kind, S_ISLNK(status.st_mode) ? "link" : "other");
	}
}

/* See area_complete(). */
static void name_resume_device(struct facts *facts)
{
	struct area_facts *area = &facts->area;
	const struct entry_facts *next = facts_next_entry(facts);
	const struct fact_text *force = &facts->boot.force_partuuid;
	const struct device_facts *device;
	bool bare_kernel = next && next->initramfs.is == FACT_ABSENT;

	/*
	 * Ubuntu has an initramfs and skips it; setup makes it boot with it where that is needed.
	 */
	if (force->is == FACT_KNOWN && *force->value)
		bare_kernel = false;

	if (area->devices.is == FACT_ABSENT) {
		fact_set_unknown(fact_of(&area->resume_argument),
			"%s is on %s, which has no block device", area->path.value,
			fact_text_or(&area->filesystem, "a file system"));
		return;
	}
	if (area->devices.is != FACT_KNOWN || area->devices.count == 0) {
		fact_set_unknown(fact_of(&area->resume_argument), "%s",
			area->devices.why ? area->devices.why : "the device is not known");
		return;
	}
	device = &area->devices.items[0];
	if (device->partuuid.is == FACT_KNOWN)
		fact_take_text(
			&area->resume_argument, text_format("PARTUUID=%s", device->partuuid.value));
	else if (device->uuid.is == FACT_KNOWN && !bare_kernel)
		fact_take_text(&area->resume_argument, text_format("UUID=%s", device->uuid.value));
	else if (device->uuid.is == FACT_UNKNOWN && !bare_kernel)
		fact_set_unknown(fact_of(&area->resume_argument), "%s", device->uuid.why);
	else
		fact_take_text(&area->resume_argument, text_format("/dev/%s", device->name.value));
}

/* The same file or device, whatever name /proc/swaps has for it. */
static bool same_area(const struct swap_facts *swap, const struct area_facts *area)
{
	if (text_equal(swap->path.value, area->path.value))
		return true;
	return fact_text_is(&area->kind, "device") && fact_text_is(&swap->type, "partition") &&
	       area->devices.count && swap->device.is == FACT_KNOWN &&
	       text_equal(swap->device.value, area->devices.items[0].name.value);
}

void area_complete(struct facts *facts)
{
	struct area_facts *area = &facts->area;

	if (facts->swaps.is == FACT_KNOWN) {
		fact_set_flag(&area->active, false);
		fact_set_number(&area->used, 0);
	} else {
		fact_set_unknown(fact_of(&area->active), "%s",
			facts->swaps.why ? facts->swaps.why : "the active swaps are not known");
	}
	for (size_t i = 0; i < facts->swaps.count; i++) {
		struct swap_facts *swap = &facts->swaps.items[i];

		fact_set_flag(&swap->is_area, same_area(swap, area));
		if (!swap->is_area.value)
			continue;
		fact_set_flag(&area->active, true);
		fact_set_number(&area->used, swap->used.value);
	}
	name_resume_device(facts);
}

void root_gather(struct root_facts *facts, const struct root *root, const struct root *host)
{
	memory_cleanup_free char *type = NULL;
	struct error err = { "" };
	dev_t number;
	int status = device_of_path(root->live ? "/" : root->path, &number, &type, NULL, &err);

	if (type)
		fact_set_text(&facts->filesystem, type);
	if (status == 0)
		devices_gather(&facts->devices, host, root, number);
	else
		fact_set_unknown(fact_of(&facts->devices), "%s", err.text);
	devices_medium(&facts->medium, &facts->devices);
	if (status == -ENODEV)
		fact_set_absent(fact_of(&facts->devices));
}
