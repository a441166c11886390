/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metadata service as the dashboard itself polls it for notices, in a worker (ui/tui/worker.h):
 * it may hang as long as it likes.
 */
#ifndef EC2HIB_UI_TUI_SERVICE_H
#define EC2HIB_UI_TUI_SERVICE_H

#include "core/facts/imds.h"
#include "core/rules/notice.h"

/* Between two polls, and how much later an answer may be before it is missed. */
#define SERVICE_INTERVAL_MS 5000
#define SERVICE_LATE_MS	    2000

struct service_state {
	bool polled;	     /* at least once */
	uint64_t at;	     /* the last time: CLOCK_BOOTTIME, ms */
	uint64_t latency_us; /* of the last answer */
	bool has_token;
	uint64_t token_age; /* s */
	char *error;	    /* why there was no answer; NULL: there was one */
	struct notice *notices;
	size_t notice_count;
	bool over; /* nobody polls any more */
};

/*
 * In the worker: never returns while somebody reads FD. After each poll a line of JSON:
 * {"latency_us", "token_age" or null, "error" or null, "notices": [{"kind", "time", "detail"}]}.
 */
void service_poll(const struct imds_options *options, int fd);

/* In the dashboard: what LINE says, which came at TICKS (CLOCK_BOOTTIME, ms). */
void service_take(struct service_state *service, const char *line, uint64_t ticks);
void service_free(struct service_state *service);

#endif
