/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/watch_report.h"

#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"

/*
 * Of notices that were acted on. A Spot instance hears a handful in its life, but one answer may
 * list scheduled events up to NOTICE_LIST_TEXT_LIMIT, some 90 bytes each: a list that holds fewer
 * than one answer would forget what it is about to hear again.
 */
#define ACTED_MOST 1024

/*
 * Polls that change nothing but their own numbers are written this often; a little less than a
 * second.
 */
#define QUIET_US ((uint64_t)900 * 1000)

/* The two clocks are read one after the other, so that no sleep at all may be -1. */
static void set_slept(struct fact_number *fact, int64_t slept_ms)
{
	fact_set_number(fact, slept_ms > 0 ? (uint64_t)slept_ms : 0);
}

static void acted_remove(struct report *report, size_t index)
{
	struct watch_acted *items = report->state.acted.items;

	layout_free(&watch_acted_layout, &items[index]);
	report->state.acted.count--;
	memmove(&items[index], &items[index + 1],
		(report->state.acted.count - index) * sizeof(*items));
}

/*
 * Under way, and the machine has hibernated since: a child outlives its agent, and did what it was
 * to do after nobody could settle it any more.
 */
static bool was_answered(const struct watch_acted *acted)
{
	return fact_is_true(&acted->under_way) && !fact_is_true(&acted->dry_run) &&
	       acted->slept.is == FACT_KNOWN &&
	       clock_slept_ms() - (int64_t)acted->slept.value >= CLOCK_SLEPT_LEAST_MS;
}

/*
 * What is an echo for one agent is one for the next. Where an agent was killed and the machine has
 * slept since, it was its child's doing, and it may be just now that it woke. A resume that is
 * still to come is one of another boot, where /run is on a disk: every press of this boot would be
 * older.
 */
static void take_over_resume(struct report *report, const struct watch_state *old)
{
	struct debounce *debounce = report->debounce;
	bool killed = old->pid.is == FACT_KNOWN;

	if (fact_is_true(&old->dry_run) && !report->dry_run)
		return;
	debounce->resumed =
		old->resumed.is == FACT_KNOWN && old->resumed.value <= clock_ms(CLOCK_BOOTTIME);
	debounce->resumed_ms = debounce->resumed ? (int64_t)old->resumed.value : 0;
	if (killed && old->slept.is == FACT_KNOWN) {
		debounce->slept_ms = (int64_t)old->slept.value;
		debounce_look(debounce, clock_slept_ms(), (int64_t)clock_ms(CLOCK_BOOTTIME));
	}
}

/*
 * A restarted agent goes on where the last one was: what that acted on is not acted on again,
 * unless it was ended in the middle, or was a dry run.
 */
static void take_over(struct report *report)
{
	bool dry_run = report->dry_run;
	struct watch_state old = { 0 };
	struct error err = { "" };

	if (watch_state_read(report->gather->root, &old, &err) == 0) {
		take_over_resume(report, &old);
		report->state.acted = old.acted;
		memset(&old.acted, 0, sizeof(old.acted));
		if (dry_run || !fact_is_true(&old.dry_run)) {
			report->state.last_cycle = old.last_cycle;
			memset(&old.last_cycle, 0, sizeof(old.last_cycle));
		}
	}
	layout_free(&watch_state_layout, &old);
	for (size_t i = report->state.acted.count; i > 0; i--) {
		struct watch_acted *acted = &report->state.acted.items[i - 1];

		if (was_answered(acted)) {
			log_event(report->log, LOG_NOTICE, "notice",
				"notice: %s: answered, the machine has hibernated since",
				acted->name.value);
			fact_set_flag(&acted->under_way, false);
		}
		if (fact_is_true(&acted->under_way) || (fact_is_true(&acted->dry_run) && !dry_run))
			acted_remove(report, i - 1);
	}
}

void report_begin(struct report *report)
{
	const struct imds_options *imds = report->gather->imds;
	struct watch_state *state = &report->state;
	char now[INSTANT_LENGTH];

	layout_set_absent(&watch_state_layout, state);
	take_over(report);
	report->debounce->slept_ms = clock_slept_ms();
	instant_now(now);
	fact_set_number(&state->format, WATCH_STATE_FORMAT);
	fact_set_number(&state->pid, (uint64_t)getpid());
	fact_set_text(&state->started, now);
	fact_set_flag(&state->dry_run, report->dry_run);
	fact_set_text(&state->endpoint, imds->endpoint ? imds->endpoint
					: imds->ipv6   ? IMDS_ENDPOINT_IPV6
						       : IMDS_ENDPOINT_IPV4);
	fact_set_number(&state->polls, 0);
	fact_set_number(&state->failures, 0);
	state->acted.is = FACT_KNOWN;
	report_state(report, WATCH_WATCHING);
}

static void list_devices(struct report *report)
{
	strings_cleanup struct strings names = { 0 };
	struct watch_state *state = &report->state;

	if (report->keys)
		sleep_keys_list(report->keys, &names);
	while (state->devices.count)
		layout_free(&watch_name_layout, &state->devices.items[--state->devices.count]);
	state->devices.is = FACT_KNOWN;
	for (size_t i = 0; i < names.count; i++)
		fact_set_text(&facts_add(&state->devices)->name, names.items[i]);
}

