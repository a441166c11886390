/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t clock_us(clockid_t clock)
{
	return clock_ns(clock) / 1000;
}

uint64_t clock_ms(clockid_t clock)
{
	return clock_ns(clock) / 1000000;
}

int64_t clock_slept_ms(void)
{
	int64_t awake = (int64_t)clock_ms(CLOCK_MONOTONIC);

	return (int64_t)clock_ms(CLOCK_BOOTTIME) - awake;
}

/* ---- Lengths of time ---- */

/* Milliseconds of one unit; 0 when there is no such unit. */
static uint64_t unit_ms(const char *unit)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 },
		{ "min", 60 * 1000 }, { "h", 3600 * 1000 } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcmp(unit, units[i].name) == 0)
			return units[i].ms;
	return 0;
}

int duration_parse(const char *text, uint64_t *ms)
{
	size_t digits = strspn(text, "0123456789"), decimals;
	memory_cleanup_free char *number = text_copy_length(text, digits);
	uint64_t whole, part = 0, scale = 1, unit;
	int status = number_parse(number, &whole);

	if (status < 0)
		return status;
	text += digits;
	if (*text == '.') {
		decimals = strspn(++text, "0123456789");
		if (decimals == 0 || decimals > 6)
			return -EINVAL;
		for (; decimals; decimals--, scale *= 10)
			part = part * 10 + (uint64_t)(*text++ - '0');
	}
	unit = unit_ms(text);
	if (unit == 0)
		return -EINVAL;
	if (whole > DURATION_MOST_MS / unit)
		return -ERANGE;
	*ms = whole * unit + part * unit / scale;
	return 0;
}

char *duration_exact(uint64_t ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "h", 3600 * 1000 }, { "min", 60 * 1000 }, { "s", 1000 }, { "ms", 1 } };
	size_t i = 0;

	if (ms == 0)
		return text_copy("0s");
	while (ms % units[i].ms)
		i++;
	return text_format("%llu%s", (unsigned long long)(ms / units[i].ms), units[i].name);
}

char *duration_format(uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = { { 24 * 3600 * 1000, "d" }, { 3600 * 1000, "h" }, { 60 * 1000, "min" },
		{ 1000, "s" } };

	if (ms < 1000)
		return text_format("%llu ms", (unsigned long long)ms);
	if (ms < 60 * 1000)
		return text_format("%llu.%llu s", (unsigned long long)((ms + 50) / 1000),
			(unsigned long long)((ms + 50) % 1000 / 100));
	for (size_t i = 0;; i++) {
		uint64_t whole = ms / units[i].ms;
		uint64_t rest = ms % units[i].ms / units[i + 1].ms;

		if (whole == 0)
			continue;
		if (rest == 0)
			return text_format("%llu %s", (unsigned long long)whole, units[i].name);
		return text_format("%llu %s %llu %s", (unsigned long long)whole, units[i].name,
			(unsigned long long)rest, units[i + 1].name);
	}
}

/* ---- Points in time ---- */

#define FRACTION_DIGITS 9

const char *const instant_months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
	"Sep", "Oct", "Nov", "Dec" };

/* Month from 1, everything else as people write it. */
struct calendar {
	int year, month, day, hour, minute, second;
};

/* DIGITS decimal digits at *TEXT, which moves past them. */
static bool take_number(const char **text, int digits, int *number)
{
	*number = 0;
	for (; digits; digits--, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		*number = *number * 10 + (**text - '0');
	}
	return true;
}

