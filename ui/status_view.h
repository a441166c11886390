/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How readiness looks: for people, and as JSON. */
#ifndef EC2HIB_UI_STATUS_VIEW_H
#define EC2HIB_UI_STATUS_VIEW_H

#include <jansson.h>

#include "core/rules/checks.h"
#include "ui/style.h"

/* Some checks and what they found, side by side. */
struct report {
	const struct check **checks;
	struct finding *findings;
	size_t count;
	char *options; /* for "ec2hib": it has to look at the same machine; NULL: none */
};

/* All checks were run: only then the findings say whether the machine is ready. */
bool report_is_whole(const struct report *report);

/* Runs the checks whose ids are given, or all. NULL in IDS ends it; the ids are known. */
void report_make(struct report *report, const char *const *ids, const struct facts *facts,
	const struct config *config);
void report_free(struct report *report);

/* Grouped, problems first, one line each and a summary; with EXPLAIN also why it matters. */
void report_show(const struct report *report, const struct style *style);
void report_explain(const struct report *report, const struct style *style);

/* [{"id": ..., "group": ..., "state": ..., "text": ..., "fix": ...}] */
json_t *report_to_json(const struct report *report);

enum colour state_colour(enum check_state state);
const char *readiness_name(enum readiness readiness); /* "ready" */

#endif
