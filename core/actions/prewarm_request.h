/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request of a pre-warm, and the same once more where it failed. */
#ifndef EC2HIB_ACTIONS_PREWARM_REQUEST_H
#define EC2HIB_ACTIONS_PREWARM_REQUEST_H

#include "core/actions/prewarm_engine.h"

/* Reads or writes RANGE, with a BUFFER of its length. 0 or an errno, not negative. */
int prewarm_transfer(
	const struct prewarm_job *job, char *buffer, const struct prewarm_range *range);

/* Whether after this errno there is nothing to hope for elsewhere on the device. */
bool prewarm_is_fatal(int code);

/* What came of a RANGE that was tried once more. */
struct prewarm_again {
	struct prewarm_ranges good, bad;
	int code; /* an errno: of the first bad place, or a fatal one */
};

/*
 * RANGE once more, in the smallest pieces, so that what is lost is no more than what is bad. Where
 * many in a row are bad, the pieces grow until one is good: each of them may take the device half a
 * minute. STOPPED is asked between them. Free both ranges of AGAIN, which must be {0}.
 */
void prewarm_retry(const struct prewarm_job *job, char *buffer, const struct prewarm_range *range,
	bool (*stopped)(void *data), void *data, struct prewarm_again *again);

/* Bytes of the smallest pieces. */
uint64_t prewarm_smallest(const struct prewarm_job *job);

#endif
