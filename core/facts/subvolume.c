/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/subvolume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* The top folder of every subvolume has this number (btrfs on-disk format, first free object). */
#define TOP_INODE 256

static bool is_btrfs(int fd)
{
	struct statfs system;

	return fstatfs(fd, &system) == 0 && system.f_type == BTRFS_SUPER_MAGIC;
}

/* PATH is the top of a subvolume; *FD is open on it, -1 where it cannot be opened. */
static bool is_top(const struct root *root, const char *path, int *fd)
{
	struct error ignored = { "" };
	struct stat status;

	*fd = root_openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &ignored);
	return *fd >= 0 && fstat(*fd, &status) == 0 && status.st_ino == TOP_INODE && is_btrfs(*fd);
}

/* Anything but the file and what setup may have left beside it. */
static bool holds_more(const struct root *root, const char *top, const char *path)
{
	strings_cleanup struct strings names = { 0 };
	struct error ignored = { "" };

	root_list(root, top, &names, &ignored);
	for (size_t i = 0; i < names.count; i++)
		if (!text_starts(names.items[i], path_name(path)))
			return true;
	return false;
}

/* ---- Who takes snapshots --------------------------------------------------------------------- */

/* A snapper configuration (snapper-configs(5)) names its subvolume: SUBVOLUME="/". */
static bool snapper_has(const struct root *root, const char *top)
{
	static const char folder[] = "/etc/snapper/configs";
	strings_cleanup struct strings names = { 0 };
	struct error ignored = { "" };

	root_list(root, folder, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);
		memory_cleanup_free char *text = NULL, *subvolume = NULL;

		if (root_read(root, path, FILE_LIMIT, &text, NULL, &ignored) < 0)
			continue;
		subvolume = text_assignment(text, "SUBVOLUME");
		if (text_equal(subvolume, top))
			return true;
	}
	return false;
}

static bool any_exists(const struct root *root, const char *const *paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (root_exists(root, paths[i]))
			return true;
	return false;
}

/* Their configurations; timeshift and the package managers' hooks take the root subvolume alone. */
static void gather_snapshots(struct fact_text *who, const struct root *root, const char *top)
{
	static const char *const timeshift[] = { "/etc/timeshift/timeshift.json",
		"/etc/timeshift.json" };
	static const char *const btrbk[] = { "/etc/btrbk/btrbk.conf", "/etc/btrbk.conf" };
	memory_cleanup_free char *folder =
		text_format("%s/.snapshots", strcmp(top, "/") == 0 ? "" : top);
	strings_cleanup struct strings names = { 0 };
	memory_cleanup_free char *all = NULL;

	if (snapper_has(root, top))
		strings_add(&names, "snapper");
	if (strcmp(top, "/") == 0 && any_exists(root, timeshift, ARRAY_SIZE(timeshift)))
		strings_add(&names, "timeshift");
	if (any_exists(root, btrbk, ARRAY_SIZE(btrbk)))
		strings_add(&names, "btrbk");
	if (names.count == 0 && root_exists(root, folder))
		strings_add(&names, "somebody (there are .snapshots)");
	all = strings_join(&names, ", ");
	fact_set_text(who, names.count ? all : NULL);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void gather_folder(struct area_facts *area, const struct root *root, const char *folder)
{
	struct stat status;
	int fd, found = root_stat(root, folder, &status);
	bool top;

	fact_set_absent(fact_of(&area->folder_ours));
	if (found < 0 && found != -ENOENT) {
		fact_set_unknown(
			fact_of(&area->folder), "cannot look at %s: %s", folder, strerror(-found));
		return;
	}
	if (found < 0) {
		fact_set_absent(fact_of(&area->folder));
		return;
	}
	top = is_top(root, folder, &fd);
	fact_set_text(&area->folder, top ? FOLDER_SUBVOLUME : FOLDER_PLAIN);
	if (top)
		fact_set_flag(&area->folder_ours, fgetxattr(fd, SUBVOLUME_MARK, NULL, 0) >= 0);
	if (fd >= 0)
		close(fd);
}

void subvolume_gather(struct area_facts *area, const struct root *root, const char *path)
{
	memory_cleanup_free char *top = path_folder(path);
	memory_cleanup_free char *folder = path_folder(path);
	int fd = -1;

	gather_folder(area, root, folder);
	fact_set_absent(fact_of(&area->subvolume));
	fact_set_absent(fact_of(&area->subvolume_shared));
	fact_set_absent(fact_of(&area->snapshots));
	if (!fact_text_is(&area->filesystem, "btrfs") || area->folder.is != FACT_KNOWN)
		return;
	while (!is_top(root, top, &fd) && strcmp(top, "/") != 0) {
		if (fd >= 0)
			close(fd);
		fd = -1;
		text_set(&top, path_folder(top));
	}
	if (fd >= 0)
		close(fd);
	fact_set_text(&area->subvolume, top);
	fact_set_flag(
		&area->subvolume_shared, strcmp(top, "/") == 0 || holds_more(root, top, path));
	gather_snapshots(&area->snapshots, root, top);
}
