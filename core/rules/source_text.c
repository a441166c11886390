/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/source_text.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot_grub.h"
#include "core/facts/boot_text.h"
#include "core/facts/shell_settings.h"
#include "core/rules/arguments.h"

bool source_line_is_ours(const char *line, const struct strings *ours)
{
	memory_cleanup_free char *device = arguments_get(line, "resume");
	memory_cleanup_free char *offset = arguments_get(line, "resume_offset");

	for (size_t i = 0; device && i < ours->count; i++) {
		memory_cleanup_free char *our_device = arguments_get(ours->items[i], "resume");
		memory_cleanup_free char *our_offset =
			arguments_get(ours->items[i], "resume_offset");

		if (text_equal(device, our_device) && text_equal(offset, our_offset))
			return true;
	}
	return false;
}

/* ---- Lines that have arguments after a key word ---- */

/*
 * True when TEXT is one quoted string that says what it says, without escapes, to its line's end.
 */
static bool is_quoted(const char *text)
{
	const char *end = *text == '"' || *text == '\'' ? strchr(text + 1, *text) : NULL;

	return end && (size_t)(end - text - 1) == strcspn(text + 1, "\\$`\n\"'") &&
	       strchr("#\r\n", end[1 + strspn(end + 1, " \t")]);
}

/* How long the arguments are that begin at START. */
static size_t length_of(const struct boot_source *source, const char *line, size_t start)
{
	size_t length = strcspn(line + start, "\n");

	return source->quoted ? strcspn(line + start, (char[]) { line[start - 1], '\n', '\0' })
			      : length;
}

/* Where in LINE the arguments begin; false: the line has none. */
static bool find_arguments(const struct boot_source *source, const char *line, size_t *start)
{
	const char *keyword = source->keyword;
	size_t blank = strspn(line, " \t");

	*start = 0;
	if (!*keyword)
		return !strchr("#\r\n", line[blank]);
	if (text_ends(keyword, "=")) {
		*start = strlen(keyword) + source->quoted;
		return text_starts(line, keyword) &&
		       (!source->quoted || is_quoted(line + strlen(keyword)));
	}
	/* The blanks after a key word belong to the key word. */
	*start = blank + strlen(keyword);
	*start += boot_line_is(line, keyword) ? strspn(line + *start, " \t") : 0;
	return boot_line_is(line, keyword);
}

/* True when TEXT takes its arguments from the source's variable. */
static bool uses_variable(const struct boot_source *source, const char *text)
{
	memory_cleanup_free char *plain = NULL, *braced = NULL;

	if (!source->variable)
		return false;
	plain = text_format("$%s", source->variable);
	braced = text_format("${%s}", source->variable);
	return strstr(text, plain) || strstr(text, braced);
}

/* The lines of TEXT, each with its end; a text is their sum. */
static void split_lines(const char *text, struct strings *lines)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		length += text[length] == '\n';
		strings_take(lines, text_copy_length(text, length));
		text += length;
	}
}

/* Replaces the arguments that begin at START in *LINE by CHANGED. */
static void put_arguments(
	const struct boot_source *source, char **line, size_t start, const char *changed)
{
	const char *end = *line + start + length_of(source, *line, start);

	text_set(line, text_format("%.*s%s%s", (int)start, *line, changed, end));
}

static char *arguments_at(const struct boot_source *source, const char *line, size_t start)
{
	return text_copy_length(line + start, length_of(source, line, start));
}

/* The number of the last line that has arguments, from 1; 0: none. */
static size_t last_line(const struct boot_source *source, const struct strings *lines)
{
	size_t last = 0, start;

	for (size_t i = 0; i < lines->count; i++)
		if (find_arguments(source, lines->items[i], &start))
			last = i + 1;
	return last;
}

