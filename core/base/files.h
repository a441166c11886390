/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files below a root.
 *
 * Everything that ec2hib reads or writes goes through a struct root, so that --root DIR works on an
 * image, a chroot or a test's fixture tree just as on the machine itself. Paths are absolute as
 * seen from inside; a symbolic link in an image cannot lead out of it (openat2, RESOLVE_IN_ROOT).
 */
#ifndef EC2HIB_BASE_FILES_H
#define EC2HIB_BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/text.h"

/* More than any configuration file, and enough for the longest /proc file that is read. */
#define FILE_LIMIT ((size_t)4 * 1024 * 1024)

struct root {
	int fd;		      /* the directory, O_PATH */
	char *path;	      /* as it was given; "" for the machine itself */
	bool live;	      /* the machine that we run on, not an image */
	struct error *unseen; /* what root_check_seen() returns; "": nothing */
};

/* Opens PATH ("/" for the machine itself). 0 or a negative errno; root_close() ends it. */
int root_open(struct root *root, const char *path, struct error *err);
void root_close(struct root *root);

/*
 * Whether all that was looked for below the root so far was seen: 0, or the first error that was
 * not "there is no such file". What follows from files that could not be looked at is a guess. The
 * kernel's own files (/proc, /sys, /dev) do not count: they have errors that are answers.
 */
int root_check_seen(const struct root *root, struct error *err);

/* PATH as a person outside would write it: DIR/etc/fstab. The caller frees it. */
char *root_shown(const struct root *root, const char *path);

/* open(2) below the root, always O_CLOEXEC. A descriptor or a negative errno. */
int root_openat(
	const struct root *root, const char *path, int flags, mode_t mode, struct error *err);

/* A regular or kernel file as text. *TEXT (the caller frees it) ends with a NUL that SIZE, which
 * may be NULL, does not count. More than LIMIT bytes: -EFBIG. A pipe or a device in an image:
 * -EINVAL, and it is not opened. */
int root_read(const struct root *root, const char *path, size_t limit, char **text, size_t *size,
	struct error *err);

/*
 * The same for a file that is to be changed and written back: one with NUL bytes, after
 * which all would be lost, is -EILSEQ.
 */
int root_read_text(
	const struct root *root, const char *path, size_t limit, char **text, struct error *err);

/* The same without the white space at both ends: what a file in /sys or /proc says. */
int root_read_line(const struct root *root, const char *path, char **text, struct error *err);

/* Writes TEXT to a file of the kernel (/sys, /proc) with one write(2); never creates a file. */
int root_write_kernel(
	const struct root *root, const char *path, const char *text, struct error *err);

/*
 * The same as root_replace() without waiting for a disk: for what is about the running system and
 * gone with it (/run). Readers see the old file or the new. A symbolic link is refused.
 */
int root_publish(const struct root *root, const char *path, const char *text, mode_t mode,
	struct error *err);

/*
 * Makes PATH hold exactly TEXT: a temporary file in the same folder, fsync, rename, fsync of the
 * folder. Owner, mode, access control list, label and other attributes of an existing file are kept
 * (core/base/attributes.h; one that cannot be is an error, and the old file stays). A symbolic link
 * is followed to the file it names; another hard link keeps the old text. A new file belongs to us
 * with MODE. After a power cut there is the old file or the new.
 */
int root_replace(const struct root *root, const char *path, const char *text, mode_t mode,
	struct error *err);

/* mkdir -p with mode 0755 whatever the umask; 0 when it is there. */
int root_make_directory(const struct root *root, const char *path, struct error *err);

/* unlink and fsync of the folder; no such file is no error. */
int root_remove(const struct root *root, const char *path, struct error *err);

/* rename(2) within one folder, with fsync of the folder. */
int root_rename(const struct root *root, const char *from, const char *to, struct error *err);

/*
 * The file DRAFT, which a program has made in the folder of PATH, takes the place of PATH and gets
 * owner, mode and attributes of what was there, as with root_replace().
 */
int root_install(const struct root *root, const char *draft, const char *path, struct error *err);

/*
 * Also true where that cannot be told, as after an I/O error: whoever reads it then gets the error,
 * and nobody takes it for a file that is not there.
 */
bool root_exists(const struct root *root, const char *path);
bool root_executable(const struct root *root, const char *path);

/* stat of what PATH names; with root_lstat the link itself. 0 or a negative errno. */
int root_stat(const struct root *root, const char *path, struct stat *status);
int root_lstat(const struct root *root, const char *path, struct stat *status);

/* The text of a symbolic link, NULL when it is none. The caller frees it. */
char *root_readlink(const struct root *root, const char *path);

/* PATH, or what it names in the end while it is a symbolic link. The caller frees it. */
char *root_follow_links(const struct root *root, const char *path);

/* Names in a folder without . and .., sorted. A folder that is not there is empty. */
int root_list(const struct root *root, const char *path, struct strings *names, struct error *err);

/*
 * 0 when every folder on the way to PATH belongs to root and only root can write to it, else
 * -EPERM and the folder that breaks it: a swap file below such a folder can be exchanged by others.
 */
int root_check_trusted(const struct root *root, const char *path, struct error *err);

/*
 * 0 when the file PATH, which says what we are to do, is a regular file that belongs to root and
 * neither it nor, links followed, a folder above it can be changed by others; else -EPERM. 0 also
 * when there is none, and for anybody but root, who can do no harm.
 */
int root_check_own(const struct root *root, const char *path, struct error *err);

/*
 * Files that only root can have put where they are. Who can write to a folder can exchange what is
 * in it, so a file is trusted only when every folder from the root down to it belongs to root and
 * can be written by nobody else. The folders are opened one below the other without following
 * links: what was looked at is what is used.
 */

/*
 * Opens the folder that holds PATH (absolute, without ..), O_PATH and O_CLOEXEC. A descriptor;
 * -EPERM and the folder that is not trusted; or another negative errno.
 */
int trusted_folder(const struct root *root, const char *path, struct error *err);

/*
 * Opens PATH (absolute, without ..), O_PATH and O_CLOEXEC; when it is a symbolic link, the link. A
 * descriptor; -EPERM and the folder that is not trusted; or another negative errno.
 */
int trusted_open(const struct root *root, const char *path, struct error *err);

/*
 * unlink(2) of PATH itself, never of what a link names, and fsync of the folder; no such file is no
 * error.
 */
int trusted_remove(const struct root *root, const char *path, struct error *err);

/*
 * 0 when FD, opened by trusted_open(), is a regular file that belongs to root and that nobody else
 * can write; else -EPERM and why not. PATH is for the error.
 */
int trusted_file(const struct root *root, int fd, const char *path, struct error *err);

/* The same, and it can be executed. */
int trusted_program(const struct root *root, int fd, const char *path, struct error *err);

/* The folder part of an absolute path ("/" for "/swap") and the name after it. */
char *path_folder(const char *path);
const char *path_name(const char *path);

/* write(2) until all of TEXT is written, interrupted or not. 0 or a negative errno. */
int file_write_all(int fd, const char *text, size_t size);

/*
 * A path that leads to what FD has open, for calls that take no descriptor; realpath(3) makes it
 * the host's own. The caller frees it.
 */
char *file_path(int fd);

static inline void file_close_pointer(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
/* Use as: file_cleanup_close int fd = -1; */
#define file_cleanup_close __attribute__((cleanup(file_close_pointer)))

#endif
