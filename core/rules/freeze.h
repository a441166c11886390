/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long the kernel may try to freeze all tasks before it gives a hibernation up
 * (/sys/power/pm_freeze_timeout, milliseconds, 20000 unless somebody changed it).
 *
 * A machine with much memory takes longer. The curve says how long, as hibagent's does:
 *	0-8:20,8-16:40,16-64:60,64-128:150,128-256:200,256-:400
 * that is FROM-TO:SECONDS, FROM and TO in GiB of memory; TO is not included and may be
 *empty. The first segment that holds the size counts.
 */
#ifndef EC2HIB_RULES_FREEZE_H
#define EC2HIB_RULES_FREEZE_H

#include <stdbool.h>
#include <stdint.h>

/* What the kernel has when nobody set it (kernel/power/process.c). */
#define FREEZE_TIMEOUT_KERNEL_MS 20000

enum freeze_answer {
	FREEZE_WANTED,	   /* the curve has a timeout for this size */
	FREEZE_NO_SEGMENT, /* no segment holds this size, or the curve is empty: change
			      nothing */
	FREEZE_BAD_CURVE   /* the curve does not parse: change nothing, and say so */
};

/* The timeout in milliseconds that CURVE has for MEMORY bytes; *MS is set for
 * FREEZE_WANTED. */
enum freeze_answer freeze_timeout_wanted(
	const char *curve, uint64_t memory, uint64_t *ms);

/* True, with the new value in *MS, when the PRESENT milliseconds are too few. Never
 * lowers. */
bool freeze_timeout_raise(
	const char *curve, uint64_t memory, uint64_t present, uint64_t *ms);

#endif
