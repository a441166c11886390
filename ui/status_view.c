/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/status_view.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

#define STATE_COLUMN 2
#define ID_COLUMN    10
#define TEXT_COLUMN  35
/* Fewer columns for the text make it a ladder of words. */
#define TEXT_WIDTH_MIN 35

enum colour state_colour(enum check_state state)
{
	static const enum colour colours[CHECK_STATES] = { [CHECK_FAIL] = COLOUR_BAD,
		[CHECK_WARN] = COLOUR_RISK,
		[CHECK_UNKNOWN] = COLOUR_RISK,
		[CHECK_PASS] = COLOUR_GOOD,
		[CHECK_SKIP] = COLOUR_DIM };

	return colours[state];
}

/* FIX with OPTIONS after every ec2hib that it calls. */
static char *fix_with_options(const char *fix, const char *options)
{
	static const char program[] = "ec2hib ";
	char *text = text_copy("");

	for (const char *next; (next = strstr(fix, program)); fix = next) {
		next += strlen(program);
		text_append(&text, "%.*s", (int)(next - fix), fix);
		if (options)
			text_append(&text, "%s ", options);
	}
	text_append(&text, "%s", fix);
	return text;
}

/* Where the text begins: after the id, or below it where that is too narrow. */
static unsigned text_column(const struct style *style)
{
	return style->width && style->width < TEXT_COLUMN + TEXT_WIDTH_MIN ? ID_COLUMN
									   : TEXT_COLUMN;
}

/* "  fail    swap-size                 /swap is ..." */
static void show_finding(
	const struct finding *finding, const char *options, const struct style *style)
{
	bool problem = finding->state <= CHECK_UNKNOWN;
	unsigned column = text_column(style);

	printf("%*s%s%-*s%s", STATE_COLUMN, "", style_colour(style, state_colour(finding->state)),
		ID_COLUMN - STATE_COLUMN, check_state_name(finding->state),
		style_colour(style, COLOUR_PLAIN));
	if (column == TEXT_COLUMN)
		printf("%-*s", TEXT_COLUMN - ID_COLUMN, finding->check->id);
	else
		printf("%s\n%*s", finding->check->id, (int)column, "");
	style_wrap(style, stdout, finding->text, column, column);
	if (problem && finding->fix) {
		/* What is not a command of ours is advice in words. */
		const char *kind = text_starts(finding->fix, "ec2hib ") ? "run" : "fix";
		memory_cleanup_free char *fix = fix_with_options(finding->fix, options);
		memory_cleanup_free char *next = text_format("%s: %s", kind, fix);

		printf("%*s%s", (int)column, "", style_colour(style, COLOUR_STRONG));
		style_wrap(style, stdout, next, column, column);
		fputs(style_colour(style, COLOUR_PLAIN), stdout);
	}
}

static void show_why(const struct check *check, const struct style *style)
{
	printf("%*s%s", ID_COLUMN, "", style_colour(style, COLOUR_DIM));
	style_wrap(style, stdout, check->why, ID_COLUMN, ID_COLUMN);
	fputs(style_colour(style, COLOUR_PLAIN), stdout);
}

static void show_group(const struct report *report, const struct check_group *group,
	const char *options, bool explain, const struct style *style)
{
	bool title = false;

	for (int state = 0; state < CHECK_STATES; state++)
		for (size_t i = 0; i < report->count; i++) {
			const struct finding *finding = &report->findings[i];

			if (check_group_of(finding->check) != group || (int)finding->state != state)
				continue;
			if (!title)
				printf("%s%s%s\n", style_colour(style, COLOUR_STRONG), group->name,
					style_colour(style, COLOUR_PLAIN));
			title = true;
			show_finding(finding, options, style);
			if (explain)
				show_why(finding->check, style);
		}
}

static void show_summary(const struct report *report, const struct style *style)
{
	static const char *const sentences[] = { [READY] = "ready to hibernate",
		[NOT_READY] = "not ready to hibernate",
		[READINESS_UNKNOWN] = "could not tell whether this machine is ready to hibernate" };
	static const enum colour colours[] = {
		[READY] = COLOUR_GOOD, [NOT_READY] = COLOUR_BAD, [READINESS_UNKNOWN] = COLOUR_RISK
	};
	enum readiness readiness = readiness_of(report->findings, report->count);
	size_t counts[CHECK_STATES] = { 0 };

	for (size_t i = 0; i < report->count; i++)
		counts[report->findings[i].state]++;
	if (report_is_whole(report))
		printf("%s%s%s", style_colour(style, colours[readiness]), sentences[readiness],
			style_colour(style, COLOUR_PLAIN));
	else
		printf("%zu of %zu checks", report->count, check_count());
	printf(": %zu failed, %zu warned, %zu unknown, %zu passed, %zu do not apply\n",
		counts[CHECK_FAIL], counts[CHECK_WARN], counts[CHECK_UNKNOWN], counts[CHECK_PASS],
		counts[CHECK_SKIP]);
}

static void show(
	const struct report *report, const char *options, bool explain, const struct style *style)
{
	for (size_t i = 0; i < CHECK_GROUPS; i++)
		show_group(report, check_groups[i], options, explain, style);
	show_summary(report, style);
}

void report_show(const struct report *report, const char *options, const struct style *style)
{
	show(report, options, false, style);
}

void report_explain(const struct report *report, const char *options, const struct style *style)
{
	show(report, options, true, style);
}

json_t *report_to_json(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->count; i++) {
		const struct finding *finding = &report->findings[i];
		const struct check *check = finding->check;
		/* A name from the machine need not be UTF-8; then the text is left out. */
		json_t *text = json_string(finding->text);

		json_array_append_new(array,
			json_pack("{s:s, s:s, s:s, s:b, s:s, s:o, s:s?}", "id", check->id, "group",
				check_group_of(check)->name, "title", check->title, "vital",
				check->vital, "state", check_state_name(finding->state), "text",
				text ? text : json_null(), "fix", finding->fix));
	}
	return array;
}

void facts_describe(json_t *facts, const struct style *style)
{
	unsigned column = text_column(style);
	json_t *fact;
	size_t i;

	json_array_foreach(facts, i, fact)
	{
		const char *path = json_string_value(json_object_get(fact, "path"));
		const char *unit = json_string_value(json_object_get(fact, "unit"));
		memory_cleanup_free char *text = text_format("%s (%s%s%s%s)",
			json_string_value(json_object_get(fact, "help")),
			json_string_value(json_object_get(fact, "type")), unit ? ", " : "",
			unit ? unit : "",
			json_is_true(json_object_get(fact, "volatile")) ? ", volatile" : "");

		if (column == TEXT_COLUMN)
			printf("%-*s", TEXT_COLUMN, path);
		else
			printf("%s\n%*s", path, (int)column, "");
		style_wrap(style, stdout, text, column, column);
	}
}

const char *readiness_name(enum readiness readiness)
{
	static const char *const names[] = {
		[READY] = "ready", [NOT_READY] = "not-ready", [READINESS_UNKNOWN] = "unknown"
	};

	return names[readiness];
}
