/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an action tells what it does and learns that it should stop; core itself never prints. */
#ifndef EC2HIB_ACTIONS_PROGRESS_H
#define EC2HIB_ACTIONS_PROGRESS_H

#include <stdbool.h>

struct progress {
	/* A sentence worth a line: "a second try gave 3 extents in place of 40". May be NULL. */
	void (*note)(void *data, const char *text);
	/* Asked now and then: true when the user wants the action to stop. May be NULL. */
	bool (*cancelled)(void *data);
	void *data;
};

/* A line for the log, with a priority of syslog(3). */
struct action_log {
	void (*line)(void *data, int priority, const char *text);
	void *data;
};

void progress_note(const struct progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool progress_cancelled(const struct progress *progress);

#endif
