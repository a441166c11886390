/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/curve.h"

#include <errno.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

struct segment {
	uint64_t from; /* GiB */
	uint64_t to;   /* GiB, not included */
	uint64_t ms;
};

/* The kernel keeps the timeout in an unsigned int of milliseconds. */
#define TIMEOUT_MAX_S (UINT32_MAX / 1000)

/* FROM-TO:SECONDS, FROM-:SECONDS or FROM:SECONDS, perhaps with blanks; TEXT is cut up. */
static bool segment_parse(char *text, struct segment *segment)
{
	char *seconds = strchr(text, ':'), *to;

	if (!seconds)
		return false;
	*seconds++ = '\0';
	to = strchr(text, '-');
	if (to)
		*to++ = '\0';
	segment->to = UINT64_MAX;
	if (number_parse(text_trim(text), &segment->from) < 0 ||
		(to && *text_trim(to) && number_parse(to, &segment->to) < 0))
		return false;
	seconds = text_trim(seconds);
	if (number_parse(seconds, &segment->ms) < 0 || segment->ms == 0 ||
		segment->ms > TIMEOUT_MAX_S)
		return false;
	segment->ms *= 1000;
	return segment->from < segment->to;
}

/* Takes the next segment off *TEXT: 1, 0 at the end, -EINVAL where it does not parse. */
static int curve_next(const char **text, struct segment *segment)
{
	memory_cleanup_free char *piece = NULL;
	size_t length = strcspn(*text, ",");

	if (!**text)
		return 0;
	piece = text_copy_length(*text, length);
	if (!segment_parse(piece, segment))
		return -EINVAL;
	*text += length;
	/* After a comma comes another one. */
	if (**text && !*++*text)
		return -EINVAL;
	return 1;
}

int curve_check(const char *curve)
{
	struct segment segment;
	int status;

	do
		status = curve_next(&curve, &segment);
	while (status > 0);
	return status;
}

bool curve_timeout(const char *curve, uint64_t memory, uint64_t *ms)
{
	uint64_t gib = memory / GIB + (memory % GIB != 0);
	struct segment segment;

	while (curve && curve_next(&curve, &segment) > 0)
		if (gib >= segment.from && gib < segment.to) {
			*ms = segment.ms;
			return true;
		}
	return false;
}
