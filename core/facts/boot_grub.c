/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GRUB 2's grub.cfg: a small interpreter for the part of its language that decides what boots (GNU
 * GRUB manual, "Writing full configuration files directly").
 *
 * Variables start from the environment block. if is followed where it tests variables; a test for a
 * file counts as true and any other command as false, which is how the files that grub-mkconfig
 * writes come out right. Functions and loops are skipped.
 */
#include "core/facts/boot_grub.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_text.h"
#include "core/facts/device.h"
#include "core/facts/shell_settings.h"

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

	if (variables->count == VARIABLE_LIMIT)
		return;
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
		fact_set_flag(&entry->is_default, item == next);
	}
	grub_free(&grub);
	return uses_bls;
}

/* ---- Where the files are ---- */

#define EFI_MOUNT "/boot/efi"

/* From 2.12 on it sets LoaderInfo (its module bli). shim starts the GRUB beside it. */
const struct boot_program boot_program_grub = {
	.name = "GRUB",
	.info = "GRUB",
	.sector = "GRUB",
	.images = (const char *const[]) { "grub*.efi", "shim*.efi", "core.efi", NULL },
};

char *boot_environment_path(const struct root *root)
{
	static const char *const paths[] = { "/boot/grub2/grubenv", "/boot/grub/grubenv",
		"/boot/efi/EFI/amzn/grubenv", "/boot/efi/EFI/redhat/grubenv",
		"/boot/efi/EFI/fedora/grubenv", "/boot/efi/EFI/centos/grubenv" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (root_exists(root, paths[i]))
			return text_copy(paths[i]);
	return NULL;
}

/* Was this system started from the folder of PATH, a grub.cfg? Systems have a folder each there. */
static bool is_started_beside(const struct firmware *firmware, const char *path)
{
	const char *folder = path + strlen(EFI_MOUNT);
	const char *started = firmware->current ? firmware->current->path : NULL;

	return started && strncasecmp(started, folder, (size_t)(path_name(folder) - folder)) == 0;
}

/*
 * The UUID of the file system that a grub.cfg only leads to: "search.fs_uuid UUID root", "search
 * --fs-uuid --set=root UUID". The caller frees it; NULL: none is named.
 */
static char *led_to(const char *text)
{
	char *found = NULL, *line;

	while (!found && (line = boot_next_line(&text))) {
		strings_cleanup struct strings words = { 0 };

		strings_split(&words, line, " \t");
		free(line);
		if (words.count < 2)
			continue;
		if (strcmp(words.items[0], "search.fs_uuid") == 0)
			found = text_copy(words.items[1]);
		else if (strcmp(words.items[0], "search") == 0 &&
			 (strings_contain(&words, "--fs-uuid") || strings_contain(&words, "-u")) &&
			 *words.items[words.count - 1] != '-')
			found = text_copy(words.items[words.count - 1]);
	}
	return found;
}

/* Notes when the grub.cfg of PATH, whose text this is, leads to another file system than /boot's. */
static void follow(struct boot_search *search, const char *path, const char *text)
{
	memory_cleanup_free char *uuid = led_to(text);
	device_list devices = { 0 };
	struct error ignored = { "" };
	dev_t number;

	if (!uuid || !search->root->live ||
		device_of_path("/boot", &number, NULL, NULL, &ignored) < 0)
		return;
	devices_gather(&devices, search->root, search->root, number);
	search->misled = devices.count && devices.items->uuid.is == FACT_KNOWN &&
			 strcasecmp(devices.items->uuid.value, uuid) != 0;
	if (search->misled)
		error_set(&search->unclear, EXDEV,
			"%s leads to the file system %s, and /boot lies on %s", path, uuid,
			devices.items->uuid.value);
	fact_list_free(&device_facts_layout, &devices);
}

/*
 * A grub.cfg on the EFI partition that has entries itself; most only lead to the one in /boot. Of
 * several systems' files it is the one beside what has started this one; where that is not told,
 * nobody knows, unless the entries are in files of their own (blscfg).
 */
static char *find_efi_config(struct boot_search *search)
{
	strings_cleanup struct strings names = { 0 };
	memory_cleanup_free char *lead = NULL, *lead_text = NULL;
	struct error err = { "" };
	char *found = NULL;
	size_t count = 0;

	root_list(search->root, EFI_MOUNT "/EFI", &names, &err);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *path =
			text_format(EFI_MOUNT "/EFI/%s/grub.cfg", names.items[i]);
		memory_cleanup_free char *text = NULL;
		struct error ignored = { "" };
		bool own;

		root_read(search->root, path, BOOT_TEXT_LIMIT, &text, NULL, &ignored);
		if (!text)
			continue;
		own = strstr(text, "menuentry ") || strstr(text, "blscfg");
		if (is_started_beside(&search->firmware, path)) {
			*search->unclear.text = '\0';
			text_set(&found, own ? text_copy(path) : NULL);
			if (!own)
				follow(search, path, text);
			return found;
		}
		count++;
		if (!own) {
			text_set(&lead, text_copy(path));
			text_set(&lead_text, text_copy(text));
			continue;
		}
		if (found && !strstr(text, "blscfg"))
			error_set(&search->unclear, EEXIST,
				"%s and %s both have boot entries, and nothing says which of them boots",
				found, path);
		if (!found)
			found = text_copy(path);
	}
	if (lead && count == 1)
		follow(search, lead, lead_text);
	return found;
}

