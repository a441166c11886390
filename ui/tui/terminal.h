/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The terminal, by ncurses: the only file that knows of it. What is drawn is kept, and only what
 * has changed is sent.
 *
 * However the program ends, the terminal gets back what it was: terminal_close(), and for signals
 * of a crash a handler that needs nothing but write(2) and tcsetattr(3).
 */
#ifndef EC2HIB_UI_TUI_TERMINAL_H
#define EC2HIB_UI_TUI_TERMINAL_H

#include <stdbool.h>

#include "core/base/error.h"
#include "ui/style.h"

/* How a piece of the screen stands out, beside its colour. */
enum stress {
	STRESS_NONE,
	STRESS_BAR,    /* the lines at the top and the bottom */
	STRESS_CHOSEN, /* the line that keys are about */
	STRESS_FOUND,  /* what was searched for */
};

/*
 * Takes the terminal on standard input and output. COLOUR: colours are wanted; none are used where
 * the terminal has none. 0; -ENOENT without ncurses, -ENOTSUP for a terminal that cannot place
 * text.
 */
int terminal_open(bool colour, struct error *err);
void terminal_close(void);

/* Gives the terminal back for a while (SIGTSTP); the next terminal_flush() takes it again. */
void terminal_leave(void);

/* Asks the kernel for the terminal's size, and uses it. */
void terminal_resize(void);
unsigned terminal_rows(void);
unsigned terminal_columns(void);

/* Drawing: begin, put texts, flush. Nothing is seen before terminal_flush(). */
void terminal_begin(void);
void terminal_put(unsigned row, unsigned column, const char *text, size_t length,
	enum colour colour, enum stress stress);
void terminal_flush(void);
/* Where the cursor stands after terminal_flush(); without it there is none to see. */
void terminal_cursor(unsigned row, unsigned column);

/* Everything is sent anew with the next terminal_flush(). */
void terminal_redraw(void);

/* The next key (ui/tui/requests.h), KEY_NONE when there is none now. Does not wait. */
int terminal_key(void);

#endif
