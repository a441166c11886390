/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/shell_settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"

/* Longer than any command line; a few assignments may double a value as often. */
#define VALUE_LIMIT ((size_t)64 * 1024)

/* No file of settings has more; the others are nobody's. */
#define VARIABLES_LIMIT 256

/* ---- Statements ---- */

static size_t name_length(const char *text)
{
	size_t length = 0;

	if (isdigit((unsigned char)*text))
		return 0;
	while (isalnum((unsigned char)text[length]) || text[length] == '_')
		length++;
	return length;
}

/* The end of the quoted piece that begins at TEXT, after its quote; NULL: it does not end. */
static const char *quote_end(const char *text)
{
	char quote = *text++;

	for (; *text && *text != quote; text++)
		if (*text == '\\' && quote == '"' && text[1])
			text++;
	return *text ? text + 1 : NULL;
}

/* After a "$(...)", a "`...`" or a "${...}" that begins at TEXT; NULL: it does not end. */
static const char *computed_end(const char *text)
{
	char close = *text == '`' ? '`' : text[1] == '(' ? ')' : '}';
	char open = *text == '`' ? '\0' : text[1];
	size_t depth = 1;

	for (text += *text == '`' ? 1 : 2; *text && depth; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (*text == close)
			depth--;
		else if (open && *text == open)
			depth++;
	}
	return depth ? NULL : text;
}

static bool is_computed(const char *text)
{
	return *text == '`' || (*text == '$' && (text[1] == '(' || text[1] == '{'));
}

static bool ends_word(char c)
{
	return !c || isspace((unsigned char)c) || strchr(";&|<>()", c);
}

/* True when the word has code in it, or a variable whose value code would change. */
static bool has_code(const char *word, const char *end)
{
	for (; word < end; word++) {
		if (*word == '\\' && word + 1 < end)
			word++;
		else if (is_computed(word) &&
			 (word[1] != '{' || word[2 + name_length(word + 2)] != '}'))
			return true;
	}
	return false;
}

/* The end of the word at TEXT, and how it is quoted; NULL: a quote does not end. */
static const char *word_end(const char *text, enum shell_quote *quote)
{
	const char *at = text;
	bool quoted = false;

	while (at && !ends_word(*at)) {
		if (*at == '"' || *at == '\'') {
			quoted = true;
			at = quote_end(at);
		} else if (is_computed(at)) {
			at = computed_end(at);
		} else {
			at += at[0] == '\\' && at[1] ? 2 : 1;
		}
	}
	*quote = quoted ? SHELL_MIXED : SHELL_BARE;
	if (at && (*text == '"' || *text == '\'') && quote_end(text) == at)
		*quote = *text == '"' ? SHELL_DOUBLE : SHELL_SINGLE;
	if (at && *quote != SHELL_SINGLE && has_code(text, at))
		*quote = SHELL_MIXED;
	return at;
}

/* The end of the code at TEXT: of the line, but for what quotes and backslashes join to it. */
static const char *code_end(const char *text)
{
	while (*text && *text != '\n') {
		const char *next = NULL;

		if (*text == '#' && (isspace((unsigned char)text[-1])))
			return text + strcspn(text, "\n");
		if (*text == '"' || *text == '\'')
			next = quote_end(text);
		else if (*text == '\\' && text[1])
			next = text + 2;
		if (!next)
			next = *text == '"' || *text == '\'' ? text + strlen(text) : text + 1;
		text = next;
	}
	return text;
}

/* Fills what STATEMENT assigns when TEXT, its first character that is not blank, begins so. */
static bool read_assignment(struct shell_statement *statement, const char *text)
{
	const char *end;

	if (text_starts(text, "export") && (text[6] == ' ' || text[6] == '\t'))
		text += 6 + strspn(text + 6, " \t");
	statement->name = text;
	statement->name_length = name_length(text);
	text += statement->name_length;
	statement->adds = text[0] == '+' && text[1] == '=';
	text += statement->adds;
	if (!statement->name_length || *text != '=')
		return false;
	statement->word = ++text;
	end = word_end(text, &statement->quote);
	if (!end)
		return false;
	statement->word_length = (size_t)(end - text);
	text = end + strspn(end, " \t\r");
	if (*text == ';')
		text += 1 + strspn(text + 1, " \t\r");
	if (*text == '#' && text > end)
		text += strcspn(text, "\n");
	if (*text && *text != '\n')
		return false;
	statement->length = (size_t)(text - statement->start);
	return true;
}

