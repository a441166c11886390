/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/prewarm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "core/actions/prewarm_engine.h"
#include "core/actions/prewarm_parts.h"
#include "core/actions/swap.h"
#include "core/base/clock.h"
#include "core/base/instant.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"

/* How long another one that is about to end may hold the lock. */
#define LOCK_WAIT_MS 200
/* How often the state is published, milliseconds. */
#define PUBLISH_MS 1000

/* So often it may lie elsewhere at the end than at the beginning. */
#define MOVES_MOST 3

struct run {
	const struct prewarm *prewarm;
	struct prewarm_state *state;
	struct prewarm_target target;
	struct prewarm_ranges earlier; /* done by earlier runs */
	struct prewarm_ranges left;
	uint64_t published; /* CLOCK_MONOTONIC, ms */
};

static const struct root *root_of(const struct run *run)
{
	return run->prewarm->gather->root;
}

/* ---- The state ---------------------------------------------------------------------------------- */

static void publish(struct run *run)
{
	struct error err = { "" };

	run->published = clock_ms(CLOCK_MONOTONIC);
	if (record_publish(
		    root_of(run), PREWARM_STATE_PATH, &prewarm_state_layout, run->state, &err) < 0)
		reporter_log(run->prewarm->reporter, LOG_INFO, "%s", err.text);
}

static void state_begin(struct run *run)
{
	struct prewarm_state *state = run->state;
	char now[INSTANT_LENGTH];

	instant_now(now);
	fact_set_number(&state->format, PREWARM_STATE_FORMAT);
	fact_set_text(&state->state, PREWARM_RUNNING);
	fact_set_number(&state->pid, (uint64_t)getpid());
	fact_set_text(&state->started, now);
	fact_set_text(&state->path, run->prewarm->device);
	fact_set_absent(fact_of(&state->device));
	fact_set_absent(fact_of(&state->method));
	fact_set_absent(fact_of(&state->total));
	fact_set_absent(fact_of(&state->left));
	fact_set_absent(fact_of(&state->error));
	fact_set_absent(fact_of(&state->volume));
	fact_set_absent(fact_of(&state->map));
	fact_set_absent(fact_of(&state->limit));
	fact_set_absent(fact_of(&state->fixed));
	fact_set_flag(&state->background, run->prewarm->background);
	fact_set_number(&state->block, run->prewarm->block);
	if (run->prewarm->depth)
		fact_set_number(&state->fixed, run->prewarm->depth);
	if (run->prewarm->rate)
		fact_set_number(&state->limit, run->prewarm->rate);
	fact_set_number(&state->done, 0);
	fact_set_number(&state->earlier, 0);
	fact_set_number(&state->rate, 0);
	fact_set_number(&state->depth, 0);
	fact_set_flag(&state->gives_way, false);
	fact_set_number(&state->slowest_us, 0);
	fact_set_number(&state->elapsed, 0);
	fact_set_number(&state->errors, 0);
	fact_set_number(&state->quick_us, 0);
	fact_set_number(&state->slow, 0);
	state->histogram.is = FACT_KNOWN;
	for (size_t i = 0; i < PREWARM_BUCKETS; i++) {
		struct prewarm_bucket *bucket = facts_add(&state->histogram);

		if (prewarm_bucket_bounds[i] == UINT64_MAX)
			fact_set_absent(fact_of(&bucket->up_to));
		else
			fact_set_number(&bucket->up_to, prewarm_bucket_bounds[i]);
		fact_set_number(&bucket->count, 0);
	}
}

static void state_target(struct run *run)
{
	struct prewarm_state *state = run->state;
	uint64_t total = prewarm_ranges_total(&run->target.ranges);
	uint64_t earlier = total - prewarm_ranges_total(&run->left);

	fact_set_text(&state->path, run->target.path);
	fact_set_text(&state->device, run->target.device);
	fact_set_text(&state->volume, run->target.volume);
	fact_set_text(&state->map, run->target.map);
	fact_set_text(&state->method, run->target.method == PREWARM_WRITE ? "write" : "read");
	fact_set_number(&state->total, total);
	fact_set_number(&state->earlier, earlier);
	fact_set_number(&state->done, earlier);
}

