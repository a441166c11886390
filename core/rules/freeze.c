/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/freeze.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

/* The kernel keeps the timeout in an unsigned int of milliseconds. */
#define TIMEOUT_MAX_S  (UINT32_MAX / 1000)
#define MEMORY_MAX_GIB (UINT64_MAX / GIB)

struct segment {
	uint64_t from; /* bytes */
	uint64_t to;   /* bytes, not included */
	uint64_t ms;
};

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

/* All segments have to parse, also those behind the one that counts. */
enum freeze_answer freeze_timeout_wanted(const char *curve, uint64_t memory, uint64_t *ms)
{
	memory_cleanup_free char *copy = text_copy(curve);
	enum freeze_answer answer = FREEZE_NO_SEGMENT;
	uint64_t found = 0;

	if (!copy || !*copy)
		return FREEZE_NO_SEGMENT;
	for (char *next = copy, *text; (text = next);) {
		struct segment segment;

		next = strchr(text, ',');
		if (next)
			*next++ = '\0';
		if (!segment_parse(text, &segment))
			return FREEZE_BAD_CURVE;
		if (answer == FREEZE_WANTED || memory < segment.from ||
			memory >= segment.to)
			continue;
		answer = FREEZE_WANTED;
		found = segment.ms;
	}
	if (answer == FREEZE_WANTED)
		*ms = found;
	return answer;
}

bool freeze_timeout_raise(
	const char *curve, uint64_t memory, uint64_t present, uint64_t *ms)
{
	uint64_t wanted;

	if (freeze_timeout_wanted(curve, memory, &wanted) != FREEZE_WANTED ||
		wanted <= present)
		return false;
	*ms = wanted;
	return true;
}
