/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of a hibernation, each taken by its first words. */
#define _GNU_SOURCE
#include <string.h>

#include "core/base/compiler.h"
#include "core/rules/timeline_parser.h"

#define PAGE_SIZE_MAX ((uint64_t)65536)

/* The kernel's MB/s are thousands of KiB, printed with two digits behind the point. */
#define RATE_DIGITS 2
#define RATE_UNIT   ((uint64_t)1000 * 1024 / 100)

static void set_clock(const struct parser *parser, struct fact_number *fact)
{
	if (parser->line->has_clock)
		fact_set_number(fact, parser->line->clock);
}

static void on_entry(struct parser *parser, const char *rest UNUSED)
{
	parser_end(parser);
	parser->suspending = false;
	parser_open(parser);
	parser->seen.entry = parser->seen.sure = true;
	set_clock(parser, &parser->now.entry);
}

static void on_leave(struct parser *parser, const char *rest UNUSED)
{
	parser_begin(parser);
	parser->seen.exit = true;
	set_clock(parser, &parser->now.exit);
	parser_end(parser);
}

/* Kernels before 4.10 announce nothing: writing out the file systems comes first. */
static void on_syncing(struct parser *parser, const char *rest UNUSED)
{
	if (parser->open && parser->seen.entry && !parser->seen.freezing)
		return;
	parser_end(parser);
	parser_open(parser);
	set_clock(parser, &parser->now.entry);
}

static void on_sync(struct parser *parser, const char *rest)
{
	uint64_t ms;

	if (parser->open && parser->phase == PHASE_SAVING && log_decimal(rest, 3, &ms, NULL))
		fact_set_number(&parser->now.sync, ms);
}

static void on_preallocate(struct parser *parser, const char *rest)
{
	parser_begin(parser);
	parser->seen.preallocate = true;
	if (strstr(rest, "done"))
		parser->seen.allocated = true;
}

/* N kbytes in S seconds (R MB/s) */
static bool take_speed(const char *text, struct fact_number *size, struct fact_number *time,
	struct fact_number *rate)
{
	uint64_t kbytes, ms, speed;

	if (!log_decimal(text, 0, &kbytes, &text) || !text_starts(text, " kbytes in ") ||
		!log_decimal(text + strlen(" kbytes in "), 3, &ms, &text))
		return false;
	parser_set(size, kbytes, KIB);
	parser_set(time, ms, 1);
	text = strchr(text, '(');
	if (text && log_decimal(text + 1, RATE_DIGITS, &speed, NULL))
		parser_set(rate, speed, RATE_UNIT);
	else if (ms)
		parser_set(rate, kbytes * KIB / ms, 1000);
	return true;
}

/* N pages for snapshot, and then the same in kbytes: together they give the size of a page. */
static void on_allocated(struct parser *parser, const char *rest)
{
	struct timeline *now = &parser->now;
	uint64_t pages, size;
	const char *unit;

	parser_begin(parser);
	parser->seen.preallocate = parser->seen.allocated = true;
	if (log_decimal(rest, 0, &pages, &unit) && text_starts(unit, " pages"))
		parser->allocated_pages = pages;
	if (!take_speed(rest, &now->allocate_size, &now->allocate_time, &now->allocate_rate) ||
		!parser->allocated_pages || now->allocate_size.is != FACT_KNOWN)
		return;
	size = now->allocate_size.value / parser->allocated_pages;
	if (size >= KIB && size <= PAGE_SIZE_MAX && (size & (size - 1)) == 0)
		parser->page_size = (unsigned long)size;
}

static void on_creating(struct parser *parser, const char *rest UNUSED)
{
	parser_begin(parser);
	if (parser->seen.copy)
		parser_restored(parser);
}

