/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/tui/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

/* Some functions are macros otherwise, around variables of the library. */
#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
/* Macros of term.h with everyday names. */
#undef columns
#undef lines
#undef tab

#include "core/base/compiler.h"
#include "core/base/library.h"
#include "ui/tui/requests.h"

/* A terminal sends what belongs to one key at once; so long a lone Escape is waited for, ms. */
#define ESCAPE_MS 25

/* Colours from 16 on are the same everywhere: dark enough for white, light enough for black. */
#define ORANGE_OF_256 172
#define GREY_OF_256   244

static struct {
	SCREEN *screen;
	WINDOW *window;
	bool colour;
	bool cursor;
	unsigned cursor_row, cursor_column;
	int next_key; /* KEY_NONE: to be read */
} terminal;

/* ---- ncurses ---- */

/*
 * The functions that are used, loaded with the dashboard: the agent and every other command start
 * without them (core/base/library.h). No variable of the library is among them (stdscr, COLORS):
 * all is drawn in one window of our own.
 */
/* clang-format off */
#define CURSES_FUNCTIONS(X)                                                                    \
	X(cbreak) X(clearok) X(curs_set) X(def_prog_mode) X(delscreen) X(delwin) X(doupdate)   \
	X(endwin) X(getmaxx) X(getmaxy) X(init_pair) X(keypad) X(newterm) X(newwin) X(nodelay) \
	X(noecho) X(nonl) X(resizeterm) X(set_escdelay) X(start_color) X(tigetnum) X(tigetstr) \
	X(use_default_colors) X(waddnstr) X(wattr_set) X(werase) X(wget_wch) X(wmove)          \
	X(wnoutrefresh) X(wresize)
/* clang-format on */

static struct {
#define X(name) __typeof__(name) *name;
	CURSES_FUNCTIONS(X)
#undef X
} curses;

/* The number of the library's interface is that of the headers: both change together. */
#if NCURSES_VERSION_MAJOR >= 6
#define CURSES_NAME "libncursesw.so.6"
#else
#define CURSES_NAME "libncursesw.so.5"
#endif

LIBRARY_NOTE(curses_note, "tui", "the dashboard", "recommended", "\"" CURSES_NAME "\"");

static const struct library_function functions[] = {
#define X(name) { #name, offsetof(__typeof__(curses), name) },
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

/* ---- Crashes ---- */

static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT, SIGSYS };
#define CRASHES (ARRAY_SIZE(crashes))

/* What the handler needs, made ready before. */
static struct {
	volatile sig_atomic_t armed;
	struct termios settings;
	char goodbye[256];
	size_t length;
	struct sigaction before[CRASHES];
	char stack[64 * 1024];
} crash;

/* Then the signal is met again, with whatever waited for it before us. */
static void on_crash(int number)
{
	int error = errno;

	if (crash.armed) {
		crash.armed = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &crash.settings);
		if (write(STDOUT_FILENO, crash.goodbye, crash.length) < 0)
			error = errno; /* nobody is left to be told */
	}
	for (size_t i = 0; i < CRASHES; i++)
		if (crashes[i] == number)
			sigaction(number, &crash.before[i], NULL);
	errno = error;
	raise(number);
}

static void add_goodbye(const char *capability)
{
	const char *text = curses.tigetstr(capability);
	size_t length;

	if (!text || text == (char *)-1)
		return;
	length = strlen(text);
	if (crash.length + length <= sizeof(crash.goodbye)) {
		memcpy(crash.goodbye + crash.length, text, length);
		crash.length += length;
	}
}

static void crash_arm(void)
{
	/* Also a stack that is used up can be told. */
	const stack_t stack = { .ss_sp = crash.stack, .ss_size = sizeof(crash.stack) };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK };

	crash.length = 0;
	add_goodbye("sgr0");
	add_goodbye("op");
	add_goodbye("rmkx");
	add_goodbye("rmcup");
	add_goodbye("cnorm");
	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &action, &crash.before[i]);
	crash.armed = 1;
}

