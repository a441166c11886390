/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From argv to a struct invocation, driven by the rows of the command table. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds.h"
#include "core/facts/imds_tree.h"
#include "core/rules/checks.h"
#include "core/rules/rehearsal.h"

static const char *const colour_words[] = { "auto", "always", "never", NULL };

#define OPTIONS struct global_options
const struct option_row global_options[] = {
	OPT_TEXT("config", config, ARGUMENT_FILE, "FILE",
		"read this configuration in place of " CONFIG_PATH, .of_machine = true),
	OPT_TEXT("root", root, ARGUMENT_FOLDER, "DIR", "work on the image or chroot below DIR",
		.of_machine = true),
	OPT_TEXT("imds-endpoint", imds_endpoint, ARGUMENT_URL, "URL", "ask this metadata service",
		.of_machine = true),
	OPT_WORD("color", color, colour_words, "WHEN", "auto, always or never"),
	OPT_COUNT("verbose", verbose, "explain more", .letter = 'v'),
	OPT_FLAG("quiet", quiet, "no warnings and no progress", .letter = 'q'),
	OPT_FLAG("help", help, "show this help", .letter = 'h'),
	OPT_FLAG("version", version, "show the version"),
};
const size_t global_option_count = ARRAY_SIZE(global_options);

static void *member_of(const struct option_row *row, const void *options)
{
	return (char *)(uintptr_t)options + row->offset;
}

/* ---- Arguments --------------------------------------------------------------------------- */

static int read_word(const char *const *words, const char *text, uint64_t *index)
{
	for (*index = 0; words[*index]; ++*index)
		if (strcmp(words[*index], text) == 0)
			return 0;
	return -EINVAL;
}

/* swap_size_decide() knows more about it; here only what can be told without the machine. */
static int read_swap_size(const char *text)
{
	memory_cleanup_free char *number = NULL;
	uint64_t value;
	int status;

	if (strcmp(text, "auto") == 0)
		return 0;
	if (!text_ends(text, "%")) {
		status = size_parse(text, &value);
	} else {
		number = text_copy_length(text, strlen(text) - 1);
		status = number_parse(number, &value);
	}
	return status == 0 && value == 0 ? -ERANGE : status;
}

/* Ids of levels, or all. */
static int read_levels(const char *text, uint64_t *levels)
{
	strings_cleanup struct strings ids = { 0 };

	*levels = 0;
	strings_split(&ids, text, ", ");
	for (size_t i = 0; i < ids.count; i++) {
		enum rehearsal_level level = rehearsal_level_find(ids.items[i]);

		if (strcmp(ids.items[i], "all") == 0)
			*levels |= (1u << LEVEL_COUNT) - 1;
		else if (level == LEVEL_COUNT)
			return -EINVAL;
		else
			*levels |= 1u << level;
	}
	return *levels ? 0 : -EINVAL;
}

/* What TEXT is as an argument of the row; *NUMBER of those kinds that have one. */
static int read_argument(const struct option_row *row, const char *text, uint64_t *number)
{
	int status = 0;

	switch (row->kind) {
	case ARGUMENT_WORD:
		return read_word(row->words, text, number);
	case ARGUMENT_LEVELS:
		return read_levels(text, number);
	case ARGUMENT_SWAP_SIZE:
		return read_swap_size(text);
	case ARGUMENT_NUMBER:
		status = number_parse(text, number);
		break;
	case ARGUMENT_SIZE:
	case ARGUMENT_RATE:
		status = size_parse(text, number);
		break;
	case ARGUMENT_DURATION:
		status = duration_parse(text, number);
		break;
	default:
		return 0;
	}
	if (status == 0 && row->most && (*number < row->least || *number > row->most))
		return -ERANGE;
	return status == 0 && row->step && *number % row->step ? -EINVAL : status;
}

/* Bytes in the largest unit in which they are a whole number: 4K, 16M. The caller frees it. */
static char *size_exact(uint64_t bytes)
{
	static const char *const units[] = { "", "K", "M", "G", "T" };
	size_t unit = 0;

	for (; bytes && bytes % KIB == 0 && unit + 1 < ARRAY_SIZE(units); unit++)
		bytes /= KIB;
	return text_format("%" PRIu64 "%s", bytes, units[unit]);
}

