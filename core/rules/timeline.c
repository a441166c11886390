/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/rules/timeline.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/rules/timeline_parser.h"

/* Whole numbers are exact up to here, in JSON as well. */
#define VALUE_MAX ((uint64_t)1 << 53)

#define ONLY_ON_CONSOLE                                                                            \
	"a resumed system's log ends where its image was made; a serial console has it"

void parser_set(struct fact_number *fact, uint64_t value, uint64_t factor)
{
	uint64_t product;

	if (!__builtin_mul_overflow(value, factor, &product) && product <= VALUE_MAX)
		fact_set_number(fact, product);
}

/* ---- A cycle begins and ends ---- */

void parser_open(struct parser *parser)
{
	parser->open = true;
	parser->seen = (struct seen) { 0 };
	parser->phase = PHASE_SAVING;
	parser->failure = FAILURE_NONE;
	parser->allocated_pages = 0;
	if (*parser->line->stamp)
		fact_set_text(&parser->now.stamp, parser->line->stamp);
}

void parser_begin(struct parser *parser)
{
	if (!parser->open)
		parser_open(parser);
	parser->seen.sure = true;
}

/*
 * The kernel says nothing when swap runs out while it writes a compressed image, which it cannot
 * know before (save_compressed_image() of kernel/power/swap.c): it only lacks the line that all is
 * written. Where something else goes wrong, it says what.
 */
static void fail_writing(struct parser *parser)
{
	if (parser->seen.saving && !parser->seen.saved)
		parser_fail(parser, FAILURE_SWAP_SPACE,
			"the kernel stopped writing the image without a word, as it does when there is not enough free swap");
	else
		parser_fail(parser, FAILURE_OTHER,
			"the machine did not switch off after the image was made; the log has no reason");
}

/* What the log says when no line names a failure. */
static const char *result_of(struct parser *parser)
{
	const struct seen *seen = &parser->seen;

	if (parser->failure != FAILURE_NONE)
		return RESULT_FAILED;
	if (!seen->exit && !seen->restarted)
		return RESULT_INCOMPLETE;
	if (seen->restored)
		return RESULT_RESUMED;
	if (seen->tested)
		return RESULT_TESTED;
	if (seen->created || seen->saving) {
		if (seen->power_off || seen->boot)
			return RESULT_RESUMED;
		fail_writing(parser);
		return RESULT_FAILED;
	}
	if (seen->copy)
		return RESULT_RESUMED;
	if (seen->preallocate && !seen->allocated)
		parser_fail(parser, FAILURE_MEMORY,
			"the kernel could not set enough memory aside for the image");
	else if (seen->entry || seen->preallocate)
		parser_fail(parser, FAILURE_OTHER,
			"the kernel gave up before it made an image; the log has no reason");
	return parser->failure != FAILURE_NONE ? RESULT_FAILED : RESULT_INCOMPLETE;
}

/* What the log did not have is absent; how the image went to disk it could not have. */
static void settle(struct timeline *now, bool resumed)
{
	for (size_t i = 0; i < timeline_layout.count; i++) {
		struct fact *fact = (void *)((char *)now + timeline_layout.fields[i].offset);

		if (fact->is == FACT_UNKNOWN)
			fact_set_absent(fact);
	}
	if (!resumed) {
		fact_set_absent(fact_of(&now->away));
		return;
	}
	if (now->write_size.is != FACT_KNOWN) {
		fact_set_unknown(fact_of(&now->write_size), ONLY_ON_CONSOLE);
		fact_set_unknown(fact_of(&now->write_time), ONLY_ON_CONSOLE);
		fact_set_unknown(fact_of(&now->write_rate), ONLY_ON_CONSOLE);
	}
	if (now->read_size.is != FACT_KNOWN) {
		fact_set_unknown(fact_of(&now->read_size), ONLY_ON_CONSOLE);
		fact_set_unknown(fact_of(&now->read_time), ONLY_ON_CONSOLE);
		fact_set_unknown(fact_of(&now->read_rate), ONLY_ON_CONSOLE);
	}
}

/* Takes away the oldest COUNT timelines. */
static void drop_oldest(timeline_list *found, size_t count)
{
	for (size_t i = 0; i < count; i++)
		layout_free(&timeline_layout, &found->items[i]);
	found->count -= count;
	memmove(found->items, found->items + count, found->count * sizeof(*found->items));
}

/* The kernel tells the speed of all of the image, also where it gave up in the middle. */
static void forget_writing(struct timeline *now)
{
	fact_set_absent(fact_of(&now->write_size));
	fact_set_absent(fact_of(&now->write_time));
	fact_set_absent(fact_of(&now->write_rate));
}

void parser_end(struct parser *parser)
{
	struct timeline *now = &parser->now;
	const char *result;

	if (parser->open && parser->seen.sure) {
		result = result_of(parser);
		fact_set_text(&now->result, result);
		if (parser->refusal.known && now->failure.is != FACT_KNOWN)
			fact_take_text(&now->failure, refusal_sentence(&parser->refusal));
		if (parser->failure != FAILURE_NONE)
			fact_set_text(&now->failure_id, timeline_failure_name(parser->failure));
		if (parser->failure != FAILURE_NONE && !parser->seen.saved &&
			!parser->seen.power_off)
			forget_writing(now);
		settle(now, strcmp(result, RESULT_RESUMED) == 0);
		/* A log that repeats itself without end costs no more memory than this. */
		if (parser->found->count >= 2 * (size_t)TIMELINES_MAX)
			drop_oldest(parser->found, TIMELINES_MAX);
		parser->found->is = FACT_KNOWN;
		parser->found->items = memory_grow(
			parser->found->items, parser->found->count, sizeof(*parser->found->items));
		parser->found->items[parser->found->count++] = *now;
		memset(now, 0, sizeof(*now));
	}
	layout_free(&timeline_layout, now);
	strings_free(&parser->refusal.names);
	parser->refusal = (struct refusal) { 0 };
	parser->open = false;
}

void parser_fail(struct parser *parser, enum timeline_failure failure, const char *format, ...)
{
	va_list arguments;

	if (parser->failure != FAILURE_NONE)
		return;
	parser->failure = failure;
	if (!format)
		return;
	va_start(arguments, format);
	fact_take_text(&parser->now.failure, text_format_list(format, arguments));
	va_end(arguments);
}

void parser_restored(struct parser *parser)
{
	parser->seen.restored = true;
	parser->phase = PHASE_RESTORED;
	if (parser->failure != FAILURE_IMAGE_MISSING)
		return;
	parser->failure = FAILURE_NONE;
	fact_set_absent(fact_of(&parser->now.failure));
}

void timelines_parse(const char *log, size_t size, unsigned long page_size, timeline_list *found)
{
	struct parser parser = { .found = found, .page_size = page_size };
	struct log_line *line = memory_new(1, sizeof(*line));
	const char *end = log + size;

	while (log < end) {
		const char *newline = memchr(log, '\n', (size_t)(end - log));
		const char *next = newline ? newline : end;

		log_line_read(line, log, (size_t)(next - log));
		parser_take_line(&parser, line);
		log = newline ? newline + 1 : end;
	}
	parser_end(&parser);
	free(line);
	found->is = FACT_KNOWN;
	if (found->count > TIMELINES_MAX)
		drop_oldest(found, found->count - TIMELINES_MAX);
}
