/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that only root can have put where they are.
 *
 * Who can write to a folder can exchange what is in it, so a file is trusted only when every folder
 * from the root down to it belongs to root and can be written by nobody else. The folders are
 * opened one below the other without following links: what was looked at is what is used.
 */
#ifndef EC2HIB_BASE_TRUSTED_H
#define EC2HIB_BASE_TRUSTED_H

#include "core/base/error.h"
#include "core/base/files.h"

/*
 * Opens the folder that holds PATH (absolute, without ..) as a place (O_PATH, O_CLOEXEC). A
 * descriptor; -EPERM and the folder that is not trusted; or another negative errno.
 */
int trusted_folder(const struct root *root, const char *path, struct error *err);

/* The same for PATH itself; when it is a symbolic link, the link. */
int trusted_open(const struct root *root, const char *path, struct error *err);

/*
 * 0 when FD, opened by trusted_open(), is a regular file that belongs to root and that nobody else
 * can write; else -EPERM and why not. PATH is for the error.
 */
int trusted_file(const struct root *root, int fd, const char *path, struct error *err);

/* The same, and it can be executed. */
int trusted_program(const struct root *root, int fd, const char *path, struct error *err);

#endif
