/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One hibernation of a log: where it begins and ends, and what its lines prove. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
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

void parser_set_clock(const struct parser *parser, struct fact_number *fact)
{
	if (parser->line->has_clock)
		fact_set_number(fact, parser->line->clock);
}

void parser_open(struct parser *parser)
{
	parser->open = true;
	parser->seen = (struct seen) { .sure = parser->attempt };
	parser->phase = PHASE_SAVING;
	parser->failure = FAILURE_NONE;
	parser->failed_when_saved = false;
	parser->allocated_pages = 0;
	if (parser->opened)
		parser->order = ++*parser->opened;
	if (*parser->line->stamp)
		fact_set_text(&parser->now.stamp, parser->line->stamp);
	if (*parser->line->host)
		fact_set_text(&parser->now.host, parser->line->host);
}

void parser_begin(struct parser *parser)
{
	if (!parser->open)
		parser_open(parser);
	parser->seen.sure = true;
}

void parser_fail(struct parser *parser, enum timeline_failure failure, const char *format, ...)
{
	va_list arguments;

	if (parser->failure != FAILURE_NONE)
		return;
	parser->failure = failure;
	parser->failed_when_saved = parser->phase == PHASE_SAVING && parser->seen.saved;
	if (!format)
		return;
	va_start(arguments, format);
	fact_take_text(&parser->now.failure, text_format_list(format, arguments));
	va_end(arguments);
}

void parser_take_back(struct parser *parser)
{
	if (parser->failure != FAILURE_IMAGE_MISSING && !parser->failed_when_saved)
		return;
	parser->failure = FAILURE_NONE;
	parser->failed_when_saved = false;
	fact_set_absent(fact_of(&parser->now.failure));
}

void parser_restored(struct parser *parser)
{
	parser->seen.restored = true;
	parser->phase = PHASE_RESTORED;
	parser_take_back(parser);
}

/*
 * The machine started anew and went on without its image. Whether it has lost one depends on
 * whether it had come so far.
 */
static void fail_lost(struct parser *parser)
{
	if (parser->crash)
		parser_fail(parser, FAILURE_OTHER, "the kernel crashed: %s", parser->crash);
	else if (parser->phase == PHASE_READING)
		parser_fail(parser, FAILURE_OTHER,
			"the machine started again while it was loading the image");
	else if (parser->seen.looked)
		parser_fail(parser, FAILURE_IMAGE_MISSING, "the boot found no image");
	else if (parser->seen.saved || parser->seen.power_off)
		parser_fail(parser, FAILURE_IMAGE_MISSING,
			"the next boot did not look for the image, or did not find it");
	else
		parser_fail(parser, FAILURE_IMAGE_MISSING,
			"the machine did not come back: it stopped before the image was written, or the next boot did not find it");
}

/*
 * The kernel says nothing when swap runs out while it writes a compressed image, which it cannot
 * know before (save_compressed_image() of kernel/power/swap.c, up to 6.12): it only lacks the line
 * that all is written. Where something else goes wrong, it says what.
 */
static void fail_writing(struct parser *parser)
{
	parser_fail(parser, FAILURE_SWAP_SPACE,
		"the kernel stopped writing the image without a word, as it does when there is not enough free swap");
}

/* Of a cycle that has not come to an end: tasks do not run again. LAST: the log ends here. */
static const char *result_of_open(struct parser *parser, bool last)
{
	const struct seen *seen = &parser->seen;
	bool written = seen->wrote || seen->saved || seen->power_off;

	if (parser->crash && parser->phase != PHASE_READING)
		parser_fail(parser, FAILURE_OTHER, "the kernel crashed: %s", parser->crash);
	else if (parser->phase == PHASE_BOOTED &&
		 (!last || seen->user_space_up ||
			 (!written && (seen->looked || seen->boot_journal))))
		fail_lost(parser);
	else if (parser->phase == PHASE_READING && !last && (!seen->thawed || parser->crash))
		fail_lost(parser);
	return parser->failure != FAILURE_NONE ? RESULT_FAILED : RESULT_INCOMPLETE;
}

/*
 * What is proven. A resumed system's own log has no line of the writing, for it goes on where the
 * image was made; so a cycle whose kernel tasks were frozen and that ended without a failure and
 * without a line of the writing is one that resumed. Kernels before 6.19 then also told of the
 * image: where such a one did not, or where freezing is not in the log, it is not known what
 * happened.
 */
