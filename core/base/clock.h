/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time: the kernel's clocks, lengths of time, and points in time as text. */
#ifndef EC2HIB_BASE_CLOCK_H
#define EC2HIB_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * CLOCK_MONOTONIC stops while the machine is hibernated, CLOCK_BOOTTIME goes on (clock_gettime(2));
 * nobody sets either.
 */
uint64_t clock_ns(clockid_t clock);
uint64_t clock_us(clockid_t clock);
uint64_t clock_ms(clockid_t clock);

/*
 * How long the machine has slept since it was booted, ms. The clocks are read one after the other,
 * so that it may be one off.
 */
int64_t clock_slept_ms(void);

/* A machine that was off has slept for longer, also one that boots fast; less is nothing. */
#define CLOCK_SLEPT_LEAST_MS 500

/* ---- Lengths of time, as people write and say them ---- */

#define DURATION_MOST_MS ((uint64_t)366 * 24 * 3600 * 1000)

/*
 * N or N.N followed by ms, s, m, min or h; no unit means seconds: 200ms, 10s, 1.5, 2min. *MS gets
 * milliseconds, what is below one is left out. 0, -EINVAL, or -ERANGE (more than a year).
 */
int duration_parse(const char *text, uint64_t *ms);

/* What duration_parse() reads, in the largest unit that fits: "1500ms", "30s", "5min". */
char *duration_exact(uint64_t ms);

/* Milliseconds as people say them, in at most two units: "13 ms", "9.3 s", "2 h 13 min". */
char *duration_format(uint64_t ms);

/* ---- Points in time ---- */

/*
 * Points in time as text, always UTC: seconds since 1970-01-01T00:00:00Z, leap seconds not counted
 * (POSIX). No locale and no time zone of the machine has a say.
 */

/* "2017-09-18T08:22:00Z" and a NUL. */
#define INSTANT_LENGTH 21

/*
 * Years that are believed. Metadata services are younger than 2000; a year far ahead is a broken
 * clock or a placeholder, and nothing that somebody should act on.
 */
#define INSTANT_YEAR_MIN 2000
#define INSTANT_YEAR_MAX 2199

/* In English, whatever the locale: "Jan" to "Dec". */
extern const char *const instant_months[12];

/*
 * RFC 3339: YYYY-MM-DDTHH:MM:SSZ, as AWS writes it, or with an offset ("+05:30") in place of the Z;
 * perhaps with a fraction of up to nine digits after the seconds, which does not count. The day has
 * to exist. 0 or -EINVAL.
 */
int instant_parse(const char *text, int64_t *when);

/*
 * The form of scheduled events: "21 Jan 2019 09:00:43 GMT", the day with one digit or two. 0 or
 * -EINVAL.
 */
int instant_parse_gmt(const char *text, int64_t *when);

/* ISO 8601 without a fraction; instant_now() of the wall clock. */
void instant_format(int64_t when, char text[INSTANT_LENGTH]);
void instant_now(char text[INSTANT_LENGTH]);

/* The form of scheduled events. The caller frees it. */
char *instant_format_gmt(int64_t when);

#endif
