/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pre-warming: a volume made from a snapshot fetches each block on first touch, so every block of
 * the swap area is touched once before a hibernation has to write there in a hurry. Here is what
 * can be decided without the machine: what to read in which pieces, how many at a time, how fast,
 * and what the times of the requests say.
 *
 * Positions and lengths are bytes on the block device; points in time are nanoseconds of one clock.
 */
#ifndef EC2HIB_RULES_PREWARM_H
#define EC2HIB_RULES_PREWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/facts/prewarm_ranges.h"

/*
 * One request. AWS advises 1 MiB for initializing a volume (EBS user guide, "Initialize Amazon EBS
 * volumes": fio with --bs=1M --iodepth=32).
 */
#define PREWARM_BLOCK_STANDARD MIB
#define PREWARM_BLOCK_LEAST    ((uint64_t)4096)
#define PREWARM_BLOCK_MOST     (16 * MIB)

/* Requests at a time. Beyond this the queue of an EBS volume only grows longer. */
#define PREWARM_DEPTH_FIRST 8
#define PREWARM_DEPTH_MOST  64

/* ---- How ------------------------------------------------------------------------------------- */

enum prewarm_method { PREWARM_AUTO, PREWARM_READ, PREWARM_WRITE };

/*
 * The method for AREA. Auto reads: that is right whether the swap is active or not, and changes
 * nothing. Writing goes through the file, and takes what is in it: -EBUSY for an active area,
 * -EPERM for one in which an image or something that is not swap lies, or that others could
 * exchange, -EINVAL for a device. -ENOENT where there is no area, -ENODATA where it is not known
 * where it lies.
 */
int prewarm_method_for(
	enum prewarm_method *method, const struct area_facts *area, struct error *err);

/* ---- How many at a time ---------------------------------------------------------------------- */

/*
 * Doubles while that brings more. A depth is measured by its completions, without those that began
 * under the one before; one that brings no more is taken back, and tried again after a while, since
 * a cold part of a volume behaves otherwise than a warm one.
 */
struct prewarm_depth {
	unsigned depth, most;
	bool fixed;
	bool settled;	 /* until SINCE + a while */
	unsigned skip;	 /* completions that do not count any more */
	unsigned count;	 /* completions that do */
	uint64_t bytes;	 /* of these */
	uint64_t since;	 /* when counting began */
	uint64_t before; /* bytes a second of the depth before; 0: none */
};

/* Begins at PREWARM_DEPTH_FIRST; FIXED is what the user wants, 0: adapt. MOST bounds both. */
void prewarm_depth_init(struct prewarm_depth *depth, unsigned fixed, unsigned most, uint64_t now);

/* A request of BYTES was completed at NOW. The depth from now on. */
unsigned prewarm_depth_completed(struct prewarm_depth *depth, uint64_t now, uint64_t bytes);

/* What was measured no longer holds: from NOW on anew, at the depth that there is. */
void prewarm_depth_again(struct prewarm_depth *depth, uint64_t now);

/* ---- How fast -------------------------------------------------------------------------------- */

/* RATE bytes a second at most; 0: no limit. */
struct prewarm_pace {
	uint64_t rate;
	uint64_t paid; /* the time up to which all bytes so far are paid for */
};

/* When a request of BYTES may begin: at once (NOW or before) or later. It counts from now on. */
uint64_t prewarm_pace_begin(struct prewarm_pace *pace, uint64_t now, uint64_t bytes);

/* Milliseconds for LEFT bytes at RATE bytes a second; UINT64_MAX when that is 0. */
uint64_t prewarm_time_left(uint64_t left, uint64_t rate);

/* ---- What was learnt ------------------------------------------------------------------------- */

#define PREWARM_BUCKETS 12

/* Above the last one there is no limit (UINT64_MAX). Microseconds. */
extern const uint64_t prewarm_bucket_bounds[PREWARM_BUCKETS];

struct prewarm_histogram {
	uint64_t counts[PREWARM_BUCKETS];
	uint64_t slowest; /* microseconds */
};

void prewarm_histogram_add(struct prewarm_histogram *histogram, uint64_t us);

/*
 * How many requests took far longer than the quickest tenth of them: more than 8 times the bound of
 * its bucket. On a volume that was partly cold these are the first touches; where all are cold, or
 * all warm, there are few, and the times themselves tell which. *QUICK is that bound, microseconds
 * (0: no requests).
 */
uint64_t prewarm_histogram_slow(const struct prewarm_histogram *histogram, uint64_t *quick);

/* ---- Giving way ------------------------------------------------------------------------------ */

/*
 * Giving way: a pre-warm is in no hurry, and whoever else uses the disk is. The idle I/O priority
 * says so to bfq and mq-deadline; a device without a scheduler, which NVMe and with it EBS has as a
 * rule, does not hear it. So the device's own counters are read (/sys/block/DISK/stat, see
 * Documentation/block/stat.rst): what they have beyond our requests is somebody else's. Then the
 * pre-warm goes down to a rate that leaves the disk to the others, in small requests, and comes
 * back step by step when they are silent. It never goes below that rate, and so it ends.
 */
/*
 * While others use the disk: bytes a second, and in requests of this size, which nobody waits for
 * long.
 */
#define PREWARM_YIELD_RATE  (8 * MIB)
#define PREWARM_YIELD_BLOCK (128 * KIB)

/* How often the counters are read, so that a workload is seen soon. */
#define PREWARM_LOOK_MS 10

/* Of a disk since the boot; requests that were merged count once. PENDING are on their way now. */
struct prewarm_counters {
	uint64_t reads, read_bytes, writes, pending;
};

/* False when TEXT is not what /sys/block/DISK/stat has. */
bool prewarm_counters_parse(struct prewarm_counters *counters, const char *text);

/* What we asked for, since the beginning. What is on its way has been begun and is not done. */
struct prewarm_ours {
	uint64_t begun, done; /* bytes */
	/* What the requests fall short of whole pieces, see below: bytes. */
	uint64_t begun_short, done_short;
	uint64_t slowest; /* of our requests lately: ns */
};

/*
 * A device serves a request in pieces of a size of its own, and counts those. PIECE is known from a
 * look with nothing of ours on its way before and after, and nobody else's bytes between. Where it
 * was wrong (pieces differ where a buffer's pages lie apart), an alarm that nothing confirms
 * corrects it.
 */
struct prewarm_yield {
	struct prewarm_counters last;
	struct prewarm_ours ours;
	bool looked;
	uint64_t piece;	  /* bytes; 0: not known yet */
	uint64_t credit;  /* bytes that were counted before their requests were */
	uint64_t when;	  /* of the last look, ns */
	uint64_t rate;	  /* bytes/s that are left to us; 0: no limit */
	uint64_t before;  /* bytes/s when it last began to give way */
	uint64_t calm;	  /* since when nobody else was seen, or since the last step: ns */
	uint64_t suspect; /* the size of pieces that was the only reason; 0: there was another */
};

/*
 * A look at NOW (ns): COUNTERS of the device, and OURS. Returns the rate from now on, which is
 * yield->rate. Several looks make sense only for one device; the first one is the beginning.
 */
uint64_t prewarm_yield_look(struct prewarm_yield *yield, uint64_t now,
	const struct prewarm_counters *counters, const struct prewarm_ours *ours);

/*
 * What was written since the last look was our own (the record): the next look is a beginning
 * again.
 */
void prewarm_yield_skip(struct prewarm_yield *yield);

/* What a request of LENGTH falls short of whole pieces, as far as these are known. */
uint64_t prewarm_yield_short(const struct prewarm_yield *yield, uint64_t length);

#endif
