/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the agent is doing: /run/ec2hib/watch.json, replaced as a whole after every change. It is the
 * agent's only interface: anyone may read it, and inotify(7) tells when there is something new.
 */
#ifndef EC2HIB_FACTS_WATCH_STATE_H
#define EC2HIB_FACTS_WATCH_STATE_H

#include "core/facts/cycle.h"

#define WATCH_STATE_PATH   "/run/ec2hib/watch.json"
#define WATCH_STATE_FORMAT 1

/* In `state`. */
#define WATCH_WATCHING	  "watching"
#define WATCH_NOTICED	  "noticed"
#define WATCH_PREPARING	  "preparing"
#define WATCH_HIBERNATING "hibernating"
#define WATCH_RESUMED	  "resumed"
#define WATCH_FAILED	  "failed"
#define WATCH_STOPPED	  "stopped" /* it has ended by itself; pid is then absent */

struct watch_notice {
	struct fact_text kind;
	struct fact_text time;
	struct fact_text detail;
};

/* Something by its name alone. */
struct watch_name {
	struct fact_text name;
};

/* A notice that is not to be acted on again. */
struct watch_acted {
	struct fact_text name;
	struct fact_flag under_way; /* when this agent ends now, the next one begins anew */
	struct fact_number
		slept; /* clock_slept_ms() of when it was heard; absent: no hibernation answers it */
	struct fact_flag dry_run; /* it was a rehearsal, and says nothing to a real agent */
};

struct watch_state {
	struct fact_number format;
	struct fact_text state;
	struct fact_number pid;
	struct fact_text started;
	struct fact_flag dry_run;
	struct fact_text endpoint;
	struct fact_number poll_interval;
	struct fact_text last_poll;
	struct fact_number polls;
	struct fact_number latency_us;
	struct fact_number failures;
	struct fact_text error;
	struct fact_number token_age;
	struct watch_notice notice;
	FACT_LIST(struct watch_acted) acted;
	struct fact_number slept;   /* clock_slept_ms() */
	struct fact_number resumed; /* presses just after it are echoes; CLOCK_BOOTTIME, ms */
	FACT_LIST(struct watch_name) devices;
	struct cycle last_cycle;
};

extern const struct layout watch_state_layout;
extern const struct layout watch_name_layout;
extern const struct layout watch_acted_layout;

/*
 * Reads the state below ROOT into STATE, which must be zeroed; layout_free() in any case. -ENOENT: no
 * agent has run since the boot. -EBADMSG: the file is none of ours.
 */
int watch_state_read(const struct root *root, struct watch_state *state, struct error *err);

#endif
