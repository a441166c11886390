/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/freeze.h"

#include "core/base/curve.h"

bool freeze_timeout_wanted(const char *curve, uint64_t memory, uint64_t *ms)
{
	struct curve_segment segment;

	while (curve && curve_next(&curve, &segment) > 0)
		if (memory >= segment.from && memory < segment.to) {
			*ms = segment.ms;
			return true;
		}
	return false;
}

bool freeze_timeout_raise(const char *curve, uint64_t memory, uint64_t present, uint64_t *ms)
{
	uint64_t wanted;

	if (!freeze_timeout_wanted(curve, memory, &wanted) || wanted <= present)
		return false;
	*ms = wanted;
	return true;
}
