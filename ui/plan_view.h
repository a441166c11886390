/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a plan looks: for people, and as JSON. */
#ifndef EC2HIB_UI_PLAN_VIEW_H
#define EC2HIB_UI_PLAN_VIEW_H

#include <jansson.h>

#include "core/rules/plan.h"
#include "ui/style.h"

/* Why a setup is of no use, and what would mend that. */
void plan_show_gate(const struct report *gate, const struct style *style);

/* The same, then the steps and the notes. */
void plan_show(const struct plan *plan, const struct style *style);

/* "by hand: rpm-ostree kargs ...": what only the administrator can do. */
void plan_show_by_hand(const struct plan *plan, const struct style *style);

/* "[2/7] make the swap file ..." as a step begins. */
void plan_show_step(const struct plan *plan, size_t index, const struct style *style);

/* {"gate": [{"check": ..., "text": ..., "fix": ...}], "steps": [{"id": ..., "text": ...}],
 * "notes": [...], "by_hand": [...]} */
json_t *plan_to_json(const struct plan *plan);

#endif
