/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the dashboard looks: what is where on the screen. */
#define _GNU_SOURCE
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/tui/dashboard.h"
#include "ui/tui/state.h"
#include "ui/tui/terminal.h"

/* The line at the top, the message and the function keys. */
#define ROWS_AROUND 3

/* From this width on the clock has a date. */
#define DATE_COLUMNS 60

unsigned screen_body_rows(void)
{
	return terminal_rows() - ROWS_AROUND;
}

bool screen_is_cramped(void)
{
	return terminal_rows() < TILING_ROWS_LEAST || terminal_columns() < TILING_COLUMNS_LEAST;
}

/* ---- Pieces ---- */

static void put(unsigned row, unsigned column, const char *text, unsigned columns,
	enum colour colour, enum stress stress)
{
	terminal_put(row, column, text, text_fit(text, columns), colour, stress);
}

/* TEXT, and spaces up to the end of the row. */
static void put_bar(unsigned row, const char *text)
{
	unsigned columns = terminal_columns();
	size_t used = text_columns(text);
	memory_cleanup_free char *line =
		text_format("%s%*s", text, used < columns ? (int)(columns - used) : 0, "");

	put(row, 0, line, columns, COLOUR_PLAIN, STRESS_BAR);
}

/* "── 2 readiness ───────", with double lines where the keys go. */
static void put_title(
	unsigned row, unsigned column, unsigned columns, const char *title, bool focus)
{
	const char *rule = style_is_utf8() ? (focus ? "\u2550" : "\u2500") : (focus ? "=" : "-");
	memory_cleanup_free char *line = text_format("%s %s ", rule, title);
	size_t used = text_columns(line);

	for (; used < columns; used++)
		text_append(&line, "%s", rule);
	put(row, column, line, columns, focus ? COLOUR_STRONG : COLOUR_PLAIN, STRESS_NONE);
}

/* LENGTH bytes from AT on, all of one colour, with what was searched for. */
static unsigned put_run(unsigned row, unsigned column, const struct page_line *line, size_t at,
	size_t length, enum stress stress)
{
	enum colour colour = (enum colour)(line->looks[at] - 'a');
	memory_cleanup_free char *text = text_copy_length(line->text + at, length);

	terminal_put(row, column, text, length, colour, stress);
	return (unsigned)text_columns(text);
}

static bool is_found(const struct page_line *line, size_t at, const char *search)
{
	size_t length = search ? strlen(search) : 0;
	const char *text = line->text;

	for (const char *found = length ? strcasestr(text, search) : NULL; found;
		found = strcasestr(found + 1, search))
		if (at >= (size_t)(found - text) && at < (size_t)(found - text) + length)
			return true;
	return false;
}

static void put_line(unsigned row, unsigned column, unsigned columns, const struct page_line *line,
	enum stress stress, const char *search)
{
	bool cut = line->columns > columns;
	size_t length = text_fit(line->text, cut ? columns - 1 : columns);
	unsigned at_column = column;

	for (size_t at = 0; at < length;) {
		bool found = is_found(line, at, search);
		size_t end = at + 1;

		while (end < length && line->looks[end] == line->looks[at] &&
			is_found(line, end, search) == found)
			end++;
		at_column +=
			put_run(row, at_column, line, at, end - at, found ? STRESS_FOUND : stress);
		at = end;
	}
	if (cut)
		put(row, at_column, style_is_utf8() ? "\u2026" : "~", 1, COLOUR_DIM, stress);
}

/* The visible lines of PAGE. FOCUS: the chosen line stands out, and what was searched for. */
static void put_page(const struct dashboard *dashboard, unsigned row, unsigned column,
	unsigned rows, const struct page *page, struct scroll *scroll, bool focus)
{
	scroll_fit(scroll, page, rows);
	for (unsigned i = 0; i < rows && scroll->top + i < page->count; i++) {
		const struct page_line *line = &page->lines[scroll->top + i];
		bool chosen = focus && line->item != ITEM_NONE && line->item == scroll->item;

		put_line(row + i, column, page->width, line, chosen ? STRESS_CHOSEN : STRESS_NONE,
			focus ? dashboard->search : NULL);
	}
}

/* ---- Around ---- */

static void draw_header(const struct dashboard *dashboard)
{
	static const char *const words[] = { [READY] = "READY",
		[NOT_READY] = "NOT READY",
		[READINESS_UNKNOWN] = "READINESS UNKNOWN" };
	const struct model *model = &dashboard->model;
	const char *id = fact_text_or(&model->facts.instance.id, NULL);
	memory_cleanup_free char *line = text_format(" ec2hib %s  %s", model->version,
		!model->gathered
			? "..."
			: words[readiness_of(model->report.findings, model->report.count)]);
	memory_cleanup_free char *safe = NULL, *clock = NULL;
	char now[INSTANT_LENGTH];
	unsigned columns = terminal_columns();

	instant_format(model->now, now);
	if (id)
		text_append(&line, "  %s", id);
	if (*model->from)
		text_append(&line, "  %s", model->from);
	safe = style_text(line);
	put_bar(0, safe);
	/* The clock is never cut; what is in front of it is. Without room it has no date. */
	clock = text_format("  %s ", columns < DATE_COLUMNS ? now + strlen("2026-11-21T") : now);
	put(0, columns - (unsigned)strlen(clock), clock, columns, COLOUR_PLAIN, STRESS_BAR);
}

