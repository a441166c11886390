/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/watch.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

/* So many jobs for one hibernation when signals end them, and the pause after the first. */
#define JOBS_MOST ((unsigned)3)
#define PAUSE_US  ((uint64_t)1000 * 1000)

enum job_kind request_job(const struct request *request, const struct config *config)
{
	if (request->kind == REQUEST_START)
		return JOB_START;
	if (request->kind == REQUEST_NOTICE &&
		notice_reaction(&request->notice, config) != REACTION_HIBERNATE)
		return JOB_HOOKS;
	return JOB_HIBERNATE;
}

bool request_again(struct request *request, uint64_t now)
{
	request->lost++;
	/* What ended it may be over soon: memory that others wanted, for one. */
	request->due = now + request->lost * PAUSE_US;
	return request->lost < JOBS_MOST;
}

void requests_add(struct requests *requests, const struct request *request)
{
	size_t position = requests->count;

	while (position > 0 && requests->items[position - 1].kind > request->kind)
		position--;
	if (request->kind != REQUEST_NOTICE && position > 0 &&
		requests->items[position - 1].kind == request->kind) {
		requests->items[position - 1] = *request;
		return;
	}
	requests->items = memory_grow(requests->items, requests->count, sizeof(*requests->items));
	memmove(&requests->items[position + 1], &requests->items[position],
		(requests->count - position) * sizeof(*requests->items));
	requests->items[position] = *request;
	requests->count++;
}

void requests_remove(struct requests *requests, size_t index)
{
	requests->count--;
	memmove(&requests->items[index], &requests->items[index + 1],
		(requests->count - index) * sizeof(*requests->items));
}

uint64_t requests_wait_us(const struct requests *requests, uint64_t now)
{
	uint64_t wait = UINT64_MAX;

	for (size_t i = 0; i < requests->count; i++)
		if (requests->items[i].due > now && requests->items[i].due - now < wait)
			wait = requests->items[i].due - now;
	return wait;
}

bool debounce_ignores(const struct debounce *debounce, int64_t pressed_ms, int64_t window_ms)
{
	int64_t since;

	if (debounce->under_way)
		return true;
	if (!debounce->resumed)
		return false;
	/* Pressed before that hibernation was over, read after it. */
	if (pressed_ms <= debounce->resumed_ms)
		return true;
	if (__builtin_sub_overflow(pressed_ms, debounce->resumed_ms, &since))
		return false;
	return since < window_ms;
}

void debounce_answer(struct debounce *debounce, int64_t now_ms)
{
	debounce->under_way = false;
	debounce->resumed = true;
	debounce->resumed_ms = now_ms;
}

void debounce_look(struct debounce *debounce, int64_t slept_ms, int64_t now_ms)
{
	if (slept_ms - debounce->slept_ms < CLOCK_SLEPT_LEAST_MS)
		return;
	debounce->slept_ms = slept_ms;
	debounce->resumed = debounce->woke = true;
	debounce->resumed_ms = debounce->woke_ms = now_ms;
}

bool debounce_woke(const struct debounce *debounce, int64_t now_ms, int64_t window_ms)
{
	return debounce->woke && now_ms - debounce->woke_ms < window_ms;
}

bool standing_hears(struct standing *standing, const struct notice *notice, uint64_t now_ms)
{
	int64_t elapsed_s = (int64_t)((now_ms - standing->heard_ms) / 1000);
	bool same = standing->is && notice_moves_along(&standing->notice, notice, elapsed_s);

	*standing = (struct standing) { .is = true, .notice = *notice, .heard_ms = now_ms };
	return same;
}

/* The quiet that tells one trouble from the next: at first, and at most. */
#define QUIET_FIRST_MS ((uint64_t)10 * 60 * 1000)
#define DAY_MS	       ((uint64_t)24 * 60 * 60 * 1000)

static enum trouble_news trouble_end(struct trouble *trouble, uint64_t now_ms)
{
	trouble->state = TROUBLE_NONE;
	trouble->before = true;
	trouble->ended_ms = now_ms;
	return TROUBLE_ENDS;
}

enum trouble_news trouble_failed(struct trouble *trouble, uint64_t now_ms)
{
	uint64_t since = now_ms - trouble->ended_ms;
	bool back = trouble->before && since < trouble->quiet_ms;

	trouble->last_ms = now_ms;
	trouble->failures++;
	if (trouble->state != TROUBLE_NONE) {
		if (now_ms - trouble->said_ms < DAY_MS)
			return TROUBLE_SAYS_NOTHING;
		trouble->said_ms = now_ms;
		return TROUBLE_STAYS;
	}
	if (!trouble->before || since >= DAY_MS)
		trouble->quiet_ms = QUIET_FIRST_MS;
	else if (trouble->quiet_ms < DAY_MS / 2)
		trouble->quiet_ms *= 2;
	else
		trouble->quiet_ms = DAY_MS;
	trouble->said_ms = now_ms;
	if (back) {
		trouble->state = TROUBLE_COMES_BACK;
		return TROUBLE_RETURNS;
	}
	trouble->state = TROUBLE_LASTS;
	trouble->failures = 1;
	return TROUBLE_BEGINS;
}

enum trouble_news trouble_passed(struct trouble *trouble, uint64_t now_ms)
{
	if (trouble->state == TROUBLE_NONE)
		return TROUBLE_SAYS_NOTHING;
	if (trouble->state == TROUBLE_COMES_BACK && now_ms - trouble->last_ms < trouble->quiet_ms)
		return TROUBLE_SAYS_NOTHING;
	return trouble_end(trouble, now_ms);
}

unsigned backoff_ms(unsigned failures, unsigned base_ms, uint32_t chance)
{
	unsigned most_ms = base_ms > BACKOFF_MOST_MS ? base_ms : BACKOFF_MOST_MS;
	uint64_t wait = base_ms, rest;

	if (failures == 0)
		return 0;
	/* It stops doubling at the limit, so no number of failures is too large. */
	for (unsigned i = 1; i < failures && wait && wait < most_ms; i++)
		wait *= 2;
	if (wait > most_ms)
		wait = most_ms;
	rest = wait / 2;
	return (unsigned)(wait - rest + ((rest + 1) * chance >> 32));
}
