/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/rules/timeline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/log_reader.h"
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

/* ---- A cycle begins and ends --------------------------------------------------------------- */

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

/*
 * The machine started anew and went on without its image. Whether it has lost one depends on whether
 * it had come so far.
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
 * know before (save_compressed_image() of kernel/power/swap.c, up to 6.12): it only lacks the line that
 * all is written. Where something else goes wrong, it says what.
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
 * What is proven. A resumed system's own log has no line of the writing, for it goes on where the image
 * was made; so a cycle whose kernel tasks were frozen and that ended without a failure and without a
 * line of the writing is one that resumed. Kernels before 6.19 then also told of the image: where such
 * a one did not, or where freezing is not in the log, it is not known what happened.
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
	/* Where lines of other kinds are there as well: of those with "PM: " alone it proves nothing. */
	if (seen->preallocate && !seen->allocated && !seen->frozen && seen->freezing &&
		seen->restarted) {
		parser_fail(parser, FAILURE_MEMORY,
			"the kernel could not set enough memory aside for the image");
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

void parser_drop(struct parser *parser)
{
	if (parser->open && !parser->seen.entry && !parser->attempt) {
		parser->seen.sure = false;
		end_cycle(parser, false);
	}
}

/* ---- The lines of a log, in order, machine by machine ---------------------------------------- */

/* So many lines are kept until it is known which way the log runs: some 8 MiB. */
#define KEPT_MAX ((size_t)40000)

/* More machines than these are read as one. */
#define HOSTS_MAX 64

/* Lines after a refusal to freeze that may name who refused. */
#define NAMES_TO_COME 400

/* Earlier than the line before by more than this: another file was put after its successor. */
#define BACK_SECONDS ((int64_t)2 * 3600)

/* Lines of one boot that are further apart prove nothing about their order. */
#define CLOCK_PAUSE_MS ((uint64_t)10 * 60 * 1000)

/* A stamp without a year that is so much earlier is of the next one. */
#define YEAR_BACK_SECONDS ((int64_t)180 * 86400)
#define YEAR_SECONDS	  ((int64_t)366 * 86400)

/* A line that may matter, without what stood in front of it. */
struct kept {
	unsigned host;
	bool everybody; /* a boot that the journal tells of, whosever it is */
	bool has_time, has_clock;
	int64_t time;
	uint64_t clock;
	char *stamp; /* NULL: none */
	char *message;
};

struct found {
	uint64_t order;
	struct timeline timeline;
};

/* A machine, and the cycle of it that is being read. */
struct machine {
	char host[LOG_HOST_SIZE];
	struct parser parser;
	struct timelines *all;
};

struct timelines {
	unsigned long page_size;
	bool attempt;
	struct log_taker taker;
	struct log_reader *reader;
	struct log_account account;
	struct kept *kept;
	size_t kept_count;
	unsigned names_to_come;
	size_t forwards, backwards; /* how often a line was later than the one before, or earlier */
	struct machine *machines;
	size_t machine_count;
	uint64_t opened;
	struct found *found;
	size_t found_count;
	struct log_line line; /* a kept one, made whole again */
};

static int compare_found(const void *a, const void *b)
{
	const struct found *first = a, *second = b;

	return (first->order > second->order) - (first->order < second->order);
}

/* Keeps the newest COUNT cycles. */
static void keep_newest(struct timelines *all, size_t count)
{
	size_t drop = all->found_count > count ? all->found_count - count : 0;

	if (!all->found)
		return;
	qsort(all->found, all->found_count, sizeof(*all->found), compare_found);
	for (size_t i = 0; i < drop; i++)
		layout_free(&timeline_layout, &all->found[i].timeline);
	all->found_count -= drop;
	memmove(all->found, all->found + drop, all->found_count * sizeof(*all->found));
}

static void take_ended(void *data, struct timeline *timeline)
{
	struct machine *machine = data;
	struct timelines *all = machine->all;

	/* A log that repeats itself without end costs no more memory than this. */
	if (all->found_count >= 2 * (size_t)TIMELINES_MAX)
		keep_newest(all, TIMELINES_MAX);
	if (!all->found)
		all->found = memory_new(2 * (size_t)TIMELINES_MAX, sizeof(*all->found));
	all->found[all->found_count++] =
		(struct found) { .order = machine->parser.order, .timeline = *timeline };
}

static unsigned machine_of(struct timelines *all, const char *host)
{
	struct machine *machine;

	for (size_t i = 0; i < all->machine_count; i++)
		if (strcmp(all->machines[i].host, host) == 0)
			return (unsigned)i;
	if (all->machine_count == HOSTS_MAX)
		return HOSTS_MAX - 1;
	if (!all->machines)
		all->machines = memory_new(HOSTS_MAX, sizeof(*all->machines));
	machine = &all->machines[all->machine_count];
	snprintf(machine->host, sizeof(machine->host), "%s", host);
	machine->all = all;
	machine->parser = (struct parser) { .page_size = all->page_size,
		.attempt = all->attempt,
		.opened = &all->opened,
		.ended = take_ended,
		.data = machine };
	return (unsigned)all->machine_count++;
}

static void feed_kept(struct timelines *all, const struct kept *kept)
{
	struct log_line *line = &all->line;

	snprintf(line->text, sizeof(line->text), "%s", kept->message);
	snprintf(line->stamp, sizeof(line->stamp), "%s", kept->stamp ? kept->stamp : "");
	snprintf(line->host, sizeof(line->host), "%s", all->machines[kept->host].host);
	line->message = line->text;
	line->kernel = true;
	line->has_clock = kept->has_clock;
	line->clock = kept->clock;
	for (size_t i = 0; i < all->machine_count; i++)
		if (kept->everybody || i == kept->host)
			parser_take_line(&all->machines[i].parser, line);
}

/* ---- The order of the lines ---- */

/* The kernel's clock runs on from one line to the other, whatever the clock on the wall did meanwhile. */
static bool clock_runs_on(const struct kept *before, const struct kept *after)
{
	return before->has_clock && after->has_clock && before->host == after->host &&
	       after->clock >= before->clock && after->clock - before->clock < CLOCK_PAUSE_MS;
}

static void vote(struct timelines *all, const struct kept *kept)
{
	const struct kept *before = all->kept_count ? kept - 1 : NULL;
	int64_t later = 0;

	if (!before || before->host != kept->host)
		return;
	if (before->has_time && kept->has_time)
		later = kept->time - before->time;
	if (later == 0 && before->has_clock && kept->has_clock)
		later = (int64_t)(kept->clock - before->clock);
	all->forwards += later > 0;
	all->backwards += later < 0 && !clock_runs_on(before, kept);
}

static void reverse(struct kept *kept, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct kept other = kept[i];

		kept[i] = kept[count - 1 - i];
		kept[count - 1 - i] = other;
	}
}

