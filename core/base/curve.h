/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The freeze timeout by memory, as hibagent writes it:
 *	0-8:20,8-16:40,16-64:60,64-128:150,128-256:200,256-:400
 * that is FROM-TO:SECONDS, FROM and TO in GiB; TO is not included and may be empty.
 */
#ifndef EC2HIB_BASE_CURVE_H
#define EC2HIB_BASE_CURVE_H

#include <stdint.h>

struct curve_segment {
	uint64_t from; /* bytes */
	uint64_t to;   /* bytes, not included */
	uint64_t ms;
};

/* Takes the next segment off *TEXT: 1, 0 at the end, -EINVAL where none stands there. */
int curve_next(const char **text, struct curve_segment *segment);

/* 0, or -EINVAL where any segment of TEXT is none. The empty text is a curve without segments. */
int curve_check(const char *text);

#endif
