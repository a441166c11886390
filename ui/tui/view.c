/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The panels, what lies over them, and moving in a page: among its items or line by line. */
#define _GNU_SOURCE
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/tui/dashboard.h"
#include "ui/tui/state.h"
#include "ui/tui/terminal.h"

#define HELP_COLUMN 28

const struct panel *const panels[PANEL_COUNT] = {
#define X(name) &panel_##name,
	PANELS(X)
#undef X
};

void panel_draw(const struct dashboard *dashboard, size_t i, struct page *page)
{
	page->utf8 = style_is_utf8();
	panels[i]->draw(page, &dashboard->model, dashboard->states[i]);
}

/* ---- A panel alone, and an explanation of what is chosen in it ---- */

static char *panel_title(const struct dashboard *dashboard)
{
	const struct panel *panel = panels[dashboard->focus];

	return text_format("%c %s", requests[panel->request].keys[0], panel->title);
}

static void draw_panel(
	const struct dashboard *dashboard, const struct view *view UNUSED, struct page *page)
{
	panel_draw(dashboard, dashboard->focus, page);
}

const struct view_ops view_panel = { panel_title, draw_panel };

static char *explanation_title(const struct dashboard *dashboard)
{
	char *title = panel_title(dashboard);

	text_append(&title, ": explanation");
	return title;
}

static void draw_explanation(
	const struct dashboard *dashboard, const struct view *view, struct page *page)
{
	panels[dashboard->focus]->explain(page, &dashboard->model, view->item);
}

const struct view_ops view_explanation = { explanation_title, draw_explanation };

/* ---- The keys ---- */

static char *help_title(const struct dashboard *dashboard UNUSED)
{
	return text_copy("keys");
}

static void draw_help(
	const struct dashboard *dashboard UNUSED, const struct view *view UNUSED, struct page *page)
{
	for (int i = 0; i < REQUEST_COUNT; i++) {
		memory_cleanup_free char *keys = request_keys((enum request)i);

		page_line(page);
		page_add(page, COLOUR_STRONG, "  %s", keys);
		page_pad(page, HELP_COLUMN);
		page_wrap(page, COLOUR_PLAIN, HELP_COLUMN, requests[i].help);
	}
}

const struct view_ops view_help = { help_title, draw_help };

/* ---- The output of the last command ---- */

static char *output_title(const struct dashboard *dashboard)
{
	return text_copy(dashboard->command.shown);
}

static void draw_output(
	const struct dashboard *dashboard, const struct view *view UNUSED, struct page *page)
{
	const struct command_run *run = &dashboard->command;

	if (run->lost)
		page_text(page, COLOUR_DIM, "(%zu lines before)", run->lost);
	for (size_t i = 0; i < run->lines.count; i++) {
		page_line(page);
		page_wrap_line(page, COLOUR_PLAIN, run->lines.items[i]);
	}
	if (!run->ended) {
		page_text(page, COLOUR_DIM, "... still running; x stops it");
	} else if (control_plan_asks(dashboard)) {
		memory_cleanup_free char *shown =
			command_shown(dashboard->settings->program, run->action->arguments);

		page_line(page);
		page_text(page, COLOUR_STRONG, "y runs: ");
		page_wrap(page, COLOUR_STRONG, strlen("y runs: "), shown);
		page_text(page, COLOUR_PLAIN, "Any other key leaves it.");
	} else {
		page_text(page, run->status ? COLOUR_RISK : COLOUR_GOOD, "%s",
			dashboard->model.command_result ? dashboard->model.command_result : "");
	}
}

const struct view_ops view_output = { output_title, draw_output };

/* ---- What lies on what ---- */

bool view_is(const struct dashboard *dashboard, const struct view_ops *ops)
{
	return dashboard->depth && dashboard->views[dashboard->depth - 1].ops == ops;
}

void view_close(struct dashboard *dashboard, const struct view_ops *ops)
{
	for (size_t i = 0; i < dashboard->depth; i++)
		if (dashboard->views[i].ops == ops)
			dashboard->depth = i;
}

void view_open(struct dashboard *dashboard, const struct view_ops *ops, int item)
{
	/* Of one kind there is one. */
	view_close(dashboard, ops);
	dashboard->views[dashboard->depth++] =
		(struct view) { .ops = ops, .item = item, .scroll = { .item = ITEM_NONE } };
}

struct scroll *view_draw(struct dashboard *dashboard, struct page *page, unsigned *rows)
{
	const struct tile *tile = &dashboard->tiles[dashboard->focus];
	struct view *view;

	page->utf8 = style_is_utf8();
	if (dashboard->depth == 0) {
		*rows = tile->rows ? tile->rows - 1 : 0;
		page->width = tile->columns > 1 ? tile->columns - 1 : 1;
		page->rows = *rows;
		page->whole = tile->whole;
		panel_draw(dashboard, dashboard->focus, page);
		return &dashboard->scrolls[dashboard->focus];
	}
	view = &dashboard->views[dashboard->depth - 1];
	*rows = screen_body_rows() - 1;
	page->width = terminal_columns() - 1;
	page->whole = true;
	view->ops->draw(dashboard, view, page);
	return &view->scroll;
}

