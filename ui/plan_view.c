/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/plan_view.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#define TEXT_COLUMN    5
#define PROBLEM_COLUMN 9

static void show_notes(const struct plan *plan, const struct style *style)
{
	for (size_t i = 0; i < plan->notes.count; i++) {
		printf("%snote:%s ", style_colour(style, COLOUR_RISK),
			style_colour(style, COLOUR_PLAIN));
		style_wrap(style, stdout, plan->notes.items[i], TEXT_COLUMN + 1, TEXT_COLUMN + 1);
	}
	plan_show_by_hand(plan, style);
}

void plan_show_by_hand(const struct plan *plan, const struct style *style)
{
	for (size_t i = 0; i < plan->by_hand.count; i++) {
		printf("%sby hand:%s ", style_colour(style, COLOUR_RISK),
			style_colour(style, COLOUR_PLAIN));
		style_wrap(style, stdout, plan->by_hand.items[i], TEXT_COLUMN + 4, TEXT_COLUMN + 4);
	}
}

void plan_show_gate(const struct report *gate, const struct style *style)
{
	for (size_t i = 0; i < gate->count; i++) {
		const struct finding *finding = &gate->findings[i];
		memory_cleanup_free char *fix = NULL;

		printf("%sproblem:%s ", style_colour(style, COLOUR_RISK),
			style_colour(style, COLOUR_PLAIN));
		style_wrap(style, stdout, finding->text, PROBLEM_COLUMN, PROBLEM_COLUMN);
		if (!finding->fix)
			continue;
		fix = text_format("fix: %s", finding->fix);
		printf("%*s", PROBLEM_COLUMN, "");
		style_wrap(style, stdout, fix, PROBLEM_COLUMN, PROBLEM_COLUMN + 5);
	}
}

void plan_show(const struct plan *plan, const struct style *style)
{
	plan_show_gate(&plan->gate, style);
	for (size_t i = 0; i < plan->count; i++) {
		printf("%3zu. ", i + 1);
		style_wrap(style, stdout, plan->steps[i].text, TEXT_COLUMN, TEXT_COLUMN);
	}
	show_notes(plan, style);
}

void plan_show_step(const struct plan *plan, size_t index, const struct style *style)
{
	int column = printf("[%zu/%zu] ", index + 1, plan->count);

	style_wrap(style, stdout, plan->steps[index].text, (unsigned)column, (unsigned)column);
	fflush(stdout);
}

json_t *plan_to_json(const struct plan *plan)
{
	json_t *steps = json_array(), *notes = json_array(), *gate = json_array();
	json_t *by_hand = json_array();

	for (size_t i = 0; i < plan->count; i++)
		json_array_append_new(steps, json_pack("{s:s, s:s}", "id", plan->steps[i].id,
						     "text", plan->steps[i].text));
	for (size_t i = 0; i < plan->notes.count; i++)
		json_array_append_new(notes, json_string(plan->notes.items[i]));
	for (size_t i = 0; i < plan->gate.count; i++) {
		const struct finding *finding = &plan->gate.findings[i];

		json_array_append_new(
			gate, json_pack("{s:s, s:s, s:s?}", "check", finding->check->id, "text",
				      finding->text, "fix", finding->fix));
	}
	for (size_t i = 0; i < plan->by_hand.count; i++)
		json_array_append_new(by_hand, json_string(plan->by_hand.items[i]));
	return json_pack("{s:o, s:o, s:o, s:o}", "gate", gate, "steps", steps, "notes", notes,
		"by_hand", by_hand);
}