static char *set_lines(const struct boot_source *source, const struct boot_facts *boot,
	const char *text, const struct strings *wanted)
{
	bool elsewhere = uses_variable(source, text);
	strings_cleanup struct strings lines = { 0 };
	size_t last, start;

	split_lines(text, &lines);
	last = last_line(source, &lines);
	for (size_t i = 0; i < lines.count; i++) {
		bool here = (source->each || i + 1 == last) && !elsewhere;
		memory_cleanup_free char *arguments = NULL, *changed = NULL;

		if (!find_arguments(source, lines.items[i], &start))
			continue;
		arguments = arguments_at(source, lines.items[i], start);
		if (source->each && !arguments_are_of_this_system(boot, arguments))
			continue;
		changed = here ? arguments_replace(arguments, wanted)
			       : arguments_remove(arguments, arguments_keys);
		put_arguments(source, &lines.items[i], start, changed);
	}
	if (last == 0 && source->added) {
		memory_cleanup_free char *all = strings_join(wanted, " ");
		bool open = lines.count && !text_ends(lines.items[lines.count - 1], "\n");

		strings_take(&lines, text_format("%s%s%s%s\n", open ? "\n" : "", source->keyword,
					     *source->keyword ? " " : "", all));
	}
	return strings_join(&lines, "");
}

static char *clean_lines(
	const struct boot_source *source, const char *text, const struct strings *ours)
{
	strings_cleanup struct strings lines = { 0 };
	size_t start;

	split_lines(text, &lines);
	for (size_t i = 0; i < lines.count; i++) {
		memory_cleanup_free char *arguments = NULL, *changed = NULL;

		if (!find_arguments(source, lines.items[i], &start))
			continue;
		arguments = arguments_at(source, lines.items[i], start);
		if (!source_line_is_ours(arguments, ours))
			continue;
		changed = arguments_remove(arguments, arguments_keys);
		put_arguments(source, &lines.items[i], start, changed);
	}
	return strings_join(&lines, "");
}

/* ---- Settings in the manner of a shell ---- */

#define CMDLINE GRUB_CMDLINE

/* All that GRUB's scripts make command lines from; the first one is in all of them. */
static const char *const variables[] = { CMDLINE, CMDLINE "_DEFAULT", CMDLINE "_RECOVERY" };

/* The same words as they have to be within double quotes. */
static char *bare_to_double(const char *word)
{
	char *quoted = memory_new(strlen(word) * 2 + 1, 1), *end = quoted;

	for (; *word; word++) {
		bool escape = *word == '\\' && word[1];

		word += escape;
		if (escape && strchr("\"\\$`\n", *word))
			*end++ = '\\';
		*end++ = *word;
	}
	return quoted;
}

/*
 * VALUE, which stands between quotes, with WANTED at its end, or with NULL without ours. It may be
 * of several lines, each joined to the next by a backslash: these keep their backslash.
 */
static char *edit_value(const char *value, const struct strings *wanted)
{
	strings_cleanup struct strings lines = { 0 };

	split_lines(value, &lines);
	if (lines.count == 0)
		return wanted ? strings_join(wanted, " ") : text_copy("");
	for (size_t i = 0; i < lines.count; i++) {
		char *line = lines.items[i];
		size_t length = strcspn(line, "\n");
		memory_cleanup_free char *rest = NULL, *plain = NULL, *changed = NULL;

		if (line[length] && length && line[length - 1] == '\\')
			length--;
		rest = text_copy(line + length);
		plain = text_copy_length(line, length);
		changed = wanted && i + 1 == lines.count ? arguments_replace(plain, wanted)
							 : arguments_remove(plain, arguments_keys);
		text_set(&lines.items[i], text_format("%s%s", changed, rest));
	}
	return strings_join(&lines, "");
}

/* The value of an assignment as it has to be between quotes; NULL: it cannot be changed. */
static char *quoted_value(const struct shell_statement *statement)
{
	memory_cleanup_free char *word = text_copy_length(statement->word, statement->word_length);

	if (statement->quote == SHELL_MIXED)
		return NULL;
	if (statement->quote == SHELL_BARE)
		return bare_to_double(word);
	return text_copy_length(word + 1, strlen(word) - 2);
}

/* Adds the STATEMENT, with its end, to OUTPUT as it is. */
static void put_statement(struct strings *output, const struct shell_statement *statement)
{
	bool ends = statement->start[statement->length];

	strings_take(output, text_copy_length(statement->start, statement->length + ends));
}

