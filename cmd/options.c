/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From argv to a struct invocation, driven by the command table. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

static const char *const colour_words[] = { "auto", "always", "never", NULL };

const struct option_entry global_options[] = {
	{ "config", 0, ARGUMENT_FILE, "FILE", NULL,
		"read this configuration in place of " CONFIG_PATH },
	{ "root", 0, ARGUMENT_FOLDER, "DIR", NULL, "work on the image or chroot below DIR" },
	{ "imds-endpoint", 0, ARGUMENT_URL, "URL", NULL, "ask this metadata service" },
	{ "color", 0, ARGUMENT_WORD, "WHEN", colour_words, "auto, always or never" },
	{ "verbose", 'v', ARGUMENT_NONE, NULL, NULL, "explain more" },
	{ "quiet", 'q', ARGUMENT_NONE, NULL, NULL, "no warnings and no progress" },
	{ "help", 'h', ARGUMENT_NONE, NULL, NULL, "show this help" },
	{ "version", 0, ARGUMENT_NONE, NULL, NULL, "show the version" },
};
const size_t global_option_count = ARRAY_SIZE(global_options);

/* getopt's return values for long options: clear of all characters. */
#define GLOBAL_BASE  0x1000
#define COMMAND_BASE 0x2000

#define GETOPT_ENTRIES (2 * COMMAND_OPTIONS_MAX + 1)

struct parser {
	struct option entries[GETOPT_ENTRIES];
	size_t count;
	char letters[4 * COMMAND_OPTIONS_MAX + 4];
};

static void parser_add(
	struct parser *parser, const struct option_entry *options, size_t count, int base)
{
	for (size_t i = 0; i < count; i++) {
		size_t end = strlen(parser->letters);

		parser->entries[parser->count++] = (struct option) { options[i].name,
			options[i].kind == ARGUMENT_NONE ? no_argument : required_argument, NULL,
			base + (int)i };
		if (!options[i].letter)
			continue;
		parser->letters[end++] = options[i].letter;
		if (options[i].kind != ARGUMENT_NONE)
			parser->letters[end++] = ':';
		parser->letters[end] = '\0';
	}
	parser->entries[parser->count] = (struct option) { 0 };
}

/* The option that getopt returned, whether by letter or by name. */
static const struct option_entry *find_option(
	const struct command *command, int code, bool *global, size_t *index)
{
	for (size_t i = 0; i < global_option_count; i++)
		if (code == GLOBAL_BASE + (int)i || code == global_options[i].letter) {
			*global = true;
			*index = i;
			return &global_options[i];
		}
	for (size_t i = 0; command && i < command->option_count; i++)
		if (code == COMMAND_BASE + (int)i || code == command->options[i].letter) {
			*global = false;
			*index = i;
			return &command->options[i];
		}
	return NULL;
}

static bool word_is_allowed(const struct option_entry *option, const char *value)
{
	if (option->kind != ARGUMENT_WORD)
		return true;
	for (size_t i = 0; option->words[i]; i++)
		if (strcmp(option->words[i], value) == 0)
			return true;
	return false;
}

static void complain_of_word(const struct option_entry *option, const char *value)
{
	memory_cleanup_free char *words = NULL;

	for (size_t i = 0; option->words[i]; i++)
		text_append(&words, "%s%s", i ? ", " : "", option->words[i]);
	complain("--%s is \"%s\", which is none of: %s", option->name, value, words);
}

static int take_option(struct invocation *invocation, int code, const char *value)
{
	memory_cleanup_free char *words = NULL;
	bool global;
	size_t index;
	const struct option_entry *option = find_option(invocation->command, code, &global, &index);

	if (!option) { /* getopt said why */
		words = invocation->command ? command_words(invocation->command) : NULL;
		complain("see ec2hib %s%s--help", words ? words : "", words ? " " : "");
		return EXIT_USAGE;
	}
	if (value && !*value) {
		complain("--%s is empty", option->name);
		return EXIT_USAGE;
	}
	if (value && !word_is_allowed(option, value)) {
		complain_of_word(option, value);
		return EXIT_USAGE;
	}
	if (strcmp(option->name, "verbose") == 0)
		invocation->verbose++;
	if (global) {
		invocation->global_given[index] = true;
		invocation->global_values[index] = value;
		return 0;
	}
	if (invocation->use_count == COMMAND_USES_MAX) {
		complain("more than %d options", COMMAND_USES_MAX);
		return EXIT_USAGE;
	}
	invocation->uses[invocation->use_count++] = (struct option_use) { option, value };
	invocation->given[index] = true;
	invocation->values[index] = value;
	return 0;
}

