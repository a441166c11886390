/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the log of the agent goes: the journal, syslog, lines on standard error, or two of them. */
#ifndef EC2HIB_CMD_WATCH_LOG_H
#define EC2HIB_CMD_WATCH_LOG_H

#include "core/base/config.h"
#include "core/base/log.h"

struct watch_log {
	struct log logs[2];
	size_t count;
	bool on_stderr; /* one of them is what a user at the terminal, or the journal, sees */
};

/*
 * In the background there is nobody at standard error. A service manager that keeps standard error
 * in its journal gets the facts beside the words, too.
 */
void watch_log_open(struct watch_log *log, const struct config *config, bool background);
void watch_log_close(struct watch_log *log);

/* As log_message(), to all of them. */
void watch_log_message(struct watch_log *log, int priority, const char *text,
	const struct log_field *fields, size_t count);

#endif