static void on_copy(struct parser *parser, const char *rest)
{
	uint64_t pages;

	parser_begin(parser);
	if (parser->phase == PHASE_READING || parser->seen.created || parser->seen.saving)
		parser_restored(parser);
	parser->seen.copy = true;
	if (!log_decimal(rest, 0, &pages, NULL))
		return;
	parser_set(&parser->now.image_pages, pages, 1);
	parser_set(&parser->now.image_size, pages, parser->page_size);
}

static void on_created(struct parser *parser, const char *rest UNUSED)
{
	parser_begin(parser);
	parser->seen.copy = parser->seen.created = true;
}

static void on_saving(struct parser *parser, const char *rest UNUSED)
{
	parser_begin(parser);
	parser->seen.saving = true;
}

static void on_saved(struct parser *parser, const char *rest)
{
	on_saving(parser, rest);
	parser->seen.saved = true;
}

static void on_reading(struct parser *parser, const char *rest UNUSED)
{
	parser_begin(parser);
	parser->phase = PHASE_READING;
}

/* Using N thread(s) for [algorithm] compression, or decompression */
static void on_threads(struct parser *parser, const char *rest)
{
	uint64_t threads;

	if (!log_decimal(rest, 0, &threads, &rest) || !text_starts(rest, " thread(s)"))
		return;
	if (strstr(rest, "decompression")) {
		on_reading(parser, rest);
		return;
	}
	on_saving(parser, rest);
	fact_set_number(&parser->now.threads, threads);
}

static void on_compressed(struct parser *parser, const char *rest)
{
	uint64_t kbytes;

	if (parser->open && log_decimal(rest, 0, &kbytes, NULL))
		parser_set(&parser->now.compressed_size, kbytes, KIB);
}

static void on_wrote(struct parser *parser, const char *rest)
{
	struct timeline *now = &parser->now;

	on_saving(parser, rest);
	take_speed(rest, &now->write_size, &now->write_time, &now->write_rate);
}

static void on_read(struct parser *parser, const char *rest)
{
	struct timeline *now = &parser->now;

	on_reading(parser, rest);
	take_speed(rest, &now->read_size, &now->read_time, &now->read_rate);
}

static void on_away(struct parser *parser, const char *rest)
{
	uint64_t ms;

	if (parser->open && log_decimal(rest, 3, &ms, NULL))
		fact_set_number(&parser->now.away, ms);
}

static void on_restarting(struct parser *parser, const char *rest UNUSED)
{
	if (!parser->open || parser->phase == PHASE_READING)
		return;
	parser->seen.restarted = true;
	if (parser->seen.entry)
		return; /* the line that announces the end is still to come */
	set_clock(parser, &parser->now.exit);
	parser_end(parser);
}

static void on_power_off(struct parser *parser, const char *rest UNUSED)
{
	if (!parser->open || parser->phase != PHASE_SAVING || !parser->seen.saving)
		return;
	parser->seen.power_off = true;
	set_clock(parser, &parser->now.power_off);
}

static void on_boot(struct parser *parser, const char *rest UNUSED)
{
	parser->suspending = false;
	if (!parser->open)
		return;
	if (!parser->seen.sure || parser->seen.restarted) {
		parser_end(parser);
		return;
	}
	parser->seen.boot = true;
	parser->phase = PHASE_READING;
}

static void on_test(struct parser *parser, const char *rest UNUSED)
{
	if (parser->open)
		parser->seen.sure = parser->seen.tested = true;
}

static void on_suspend(struct parser *parser, const char *rest UNUSED)
{
	parser_end(parser);
	parser->suspending = true;
}

static void on_resume_failed(struct parser *parser, const char *rest)
{
	uint64_t code;

	if (!parser->open)
		return;
	if (*rest == '-')
		rest++;
	if (log_decimal(rest, 0, &code, NULL))
		parser_fail(parser, FAILURE_OTHER, "the image could not be loaded (error -%llu)",
			(unsigned long long)code);
	parser_fail(parser, FAILURE_OTHER, "the image could not be loaded");
	parser_end(parser);
}

