/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/line_editor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "core/base/compiler.h"
#include "core/base/library.h"
#include "core/base/memory.h"
#include "core/base/words.h"

/* ---- libreadline ----------------------------------------------------------------------- */

/*
 * What is used of it, loaded with the first prompt: its key maps alone are more private memory than
 * most commands need. Functions and variables have their own names here, as pointers.
 */
/* clang-format off */
#define READLINE_NAMES(X)                                                                      \
	X(add_history) X(clear_history) X(using_history)                                       \
	X(rl_attempted_completion_function) X(rl_attempted_completion_over)                    \
	X(rl_callback_handler_install) X(rl_callback_handler_remove)                           \
	X(rl_callback_read_char) X(rl_callback_sigcleanup) X(rl_catch_signals)                 \
	X(rl_catch_sigwinch) X(rl_char_is_quoted_p) X(rl_clear_visible_line)                   \
	X(rl_completer_quote_characters) X(rl_completion_append_character)                     \
	X(rl_completion_matches) X(rl_completion_quote_character)                              \
	X(rl_completion_word_break_hook) X(rl_crlf) X(rl_deprep_terminal)                      \
	X(rl_filename_completion_desired) X(rl_filename_completion_function)                   \
	X(rl_filename_dequoting_function) X(rl_filename_quote_characters)                      \
	X(rl_filename_quoting_function) X(rl_forced_update_display) X(rl_free_line_state)      \
	X(rl_line_buffer) X(rl_on_new_line) X(rl_point) X(rl_prep_terminal)                    \
	X(rl_readline_name) X(rl_readline_state) X(rl_resize_terminal) X(rl_set_prompt)
/* clang-format on */

static struct {
#define X(name) __typeof__(name) *name;
	READLINE_NAMES(X)
#undef X
} lib;

LIBRARY_NOTE(readline_note, "shell", "the prompt of ec2hib shell", "suggested",
	"\"libreadline.so.8\",\"libreadline.so.7\"");

static const struct library_function names[] = {
#define X(name) { #name, offsetof(__typeof__(lib), name) },
	READLINE_NAMES(X)
#undef X
};

static const struct library library = {
	.title = "libreadline",
	.names = (const char *const[]) { "libreadline.so.8", "libreadline.so.7", NULL },
	.functions = names,
	.count = ARRAY_SIZE(names),
	.remedy = "the package libreadline8 (Debian, Ubuntu, SUSE) or readline (Fedora family)",
};

#define BREAKS	      " \t\n"
#define BREAKS_OPTION " \t\n=" /* in --option=value */
#define QUOTES	      "'\""
#define SPECIAL	      " \t\n'\"\\#~|&;<>"

/* While one of these is under way, what is on the line is not the prompt and the line. */
#define BUSY                                                                                       \
	(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG | RL_STATE_MULTIKEY |           \
		RL_STATE_VIMOTION | RL_STATE_CHARSEARCH | RL_STATE_COMPLETING)

/* libreadline's functions take no data of ours. */
static struct line_editor *current;
static struct line_candidates found;
static size_t next_candidate;

static bool line_is_there;
static char *line_read;

/* ---- Completion ------------------------------------------------------------------------ */

static size_t word_start(const char *line, size_t end)
{
	while (end > 0 && (!strchr(BREAKS, line[end - 1]) || words_is_quoted(line, end - 1)))
		end--;
	return end;
}

static bool in_option_value(void)
{
	const char *line = *lib.rl_line_buffer;
	size_t end = (size_t)*lib.rl_point, start = word_start(line, end);

	return strncmp(line + start, "--", 2) == 0 &&
	       memchr(line + start, '=', end - start) != NULL;
}

static char *choose_breaks(void)
{
	static char ordinary[] = BREAKS, option[] = BREAKS_OPTION;

	return in_option_value() ? option : ordinary;
}

static int is_quoted(char *line, int index)
{
	return words_is_quoted(line, (size_t)index);
}

static char *quote_name(char *name, int match UNUSED, char *quote)
{
	return words_quote(name, quote ? *quote : '\0');
}

static char *unquote_name(char *name, int quote)
{
	return words_unquote(name, (char)quote);
}

static char *offer_candidate(const char *text UNUSED, int state)
{
	if (state == 0)
		next_candidate = 0;
	if (next_candidate == found.words.count)
		return NULL;
	return words_quote(
		found.words.items[next_candidate++], (char)*lib.rl_completion_quote_character);
}

