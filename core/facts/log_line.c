/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/log_line.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/text.h"

/* JSON's whole numbers and those of other programs are exact up to here. */
#define VALUE_MAX ((uint64_t)1 << 53)

#define CLOCK_DIGITS 3 /* milliseconds */

/* A date and time, with a weekday and a year, ends before here; so does a file's name. */
#define STAMP_HEAD_MAX 40
#define FILE_NAME_MAX  256

#define DECORATIONS_MAX 8

#define DAY_SECONDS ((int64_t)86400)

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

/* ---- Dates ---- */

static bool is_time(const char *text)
{
	return isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]) &&
	       text[2] == ':' && isdigit((unsigned char)text[3]) &&
	       isdigit((unsigned char)text[4]) && text[5] == ':' &&
	       isdigit((unsigned char)text[6]) && isdigit((unsigned char)text[7]);
}

static bool is_date(const char *text)
{
	return strspn(text, "0123456789") == 4 && strchr("-/", text[4]) &&
	       strspn(text + 5, "0123456789") == 2 && text[7] == text[4] &&
	       strspn(text + 8, "0123456789") == 2;
}

static unsigned two_digits(const char *text)
{
	return (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
}

/*
 * Days since 1970-01-01 of the Gregorian calendar; of a year that is not known, 0, they only
 * compare.
 */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	if (month < 3) {
		year--;
		month += 12;
	}
	return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day -
	       719469;
}

/* The English name of a month that TEXT begins with: 1 to 12, or 0. */
static unsigned month_of(const char *text)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (unsigned i = 0; i < 12; i++)
		if ((*text | ' ') == (names[3 * i] | ' ') &&
			strncasecmp(text, names + 3 * i, 3) == 0)
			return i + 1;
	return 0;
}

/*
 * The date in the HEAD of a stamp whose time of day is at TIME: 2026-11-21, or a month and a day
 * with or without a year. One in another language has no place in time, only its words.
 */
static void set_time(struct log_line *line, const char *head, const char *time, const char *tail)
{
	unsigned month = 0, day = 0;
	int64_t year = 0, zone = 0;

	for (const char *p = head; p < time; p++) {
		if (p > head && p[-1] != ' ')
			continue;
		if (is_date(p)) {
			year = two_digits(p) * 100 + two_digits(p + 2);
			month = two_digits(p + 5);
			day = two_digits(p + 8);
		} else if (month_of(p)) {
			month = month_of(p);
		} else if (isdigit((unsigned char)*p) && strspn(p, "0123456789") <= 2) {
			day = isdigit((unsigned char)p[1]) ? two_digits(p) : (unsigned)(*p - '0');
		}
	}
	/* ctime(3) has the year at the end. */
	if (!year && *tail == ' ' && strspn(tail + 1, "0123456789") == 4)
		year = two_digits(tail + 1) * 100 + two_digits(tail + 3);
	if (*tail && strchr("+-", *tail) && isdigit((unsigned char)tail[1]) &&
		isdigit((unsigned char)tail[2])) {
		const char *minutes = tail + 3 + (tail[3] == ':');

		zone = two_digits(tail + 1) * 3600;
		if (isdigit((unsigned char)minutes[0]) && isdigit((unsigned char)minutes[1]))
			zone += two_digits(minutes) * 60;
		zone = *tail == '-' ? -zone : zone;
	}
	if (month < 1 || month > 12 || day < 1 || day > 31)
		return;
	line->has_time = true;
	line->time = days_of(year, month, day) * DAY_SECONDS + two_digits(time) * 3600 +
		     two_digits(time + 3) * 60 + two_digits(time + 6) - zone;
}

static void set_stamp(struct log_line *line, const char *start, const char *end)
{
	size_t length = (size_t)(end - start);

	if (length >= sizeof(line->stamp))
		length = sizeof(line->stamp) - 1;
	memcpy(line->stamp, start, length);
	line->stamp[length] = '\0';
}

/* What follows the time of day: a fraction, and a zone that is joined to it. */
static const char *after_time(const char *time)
{
	const char *text = time + strlen("13:00:02");

	if ((*text == '.' || *text == ',') && isdigit((unsigned char)text[1]))
		text += 1 + strspn(text + 1, "0123456789");
	if (*text == 'Z')
		return text + 1;
	if ((*text == '+' || *text == '-') && isdigit((unsigned char)text[1]))
		text += 1 + strspn(text + 1, "0123456789:");
	return text;
}

