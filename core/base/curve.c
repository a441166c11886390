/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/curve.h"

#include <errno.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

struct segment {
	uint64_t from; /* bytes */
	uint64_t to;   /* bytes, not included */
	uint64_t ms;
};

/* The kernel keeps the timeout in an unsigned int of milliseconds. */
#define TIMEOUT_MAX_S  (UINT32_MAX / 1000)
#define MEMORY_MAX_GIB (UINT64_MAX / GIB)

static bool memory_parse(const char *text, uint64_t *bytes)
{
	if (number_parse(text, bytes) < 0 || *bytes > MEMORY_MAX_GIB)
		return false;
	*bytes *= GIB;
	return true;
}

/* FROM-TO:SECONDS or FROM-:SECONDS; TEXT is cut up. */
static bool segment_parse(char *text, struct segment *segment)
{
	char *to = strchr(text, '-'), *seconds = to ? strchr(to, ':') : NULL;

	if (!seconds)
		return false;
	*to++ = '\0';
	*seconds++ = '\0';
	if (!memory_parse(text, &segment->from))
		return false;
	if (*to == '\0')
		segment->to = UINT64_MAX;
	else if (!memory_parse(to, &segment->to))
		return false;
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
	struct segment segment;

	while (curve && curve_next(&curve, &segment) > 0)
		if (memory >= segment.from && memory < segment.to) {
			*ms = segment.ms;
			return true;
		}
	return false;
}
