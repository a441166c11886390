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
void cycle_explain(FILE *out, const struct cycle *cycle, const struct style *style);

/* A line "  TITLE   TEXT"; TEXT is taken over, and NULL is nothing to say. */
void value_show(FILE *out, const char *title, char *text, const struct style *style);

/* What is known of a timeline, a line for each step. */
void timeline_explain(FILE *out, const struct timeline *timeline, const struct style *style);

/* ---- The table alone, for who shows it otherwise ---- */

#define HISTORY_COLUMNS 10

struct history_table {
	char **cells; /* a row of HISTORY_COLUMNS for each cycle; NULL: not known */
	size_t rows;
	unsigned widths[HISTORY_COLUMNS]; /* 0: the column is left out */
};

/* Of all cycles, in WIDTH columns (0: as wide as it gets); history_table_free() ends it. */
void history_table_make(struct history_table *table, const cycle_list *list, unsigned width);
void history_table_free(struct history_table *table);

const char *history_title(size_t column);
/* True for the column that history_colour() is about. */
bool history_is_result(size_t column);
enum colour history_colour(const struct cycle *cycle);

/* The cycles as a JSON array. */
json_t *history_to_json(const cycle_list *list);

#endif