/* Some lines that follow each other. */
struct part {
	size_t first, count;
	int64_t time; /* of its first line that has one */
};

static int compare_parts(const void *a, const void *b)
{
	const struct part *first = a, *second = b;

	if (first->time != second->time)
		return first->time > second->time ? 1 : -1;
	return first->first > second->first ? 1 : -1;
}

/*
 * Cuts the lines where the time goes back: there one file was put after another that is newer. Years
 * that are not in the stamps are counted on.
 */
static size_t cut_parts(struct timelines *all, struct part *parts)
{
	int64_t last = 0, years = 0;
	size_t count = 0;
	bool timed = false;

	for (size_t i = 0; i < all->kept_count; i++) {
		struct kept *kept = &all->kept[i];
		int64_t back = timed && kept->has_time ? last - (kept->time + years) : 0;

		if (back > YEAR_BACK_SECONDS && kept->time < 0) {
			years += YEAR_SECONDS;
			back = 0;
		}
		if (!count || (back > BACK_SECONDS && !clock_runs_on(kept - 1, kept))) {
			parts[count++] = (struct part) { .first = i, .time = last };
			if (kept->has_time)
				parts[count - 1].time = kept->time + years;
		}
		parts[count - 1].count++;
		if (!kept->has_time)
			continue;
		if (!timed)
			parts[count - 1].time = kept->time + years;
		last = kept->time + years;
		timed = true;
	}
	return count;
}

/* Hands the lines that are kept to their machines, oldest first, and forgets them. */
static void flush_kept(struct timelines *all)
{
	struct part *parts = memory_new(all->kept_count + 1, sizeof(*parts));
	size_t count;

	if (all->backwards > all->forwards) {
		all->account.backwards = true;
		reverse(all->kept, all->kept_count);
	}
	count = cut_parts(all, parts);
	for (size_t i = 1; i < count; i++)
		all->account.out_of_order =
			all->account.out_of_order || compare_parts(&parts[i - 1], &parts[i]) > 0;
	qsort(parts, count, sizeof(*parts), compare_parts);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < parts[i].count; k++)
			feed_kept(all, &all->kept[parts[i].first + k]);
	for (size_t i = 0; i < all->kept_count; i++) {
		free(all->kept[i].stamp);
		free(all->kept[i].message);
	}
	all->kept_count = 0;
	free(parts);
}

