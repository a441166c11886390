/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/history_view.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* Between two columns of the table, and in front of what belongs to the line above. */
#define GAP    2
#define INDENT 4

/* Where the values of a cycle in full begin. */
#define VALUE_COLUMN 26

/* ---- Values as texts; NULL where there is none ---- */

static char *show_text(const struct fact_text *fact)
{
	return fact->is == FACT_KNOWN ? style_text(fact->value) : NULL;
}

static char *show_duration(const struct fact_number *ms)
{
	return ms->is == FACT_KNOWN ? duration_format(ms->value) : NULL;
}

static char *show_size(const struct fact_number *bytes)
{
	return bytes->is == FACT_KNOWN ? size_format(bytes->value) : NULL;
}

static char *show_rate(const struct fact_number *rate)
{
	double value = (double)rate->value / (double)MIB;

	if (rate->is != FACT_KNOWN)
		return NULL;
	return text_format("%.*f MiB/s", value < 10 ? 1 : 0, value);
}

/* 1.3 s, 66 MiB/s */
static char *show_transfer(const struct fact_number *time, const struct fact_number *rate)
{
	memory_cleanup_free char *speed = show_rate(rate);
	char *text = show_duration(time);

	if (text && speed)
		text_append(&text, ", %s", speed);
	return text;
}

static char *cell_began(const struct cycle *cycle)
{
	const struct fact_number *clock = &cycle->timeline.entry;

	if (cycle->began.is == FACT_KNOWN || clock->is != FACT_KNOWN)
		return show_text(&cycle->began);
	return text_format("[%5llu.%03llu]", (unsigned long long)(clock->value / 1000),
		(unsigned long long)(clock->value % 1000));
}

static char *cell_reason(const struct cycle *cycle)
{
	return show_text(&cycle->reason);
}

static char *cell_method(const struct cycle *cycle)
{
	return show_text(&cycle->method);
}

static char *cell_result(const struct cycle *cycle)
{
	return show_text(&cycle->result);
}

static char *cell_away(const struct cycle *cycle)
{
	return show_duration(&cycle->away);
}

static char *cell_image(const struct cycle *cycle)
{
	return show_size(&cycle->image_size);
}

static char *cell_write(const struct cycle *cycle)
{
	return show_transfer(&cycle->timeline.write_time, &cycle->timeline.write_rate);
}

static char *cell_read(const struct cycle *cycle)
{
	return show_transfer(&cycle->timeline.read_time, &cycle->timeline.read_rate);
}

static char *cell_freeze(const struct cycle *cycle)
{
	const struct fact_number *user = &cycle->timeline.freeze_user;
	const struct fact_number *kernel = &cycle->timeline.freeze_kernel;

	if (user->is != FACT_KNOWN)
		return NULL;
	return duration_format(user->value + fact_number_or(kernel, 0));
}

static char *cell_power_off(const struct cycle *cycle)
{
	return show_duration(&cycle->to_power_off);
}

/* ---- The table ---- */

/* SPARE: the larger, the sooner a column is left out where the terminal is narrow. */
static const struct column {
	const char *title;
	unsigned spare;
	char *(*cell)(const struct cycle *cycle);
} columns[] = {
	{ "began", 0, cell_began },
	{ "reason", 2, cell_reason },
	{ "method", 7, cell_method },
	{ "result", 0, cell_result },
	{ "away", 1, cell_away },
	{ "image", 3, cell_image },
	{ "write", 4, cell_write },
	{ "read", 5, cell_read },
	{ "freeze", 6, cell_freeze },
	{ "to power-off", 8, cell_power_off },
};
_Static_assert(
	ARRAY_SIZE(columns) == HISTORY_COLUMNS, "history_view.h says how many columns there are");
#define COLUMNS HISTORY_COLUMNS

const char *history_title(size_t column)
{
	return columns[column].title;
}

bool history_is_result(size_t column)
{
	return columns[column].cell == cell_result;
}

