/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small allocations that do not fail.
 *
 * ec2hib asks for a few kilobytes at a time. When the kernel has none left even for that,
 * no message can be made and no cleanup that allocates can run, so these functions abort.
 * Everything that asks for an amount given by the outside world (a file, an answer from
 * the network) has a limit of its own before it comes here.
 */
#ifndef EC2HIB_BASE_MEMORY_H
#define EC2HIB_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Zeroed memory for COUNT items of SIZE bytes; the caller frees it. */
void *memory_new(size_t count, size_t size);

/*
 * Room for one more item in a growing array of COUNT items of SIZE bytes: returns the array,
 * perhaps moved. The new item is zeroed. The caller owns the array as before.
 */
void *memory_grow(void *items, size_t count, size_t size);

/* Use as: memory_cleanup_free char *name = NULL; */
static inline void memory_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}
#define memory_cleanup_free __attribute__((cleanup(memory_free_pointer)))

/*
 * Lets go of all pages of program and libraries that are as they are in their files. Those that are
 * used again come back from the page cache; those that only a start needed (the setting up of a TLS
 * library takes megabytes) do not, and are then not locked into memory by mlockall(2) either.
 */
void memory_forget_constant(void);

#endif
