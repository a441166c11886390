/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/prewarm_worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/actions/prewarm_request.h"
#include "core/base/clock.h"
#include "core/base/memory.h"

/* Beyond these the device is broken as a whole, and each request may take the kernel half a minute. */
#define FAILED_MOST 256
#define FAILED_ROW  64 /* with none between that did not fail */

/* The kernel has no header for these on old systems (ioprio_set(2)). */
#define IOPRIO_WHO_THREAD  1
#define IOPRIO_IDLE	   (3 << 13)
#define NICE_OF_THE_KINDLY 10

/* What a workload of this machine wants comes first. Where that is not heeded, no harm is done. */
static void be_kind(unsigned index)
{
	char name[16];

	snprintf(name, sizeof(name), "prewarm-%u", index);
	prctl(PR_SET_NAME, name);
	setpriority(PRIO_PROCESS, 0, NICE_OF_THE_KINDLY); /* 0: this thread */
	syscall(SYS_ioprio_set, IOPRIO_WHO_THREAD, 0, IOPRIO_IDLE);
}

/* A change of the rate ends it: what was to be waited for was another one's time. */
static bool wait_until(struct engine *engine, uint64_t when)
{
	struct timespec until = { .tv_sec = (time_t)(when / (1000 * NS_PER_MS)),
		.tv_nsec = (long)(when % (1000 * NS_PER_MS)) };
	uint64_t rate = engine->pace.rate;

	while (!engine->stop && engine->pace.rate == rate && clock_ns(CLOCK_MONOTONIC) < when)
		pthread_cond_timedwait(&engine->wake, &engine->mutex, &until);
	return !engine->stop;
}

static bool has_turn(const struct engine *engine, unsigned index)
{
	return index < (engine->alone ? 1 : engine->depth.depth);
}

static uint64_t block_now(const struct engine *engine)
{
	return engine->yield.rate && engine->job->block > PREWARM_YIELD_BLOCK ? PREWARM_YIELD_BLOCK
									      : engine->job->block;
}

/* The next one, when its time has come; false at the end. With the mutex. */
static bool take_request(struct engine *engine, unsigned index, struct prewarm_range *request)
{
	uint64_t now;

	while (!engine->stop && !engine->exhausted && !has_turn(engine, index))
		pthread_cond_wait(&engine->wake, &engine->mutex);
	if (engine->stop || engine->exhausted)
		return false;
	if (!prewarm_next(engine->todo, block_now(engine), &engine->place, request)) {
		engine->exhausted = true;
		pthread_cond_broadcast(&engine->wake);
		return false;
	}
	now = clock_ns(CLOCK_MONOTONIC);
	return wait_until(engine, prewarm_pace_begin(&engine->pace, now, request->length));
}

void engine_give_up(struct engine *engine, int code, const char *why)
{
	if (engine->fatal == 0) {
		engine->fatal = code;
		error_set(&engine->fatal_error, code, "cannot %s %s: %s",
			engine->job->write ? "write to" : "read", engine->job->name, why);
	}
	engine->stop = true;
	pthread_cond_broadcast(&engine->wake);
	pthread_cond_signal(&engine->news);
}

static const char *reason(int code)
{
	return code == ENODEV || code == ENXIO ? "the device is gone"
	       : code == ETXTBSY	       ? "it has become an active swap area"
					       : strerror(code);
}

static char *bad_place(const struct engine *engine, const struct prewarm_range *place, int code)
{
	return text_format("cannot %s %llu bytes at byte %llu of %s: %s",
		engine->job->write ? "write" : "read", (unsigned long long)place->length,
		(unsigned long long)place->start, engine->job->name, strerror(code));
}

/* It is tried again when the rest is done, unless nothing speaks for the device any more. */
static void request_failed(struct engine *engine, const struct prewarm_range *request, int code)
{
	memory_cleanup_free char *text = NULL;

	if (prewarm_is_fatal(code)) {
		engine_give_up(engine, code, reason(code));
		return;
	}
	text = bad_place(engine, request, code);
	if (engine->failures++ == 0)
		error_set(&engine->first_failure, code, "%s", text);
	prewarm_ranges_add(&engine->failed, request);
	if (++engine->failures_row < FAILED_ROW && engine->failures < FAILED_MOST)
		return;
	text_set(&text, text_format("%u requests failed%s, the first: %s", engine->failures,
				engine->failures_row < FAILED_ROW
					? ""
					: ", and none has succeeded between the last 64",
				engine->first_failure.text));
	engine_give_up(engine, EIO, text);
}

/* What came of one that was tried again. */
static void request_retried(struct engine *engine, const struct prewarm_again *again)
{
	struct prewarm_numbers *numbers = &engine->numbers;

	for (size_t i = 0; i < again->good.count; i++)
		prewarm_ranges_add(&engine->done, &again->good.items[i]);
	numbers->bytes += prewarm_ranges_total(&again->good);
	numbers->errors += prewarm_ranges_total(&again->bad) / prewarm_smallest(engine->job);
	for (size_t i = 0; i < again->bad.count; i++) {
		char *text = bad_place(engine, &again->bad.items[i], again->code);

		if (!*numbers->first_error.text)
			error_set(&numbers->first_error, again->code, "%s", text);
		strings_take(&engine->bad, text);
	}
	if (prewarm_is_fatal(again->code))
		engine_give_up(engine, again->code, reason(again->code));
}