static const char *result_of(struct parser *parser, bool last)
{
	const struct seen *seen = &parser->seen;

	if (parser->failure != FAILURE_NONE)
		return RESULT_FAILED;
	if (!seen->exit && !seen->restarted)
		return result_of_open(parser, last);
	if (seen->restored || (seen->exit && parser->phase != PHASE_SAVING))
		return RESULT_RESUMED;
	if (seen->tested)
		return RESULT_TESTED;
	if (seen->wrote && !seen->saved && !seen->power_off) {
		if (!seen->told_writing)
			return RESULT_UNKNOWN;
		fail_writing(parser);
		return RESULT_FAILED;
	}
	if (seen->saved || seen->power_off)
		return RESULT_RESUMED;
	if (seen->created || seen->saving)
		return RESULT_UNKNOWN;
	if (seen->copy || (seen->frozen && !seen->old_words))
		return RESULT_RESUMED;
	/*
	 * Where lines of other kinds are there as well: of those with "PM: " alone it proves
	 * nothing.
	 */
	if (seen->preallocate && !seen->allocated && !seen->frozen && seen->freezing &&
		seen->restarted) {
		parser_fail(parser, FAILURE_MEMORY,
			"the kernel could not reserve enough memory for the image");
		return RESULT_FAILED;
	}
	return seen->entry || seen->freezing ? RESULT_UNKNOWN : RESULT_INCOMPLETE;
}

static void set_absent(struct fact_number *const *facts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fact_set_absent(fact_of(facts[i]));
}

/* The kernel tells the speed of all of the image, also where it gave up in the middle. */
static void forget_unfinished(struct parser *parser, bool resumed)
{
	struct timeline *now = &parser->now;
	const struct seen *seen = &parser->seen;

	if (!resumed && !seen->saved && !seen->power_off)
		set_absent((struct fact_number *const[]) { &now->write_size, &now->write_time,
				   &now->write_rate },
			3);
	if (!resumed && !seen->loaded && parser->failure != FAILURE_NONE)
		set_absent((struct fact_number *const[]) { &now->read_size, &now->read_time,
				   &now->read_rate },
			3);
}

static void set_only_on_console(
	struct fact_number *size, struct fact_number *time, struct fact_number *rate)
{
	if (size->is == FACT_KNOWN)
		return;
	fact_set_unknown(fact_of(size), ONLY_ON_CONSOLE);
	fact_set_unknown(fact_of(time), ONLY_ON_CONSOLE);
	fact_set_unknown(fact_of(rate), ONLY_ON_CONSOLE);
}

/* What the log did not have is absent; how the image went to disk it could not have. */
static void settle(struct timeline *now, bool resumed)
{
	layout_settle(&timeline_layout, now);
	if (!resumed) {
		fact_set_absent(fact_of(&now->away));
		return;
	}
	set_only_on_console(&now->write_size, &now->write_time, &now->write_rate);
	set_only_on_console(&now->read_size, &now->read_time, &now->read_rate);
}

static void end_cycle(struct parser *parser, bool last)
{
	struct timeline *now = &parser->now;
	const char *result;

	if (parser->open && parser->seen.sure) {
		result = result_of(parser, last);
		fact_set_text(&now->result, result);
		if (parser->refusal.known && now->failure.is != FACT_KNOWN)
			fact_take_text(&now->failure, refusal_sentence(&parser->refusal));
		if (parser->failure == FAILURE_WAKEUP && parser->waker)
			fact_take_text(&now->failure,
				text_format("%s (%s)", now->failure.value, parser->waker));
		if (parser->failure != FAILURE_NONE)
			fact_set_text(&now->failure_id, timeline_failure_name(parser->failure));
		forget_unfinished(parser, strcmp(result, RESULT_RESUMED) == 0);
		settle(now, strcmp(result, RESULT_RESUMED) == 0);
		parser->ended(parser->data, now);
		memset(now, 0, sizeof(*now));
	}
	layout_free(&timeline_layout, now);
	strings_free(&parser->refusal.names);
	text_set(&parser->crash, NULL);
	text_set(&parser->waker, NULL);
	parser->refusal = (struct refusal) { 0 };
	parser->names_to_come = 0;
	parser->open = false;
}

void parser_end(struct parser *parser)
{
	end_cycle(parser, false);
}

void parser_end_log(struct parser *parser)
{
	end_cycle(parser, true);
}

void parser_drop(struct parser *parser)
{
	if (parser->open && !parser->seen.entry && !parser->attempt) {
		parser->seen.sure = false;
		end_cycle(parser, false);
	}
}
