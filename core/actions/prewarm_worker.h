/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine and its workers share; for prewarm_engine.c and prewarm_worker.c alone. */
#ifndef EC2HIB_ACTIONS_PREWARM_WORKER_H
#define EC2HIB_ACTIONS_PREWARM_WORKER_H

#include <pthread.h>

#include "core/actions/prewarm_engine.h"
#include "core/base/text.h"
#include "core/rules/prewarm_yield.h"

#define NS_PER_MS 1000000ull

struct engine {
	const struct prewarm_job *job;
	pthread_mutex_t mutex;
	pthread_cond_t wake; /* of workers: a deeper depth, a stop, the end */
	pthread_cond_t news; /* of the caller */

	/* All below is under the mutex. */
	const struct prewarm_ranges *todo;
	uint64_t place;
	bool exhausted, stop;
	int fatal; /* an errno */
	struct error fatal_error;
	bool alone; /* the first request: it shows in which pieces the device serves them */
	struct prewarm_depth depth;
	struct prewarm_pace pace;
	struct prewarm_yield yield;
	struct prewarm_ours ours;
	char *buffers; /* in huge pages of ROOM */
	void *room;
	unsigned workers;      /* threads that were made */
	unsigned ready, ended; /* of these, so far */
	unsigned busy;	       /* with a request */
	struct prewarm_ranges done;
	struct prewarm_ranges failed; /* to be tried again */
	unsigned failures, failures_row;
	struct error first_failure;
	bool second;	    /* these are tried now */
	struct strings bad; /* to be told by the caller */
	struct prewarm_numbers numbers;
	uint64_t slowest_now, slowest_before;
};

struct worker {
	struct engine *engine;
	unsigned index;
};

/* A thread: requests until there are none, or a stop. DATA is its struct worker. */
void *worker_run(void *data);

/* Ends it all, with the errno CODE and WHY. With the mutex. */
void engine_give_up(struct engine *engine, int code, const char *why);

/* Who else uses the device, and what is left to us then. With the mutex: nothing begins meanwhile. */
void engine_look_around(struct engine *engine);

#endif