/* ---- Moving ---- */

static bool has_items(const struct page *page)
{
	for (size_t i = 0; i < page->count; i++)
		if (page->lines[i].item != ITEM_NONE)
			return true;
	return false;
}

/* The first line of ITEM, or of the first item there is; the number of lines when there is none. */
static size_t line_of_item(const struct page *page, int item)
{
	for (size_t i = 0; i < page->count; i++)
		if (page->lines[i].item == item && item != ITEM_NONE)
			return i;
	for (size_t i = 0; i < page->count; i++)
		if (page->lines[i].item != ITEM_NONE)
			return i;
	return page->count;
}

/* The line with another item in that direction; LINE itself when there is none. */
static size_t next_item(const struct page *page, size_t line, bool back)
{
	int item = page->lines[line].item;
	size_t i = line;

	while (back ? i > 0 : i + 1 < page->count) {
		i = back ? i - 1 : i + 1;
		if (page->lines[i].item != ITEM_NONE && page->lines[i].item != item)
			return line_of_item(page, page->lines[i].item);
	}
	return line;
}

static size_t last_top(const struct page *page, unsigned rows)
{
	return page->count > rows ? page->count - rows : 0;
}

static void show_line(struct scroll *scroll, const struct page *page, size_t line, unsigned rows)
{
	size_t last = line;

	while (last + 1 < page->count && page->lines[last + 1].item != ITEM_NONE &&
		page->lines[last + 1].item == page->lines[line].item)
		last++;
	if (last >= scroll->top + rows)
		scroll->top = last + 1 - rows;
	if (line < scroll->top)
		scroll->top = line;
	/* Above the first item is only what explains it. */
	if (line == line_of_item(page, ITEM_NONE) && line < rows)
		scroll->top = 0;
}

void scroll_fit(struct scroll *scroll, const struct page *page, unsigned rows)
{
	size_t line = line_of_item(page, scroll->item);

	if (scroll->follow || scroll->top > last_top(page, rows))
		scroll->top = last_top(page, rows);
	if (line < page->count) {
		scroll->item = page->lines[line].item;
		show_line(scroll, page, line, rows);
	}
}

static size_t step(const struct page *page, size_t line, size_t times, bool back)
{
	while (times--)
		line = next_item(page, line, back);
	return line;
}

static void move_item(
	struct scroll *scroll, const struct page *page, unsigned rows, enum request request)
{
	size_t line = line_of_item(page, scroll->item);
	bool back = request == REQUEST_UP || request == REQUEST_PAGE_UP || request == REQUEST_FIRST;
	size_t times = request == REQUEST_UP || request == REQUEST_DOWN	     ? 1
		       : request == REQUEST_FIRST || request == REQUEST_LAST ? page->count
									     : rows;

	line = step(page, line, times, back);
	scroll->item = page->lines[line].item;
}

static void move_line(
	struct scroll *scroll, const struct page *page, unsigned rows, enum request request)
{
	size_t last = last_top(page, rows);

	if (request == REQUEST_UP && scroll->top > 0)
		scroll->top--;
	else if (request == REQUEST_DOWN && scroll->top < last)
		scroll->top++;
	else if (request == REQUEST_PAGE_UP)
		scroll->top = scroll->top > rows ? scroll->top - rows : 0;
	else if (request == REQUEST_PAGE_DOWN)
		scroll->top = scroll->top + rows < last ? scroll->top + rows : last;
	else if (request == REQUEST_FIRST)
		scroll->top = 0;
	else if (request == REQUEST_LAST)
		scroll->top = last;
	scroll->follow = scroll->follow ? scroll->top == last : request == REQUEST_LAST;
}

void scroll_move(
	struct scroll *scroll, const struct page *page, unsigned rows, enum request request)
{
	scroll_fit(scroll, page, rows);
	if (has_items(page))
		move_item(scroll, page, rows, request);
	else
		move_line(scroll, page, rows, request);
	scroll_fit(scroll, page, rows);
}

bool scroll_search(
	struct scroll *scroll, const struct page *page, unsigned rows, const char *text, bool back)
{
	bool items = has_items(page);
	size_t line;

	scroll_fit(scroll, page, rows);
	line = items ? line_of_item(page, scroll->item) : scroll->top;
	for (size_t tries = 0; tries < page->count; tries++) {
		line = (line + (back ? page->count - 1 : 1)) % page->count;
		if ((items && page->lines[line].item == ITEM_NONE) ||
			!strcasestr(page->lines[line].text, text))
			continue;
		scroll->item = page->lines[line].item;
		scroll->top = items ? scroll->top : line;
		scroll->follow = false;
		scroll_fit(scroll, page, rows);
		return true;
	}
	return false;
}