static void state_numbers(struct run *run, const struct prewarm_numbers *numbers)
{
	struct prewarm_state *state = run->state;
	uint64_t done = state->earlier.value + numbers->bytes, quick;
	uint64_t left = prewarm_time_left(state->total.value - done, numbers->rate);

	fact_set_number(&state->done, done);
	fact_set_number(&state->rate, numbers->rate);
	fact_set_number(&state->depth, numbers->depth);
	fact_set_flag(&state->gives_way, numbers->gives_way);
	fact_set_number(&state->slowest_us, numbers->slowest_us);
	fact_set_number(&state->elapsed, numbers->elapsed_ms);
	fact_set_number(&state->errors, numbers->errors);
	if (left == UINT64_MAX)
		fact_set_absent(fact_of(&state->left));
	else
		fact_set_number(&state->left, left);
	fact_set_number(&state->slow, prewarm_histogram_slow(&numbers->histogram, &quick));
	fact_set_number(&state->quick_us, quick);
	for (size_t i = 0; i < PREWARM_BUCKETS; i++)
		fact_set_number(&state->histogram.items[i].count, numbers->histogram.counts[i]);
	if (*numbers->first_error.text)
		fact_set_text(&state->error, numbers->first_error.text);
}

static void state_end(struct run *run, int status, const struct error *err)
{
	fact_set_text(&run->state->state, status == 0		 ? PREWARM_FINISHED
					  : status == -ECANCELED ? PREWARM_STOPPED
								 : PREWARM_FAILED);
	fact_set_absent(fact_of(&run->state->pid));
	fact_set_absent(fact_of(&run->state->left));
	fact_set_flag(&run->state->gives_way, false);
	if (status < 0 && status != -ECANCELED)
		fact_set_text(&run->state->error, err->text);
}

/* ---- What the engine calls ------------------------------------------------------------------------ */

static bool engine_cancelled(void *data)
{
	const struct run *run = data;

	return reporter_cancelled(run->prewarm->reporter);
}

static void engine_bad(void *data, const char *text)
{
	const struct run *run = data;

	reporter_log(run->prewarm->reporter, LOG_INFO, "%s", text);
}

static void engine_report(void *data, const struct prewarm_numbers *numbers)
{
	struct run *run = data;

	state_numbers(run, numbers);
	if (clock_ms(CLOCK_MONOTONIC) - run->published >= PUBLISH_MS)
		publish(run);
	if (run->prewarm->report)
		run->prewarm->report(run->prewarm->data, run->state);
}

static int keep(
	struct run *run, const struct prewarm_ranges *done, const char *finished, struct error *err)
{
	struct prewarm_ranges all = { 0 };
	int status;

	for (size_t i = 0; i < run->earlier.count; i++)
		prewarm_ranges_add(&all, &run->earlier.items[i]);
	for (size_t i = 0; i < done->count; i++)
		prewarm_ranges_add(&all, &done->items[i]);
	status = prewarm_remember(run->prewarm, &run->target, &all, finished, err);
	prewarm_ranges_free(&all);
	return status;
}

static void engine_save(void *data, const struct prewarm_ranges *done)
{
	struct run *run = data;
	struct error err = { "" };

	if (keep(run, done, NULL, &err) < 0)
		reporter_log(run->prewarm->reporter, LOG_INFO, "%s", err.text);
}

/* ---- The run ---------------------------------------------------------------------------------- */

/* What is left to do. True when an earlier run was through. */
static bool look_back(struct run *run)
{
	const struct prewarm_ranges *all = &run->target.ranges;
	memory_cleanup_free char *when = NULL;

	if (!run->prewarm->force &&
		prewarm_recall(run->prewarm, &run->target, &run->earlier, &when)) {
		reporter_log(run->prewarm->reporter, LOG_INFO,
			"%s was pre-warmed already, at %s; --force does it again", run->target.path,
			when);
		return true;
	}
	for (size_t i = 0; i < all->count; i++)
		prewarm_ranges_add(&run->left, &all->items[i]);
	prewarm_ranges_subtract(&run->left, &run->earlier);
	return false;
}

/* Its header anew, with the names by which fstab and others know it. */
static int format_again(struct run *run, struct error *err)
{
	if (run->target.method != PREWARM_WRITE)
		return 0;
	return swap_format(
		root_of(run), run->target.path, run->target.uuid, run->target.label, err);
}