/* The grub.cfg that counts: with EFI firmware the one on its partition, if that is a real one. */
static char *find_config(struct boot_search *search)
{
	static const char *const paths[] = { "/boot/grub2/grub.cfg", "/boot/grub/grub.cfg" };
	char *efi;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && !search->firmware.efi; i++)
		if (root_exists(search->root, paths[i]))
			return text_copy(paths[i]);
	efi = find_efi_config(search);
	for (size_t i = 0; i < ARRAY_SIZE(paths) && !efi; i++)
		if (root_exists(search->root, paths[i]))
			return text_copy(paths[i]);
	return efi;
}

void boot_grub_find(struct boot_search *search)
{
	memory_cleanup_free char *environment = boot_environment_path(search->root);

	if (environment)
		search->environment = boot_search_read(search, environment, BOOT_TEXT_LIMIT);
	search->config = find_config(search);
	if (search->config)
		search->config_text = boot_search_read(search, search->config, BOOT_TEXT_LIMIT);
}

void boot_grub_gather(struct boot_search *search)
{
	memory_cleanup_free char *choice = NULL;

	fact_set_text(&search->boot->config, search->config);
	if (search->config_text)
		boot_grub_parse(search->boot, search->config_text, search->environment,
			search->firmware.efi, &choice);
}

/* ---- Settings that grub-mkconfig reads ---- */

/* The files of settings in the order in which they are read: by name, and the last one counts. */
static void list_settings(const struct root *root, bool drop_ins, struct strings *files)
{
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	strings_add(files, GRUB_DEFAULTS);
	if (drop_ins)
		root_list(root, GRUB_DROP_INS, &names, &err);
	for (size_t i = 0; i < names.count; i++)
		if (text_ends(names.items[i], ".cfg"))
			strings_take(files, text_format(GRUB_DROP_INS "/%s", names.items[i]));
}

/* True when the entry that boots next has an initramfs, or it is not known. */
static bool next_has_initramfs(const struct boot_facts *boot)
{
	for (size_t i = 0; i < boot->entries.count; i++)
		if (fact_is_true(&boot->entries.items[i].is_default))
			return boot->entries.items[i].initramfs.is != FACT_ABSENT;
	return true;
}

/*
 * What we have set counts once grub.cfg is made from it: until then the next boot is one without
 * an initramfs. Otherwise a setup that was cut short would have the next one decide otherwise.
 */
void boot_grub_gather_force_partuuid(struct boot_search *search)
{
	struct fact_text *fact = &search->boot->force_partuuid;
	strings_cleanup struct strings files = { 0 }, texts = { 0 };
	memory_cleanup_free char *value = NULL;

	list_settings(search->root, true, &files);
	if (!boot_search_read_all(search, &files, &texts, fact_of(fact)))
		return;
	for (size_t i = 0; i < files.count; i++) {
		char *found = boot_setting(texts.items[i], "GRUB_FORCE_PARTUUID");

		if (found && strcmp(files.items[i], GRUB_DROP_IN) == 0 &&
			!next_has_initramfs(search->boot))
			text_set(&found, NULL);
		if (found)
			text_set(&value, found);
	}
	fact_set_text(fact, value && *value ? value : NULL);
}

void boot_grub_add_copies(const struct root *root, struct boot_sources *sources)
{
	static const char *const commands[] = { "linux", "linuxefi", "linux16" };
	strings_cleanup struct strings files = { 0 }, names = { 0 };
	struct error ignored = { "" };

	strings_add(&files, "/boot/grub/custom.cfg");
	strings_add(&files, "/boot/grub2/custom.cfg");
	root_list(root, "/etc/grub.d", &names, &ignored);
	for (size_t i = 0; i < names.count; i++)
		strings_take(&files, text_format("/etc/grub.d/%s", names.items[i]));
	for (size_t i = 0; i < files.count; i++) {
		struct stat status;

		if (root_stat(root, files.items[i], &status) < 0 || !S_ISREG(status.st_mode))
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(commands); j++)
			boot_sources_add(sources, text_copy(files.items[i]), commands[j])->copy =
				true;
	}
}

static void variables_begin(struct shell_variables *variables)
{
	*variables = (struct shell_variables) { 0 };
	shell_set(variables, GRUB_CMDLINE, "");
	shell_set(variables, GRUB_CMDLINE "_DEFAULT", "");
}

/* The command line that they make; NULL: nobody can tell. */
static char *variables_end(struct shell_variables *variables)
{
	const char *all = shell_value(variables, GRUB_CMDLINE);
	const char *ordinary = shell_value(variables, GRUB_CMDLINE "_DEFAULT");
	char *line = all && ordinary ? text_format("%s %s", all, ordinary) : NULL;

	shell_variables_free(variables);
	return line ? text_trim(line) : NULL;
}

