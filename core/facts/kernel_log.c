/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* The largest record that the kernel gives out is below this (CONSOLE_EXT_LOG_MAX, 8 KiB). */
#define RECORD_MAX ((size_t)16 * 1024)

#define FIRST_SIZE ((size_t)256 * 1024)

/* Bytes as they come; one is always kept free for the NUL behind them. */
struct bytes {
	char *data;
	size_t size;
	size_t room;
};

/* Makes room for WANTED bytes more. False where that is above the limit. */
static bool bytes_make_room(struct bytes *bytes, size_t wanted)
{
	size_t room = bytes->room ? bytes->room : FIRST_SIZE;

	if (bytes->size + wanted > KERNEL_LOG_LIMIT)
		return false;
	while (room < bytes->size + wanted + 1)
		room *= 2;
	if (room != bytes->room) {
		bytes->data = realloc(bytes->data, room);
		if (!bytes->data)
			abort();
		bytes->room = room;
	}
	return true;
}

static char *bytes_take(struct bytes *bytes)
{
	if (!bytes->data)
		return text_copy("");
	bytes->data[bytes->size] = '\0';
	return bytes->data;
}

/* ---- /dev/kmsg ---- */

/* All that is in the ring now; one read(2) is one record. */
static int read_ring(int fd, struct bytes *ring, const char *shown, struct error *err)
{
	for (;;) {
		ssize_t got;

		if (!bytes_make_room(ring, RECORD_MAX))
			return error_set(err, EFBIG, "%s holds more than %llu MiB", shown,
				(unsigned long long)(KERNEL_LOG_LIMIT / MIB));
		got = read(fd, ring->data + ring->size, RECORD_MAX);
		if (got > 0)
			ring->size += (size_t)got;
		else if (got == 0 || errno == EAGAIN)
			return 0;
		else if (errno != EPIPE && errno != EINTR) /* EPIPE: overwritten */
			return error_errno(err, errno, "cannot read %s", shown);
	}
}

/* The sequence number of a record; false for another line (the properties of the one before). */
static bool record_sequence(const char *line, const char *end, uint64_t *sequence)
{
	const char *comma = memchr(line, ',', (size_t)(end - line)), *next;
	memory_cleanup_free char *number = NULL;

	if (!comma || comma == line || *line < '0' || *line > '9')
		return false;
	next = memchr(comma + 1, ',', (size_t)(end - comma - 1));
	if (!next)
		return false;
	number = text_copy_length(comma + 1, (size_t)(next - comma - 1));
	return number_parse(number, sequence) == 0;
}

/* Keeps the records above AFTER, in place, and finds the newest number. */
static void keep_after(struct bytes *ring, uint64_t after, uint64_t *last)
{
	const char *end = ring->data + ring->size;
	bool keep = after == 0;
	size_t kept = 0;

	for (const char *line = ring->data, *next; line < end; line = next) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		uint64_t sequence;

		next = newline ? newline + 1 : end;
		if (record_sequence(line, next, &sequence)) {
			keep = after == 0 || sequence > after;
			if (sequence > *last)
				*last = sequence;
		}
		if (!keep)
			continue;
		memmove(ring->data + kept, line, (size_t)(next - line));
		kept += (size_t)(next - line);
	}
	ring->size = kept;
}

int kernel_log_read(
	const struct root *root, uint64_t after, char **text, uint64_t *last, struct error *err)
{
	memory_cleanup_free char *shown = root_shown(root, KERNEL_LOG_PATH);
	file_cleanup_close int fd =
		root_openat(root, KERNEL_LOG_PATH, O_RDONLY | O_NONBLOCK, 0, err);
	struct bytes ring = { 0 };
	int status;

	*last = after;
	if (fd == -EPERM || fd == -EACCES)
		return error_set(err, -fd, "cannot read %s: %s; run as root", shown, strerror(-fd));
	if (fd < 0)
		return fd;
	status = read_ring(fd, &ring, shown, err);
	if (status < 0) {
		free(ring.data);
		return status;
	}
	keep_after(&ring, after, last);
	if (text)
		*text = bytes_take(&ring);
	else
		free(ring.data);
	return 0;
}

/* ---- Saved logs ---- */

/* What begins a file that holds a log in another form, and how to get at it. */
static const struct {
	const char *mark;
	size_t length;
	const char *what;
	const char *how;
} wrapped[] = {
	{ "\x1f\x8b", 2, "compressed", "zcat" },
	{ "\3757zXZ", 5, "compressed", "xzcat" },
	{ "\x28\xb5\x2f\xfd", 4, "compressed", "zstdcat" },
	{ "BZh", 3, "compressed", "bzcat" },
	{ "LPKSHHRH", 8, "a journal", "journalctl -k -o short-iso --file" },
};

static int check_beginning(
	const struct bytes *log, const char *path, const char *name, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrapped); i++)
		if (log->size >= wrapped[i].length &&
			memcmp(log->data, wrapped[i].mark, wrapped[i].length) == 0)
			return error_set(err, EINVAL,
				"%s is %s, not a text; run: %s %s | ec2hib history --log -", name,
				wrapped[i].what, wrapped[i].how,
				strcmp(path, "-") == 0 ? "FILE" : path);
	return 0;
}

/* Waits until there is something to read, or the end. */
static int wait_for(int fd, const char *name, struct error *err)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	int ready;

	do
		ready = poll(&waiting, 1, KERNEL_LOG_SILENCE_MS);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return error_errno(err, errno, "cannot wait for %s", name);
	if (ready == 0)
		return error_set(err, ETIMEDOUT,
			"cannot read %s: nothing came for %d s; give a log that has an end", name,
			KERNEL_LOG_SILENCE_MS / 1000);
	return 0;
}

static int too_large(const char *name, struct error *err)
{
	return error_set(err, EFBIG,
		"%s is larger than %llu MiB; give only its end, as tail -c 200M does", name,
		(unsigned long long)(KERNEL_LOG_LIMIT / MIB));
}

static int read_all(int fd, const char *name, struct bytes *log, struct error *err)
{
	for (;;) {
		ssize_t got;
		int status = wait_for(fd, name, err);

		if (status < 0)
			return status;
		if (!bytes_make_room(log, RECORD_MAX))
			return too_large(name, err);
		got = read(fd, log->data + log->size, log->room - log->size - 1);
		if (got > 0)
			log->size += (size_t)got;
		else if (got == 0)
			return 0;
		else if (errno != EAGAIN && errno != EINTR)
			return error_errno(err, errno, "cannot read %s", name);
	}
}

int kernel_log_load(const char *path, char **text, size_t *size, struct error *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	const char *name = standard_input ? "standard input" : path;
	/* O_NONBLOCK: a FIFO that nobody writes to is not waited for here. */
	file_cleanup_close int fd =
		standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
			       : open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct bytes log = { 0 };
	struct stat about;
	int status = 0;

	if (fd < 0 || fstat(fd, &about) < 0)
		return error_errno(err, errno, "cannot read %s", name);
	if (S_ISDIR(about.st_mode))
		return error_set(
			err, EINVAL, "cannot read %s: it is a folder; name a log in it", name);
	if (S_ISREG(about.st_mode) && about.st_size > (off_t)KERNEL_LOG_LIMIT)
		return too_large(name, err);
	status = read_all(fd, name, &log, err);
	if (status == 0)
		status = check_beginning(&log, path, name, err);
	if (status < 0) {
		free(log.data);
		return status;
	}
	*size = log.size;
	*text = bytes_take(&log);
	return 0;
}