/*
 * What date(1) and others put after the time of day: " PM", the zone, the year; TAIL where it is
 * none of these. A word is one only where another one follows, or "PM: " would be taken for the
 * afternoon.
 */
static const char *after_zone_and_year(const char *tail)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t length;

	if (text_starts(tail, " AM ") || text_starts(tail, " PM "))
		tail += strlen(" AM");
	length = *tail == ' ' ? strspn(tail + 1, letters) : 0;
	if (length >= 2 && length <= 5 && tail[1 + length] == ' ' &&
		strspn(tail + 2 + length, "0123456789") == 4)
		tail += 1 + length;
	if (*tail == ' ' && strspn(tail + 1, "0123456789") == 4 && tail[5] == ' ')
		tail += 5;
	return tail;
}

/* What no date has in front of its time of day. */
static const bool no_date[UCHAR_MAX + 1] = { ['\0'] = true,
	['['] = true,
	[']'] = true,
	['<'] = true,
	['>'] = true,
	['{'] = true,
	['}'] = true,
	['('] = true,
	[')'] = true,
	['='] = true,
	[';'] = true,
	[':'] = true,
	['"'] = true,
	['\''] = true,
	['|'] = true };

/*
 * A date and time in front of TEXT: at most four words, the last of them the time of day, in any
 * language (journalctl follows LC_TIME); also the time alone. What follows it, or NULL.
 */
