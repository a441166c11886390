/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent: waits for a Spot notice or the sleep button, and hibernates.
 *
 * One thread in one poll loop, which never waits for anything else: what takes time (hooks, setup,
 * hibernation) is done by a child process, so that the agent goes on listening, answers its
 * manager, and outlives whatever happens there.
 */
#ifndef EC2HIB_ACTIONS_WATCH_H
#define EC2HIB_ACTIONS_WATCH_H

#include <stdbool.h>

#include "core/base/log.h"
#include "core/facts/gather.h"

struct watch {
	const struct gather *gather; /* its imds is the service to ask */
	bool once;		     /* one poll of everything, act on it, and end */
	bool dry_run;		     /* everything but the write that hibernates */
	const struct notify *notify; /* the service manager */
	unsigned watchdog_ms;	     /* how often it wants to hear; 0: never */
	struct event_log log;
	/* Reads the configuration again, in place; after an error the old one stays. */
	int (*reload)(void *data, struct error *err);
	/* The agent has begun: it has the lock and listens. May be NULL. */
	void (*ready)(void *data);
	void *data; /* of both functions */
};

/*
 * Runs until SIGTERM or SIGINT, which it takes for itself, or for one round. 0; -EBUSY when an
 * agent runs already; another negative errno when it could not begin, or with ONCE when the service
 * could not be asked or the hibernation failed. That the metadata service does not answer ends
 * nothing.
 */
int watch_run(const struct watch *watch, struct error *err);

#endif
