/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/prewarm_view.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* Between two lines where there is no terminal, ms. */
#define LINE_EVERY_MS 10000

#define BAR_LEAST 8
#define BAR_MOST  30

static uint64_t number(const struct fact_number *fact)
{
	return fact_number_or(fact, 0);
}

static const char *text(const struct fact_text *fact)
{
	return fact_text_or(fact, "-");
}

char *us_format(uint64_t us)
{
	if (us < 1000)
		return text_format("%llu us", (unsigned long long)us);
	return duration_format(us / 1000);
}

/* ---- The bar -------------------------------------------------------------------------------- */

static char *numbers_text(const struct prewarm_state *state)
{
	uint64_t total = number(&state->total), done = number(&state->done);
	memory_cleanup_free char *of = size_format(total);
	memory_cleanup_free char *amount = size_format(done);
	memory_cleanup_free char *slowest = us_format(number(&state->slowest_us));
	char *line = text_format("%s of %s, %.1f MiB/s, slowest %s", amount, of,
		(double)number(&state->rate) / (double)MIB, slowest);

	if (state->left.is == FACT_KNOWN) {
		memory_cleanup_free char *left = duration_format(state->left.value);

		text_append(&line, ", %s left", left);
	}
	if (fact_is_true(&state->gives_way))
		text_append(&line, ", gives way");
	if (number(&state->errors))
		text_append(&line, ", %llu errors", (unsigned long long)number(&state->errors));
	return line;
}

char *progress_bar_text(const struct prewarm_state *state, unsigned width, bool utf8)
{
	uint64_t total = number(&state->total), done = number(&state->done);
	unsigned percent = total ? (unsigned)((double)done / (double)total * 100) : 0;
	memory_cleanup_free char *numbers = numbers_text(state);
	size_t used = strlen("[] 100 % ") + strlen(numbers);
	char *line = text_copy("");
	bool has_cells = width >= used + BAR_LEAST + 1;
	unsigned cells;

	if (has_cells) { /* a full line would begin the next one */
		cells = width - (unsigned)used - 1;
		if (cells > BAR_MOST)
			cells = BAR_MOST;
		text_append(&line, "[");
		for (unsigned i = 0; i < cells; i++)
			text_append(&line, "%s",
				i < cells * percent / 100 ? (utf8 ? "\u2588" : "#")
							  : (utf8 ? "\u2591" : "-"));
		text_append(&line, "] ");
	}
	text_append(&line, "%3u %% %s", percent, numbers);
	/* Without cells all of it is ASCII. */
	if (width && !has_cells && strlen(line) >= width)
		line[width - 1] = '\0';
	return line;
}

void progress_bar_show(struct progress_bar *bar, const struct prewarm_state *state)
{
	memory_cleanup_free char *line = NULL;
	uint64_t due = number(&state->elapsed) / LINE_EVERY_MS;

	if (bar->style->width == 0 && due <= bar->lines)
		return;
	line = progress_bar_text(state, bar->style->width, style_is_utf8());
	if (bar->style->width == 0) {
		bar->lines = due;
		puts(line);
	} else {
		printf("\r\033[K%s", line); /* ECMA-48: erase to the end of the line */
		bar->drawn = true;
	}
	fflush(stdout);
}

void progress_bar_hide(struct progress_bar *bar)
{
	if (!bar->drawn)
		return;
	fputs("\r\033[K", stdout);
	fflush(stdout);
	bar->drawn = false;
}

/* ---- In words -------------------------------------------------------------------------------- */

/* Who was killed could not change what its state says. */
static const char *word_at_end(const struct prewarm_state *state)
{
	return fact_text_is(&state->state, PREWARM_RUNNING) ? "interrupted" : text(&state->state);
}

/* Of one that is looking for its places, or did not find them. */
static void show_unbegun(const struct prewarm_state *state, bool runs)
{
	memory_cleanup_free char *shown = style_text(fact_text_or(&state->path, "the pre-warm"));

	if (runs)
		printf("%s: running, and has touched nothing so far\n", shown);
	else
		printf("%s: %s before anything was touched\n", shown, word_at_end(state));
}

void prewarm_show(const struct prewarm_state *state, bool runs)
{
	uint64_t total = number(&state->total), done = number(&state->done);
	uint64_t now = done - number(&state->earlier), ms = number(&state->elapsed);
	memory_cleanup_free char *amount = size_format(done);
	memory_cleanup_free char *of = size_format(total);
	memory_cleanup_free char *touched = size_format(now);
	memory_cleanup_free char *time = duration_format(ms);
	memory_cleanup_free char *line = NULL;
	memory_cleanup_free char *both =
		text_format("%s on %s", text(&state->path), text(&state->device));
	memory_cleanup_free char *shown = style_text(
		fact_text_is(&state->device, text(&state->path)) ? text(&state->path) : both);

	if (state->total.is != FACT_KNOWN) {
		show_unbegun(state, runs);
	} else if (runs) {
		line = progress_bar_text(state, 0, false);
		printf("%s: running %s\n", shown, line + strspn(line, " "));
	} else if (total && done == total && now == 0) {
		printf("%s: all of %s was touched before\n", shown, of);
	} else if (fact_text_is(&state->state, PREWARM_FINISHED)) {
		printf("%s: finished, %s of %s touched now in %s, %.1f MiB/s\n", shown, touched, of,
			time, ms ? (double)now / (double)MIB / ((double)ms / 1000) : 0);
	} else {
		printf("%s: %s with %s of %s touched\n", shown, word_at_end(state), amount, of);
	}
}

#define HISTOGRAM_BAR 40

static void show_bucket(const struct prewarm_bucket *bucket, const struct prewarm_bucket *before,
	uint64_t most, const struct style *style)
{
	const struct prewarm_bucket *bound = bucket->up_to.is == FACT_KNOWN ? bucket : before;
	memory_cleanup_free char *time = us_format(number(&bound->up_to));
	uint64_t count = number(&bucket->count);
	unsigned length = (unsigned)((count * HISTOGRAM_BAR + most - 1) / most);

	printf("  %s %8s %8llu  %s", bound == bucket ? "up to" : "above", time,
		(unsigned long long)count, style_colour(style, COLOUR_DIM));
	for (unsigned i = 0; i < length; i++)
		putchar('#');
	printf("%s\n", style_colour(style, COLOUR_PLAIN));
}

void prewarm_show_histogram(const struct prewarm_state *state, const struct style *style)
{
	size_t first = 0, last = state->histogram.count;
	const struct prewarm_bucket *items = state->histogram.items;
	memory_cleanup_free char *quick = us_format(number(&state->quick_us));
	uint64_t most = 0;

	for (size_t i = 0; i < state->histogram.count; i++)
		if (number(&items[i].count) > most)
			most = number(&items[i].count);
	if (most == 0)
		return;
	while (number(&items[first].count) == 0)
		first++;
	while (number(&items[last - 1].count) == 0)
		last--;
	puts("requests by the time that they took:");
	for (size_t i = first; i < last; i++)
		show_bucket(&items[i], i ? &items[i - 1] : &items[i], most, style);
	printf("the quickest tenth took up to %s; %llu took more than 8 times that, as a first touch does\n",
		quick, (unsigned long long)number(&state->slow));
}
