/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/rules/log_line.h"

#include <ctype.h>
#include <string.h>

/* JSON's whole numbers and those of other programs are exact up to here. */
#define VALUE_MAX ((uint64_t)1 << 53)

/* "kernel:" stands behind a date and the name of a host, which has 64 characters at most. */
#define SYSLOG_HEAD_MAX 160

#define CLOCK_DIGITS 3 /* milliseconds */

bool log_decimal(const char *text, unsigned digits, uint64_t *value, const char **rest)
{
	uint64_t number = 0;

	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text); text++) {
		number = number * 10 + (uint64_t)(*text - '0');
		if (number > VALUE_MAX)
			return false;
	}
	if (digits && *text == '.')
		text++;
	for (; digits; digits--) {
		unsigned digit = 0;

		if (isdigit((unsigned char)*text))
			digit = (unsigned)(*text++ - '0');
		number = number * 10 + digit;
		if (number > VALUE_MAX)
			return false;
	}
	*value = number;
	if (rest) {
		while (isdigit((unsigned char)*text))
			text++;
		*rest = text;
	}
	return true;
}

static void set_stamp(struct log_line *line, const char *start, size_t length)
{
	if (length >= sizeof(line->stamp))
		length = sizeof(line->stamp) - 1;
	memcpy(line->stamp, start, length);
	line->stamp[length] = '\0';
}

/* [   12.345678] or [12.3]: what follows it, or NULL. */
static const char *take_clock(struct log_line *line, const char *text)
{
	uint64_t clock;

	if (*text != '[')
		return NULL;
	text += 1 + strspn(text + 1, " ");
	if (!log_decimal(text, CLOCK_DIGITS, &clock, &text) || *text != ']')
		return NULL;
	line->has_clock = true;
	line->clock = clock;
	return text + 1;
}

/* [T123], [    C0] (the caller) or [Sat Nov 21 13:00:02 2026] (dmesg -T). */
static const char *take_bracket(struct log_line *line, const char *text)
{
	const char *end = *text == '[' ? strchr(text, ']') : NULL;
	const char *inside = text + 1 + strspn(text + 1, " ");
	size_t length = end ? strcspn(inside, "]") : 0;

	if (!end || end - text > LOG_STAMP_SIZE)
		return NULL;
	if (length > 1 && strchr("TC", *inside) && strspn(inside + 1, "0123456789") == length - 1)
		return end + 1;
	if (length < 20 || !memchr(inside, ':', length))
		return NULL;
	set_stamp(line, inside, length);
	return end + 1;
}

/* All that stands in brackets in front. NULL when there is none. */
static const char *take_brackets(struct log_line *line, const char *text)
{
	const char *message = NULL;

	for (const char *next = text; next; next += *next == ' ') {
		text = next;
		next = take_clock(line, text);
		if (!next)
			next = take_bracket(line, text);
		if (!next)
			break;
		message = next + (*next == ' ');
	}
	return message;
}

/* 6,123,45678901,-;text. A record's properties begin with a space, and are not for us. */
static const char *take_record(struct log_line *line, const char *text)
{
	uint64_t value;

	for (int field = 0; field < 3; field++) {
		if (!log_decimal(text, 0, &value, &text) || *text++ != ',')
			return NULL;
	}
	text = strchr(text, ';');
	if (!text)
		return NULL;
	line->has_clock = true;
	line->clock = value / 1000;
	return text + 1;
}

/*
 * Nov 21 13:00:02 or 2026-11-21T13:00:02+0000, behind it a host and a program. True when the line
 * begins so; *MESSAGE is what follows when the program is the kernel, and NULL otherwise.
 */
static bool take_syslog(struct log_line *line, const char *text, const char **message)
{
	size_t stamp = strcspn(text, " ");
	const char *program;

	*message = NULL;
	if (stamp >= 19 && text[4] == '-' && text[10] == 'T')
		set_stamp(line, text, stamp);
	else if (strlen(text) > 16 && isalpha((unsigned char)*text) && text[3] == ' ' &&
		 text[9] == ':' && text[12] == ':')
		set_stamp(line, text, stamp = 15);
	else
		return false;
	program = strstr(text + stamp, " kernel: ");
	if (program && program - text < SYSLOG_HEAD_MAX &&
		!memmem(text + stamp, (size_t)(program - text) - stamp + 1, ": ", 2))
		*message = program + strlen(" kernel: ");
	return true;
}

/* The clock in the middle of a line: a console has other output, without a newline, in front. */
static const char *find_clock(struct log_line *line, const char *text)
{
	for (; (text = strchr(text, '[')); text++) {
		const char *message = take_clock(line, text);

		if (message)
			return take_brackets(line, text);
	}
	return NULL;
}

static const char *find_message(struct log_line *line)
{
	const char *text = line->text, *message;

	if (*text == '<' && isdigit((unsigned char)text[1])) {
		text += strcspn(text, ">");
		text += *text == '>';
	}
	message = take_record(line, text);
	if (message)
		return message;
	if (take_syslog(line, text, &message)) {
		const char *inner = message ? take_brackets(line, message) : NULL;

		return inner ? inner : message;
	}
	message = take_brackets(line, text);
	if (!message)
		message = find_clock(line, text);
	return message ? message : text;
}

void log_line_read(struct log_line *line, const char *start, size_t length)
{
	if (length >= sizeof(line->text))
		length = sizeof(line->text) - 1;
	for (size_t i = 0; i < length; i++) {
		char c = start[i];

		if (c == '\t')
			c = ' ';
		line->text[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	while (length && (start[length - 1] == '\r' || start[length - 1] == ' '))
		length--;
	line->text[length] = '\0';
	*line->stamp = '\0';
	line->has_clock = false;
	line->clock = 0;
	line->message = find_message(line);
}
