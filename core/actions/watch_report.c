/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's state file, and what it tells its manager. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/actions/lock.h"
#include "core/actions/watch_agent.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"

/*
 * Of notices that were acted on. A Spot instance hears a handful in its life, but one answer may list
 * scheduled events up to NOTICE_LIST_TEXT_LIMIT, some 90 bytes each: a list that holds fewer than one
 * answer would forget what it is about to hear again.
 */
#define ACTED_MOST 1024

/* Polls that change nothing but their own numbers are told so often; a little less than a second. */
#define REPORT_QUIET_US ((uint64_t)900 * 1000)

static const struct root *root_of(const struct agent *agent)
{
	return agent->watch->gather->root;
}

static void names_free(struct watch_name *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		layout_free(&watch_name_layout, &items[i]);
}

static void acted_remove(struct agent *agent, size_t index)
{
	struct watch_acted *items = agent->state.acted.items;

	layout_free(&watch_acted_layout, &items[index]);
	agent->state.acted.count--;
	memmove(&items[index], &items[index + 1],
		(agent->state.acted.count - index) * sizeof(*items));
}

/*
 * Under way, and the machine has hibernated since: a child outlives its agent, and did what it was
 * asked for after nobody could settle it any more.
 */
static bool was_answered(const struct watch_acted *acted)
{
	return fact_is_true(&acted->under_way) && !fact_is_true(&acted->dry_run) &&
	       acted->slept.is == FACT_KNOWN &&
	       clock_slept_ms() - (int64_t)acted->slept.value >= CLOCK_SLEPT_LEAST_MS;
}

/*
 * What is an echo for one agent is one for the next. Where an agent was killed and the machine has slept
 * since, it was its child's doing, and it may be just now that it woke. A resume that is still to come is
 * one of another boot, where /run is kept on a disk: every press of this boot would be older.
 */
static void take_over_resume(struct agent *agent, const struct watch_state *old)
{
	struct debounce *debounce = &agent->debounce;
	bool killed = old->pid.is == FACT_KNOWN;

	if (fact_is_true(&old->dry_run) && !agent->watch->dry_run)
		return;
	debounce->resumed =
		old->resumed.is == FACT_KNOWN && old->resumed.value <= agent_boottime_ms();
	debounce->resumed_ms = debounce->resumed ? (int64_t)old->resumed.value : 0;
	if (killed && old->slept.is == FACT_KNOWN) {
		agent->slept = (int64_t)old->slept.value;
		errand_resume(agent);
	}
}

/*
 * A restarted agent goes on where the last one was: what that acted on is not acted on again, unless
 * it was ended in the middle, or only rehearsed.
 */
static void take_over(struct agent *agent)
{
	bool dry_run = agent->watch->dry_run;
	struct watch_state old = { 0 };
	struct error err = { "" };

	if (watch_state_read(root_of(agent), &old, &err) == 0) {
		take_over_resume(agent, &old);
		agent->state.acted = old.acted;
		memset(&old.acted, 0, sizeof(old.acted));
		if (dry_run || !fact_is_true(&old.dry_run)) {
			agent->state.last_cycle = old.last_cycle;
			memset(&old.last_cycle, 0, sizeof(old.last_cycle));
		}
	}
	layout_free(&watch_state_layout, &old);
	for (size_t i = agent->state.acted.count; i > 0; i--) {
		struct watch_acted *acted = &agent->state.acted.items[i - 1];

		if (was_answered(acted)) {
			agent_log(agent, LOG_NOTICE, "notice",
				"notice: %s: answered, the machine has hibernated since",
				acted->name.value);
			fact_set_flag(&acted->under_way, false);
		}
		if (fact_is_true(&acted->under_way) || (fact_is_true(&acted->dry_run) && !dry_run))
			acted_remove(agent, i - 1);
	}
}

void report_begin(struct agent *agent)
{
	const struct imds_options *imds = agent->watch->gather->imds;
	struct watch_state *state = &agent->state;
	char now[INSTANT_LENGTH];

	take_over(agent);
	agent->slept = clock_slept_ms();
	instant_now(now);
	fact_set_number(&state->format, WATCH_STATE_FORMAT);
	fact_set_number(&state->pid, (uint64_t)getpid());
	fact_set_text(&state->started, now);
	fact_set_flag(&state->dry_run, agent->watch->dry_run);
	fact_set_text(&state->endpoint, imds->endpoint ? imds->endpoint
					: imds->ipv6   ? IMDS_ENDPOINT_IPV6
						       : IMDS_ENDPOINT_IPV4);
	fact_set_number(&state->polls, 0);
	fact_set_number(&state->failures, 0);
	fact_set_absent(fact_of(&state->last_poll));
	fact_set_absent(fact_of(&state->latency_us));
	fact_set_absent(fact_of(&state->error));
	fact_set_absent(fact_of(&state->notice.kind));
	fact_set_absent(fact_of(&state->notice.time));
	fact_set_absent(fact_of(&state->notice.detail));
	fact_set_absent(fact_of(&state->resumed));
	state->acted.is = FACT_KNOWN;
	report_state(agent, WATCH_WATCHING);
}