/* Adds the STATEMENT to OUTPUT with WANTED in its value, or with NULL without ours. */
static void put_assignment(struct strings *output, const struct shell_statement *statement,
	const struct strings *wanted)
{
	memory_cleanup_free char *value = quoted_value(statement);
	memory_cleanup_free char *changed = value ? edit_value(value, wanted) : NULL;
	const char *after = statement->word + statement->word_length;
	size_t rest = (size_t)(statement->start + statement->length - after);
	char quote = statement->quote == SHELL_SINGLE ? '\'' : '"';

	if (!value || strcmp(value, changed) == 0) {
		put_statement(output, statement);
		return;
	}
	strings_take(
		output, text_format("%.*s%c%s%s%c%.*s", (int)(statement->word - statement->start),
				statement->start, quote, statement->adds && !*value ? " " : "",
				changed, quote, (int)(rest + (after[rest] != '\0')), after));
}

/* Where the assignment is that has the last word of CMDLINE; NULL: there is none to change. */
static const char *find_target(const char *text)
{
	struct shell_reader reader = { .at = text };
	struct shell_statement statement;
	const char *target = NULL;

	while (shell_next(&reader, &statement)) {
		if (shell_may_assign(&statement, CMDLINE))
			target = NULL;
		else if (shell_assigns(&statement, CMDLINE))
			target = statement.quote == SHELL_MIXED ? NULL : statement.start;
	}
	return target;
}

static bool is_variable(const struct shell_statement *statement)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (shell_assigns(statement, variables[i]))
			return true;
	return false;
}

/* TEXT with WANTED in the assignment at TARGET (NULL: in none), and nothing of ours elsewhere. */
static char *put_all(const char *text, const char *target, const struct strings *wanted)
{
	struct shell_reader reader = { .at = text };
	struct shell_statement statement;
	strings_cleanup struct strings output = { 0 };

	while (shell_next(&reader, &statement)) {
		if (is_variable(&statement))
			put_assignment(
				&output, &statement, statement.start == target ? wanted : NULL);
		else
			put_statement(&output, &statement);
	}
	return strings_join(&output, "");
}

/* TEXT with one assignment more. */
static char *append_assignment(const char *text, const struct strings *wanted)
{
	memory_cleanup_free char *all = strings_join(wanted, " ");
	bool open = *text && !text_ends(text, "\n");

	return text_format("%s%s" CMDLINE "=\"%s%s\"\n", text, open ? "\n" : "",
		strstr(text, CMDLINE "=") ? "$" CMDLINE " " : "", all);
}

/* Whether a configuration made from TEXT would have WANTED; *KNOWN false: nobody can tell. */
static bool settings_complete(const char *text, const struct strings *wanted, bool *known)
{
	memory_cleanup_free char *line = boot_grub_settings_line(text);

	*known = line != NULL;
	return line && arguments_complete(line, wanted);
}

static char *set_settings(const char *text, const struct strings *wanted)
{
	const char *target = find_target(text);
	char *changed;
	bool known;

	if (settings_complete(text, wanted, &known))
		return text_copy(text);
	changed = put_all(text, target, wanted);
	if (target && (settings_complete(changed, wanted, &known) || !known))
		return changed;
	text_set(&changed, put_all(text, NULL, wanted));
	text_set(&changed, append_assignment(changed, wanted));
	return changed;
}

static char *clean_settings(const char *text, const struct strings *ours)
{
	struct shell_reader reader = { .at = text };
	struct shell_statement statement;
	strings_cleanup struct strings output = { 0 };

	while (shell_next(&reader, &statement)) {
		memory_cleanup_free char *value =
			is_variable(&statement) ? quoted_value(&statement) : NULL;

		if (value && source_line_is_ours(value, ours))
			put_assignment(&output, &statement, NULL);
		else
			put_statement(&output, &statement);
	}
	return strings_join(&output, "");
}

char *source_text_set(const struct boot_source *source, const struct boot_facts *boot,
	const char *text, const struct strings *wanted)
{
	return source->shell ? set_settings(text, wanted) : set_lines(source, boot, text, wanted);
}

char *source_text_clean(
	const struct boot_source *source, const char *text, const struct strings *ours)
{
	return source->shell ? clean_settings(text, ours) : clean_lines(source, text, ours);
}
