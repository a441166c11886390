/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking the metadata service for notices, again and again. A poller knows neither which notices
 * were heard before nor what is done about them.
 */
#ifndef EC2HIB_ACTIONS_WATCH_POLL_H
#define EC2HIB_ACTIONS_WATCH_POLL_H

#include "core/base/config.h"
#include "core/base/log.h"
#include "core/facts/imds.h"
#include "core/rules/notice.h"
#include "core/rules/watch.h"

/* Times are CLOCK_MONOTONIC, us. */
struct poller {
	const struct config *config; /* poll-interval and slow-poll-interval, which may change */
	const struct event_log *log;
	struct imds *imds; /* NULL: the service must not be asked */

	/* The poll under way. */
	struct imds_item items[NOTICE_SOURCES];
	size_t count; /* so many of them; 0: none is under way */
	size_t heard; /* so many of these */
	uint64_t began;

	uint64_t next, next_slow;
	unsigned failures;			/* in a row */
	struct error error;			/* of the last one */
	uint64_t latency;			/* of the last answer */
	bool complete;				/* all items were answered at least once */
	struct trouble silence;			/* of the service */
	struct trouble trouble[NOTICE_SOURCES]; /* with the answers of one source */
};

enum poll_result { POLL_GOES_ON, POLL_ANSWERED, POLL_FAILED };

/* What a step has brought. */
struct poll_news {
	struct notice *notices; /* whatever the service names, heard before or not; free() them */
	size_t count;
	enum poll_result result;
	bool gone;     /* the service says that there is no Spot notice */
	uint64_t wait; /* until there is something to do for the next step, us */
};

/*
 * Nothing is asked for yet. A service that must not be asked is said in the log, and is no error.
 */
int poller_open(struct poller *poller, const struct imds_options *options, struct error *err);
void poller_close(struct poller *poller);

/* Begins a poll that is due, and goes on with the one under way, without waiting. */
void poller_step(struct poller *poller, struct poll_news *news);

/* Waits for an answer, for one of OTHERS, or for WAIT. */
void poller_wait(const struct poller *poller, struct pollfd *others, size_t count, uint64_t wait);

/* The next poll is due now; the second of them: for all items. */
void poller_hurry(struct poller *poller);
void poller_hurry_all(struct poller *poller);

#endif
