/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/words.h"

#include <errno.h>
#include <string.h>

#include "core/base/memory.h"

#define BLANKS	     " \t\r\n"
#define FOREIGN	     "|&;<>"
#define IN_DOUBLE    "\"\\$`" /* what a backslash escapes in "..." (POSIX, 2.2.3) */
#define WANT_A_QUOTE BLANKS FOREIGN "'\"\\#~"

/* Where a scan has come to. */
struct scan {
	const char *home;
	struct strings *words; /* NULL: not wanted */
	char *word;	       /* as far as it goes; room for all of the line */
	size_t length;
	bool begun; /* a word is under way, perhaps an empty one ('') */
	char quote; /* that is open: ' or " */
	bool escaped;
	bool comment;
	char foreign; /* the first of FOREIGN that is not quoted */
};

static void add(struct scan *scan, char c)
{
	scan->begun = true;
	scan->word[scan->length++] = c;
}

static void end_word(struct scan *scan)
{
	if (scan->begun && scan->words)
		strings_take(scan->words, text_copy_length(scan->word, scan->length));
	scan->begun = false;
	scan->length = 0;
}

static void take_quoted(struct scan *scan, char c, char next)
{
	if (c == scan->quote)
		scan->quote = 0;
	else if (c == '\\' && scan->quote == '"' && next && strchr(IN_DOUBLE, next))
		scan->escaped = true;
	else
		add(scan, c);
}

static void take_home(struct scan *scan)
{
	scan->begun = true;
	for (const char *c = scan->home; *c; c++)
		add(scan, *c);
}

static void take_bare(struct scan *scan, char c, char next)
{
	if (strchr(BLANKS, c)) {
		end_word(scan);
	} else if (c == '\'' || c == '"') {
		scan->quote = c;
		scan->begun = true;
	} else if (c == '\\') {
		scan->escaped = true;
		scan->begun = true;
	} else if (c == '#' && !scan->begun) {
		scan->comment = true;
	} else if (c == '~' && !scan->begun && scan->home && (!next || strchr("/" BLANKS, next))) {
		take_home(scan);
	} else {
		if (strchr(FOREIGN, c) && !scan->foreign)
			scan->foreign = c;
		add(scan, c);
	}
}

/* Scans LENGTH bytes. The last word is left under way; the caller ends it, and frees scan->word. */
static void scan_line(struct scan *scan, const char *line, size_t length)
{
	scan->word = memory_new(length * ((scan->home ? strlen(scan->home) : 0) + 1) + 1, 1);
	for (size_t i = 0; i < length && !scan->comment; i++) {
		char next = i + 1 < length ? line[i + 1] : '\0';

		if (scan->escaped) {
			scan->escaped = false;
			add(scan, line[i]);
		} else if (scan->quote) {
			take_quoted(scan, line[i], next);
		} else {
			take_bare(scan, line[i], next);
		}
	}
}

static int check(const struct scan *scan, struct error *err)
{
	if (scan->quote)
		return error_set(err, EINVAL, "the quote %c is not closed", scan->quote);
	if (scan->escaped)
		return error_set(err, EINVAL, "there is nothing after the backslash");
	if (scan->foreign)
		return error_set(err, EINVAL,
			"%c means nothing here; quote it, or use your own shell", scan->foreign);
	return 0;
}

int words_split(struct strings *words, const char *line, const char *home, struct error *err)
{
	struct scan scan = { .home = home, .words = words };
	int status;

	scan_line(&scan, line, strlen(line));
	status = check(&scan, err);
	end_word(&scan);
	free(scan.word);
	return status;
}

bool words_split_begun(struct strings *words, const char *line, size_t length, const char *home)
{
	struct scan scan = { .home = home, .words = words };

	scan_line(&scan, line, length);
	scan.begun = true;
	end_word(&scan);
	free(scan.word);
	return !scan.comment;
}

bool words_is_quoted(const char *line, size_t index)
{
	struct scan scan = { 0 };

	scan_line(&scan, line, index);
	free(scan.word);
	return scan.quote || scan.escaped;
}

char *words_quote(const char *text, char quote)
{
	char *quoted = text_copy("");

	for (const char *c = text; *c; c++)
		if (quote == '\'' && *c == '\'')
			text_append(&quoted, "'\\''");
		else if ((quote == '"' && strchr(IN_DOUBLE, *c)) ||
			 (!quote && strchr(WANT_A_QUOTE, *c) && (*c != '~' || c == text)))
			text_append(&quoted, "\\%c", *c);
		else
			text_append(&quoted, "%c", *c);
	return quoted;
}

void words_append(char **line, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=:/.,+@%";
	memory_cleanup_free char *quoted = words_quote(word, '\'');
	const char *quote = *word && word[strspn(word, plain)] == '\0' ? "" : "'";

	text_append(line, "%s%s%s%s", *line && **line ? " " : "", quote, quoted, quote);
}

char *words_unquote(const char *text, char quote)
{
	struct scan scan = { .quote = quote };
	size_t length = strlen(text);

	/* A blank that is not quoted ends no word here: all of TEXT is one. */
	scan.word = memory_new(length + 1, 1);
	for (size_t i = 0; i < length; i++) {
		if (scan.escaped || (!scan.quote && strchr(BLANKS "#", text[i]))) {
			scan.escaped = false;
			add(&scan, text[i]);
		} else if (scan.quote) {
			take_quoted(&scan, text[i], text[i + 1]);
		} else {
			take_bare(&scan, text[i], text[i + 1]);
		}
	}
	return scan.word;
}
