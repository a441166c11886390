/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/boot_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/device.h"

/* What is mounted below these is modules of GRUB or the like, which nobody edits. */
static bool is_boot_folder(const char *folder)
{
	static const char *const whole[] = { "/boot", "/efi", "/esp", "/boot/efi", "/boot/EFI",
		"/boot/esp", "/boot/firmware", "/boot/grub", "/boot/grub2", "/boot/loader" };

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		if (strcmp(folder, whole[i]) == 0)
			return true;
	return false;
}

/* FOLDER is or has PATH in it. */
static bool contains(const char *folder, const char *path)
{
	size_t length = strlen(folder);

	return strncmp(folder, path, length) == 0 && (!path[length] || path[length] == '/');
}

static struct boot_mount *find(struct boot_mounts *mounts, const char *folder)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (strcmp(mounts->items[i].folder, folder) == 0)
			return &mounts->items[i];
	return NULL;
}

/* The row of FOLDER, a new one if it is a folder of booting; NULL: it is none. */
static struct boot_mount *row_of(struct boot_mounts *mounts, const char *folder)
{
	memory_cleanup_free char *name = text_copy(folder);
	struct boot_mount *row;
	size_t length = strlen(name);

	while (length > 1 && name[length - 1] == '/')
		name[--length] = '\0';
	row = find(mounts, name);
	if (row || !is_boot_folder(name))
		return row;
	mounts->items = memory_grow(mounts->items, mounts->count, sizeof(*mounts->items));
	row = &mounts->items[mounts->count++];
	*row = (struct boot_mount) { .folder = text_copy(name) };
	return row;
}

/* ---- Who wants what ---- */

/* fstab(5): the second field. With noauto, too: what is there without it is not what boots. */
static void read_fstab(struct boot_mounts *mounts, const struct root *root)
{
	memory_cleanup_free char *text = NULL;
	strings_cleanup struct strings lines = { 0 };
	struct error ignored = { "" };

	if (root_read(root, "/etc/fstab", FILE_LIMIT, &text, NULL, &ignored) < 0)
		return;
	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		strings_cleanup struct strings fields = { 0 };
		struct boot_mount *row;

		strings_split(&fields, lines.items[i], " \t\r");
		if (fields.count < 3 || *fields.items[0] == '#')
			continue;
		row = row_of(mounts, fields.items[1]);
		if (row)
			row->who = "/etc/fstab";
	}
}

/* A mount unit's name is its folder (systemd.mount(5)). A link to /dev/null masks it. */
static void read_units(struct boot_mounts *mounts, const struct root *root)
{
	static const char *const units[][2] = { { "/boot", "boot.mount" },
		{ "/boot/efi", "boot-efi.mount" }, { "/efi", "efi.mount" }, { "/esp", "esp.mount" },
		{ "/boot/EFI", "boot-EFI.mount" } };
	static const char *const folders[] = { "/etc/systemd/system", "/run/systemd/system",
		"/usr/local/lib/systemd/system", "/usr/lib/systemd/system" };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		for (size_t j = 0; j < ARRAY_SIZE(folders); j++) {
			memory_cleanup_free char *path =
				text_format("%s/%s", folders[j], units[i][1]);
			memory_cleanup_free char *target = NULL;
			struct stat status;

			if (root_lstat(root, path, &status) < 0)
				continue;
			target = root_readlink(root, path);
			if (!text_equal(target, "/dev/null") && !row_of(mounts, units[i][0])->who)
				row_of(mounts, units[i][0])->who = "its mount unit";
			break;
		}
}

/* ---- What is mounted ---- */

/* An automount mounts when somebody looks into its folder (autofs(5)). */
static void touch(const struct root *root, const char *folder)
{
	struct error ignored = { "" };
	memory_cleanup_free char *below = text_format("%s/.", folder);
	file_cleanup_close int fd = root_openat(root, below, O_RDONLY | O_DIRECTORY, 0, &ignored);

	(void)fd;
}

static char *partition_of(const struct root *root, struct libmnt_fs *filesystem)
{
	device_list devices = { 0 };
	char *partition = NULL;

	if (mnt_fs_is_pseudofs(filesystem))
		return NULL;
	devices_gather(&devices, root, root, mnt_fs_get_devno(filesystem));
	if (devices.count && devices.items[0].partuuid.is == FACT_KNOWN)
		partition = text_copy(devices.items[0].partuuid.value);
	fact_list_free(&device_facts_layout, &devices);
	return partition;
}

