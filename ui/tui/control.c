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
#include "ui/tui/desk.h"
#include "ui/tui/terminal.h"

/* Of what is typed: longer than any file name. */
#define TYPED_MOST 4096

void desk_say(struct desk *desk, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_set(&desk->message, text_format_list(format, arguments));
	va_end(arguments);
}

void desk_tell(struct desk *desk, unsigned news)
{
	for (size_t i = 0; i < PANELS; i++)
		if (panels[i]->update)
			panels[i]->update(desk->own[i], &desk->model, news);
	desk->changed = desk->unsettled = true;
}

/* ---- Commands ---- */

const struct action *desk_action(const struct desk *desk, enum request request)
{
	for (size_t i = 0; i < desk->settings->action_count; i++)
		if (desk->settings->actions[i].request == request)
			return &desk->settings->actions[i];
	return NULL;
}

static void start(struct desk *desk, const struct action *action, bool plan)
{
	const struct dashboard *settings = desk->settings;
	struct error err = { "" };

	command_free(&desk->command);
	desk->command.action = action;
	desk->command.is_plan = plan;
	if (command_start(&desk->command, settings->program,
		    plan ? action->plan : action->arguments, plan ? NULL : desk->file, &err) < 0) {
		/* What the command before it said is gone, too. */
		desk_drop(desk, SHEET_OUTPUT);
		desk_say(desk, "%s", err.text);
		return;
	}
	text_set(&desk->model.command, text_copy(desk->command.shown));
	text_set(&desk->model.command_result, NULL);
	desk->model.command_runs = true;
	desk_push(desk, SHEET_OUTPUT, ITEM_NONE);
	/* A plan is read from its beginning; its end asks. */
	desk->sheets[desk->depth - 1].scroll.follow = !plan;
	desk->plan_unread = plan;
	desk_tell(desk, NEWS_COMMAND);
}

/* Why the action cannot be run, or NULL. */
static char *refusal(const struct desk *desk, const struct action *action)
{
	const struct model *model = &desk->model;
	memory_cleanup_free char *shown = NULL;

	if (desk->command.pid)
		return text_format("%s still runs; o shows it", desk->command.shown);
	if (model->saved)
		return text_copy("these are saved facts: nothing is done to any machine");
	if (!model->live && !action->any_root)
		return text_copy("this is an image: only a running machine can do that");
	if (!action->needs_root || model->root)
		return NULL;
	shown = command_shown(
		desk->settings->program, action->plan ? action->plan : action->arguments);
	return text_format("only root can do that: sudo %s", shown);
}

