/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pre-warm that makes room for something else. */
#include <syslog.h>

#include "core/actions/prewarm.h"
#include "core/actions/prewarm_background.h"

/* It ends with its requests, and a cold volume is slow. */
#define STOP_WAIT_MS 5000

bool prewarm_put_aside(const struct gather *gather, const struct reporter *log)
{
	struct error err = { "" };
	int status = prewarm_stop(gather->root, STOP_WAIT_MS, &err);

	if (status)
		reporter_log(log, status < 0 ? LOG_WARNING : LOG_NOTICE, "%s",
			status < 0 ? err.text : "the pre-warm was stopped");
	return status != 0;
}

void prewarm_take_up(const struct gather *gather, const struct reporter *log)
{
	struct error err = { "" };
	int status = prewarm_go_on(gather, &err);

	if (status < 0)
		error_prefix(&err, status, "cannot go on with the pre-warm");
	if (status)
		reporter_log(log, status < 0 ? LOG_WARNING : LOG_NOTICE, "%s",
			status < 0 ? err.text : "the pre-warm goes on");
}
