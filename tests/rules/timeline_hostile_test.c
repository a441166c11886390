/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernel logs that are damaged, endless or made up by somebody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "tests/rules/timeline_check.h"

#define ENTRY "PM: hibernation: hibernation entry\n"
#define EXIT  "PM: hibernation: hibernation exit\n"

static const char *const logs[] = { "linux-4.9-messages", "linux-4.9-console", "linux-5.10-journal",
	"linux-6.1-console", "linux-6.1-freezing", "linux-6.1-refused" };

static void impossible_numbers_are_not_taken(void **state UNUSED)
{
	timeline_check_text(ENTRY "Filesystems sync: 99999999999999999999999.9 seconds\n"
				  "PM: Need to copy 18446744073709551615 pages\n"
				  "PM: Wrote 9007199254740992 kbytes in 0.00 seconds (x MB/s)\n"
				  "PM: Read -5 kbytes in 1.00 seconds\n"
				  "PM: Using 99999999999999999999 thread(s) for compression\n",
		"cycle\nresult incomplete\nsync -\nimage_size -\nimage_pages -\n"
		"write_size -\nwrite_rate -\nread_size -\nthreads -");
	timeline_check_text("[99999999999999999999.9] " ENTRY, "");
}

static void control_characters_are_not_passed_on(void **state UNUSED)
{
	timeline_check_text(ENTRY "PM: Device \033[2J\x9bX failed to freeze: error -1\n" EXIT,
		"cycle\nfailure device ?X refused to stop (error -1)");
}

static void long_logs_give_their_newest_cycles(void **state UNUSED)
{
	const size_t cycles = 3 * (size_t)TIMELINES_MAX + 5;
	timeline_list found = { 0 };
	char *log = memory_new(cycles, 64), *end = log;

	for (size_t i = 0; i < cycles; i++)
		end += snprintf(end, 64, "[%zu.5] PM: hibernation entry\n", i);
	timelines_parse(log, (size_t)(end - log), TIMELINE_PAGE, &found);
	assert_int_equal(found.count, TIMELINES_MAX);
	assert_int_equal(found.items[found.count - 1].entry.value, (cycles - 1) * 1000 + 500);
	timelines_free(&found);
	free(log);
}

/* A small generator with a seed of its own: the same damage on every machine. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void damage(char *log, size_t *size, uint32_t *seed)
{
	for (uint32_t n = next_random(seed) % 20; n && *size > 8; n--) {
		size_t at = next_random(seed) % (*size - 1);
		size_t length = next_random(seed) % 60;
		size_t to = next_random(seed) % *size;

		if (length > *size - at)
			length = *size - at;
		if (length > *size - to)
			length = *size - to;
		switch (next_random(seed) % 6) {
		case 0:
			log[at] = (char)next_random(seed);
			break;
		case 1:
			memmove(log + to, log + at, length);
			break;
		case 2: /* cut out */
			memmove(log + at, log + at + length, *size - at - length);
			*size -= length;
			break;
		case 3:
			log[at] = "0123456789.-[]():\n\r"[next_random(seed) % 19];
			break;
		case 4:
			memset(log + at, "\0\n9[ "[next_random(seed) % 5], length);
			break;
		case 5: /* cut off */
			if (next_random(seed) % 8 == 0)
				*size = at + 1;
			break;
		}
	}
}

/* JSON takes the facts, and gives them back. */
static void check_json(const timeline_list *found)
{
	for (size_t k = 0; k < found->count; k++) {
		json_t *json = layout_to_json(&timeline_layout, &found->items[k]);
		struct timeline back = { 0 };
		struct error err;

		assert_int_equal(
			layout_from_json(&timeline_layout, &back, json, "timeline", &err), 0);
		layout_free(&timeline_layout, &back);
		json_decref(json);
	}
}

/* For the sanitizers: whatever is in a log, it is parsed to facts that JSON can take and give. */
static void damaged_logs_are_harmless(void **state UNUSED)
{
	uint32_t seed = 20261121;

	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		size_t whole;
		memory_cleanup_free char *log = timeline_log(logs[i], &whole);

		for (int round = 0; round < 400; round++) {
			size_t size = whole;
			/* Exactly so long, that a read beyond the end is seen. */
			char *copy = memory_new(whole, 1), *exact;
			timeline_list found = { 0 };

			memcpy(copy, log, whole);
			damage(copy, &size, &seed);
			exact = malloc(size);
			assert_non_null(exact);
			memcpy(exact, copy, size);
			timelines_parse(exact, size, TIMELINE_PAGE, &found);
			check_json(&found);
			timelines_free(&found);
			free(exact);
			free(copy);
		}
	}
}

/* ---- Logs of which a part is missing, or is there twice ---- */