static void table_fill(struct history_table *table, const cycle_list *list)
{
	table->rows = list->count;
	table->cells = memory_new(table->rows * COLUMNS, sizeof(*table->cells));
	for (size_t i = 0; i < list->count * COLUMNS; i++) {
		const struct column *column = &columns[i % COLUMNS];
		unsigned *width = &table->widths[i % COLUMNS];
		char *cell = column->cell(&list->items[i / COLUMNS]);

		table->cells[i] = cell;
		if (cell && *width < strlen(column->title))
			*width = (unsigned)strlen(column->title);
		if (cell && *width < strlen(cell))
			*width = (unsigned)strlen(cell);
	}
}

static void table_fit(struct history_table *table, unsigned width)
{
	for (;;) {
		unsigned total = 0;
		size_t least = COLUMNS;

		for (size_t i = 0; i < COLUMNS; i++) {
			if (!table->widths[i])
				continue;
			total += table->widths[i] + GAP;
			if (columns[i].spare &&
				(least == COLUMNS || columns[i].spare > columns[least].spare))
				least = i;
		}
		if (!width || total <= width + GAP || least == COLUMNS)
			return;
		table->widths[least] = 0;
	}
}

void history_table_make(struct history_table *table, const cycle_list *list, unsigned width)
{
	*table = (struct history_table) { 0 };
	table_fill(table, list);
	table_fit(table, width);
}

void history_table_free(struct history_table *table)
{
	for (size_t i = 0; i < table->rows * COLUMNS; i++)
		free(table->cells[i]);
	free(table->cells);
}

enum colour history_colour(const struct cycle *cycle)
{
	if (fact_text_is(&cycle->result, RESULT_RESUMED) ||
		fact_text_is(&cycle->result, RESULT_TESTED))
		return COLOUR_GOOD;
	if (fact_text_is(&cycle->result, RESULT_FAILED) ||
		fact_text_is(&cycle->result, RESULT_REFUSED))
		return COLOUR_BAD;
	return COLOUR_RISK;
}

/* CYCLE is NULL for the line of titles. */
static void show_row(const struct history_table *table, char *const *cells,
	const struct cycle *cycle, const struct style *style)
{
	size_t last = COLUMNS;

	for (size_t i = 0; i < COLUMNS; i++)
		if (table->widths[i])
			last = i;
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *text = cells ? cells[i] : columns[i].title;
		bool result = cycle && history_is_result(i);

		if (!table->widths[i])
			continue;
		if (result)
			fputs(style_colour(style, history_colour(cycle)), stdout);
		printf("%-*s", i == last ? 0 : (int)table->widths[i], text ? text : "-");
		if (result)
			fputs(style_colour(style, COLOUR_PLAIN), stdout);
		fputs(i == last ? "\n" : "  ", stdout);
	}
}

static void show_message(const struct cycle *cycle, const struct style *style)
{
	memory_cleanup_free char *message = show_text(&cycle->message);

	if (!message)
		return;
	printf("%*s", INDENT, "");
	style_wrap(style, stdout, message, INDENT, INDENT);
}

void history_show(const cycle_list *list, const struct style *style)
{
	struct history_table table;

	history_table_make(&table, list, style->width);
	fputs(style_colour(style, COLOUR_STRONG), stdout);
	show_row(&table, NULL, NULL, style);
	fputs(style_colour(style, COLOUR_PLAIN), stdout);
	for (size_t i = 0; i < table.rows; i++) {
		show_row(&table, table.cells + i * COLUMNS, &list->items[i], style);
		show_message(&list->items[i], style);
	}
	history_table_free(&table);
}

/* ---- One cycle in full ---- */

void value_show(FILE *out, const char *title, char *text, const struct style *style)
{
	if (!text)
		return;
	fprintf(out, "  %-*s", VALUE_COLUMN - 2, title);
	style_wrap(style, out, text, VALUE_COLUMN, VALUE_COLUMN);
	free(text);
}

static void show_moved(FILE *out, const char *title, const struct fact_number *size,
	const struct fact_number *time, const struct fact_number *rate, const struct style *style)
{
	memory_cleanup_free char *bytes = show_size(size);
	memory_cleanup_free char *took = show_transfer(time, rate);

	if (bytes && took)
		value_show(out, title, text_format("%s in %s", bytes, took), style);
	else if (!bytes && size->is == FACT_UNKNOWN && size->why)
		value_show(out, title, text_format("not known: %s", size->why), style);
}

