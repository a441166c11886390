/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib: hibernation on EC2. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/command.h"
#include "core/actions/recover.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"

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

	if (invocation->global.quiet)
		return;
	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	complain("warning: %s", text);
}

bool ask_user(const char *question)
{
	char answer[16] = "";

	printf("%s [y/N] ", question);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		putchar('\n'); /* Ctrl-D leaves the cursor after the question */
	return strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0;
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
	complain_of_command(NULL, name);
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

/* ---- What a command needs ---------------------------------------------------------------- */

static int check_machine(const struct invocation *invocation, const struct session *session)
{
	const struct command *command = invocation->command;

	if (command->only_live && !session->root.live) {
		complain("%s is an image: %s", session->root.path, command->only_live);
		return EXIT_USAGE;
	}
	if ((invocation->needs & NEEDS_ROOT) && geteuid() != 0) {
		complain("%s needs root: run it with sudo", command->name);
		return EXIT_NOT_READY;
	}
	return 0;
}

static void show_repair(void *data, int priority, const char *text)
{
	if (priority <= LOG_ERR)
		complain("%s", text);
	else
		warn_user(data, "%s", text);
}

static int run_command(struct invocation *invocation)
{
	const struct command *command = invocation->command;
	const struct reporter reporter = { .log = show_repair, .data = invocation };
	struct session session;
	int status;

	if (command->terminal && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))) {
		complain("%s needs a terminal; %s", command->name, command->terminal);
		return EXIT_USAGE;
	}
	if (!(invocation->needs & NEEDS_SESSION))
		return command->run(invocation, NULL);
	status = session_open(&session, invocation);
	if (status == 0 && !session.saved)
		status = check_machine(invocation, &session);
	if (status == 0 && (invocation->needs & REPAIRS_LEFTOVERS))
		recover(&session.gather, &reporter);
	if (status == 0)
		status = command->run(invocation, &session);
	session_close(&session);
	return status;
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
	style_init(&invocation.style, invocation.global.color);
	if (status)
		; /* it was said */
	else if (invocation.global.version)
		status = command_version.run(&invocation, NULL);
	else if (invocation.global.help && invocation.command)
		help_command(invocation.command);
	else if (invocation.global.help)
		help_program();
	else if (invocation.command)
		status = run_command(&invocation);
	else if (invocation.operand_count)
		status = run_external(&invocation);
	else {
		help_program();
		status = EXIT_USAGE;
	}
	invocation_free(&invocation);
	return finish(status);
}
