/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lies on top of the overview: a panel alone, an explanation, the keys, a command's output. */
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/tui/desk.h"
#include "ui/tui/terminal.h"

#define HELP_COLUMN 28

void desk_panel_page(const struct desk *desk, size_t i, struct page *page)
{
	page->utf8 = terminal_utf8();
	panels[i]->draw(page, &desk->model, desk->own[i]);
}

static void draw_help(struct page *page)
{
	for (int i = 0; i < REQUEST_COUNT; i++) {
		memory_cleanup_free char *keys = request_keys((enum request)i);

		page_line(page);
		page_add(page, COLOUR_STRONG, "  %s", keys);
		page_pad(page, HELP_COLUMN);
		page_wrap(page, COLOUR_PLAIN, HELP_COLUMN, requests[i].help);
	}
}

static void draw_output(const struct desk *desk, struct page *page)
{
	const struct command_run *run = &desk->command;

	if (run->lost) {
		page_line(page);
		page_add(page, COLOUR_DIM, "(%zu lines before)", run->lost);
	}
	for (size_t i = 0; i < run->lines.count; i++) {
		page_line(page);
		page_wrap_line(page, COLOUR_PLAIN, run->lines.items[i]);
	}
	page_line(page);
	if (!run->ended) {
		page_add(page, COLOUR_DIM, "... it runs; x asks it to stop");
		return;
	}
	if (desk_plan_asks(desk)) {
		memory_cleanup_free char *shown =
			command_shown(desk->settings->program, run->action->arguments);

		page_line(page);
		page_add(page, COLOUR_STRONG, "y runs: ");
		page_wrap(page, COLOUR_STRONG, strlen("y runs: "), shown);
		page_line(page);
		page_add(page, COLOUR_PLAIN, "Any other key leaves it.");
		return;
	}
	page_add(page, run->status ? COLOUR_RISK : COLOUR_GOOD, "%s",
		desk->model.command_result ? desk->model.command_result : "");
}

static void draw_sheet(const struct desk *desk, const struct sheet *sheet, struct page *page)
{
	const struct panel *panel = panels[desk->focus];

	if (sheet->kind == SHEET_PANEL)
		desk_panel_page(desk, desk->focus, page);
	else if (sheet->kind == SHEET_HELP)
		draw_help(page);
	else if (sheet->kind == SHEET_OUTPUT)
		draw_output(desk, page);
	else if (panel->explain)
		panel->explain(page, &desk->model, desk->own[desk->focus], sheet->item);
}

struct scroll *desk_page(struct desk *desk, struct page *page, unsigned *rows)
{
	const struct tile *tile = &desk->tiles[desk->focus];
	struct sheet *sheet;

	page->utf8 = terminal_utf8();
	if (desk->depth == 0) {
		*rows = tile->rows ? tile->rows - 1 : 0;
		page->width = tile->columns > 1 ? tile->columns - 1 : 1;
		page->rows = *rows;
		page->whole = tile->whole;
		desk_panel_page(desk, desk->focus, page);
		return &desk->scrolls[desk->focus];
	}
	sheet = &desk->sheets[desk->depth - 1];
	*rows = desk_body_rows() - 1;
	page->width = terminal_columns() - 1;
	page->whole = true;
	draw_sheet(desk, sheet, page);
	return &sheet->scroll;
}

char *desk_title(const struct desk *desk)
{
	const struct sheet *sheet = &desk->sheets[desk->depth - 1];
	const struct panel *panel = panels[desk->focus];

	if (sheet->kind == SHEET_HELP)
		return text_copy("keys");
	if (sheet->kind == SHEET_OUTPUT)
		return text_copy(desk->command.shown);
	return text_format("%c %s%s", requests[panel->request].keys[0], panel->title,
		sheet->kind == SHEET_EXPLANATION ? ": explanation" : "");
}

void desk_drop(struct desk *desk, enum sheet_kind kind)
{
	for (size_t i = 0; i < desk->depth; i++)
		if (desk->sheets[i].kind == kind)
			desk->depth = i;
}

void desk_push(struct desk *desk, enum sheet_kind kind, int item)
{
	/* Of one kind there is one. */
	desk_drop(desk, kind);
	desk->sheets[desk->depth++] =
		(struct sheet) { .kind = kind, .item = item, .scroll = { .item = ITEM_NONE } };
}

void desk_pop(struct desk *desk)
{
	if (desk->depth)
		desk->depth--;
}