static char *describe_size(const struct option_row *row)
{
	memory_cleanup_free char *least = size_exact(row->least), *most = size_exact(row->most);
	memory_cleanup_free char *step = size_exact(row->step);

	return text_format("a size from %s to %s%s%s", least, most,
		row->step ? ", a multiple of " : "", row->step ? step : "");
}

/* What an argument of the row has to be, as a message says it. */
static char *describe_argument(const struct option_row *row)
{
	char *words = NULL;

	switch (row->kind) {
	case ARGUMENT_WORD:
		for (size_t i = 0; row->words[i]; i++)
			text_append(&words, "%s%s", i ? ", " : "one of ", row->words[i]);
		return words;
	case ARGUMENT_NUMBER:
		return text_format("a number from %" PRIu64 " to %" PRIu64, row->least, row->most);
	case ARGUMENT_SIZE:
		return describe_size(row);
	case ARGUMENT_RATE:
		return text_copy("a rate (examples: 50M, 1G)");
	case ARGUMENT_DURATION:
		return text_format("a length of time%s (examples: 200ms, 10s, 5min)",
			row->least ? " above 0" : "");
	case ARGUMENT_SWAP_SIZE:
		return text_copy("a size (examples: 8G, 50%, auto)");
	case ARGUMENT_LEVELS:
		words = text_copy("a list of levels (there are ");
		for (size_t i = 0; i < LEVEL_COUNT; i++)
			text_append(&words, "%s, ", rehearsal_levels[i].id);
		text_append(&words, "or all)");
		return words;
	default: /* which takes any text */
		abort();
	}
}

/* ---- Options ----------------------------------------------------------------------------- */

/* One pass of getopt over a part of the command line. */
struct parser {
	struct invocation *invocation;
	const struct command *command; /* whose options they are, beside the global ones; or NULL */
	const struct option_row **rows; /* the command's own first */
	size_t count, own;
	bool *given; /* by row */
};

/* getopt's return value for the option of a row: clear of all characters. */
#define ROW_CODE 0x1000

/* The row of the command's option NAME. That there is none is a mistake in the command's file. */
static size_t own_index(const struct parser *parser, const char *name)
{
	for (size_t i = 0; i < parser->own; i++)
		if (strcmp(parser->rows[i]->name, name) == 0)
			return i;
	abort();
}

static void complain_of_order(const struct option_row *row, const struct strings *names)
{
	memory_cleanup_free char *list = NULL;

	for (size_t i = 0; i < names->count; i++)
		text_append(&list, "%s--%s",
			i == 0		       ? ""
			: i + 1 < names->count ? ", "
					       : " or ",
			names->items[i]);
	complain("--%s needs %s before it", row->name, list);
}

static bool follows_right(const struct parser *parser, const struct option_row *row)
{
	strings_cleanup struct strings names = { 0 };

	if (!row->follows)
		return true;
	strings_split(&names, row->follows, " ");
	for (size_t i = 0; i < names.count; i++)
		if (parser->given[own_index(parser, names.items[i])])
			return true;
	complain_of_order(row, &names);
	return false;
}

static void store(void *member, const struct option_row *row, const char *text, uint64_t number)
{
	struct option_uses *uses = member;

	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)member = true;
		break;
	case OPTION_COUNT:
		++*(unsigned *)member;
		break;
	case OPTION_TEXT:
		*(const char **)member = text;
		break;
	case OPTION_UNSIGNED:
		*(unsigned *)member = (unsigned)number;
		break;
	case OPTION_UINT64:
		*(uint64_t *)member = number;
		break;
	case OPTION_USES:
		uses->items = memory_grow(uses->items, uses->count, sizeof(*uses->items));
		uses->items[uses->count++] = (struct option_use) { row, text, number };
		break;
	}
}

static int take_option(struct parser *parser, size_t index, const char *text)
{
	const struct option_row *row = parser->rows[index];
	struct invocation *invocation = parser->invocation;
	bool own = index < parser->own;
	uint64_t number = 0;

	if (text && !*text) {
		complain("--%s is empty", row->name);
		return EXIT_USAGE;
	}
	if (text && read_argument(row, text, &number) < 0) {
		memory_cleanup_free char *wanted = describe_argument(row);

		complain("--%s: \"%s\" is not %s", row->name, text, wanted);
		return EXIT_USAGE;
	}
	if (own && !follows_right(parser, row))
		return EXIT_USAGE;
	store(member_of(row, own ? invocation->options : &invocation->global), row, text, number);
	parser->given[index] = true;
	if (own)
		invocation->needs &= ~row->lifts;
	return 0;
}

