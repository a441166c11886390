/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small interpreter for the part of GRUB's language that decides what boots (GNU GRUB manual,
 * "Writing full configuration files directly").
 *
 * Variables start from the environment block. if is followed where it tests variables; a test for a
 * file counts as true and any other command as false, which is how the files that grub-mkconfig
 * writes come out right. Functions and loops are skipped.
 */
#include "core/facts/boot_grub_script.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/boot_text.h"

/* ---- Words and variables ---- */

/* Longer than any kernel command line; a script that doubles a variable ends here. */
#define SCRIPT_WORD_LIMIT 8192
#define VARIABLE_LIMIT	  4096

enum token_kind { TOKEN_END, TOKEN_BREAK, TOKEN_WORD };

/* A piece of the text: a word as it is written, or what ends a command (newline or ';'). */
struct token {
	enum token_kind kind;
	const char *start;
	size_t length;
};

struct script_variable {
	uint32_t hash; /* of the name: a hostile script looks thousands of names up in thousands */
	char *name;
	char *value;
};
struct script_variables {
	struct script_variable *items;
	size_t count;
	bool full; /* something was set that there was no room for */
};

/* After the white space, joined lines and comments at AT. */
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

/* After the quoted text at AT, which begins with its quote. */
static const char *skip_quoted(const char *at)
{
	char quote = *at++;

	for (; *at && *at != quote; at++)
		if (*at == '\\' && quote == '"' && at[1])
			at++;
	return *at ? at + 1 : at;
}

/* The token at *AT, which moves after it. White space and comments are skipped. */
static struct token script_token(const char **at)
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

static bool script_token_is(const struct token *token, const char *word)
{
	return token->kind == TOKEN_WORD && token->length == strlen(word) &&
	       memcmp(token->start, word, token->length) == 0;
}

/* FNV-1a (RFC draft-eastlake-fnv). */
static uint32_t name_hash(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

/* Sets NAME; the value set last counts. */
static void script_set(struct script_variables *variables, const char *name, const char *value)
{
	struct script_variable *variable;

	if (variables->count == VARIABLE_LIMIT) {
		variables->full = true;
		return;
	}
	variables->items =
		memory_grow(variables->items, variables->count, sizeof(*variables->items));
	variable = &variables->items[variables->count++];
	variable->hash = name_hash(name);
	variable->name = text_copy(name);
	variable->value = text_copy(value);
}

/* Sets from "name=value"; anything else does nothing. */
static void script_assign(struct script_variables *variables, const char *assignment)
{
	size_t length = strcspn(assignment, "=");
	memory_cleanup_free char *name = text_copy_length(assignment, length);

	if (length && assignment[length] == '=')
		script_set(variables, name, assignment + length + 1);
}

/* The value, "" when it was never set. It stays valid until the variables change. */
static const char *script_get(const struct script_variables *variables, const char *name)
{
	uint32_t hash = name_hash(name);

	for (size_t i = variables->count; i > 0; i--) {
		const struct script_variable *variable = &variables->items[i - 1];

		if (variable->hash == hash && strcmp(variable->name, name) == 0)
			return variable->value;
	}
	/* GRUB announces what it can do in feature_menuentry_id and its like. */
	return text_starts(name, "feature_") ? "y" : "";
}

/* Forgets all that was set after there were COUNT. */
static void script_forget(struct script_variables *variables, size_t count)
{
	while (variables->count > count) {
		struct script_variable *variable = &variables->items[--variables->count];

		free(variable->name);
		free(variable->value);
	}
}

static void script_variables_free(struct script_variables *variables)
{
	script_forget(variables, 0);
	free(variables->items);
	*variables = (struct script_variables) { 0 };
}

char *boot_environment_get(const char *text, const char *name)
{
	size_t length = strlen(name);
	char *value = NULL, *line;

	while (text && !value && (line = boot_next_line(&text))) {
		if (strncmp(line, name, length) == 0 && line[length] == '=') {
			char *end = value = text_copy(line + length + 1);

			for (const char *from = value; *from; *end++ = *from++)
				if (*from == '\\' && from[1])
					from++;
			*end = '\0';
		}
		free(line);
	}
	return value;
}

/* Sets all of a GRUB environment block, which may be NULL. */
static void script_load_environment(struct script_variables *variables, const char *environment)
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
	const char *name = at + 1 + braced, *tail = name;
	memory_cleanup_free char *copy = NULL;
	const char *value;

	while (tail < end && (isalnum((unsigned char)*tail) || strchr("_?@#*", *tail)))
		tail++;
	if (tail == name || (braced && (tail == end || *tail != '}')))
		return at;
	copy = text_copy_length(name, (size_t)(tail - name));
	value = script_get(variables, copy);
	put(output, value, strlen(value));
	return tail + braced;
}

