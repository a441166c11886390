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
#include <syslog.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/prewarm.h"

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

/* So many bad pieces in a row, and the next one is twice as long. */
#define BAD_ROW 16

/*
 * Beyond these the device is broken as a whole, and each request may take the kernel half a minute.
 */
#define FAILED_MOST 256
#define FAILED_ROW  64 /* with none between that did not fail */

/* The kernel has no header for these on old systems (ioprio_set(2)). */
#define IOPRIO_WHO_THREAD  1
#define IOPRIO_IDLE	   (3 << 13)
#define NICE_OF_THE_KINDLY 10

#define NS_PER_MS 1000000ull

struct engine {
	const struct prewarm_job *job;
	pthread_mutex_t mutex;
	pthread_cond_t wake; /* of workers: a deeper depth, a stop, the end */
	pthread_cond_t news; /* of the caller */

	/* All below is under the mutex. */
	const struct prewarm_ranges *todo;
	uint64_t position;
	bool exhausted, stop;
	int fatal; /* an errno */
	struct error fatal_error;
	bool alone; /* the first request: it shows in which pieces the device serves them */
	struct prewarm_depth depth;
	struct prewarm_pace pace;
	struct prewarm_yield yield;
	struct prewarm_ours ours;
	char *buffers; /* in huge pages of ROOM */
	void *room;
	unsigned workers;      /* threads that were made */
	unsigned ready, ended; /* of these, so far */
	unsigned busy;	       /* with a request */
	struct prewarm_ranges done;
	struct prewarm_ranges failed; /* to be tried again */
	unsigned failures, failures_row;
	struct error first_failure;
	bool second;	    /* these are tried now */
	struct strings bad; /* to be told by the caller */
	struct prewarm_numbers numbers;
	uint64_t slowest_now, slowest_before;
};

struct worker {
	struct engine *engine;
	unsigned index;
};

/* ---- One request ----------------------------------------------------------------------------- */

