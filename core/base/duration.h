/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lengths of time as people write and say them. */
#ifndef EC2HIB_BASE_DURATION_H
#define EC2HIB_BASE_DURATION_H

#include <stdint.h>

#define DURATION_MOST_MS ((uint64_t)366 * 24 * 3600 * 1000)

/*
 * N or N.N followed by ms, s, m, min or h; no unit means seconds: 200ms, 10s, 1.5, 2min. *MS gets
 * milliseconds, what is below one is left out. 0, -EINVAL, or -ERANGE (more than a year).
 */
int duration_parse(const char *text, uint64_t *ms);

/* What duration_parse() reads, in the largest unit that fits: "1500ms", "30s", "5min". */
char *duration_exact(uint64_t ms);

/* Milliseconds as people say them, in at most two units: "13 ms", "9.3 s", "2 h 13 min". */
char *duration_format(uint64_t ms);

#endif
