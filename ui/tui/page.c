/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "ui/tui/page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "core/base/memory.h"
#include "core/base/text.h"

/* Between two values in a row of the overview. */
#define FIELD_GAP 3
/* What of a line did not fit on it begins so much farther to the right. */
#define WRAP_INDENT 4
/* Where values begin on a whole page. */
#define FIELD_COLUMN 24

/* ---- Columns ---- */

/* Bytes of the first character, and columns that it takes. */
static size_t character(const char *text, size_t *columns)
{
	uint32_t code;
	size_t length = style_next(text, strlen(text), &code);
	int taken;

	*columns = 1;
	if (length == 0)
		return 1;
	taken = wcwidth((wchar_t)code);
	*columns = taken < 0 ? 0 : (size_t)taken;
	return length;
}

size_t text_columns(const char *text)
{
	size_t count = 0, taken;

	while (*text) {
		text += character(text, &taken);
		count += taken;
	}
	return count;
}

size_t text_fit(const char *text, size_t columns)
{
	const char *start = text;
	size_t taken;

	while (*text) {
		size_t length = character(text, &taken);

		if (taken > columns)
			break;
		columns -= taken;
		text += length;
	}
	return (size_t)(text - start);
}

/* ---- Lines ---- */

void page_clear(struct page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		free(page->lines[i].text);
		free(page->lines[i].looks);
	}
	free(page->lines);
	page->lines = NULL;
	page->count = 0;
}

void page_line(struct page *page)
{
	page_item(page, ITEM_NONE);
}

void page_item(struct page *page, int item)
{
	page->lines = memory_grow(page->lines, page->count, sizeof(*page->lines));
	page->lines[page->count++] =
		(struct page_line) { .text = text_copy(""), .looks = text_copy(""), .item = item };
}

static struct page_line *last_line(struct page *page)
{
	if (page->count == 0)
		page_line(page);
	return &page->lines[page->count - 1];
}

/* TEXT is harmless already. */
static void add_text(struct page *page, enum colour colour, const char *text)
{
	struct page_line *line = last_line(page);
	size_t length = strlen(text);
	memory_cleanup_free char *looks = memory_new(length + 1, 1);

	/* A look is never 0, which would end the string. */
	memset(looks, 'a' + (int)colour, length);
	text_append(&line->text, "%s", text);
	text_append(&line->looks, "%s", looks);
	line->columns += text_columns(text);
}

__attribute__((format(printf, 3, 0))) static void add_format(
	struct page *page, enum colour colour, const char *format, va_list arguments)
{
	memory_cleanup_free char *text = text_format_list(format, arguments);
	memory_cleanup_free char *safe = style_text(text);

	add_text(page, colour, safe);
}

void page_add(struct page *page, enum colour colour, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_format(page, colour, format, arguments);
	va_end(arguments);
}

void page_text(struct page *page, enum colour colour, const char *format, ...)
{
	va_list arguments;

	page_line(page);
	va_start(arguments, format);
	add_format(page, colour, format, arguments);
	va_end(arguments);
}

size_t page_at(const struct page *page)
{
	return page->count ? page->lines[page->count - 1].columns : 0;
}

void page_pad(struct page *page, size_t column)
{
	size_t at = page_at(page);
	size_t spaces = at < column ? column - at : at > 0 && column > 0;

	if (spaces)
		page_add(page, COLOUR_PLAIN, "%*s", (int)spaces, "");
}

/* Bytes of the first word in TEXT, or of as much of it as a line of COLUMNS has room for. */
static size_t word_length(const char *text, size_t columns)
{
	size_t length = strcspn(text, " \n"), fitting = text_fit(text, columns);

	return fitting && fitting < length ? fitting : length;
}

void page_wrap(struct page *page, enum colour colour, size_t indent, const char *text)
{
	size_t room = page->width > indent ? page->width - indent : 1;
	bool first = true, torn = false;

	for (text += strspn(text, " \n"); *text; text += strspn(text, " \n")) {
		memory_cleanup_free char *word = text_copy_length(text, word_length(text, room));
		size_t wide = text_columns(word);

		if (torn || (!first && page_at(page) + 1 + wide > page->width)) {
			int item = last_line(page)->item;

			page_item(page, item);
			page_pad(page, indent);
		} else if (!first) {
			page_add(page, colour, " ");
		}
		page_add(page, colour, "%s", word);
		text += strlen(word);
		torn = *text && !strchr(" \n", *text);
		first = false;
	}
}

void page_wrap_line(struct page *page, enum colour colour, const char *text)
{
	memory_cleanup_free char *safe = style_text(text);
	size_t indent = strspn(safe, " ");

	if (page_at(page) + text_columns(safe) <= page->width) {
		page_add(page, colour, "%s", safe);
		return;
	}
	page_add(page, colour, "%*s", (int)indent, "");
	page_wrap(page, colour, indent + WRAP_INDENT, safe);
}

void page_field(struct page *page, enum colour colour, const char *name, const char *text)
{
	size_t wide;

	if (!text)
		return;
	if (page->whole) {
		page_line(page);
		page_add(page, COLOUR_DIM, "%s", name);
		page_pad(page, FIELD_COLUMN);
		page_wrap(page, colour, FIELD_COLUMN, text);
		return;
	}
	wide = text_columns(name) + (*name ? 1 : 0) + text_columns(text);
	if (page->count == 0 ||
		(page_at(page) > 0 && page_at(page) + FIELD_GAP + wide > page->width))
		page_line(page);
	if (page_at(page))
		page_add(page, COLOUR_PLAIN, "%*s", FIELD_GAP, "");
	if (*name)
		page_add(page, COLOUR_DIM, "%s ", name);
	page_add(page, colour, "%s", text);
}

