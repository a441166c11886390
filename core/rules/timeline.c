/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A log: its lines in the order of time, machine by machine. */
#define _GNU_SOURCE
#include "core/rules/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/log_reader.h"
#include "core/rules/timeline_parser.h"

/* So many lines wait until it is known which way the log runs, with so many bytes of words. */
#define PENDING_MAX  ((size_t)40000)
#define MESSAGES_MAX ((size_t)4 * 1024 * 1024)

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

/*
 * A line that may matter, without what stood in front of it. It waits for those that come after it.
 */
struct pending {
	unsigned machine;
	bool everybody; /* a boot that the journal tells of, whosever it is */
	bool has_time, has_clock;
	int64_t time;
	uint64_t clock;
	const char *message; /* in timelines.messages */
	char stamp[LOG_STAMP_SIZE];
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
	struct pending *pending;
	size_t pending_count;
	char *messages; /* of the lines that wait, one after the other */
	size_t messages_size;
	unsigned names_to_come;
	size_t forwards, backwards; /* how often a line was later than the one before, or earlier */
	struct machine *machines;
	size_t machine_count;
	uint64_t opened;
	struct found *found;
	size_t found_count;
	struct log_line line; /* one that waited, made whole again */
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

static void hand_on(struct timelines *all, const struct pending *pending)
{
	struct log_line *line = &all->line;

	memcpy(line->stamp, pending->stamp, sizeof(line->stamp));
	memcpy(line->host, all->machines[pending->machine].host, sizeof(line->host));
	line->message = pending->message;
	line->kernel = true;
	line->has_clock = pending->has_clock;
	line->clock = pending->clock;
	for (size_t i = 0; i < all->machine_count; i++)
		if (pending->everybody || i == pending->machine)
			parser_take_line(&all->machines[i].parser, line);
}

/* ---- The order of the lines ---- */

/*
 * The kernel's clock runs on from one line to the other, whatever the clock on the wall did
 * meanwhile.
 */
static bool clock_runs_on(const struct pending *before, const struct pending *after)
{
	return before->has_clock && after->has_clock && before->machine == after->machine &&
	       after->clock >= before->clock && after->clock - before->clock < CLOCK_PAUSE_MS;
}

/* Counts whether LINE is later or earlier than the one BEFORE it. */
static void count_direction(
	struct timelines *all, const struct pending *before, const struct pending *line)
{
	int64_t later = 0;

	if (before->machine != line->machine)
		return;
	if (before->has_time && line->has_time)
		later = line->time - before->time;
	if (later == 0 && before->has_clock && line->has_clock)
		later = (int64_t)(line->clock - before->clock);
	all->forwards += later > 0;
	all->backwards += later < 0 && !clock_runs_on(before, line);
}

static void reverse(struct pending *lines, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct pending other = lines[i];

		lines[i] = lines[count - 1 - i];
		lines[count - 1 - i] = other;
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
 * Cuts the lines where the time goes back: there one file was put after another that is newer.
 * Years that are not in the stamps are counted on.
 */
static size_t cut_parts(struct timelines *all, struct part *parts)
{
	int64_t last = 0, years = 0;
	size_t count = 0;
	bool timed = false;

	for (size_t i = 0; i < all->pending_count; i++) {
		const struct pending *line = &all->pending[i];
		int64_t back = timed && line->has_time ? last - (line->time + years) : 0;

		if (back > YEAR_BACK_SECONDS && line->time < 0) {
			years += YEAR_SECONDS;
			back = 0;
		}
		if (!count || (back > BACK_SECONDS && !clock_runs_on(line - 1, line))) {
			parts[count++] = (struct part) { .first = i, .time = last };
			if (line->has_time)
				parts[count - 1].time = line->time + years;
		}
		parts[count - 1].count++;
		if (!line->has_time)
			continue;
		if (!timed)
			parts[count - 1].time = line->time + years;
		last = line->time + years;
		timed = true;
	}
	return count;
}

/* Hands the lines that wait to their machines, oldest first. */
static void flush(struct timelines *all)
{
	struct part *parts = memory_new(all->pending_count + 1, sizeof(*parts));
	size_t count;

	if (all->backwards > all->forwards) {
		all->account.backwards = true;
		reverse(all->pending, all->pending_count);
	}
	count = cut_parts(all, parts);
	for (size_t i = 1; i < count; i++)
		all->account.out_of_order =
			all->account.out_of_order || compare_parts(&parts[i - 1], &parts[i]) > 0;
	qsort(parts, count, sizeof(*parts), compare_parts);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < parts[i].count; k++)
			hand_on(all, &all->pending[parts[i].first + k]);
	all->pending_count = all->messages_size = 0;
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

static bool is_known_after(struct log_line *line, const char *message)
{
	const char *before = line->message;

	line->message = message;
	if (message_is_known(line))
		return true;
	line->message = before;
	return false;
}

/*
 * Also after what may be the name of a file, or other fields: that it is one shows only by the
 * words that follow.
 */
static bool line_is_known(struct log_line *line)
{
	const char *field = line->message;

	if (message_is_known(line))
		return true;
	if (line->after_name && is_known_after(line, line->after_name))
		return true;
	if (line->kernel || line->other)
		return false;
	while ((field = log_line_next_field(line, field)))
		if (is_known_after(line, field))
			return true;
	return false;
}

/* Some logs have each line twice. */
static bool is_repeated(
	const struct pending *before, const struct pending *line, const char *message)
{
	return before->machine == line->machine && before->time == line->time &&
	       before->clock == line->clock && strcmp(before->message, message) == 0;
}

static void add_pending(struct timelines *all, struct pending *line, const struct log_line *read)
{
	const struct pending *before =
		all->pending_count ? &all->pending[all->pending_count - 1] : NULL;
	size_t size = strlen(read->message) + 1;
	char *message;

	if (before && is_repeated(before, line, read->message))
		return;
	if (all->pending_count == PENDING_MAX || all->messages_size + size > MESSAGES_MAX) {
		flush(all);
		before = NULL;
	}
	if (!all->pending) {
		all->pending = memory_new(PENDING_MAX, sizeof(*all->pending));
		all->messages = memory_new(MESSAGES_MAX, 1);
	}
	message = all->messages + all->messages_size;
	memcpy(message, read->message, size);
	line->message = message;
	all->messages_size += size;
	memcpy(line->stamp, read->stamp, sizeof(line->stamp));
	if (before)
		count_direction(all, before, line);
	all->pending[all->pending_count++] = *line;
	all->account.lines++;
}

static void take_line(void *data, struct log_line *line)
{
	struct timelines *all = data;
	bool known = line_is_known(line);
	struct pending pending = { .has_time = line->has_time,
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
	pending.machine = machine_of(all, line->host);
	add_pending(all, &pending, line);
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
	flush(timelines);
	for (size_t i = 0; i < timelines->machine_count; i++) {
		parser_end_log(&timelines->machines[i].parser);
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
	free(timelines->pending);
	free(timelines->messages);
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
