/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long to wait before a service that failed is asked again.
 *
 * The wait doubles with each failure in a row. Its later half is left to chance, so that the
 * machines of a fleet that failed together do not come back together.
 */
#ifndef EC2HIB_RULES_BACKOFF_H
#define EC2HIB_RULES_BACKOFF_H

#include <stdint.h>

/* No wait is longer, whatever is asked for. */
#define BACKOFF_MOST_MS 30000u

/*
 * Milliseconds to wait after FAILURES failures in a row: 0 after none, then from half to all of
 * BASE_MS, of twice as much, and so on up to MOST_MS. CHANCE is a random number, all of its 32 bits
 * used.
 */
unsigned backoff_ms(unsigned failures, unsigned base_ms, unsigned most_ms, uint32_t chance);

#endif
