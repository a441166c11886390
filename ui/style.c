/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/style.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/text.h"

#define WIDTH_MIN 40
#define WIDTH_MAX 120

void style_init(struct style *style, const char *wanted)
{
	const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	bool is_terminal = isatty(STDOUT_FILENO);
	struct winsize size;

	*style = (struct style) { 0 };
	if (text_equal(wanted, "always"))
		style->colour = true;
	else if (!text_equal(wanted, "never"))
		style->colour = is_terminal && !(no_colour && *no_colour) && terminal &&
				strcmp(terminal, "dumb") != 0;
	if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		style->width = size.ws_col < WIDTH_MIN	 ? WIDTH_MIN
			       : size.ws_col > WIDTH_MAX ? WIDTH_MAX
							 : size.ws_col;
}

const char *style_colour(const struct style *style, enum colour colour)
{
	static const char *const sequences[] = { [COLOUR_PLAIN] = "\033[0m",
		[COLOUR_GOOD] = "\033[32m",
		[COLOUR_RISK] = "\033[33m",
		[COLOUR_BAD] = "\033[1;31m",
		[COLOUR_DIM] = "\033[2m",
		[COLOUR_STRONG] = "\033[1m" };

	return style->colour ? sequences[colour] : "";
}

bool style_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

size_t style_next(const char *text, size_t left, uint32_t *code)
{
	return (unsigned char)*text < 0x80 || style_is_utf8() ? utf8_next(text, left, code) : 0;
}

/* Marks by which a text tells in which direction the rest is shown (Unicode, annex 9). */
static bool is_direction(uint32_t character)
{
	return character == 0x061c || character == 0x200e || character == 0x200f ||
	       (character >= 0x202a && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069);
}

char *style_text(const char *text)
{
	size_t left = strlen(text), at = 0;
	char *safe = memory_new(left + 1, 1);

	while (left) {
		uint32_t code;
		size_t length = style_next(text, left, &code);

		if (length && !utf8_is_control(code) && !is_direction(code)) {
			memcpy(safe + at, text, length);
		} else {
			length = 1;
			safe[at] = '?';
		}
		at += length;
		text += length;
		left -= length;
	}
	return safe;
}

void style_print(FILE *out, const char *text, size_t length)
{
	memory_cleanup_free char *piece = text_copy_length(text, length);
	memory_cleanup_free char *safe = style_text(piece);

	fputs(safe, out);
}

void style_line(FILE *out, const char *before, const char *text)
{
	fputs(before, out);
	style_print(out, text, strlen(text));
	fputc('\n', out);
}

/* Columns that a UTF-8 text takes, taking every character for one wide; exact for what we print. */
static unsigned columns(const char *text, size_t length)
{
	unsigned count = 0;

	for (size_t i = 0; i < length; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			count++;
	return count;
}

void style_wrap(
	const struct style *style, FILE *out, const char *text, unsigned column, unsigned indent)
{
	unsigned at = column;
	bool first = true;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t word = strcspn(text, " ");
		unsigned wide = columns(text, word);

		if (!first && style->width && at + 1 + wide > style->width) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			fputc(' ', out);
			at++;
		}
		style_print(out, text, word);
		at += wide;
		text += word;
		first = false;
	}
	fputc('\n', out);
}
