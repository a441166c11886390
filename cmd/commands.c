/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands that there are, and which of them a word means. */
#include <string.h>

#include "cmd/command.h"
#include "core/base/text.h"

static const struct command *const imds_commands[] = { &command_imds_get, &command_imds_serve,
	NULL };

const struct command command_imds = {
	.name = "imds",
	.subcommands = imds_commands,
	.synopsis = "COMMAND [ARGUMENT...]",
	.summary = "ask the metadata service, or serve a simulated one",
};

const struct command *const commands[] = {
	&command_status,
	&command_setup,
	&command_teardown,
	&command_prewarm,
	&command_hibernate,
	&command_test_hibernate,
	&command_watch,
	&command_history,
	&command_tui,
	&command_imds,
	&command_check_config,
	&command_shell,
	&command_help,
	&command_version,
	&command_complete,
	NULL,
};

static const struct command *find_in(const struct command *const *all, const char *name)
{
	for (; all && *all; all++)
		if (strcmp((*all)->name, name) == 0)
			return *all;
	return NULL;
}

const struct command *command_find(const char *name)
{
	return find_in(commands, name);
}

const struct command *subcommand_find(const struct command *command, const char *name)
{
	return find_in(command->subcommands, name);
}

char *command_words(const struct command *command)
{
	return command->parent ? text_format("%s %s", command->parent->name, command->name)
			       : text_copy(command->name);
}

/* ---- A word that is not a command ----------------------------------------------------------- */

#define WORD_MOST 32

static size_t least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Typing errors between two words: letters left out, put in, replaced, or exchanged with the next
 * one. WORD_MOST for words that long.
 */
static size_t typing_errors(const char *a, const char *b)
{
	/* [i][k]: between the first i letters of A and the first k of B. */
	size_t errors[WORD_MOST + 1][WORD_MOST + 1];
	size_t lengths[] = { strlen(a), strlen(b) };

	if (lengths[0] > WORD_MOST || lengths[1] > WORD_MOST)
		return WORD_MOST;
	for (size_t i = 0; i <= lengths[0]; i++)
		for (size_t k = 0; k <= lengths[1]; k++) {
			if (i == 0 || k == 0) {
				errors[i][k] = i + k;
				continue;
			}
			errors[i][k] = least_of(errors[i - 1][k], errors[i][k - 1]) + 1;
			errors[i][k] = least_of(
				errors[i][k], errors[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				errors[i][k] = least_of(errors[i][k], errors[i - 2][k - 2] + 1);
		}
	return errors[lengths[0]][lengths[1]];
}

/* The command that WORD may be meant for: one error in a short word, two in a longer one. */
static const struct command *find_similar(const struct command *parent, const char *word)
{
	const struct command *const *all = parent ? parent->subcommands : commands;
	const struct command *found = NULL;
	size_t best = (strlen(word) < 5 ? 1 : 2) + 1;

	for (; *all; all++) {
		size_t errors = (*all)->summary ? typing_errors(word, (*all)->name) : best;

		if (errors < best) {
			best = errors;
			found = *all;
		}
	}
	return found;
}

void complain_of_command(const struct command *parent, const char *word)
{
	const struct command *similar = find_similar(parent, word);
	const char *front = parent ? parent->name : "", *blank = parent ? " " : "";

	if (similar)
		complain("there is no command \"%s%s%s\"; did you mean \"%s%s%s\"?", front, blank,
			word, front, blank, similar->name);
	else
		complain("there is no command \"%s%s%s\"; ec2hib %s%s--help lists them", front,
			blank, word, front, blank);
}
