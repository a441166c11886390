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
	debounce->resumed = true;
	debounce->resumed_ms = now_ms;
}

unsigned backoff_ms(unsigned failures, unsigned base_ms, unsigned most_ms, uint32_t chance)
{
	uint64_t wait = base_ms, rest;

	if (failures == 0)
		return 0;
	if (most_ms > BACKOFF_MOST_MS)
		most_ms = BACKOFF_MOST_MS;
	/* It stops doubling at the limit, so no number of failures is too large. */
	for (unsigned i = 1; i < failures && wait && wait < most_ms; i++)
		wait *= 2;
	if (wait > most_ms)
		wait = most_ms;
	rest = wait / 2;
	return (unsigned)(wait - rest + ((rest + 1) * chance >> 32));
}
