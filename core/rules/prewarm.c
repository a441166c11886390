/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/prewarm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

#define NS_PER_SECOND 1000000000ull
#define NS_PER_MS     1000000ull

/* ---- How ------------------------------------------------------------------------------------- */

static int check_read(const struct area_facts *area, struct error *err)
{
	if (fact_text_is(&area->kind, "device"))
		return 0;
	if (area->extents.is == FACT_KNOWN)
		return 0;
	return error_set(err, ENODATA, "it is not known where %s lies%s%s", area->path.value,
		area->extents.why ? ": " : "", area->extents.why ? area->extents.why : "");
}

static int check_write(const struct area_facts *area, struct error *err)
{
	const char *path = area->path.value;

	if (!fact_text_is(&area->kind, "file"))
		return error_set(
			err, EINVAL, "%s is a device: the write method is for a swap file", path);
	if (!fact_is_false(&area->active))
		return error_set(err, EBUSY,
			"%s is active: writing would destroy what is swapped out; use the read method",
			path);
	if (area->untrusted_folder.is == FACT_KNOWN)
		return error_set(
			err, EPERM, "cannot write to %s: %s", path, area->untrusted_folder.value);
	if (fact_text_is(&area->signature, SIGNATURE_SWAP))
		return 0;
	return error_set(err, EPERM, "cannot write to %s: it holds %s", path,
		fact_text_is(&area->signature, SIGNATURE_IMAGE)	 ? "a hibernation image"
		: fact_text_is(&area->signature, SIGNATURE_NONE) ? "no swap area; run: ec2hib setup"
								 : "something that is not swap");
}

int prewarm_method_for(
	enum prewarm_method *method, const struct area_facts *area, struct error *err)
{
	if (area->kind.is == FACT_ABSENT)
		return error_set(
			err, ENOENT, "%s is not there; run: ec2hib setup", area->path.value);
	if (!fact_text_is(&area->kind, "file") && !fact_text_is(&area->kind, "device"))
		return error_set(
			err, EINVAL, "%s is neither a file nor a block device", area->path.value);
	if (*method == PREWARM_WRITE)
		return check_write(area, err);
	*method = PREWARM_READ;
	return check_read(area, err);
}

/* ---- How many at a time ---------------------------------------------------------------------- */

/* A depth is measured by so many completions for each request at a time, and so long at least. */
#define ROUNDS	       2
#define WINDOW_NS      (40 * NS_PER_MS)
#define AGAIN_AFTER_NS (10 * NS_PER_SECOND)
#define GAIN_PERCENT   3

static void depth_measure(struct prewarm_depth *depth, uint64_t now)
{
	/* What is on its way was begun under the depth before. */
	depth->skip = depth->depth;
	depth->count = 0;
	depth->bytes = 0;
	depth->since = now;
	depth->settled = false;
}

static void depth_settle(struct prewarm_depth *depth, uint64_t now)
{
	depth->settled = true;
	depth->since = now;
	depth->before = 0;
}

void prewarm_depth_init(struct prewarm_depth *depth, unsigned fixed, unsigned most, uint64_t now)
{
	unsigned first = fixed ? fixed : PREWARM_DEPTH_FIRST;

	*depth = (struct prewarm_depth) { .fixed = fixed != 0, .most = most };
	depth->depth = first < most ? first : most;
	depth_measure(depth, now);
	depth->skip = 0;
}

void prewarm_depth_again(struct prewarm_depth *depth, uint64_t now)
{
	depth->before = 0;
	depth_measure(depth, now);
}

static void depth_conclude(struct prewarm_depth *depth, uint64_t now)
{
	uint64_t rate = depth->bytes * NS_PER_SECOND / (now - depth->since);

	if (depth->before && rate < depth->before + depth->before * GAIN_PERCENT / 100) {
		depth->depth /= 2;
		depth_settle(depth, now);
		return;
	}
	if (depth->depth == depth->most) {
		depth_settle(depth, now);
		return;
	}
	depth->before = rate ? rate : 1;
	depth->depth = depth->depth > depth->most / 2 ? depth->most : depth->depth * 2;
	depth_measure(depth, now);
}