/* The row that getopt found, by name or by letter. The command's own come first. */
static size_t find_row(const struct parser *parser, int code)
{
	if (code >= ROW_CODE)
		return (size_t)(code - ROW_CODE);
	for (size_t i = 0; i < parser->count; i++)
		if (parser->rows[i]->letter == code)
			return i;
	return parser->count;
}

static int take_options(struct parser *parser, int argc, char **argv, const char *order)
{
	memory_cleanup_free struct option *entries =
		memory_new(parser->count + 1, sizeof(*entries));
	memory_cleanup_free char *letters = text_copy(order), *words = NULL;
	char program[] = "ec2hib", *name = argv[0];
	int code, status = 0;

	for (size_t i = 0; i < parser->count; i++) {
		const struct option_row *row = parser->rows[i];
		bool takes = row->kind != ARGUMENT_NONE;

		entries[i] = (struct option) { row->name, takes ? required_argument : no_argument,
			NULL, ROW_CODE + (int)i };
		if (row->letter)
			text_append(&letters, "%c%s", row->letter, takes ? ":" : "");
	}
	optind = 0; /* glibc: start afresh */
	/* getopt's messages begin with argv[0], which is a path or the command's name. */
	argv[0] = program;
	while (status == 0 && (code = getopt_long(argc, argv, letters, entries, NULL)) != -1) {
		size_t row = find_row(parser, code);

		if (row < parser->count) {
			status = take_option(parser, row, optarg);
			continue;
		}
		/* getopt said why. */
		words = parser->command ? command_words(parser->command) : NULL;
		complain("see ec2hib %s%s--help", words ? words : "", words ? " " : "");
		status = EXIT_USAGE;
	}
	argv[0] = name;
	return status;
}

static int check_exclusive(const struct parser *parser)
{
	for (size_t group = 0; group < COMMAND_GROUPS_MOST; group++) {
		const char *group_names = parser->command->exclusive[group], *first = NULL;
		strings_cleanup struct strings names = { 0 };

		strings_split(&names, group_names ? group_names : "", " ");
		for (size_t i = 0; i < names.count; i++) {
			if (!parser->given[own_index(parser, names.items[i])])
				continue;
			if (first) {
				complain("--%s and --%s exclude each other", first, names.items[i]);
				return EXIT_USAGE;
			}
			first = names.items[i];
		}
	}
	return 0;
}

/*
 * Saved facts stand for a machine with its configuration: none is looked at, and nothing repaired.
 */
static int check_saved(const struct parser *parser)
{
	struct invocation *invocation = parser->invocation;

	for (size_t i = 0; i < parser->own; i++) {
		const struct option_row *row = parser->rows[i];

		if (row->kind != ARGUMENT_SAVED || !parser->given[i])
			continue;
		invocation->needs = NEEDS_SESSION;
		for (size_t k = 0; k < global_option_count; k++)
			if (global_options[k].of_machine &&
				*(const char **)member_of(
					&global_options[k], &invocation->global)) {
				complain(
					"--%s and --%s exclude each other: saved facts have their own machine and configuration",
					row->name, global_options[k].name);
				return EXIT_USAGE;
			}
	}
	return 0;
}

static bool is_help(const struct invocation *invocation)
{
	return invocation->global.help || invocation->global.version;
}

/* A pass over argv, whose first word is skipped; stops at the first operand when ORDER is "+". */
static int pass(struct invocation *invocation, int argc, char **argv, const char *order)
{
	const struct command *command = invocation->command;
	struct parser parser = { .invocation = invocation, .command = command };
	size_t own = command ? command->option_count : 0;
	int status;

	parser.own = own;
	parser.count = own + global_option_count;
	parser.rows = memory_new(parser.count, sizeof(*parser.rows));
	parser.given = memory_new(parser.count, sizeof(*parser.given));
	for (size_t i = 0; i < parser.count; i++)
		parser.rows[i] = i < own ? &command->options[i] : &global_options[i - own];
	status = take_options(&parser, argc, argv, order);
	if (status == 0 && own && !is_help(invocation))
		status = check_exclusive(&parser);
	if (status == 0 && own && !is_help(invocation))
		status = check_saved(&parser);
	free(parser.rows);
	free(parser.given);
	return status;
}

/* ---- The command line -------------------------------------------------------------------- */

