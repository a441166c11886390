/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Past hibernations, the newest first. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/history_view.h"
#include "ui/tui/panel.h"

#define GAP 2

static const char *empty_text(const struct model *model)
{
	if (model->saved)
		return "not in the saved facts";
	if (!model->gathered)
		return "looking at the machine ...";
	return model->cycles_error ? model->cycles_error : "no hibernation so far";
}

static void draw_row(struct page *page, const struct history_table *table, char *const *cells,
	enum colour colour)
{
	size_t column = 0;

	for (size_t i = 0; i < HISTORY_COLUMNS; i++) {
		if (!table->widths[i])
			continue;
		page_pad(page, column);
		page_add(page,
			!cells		       ? COLOUR_DIM
			: history_is_result(i) ? colour
					       : COLOUR_PLAIN,
			"%s",
			!cells	   ? history_title(i)
			: cells[i] ? cells[i]
				   : "-");
		column += table->widths[i] + GAP;
	}
}

static void draw(struct page *page, const struct model *model, const void *state UNUSED)
{
	size_t count = model->cycles.count;
	size_t shown = page->rows && page->rows < count ? page->rows : count;
	/* The newest of them. */
	const cycle_list list = { .items = model->cycles.items + (count - shown), .count = shown };
	struct history_table table;

	if (count == 0) {
		page_text(page, model->cycles_error ? COLOUR_RISK : COLOUR_DIM, "%s",
			empty_text(model));
		return;
	}
	history_table_make(&table, &list, page->width);
	if (page->whole || page->rows != 1) {
		page_line(page);
		draw_row(page, &table, NULL, COLOUR_DIM);
	}
	for (size_t i = shown; i > 0; i--) {
		const struct cycle *cycle = &list.items[i - 1];
		int item = (int)(cycle - model->cycles.items);

		page_item(page, item);
		draw_row(page, &table, table.cells + (i - 1) * HISTORY_COLUMNS,
			history_colour(cycle));
		if (page->whole && cycle->message.is == FACT_KNOWN) {
			page_item(page, item);
			page_pad(page, 4);
			page_wrap(page, COLOUR_PLAIN, 4, cycle->message.value);
		}
	}
	history_table_free(&table);
	if (page->whole && model->cycles_of_log) {
		page_text(page, COLOUR_DIM, "no history is saved; these are from the kernel log");
	}
}

/* The text that "history --verbose" prints. */
static void explain(struct page *page, const struct model *model, int item)
{
	const struct style style = { .width = page->width };
	memory_cleanup_free char *text = NULL;
	size_t size;
	FILE *file;

	if (item < 0 || (size_t)item >= model->cycles.count)
		return;
	file = open_memstream(&text, &size);
	if (!file)
		return;
	cycle_explain(file, &model->cycles.items[item], &style);
	fclose(file);
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		page_text(page, line == text ? COLOUR_STRONG : COLOUR_PLAIN, "%s", line);
	}
}

const struct panel panel_history = {
	.title = "history",
	.request = REQUEST_HISTORY,
	.wish = { .least = 1, .wanted = 3, .rank = 7, .grows = true, .right = true },
	.draw = draw,
	.explain = explain,
};
