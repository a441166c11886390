/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/memory.h"

#include <string.h>

void *memory_new(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

void *memory_grow(void *items, size_t count, size_t size)
{
	/* Doubling at each power of two, so that a long list is not moved at every step. */
	if (count == 0 || (count & (count - 1)) == 0) {
		items = reallocarray(items, count ? count * 2 : 1, size);
		if (!items)
			abort();
	}
	memset((char *)items + count * size, 0, size);
	return items;
}
