/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib: hibernation on EC2. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
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
	&command_shell,
	&command_help,
	&command_version,
	&command_complete,
};
const size_t command_count = ARRAY_SIZE(commands);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

const struct command *subcommand_find(const struct command *command, const char *name)
{
	const struct command *const *all = command->subcommands;

	for (; all && *all; all++)
		if (strcmp((*all)->name, name) == 0)
			return *all;
	return NULL;
}

char *command_words(const struct command *command)
{
	return command->parent ? text_format("%s %s", command->parent->name, command->name)
			       : text_copy(command->name);
}

void complain(const char *format, ...)
{
	memory_cleanup_free char *text = NULL;
	va_list arguments;

	fflush(stdout);
	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	style_line(stderr, "ec2hib: ", text);
}

void warn_user(const struct invocation *invocation, const char *format, ...)
{
	memory_cleanup_free char *text = NULL;
	va_list arguments;

	if (option_given(invocation, "quiet"))
		return;
	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	complain("warning: %s", text);
}

/* ec2hib foo runs ec2hib-foo from PATH, as git does. Returns only when there is none. */
static int run_external(const struct invocation *invocation)
{
	const char *name = invocation->operands[0];
	memory_cleanup_free char *program = text_format("ec2hib-%s", name);

	if (!strchr(name, '/') && *name != '-')
		execvp(program, invocation->operands);
	if (errno != ENOENT && !strchr(name, '/')) {
		complain("cannot run %s: %s", program, strerror(errno));
		return EXIT_NOT_READY;
	}
	complain("there is no command \"%s\"; ec2hib --help lists them", name);
	return EXIT_USAGE;
}

/* Output that did not reach its file (a full disk, a closed pipe) is a failure like any other. */
static int finish(int status)
{
	bool failed = ferror(stdout) != 0;

	if (fclose(stdout) != 0)
		failed = true;
	if (!failed || errno == EPIPE)
		return status;
	complain("cannot write the output: %s", strerror(errno));
	return status ? status : EXIT_NOT_READY;
}

int main(int argc, char **argv)
{
	struct invocation invocation = { 0 };
	int status;

	/* Which characters can be shown; the language, and how numbers look, are always ours. */
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	process_fill_descriptors();
	process_hide_descriptors();
	status = invocation_parse(&invocation, argc, argv);
	if (status)
		return status;
	style_init(&invocation.style, option_value(&invocation, "color"));
	if (option_given(&invocation, "version"))
		status = command_version.run(&invocation);
	else if (option_given(&invocation, "help") && invocation.command)
		help_command(invocation.command);
	else if (option_given(&invocation, "help"))
		help_program();
	else if (invocation.command)
		status = invocation.command->run(&invocation);
	else if (invocation.operand_count)
		status = run_external(&invocation);
	else {
		help_program();
		status = EXIT_USAGE;
	}
	return finish(status);
}
