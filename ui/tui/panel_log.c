/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happened: the phases of the last hibernation as bars, what the dashboard saw happen, and
 * what the agent logged.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/prewarm_view.h"
#include "ui/tui/panel.h"

#define EVENTS_MOST 200

/* An overview with as many rows has room for the bars, too. */
#define BARS_ROWS 12

#define PHASE_COLUMN 22
#define BAR_MOST     40

struct event {
	int64_t when;
	enum colour colour;
	char *text;
};

struct log_panel {
	struct event events[EVENTS_MOST];
	size_t count; /* all that there ever were */

	/* As it was with the last news, to tell what has changed. NULL: nothing was known. */
	char *agent;
	char *notice;
	char *service;
	char *prewarm;
	char *command;
};

/* ---- What has changed ---- */

static void add_event(struct log_panel *self, const struct model *model, enum colour colour,
	const char *what, const char *text)
{
	struct event *event = &self->events[self->count++ % EVENTS_MOST];

	free(event->text);
	event->when = model->now;
	event->colour = colour;
	event->text = text_format("%s: %s", what, text);
}

/* TEXT, which is taken over, is what there is now; NULL: nothing. */
static void note_change(struct log_panel *self, const struct model *model, char **before,
	enum colour colour, const char *what, char *text)
{
	if (text && !text_equal(*before, text))
		add_event(self, model, colour, what, text);
	text_set(before, text);
}

static char *agent_now(const struct model *model)
{
	const struct watch_state *watch = &model->watch;

	if (model->watch_status < 0)
		return model->watch_status == -ENOENT ? NULL : text_copy(model->watch_error);
	if (!model_agent_runs(model))
		return text_copy("not running");
	return text_format("%s%s%s", fact_text_or(&watch->state, "?"),
		watch->error.is == FACT_KNOWN ? ", no answer from the metadata service: " : "",
		fact_text_or(&watch->error, ""));
}

static char *agent_notice(const struct model *model)
{
	const struct watch_notice *notice = &model->watch.notice;

	if (model->watch_status < 0 || notice->kind.is != FACT_KNOWN)
		return NULL;
	return text_format("%s%s%s", notice->kind.value,
		notice->time.is == FACT_KNOWN ? " at " : "", fact_text_or(&notice->time, ""));
}

static char *service_now(const struct model *model)
{
	const struct notice *notice = model_notice(model);

	if (model->service.error)
		return text_copy(model->service.error);
	if (notice)
		return text_format("says %s%s%s", notice_kinds[notice->kind],
			*notice->time ? " at " : "", notice->time);
	return text_copy("answers, no notice");
}

static char *prewarm_now(const struct model *model)
{
	const struct fact_text *state = &model->prewarm.state;

	if (model->prewarm_status < 0 || state->is != FACT_KNOWN)
		return NULL;
	if (fact_text_is(state, PREWARM_RUNNING) && !model->prewarm_runs)
		return text_copy("interrupted");
	return text_copy(state->value);
}

static void update(void *state, const struct model *model, unsigned news)
{
	struct log_panel *self = state;

	if (news & NEWS_WATCH) {
		note_change(self, model, &self->agent,
			model->watch.error.is == FACT_KNOWN ? COLOUR_BAD : COLOUR_PLAIN, "agent",
			agent_now(model));
		note_change(
			self, model, &self->notice, COLOUR_BAD, "agent heard", agent_notice(model));
	}
	if (news & NEWS_SERVICE)
		note_change(self, model, &self->service,
			model->service.error || model_notice(model) ? COLOUR_BAD : COLOUR_PLAIN,
			"metadata service", service_now(model));
	if (news & NEWS_PREWARM)
		note_change(
			self, model, &self->prewarm, COLOUR_PLAIN, "pre-warm", prewarm_now(model));
	if ((news & NEWS_COMMAND) && model->command)
		note_change(self, model, &self->command, COLOUR_STRONG, "dashboard",
			text_format("%s: %s", model->command,
				model->command_runs ? "began" : model->command_result));
}

static void free_state(void *state)
{
	struct log_panel *self = state;

	for (size_t i = 0; i < EVENTS_MOST; i++)
		free(self->events[i].text);
	free(self->agent);
	free(self->notice);
	free(self->service);
	free(self->prewarm);
	free(self->command);
}

/* ---- The last hibernation ---- */

struct phase {
	const char *name;
	uint64_t us;
};

static void add_phase(struct phase *phases, size_t *count, const char *name,
	const struct fact_number *time, uint64_t unit_us)
{
	if (time->is == FACT_KNOWN)
		phases[(*count)++] = (struct phase) { name, time->value * unit_us };
}

#define PHASES_MOST 8

