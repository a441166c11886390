/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/prewarm_engine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "core/actions/prewarm_request.h"
#include "core/actions/prewarm_worker.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define REPORT_MS 200
#define SAVE_MS	  5000
#define RECENT_MS 1000
/* At a stop, so long for the requests on their way before what is done so far is saved. */
#define GRACE_MS 40

/* All buffers together. */
#define MEMORY_MOST (128 * MIB)

/*
 * Buffers lie in huge pages where there are any: the kernel takes hold of a request's pages one by
 * one, and one that lies in many pieces of memory is served in several pieces.
 */
#define HUGE_PAGE (2 * MIB)

/* A request makes system calls and no more. */
#define STACK_BYTES (256 * 1024)

/* ---- The caller ----------------------------------------------------------------------------------- */

/* Makes workers up to the depth; signals stay with the calling thread. With the mutex. */
static void hire(struct engine *engine, pthread_t *threads, struct worker *workers)
{
	pthread_attr_t attributes;
	sigset_t all, old;
	int code = 0;

	if (engine->workers >= engine->depth.depth || engine->stop || engine->exhausted)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	while (engine->workers < engine->depth.depth && code == 0) {
		unsigned i = engine->workers;

		workers[i] = (struct worker) { engine, i };
		code = pthread_create(&threads[i], &attributes, worker_run, &workers[i]);
		if (code == 0)
			engine->workers++;
	}
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	/* A limit on processes: go on with those that there are. */
	if (code && engine->workers)
		prewarm_depth_init(&engine->depth, engine->workers, PREWARM_DEPTH_MOST,
			clock_ns(CLOCK_MONOTONIC));
	else if (code)
		engine_give_up(engine, code, "a thread cannot be made");
}

/* Times of the caller's loop, milliseconds of CLOCK_MONOTONIC. */
struct rhythm {
	uint64_t began, reported, saved, recent;
	uint64_t bytes; /* at the last report */
};

static void count_recent(struct engine *engine, struct rhythm *rhythm, uint64_t now)
{
	struct prewarm_numbers *numbers = &engine->numbers;
	uint64_t bytes = numbers->bytes - rhythm->bytes, passed = now - rhythm->reported;
	uint64_t rate = passed ? bytes * 1000 / passed : 0;

	/* A mean over the last two seconds or so: steady enough to read, quick enough to believe. */
	numbers->rate = numbers->rate ? (numbers->rate * 9 + rate) / 10 : rate;
	if (now - rhythm->recent >= RECENT_MS) {
		engine->slowest_before = engine->slowest_now;
		engine->slowest_now = 0;
		rhythm->recent = now;
	}
	numbers->slowest_us = engine->slowest_now > engine->slowest_before ? engine->slowest_now
									   : engine->slowest_before;
	numbers->depth = engine->depth.depth;
	numbers->gives_way = engine->yield.rate != 0;
	numbers->elapsed_ms = now - rhythm->began;
	rhythm->bytes = numbers->bytes;
	rhythm->reported = now;
}

/* With the mutex, which is let go meanwhile: a save may wait for a disk. */
static void save(struct engine *engine)
{
	struct prewarm_ranges done = { 0 };

	if (!engine->job->save)
		return;
	for (size_t i = 0; i < engine->done.count; i++)
		prewarm_ranges_add(&done, &engine->done.items[i]);
	pthread_mutex_unlock(&engine->mutex);
	engine->job->save(engine->job->data, &done);
	pthread_mutex_lock(&engine->mutex);
	prewarm_yield_skip(&engine->yield);
	prewarm_ranges_free(&done);
}

static void tell_bad(struct engine *engine)
{
	struct strings bad = engine->bad;

	engine->bad = (struct strings) { 0 };
	pthread_mutex_unlock(&engine->mutex);
	for (size_t i = 0; i < bad.count && engine->job->bad; i++)
		engine->job->bad(engine->job->data, bad.items[i]);
	strings_free(&bad);
	pthread_mutex_lock(&engine->mutex);
}

static void report(struct engine *engine)
{
	struct prewarm_numbers numbers = engine->numbers;

	if (engine->bad.count)
		tell_bad(engine);
	if (!engine->job->report)
		return;
	pthread_mutex_unlock(&engine->mutex);
	engine->job->report(engine->job->data, &numbers);
	pthread_mutex_lock(&engine->mutex);
}

static void wait_tick(struct engine *engine, unsigned ms)
{
	uint64_t when = clock_ns(CLOCK_MONOTONIC) + ms * NS_PER_MS;
	struct timespec until = { .tv_sec = (time_t)(when / (1000 * NS_PER_MS)),
		.tv_nsec = (long)(when % (1000 * NS_PER_MS)) };

	pthread_cond_timedwait(&engine->news, &engine->mutex, &until);
}

static bool cancelled(struct engine *engine)
{
	bool wanted;

	if (!engine->job->cancelled)
		return false;
	pthread_mutex_unlock(&engine->mutex);
	wanted = engine->job->cancelled(engine->job->data);
	pthread_mutex_lock(&engine->mutex);
	return wanted;
}

