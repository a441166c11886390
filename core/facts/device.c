/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/device.h"

#include <blkid.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/device_name.h"

/* Beyond any sane stack; ends a loop in a fixture. */
#define DEPTH_LIMIT  16
#define DEVICE_LIMIT 256

char *device_number_text(dev_t number)
{
	return text_format("%u:%u", major(number), minor(number));
}

static char *read_or_null(const struct root *root, const char *folder, const char *name)
{
	memory_cleanup_free char *path = text_format("%s/%s", folder, name);
	struct error err = { "" };
	char *text;

	return root_read_line(root, path, &text, &err) == 0 ? text : NULL;
}

/* ---- Identities -------------------------------------------------------------------------- */

/* One and the same thing as libblkid calls it, and in udev's database. */
static const struct identity {
	size_t member;
	const char *blkid;
	const char *udev;
} identities[] = {
	{ offsetof(struct device_facts, holds), "TYPE", "ID_FS_TYPE" },
	{ offsetof(struct device_facts, uuid), "UUID", "ID_FS_UUID" },
	{ offsetof(struct device_facts, label), "LABEL", "ID_FS_LABEL_ENC" },
	{ offsetof(struct device_facts, partuuid), "PART_ENTRY_UUID", "ID_PART_ENTRY_UUID" },
	{ offsetof(struct device_facts, partlabel), "PART_ENTRY_NAME", "ID_PART_ENTRY_NAME" },
	{ offsetof(struct device_facts, parttype), "PART_ENTRY_TYPE", "ID_PART_ENTRY_TYPE" },
	{ offsetof(struct device_facts, partflags), "PART_ENTRY_FLAGS", "ID_PART_ENTRY_FLAGS" },
};

static struct fact_text *identity_of(struct device_facts *device, const struct identity *identity)
{
	return (struct fact_text *)((char *)device + identity->member);
}

/* libblkid reads the superblock and the partition table itself: no udev needed. */
static bool identify_by_reading(struct device_facts *device, const char *path)
{
	blkid_probe probe = blkid_new_probe_from_filename(path);
	const char *value;
	int found;

	if (!probe)
		return false;
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(
		probe, BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL | BLKID_SUBLKS_TYPE);
	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS);
	found = blkid_do_safeprobe(probe);
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++) {
		struct fact_text *fact = identity_of(device, &identities[i]);

		fact_set_absent(fact_of(fact));
		if (found >= 0 &&
			blkid_probe_lookup_value(probe, identities[i].blkid, &value, NULL) == 0)
			fact_set_text(fact, value);
	}
	if (found == -2)
		fact_set_unknown(fact_of(&device->holds), "%s holds more than one thing", path);
	else if (found < 0)
		fact_set_unknown(fact_of(&device->holds), "cannot read %s", path);
	else if (device->holds.is == FACT_ABSENT &&
		 blkid_probe_lookup_value(probe, "PTTYPE", &value, NULL) == 0)
		fact_set_text(&device->holds, value);
	blkid_free_probe(probe);
	return true;
}

/* The value of E:KEY=value in a file of udev's database. */
static void udev_value(struct fact_text *fact, const char *database, const char *key)
{
	memory_cleanup_free char *wanted = text_format("\nE:%s=", key);
	const char *found = strstr(database, wanted);
	char *value;

	if (!found) {
		fact_set_absent(fact_of(fact));
		return;
	}
	found += strlen(wanted);
	value = text_copy_length(found, strcspn(found, "\n"));
	text_unescape_hex(value);
	fact_take_text(fact, value);
}

static void identify(struct device_facts *device, const struct root *host)
{
	memory_cleanup_free char *path = text_format("/dev/%s", device->name.value);
	memory_cleanup_free char *record = text_format("/run/udev/data/b%s", device->number.value);
	memory_cleanup_free char *database = NULL;
	struct error err = { "" };
	bool known;

	if (host->live && access(path, R_OK) == 0 && identify_by_reading(device, path))
		return;
	known = root_read(host, record, FILE_LIMIT, &database, NULL, &err) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++) {
		struct fact_text *fact = identity_of(device, &identities[i]);

		if (known)
			udev_value(fact, database, identities[i].udev);
		else
			fact_set_unknown(
				fact_of(fact), "cannot read %s, and udev does not know it", path);
	}
}

