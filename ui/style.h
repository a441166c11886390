/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How output looks: colour, UTF-8 or ASCII, and the width of the terminal. Colour never carries
 * meaning alone. NO_COLOR and TERM=dumb are heeded.
 */
#ifndef EC2HIB_UI_STYLE_H
#define EC2HIB_UI_STYLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum colour { COLOUR_PLAIN, COLOUR_GOOD, COLOUR_RISK, COLOUR_BAD, COLOUR_DIM, COLOUR_STRONG };

struct style {
	bool colour;
	unsigned width; /* columns; 0: not a terminal, nothing is wrapped */
};

/* For standard output. WANTED is auto, always or never. */
void style_init(struct style *style, const char *wanted);

/* The control sequence that begins a colour, "" without colours; COLOUR_PLAIN ends it. */
const char *style_colour(const struct style *style, enum colour colour);

/* Whether the terminal shows more than ASCII: LC_CTYPE is of UTF-8. */
bool style_is_utf8(void);

/*
 * The character at TEXT, of which there are LEFT bytes, as utf8_next() has it. 0 also, where the
 * locale is not UTF-8, for all that is not ASCII.
 */
size_t style_next(const char *text, size_t left, uint32_t *code);

/*
 * A copy of TEXT with a question mark for each byte that could steer a terminal (control
 * characters, marks of direction, a broken UTF-8 sequence), and where the locale is not UTF-8 for
 * all that is not ASCII: paths, command lines and saved facts come from other people. The caller
 * frees it.
 */
char *style_text(const char *text);

/* Prints LENGTH bytes of TEXT as style_text() has them. */
void style_print(FILE *out, const char *text, size_t length);

/* Prints BEFORE, which is ours, then TEXT as style_text() has it, and ends the line. */
void style_line(FILE *out, const char *before, const char *text);

/*
 * Prints TEXT as style_print() does; lines after the first begin at column INDENT, the first is at
 * column COLUMN already. Breaks at spaces only where the width is known.
 */
void style_wrap(
	const struct style *style, FILE *out, const char *text, unsigned column, unsigned indent);

#endif