static const char *take_date(struct log_line *line, const char *text)
{
	const char *time = text, *end, *tail;
	unsigned words = 0;

	for (; !is_time(time) && time - text < STAMP_HEAD_MAX; time++) {
		if (no_date[(unsigned char)*time] ||
			(*time == '/' && !isdigit((unsigned char)time[1])))
			return NULL;
		if (*time == ' ' && time[1] != ' ' && ++words > 4)
			return NULL;
	}
	if (!is_time(time))
		return NULL;
	if (time > text && time[-1] != ' ' && !(strchr("T_", time[-1]) && time - text == 11))
		return NULL;
	tail = after_time(time);
	for (end = time; end < tail && !strchr("Z+-", *end); end++)
		;
	/* journalctl -o short-full: Sat 2026-11-28 13:00:15 UTC host */
	if (time - text > 11 && is_date(time - 11) && *tail == ' ') {
		size_t zone = strspn(tail + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ+-0123456789");

		if (zone >= 2 && zone <= 6 && tail[1 + zone] == ' ')
			tail += 1 + zone;
	}
	tail = after_zone_and_year(tail);
	if (*tail && !strchr(" :]", *tail))
		return NULL;
	set_time(line, text, time, end);
	set_stamp(line, text, tail);
	return tail + (*tail == ':');
}

/* ---- Brackets ---- */

/* [   12.345678], [12.3] or [   12.345678 <    0.000012>]: what follows it, or NULL. */
static const char *take_clock(struct log_line *line, const char *text)
{
	uint64_t clock;

	if (*text != '[')
		return NULL;
	text += 1 + strspn(text + 1, " ");
	/* A number without a fraction is a process: systemd[1]. */
	if (text[strspn(text, "0123456789")] != '.' ||
		!log_decimal(text, CLOCK_DIGITS, &clock, &text))
		return NULL;
	if (text[0] == ' ' && text[1] == '<') {
		text += 2 + strspn(text + 2, " +.0123456789");
		if (*text++ != '>')
			return NULL;
	}
	text += strspn(text, " ");
	if (*text != ']')
		return NULL;
	line->has_clock = true;
	line->clock = clock;
	return text + 1;
}

/*
 * [T123], [    C0], [T1@C0], [  123] (the caller), [kernel], [  +0.000012], [Nov21 13:00],
 * [Sat Nov 21 13:00:02 2026].
 */
static const char *take_bracket(struct log_line *line, const char *text)
{
	const char *end = *text == '[' ? strchr(text, ']') : NULL;
	const char *inside = text + 1 + strspn(text + 1, " ");
	const char *after;
	size_t length = end ? strcspn(inside, "]") : 0;

	if (!end || end - text > LOG_STAMP_SIZE)
		return NULL;
	if (length > 1 && strchr("TC", *inside) && isdigit((unsigned char)inside[1]) &&
		!memchr(inside, ' ', length))
		return end + 1;
	if (line->has_clock && length && strspn(inside, "0123456789") == length)
		return end + 1;
	if (text_starts(inside, "kernel]")) {
		line->kernel = true;
		return end + 1;
	}
	if (*inside == '+' && length > 1 && strspn(inside + 1, ".0123456789") == length - 1)
		return end + 1;
	if (*inside == '<' && strspn(inside + 1, " +.0123456789>") == length - 1)
		return end + 1;
	if (month_of(inside) && length == strlen("Nov21 13:00") && inside[8] == ':') {
		set_stamp(line, inside, end);
		return end + 1;
	}
	after = take_date(line, inside);
	if (!after)
		return NULL;
	set_stamp(line, inside, end);
	return end + 1;
}

/* ---- The rest of what stands in front ---- */

/*
 * 6,123,12345678,-;WORDS, as /dev/kmsg gives them; netconsole may have the kernel's release in
 * front.
 */
static const char *take_record(struct log_line *line, const char *text)
{
	uint64_t priority, sequence, clock;

	if (text[strspn(text, "0123456789")] == '.' && strchr(text, ','))
		text = strchr(text, ',') + 1;
	if (!log_decimal(text, 0, &priority, &text) || *text != ',' ||
		!log_decimal(text + 1, 0, &sequence, &text) || *text != ',' ||
		!log_decimal(text + 1, 0, &clock, &text) || *text != ',')
		return NULL;
	text = strchr(text, ';');
	if (!text)
		return NULL;
	line->has_clock = true;
	line->clock = clock / 1000;
	line->kernel = true;
	return text + 1;
}

/* <6>, and the version of RFC 5424 after it */
static const char *take_priority(const char *text)
{
	size_t digits = *text == '<' ? strspn(text + 1, "0123456789") : 0;

	if (!digits || text[1 + digits] != '>')
		return NULL;
	text += 2 + digits;
	return text_starts(text, "1 ") && is_date(text + 2) ? text + 2 : text;
}

/*
 * One of NAMES that TEXT begins with, padded with spaces and ended by a colon; what follows, or
 * NULL.
 */
static const char *after_padded(const char *text, const char *const *names)
{
	for (; *names; names++) {
		const char *end = text + strlen(*names);

		if (*text != **names || !text_starts(text, *names))
			continue;
		end += strspn(end, " ");
		if (*end == ':')
			return end + 1;
	}
	return NULL;
}

/* kern  :info  : as dmesg -x writes it; of other facilities the words are no kernel's. */
static const char *take_facility(const char *text, bool *other)
{
	static const char *const facilities[] = { "kern", "user", "mail", "daemon", "auth",
		"syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "local0", "local1",
		"local2", "local3", "local4", "local5", "local6", "local7", NULL };
	static const char *const levels[] = { "emerg", "alert", "crit", "err", "warn", "notice",
		"info", "debug", NULL };
	const char *level = after_padded(text, facilities);
	const char *rest = level ? after_padded(level, levels) : NULL;

	if (rest)
		*other = !text_starts(text, "kern");
	return rest;
}

/* kern.info, with a colon or without: what follows it, or NULL. */
static const char *take_selector(struct log_line *line, const char *text)
{
	size_t length;

	if (!text_starts(text, "kern."))
		return NULL;
	length = strlen("kern.") + strspn(text + strlen("kern."), "abcdefghijklmnopqrstuvwxyz");
	length += text[length] == ':';
	if (text[length] != ' ')
		return NULL;
	line->kernel = true;
	return text + length;
}

/*
 * stdout F, as the runtimes of containers write it after the date (Kubernetes, CRI): what follows
 * it.
 */
static const char *take_stream(struct log_line *line, const char *text)
{
	if (!text_starts(text, "stdout ") && !text_starts(text, "stderr "))
		return NULL;
	text += strlen("stdout ");
	if (!strchr("FP", *text) || text[1] != ' ')
		return NULL;
	line->kernel = true;
	return text + 1;
}

/* @4000000065f1a2b30000000, the clock of daemontools (TAI64N): what follows it. */
static const char *take_tai64(const char *text)
{
	size_t digits = *text == '@' ? strspn(text + 1, "0123456789abcdef") : 0;

	return digits == 24 && text[1 + digits] == ' ' ? text + 1 + digits : NULL;
}

/* 1764334815.657435, as journalctl -o short-unix writes it: behind it come host and program. */
static const char *take_unix(struct log_line *line, const char *text)
{
	size_t digits = strspn(text, "0123456789"), fraction;
	uint64_t seconds;

	if (digits < 9 || digits > 11)
		return NULL;
	fraction = text[digits] == '.' ? 1 + strspn(text + digits + 1, "0123456789") : 0;
	if (text[digits + fraction] != ' ' || !log_decimal(text, 0, &seconds, NULL))
		return NULL;
	set_stamp(line, text, text + digits + fraction);
	line->has_time = true;
	line->time = (int64_t)seconds;
	return text + digits + fraction;
}

static bool is_program(char c)
{
	return isalnum((unsigned char)c) || strchr("_./@()-+", c);
}

/* PROGRAM[123]: ; its length with the colon, 0: none. */
static size_t program_length(const char *text)
{
	size_t length = 0;

	while (text[length] && is_program(text[length]))
		length++;
	if (length && text[length] == '[')
		length += strcspn(text + length, "]") + 1;
	return length && text[length] == ':' && text[length + 1] == ' ' ? length + 1 : 0;
}

/* kernel - - - : name, process, kind and data of RFC 5424; what follows them, NULL: it is none. */
static const char *after_rfc5424(const char *text)
{
	if (!text_starts(text, "kernel ") || !strchr("-0123456789", text[strlen("kernel ")]))
		return NULL;
	for (int i = 0; i < 3; i++) {
		text += strcspn(text, " ");
		if (*text++ != ' ')
			return NULL;
	}
	if (*text == '-')
		return text + 1;
	if (*text != '[')
		return NULL;
	while (*text == '[') {
		text = strchr(text, ']');
		if (!text++)
			return NULL;
	}
	return text;
}

/*
 * The host and "kernel:", in the ways of syslog: "host kernel: ", "kernel: ",
 * "host kern.info kernel: " (busybox), "host kernel - - - " (RFC 5424). *OTHER: it is another
 * program's line.
 */
static const char *take_program(struct log_line *line, const char *text, bool *other)
{
	const char *program = text, *rest;
	size_t host = 0, length;

	if (!text_starts(text, "kernel: ")) {
		host = strcspn(text, " :[{}=\"");
		if (!host || host >= LOG_HOST_SIZE || text[host] != ' ')
			return NULL;
		program = text + host + strspn(text + host, " ");
	}
	if (host && strcspn(program, ". ") < strcspn(program, " :") &&
		text_starts(program + strcspn(program, " "), " kernel: "))
		program += strcspn(program, " ") + 1;
	length = program_length(program);
	rest = after_rfc5424(program);
	if (rest) {
		program = rest;
		length = 0;
	} else if (host && take_selector(line, program)) {
		program = take_selector(line, program);
		length = 0;
	} else if (!length) {
		return NULL;
	} else if (!text_starts(program, "kernel:") && !text_starts(program, "kernel[")) {
		*other = true;
		return NULL;
	}
	memcpy(line->host, text, host);
	line->host[host] = '\0';
	line->kernel = true;
	return program + length;
}

/* Takes off one thing that stands in front. NULL: there is none. */
static const char *take_head(struct log_line *line, const char *text)
{
	bool dated = *line->stamp || line->has_clock, number = isdigit((unsigned char)*text);
	const char *rest = take_priority(text);

	if (!rest && number && !line->has_clock)
		rest = take_record(line, text);
	if (!rest && *text == '[') {
		rest = take_clock(line, text);
		rest = rest ? rest : take_bracket(line, text);
		if (rest)
			line->kernel = line->kernel || line->has_clock;
	}
	/* A second date is that of the log, after the one of whoever passed it on. */
	if (!rest && number && !line->kernel)
		rest = take_unix(line, text);
	if (!rest && !line->kernel)
		rest = take_date(line, text);
	if (!rest && !line->has_clock)
		rest = take_facility(text, &line->other);
	if (!rest && *text == 'k' && !line->kernel)
		rest = take_selector(line, text);
	if (!rest && *text == 's' && *line->stamp && !line->kernel)
		rest = take_stream(line, text);
	if (!rest && *text == '@')
		rest = take_tai64(text);
	if (!rest && !*line->host && (dated || text_starts(text, "kernel: ")))
		rest = take_program(line, text, &line->other);
	return rest;
}

/* All that stands in front of the words; TEXT where nothing does. */
static const char *take_heads(struct log_line *line, const char *text)
{
	for (const char *rest = text; rest && !line->other;) {
		text = rest + strspn(rest, " ");
		rest = take_head(line, text);
	}
	return text;
}

/*
 * grep's: "/var/log/messages:", with the number of the line perhaps, or "-" in place of the colon.
 */
static const char *after_file_name(const char *text)
{
	size_t length = strcspn(text, ": ");

	if (text[length] != ':' || length > FILE_NAME_MAX || !text[length + 1] ||
		text[length + 1] == ' ' || !length)
		return NULL;
	text += length + 1;
	length = strspn(text, "0123456789");
	return length && text[length] == ':' && !is_time(text) ? text + length + 1 : text;
}

/*
 * host: Nov 28 13:00:15, as those write it who run a command on many machines (clush, pdsh, dsh).
 */
static const char *after_machine(struct log_line *line, const char *text)
{
	size_t length = strcspn(text, ": ");
	const char *rest = text + length + 2;

	if (!length || length >= LOG_HOST_SIZE || text[length] != ':' || text[length + 1] != ' ' ||
		!take_date(line, rest))
		return NULL;
	return rest;
}

/* Marks of quotations and lists, and numbers of lines as cat -n, nl and web pages write them. */
static const char *after_decoration(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits && digits < 8 && strchr(" |.)", text[digits]) && text[digits + 1] == ' ')
		return text + digits + 1;
	if (digits && digits < 8 && text[digits] == ' ')
		return text + digits;
	if (digits && text_starts(text + digits, "|"))
		return text + digits + 1;
	if (*text && strchr(">|+\"'`", *text))
		return text + 1;
	return text_starts(text, "- ") || text_starts(text, "* ") ? text + 1 : NULL;
}

