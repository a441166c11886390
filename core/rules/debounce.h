/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which presses of the sleep button ask for a hibernation.
 *
 * EC2 may send one press more than once, and what it sends while the machine goes down is read
 * only after it is up again. Such an echo must not put the machine to sleep a second time, as it
 * did with amazon-ec2-hibinit-agent before 1.0.10-2.
 *
 * All times are milliseconds of CLOCK_BOOTTIME: it goes on while the machine is away, and unlike
 * the time of day nobody sets it.
 */
#ifndef EC2HIB_RULES_DEBOUNCE_H
#define EC2HIB_RULES_DEBOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#define DEBOUNCE_MS 30000

struct debounce {
	bool under_way;	    /* a hibernation has begun and is not over */
	bool resumed;	    /* one is over, and RESUMED_MS says since when */
	int64_t resumed_ms; /* also when the kernel refused: the press has been answered */
	int64_t window_ms;  /* DEBOUNCE_MS unless configured */
};

/* True when a press at PRESSED_MS is an echo, and to be logged and ignored. */
bool debounce_ignores(const struct debounce *debounce, int64_t pressed_ms);

#endif