static size_t phases_of(const struct timeline *timeline, struct phase *phases)
{
	size_t count = 0;

	add_phase(phases, &count, "sync file systems", &timeline->sync, 1000);
	add_phase(phases, &count, "freeze user space", &timeline->freeze_user, 1000);
	add_phase(phases, &count, "freeze kernel tasks", &timeline->freeze_kernel, 1000);
	add_phase(phases, &count, "reserve memory", &timeline->allocate_time, 1000);
	add_phase(phases, &count, "stop devices", &timeline->devices_freeze_us, 1);
	add_phase(phases, &count, "write the image", &timeline->write_time, 1000);
	add_phase(phases, &count, "read the image", &timeline->read_time, 1000);
	add_phase(phases, &count, "start devices", &timeline->devices_restore_us, 1);
	return count;
}

static void draw_bars(struct page *page, const struct cycle *cycle)
{
	struct phase phases[PHASES_MOST];
	size_t count = phases_of(&cycle->timeline, phases);
	unsigned columns = page->width > PHASE_COLUMN + 14 ? page->width - PHASE_COLUMN - 14 : 1;
	const char *began = fact_text_or(&cycle->began, NULL);
	const char *result = fact_text_or(&cycle->result, NULL);
	uint64_t most = 0;

	page_text(page, COLOUR_STRONG, "the last hibernation");
	page_add(page, COLOUR_PLAIN, "  %s  %s", began ? began : "",
		result ? result : "no result is known");
	for (size_t i = 0; i < count; i++)
		if (phases[i].us > most)
			most = phases[i].us;
	for (size_t i = 0; i < count; i++) {
		memory_cleanup_free char *time = us_format(phases[i].us);

		page_text(page, COLOUR_PLAIN, "  %s", phases[i].name);
		page_pad(page, PHASE_COLUMN);
		page_add(page, COLOUR_PLAIN, "%9s  ", time);
		page_bar(page, columns < BAR_MOST ? columns : BAR_MOST, phases[i].us, most,
			COLOUR_GOOD);
	}
	if (count == 0) {
		page_text(page, COLOUR_DIM, "  its phases are not known");
	}
}

/* ---- Drawing ---- */

static void draw_event(struct page *page, const struct event *event)
{
	char when[INSTANT_LENGTH];

	instant_format(event->when, when);
	page_line(page);
	/* 2026-11-21T12:00:00Z: the time alone. */
	page_add(page, COLOUR_DIM, "%.8s  ", when + strlen("2026-11-21T"));
	if (page->whole)
		page_wrap(page, event->colour, page_at(page), event->text);
	else
		page_add(page, event->colour, "%s", event->text);
}

static void draw_journal(struct page *page, const struct strings *journal, size_t most)
{
	size_t first = journal->count > most ? journal->count - most : 0;

	for (size_t i = first; i < journal->count; i++) {
		page_line(page);
		if (page->whole)
			page_wrap_line(page, COLOUR_PLAIN, journal->items[i]);
		else
			page_add(page, COLOUR_PLAIN, "%s", journal->items[i]);
	}
}

static void draw_overview(
	struct page *page, const struct model *model, const struct log_panel *self)
{
	size_t count = self->count < EVENTS_MOST ? self->count : EVENTS_MOST;
	size_t room = page->rows > page->count ? page->rows - page->count : 1;

	if (count > room)
		count = room;
	/* What lies back farther, as long as little has happened. */
	draw_journal(page, &model->journal, room - count);
	for (size_t i = self->count - count; i < self->count; i++)
		draw_event(page, &self->events[i % EVENTS_MOST]);
	if (page->count == 0) {
		page_text(page, COLOUR_DIM, "nothing has happened yet");
	}
}

static void draw(struct page *page, const struct model *model, const void *state)
{
	const struct log_panel *self = state;
	size_t count = self->count < EVENTS_MOST ? self->count : EVENTS_MOST;

	if (model->cycles.count && (page->whole || page->rows >= BARS_ROWS))
		draw_bars(page, &model->cycles.items[model->cycles.count - 1]);
	if (!page->whole) {
		draw_overview(page, model, self);
		return;
	}
	page_title(page, "seen by this dashboard");
	for (size_t i = self->count - count; i < self->count; i++)
		draw_event(page, &self->events[i % EVENTS_MOST]);
	if (count == 0) {
		page_text(page, COLOUR_DIM, "nothing yet");
	}
	if (model->journal.count) {
		page_title(page, "logged by ec2hib");
		draw_journal(page, &model->journal, model->journal.count);
	}
}

const struct panel panel_log = {
	.title = "log",
	.request = REQUEST_LOG,
	.wish = { .least = 1, .wanted = 3, .rank = 6, .grows = true, .right = true },
	.state_size = sizeof(struct log_panel),
	.update = update,
	.draw = draw,
	.free_state = free_state,
};