/* Not a time, a number of seconds, or a file's name. */
static bool is_host(const char *text, size_t length)
{
	size_t digits = strspn(text, "0123456789");

	return length && length < LOG_HOST_SIZE && !is_time(text) && !is_date(text) && digits < 4 &&
	       !memchr(text, '/', length);
}

/*
 * The clock, or "kernel: ", in the middle of a line: a console has other output, without a newline,
 * in front; a collector of logs has names of its own. After the name of a program it is that one's
 * word.
 */
static const char *find_kernel(struct log_line *line, const char *text)
{
	static const char name[] = "kernel: ";
	bool program = false;

	for (const char *p = text; *p; p++) {
		if (*p == '[' && (!program || !*line->stamp) && take_clock(line, p)) {
			line->kernel = true;
			return take_heads(line, p);
		}
		if (*p == 'k' && !program && (p == text || p[-1] == ' ') && text_starts(p, name)) {
			const char *host = p;

			while (host > text && host[-1] == ' ')
				host--;
			for (text = p, p = host; host > line->text && host[-1] != ' '; host--)
				;
			if (is_host(host, (size_t)(p - host))) {
				memcpy(line->host, host, (size_t)(p - host));
				line->host[p - host] = '\0';
			}
			line->kernel = true;
			return take_heads(line, text + strlen(name));
		}
		program = program || (p[0] == ':' && p[1] == ' ');
	}
	return NULL;
}

