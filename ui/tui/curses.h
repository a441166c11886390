/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The functions of ncurses that the dashboard uses, loaded with the dashboard: the agent and every
 * other command start without them (core/base/library.h). No variable of the library is among them
 * (stdscr, COLORS): all is drawn in one window of our own.
 */
#ifndef EC2HIB_UI_TUI_CURSES_H
#define EC2HIB_UI_TUI_CURSES_H

/* Some functions are macros otherwise, around variables of the library. */
#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
/* Macros of term.h with everyday names. */
#undef columns
#undef lines
#undef tab

#include "core/base/error.h"

/* clang-format off */
#define CURSES_FUNCTIONS(X)                                                                    \
	X(cbreak) X(clearok) X(curs_set) X(def_prog_mode) X(delscreen) X(delwin) X(doupdate) X(endwin) X(getmaxx) X(getmaxy) \
	X(init_pair) X(keypad) X(newterm) X(newwin) X(nodelay) X(noecho) X(nonl) X(resizeterm) \
	X(set_escdelay) X(start_color) X(tigetnum) X(tigetstr) X(use_default_colors)           \
	X(use_env) X(waddnstr) X(wattr_set) X(werase) X(wget_wch) X(wmove) X(wnoutrefresh)     \
	X(wresize)
/* clang-format on */

struct curses {
#define X(name) __typeof__(name) *name;
	CURSES_FUNCTIONS(X)
#undef X
};

/* Filled by curses_load(). */
extern struct curses curses;

/* Loads ncurses unless it is there; -ENOENT when it is not installed. */
int curses_load(struct error *err);

#endif
