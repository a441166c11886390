/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/device.h"

#include <blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/text.h"

/* Deeper than any sane stack of partition, crypt, volume and disk; ends a loop in a fixture. */
#define CHAIN_LIMIT 16

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

/* libblkid reads the superblock and the partition table itself: no udev needed. */
static bool identify_by_reading(struct device_facts *device, const char *path)
{
	blkid_probe probe = blkid_new_probe_from_filename(path);
	const char *value;
	int found;

	if (!probe)
		return false;
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE);
	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS);
	fact_set_absent(fact_of(&device->holds));
	fact_set_absent(fact_of(&device->uuid));
	fact_set_absent(fact_of(&device->partuuid));
	found = blkid_do_safeprobe(probe);
	if (found == -2)
		fact_set_unknown(fact_of(&device->holds), "%s holds more than one thing", path);
	else if (found < 0)
		fact_set_unknown(fact_of(&device->holds), "cannot read %s", path);
	if (found >= 0) {
		if (blkid_probe_lookup_value(probe, "TYPE", &value, NULL) == 0 ||
			blkid_probe_lookup_value(probe, "PTTYPE", &value, NULL) == 0)
			fact_set_text(&device->holds, value);
		if (blkid_probe_lookup_value(probe, "UUID", &value, NULL) == 0)
			fact_set_text(&device->uuid, value);
		if (blkid_probe_lookup_value(probe, "PART_ENTRY_UUID", &value, NULL) == 0)
			fact_set_text(&device->partuuid, value);
	}
	blkid_free_probe(probe);
	return true;
}

/* The value of E:KEY=value in a file of udev's database. */
static void udev_value(struct fact_text *fact, const char *database, const char *key)
{
	memory_cleanup_free char *wanted = text_format("\nE:%s=", key);
	const char *found = strstr(database, wanted);

	if (found) {
		found += strlen(wanted);
		fact_take_text(fact, text_copy_length(found, strcspn(found, "\n")));
	} else {
		fact_set_absent(fact_of(fact));
	}
}

static void identify(struct device_facts *device, const struct root *host)
{
	memory_cleanup_free char *path = text_format("/dev/%s", device->name.value);
	memory_cleanup_free char *record = text_format("/run/udev/data/b%s", device->number.value);
	memory_cleanup_free char *database = NULL;
	struct error err = { "" };

	if (host->live && access(path, R_OK) == 0 && identify_by_reading(device, path))
		return;
	if (root_read(host, record, FILE_LIMIT, &database, NULL, &err) == 0) {
		udev_value(&device->holds, database, "ID_FS_TYPE");
		udev_value(&device->uuid, database, "ID_FS_UUID");
		udev_value(&device->partuuid, database, "ID_PART_ENTRY_UUID");
		return;
	}
	fact_set_unknown(
		fact_of(&device->holds), "cannot read %s, and udev does not know it", path);
	fact_set_unknown(fact_of(&device->uuid), "cannot read %s, and udev does not know it", path);
	fact_set_unknown(
		fact_of(&device->partuuid), "cannot read %s, and udev does not know it", path);
}

/* ---- One device ---------------------------------------------------------------------------- */

static const char *kind_of(const char *name, const char *dm_uuid, bool partition)
{
	if (partition)
		return "partition";
	if (dm_uuid && text_starts(dm_uuid, "LVM-"))
		return "lvm";
	if (dm_uuid && text_starts(dm_uuid, "CRYPT-"))
		return "crypt";
	if (dm_uuid)
		return "dm";
	if (text_starts(name, "md"))
		return "raid";
	if (text_starts(name, "loop"))
		return "loop";
	if (text_starts(name, "zram"))
		return "zram";
	return "disk";
}

/* The models are those that EC2's NVMe controllers report (AWS: "Amazon EBS and NVMe"). */
static const char *medium_of(const char *kind, const char *model)
{
	if (strcmp(kind, "zram") == 0)
		return MEDIUM_ZRAM;
	if (model && strcmp(model, "Amazon Elastic Block Store") == 0)
		return MEDIUM_EBS;
	if (model && strcmp(model, "Amazon EC2 NVMe Instance Storage") == 0)
		return MEDIUM_INSTANCE_STORE;
	return MEDIUM_OTHER;
}

/* crypttab(5): the third field of the mapping is a source of random bytes. */
static bool has_random_key(const struct root *root, const char *mapping)
{
	memory_cleanup_free char *crypttab = NULL;
	strings_cleanup struct strings lines = { 0 };
	struct error err = { "" };

	if (root_read(root, "/etc/crypttab", FILE_LIMIT, &crypttab, NULL, &err) < 0)
		return false;
	strings_split(&lines, crypttab, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		strings_cleanup struct strings words = { 0 };

		strings_split(&words, lines.items[i], " \t");
		if (words.count >= 3 && strcmp(words.items[0], mapping) == 0)
			return strcmp(words.items[2], "/dev/urandom") == 0 ||
			       strcmp(words.items[2], "/dev/random") == 0;
	}
	return false;
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
	const char *kind = kind_of(path_name(folder), dm_uuid, partition != NULL);
	uint64_t count;

	fact_set_text(&device->name, path_name(folder));
	fact_set_text(&device->number, number);
	fact_set_text(&device->kind, kind);
	if (sectors && number_parse(sectors, &count) == 0)
		fact_set_number(&device->size, count * 512); /* always 512, whatever the disk */
	if (!serial)
		text_set(&serial, read_or_null(host, folder, "serial")); /* virtio */
	fact_set_text(&device->model, model);
	fact_set_text(&device->serial, serial);
	fact_set_text(&device->medium, medium_of(kind, model));
	fact_set_flag(&device->random_key,
		strcmp(kind, "crypt") == 0 && dm_name && has_random_key(root, dm_name));
	identify(device, host);
}

/* ---- The chain ------------------------------------------------------------------------------ */

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

/* The number of the device below; NULL at the disk. */
static char *number_below(const struct root *host, const char *folder)
{
	memory_cleanup_free char *partition = read_or_null(host, folder, "partition");
	memory_cleanup_free char *slaves = text_format("%s/slaves", folder);
	memory_cleanup_free char *parent = path_folder(folder);
	memory_cleanup_free char *slave = NULL;
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	if (partition)
		return read_or_null(host, parent, "dev");
	if (root_list(host, slaves, &names, &err) < 0 || names.count == 0)
		return NULL;
	slave = text_format("%s/%s", slaves, names.items[0]);
	return read_or_null(host, slave, "dev");
}

void devices_gather(
	device_list *list, const struct root *host, const struct root *root, dev_t number)
{
	memory_cleanup_free char *next = device_number_text(number);

	for (int depth = 0; next && depth < CHAIN_LIMIT; depth++) {
		memory_cleanup_free char *folder = sys_folder(host, next);

		if (!folder) {
			if (depth == 0)
				fact_set_unknown(
					fact_of(list), "/sys/dev/block/%s is not there", next);
			return;
		}
		describe(facts_add(list), host, root, folder, next);
		text_set(&next, number_below(host, folder));
	}
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

void devices_medium(struct fact_text *medium, const device_list *list)
{
	if (list->is == FACT_KNOWN && list->count)
		fact_set_text(medium, list->items[list->count - 1].medium.value);
	else
		fact_set_unknown(fact_of(medium), "%s",
			list->why ? list->why : "the device below is not known");
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
