/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's log: the one of the running kernel, and saved ones. */
#ifndef EC2HIB_FACTS_KERNEL_LOG_H
#define EC2HIB_FACTS_KERNEL_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"

#define KERNEL_LOG_PATH "/dev/kmsg"

/* A saved log may have as many bytes. */
#define KERNEL_LOG_LIMIT ((size_t)256 * 1024 * 1024)

/* So long a pipe or a terminal may stay silent before reading it is given up, milliseconds. */
#define KERNEL_LOG_SILENCE_MS 30000

/*
 * The records of /dev/kmsg below ROOT whose sequence number is above AFTER (0: all of them), each
 * as the kernel gives it: "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT" (Linux
 * Documentation/ABI/testing/dev-kmsg). Never waits for more. Records that were overwritten before
 * they could be read are missing.
 *
 * *TEXT (NULL: only *LAST is wanted) belongs to the caller. *LAST is the newest sequence number of
 * the log, AFTER when there is none. The numbers go on across a hibernation, so a caller notes
 * *LAST before it and reads afterwards what came after.
 *
 * 0 or a negative errno, often -EPERM where the caller is not root (dmesg_restrict). In a fixture
 * tree a plain file may stand for /dev/kmsg.
 */
int kernel_log_read(
	const struct root *root, uint64_t after, char **text, uint64_t *last, struct error *err);

/*
 * A saved log: the file PATH, as the caller's process sees it, or standard input for "-". *TEXT
 * (the caller frees it) has *SIZE bytes, any bytes, and a NUL behind them.
 *
 * 0 or a negative errno: -EFBIG above KERNEL_LOG_LIMIT, -ETIMEDOUT when a pipe stays silent for
 * KERNEL_LOG_SILENCE_MS, -EINVAL for a file that cannot be a log (a folder, compressed).
 */
int kernel_log_load(const char *path, char **text, size_t *size, struct error *err);

#endif