static void crash_disarm(void)
{
	crash.armed = 0;
	for (size_t i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &crash.before[i], NULL);
}

/* ---- Opening ---- */

static void make_colours(void)
{
	int count;

	if (curses.start_color() == ERR || curses.use_default_colors() == ERR)
		terminal.colour = false;
	if (!terminal.colour)
		return;
	/* -1: the terminal's own background, whether that is light or dark. */
	count = curses.tigetnum("colors");
	curses.init_pair(COLOUR_GOOD, COLOR_GREEN, -1);
	curses.init_pair(COLOUR_RISK, count >= 256 ? ORANGE_OF_256 : COLOR_YELLOW, -1);
	curses.init_pair(COLOUR_BAD, COLOR_RED, -1);
	curses.init_pair(COLOUR_DIM, count >= 256 ? GREY_OF_256 : -1, -1);
}

/* Ctrl-S and Ctrl-Q would freeze what is seen, and a key after them would still count. */
static void make_all_keys_ours(void)
{
	struct termios settings;

	if (tcgetattr(STDIN_FILENO, &settings) < 0)
		return;
	settings.c_iflag &= ~(tcflag_t)IXON;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
	/* What ncurses restores after terminal_leave(). */
	curses.def_prog_mode();
}

static bool can_place_text(void)
{
	const char *address = curses.tigetstr("cup");

	return address && address != (char *)-1 && *address;
}

int terminal_open(bool colour, struct error *err)
{
	const char *name = getenv("TERM");
	int status = curses.newterm ? 0 : library_open(&library, &curses, err);

	if (status < 0)
		return status;
	if (tcgetattr(STDIN_FILENO, &crash.settings) < 0)
		return error_errno(err, errno, "cannot read the settings of the terminal");
	terminal.screen = curses.newterm(NULL, stdout, stdin);
	if (terminal.screen && !can_place_text()) {
		curses.endwin();
		curses.delscreen(terminal.screen);
		terminal.screen = NULL;
	}
	if (!terminal.screen)
		return error_set(err, ENOTSUP,
			"the terminal type %s is unknown, or cannot position text; check TERM",
			name ? name : "(not set)");
	curses.set_escdelay(ESCAPE_MS);
	curses.cbreak();
	make_all_keys_ours();
	curses.noecho();
	curses.nonl();
	terminal.window = curses.newwin(0, 0, 0, 0);
	curses.keypad(terminal.window, TRUE);
	curses.nodelay(terminal.window, TRUE);
	curses.curs_set(0);
	terminal.colour = colour && curses.tigetnum("colors") >= 8;
	if (terminal.colour)
		make_colours();
	crash_arm();
	return 0;
}

void terminal_close(void)
{
	if (!terminal.screen)
		return;
	curses.endwin();
	crash_disarm();
	curses.delwin(terminal.window);
	curses.delscreen(terminal.screen);
	memset(&terminal, 0, sizeof(terminal));
}

void terminal_leave(void)
{
	curses.endwin();
}

/* ---- Size ---- */

void terminal_resize(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		return;
	curses.resizeterm(size.ws_row, size.ws_col);
	curses.wresize(terminal.window, size.ws_row, size.ws_col);
}

unsigned terminal_rows(void)
{
	return (unsigned)curses.getmaxy(terminal.window);
}

unsigned terminal_columns(void)
{
	return (unsigned)curses.getmaxx(terminal.window);
}

/* ---- Drawing ---- */

void terminal_begin(void)
{
	curses.wattr_set(terminal.window, A_NORMAL, 0, NULL);
	curses.werase(terminal.window);
	terminal.cursor = false;
}

static attr_t attributes_of(enum colour colour, enum stress stress)
{
	static const attr_t looks[] = { [COLOUR_PLAIN] = A_NORMAL,
		[COLOUR_GOOD] = A_NORMAL,
		[COLOUR_RISK] = A_BOLD,
		[COLOUR_BAD] = A_BOLD,
		[COLOUR_DIM] = A_NORMAL,
		[COLOUR_STRONG] = A_BOLD };
	attr_t attributes = looks[colour];

	if (stress == STRESS_BAR || stress == STRESS_CHOSEN)
		attributes |= A_REVERSE;
	if (stress == STRESS_FOUND)
		attributes |= A_REVERSE | A_UNDERLINE;
	return attributes;
}

