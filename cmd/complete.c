/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the shells' completion scripts and our own prompt ask: ec2hib __complete -- WORD... prints
 * the candidates for the last word, one a line, each with a tab and its help. The words come from
 * the command table, so a completion cannot be stale. The lines ":files" and ":folders" ask the
 * shell for file names.
 */
#include "cmd/complete.h"

#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "core/actions/metadata.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/checks.h"
#include "core/rules/rehearsal.h"
#include "ui/style.h"

void offer(struct completion *completion, const char *word, const char *help)
{
	memory_cleanup_free char *safe = style_text(word);

	/* What would reach the terminal as something else is not offered; it can be typed. */
	if (!text_starts(word, completion->typed) || strcmp(safe, word) != 0)
		return;
	printf("%s\t%s\n", word, help ? help : "");
	completion->offered++;
}

static void offer_options(
	struct completion *completion, const struct option_entry *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s", options[i].name);
		offer(completion, name, options[i].help);
	}
}

static void offer_words(struct completion *completion, const char *const *words)
{
	for (; words && *words; words++)
		offer(completion, *words, NULL);
}

static void offer_faults(struct completion *completion)
{
	for (size_t i = 0; i < metadata_fault_kind_count; i++) {
		char word[32];

		snprintf(word, sizeof(word), "%s=", metadata_fault_kinds[i].name);
		offer(completion, word, metadata_fault_kinds[i].help);
	}
}

static void offer_checks(struct completion *completion)
{
	for (size_t i = 0; i < check_count; i++)
		offer(completion, checks[i].id, checks[i].title);
}

static void offer_commands(struct completion *completion)
{
	for (size_t i = 0; i < command_count; i++)
		if (commands[i]->summary)
			offer(completion, commands[i]->name, commands[i]->summary);
}

/* The last of a list; what stands before it stays. */
static void offer_levels(struct completion *completion)
{
	const char *typed = completion->typed, *comma = strrchr(typed, ',');
	int before = comma ? (int)(comma + 1 - typed) : 0;

	for (size_t i = 0; i < LEVEL_COUNT; i++) {
		memory_cleanup_free char *word =
			text_format("%.*s%s", before, typed, rehearsal_levels[i].id);

		offer(completion, word, rehearsal_levels[i].title);
	}
	if (!comma)
		offer(completion, "all", "every level, the whole cycle too");
}

static void offer_sizes(struct completion *completion)
{
	static const char *const sizes[] = { "auto", "100%", "50%", "4G", "8G", "16G", NULL };

	offer_words(completion, sizes);
}

static void offer_endpoints(struct completion *completion)
{
	offer(completion, IMDS_ENDPOINT_IPV4, "the service of an instance, IPv4");
	offer(completion, IMDS_ENDPOINT_IPV6, "the service of an instance, IPv6");
}

static void offer_arguments(
	struct completion *completion, enum argument_kind kind, const char *const *words)
{
	static void (*const offers[])(struct completion * completion) = {
		[ARGUMENT_SIZE] = offer_sizes,
		[ARGUMENT_URL] = offer_endpoints,
		[ARGUMENT_CHECK] = offer_checks,
		[ARGUMENT_COMMAND] = offer_commands,
		[ARGUMENT_ITEM] = offer_items,
		[ARGUMENT_FAULT] = offer_faults,
		[ARGUMENT_LEVELS] = offer_levels,
		[ARGUMENT_SWAP_FILE] = offer_swap_files,
		[ARGUMENT_DEVICE] = offer_devices,
		[ARGUMENT_TEXT] = NULL,
	};

	if (kind == ARGUMENT_WORD)
		offer_words(completion, words);
	else if (offers[kind])
		offers[kind](completion);
	if (kind == ARGUMENT_FOLDER)
		puts(":folders");
	/* Any other file may be meant where none of what we know of is. */
	if (kind == ARGUMENT_FILE ||
		(!completion->offered && (kind == ARGUMENT_SWAP_FILE || kind == ARGUMENT_DEVICE)))
		puts(":files");
}

