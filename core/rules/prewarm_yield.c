/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/prewarm_yield.h"

#include <stdio.h>

#define NS_PER_SECOND 1000000000ull
#define SECTOR	      512 /* of the counters, whatever the disk */

/*
 * So long nobody else may be seen before more is asked for, and how much more. Others wait as long as
 * we do, and who waits in our shadow is not served meanwhile: that is no silence.
 */
#define CALM_NS	      (50 * 1000000ull)
#define CALM_REQUESTS 2
#define CALM_GAIN     4

/* So small a part of all bytes is no proof (1 in 64): the counters are not read at one moment. */
#define DOUBT_PART 64

/* The kernel counts bytes when they have come, and a request a little later: so many between the two. */
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

	/* Exact where nothing of ours is on its way: then its size is no question. */
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
