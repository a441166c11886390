/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/prewarm_engine.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define NS_PER_MS 1000000ull

#define REPORT_MS 200
#define SAVE_MS	  5000
#define RECENT_MS 1000
/* At a stop, so long for the requests on their way before what is done so far is saved. */
#define GRACE_MS 40

/* Beyond this the device is broken as a whole, and each place may take the kernel half a minute. */
#define ERRORS_MOST 256

/* All buffers together. */
#define MEMORY_MOST (128 * MIB)

/* The kernel has no header for these on old systems (ioprio_set(2)). */
#define IOPRIO_WHO_THREAD  1
#define IOPRIO_IDLE	   (3 << 13)
#define NICE_OF_THE_KINDLY 10

/* A request makes system calls and no more. */
#define STACK_BYTES (256 * 1024)

struct engine {
	const struct prewarm_job *job;
	pthread_mutex_t mutex;
	pthread_cond_t wake; /* of workers: a deeper depth, a stop, the end */
	pthread_cond_t news; /* of the caller */

	/* All below is under the mutex. */
	const struct prewarm_ranges *todo;
	uint64_t block, place;
	bool exhausted, stop;
	int fatal; /* an errno */
	struct error fatal_error;
	struct prewarm_depth depth;
	struct prewarm_pace pace;
	unsigned workers, ended, busy;
	struct prewarm_ranges done;
	struct prewarm_ranges failed; /* to be tried again */
	bool second;		      /* these are tried now */
	struct strings bad;	      /* to be told by the caller */
	struct prewarm_numbers numbers;
	uint64_t slowest_now, slowest_before;
};

struct worker {
	struct engine *engine;
	unsigned index;
};

/* ---- A worker ------------------------------------------------------------------------------------- */

/* What a workload of this machine wants comes first. Where that is not heeded, no harm is done. */
static void be_kind(unsigned index)
{
	char name[16];

	snprintf(name, sizeof(name), "prewarm-%u", index);
	prctl(PR_SET_NAME, name);
	setpriority(PRIO_PROCESS, 0, NICE_OF_THE_KINDLY); /* 0: this thread */
	syscall(SYS_ioprio_set, IOPRIO_WHO_THREAD, 0, IOPRIO_IDLE);
}

static bool wait_until(struct engine *engine, uint64_t when)
{
	struct timespec until = { .tv_sec = (time_t)(when / (1000 * NS_PER_MS)),
		.tv_nsec = (long)(when % (1000 * NS_PER_MS)) };

	while (!engine->stop && clock_ns(CLOCK_MONOTONIC) < when)
		pthread_cond_timedwait(&engine->wake, &engine->mutex, &until);
	return !engine->stop;
}

/* The next one, when its time has come; false at the end. With the mutex. */
static bool take_request(
	struct engine *engine, unsigned index, struct prewarm_range *request)
{
	uint64_t now;

	while (!engine->stop && !engine->exhausted && index >= engine->depth.depth)
		pthread_cond_wait(&engine->wake, &engine->mutex);
	if (engine->stop || engine->exhausted)
		return false;
	if (!prewarm_next(engine->todo, engine->block, &engine->place, request)) {
		engine->exhausted = true;
		pthread_cond_broadcast(&engine->wake);
		return false;
	}
	now = clock_ns(CLOCK_MONOTONIC);
	return wait_until(
		engine, prewarm_pace_begin(&engine->pace, now, request->length));
}

/* 0 or an errno. */
static int transfer(
	const struct prewarm_job *job, char *buffer, const struct prewarm_range *request)
{
	uint64_t moved = 0;

	while (moved < request->length) {
		size_t size = (size_t)(request->length - moved);
		off_t place = (off_t)(request->start + moved);
		ssize_t n = job->write ? pwrite(job->fd, buffer, size, place)
				       : pread(job->fd, buffer, size, place);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return ENODEV; /* the device ends before that: it shrank */
		moved += (uint64_t)n;
	}
	return 0;
}

/* Errors after which there is nothing to hope for elsewhere on the device. */
static bool is_fatal(int code)
{
	static const int codes[] = { ENODEV, ENXIO, EBADF, EINVAL, ENOSPC, EDQUOT, EROFS,
		ETXTBSY, EPERM, EFBIG };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (code == codes[i])
			return true;
	return false;
}

static void give_up(struct engine *engine, int code, const char *why)
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

static void request_failed(
	struct engine *engine, const struct prewarm_range *request, int code)
{
	struct prewarm_numbers *numbers = &engine->numbers;