/* "freeze of devices complete after 12.345 msecs", with "late " or the like in front */
static bool take_devices(struct parser *parser, const char *message)
{
	static const struct {
		const char *words;
		size_t offset;
	} phases[] = {
		{ "freeze", offsetof(struct timeline, devices_freeze_us) },
		{ "late freeze", offsetof(struct timeline, devices_freeze_late_us) },
		{ "noirq freeze", offsetof(struct timeline, devices_freeze_noirq_us) },
		{ "noirq restore", offsetof(struct timeline, devices_restore_noirq_us) },
		{ "early restore", offsetof(struct timeline, devices_restore_early_us) },
		{ "restore", offsetof(struct timeline, devices_restore_us) },
	};
	static const char middle[] = " of devices complete after ";
	const char *after = strstr(message, middle);
	uint64_t us;

	if (!after || !log_decimal(after + strlen(middle), 3, &us, NULL))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		const char *words = phases[i].words;

		if (strlen(words) != (size_t)(after - message) || !text_starts(message, words))
			continue;
		parser_begin(parser);
		if (strstr(words, "restore"))
			parser_restored(parser);
		fact_set_number((void *)((char *)&parser->now + phases[i].offset), us);
	}
	return true;
}

static const struct {
	const char *words;
	bool pm; /* only behind "PM: " */
	void (*take)(struct parser *parser, const char *rest);
} lines[] = {
	{ "hibernation entry", true, on_entry },
	{ "hibernation exit", true, on_leave },
	{ "suspend entry", true, on_suspend },
	{ "Syncing filesystems", true, on_syncing },
	{ "Filesystems sync: ", false, on_sync },
	{ "Preallocating image memory", true, on_preallocate },
	{ "Allocated ", true, on_allocated },
	{ "Creating image", true, on_creating },
	{ "Creating hibernation image", true, on_creating },
	{ "Need to copy ", true, on_copy },
	{ "Image created", true, on_created },
	{ "Hibernation image created", true, on_created },
	{ "Using ", true, on_threads },
	{ "Compressing and saving image", true, on_saving },
	{ "Saving image data", true, on_saving },
	{ "Image saving done", true, on_saved },
	{ "Image size after compression: ", true, on_compressed },
	{ "Wrote ", true, on_wrote },
	{ "resume from hibernation", true, on_reading },
	{ "Loading and decompressing image", true, on_reading },
	{ "Loading image data", true, on_reading },
	{ "Read ", true, on_read },
	{ "resume failed (", true, on_resume_failed },
	{ "Suspended for ", false, on_away },
	{ "Timekeeping suspended for ", true, on_away },
	{ "Restarting tasks", false, on_restarting },
	{ "reboot: Power down", false, on_power_off },
	{ "Power down.", false, on_power_off },
	{ "Linux version ", false, on_boot },
	{ "hibernation debug: Waiting", false, on_test },
	{ "debug: Waiting", true, on_test },
};

void parser_take_line(struct parser *parser, const struct log_line *line)
{
	const char *message = line->message;
	bool pm;

	if (!message)
		return;
	parser->line = line;
	message += strspn(message, " ");
	pm = text_starts(message, "PM: ");
	if (pm)
		message += strlen("PM: ");
	if (pm && text_starts(message, "hibernation: "))
		message += strlen("hibernation: ");
	if (parser->suspending) {
		if (pm && text_starts(message, "suspend exit"))
			parser->suspending = false;
		if (!(pm && text_starts(message, "hibernation entry")) &&
			!text_starts(message, "Linux version "))
			return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if ((pm || !lines[i].pm) && text_starts(message, lines[i].words)) {
			lines[i].take(parser, message + strlen(lines[i].words));
			return;
		}
	if (parser_take_freezing(parser, message) || (pm && take_devices(parser, message)))
		return;
	parser_take_failure(parser, message, pm);
}