static void list_devices(struct agent *agent)
{
	strings_cleanup struct strings names = { 0 };
	struct watch_state *state = &agent->state;

	if (agent->keys)
		sleep_keys_list(agent->keys, &names);
	names_free(state->devices.items, state->devices.count);
	state->devices.count = 0;
	state->devices.is = FACT_KNOWN;
	for (size_t i = 0; i < names.count; i++)
		fact_set_text(&facts_add(&state->devices)->name, names.items[i]);
}

void report_write(struct agent *agent)
{
	struct watch_state *state = &agent->state;
	struct layout layout = watch_state_layout;
	struct error err = { "" };
	uint64_t age;

	agent->reported_at = agent_now_us();
	list_devices(agent);
	fact_set_number(&state->poll_interval, agent->config->poll_interval);
	if (agent->imds && imds_token_age(agent->imds, &age))
		fact_set_number(&state->token_age, age);
	else
		fact_set_absent(fact_of(&state->token_age));
	fact_set_number(&state->slept, agent->slept > 0 ? (uint64_t)agent->slept : 0);
	if (agent->debounce.resumed)
		fact_set_number(&state->resumed, (uint64_t)agent->debounce.resumed_ms);
	/* The last field is last_cycle, which is as large as all the others. */
	if (state->last_cycle.began.is != FACT_KNOWN)
		layout.count--;
	if (record_publish(root_of(agent), WATCH_STATE_PATH, &layout, state, &err) < 0)
		agent_log(agent, LOG_WARNING, "state", "%s", err.text);
}

void report_poll(struct agent *agent)
{
	if (agent_now_us() - agent->reported_at >= REPORT_QUIET_US)
		report_write(agent);
}

void report_again(struct agent *agent)
{
	const struct watch_state *now = &agent->state;
	const char *state = now->state.value;
	memory_cleanup_free char *line = NULL;

	if (now->error.is == FACT_KNOWN)
		line = text_format("%s; %s", state, now->error.value);
	else if (now->last_cycle.result.is == FACT_KNOWN)
		line = text_format("%s; last hibernation %s: %s", state,
			fact_text_or(&now->last_cycle.began, ""), now->last_cycle.result.value);
	else
		line = text_copy(state);
	notify_status(agent->watch->notify, line);
	report_write(agent);
}

void report_state(struct agent *agent, const char *state)
{
	fact_set_text(&agent->state.state, state);
	report_again(agent);
}

/* ---- What was acted on ---------------------------------------------------------------------- */

static struct watch_acted *acted_find(const struct agent *agent, const struct notice *notice)
{
	memory_cleanup_free char *id = notice_id(notice);

	for (size_t i = 0; i < agent->state.acted.count; i++)
		if (fact_text_is(&agent->state.acted.items[i].name, id))
			return &agent->state.acted.items[i];
	return NULL;
}

bool report_was_acted_on(const struct agent *agent, const struct notice *notice)
{
	return acted_find(agent, notice) != NULL;
}

void report_acted_on(struct agent *agent, const struct notice *notice)
{
	struct watch_state *state = &agent->state;
	struct watch_acted *acted;
	int64_t slept = clock_slept_ms();

	if (state->acted.count == ACTED_MOST)
		acted_remove(agent, 0);
	acted = facts_add(&state->acted);
	fact_take_text(&acted->name, notice_id(notice));
	fact_set_flag(&acted->under_way, true);
	if (notice_reaction(notice, agent->config) == REACTION_HIBERNATE)
		fact_set_number(&acted->slept, slept > 0 ? (uint64_t)slept : 0);
	else
		fact_set_absent(fact_of(&acted->slept));
	fact_set_flag(&acted->dry_run, agent->watch->dry_run);
	fact_set_text(&state->notice.kind, notice_kinds[notice->kind]);
	fact_set_text(&state->notice.time, *notice->time ? notice->time : NULL);
	fact_set_text(&state->notice.detail, *notice->detail ? notice->detail : NULL);
}

void report_settled(struct agent *agent, const struct notice *notice, bool settled)
{
	struct watch_acted *acted = acted_find(agent, notice);

	/* A list that is full, or a state that is over, may have lost it. */
	if (acted)
		fact_set_flag(&acted->under_way, !settled);
}

void report_forget_lifecycle(struct agent *agent)
{
	memory_cleanup_free char *prefix = text_format("%s ", notice_kinds[NOTICE_LIFECYCLE]);

	for (size_t i = agent->state.acted.count; i > 0; i--)
		if (text_starts(agent->state.acted.items[i - 1].name.value, prefix))
			acted_remove(agent, i - 1);
}