/* ---- One device ---------------------------------------------------------------------------- */

/* What a device-mapper UUID says of its device: the programs that make one put their name first. */
static const char *kind_of_mapper(const char *uuid)
{
	/* LVM ends the UUID of a part of a logical volume like this (lvm2, lib/activate). */
	static const struct {
		const char *layer;
		const char *kind;
	} layers[] = {
		{ "tpool", KIND_THIN_POOL },
		{ "pool", KIND_THIN_POOL },
		{ "tdata", KIND_THIN_POOL },
		{ "tmeta", KIND_THIN_POOL },
		{ "cow", KIND_SNAPSHOT },
		{ "cpool", KIND_CACHE },
		{ "cdata", KIND_CACHE },
		{ "cmeta", KIND_CACHE },
		{ "cvol", KIND_CACHE },
		{ "vpool", KIND_VDO },
		{ "vdata", KIND_VDO },
	};
	const char *layer;

	if (text_starts(uuid, "CRYPT-"))
		return KIND_CRYPT;
	if (text_starts(uuid, "mpath-"))
		return KIND_MULTIPATH;
	if (text_starts(uuid, "part")) /* part1-mpath-...: kpartx */
		return KIND_PARTITION;
	if (text_starts(uuid, "DMRAID-"))
		return KIND_RAID;
	if (text_starts(uuid, "stratis-"))
		return KIND_THIN_POOL;
	if (text_starts(uuid, "VDO-"))
		return KIND_VDO;
	if (!text_starts(uuid, "LVM-"))
		return KIND_DM;
	layer = strchr(uuid + strlen("LVM-"), '-');
	for (size_t i = 0; layer && i < ARRAY_SIZE(layers); i++)
		if (strcmp(layer + 1, layers[i].layer) == 0)
			return layers[i].kind;
	return KIND_LVM;
}