static const char *find_message(struct log_line *line)
{
	const char *text = line->text + strspn(line->text, " ");
	const char *message = take_heads(line, text), *rest;

	for (unsigned i = 0; i < DECORATIONS_MAX && message == text; i++) {
		rest = after_decoration(text);
		if (!rest)
			break;
		text = rest + strspn(rest, " ");
		message = take_heads(line, text);
	}
	if (message != text && (line->kernel || line->other))
		return message;
	rest = message == text ? after_machine(line, text) : NULL;
	if (rest)
		return take_heads(line, rest);
	rest = message == text ? after_file_name(text) : NULL;
	if (rest) {
		const char *after_heads = take_heads(line, rest);

		if (line->kernel || *line->stamp)
			return after_heads;
		line->after_name = rest;
	}
	rest = line->other ? NULL : find_kernel(line, message);
	return rest ? rest : message;
}

const char *log_line_next_field(const struct log_line *line, const char *text)
{
	static const char *const names[] = { "msg=\"", "message=\"", "MESSAGE=\"", "log=\"",
		"line=\"" };
	bool table = isdigit((unsigned char)line->text[*line->text == '"']);

	for (; *text; text++) {
		if (*text == ',' && table)
			return text + 1 + (text[1] == '"');
		if (*text == '|' && text[1] == ' ')
			return text + 1;
		if (*text == '}' && text[1] == ' ' && *line->stamp)
			return text + 1;
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (*text == *names[i] && text_starts(text, names[i]))
				return text + strlen(names[i]);
	}
	return NULL;
}