/* 12.345 ms, 0.456 ms late, 0.103 ms without interrupts */
static void show_devices(FILE *out, const char *title, const struct fact_number *const *times,
	const char *const *names, const struct style *style)
{
	char *text = NULL;

	for (int i = 0; i < 3; i++)
		if (times[i]->is == FACT_KNOWN)
			text_append(&text, "%s%llu.%03llu ms%s", text ? ", " : "",
				(unsigned long long)(times[i]->value / 1000),
				(unsigned long long)(times[i]->value % 1000), names[i]);
	value_show(out, title, text, style);
}

void timeline_explain(FILE *out, const struct timeline *timeline, const struct style *style)
{
	static const char *const stopping[] = { "", " late", " without interrupts" };
	static const char *const starting[] = { " without interrupts", " early", "" };
	const struct fact_number *const stop[] = { &timeline->devices_freeze_us,
		&timeline->devices_freeze_late_us, &timeline->devices_freeze_noirq_us };
	const struct fact_number *const start[] = { &timeline->devices_restore_noirq_us,
		&timeline->devices_restore_early_us, &timeline->devices_restore_us };
	char *image = show_size(&timeline->image_size);

	value_show(out, "sync file systems", show_duration(&timeline->sync), style);
	value_show(out, "freeze user space", show_duration(&timeline->freeze_user), style);
	value_show(out, "freeze kernel tasks", show_duration(&timeline->freeze_kernel), style);
	show_moved(out, "reserve memory", &timeline->allocate_size, &timeline->allocate_time,
		&timeline->allocate_rate, style);
	show_devices(out, "stop devices", stop, stopping, style);
	if (image && timeline->image_pages.is == FACT_KNOWN)
		text_append(
			&image, ", %llu pages", (unsigned long long)timeline->image_pages.value);
	value_show(out, "image", image, style);
	show_moved(out, "write", &timeline->write_size, &timeline->write_time,
		&timeline->write_rate, style);
	if (timeline->threads.is == FACT_KNOWN)
		value_show(out, "compression threads",
			text_format("%llu", (unsigned long long)timeline->threads.value), style);
	value_show(out, "compressed", show_size(&timeline->compressed_size), style);
	show_moved(out, "read", &timeline->read_size, &timeline->read_time, &timeline->read_rate,
		style);
	show_devices(out, "start devices", start, starting, style);
}

static char *notice_of(const struct cycle *cycle)
{
	memory_cleanup_free char *action = show_text(&cycle->notice_action);
	memory_cleanup_free char *time = show_text(&cycle->notice_time);

	if (!action)
		return NULL;
	return text_format("%s%s%s", action, time ? ", " : "", time ? time : "");
}

void cycle_explain(FILE *out, const struct cycle *cycle, const struct style *style)
{
	memory_cleanup_free char *began = cell_began(cycle);
	memory_cleanup_free char *result = show_text(&cycle->result);

	fprintf(out, "%s%s%s  %s%s%s\n", style_colour(style, COLOUR_STRONG),
		began ? began : "at an unknown time", style_colour(style, COLOUR_PLAIN),
		style_colour(style, history_colour(cycle)), result ? result : "no result is known",
		style_colour(style, COLOUR_PLAIN));
	value_show(out, "why", show_text(&cycle->message), style);
	value_show(out, "reason", cell_reason(cycle), style);
	value_show(out, "notice", notice_of(cycle), style);
	value_show(out, "method", cell_method(cycle), style);
	if (cycle->tries.is == FACT_KNOWN)
		value_show(out, "tries",
			text_format("%llu", (unsigned long long)cycle->tries.value), style);
	value_show(out, "kernel", show_text(&cycle->kernel), style);
	value_show(out, "prepare", show_duration(&cycle->prepare), style);
	timeline_explain(out, &cycle->timeline, style);
	value_show(out, "to power-off", show_duration(&cycle->to_power_off), style);
	value_show(out, "away", show_duration(&cycle->away), style);
}

void history_explain(const cycle_list *list, const struct style *style)
{
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			putchar('\n');
		cycle_explain(stdout, &list->items[i], style);
	}
}

json_t *history_to_json(const cycle_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, layout_to_json(&cycle_layout, &list->items[i]));
	return array;
}
