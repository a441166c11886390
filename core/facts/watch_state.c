/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/watch_state.h"

#include <errno.h>

#include "core/base/memory.h"
#include "core/facts/record.h"

static const struct field notice_fields[] = {
	TEXT(struct watch_notice, kind,
		"hibernate, stop, terminate, rebalance, maintenance or lifecycle"),
	TEXT(struct watch_notice, time, "when, as the metadata service said, UTC"),
	TEXT(struct watch_notice, detail, "code of a scheduled event, lifecycle state"),
};
static const struct layout notice_layout = LAYOUT(struct watch_notice, notice_fields);

static const struct field name_fields[] = {
	TEXT(struct watch_name, name, "the name"),
};
const struct layout watch_name_layout = LAYOUT(struct watch_name, name_fields);

static const struct field acted_fields[] = {
	TEXT(struct watch_acted, name, "kind, time, and what else tells it from others"),
	FLAG(struct watch_acted, under_way,
		"whether another agent would begin anew, were this one ended now"),
	NUMBER(struct watch_acted, slept,
		"how long the machine had slept since boot when it asked for hibernation, ms"),
	FLAG(struct watch_acted, dry_run, "whether it was a dry run that acted on it"),
};
const struct layout watch_acted_layout = LAYOUT(struct watch_acted, acted_fields);

static const struct field fields[] = {
	NUMBER(struct watch_state, format, "version of this layout"),
	TEXT(struct watch_state, state,
		"watching, noticed, preparing, hibernating, resumed, failed or stopped"),
	NUMBER(struct watch_state, pid, "process of the agent"),
	TEXT(struct watch_state, started, "when the agent started, UTC"),
	FLAG(struct watch_state, dry_run, "whether it does everything but hibernate"),
	TEXT(struct watch_state, endpoint, "the metadata service that is asked"),
	NUMBER(struct watch_state, poll_interval, "between two polls, ms"),
	TEXT(struct watch_state, last_poll, "when an answer came last, UTC"),
	NUMBER(struct watch_state, polls, "how many were answered"),
	NUMBER(struct watch_state, latency_us, "how long the last one took, us"),
	NUMBER(struct watch_state, failures, "polls without an answer, in a row"),
	TEXT(struct watch_state, error, "why there was none"),
	NUMBER(struct watch_state, token_age, "age of the metadata token, s"),
	GROUP(struct watch_state, notice, &notice_layout, "the latest notice"),
	LIST(struct watch_state, acted, &watch_acted_layout,
		"notices that were acted on, so that none is twice"),
	NUMBER(struct watch_state, slept, "how long the machine has slept since boot, ms"),
	NUMBER(struct watch_state, resumed,
		"when it resumed, or a hibernation failed: ms since boot, sleep included"),
	LIST(struct watch_state, devices, &watch_name_layout,
		"devices whose sleep button is heard"),
	GROUP(struct watch_state, last_cycle, &cycle_layout, "the last hibernation of this agent"),
};
const struct layout watch_state_layout = LAYOUT(struct watch_state, fields);

int watch_state_read(const struct root *root, struct watch_state *state, struct error *err)
{
	return record_read(
		root, WATCH_STATE_PATH, &watch_state_layout, WATCH_STATE_FORMAT, state, err);
}
