/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the agent share; private to core/actions/watch*.c. */
#ifndef EC2HIB_ACTIONS_WATCH_AGENT_H
#define EC2HIB_ACTIONS_WATCH_AGENT_H

#include <sys/types.h>

#include "core/actions/watch.h"
#include "core/base/stream.h"
#include "core/facts/sleep_keys.h"
#include "core/facts/watch_state.h"
#include "core/rules/debounce.h"
#include "core/rules/notice.h"

/* Of each kind there is one at a time: none waits for another's end. */
enum errand_kind {
	ERRAND_HIBERNATE, /* after a notice or a press */
	ERRAND_HOOKS,	  /* of a notice that asks for nothing more */
	ERRAND_START,	  /* what a killed ec2hib left, and setup where it is configured */
	ERRAND_KINDS
};

/* What a child has to do: because of a notice, a press of the sleep button, or the start. */
struct order {
	bool has_notice;
	struct notice notice;
	uint64_t asked; /* CLOCK_BOOTTIME, ms */
	int64_t slept;	/* clock_slept_ms() of then */
	unsigned lost;	/* children that a signal ended before they had an answer */
	uint64_t due;	/* not before: CLOCK_MONOTONIC, us */
};

/* A child at work. It says what it does on a pipe, a line each. */
struct errand {
	pid_t pid; /* 0: nobody at work, and nothing else here means anything */
	int pipe;
	struct lines said;
	struct order order;
	bool answered; /* of a hibernation: it has come about or failed */
};

/* A press of the sleep button that could not be acted on yet. */
struct waiting_press {
	bool waits;
	struct order order;
};

struct agent {
	const struct watch *watch;
	const struct config *config;
	struct imds *imds; /* NULL: the service must not be asked */
	struct sleep_keys *keys;
	int lock; /* of the one agent; a child lets go of it */
	int signals;
	struct watch_state state;
	uint64_t reported_at; /* when the state file was written: CLOCK_MONOTONIC, us */

	/* The poll under way, and the next ones: CLOCK_MONOTONIC, us. */
	struct imds_item items[NOTICE_SOURCES];
	size_t asked; /* so many of them; 0: none under way */
	size_t taken; /* so many of these have been heard */
	uint64_t asked_at, next_poll, next_slow;
	unsigned failures;
	char *trouble[NOTICE_SOURCES]; /* what was complained about; NULL: nothing */
	bool answered;		       /* all of it at least once */

	/* Notices that wait for a child, or for the end of another one of their kind; oldest first. */
	struct order *pending;
	size_t pending_count;
	struct waiting_press press;
	struct debounce debounce;
	int64_t slept;	   /* clock_slept_ms() as it was seen last */
	char *key_trouble; /* what was complained about; NULL: nothing */

	struct errand errands[ERRAND_KINDS];
	bool start_waits; /* ERRAND_START is due, and was not started yet */
	bool no_process;  /* the last one could not be started, and this has been said */
	int outcome;	  /* of the last hibernation */
	uint64_t next_watchdog;
	bool stop;
};

uint64_t agent_now_us(void);
uint64_t agent_boottime_ms(void);

void agent_log(const struct agent *agent, int priority, const char *event, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- watch_poll.c ---- */

/* Starts a poll that is due; goes on with the one under way. The time until the next, us. */
uint64_t poll_step(struct agent *agent);
void poll_free(struct agent *agent);

/* ---- watch_errand.c ---- */

/* Whether a child is at work on this. */
bool errand_runs(const struct agent *agent, enum errand_kind kind);

/* Something is to be done about NOTICE, as soon as it can begin. */
void errand_notice(struct agent *agent, const struct notice *notice);

/* Starts what is pending and can begin. */
void errands_begin(struct agent *agent);

/* How long until something pending is due, us; UINT64_MAX: nothing waits for its time alone. */
uint64_t errands_wait_us(const struct agent *agent);

/* A press of the sleep button. */
void errand_press(struct agent *agent, const struct sleep_press *press);

/* Has the machine slept since the last look, whoever had it sleep? Then presses are echoes for a while. */
void errand_resume(struct agent *agent);

void errand_begin_start(struct agent *agent);

/* Reads what a child said; true when it is over. */
bool errand_listen(struct agent *agent, enum errand_kind kind);

/* Asks every child to stop where it can, and waits for it. */
void errands_end(struct agent *agent);

/* ---- watch_child.c ---- */

/* How a child ends. */
enum child_exit {
	CHILD_DONE,
	CHILD_FAILED,
	CHILD_STOPPED, /* by SIGTERM, before it had done what it was to do */
};

/* What the child does: of a kind, with ORDER, telling it on PIPE. */
enum child_exit child_run(
	const struct agent *agent, enum errand_kind kind, const struct order *order, int pipe);

/* ---- watch_report.c ---- */

void report_begin(struct agent *agent);

/* Enters a state of WATCH_..., and tells everybody. */
void report_state(struct agent *agent, const char *state);

/* The state is as before, but an error came or went: tells everybody. */
void report_again(struct agent *agent);

/* The state is as before, but for the numbers of a poll: soon in the state file. */
void report_poll(struct agent *agent);

/* Writes the state file: something has changed. */
void report_write(struct agent *agent);

bool report_was_acted_on(const struct agent *agent, const struct notice *notice);
/* Remembers a notice; it is not settled yet. */
void report_acted_on(struct agent *agent, const struct notice *notice);
/* What is not SETTLED when this agent ends, the next one begins anew. */
void report_settled(struct agent *agent, const struct notice *notice, bool settled);
/* The lifecycle state is InService again: the next time it is not is another notice. */
void report_forget_lifecycle(struct agent *agent);

#endif
