/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What keys do. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wchar.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/tui/dashboard.h"
#include "ui/tui/state.h"
#include "ui/tui/terminal.h"

/* Of what is typed: longer than any file name. */
#define TYPED_MOST 4096

void dashboard_say(struct dashboard *dashboard, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_set(&dashboard->message, text_format_list(format, arguments));
	va_end(arguments);
}

void dashboard_tell(struct dashboard *dashboard, unsigned news)
{
	for (size_t i = 0; i < PANEL_COUNT; i++)
		if (panels[i]->update)
			panels[i]->update(dashboard->states[i], &dashboard->model, news);
	dashboard->redraw = dashboard->retile = true;
}

/* ---- Commands ---- */

static const struct action *action_of(const struct dashboard *dashboard, enum request request)
{
	for (size_t i = 0; i < dashboard->settings->action_count; i++)
		if (dashboard->settings->actions[i].request == request)
			return &dashboard->settings->actions[i];
	return NULL;
}

static void show_output(struct dashboard *dashboard, bool follow)
{
	view_open(dashboard, &view_output, ITEM_NONE);
	dashboard->views[dashboard->depth - 1].scroll.follow = follow;
}

static void start(struct dashboard *dashboard, const struct action *action, bool plan)
{
	const struct dashboard_settings *settings = dashboard->settings;
	struct error err = { "" };

	command_free(&dashboard->command);
	dashboard->command.action = action;
	dashboard->command.is_plan = plan;
	if (command_start(&dashboard->command, settings->program,
		    plan ? action->plan : action->arguments, plan ? NULL : dashboard->file,
		    &err) < 0) {
		/* The output of the command before it is gone, too. */
		view_close(dashboard, &view_output);
		dashboard_say(dashboard, "%s", err.text);
		return;
	}
	text_set(&dashboard->model.command, text_copy(dashboard->command.shown));
	text_set(&dashboard->model.command_result, NULL);
	dashboard->model.command_runs = true;
	/* A plan is read from its beginning; its end asks. */
	show_output(dashboard, !plan);
	dashboard->plan_unread = plan;
	dashboard_tell(dashboard, NEWS_COMMAND);
}

/* Why the action cannot be run, or NULL. */
static char *refusal(const struct dashboard *dashboard, const struct action *action)
{
	const struct model *model = &dashboard->model;
	memory_cleanup_free char *shown = NULL;

	if (dashboard->command.pid)
		return text_format("%s is still running; o shows it", dashboard->command.shown);
	if (model->saved)
		return text_copy("these are saved facts: nothing is done to any machine");
	if (!model->live && !action->any_root)
		return text_copy("this is an image: only a running machine can do that");
	if (!action->needs_root || model->root)
		return NULL;
	shown = command_shown(
		dashboard->settings->program, action->plan ? action->plan : action->arguments);
	return text_format("only root can do that: sudo %s", shown);
}

static char *default_file(const struct model *model)
{
	const char *id = fact_text_or(&model->facts.instance.id, NULL);
	char now[INSTANT_LENGTH];
	char *name;

	instant_format(model->now, now);
	name = text_format("ec2hib-facts-%s%s%s.json", id ? id : "", id ? "-" : "", now);
	/* A colon or a slash in a name makes trouble elsewhere. */
	for (char *at = name; *at; at++)
		if (*at == ':' || *at == '/')
			*at = '-';
	return name;
}

static void ask(struct dashboard *dashboard, const struct action *action)
{
	char *why = refusal(dashboard, action);

	if (why) {
		text_set(&dashboard->message, why);
		return;
	}
	text_set(&dashboard->file, NULL);
	if (action->to_file) {
		dashboard->prompt = PROMPT_FILE;
		text_set(&dashboard->typed, default_file(&dashboard->model));
	} else if (action->plan) {
		start(dashboard, action, true);
	} else {
		dashboard->question = QUESTION_RUN;
		dashboard->action = action;
	}
}

void control_command_ended(struct dashboard *dashboard)
{
	struct command_run *run = &dashboard->command;
	char *result = command_result(run);
	struct stat status;

	if (run->file && stat(run->file, &status) == 0 && status.st_size > 0)
		text_set(&result,
			text_format("wrote %s, %lld bytes", run->file, (long long)status.st_size));
	text_set(&dashboard->model.command_result, result);
	dashboard->model.command_runs = false;
	if (dashboard->question == QUESTION_QUIT)
		dashboard->question = QUESTION_NONE;
	dashboard_say(dashboard, "%s: %s", run->shown, result);
	if (!run->is_plan)
		dashboard->gather_wanted = true;
	dashboard_tell(dashboard, NEWS_COMMAND);
}