/* How many ifs, loops and functions begin and end in the code, in *DEPTH. */
static void count_depth(const struct shell_statement *statement, unsigned *depth)
{
	static const char *const open[] = { "if", "for", "while", "until", "case", "select", "{" };
	static const char *const close[] = { "fi", "done", "esac", "}" };
	static const char *const leads[] = { "then", "do", "else", "&&", "||", "|", "!" };
	memory_cleanup_free char *code = text_copy_length(statement->start, statement->length);
	memory_cleanup_free char *spaced = memory_new(statement->length * 3 + 1, 1);
	strings_cleanup struct strings words = { 0 };
	char *end = spaced;
	bool command = true;

	for (const char *at = code; *at; at++) {
		bool sign = *at == ';' || *at == '(' || *at == ')';

		if (sign)
			*end++ = ' ';
		*end++ = *at;
		if (sign)
			*end++ = ' ';
	}
	strings_split(&words, spaced, " \t\n");
	for (size_t i = 0; i < words.count; i++) {
		const char *word = words.items[i];
		bool leading = strchr(";()", *word) && !word[1];

		for (size_t j = 0; command && j < ARRAY_SIZE(open); j++)
			*depth += strcmp(word, open[j]) == 0;
		for (size_t j = 0; command && j < ARRAY_SIZE(close); j++)
			*depth -= *depth && strcmp(word, close[j]) == 0;
		for (size_t j = 0; !leading && j < ARRAY_SIZE(leads); j++)
			leading = strcmp(word, leads[j]) == 0;
		command = leading;
	}
}

bool shell_next(struct shell_reader *reader, struct shell_statement *statement)
{
	const char *text = reader->at;
	size_t blank = strspn(text, " \t");

	if (!*text)
		return false;
	*statement = (struct shell_statement) { .start = text };
	statement->nested = reader->depth > 0;
	if (text[blank] == '#' || text[blank] == '\n') {
		statement->length = strcspn(text, "\n");
	} else if (read_assignment(statement, text + blank)) {
		statement->assigns = true;
	} else {
		statement->length = (size_t)(code_end(text + blank) - text);
		count_depth(statement, &reader->depth);
	}
	reader->at = text + statement->length;
	reader->at += *reader->at == '\n';
	return true;
}

bool shell_assigns(const struct shell_statement *statement, const char *name)
{
	return statement->assigns && statement->name_length == strlen(name) &&
	       memcmp(statement->name, name, statement->name_length) == 0;
}

/* True when the code reads a file of settings, or text, as its own. */
static bool reads_others(const struct shell_statement *statement)
{
	memory_cleanup_free char *code = text_copy_length(statement->start, statement->length);
	strings_cleanup struct strings words = { 0 };

	strings_split(&words, code, " \t\n;&|");
	return strings_contain(&words, ".") || strings_contain(&words, "source") ||
	       strings_contain(&words, "eval");
}

static bool is_comment(const struct shell_statement *statement)
{
	size_t blank = strspn(statement->start, " \t");

	return blank >= statement->length || statement->start[blank] == '#';
}

/* True when NAME is a word of its own somewhere in the code. */
static bool mentions(const struct shell_statement *statement, const char *name)
{
	memory_cleanup_free char *code = text_copy_length(statement->start, statement->length);
	const char *found = code;
	size_t length = strlen(name);

	while ((found = strstr(found, name))) {
		bool inside =
			(found > code && (isalnum((unsigned char)found[-1]) || found[-1] == '_')) ||
			isalnum((unsigned char)found[length]) || found[length] == '_';

		if (!inside)
			return true;
		found += length;
	}
	return false;
}

bool shell_may_assign(const struct shell_statement *statement, const char *name)
{
	if (statement->assigns)
		return statement->nested && shell_assigns(statement, name);
	return !is_comment(statement) && (reads_others(statement) || mentions(statement, name));
}

/* ---- Variables ---- */

static struct shell_variable *find(const struct shell_variables *variables, const char *name)
{
	for (size_t i = 0; i < variables->count; i++)
		if (strcmp(variables->items[i].name, name) == 0)
			return &variables->items[i];
	return NULL;
}