/* ---- Lines as they come ---- */

static const char *find_line(void *data, const char *text, size_t length)
{
	const struct timelines *all = data;

	return all->names_to_come && length ? text : messages_search(text, length);
}

/* Words of a hibernation, with something in front that nobody knows. */
static void count_unread(struct timelines *all, const struct log_line *line)
{
	bool edge =
		strstr(line->text, "hibernation entry") || strstr(line->text, "hibernation exit");

	if (line->other || text_starts(line->message, "PM: ") ||
		!(edge || (!line->kernel && strstr(line->text, "PM: hibernation"))))
		return;
	if (!all->account.unread++)
		snprintf(all->account.first, sizeof(all->account.first), "%.*s",
			(int)sizeof(all->account.first) - 1, line->text);
}

/* Also after what may be the name of a file: that it is one shows only by the words that follow. */
static bool line_is_known(struct log_line *line)
{
	const char *message = line->message;

	if (message_is_known(line))
		return true;
	if (!line->after_name)
		return false;
	line->message = line->after_name;
	if (message_is_known(line))
		return true;
	line->message = message;
	return false;
}

static void take_line(void *data, struct log_line *line)
{
	struct timelines *all = data;
	const struct kept *before = all->kept_count ? &all->kept[all->kept_count - 1] : NULL;
	bool known = line_is_known(line);
	struct kept kept = { .has_time = line->has_time,
		.has_clock = line->has_clock,
		.time = line->time,
		.clock = line->clock,
		.everybody = text_starts(line->message, "-- ") };

	if (all->names_to_come)
		all->names_to_come--;
	else if (!known) {
		count_unread(all, line);
		return;
	}
	if (strstr(line->message, " refusing to freeze"))
		all->names_to_come = NAMES_TO_COME;
	kept.host = machine_of(all, line->host);
	/* Some logs have each line twice. */
	if (before && before->host == kept.host && before->time == kept.time &&
		before->clock == kept.clock && (kept.has_time || kept.has_clock) &&
		strcmp(before->message, line->message) == 0)
		return;
	if (all->kept_count == KEPT_MAX)
		flush_kept(all);
	if (!all->kept)
		all->kept = memory_new(KEPT_MAX, sizeof(*all->kept));
	kept.stamp = *line->stamp ? text_copy(line->stamp) : NULL;
	kept.message = text_copy(line->message);
	all->kept[all->kept_count] = kept;
	vote(all, &all->kept[all->kept_count]);
	all->kept_count++;
	all->account.lines++;
}

struct timelines *timelines_begin(unsigned long page_size)
{
	struct timelines *all = memory_new(1, sizeof(*all));

	all->page_size = page_size;
	all->taker = (struct log_taker) { .find = find_line, .take = take_line, .data = all };
	all->reader = log_reader_begin(&all->taker);
	return all;
}

void timelines_feed(struct timelines *timelines, const char *bytes, size_t size)
{
	log_reader_feed(timelines->reader, bytes, size);
}

void timelines_end(struct timelines *timelines, timeline_list *found, struct log_account *account)
{
	log_reader_end(timelines->reader);
	flush_kept(timelines);
	for (size_t i = 0; i < timelines->machine_count; i++) {
		end_cycle(&timelines->machines[i].parser, true);
		timelines->account.hosts += *timelines->machines[i].host != '\0';
	}
	keep_newest(timelines, TIMELINES_MAX);
	found->is = FACT_KNOWN;
	found->count = timelines->found_count;
	found->items = memory_new(found->count, sizeof(*found->items));
	for (size_t i = 0; i < found->count; i++)
		found->items[i] = timelines->found[i].timeline;
	if (account)
		*account = timelines->account;
	free(timelines->found);
	free(timelines->machines);
	free(timelines->kept);
	free(timelines);
}

void timelines_parse(const char *log, size_t size, unsigned long page_size, timeline_list *found)
{
	struct timelines *timelines = timelines_begin(page_size);

	timelines_feed(timelines, log, size);
	timelines_end(timelines, found, NULL);
}

void timeline_parse_attempt(
	const char *log, size_t size, unsigned long page_size, struct timeline *timeline)
{
	struct timelines *timelines = timelines_begin(page_size);
	timeline_list found = { 0 };

	timelines->attempt = true;
	timelines_feed(timelines, log, size);
	timelines_end(timelines, &found, NULL);
	if (found.count) {
		*timeline = found.items[found.count - 1];
		found.count--;
	}
	timelines_free(&found);
}