/* What there is to say when no key has said anything. */
static char *status_text(const struct dashboard *dashboard)
{
	const struct model *model = &dashboard->model;
	char at[INSTANT_LENGTH];
	char *text = NULL;

	if (model->saved)
		return text_copy("saved facts: the keys that change a machine do nothing");
	instant_format(model->gathered_at, at);
	if (model->command_runs)
		text_append(&text, "%s is running (o shows it). ", model->command);
	if (model->facts_error)
		text_append(&text, "facts: %s. ", model->facts_error);
	else if (model->gathered)
		text_append(&text, "facts of %.8s UTC. ", at + strlen("2026-11-21T"));
	if (dashboard->gatherer.pid) {
		uint64_t ms = model->ticks - dashboard->gatherer.started;
		memory_cleanup_free char *time = duration_format(ms / 1000 * 1000);

		text_append(
			&text, "looking%s%s ", ms >= 1000 ? " for " : "", ms >= 1000 ? time : "");
	}
	if (!model->root)
		text_append(&text, "read-only: sudo shows what is unknown, and can act");
	return text ? text : text_copy("");
}

static void draw_message(const struct dashboard *dashboard)
{
	unsigned row = terminal_rows() - 2, columns = terminal_columns();
	memory_cleanup_free char *line = NULL;
	memory_cleanup_free char *safe = NULL;

	if (dashboard->prompt != PROMPT_NONE) {
		line = text_format("%s%s",
			dashboard->prompt == PROMPT_SEARCH ? "/" : "save the facts to: ",
			dashboard->typed);
	} else {
		line = dashboard->message ? text_copy(dashboard->message) : status_text(dashboard);
	}
	safe = style_text(line);
	put(row, 0, safe, columns, dashboard->message ? COLOUR_STRONG : COLOUR_PLAIN, STRESS_NONE);
	if (dashboard->prompt != PROMPT_NONE)
		terminal_cursor(row, (unsigned)text_columns(safe) < columns
					     ? (unsigned)text_columns(safe)
					     : columns - 1);
}

/* "F1Help", the key plain and the word in the bar's look. */
static unsigned put_key(unsigned column, const char *key, const char *word)
{
	unsigned row = terminal_rows() - 1;

	put(row, column, key, 16, COLOUR_STRONG, STRESS_NONE);
	column += (unsigned)strlen(key);
	put(row, column, word, 16, COLOUR_PLAIN, STRESS_BAR);
	return column + (unsigned)strlen(word) + 1;
}

static enum request request_of_function(int number)
{
	for (int i = 0; i < REQUEST_COUNT; i++)
		if (requests[i].keys[0] == KEY_IS_FUNCTION(number))
			return (enum request)i;
	return REQUEST_NONE;
}

static unsigned width_of_key(enum request request)
{
	memory_cleanup_free char *key = key_label(requests[request].keys[0]);

	return (unsigned)(strlen(key) + strlen(requests[request].word));
}

/* Those that fit; Quit is always there. */
static void draw_keys(const struct dashboard *dashboard)
{
	unsigned columns = terminal_columns(), column = 0;

	if (dashboard->prompt != PROMPT_NONE) {
		column = put_key(column, "Enter", "Ok");
		put_key(column, "Escape", "Leave");
		return;
	}
	if (dashboard->question != QUESTION_NONE) {
		bool quits = dashboard->question == QUESTION_QUIT;

		column = put_key(column, quits ? "q" : "y", quits ? "Quit" : "Run");
		put_key(column, "any other key", quits ? "Stay" : "Leave");
		return;
	}
	if (control_plan_asks(dashboard)) {
		column = put_key(column, "Page-Down", "Go on");
		put_key(column, "Escape", "Leave");
		return;
	}
	for (int number = 1; number <= 12; number++) {
		enum request request = request_of_function(number);
		unsigned spare = request == REQUEST_QUIT ? 0 : width_of_key(REQUEST_QUIT) + 1;
		memory_cleanup_free char *key = NULL;

		if (request == REQUEST_NONE || !*requests[request].word ||
			column + width_of_key(request) + spare > columns)
			continue;
		key = key_label(requests[request].keys[0]);
		column = put_key(column, key, requests[request].word);
	}
}

/* ---- What is asked ---- */

/* What is asked; the number of the line on which the command begins. */
static size_t fill_question(const struct dashboard *dashboard, struct page *page)
{
	const struct action *action = dashboard->action;
	size_t line;
	memory_cleanup_free char *shown =
		command_shown(dashboard->settings->program, action->arguments);

	if (dashboard->file)
		text_append(&shown, " > %s", dashboard->file);
	page_line(page);
	page_wrap(page, COLOUR_PLAIN, 0, action->what);
	page_line(page);
	line = page->count;
	page_line(page);
	page_add(page, COLOUR_STRONG, "y runs: ");
	page_wrap(page, COLOUR_STRONG, strlen("y runs: "), shown);
	page_line(page);
	return line;
}

