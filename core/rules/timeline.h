/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel's log tells of hibernations.
 *
 * The wording is that of Linux 4.x ("PM: ...") and of 5.x and 6.x ("PM: hibernation: ..."):
 * kernel/power/{hibernate,snapshot,swap,process}.c and drivers/base/power/main.c. Lines may stand
 * alone, or behind what dmesg, syslog, the journal or /dev/kmsg put in front.
 */
#ifndef EC2HIB_RULES_TIMELINE_H
#define EC2HIB_RULES_TIMELINE_H

#include "core/facts/cycle.h"

/* Why the kernel did not hibernate or did not come back. */
enum timeline_failure {
	FAILURE_NONE,
	FAILURE_FREEZING,	/* a task or a work queue did not freeze in time */
	FAILURE_SWAP_SPACE,	/* not enough free swap for the image */
	FAILURE_SWAP_DEVICE,	/* the kernel's resume device is no active swap */
	FAILURE_DEVICE_BUSY,	/* a device refused to stop */
	FAILURE_MEMORY,		/* not enough memory to make or write the image */
	FAILURE_WAKEUP,		/* an event called the machine back */
	FAILURE_IMAGE_MISSING,	/* the boot found no image */
	FAILURE_IMAGE_MISMATCH, /* the boot found an image of another kernel or machine */
	FAILURE_OTHER,
	FAILURES
};

/* "freezing": what stands in failure_id, in the history and in JSON. FAILURE_NONE is "". */
const char *timeline_failure_name(enum timeline_failure failure);

/* The failure of a timeline: FAILURE_NONE where none is known. */
enum timeline_failure timeline_failure_of(const struct timeline *timeline);

/* True where the same machine may well hibernate a little later with nothing changed. */
bool timeline_failure_passes(enum timeline_failure failure);

/* A log with more cycles than this gives its newest ones. */
#define TIMELINES_MAX 4096

/*
 * Finds every hibernation in SIZE bytes of LOG, of any length and with any bytes, and adds them to
 * FOUND ({0} at first), newest last; timelines_free() ends it. PAGE_SIZE is that of the kernel
 * which wrote the log, in bytes, and makes a size from the pages of an image.
 */
void timelines_parse(const char *log, size_t size, unsigned long page_size, timeline_list *found);

#endif