static char *default_file(const struct model *model)
{
	const char *id = shown_text(&model->facts.instance.id);
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

static void ask(struct desk *desk, const struct action *action)
{
	char *why = refusal(desk, action);

	if (why) {
		text_set(&desk->message, why);
		return;
	}
	text_set(&desk->file, NULL);
	if (action->to_file) {
		desk->prompt = PROMPT_FILE;
		text_set(&desk->typed, default_file(&desk->model));
	} else if (action->plan) {
		start(desk, action, true);
	} else {
		desk->question = action;
	}
}

void desk_command_ended(struct desk *desk)
{
	struct command_run *run = &desk->command;
	char *result = command_result(run);
	struct stat status;

	if (run->file && stat(run->file, &status) == 0 && status.st_size > 0)
		text_set(&result,
			text_format("wrote %s, %lld bytes", run->file, (long long)status.st_size));
	text_set(&desk->model.command_result, result);
	desk->model.command_runs = false;
	desk->leaving = false;
	desk_say(desk, "%s: %s", run->shown, result);
	if (!run->is_plan)
		desk->gather_wanted = true;
	desk_tell(desk, NEWS_COMMAND);
}

/* ---- Text that is typed ---- */

static void search(struct desk *desk, bool back)
{
	struct page page = { 0 };
	unsigned rows;
	struct scroll *scroll;

	if (!desk->search)
		return;
	scroll = desk_page(desk, &page, &rows);
	if (!scroll_search(scroll, &page, rows, desk->search, back))
		desk_say(desk, "not found%s%s: %s", desk->depth ? "" : " in ",
			desk->depth ? "" : panels[desk->focus]->title, desk->search);
	page_clear(&page);
}

static void finish_prompt(struct desk *desk)
{
	enum prompt_kind kind = desk->prompt;

	desk->prompt = PROMPT_NONE;
	if (kind == PROMPT_SEARCH) {
		text_set(&desk->search, *desk->typed ? text_copy(desk->typed) : NULL);
		search(desk, false);
	} else if (*desk->typed) {
		text_set(&desk->file, text_copy(desk->typed));
		desk->question = desk_action(desk, REQUEST_SAVE);
	}
	text_set(&desk->typed, NULL);
}

/* The last character goes, all of its bytes. */
static void rub_out(char *text)
{
	size_t length = strlen(text);

	while (length && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
		length--;
	text[length ? length - 1 : 0] = '\0';
}

static void type_key(struct desk *desk, int key)
{
	char bytes[8] = "";

	if (key == KEY_IS_ENTER) {
		finish_prompt(desk);
	} else if (key == KEY_IS_ESCAPE) {
		desk->prompt = PROMPT_NONE;
		text_set(&desk->typed, NULL);
	} else if (key == KEY_IS_BACKSPACE) {
		rub_out(desk->typed);
	} else if (key == KEY_CONTROL('U')) {
		*desk->typed = '\0';
	} else if (key >= ' ' && key < KEY_IS_SPECIAL && strlen(desk->typed) < TYPED_MOST) {
		mbstate_t state = { 0 };
		size_t length = wcrtomb(bytes, (wchar_t)key, &state);

		if (length != (size_t)-1)
			text_append(&desk->typed, "%.*s", (int)length, bytes);
	}
}

/* ---- Going about ---- */

static void go_to_panel(struct desk *desk, enum request request)
{
	for (size_t i = 0; i < PANELS; i++)
		if (panels[i]->request == request)
			desk->focus = i;
	desk->depth = 0;
	desk_push(desk, SHEET_PANEL, ITEM_NONE);
}

/* In the overview only among those that are there. */
static void go_along(struct desk *desk, size_t by)
{
	bool alone = desk->depth > 0;

	/* None is there before the first drawing, as in a terminal that was too small. */
	for (size_t tries = 0; tries < PANELS; tries++) {
		desk->focus = (desk->focus + by) % PANELS;
		if (alone || desk->tiles[desk->focus].rows)
			break;
	}
	if (alone)
		go_to_panel(desk, panels[desk->focus]->request);
}

/* The overview's panel alone; of a panel alone, and where an item is chosen, what that is about. */
static void go_in(struct desk *desk)
{
	struct page page = { 0 };
	unsigned rows;
	struct scroll *scroll = desk_page(desk, &page, &rows);
	bool explained = desk->depth && desk->sheets[desk->depth - 1].kind != SHEET_PANEL;
	int item;

	scroll_settle(scroll, &page, rows);
	item = scroll->item;
	page_clear(&page);
	if (explained)
		return;
	if (item != ITEM_NONE && panels[desk->focus]->explain)
		desk_push(desk, SHEET_EXPLANATION, item);
	else if (desk->depth == 0)
		desk_push(desk, SHEET_PANEL, ITEM_NONE);
}

static void go_back(struct desk *desk)
{
	if (desk->search && desk->depth == 0)
		text_set(&desk->search, NULL);
	desk_pop(desk);
}

static void leave(struct desk *desk)
{
	if (!desk->command.pid) {
		desk->quit = true;
		return;
	}
	desk->leaving = true;
	desk_say(desk, "%s still runs, and goes on without the dashboard: q leaves",
		desk->command.shown);
}

static bool go(struct desk *desk, enum request request)
{
	if (request >= REQUEST_INSTANCE && request <= REQUEST_HISTORY)
		go_to_panel(desk, request);
	else if (request == REQUEST_OVERVIEW)
		desk->depth = 0;
	else if (request == REQUEST_NEXT || request == REQUEST_PREVIOUS)
		go_along(desk, request == REQUEST_NEXT ? 1 : PANELS - 1);
	else if (request == REQUEST_OPEN)
		go_in(desk);
	else if (request == REQUEST_BACK)
		go_back(desk);
	else if (request == REQUEST_HELP)
		desk_push(desk, SHEET_HELP, ITEM_NONE);
	else
		return false;
	return true;
}

static bool move(struct desk *desk, enum request request)
{
	struct page page = { 0 };
	unsigned rows;
	struct scroll *scroll = desk_page(desk, &page, &rows);
	bool moved = scroll_move(scroll, &page, rows, request);

	page_clear(&page);
	return moved;
}

static void show_output(struct desk *desk)
{
	if (!desk->command.shown) {
		desk_say(desk, "no command was run so far");
		return;
	}
	desk_push(desk, SHEET_OUTPUT, ITEM_NONE);
	desk->sheets[desk->depth - 1].scroll.follow = true;
}

static void stop_command(struct desk *desk)
{
	if (desk->command.pid)
		command_stop(&desk->command);
	else
		desk_say(desk, "no command runs");
}

static void do_other(struct desk *desk, enum request request)
{
	const struct action *action = desk_action(desk, request);

	if (request == REQUEST_QUIT)
		leave(desk);
	else if (request == REQUEST_REDRAW)
		terminal_redraw();
	else if (request == REQUEST_GATHER)
		desk->gather_wanted = true;
	else if (request == REQUEST_OUTPUT)
		show_output(desk);
	else if (request == REQUEST_END_COMMAND)
		stop_command(desk);
	else if (request == REQUEST_SEARCH) {
		desk->prompt = PROMPT_SEARCH;
		text_set(&desk->typed, text_copy(""));
	} else if (request == REQUEST_SEARCH_NEXT || request == REQUEST_SEARCH_BACK)
		search(desk, request == REQUEST_SEARCH_BACK);
	else if (action)
		ask(desk, action);
}

static void do_request(struct desk *desk, enum request request)
{
	const struct panel *panel = panels[desk->focus];

	if (go(desk, request) || move(desk, request))
		return;
	if (request == REQUEST_FILTER && !panel->request_own) {
		go_to_panel(desk, REQUEST_READINESS);
		panel = panels[desk->focus];
	}
	if (panel->request_own && panel->request_own(desk->own[desk->focus], request))
		return;
	do_other(desk, request);
}

/* ---- Questions ---- */

bool desk_plan_asks(const struct desk *desk)
{
	bool asks = desk->plan_unread || (desk->question && desk->question->plan);

	return asks && desk->depth && desk->sheets[desk->depth - 1].kind == SHEET_OUTPUT &&
	       desk->command.ended && desk->command.status == 0;
}

void desk_plan_settle(struct desk *desk)
{
	struct page page = { 0 };
	struct scroll *scroll;
	unsigned rows;

	if (!desk->plan_unread || desk_is_cramped())
		return;
	if (desk->command.pid && desk->depth && desk->sheets[desk->depth - 1].kind == SHEET_OUTPUT)
		return;
	if (!desk_plan_asks(desk)) {
		/* It failed, or something came over it: it is the output of a command, no more. */
		desk->plan_unread = false;
		return;
	}
	scroll = desk_page(desk, &page, &rows);
	scroll_settle(scroll, &page, rows);
	if (scroll->top + rows >= page.count && desk->prompt == PROMPT_NONE) {
		desk->plan_unread = false;
		desk->question = desk->command.action;
		scroll->follow = true;
	}
	page_clear(&page);
}

void desk_question_leave(struct desk *desk)
{
	/* The question goes with the plan that it stands under. */
	if (desk->question && desk->question->plan)
		desk_drop(desk, SHEET_OUTPUT);
	desk->question = NULL;
	desk->leaving = false;
}

static void answer(struct desk *desk, int key)
{
	const struct action *action = desk->question;
	bool leaving = desk->leaving;

	desk_question_leave(desk);
	if (leaving)
		desk->quit = request_of_key(key) == REQUEST_QUIT;
	/* Who does not see what is asked does not agree to it. */
	else if (key == 'y' && !desk_is_cramped())
		start(desk, action, false);
}

void desk_key(struct desk *desk, int key)
{
	desk->changed = true;
	text_set(&desk->message, NULL);
	if (desk->prompt != PROMPT_NONE)
		type_key(desk, key);
	else if (desk->question || desk->leaving)
		answer(desk, key);
	else if (!desk_is_cramped() || request_of_key(key) == REQUEST_QUIT)
		do_request(desk, request_of_key(key));
}
