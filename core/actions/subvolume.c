/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/subvolume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/subvolume.h"

/* Below folders that only root can write: nobody else decides where it leads. */
static int open_parent(const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int folder = trusted_folder(root, path, err);
	int fd;

	if (folder < 0)
		return folder;
	fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "cannot open the folder of %s", path) : fd;
}

/* The new subvolume NAME in PARENT: root's, with our mark, on the disk. */
static int make(int parent, const char *name, const char *path, struct error *err)
{
	struct btrfs_ioctl_vol_args arguments = { 0 };
	file_cleanup_close int fd = -1;
	mode_t mask;
	int status;

	if (strlen(name) >= sizeof(arguments.name))
		return error_set(
			err, ENAMETOOLONG, "the name of the subvolume %s is too long", path);
	memcpy(arguments.name, name, strlen(name));
	mask = umask(0022);
	status = ioctl(parent, BTRFS_IOC_SUBVOL_CREATE, &arguments);
	umask(mask);
	if (status < 0)
		return error_errno(err, errno, "cannot make the btrfs subvolume %s", path);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, 0755) < 0 ||
		fsetxattr(fd, SUBVOLUME_MARK, "1", 1, 0) < 0 || fsync(fd) < 0)
		return error_errno(err, errno, "cannot finish the btrfs subvolume %s", path);
	return 0;
}

int subvolume_create(const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *name = text_format("%s" SUBVOLUME_UNFINISHED, path_name(path));
	file_cleanup_close int parent = -1;
	int status = subvolume_sweep(root, path, err);

	if (status < 0)
		return error_prefix(err, status, "cannot make the btrfs subvolume %s", path);
	parent = open_parent(root, path, err);
	if (parent < 0)
		return parent;
	status = make(parent, name, path, err);
	if (status == 0 && renameat2(parent, name, parent, path_name(path), RENAME_NOREPLACE) < 0)
		status = error_errno(err, errno, "cannot make the btrfs subvolume %s", path);
	if (status < 0)
		unlinkat(parent, name, AT_REMOVEDIR);
	else if (fsync(parent) < 0)
		status = error_errno(err, errno, "cannot write the folder of %s", path);
	return status;
}

int subvolume_sweep(const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *name = text_format("%s" SUBVOLUME_UNFINISHED, path_name(path));
	file_cleanup_close int parent = open_parent(root, path, err);

	if (parent < 0)
		return parent == -ENOENT ? 0 : parent;
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_errno(
			err, errno, "cannot remove the unfinished subvolume of %s", path);
	return 0;
}

int subvolume_remove(const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int parent = open_parent(root, path, err);
	file_cleanup_close int fd = -1;

	if (parent < 0)
		return parent == -ENOENT ? 0 : parent;
	fd = openat(parent, path_name(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fgetxattr(fd, SUBVOLUME_MARK, NULL, 0) < 0)
		return 0;
	if (unlinkat(parent, path_name(path), AT_REMOVEDIR) < 0 && errno != ENOTEMPTY)
		return error_errno(err, errno, "cannot remove the btrfs subvolume %s", path);
	if (fsync(parent) < 0)
		return error_errno(err, errno, "cannot write the folder of %s", path);
	return 0;
}
