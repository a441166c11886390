/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Timelines held against what is expected of them. */
#ifndef EC2HIB_TESTS_TIMELINE_CHECK_H
#define EC2HIB_TESTS_TIMELINE_CHECK_H

#include "core/rules/timeline.h"

/* The page size of the machines that wrote the logs. */
#define TIMELINE_PAGE 4096

/*
 * EXPECTED: lines "field value" for each timeline in turn, where "-" is absent and "?" unknown with
 * a reason; a line "cycle" begins the next one. Fails the test with TITLE.
 */
void timeline_check(const char *title, const timeline_list *found, const char *expected);
void timeline_check_text(const char *log, const char *expected);

/* A log of tests/fixtures/logs; the caller frees it. */
char *timeline_log(const char *name, size_t *size);

#endif
