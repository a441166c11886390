/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/attributes.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"

int root_open(struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *resolved = realpath(path, NULL);

	*root = (struct root) { .fd = -1 };
	if (!resolved)
		return error_errno(err, errno, "cannot open the root folder %s", path);
	root->fd = open(resolved, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return error_errno(err, errno, "cannot open the root folder %s", path);
	root->live = strcmp(resolved, "/") == 0;
	root->path = text_copy(root->live ? "" : resolved);
	root->unseen = memory_new(1, sizeof(*root->unseen));
	return 0;
}

void root_close(struct root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	free(root->path);
	free(root->unseen);
	*root = (struct root) { .fd = -1 };
}

char *root_shown(const struct root *root, const char *path)
{
	return text_format("%s%s", root->path, path);
}

char *file_path(int fd)
{
	return text_format("/proc/self/fd/%d", fd);
}

int root_check_seen(const struct root *root, struct error *err)
{
	if (!root->unseen || !*root->unseen->text)
		return 0;
	return error_set(err, EIO, "%s", root->unseen->text);
}

/* Errors that say that there is no such file, or that it is not of the kind that was looked for. */
static bool is_absence(int code)
{
	switch (code) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return true;
	default:
		return false;
	}
}

/* After a look that failed with CODE, an errno, which is errno again. */
static void note_unseen(const struct root *root, const char *path, int code)
{
	static const char *const kernel[] = { "/proc/", "/sys/", "/dev/" };

	if (!root->unseen || *root->unseen->text || is_absence(code))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kernel); i++)
		if (text_starts(path, kernel[i]))
			return;
	error_errno(root->unseen, code, "cannot look at %s%s", root->path, path);
	errno = code;
}

/*
 * openat2(2) with RESOLVE_IN_ROOT. Whenever something is renamed meanwhile, a path with .. is not
 * sure, and is asked for again.
 */
static int open_in_image(const struct root *root, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? mode : 0,
		.resolve = RESOLVE_IN_ROOT,
	};
	int fd;

	do
		fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN);
	return fd;
}

/* open below the root without an error text; -1 and errno as open(2) does. */
static int open_below(const struct root *root, const char *path, int flags, mode_t mode)
{
	int fd = root->live ? open(path, flags | O_CLOEXEC, mode)
			    : open_in_image(root, path, flags, mode);

	if (fd < 0 && (flags & (O_ACCMODE | O_CREAT)) == O_RDONLY)
		note_unseen(root, path, errno);
	return fd;
}

int root_openat(
	const struct root *root, const char *path, int flags, mode_t mode, struct error *err)
{
	int fd = open_below(root, path, flags, mode);

	if (fd >= 0)
		return fd;
	if (errno == ENOSYS)
		return error_set(err, ENOSYS,
			"cannot open %s%s: --root needs openat2, Linux 5.6 or later", root->path,
			path);
	return error_errno(err, errno, "cannot open %s%s", root->path, path);
}

/*
 * An image may have been made by anybody: a pipe would never be opened, and some devices do
 * something when they are. Files that are masked with /dev/null are opened as ever.
 */
static int refuse_special(const struct root *root, const char *path, struct error *err)
{
	struct stat status;

	if (root->live || root_stat(root, path, &status) < 0 || S_ISREG(status.st_mode) ||
		S_ISDIR(status.st_mode) ||
		(S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)))
		return 0;
	return error_set(
		err, EINVAL, "cannot read %s%s: it is not a regular file", root->path, path);
}

int root_read(const struct root *root, const char *path, size_t limit, char **text, size_t *size,
	struct error *err)
{
	int refused = refuse_special(root, path, err);
	/* Non-blocking: what was no pipe a moment ago may be one now. */
	file_cleanup_close int fd =
		refused < 0 ? refused
			    : root_openat(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, err);
	size_t length = 0, room = 4096;
	struct stat status;
	char *content;

	*text = NULL;
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))
		return error_set(err, EINVAL, "cannot read %s%s: it is a pipe", root->path, path);
	content = memory_new(room + 1, 1);
	for (;;) {
		ssize_t got = read(fd, content + length, room - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int code = errno;

			free(content);
			note_unseen(root, path, code);
			return error_errno(err, code, "cannot read %s%s", root->path, path);
		}
		if (got == 0)
			break;
		length += (size_t)got;
		if (length > limit) {
			free(content);
			return error_set(err, EFBIG, "cannot read %s%s: more than %zu bytes",
				root->path, path, limit);
		}
		if (length == room) {
			room *= 2;
			content = realloc(content, room + 1);
			if (!content)
				abort();
		}
	}
	content[length] = '\0';
	*text = content;
	if (size)
		*size = length;
	return 0;
}

