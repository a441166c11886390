/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

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

/* ---- Pages ----------------------------------------------------------------------------------- */

/* A mapping as /proc/self/smaps describes it. */
struct mapping {
	uintptr_t start, end;
	bool constant; /* a file's, and not writable */
	bool changed;  /* some of its pages are not the file's any more */
};

/* "7f5f-7f60 r-xp 00001000 fd:01 1234   /usr/lib/libc.so.6" */
static bool mapping_begins(const char *line, struct mapping *mapping)
{
	unsigned long long start, end, inode;
	char access[5];

	if (sscanf(line, "%llx-%llx %4s %*x %*s %llu", &start, &end, access, &inode) != 4)
		return false;
	*mapping = (struct mapping) { .start = (uintptr_t)start,
		.end = (uintptr_t)end,
		.constant = inode != 0 && access[1] == '-' };
	return true;
}

static void mapping_forget(const struct mapping *mapping)
{
	/* What was changed (by the dynamic linker) would be lost. */
	if (mapping->constant && !mapping->changed)
		madvise((void *)mapping->start, mapping->end - mapping->start, MADV_DONTNEED);
}

void memory_forget_constant(void)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	struct mapping mapping = { 0 }, next;
	unsigned long kilobytes;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		if (mapping_begins(line, &next)) {
			mapping_forget(&mapping);
			mapping = next;
		} else if ((sscanf(line, "Anonymous: %lu", &kilobytes) == 1 ||
				   sscanf(line, "Swap: %lu", &kilobytes) == 1) &&
			   kilobytes) {
			mapping.changed = true;
		}
	}
	if (!file)
		return;
	if (!ferror(file))
		mapping_forget(&mapping);
	fclose(file);
}
