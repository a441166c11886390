/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the agent publishes of itself: its state file (core/facts/watch_state.h), and a line to the
 * service manager. The state file is the agent's memory as well: the next agent goes on where this
 * one was.
 */
#ifndef EC2HIB_ACTIONS_WATCH_REPORT_H
#define EC2HIB_ACTIONS_WATCH_REPORT_H

#include "core/base/log.h"
#include "core/facts/gather.h"
#include "core/facts/sleep_keys.h"
#include "core/facts/watch_state.h"
#include "core/rules/notice.h"
#include "core/rules/watch.h"

struct report {
	const struct gather *gather;
	const struct notify *notify; /* the service manager */
	const struct event_log *log;
	const struct sleep_keys *keys; /* whose devices are listed; may be NULL */
	const struct imds *imds;       /* whose token has an age; may be NULL */
	struct debounce *debounce;     /* of which the next agent has to know */
	bool dry_run;
	struct watch_state state; /* layout_free() frees it in the end */
	uint64_t written_at;	  /* CLOCK_MONOTONIC, us */
};

/* Takes over what the last agent left, its last resume as well, and enters WATCH_WATCHING. */
void report_begin(struct report *report);

/* Enters a state of WATCH_..., and tells everybody. */
void report_state(struct report *report, const char *state);

/* A poll was answered after LATENCY us. IDLE: the agent has nothing else to do than to watch. */
void report_poll_answered(struct report *report, uint64_t latency, bool idle);

/* The FAILURES-th poll in a row has failed. */
void report_poll_failed(struct report *report, unsigned failures, const char *why);

/* Writes the state file: something has changed. */
void report_write(struct report *report);

bool report_was_acted_on(const struct report *report, const struct notice *notice);
/* Remembers a notice; it is not settled yet. */
void report_acted_on(struct report *report, const struct notice *notice);
/* What is not SETTLED when this agent ends, the next one begins again. */
void report_settled(struct report *report, const struct notice *notice, bool settled);
/* The lifecycle state is InService again: the next time it is not is another notice. */
void report_forget_lifecycle(struct report *report);
/* There is no Spot notice: the next one is another, also when it has no time to tell it by. */
void report_forget_timeless(struct report *report);

#endif