int root_read_text(
	const struct root *root, const char *path, size_t limit, char **text, struct error *err)
{
	size_t size;
	int status = root_read(root, path, limit, text, &size, err);

	if (status < 0 || strlen(*text) == size)
		return status;
	free(*text);
	*text = NULL;
	return error_set(
		err, EILSEQ, "cannot change %s%s: it is not a text file", root->path, path);
}

int root_read_line(const struct root *root, const char *path, char **text, struct error *err)
{
	int status = root_read(root, path, FILE_LIMIT, text, NULL, err);

	if (status == 0)
		text_trim(*text);
	return status;
}

int root_write_kernel(
	const struct root *root, const char *path, const char *text, struct error *err)
{
	file_cleanup_close int fd = root_openat(root, path, O_WRONLY | O_NOCTTY, 0, err);

	if (fd < 0)
		return fd;
	if (write(fd, text, strlen(text)) < 0)
		return error_errno(
			err, errno, "cannot write \"%s\" to %s%s", text, root->path, path);
	return 0;
}

char *path_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return text_copy("/");
	return text_copy_length(path, (size_t)(slash - path));
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * A store of NixOS or Guix, into which links lead from /etc: what is in it was made from a
 * configuration, is checked by its hash, and is replaced with the next generation.
 */
static bool is_store(int folder)
{
	static const char *const stores[] = { "/nix/store/", "/gnu/store/" };
	memory_cleanup_free char *link = file_path(folder);
	char where[PATH_MAX];
	ssize_t length = readlink(link, where, sizeof(where) - 1);

	where[length > 0 ? length : 0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(stores); i++)
		if (strstr(where, stores[i]))
			return true;
	return false;
}

/* The folder of PATH, to change something in it. A descriptor or a negative errno. */
static int open_folder(const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *folder = path_folder(path);
	int fd = root_openat(root, folder, O_RDONLY | O_DIRECTORY, 0, err);

	if (fd < 0 || !is_store(fd))
		return fd;
	close(fd);
	return error_set(err, EROFS,
		"cannot change %s%s: it is in a store, which is made from the system's configuration",
		root->path, path);
}

int file_write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t written = write(fd, text, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		text += written;
		size -= (size_t)written;
	}
	return 0;
}

/* As many links as the kernel follows (path_resolution(7)). */
#define LINKS_MAX 40

char *root_follow_links(const struct root *root, const char *path)
{
	char *target = text_copy(path);

	for (int depth = 0; depth < LINKS_MAX; depth++) {
		char *link = root_readlink(root, target);

		if (!link)
			break;
		if (*link != '/') {
			memory_cleanup_free char *folder = path_folder(target);

			text_set(&link, text_format("%s/%s", folder, link));
		}
		free(target);
		target = link;
	}
	return target;
}

/* An empty file beside the one to be replaced; one of that name was left by a power cut. */
static int open_temporary(int folder, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(folder, name, flags, 0600);

	if (fd < 0 && errno == EEXIST && unlinkat(folder, name, 0) == 0)
		fd = openat(folder, name, flags, 0600);
	return fd;
}