static int touch(struct run *run, struct error *err)
{
	const struct prewarm *prewarm = run->prewarm;
	/* Who says how many at a time has thought of the others. Writes are the file system's as well. */
	bool gives_way = !prewarm->depth && run->target.method == PREWARM_READ;
	const struct prewarm_job job = { .fd = run->target.fd,
		.counters = gives_way ? run->target.counters : -1,
		.name = run->target.method == PREWARM_WRITE ? run->target.path : run->target.device,
		.write = run->target.method == PREWARM_WRITE,
		.ranges = &run->left,
		.block = prewarm->block,
		.logical = run->target.logical,
		.depth = prewarm->depth,
		.rate = prewarm->rate,
		.cancelled = engine_cancelled,
		.bad = engine_bad,
		.report = engine_report,
		.save = engine_save,
		.data = run };
	struct prewarm_ranges done = { 0 };
	struct prewarm_numbers numbers;
	struct error unkept = { "" };
	char now[INSTANT_LENGTH];
	/* Nothing may be left to do: a run that was stopped with its last requests on their way had no end. */
	int status = prewarm_engine_run(&job, &done, &numbers, err);

	if (status == 0)
		status = format_again(run, err);
	instant_now(now);
	if (keep(run, &done, status == 0 ? now : NULL, &unkept) < 0)
		reporter_log(prewarm->reporter, LOG_INFO, "%s", unkept.text);
	prewarm_ranges_free(&done);
	return status;
}

static int run_target(struct run *run, struct error *err)
{
	int status = prewarm_target_open(&run->target, run->prewarm, err);
	bool finished;

	if (status == 0 && run->prewarm->block % run->target.logical)
		status = error_set(err, EINVAL,
			"%llu bytes a request are no multiple of the %llu bytes of a block of %s",
			(unsigned long long)run->prewarm->block,
			(unsigned long long)run->target.logical, run->target.device);
	if (status < 0) {
		fact_set_text(&run->state->path, run->target.path);
		return status;
	}
	finished = look_back(run);
	state_target(run);
	publish(run);
	if (run->prewarm->begun)
		run->prewarm->begun(run->prewarm->data, run->state);
	return finished ? 0 : touch(run, err);
}

/* Whether the swap file lies elsewhere now than where it was read. */
static bool has_moved(const struct run *run)
{
	struct prewarm_target now;
	struct error err = { "" };
	bool moved = false;

	if (run->prewarm->device)
		return false;
	if (prewarm_target_open(&now, run->prewarm, &err) == 0)
		moved = strcmp(now.map, run->target.map) != 0 ||
			strcmp(now.volume, run->target.volume) != 0;
	prewarm_target_close(&now);
	return moved;
}

static void target_forget(struct run *run)
{
	prewarm_target_close(&run->target);
	prewarm_ranges_free(&run->earlier);
	prewarm_ranges_free(&run->left);
	run->target = (struct prewarm_target) { .fd = -1, .counters = -1 };
}

/* A file that is made anew meanwhile is cold again; one that never stays is nothing to wait for. */
static int run_until_it_stays(struct run *run, struct error *err)
{
	int status = run_target(run, err);

	for (int i = 0; status == 0 && has_moved(run); i++) {
		if (i == MOVES_MOST)
			return error_set(err, EAGAIN, "%s has moved %d times while it was touched",
				run->target.path, i + 1);
		reporter_log(run->prewarm->reporter, LOG_INFO,
			"%s has moved while it was touched: once more, where it is now",
			run->target.path);
		target_forget(run);
		status = run_target(run, err);
	}
	return status;
}

int prewarm_run(const struct prewarm *prewarm, struct prewarm_state *state, struct error *err)
{
	const struct root *root = prewarm->gather->root;
	struct run run = {
		.prewarm = prewarm, .state = state, .target = { .fd = -1, .counters = -1 }
	};
	file_cleanup_close int lock = -1, machine = -1;
	int status = 0;

	state_begin(&run);
	lock = lock_take(root, PREWARM_LOCK, LOCK_WAIT_MS, err);
	if (lock < 0) {
		/* What is published is the state of the one that runs. */
		state_end(&run, lock, err);
		return lock;
	}
	/* To find the device may take a slow one seconds: until then it is not the run before it that runs. */
	publish(&run);
	if (prewarm->method == PREWARM_WRITE) {
		machine = lock_take(root, LOCK_PATH, 0, err);
		status = machine < 0 ? machine : 0;
	}
	if (status == 0)
		status = run_until_it_stays(&run, err);
	state_end(&run, status, err);
	publish(&run);
	target_forget(&run);
	return status;
}
