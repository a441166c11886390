/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking the metadata service. That there is no notice is the normal answer (404). A failure, whatever
 * it is, is said once when it begins and once when it is over; between the two the pauses grow.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/actions/watch_agent.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/backoff.h"

static bool poll_under_way(const struct agent *agent)
{
	return agent->asked > 0;
}

static void poll_begin(struct agent *agent, uint64_t now)
{
	bool all = now >= agent->next_slow;

	agent->asked = all ? NOTICE_SOURCES : 1;
	agent->taken = 0;
	for (size_t i = 0; i < agent->asked; i++)
		agent->items[i] = (struct imds_item) { .path = notice_paths[i] };
	agent->asked_at = now;
	agent->next_poll = now + agent->config->poll_interval * 1000;
	if (all)
		agent->next_slow = now + agent->config->slow_interval * 1000;
	imds_begin(agent->imds, agent->items, agent->asked);
}

/* ---- What the answers say ----------------------------------------------------------------------- */

/* Remembers a notice before anything is done about it, so that it is done once. */
static void take_notice(struct agent *agent, const struct notice *notice)
{
	enum config_reaction reaction = notice_reaction(notice, agent->config);

	if (report_was_acted_on(agent, notice))
		return;
	agent_log(agent, LOG_NOTICE, "notice", "notice: %s%s%s%s%s%s", notice_kinds[notice->kind],
		*notice->time ? " at " : "", notice->time, *notice->detail ? ", " : "",
		notice->detail, reaction == REACTION_IGNORE ? "; ignored, as configured" : "");
	report_acted_on(agent, notice);
	if (reaction == REACTION_IGNORE) {
		report_settled(agent, notice, true);
		report_write(agent);
		return;
	}
	errand_notice(agent, notice);
	report_state(agent, WATCH_NOTICED);
}

/*
 * An answer that does not parse, or one that alone does not come, is never a notice, and said once as
 * long as it is the same. NULL: nothing is wrong.
 */
static void take_trouble(struct agent *agent, size_t i, const char *what, const char *why)
{
	if (text_equal(agent->trouble[i], why))
		return;
	if (why)
		agent_log(agent, LOG_WARNING, "metadata", "%s %s: %s", notice_paths[i], what, why);
	text_set(&agent->trouble[i], why ? text_copy(why) : NULL);
}

static void take_item(struct agent *agent, size_t i)
{
	struct notice *notices;
	struct error err = { "" };
	size_t count;
	int status =
		notices_parse((enum notice_source)i, agent->items[i].text, &notices, &count, &err);

	take_trouble(agent, i, "is not understood", status < 0 ? err.text : NULL);
	for (size_t k = 0; k < count; k++)
		if (i == SOURCE_LIFECYCLE && !notice_leaves_service(&notices[k]))
			report_forget_lifecycle(agent);
		else
			take_notice(agent, &notices[k]);
	free(notices);
}

/* ---- How the poll went ---------------------------------------------------------------------------- */

static uint32_t chance(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		number = (uint32_t)agent_now_us();
	return number;
}

static void poll_failed(struct agent *agent, const struct error *err)
{
	unsigned pause = backoff_ms(++agent->failures, (unsigned)agent->config->poll_interval,
		BACKOFF_MOST_MS, chance());
	uint64_t next = agent_now_us() + (uint64_t)pause * 1000;

	if (agent->failures == 1)
		agent_log(agent, LOG_WARNING, "metadata",
			"no answer from the metadata service, asking on: %s", err->text);
	if (next > agent->next_poll)
		agent->next_poll = next;
	/* What is asked for rarely is not to be missed by one failure. */
	if (agent->asked == NOTICE_SOURCES)
		agent->next_slow = agent->next_poll;
	fact_set_number(&agent->state.failures, agent->failures);
	fact_set_text(&agent->state.error, err->text);
	report_again(agent);
}

static void poll_went_well(struct agent *agent)
{
	struct watch_state *state = &agent->state;
	bool idle = !errand_runs(agent, ERRAND_HIBERNATE) && agent->pending_count == 0;
	/* The first answer, or the first after failures. */
	bool news = agent->failures > 0 || state->last_poll.is != FACT_KNOWN;
	char now[INSTANT_LENGTH];

	if (agent->failures)
		agent_log(agent, LOG_NOTICE, "metadata",
			"the metadata service answers again, after %u failures", agent->failures);
	agent->failures = 0;
	instant_now(now);
	fact_set_number(&state->failures, 0);
	fact_set_absent(fact_of(&state->error));
	fact_set_text(&state->last_poll, now);
	fact_set_number(&state->polls, state->polls.value + 1);
	fact_set_number(&state->latency_us, agent_now_us() - agent->asked_at);
	if (agent->asked == NOTICE_SOURCES)
		agent->answered = true;
	if (idle && !fact_text_is(&state->state, WATCH_WATCHING))
		report_state(agent, WATCH_WATCHING);
	else if (news)
		report_again(agent);
	else
		report_poll(agent);
}

static bool item_answered(const struct imds_item *item)
{
	return item->status == 0 || item->status == -ENOENT;
}

static void take_answer(struct agent *agent, size_t i)
{
	const struct imds_item *item = &agent->items[i];

	if (item->status == 0)
		take_item(agent, i);
	else if (item->status == -ENOENT)
		take_trouble(agent, i, NULL, NULL);
	else if (item_answered(&agent->items[SOURCE_ACTION]))
		take_trouble(agent, i, "is not answered", item->error.text);
}

/*
 * Each as soon as it has come: a Spot notice, which is asked for first, does not wait for the items
 * after it. Whatever else fails, a notice that has come is heard.
 */
static void take_answers(struct agent *agent)
{
	for (; agent->taken < agent->asked; agent->taken++) {
		if (agent->items[agent->taken].status == -EINPROGRESS)
			return;
		take_answer(agent, agent->taken);
	}
}

/*
 * Whether the service answers is told by the Spot notice alone, which every poll asks for. What is
 * asked for now and then may fail for reasons of its own, and must not slow that down.
 */
static void poll_end(struct agent *agent)
{
	const struct imds_item *first = &agent->items[SOURCE_ACTION];
	struct error err = { "" };
	int status = imds_end(agent->imds, &err);

	if (item_answered(first))
		poll_went_well(agent);
	else
		poll_failed(agent, status < 0 ? &err : &first->error);
	imds_items_free(agent->items, agent->asked);
	agent->asked = 0;
}

uint64_t poll_step(struct agent *agent)
{
	uint64_t now = agent_now_us();
	unsigned wait_ms;

	if (!agent->imds)
		return UINT64_MAX;
	if (!poll_under_way(agent)) {
		if (now < agent->next_poll)
			return agent->next_poll - now;
		poll_begin(agent, now);
	}
	wait_ms = imds_step(agent->imds);
	take_answers(agent);
	if (wait_ms)
		return (uint64_t)wait_ms * 1000;
	poll_end(agent);
	now = agent_now_us();
	return agent->next_poll > now ? agent->next_poll - now : 0;
}

void poll_free(struct agent *agent)
{
	imds_items_free(agent->items, agent->asked);
	for (size_t i = 0; i < NOTICE_SOURCES; i++)
		free(agent->trouble[i]);
	free(agent->pending);
	imds_close(agent->imds);
}
