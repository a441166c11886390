/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom core tells what it does, and who may stop it: core itself never prints. One struct for all
 * that is done; a caller passes on the one that it was given.
 */
#ifndef EC2HIB_BASE_REPORTER_H
#define EC2HIB_BASE_REPORTER_H

#include <stdbool.h>

struct reporter {
	/* A line for the log, with a priority of syslog(3): LOG_INFO is a sentence worth a line,
	 * "a second try gave 3 extents in place of 40". May be NULL. */
	void (*log)(void *data, int priority, const char *text);
	/* Asked now and then: true when the user wants it to stop. May be NULL. */
	bool (*cancelled)(void *data);
	void *data;
};

/* REPORTER may be NULL: nobody listens, and nobody stops it. */
void reporter_log(const struct reporter *reporter, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool reporter_cancelled(const struct reporter *reporter);

#endif
