/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How past hibernations look: a line each, in full, and as JSON. */
#ifndef EC2HIB_UI_HISTORY_VIEW_H
#define EC2HIB_UI_HISTORY_VIEW_H

#include "core/facts/cycle.h"
#include "ui/style.h"

/*
 * A table, a line for each cycle and below it why it failed. A column that has no value in any line
 * is left out, and on a narrow terminal those that say least.
 */
void history_show(const cycle_list *list, const struct style *style);

/* All that is known of each cycle. */
void history_explain(const cycle_list *list, const struct style *style);

/* One cycle as history_explain() shows it. */
void cycle_explain(const struct cycle *cycle, const struct style *style);

/* The cycles as a JSON array. */
json_t *history_to_json(const cycle_list *list);

#endif
