/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long the kernel may try to freeze all tasks before it gives a hibernation up
 * (/sys/power/pm_freeze_timeout): a machine with much memory takes longer. The curve says how long,
 * as hibagent writes it:
 *	0-8:20,8-16:40,16-64:60,64-128:150,128-256:200,256-:400
 * that is FROM-TO:SECONDS, FROM and TO in GiB; TO is not included and may be empty. As there, a
 * size counts as the next whole GiB: of an instance of 8 GiB Linux sees 7.6.
 */
#ifndef EC2HIB_BASE_CURVE_H
#define EC2HIB_BASE_CURVE_H

#include <stdbool.h>
#include <stdint.h>

/* What the kernel has when nobody set it (kernel/power/process.c). */
#define FREEZE_TIMEOUT_KERNEL_MS 20000

/* 0, or -EINVAL where a segment does not parse. The empty text is a curve without segments. */
int curve_check(const char *curve);

/*
 * True, with the timeout in *MS, where CURVE has one for MEMORY bytes: the first segment that holds
 * them counts. False: nothing is to be changed.
 */
bool curve_timeout(const char *curve, uint64_t memory, uint64_t *ms);

#endif
