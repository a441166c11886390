/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moving in a page: among its items where it has some, else line by line. */
#define _GNU_SOURCE
#include <string.h>

#include "ui/tui/desk.h"

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

void scroll_settle(struct scroll *scroll, const struct page *page, unsigned rows)
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

bool scroll_move(
	struct scroll *scroll, const struct page *page, unsigned rows, enum request request)
{
	if (request < REQUEST_UP || request > REQUEST_LAST)
		return false;
	scroll_settle(scroll, page, rows);
	if (has_items(page))
		move_item(scroll, page, rows, request);
	else
		move_line(scroll, page, rows, request);
	scroll_settle(scroll, page, rows);
	return true;
}

bool scroll_search(
	struct scroll *scroll, const struct page *page, unsigned rows, const char *text, bool back)
{
	bool items = has_items(page);
	size_t line;

	scroll_settle(scroll, page, rows);
	line = items ? line_of_item(page, scroll->item) : scroll->top;
	for (size_t tries = 0; tries < page->count; tries++) {
		line = (line + (back ? page->count - 1 : 1)) % page->count;
		if ((items && page->lines[line].item == ITEM_NONE) ||
			!strcasestr(page->lines[line].text, text))
			continue;
		scroll->item = page->lines[line].item;
		scroll->top = items ? scroll->top : line;
		scroll->follow = false;
		scroll_settle(scroll, page, rows);
		return true;
	}
	return false;
}
