/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/rehearsal_view.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/history_view.h"

#define INDENT 2

/* The words in front of the reason; where nothing failed the reason is what is known now. */
static const char *const words[OUTCOME_COUNT] = { [OUTCOME_PASSED] = "passed",
	[OUTCOME_FAILED] = "failed",
	[OUTCOME_UNAVAILABLE] = "not available here",
	[OUTCOME_STOPPED] = "not finished",
	[OUTCOME_LEFT] = "not run" };

static const enum colour colours[OUTCOME_COUNT] = { [OUTCOME_PASSED] = COLOUR_GOOD,
	[OUTCOME_FAILED] = COLOUR_BAD,
	[OUTCOME_UNAVAILABLE] = COLOUR_DIM,
	[OUTCOME_STOPPED] = COLOUR_RISK,
	[OUTCOME_LEFT] = COLOUR_DIM };

void level_show(enum rehearsal_level level, const struct style *style)
{
	printf("%s%s%s: %s\n", style_colour(style, COLOUR_STRONG), rehearsal_levels[level].id,
		style_colour(style, COLOUR_PLAIN), rehearsal_levels[level].title);
}

static char *rate_text(uint64_t bytes, uint64_t ms)
{
	memory_cleanup_free char *size = size_format(bytes);
	memory_cleanup_free char *time = duration_format(ms);

	if (bytes == 0)
		return NULL;
	if (ms == 0)
		return text_format("%s in %s", size, time);
	return text_format("%s in %s, %.1f MiB/s", size, time,
		(double)bytes / (double)MIB * 1000 / (double)ms);
}

static char *estimate_text(const struct rehearsal_estimate *estimate)
{
	memory_cleanup_free char *size = size_format(estimate->bytes);
	memory_cleanup_free char *time = duration_format(estimate->ms);

	return text_format("%s to write %s; EC2 waits about %u min%s", time, size,
		(unsigned)(EC2_PATIENCE_MS / 60000), estimate->in_time ? "" : ": that is too long");
}

void result_show(const struct rehearsal_result *result, const struct style *style)
{
	const struct rehearsal_level_entry *entry = &rehearsal_levels[result->level];
	const struct snapshot_result *image = &result->image;
	const char *why = result->reason ? result->reason
			  : result->outcome == OUTCOME_PASSED
				  ? entry->proves
				  : "an earlier level failed, or the test was stopped";
	memory_cleanup_free char *text = text_format(": %s", why);

	if (result->outcome == OUTCOME_LEFT)
		level_show(result->level, style);
	printf("%*s%s%s%s", INDENT, "", style_colour(style, colours[result->outcome]),
		words[result->outcome], style_colour(style, COLOUR_PLAIN));
	style_wrap(style, stdout, text, INDENT, INDENT);
	if (result->outcome == OUTCOME_UNAVAILABLE || result->outcome == OUTCOME_LEFT)
		return;
	timeline_explain(stdout, &result->cycle.timeline, style);
	value_show(stdout, "write", rate_text(image->written, image->write_ms), style);
	value_show(stdout, "read back", rate_text(image->read, image->read_ms), style);
	if (image->still_ms)
		value_show(stdout, "stood still", duration_format(image->still_ms), style);
	if (result->cycle.away.is == FACT_KNOWN)
		value_show(stdout, "away", duration_format(result->cycle.away.value), style);
	if (result->estimated)
		value_show(stdout, "memory full", estimate_text(&result->estimate), style);
}

static json_t *image_to_json(const struct snapshot_result *image)
{
	if (image->image_size == 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "size", (json_int_t)image->image_size,
		"written", (json_int_t)image->written, "write_time", (json_int_t)image->write_ms,
		"read", (json_int_t)image->read, "read_time", (json_int_t)image->read_ms, "still",
		(json_int_t)image->still_ms);
}

static json_t *estimate_to_json(const struct rehearsal_result *result)
{
	const struct rehearsal_estimate *estimate = &result->estimate;

	if (!result->estimated)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:b}", "size", (json_int_t)estimate->bytes, "rate",
		(json_int_t)estimate->rate, "time", (json_int_t)estimate->ms, "in_time",
		estimate->in_time);
}

json_t *result_to_json(const struct rehearsal_result *result)
{
	const struct rehearsal_level_entry *entry = &rehearsal_levels[result->level];
	const struct cycle *cycle = &result->cycle;
	json_t *timeline = cycle->kernel.is == FACT_KNOWN
				   ? layout_to_json(&timeline_layout, &cycle->timeline)
				   : json_null();
	/* A name from the machine need not be UTF-8; then the reason is left out. */
	json_t *reason = result->reason ? json_string(result->reason) : NULL;

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "level", entry->id, "title",
		entry->title, "result", rehearsal_outcome_name(result->outcome), "reason",
		reason ? reason : json_null(), "timeline", timeline, "away",
		cycle->away.is == FACT_KNOWN ? json_integer((json_int_t)cycle->away.value)
					     : json_null(),
		"image", image_to_json(&result->image), "estimate", estimate_to_json(result));
}
