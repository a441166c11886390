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
#include "core/base/packed.h"
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

/* As much as is asked of a file at a time. */
#define PIECE_SIZE ((size_t)256 * 1024)

/* A log that is being read. */
struct source {
	int fd;
	const char *path; /* as it was given */
	const char *name; /* for errors */
	kernel_log_piece *piece;
	void *data;
	char *buffer; /* PIECE_SIZE bytes */
	size_t first; /* so many of them were read to see what the log is */
	bool device;  /* a character device, which may give bytes without end */
};

/* What begins a file that holds a log in another form, and what gets at it. */
static const struct wrapping {
	const char *mark;
	size_t length;
	const char *what;
	const char *how;
	enum packed_kind kind;
} wrappings[] = {
	{ "\x1f\x8b", 2, "packed with gzip", "zcat", PACKED_GZIP },
	{ "\3757zXZ", 5, "packed with xz", "xzcat", PACKED_XZ },
	{ "\x28\xb5\x2f\xfd", 4, "packed with zstd", "zstdcat", PACKED_ZSTD },
	{ "BZh", 3, "packed with bzip2", "bzcat", PACKED_BZIP2 },
	{ "LPKSHHRH", 8, "a journal", "journalctl -k -o short-iso --file", PACKED_NOT },
};

static const struct wrapping *wrapping_of(const struct source *source)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrappings); i++)
		if (source->first >= wrappings[i].length &&
			memcmp(source->buffer, wrappings[i].mark, wrappings[i].length) == 0)
			return &wrappings[i];
	return NULL;
}

/* Waits until there is something to read, or the end. */
static int wait_for(const struct source *source, struct error *err)
{
	struct pollfd waiting = { .fd = source->fd, .events = POLLIN };
	int ready;

	do
		ready = poll(&waiting, 1, KERNEL_LOG_SILENCE_MS);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return error_errno(err, errno, "cannot wait for %s", source->name);
	if (ready == 0)
		return error_set(err, ETIMEDOUT,
			"cannot read %s: nothing came for %d s; give a log that has an end",
			source->name, KERNEL_LOG_SILENCE_MS / 1000);
	return 0;
}

/* At most SIZE bytes into BUFFER; 0 at the end. */
static ssize_t read_some(const struct source *source, char *buffer, size_t size, struct error *err)
{
	for (;;) {
		int status = wait_for(source, err);
		ssize_t got;

		if (status < 0)
			return status;
		got = read(source->fd, buffer, size);
		if (got >= 0)
			return got;
		if (errno != EAGAIN && errno != EINTR)
			return error_errno(err, errno, "cannot read %s", source->name);
	}
}

/* What has been read already comes first. */
static ssize_t read_packed(void *data, char *buffer, size_t size, struct error *err)
{
	struct source *source = data;
	size_t first = source->first < size ? source->first : size;

	if (!first)
		return read_some(source, buffer, size, err);
	memcpy(buffer, source->buffer, first);
	source->first -= first;
	memmove(source->buffer, source->buffer + first, source->first);
	return (ssize_t)first;
}

static int scan_packed(struct source *source, enum packed_kind kind, struct error *err)
{
	memory_cleanup_free char *piece = memory_new(1, PIECE_SIZE);
	struct packed *packed;
	ssize_t got = packed_open(&packed, kind, read_packed, source, err);

	if (got == 0)
		while ((got = packed_read(packed, piece, PIECE_SIZE, err)) > 0)
			source->piece(source->data, piece, (size_t)got);
	packed_close(packed);
	return got == -EBADMSG ? error_prefix(err, (int)got, "%s is damaged", source->name)
			       : (int)got;
}

static bool has_utf16_mark(const struct source *source)
{
	return source->first >= 2 && (memcmp(source->buffer, "\xff\xfe", 2) == 0 ||
					     memcmp(source->buffer, "\xfe\xff", 2) == 0);
}

/*
 * UTF-16, as Windows' shell writes the output of a command, or without its mark: each second byte
 * is a NUL then, because all that a kernel says is ASCII.
 */
static bool is_utf16(const struct source *source)
{
	const char *bytes = source->buffer;

	if (has_utf16_mark(source))
		return true;
	for (size_t i = 2; i < 8; i++)
		if (source->first < 8 || !bytes[i] != !bytes[i - 2])
			return false;
	return !bytes[0] != !bytes[1];
}

static size_t without_nuls(char *bytes, size_t size)
{
	size_t kept = 0;

	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			bytes[kept++] = bytes[i];
	return kept;
}

static int scan_plain(struct source *source, struct error *err)
{
	ssize_t got = (ssize_t)source->first;
	bool utf16 = is_utf16(source);
	uint64_t size = 0;

	if (has_utf16_mark(source))
		source->buffer[0] = source->buffer[1] = '\n';
	while (got > 0) {
		size += (uint64_t)got;
		if (source->device && size > KERNEL_LOG_LIMIT)
			return error_set(err, EFBIG,
				"cannot read %s: it is a device without an end", source->name);
		if (utf16)
			got = (ssize_t)without_nuls(source->buffer, (size_t)got);
		source->piece(source->data, source->buffer, (size_t)got);
		got = read_some(source, source->buffer, PIECE_SIZE, err);
	}
	return (int)got;
}

static int scan(struct source *source, struct error *err)
{
	const struct wrapping *wrapping;
	int status = -ENOSYS;

	/* A pipe may give less than a mark at a time. */
	while (source->first < wrappings[ARRAY_SIZE(wrappings) - 1].length) {
		ssize_t got = read_some(
			source, source->buffer + source->first, PIECE_SIZE - source->first, err);

		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		source->first += (size_t)got;
	}
	wrapping = wrapping_of(source);
	if (!wrapping)
		return scan_plain(source, err);
	if (wrapping->kind != PACKED_NOT)
		status = scan_packed(source, wrapping->kind, err);
	if (status != -ENOSYS)
		return status;
	return error_set(err, EINVAL, "%s is %s, not a text; run: %s %s | ec2hib history --log -",
		source->name, wrapping->what, wrapping->how,
		strcmp(source->path, "-") == 0 ? "FILE" : source->path);
}

int kernel_log_scan(const char *path, kernel_log_piece *piece, void *data, struct error *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	/* O_NONBLOCK: a FIFO that nobody writes to is not waited for here. */
	file_cleanup_close int fd =
		standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
			       : open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct source source = { .fd = fd,
		.path = path,
		.name = standard_input ? "standard input" : path,
		.piece = piece,
		.data = data };
	struct stat about;
	int status;

	if (fd < 0 || fstat(fd, &about) < 0)
		return error_errno(err, errno, "cannot read %s", source.name);
	if (S_ISDIR(about.st_mode))
		return error_set(err, EINVAL, "cannot read %s: it is a folder; name a log in it",
			source.name);
	source.device = S_ISCHR(about.st_mode);
	source.buffer = memory_new(1, PIECE_SIZE);
	status = scan(&source, err);
	free(source.buffer);
	return status;
}