/* ---- Text that is typed ---- */

static void search(struct dashboard *dashboard, bool back)
{
	struct page page = { 0 };
	unsigned rows;
	struct scroll *scroll;

	if (!dashboard->search)
		return;
	scroll = view_draw(dashboard, &page, &rows);
	if (!scroll_search(scroll, &page, rows, dashboard->search, back))
		dashboard_say(dashboard, "not found%s%s: %s", dashboard->depth ? "" : " in ",
			dashboard->depth ? "" : panels[dashboard->focus]->title, dashboard->search);
	page_clear(&page);
}

static void finish_prompt(struct dashboard *dashboard)
{
	enum prompt kind = dashboard->prompt;

	dashboard->prompt = PROMPT_NONE;
	if (kind == PROMPT_SEARCH) {
		text_set(
			&dashboard->search, *dashboard->typed ? text_copy(dashboard->typed) : NULL);
		search(dashboard, false);
	} else if (*dashboard->typed) {
		text_set(&dashboard->file, text_copy(dashboard->typed));
		dashboard->question = QUESTION_RUN;
		dashboard->action = action_of(dashboard, REQUEST_SAVE);
	}
	text_set(&dashboard->typed, NULL);
}

/* The last character goes, all of its bytes. */
static void erase_last(char *text)
{
	size_t length = strlen(text);

	while (length && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
		length--;
	text[length ? length - 1 : 0] = '\0';
}

static void type_key(struct dashboard *dashboard, int key)
{
	char bytes[8] = "";

	if (key == KEY_IS_ENTER) {
		finish_prompt(dashboard);
	} else if (key == KEY_IS_ESCAPE) {
		dashboard->prompt = PROMPT_NONE;
		text_set(&dashboard->typed, NULL);
	} else if (key == KEY_IS_BACKSPACE) {
		erase_last(dashboard->typed);
	} else if (key == KEY_CONTROL('U')) {
		*dashboard->typed = '\0';
	} else if (key >= ' ' && key < KEY_IS_SPECIAL && strlen(dashboard->typed) < TYPED_MOST) {
		mbstate_t state = { 0 };
		size_t length = wcrtomb(bytes, (wchar_t)key, &state);

		if (length != (size_t)-1)
			text_append(&dashboard->typed, "%.*s", (int)length, bytes);
	}
}

/* ---- Requests ---- */

static void go_to_panel(struct dashboard *dashboard, enum request request)
{
	for (size_t i = 0; i < PANEL_COUNT; i++)
		if (panels[i]->request == request)
			dashboard->focus = i;
	dashboard->depth = 0;
	view_open(dashboard, &view_panel, ITEM_NONE);
}

/* In the overview only among those that are there. */
static void go_along(struct dashboard *dashboard, size_t by)
{
	bool alone = dashboard->depth > 0;

	/* None is there before the first drawing, as in a terminal that was too small. */
	for (size_t tries = 0; tries < PANEL_COUNT; tries++) {
		dashboard->focus = (dashboard->focus + by) % PANEL_COUNT;
		if (alone || dashboard->tiles[dashboard->focus].rows)
			break;
	}
	if (alone)
		go_to_panel(dashboard, panels[dashboard->focus]->request);
}

/* The overview's panel alone; of a panel alone, and where an item is chosen, what that is about. */
static void go_in(struct dashboard *dashboard)
{
	struct page page = { 0 };
	unsigned rows;
	struct scroll *scroll = view_draw(dashboard, &page, &rows);
	int item;

	scroll_fit(scroll, &page, rows);
	item = scroll->item;
	page_clear(&page);
	if (dashboard->depth && !view_is(dashboard, &view_panel))
		return;
	if (item != ITEM_NONE && panels[dashboard->focus]->explain)
		view_open(dashboard, &view_explanation, item);
	else if (dashboard->depth == 0)
		view_open(dashboard, &view_panel, ITEM_NONE);
}

static void go_back(struct dashboard *dashboard)
{
	if (dashboard->depth)
		dashboard->depth--;
	else
		text_set(&dashboard->search, NULL);
}

static void move(struct dashboard *dashboard, enum request request)
{
	struct page page = { 0 };
	unsigned rows;
	struct scroll *scroll = view_draw(dashboard, &page, &rows);

	scroll_move(scroll, &page, rows, request);
	page_clear(&page);
}

/* Of the panel in focus, or where that has nothing to filter of the readiness. */
static void filter(struct dashboard *dashboard)
{
	if (!panels[dashboard->focus]->filter)
		go_to_panel(dashboard, REQUEST_READINESS);
	panels[dashboard->focus]->filter(dashboard->states[dashboard->focus]);
}

static void quit(struct dashboard *dashboard)
{
	if (!dashboard->command.pid) {
		dashboard->quit = true;
		return;
	}
	dashboard->question = QUESTION_QUIT;
	dashboard_say(dashboard, "%s is still running, and goes on without the dashboard: q leaves",
		dashboard->command.shown);
}

static void do_request(struct dashboard *dashboard, enum request request)
{
	switch (request) {
	case REQUEST_HELP:
		view_open(dashboard, &view_help, ITEM_NONE);
		break;
	case REQUEST_OVERVIEW:
		dashboard->depth = 0;
		break;
	case REQUEST_INSTANCE ... REQUEST_HISTORY:
		go_to_panel(dashboard, request);
		break;
	case REQUEST_NEXT:
		go_along(dashboard, 1);
		break;
	case REQUEST_PREVIOUS:
		go_along(dashboard, PANEL_COUNT - 1);
		break;
	case REQUEST_OPEN:
		go_in(dashboard);
		break;
	case REQUEST_BACK:
		go_back(dashboard);
		break;
	case REQUEST_UP ... REQUEST_LAST:
		move(dashboard, request);
		break;
	case REQUEST_SEARCH:
		dashboard->prompt = PROMPT_SEARCH;
		text_set(&dashboard->typed, text_copy(""));
		break;
	case REQUEST_SEARCH_NEXT:
	case REQUEST_SEARCH_BACK:
		search(dashboard, request == REQUEST_SEARCH_BACK);
		break;
	case REQUEST_FILTER:
		filter(dashboard);
		break;
	case REQUEST_GATHER:
		dashboard->gather_wanted = true;
		break;
	case REQUEST_SET_UP ... REQUEST_SAVE:
		ask(dashboard, action_of(dashboard, request));
		break;
	case REQUEST_OUTPUT:
		if (dashboard->command.shown)
			show_output(dashboard, true);
		else
			dashboard_say(dashboard, "no command has run yet");
		break;
	case REQUEST_END_COMMAND:
		if (dashboard->command.pid)
			command_stop(&dashboard->command);
		else
			dashboard_say(dashboard, "no command is running");
		break;
	case REQUEST_REDRAW:
		terminal_redraw();
		break;
	case REQUEST_QUIT:
		quit(dashboard);
		break;
	case REQUEST_NONE:
		break;
	}
}

/* ---- Questions ---- */

bool control_plan_asks(const struct dashboard *dashboard)
{
	return (dashboard->plan_unread || dashboard->question == QUESTION_PLAN) &&
	       view_is(dashboard, &view_output) && dashboard->command.ended &&
	       dashboard->command.status == 0;
}

void control_settle_plan(struct dashboard *dashboard)
{
	struct page page = { 0 };
	struct scroll *scroll;
	unsigned rows;

	if (!dashboard->plan_unread || screen_is_cramped())
		return;
	if (!dashboard->command.ended && view_is(dashboard, &view_output))
		return;
	if (!control_plan_asks(dashboard)) {
		/* It failed, or something came over it: it is the output of a command, no more. */
		dashboard->plan_unread = false;
		return;
	}
	scroll = view_draw(dashboard, &page, &rows);
	scroll_fit(scroll, &page, rows);
	if (scroll->top + rows >= page.count && dashboard->prompt == PROMPT_NONE) {
		dashboard->plan_unread = false;
		dashboard->question = QUESTION_PLAN;
		dashboard->action = dashboard->command.action;
		scroll->follow = true;
	}
	page_clear(&page);
}

void control_leave_question(struct dashboard *dashboard)
{
	/* The question goes with the plan above it. */
	if (dashboard->question == QUESTION_PLAN)
		view_close(dashboard, &view_output);
	dashboard->question = QUESTION_NONE;
}

static void answer(struct dashboard *dashboard, int key)
{
	bool quits = dashboard->question == QUESTION_QUIT;

	control_leave_question(dashboard);
	if (quits)
		dashboard->quit = request_of_key(key) == REQUEST_QUIT;
	/* Nobody agrees to a question that cannot be seen. */
	else if (key == 'y' && !screen_is_cramped())
		start(dashboard, dashboard->action, false);
}

void control_key(struct dashboard *dashboard, int key)
{
	dashboard->redraw = true;
	text_set(&dashboard->message, NULL);
	if (dashboard->prompt != PROMPT_NONE)
		type_key(dashboard, key);
	else if (dashboard->question != QUESTION_NONE)
		answer(dashboard, key);
	else if (!screen_is_cramped() || request_of_key(key) == REQUEST_QUIT)
		do_request(dashboard, request_of_key(key));
}
