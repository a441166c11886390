/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/base/memory.h"

/* Whose it is and who can write to it; a POSIX ACL that lets others write shows in the group's
 * bits, which are its mask then (acl(5)). */
static int check_owner(
	const struct root *root, const struct stat *status, const char *path, struct error *err)
{
	if (status->st_uid != 0)
		return error_set(err, EPERM, "%s%s belongs to uid %u, not to root", root->path,
			path, status->st_uid);
	if (status->st_mode & 022)
		return error_set(err, EPERM, "%s%s can be written by others (mode %04o)",
			root->path, path, status->st_mode & 07777);
	return 0;
}

static int check_folder(const struct root *root, int fd, const char *path, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_errno(err, errno, "cannot look at %s%s", root->path, path);
	if (S_ISLNK(status.st_mode))
		return error_set(err, EPERM, "%s%s is a symbolic link", root->path, path);
	if (!S_ISDIR(status.st_mode))
		return error_set(err, ENOTDIR, "%s%s is not a folder", root->path, path);
	return check_owner(root, &status, path, err);
}

int trusted_folder(const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *passed = text_copy("/");
	strings_cleanup struct strings parts = { 0 };
	int folder = fcntl(root->fd, F_DUPFD_CLOEXEC, 0), status, next;

	if (folder < 0)
		return error_errno(err, errno, "cannot open %s/", root->path);
	strings_split(&parts, path, "/");
	for (size_t i = 0;; i++) {
		status = check_folder(root, folder, passed, err);
		if (status < 0)
			break;
		if (i + 1 >= parts.count)
			return folder;
		/* With O_NOFOLLOW, .. would still lead up. */
		if (strcmp(parts.items[i], "..") == 0) {
			status = error_set(err, EINVAL, "%s%s has .. in it", root->path, path);
			break;
		}
		next = openat(folder, parts.items[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);
		text_set(&passed, text_format("%s/%s", i ? passed : "", parts.items[i]));
		if (next < 0) {
			status = error_errno(err, errno, "cannot look at %s%s", root->path, passed);
			break;
		}
		close(folder);
		folder = next;
	}
	close(folder);
	return status;
}

int trusted_open(const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int folder = trusted_folder(root, path, err);
	int fd;

	if (folder < 0)
		return folder;
	fd = openat(folder, path_name(path), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "cannot open %s%s", root->path, path);
	return fd;
}

int trusted_file(const struct root *root, int fd, const char *path, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_errno(err, errno, "cannot look at %s%s", root->path, path);
	if (!S_ISREG(status.st_mode))
		return error_set(err, EPERM, "%s%s is not a regular file", root->path, path);
	return check_owner(root, &status, path, err);
}

int trusted_program(const struct root *root, int fd, const char *path, struct error *err)
{
	struct stat status;
	int checked = trusted_file(root, fd, path, err);

	if (checked < 0)
		return checked;
	if (fstat(fd, &status) < 0)
		return error_errno(err, errno, "cannot look at %s%s", root->path, path);
	if (!(status.st_mode & 0111))
		return error_set(err, EPERM, "%s%s is not executable (mode %04o)", root->path, path,
			status.st_mode & 07777);
	return 0;
}
