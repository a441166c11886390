/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of pre-warming: what is read in which pieces, how many at a time, how fast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/prewarm.h"

#define MS     1000000ull
#define SECOND (1000 * MS)

/* "0+4 8+4": start and length of each range. */
static char *shown(const struct prewarm_ranges *ranges)
{
	char *text = text_copy("");

	for (size_t i = 0; i < ranges->count; i++)
		text_append(&text, "%s%llu+%llu", i ? " " : "",
			(unsigned long long)ranges->items[i].start,
			(unsigned long long)ranges->items[i].length);
	return text;
}

static void parse(struct prewarm_ranges *ranges, const char *text)
{
	strings_cleanup struct strings words = { 0 };

	strings_split(&words, text, " ");
	for (size_t i = 0; i < words.count; i++) {
		char *plus;
		uint64_t start = strtoull(words.items[i], &plus, 10);

		prewarm_ranges_add(
			ranges, &(struct prewarm_range) { start, strtoull(plus + 1, NULL, 10) });
	}
}

static void ranges_that_touch_become_one(void **state UNUSED)
{
	static const struct {
		const char *pieces, *result;
	} rows[] = {
		{ "", "" },
		{ "5+0", "" },
		{ "0+4 4+4", "0+8" },
		{ "4+4 0+4", "0+8" },
		{ "0+4 8+4", "0+4 8+4" },
		{ "8+4 0+4", "0+4 8+4" },
		{ "0+4 8+4 4+4", "0+12" },
		{ "0+2 4+2 8+2 12+2 3+8", "0+2 3+8 12+2" },
		{ "0+2 4+2 8+2 12+2 1+20", "0+21" },
		{ "10+5 10+5 12+1", "10+5" },
		{ "0+1 2+1 4+1 6+1 8+1 1+1 3+1 5+1 7+1", "0+9" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prewarm_ranges ranges = { 0 };
		memory_cleanup_free char *text = NULL;

		parse(&ranges, rows[i].pieces);
		text = shown(&ranges);
		assert_string_equal(text, rows[i].result);
		prewarm_ranges_free(&ranges);
	}
}

static void what_is_done_is_taken_away(void **state UNUSED)
{
	static const struct {
		const char *from, *away, *result;
		uint64_t total;
	} rows[] = {
		{ "0+10", "", "0+10", 10 },
		{ "0+10", "0+10", "", 0 },
		{ "5+10", "0+100", "", 0 },
		{ "0+10", "10+5", "0+10", 10 },
		{ "10+10", "0+10 20+1", "10+10", 10 },
		{ "0+10", "2+3", "0+2 5+5", 7 },
		{ "0+10 20+10", "5+20", "0+5 25+5", 10 },
		{ "0+10 20+10 40+10", "0+1 9+12 45+1", "1+8 21+9 40+5 46+4", 26 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prewarm_ranges from = { 0 }, away = { 0 };
		memory_cleanup_free char *text = NULL;

		parse(&from, rows[i].from);
		parse(&away, rows[i].away);
		prewarm_ranges_subtract(&from, &away);
		text = shown(&from);
		assert_string_equal(text, rows[i].result);
		assert_int_equal(prewarm_ranges_total(&from), rows[i].total);
		prewarm_ranges_free(&from);
		prewarm_ranges_free(&away);
	}
}

static void extent(extent_list *extents, uint64_t physical, uint64_t length)
{
	struct extent_facts *new = facts_add(extents);

	fact_set_number(&new->physical, physical);
	fact_set_number(&new->length, length);
}

static void extents_become_whole_blocks_in_the_order_of_the_device(void **state UNUSED)
{
	static const struct {
		uint64_t extents[3][2];
		uint64_t size, logical;
		const char *result;
		int status;
	} rows[] = {
		{ { { 8192, 4096 }, { 0, 4096 } }, 65536, 512, "0+4096 8192+4096", 0 },
		{ { { 4096, 4096 }, { 8192, 4096 } }, 65536, 512, "4096+8192", 0 },
		/* blocks of 1 KiB on a disk of 4 KiB: one request for what shares a block */
		{ { { 1024, 1024 }, { 3072, 1024 } }, 65536, 4096, "0+4096", 0 },
		{ { { 5000, 10 } }, 65536, 4096, "4096+4096", 0 },
		{ { { 61440, 4096 } }, 65536, 4096, "61440+4096", 0 },
		/* the device is no multiple of its blocks */
		{ { { 0, 65000 } }, 65000, 512, "0+64512", 0 },
		{ { { 61440, 4097 } }, 65536, 512, "", -ERANGE },
		{ { { 65536, 1 } }, 65536, 512, "", -ERANGE },
		{ { { UINT64_MAX - 1, 4096 } }, 65536, 512, "", -ERANGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prewarm_ranges ranges = { 0 };
		extent_list extents = { 0 };
		memory_cleanup_free char *text = NULL;
		struct error err = { "" };

		for (size_t j = 0; j < 3 && rows[i].extents[j][1]; j++)
			extent(&extents, rows[i].extents[j][0], rows[i].extents[j][1]);
		assert_int_equal(
			prewarm_ranges_of(&ranges, &extents, rows[i].size, rows[i].logical, &err),
			rows[i].status);
		text = shown(&ranges);
		assert_string_equal(text, rows[i].result);
		assert_int_equal(
			rows[i].status < 0, strstr(err.text, "lies outside the device") != NULL);
		prewarm_ranges_free(&ranges);
		fact_list_free(&extent_facts_layout, &extents);
	}
}

static void requests_end_at_multiples_of_the_block(void **state UNUSED)
{
	static const struct {
		const char *ranges;
		uint64_t block;
		const char *requests; /* in this order */
	} rows[] = {
		{ "", 8, "" },
		{ "0+16", 8, "0+8 8+8 " },
		{ "4+8", 8, "4+4 8+4 " },
		{ "3+20", 8, "3+5 8+8 16+7 " },
		{ "1+2 5+1 14+4", 8, "1+2 5+1 14+2 16+2 " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prewarm_ranges ranges = { 0 };
		struct prewarm_range request;
		memory_cleanup_free char *text = text_copy("");
		uint64_t place = 0;

		parse(&ranges, rows[i].ranges);
		while (prewarm_next(&ranges, rows[i].block, &place, &request))
			text_append(&text, "%llu+%llu ", (unsigned long long)request.start,
				(unsigned long long)request.length);
		assert_string_equal(text, rows[i].requests);
		prewarm_ranges_free(&ranges);
	}
}

static void map_that_moved_has_another_name(void **state UNUSED)
{
	static const struct {
		const char *ranges;
		uint64_t size;
	} rows[] = { { "4096+8192", 65536 }, { "8192+8192", 65536 },
		{ "4096+4096 12288+4096", 65536 }, { "4096+8192", 131072 }, { "", 65536 } };
	char *names[ARRAY_SIZE(rows)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prewarm_ranges ranges = { 0 };

		parse(&ranges, rows[i].ranges);
		names[i] = prewarm_map_name(&ranges, rows[i].size);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(names[i], names[j]);
		prewarm_ranges_free(&ranges);
	}
	/* Kept on disk: the same in every version. */
	assert_string_equal(names[0], "15b83a0f2e83dedc");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		free(names[i]);
}

/* ---- The method ----------------------------------------------------------------------------- */

static void write_is_for_a_swap_file_that_is_not_active(void **state UNUSED)
{
	static const struct {
		enum prewarm_method asked, method;
		const char *kind, *signature;
		bool active, untrusted;
		int status;
		const char *says;
	} rows[] = {
		{ PREWARM_AUTO, PREWARM_READ, "file", SIGNATURE_SWAP, false, false, 0, "" },
		{ PREWARM_AUTO, PREWARM_READ, "file", SIGNATURE_SWAP, true, true, 0, "" },
		{ PREWARM_READ, PREWARM_READ, "file", SIGNATURE_IMAGE, true, false, 0, "" },
		{ PREWARM_READ, PREWARM_READ, "device", SIGNATURE_SWAP, true, false, 0, "" },
		{ PREWARM_READ, 0, NULL, NULL, false, false, -ENOENT, "is not there" },
		{ PREWARM_READ, 0, "link", NULL, false, false, -EINVAL, "is neither a file" },
		{ PREWARM_WRITE, PREWARM_WRITE, "file", SIGNATURE_SWAP, false, false, 0, "" },
		{ PREWARM_WRITE, 0, "file", SIGNATURE_SWAP, true, false, -EBUSY, "is active" },
		{ PREWARM_WRITE, 0, "device", SIGNATURE_SWAP, false, false, -EINVAL,
			"is a device" },
		{ PREWARM_WRITE, 0, "file", SIGNATURE_IMAGE, false, false, -EPERM,
			"hibernation image" },
		{ PREWARM_WRITE, 0, "file", SIGNATURE_OTHER, false, false, -EPERM,
			"something that is not swap" },
		{ PREWARM_WRITE, 0, "file", SIGNATURE_NONE, false, false, -EPERM, "no swap area" },
		{ PREWARM_WRITE, 0, "file", SIGNATURE_SWAP, false, true, -EPERM, "others" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct facts facts = { 0 };
		struct area_facts *area = &facts.area;
		enum prewarm_method method = rows[i].asked;
		struct error err = { "" };

		fact_set_text(&area->path, "/swap");
		fact_set_text(&area->kind, rows[i].kind);
		fact_set_text(&area->signature, rows[i].signature);
		fact_set_flag(&area->active, rows[i].active);
		fact_set_text(&area->untrusted_folder,
			rows[i].untrusted ? "/ can be written by others" : NULL);
		area->extents.is = FACT_KNOWN;
		assert_int_equal(prewarm_method_for(&method, area, &err), rows[i].status);
		if (rows[i].status == 0)
			assert_int_equal(method, rows[i].method);
		assert_non_null(strstr(err.text, rows[i].says));
		facts_free(&facts);
	}
}

/* ---- Depth ---------------------------------------------------------------------------------- */

/* A device that serves at most BEST requests at once, each in 10 ms: more only wait. */
static unsigned depth_after(struct prewarm_depth *depth, unsigned best, uint64_t until)
{
	uint64_t now = depth->since;

	while (now < until) {
		unsigned together = depth->depth < best ? depth->depth : best;

		now += 10 * MS / together;
		prewarm_depth_completed(depth, now, MIB);
	}
	return depth->depth;
}

static void depth_doubles_while_that_brings_more(void **state UNUSED)
{
	static const struct {
		unsigned best, most, depth;
	} rows[] = { { 1, 64, 8 }, { 8, 64, 8 }, { 16, 64, 16 }, { 32, 64, 32 }, { 64, 64, 64 },
		{ 1000, 64, 64 }, { 1000, 24, 24 }, { 1000, 3, 3 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prewarm_depth depth;

		prewarm_depth_init(&depth, 0, rows[i].most, SECOND);
		assert_int_equal(depth_after(&depth, rows[i].best, 3 * SECOND), rows[i].depth);
		assert_true(depth.settled);
	}
}

static void depth_follows_a_device_that_changes(void **state UNUSED)
{
	struct prewarm_depth depth;

	prewarm_depth_init(&depth, 0, 64, SECOND);
	assert_int_equal(depth_after(&depth, 8, 3 * SECOND), 8);
	assert_int_equal(depth_after(&depth, 64, 40 * SECOND), 64);
}

static void depth_that_is_given_stays(void **state UNUSED)
{
	struct prewarm_depth depth;

	prewarm_depth_init(&depth, 5, 64, SECOND);
	assert_int_equal(depth_after(&depth, 64, 3 * SECOND), 5);
	prewarm_depth_init(&depth, 100, 64, SECOND);
	assert_int_equal(depth.depth, 64);
}

static void depth_64_is_reached_within_a_quarter_of_a_second_at_10_ms(void **state UNUSED)
{
	struct prewarm_depth depth;

	prewarm_depth_init(&depth, 0, 64, SECOND);
	assert_int_equal(depth_after(&depth, 1000, SECOND + 250 * MS), 64);
}

/* ---- Pace ----------------------------------------------------------------------------------- */

static void pace_keeps_the_rate(void **state UNUSED)
{
	static const struct {
		uint64_t rate, bytes, step, seconds;
	} rows[] = {
		{ MIB, MIB, 0, 100 },		/* the device needs no time */
		{ 10 * MIB, MIB, 30 * MS, 10 }, /* it needs some */
		{ 100 * KIB, MIB, 0, 1024 },	/* less than a request a second */
		{ GIB, 4096, 100, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prewarm_pace pace = { .rate = rows[i].rate };
		uint64_t begin = 77 * SECOND, now = begin, sum = 0, wanted;

		while (sum < rows[i].rate * rows[i].seconds) {
			uint64_t at = prewarm_pace_begin(&pace, now, rows[i].bytes);

			now = (at > now ? at : now) + rows[i].step;
			sum += rows[i].bytes;
			/* at no moment more than the rate allows */
			assert_true((double)sum <=
				    (double)rows[i].rate * ((double)(now - begin) / 1e9 + 1e-6));
		}
		wanted = rows[i].seconds * SECOND;
		assert_in_range(now - begin, wanted, wanted + wanted / 100 + rows[i].step);
	}
}

static void pace_catches_up_on_little(void **state UNUSED)
{
	struct prewarm_pace pace = { .rate = MIB };

	assert_int_equal(prewarm_pace_begin(&pace, SECOND, MIB), 2 * SECOND);
	/* nothing for a minute: what was not used is not made good in a burst */
	assert_int_equal(prewarm_pace_begin(&pace, 62 * SECOND, MIB), 63 * SECOND - 100 * MS);
	assert_int_equal(prewarm_pace_begin(&pace, 63 * SECOND, MIB), 64 * SECOND - 100 * MS);
	pace = (struct prewarm_pace) { 0 };
	assert_int_equal(prewarm_pace_begin(&pace, 5, GIB), 5);
}

static void time_left_has_no_overflow(void **state UNUSED)
{
	assert_int_equal(prewarm_time_left(10 * MIB, MIB), 10000);
	assert_int_equal(prewarm_time_left(UINT64_MAX, UINT64_MAX), 1000);
	assert_int_equal(prewarm_time_left(GIB, 0), UINT64_MAX);
	assert_int_equal(prewarm_time_left(0, 5), 0);
}

/* ---- Giving way ----------------------------------------------------------------------------- */

static void counters_are_those_of_the_kernel(void **state UNUSED)
{
	struct prewarm_counters counters;

	assert_true(prewarm_counters_parse(&counters,
		"     120       3    16000      77       40        1      320       9        2       80       86        0        0        0        0        2        1\n"));
	assert_int_equal(counters.reads, 120);
	assert_int_equal(counters.read_bytes, 16000 * 512);
	assert_int_equal(counters.writes, 40);
	assert_int_equal(counters.pending, 2);
	assert_false(prewarm_counters_parse(&counters, ""));
	assert_false(prewarm_counters_parse(&counters, "1 2 3"));
}

/* What happened in the 10 ms since the look before: in KiB; pieces and bytes are the device's. */
struct look {
	unsigned pieces, read, writes;
	unsigned begun, done; /* of ours */
	unsigned times;	      /* 0: once */
	int rate;	      /* MiB/s after that; 0: no limit; -1: any */
};

#define RATE	   8 /* PREWARM_YIELD_RATE */
#define LOOKS_MOST 12

/* One request of 1 MiB alone, which the device serves in one piece or in four. */
#define FIRST_WHOLE                                                                                \
	{                                                                                          \
		1, 1024, 0, 1024, 1024, 0, 0                                                       \
	}
#define FIRST_IN_FOUR                                                                              \
	{                                                                                          \
		4, 1024, 0, 1024, 1024, 0, 0                                                       \
	}
/* Ten of them, eight more on their way. */
#define TEN_WHOLE(rate)                                                                            \
	{                                                                                          \
		10, 10240, 0, 18432, 10240, 0, rate                                                \
	}

static void yields_to_whoever_else_is_served(void **state UNUSED)
{
	static const struct {
		const char *what;
		struct look looks[LOOKS_MOST];
	} rows[] = {
		{ "nobody", { FIRST_WHOLE, TEN_WHOLE(0), { 10, 10240, 0, 10240, 10240, 99, 0 } } },
		{ "nobody, in four", { FIRST_IN_FOUR, { 42, 10752, 0, 18432, 10240, 0, 0 },
					     { 40, 10240, 0, 10240, 10240, 99, 0 } } },
		{ "nobody, and the kernel counts bytes before requests",
			{ FIRST_WHOLE, { 24, 27648, 0, 36864, 27648, 0, 0 },
				{ 27, 24576, 0, 24576, 24576, 0, 0 },
				{ 24, 24576, 0, 24576, 24576, 99, 0 } } },
		{ "nobody, and requests that end an extent",
			{ FIRST_WHOLE, { 30, 2040, 0, 2040, 2040, 0, 0 } } },
		{ "nobody, and the device stands still",
			{ FIRST_WHOLE, { 0, 0, 0, 8192, 0, 500, 0 } } },
		{ "nobody, before it is known how it serves",
			{ { 10, 10240, 0, 18432, 10240, 0, 0 },
				{ 10, 10240, 0, 10240, 10240, 0, 0 } } },
		{ "a write", { FIRST_WHOLE, { 10, 10240, 1, 18432, 10240, 0, RATE } } },
		{ "a write, before anything else", { { 0, 0, 1, 8192, 0, 0, RATE } } },
		{ "small reads",
			{ FIRST_WHOLE, TEN_WHOLE(0), { 15, 10260, 0, 10240, 10240, 0, RATE } } },
		{ "small reads, before it is known how it serves",
			{ { 20, 80, 0, 1024, 0, 0, RATE } } },
		{ "one small read",
			{ FIRST_WHOLE, TEN_WHOLE(0), { 11, 10244, 0, 10240, 10240, 0, RATE } } },
		{ "small reads, in four", { FIRST_IN_FOUR, { 42, 10752, 0, 18432, 10240, 0, 0 },
						  { 45, 10260, 0, 10240, 10240, 0, RATE } } },
		{ "large reads",
			{ FIRST_WHOLE, TEN_WHOLE(0), { 20, 20480, 0, 10240, 10240, 0, RATE } } },
		{ "reads beside the first one", { { 3, 1032, 0, 1024, 1024, 0, RATE } } },
		{ "it comes back in steps",
			{ FIRST_WHOLE, TEN_WHOLE(0), { 11, 10244, 1, 10240, 10240, 0, RATE },
				{ 8, 8192, 0, 0, 8192, 0, RATE }, { 0, 0, 0, 0, 0, 3, RATE },
				{ 0, 0, 0, 0, 0, 0, 4 * RATE },
				{ 1, 128, 0, 128, 128, 4, 4 * RATE },
				{ 0, 0, 0, 0, 0, 0, 16 * RATE }, { 0, 0, 0, 0, 0, 5, 64 * RATE },
				{ 0, 0, 0, 0, 0, 5, 256 * RATE }, { 0, 0, 0, 0, 0, 4, 256 * RATE },
				{ 0, 0, 0, 0, 0, 1, 0 } } },
		{ "and goes down again",
			{ FIRST_WHOLE, { 2, 1028, 0, 1024, 1024, 0, RATE },
				{ 0, 0, 0, 0, 0, 5, -1 }, { 2, 132, 0, 128, 128, 0, RATE },
				{ 1, 4, 0, 0, 0, 300, RATE } } },
		/*
		 * Buffers that lie apart: after one alarm for nothing it knows, and there is no
		 * other.
		 */
		{ "nobody, in pieces that differ",
			{ FIRST_WHOLE, { 20, 10240, 0, 18432, 10240, 0, RATE },
				{ 16, 8192, 0, 0, 8192, 0, -1 }, { 0, 0, 0, 0, 0, 25, 0 },
				{ 20, 10240, 0, 18432, 10240, 0, 0 },
				{ 20, 10240, 0, 10240, 10240, 99, 0 } } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prewarm_yield yield = { 0 };
		struct prewarm_counters counters = { 77, 88 * MIB, 99, 0 };
		struct prewarm_ours ours = { 0 };
		uint64_t now = SECOND;

		prewarm_yield_look(&yield, now, &counters, &ours);
		for (size_t j = 0; j < LOOKS_MOST; j++) {
			const struct look *look = &rows[i].looks[j];
			bool empty = memcmp(look, &(struct look) { 0 }, sizeof(*look)) == 0;
			unsigned times = empty ? 0 : look->times ? look->times : 1;

			for (unsigned k = 0; k < times; k++) {
				unsigned begun = look->begun;

				/* Requests are of 1 MiB, or all of it is one. */
				for (unsigned size; begun; begun -= size) {
					size = begun < 1024 ? begun : 1024;
					if (rows[i].looks[j].pieces == 30)
						size = 68; /* the ends of extents */
					ours.begun_short += prewarm_yield_short(&yield, size * KIB);
				}
				ours.begun += look->begun * KIB;
				ours.done += look->done * KIB;
				if (ours.done == ours.begun)
					ours.done_short = ours.begun_short;
				counters.reads += look->pieces;
				counters.read_bytes += look->read * KIB;
				counters.writes += look->writes;
				now += 10 * MS;
				prewarm_yield_look(&yield, now, &counters, &ours);
			}
			if (times && look->rate >= 0 && yield.rate != look->rate * MIB)
				fail_msg("%s, look %zu: %llu MiB/s", rows[i].what, j,
					(unsigned long long)(yield.rate / MIB));
		}
	}
}

static void who_waits_in_our_shadow_is_not_silent(void **state UNUSED)
{
	struct prewarm_yield yield = { 0 };
	struct prewarm_counters counters = { 0 };
	struct prewarm_ours ours = { .slowest = 100 * MS };
	uint64_t now = SECOND;

	prewarm_yield_look(&yield, now, &counters, &ours);
	counters.writes++;
	assert_int_equal(
		prewarm_yield_look(&yield, now += 10 * MS, &counters, &ours), PREWARM_YIELD_RATE);
	/* Our own requests take 100 ms, so a read of the others does, too. */
	for (int i = 1; i < 20; i++)
		assert_int_equal(prewarm_yield_look(&yield, now += 10 * MS, &counters, &ours),
			PREWARM_YIELD_RATE);
	assert_int_equal(prewarm_yield_look(&yield, now += 10 * MS, &counters, &ours), 0);
	/* What is on its way and not ours. */
	counters.pending = 1;
	assert_int_equal(
		prewarm_yield_look(&yield, now += 10 * MS, &counters, &ours), PREWARM_YIELD_RATE);
}

static void own_record_is_nobody_elses_write(void **state UNUSED)
{
	struct prewarm_yield yield = { 0 };
	struct prewarm_counters counters = { 0 };
	struct prewarm_ours ours = { 0 };

	prewarm_yield_look(&yield, SECOND, &counters, &ours);
	counters.writes = 5;
	prewarm_yield_skip(&yield);
	assert_int_equal(prewarm_yield_look(&yield, SECOND + 10 * MS, &counters, &ours), 0);
	counters.writes = 6;
	assert_int_equal(
		prewarm_yield_look(&yield, SECOND + 20 * MS, &counters, &ours), PREWARM_YIELD_RATE);
}

/* ---- Histogram ------------------------------------------------------------------------------ */

static void slow_requests_are_told_from_quick_ones(void **state UNUSED)
{
	static const struct {
		struct {
			uint64_t us;
			unsigned count;
		} times[3];
		uint64_t slow, quick;
	} rows[] = {
		{ { { 0, 0 } }, 0, 0 },
		{ { { 900, 100 } }, 0, 1000 },
		{ { { 60000, 100 } }, 0, 64000 }, /* all alike */
		{ { { 900, 90 }, { 60000, 10 } }, 10, 1000 },
		{ { { 900, 11 }, { 60000, 89 } }, 89, 1000 },
		{ { { 900, 9 }, { 60000, 91 } }, 0, 64000 },
		{ { { 900, 50 }, { 3000, 40 }, { 2000000, 10 } }, 10, 1000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prewarm_histogram histogram = { 0 };
		uint64_t quick;

		for (size_t j = 0; j < 3; j++)
			for (unsigned k = 0; k < rows[i].times[j].count; k++)
				prewarm_histogram_add(&histogram, rows[i].times[j].us);
		assert_int_equal(prewarm_histogram_slow(&histogram, &quick), rows[i].slow);
		assert_int_equal(quick, rows[i].quick);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_that_touch_become_one),
		cmocka_unit_test(what_is_done_is_taken_away),
		cmocka_unit_test(extents_become_whole_blocks_in_the_order_of_the_device),
		cmocka_unit_test(requests_end_at_multiples_of_the_block),
		cmocka_unit_test(map_that_moved_has_another_name),
		cmocka_unit_test(write_is_for_a_swap_file_that_is_not_active),
		cmocka_unit_test(depth_doubles_while_that_brings_more),
		cmocka_unit_test(depth_follows_a_device_that_changes),
		cmocka_unit_test(depth_that_is_given_stays),
		cmocka_unit_test(depth_64_is_reached_within_a_quarter_of_a_second_at_10_ms),
		cmocka_unit_test(pace_keeps_the_rate),
		cmocka_unit_test(pace_catches_up_on_little),
		cmocka_unit_test(time_left_has_no_overflow),
		cmocka_unit_test(counters_are_those_of_the_kernel),
		cmocka_unit_test(yields_to_whoever_else_is_served),
		cmocka_unit_test(who_waits_in_our_shadow_is_not_silent),
		cmocka_unit_test(own_record_is_nobody_elses_write),
		cmocka_unit_test(slow_requests_are_told_from_quick_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
