/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dashboard's state, and what its parts do with it; private to ui/tui. */
#ifndef EC2HIB_UI_TUI_STATE_H
#define EC2HIB_UI_TUI_STATE_H

#include "ui/tui/command.h"
#include "ui/tui/panel.h"
#include "ui/tui/worker.h"

struct dashboard;
struct dashboard_settings;
struct view;

/* How far a page is scrolled, and what is chosen on it. */
struct scroll {
	size_t top;  /* the first line that is visible */
	int item;    /* ITEM_NONE: the first one there is */
	bool follow; /* the end stays visible while lines are added */
};

/* A kind of view over the overview: a panel alone, an explanation, the keys, a command's output. */
struct view_ops {
	char *(*title)(const struct dashboard *dashboard); /* the caller frees it */
	void (*draw)(const struct dashboard *dashboard, const struct view *view, struct page *page);
};

extern const struct view_ops view_panel, view_explanation, view_help, view_output;

struct view {
	const struct view_ops *ops;
	int item; /* that is explained */
	struct scroll scroll;
};

/* One of each kind at most. */
#define VIEWS_MOST 4

/* A line of text that the user types. */
enum prompt { PROMPT_NONE, PROMPT_SEARCH, PROMPT_FILE };

/* What is asked. One key agrees; every other key leaves the question and does nothing else. */
enum question {
	QUESTION_NONE,
	QUESTION_RUN,  /* whether to run the action */
	QUESTION_PLAN, /* the same, at the end of its plan */
	QUESTION_QUIT, /* whether to leave while a command runs */
};

/* The state files below /run/ec2hib, followed with inotify(7). */
struct state_files {
	int fd;	    /* to be polled; -1: there is no inotify here */
	int folder; /* the watch on /run/ec2hib; -1: that is not there yet */
	int above;  /* the watch on /run, until it is */
};

struct dashboard {
	const struct dashboard_settings *settings;
	struct model model;
	void *states[PANEL_COUNT]; /* of the panels */
	struct scroll scrolls[PANEL_COUNT];
	struct tile tiles[PANEL_COUNT];
	size_t focus; /* the panel that keys are about */
	struct view views[VIEWS_MOST];
	size_t depth; /* of views over the overview; the last one is on top */

	enum prompt prompt;
	char *typed;
	char *search; /* what is looked for; NULL: nothing */
	enum question question;
	const struct action *action; /* that the question is about */
	bool plan_unread;	     /* a plan asks as soon as its end has been on the screen */
	char *file;		     /* for the output of the action */
	char *message;		     /* about the last key; NULL: nothing to say */

	struct command_run command;
	struct worker gatherer;
	struct worker poller; /* of the metadata service */
	struct state_files files;
	bool gather_wanted;
	uint64_t gather_next; /* CLOCK_BOOTTIME, ms */
	bool redraw;	      /* the screen is out of date */
	bool retile;	      /* and the panels may want other places */
	bool quit;
};

/* ---- screen.c: how it looks ---- */

void screen_draw(struct dashboard *dashboard);

/* The rows between the line at the top and the two at the bottom. */
unsigned screen_body_rows(void);

/* True when the terminal is too small for anything. */
bool screen_is_cramped(void);

/* ---- view.c: pages, and moving in them ---- */

/* Fills PAGE, whose width and rows are set, with panel I. */
void panel_draw(const struct dashboard *dashboard, size_t i, struct page *page);

void view_open(struct dashboard *dashboard, const struct view_ops *ops, int item);

/* Closes the view of that kind, if there is one, with what lies on it. */
void view_close(struct dashboard *dashboard, const struct view_ops *ops);

/* Whether the topmost view is of that kind. */
bool view_is(const struct dashboard *dashboard, const struct view_ops *ops);

/*
 * Fills PAGE with what the keys are about now: the topmost view, or the panel in focus. *ROWS of it
 * are visible. page_clear() ends it. Returns how it is scrolled.
 */
struct scroll *view_draw(struct dashboard *dashboard, struct page *page, unsigned *rows);

/*
 * Corrects SCROLL for a page of which ROWS are visible: nothing beyond the end, the choice in
 * sight.
 */
void scroll_fit(struct scroll *scroll, const struct page *page, unsigned rows);

/* REQUEST is one of those that move. */
void scroll_move(
	struct scroll *scroll, const struct page *page, unsigned rows, enum request request);

/* Goes to the next line with TEXT, or with BACK to the one before; false: there is none. */
bool scroll_search(
	struct scroll *scroll, const struct page *page, unsigned rows, const char *text, bool back);

/* ---- control.c: what keys do ---- */

void control_key(struct dashboard *dashboard, int key);

/* A command has ended. */
void control_command_ended(struct dashboard *dashboard);

/* Leaves what is asked, if anything is. */
void control_leave_question(struct dashboard *dashboard);

/* Whether the topmost view is a plan that asks, or will once its end has been on the screen. */
bool control_plan_asks(const struct dashboard *dashboard);

/*
 * Before each drawing: a plan whose end is in sight becomes a question; one that was left does not.
 */
void control_settle_plan(struct dashboard *dashboard);

/* Tells all panels. */
void dashboard_tell(struct dashboard *dashboard, unsigned news);

/* A message about the last key. */
void dashboard_say(struct dashboard *dashboard, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