void page_fact(struct page *page, const char *name, const struct fact_text *fact)
{
	page_field(page, COLOUR_PLAIN, name, fact_text_or(fact, NULL));
}

static void number_field(struct page *page, const char *name, const struct fact_number *fact,
	char *(*format)(uint64_t value))
{
	memory_cleanup_free char *text = fact->is == FACT_KNOWN ? format(fact->value) : NULL;

	page_field(page, COLOUR_PLAIN, name, text);
}

static char *plain_number(uint64_t value)
{
	return text_format("%llu", (unsigned long long)value);
}

void page_number(struct page *page, const char *name, const struct fact_number *fact)
{
	number_field(page, name, fact, plain_number);
}

void page_size(struct page *page, const char *name, const struct fact_number *bytes)
{
	number_field(page, name, bytes, size_format);
}

void page_title(struct page *page, const char *text)
{
	if (page->count)
		page_line(page);
	page_line(page);
	page_add(page, COLOUR_STRONG, "%s", text);
}

/* ---- Bars ---- */

static void repeat(struct page *page, enum colour colour, const char *text, size_t times)
{
	memory_cleanup_free char *all = text_copy("");

	for (size_t i = 0; i < times; i++)
		text_append(&all, "%s", text);
	add_text(page, colour, all);
}

/* VALUE of MOST in cells; what is not nothing has one at least. */
static unsigned cells_of(uint64_t value, uint64_t most, unsigned columns)
{
	double cells = most ? (double)value / (double)most * columns : 0;

	if (cells >= columns)
		return columns;
	return value && cells < 1 ? 1 : (unsigned)cells;
}

void page_gauge_more(struct page *page, unsigned columns, uint64_t part, uint64_t more,
	uint64_t whole, enum colour colour)
{
	unsigned inner = columns > 2 ? columns - 2 : 1;
	unsigned full = cells_of(part, whole, inner);
	unsigned perhaps = cells_of(more, whole, inner);

	if (perhaps < full)
		perhaps = full;
	page_add(page, COLOUR_PLAIN, "[");
	repeat(page, colour, page->utf8 ? "\u2588" : "#", full);
	repeat(page, colour, page->utf8 ? "\u2592" : "=", perhaps - full);
	repeat(page, COLOUR_DIM, page->utf8 ? "\u2591" : "-", inner - perhaps);
	page_add(page, COLOUR_PLAIN, "]");
}

void page_gauge(
	struct page *page, unsigned columns, uint64_t part, uint64_t whole, enum colour colour)
{
	page_gauge_more(page, columns, part, part, whole, colour);
}

void page_bar(
	struct page *page, unsigned columns, uint64_t value, uint64_t most, enum colour colour)
{
	repeat(page, colour, page->utf8 ? "\u2588" : "#", cells_of(value, most, columns));
}

/* ---- Graphs ---- */

/* From nothing to a full cell. */
static const char *const blocks_utf8[] = { " ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585",
	"\u2586", "\u2587", "\u2588" };
static const char *const blocks_ascii[] = { " ", "_", "_", ".", "-", "-", "=", "+", "#" };
#define LEVELS 8

void samples_add(struct samples *samples, uint64_t value)
{
	samples->values[samples->count++ % SAMPLES_MOST] = value;
}

static uint64_t samples_most(const struct samples *samples)
{
	size_t count = samples->count < SAMPLES_MOST ? samples->count : SAMPLES_MOST;
	uint64_t most = 0;

	for (size_t i = 0; i < count; i++)
		if (samples->values[i] != SAMPLE_NONE && samples->values[i] > most)
			most = samples->values[i];
	return most;
}

/* The cell of VALUE in the row that has BELOW rows under it, of ROWS. */
static const char *cell_of(
	const struct page *page, uint64_t value, uint64_t most, unsigned rows, unsigned below)
{
	const char *const *blocks = page->utf8 ? blocks_utf8 : blocks_ascii;
	long level;

	if (value == SAMPLE_NONE)
		return below ? " " : "x";
	level = most ? (long)((double)value / (double)most * rows * LEVELS) : 0;
	/* What was measured is seen, however little it was. */
	if (level == 0)
		level = 1;
	level -= (long)below * LEVELS;
	return blocks[level < 0 ? 0 : level > LEVELS ? LEVELS : level];
}

void page_graph(struct page *page, const struct samples *samples, unsigned columns, unsigned rows,
	enum colour colour)
{
	size_t count = samples->count < SAMPLES_MOST ? samples->count : SAMPLES_MOST;
	size_t shown = count < columns ? count : columns;
	uint64_t most = samples_most(samples);

	for (unsigned row = rows; row > 0; row--) {
		memory_cleanup_free char *line = text_copy("");

		for (size_t i = samples->count - shown; i < samples->count; i++)
			text_append(&line, "%s",
				cell_of(page, samples->values[i % SAMPLES_MOST], most, rows,
					row - 1));
		if (rows > 1)
			page_line(page);
		add_text(page, colour, line);
	}
}