/* The kernel's drivers name their devices so; a number follows. */
static const char *kind_of_name(const char *name)
{
	static const struct {
		const char *prefix;
		const char *kind;
	} drivers[] = {
		{ "md", KIND_RAID },
		{ "md_d", KIND_RAID },
		{ "loop", KIND_LOOP },
		{ "zram", KIND_ZRAM },
		{ "ram", KIND_RAM },
		{ "zd", KIND_ZVOL },
		{ "bcache", KIND_BCACHE },
		{ "nbd", KIND_NETWORK },
		{ "rbd", KIND_NETWORK },
		{ "drbd", KIND_NETWORK },
		{ "rnbd", KIND_NETWORK },
		{ "etherd!e", KIND_NETWORK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (text_starts(name, drivers[i].prefix) &&
			isdigit((unsigned char)name[strlen(drivers[i].prefix)]))
			return drivers[i].kind;
	return KIND_DISK;
}

/*
 * A disk that iSCSI or NVMe over Fabrics brings: the kernel has an iSCSI session above the disk,
 * and an NVMe controller's transport (nvme-subsystem: of each of its controllers).
 */
static bool is_remote(const struct root *host, const char *folder)
{
	memory_cleanup_free char *device = text_format("%s/device", folder);
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	if (strstr(folder, "/session"))
		return true;
	if (root_list(host, device, &names, &err) < 0)
		return false;
	strings_add(&names, ".");
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *name = text_format("%s/transport", names.items[i]);
		memory_cleanup_free char *transport = NULL;

		if (!text_starts(names.items[i], "nvme") && strcmp(names.items[i], ".") != 0)
			continue;
		transport = read_or_null(host, device, name);
		if (transport && strcmp(transport, "pcie") != 0)
			return true;
	}
	return false;
}

static const char *kind_of(
	const struct root *host, const char *folder, const char *dm_uuid, bool partition)
{
	const char *kind;

	if (partition)
		return KIND_PARTITION;
	if (dm_uuid)
		return kind_of_mapper(dm_uuid);
	kind = kind_of_name(path_name(folder));
	return strcmp(kind, KIND_DISK) == 0 && is_remote(host, folder) ? KIND_NETWORK : kind;
}

/* The models are those that EC2's NVMe controllers report (AWS: "Amazon EBS and NVMe"). */
static const char *medium_of(const char *kind, const char *model)
{
	if (strcmp(kind, KIND_ZRAM) == 0)
		return MEDIUM_ZRAM;
	if (strcmp(kind, KIND_RAM) == 0)
		return MEDIUM_MEMORY;
	if (strcmp(kind, KIND_NETWORK) == 0)
		return MEDIUM_NETWORK;
	if (model && strcmp(model, "Amazon Elastic Block Store") == 0)
		return MEDIUM_EBS;
	if (model && strcmp(model, "Amazon EC2 NVMe Instance Storage") == 0)
		return MEDIUM_INSTANCE_STORE;
	return MEDIUM_OTHER;
}

/*
 * The source of the key of MAPPING, the third field in crypttab(5); the caller frees it. NULL and
 * 0: it is not there.
 */
static char *crypttab_key(
	const struct root *root, const char *mapping, int *status, struct error *err)
{
	memory_cleanup_free char *crypttab = NULL;
	strings_cleanup struct strings lines = { 0 };

	*status = root_read(root, "/etc/crypttab", FILE_LIMIT, &crypttab, NULL, err);
	if (*status == -ENOENT)
		*status = 0;
	strings_split(&lines, crypttab ? crypttab : "", "\n");
	for (size_t i = 0; i < lines.count; i++) {
		strings_cleanup struct strings words = { 0 };

		strings_split(&words, lines.items[i], " \t");
		if (words.count >= 2 && strcmp(words.items[0], mapping) == 0)
			return text_copy(words.count >= 3 ? words.items[2] : "none");
	}
	return NULL;
}

/* LUKS has its key in its header; plain dm-crypt takes whatever it is given at each boot. */
static void gather_key(struct device_facts *device, const struct root *root, const char *dm_uuid)
{
	static const char *const random[] = { "/dev/urandom", "/dev/random", "/dev/hwrng",
		"/dev/hw_random" };
	const char *mapping = fact_text_or(&device->mapper, "");
	memory_cleanup_free char *key = NULL;
	struct error err = { "" };
	int status;

	fact_set_flag(&device->random_key, false);
	if (!fact_text_is(&device->kind, KIND_CRYPT))
		return;
	key = crypttab_key(root, mapping, &status, &err);
	for (size_t i = 0; key && i < ARRAY_SIZE(random); i++)
		if (strcmp(key, random[i]) == 0)
			fact_set_flag(&device->random_key, true);
	if (key || !text_starts(dm_uuid, "CRYPT-PLAIN-"))
		return;
	if (status < 0)
		fact_set_unknown(fact_of(&device->random_key), "%s", err.text);
	else
		fact_set_unknown(fact_of(&device->random_key),
			"/etc/crypttab does not have %s: whether its key stays the same is not known",
			mapping);
}

/* FOLDER is the device's own in /sys. */
static void describe(struct device_facts *device, const struct root *host, const struct root *root,
	const char *folder, const char *number)
{
	memory_cleanup_free char *partition = read_or_null(host, folder, "partition");
	memory_cleanup_free char *dm_uuid = read_or_null(host, folder, "dm/uuid");
	memory_cleanup_free char *dm_name = read_or_null(host, folder, "dm/name");
	memory_cleanup_free char *sectors = read_or_null(host, folder, "size");
	memory_cleanup_free char *model = read_or_null(host, folder, "device/model");
	memory_cleanup_free char *serial = read_or_null(host, folder, "device/serial");
	memory_cleanup_free char *file = read_or_null(host, folder, "loop/backing_file");
	const char *kind = kind_of(host, folder, dm_uuid, partition != NULL);
	uint64_t count;

	fact_set_text(&device->name, path_name(folder));
	fact_set_text(&device->number, number);
	fact_set_text(&device->kind, kind);
	fact_set_text(&device->mapper, dm_name);
	fact_set_text(&device->mapper_uuid, dm_uuid);
	fact_set_text(&device->backing_file, file);
	if (sectors && number_parse(sectors, &count) == 0)
		fact_set_number(&device->size, count * 512); /* always 512, whatever the disk */
	if (!serial)
		text_set(&serial, read_or_null(host, folder, "serial")); /* virtio */
	fact_set_text(&device->model, model);
	fact_set_text(&device->serial, serial);
	fact_set_text(&device->medium, medium_of(kind, model));
	gather_key(device, root, dm_uuid);
	identify(device, host);
}

/* ---- The stack ------------------------------------------------------------------------------ */

/* The folder in /sys of the device with this number, without symbolic links; NULL: none. */
static char *sys_folder(const struct root *host, const char *number)
{
	memory_cleanup_free char *link = text_format("/sys/dev/block/%s", number);
	memory_cleanup_free char *target = root_readlink(host, link);
	const char *rest = target;

	/* ../../devices/pci0000:00/.../block/nvme0n1/nvme0n1p1 */
	while (rest && text_starts(rest, "../"))
		rest += 3;
	return rest ? text_format("/sys/%s", rest) : NULL;
}

/* What a loop device's file lies on; NULL where the file cannot be found. */
static char *number_of_file(const struct root *host, const char *file)
{
	memory_cleanup_free char *shown = root_shown(host, file);
	struct error err = { "" };
	dev_t number;

	return device_of_path(shown, &number, NULL, NULL, &err) == 0 ? device_number_text(number)
								     : NULL;
}

/*
 * The numbers of the devices right below. One that says no number is there with its name: it counts
 * as well.
 */
static void numbers_below(const struct root *host, const char *folder,
	const struct device_facts *device, struct strings *numbers)
{
	memory_cleanup_free char *slaves = text_format("%s/slaves", folder);
	memory_cleanup_free char *partition = read_or_null(host, folder, "partition");
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	if (partition) {
		memory_cleanup_free char *disk = path_folder(folder);
		char *number = read_or_null(host, disk, "dev");

		strings_take(numbers, number ? number : text_copy(path_name(disk)));
		return;
	}
	if (device->backing_file.is == FACT_KNOWN) {
		char *number = number_of_file(host, device->backing_file.value);

		if (number)
			strings_take(numbers, number);
		return;
	}
	if (root_list(host, slaves, &names, &err) < 0)
		strings_add(numbers, "?");
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *slave = text_format("%s/%s", slaves, names.items[i]);
		char *number = read_or_null(host, slave, "dev");

		strings_take(numbers, number ? number : text_copy(names.items[i]));
	}
}

