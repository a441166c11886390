/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that cannot go. The kernel makes the image in memory before it writes it: an image needs
 * as much free memory as it is large. What can neither be dropped nor swapped out is in every
 * image, so with more than half of memory like that the kernel answers ENOMEM, whatever the swap
 * (Linux kernel/power/snapshot.c, hibernate_preallocate_memory; seen on 6.1).
 */
#ifndef EC2HIB_RULES_UNSWAPPABLE_H
#define EC2HIB_RULES_UNSWAPPABLE_H

#include "core/facts/facts.h"

enum image_fit {
	IMAGE_FIT_UNKNOWN, /* facts of a version that did not ask, or not of a running machine */
	IMAGE_FITS,
	IMAGE_FITS_BARELY,
	IMAGE_FITS_NOT
};

enum image_fit image_fits_memory(const struct memory_facts *memory);

/* Bytes that are in every image: what cannot be swapped out, less what ZFS gives back. */
uint64_t memory_unswappable(const struct memory_facts *memory);

/*
 * "4.1 GiB of 7.6 GiB of memory cannot be swapped out: 4.0 GiB are huge pages (hugepages=2048 on
 * the kernel command line)". The caller frees it.
 */
char *unswappable_text(const struct memory_facts *memory);

/* What to do about the largest part. The caller frees it. */
char *unswappable_fix(const struct memory_facts *memory);

#endif
