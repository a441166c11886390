/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --help, `help` and `version`. */
#include "cmd/command.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define HELP_COLUMN 27

static void show_options(const struct option_row *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		memory_cleanup_free char *left = text_format("  %c%c%s --%s%s%s",
			options[i].letter ? '-' : ' ', options[i].letter ? options[i].letter : ' ',
			options[i].letter ? "," : " ", options[i].name,
			options[i].argument ? " " : "",
			options[i].argument ? options[i].argument : "");

		printf("%-*s %s\n", HELP_COLUMN, left, options[i].help);
	}
}

static bool has_page(const struct command *command)
{
	return command != &command_help && command != &command_version;
}

void help_program(void)
{
	puts("Usage: ec2hib [OPTION...] COMMAND [ARGUMENT...]\n"
	     "Makes hibernation on EC2 trustworthy.\n\n"
	     "Commands:");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary)
			printf("  %-14s %s\n", commands[i]->name, commands[i]->summary);
	puts("\nOptions:");
	show_options(global_options, global_option_count);
	puts("\nOf one command: ec2hib COMMAND --help; its manual page: ec2hib help COMMAND");
}

static void show_subcommands(const struct command *command)
{
	puts("\nCommands:");
	for (size_t i = 0; command->subcommands[i]; i++)
		printf("  %-14s %s\n", command->subcommands[i]->name,
			command->subcommands[i]->summary);
}

void help_command(const struct command *command)
{
	memory_cleanup_free char *words = command_words(command);

	printf("Usage: ec2hib %s%s%s\n", words, *command->synopsis ? " " : "", command->synopsis);
	if (!command->summary)
		return;
	printf("%c%s.\n", toupper((unsigned char)*command->summary), command->summary + 1);
	if (command->details)
		printf("\n%s\n", command->details);
	if (command->subcommands)
		show_subcommands(command);
	if (command->option_count)
		puts("\nOptions:");
	show_options(command->options, command->option_count);
	/* Their list would push the command's own off a screen of 24 lines. */
	fputs("\nOptions of every command: ec2hib --help.", stdout);
	if (has_page(command))
		printf(" Manual page: man ec2hib-%s.",
			command->parent ? command->parent->name : command->name);
	putchar('\n');
}

/* Is there a man, and has it the page? It is asked with the user's own PATH and MANPATH. */
static bool page_is_installed(char *page)
{
	char *const arguments[] = { "man", "-w", page, NULL };
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
	if (posix_spawnp(&child, "man", &actions, NULL, arguments, environ) == 0)
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	posix_spawn_file_actions_destroy(&actions);
	return status == 0;
}

/* The command that the operands name, perhaps with a subcommand; NULL after a message. */
static const struct command *find_named(const struct invocation *invocation)
{
	const struct command *command = command_find(invocation->operands[0]);
	const char *word = invocation->operand_count > 1 ? invocation->operands[1] : NULL;

	if (!command || !command->summary) {
		complain_of_command(NULL, invocation->operands[0]);
		return NULL;
	}
	if (invocation->operand_count > (command->subcommands ? 2 : 1)) {
		complain("help takes one command: \"%s\" is too many",
			invocation->operands[command->subcommands ? 2 : 1]);
		return NULL;
	}
	if (word && !subcommand_find(command, word)) {
		complain_of_command(command, word);
		return NULL;
	}
	return word ? subcommand_find(command, word) : command;
}

static int run_help(struct invocation *invocation, struct session *session UNUSED)
{
	memory_cleanup_free char *page = NULL;
	const struct command *command;

	if (invocation->operand_count == 0) {
		help_program();
		return 0;
	}
	command = find_named(invocation);
	if (!command)
		return EXIT_USAGE;
	/* A subcommand is in its command's page. */
	page = text_format("ec2hib-%s", command->parent ? command->parent->name : command->name);
	if (has_page(command) && page_is_installed(page))
		execlp("man", "man", page, (char *)NULL);
	/* The short form is better than nothing. */
	help_command(command);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.synopsis = "[COMMAND]",
	.summary = "show what there is, or the manual page of a command",
	.operands = ARGUMENT_COMMAND,
	.run = run_help,
};

static int run_version(struct invocation *invocation UNUSED, struct session *session UNUSED)
{
	puts("ec2hib " PACKAGE_VERSION);
	return 0;
}

const struct command command_version = {
	.name = "version",
	.synopsis = "",
	.summary = "show the version",
	.run = run_version,
};