static bool is_listed(const device_list *list, const char *number)
{
	for (size_t i = 0; i < list->count; i++)
		if (fact_text_is(&list->items[i].number, number) ||
			fact_text_is(&list->items[i].name, number))
			return true;
	return false;
}

/* A device that /sys does not describe: whatever it may be, it is part of the stack. */
static void add_stranger(device_list *list, const char *number)
{
	struct device_facts *device = facts_add(list);
	memory_cleanup_free char *why = text_format("/sys/dev/block/%s is not there", number);

	layout_set_unknown(&device_facts_layout, device, why);
	fact_set_text(strchr(number, ':') ? &device->number : &device->name, number);
	fact_set_flag(&device->leaf, true);
}

static void gather_stack(device_list *list, const struct root *host, const struct root *root,
	const char *number, int depth)
{
	memory_cleanup_free char *folder = sys_folder(host, number);
	strings_cleanup struct strings below = { 0 };
	size_t index = list->count;

	if (is_listed(list, number))
		return;
	if (!folder || depth == DEPTH_LIMIT || index == DEVICE_LIMIT) {
		add_stranger(list, number);
		return;
	}
	describe(facts_add(list), host, root, folder, number);
	numbers_below(host, folder, &list->items[index], &below);
	fact_set_flag(&list->items[index].leaf, below.count == 0);
	for (size_t i = 0; i < below.count && list->count <= DEVICE_LIMIT; i++)
		gather_stack(list, host, root, below.items[i], depth + 1);
}

void devices_gather(
	device_list *list, const struct root *host, const struct root *root, dev_t number)
{
	memory_cleanup_free char *text = device_number_text(number);
	memory_cleanup_free char *folder = sys_folder(host, text);

	if (!folder) {
		fact_set_unknown(fact_of(list), "/sys/dev/block/%s is not there", text);
		return;
	}
	gather_stack(list, host, root, text, 0);
	if (root->live)
		device_links_gather(&list->items[0], root);
	else
		fact_set_unknown(fact_of(&list->items[0].links),
			"names below /dev are the machine's that will run %s", root->path);
}

