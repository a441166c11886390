/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The readiness checks by group; what is a problem, why, and what mends it. */
#include <stdlib.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/tui/panel.h"

#define STATE_COLUMN 2
#define ID_COLUMN    10
#define TEXT_COLUMN  35

struct readiness_panel {
	bool problems_only;
};

static void draw_summary(struct page *page, const struct report *report)
{
	static const char *const words[] = { [READY] = "ready to hibernate",
		[NOT_READY] = "not ready to hibernate",
		[READINESS_UNKNOWN] = "could not tell whether it is ready" };
	static const enum colour colours[] = {
		[READY] = COLOUR_GOOD, [NOT_READY] = COLOUR_BAD, [READINESS_UNKNOWN] = COLOUR_RISK
	};
	enum readiness readiness = readiness_of(report->findings, report->count);
	size_t counts[CHECK_STATES] = { 0 };
	memory_cleanup_free char *text = NULL;

	for (size_t i = 0; i < report->count; i++)
		counts[report->findings[i].state]++;
	page_text(page, colours[readiness], "%s", words[readiness]);
	text = text_format(": %zu failed, %zu warned, %zu unknown, %zu passed", counts[CHECK_FAIL],
		counts[CHECK_WARN], counts[CHECK_UNKNOWN], counts[CHECK_PASS]);
	if (!page->whole) {
		page_add(page, COLOUR_PLAIN, "%s", text);
		return;
	}
	text_append(&text, ", %zu do not apply", counts[CHECK_SKIP]);
	page_wrap(page, COLOUR_PLAIN, STATE_COLUMN, text);
}

static void draw_check(struct page *page, const struct report *report, size_t i)
{
	const struct finding *finding = &report->findings[i];

	page_item(page, (int)i);
	page_pad(page, STATE_COLUMN);
	page_add(page, state_colour(finding->state), "%s", check_state_name(finding->state));
	page_pad(page, ID_COLUMN);
	page_add(page, COLOUR_PLAIN, "%s", finding->check->id);
	page_pad(page, TEXT_COLUMN);
	page_add(page, COLOUR_PLAIN, "%s", finding->text);
}

static bool is_problem(const struct finding *finding)
{
	return finding->state <= CHECK_UNKNOWN;
}

/* Problems, the worst first, without the titles of their groups. */
static void draw_problems(struct page *page, const struct report *report)
{
	size_t shown = 0;

	for (int state = 0; state <= CHECK_UNKNOWN; state++)
		for (size_t i = 0; i < report->count; i++)
			if ((int)report->findings[i].state == state) {
				draw_check(page, report, i);
				shown++;
			}
	if (shown == 0) {
		page_text(page, COLOUR_DIM, "  no check found a problem");
	}
}

static void draw_groups(struct page *page, const struct report *report)
{
	for (size_t group = 0; group < CHECK_GROUPS; group++) {
		page_text(page, COLOUR_STRONG, "%s", check_groups[group]->name);
		for (int state = 0; state < CHECK_STATES; state++)
			for (size_t i = 0; i < report->count; i++)
				if (check_group_of(report->findings[i].check) ==
						check_groups[group] &&
					(int)report->findings[i].state == state)
					draw_check(page, report, i);
	}
}

static void draw(struct page *page, const struct model *model, const void *state)
{
	const struct readiness_panel *self = state;

	if (!model->gathered) {
		page_text(page, COLOUR_DIM, "looking at the machine ...");
		return;
	}
	draw_summary(page, &model->report);
	if (self->problems_only || !page->whole)
		draw_problems(page, &model->report);
	else
		draw_groups(page, &model->report);
	if (page->whole && self->problems_only) {
		page_text(page, COLOUR_DIM, "  only problems are shown; p shows all checks");
	}
}

static void explain(struct page *page, const struct model *model, int item)
{
	const struct report *report = &model->report;
	const struct finding *finding;
	const struct check *check;

	if (item < 0 || (size_t)item >= report->count)
		return;
	finding = &report->findings[item];
	check = finding->check;
	page_text(page, COLOUR_STRONG, "%s", check->id);
	page_add(page, COLOUR_PLAIN, "  %s", check->title);
	page_line(page);
	page_text(page, state_colour(finding->state), "%s", check_state_name(finding->state));
	page_pad(page, ID_COLUMN);
	page_wrap(page, COLOUR_PLAIN, ID_COLUMN, finding->text);
	if (finding->fix && is_problem(finding)) {
		page_line(page);
		page_text(page, COLOUR_STRONG, "%s",
			text_starts(finding->fix, "ec2hib ") ? "run" : "fix");
		page_pad(page, ID_COLUMN);
		page_wrap(page, COLOUR_STRONG, ID_COLUMN, finding->fix);
	}
	page_title(page, "why it matters");
	page_line(page);
	page_wrap(page, COLOUR_PLAIN, 0, check->why);
	if (check->vital) {
		page_line(page);
		page_line(page);
		page_wrap(page, COLOUR_DIM, 0,
			"As long as this check has no answer, readiness is unknown.");
	}
}

static void filter(void *state)
{
	struct readiness_panel *self = state;

	self->problems_only = !self->problems_only;
}

const struct panel panel_readiness = {
	.title = "readiness",
	.request = REQUEST_READINESS,
	.wish = { .least = 3, .wanted = 6, .rank = 1, .grows = true, .right = true },
	.state_size = sizeof(struct readiness_panel),
	.draw = draw,
	.explain = explain,
	.filter = filter,
};
