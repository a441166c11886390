/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How large the swap file has to be, whether it fits, and whether the one that is there will do.
 *
 * The image itself is at most half of memory, but what does not go into it is swapped out to the
 * same area while it is made; so memory's size is what is sure to suffice.
 */
#ifndef EC2HIB_RULES_SIZE_H
#define EC2HIB_RULES_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/config.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/facts/facts.h"

#define SIZE_AUTO "auto"

/* Files that setup can make where the standard one cannot be used. */
#define SUGGESTED_FILE		 "/swap-ec2hib"
#define SUGGESTED_SUBVOLUME_FILE "/swap-ec2hib/swapfile"

/* What mkswap and rounding take off does not make an area too small. Bytes. */
#define SWAP_SIZE_SLACK MIB

enum size_decision {
	SIZE_KEEP,   /* the area that is there will do */
	SIZE_CREATE, /* there is none: make a file */
	SIZE_REPLACE /* the file that is there will not do: make a new one */
};

struct swap_size {
	enum size_decision decision;
	uint64_t bytes;	   /* of the area when all is done; whole pages */
	bool remove_first; /* the old file has to go before there is room for the new one */
	char *why;	   /* one sentence without a full stop */
};

/*
 * Decides for WANTED: "auto" (or NULL), "N%" of memory, or a size as size_parse() reads it.
 *
 * auto is the larger of percentage-of-ram and target-size-mb, and memory's size where only that
 * fits. A file is kept when it is usable, large enough, and not more than 100 MiB beyond the
 * target; what somebody else made and was adopted is kept whatever its size beyond that, and never
 * replaced. What removing it would free counts as room; 10 MiB stay free. A device is kept when it
 * is large enough.
 *
 * 0; -EINVAL (WANTED is not a size, or what is there cannot be a swap area), -ENODATA (a fact that
 * is needed is not known), -ENOSPC, -EEXIST (a file that was adopted will not do). swap_size_free()
 * ends it.
 */
int swap_size_decide(const struct facts *facts, const struct config *config, const char *wanted,
	struct swap_size *size, struct error *err);
void swap_size_free(struct swap_size *size);

/*
 * More extents than a swap file of SIZE bytes should have. Each one is a seek for the kernel when
 * it writes the image, and a node that it keeps in memory.
 */
bool swap_is_fragmented(uint64_t size, size_t extents);

/*
 * The area is a swap file that somebody else made and that nobody named for ec2hib: it is used, but
 * never replaced nor removed.
 */
bool area_is_adopted(const struct area_facts *area);

/* The area is meant to be off but around a hibernation. */
bool swap_only_for_hibernation(const struct area_facts *area);

/* Why the file that is there cannot be a swap file (holes, ...), or NULL. */
const char *swap_file_defect(const struct area_facts *area);

/*
 * Whether the swap PATH, which holds USED bytes, can be switched off: 0, or -EBUSY with the numbers
 * where that does not fit into the memory that is available. What is not known counts as fitting.
 */
int swap_off_fits(
	const char *path, uint64_t used, const struct memory_facts *memory, struct error *err);

#endif
