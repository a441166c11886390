/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Points in time as text, always UTC: seconds since 1970-01-01T00:00:00Z, leap seconds not counted
 * (POSIX). No locale and no time zone of the machine has a say.
 */
#ifndef EC2HIB_BASE_INSTANT_H
#define EC2HIB_BASE_INSTANT_H

#include <stdint.h>

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
 * ISO 8601 as AWS writes it: YYYY-MM-DDTHH:MM:SSZ, perhaps with a fraction of up to nine digits
 * behind the seconds, which does not count. The day has to exist. 0 or -EINVAL.
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