/* The file that is to be replaced, never what a link names: a descriptor, or -ENOENT: none. */
static int open_old(
	const struct root *root, int folder, const char *path, const char *shown, struct error *err)
{
	int fd = openat(
		folder, path_name(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && errno != ELOOP)
		return error_errno(err, errno, "cannot write %s%s", root->path, shown);
	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	if (fd >= 0)
		close(fd);
	return error_set(err, EINVAL, "cannot write %s%s: not a regular file", root->path, path);
}

/* The temporary file FD gets all that it is to have, and is on the disk when it is LASTING. */
static int complete(int fd, const char *text, int old, mode_t mode, bool lasting, const char *shown,
	struct error *err)
{
	int status = file_write_all(fd, text, strlen(text));

	if (status < 0)
		return error_errno(err, -status, "cannot write %s", shown);
	if (old >= 0)
		status = attributes_copy(old, fd, shown, err);
	else if (fchmod(fd, mode) < 0)
		status = error_errno(err, errno, "cannot write %s", shown);
	if (status == 0 && lasting && fsync(fd) < 0)
		status = error_errno(err, errno, "cannot write %s", shown);
	return status;
}

/* PATH is not a link any more; errors are of SHOWN. */
static int replace(const struct root *root, const char *path, const char *shown, const char *text,
	mode_t mode, bool lasting, struct error *err)
{
	const char *name = path_name(path);
	memory_cleanup_free char *temporary = text_format(".%s.ec2hib-new", name);
	memory_cleanup_free char *outside = root_shown(root, shown);
	file_cleanup_close int folder = open_folder(root, path, err);
	file_cleanup_close int fd = -1, old = -1;
	int status;

	if (folder < 0)
		return error_prefix(err, folder, "cannot write %s", outside);
	old = open_old(root, folder, path, shown, err);
	if (old < 0 && old != -ENOENT)
		return old;
	fd = open_temporary(folder, temporary);
	if (fd < 0)
		return error_errno(err, errno, "cannot write %s", outside);
	status = complete(fd, text, old, mode, lasting, outside, err);
	if (status == 0 && renameat(folder, temporary, folder, name) < 0)
		status = error_errno(err, errno, "cannot write %s", outside);
	if (status < 0) {
		unlinkat(folder, temporary, 0);
		return status;
	}
	if (lasting && fsync(folder) < 0)
		return error_errno(err, errno, "cannot write the folder of %s", outside);
	return 0;
}

int root_replace(
	const struct root *root, const char *path, const char *text, mode_t mode, struct error *err)
{
	memory_cleanup_free char *target = root_follow_links(root, path);

	return replace(root, target, path, text, mode, true, err);
}

int root_publish(
	const struct root *root, const char *path, const char *text, mode_t mode, struct error *err)
{
	return replace(root, path, path, text, mode, false, err);
}

/* A folder that we have made is for all to read, whatever the umask that we were started with. */
static int open_to_readers(int above, const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int fd =
		openat(above, path_name(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && fchmod(fd, 0755) == 0)
		return 0;
	return error_errno(err, errno, "cannot make the folder %s%s", root->path, path);
}

int root_make_directory(const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *folder = path_folder(path);
	file_cleanup_close int fd = -1;
	struct stat status;
	int made;

	if (root_stat(root, path, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return 0;
		return error_set(err, ENOTDIR, "%s%s is not a folder", root->path, path);
	}
	if (strcmp(folder, path) != 0) {
		made = root_make_directory(root, folder, err);
		if (made < 0)
			return made;
	}
	fd = open_folder(root, path, err);
	if (fd < 0)
		return fd;
	if (mkdirat(fd, path_name(path), 0755) == 0)
		return open_to_readers(fd, root, path, err);
	return errno == EEXIST
		       ? 0
		       : error_errno(err, errno, "cannot make the folder %s%s", root->path, path);
}

int root_remove(const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int folder = open_folder(root, path, err);

	if (folder == -ENOENT || folder == -ENOTDIR)
		return 0;
	if (folder < 0)
		return folder;
	if (unlinkat(folder, path_name(path), 0) < 0) {
		if (errno == ENOENT)
			return 0;
		return error_errno(err, errno, "cannot remove %s%s", root->path, path);
	}
	if (fsync(folder) < 0)
		return error_errno(err, errno, "cannot write the folder of %s%s", root->path, path);
	return 0;
}

int root_rename(const struct root *root, const char *from, const char *to, struct error *err)
{
	file_cleanup_close int folder = open_folder(root, from, err);

	if (folder < 0)
		return folder;
	if (renameat(folder, path_name(from), folder, path_name(to)) < 0)
		return error_errno(
			err, errno, "cannot rename %s%s to %s", root->path, from, path_name(to));
	if (fsync(folder) < 0)
		return error_errno(err, errno, "cannot write the folder of %s%s", root->path, to);
	return 0;
}

int root_install(const struct root *root, const char *draft, const char *path, struct error *err)
{
	file_cleanup_close int folder = open_folder(root, path, err), fd = -1, old = -1;
	memory_cleanup_free char *outside = root_shown(root, path);
	int status = 0;

	if (folder < 0)
		return folder;
	fd = openat(folder, path_name(draft), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "cannot open %s%s", root->path, draft);
	old = open_old(root, folder, path, path, err);
	if (old < 0 && old != -ENOENT)
		return old;
	/* Who made it may have made it readable for all. */
	if (old >= 0)
		status = attributes_copy(old, fd, outside, err);
	if (status == 0 && fsync(fd) < 0)
		status = error_errno(err, errno, "cannot write %s%s", root->path, draft);
	return status < 0 ? status : root_rename(root, draft, path, err);
}

int root_stat(const struct root *root, const char *path, struct stat *status)
{
	file_cleanup_close int fd = open_below(root, path, O_PATH, 0);

	if (fd < 0 || fstat(fd, status) < 0)
		return -errno;
	return 0;
}

int root_lstat(const struct root *root, const char *path, struct stat *status)
{
	file_cleanup_close int fd = open_below(root, path, O_PATH | O_NOFOLLOW, 0);

	if (fd < 0 || fstat(fd, status) < 0)
		return -errno;
	return 0;
}

bool root_exists(const struct root *root, const char *path)
{
	struct stat status;

	switch (root_stat(root, path, &status)) {
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
	case -EACCES: /* who may not look changes nothing */
		return false;
	default:
		return true;
	}
}

bool root_executable(const struct root *root, const char *path)
{
	struct stat status;

	return root_stat(root, path, &status) == 0 && S_ISREG(status.st_mode) &&
	       (status.st_mode & 0111);
}

char *root_readlink(const struct root *root, const char *path)
{
	file_cleanup_close int fd = open_below(root, path, O_PATH | O_NOFOLLOW, 0);
	char target[4096];
	ssize_t length;

	if (fd < 0)
		return NULL;
	length = readlinkat(fd, "", target, sizeof(target) - 1);
	if (length <= 0)
		return NULL;
	return text_copy_length(target, (size_t)length);
}

int root_list(const struct root *root, const char *path, struct strings *names, struct error *err)
{
	int fd = root_openat(root, path, O_RDONLY | O_DIRECTORY, 0, err), code;
	struct dirent *entry;
	DIR *folder;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return fd;
	folder = fdopendir(fd);
	if (!folder) {
		close(fd);
		return error_errno(err, ENOMEM, "cannot read the folder %s%s", root->path, path);
	}
	while (errno = 0, (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strings_add(names, entry->d_name);
	code = errno;
	closedir(folder);
	if (code) {
		note_unseen(root, path, code);
		return error_errno(err, code, "cannot read the folder %s%s", root->path, path);
	}
	strings_sort(names);
	return 0;
}

/* ---- Trust ----------------------------------------------------------------------------------- */

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
	memory_cleanup_free char *so_far = text_copy("/");
	strings_cleanup struct strings parts = { 0 };
	int folder = fcntl(root->fd, F_DUPFD_CLOEXEC, 0), status, next;

	if (folder < 0)
		return error_errno(err, errno, "cannot open %s/", root->path);
	strings_split(&parts, path, "/");
	for (size_t i = 0;; i++) {
		status = check_folder(root, folder, so_far, err);
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
		text_set(&so_far, text_format("%s/%s", i ? so_far : "", parts.items[i]));
		if (next < 0) {
			status = error_errno(err, errno, "cannot look at %s%s", root->path, so_far);
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

int trusted_remove(const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int folder = trusted_folder(root, path, err), synced = -1;

	if (folder == -ENOENT || folder == -ENOTDIR)
		return 0;
	if (folder < 0)
		return error_prefix(err, folder, "cannot remove %s%s", root->path, path);
	if (unlinkat(folder, path_name(path), 0) < 0)
		return errno == ENOENT
			       ? 0
			       : error_errno(err, errno, "cannot remove %s%s", root->path, path);
	synced = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (synced < 0 || fsync(synced) < 0)
		return error_errno(err, errno, "cannot write the folder of %s%s", root->path, path);
	return 0;
}

int root_check_trusted(const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int folder = trusted_folder(root, path, err);

	return folder < 0 ? folder : 0;
}

static bool is_roots_alone(const struct stat *status)
{
	return status->st_uid == 0 && !(status->st_mode & 022);
}

/* The folder FD and all above it, up to the root; links on the way to it have been followed. */
static bool chain_is_roots_alone(const struct root *root, int fd)
{
	file_cleanup_close int folder = dup(fd);
	struct stat top, status;

	if (fstat(root->fd, &top) < 0)
		return false;
	while (folder >= 0 && fstat(folder, &status) == 0 && is_roots_alone(&status)) {
		int above;

		if (status.st_dev == top.st_dev && status.st_ino == top.st_ino)
			return true;
		above = openat(folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(folder);
		folder = above;
	}
	return false;
}

int root_check_own(const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *folder = path_folder(path);
	file_cleanup_close int fd = open_below(root, folder, O_PATH | O_DIRECTORY, 0);
	struct stat status;

	if (geteuid() != 0)
		return 0;
	if (fd < 0 || fstatat(fd, path_name(path), &status, AT_SYMLINK_NOFOLLOW) < 0)
		return is_absence(errno)
			       ? 0
			       : error_errno(err, errno, "cannot look at %s%s", root->path, path);
	if (S_ISREG(status.st_mode) && is_roots_alone(&status) && chain_is_roots_alone(root, fd))
		return 0;
	return error_set(err, EPERM,
		"%s%s is not trusted: users other than root can change it or a folder above it",
		root->path, path);
}
