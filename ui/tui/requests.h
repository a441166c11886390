/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a user can ask of the dashboard: one table, from which come the meaning of each key, the
 * help screen, the bar of function keys, and the test that the manual page has them all.
 */
#ifndef EC2HIB_UI_TUI_REQUESTS_H
#define EC2HIB_UI_TUI_REQUESTS_H

#include <stddef.h>

/* Keys that are not characters; a character is its own code. */
enum key {
	KEY_NONE,
	KEY_IS_TAB = '\t',
	KEY_IS_ENTER = '\r',
	KEY_IS_ESCAPE = 0x1b,
	KEY_IS_BACKSPACE = 0x7f,
	KEY_IS_SPECIAL = 0x110000, /* after the last character of Unicode */
	KEY_IS_UP,
	KEY_IS_DOWN,
	KEY_IS_LEFT,
	KEY_IS_RIGHT,
	KEY_IS_PAGE_UP,
	KEY_IS_PAGE_DOWN,
	KEY_IS_HOME,
	KEY_IS_END,
	KEY_IS_BACK_TAB,
	KEY_IS_F1,
	KEY_IS_F12 = KEY_IS_F1 + 11,
};

#define KEY_CONTROL(letter)    ((letter) - '@')
#define KEY_IS_FUNCTION(digit) (KEY_IS_F1 + (digit)-1)

/*
 * X(name, key, second key, third key, word on the bar of function keys (""), what it does)
 *
 * The bar has those with a word, in the order of their function keys, which are their first.
 */
/* clang-format off */
#define REQUESTS(X)                                                                               \
	X(HELP, KEY_IS_FUNCTION(1), '?', KEY_NONE, "Help", "show this list of keys")              \
	X(OVERVIEW, '0', KEY_NONE, KEY_NONE, "", "show all panels")                               \
	X(INSTANCE, '1', KEY_NONE, KEY_NONE, "", "show the instance alone")                       \
	X(READINESS, '2', KEY_NONE, KEY_NONE, "", "show the readiness checks alone")              \
	X(SWAP, '3', KEY_NONE, KEY_NONE, "", "show the swap readiness alone")                     \
	X(PREWARM_PANEL, '4', KEY_NONE, KEY_NONE, "", "show the pre-warm alone")                  \
	X(NOTICES, '5', KEY_NONE, KEY_NONE, "", "show the metadata service and its notices alone")\
	X(LOG, '6', KEY_NONE, KEY_NONE, "", "show the log alone")                                 \
	X(HISTORY, '7', KEY_NONE, KEY_NONE, "", "show past hibernations alone")                   \
	X(NEXT, KEY_IS_TAB, KEY_NONE, KEY_NONE, "", "go to the next panel")                       \
	X(PREVIOUS, KEY_IS_BACK_TAB, KEY_NONE, KEY_NONE, "", "go to the panel before")            \
	X(OPEN, KEY_IS_ENTER, 'l', KEY_IS_RIGHT, "", "show the panel alone; explain what is chosen")\
	X(BACK, KEY_IS_ESCAPE, 'h', KEY_IS_LEFT, "", "go back")                                   \
	X(UP, KEY_IS_UP, 'k', KEY_NONE, "", "go up a line")                                       \
	X(DOWN, KEY_IS_DOWN, 'j', KEY_NONE, "", "go down a line")                                 \
	X(PAGE_UP, KEY_IS_PAGE_UP, KEY_CONTROL('B'), KEY_NONE, "", "go up a page")                \
	X(PAGE_DOWN, KEY_IS_PAGE_DOWN, KEY_CONTROL('F'), ' ', "", "go down a page")               \
	X(FIRST, KEY_IS_HOME, 'g', KEY_NONE, "", "go to the first line")                          \
	X(LAST, KEY_IS_END, 'G', KEY_NONE, "", "go to the last line")                             \
	X(SEARCH, KEY_IS_FUNCTION(3), '/', KEY_NONE, "Search", "search in the chosen panel")      \
	X(SEARCH_NEXT, 'n', KEY_NONE, KEY_NONE, "", "go to the next match")                       \
	X(SEARCH_BACK, 'N', KEY_NONE, KEY_NONE, "", "go to the match before")                     \
	X(FILTER, KEY_IS_FUNCTION(4), 'p', KEY_NONE, "Filter", "show problems only, or all checks")\
	X(GATHER, KEY_IS_FUNCTION(5), 'r', KEY_NONE, "Again", "gather the facts again")           \
	X(SET_UP, KEY_IS_FUNCTION(2), 's', KEY_NONE, "Setup", "set up what is missing: the plan first")\
	X(PREWARM, KEY_IS_FUNCTION(6), 'w', KEY_NONE, "Warm", "pre-warm the swap area")           \
	X(PREWARM_STOP, 'W', KEY_NONE, KEY_NONE, "", "stop the pre-warm")                         \
	X(TEST, KEY_IS_FUNCTION(7), 't', KEY_NONE, "Test", "test hibernation step by step")       \
	X(DRY_RUN, KEY_IS_FUNCTION(8), 'e', KEY_NONE, "Notice", "dry-run the agent: all but the hibernation")\
	X(HIBERNATE, KEY_IS_FUNCTION(9), 'H', KEY_NONE, "Hiber", "hibernate now")                 \
	X(SAVE, 'S', KEY_NONE, KEY_NONE, "", "save the facts to a file")                          \
	X(OUTPUT, 'o', KEY_NONE, KEY_NONE, "", "show the output of the last command")             \
	X(END_COMMAND, 'x', KEY_NONE, KEY_NONE, "", "stop the running command")                   \
	X(REDRAW, KEY_CONTROL('L'), KEY_NONE, KEY_NONE, "", "redraw the screen")                  \
	X(QUIT, KEY_IS_FUNCTION(10), 'q', KEY_NONE, "Quit", "leave")
/* clang-format on */

enum request {
#define X(name, first, second, third, word, help) REQUEST_##name,
	REQUESTS(X)
#undef X
		REQUEST_COUNT,
	REQUEST_NONE = REQUEST_COUNT
};

#define REQUEST_KEYS 3

struct request_entry {
	int keys[REQUEST_KEYS]; /* KEY_NONE: no more */
	const char *word;
	const char *help;
};

extern const struct request_entry requests[REQUEST_COUNT];

/* What KEY asks for, or REQUEST_NONE. */
enum request request_of_key(int key);

/* "F5", "Page Up", "Ctrl-L", "q"; the caller frees it. */
char *key_label(int key);

/* All keys of a request: "F5, r"; the caller frees it. */
char *request_keys(enum request request);

#endif
