/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What kernel logs tell of hibernations.
 *
 * A cycle is judged by what its lines prove. Each kernel has words of its own, and says less or
 * more: from 6.19 on, for instance, nothing about the image. So there are no lines that have to be
 * there; the lines that are there prove that an image was made, written, found, restored, or what
 * went wrong (timeline_messages.c has all of them, from kernel 4.4 to 7.3). A cycle of which
 * nothing is proven is "unknown", and one that the log leaves in the middle "incomplete": a log
 * that was cut is no proof of a failure.
 */
#ifndef EC2HIB_RULES_TIMELINE_H
#define EC2HIB_RULES_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/facts/cycle.h"

/* Why the kernel did not hibernate or did not come back. */
enum timeline_failure {
	FAILURE_NONE,
	FAILURE_FREEZING,	/* a task or a work queue did not freeze in time */
	FAILURE_SWAP_SPACE,	/* not enough free swap for the image */
	FAILURE_SWAP_DEVICE,	/* the kernel's resume device is not an active swap */
	FAILURE_DEVICE_BUSY,	/* a device refused to stop */
	FAILURE_MEMORY,		/* not enough memory to make or write the image */
	FAILURE_WAKEUP,		/* an event called the machine back */
	FAILURE_IMAGE_MISSING,	/* the boot found no image */
	FAILURE_IMAGE_MISMATCH, /* the boot found an image of another kernel or machine */
	FAILURE_OTHER,
	FAILURES
};

/* "freezing": what is in failure_id, in the history and in JSON. FAILURE_NONE is "". */
const char *timeline_failure_name(enum timeline_failure failure);

/* The failure of a timeline: FAILURE_NONE where none is known. */
enum timeline_failure timeline_failure_of(const struct timeline *timeline);

/* True where the same machine may well hibernate a little later with nothing changed. */
bool timeline_failure_passes(enum timeline_failure failure);

/* A log with more cycles than this gives its newest ones. */
#define TIMELINES_MAX 4096

/* What a log was like. */
struct log_account {
	uint64_t lines;	   /* of the kernel, about hibernation */
	uint64_t unread;   /* that seem to be about hibernation, but nobody knows whose they are */
	char first[128];   /* the beginning of the first of these; "": none */
	bool backwards;	   /* the newest line was the first */
	bool out_of_order; /* parts of it were in another order than time */
	unsigned hosts;	   /* whose cycles were kept apart */
};

struct timelines;

/*
 * Reading of a log, in pieces of any size and with any bytes. PAGE_SIZE is that of the kernel which
 * wrote it, in bytes, and makes a size from the pages of an image where the log itself does not
 * tell. timelines_end() adds every hibernation to FOUND ({0} at first), newest last
 * (timelines_free() ends it), and frees TIMELINES; ACCOUNT may be NULL.
 */
struct timelines *timelines_begin(unsigned long page_size);
void timelines_feed(struct timelines *timelines, const char *bytes, size_t size);
void timelines_end(struct timelines *timelines, timeline_list *found, struct log_account *account);

/* The same for a log that is in memory as a whole. */
void timelines_parse(const char *log, size_t size, unsigned long page_size, timeline_list *found);

/*
 * The log of one attempt to hibernate, from just before it on: that there was one needs no proof
 * here, as it does in a log that may be of something else. TIMELINE must be zeroed.
 */
void timeline_parse_attempt(
	const char *log, size_t size, unsigned long page_size, struct timeline *timeline);

#endif
