/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes over a pipe: from another program, or from a child of ours. */
#ifndef EC2HIB_BASE_STREAM_H
#define EC2HIB_BASE_STREAM_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a line that are handed on; what follows is left out, and " ..." says so. */
#define STREAM_LINE_LIMIT 1024

/* One line without its end, made printable as text_printable() does. */
typedef void stream_line(void *data, const char *line);

enum stream_keep { STREAM_KEEP_START, STREAM_KEEP_END };

/*
 * What another program writes to a pipe of ours: its beginning or its end is kept as text, and
 * each line is handed on as it comes, fit for a log.
 */
struct stream {
	int fd;		       /* the reading end, -1 after stream_close() */
	enum stream_keep keep; /* which LIMIT bytes stay in TEXT */
	size_t limit;	       /* 0: none */
	stream_line *line;     /* may be NULL */
	void *data;

	char *text; /* what was kept, with a NUL after LENGTH bytes; NULL: nothing yet */
	size_t length;
	size_t room;
	char part[STREAM_LINE_LIMIT]; /* a line that has not ended yet */
	size_t part_length;
	bool part_cut;
};

/* One read(2). False at the end, or when the pipe cannot be read any more. */
bool stream_read(struct stream *stream);

/* Hands on a last line that has no end, and closes the descriptor. TEXT stays. */
void stream_close(struct stream *stream);

/* stream_close(), and TEXT is freed. */
void stream_free(struct stream *stream);

/*
 * What a child of ours writes to a pipe: lines that are handed on whole and as they are, with what
 * it has found out. {0} at first.
 */
struct lines {
	char *text; /* of a line that has not ended yet */
	size_t length, room;
	bool too_long; /* the rest of that line is passed over */
};

/*
 * Reads what there is on FD, which does not block, and calls TAKE for each line that ends. One that
 * is longer than LIMIT bytes is passed over. False at the end.
 */
bool lines_read(struct lines *lines, int fd, size_t limit,
	void (*take)(void *data, const char *line), void *data);
void lines_free(struct lines *lines);

#endif