static bool is_folder(const char *name)
{
	bool below_home = current->home && text_starts(name, "~/");
	memory_cleanup_free char *path =
		text_format("%s%s", below_home ? current->home : "", below_home ? name + 1 : name);
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static char *offer_folder(const char *text, int state)
{
	char *name = lib.rl_filename_completion_function(text, state);

	while (name && !is_folder(name)) {
		free(name);
		name = lib.rl_filename_completion_function(text, 1);
	}
	return name;
}

static char **complete(const char *text, int start UNUSED, int end)
{
	strings_cleanup struct strings words = { 0 };
	const char *line = *lib.rl_line_buffer;

	*lib.rl_attempted_completion_over = 1;
	if (!words_split_begun(&words, line, (size_t)end, current->home))
		return NULL;
	strings_free(&found.words);
	found = (struct line_candidates) { 0 };
	current->complete(current->data, &words, &found);
	if (found.folders) {
		*lib.rl_filename_completion_desired = 1;
		return lib.rl_completion_matches(text, offer_folder);
	}
	if (found.files) {
		*lib.rl_attempted_completion_over = 0; /* readline goes on with files */
		return NULL;
	}
	/* After these something has to follow at once. */
	if (found.words.count == 1 &&
		(text_ends(found.words.items[0], "=") || text_ends(found.words.items[0], "/")))
		*lib.rl_completion_append_character = '\0';
	return lib.rl_completion_matches(text, offer_candidate);
}

/* ---- The line -------------------------------------------------------------------------- */

static void take_line(char *line)
{
	line_is_there = true;
	line_read = line;
	/* At once, or libreadline would show the prompt again. */
	lib.rl_callback_handler_remove();
}

static void drop_line(void)
{
	/* A search shows the line that it has found once more: so before the new line. */
	lib.rl_callback_sigcleanup();
	lib.rl_free_line_state();
	fputs("^C", stdout);
	lib.rl_crlf();
	lib.rl_callback_handler_remove();
}

static void show_prompt(const char *prompt)
{
	lib.rl_clear_visible_line();
	lib.rl_set_prompt(prompt);
	lib.rl_forced_update_display();
}

/* SIGTSTP is blocked, so that the terminal can be put in order before we stop. */
static void stop_program(void)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	lib.rl_deprep_terminal();
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL); /* here we stop, and here we go on */
	sigprocmask(SIG_BLOCK, &stop, NULL);
	lib.rl_prep_terminal(1);
	lib.rl_on_new_line();
	lib.rl_forced_update_display();
}

/* True when the signal ends the reading; *EVENT says how. */
static bool take_signal(
	struct line_editor *editor, int number, char **prompt, enum line_event *event)
{
	char *wanted;

	switch (number) {
	case SIGINT:
		drop_line();
		*event = LINE_DROPPED;
		return true;
	case SIGTERM:
	case SIGHUP:
		lib.rl_callback_handler_remove();
		editor->stopped_by = number;
		*event = LINE_STOPPED;
		return true;
	case SIGTSTP:
		stop_program();
		break;
	case SIGWINCH:
		lib.rl_resize_terminal();
		break;
	case SIGCHLD:
		wanted = editor->new_prompt(editor->data);
		if (wanted)
			text_set(prompt, wanted);
		break;
	default:
		break;
	}
	return false;
}

static bool take_signals(struct line_editor *editor, char **prompt, enum line_event *event)
{
	struct signalfd_siginfo info;

	while (read(editor->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (take_signal(editor, (int)info.ssi_signo, prompt, event))
			return true;
	return false;
}

static bool take_key(char **line, enum line_event *event)
{
	lib.rl_callback_read_char();
	if (!line_is_there)
		return false;
	*event = line_read ? LINE_READ : LINE_END;
	*line = line_read;
	return true;
}

enum line_event line_editor_read(struct line_editor *editor, const char *prompt, char **line)
{
	struct pollfd sources[] = { { .fd = editor->signals, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN } };
	memory_cleanup_free char *waiting = NULL;
	enum line_event event = LINE_END;
	bool ended = false;

	*line = NULL;
	line_is_there = false;
	lib.rl_callback_handler_install(prompt, take_line);
	while (!ended) {
		if (waiting && !(*lib.rl_readline_state & BUSY)) {
			show_prompt(waiting);
			text_set(&waiting, NULL);
		}
		if (poll(sources, 2, -1) < 0 && errno != EINTR) {
			lib.rl_callback_handler_remove();
			return LINE_END;
		}
		if (sources[0].revents)
			ended = take_signals(editor, &waiting, &event);
		if (!ended && sources[1].revents)
			ended = take_key(line, &event);
	}
	return event;
}

/* ---- What else there is ---------------------------------------------------------------- */

int line_editor_open(struct line_editor *editor, struct error *err)
{
	int status = lib.rl_point ? 0 : library_open(&library, &lib, err);

	if (status < 0)
		return status;
	current = editor;
	*lib.rl_readline_name = "ec2hib"; /* $if ec2hib in inputrc */
	*lib.rl_catch_signals = 0;
	*lib.rl_catch_sigwinch = 0;
	*lib.rl_attempted_completion_function = complete;
	*lib.rl_completion_word_break_hook = choose_breaks;
	*lib.rl_completer_quote_characters = QUOTES;
	*lib.rl_char_is_quoted_p = is_quoted;
	*lib.rl_filename_quote_characters = SPECIAL;
	*lib.rl_filename_quoting_function = quote_name;
	*lib.rl_filename_dequoting_function = unquote_name;
	lib.using_history();
	return 0;
}

void line_editor_set_history(const struct strings *lines)
{
	lib.clear_history();
	for (size_t i = 0; i < lines->count; i++)
		lib.add_history(lines->items[i]);
}

char *line_editor_coloured(const char *text, const char *begin, const char *end)
{
	if (!*begin)
		return text_copy(text);
	return text_format("%c%s%c%s%c%s%c", RL_PROMPT_START_IGNORE, begin, RL_PROMPT_END_IGNORE,
		text, RL_PROMPT_START_IGNORE, end, RL_PROMPT_END_IGNORE);
}
