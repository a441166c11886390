/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib shell: the same commands at a prompt, or from a script. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/shell_history.h"
#include "config.h"
#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/words.h"
#include "ui/line_editor.h"

/* A prompt that waits longer for candidates would look as if it hung. */
#define COMPLETION_LIMIT_MS 1500

/* The file that runs, also when another one has its name by now. */
#define PROGRAM "/proc/self/exe"

/* So much of what a child says is read. */
#define ANSWER_LIMIT ((size_t)256 * 1024)

struct shell_options {
	bool keep_going;
};

#define OPTIONS struct shell_options
static const struct option_row options[] = {
	OPT_FLAG("keep-going", keep_going, "go on with a script after a command has failed",
		.letter = 'k'),
};

/* Whether the machine is ready, as the prompt says it. */
struct readiness_watch {
	pid_t child; /* that looks; 0: none */
	bool again;  /* something may have changed since it began */
	bool known;
	enum exit_status answer;
};

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
	struct readiness_watch readiness;
	struct shell_history history;
};

/* ---- ec2hib as a child ------------------------------------------------------------------- */

/*
 * What a command does to its memory, its signals and its exit does not touch the shell, and ps(1)
 * shows what runs.
 */
enum child_kind {
	CHILD_TYPED,	  /* it has the terminal */
	CHILD_OF_SCRIPT,  /* standard input is the script, which is not for it */
	CHILD_BACKGROUND, /* it has neither input nor error, and Ctrl-C is not for it */
};

/* OUTPUT: its standard output; -1: ours, or in the background none. */
static void set_descriptors(posix_spawn_file_actions_t *actions, enum child_kind kind, int output)
{
	if (kind != CHILD_TYPED)
		posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (output >= 0)
		posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
	else if (kind == CHILD_BACKGROUND)
		posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (kind == CHILD_BACKGROUND)
		posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
}

/* Its number, or a negative errno. No signal is blocked in it. */
static pid_t child_start(const struct shell *shell, const struct strings *arguments,
	enum child_kind kind, int output, struct error *err)
{
	short flags = POSIX_SPAWN_SETSIGMASK;
	strings_cleanup struct strings words = { 0 };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t number;
	int status;

	strings_add(&words, "ec2hib");
	for (size_t i = 0; i < shell->options.count; i++)
		strings_add(&words, shell->options.items[i]);
	for (size_t i = 0; i < arguments->count; i++)
		strings_add(&words, arguments->items[i]);
	words.items = memory_grow(words.items, words.count, sizeof(*words.items));

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	set_descriptors(&actions, kind, output);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attributes, &none);
	if (kind == CHILD_BACKGROUND)
		flags |= POSIX_SPAWN_SETPGROUP;
	posix_spawnattr_setflags(&attributes, flags);
	status = posix_spawn(&number, PROGRAM, &actions, &attributes, words.items, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (status)
		return error_errno(err, status, "cannot start " PROGRAM);
	return number;
}

/* The exit status as a shell has it: 128 and the signal for one that was killed. */
static int child_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* Adds what comes from FD to *TEXT until its end, the limit, or DUE (ms of CLOCK_MONOTONIC). */
static void read_until(int fd, uint64_t due, char **text)
{
	struct pollfd source = { .fd = fd, .events = POLLIN };
	size_t size = 0;
	char block[4096];

	while (size < ANSWER_LIMIT) {
		uint64_t now = clock_ms(CLOCK_MONOTONIC);
		int ready = now < due ? poll(&source, 1, (int)(due - now)) : 0;
		ssize_t got;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return;
		got = read(fd, block, sizeof(block));
		if (got <= 0)
			return;
		size += (size_t)got;
		text_append(text, "%.*s", (int)got, block);
	}
}

/*
 * What a child in the background says on standard output. One that takes longer than LIMIT_MS is
 * killed, and what it has said until then is all. The caller frees it.
 */
static char *child_ask(const struct shell *shell, const struct strings *arguments, int limit_ms)
{
	uint64_t due = clock_ms(CLOCK_MONOTONIC) + (uint64_t)limit_ms;
	struct error err = { "" };
	char *answer = text_copy("");
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return answer;
	child = child_start(shell, arguments, CHILD_BACKGROUND, ends[1], &err);
	close(ends[1]);
	if (child > 0) {
		read_until(ends[0], due, &answer);
		/* At its end it has nothing to lose; late, it is not waited for. */
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	return answer;
}

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
	enum child_kind kind = shell->typed ? CHILD_TYPED : CHILD_OF_SCRIPT;
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
	number = child_start(shell, words, kind, -1, &err);
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
	return child_status(status);
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
	const struct shell_options *wanted = shell->invocation->options;
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
		if (!wanted->keep_going)
			return shell->status;
	}
	if (ferror(stdin)) {
		complain("cannot read the script: %s", strerror(errno));
		return EXIT_NOT_READY;
	}
	return shell->stopped ? 128 + shell->stopped : shell->status;
}

/* ---- The prompt -------------------------------------------------------------------------- */

/* It says whether the machine is ready. A child finds that out: nobody waits for a metadata service
 * to be able to type. */