/* Each has good hibernations only. */
static const char *const resumed[] = { "linux-4.9-messages", "linux-4.9-console",
	"linux-5.10-journal", "linux-6.1-console", "cases/real-02", "cases/real-07",
	"cases/real-11", "cases/real-12", "cases/real-21", "cases/real-22", "cases/real-24",
	"cases/v619-resumed", "cases/v619-console-not-found-first", "cases/platform-off" };

/* The byte where a line begins, somewhere in the log. */
static size_t some_line(const char *log, size_t size, uint32_t *seed)
{
	size_t at = next_random(seed) % size;

	while (at && log[at - 1] != '\n')
		at--;
	return at;
}

static void check_no_failure(
	const char *name, const char *what, const char *log, size_t size, const char *may_be)
{
	timeline_list found = { 0 };

	timelines_parse(log, size, TIMELINE_PAGE, &found);
	for (size_t k = 0; k < found.count; k++)
		if (fact_text_is(&found.items[k].result, RESULT_FAILED) &&
			!fact_text_is(&found.items[k].failure_id, may_be))
			fail_msg("%s, %s: \"%s\"\n%.*s", name, what, found.items[k].failure.value,
				(int)size, log);
	timelines_free(&found);
}

/*
 * What a log that was cut does not show is no failure. But one thing a kernel says by its silence: that it
 * could not reserve memory. A hole in the log at just that place looks the same.
 */
static void cut_logs_have_no_failures_of_their_own(void **state UNUSED)
{
	uint32_t seed = 20261129;

	for (size_t i = 0; i < ARRAY_SIZE(resumed); i++) {
		size_t size;
		memory_cleanup_free char *log = timeline_log(resumed[i], &size);

		for (int round = 0; round < 400; round++) {
			size_t from = some_line(log, size, &seed), to = some_line(log, size, &seed);
			memory_cleanup_free char *rest = memory_new(size + 1, 1);

			if (from > to) {
				size_t other = from;

				from = to;
				to = other;
			}
			check_no_failure(resumed[i], "a part of it", log + from, to - from, "");
			check_no_failure(resumed[i], "its end", log + from, size - from, "");
			check_no_failure(resumed[i], "its beginning", log, to, "");
			memcpy(rest, log, from);
			memcpy(rest + from, log + to, size - to);
			check_no_failure(
				resumed[i], "without a part", rest, size - (to - from), "memory");
		}
	}
}

/* Each line twice, and the whole log twice. */
static void doubled_logs_have_no_failures_of_their_own(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(resumed); i++) {
		size_t size, length = 0;
		memory_cleanup_free char *log = timeline_log(resumed[i], &size);
		memory_cleanup_free char *twice = memory_new(2 * size + 2, 1);

		for (const char *line = log, *next; line < log + size; line = next) {
			const char *newline = memchr(line, '\n', (size_t)(log + size - line));

			next = newline ? newline + 1 : log + size;
			for (int k = 0; k < 2; k++) {
				memcpy(twice + length, line, (size_t)(next - line));
				length += (size_t)(next - line);
			}
		}
		check_no_failure(resumed[i], "each line twice", twice, length, "");
		memcpy(twice, log, size);
		memcpy(twice + size, log, size);
		check_no_failure(resumed[i], "twice", twice, 2 * size, "");
	}
}

/* Lines in any order: nothing is known of such a log but that it gives no nonsense. */
static void shuffled_logs_are_harmless(void **state UNUSED)
{
	uint32_t seed = 20261130;

	for (size_t i = 0; i < ARRAY_SIZE(resumed); i++) {
		size_t size;
		memory_cleanup_free char *log = timeline_log(resumed[i], &size);
		strings_cleanup struct strings lines = { 0 };

		strings_split(&lines, log, "\n");
		for (int round = 0; round < 400; round++) {
			struct timelines *timelines = timelines_begin(TIMELINE_PAGE);
			timeline_list found = { 0 };

			for (size_t k = lines.count; k > 1; k--) {
				size_t other = next_random(&seed) % k;
				char *line = lines.items[k - 1];

				lines.items[k - 1] = lines.items[other];
				lines.items[other] = line;
			}
			for (size_t k = 0; k < lines.count; k++) {
				timelines_feed(timelines, lines.items[k], strlen(lines.items[k]));
				timelines_feed(timelines, "\n", 1);
			}
			timelines_end(timelines, &found, NULL);
			check_json(&found);
			timelines_free(&found);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(impossible_numbers_are_not_taken),
		cmocka_unit_test(control_characters_are_not_passed_on),
		cmocka_unit_test(long_logs_give_their_newest_cycles),
		cmocka_unit_test(damaged_logs_are_harmless),
		cmocka_unit_test(cut_logs_have_no_failures_of_their_own),
		cmocka_unit_test(doubled_logs_have_no_failures_of_their_own),
		cmocka_unit_test(shuffled_logs_are_harmless),
	};

	return cmocka_run_group_tests_name("timeline_hostile", tests, NULL, NULL);
}