void engine_look_around(struct engine *engine)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), rate = engine->yield.rate;
	struct prewarm_counters counters;
	char text[256];
	ssize_t length;

	if (engine->job->counters < 0 || engine->second)
		return;
	length = pread(engine->job->counters, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return;
	text[length] = '\0';
	engine->ours.slowest =
		(engine->slowest_now > engine->slowest_before ? engine->slowest_now
							      : engine->slowest_before) *
		1000;
	if (!prewarm_counters_parse(&counters, text) ||
		prewarm_yield_look(&engine->yield, now, &counters, &engine->ours) == rate)
		return;
	rate = engine->yield.rate;
	engine->pace.rate =
		engine->job->rate && (!rate || engine->job->rate < rate) ? engine->job->rate : rate;
	/* What was not used of another rate is no credit. */
	if (engine->pace.paid < now)
		engine->pace.paid = now;
	if (rate == 0)
		prewarm_depth_again(&engine->depth, now);
	pthread_cond_broadcast(&engine->wake);
}

static void request_done(
	struct engine *engine, const struct prewarm_range *request, uint64_t now, uint64_t us)
{
	unsigned before = engine->depth.depth;

	engine->failures_row = 0;
	prewarm_ranges_add(&engine->done, request);
	engine->numbers.bytes += request->length;
	prewarm_histogram_add(&engine->numbers.histogram, us);
	if (us > engine->slowest_now)
		engine->slowest_now = us;
	/*
	 * How much comes while it gives way, or while threads for a deeper depth are on their
	 * way, says nothing about the device.
	 */
	if (engine->yield.rate || engine->ready < engine->depth.depth ||
		prewarm_depth_completed(&engine->depth, now, request->length) == before)
		return;
	pthread_cond_broadcast(&engine->wake);
	pthread_cond_signal(&engine->news); /* there may not be as many workers yet */
}

static void request_begin(struct engine *engine, const struct prewarm_range *request)
{
	engine->busy++;
	engine->ours.begun += request->length;
	engine->ours.begun_short += prewarm_yield_short(&engine->yield, request->length);
}

/* BEFORE: what begun_short was raised by. */
static void request_end(struct engine *engine, const struct prewarm_range *request, uint64_t before)
{
	engine->busy--;
	engine->ours.done += request->length;
	engine->ours.done_short += before;
	if (!engine->alone)
		return;
	engine_look_around(engine);
	engine->alone = false;
	pthread_cond_broadcast(&engine->wake);
}

static bool is_stopped(void *data)
{
	struct engine *engine = data;
	bool stop;

	pthread_mutex_lock(&engine->mutex);
	stop = engine->stop;
	pthread_mutex_unlock(&engine->mutex);
	return stop;
}

static void serve_again(struct engine *engine, const struct prewarm_range *request, char *buffer)
{
	struct prewarm_again again = { 0 };

	engine->busy++;
	pthread_mutex_unlock(&engine->mutex);
	prewarm_retry(engine->job, buffer, request, is_stopped, engine, &again);
	pthread_mutex_lock(&engine->mutex);
	engine->busy--;
	request_retried(engine, &again);
	prewarm_ranges_free(&again.good);
	prewarm_ranges_free(&again.bad);
}

static void serve_once(struct engine *engine, const struct prewarm_range *request, char *buffer)
{
	uint64_t lacking = prewarm_yield_short(&engine->yield, request->length);
	uint64_t began = clock_ns(CLOCK_MONOTONIC), now;
	int code;

	request_begin(engine, request);
	pthread_mutex_unlock(&engine->mutex);
	code = prewarm_transfer(engine->job, buffer, request);
	now = clock_ns(CLOCK_MONOTONIC);
	pthread_mutex_lock(&engine->mutex);
	request_end(engine, request, lacking);
	if (code)
		request_failed(engine, request, code);
	else
		request_done(engine, request, now, (now - began) / 1000);
}

void *worker_run(void *data)
{
	const struct worker *worker = data;
	struct engine *engine = worker->engine;
	/* One of its own: checksums that a device keeps would not fit a buffer that two fill. */
	char *buffer = engine->buffers + worker->index * engine->job->block;
	struct prewarm_range request;

	be_kind(worker->index);
	/* So that no request waits until the kernel has found memory. */
	memset(buffer, 0, engine->job->block);
	pthread_mutex_lock(&engine->mutex);
	engine->ready++;
	while (take_request(engine, worker->index, &request))
		if (engine->second)
			serve_again(engine, &request, buffer);
		else
			serve_once(engine, &request, buffer);
	engine->ended++;
	pthread_cond_signal(&engine->news);
	pthread_mutex_unlock(&engine->mutex);
	return NULL;
}
