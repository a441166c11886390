/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The metadata service, what it says will happen to the instance, and the agent that listens. */
#include <errno.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/tui/panel.h"

#define LABEL_COLUMN 10
#define GRAPH_ROWS   6

struct notices_panel {
	struct samples latency; /* us */
};

static void update(void *state, const struct model *model, unsigned news)
{
	struct notices_panel *self = state;

	if (news & NEWS_SERVICE)
		samples_add(&self->latency,
			model->service.error ? SAMPLE_NONE : model->service.latency_us);
}

static char *latency_text(uint64_t us)
{
	return text_format("%llu.%llu ms", (unsigned long long)(us / 1000),
		(unsigned long long)(us % 1000 / 100));
}

static void label(struct page *page, const char *text)
{
	page_text(page, COLOUR_DIM, "%s", text);
	page_pad(page, LABEL_COLUMN);
}

/* For how long there was no word from the child that asks; false: it is in time. */
static bool overdue(const struct model *model, uint64_t *ms)
{
	*ms = model->ticks > model->service.at ? model->ticks - model->service.at : 0;
	return !model->service.over && *ms > SERVICE_INTERVAL_MS + SERVICE_LATE_MS;
}

static void draw_service(
	struct page *page, const struct model *model, const struct samples *latency)
{
	const struct service_state *service = &model->service;
	uint64_t ms;

	label(page, "service");
	if (!model->endpoint) {
		page_add(page, COLOUR_DIM, "%s",
			model->saved ? "not in the saved facts" : "is not asked");
		return;
	}
	if (!service->polled && !overdue(model, &ms)) {
		page_add(page, COLOUR_DIM, "asking %s ...", model->endpoint);
		return;
	}
	if (overdue(model, &ms)) {
		memory_cleanup_free char *time = duration_format(ms / 1000 * 1000);

		page_add(page, COLOUR_BAD, "hangs");
		page_add(page, COLOUR_PLAIN, ", no answer for %s", time);
	} else if (service->error) {
		page_add(page, COLOUR_BAD, "no answer: ");
		page_add(page, COLOUR_PLAIN, "%s", service->error);
	} else {
		memory_cleanup_free char *time = latency_text(service->latency_us);

		page_add(page, COLOUR_GOOD, "answers");
		page_add(page, COLOUR_PLAIN, " in %s", time);
	}
	if (page->whole || !latency->count)
		return;
	page_add(page, COLOUR_PLAIN, "  ");
	page_graph(page, latency, page->width / 4, 1, COLOUR_GOOD);
}

/* "hibernate at 12:02:00 UTC, in 1 min 58 s" */
static void draw_countdown(struct page *page, const struct model *model, const char *kind,
	const char *time, const char *detail)
{
	int64_t when;

	page_add(page, COLOUR_BAD, "%s", kind);
	if (*detail)
		page_add(page, COLOUR_PLAIN, ", %s", detail);
	if (!*time || instant_parse(time, &when) < 0)
		return;
	page_add(page, COLOUR_PLAIN, " at %s", time);
	if (when > model->now) {
		memory_cleanup_free char *left =
			duration_format((uint64_t)(when - model->now) * 1000);

		page_add(page, COLOUR_STRONG, ", in %s", left);
	} else {
		memory_cleanup_free char *gone =
			duration_format((uint64_t)(model->now - when) * 1000);

		page_add(page, COLOUR_PLAIN, ", %s ago", gone);
	}
}

static bool lies_ahead(const struct model *model, const struct fact_text *time)
{
	int64_t when;

	return time->is == FACT_KNOWN && instant_parse(time->value, &when) == 0 &&
	       when > model->now;
}

static void draw_notice(struct page *page, const struct model *model)
{
	const struct watch_notice *heard = &model->watch.notice;
	const struct notice *notice = model_notice(model);

	label(page, "notice");
	if (notice) {
		draw_countdown(
			page, model, notice_kinds[notice->kind], notice->time, notice->detail);
	} else if (model->watch_status == 0 && heard->kind.is == FACT_KNOWN) {
		if (!lies_ahead(model, &heard->time))
			page_add(page, COLOUR_DIM, "none now; last: ");
		draw_countdown(page, model, heard->kind.value, fact_text_or(&heard->time, ""),
			fact_text_or(&heard->detail, ""));
	} else if (model->service.polled && !model->service.error) {
		page_add(page, COLOUR_GOOD, "none");
	} else {
		page_add(page, COLOUR_DIM, "not known");
	}
}

