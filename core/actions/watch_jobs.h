/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What takes time (hooks, setup, hibernation) is done by a child process of the agent, a job. It
 * says how far it is by lines on a pipe: the word of a state (WATCH_...), and at its end the cycle
 * as JSON.
 */
#ifndef EC2HIB_ACTIONS_WATCH_JOBS_H
#define EC2HIB_ACTIONS_WATCH_JOBS_H

#include <sys/types.h>

#include "core/base/log.h"
#include "core/base/stream.h"
#include "core/facts/gather.h"
#include "core/rules/watch.h"

/* How a job ends. */
enum job_exit {
	JOB_DONE,
	JOB_FAILED,
	JOB_STOPPED, /* by SIGTERM, before it had done what it was to do */
};

struct job {
	pid_t pid; /* 0: none runs, and nothing else here means anything */
	int pipe;
	struct lines said;
	struct request request;
	bool answered; /* for the agent: the hibernation has come about or failed */
};

struct jobs {
	const struct gather *gather;
	const struct event_log *log;
	bool dry_run;
	int lock; /* of the one agent: a child lets go of it */
	/* job_work(), in the child; a test has its own. */
	enum job_exit (*work)(const struct jobs *jobs, enum job_kind kind,
		const struct request *request, int pipe);
	struct job items[JOB_KINDS];
	bool no_process; /* the last one could not be started, and this has been said */
};

/* False when there is no process to be had; it is said in the log, once. */
bool job_begin(struct jobs *jobs, enum job_kind kind, const struct request *request);

bool job_runs(const struct jobs *jobs, enum job_kind kind);

/* Asks it to stop where it can. */
void job_stop(const struct jobs *jobs, enum job_kind kind);

/* Hands on the lines that it has said, without waiting. True: that was all, and it ends. */
bool job_listen(struct jobs *jobs, enum job_kind kind, stream_line *line, void *data);

/* Waits for its end; how, as waitpid(2) says. */
int job_end(struct jobs *jobs, enum job_kind kind);

enum job_exit job_work(
	const struct jobs *jobs, enum job_kind kind, const struct request *request, int pipe);

#endif
