/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a panel shows, as lines of text and how each piece of them looks. A page knows how wide it
 * is and nothing of a terminal; what is visible of it is decided by whoever puts it on the screen.
 *
 * All text that comes in is made harmless first (style_text()).
 */
#ifndef EC2HIB_UI_TUI_PAGE_H
#define EC2HIB_UI_TUI_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/facts/fact.h"
#include "ui/style.h"

/* Of a line that cannot be chosen. */
#define ITEM_NONE (-1)

struct page_line {
	char *text;
	char *looks;	/* an enum colour for each byte of the text */
	size_t columns; /* that it takes */
	int item;	/* what is chosen with this line */
};

struct page {
	unsigned width; /* columns */
	unsigned rows;	/* more lines than these are of no use; 0: all are */
	bool whole;	/* the panel has the screen for itself */
	bool utf8;	/* the terminal shows more than ASCII */
	struct page_line *lines;
	size_t count;
};

/* Forgets all lines. */
void page_clear(struct page *page);

/* Begins a line. ITEM: what Enter is about there. */
void page_line(struct page *page);
void page_item(struct page *page, int item);

/* Adds to the last line. */
void page_add(struct page *page, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A line of its own. */
void page_text(struct page *page, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Columns that the last line takes. */
size_t page_at(const struct page *page);

/* Spaces up to COLUMN, one at least where the line is not empty. */
void page_pad(struct page *page, size_t column);

/*
 * TEXT from where the line is, broken at spaces, and within a word that is longer than a line; what
 * follows is indented by INDENT.
 */
void page_wrap(struct page *page, enum colour colour, size_t indent, const char *text);

/* A line that somebody else has laid out: as it is where it fits, else broken at its spaces. */
void page_wrap_line(struct page *page, enum colour colour, const char *text);

/*
 * A value with its name: on a whole page a line of its own, in the overview after the one before
 * where there is room. TEXT may be NULL: then nothing is shown.
 */
void page_field(struct page *page, enum colour colour, const char *name, const char *text);

/* The same of facts; nothing is shown of one that is not known. */
void page_fact(struct page *page, const char *name, const struct fact_text *fact);
void page_number(struct page *page, const char *name, const struct fact_number *fact);
void page_size(struct page *page, const char *name, const struct fact_number *bytes);

/* A title between two parts of a page. */
void page_title(struct page *page, const char *text);

/* [#####-----] with COLUMNS in all; PART of WHOLE is full. */
void page_gauge(
	struct page *page, unsigned columns, uint64_t part, uint64_t whole, enum colour colour);

/* [##===---]: the same with what may become full after PART, up to MORE. */
void page_gauge_more(struct page *page, unsigned columns, uint64_t part, uint64_t more,
	uint64_t whole, enum colour colour);

/* #### without brackets, at most COLUMNS long for MOST. */
void page_bar(
	struct page *page, unsigned columns, uint64_t value, uint64_t most, enum colour colour);

/* ---- Graphs ---- */

#define SAMPLES_MOST 256

/* The latest values of something that changes; 0 samples at first. */
struct samples {
	uint64_t values[SAMPLES_MOST];
	size_t count; /* all that there ever were */
};

/* Stands for "there was no value": a gap in the graph. */
#define SAMPLE_NONE UINT64_MAX

void samples_add(struct samples *samples, uint64_t value);

/*
 * The newest values, COLUMNS of them, as a graph of ROWS lines. With 1 row it is added to the line.
 */
void page_graph(struct page *page, const struct samples *samples, unsigned columns, unsigned rows,
	enum colour colour);

/* Columns that TEXT takes on the terminal, and how many bytes of it fit into COLUMNS. */
size_t text_columns(const char *text);
size_t text_fit(const char *text, size_t columns);

#endif
