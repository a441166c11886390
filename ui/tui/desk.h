/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the dashboard share; private to ui/tui. */
#ifndef EC2HIB_UI_TUI_DESK_H
#define EC2HIB_UI_TUI_DESK_H

#include "ui/tui/worker.h"
#include "ui/tui/command.h"
#include "ui/tui/dashboard.h"
#include "ui/tui/panel.h"

/* How far a page is scrolled, and what is chosen on it. */
struct scroll {
	size_t top;  /* the first line that is visible */
	int item;    /* ITEM_NONE: the first one there is */
	bool follow; /* the end stays visible while lines are added */
};

/* What lies on top of the overview, each with what was below it. */
enum sheet_kind { SHEET_PANEL, SHEET_EXPLANATION, SHEET_HELP, SHEET_OUTPUT };

struct sheet {
	enum sheet_kind kind;
	int item; /* that is explained */
	struct scroll scroll;
};

#define SHEETS_MOST 4

/* A line of text that the user is asked for. */
enum prompt_kind { PROMPT_NONE, PROMPT_SEARCH, PROMPT_FILE };

/* The state files below /run/ec2hib, followed with inotify(7). */
struct state_files {
	int fd;	    /* to be polled; -1: there is no inotify here */
	int folder; /* the watch on /run/ec2hib; -1: that is not there yet */
	int above;  /* the watch on /run, until it is */
};

struct desk {
	const struct dashboard *settings;
	struct model model;
	void *own[PANELS];
	struct scroll scrolls[PANELS];
	struct tile tiles[PANELS];
	size_t focus; /* the panel that keys are about */
	struct sheet sheets[SHEETS_MOST];
	size_t depth; /* 0: the overview */

	enum prompt_kind prompt;
	char *typed;
	char *search; /* what is looked for; NULL: nothing */
	/*
	 * What is asked: whether to run it, or with LEAVING whether to leave a command that runs. Each
	 * key but the one that agrees leaves the question and does nothing else.
	 */
	const struct action *question; /* NULL: nothing is */
	bool leaving;
	bool plan_unread; /* setup's plan asks as soon as its end has been seen */
	char *file;	  /* for its output */
	char *message;	  /* about the last key; NULL: nothing to say */

	struct command_run command;
	struct worker gatherer;
	struct worker poller; /* of the metadata service */
	struct state_files files;
	bool gather_wanted;
	uint64_t gather_next; /* CLOCK_BOOTTIME, ms */
	bool changed;	      /* the screen is out of date */
	bool unsettled;	      /* and the panels may want other places */
	bool quit;
};

/* ---- screen.c: how it looks ---- */

void desk_draw(struct desk *desk);

/* The area between the line at the top and the two at the bottom. */
unsigned desk_body_rows(void);

/* True when the terminal is too small for anything. */
bool desk_is_cramped(void);

/* ---- sheets.c: what is on top ---- */

/*
 * Fills PAGE with what the keys are about now: the topmost sheet, or the panel in focus. *ROWS of it
 * are visible. page_clear() ends it. Returns how it is scrolled.
 */
struct scroll *desk_page(struct desk *desk, struct page *page, unsigned *rows);

/* What stands above the topmost sheet; the caller frees it. */
char *desk_title(const struct desk *desk);

/* Fills PAGE, whose width and rows are set, with panel I. */
void desk_panel_page(const struct desk *desk, size_t i, struct page *page);

void desk_push(struct desk *desk, enum sheet_kind kind, int item);
void desk_pop(struct desk *desk);
/* Takes away the sheet of that kind, with what lies on it. */
void desk_drop(struct desk *desk, enum sheet_kind kind);

/* ---- scroll.c: moving in a page ---- */

/* Puts SCROLL right for a page of which ROWS are visible: nothing beyond the end, the choice in sight. */
void scroll_settle(struct scroll *scroll, const struct page *page, unsigned rows);

/* False: REQUEST is no movement. */
bool scroll_move(
	struct scroll *scroll, const struct page *page, unsigned rows, enum request request);

/* Goes to the next line with TEXT, or with BACK to the one before; false: there is none. */
bool scroll_search(
	struct scroll *scroll, const struct page *page, unsigned rows, const char *text, bool back);

/* ---- control.c: what keys do ---- */

void desk_key(struct desk *desk, int key);

/* The action of a request, or NULL. */
const struct action *desk_action(const struct desk *desk, enum request request);

/* A command has ended. */
void desk_command_ended(struct desk *desk);

/* Before each drawing: a plan whose end is in sight becomes a question, one that was left does not. */
void desk_plan_settle(struct desk *desk);

/* Leaves what is asked, if anything is. */
void desk_question_leave(struct desk *desk);

/* Whether the topmost sheet is a plan that asks, or will once its end is seen. */
bool desk_plan_asks(const struct desk *desk);

/* Tells all panels. */
void desk_tell(struct desk *desk, unsigned news);

void desk_say(struct desk *desk, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