/*
 * A word as written, with quotes taken off and variables replaced; with PLAIN quotes mean nothing,
 * only variables do. The caller frees it.
 */
static char *script_expand(
	const struct script_variables *variables, const char *text, size_t length, bool plain)
{
	struct output output = { .length = 0 };
	const char *end = text + length, *tail;
	char quote = '\0';

	while (text < end) {
		if (!plain && quote ? *text == quote : !plain && (*text == '"' || *text == '\'')) {
			quote = quote ? '\0' : *text;
			text++;
			continue;
		}
		if (*text == '$' && quote != '\'') {
			tail = put_variable(&output, variables, text, end);
			if (tail > text) {
				text = tail;
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

char *boot_environment_expand(const char *text, const char *environment)
{
	struct script_variables variables = { 0 };
	char *expanded;

	script_load_environment(&variables, environment);
	expanded = script_expand(&variables, text, strlen(text), true);
	script_variables_free(&variables);
	return expanded;
}

/* ---- Commands and the menu ---- */

/* Deeper nesting than any menu has; what is deeper is skipped. */
#define DEPTH_LIMIT 40
#define ITEM_LIMIT  1000
#define TOP_LEVEL   ((size_t)-1)

/* A line of the menu. */
struct item {
	size_t parent; /* the submenu it is in, or TOP_LEVEL */
	size_t number; /* in its menu, from 0 */
	bool submenu;
	const char *body; /* what it runs */
	char *title;
	char *id;
	char *kernel;
	char *arguments;
	char *initramfs;
};

struct grub {
	const char *at;
	struct script_variables variables;
	struct item *items;
	size_t count;
	size_t menu;	    /* the submenu whose body runs, or TOP_LEVEL */
	struct item *entry; /* the entry whose body runs, or NULL */
	unsigned depth;
	bool uses_bls;
};

static void run_block(struct grub *grub, bool live);

/* The next token without taking it, after any command ends. */
static struct token peek(struct grub *grub)
{
	for (;;) {
		const char *at = grub->at;
		struct token token = script_token(&at);

		if (token.kind != TOKEN_BREAK)
			return token;
		grub->at = at;
	}
}

/* Takes the next token when it is WORD. */
static bool take(struct grub *grub, const char *word)
{
	struct token token = peek(grub);

	if (!script_token_is(&token, word))
		return false;
	grub->at = token.start + token.length;
	return true;
}

/* The words up to the end of the command, or up to a "{" when BRACE, expanded. */
static void take_words(struct grub *grub, struct strings *words, bool brace)
{
	for (;;) {
		const char *at = grub->at;
		struct token token = script_token(&at);
		char *word;

		if (token.kind != TOKEN_WORD || script_token_is(&token, "}") ||
			(brace && script_token_is(&token, "{")))
			return;
		grub->at = at;
		word = script_expand(&grub->variables, token.start, token.length, false);
		/* An empty variable is not a word, an empty quoted one is. */
		if (*word || memchr(token.start, '"', token.length) ||
			memchr(token.start, '\'', token.length))
			strings_take(words, word);
		else
			free(word);
	}
}

static struct strings slice(const struct strings *words, size_t from, size_t to)
{
	return (struct strings) { words->items + from, to - from };
}

/* What is between the brackets of [ ... ]. */
static bool test_is_true(const struct strings *words, unsigned depth)
{
	size_t count = words->count;
	char **word = words->items;

	if (count == 0 || depth > DEPTH_LIMIT)
		return false;
	for (int level = 0; level < 2; level++)
		for (size_t i = 1; i + 1 < count; i++) {
			struct strings left = slice(words, 0, i);
			struct strings right = slice(words, i + 1, count);

			if (strcmp(word[i], level ? "-a" : "-o") != 0)
				continue;
			if (level)
				return test_is_true(&left, depth + 1) &&
				       test_is_true(&right, depth + 1);
			return test_is_true(&left, depth + 1) || test_is_true(&right, depth + 1);
		}
	if (strcmp(word[0], "!") == 0) {
		struct strings rest = slice(words, 1, count);

		return !test_is_true(&rest, depth + 1);
	}
	if (count == 1)
		return *word[0];
	if (count == 2)
		return strcmp(word[0], "-z") == 0   ? !*word[1]
		       : strcmp(word[0], "-n") == 0 ? *word[1]
						    : true;
	if (count == 3 && (strcmp(word[1], "=") == 0 || strcmp(word[1], "==") == 0))
		return strcmp(word[0], word[2]) == 0;
	if (count == 3 && strcmp(word[1], "!=") == 0)
		return strcmp(word[0], word[2]) != 0;
	return true;
}

static bool command_is_true(const struct strings *words)
{
	struct strings rest;

	if (words->count == 0)
		return false;
	rest = slice(words, 1, words->count);
	if (strcmp(words->items[0], "!") == 0)
		return !command_is_true(&rest);
	if (strcmp(words->items[0], "true") == 0)
		return true;
	if (strcmp(words->items[0], "[") != 0 && strcmp(words->items[0], "test") != 0)
		return false;
	if (rest.count && strcmp(rest.items[rest.count - 1], "]") == 0)
		rest.count--;
	return test_is_true(&rest, 0);
}

/* The commands up to "then"; the last one decides. */
static bool run_condition(struct grub *grub)
{
	bool result = false;

	for (;;) {
		struct token token = peek(grub);
		strings_cleanup struct strings words = { 0 };
		const char *before = grub->at;

		if (token.kind == TOKEN_END || take(grub, "then"))
			return result;
		take_words(grub, &words, false);
		if (grub->at == before)
			return false; /* a stray brace */
		result = command_is_true(&words);
	}
}

/* From after "if" to after "fi". */
static void run_if(struct grub *grub, bool live)
{
	bool taken = false;

	do {
		bool now = run_condition(grub) && !taken;

		run_block(grub, live && now);
		taken = taken || now;
	} while (take(grub, "elif"));
	if (take(grub, "else"))
		run_block(grub, live && !taken);
	take(grub, "fi");
}

static size_t number_in_menu(const struct grub *grub)
{
	size_t number = 0;

	for (size_t i = 0; i < grub->count; i++)
		number += grub->items[i].parent == grub->menu;
	return number;
}

/* The title and the id in the words of a menuentry or submenu command. */
static void name_item(struct item *item, const struct strings *words)
{
	static const char *const with_value[] = { "--class", "--users", "--hotkey", "--source" };

	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		bool skip = false;

		for (size_t j = 0; j < ARRAY_SIZE(with_value); j++)
			skip = skip || strcmp(word, with_value[j]) == 0;
		if (skip)
			i++;
		else if (strcmp(word, "--id") == 0 && i + 1 < words->count)
			text_set(&item->id, text_copy(words->items[++i]));
		else if (text_starts(word, "--id="))
			text_set(&item->id, text_copy(word + strlen("--id=")));
		else if (!text_starts(word, "--") && !item->title)
			item->title = text_copy(word);
	}
	if (!item->title)
		item->title = text_copy("");
}

/* From after "menuentry" or "submenu" to after its "}". */
static void run_item(struct grub *grub, bool live, bool submenu)
{
	struct item item = { .parent = grub->menu, .submenu = submenu };
	strings_cleanup struct strings words = { 0 };
	size_t menu = grub->menu;

	take_words(grub, &words, true);
	take(grub, "{");
	item.body = grub->at;
	if (live && !grub->entry && grub->count < ITEM_LIMIT) {
		name_item(&item, &words);
		item.number = number_in_menu(grub);
		grub->items = memory_grow(grub->items, grub->count, sizeof(item));
		grub->items[grub->count++] = item;
		if (submenu)
			grub->menu = grub->count - 1;
	} else {
		submenu = false;
	}
	/* What an entry does is run once all variables are known. */
	run_block(grub, submenu);
	grub->menu = menu;
	take(grub, "}");
}

/* linux, linux16, linuxefi: the kernel and its command line. */
static void load_kernel(struct item *entry, const struct strings *words)
{
	struct strings rest = slice(words, 2, words->count);

	text_set(&entry->kernel, text_copy(words->items[1]));
	text_set(&entry->arguments, strings_join(&rest, " "));
	text_set(&entry->initramfs, NULL);
}

/* True for COMMAND itself and its relatives for old firmware (16) and for EFI (efi). */
static bool is_command(const char *name, const char *command)
{
	size_t length = strlen(command);

	return text_starts(name, command) && (!name[length] || strcmp(name + length, "16") == 0 ||
						     strcmp(name + length, "efi") == 0);
}

static void run_command(struct grub *grub, const struct strings *words)
{
	const char *name = words->count ? words->items[0] : "";
	struct item *entry = grub->entry;

	if (strcmp(name, "set") == 0) {
		for (size_t i = 1; i < words->count; i++)
			script_assign(&grub->variables, words->items[i]);
	} else if (strcmp(name, "blscfg") == 0) {
		grub->uses_bls = true;
	} else if (entry && is_command(name, "linux") && words->count > 1) {
		load_kernel(entry, words);
	} else if (entry && is_command(name, "initrd") && words->count > 1) {
		struct strings rest = slice(words, 1, words->count);

		text_set(&entry->initramfs, strings_join(&rest, " "));
	} else if (words->count == 1) {
		script_assign(&grub->variables, name);
	}
}

/* One command, or a whole if, entry or function. False where the block around it ends. */
static bool run_next(struct grub *grub, bool live)
{
	static const char *const ends[] = { "}", "fi", "else", "elif", "done", "then" };
	struct token token = peek(grub);
	strings_cleanup struct strings words = { 0 };

	if (token.kind == TOKEN_END)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (script_token_is(&token, ends[i]))
			return false;
	if (take(grub, "if")) {
		run_if(grub, live);
	} else if (take(grub, "menuentry") || take(grub, "hiddenentry")) {
		run_item(grub, live, false);
	} else if (take(grub, "submenu")) {
		run_item(grub, live, true);
	} else if (take(grub, "function")) {
		take_words(grub, &words, true);
		take(grub, "{");
		run_block(grub, false);
		take(grub, "}");
	} else if (take(grub, "for") || take(grub, "while") || take(grub, "until")) {
		take_words(grub, &words, false);
		take(grub, "do");
		run_block(grub, false);
		take(grub, "done");
	} else if (take(grub, "{")) {
		run_block(grub, live);
		take(grub, "}");
	} else {
		take_words(grub, &words, false);
		if (live)
			run_command(grub, &words);
	}
	return true;
}

static void run_block(struct grub *grub, bool live)
{
	if (grub->depth == DEPTH_LIMIT) {
		grub->at += strlen(grub->at);
		return;
	}
	grub->depth++;
	while (run_next(grub, live))
		;
	grub->depth--;
}

/* All of the text; a stray end of a block is passed over. */
static void run_all(struct grub *grub)
{
	struct token token;

	do {
		run_block(grub, true);
		token = peek(grub);
		grub->at = token.start + token.length;
	} while (token.kind != TOKEN_END);
}

/* What each entry loads, with the variables as they are when the menu shows. */
static void run_entries(struct grub *grub)
{
	size_t known = grub->variables.count;

	for (size_t i = 0; i < grub->count; i++) {
		if (grub->items[i].submenu)
			continue;
		grub->entry = &grub->items[i];
		grub->at = grub->items[i].body;
		script_set(&grub->variables, "chosen", grub->items[i].title);
		run_block(grub, true);
		script_forget(&grub->variables, known);
	}
	grub->entry = NULL;
}

/* The first part of a path "submenu>entry", in which ">>" is a plain '>'; *AT moves after it. */
static char *take_part(const char **at)
{
	char *part = memory_new(strlen(*at) + 1, 1), *end = part;

	while (**at) {
		if ((*at)[0] == '>' && (*at)[1] != '>') {
			(*at)++;
			break;
		}
		*at += (*at)[0] == '>';
		*end++ = *(*at)++;
	}
	return part;
}

/* The line of menu PARENT that NAME means: its number, title or id; else the first one. */
static const struct item *find_in_menu(const struct grub *grub, size_t parent, const char *name)
{
	const struct item *first = NULL;
	uint64_t number;
	bool numbered = number_parse(name, &number) == 0;

	for (size_t i = 0; i < grub->count; i++) {
		const struct item *item = &grub->items[i];

		if (item->parent != parent)
			continue;
		if (!first)
			first = item;
		if (numbered ? item->number == number
			     : strcmp(item->title, name) == 0 || text_equal(item->id, name))
			return item;
	}
	return first;
}

/* What boots when CHOICE is the default; NULL: there is nothing. */
static const struct item *find_default(const struct grub *grub, const char *choice)
{
	const struct item *item = NULL;
	size_t parent = TOP_LEVEL;

	do {
		memory_cleanup_free char *part = take_part(&choice);

		item = find_in_menu(grub, parent, part);
		if (item)
			parent = (size_t)(item - grub->items);
	} while (item && item->submenu);
	return item;
}

/* "1>0": the numbers of the menus above and of the item. */
static char *number_path(const struct grub *grub, const struct item *item)
{
	char *path = text_format("%zu", item->number);

	while (item->parent != TOP_LEVEL) {
		item = &grub->items[item->parent];
		text_set(&path, text_format("%zu>%s", item->number, path));
	}
	return path;
}

static void grub_free(struct grub *grub)
{
	for (size_t i = 0; i < grub->count; i++) {
		struct item *item = &grub->items[i];

		free(item->title);
		free(item->id);
		free(item->kernel);
		free(item->arguments);
		free(item->initramfs);
	}
	free(grub->items);
	script_variables_free(&grub->variables);
}

bool boot_grub_parse(
	struct boot_facts *boot, const char *text, const char *environment, bool efi, char **choice)
{
	struct grub grub = { .at = text, .menu = TOP_LEVEL };
	const struct item *next;
	bool uses_bls;

	script_set(&grub.variables, "grub_platform", efi ? "efi" : "pc");
	script_set(&grub.variables, "menuentry_id_option", "--id");
	script_load_environment(&grub.variables, environment);
	run_all(&grub);
	run_entries(&grub);
	*choice = text_copy(script_get(&grub.variables, "default"));
	next = find_default(&grub, *choice);
	uses_bls = grub.uses_bls;
	for (size_t i = 0; !uses_bls && i < grub.count; i++) {
		const struct item *item = &grub.items[i];
		memory_cleanup_free char *path = NULL;
		struct entry_facts *entry;

		if (!item->kernel)
			continue;
		path = number_path(&grub, item);
		entry = boot_add_entry(boot, path, item->title, item->kernel, NULL, item->initramfs,
			item->arguments);
		if (grub.variables.full)
			fact_set_unknown(fact_of(&entry->is_default),
				"grub.cfg sets more than %d variables", VARIABLE_LIMIT);
		else
			fact_set_flag(&entry->is_default, item == next);
	}
	grub_free(&grub);
	return uses_bls;
}
