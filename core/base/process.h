/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Other programs. No shell: an argument vector, a clean environment (PATH, LC_ALL=C), /dev/null as
 * standard input, a time limit, and standard error kept for the error's text. In an image
 * (--root DIR) a program is the image's own and runs in a chroot(2) of it.
 */
#ifndef EC2HIB_BASE_PROCESS_H
#define EC2HIB_BASE_PROCESS_H

#include "core/base/error.h"
#include "core/base/files.h"

#define PROCESS_OUTPUT_LIMIT ((size_t)1024 * 1024)

/* Where the program NAME is in the usual folders of the root; the caller frees it, NULL: nowhere. */
char *process_find(const struct root *root, const char *name);

/*
 * Runs ARGUMENTS (NULL at the end, the first is a name or a path) and waits at most TIMEOUT_MS
 * milliseconds, after which the program and its children are killed. *OUTPUT (the caller frees it;
 * OUTPUT may be NULL) is what it wrote to standard output, at most PROCESS_OUTPUT_LIMIT bytes.
 *
 * 0 when it ended with status 0. -ENOENT: no such program. -ETIMEDOUT. -EIO: another status or a
 * signal; the error has the end of what it wrote to standard error.
 */
int process_run(const struct root *root, const char *const *arguments,
	unsigned timeout_ms, char **output, struct error *err);

#endif