static void draw_question(const struct dashboard *dashboard)
{
	const struct action *action = dashboard->action;
	unsigned columns = terminal_columns(), rows = screen_body_rows(), row;
	struct page page = { .width = columns - 1, .utf8 = style_is_utf8() };
	struct scroll scroll = { .item = ITEM_NONE };
	size_t command = fill_question(dashboard, &page);

	/* Without room for all of it the command is there. */
	if (rows > page.count)
		rows = (unsigned)page.count + 1;
	else
		scroll.top = command;
	row = 1 + screen_body_rows() - rows;
	for (unsigned i = 0; i < rows; i++) {
		memory_cleanup_free char *blank = text_format("%*s", (int)columns, "");

		put(row + i, 0, blank, columns, COLOUR_PLAIN, STRESS_NONE);
	}
	put_title(row, 0, columns, action->title, true);
	put_page(dashboard, row + 1, 0, rows - 1, &page, &scroll, false);
	page_clear(&page);
}

/* ---- The body ---- */

/* A panel that has little to say gives its rows to others. */
static struct tile_wish wish_of(const struct dashboard *dashboard, size_t i)
{
	struct tile_wish wish = panels[i]->wish;
	struct page page = { .width = tiles_width(terminal_columns()) - 1,
		.rows = terminal_rows() };

	panel_draw(dashboard, i, &page);
	wish.most = (unsigned)page.count;
	if (wish.wanted > wish.most)
		wish.wanted = wish.most;
	if (wish.least > wish.most)
		wish.least = wish.most;
	page_clear(&page);
	page.whole = true;
	panel_draw(dashboard, i, &page);
	wish.whole = (unsigned)page.count;
	page_clear(&page);
	return wish;
}

static void draw_tile(struct dashboard *dashboard, size_t i)
{
	const struct tile *tile = &dashboard->tiles[i];
	struct page page = {
		.width = tile->columns - 1, .rows = tile->rows - 1, .whole = tile->whole
	};
	memory_cleanup_free char *title =
		text_format("%c %s", requests[panels[i]->request].keys[0], panels[i]->title);

	panel_draw(dashboard, i, &page);
	put_title(1 + tile->row, tile->column, tile->columns, title, i == dashboard->focus);
	put_page(dashboard, 2 + tile->row, tile->column, tile->rows - 1, &page,
		&dashboard->scrolls[i], i == dashboard->focus);
	page_clear(&page);
}

/* Not with every second that passes: it takes to draw each panel twice. */
static void place_tiles(struct dashboard *dashboard)
{
	struct tile_wish wishes[PANEL_COUNT];

	for (size_t i = 0; i < PANEL_COUNT; i++)
		wishes[i] = wish_of(dashboard, i);
	tiles_place(wishes, dashboard->tiles, PANEL_COUNT, screen_body_rows(), terminal_columns());
	dashboard->retile = false;
}

static void draw_overview(struct dashboard *dashboard)
{
	if (dashboard->retile)
		place_tiles(dashboard);
	while (dashboard->tiles[dashboard->focus].rows == 0)
		dashboard->focus = (dashboard->focus + 1) % PANEL_COUNT;
	for (size_t i = 0; i < PANEL_COUNT; i++)
		if (dashboard->tiles[i].rows)
			draw_tile(dashboard, i);
}

static void draw_view(struct dashboard *dashboard)
{
	struct page page = { 0 };
	unsigned rows;
	struct scroll *scroll = view_draw(dashboard, &page, &rows);
	memory_cleanup_free char *title =
		dashboard->views[dashboard->depth - 1].ops->title(dashboard);
	memory_cleanup_free char *safe = style_text(title);

	put_title(1, 0, terminal_columns(), safe, true);
	put_page(dashboard, 2, 0, rows, &page, scroll, true);
	if (page.count > rows) {
		memory_cleanup_free char *where = text_format(
			" %zu-%zu of %zu ", scroll->top + 1, scroll->top + rows, page.count);

		if (terminal_columns() > text_columns(safe) + strlen(where) + 8)
			put(1, (unsigned)(terminal_columns() - strlen(where) - 2), where, 40,
				COLOUR_STRONG, STRESS_NONE);
	}
	page_clear(&page);
}

void screen_draw(struct dashboard *dashboard)
{
	terminal_begin();
	if (screen_is_cramped()) {
		memory_cleanup_free char *text =
			text_format("%ux%u: needs %dx%d", terminal_columns(), terminal_rows(),
				TILING_COLUMNS_LEAST, TILING_ROWS_LEAST);

		put(0, 0, text, terminal_columns(), COLOUR_PLAIN, STRESS_NONE);
		terminal_flush();
		return;
	}
	draw_header(dashboard);
	if (dashboard->depth)
		draw_view(dashboard);
	else
		draw_overview(dashboard);
	if (dashboard->question == QUESTION_RUN)
		draw_question(dashboard);
	draw_message(dashboard);
	draw_keys(dashboard);
	terminal_flush();
}
