/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where on a device something lies, as sorted ranges: what a pre-warm reads, and by what it knows
 * later whether it was the same. Positions and lengths are bytes on the block device.
 */
#ifndef EC2HIB_FACTS_PREWARM_RANGES_H
#define EC2HIB_FACTS_PREWARM_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/facts/facts.h"

struct prewarm_range {
	uint64_t start;
	uint64_t length; /* never 0 in a list */
};

/* Sorted, apart from each other: what touches or overlaps is one. {0} is empty. */
struct prewarm_ranges {
	struct prewarm_range *items;
	size_t count;
};

void prewarm_ranges_free(struct prewarm_ranges *ranges);

/* Adds a piece, of which parts may be there already. */
void prewarm_ranges_add(struct prewarm_ranges *ranges, const struct prewarm_range *piece);

/* Takes from FROM whatever is in MINUS. */
void prewarm_ranges_subtract(struct prewarm_ranges *from, const struct prewarm_ranges *minus);

/* Bytes in all of them. */
uint64_t prewarm_ranges_total(const struct prewarm_ranges *ranges);

/*
 * What to read for a swap file with these EXTENTS on a device of DEVICE_SIZE bytes whose logical
 * blocks have LOGICAL bytes (O_DIRECT wants whole ones). A list in any order; pieces in one logical
 * block are read together, once. -ERANGE for an extent outside the device. RANGES must be {0};
 * prewarm_ranges_free() in any case.
 */
int prewarm_ranges_of(struct prewarm_ranges *ranges, const extent_list *extents,
	uint64_t device_size, uint64_t logical, struct error *err);

/*
 * The next request at or after *POSITION, a byte on the device, which is moved past it. A request
 * ends where its range ends and at each multiple of BLOCK on the device, so that two runs with
 * other beginnings ask for the same pieces. False when there is nothing more.
 */
bool prewarm_next(const struct prewarm_ranges *ranges, uint64_t block, uint64_t *position,
	struct prewarm_range *request);

/*
 * Names the map: the same text for the same ranges on a device of the same size. A swap file that
 * was made anew elsewhere gives another one. The caller frees it.
 */
char *prewarm_map_name(const struct prewarm_ranges *ranges, uint64_t device_size);

#endif