/* The mount that is seen, of several over one another, comes last. False: none but automounts. */
static bool read_mount(struct boot_mount *row, const struct root *root, struct libmnt_table *table)
{
	struct libmnt_fs *filesystem = mnt_table_find_target(table, row->folder, MNT_ITER_BACKWARD);
	const char *type = filesystem ? mnt_fs_get_fstype(filesystem) : NULL;

	if (!type)
		return false;
	row->mounted = strcmp(type, "autofs") != 0;
	if (row->mounted)
		text_set(&row->partition, partition_of(root, filesystem));
	return row->mounted;
}

static struct libmnt_table *read_table(const struct root *root)
{
	memory_cleanup_free char *text = NULL;
	struct error ignored = { "" };

	if (root_read(root, "/proc/self/mountinfo", FILE_LIMIT, &text, NULL, &ignored) < 0)
		return NULL;
	return mnt_new_table_from_file("/proc/self/mountinfo");
}

static void look_at_mounts(struct boot_mounts *mounts, const struct root *root)
{
	static const char *const folders[] = { "/boot", "/boot/efi", "/efi", "/esp" };
	struct libmnt_table *table;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		row_of(mounts, folders[i]);
	for (size_t i = 0; i < mounts->count; i++)
		touch(root, mounts->items[i].folder);
	table = read_table(root);
	for (size_t i = 0; table && i < mounts->count; i++)
		read_mount(&mounts->items[i], root, table);
	/* Without a mount table nobody can tell. */
	for (size_t i = 0; !table && i < mounts->count; i++)
		mounts->items[i].doubtful = mounts->items[i].who != NULL;
	mnt_unref_table(table);
}

/* Any file in FOLDER, or below it as far as a mount point's own folders go. */
static bool has_file(const struct root *root, const char *folder, int depth)
{
	strings_cleanup struct strings names = { 0 };
	struct error ignored = { "" };

	root_list(root, folder, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);
		struct stat status;

		if (root_lstat(root, path, &status) < 0)
			continue;
		if (!S_ISDIR(status.st_mode) || (depth > 0 && has_file(root, path, depth - 1)))
			return true;
	}
	return false;
}

/* In an image: what is mounted there has another device number than the root. */
static void look_at_image(struct boot_mounts *mounts, const struct root *root)
{
	static const char *const folders[] = { "/boot", "/boot/efi", "/efi", "/esp" };
	struct stat top, status;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		row_of(mounts, folders[i]);
	if (root_stat(root, "/", &top) < 0)
		return;
	for (size_t i = 0; i < mounts->count; i++) {
		struct boot_mount *row = &mounts->items[i];

		if (root_stat(root, row->folder, &status) == 0)
			row->mounted = status.st_dev != top.st_dev;
		row->doubtful = row->who && !row->mounted && has_file(root, row->folder, 2);
	}
}

void boot_mounts_gather(struct boot_mounts *mounts, const struct root *root)
{
	*mounts = (struct boot_mounts) { 0 };
	read_fstab(mounts, root);
	read_units(mounts, root);
	if (root->live)
		look_at_mounts(mounts, root);
	else
		look_at_image(mounts, root);
}

void boot_mounts_free(struct boot_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->items[i].folder);
		free(mounts->items[i].partition);
	}
	free(mounts->items);
	*mounts = (struct boot_mounts) { 0 };
}

const struct boot_mount *boot_mounts_missing(const struct boot_mounts *mounts, const char *path)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct boot_mount *row = &mounts->items[i];

		if (row->who && !row->mounted && !row->doubtful && contains(row->folder, path))
			return row;
	}
	return NULL;
}

const struct boot_mount *boot_mounts_of(const struct boot_mounts *mounts, const char *path)
{
	const struct boot_mount *best = NULL;

	for (size_t i = 0; i < mounts->count; i++) {
		const struct boot_mount *row = &mounts->items[i];

		if (row->mounted && contains(row->folder, path) &&
			(!best || strlen(row->folder) > strlen(best->folder)))
			best = row;
	}
	return best;
}
