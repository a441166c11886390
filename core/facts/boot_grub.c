/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GRUB 2's grub.cfg: a small interpreter for the part of its language that decides what boots.
 *
 * Variables start from the environment block. if is followed where it tests variables; a test for a
 * file counts as true and any other command as false, which is how the files that grub-mkconfig
 * writes come out right. Functions and loops are skipped.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot_script.h"
#include "core/facts/boot_text.h"

/* Deeper nesting than any menu has; what lies deeper is skipped. */
#define DEPTH_LIMIT 40
#define ITEM_LIMIT  1000
#define TOP_LEVEL   ((size_t)-1)

/* A line of the menu. */
struct item {
	size_t parent; /* the submenu it stands in, or TOP_LEVEL */
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

/* The next token without taking it, behind any command ends. */
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
		/* An empty variable is no word, an empty quoted one is. */
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

/* From behind "if" to behind "fi". */
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

/* From behind "menuentry" or "submenu" to behind its "}". */
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

/* The first part of a path "submenu>entry", in which ">>" is a plain '>'; *AT moves behind it. */
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
