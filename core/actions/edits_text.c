/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/edits_text.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

/* The first line of a grubenv. What fills it up to its fixed size is '#'. */
#define ENVIRONMENT_MARK "# GRUB Environment Block\n"

bool line_next(const char **at, struct line *line)
{
	if (!**at)
		return false;
	line->start = *at;
	line->length = strcspn(*at, "\n");
	line->number++;
	*at += line->length + ((*at)[line->length] == '\n');
	return true;
}

static bool same_words(const struct line *line, const char *text)
{
	memory_cleanup_free char *copy = text_copy_length(line->start, line->length);
	strings_cleanup struct strings a = { 0 }, b = { 0 };

	strings_split(&a, copy, " \t\r");
	strings_split(&b, text, " \t\r");
	strings_sort(&a);
	strings_sort(&b);
	for (size_t i = 0; a.count == b.count && i < a.count; i++)
		if (strcmp(a.items[i], b.items[i]) != 0)
			return false;
	return a.count == b.count;
}

static bool same_line(const struct line *line, const char *text, bool loose)
{
	if (line->length == strlen(text) && memcmp(line->start, text, line->length) == 0)
		return true;
	return loose && same_words(line, text);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

bool line_find(
	const char *text, const char *wanted, uint64_t number, bool loose, struct line *found)
{
	struct line line = { 0 };
	bool any = false;

	while (line_next(&text, &line)) {
		if (!same_line(&line, wanted, loose))
			continue;
		if (!any || distance(line.number, number) < distance(found->number, number))
			*found = line;
		any = true;
	}
	return any;
}

/* The line as we left it: exactly, or else by its words. */
static bool find_after(const char *text, const struct edit *edit, struct line *found)
{
	return line_find(text, edit->after, edit->line, false, found) ||
	       line_find(text, edit->after, edit->line, true, found);
}

bool edit_locate(const char *text, struct edit *edit)
{
	struct line line = { 0 };
	size_t size = strlen(text);

	if (*edit->before) {
		if (!line_find(text, edit->before, edit->line, false, &line))
			return false;
		edit->line = line.number;
		edit->open_end = !*edit->after && !line.start[line.length];
		return true;
	}
	while (line_next(&text, &line))
		;
	edit->line = line.number + 1;
	edit->open_end = size && text[-1] != '\n';
	return true;
}

char *text_fit_environment(const char *old, char *text)
{
	size_t size = strlen(old), length = strlen(text);
	char *fitted;

	if (!text_starts(old, ENVIRONMENT_MARK))
		return text;
	while (length && text[length - 1] == '#')
		length--;
	fitted = memory_new((length > size ? length : size) + 1, 1);
	memcpy(fitted, text, length);
	if (length < size)
		memset(fitted + length, '#', size - length);
	free(text);
	return fitted;
}

/* TEXT with what lies at LINE replaced by TO; with TO "" the line goes, end and all. */
static char *exchange(const char *text, const struct line *line, const char *to)
{
	const char *behind = line->start + line->length;

	if (!*to && *behind == '\n')
		behind++;
	return text_fit_environment(
		text, text_format("%.*s%s%s", (int)(line->start - text), text, to, behind));
}

/* The line with EDIT's number, when it still begins with the same word as before. */
static bool find_by_number(const char *text, const struct edit *edit, struct line *found)
{
	size_t length = strcspn(edit->before, " \t=");

	*found = (struct line) { 0 };
	while (found->number < edit->line && line_next(&text, found))
		;
	return found->number == edit->line && length && found->length > length &&
	       memcmp(found->start, edit->before, length) == 0 &&
	       strchr(" \t=", found->start[length]);
}

char *edit_make(const char *text, const struct edit *edit, bool *foreign)
{
	struct line line = { 0 };

	*foreign = false;
	if (!*edit->before) {
		size_t size = strlen(text);

		if (!*edit->after || line_find(text, edit->after, 0, false, &line))
			return NULL;
		return text_format(
			"%s%s%s\n", text, size && text[size - 1] != '\n' ? "\n" : "", edit->after);
	}
	if (line_find(text, edit->before, edit->line, false, &line) && line.number == edit->line)
		return exchange(text, &line, edit->after);
	if (*edit->after && find_after(text, edit, &line))
		return NULL;
	if (line_find(text, edit->before, edit->line, false, &line) ||
		find_by_number(text, edit, &line))
		return exchange(text, &line, edit->after);
	*foreign = *edit->after;
	return NULL;
}

/* TEXT with the line BEFORE in its place again, for an edit that took it away. */
static char *insert_line(const char *text, const struct edit *edit)
{
	struct line line = { 0 };
	const char *at = text;

	while (line.number + 1 < edit->line && line_next(&at, &line))
		;
	return text_format("%.*s%s%s%s", (int)(at - text), text, edit->before,
		edit->open_end && !*at ? "" : "\n", at);
}

char *edit_unmake(const char *text, const struct edit *edit, bool *foreign)
{
	struct line line = { 0 };
	char *changed;
	size_t length;

	*foreign = false;
	/* As it was, in its old place: it was never changed, or is changed back already. */
	if (*edit->before && line_find(text, edit->before, edit->line, false, &line) &&
		line.number == edit->line)
		return NULL;
	if (!*edit->after)
		return insert_line(text, edit);
	if (!find_after(text, edit, &line)) {
		*foreign =
			*edit->before && !line_find(text, edit->before, edit->line, false, &line);
		return NULL;
	}
	changed = exchange(text, &line, edit->before);
	length = strlen(changed);
	if (edit->open_end && length && changed[length - 1] == '\n')
		changed[length - 1] = '\0';
	return changed;
}
