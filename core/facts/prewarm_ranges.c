/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/prewarm_ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

void prewarm_ranges_free(struct prewarm_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct prewarm_ranges) { 0 };
}

static uint64_t end_of(const struct prewarm_range *range)
{
	return range->start + range->length;
}

/* The first range that ends at or after POSITION; the count when there is none. */
static size_t first_reaching(const struct prewarm_ranges *ranges, uint64_t position)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (end_of(&ranges->items[middle]) < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void prewarm_ranges_add(struct prewarm_ranges *ranges, const struct prewarm_range *piece)
{
	uint64_t start = piece->start, end = end_of(piece);
	size_t first, next;

	if (piece->length == 0)
		return;
	first = first_reaching(ranges, start);
	for (next = first; next < ranges->count && ranges->items[next].start <= end; next++) {
		if (ranges->items[next].start < start)
			start = ranges->items[next].start;
		if (end_of(&ranges->items[next]) > end)
			end = end_of(&ranges->items[next]);
	}
	/* From FIRST to before NEXT all become one. */
	if (next == first)
		ranges->items = memory_grow(ranges->items, ranges->count, sizeof(*ranges->items));
	memmove(&ranges->items[first + 1], &ranges->items[next],
		(ranges->count - next) * sizeof(*ranges->items));
	ranges->count = ranges->count - (next - first) + 1;
	ranges->items[first] = (struct prewarm_range) { start, end - start };
}

void prewarm_ranges_subtract(struct prewarm_ranges *from, const struct prewarm_ranges *minus)
{
	struct prewarm_ranges left = { 0 };

	for (size_t i = 0; i < from->count; i++) {
		uint64_t start = from->items[i].start, end = end_of(&from->items[i]);

		for (size_t j = first_reaching(minus, start);
			j < minus->count && minus->items[j].start < end; j++) {
			if (minus->items[j].start > start)
				prewarm_ranges_add(&left, &(struct prewarm_range) { start,
								  minus->items[j].start - start });
			if (end_of(&minus->items[j]) > start)
				start = end_of(&minus->items[j]);
		}
		if (start < end)
			prewarm_ranges_add(&left, &(struct prewarm_range) { start, end - start });
	}
	prewarm_ranges_free(from);
	*from = left;
}

uint64_t prewarm_ranges_total(const struct prewarm_ranges *ranges)
{
	uint64_t total = 0;

	for (size_t i = 0; i < ranges->count; i++)
		total += ranges->items[i].length;
	return total;
}

int prewarm_ranges_of(struct prewarm_ranges *ranges, const extent_list *extents,
	uint64_t device_size, uint64_t logical, struct error *err)
{
	for (size_t i = 0; i < extents->count; i++) {
		uint64_t physical = extents->items[i].physical.value;
		uint64_t length = extents->items[i].length.value;
		struct prewarm_range piece;
		uint64_t end;

		if (length > device_size || physical > device_size - length)
			return error_set(err, ERANGE,
				"extent %zu, bytes %llu to %llu, lies outside the device of %llu bytes",
				i, (unsigned long long)physical,
				(unsigned long long)(physical + length),
				(unsigned long long)device_size);
		piece.start = physical - physical % logical;
		end = physical + length;
		if (end % logical)
			end += logical - end % logical;
		/* A device is not always a multiple of its blocks: the rest cannot be read so. */
		if (end > device_size - device_size % logical)
			end = device_size - device_size % logical;
		piece.length = end > piece.start ? end - piece.start : 0;
		prewarm_ranges_add(ranges, &piece);
	}
	return 0;
}

bool prewarm_next(const struct prewarm_ranges *ranges, uint64_t block, uint64_t *position,
	struct prewarm_range *request)
{
	size_t i = first_reaching(ranges, *position + 1);
	const struct prewarm_range *range;
	uint64_t start, end;

	if (i == ranges->count)
		return false;
	range = &ranges->items[i];
	start = *position > range->start ? *position : range->start;
	end = start - start % block + block;
	if (end > end_of(range))
		end = end_of(range);
	*request = (struct prewarm_range) { start, end - start };
	*position = end;
	return true;
}

/* FNV-1a, 64 bits (draft-eastlake-fnv): against a mix-up, not against somebody who wants one. */
static void digest_number(uint64_t *digest, uint64_t number)
{
	for (int i = 0; i < 8; i++) {
		*digest ^= number >> (8 * i) & 0xff;
		*digest *= 0x100000001b3ull;
	}
}

char *prewarm_map_name(const struct prewarm_ranges *ranges, uint64_t device_size)
{
	uint64_t digest = 0xcbf29ce484222325ull;

	digest_number(&digest, device_size);
	for (size_t i = 0; i < ranges->count; i++) {
		digest_number(&digest, ranges->items[i].start);
		digest_number(&digest, ranges->items[i].length);
	}
	return text_format("%016llx", (unsigned long long)digest);
}
