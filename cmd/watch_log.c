/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/watch_log.h"

#include <stdlib.h>
#include <unistd.h>

#define NAME "ec2hib"

static bool wanted(enum config_choice choice, bool otherwise)
{
	return choice == CHOICE_AUTO ? otherwise : choice == CHOICE_YES;
}

void watch_log_open(struct watch_log *log, const struct config *config, bool background)
{
	struct error ignored = { "" };

	log->count = 0;
	log->on_stderr = wanted(config->log_to_stderr, !background);
	if (log->on_stderr) {
		/* What cannot be said to the journal itself is said on the line to it. */
		if (!log_is_journal(STDERR_FILENO, getenv("JOURNAL_STREAM")) ||
			log_to_journal(&log->logs[0], NAME, LOG_JOURNAL_SOCKET, &ignored) < 0)
			log_to_lines(&log->logs[0], NAME, STDERR_FILENO,
				getenv("JOURNAL_STREAM") != NULL);
		log->count++;
	}
	if (wanted(config->log_to_syslog, background))
		log_to_syslog(&log->logs[log->count++], NAME, LOG_SYSLOG_SOCKET);
}

void watch_log_close(struct watch_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		log_close(&log->logs[i]);
	log->count = 0;
}

void watch_log_message(struct watch_log *log, int priority, const char *text,
	const struct log_field *fields, size_t count)
{
	for (size_t i = 0; i < log->count; i++)
		log_message(&log->logs[i], priority, text, fields, count);
}
