/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pre-warm: how far it came, how fast, and how slow the slowest blocks were. */
#include <errno.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/prewarm_view.h"
#include "ui/tui/panel.h"

#define LABEL_COLUMN 12
#define GAUGE_LEAST  6
#define GAUGE_MOST   40
#define GRAPH_ROWS   6

struct prewarm_panel {
	struct samples rates; /* bytes/s */
};

static uint64_t number(const struct fact_number *fact)
{
	return fact_number_or(fact, 0);
}

static void update(void *state, const struct model *model, unsigned news)
{
	struct prewarm_panel *self = state;

	if ((news & NEWS_PREWARM) && model->prewarm_runs)
		samples_add(&self->rates, number(&model->prewarm.rate));
}

/* What it is doing, also where its file says "running" and nobody holds its lock. */
static const char *word_of(const struct model *model, enum colour *colour)
{
	const struct fact_text *state = &model->prewarm.state;

	*colour = COLOUR_RISK;
	if (model->prewarm_runs) {
		*colour = COLOUR_STRONG;
		return PREWARM_RUNNING;
	}
	if (fact_text_is(state, PREWARM_RUNNING))
		return "interrupted";
	if (fact_text_is(state, PREWARM_FINISHED))
		*colour = COLOUR_GOOD;
	if (fact_text_is(state, PREWARM_FAILED))
		*colour = COLOUR_BAD;
	return fact_text_or(state, "?");
}

static void draw_progress(struct page *page, const struct model *model)
{
	const struct prewarm_state *state = &model->prewarm;
	uint64_t total = number(&state->total), done = number(&state->done);
	unsigned percent = total ? (unsigned)((double)done / (double)total * 100) : 0;
	memory_cleanup_free char *of = size_format(total);
	memory_cleanup_free char *amount = size_format(done);
	memory_cleanup_free char *left = model->prewarm_runs && state->left.is == FACT_KNOWN
						 ? duration_format(state->left.value)
						 : NULL;
	memory_cleanup_free char *numbers = text_format(" %u %%, %s of %s%s%s%s", percent, amount,
		of, left ? ", " : "", left ? left : "", left ? " left" : "");
	size_t used = LABEL_COLUMN + strlen(numbers);
	enum colour colour;
	const char *word = word_of(model, &colour);

	page_text(page, colour, "%s", word);
	page_pad(page, LABEL_COLUMN);
	if (page->width > used + GAUGE_LEAST)
		page_gauge(page,
			page->width - used < GAUGE_MOST ? (unsigned)(page->width - used)
							: GAUGE_MOST,
			done, total, colour);
	page_add(page, COLOUR_PLAIN, "%s", numbers);
}

/* "66 MiB/s ▁▃▅▇  slowest 12 ms, 30 slow" */
static void draw_speed(struct page *page, const struct model *model, const struct samples *rates)
{
	const struct prewarm_state *state = &model->prewarm;
	memory_cleanup_free char *slowest = us_format(number(&state->slowest_us));
	memory_cleanup_free char *rate =
		text_format("%.1f MiB/s", (double)number(&state->rate) / (double)MIB);
	memory_cleanup_free char *slow =
		text_format("%llu", (unsigned long long)number(&state->slow));
	memory_cleanup_free char *errors =
		text_format("%llu", (unsigned long long)number(&state->errors));

	page_text(page, COLOUR_PLAIN, "%s", rate);
	page_pad(page, LABEL_COLUMN);
	if (rates->count && !page->whole)
		page_graph(page, rates, page->width / 3, 1, COLOUR_GOOD);
	page_field(page, COLOUR_PLAIN, "slow blocks", slow);
	page_field(page, COLOUR_PLAIN, "slowest", slowest);
	if (number(&state->errors) || page->whole)
		page_field(
			page, number(&state->errors) ? COLOUR_BAD : COLOUR_PLAIN, "errors", errors);
	if (state->error.is == FACT_KNOWN)
		page_field(page, COLOUR_BAD, "error", state->error.value);
}

static void draw_buckets(struct page *page, const struct prewarm_state *state)
{
	uint64_t most = 0;

	for (size_t i = 0; i < state->histogram.count; i++)
		if (number(&state->histogram.items[i].count) > most)
			most = number(&state->histogram.items[i].count);
	if (most == 0)
		return;
	page_title(page, "requests by the time that they took");
	for (size_t i = 0; i < state->histogram.count; i++) {
		const struct prewarm_bucket *bucket = &state->histogram.items[i];
		bool bound = bucket->up_to.is == FACT_KNOWN || i == 0;
		memory_cleanup_free char *time =
			us_format(number(bound ? &bucket->up_to : &bucket[-1].up_to));

		if (number(&bucket->count) == 0)
			continue;
		page_text(page, COLOUR_PLAIN, "%s %8s %8llu  ", bound ? "up to" : "above", time,
			(unsigned long long)number(&bucket->count));
		page_bar(page, GAUGE_MOST, number(&bucket->count), most, COLOUR_DIM);
	}
}

static void draw_details(struct page *page, const struct model *model, const struct samples *rates)
{
	const struct prewarm_state *state = &model->prewarm;
	memory_cleanup_free char *depth =
		text_format("%llu", (unsigned long long)number(&state->depth));
	memory_cleanup_free char *elapsed = duration_format(number(&state->elapsed));

	page_fact(page, "area", &state->path);
	page_fact(page, "device", &state->device);
	page_fact(page, "method", &state->method);
	page_fact(page, "began", &state->started);
	page_field(page, COLOUR_PLAIN, "took so far", elapsed);
	page_field(page, COLOUR_PLAIN, "requests at a time", depth);
	if (rates->count) {
		page_title(page, "MiB/s");
		page_graph(page, rates, page->width - 2, GRAPH_ROWS, COLOUR_GOOD);
	}
	draw_buckets(page, state);
}

static void draw(struct page *page, const struct model *model, const void *state)
{
	const struct prewarm_panel *self = state;

	if (model->prewarm_status < 0) {
		page_text(page, model->prewarm_status == -ENOENT ? COLOUR_DIM : COLOUR_RISK, "%s",
			model->saved			   ? "not in the saved facts"
			: model->prewarm_status == -ENOENT ? "none since boot; F6 starts one"
							   : model->prewarm_error);
		return;
	}
	draw_progress(page, model);
	draw_speed(page, model, &self->rates);
	if (page->whole)
		draw_details(page, model, &self->rates);
}

const struct panel panel_prewarm = {
	.title = "pre-warm",
	.request = REQUEST_PREWARM_PANEL,
	.wish = { .least = 2, .wanted = 2, .rank = 5 },
	.state_size = sizeof(struct prewarm_panel),
	.update = update,
	.draw = draw,
};