static void draw_agent(struct page *page, const struct model *model)
{
	const struct watch_state *watch = &model->watch;
	uint64_t ms;

	label(page, "agent");
	if (model->watch_status < 0) {
		page_add(page, COLOUR_DIM, "%s",
			model->saved			 ? "not in the saved facts"
			: model->watch_status == -ENOENT ? "none has run since boot"
							 : model->watch_error);
		return;
	}
	if (!model_agent_runs(model)) {
		page_add(page, COLOUR_BAD, "not running");
		page_add(page, COLOUR_PLAIN, "; it was %s", fact_text_or(&watch->state, "?"));
		return;
	}
	page_add(page, fact_text_is(&watch->state, WATCH_FAILED) ? COLOUR_BAD : COLOUR_GOOD, "%s",
		fact_text_or(&watch->state, "?"));
	if (fact_is_true(&watch->dry_run))
		page_add(page, COLOUR_RISK, ", dry run");
	if (model_since(model, &watch->last_poll, &ms)) {
		memory_cleanup_free char *time = duration_format(ms);

		page_add(page, COLOUR_PLAIN, ", last poll %s ago", ms ? time : "0 s");
	}
	if (watch->latency_us.is == FACT_KNOWN) {
		memory_cleanup_free char *time = latency_text(watch->latency_us.value);

		page_add(page, COLOUR_PLAIN, ", %s", time);
	}
	if (watch->error.is == FACT_KNOWN)
		page_add(page, COLOUR_BAD, "; %s", watch->error.value);
}

static void draw_details(
	struct page *page, const struct model *model, const struct samples *latency)
{
	const struct watch_state *watch = &model->watch;
	const struct fact_number *token = &watch->token_age;
	memory_cleanup_free char *age = NULL;

	if (model->service.has_token)
		age = duration_format(model->service.token_age * 1000);
	page_field(page, COLOUR_PLAIN, "asked", model->endpoint);
	page_field(page, COLOUR_PLAIN, "age of the token", age);
	for (size_t i = 0; i < model->service.notice_count; i++) {
		const struct notice *notice = &model->service.notices[i];

		label(page, "says");
		draw_countdown(
			page, model, notice_kinds[notice->kind], notice->time, notice->detail);
	}
	if (latency->count) {
		page_title(page, "latency (x: no answer)");
		page_graph(page, latency, page->width - 2, GRAPH_ROWS, COLOUR_GOOD);
	}
	if (model->watch_status < 0)
		return;
	page_title(page, "the agent");
	page_fact(page, "started", &watch->started);
	page_fact(page, "asks", &watch->endpoint);
	page_fact(page, "last poll", &watch->last_poll);
	page_number(page, "answered polls", &watch->polls);
	page_number(page, "failures in a row", &watch->failures);
	if (token->is == FACT_KNOWN) {
		memory_cleanup_free char *time = duration_format(token->value * 1000);

		page_field(page, COLOUR_PLAIN, "age of its token", time);
	}
	for (size_t i = 0; i < watch->devices.count; i++)
		page_fact(page, i ? "" : "sleep buttons", &watch->devices.items[i].name);
	for (size_t i = 0; i < watch->acted.count; i++)
		page_fact(page, i ? "" : "acted on", &watch->acted.items[i].name);
}

static void draw(struct page *page, const struct model *model, const void *state)
{
	const struct notices_panel *self = state;

	draw_service(page, model, &self->latency);
	draw_notice(page, model);
	draw_agent(page, model);
	if (page->whole)
		draw_details(page, model, &self->latency);
}

const struct panel panel_notices = {
	.title = "notices",
	.request = REQUEST_NOTICES,
	.wish = { .least = 3, .wanted = 3, .rank = 2 },
	.state_size = sizeof(struct notices_panel),
	.update = update,
	.draw = draw,
};
