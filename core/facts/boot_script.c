/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/boot_script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/facts/boot_text.h"

#define VARIABLE_LIMIT 4096

/* Behind the white space, joined lines and comments at AT. */
static const char *skip_blank(const char *at)
{
	for (;;) {
		if (*at == ' ' || *at == '\t' || *at == '\r')
			at++;
		else if (at[0] == '\\' && at[1] == '\n')
			at += 2;
		else if (*at == '#')
			at += strcspn(at, "\n");
		else
			return at;
	}
}

/* Behind the quoted text at AT, which begins with its quote. */
static const char *skip_quoted(const char *at)
{
	char quote = *at++;

	for (; *at && *at != quote; at++)
		if (*at == '\\' && quote == '"' && at[1])
			at++;
	return *at ? at + 1 : at;
}

struct token script_token(const char **at)
{
	const char *end = skip_blank(*at);
	struct token token = { .kind = TOKEN_WORD, .start = end };

	if (!*end) {
		token.kind = TOKEN_END;
	} else if (*end == '\n' || *end == ';') {
		token.kind = TOKEN_BREAK;
		end++;
	} else if (*end == '}' || (*end == '{' && strchr(" \t\r\n;", end[1]))) {
		end++;
	} else {
		while (*end && !strchr(" \t\r\n;", *end)) {
			if (*end == '"' || *end == '\'')
				end = skip_quoted(end);
			else if (*end == '\\' && end[1])
				end += 2;
			else
				end++;
		}
	}
	token.length = (size_t)(end - token.start);
	*at = end;
	return token;
}

bool script_token_is(const struct token *token, const char *word)
{
	return token->kind == TOKEN_WORD && token->length == strlen(word) &&
	       memcmp(token->start, word, token->length) == 0;
}

void script_set(struct script_variables *variables, const char *name, const char *value)
{
	struct script_variable *variable;

	if (variables->count == VARIABLE_LIMIT)
		return;
	variables->items =
		memory_grow(variables->items, variables->count, sizeof(*variables->items));
	variable = &variables->items[variables->count++];
	variable->name = text_copy(name);
	variable->value = text_copy(value);
}

void script_assign(struct script_variables *variables, const char *assignment)
{
	size_t length = strcspn(assignment, "=");
	memory_cleanup_free char *name = text_copy_length(assignment, length);

	if (length && assignment[length] == '=')
		script_set(variables, name, assignment + length + 1);
}

const char *script_get(const struct script_variables *variables, const char *name)
{
	for (size_t i = variables->count; i > 0; i--)
		if (strcmp(variables->items[i - 1].name, name) == 0)
			return variables->items[i - 1].value;
	/* GRUB announces what it can do in feature_menuentry_id and its like. */
	return text_starts(name, "feature_") ? "y" : "";
}

void script_forget(struct script_variables *variables, size_t count)
{
	while (variables->count > count) {
		struct script_variable *variable = &variables->items[--variables->count];

		free(variable->name);
		free(variable->value);
	}
}

void script_variables_free(struct script_variables *variables)
{
	script_forget(variables, 0);
	free(variables->items);
	*variables = (struct script_variables) { 0 };
}

void script_load_environment(struct script_variables *variables, const char *environment)
{
	char *line;

	while (environment && (line = boot_next_line(&environment))) {
		size_t length = strcspn(line, "=");
		memory_cleanup_free char *name = text_copy_length(line, length);

		if (line[0] != '#' && line[length] == '=') {
			memory_cleanup_free char *value = boot_environment_get(line, name);

			script_set(variables, name, value ? value : "");
		}
		free(line);
	}
}

/* A text that grows up to SCRIPT_WORD_LIMIT. */
struct output {
	char text[SCRIPT_WORD_LIMIT + 1];
	size_t length;
};

static void put(struct output *output, const char *text, size_t length)
{
	if (length > SCRIPT_WORD_LIMIT - output->length)
		length = SCRIPT_WORD_LIMIT - output->length;
	memcpy(output->text + output->length, text, length);
	output->length += length;
}

/* The variable that begins with the '$' at AT; returns where it ends, AT itself when it is none. */
static const char *put_variable(struct output *output, const struct script_variables *variables,
	const char *at, const char *end)
{
	bool braced = at + 1 < end && at[1] == '{';
	const char *name = at + 1 + braced, *behind = name;
	memory_cleanup_free char *copy = NULL;
	const char *value;

	while (behind < end && (isalnum((unsigned char)*behind) || strchr("_?@#*", *behind)))
		behind++;
	if (behind == name || (braced && (behind == end || *behind != '}')))
		return at;
	copy = text_copy_length(name, (size_t)(behind - name));
	value = script_get(variables, copy);
	put(output, value, strlen(value));
	return behind + braced;
}

char *script_expand(
	const struct script_variables *variables, const char *text, size_t length, bool plain)
{
	struct output output = { .length = 0 };
	const char *end = text + length, *behind;
	char quote = '\0';

	while (text < end) {
		if (!plain && quote ? *text == quote : !plain && (*text == '"' || *text == '\'')) {
			quote = quote ? '\0' : *text;
			text++;
			continue;
		}
		if (*text == '$' && quote != '\'') {
			behind = put_variable(&output, variables, text, end);
			if (behind > text) {
				text = behind;
				continue;
			}
		}
		if (!plain && *text == '\\' && quote != '\'' && text + 1 < end) {
			if (text[1] == '\n') {
				text += 2; /* a line that goes on in the next */
				continue;
			}
			/* In double quotes only these lose their backslash. */
			if (quote && !strchr("$\"\\", text[1]))
				put(&output, text, 1);
			text++;
		}
		put(&output, text++, 1);
	}
	return text_copy_length(output.text, output.length);
}
