/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Giving way: a pre-warm is in no hurry, and whoever else uses the disk is. The idle I/O priority
 * says so to bfq and mq-deadline; a device without a scheduler, which NVMe and with it EBS has as a
 * rule, does not hear it. So the device's own counters are read (/sys/block/DISK/stat, see
 * Documentation/block/stat.rst): what they have beyond our requests is somebody else's. Then the
 * pre-warm goes down to a rate that leaves the disk to the others, in small requests, and comes back
 * step by step when they are silent. It never goes below that rate, and so it ends.
 */
#ifndef EC2HIB_RULES_PREWARM_YIELD_H
#define EC2HIB_RULES_PREWARM_YIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

/* While others use the disk: bytes a second, and in such requests, behind which nobody waits long. */
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
 * look with nothing of ours on its way before and after, and nobody else's bytes between. Where it was
 * wrong (pieces differ where a buffer's pages lie apart), an alarm that nothing confirms corrects it.
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

/* What was written since the last look was our own (the record): the next look is a beginning again. */
void prewarm_yield_skip(struct prewarm_yield *yield);

/* What a request of LENGTH falls short of whole pieces, as far as these are known. */
uint64_t prewarm_yield_short(const struct prewarm_yield *yield, uint64_t length);

#endif
