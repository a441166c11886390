/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/attributes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/base/memory.h"

/* Both limits of the kernel are 64 KiB (linux/limits.h, XATTR_SIZE_MAX and XATTR_LIST_MAX). */
#define XATTR_MOST ((size_t)64 * 1024)

/* A list beside the mode, whose group bits are its mask then (acl(5)). */
#define ACL_NAME "system.posix_acl_access"

static bool is_of_the_text(const char *name)
{
	return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

static int copy_one(int from, int to, const char *name, const char *path, struct error *err)
{
	memory_cleanup_free char *value = memory_new(XATTR_MOST, 1);
	memory_cleanup_free char *present = memory_new(XATTR_MOST, 1);
	ssize_t size = fgetxattr(from, name, value, XATTR_MOST), present_size;

	if (size < 0 && errno == ENODATA)
		return 0; /* gone since it was listed */
	if (size < 0)
		return error_errno(err, errno, "cannot read the attribute %s of %s", name, path);
	/* A label that the policy gives by itself need not be allowed to be set. */
	present_size = fgetxattr(to, name, present, XATTR_MOST);
	if (present_size == size && memcmp(present, value, (size_t)size) == 0)
		return 0;
	if (fsetxattr(to, name, value, (size_t)size, 0) < 0)
		return error_errno(err, errno, "cannot keep the attribute %s of %s", name, path);
	return 0;
}

/* A new file may have one from its folder (a default list), which the mode would open. */
static int drop_list(int to, const char *path, struct error *err)
{
	if (fremovexattr(to, ACL_NAME) == 0 || errno == ENODATA || errno == EOPNOTSUPP)
		return 0;
	return error_errno(err, errno, "cannot keep the access control list of %s", path);
}

static int copy_all(int from, int to, const char *path, struct error *err)
{
	memory_cleanup_free char *names = memory_new(XATTR_MOST, 1);
	ssize_t length = flistxattr(from, names, XATTR_MOST);
	bool has_list = false;
	int status = 0;

	if (length < 0 && errno != EOPNOTSUPP && errno != ENOSYS)
		return error_errno(err, errno, "cannot read the attributes of %s", path);
	for (const char *name = names; name < names + length; name += strlen(name) + 1)
		has_list = has_list || strcmp(name, ACL_NAME) == 0;
	if (!has_list)
		status = drop_list(to, path, err);
	for (const char *name = names; status == 0 && name < names + length;
		name += strlen(name) + 1)
		if (!is_of_the_text(name))
			status = copy_one(from, to, name, path, err);
	return status;
}

int attributes_copy(int from, int to, const char *path, struct error *err)
{
	struct stat old, new;
	int status;

	if (fstat(from, &old) < 0 || fstat(to, &new) < 0)
		return error_errno(err, errno, "cannot look at %s", path);
	/* The owner first: another one takes privileges and attributes away. */
	if ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) &&
		fchown(to, old.st_uid, old.st_gid) < 0)
		return error_errno(err, errno, "cannot keep the owner of %s", path);
	status = copy_all(from, to, path, err);
	if (status == 0 && fchmod(to, old.st_mode & 07777) < 0)
		status = error_errno(err, errno, "cannot keep the mode of %s", path);
	return status;
}
