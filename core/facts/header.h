/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The header of a swap area: its first page (Linux include/linux/swap.h, union swap_header; the
 * signatures of kernel/power/swap.c).
 */
#ifndef EC2HIB_FACTS_HEADER_H
#define EC2HIB_FACTS_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

/* The largest page of any architecture that we run on (arm64 with 64 KiB pages). */
#define HEADER_SIZE_MAX ((size_t)65536)

struct swap_header {
	const char *signature; /* SIGNATURE_* of facts.h */
	uint32_t page_size;    /* bytes; 0 without a signature */
	uint64_t size;	       /* bytes that the header says may be used, itself included */
	char uuid[37];	       /* "" when it is all zero */
	char label[17];
};

/* Reads the header from the first SIZE bytes of an area, as many pages sizes as fit in. */
void header_parse(struct swap_header *header, const unsigned char *page, size_t size);

/*
 * Reads the header that begins at byte POSITION (a multiple of 4096; 0 for a swap file, and for a
 * device that is swap) of the file or device NAME in FOLDER, from the disk itself (O_DIRECT where
 * that works): the kernel writes an image past the page cache, so a cached page may be from before.
 * Never follows a symbolic link. 0 or a negative errno.
 */
int header_read(struct swap_header *header, int folder, const char *name, uint64_t position,
	struct error *err);

#endif