void devices_gather_known(device_list *list, const struct root *host, const struct root *root,
	dev_t number, const device_list *known)
{
	memory_cleanup_free char *text = device_number_text(number);

	if (known->is != FACT_KNOWN || known->count == 0 ||
		!fact_text_is(&known->items[0].number, text)) {
		devices_gather(list, host, root, number);
		return;
	}
	for (size_t i = 0; i < known->count; i++)
		layout_copy(&device_facts_layout, facts_add(list), &known->items[i]);
}

const struct device_facts *devices_next_leaf(
	const device_list *list, const struct device_facts *after)
{
	for (size_t i = after ? (size_t)(after - list->items) + 1 : 0; i < list->count; i++) {
		const struct fact_flag *leaf = &list->items[i].leaf;

		/* Facts that an older version saved have a chain, and nothing about leaves. */
		if (fact_is_true(leaf) || (leaf->is != FACT_KNOWN && i + 1 == list->count))
			return &list->items[i];
	}
	return NULL;
}

void devices_medium(struct fact_text *medium, const device_list *list)
{
	static const char *const worst_first[] = { MEDIUM_INSTANCE_STORE, MEDIUM_MEMORY,
		MEDIUM_NETWORK, MEDIUM_OTHER, MEDIUM_ZRAM, MEDIUM_EBS };

	if (list->is != FACT_KNOWN || list->count == 0) {
		fact_set_unknown(fact_of(medium), "%s",
			list->why ? list->why : "the device below is not known");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(worst_first); i++)
		for (const struct device_facts *leaf = devices_next_leaf(list, NULL); leaf;
			leaf = devices_next_leaf(list, leaf))
			if (fact_text_is(&leaf->medium, worst_first[i])) {
				fact_set_text(medium, worst_first[i]);
				return;
			}
	fact_set_unknown(fact_of(medium), "the disk below is not known");
}

bool devices_random_key(const device_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (fact_is_true(&list->items[i].random_key))
			return true;
	return false;
}

/* ---- From a path to its device --------------------------------------------------------------- */

/*
 * The mount that holds the file RESOLVED, a path without links. libmount stops at the border of a
 * btrfs subvolume, where st_dev changes and nothing is mounted: then the mount is further up.
 */
static struct libmnt_fs *find_mount(struct libmnt_table *table, const char *resolved, char **point)
{
	struct libmnt_fs *filesystem = NULL;

	*point = mnt_get_mountpoint(resolved);
	while (*point && !filesystem) {
		filesystem = mnt_table_find_target(table, *point, MNT_ITER_BACKWARD);
		if (filesystem || strcmp(*point, "/") == 0)
			break;
		text_set(point, path_folder(*point));
	}
	return filesystem;
}

int device_of_path(
	const char *path, dev_t *number, char **type, char **mount_point, struct error *err)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	memory_cleanup_free char *resolved = realpath(path, NULL);
	memory_cleanup_free char *point = NULL;
	struct libmnt_fs *filesystem = NULL;
	struct stat status;
	int result = 0;

	if (table && resolved)
		filesystem = find_mount(table, resolved, &point);
	if (!filesystem) {
		mnt_unref_table(table);
		return error_set(err, ENOENT, "cannot find the file system that holds %s", path);
	}
	*number = mnt_fs_get_devno(filesystem);
	if (major(*number) == 0) {
		/* btrfs and others give an anonymous number: the source is the device. */
		const char *source = mnt_fs_get_srcpath(filesystem);

		if (source && stat(source, &status) == 0 && S_ISBLK(status.st_mode))
			*number = status.st_rdev;
		else
			result = error_set(err, ENODEV, "%s is on %s, which has no block device",
				path, mnt_fs_get_fstype(filesystem));
	}
	if (type)
		*type = text_copy(mnt_fs_get_fstype(filesystem));
	if (mount_point)
		*mount_point = text_copy(point);
	mnt_unref_table(table);
	return result;
}
