/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's log: the one of the running kernel, and saved ones. */
#ifndef EC2HIB_FACTS_KERNEL_LOG_H
#define EC2HIB_FACTS_KERNEL_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"

#define KERNEL_LOG_PATH "/dev/kmsg"

/* More than any kernel's ring of records. */
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

/* SIZE bytes of a log, in pieces as they come. */
typedef void kernel_log_piece(void *data, const char *bytes, size_t size);

/*
 * A saved log: the file PATH, as the caller's process sees it, or standard input for "-"; of any
 * size and with any bytes. One packed with gzip, bzip2, xz or zstd is unpacked (libarchive, loaded
 * when it is needed).
 *
 * 0 or a negative errno: -ETIMEDOUT when a pipe stays silent for KERNEL_LOG_SILENCE_MS, -EINVAL for
 * a file that cannot be a log (a folder, a journal) or is packed and cannot be unpacked here,
 * -EBADMSG for one that is damaged, -EFBIG for a device that gives more than KERNEL_LOG_LIMIT
 * (/dev/zero). PIECE may have been called before an error.
 */
int kernel_log_scan(const char *path, kernel_log_piece *piece, void *data, struct error *err);

/*
 * The kernel's lines in the journal of this machine (sd-journal(3) of libsystemd, loaded when it is
 * needed), as lines of text: those of all boots, oldest first, each boot after a line
 * "-- Boot ID --"; with BOOT of one alone: 0 is the running one, -1 the one before.
 *
 * 0 or a negative errno: -ENOENT: no journal, no libsystemd, or no such boot; -EACCES: only root
 * and the group systemd-journal may read it.
 */
int kernel_journal_scan(const int *boot, kernel_log_piece *piece, void *data, struct error *err);

#endif
