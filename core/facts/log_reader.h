/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel log in pieces, as they are read, made into lines of the kernel.
 *
 * Beside plain lines (core/facts/log_line.h) it knows what holds lines in other forms:
 *	journalctl -o json, json-pretty, json-sse, json-seq, export and verbose;
 *	dmesg -J;
 *	aws ec2 get-console-output with its JSON or YAML, and the API's XML, the output plain or in base64;
 *	other JSON that has a line of a log as "message", "log" and the like (CloudWatch, Docker, rsyslog).
 * What has several lines of such a form is put together first (core/facts/log_block.h).
 *
 * Memory is bounded by one line, whatever the log's size. So that a log of any size passes quickly,
 * whoever wants the lines says of each, before anything is made of it, whether it may matter.
 */
#ifndef EC2HIB_FACTS_LOG_READER_H
#define EC2HIB_FACTS_LOG_READER_H

#include "core/facts/log_line.h"

struct log_taker {
	/* The first of these bytes where something may matter, NULL: nothing does. Of lines, or of one that
	 * is in JSON's quotes. */
	const char *(*find)(void *data, const char *text, size_t length);
	/*
	 * A line that may be the kernel's; the taker may change LINE, which is gone when it
	 * returns.
	 */
	void (*take)(void *data, struct log_line *line);
	void *data;
};

struct log_reader;

/* TAKER has to last as long. log_reader_end() ends it. */
struct log_reader *log_reader_begin(const struct log_taker *taker);
void log_reader_feed(struct log_reader *reader, const char *bytes, size_t size);
/* Hands on a last line without an end, and frees it. */
void log_reader_end(struct log_reader *reader);

#endif
