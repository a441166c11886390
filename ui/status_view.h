/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How readiness looks: for people, and as JSON. */
#ifndef EC2HIB_UI_STATUS_VIEW_H
#define EC2HIB_UI_STATUS_VIEW_H

#include <jansson.h>

#include "core/rules/checks.h"
#include "ui/style.h"

/*
 * Grouped, problems first, one line each and a summary; report_explain() tells also why each check
 * matters. OPTIONS go after each "ec2hib" in a fix: it has to look at the same machine; NULL: none.
 */
void report_show(const struct report *report, const char *options, const struct style *style);
void report_explain(const struct report *report, const char *options, const struct style *style);

/* [{"id": ..., "group": ..., "state": ..., "text": ..., "fix": ...}] */
json_t *report_to_json(const struct report *report);

/* What layout_describe() says of the facts, a line each: path, meaning, type and unit. */
void facts_describe(json_t *facts, const struct style *style);

enum colour state_colour(enum check_state state);
const char *readiness_name(enum readiness readiness); /* "ready" */

#endif
