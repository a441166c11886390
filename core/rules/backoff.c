/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/backoff.h"

unsigned backoff_ms(unsigned failures, unsigned base_ms, unsigned most_ms, uint32_t chance)
{
	uint64_t wait = base_ms, rest;

	if (failures == 0)
		return 0;
	if (most_ms > BACKOFF_MOST_MS)
		most_ms = BACKOFF_MOST_MS;
	/* It stops doubling at the limit, so no number of failures is too large. */
	for (unsigned i = 1; i < failures && wait && wait < most_ms; i++)
		wait *= 2;
	if (wait > most_ms)
		wait = most_ms;
	rest = wait / 2;
	return (unsigned)(wait - rest + ((rest + 1) * chance >> 32));
}