/* Reads or writes RANGE, with a BUFFER of its length. 0 or an errno, not negative. */
static int transfer(const struct prewarm_job *job, char *buffer, const struct prewarm_range *range)
{
	uint64_t moved = 0;

	while (moved < range->length) {
		size_t size = (size_t)(range->length - moved);
		off_t position = (off_t)(range->start + moved);
		ssize_t n = job->write ? pwrite(job->fd, buffer, size, position)
				       : pread(job->fd, buffer, size, position);

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

/* Whether after this errno there is nothing to hope for elsewhere on the device. */
static bool is_fatal(int code)
{
	static const int codes[] = { ENODEV, ENXIO, EBADF, EINVAL, ENOSPC, EDQUOT, EROFS, ETXTBSY,
		EPERM, EFBIG };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (code == codes[i])
			return true;
	return false;
}

/* Bytes of the smallest pieces. */
static uint64_t smallest(const struct prewarm_job *job)
{
	return job->logical > PREWARM_BLOCK_LEAST ? job->logical : PREWARM_BLOCK_LEAST;
}

/* What came of a RANGE that was tried once more. */
struct retried {
	struct prewarm_ranges good, bad;
	int code; /* an errno: of the first bad position, or a fatal one */
};

/*
 * RANGE once more, in the smallest pieces, so that what is lost is no more than what is bad. Where
 * many in a row are bad, the pieces grow until one is good: each of them may take the device half a
 * minute. STOPPED is asked between them. Free both ranges of AGAIN, which must be {0}.
 */
static void retry(const struct prewarm_job *job, char *buffer, const struct prewarm_range *range,
	bool (*stopped)(void *data), void *data, struct retried *again)
{
	uint64_t position = range->start, end = range->start + range->length;
	uint64_t size = smallest(job);
	unsigned row = 0;

	while (position < end && !stopped(data)) {
		struct prewarm_range piece = { position,
			size < end - position ? size : end - position };
		int code = transfer(job, buffer, &piece);

		position += piece.length;
		if (code == 0) {
			prewarm_ranges_add(&again->good, &piece);
			size = smallest(job);
			row = 0;
			continue;
		}
		if (again->code == 0 || is_fatal(code))
			again->code = code;
		if (is_fatal(code))
			return;
		prewarm_ranges_add(&again->bad, &piece);
		if (++row >= BAD_ROW)
			size *= 2;
	}
}

/* ---- The workers ----------------------------------------------------------------------------- */

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
	if (!prewarm_next(engine->todo, block_now(engine), &engine->position, request)) {
		engine->exhausted = true;
		pthread_cond_broadcast(&engine->wake);
		return false;
	}
	now = clock_ns(CLOCK_MONOTONIC);
	return wait_until(engine, prewarm_pace_begin(&engine->pace, now, request->length));
}

/* Ends it all, with the errno CODE and WHY. With the mutex. */
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

static const char *reason(int code)
{
	return code == ENODEV || code == ENXIO ? "the device is gone"
	       : code == ETXTBSY	       ? "it has become an active swap area"
					       : strerror(code);
}

static char *bad_range(const struct engine *engine, const struct prewarm_range *range, int code)
{
	return text_format("cannot %s %llu bytes at byte %llu of %s: %s",
		engine->job->write ? "write" : "read", (unsigned long long)range->length,
		(unsigned long long)range->start, engine->job->name, strerror(code));
}

/* It is tried again when the rest is done, unless nothing speaks for the device any more. */
static void request_failed(struct engine *engine, const struct prewarm_range *request, int code)
{
	memory_cleanup_free char *text = NULL;

	if (is_fatal(code)) {
		give_up(engine, code, reason(code));
		return;
	}
	text = bad_range(engine, request, code);
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
	give_up(engine, EIO, text);
}

/* What came of one that was tried again. */
static void request_retried(struct engine *engine, const struct retried *again)
{
	struct prewarm_numbers *numbers = &engine->numbers;

	for (size_t i = 0; i < again->good.count; i++)
		prewarm_ranges_add(&engine->done, &again->good.items[i]);
	numbers->bytes += prewarm_ranges_total(&again->good);
	numbers->errors += prewarm_ranges_total(&again->bad) / smallest(engine->job);
	for (size_t i = 0; i < again->bad.count; i++) {
		char *text = bad_range(engine, &again->bad.items[i], again->code);

		if (!*numbers->first_error.text)
			error_set(&numbers->first_error, again->code, "%s", text);
		strings_take(&engine->bad, text);
	}
	if (is_fatal(again->code))
		give_up(engine, again->code, reason(again->code));
}

/*
 * Who else uses the device, and what is left to us then. With the mutex: nothing begins meanwhile.
 */
static void look_around(struct engine *engine)
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
	look_around(engine);
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
	struct retried again = { 0 };

	engine->busy++;
	pthread_mutex_unlock(&engine->mutex);
	retry(engine->job, buffer, request, is_stopped, engine, &again);
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
	code = transfer(engine->job, buffer, request);
	now = clock_ns(CLOCK_MONOTONIC);
	pthread_mutex_lock(&engine->mutex);
	request_end(engine, request, lacking);
	if (code)
		request_failed(engine, request, code);
	else
		request_done(engine, request, now, (now - began) / 1000);
}

/* A thread: requests until there are none, or a stop. DATA is its struct worker. */
static void *worker_run(void *data)
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

/* ---- The caller ------------------------------------------------------------------------------ */

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
		give_up(engine, code, "cannot start a thread");
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

	/*
	 * A mean over the last two seconds or so: steady enough to read, quick enough to believe.
	 */
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
	for (size_t i = 0; i < bad.count; i++)
		reporter_log(engine->job->reporter, LOG_INFO, "%s", bad.items[i]);
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

	pthread_mutex_unlock(&engine->mutex);
	wanted = reporter_cancelled(engine->job->reporter);
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

/* Until all ranges are through, or it is stopped. True: cancelled. */
static bool run_through(struct engine *engine, struct rhythm *rhythm)
{
	pthread_t threads[PREWARM_DEPTH_MOST];
	struct worker workers[PREWARM_DEPTH_MOST];
	bool was_cancelled = false;

	engine->position = 0;
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
		look_around(engine);
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

	look_around(engine); /* what the device did before is nobody's */
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
			(unsigned long long)smallest(engine->job), engine->job->name,
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
		return error_set(err, -status, "there is not enough memory for buffers");
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
