/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long the kernel may try to freeze all tasks before it gives a hibernation up
 * (/sys/power/pm_freeze_timeout, milliseconds, 20000 unless somebody changed it).
 *
 * A machine with much memory takes longer. The curve (core/base/curve.h) says how long; the
 * configuration takes none that does not parse. The first segment that holds the size counts.
 */
#ifndef EC2HIB_RULES_FREEZE_H
#define EC2HIB_RULES_FREEZE_H

#include <stdbool.h>
#include <stdint.h>

/* What the kernel has when nobody set it (kernel/power/process.c). */
#define FREEZE_TIMEOUT_KERNEL_MS 20000

/*
 * True, with the timeout in *MS (milliseconds), where CURVE has one for MEMORY bytes; otherwise
 * nothing is to be changed.
 */
bool freeze_timeout_wanted(const char *curve, uint64_t memory, uint64_t *ms);

/* True, with the new value in *MS, when the PRESENT milliseconds are too few. Never lowers. */
bool freeze_timeout_raise(const char *curve, uint64_t memory, uint64_t present, uint64_t *ms);

#endif
