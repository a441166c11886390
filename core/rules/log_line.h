/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One line of a kernel log: what was put in front of the kernel's words, and the words.
 *
 * In front may be a priority (<6>), the kernel's clock ([   12.345678]) with the caller
 * ([T123]), a date (dmesg -T), what syslog and journalctl write (Nov 21 13:00:02 host kernel: , also
 * with ISO dates), or the head of a /dev/kmsg record (6,123,12345678,-;).
 */
#ifndef EC2HIB_RULES_LOG_LINE_H
#define EC2HIB_RULES_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's own lines are shorter (LOG_LINE_MAX is 1 KiB less the head); the rest is cut. */
#define LOG_LINE_SIZE 1024

#define LOG_STAMP_SIZE 40

struct log_line {
	char text[LOG_LINE_SIZE];   /* printable ASCII; other bytes show as '?' */
	const char *message;	    /* in text; NULL when the line is not the kernel's */
	char stamp[LOG_STAMP_SIZE]; /* date and time as they stand there; "" without */
	bool has_clock;
	uint64_t clock; /* milliseconds of the kernel's clock */
};

/* Takes the line from LENGTH bytes at START, without its newline. */
void log_line_read(struct log_line *line, const char *start, size_t length);

/*
 * The decimal number that TEXT begins with, times 10 to the power of DIGITS, further digits cut
 * off: "12.345" is 12345 with 3. True, with what follows it in *REST; false where there is none or
 * it is beyond what a log could mean.
 */
bool log_decimal(const char *text, unsigned digits, uint64_t *value, const char **rest);

#endif
