/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the shells' completion scripts ask: ec2hib __complete WORD... prints the candidates for the
 * last word, one a line, each with a tab and its help. The words come from the command table, so a
 * completion cannot be stale. The lines ":files" and ":folders" ask the shell for file names.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "core/actions/metadata.h"
#include "core/base/text.h"
#include "core/rules/checks.h"

static void offer(const char *word, const char *typed, const char *help)
{
	if (text_starts(word, typed))
		printf("%s\t%s\n", word, help ? help : "");
}

static void offer_options(
	const struct option_entry *options, size_t count, const char *typed)
{
	for (size_t i = 0; i < count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s", options[i].name);
		offer(name, typed, options[i].help);
	}
}

static void offer_words(const char *const *words, const char *typed)
{
	for (; words && *words; words++)
		offer(*words, typed, NULL);
}

static void offer_faults(const char *typed)
{
	for (size_t i = 0; i < metadata_fault_kind_count; i++) {
		char word[32];

		snprintf(word, sizeof(word), "%s=", metadata_fault_kinds[i].name);
		offer(word, typed, metadata_fault_kinds[i].help);
	}
}

static void offer_arguments(
	enum argument_kind kind, const char *const *words, const char *typed)
{
	static const char *const sizes[] = { "auto", "100%", "50%", "4G", "8G", "16G",
		NULL };

	static const char *const items[] = { "ami-id", "hibernation/configured",
		"instance-id", "instance-life-cycle", "instance-type", "placement/region",
		"spot/instance-action", "events/maintenance/scheduled",
		"events/recommendations/rebalance", "meta-data/",
		"dynamic/instance-identity/document", "user-data", NULL };

	switch (kind) {
	case ARGUMENT_FILE:
		puts(":files");
		break;
	case ARGUMENT_FOLDER:
		puts(":folders");
		break;
	case ARGUMENT_SIZE:
		offer_words(sizes, typed);
		break;
	case ARGUMENT_ITEM:
		offer_words(items, typed);
		break;
	case ARGUMENT_FAULT:
		offer_faults(typed);
		break;
	case ARGUMENT_WORD:
		offer_words(words, typed);
		break;
	case ARGUMENT_CHECK:
		for (size_t i = 0; i < check_count; i++)
			offer(checks[i].id, typed, checks[i].title);
		break;
	case ARGUMENT_COMMAND:
		for (size_t i = 0; i < command_count; i++)
			if (commands[i]->summary)
				offer(commands[i]->name, typed, commands[i]->summary);
		break;
	case ARGUMENT_URL:
		offer("http://169.254.169.254", typed,
			"the service of an instance, IPv4");
		offer("http://[fd00:ec2::254]", typed,
			"the service of an instance, IPv6");
		break;
	case ARGUMENT_TEXT:
	case ARGUMENT_NONE:
		break;
	}
}

static void offer_subcommands(const struct command *command, const char *typed)
{
	for (size_t i = 0; command->subcommands[i]; i++)
		offer(command->subcommands[i]->name, typed,
			command->subcommands[i]->summary);
}

/* The option that WORD names, up to a =, and that wants an argument; NULL otherwise. */
static const struct option_entry *awaits_argument(
	const struct command *command, const char *word)
{
	size_t length = strcspn(word, "=");

	const struct option_entry *lists[] = { global_options,
		command ? command->options : NULL };
	const size_t counts[] = { global_option_count,
		command ? command->option_count : 0 };

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

static int run(struct invocation *invocation)
{
	const struct command *command = NULL;
	const struct option_entry *awaited = NULL;
	const char *typed = "";

	for (int i = 0; i < invocation->operand_count; i++) {
		typed = invocation->operands[i];
		if (i == invocation->operand_count - 1)
			break;
		if (awaited)
			awaited = NULL;
		else if (*typed == '-' && !strchr(typed, '='))
			awaited = awaits_argument(command, typed);
		else if (*typed != '-' && !command)
			command = command_find(typed);
		else if (command && subcommand_find(command, typed))
			command = subcommand_find(command, typed);
	}
	if (!awaited && text_starts(typed, "--") && strchr(typed, '=')) {
		awaited = awaits_argument(command, typed);
		if (!awaited)
			return 0;
		typed = strchr(typed, '=') + 1; /* values are offered */
	}
	if (awaited) {
		offer_arguments(awaited->kind, awaited->words, typed);
		return 0;
	}
	if (*typed == '-') {
		if (command)
			offer_options(command->options, command->option_count, typed);
		offer_options(global_options, global_option_count, typed);
		return 0;
	}
	if (command && command->subcommands)
		offer_subcommands(command, typed);
	else
		offer_arguments(
			command ? command->operands : ARGUMENT_COMMAND, NULL, typed);
	return 0;
}

const struct command command_complete = {
	.name = "__complete",
	.synopsis = "-- WORD...",
	.operands = ARGUMENT_COMMAND,
	.run = run,
};