char *boot_grub_settings_line(const char *text)
{
	struct shell_variables variables;

	variables_begin(&variables);
	shell_read(&variables, text);
	return variables_end(&variables);
}

/* How our drop-in adds what is wanted, once it has taken the same arguments out everywhere. */
#define DROP_IN_ADDS GRUB_CMDLINE "=\"${" GRUB_CMDLINE ":+$" GRUB_CMDLINE " }"

/* Of our drop-in, just the arguments that it adds: all others of these names are gone then. */
static void read_drop_in(struct shell_variables *variables, const char *text)
{
	const char *added = strstr(text, DROP_IN_ADDS);
	memory_cleanup_free char *arguments = NULL;

	if (!added)
		return;
	added += strlen(DROP_IN_ADDS);
	arguments = text_copy_length(added, strcspn(added, "\"\n"));
	shell_set(variables, GRUB_CMDLINE, arguments);
	shell_set(variables, GRUB_CMDLINE "_DEFAULT", "");
}

void boot_grub_gather_settings(struct boot_search *search, bool drop_ins)
{
	struct fact_text *fact = &search->boot->settings;
	strings_cleanup struct strings files = { 0 }, texts = { 0 };
	memory_cleanup_free char *line = NULL;
	struct shell_variables variables;

	list_settings(search->root, drop_ins, &files);
	if (!boot_search_read_all(search, &files, &texts, fact_of(fact)))
		return;
	variables_begin(&variables);
	for (size_t i = 0; i < files.count; i++)
		if (strcmp(files.items[i], GRUB_DROP_IN) == 0)
			read_drop_in(&variables, texts.items[i]);
		else
			shell_read(&variables, texts.items[i]);
	line = variables_end(&variables);
	if (line)
		fact_set_text(fact, line);
	else
		fact_set_unknown(fact_of(fact),
			"code in " GRUB_DEFAULTS " decides what " GRUB_CMDLINE " is");
}

/* Settings that are there but cannot be looked at are there: who reads them says why. */
bool boot_grub_is_generated(const struct boot_search *search)
{
	struct stat status;
	int result = root_stat(search->root, GRUB_DEFAULTS, &status);

	return search->config && result != -ENOENT && result != -ENOTDIR;
}

/*
 * GRUB_CMDLINE_LINUX is what every entry gets; GRUB_CMDLINE_LINUX_DEFAULT would leave out the
 * recovery entries, and a recovery boot over a hibernated system destroys its file systems. The
 * lines are indented for the sake of tools that edit lines beginning with GRUB_.
 */
char *boot_grub_shell(const struct boot_wanted *wanted)
{
	static const char *const names[] = { GRUB_CMDLINE, GRUB_CMDLINE "_DEFAULT",
		GRUB_CMDLINE "_RECOVERY" };
	memory_cleanup_free char *line = strings_join(wanted->arguments, " "), *keys = NULL;
	char *shell = NULL;

	for (const char *const *key = wanted->keys; *key; key++)
		text_append(&keys, "%s%s", keys ? "|" : "", *key);
	/* The kernel takes both signs in a name as one. */
	for (char *at = keys; (at = strchr(at, '_')); at += strlen("[-_]")) {
		memory_cleanup_free char *before = text_copy_length(keys, (size_t)(at - keys));
		size_t done = strlen(before);

		text_set(&keys, text_format("%s[-_]%s", before, at + 1));
		at = keys + done;
	}
	text_append(&shell,
		"# The next boot finds the hibernated system by these kernel arguments.\n"
		"ec2hib_clean() {\n"
		"\tprintf '%%s\\n' \" $1 \" | sed -E -e ':again' \\\n"
		"\t\t-e 's/[[:space:]](%s)(=[^[:space:]]*)?[[:space:]]/ /' \\\n"
		"\t\t-e 't again' -e 's/^ //' -e 's/ $//'\n"
		"}\n",
		keys);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		text_append(&shell,
			"if [ \"${%s+set}\" ]; then\n"
			"\t%s=\"$(ec2hib_clean \"$%s\")\"\n"
			"fi\n",
			names[i], names[i], names[i]);
	text_append(&shell,
		"\t" DROP_IN_ADDS "%s\"\n"
		"unset -f ec2hib_clean\n",
		line);
	if (wanted->needs_initramfs)
		text_append(&shell,
			"# Only an initramfs can find %s: do not boot without one.\n"
			"\tGRUB_FORCE_PARTUUID=\n",
			wanted->resume);
	return shell;
}

void boot_grub_generator(const struct root *root, const char *product UNUSED, const char *output,
	struct strings *program)
{
	char *found = process_find(root, "grub-mkconfig");

	strings_take(program, found ? found : text_copy("grub2-mkconfig"));
	strings_add(program, "-o");
	strings_add(program, output);
}
