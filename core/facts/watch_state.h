/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the agent is doing: /run/ec2hib/watch.json, replaced as a whole after every change. It is
 * the agent's only interface: anyone may read it, and inotify(7) tells when there is something new.
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

#define WATCH_NOTICE(TEXT, NUMBER, FLAG, GROUP, LIST)                                              \
	TEXT(kind, "hibernate, stop, terminate, rebalance, maintenance or lifecycle")              \
	TEXT(time, "when, as the metadata service said, UTC")                                      \
	TEXT(detail, "code of a scheduled event, lifecycle state")
struct watch_notice {
	FACT_MEMBERS(WATCH_NOTICE)
};

/* Something by its name alone. */
#define WATCH_NAME(TEXT, NUMBER, FLAG, GROUP, LIST) TEXT(name, "the name")
struct watch_name {
	FACT_MEMBERS(WATCH_NAME)
};
typedef FACT_LIST(struct watch_name) watch_name_list;

/*
 * A notice that is not to be acted on again. `slept` is clock_slept_ms() of when it was heard;
 * absent: no hibernation answers it. A real agent does not heed what a dry run acted on.
 */
#define WATCH_ACTED(TEXT, NUMBER, FLAG, GROUP, LIST)                                               \
	TEXT(name, "kind, time, and what else tells it from others")                               \
	FLAG(under_way, "another agent would begin again, were this one ended now")                \
	NUMBER(slept, "ms",                                                                        \
		"how long the machine had slept since boot when it asked for hibernation")         \
	FLAG(dry_run, "it was a dry run that acted on it")
struct watch_acted {
	FACT_MEMBERS(WATCH_ACTED)
};
typedef FACT_LIST(struct watch_acted) watch_acted_list;

/*
 * `slept` is clock_slept_ms(); sleep button presses just after `resumed` (CLOCK_BOOTTIME) are
 * echoes.
 */
#define WATCH_STATE(TEXT, NUMBER, FLAG, GROUP, LIST)                                               \
	NUMBER(format, "", "version of this layout")                                               \
	TEXT(state, "watching, noticed, preparing, hibernating, resumed, failed or stopped")       \
	NUMBER(pid, "", "process of the agent")                                                    \
	TEXT(started, "when the agent started, UTC")                                               \
	FLAG(dry_run, "it does everything but hibernate")                                          \
	TEXT(endpoint, "the metadata service that is asked")                                       \
	NUMBER(poll_interval, "ms", "between two polls")                                           \
	TEXT(last_poll, "when an answer came last, UTC", VOLATILE)                                 \
	NUMBER(polls, "", "how many were answered", VOLATILE)                                      \
	NUMBER(latency_us, "us", "how long the last one took", VOLATILE)                           \
	NUMBER(failures, "", "polls without an answer, in a row", VOLATILE)                        \
	TEXT(error, "why there was none")                                                          \
	NUMBER(token_age, "s", "age of the metadata token", VOLATILE)                              \
	GROUP(notice, watch_notice, "the latest notice")                                           \
	LIST(acted, watch_acted_list, watch_acted,                                                 \
		"notices that were acted on, so that none is twice")                               \
	NUMBER(slept, "ms", "how long the machine has slept since boot")                           \
	NUMBER(resumed, "ms",                                                                      \
		"when it resumed, or a hibernation failed: since boot, sleep included")            \
	LIST(devices, watch_name_list, watch_name, "devices whose sleep button is heard")          \
	GROUP(last_cycle, cycle, "the last hibernation of this agent")
struct watch_state {
	FACT_MEMBERS(WATCH_STATE)
};

extern const struct layout watch_state_layout;
extern const struct layout watch_name_layout;
extern const struct layout watch_acted_layout;

/*
 * Reads the state below ROOT into STATE, which must be zeroed; layout_free() in any case. -ENOENT:
 * no agent has run since the boot. -EBADMSG: the file is none of ours.
 */
int watch_state_read(const struct root *root, struct watch_state *state, struct error *err);

#endif
