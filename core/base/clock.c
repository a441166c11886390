/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/clock.h"

uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t clock_us(clockid_t clock)
{
	return clock_ns(clock) / 1000;
}

uint64_t clock_ms(clockid_t clock)
{
	return clock_ns(clock) / 1000000;
}

int64_t clock_slept_ms(void)
{
	int64_t awake = (int64_t)clock_ms(CLOCK_MONOTONIC);

	return (int64_t)clock_ms(CLOCK_BOOTTIME) - awake;
}
