/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/prewarm_request.h"
#include "core/base/compiler.h"

#include <errno.h>
#include <unistd.h>

/* So many bad pieces in a row, and the next one is twice as long. */
#define BAD_ROW 16

int prewarm_transfer(const struct prewarm_job *job, char *buffer, const struct prewarm_range *range)
{
	uint64_t moved = 0;

	while (moved < range->length) {
		size_t size = (size_t)(range->length - moved);
		off_t place = (off_t)(range->start + moved);
		ssize_t n = job->write ? pwrite(job->fd, buffer, size, place)
				       : pread(job->fd, buffer, size, place);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return ENODEV; /* the device ends before that: it shrank */
		moved += (uint64_t)n;
	}
	return 0;
}

bool prewarm_is_fatal(int code)
{
	static const int codes[] = { ENODEV, ENXIO, EBADF, EINVAL, ENOSPC, EDQUOT, EROFS, ETXTBSY,
		EPERM, EFBIG };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (code == codes[i])
			return true;
	return false;
}

uint64_t prewarm_smallest(const struct prewarm_job *job)
{
	return job->logical > PREWARM_BLOCK_LEAST ? job->logical : PREWARM_BLOCK_LEAST;
}

void prewarm_retry(const struct prewarm_job *job, char *buffer, const struct prewarm_range *range,
	bool (*stopped)(void *data), void *data, struct prewarm_again *again)
{
	uint64_t place = range->start, end = range->start + range->length;
	uint64_t size = prewarm_smallest(job);
	unsigned row = 0;

	while (place < end && !stopped(data)) {
		struct prewarm_range piece = { place, size < end - place ? size : end - place };
		int code = prewarm_transfer(job, buffer, &piece);

		place += piece.length;
		if (code == 0) {
			prewarm_ranges_add(&again->good, &piece);
			size = prewarm_smallest(job);
			row = 0;
			continue;
		}
		if (again->code == 0 || prewarm_is_fatal(code))
			again->code = code;
		if (prewarm_is_fatal(code))
			return;
		prewarm_ranges_add(&again->bad, &piece);
		if (++row >= BAD_ROW)
			size *= 2;
	}
}