unsigned prewarm_depth_completed(struct prewarm_depth *depth, uint64_t now, uint64_t bytes)
{
	if (depth->fixed)
		return depth->depth;
	/* Workers look at the clock before they wait for each other. */
	if (now < depth->since)
		now = depth->since;
	if (depth->settled) {
		if (now - depth->since >= AGAIN_AFTER_NS)
			depth_measure(depth, now);
		return depth->depth;
	}
	if (depth->skip) {
		depth->skip--;
		depth->since = now;
		return depth->depth;
	}
	depth->count++;
	depth->bytes += bytes;
	if (depth->count >= ROUNDS * depth->depth && now - depth->since >= WINDOW_NS)
		depth_conclude(depth, now);
	return depth->depth;
}

/* ---- How fast -------------------------------------------------------------------------------- */

/* Time that went by unused, which may be caught up on; more would be a burst. */
#define CREDIT_NS (100 * NS_PER_MS)

uint64_t prewarm_pace_begin(struct prewarm_pace *pace, uint64_t now, uint64_t bytes)
{
	if (pace->rate == 0)
		return now;
	if (pace->paid + CREDIT_NS < now)
		pace->paid = pace->paid ? now - CREDIT_NS : now;
	/* Paid before it is read, so that no part of a run is faster than asked. */
	pace->paid += (bytes * NS_PER_SECOND + pace->rate - 1) / pace->rate;
	return pace->paid;
}

uint64_t prewarm_time_left(uint64_t left, uint64_t rate)
{
	if (rate == 0)
		return UINT64_MAX;
	return left / rate * 1000 + left % rate * 1000 / rate;
}

/* ---- What was learnt ------------------------------------------------------------------------- */

/* EBS that is warm answers 1 MiB in a few ms, a first touch takes tens to hundreds. */
const uint64_t prewarm_bucket_bounds[PREWARM_BUCKETS] = { 250, 500, 1000, 2000, 4000, 8000, 16000,
	32000, 64000, 256000, 1024000, UINT64_MAX };

#define QUICK_PART  10 /* a tenth */
#define SLOW_FACTOR 8

void prewarm_histogram_add(struct prewarm_histogram *histogram, uint64_t us)
{
	size_t i = 0;

	while (us > prewarm_bucket_bounds[i])
		i++;
	histogram->counts[i]++;
	if (us > histogram->slowest)
		histogram->slowest = us;
}

uint64_t prewarm_histogram_slow(const struct prewarm_histogram *histogram, uint64_t *quick)
{
	uint64_t total = 0, sum = 0, slow = 0;
	size_t i;

	for (i = 0; i < PREWARM_BUCKETS; i++)
		total += histogram->counts[i];
	*quick = 0;
	if (total == 0)
		return 0;
	for (i = 0; i < PREWARM_BUCKETS; i++) {
		sum += histogram->counts[i];
		if (sum * QUICK_PART >= total)
			break;
	}
	*quick = prewarm_bucket_bounds[i];
	/* A bucket counts as a whole: those that begin at or above the limit. */
	while (i < PREWARM_BUCKETS - 1) {
		if (prewarm_bucket_bounds[i] / SLOW_FACTOR >= *quick)
			slow += histogram->counts[i + 1];
		i++;
	}
	return slow;
}

/* ---- Giving way ------------------------------------------------------------------------------ */

#define SECTOR 512 /* of the counters, whatever the disk */

/*
 * So long nobody else may be seen before more is asked for, and how much more. Others wait as long
 * as we do, and who waits in our shadow is not served meanwhile: that is not silence.
 */
#define CALM_NS	      (50 * 1000000ull)
#define CALM_REQUESTS 2
#define CALM_GAIN     4

/*
 * So small a part of all bytes proves nothing (1 in 64): the counters are not read at one moment.
 */
#define DOUBT_PART 64

/*
 * The kernel counts bytes when they have come, and a request a little later: so many between the
 * two.
 */
#define BETWEEN_MOST 8

/* Pieces that are larger by this are others (5 in 4): requests of another size are made now. */
#define GROWTH(piece) ((piece) / 4 * 5)

/* As long as it is not known: disks take at least so much at a time. */
#define PIECE_PRESUMED (64 * KIB)

static uint64_t piece_of(const struct prewarm_yield *yield)
{
	return yield->piece ? yield->piece : PIECE_PRESUMED;
}

bool prewarm_counters_parse(struct prewarm_counters *counters, const char *text)
{
	unsigned long long reads, sectors, writes, pending;

	/* reads, merged, sectors, ms, writes, merged, sectors, ms, in flight, ... */
	if (sscanf(text, "%llu %*u %llu %*u %llu %*u %*u %*u %llu", &reads, &sectors, &writes,
		    &pending) != 4)
		return false;
	*counters = (struct prewarm_counters) { reads, sectors * SECTOR, writes, pending };
	return true;
}