void report_write(struct report *report)
{
	struct watch_state *state = &report->state;
	struct layout layout = watch_state_layout;
	struct error err = { "" };
	uint64_t age;

	report->written_at = clock_us(CLOCK_MONOTONIC);
	list_devices(report);
	fact_set_number(&state->poll_interval, report->gather->config->poll_interval);
	if (report->imds && imds_token_age(report->imds, &age))
		fact_set_number(&state->token_age, age);
	else
		fact_set_absent(fact_of(&state->token_age));
	set_slept(&state->slept, report->debounce->slept_ms);
	if (report->debounce->resumed)
		fact_set_number(&state->resumed, (uint64_t)report->debounce->resumed_ms);
	/* The last field is last_cycle, which is as large as all the others. */
	if (state->last_cycle.began.is != FACT_KNOWN)
		layout.count--;
	if (record_publish(report->gather->root, WATCH_STATE_PATH, &layout, state, &err) < 0)
		log_event(report->log, LOG_WARNING, "state", "%s", err.text);
}

/* Tells the manager and everybody: the state is another one, or an error came or went. */
static void tell(struct report *report)
{
	const struct watch_state *now = &report->state;
	const char *state = now->state.value;
	memory_cleanup_free char *line = NULL;

	if (now->error.is == FACT_KNOWN)
		line = text_format("%s; %s", state, now->error.value);
	else if (now->last_cycle.result.is == FACT_KNOWN)
		line = text_format("%s; last hibernation %s: %s", state,
			fact_text_or(&now->last_cycle.began, ""), now->last_cycle.result.value);
	else
		line = text_copy(state);
	notify_status(report->notify, line);
	report_write(report);
}

void report_state(struct report *report, const char *state)
{
	fact_set_text(&report->state.state, state);
	tell(report);
}

void report_poll_answered(struct report *report, uint64_t latency, bool idle)
{
	struct watch_state *state = &report->state;
	/* The first answer, or the first after failures. */
	bool news = fact_number_or(&state->failures, 0) > 0 || state->last_poll.is != FACT_KNOWN;
	uint64_t age = clock_us(CLOCK_MONOTONIC) - report->written_at;
	char now[INSTANT_LENGTH];

	instant_now(now);
	fact_set_number(&state->failures, 0);
	fact_set_absent(fact_of(&state->error));
	fact_set_text(&state->last_poll, now);
	fact_set_number(&state->polls, state->polls.value + 1);
	fact_set_number(&state->latency_us, latency);
	if (idle && !fact_text_is(&state->state, WATCH_WATCHING))
		report_state(report, WATCH_WATCHING);
	else if (news)
		tell(report);
	else if (age >= QUIET_US)
		report_write(report);
}

void report_poll_failed(struct report *report, unsigned failures, const char *why)
{
	fact_set_number(&report->state.failures, failures);
	fact_set_text(&report->state.error, why);
	tell(report);
}

/* ---- What was acted on ---------------------------------------------------------------------- */

static struct watch_acted *acted_find(const struct report *report, const struct notice *notice)
{
	memory_cleanup_free char *id = notice_id(notice);

	for (size_t i = 0; i < report->state.acted.count; i++)
		if (fact_text_is(&report->state.acted.items[i].name, id))
			return &report->state.acted.items[i];
	return NULL;
}

bool report_was_acted_on(const struct report *report, const struct notice *notice)
{
	return acted_find(report, notice) != NULL;
}

void report_acted_on(struct report *report, const struct notice *notice)
{
	struct watch_state *state = &report->state;
	struct watch_acted *acted;

	if (state->acted.count == ACTED_MOST)
		acted_remove(report, 0);
	acted = facts_add(&state->acted);
	fact_take_text(&acted->name, notice_id(notice));
	fact_set_flag(&acted->under_way, true);
	if (notice_reaction(notice, report->gather->config) == REACTION_HIBERNATE)
		set_slept(&acted->slept, clock_slept_ms());
	else
		fact_set_absent(fact_of(&acted->slept));
	fact_set_flag(&acted->dry_run, report->dry_run);
	fact_set_text(&state->notice.kind, notice_kinds[notice->kind]);
	fact_set_text(&state->notice.time, *notice->time ? notice->time : NULL);
	fact_set_text(&state->notice.detail, *notice->detail ? notice->detail : NULL);
}

void report_settled(struct report *report, const struct notice *notice, bool settled)
{
	struct watch_acted *acted = acted_find(report, notice);

	/* A list that is full, or a state that is over, may have lost it. */
	if (acted)
		fact_set_flag(&acted->under_way, !settled);
}

void report_forget_lifecycle(struct report *report)
{
	memory_cleanup_free char *prefix = text_format("%s ", notice_kinds[NOTICE_LIFECYCLE]);

	for (size_t i = report->state.acted.count; i > 0; i--)
		if (text_starts(report->state.acted.items[i - 1].name.value, prefix))
			acted_remove(report, i - 1);
}

void report_forget_timeless(struct report *report)
{
	for (size_t i = report->state.acted.count; i > 0; i--) {
		const struct watch_acted *acted = &report->state.acted.items[i - 1];

		for (int kind = NOTICE_HIBERNATE; kind <= NOTICE_TERMINATE; kind++)
			if (fact_text_is(&acted->name, notice_kinds[kind]) &&
				!fact_is_true(&acted->under_way)) {
				acted_remove(report, i - 1);
				break;
			}
	}
}
