/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/prewarm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

#define NS_PER_SECOND 1000000000ull
#define NS_PER_MS     1000000ull

/* ---- How ------------------------------------------------------------------------------------------ */

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
			err, EINVAL, "%s is no file and no block device", area->path.value);
	if (*method == PREWARM_WRITE)
		return check_write(area, err);
	*method = PREWARM_READ;
	return check_read(area, err);
}

/* ---- How many at a time --------------------------------------------------------------------------- */

/* A depth is judged by so many completions for each request at a time, and so long at least. */
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

static void depth_judge(struct prewarm_depth *depth, uint64_t now)
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
		depth_judge(depth, now);
	return depth->depth;
}

/* ---- How fast ------------------------------------------------------------------------------------- */

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

/* ---- What was learnt ------------------------------------------------------------------------------ */

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