static void take_command(struct invocation *invocation, const struct command *command)
{
	invocation->command = command;
	invocation->needs = command->needs;
	if (!command->option_count)
		return;
	invocation->options = memory_new(1, command->options_size);
	if (command->defaults)
		memcpy(invocation->options, command->defaults, command->options_size);
}

/* Which of the command's subcommands it is. Without a word --help is of the command itself. */
static int parse_subcommand(struct invocation *invocation)
{
	const struct command *command = invocation->command, *found;

	if (invocation->operand_count == 0 && is_help(invocation))
		return 0;
	if (invocation->operand_count == 0) {
		complain("%s needs one more word; ec2hib %s --help lists them", command->name,
			command->name);
		return EXIT_USAGE;
	}
	found = subcommand_find(command, invocation->operands[0]);
	if (!found) {
		complain_of_command(command, invocation->operands[0]);
		return EXIT_USAGE;
	}
	take_command(invocation, found);
	return 0;
}

/* What follows the words that are parsed already, whose last is the first operand. */
static int parse_rest(struct invocation *invocation, const char *order)
{
	char **rest = (char **)invocation->operands;
	int count = invocation->operand_count;
	int status = pass(invocation, count, rest, order);

	invocation->operands = rest + optind;
	invocation->operand_count = count - optind;
	return status;
}

static int check_operand(const struct command *command, const char *operand)
{
	memory_cleanup_free char *words = command_words(command), *path = NULL;

	switch (command->operands) {
	case ARGUMENT_NONE:
		complain("%s takes no operand: \"%s\"", words, operand);
		return EXIT_USAGE;
	case ARGUMENT_CHECK:
		if (check_find(operand))
			return 0;
		complain("there is no check \"%s\"; ec2hib status lists them", operand);
		return EXIT_USAGE;
	case ARGUMENT_ITEM:
		path = imds_path_complete(operand);
		if (imds_path_valid(path))
			return 0;
		complain(
			"\"%s\" is not a path of the metadata service (examples: instance-id, /latest/meta-data/instance-id)",
			operand);
		return EXIT_USAGE;
	default:
		return 0;
	}
}

int invocation_parse(struct invocation *invocation, int argc, char **argv)
{
	const struct command *command;
	int status = pass(invocation, argc, argv, "+");

	if (status || optind >= argc)
		return status;
	invocation->operands = argv + optind;
	invocation->operand_count = argc - optind;
	command = command_find(invocation->operands[0]);
	if (!command)
		return 0; /* perhaps a program of its own: ec2hib-NAME */
	take_command(invocation, command);
	if (command->subcommands) {
		status = parse_rest(invocation, "+");
		if (status == 0)
			status = parse_subcommand(invocation);
		if (status || invocation->command->subcommands)
			return status;
	}
	status = parse_rest(invocation, "");
	for (int i = 0; status == 0 && !is_help(invocation) && i < invocation->operand_count; i++)
		status = check_operand(invocation->command, invocation->operands[i]);
	return status;
}

void invocation_free(struct invocation *invocation)
{
	const struct command *command = invocation->command;

	for (size_t i = 0; command && i < command->option_count; i++) {
		struct option_uses *uses = member_of(&command->options[i], invocation->options);

		/* Several rows share one. */
		if (command->options[i].type == OPTION_USES) {
			free(uses->items);
			*uses = (struct option_uses) { 0 };
		}
	}
	free(invocation->options);
	invocation->options = NULL;
}

/* ---- The way back ------------------------------------------------------------------------ */

static void add_words(
	const struct option_row *row, const struct global_options *global, struct strings *words)
{
	const void *member = member_of(row, global);
	const char *text = row->type == OPTION_TEXT ? *(const char *const *)member : NULL;
	unsigned times = row->type == OPTION_COUNT  ? *(const unsigned *)member
			 : row->type == OPTION_FLAG ? *(const bool *)member
						    : text != NULL;

	for (unsigned i = 0; i < times; i++) {
		strings_take(words, text_format("--%s", row->name));
		if (text)
			strings_add(words, text);
	}
}

void invocation_words(const struct invocation *invocation, struct strings *words)
{
	for (size_t i = 0; i < global_option_count; i++)
		add_words(&global_options[i], &invocation->global, words);
}

void invocation_machine_words(const struct invocation *invocation, struct strings *words)
{
	for (size_t i = 0; i < global_option_count; i++)
		if (global_options[i].of_machine)
			add_words(&global_options[i], &invocation->global, words);
}
