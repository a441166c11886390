/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/tui/curses.h"

#include "core/base/compiler.h"
#include "core/base/library.h"

/* The number of the library's interface is that of the headers: both change together. */
#if NCURSES_VERSION_MAJOR >= 6
#define CURSES_NAME "libncursesw.so.6"
#else
#define CURSES_NAME "libncursesw.so.5"
#endif

LIBRARY_NOTE(curses_note, "tui", "the dashboard", "recommended", "\"" CURSES_NAME "\"");

struct curses curses;

static const struct library_function functions[] = {
#define X(name) { #name, offsetof(struct curses, name) },
	CURSES_FUNCTIONS(X)
#undef X
};

static const struct library library = {
	.title = "ncurses",
	.names = (const char *const[]) { CURSES_NAME, NULL },
	.functions = functions,
	.count = ARRAY_SIZE(functions),
	.remedy = "the package libncursesw6 (Debian, Ubuntu, SUSE) or ncurses-libs (Fedora family)",
};

int curses_load(struct error *err)
{
	return curses.newterm ? 0 : library_open(&library, &curses, err);
}