	if (is_fatal(code)) {
		give_up(engine, code,
			code == ENODEV || code == ENXIO ? "the device is gone"
			: code == ETXTBSY ? "it has become an active swap area"
					  : strerror(code));
		return;
	}
	if (!engine->second) {
		prewarm_ranges_add(&engine->failed, request);
		return;
	}
	numbers->errors++;
	strings_take(
		&engine->bad, text_format("cannot %s %llu bytes at byte %llu of %s: %s",
				      engine->job->write ? "write" : "read",
				      (unsigned long long)request->length,
				      (unsigned long long)request->start,
				      engine->job->name, strerror(code)));
	if (!*numbers->first_error.text)
		error_set(&numbers->first_error, code, "%s", engine->bad.items[0]);
	if (numbers->errors >= ERRORS_MOST)
		give_up(engine, EIO, "too many places cannot be touched");
}

static void request_done(struct engine *engine, const struct prewarm_range *request,
	uint64_t now, uint64_t us)
{
	unsigned before = engine->depth.depth;

	prewarm_ranges_add(&engine->done, request);
	engine->numbers.bytes += request->length;
	prewarm_histogram_add(&engine->numbers.histogram, us);
	if (us > engine->slowest_now)
		engine->slowest_now = us;
	if (prewarm_depth_completed(&engine->depth, now, request->length) == before)
		return;
	pthread_cond_broadcast(&engine->wake);
	pthread_cond_signal(&engine->news); /* there may not be as many workers yet */
}

static void serve(struct engine *engine, unsigned index, char *buffer)
{
	struct prewarm_range request;

	while (take_request(engine, index, &request)) {
		uint64_t began = clock_ns(CLOCK_MONOTONIC), now;
		int code;

		engine->busy++;
		pthread_mutex_unlock(&engine->mutex);
		code = transfer(engine->job, buffer, &request);
		now = clock_ns(CLOCK_MONOTONIC);
		pthread_mutex_lock(&engine->mutex);
		engine->busy--;
		if (code)
			request_failed(engine, &request, code);
		else
			request_done(engine, &request, now, (now - began) / 1000);
	}
}

static void *work(void *data)
{
	const struct worker *worker = data;
	struct engine *engine = worker->engine;
	/* One of its own: checksums that a device keeps would not fit a buffer that two fill. */
	size_t size = (size_t)engine->block;
	char *buffer = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	be_kind(worker->index);
	pthread_mutex_lock(&engine->mutex);
	if (buffer == MAP_FAILED)
		give_up(engine, ENOMEM, "there is no memory for a buffer");
	else
		serve(engine, worker->index, buffer);
	engine->ended++;
	pthread_cond_signal(&engine->news);
	pthread_mutex_unlock(&engine->mutex);
	if (buffer != MAP_FAILED)
		munmap(buffer, size);
	return NULL;
}

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
		code = pthread_create(&threads[i], &attributes, work, &workers[i]);
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
		give_up(engine, code, "a thread cannot be made");
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
	numbers->slowest_us = engine->slowest_now > engine->slowest_before
				      ? engine->slowest_now
				      : engine->slowest_before;
	numbers->depth = engine->depth.depth;
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
	engine->workers = engine->ended = 0;
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
	bool was_cancelled = run_through(engine, &rhythm);

	if (engine->failed.count && !engine->stop) {
		again = engine->failed;
		engine->failed = (struct prewarm_ranges) { 0 };
		engine->todo = &again;
		/* So that what is lost is no more than what cannot be read. */
		engine->block = engine->job->logical > PREWARM_BLOCK_LEAST
					? engine->job->logical
					: PREWARM_BLOCK_LEAST;
		engine->second = true;
		was_cancelled = run_through(engine, &rhythm);
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
			"%llu places of %s cannot be %s; the first: %s",
			(unsigned long long)engine->numbers.errors, engine->job->name,
			engine->job->write ? "written" : "read",
			engine->numbers.first_error.text);
	return 0;
}

int prewarm_engine_run(const struct prewarm_job *job, struct prewarm_ranges *done,
	struct prewarm_numbers *numbers, struct error *err)
{
	unsigned most = MEMORY_MOST / job->block < PREWARM_DEPTH_MOST
				? (unsigned)(MEMORY_MOST / job->block)
				: PREWARM_DEPTH_MOST;
	struct engine engine = { .job = job,
		.todo = job->ranges,
		.block = job->block,
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
	pthread_mutex_lock(&engine.mutex);
	status = run_both(&engine, err);
	pthread_mutex_unlock(&engine.mutex);
	pthread_cond_destroy(&engine.news);
	pthread_cond_destroy(&engine.wake);
	pthread_mutex_destroy(&engine.mutex);
	*done = engine.done;
	*numbers = engine.numbers;
	prewarm_ranges_free(&engine.failed);
	strings_free(&engine.bad);
	return status;
}