uint64_t prewarm_yield_short(const struct prewarm_yield *yield, uint64_t length)
{
	uint64_t over = length % piece_of(yield);

	return over ? piece_of(yield) - over : 0;
}

/* What happened between two looks. */
struct step {
	uint64_t passed; /* ns */
	uint64_t reads, bytes;
	uint64_t ours;	     /* bytes that we got */
	uint64_t most;	     /* bytes that we can have got */
	uint64_t short_most; /* of whole pieces */
	bool written;	     /* we only read */
	bool pending;	     /* something is on its way, and none of it ours */
	bool quiet;	     /* nothing of ours was on its way before and after */
};

static struct step step_of(const struct prewarm_yield *yield, uint64_t now,
	const struct prewarm_counters *counters, const struct prewarm_ours *ours)
{
	return (struct step) { .passed = now - yield->when,
		.reads = counters->reads - yield->last.reads,
		.bytes = counters->read_bytes - yield->last.read_bytes,
		.ours = ours->done - yield->ours.done,
		.most = ours->begun - yield->ours.done,
		.short_most = ours->begun_short - yield->ours.done_short,
		.pending = counters->pending && ours->begun == ours->done,
		.written = counters->writes != yield->last.writes,
		.quiet = ours->begun == ours->done && yield->ours.begun == yield->ours.done };
}

/* More than we can have got: no other explanation. */
static bool others_are_sure(const struct step *step)
{
	return step->written || step->pending || step->bytes > step->most;
}

/* So many pieces have more bytes when they are ours. */
static bool others_are_likely(const struct prewarm_yield *yield, const struct step *step)
{
	uint64_t whole = step->reads * piece_of(yield);

	return whole > step->bytes + yield->credit + step->short_most + whole / DOUBT_PART;
}

static void keep_credit(struct prewarm_yield *yield, const struct step *step)
{
	uint64_t whole = step->reads * piece_of(yield);
	uint64_t most = BETWEEN_MOST * piece_of(yield);
	uint64_t had = yield->credit + step->bytes;

	yield->credit = had > whole ? had - whole : 0;
	if (yield->credit > most)
		yield->credit = most;
}

static void learn_piece(struct prewarm_yield *yield, const struct step *step)
{
	uint64_t size = step->reads ? step->bytes / step->reads : 0;

	if (step->quiet && step->bytes == step->ours && yield->piece == 0)
		yield->piece = size;
	else if (yield->piece && size > GROWTH(yield->piece))
		yield->piece = size;
}

static void give_way(struct prewarm_yield *yield, uint64_t now, const struct step *step, bool sure)
{
	if (yield->rate == 0) {
		yield->before = step->passed ? step->ours * NS_PER_SECOND / step->passed : 0;
		yield->suspect = sure || !step->reads ? 0 : step->bytes / step->reads;
	} else if (sure) {
		yield->suspect = 0;
	}
	yield->rate = PREWARM_YIELD_RATE;
	yield->calm = now;
}

static void come_back(struct prewarm_yield *yield, uint64_t now, uint64_t slowest)
{
	uint64_t calm = CALM_REQUESTS * slowest > CALM_NS ? CALM_REQUESTS * slowest : CALM_NS;

	if (yield->rate == 0 || now - yield->calm < calm)
		return;
	yield->calm = now;
	if (yield->rate < yield->before) {
		yield->rate *= CALM_GAIN;
		return;
	}
	/* As fast as it was alone: from here on the device itself is the limit. */
	yield->rate = 0;
	if (yield->suspect && yield->suspect < piece_of(yield))
		yield->piece = yield->suspect;
}

uint64_t prewarm_yield_look(struct prewarm_yield *yield, uint64_t now,
	const struct prewarm_counters *counters, const struct prewarm_ours *ours)
{
	struct step step = step_of(yield, now, counters, ours);
	bool sure = yield->looked && others_are_sure(&step);

	/* Exact where nothing of ours is on its way: then its size does not matter. */
	if (sure || (yield->looked && !step.quiet && others_are_likely(yield, &step))) {
		give_way(yield, now, &step, sure);
	} else if (yield->looked) {
		learn_piece(yield, &step);
		come_back(yield, now, ours->slowest);
	}
	keep_credit(yield, &step);
	yield->looked = true;
	yield->last = *counters;
	yield->ours = *ours;
	yield->when = now;
	return yield->rate;
}

void prewarm_yield_skip(struct prewarm_yield *yield)
{
	yield->looked = false;
}