/* The bytes of an escape sequence (ECMA-48: CSI, OSC and the short ones), 1: only the ESC. */
static size_t escape_length(const char *text, size_t length)
{
	size_t i = 2;

	if (length < 2)
		return 1;
	if (text[1] == '[') {
		while (i < length && (unsigned char)text[i] >= 0x20 &&
			(unsigned char)text[i] < 0x40)
			i++;
		return i < length ? i + 1 : length;
	}
	if (strchr("()*+#%", text[1])) /* a set of characters */
		return length < 3 ? length : 3;
	if (text[1] != ']')
		return 2;
	while (i < length && text[i] != '\a' && text[i] != '\033')
		i++;
	if (i + 1 < length && text[i] == '\033')
		i++;
	return i < length ? i + 1 : length;
}

/*
 * The bytes of a colour whose ESC was made visible (cat -v, less, a program's source) or got lost
 * on the way: ^[[32m, ESC[32m, \033[32m, [32m. 0: it is none.
 */
static size_t colour_length(const char *text, size_t length)
{
	static const char *const escapes[] = { "^[[", "ESC[", "\\033[", "\\x1b[", "\\e[",
		"\\u001b[", "?[", "[" };

	for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
		size_t size = strlen(escapes[i]);

		if (*text != *escapes[i] || length <= size || memcmp(text, escapes[i], size) != 0)
			continue;
		while (size < length && size < 16 &&
			(isdigit((unsigned char)text[size]) || text[size] == ';'))
			size++;
		if (size < length && (text[size] == 'm' || text[size] == 'K') &&
			(text[size - 1] != '[' || *text != '['))
			return size + 1;
	}
	return 0;
}

/*
 * The bytes of a character that is a space, or none at all: *SHOWN is what to take for it, or '\0'.
 */
static size_t blank_length(const char *text, size_t length, char *shown)
{
	static const struct {
		const char *bytes;
		char shown;
	} blanks[] = { { "\t", ' ' }, { "\302\240", ' ' }, { "\357\273\277", '\0' },
		{ "\342\200\213", '\0' } };

	for (size_t i = 0; i < ARRAY_SIZE(blanks); i++) {
		size_t size = strlen(blanks[i].bytes);

		if (length >= size && memcmp(text, blanks[i].bytes, size) == 0) {
			*shown = blanks[i].shown;
			return size;
		}
	}
	return 0;
}

/*
 * What stands for another character, or may begin something that is none: an escape sequence, a
 * colour.
 */
static const bool special[UCHAR_MAX + 1] = { [0 ... ' ' - 1] = true,
	[0x7f ... UCHAR_MAX] = true,
	['^'] = true,
	['E'] = true,
	['\\'] = true,
	['?'] = true,
	['['] = true };

void log_line_read(struct log_line *line, const char *start, size_t length)
{
	size_t size = 0, skip;
	char c;

	while (length && (start[length - 1] == '\r' || start[length - 1] == ' '))
		length--;
	for (size_t i = 0; i < length && size < sizeof(line->text) - 1; i++) {
		c = start[i];
		if (!special[(unsigned char)c]) {
			line->text[size++] = c;
			continue;
		}
		if (c == '\033') {
			i += escape_length(start + i, length - i) - 1;
			continue;
		}
		skip = colour_length(start + i, length - i);
		if (skip) {
			i += skip - 1;
			continue;
		}
		skip = blank_length(start + i, length - i, &c);
		if (skip) {
			i += skip - 1;
			if (!c)
				continue;
		}
		line->text[size++] = c >= ' ' && c <= '~' ? c : '?';
	}
	while (size && line->text[size - 1] == ' ')
		size--;
	line->text[size] = '\0';
	line->after_name = NULL;
	*line->stamp = *line->host = '\0';
	line->has_clock = line->has_time = line->kernel = line->other = false;
	line->clock = 0;
	line->time = 0;
	line->message = find_message(line);
}