const char *shell_value(const struct shell_variables *variables, const char *name)
{
	const struct shell_variable *variable = find(variables, name);

	if (variable)
		return variable->value;
	return variables->obscure ? NULL : "";
}

void shell_set(struct shell_variables *variables, const char *name, const char *value)
{
	struct shell_variable *variable = find(variables, name);

	if (variable) {
		text_set(&variable->value, text_copy(value));
		return;
	}
	if (variables->count == VARIABLES_LIMIT) {
		variables->obscure = true;
		return;
	}
	variables->items =
		memory_grow(variables->items, variables->count, sizeof(*variables->items));
	variables->items[variables->count++] =
		(struct shell_variable) { .name = text_copy(name), .value = text_copy(value) };
}

/* The value of the variable at *AT, which moves after it; NULL: computed, or nobody knows. */
static const char *expand(const struct shell_variables *variables, const char **at)
{
	bool braced = (*at)[1] == '{';
	const char *name = *at + 1 + braced;
	size_t length = name_length(name);
	memory_cleanup_free char *copy = text_copy_length(name, length);

	if (length == 0 || (braced && name[length] != '}'))
		return NULL;
	*at = name + length + braced;
	return shell_value(variables, copy);
}

/* A value that is being put together; one that gets too long is nobody's. */
struct value {
	char text[VALUE_LIMIT + 1];
	size_t length;
	bool unknown;
};

static void value_add(struct value *value, const char *text, size_t length)
{
	if (value->unknown || !text || value->length + length > VALUE_LIMIT) {
		value->unknown = true;
		return;
	}
	memcpy(value->text + value->length, text, length);
	value->length += length;
}

static void value_add_variable(
	struct value *value, const struct shell_variables *variables, const char **at)
{
	const char *expanded = expand(variables, at);

	value_add(value, expanded, expanded ? strlen(expanded) : 0);
}

/* What WORD means; the caller frees it, NULL: nobody knows. */
static char *word_value(const struct shell_variables *variables, const char *word, size_t length)
{
	memory_cleanup_free char *copy = text_copy_length(word, length);
	memory_cleanup_free struct value *value = memory_new(1, sizeof(*value));
	char quote = '\0';

	for (const char *at = copy; *at && !value->unknown;) {
		if ((*at == '"' || *at == '\'') && (!quote || quote == *at)) {
			quote = quote ? '\0' : *at;
			at++;
		} else if (quote != '\'' && *at == '\\' && at[1]) {
			/* Within double quotes a backslash before other characters is itself. */
			if (quote && !strchr("\"\\$`\n", at[1]))
				value_add(value, at, 1);
			if (at[1] != '\n')
				value_add(value, at + 1, 1);
			at += 2;
		} else if (quote != '\'' && is_computed(at) && at[1] != '{') {
			value->unknown = true;
		} else if (quote != '\'' && *at == '$' && (at[1] == '{' || name_length(at + 1))) {
			value_add_variable(value, variables, &at);
		} else {
			value_add(value, at++, 1);
		}
	}
	return value->unknown ? NULL : text_copy_length(value->text, value->length);
}

static void assign(struct shell_variables *variables, const struct shell_statement *statement)
{
	memory_cleanup_free char *name = text_copy_length(statement->name, statement->name_length);
	memory_cleanup_free char *value =
		word_value(variables, statement->word, statement->word_length);
	const char *before = statement->adds ? shell_value(variables, name) : "";

	if (statement->nested || !before)
		text_set(&value, NULL);
	else if (value)
		text_set(&value, text_format("%s%s", before, value));
	shell_set(variables, name, value);
}

void shell_read(struct shell_variables *variables, const char *text)
{
	struct shell_reader reader = { .at = text };
	struct shell_statement statement;

	while (shell_next(&reader, &statement)) {
		bool others =
			!statement.assigns && !is_comment(&statement) && reads_others(&statement);

		if (statement.assigns)
			assign(variables, &statement);
		variables->obscure = variables->obscure || others;
		for (size_t i = 0; i < variables->count; i++)
			if (!statement.assigns &&
				shell_may_assign(&statement, variables->items[i].name))
				text_set(&variables->items[i].value, NULL);
	}
}

void shell_variables_free(struct shell_variables *variables)
{
	for (size_t i = 0; i < variables->count; i++) {
		free(variables->items[i].name);
		free(variables->items[i].value);
	}
	free(variables->items);
	*variables = (struct shell_variables) { 0 };
}
