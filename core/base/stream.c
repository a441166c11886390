/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/text.h"

/* What is read at once. */
#define PIECE_LENGTH 4096
#define LINES_LENGTH ((size_t)64 * 1024) /* as much as a pipe holds */

static void line_end(struct stream *stream)
{
	memory_cleanup_free char *line = text_printable(stream->part, stream->part_length);

	if (stream->part_cut)
		text_append(&line, " ...");
	stream->line(stream->data, line);
	stream->part_length = 0;
	stream->part_cut = false;
}

static void lines_take(struct stream *stream, const char *piece, size_t size)
{
	while (size) {
		const char *newline = memchr(piece, '\n', size);
		size_t length = newline ? (size_t)(newline - piece) : size;
		size_t room = sizeof(stream->part) - stream->part_length;
		size_t taken = length < room ? length : room;

		memcpy(stream->part + stream->part_length, piece, taken);
		stream->part_length += taken;
		if (taken < length)
			stream->part_cut = true;
		if (!newline)
			return;
		line_end(stream);
		piece += length + 1;
		size -= length + 1;
	}
}

/* Room for LENGTH bytes and a NUL, grown by doubling: most programs write a line or nothing. */
static void text_reserve(struct stream *stream, size_t length)
{
	if (length < stream->room)
		return;
	if (!stream->room)
		stream->room = 256;
	while (stream->room <= length)
		stream->room *= 2;
	stream->text = realloc(stream->text, stream->room);
	if (!stream->text)
		abort();
}

/* Makes room for SIZE bytes, at most LIMIT, by dropping what is oldest. */
static void text_drop(struct stream *stream, size_t size)
{
	size_t stay = stream->limit - size;

	if (stay >= stream->length)
		return;
	memmove(stream->text, stream->text + stream->length - stay, stay);
	stream->length = stay;
}

static void text_take(struct stream *stream, const char *piece, size_t size)
{
	if (stream->keep == STREAM_KEEP_END) {
		if (size > stream->limit) {
			piece += size - stream->limit;
			size = stream->limit;
		}
		text_drop(stream, size);
	} else if (size > stream->limit - stream->length) {
		size = stream->limit - stream->length;
	}
	if (size == 0)
		return;
	text_reserve(stream, stream->length + size);
	memcpy(stream->text + stream->length, piece, size);
	stream->length += size;
	stream->text[stream->length] = '\0';
}

bool stream_read(struct stream *stream)
{
	char piece[PIECE_LENGTH];
	ssize_t got = read(stream->fd, piece, sizeof(piece));

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (got == 0)
		return false;
	if (stream->limit)
		text_take(stream, piece, (size_t)got);
	if (stream->line)
		lines_take(stream, piece, (size_t)got);
	return true;
}

void stream_close(struct stream *stream)
{
	if (stream->line && (stream->part_length || stream->part_cut))
		line_end(stream);
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

void stream_free(struct stream *stream)
{
	stream_close(stream);
	free(stream->text);
	stream->text = NULL;
	stream->length = stream->room = 0;
}

/* ---- Lines of a child of ours ---------------------------------------------------------------- */

/* Hands on the lines that have ended; the end of one that was too long is passed over. */
static void lines_hand_on(
	struct lines *lines, void (*take)(void *data, const char *line), void *data)
{
	char *line = lines->text, *end;
	size_t left = lines->length;

	while (left && (end = memchr(line, '\n', left))) {
		*end = '\0';
		if (!lines->too_long)
			take(data, line);
		lines->too_long = false;
		left -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(lines->text, line, left);
	lines->length = left;
}

bool lines_read(struct lines *lines, int fd, size_t limit,
	void (*take)(void *data, const char *line), void *data)
{
	for (;;) {
		ssize_t got;

		if (lines->room < lines->length + LINES_LENGTH) {
			lines->room = lines->length + LINES_LENGTH;
			lines->text = realloc(lines->text, lines->room);
			if (!lines->text)
				abort();
		}
		got = read(fd, lines->text + lines->length, LINES_LENGTH);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 && errno == EAGAIN;
		lines->length += (size_t)got;
		lines_hand_on(lines, take, data);
		if (lines->length > limit) {
			lines->too_long = true;
			lines->length = 0;
		}
	}
}

void lines_free(struct lines *lines)
{
	free(lines->text);
	*lines = (struct lines) { 0 };
}
