/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the prompt uses of libreadline, loaded with the first prompt: its key maps alone are more
 * private memory than most commands need. Functions and variables stand here by their own names, as
 * pointers.
 */
#ifndef EC2HIB_UI_READLINE_LIBRARY_H
#define EC2HIB_UI_READLINE_LIBRARY_H

#include <stdio.h>
#include <readline/history.h>
#include <readline/readline.h>

#include "core/base/error.h"

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

struct readline_library {
#define X(name) __typeof__(name) *name;
	READLINE_NAMES(X)
#undef X
};

/* Filled by readline_load(). */
extern struct readline_library lib;

/* Loads libreadline unless it is there; -ENOENT when it is not installed. */
int readline_load(struct error *err);

#endif