static void offer_subcommands(struct completion *completion, const struct command *command)
{
	for (size_t i = 0; command->subcommands[i]; i++)
		offer(completion, command->subcommands[i]->name, command->subcommands[i]->summary);
}

/* ---- The words before ------------------------------------------------------------------- */

/* The option that WORD names, up to a =, and that wants an argument; NULL otherwise. */
static const struct option_entry *awaits_argument(const struct command *command, const char *word)
{
	size_t length = strcspn(word, "=");

	const struct option_entry *lists[] = { global_options, command ? command->options : NULL };
	const size_t counts[] = { global_option_count, command ? command->option_count : 0 };

	if (!text_starts(word, "--"))
		return NULL;
	for (size_t list = 0; list < 2; list++)
		for (size_t i = 0; i < counts[list]; i++)
			if (lists[list][i].kind != ARGUMENT_NONE &&
				strlen(lists[list][i].name) == length - 2 &&
				strncmp(lists[list][i].name, word + 2, length - 2) == 0)
				return &lists[list][i];
	return NULL;
}

static void take_value(
	struct completion *completion, const struct option_entry *option, const char *value)
{
	if (option && strcmp(option->name, "imds-endpoint") == 0)
		completion->endpoint = value;
	else if (option && strcmp(option->name, "root") == 0)
		completion->image = true;
}

/* Of help, the command that it is asked about. */
static const struct command *command_asked_about(const struct command *command, const char *word)
{
	const struct command *asked = command == &command_help ? command_find(word) : NULL;

	return asked && asked->subcommands ? asked : NULL;
}

/* What the words before the last one come to. */
struct context {
	const struct command *command;	    /* NULL: none so far */
	const struct command *asked;	    /* help NAME, where NAME has subcommands */
	const struct option_entry *awaited; /* whose argument is typed */
};

static void take_word(struct context *context, struct completion *completion, const char *word)
{
	const char *equals = strchr(word, '=');

	if (context->awaited) {
		take_value(completion, context->awaited, word);
		context->awaited = NULL;
	} else if (*word == '-' && equals) {
		take_value(completion, awaits_argument(context->command, word), equals + 1);
	} else if (*word == '-') {
		context->awaited = awaits_argument(context->command, word);
	} else if (!context->command) {
		context->command = command_find(word);
	} else if (subcommand_find(context->command, word)) {
		context->command = subcommand_find(context->command, word);
	} else {
		context->asked = command_asked_about(context->command, word);
	}
}

static void offer_all(const struct context *context, struct completion *completion)
{
	const struct command *command = context->command;

	if (context->awaited) {
		offer_arguments(completion, context->awaited->kind, context->awaited->words);
	} else if (*completion->typed == '-') {
		if (command)
			offer_options(completion, command->options, command->option_count);
		offer_options(completion, global_options, global_option_count);
	} else if (context->asked) {
		offer_subcommands(completion, context->asked);
	} else if (command && command->subcommands) {
		offer_subcommands(completion, command);
	} else {
		offer_arguments(completion, command ? command->operands : ARGUMENT_COMMAND, NULL);
	}
}

static int run(struct invocation *invocation)
{
	struct completion completion = { .typed = "" };
	struct context context = { 0 };
	int last = invocation->operand_count - 1;

	for (int i = 0; i < last; i++)
		take_word(&context, &completion, invocation->operands[i]);
	if (last >= 0)
		completion.typed = invocation->operands[last];
	/* Of --option=value the values are offered. */
	if (!context.awaited && text_starts(completion.typed, "--") &&
		strchr(completion.typed, '=')) {
		context.awaited = awaits_argument(context.command, completion.typed);
		if (!context.awaited)
			return 0;
		completion.typed = strchr(completion.typed, '=') + 1;
	}
	offer_all(&context, &completion);
	return 0;
}

const struct command command_complete = {
	.name = "__complete",
	.synopsis = "-- WORD...",
	.operands = ARGUMENT_COMMAND,
	.run = run,
};
