/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib shell: the same commands at a prompt, or from a script. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/shell_child.h"
#include "cmd/shell_history.h"
#include "cmd/shell_prompt.h"
#include "config.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/words.h"
#include "ui/line_editor.h"

/* A prompt that waits longer for candidates would look as if it hung. */
#define COMPLETION_LIMIT_MS 1500

struct shell {
	const struct invocation *invocation;
	struct strings options; /* of ours, which every command gets */
	bool typed;		/* somebody sits there */
	bool left;		/* exit was typed */
	sigset_t signals;	/* that are not to end us while a command runs */
	int signal_fd;
	bool interrupted; /* Ctrl-C came since the command began */
	int stopped;	  /* SIGTERM, SIGHUP, or for a script SIGINT; 0: none */
	int status;	  /* of the last command */
	struct shell_prompt prompt;
	struct shell_history history;
};

/* ---- One command ------------------------------------------------------------------------- */

/* The terminal's Ctrl-C goes to the command as well; what ends us we hand on to it. */
static void take_signals(struct shell *shell, pid_t child)
{
	struct signalfd_siginfo info;

	while (read(shell->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int number = (int)info.ssi_signo;

		if (number == SIGTERM || number == SIGHUP) {
			shell->stopped = number;
			if (child > 0)
				kill(child, number);
		} else if (number == SIGINT) {
			shell->interrupted = true;
			if (!shell->typed)
				shell->stopped = number;
		}
	}
}

/* A command that was killed at the terminal may have left that as no line can be typed. */
static void mend_terminal(const struct shell *shell, const struct termios *before)
{
	if (shell->typed)
		tcsetattr(STDIN_FILENO, TCSADRAIN, before);
}

static int wait_for(struct shell *shell, pid_t child)
{
	struct pollfd source = { .fd = shell->signal_fd, .events = POLLIN };
	int status;
	pid_t ended;

	while ((ended = waitpid(child, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
		poll(&source, 1, -1);
		take_signals(shell, child);
	}
	take_signals(shell, 0);
	return ended < 0 ? EXIT_NOT_READY << 8 : status;
}

/* While it runs the terminal's Ctrl-Z stops it and us together. */
static int run_command(struct shell *shell, const struct strings *words)
{
	const struct shell_child child = { .options = &shell->options,
		.arguments = words,
		.no_input = !shell->typed,
		.output = -1 };
	struct termios terminal = { 0 };
	struct error err = { "" };
	sigset_t stop;
	pid_t number;
	int status;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	fflush(stdout);
	shell->interrupted = false;
	if (shell->typed)
		tcgetattr(STDIN_FILENO, &terminal);
	sigprocmask(SIG_BLOCK, &shell->signals, NULL);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	number = shell_child_start(&child, &err);
	status = number < 0 ? EXIT_NOT_READY << 8 : wait_for(shell, number);
	if (number < 0)
		complain("%s", err.text);
	if (!shell->typed)
		sigprocmask(SIG_UNBLOCK, &shell->signals, NULL);
	else
		sigprocmask(SIG_BLOCK, &stop, NULL);
	if (WIFSIGNALED(status))
		mend_terminal(shell, &terminal);
	/* The terminal has shown ^C, and the prompt begins a line. */
	if (shell->interrupted)
		putchar('\n');
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGINT)
		complain("%s was killed by signal %d (%s)", words->items[0], WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	return shell_child_status(status);
}

/* The words exit and quit are the shell's own. True when it was one of them. */
static bool take_own_word(struct shell *shell, const struct strings *words)
{
	if (strcmp(words->items[0], "exit") != 0 && strcmp(words->items[0], "quit") != 0)
		return false;
	if (words->count > 1) {
		complain("%s takes no operand: \"%s\"", words->items[0], words->items[1]);
		shell->status = EXIT_USAGE;
	} else {
		shell->left = true;
	}
	return true;
}

/* False: there was nothing on it. */
static bool run_line(struct shell *shell, const char *line)
{
	strings_cleanup struct strings words = { 0 };
	struct error err = { "" };

	if (words_split(&words, line, getenv("HOME"), &err) < 0) {
		complain("%s", err.text);
		shell->status = EXIT_USAGE;
		return true;
	}
	/* The habit of another shell. */
	if (words.count > 1 && strcmp(words.items[0], "ec2hib") == 0) {
		free(words.items[0]);
		memmove(words.items, words.items + 1, --words.count * sizeof(*words.items));
	}
	if (words.count == 0)
		return false;
	if (!take_own_word(shell, &words))
		shell->status = run_command(shell, &words);
	return true;
}

/* ---- A script ---------------------------------------------------------------------------- */

static int run_script(struct shell *shell)
{
	bool keep_going = option_given(shell->invocation, "keep-going");
	memory_cleanup_free char *line = NULL;
	size_t room = 0;
	ssize_t length;

	for (unsigned long number = 1;
		!shell->left && !shell->stopped && (length = getline(&line, &room, stdin)) >= 0;
		number++) {
		if (strlen(line) != (size_t)length) {
			complain("line %lu: there is a NUL byte in it: no script", number);
			return EXIT_USAGE;
		}
		if (!run_line(shell, line) || shell->status == 0)
			continue;
		complain("line %lu: exit status %d", number, shell->status);
		if (!keep_going)
			return shell->status;
	}
	if (ferror(stdin)) {
		complain("cannot read the script: %s", strerror(errno));
		return EXIT_NOT_READY;
	}
	return shell->stopped ? 128 + shell->stopped : shell->status;
}

/* ---- At a terminal ----------------------------------------------------------------------- */

static void complete(void *data, const struct strings *words, struct line_candidates *candidates)
{
	struct shell *shell = data;
	strings_cleanup struct strings question = { 0 }, lines = { 0 };
	memory_cleanup_free char *answer = NULL;

	strings_add(&question, "__complete");
	strings_add(&question, "--");
	for (size_t i = 0; i < shell->options.count; i++)
		strings_add(&question, shell->options.items[i]);
	for (size_t i = 0; i < words->count; i++)
		strings_add(&question, words->items[i]);
	answer = shell_child_ask(NULL, &question, COMPLETION_LIMIT_MS);
	strings_split(&lines, answer, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		lines.items[i][strcspn(lines.items[i], "\t")] = '\0';
		if (strcmp(lines.items[i], ":files") == 0)
			candidates->files = true;
		else if (strcmp(lines.items[i], ":folders") == 0)
			candidates->folders = true;
		else
			strings_add(&candidates->words, lines.items[i]);
	}
}

static char *new_prompt(void *data)
{
	struct shell *shell = data;

	return shell_prompt_take(&shell->prompt) ? shell_prompt_text(&shell->prompt) : NULL;
}

/* What was pasted may be several lines. */
static void run_typed(struct shell *shell, const char *typed)
{
	strings_cleanup struct strings lines = { 0 };
	struct error err = { "" };

	strings_split(&lines, typed, "\n");
	for (size_t i = 0; i < lines.count && !shell->left && !shell->stopped; i++) {
		if (!lines.items[i][strspn(lines.items[i], " \t\r")])
			continue;
		if (shell_history_add(&shell->history, lines.items[i], &err) < 0) {
			warn_user(shell->invocation, "%s", err.text);
			text_set(&shell->history.path, NULL); /* said once */
		}
		run_line(shell, lines.items[i]);
	}
	line_editor_set_history(&shell->history.lines);
}

static int talk(struct shell *shell, struct line_editor *editor)
{
	enum line_event event = LINE_READ;

	if (!option_given(shell->invocation, "quiet"))
		puts("ec2hib " PACKAGE_VERSION
		     "; help lists the commands, Tab completes, exit or Ctrl-D leaves");
	while (!shell->left && !shell->stopped && event != LINE_END && event != LINE_STOPPED) {
		memory_cleanup_free char *line = NULL, *prompt = NULL;

		shell_prompt_look(&shell->prompt);
		shell_prompt_take(&shell->prompt);
		prompt = shell_prompt_text(&shell->prompt);
		fflush(stdout);
		event = line_editor_read(editor, prompt, &line);
		if (event == LINE_READ)
			run_typed(shell, line);
		else if (event == LINE_END)
			putchar('\n');
	}
	if (event == LINE_STOPPED)
		shell->stopped = editor->stopped_by;
	return shell->stopped ? 128 + shell->stopped : shell->status;
}

static int run_at_terminal(struct shell *shell)
{
	struct line_editor editor = { .signals = shell->signal_fd,
		.home = getenv("HOME"),
		.complete = complete,
		.new_prompt = new_prompt,
		.data = shell };
	struct error err = { "" };
	int status;

	if (line_editor_open(&editor, &err) < 0) {
		complain("%s", err.text);
		return EXIT_NOT_READY;
	}
	if (shell_history_open(&shell->history, &err) < 0)
		warn_user(shell->invocation, "no history is kept: %s", err.text);
	line_editor_set_history(&shell->history.lines);
	shell->prompt = (struct shell_prompt) { .invocation = shell->invocation,
		.options = &shell->options };
	sigprocmask(SIG_BLOCK, &shell->signals, NULL);
	status = talk(shell, &editor);
	shell_prompt_close(&shell->prompt);
	shell_history_close(&shell->history);
	return status;
}

/* ---- The command ------------------------------------------------------------------------- */

/* What stood before or behind "shell" is meant for all that is typed there. */
static void take_options(struct shell *shell)
{
	static const char *const with_value[] = { "config", "root", "imds-endpoint", "color" };
	const struct invocation *invocation = shell->invocation;

	for (size_t i = 0; i < ARRAY_SIZE(with_value); i++)
		if (option_given(invocation, with_value[i]))
			strings_take(
				&shell->options, text_format("--%s=%s", with_value[i],
							 option_value(invocation, with_value[i])));
	for (unsigned i = 0; i < invocation->verbose; i++)
		strings_add(&shell->options, "--verbose");
	if (option_given(invocation, "quiet"))
		strings_add(&shell->options, "--quiet");
}

static int open_signals(struct shell *shell)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	static const int typed[] = { SIGTSTP, SIGWINCH };

	sigemptyset(&shell->signals);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&shell->signals, numbers[i]);
	for (size_t i = 0; shell->typed && i < ARRAY_SIZE(typed); i++)
		sigaddset(&shell->signals, typed[i]);
	shell->signal_fd = signalfd(-1, &shell->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return shell->signal_fd;
}

static int run(struct invocation *invocation)
{
	struct shell shell = { .invocation = invocation,
		.typed = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };
	int status;

	take_options(&shell);
	if (open_signals(&shell) < 0) {
		complain("cannot wait for signals: %s", strerror(errno));
		return EXIT_NOT_READY;
	}
	status = shell.typed ? run_at_terminal(&shell) : run_script(&shell);
	close(shell.signal_fd);
	strings_free(&shell.options);
	return status;
}

static const struct option_entry options[] = {
	{ "keep-going", 'k', ARGUMENT_NONE, NULL, NULL,
		"go on with a script after a command has failed" },
};

const struct command command_shell = {
	.name = "shell",
	.synopsis = "[--keep-going]",
	.summary = "the same commands at a prompt, or from a script",
	.details =
		"At a terminal: history, completion with Tab, and a prompt that says whether the\n"
		"machine is ready. Otherwise standard input is a script, a command a line, which\n"
		"ends with the first that fails. Words are quoted as in other shells, and #\n"
		"begins a comment. Options of every command are then those of each in the shell.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.run = run,
};
