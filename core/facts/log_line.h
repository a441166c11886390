/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One line of a kernel log: what was put in front of the kernel's words, and the words.
 *
 * In front may be, in any order that somebody's tools came up with: a file's name (grep), a
 * priority (<6>), the facility and level of dmesg -x, the kernel's clock with dmesg's delta and the
 * caller ([   12.345678 <    0.000012>] [T123]), a date (dmesg -T, -e, --time-format iso; ts(1); a
 * terminal program), what syslog and journalctl write in any of their formats and locales (RFC
 * 3164, RFC 5424, short-full, short-unix, short-monotonic), or the head of a /dev/kmsg record
 * (6,123,12345678,-;).
 */
#ifndef EC2HIB_FACTS_LOG_LINE_H
#define EC2HIB_FACTS_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's own lines are shorter (LOG_LINE_MAX is 1 KiB less the head); the rest is cut. */
#define LOG_LINE_SIZE 1280

#define LOG_STAMP_SIZE 48
#define LOG_HOST_SIZE  65 /* HOST_NAME_MAX, and a NUL */

struct log_line {
	char text[LOG_LINE_SIZE]; /* printable ASCII; other bytes show as '?' */
	const char *message;	  /* in text */
	const char
		*after_name; /* what follows what may be a file's name, or a number; NULL: none */
	bool kernel;	     /* something in front says that it is the kernel's */
	bool other;	     /* MESSAGE seems to begin with a host and another program */
	char host[LOG_HOST_SIZE];   /* "" without */
	char stamp[LOG_STAMP_SIZE]; /* date and time as they stand there; "" without */
	bool has_time;
	int64_t time; /* of the stamp, to compare: seconds, of an unknown year where it has none */
	bool has_clock;
	uint64_t clock; /* milliseconds of the kernel's clock */
};

/* Takes the line from LENGTH bytes at START, without its newline. */
void log_line_read(struct log_line *line, const char *start, size_t length);

/*
 * What follows the next mark after TEXT that separates fields, in a line that is of no known form:
 * CSV, logfmt (msg="..."), the labels of Loki ({job="kern"} ...). NULL: there is none.
 */
const char *log_line_next_field(const struct log_line *line, const char *text);

/*
 * The decimal number that TEXT begins with, times 10 to the power of DIGITS, further digits cut
 * off: "12.345" is 12345 with 3. True, with what follows it in *REST; false where there is none or
 * it is beyond what a log could mean.
 */
bool log_decimal(const char *text, unsigned digits, uint64_t *value, const char **rest);

#endif