static bool take_text(const char **text, const char *expected)
{
	size_t length = strlen(expected);

	if (strncmp(*text, expected, length) != 0)
		return false;
	*text += length;
	return true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int count_seconds(const struct calendar *c, int64_t *when)
{
	int64_t days = 0;

	if (c->year < INSTANT_YEAR_MIN || c->year > INSTANT_YEAR_MAX || c->month < 1 ||
		c->month > 12 || c->day < 1 || c->day > month_days(c->year, c->month) ||
		c->hour > 23 || c->minute > 59 || c->second > 59)
		return -EINVAL;
	for (int year = 1970; year < c->year; year++)
		days += is_leap(year) ? 366 : 365;
	for (int month = 1; month < c->month; month++)
		days += month_days(c->year, month);
	days += c->day - 1;
	*when = ((days * 24 + c->hour) * 60 + c->minute) * 60 + c->second;
	return 0;
}

/* HH:MM:SS */
static bool take_clock(const char **text, struct calendar *c)
{
	return take_number(text, 2, &c->hour) && take_text(text, ":") &&
	       take_number(text, 2, &c->minute) && take_text(text, ":") &&
	       take_number(text, 2, &c->second);
}

/* Nothing, or a point and digits. */
static bool take_fraction(const char **text)
{
	size_t digits;

	if (!take_text(text, "."))
		return true;
	digits = strspn(*text, "0123456789");
	*text += digits;
	return digits >= 1 && digits <= FRACTION_DIGITS;
}

/* "Z", or how far the local time is ahead of UTC: "+05:30"; in seconds. */
static bool take_zone(const char **text, int64_t *ahead)
{
	int hours, minutes, sign = **text == '-' ? -1 : 1;

	*ahead = 0;
	if (take_text(text, "Z") || take_text(text, "z"))
		return true;
	if (!take_text(text, sign < 0 ? "-" : "+") || !take_number(text, 2, &hours) ||
		!take_text(text, ":") || !take_number(text, 2, &minutes) || hours > 23 ||
		minutes > 59)
		return false;
	*ahead = sign * (hours * 3600 + minutes * 60);
	return true;
}

int instant_parse(const char *text, int64_t *when)
{
	struct calendar c;
	int64_t ahead;

	if (!take_number(&text, 4, &c.year) || !take_text(&text, "-") ||
		!take_number(&text, 2, &c.month) || !take_text(&text, "-") ||
		!take_number(&text, 2, &c.day) || !*text || !strchr("Tt ", *text))
		return -EINVAL;
	text++;
	if (!take_clock(&text, &c) || !take_fraction(&text) || !take_zone(&text, &ahead) || *text ||
		count_seconds(&c, when) < 0)
		return -EINVAL;
	*when -= ahead;
	return 0;
}

static bool take_month(const char **text, int *month)
{
	for (*month = 1; *month <= 12; (*month)++)
		if (take_text(text, instant_months[*month - 1]))
			return true;
	return false;
}

int instant_parse_gmt(const char *text, int64_t *when)
{
	int digits = (int)strspn(text, "0123456789");
	struct calendar c;

	if (digits < 1 || digits > 2 || !take_number(&text, digits, &c.day) ||
		!take_text(&text, " ") || !take_month(&text, &c.month) || !take_text(&text, " ") ||
		!take_number(&text, 4, &c.year) || !take_text(&text, " ") ||
		!take_clock(&text, &c) || !take_text(&text, " GMT") || *text)
		return -EINVAL;
	return count_seconds(&c, when);
}

void instant_format(int64_t when, char text[INSTANT_LENGTH])
{
	time_t seconds = (time_t)when;
	struct tm calendar;

	if (!gmtime_r(&seconds, &calendar) ||
		strftime(text, INSTANT_LENGTH, "%Y-%m-%dT%H:%M:%SZ", &calendar) == 0)
		text[0] = '\0';
}

void instant_now(char text[INSTANT_LENGTH])
{
	instant_format(time(NULL), text);
}

char *instant_format_gmt(int64_t when)
{
	time_t seconds = (time_t)when;
	struct tm calendar = { 0 };

	gmtime_r(&seconds, &calendar);
	return text_format("%02d %s %d %02d:%02d:%02d GMT", calendar.tm_mday,
		instant_months[calendar.tm_mon], calendar.tm_year + 1900, calendar.tm_hour,
		calendar.tm_min, calendar.tm_sec);
}