static const struct saying {
	const char *text;
	enum colour colour;
} sayings[] = {
	[EXIT_READY] = { "ready", COLOUR_GOOD },
	[EXIT_NOT_READY] = { "not ready", COLOUR_BAD },
	/* Why is said by status itself. */
	[EXIT_USAGE] = { "cannot tell", COLOUR_RISK },
	[EXIT_UNKNOWN] = { "cannot tell", COLOUR_RISK },
};

static void readiness_begin(struct shell *shell)
{
	struct readiness_watch *readiness = &shell->readiness;
	strings_cleanup struct strings status = { 0 };
	struct error err = { "" };
	pid_t child;

	strings_add(&status, command_status.name);
	strings_add(&status, "--quiet");
	child = child_start(shell, &status, CHILD_BACKGROUND, -1, &err);
	readiness->again = false;
	readiness->child = child > 0 ? child : 0;
	if (child < 0)
		readiness->known = false;
}

/* Begins to find out anew, unless that is under way: then once more after it. */
static void readiness_look(struct shell *shell)
{
	if (shell->readiness.child)
		shell->readiness.again = true;
	else
		readiness_begin(shell);
}

/* Takes what a child that has ended found. True when the prompt says something else than before. */
static bool readiness_take(struct shell *shell)
{
	struct readiness_watch *readiness = &shell->readiness, before = *readiness;
	int status;

	if (!readiness->child || waitpid(readiness->child, &status, WNOHANG) != readiness->child)
		return false;
	status = child_status(status);
	readiness->child = 0;
	readiness->known = true;
	readiness->answer = status > EXIT_UNKNOWN ? EXIT_UNKNOWN : (enum exit_status)status;
	if (readiness->again)
		readiness_begin(shell);
	return before.known != readiness->known || before.answer != readiness->answer;
}

static char *prompt_text(const struct shell *shell)
{
	const struct saying *saying = &sayings[shell->readiness.answer];
	const struct style *style = &shell->invocation->style;
	const char *root = shell->invocation->global.root;
	memory_cleanup_free char *shown = root ? style_text(root) : NULL;
	memory_cleanup_free char *word = NULL;

	if (!shell->readiness.known)
		return text_format("ec2hib%s%s> ", shown ? " " : "", shown ? shown : "");
	word = line_editor_coloured(saying->text, style_colour(style, saying->colour),
		style_colour(style, COLOUR_PLAIN));
	return text_format("ec2hib%s%s [%s]> ", shown ? " " : "", shown ? shown : "", word);
}

static char *new_prompt(void *data)
{
	struct shell *shell = data;

	return readiness_take(shell) ? prompt_text(shell) : NULL;
}

/* ---- At a terminal ----------------------------------------------------------------------- */

static void complete(void *data, const struct strings *words, struct line_candidates *candidates)
{
	struct shell *shell = data;
	strings_cleanup struct strings question = { 0 }, lines = { 0 };
	memory_cleanup_free char *answer = NULL;

	strings_add(&question, "__complete");
	strings_add(&question, "--");
	for (size_t i = 0; i < words->count; i++)
		strings_add(&question, words->items[i]);
	answer = child_ask(shell, &question, COMPLETION_LIMIT_MS);
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

	if (!shell->invocation->global.quiet)
		puts("ec2hib " PACKAGE_VERSION
		     "; help lists the commands, Tab completes, exit or Ctrl-D leaves");
	while (!shell->left && !shell->stopped && event != LINE_END && event != LINE_STOPPED) {
		memory_cleanup_free char *line = NULL, *prompt = NULL;

		readiness_look(shell);
		readiness_take(shell);
		prompt = prompt_text(shell);
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
	sigprocmask(SIG_BLOCK, &shell->signals, NULL);
	status = talk(shell, &editor);
	if (shell->readiness.child)
		kill(shell->readiness.child, SIGTERM);
	shell_history_close(&shell->history);
	return status;
}

/* ---- The command ------------------------------------------------------------------------- */

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

static int run(struct invocation *invocation, struct session *session UNUSED)
{
	struct shell shell = { .invocation = invocation,
		.typed = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };
	int status;

	/* What was said before or after "shell" is meant for all that is typed there. */
	invocation_words(invocation, &shell.options);
	if (open_signals(&shell) < 0) {
		complain("cannot wait for signals: %s", strerror(errno));
		return EXIT_NOT_READY;
	}
	status = shell.typed ? run_at_terminal(&shell) : run_script(&shell);
	close(shell.signal_fd);
	strings_free(&shell.options);
	return status;
}

const struct command command_shell = {
	.name = "shell",
	.synopsis = "[--keep-going]",
	.summary = "the same commands at a prompt, or from a script",
	.details =
		"At a terminal: history, completion with Tab, and a prompt that says whether the\n"
		"machine is ready. Otherwise standard input is a script, a command a line, which\n"
		"ends with the first that fails. Words are quoted as in other shells, and #\n"
		"begins a comment. Options of every command are then those of each in the shell.",
	COMMAND_OPTIONS(options),
	.run = run,
};
