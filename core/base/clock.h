/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel's clocks. CLOCK_MONOTONIC stands still while the machine is hibernated, CLOCK_BOOTTIME
 * goes on (clock_gettime(2)); nobody sets either.
 */
#ifndef EC2HIB_BASE_CLOCK_H
#define EC2HIB_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

uint64_t clock_ns(clockid_t clock);
uint64_t clock_us(clockid_t clock);
uint64_t clock_ms(clockid_t clock);

/*
 * How long the machine has slept since it was booted, ms. The clocks are read one after the other, so
 * that it may be one off.
 */
int64_t clock_slept_ms(void);

/* A machine that was off has slept for longer, also one that boots fast; less is nothing. */
#define CLOCK_SLEPT_LEAST_MS 500

#endif