/* A request may take the device seconds, and cannot be called back: what is done is saved first. */
static void wind_up(struct engine *engine)
{
	uint64_t end = clock_ms(CLOCK_MONOTONIC) + GRACE_MS;

	engine->stop = true;
	pthread_cond_broadcast(&engine->wake);
	while (engine->busy && clock_ms(CLOCK_MONOTONIC) < end)
		wait_tick(engine, GRACE_MS / 4);
	save(engine);
}

/* Until the ranges in TODO are through, or it is stopped. True: cancelled. */
static bool run_through(struct engine *engine, struct rhythm *rhythm)
{
	pthread_t threads[PREWARM_DEPTH_MOST];
	struct worker workers[PREWARM_DEPTH_MOST];
	bool was_cancelled = false;

	engine->place = 0;
	engine->exhausted = false;
	engine->workers = engine->ready = engine->ended = 0;
	while (!engine->stop) {
		uint64_t now = clock_ms(CLOCK_MONOTONIC);

		hire(engine, threads, workers);
		if (engine->workers == engine->ended && engine->exhausted)
			break;
		if (now - rhythm->reported >= REPORT_MS) {
			count_recent(engine, rhythm, now);
			report(engine);
		}
		if (now - rhythm->saved >= SAVE_MS) {
			rhythm->saved = now;
			save(engine);
		}
		wait_tick(engine, PREWARM_TICK_MS);
		engine_look_around(engine);
		was_cancelled = !engine->stop && cancelled(engine);
		if (was_cancelled)
			wind_up(engine);
	}
	pthread_mutex_unlock(&engine->mutex);
	for (unsigned i = 0; i < engine->workers; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_lock(&engine->mutex);
	return was_cancelled;
}

static int run_both(struct engine *engine, struct error *err)
{
	uint64_t now = clock_ms(CLOCK_MONOTONIC);
	struct rhythm rhythm = { now, now, now, now, 0 };
	struct prewarm_ranges again;
	bool was_cancelled;

	engine_look_around(engine); /* what the device did before is nobody's */
	was_cancelled = run_through(engine, &rhythm);

	if (engine->failed.count && !engine->stop) {
		again = engine->failed;
		engine->failed = (struct prewarm_ranges) { 0 };
		engine->todo = &again;
		engine->second = true;
		was_cancelled = run_through(engine, &rhythm);
		engine->todo = engine->job->ranges;
		prewarm_ranges_free(&again);
	}
	count_recent(engine, &rhythm, clock_ms(CLOCK_MONOTONIC));
	report(engine);
	if (engine->fatal) {
		*err = engine->fatal_error;
		return -engine->fatal;
	}
	if (was_cancelled)
		return error_set(err, ECANCELED, "stopped");
	if (engine->numbers.errors)
		return error_set(err, EIO,
			"%llu block%s of %llu bytes on %s cannot be %s; the first: %s",
			(unsigned long long)engine->numbers.errors,
			engine->numbers.errors == 1 ? "" : "s",
			(unsigned long long)prewarm_smallest(engine->job), engine->job->name,
			engine->job->write ? "written" : "read", engine->numbers.first_error.text);
	return 0;
}

/* Room for as many as there can be workers; what is not used is never there. */
static int get_buffers(struct engine *engine, unsigned most, size_t *size)
{
	uintptr_t start;
	void *room;

	*size = most * (size_t)engine->job->block + HUGE_PAGE;
	room = mmap(NULL, *size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		return -errno;
	start = ((uintptr_t)room + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	engine->room = room;
	engine->buffers = (char *)start;
	madvise(engine->buffers, *size - HUGE_PAGE, MADV_HUGEPAGE); /* or as it is */
	return 0;
}

static int run_with_buffers(struct engine *engine, struct error *err)
{
	size_t size;
	int status = get_buffers(engine, engine->depth.most, &size);

	if (status < 0)
		return error_set(err, -status, "there is no memory for buffers");
	pthread_mutex_lock(&engine->mutex);
	status = run_both(engine, err);
	pthread_mutex_unlock(&engine->mutex);
	munmap(engine->room, size);
	return status;
}

int prewarm_engine_run(const struct prewarm_job *job, struct prewarm_ranges *done,
	struct prewarm_numbers *numbers, struct error *err)
{
	unsigned most = MEMORY_MOST / job->block < PREWARM_DEPTH_MOST
				? (unsigned)(MEMORY_MOST / job->block)
				: PREWARM_DEPTH_MOST;
	struct engine engine = { .job = job,
		.todo = job->ranges,
		.alone = job->counters >= 0,
		.pace = { .rate = job->rate } };
	pthread_condattr_t monotonic;
	int status;

	prewarm_depth_init(&engine.depth, job->depth, most, clock_ns(CLOCK_MONOTONIC));
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&engine.mutex, NULL);
	pthread_cond_init(&engine.wake, &monotonic);
	pthread_cond_init(&engine.news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	status = run_with_buffers(&engine, err);
	pthread_cond_destroy(&engine.news);
	pthread_cond_destroy(&engine.wake);
	pthread_mutex_destroy(&engine.mutex);
	*done = engine.done;
	*numbers = engine.numbers;
	prewarm_ranges_free(&engine.failed);
	strings_free(&engine.bad);
	return status;
}