void terminal_put(unsigned row, unsigned column, const char *text, size_t length,
	enum colour colour, enum stress stress)
{
	bool paired = terminal.colour && colour != COLOUR_PLAIN && colour != COLOUR_STRONG &&
		      stress != STRESS_BAR;

	if (row >= terminal_rows() || column >= terminal_columns())
		return;
	curses.wattr_set(
		terminal.window, attributes_of(colour, stress), (short)(paired ? colour : 0), NULL);
	curses.wmove(terminal.window, (int)row, (int)column);
	/* An error says that the last cell of the screen was filled. */
	curses.waddnstr(terminal.window, text, (int)length);
}

void terminal_cursor(unsigned row, unsigned column)
{
	terminal.cursor = true;
	terminal.cursor_row = row;
	terminal.cursor_column = column;
}

void terminal_flush(void)
{
	curses.curs_set(terminal.cursor ? 1 : 0);
	if (terminal.cursor)
		curses.wmove(
			terminal.window, (int)terminal.cursor_row, (int)terminal.cursor_column);
	curses.wnoutrefresh(terminal.window);
	curses.doupdate();
}

void terminal_redraw(void)
{
	curses.clearok(terminal.window, TRUE);
}

/* ---- Keys ---- */

static int special_key(wint_t code)
{
	static const struct {
		int code, key;
	} keys[] = { { KEY_UP, KEY_IS_UP }, { KEY_DOWN, KEY_IS_DOWN }, { KEY_LEFT, KEY_IS_LEFT },
		{ KEY_RIGHT, KEY_IS_RIGHT }, { KEY_PPAGE, KEY_IS_PAGE_UP },
		{ KEY_NPAGE, KEY_IS_PAGE_DOWN }, { KEY_HOME, KEY_IS_HOME }, { KEY_END, KEY_IS_END },
		{ KEY_BTAB, KEY_IS_BACK_TAB }, { KEY_ENTER, KEY_IS_ENTER },
		{ KEY_BACKSPACE, KEY_IS_BACKSPACE } };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if ((wint_t)keys[i].code == code)
			return keys[i].key;
	if (code >= (wint_t)KEY_F(1) && code <= (wint_t)KEY_F(12))
		return KEY_IS_F1 + (int)(code - (wint_t)KEY_F(1));
	return KEY_IS_SPECIAL; /* one that means nothing here */
}

static int read_key(void)
{
	wint_t code = 0;
	int kind;

	do /* ncurses puts a resize among the keys */
		kind = curses.wget_wch(terminal.window, &code);
	while (kind == KEY_CODE_YES && code == KEY_RESIZE);
	if (kind == ERR)
		return KEY_NONE;
	if (kind == KEY_CODE_YES)
		return special_key(code);
	if (code == '\n')
		return KEY_IS_ENTER;
	if (code == '\b')
		return KEY_IS_BACKSPACE;
	return code ? (int)code : KEY_IS_SPECIAL;
}

/*
 * A key that terminfo does not know, as Ctrl-Home often is, comes as the bytes of its control
 * sequence (ECMA-48, 5.4; ESC O and one more in VT100's keypad mode): it is one key that means
 * nothing here. Its bytes alone would be Escape and then letters, each with a meaning.
 */
int terminal_key(void)
{
	int key = terminal.next_key ? terminal.next_key : read_key();
	int next;

	terminal.next_key = KEY_NONE;
	if (key != KEY_IS_ESCAPE)
		return key;
	next = read_key();
	if (next != '[' && next != 'O') {
		terminal.next_key = next;
		return key;
	}
	do /* parameters of a control sequence, and what ends it */
		key = read_key();
	while (next == '[' && key >= ' ' && key < '@');
	return KEY_IS_SPECIAL;
}