/* One pass of getopt over argv; stops at the first operand when ORDER is "+". */
static int pass(struct invocation *invocation, int argc, char **argv, const char *order)
{
	struct parser parser = { 0 };
	char program[] = "ec2hib", *name = argv[0];
	int code, status = 0;

	strcpy(parser.letters, order);
	parser_add(&parser, global_options, global_option_count, GLOBAL_BASE);
	if (invocation->command)
		parser_add(&parser, invocation->command->options, invocation->command->option_count,
			COMMAND_BASE);
	optind = 0; /* glibc: start afresh */
	/* getopt's messages begin with argv[0], which is a path or the command's name. */
	argv[0] = program;
	while (status == 0 &&
		(code = getopt_long(argc, argv, parser.letters, parser.entries, NULL)) != -1)
		status = take_option(invocation, code, optarg);
	argv[0] = name;
	return status;
}

static bool is_help(const struct invocation *invocation)
{
	return option_given(invocation, "help") || option_given(invocation, "version");
}

/* Which of the command's subcommands it is. Without a word --help is of the command itself. */
static int parse_subcommand(struct invocation *invocation)
{
	const struct command *command = invocation->command, *found;

	if (invocation->operand_count == 0 && is_help(invocation))
		return 0;
	if (invocation->operand_count == 0) {
		complain("%s wants one more word; ec2hib %s --help lists them", command->name,
			command->name);
		return EXIT_USAGE;
	}
	found = subcommand_find(command, invocation->operands[0]);
	if (!found) {
		complain("there is no command \"%s %s\"; ec2hib %s --help lists them",
			command->name, invocation->operands[0], command->name);
		return EXIT_USAGE;
	}
	invocation->command = found;
	return 0;
}

/* What stands behind the words that are parsed already, whose last is the first operand. */
static int parse_rest(struct invocation *invocation, const char *order)
{
	char **rest = (char **)invocation->operands;
	int count = invocation->operand_count;
	int status = pass(invocation, count, rest, order);

	invocation->operands = rest + optind;
	invocation->operand_count = count - optind;
	return status;
}

static int check_operands(const struct invocation *invocation)
{
	memory_cleanup_free char *words = NULL;

	if (invocation->operand_count == 0 || is_help(invocation) ||
		invocation->command->operands != ARGUMENT_NONE)
		return 0;
	words = command_words(invocation->command);
	complain("%s takes no operand: \"%s\"", words, invocation->operands[0]);
	return EXIT_USAGE;
}

int invocation_parse(struct invocation *invocation, int argc, char **argv)
{
	int status = pass(invocation, argc, argv, "+");

	if (status || optind >= argc)
		return status;
	invocation->operands = argv + optind;
	invocation->operand_count = argc - optind;
	invocation->command = command_find(invocation->operands[0]);
	if (!invocation->command)
		return 0; /* perhaps a program of its own: ec2hib-NAME */
	if (invocation->command->subcommands) {
		status = parse_rest(invocation, "+");
		if (status == 0)
			status = parse_subcommand(invocation);
		if (status || invocation->command->subcommands)
			return status;
	}
	status = parse_rest(invocation, "");
	return status ? status : check_operands(invocation);
}

static size_t index_of(const struct option_entry *options, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(options[i].name, name) == 0)
			return i;
	return count;
}

bool option_given(const struct invocation *invocation, const char *name)
{
	size_t index = index_of(global_options, global_option_count, name);

	if (index < global_option_count)
		return invocation->global_given[index];
	if (!invocation->command)
		return false;
	index = index_of(invocation->command->options, invocation->command->option_count, name);
	return index < invocation->command->option_count && invocation->given[index];
}

const char *option_value(const struct invocation *invocation, const char *name)
{
	size_t index = index_of(global_options, global_option_count, name);

	if (index < global_option_count)
		return invocation->global_values[index];
	if (!invocation->command)
		return NULL;
	index = index_of(invocation->command->options, invocation->command->option_count, name);
	return index < invocation->command->option_count ? invocation->values[index] : NULL;
}
