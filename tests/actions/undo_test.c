/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What hibernation changes for the time away is put back, also when the ec2hib that changed it was
 * killed. The machine is a folder, and swapon(2) a list (ld(1), --wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "core/actions/undo.h"
#include "core/actions/swap.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/cycle.h"
#include "core/rules/size.h"
#include "tests/lib/test_root.h"

#define IMAGE_SIZE    "/sys/power/image_size"
#define RESUME_OFFSET "/sys/power/resume_offset"
#define NOWHERE	      "4294967295"
#define SWAPS_HEAD    "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

/* What was switched on, a line each, and what cannot be. */
static char *switched_on;
static const char *broken;

int __wrap_swap_on(const char *path, long priority, struct error *err);
int __wrap_swap_on(const char *path, long priority, struct error *err)
{
	if (broken && strcmp(path, broken) == 0)
		return error_set(err, ENXIO, "cannot switch on %s", path);
	text_append(&switched_on, "%s %ld\n", path, priority);
	return 0;
}

/* As the real one refuses, and then only a list. */
int __wrap_swap_off(const struct root *root, const char *path, uint64_t used,
	const struct memory_facts *memory, struct error *err);
int __wrap_swap_off(const struct root *root UNUSED, const char *path, uint64_t used,
	const struct memory_facts *memory, struct error *err)
{
	int status = swap_off_fits(path, used, memory, err);

	if (status == 0)
		text_append(&switched_on, "%s off\n", path);
	return status;
}

static void keep_line(void *data, int priority UNUSED, const char *text)
{
	strings_add(data, text);
}

static int begin(struct test_root *test, struct undo *undo)
{
	static struct other_swap others[] = { { (char *)"/dev/fast", 100, 4096 },
		{ (char *)"/dev/my disk", -3, 0 } };
	const struct hibernation_plan plan = { .others = others,
		.other_count = ARRAY_SIZE(others),
		.set_image_size = true,
		.image_size = 0,
		.image_size_before = 1000 };
	struct error err;

	free(switched_on);
	switched_on = text_copy("");
	broken = NULL;
	assert_int_equal(root_make_directory(&test->root, RUN_FOLDER, &err), 0);
	test_root_put(test, IMAGE_SIZE, "1000\n");
	test_root_put(test, "/proc/swaps", SWAPS_HEAD);
	return undo_begin(&test->root, undo, &plan, &err);
}

static void assert_image_size(struct test_root *test, const char *size)
{
	memory_cleanup_free char *text = NULL;
	struct error err;

	assert_int_equal(root_read_line(&test->root, IMAGE_SIZE, &text, &err), 0);
	assert_string_equal(text, size);
}

static void killed_one_is_undone_by_the_next(void **state)
{
	struct test_root *test = *state;
	struct strings said = { 0 };
	const struct reporter log = { .log = keep_line, .data = &said };
	struct undo lost = { 0 };

	assert_int_equal(begin(test, &lost), 0);
	assert_true(undo_is_left(&test->root));
	test_root_put(test, IMAGE_SIZE, "0\n");
	/* Nothing but the file is left of it. */
	undo_recover(&test->root, &log);
	assert_string_equal(switched_on, "/dev/fast 100\n/dev/my disk -3\n");
	assert_image_size(test, "1000");
	assert_false(undo_is_left(&test->root));
	assert_int_equal(said.count, 3);
	assert_string_equal(said.items[0], "/dev/fast is switched on again");
	/* Once. */
	undo_recover(&test->root, &log);
	assert_int_equal(said.count, 3);
	undo_all(&test->root, &lost, &log);
	strings_free(&said);
}

/* In a rehearsal the kernel is not to find its swap area; a killed one must not leave it so. */
static void place_of_the_area_is_put_back(void **state)
{
	struct test_root *test = *state;
	struct strings said = { 0 };
	const struct reporter log = { .log = keep_line, .data = &said };
	struct undo undo = { 0 };
	struct error err;

	assert_int_equal(root_make_directory(&test->root, RUN_FOLDER, &err), 0);
	for (int killed = 0; killed < 2; killed++) {
		memory_cleanup_free char *text = NULL;

		test_root_put(test, RESUME_OFFSET, "458752          \n");
		assert_int_equal(undo_hide_area(&test->root, &undo, 458752, &err), 0);
		assert_int_equal(root_read_line(&test->root, RESUME_OFFSET, &text, &err), 0);
		assert_string_equal(text, NOWHERE);
		free(text);
		/* A file keeps what is after the shorter number; the kernel's would not. */
		test_root_put(test, RESUME_OFFSET, "1\n");
		if (killed)
			undo_recover(&test->root, &log);
		else
			undo_show_area(&test->root, &undo, &log);
		assert_int_equal(root_read_line(&test->root, RESUME_OFFSET, &text, &err), 0);
		assert_string_equal(text, "458752");
		undo_all(&test->root, &undo, &log);
		assert_false(undo_is_left(&test->root));
	}
	strings_free(&said);
}

static void what_is_on_stays_as_it_is(void **state)
{
	struct test_root *test = *state;
	struct strings said = { 0 };
	const struct reporter log = { .log = keep_line, .data = &said };
	struct undo undo = { 0 };

	/* Killed before the second was switched off. */
	assert_int_equal(begin(test, &undo), 0);
	test_root_put(
		test, "/proc/swaps", SWAPS_HEAD "/dev/my\\040disk partition\t262140\t0\t-3\n");
	undo_all(&test->root, &undo, &log);
	assert_string_equal(switched_on, "/dev/fast 100\n");
	assert_image_size(test, "1000");
	assert_false(undo_is_left(&test->root));
	/* Who puts back what it changed itself has no news. */
	assert_int_equal(said.count, 0);
}

static void what_cannot_be_put_back_is_said_and_forgotten(void **state)
{
	struct test_root *test = *state;
	struct strings said = { 0 };
	const struct reporter log = { .log = keep_line, .data = &said };
	struct undo undo = { 0 };

	assert_int_equal(begin(test, &undo), 0);
	broken = "/dev/fast";
	undo_all(&test->root, &undo, &log);
	assert_string_equal(switched_on, "/dev/my disk -3\n");
	assert_int_equal(said.count, 1);
	assert_string_equal(said.items[0], "cannot switch on /dev/fast");
	assert_false(undo_is_left(&test->root));
	strings_free(&said);
}

static void plan_that_changes_nothing_leaves_no_record(void **state)
{
	struct test_root *test = *state;
	const struct hibernation_plan plan = { .method = METHOD_DIRECT };
	struct strings said = { 0 };
	const struct reporter log = { .log = keep_line, .data = &said };
	struct undo undo = { 0 };
	struct error err;

	assert_int_equal(undo_begin(&test->root, &undo, &plan, &err), 0);
	assert_false(undo_is_left(&test->root));
	undo_all(&test->root, &undo, &log);
	assert_int_equal(said.count, 0);
}

/* No record, no change: who is killed would leave it for good. */
static void nothing_is_begun_without_a_record(void **state)
{
	struct test_root *test = *state;
	struct undo undo = { 0 };
	struct strings said = { 0 };
	const struct reporter log = { .log = keep_line, .data = &said };

	test_root_put(test, UNDO_PATH "/in-the-way", "");
	assert_true(begin(test, &undo) < 0);
	undo_all(&test->root, &undo, &log);
	strings_free(&said);
}

static void record_that_is_none_is_said_once(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"format\": 2}",
		"{\"format\": 1, \"swaps\": 7}" };
	struct test_root *test = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct strings said = { 0 };
		const struct reporter log = { .log = keep_line, .data = &said };

		test_root_put(test, UNDO_PATH, texts[i]);
		undo_recover(&test->root, &log);
		assert_int_equal(said.count, 1);
		undo_recover(&test->root, &log);
		assert_int_equal(said.count, 1);
		strings_free(&said);
	}
}

static int free_list(void **state UNUSED)
{
	free(switched_on);
	return 0;
}

/*
 * A swap area that is on for a hibernation only goes off after it; while what it holds does not fit
 * into memory it stays on and on record, and whoever comes next tries again.
 */
static void area_goes_off_when_what_it_holds_fits(void **state)
{
	struct test_root *test = *state;
	const struct hibernation_plan plan = { .off_after = (char *)"/swap" };
	struct strings said = { 0 };
	const struct reporter log = { .log = keep_line, .data = &said };
	struct undo undo = { 0 };
	struct error err;

	free(switched_on);
	switched_on = text_copy("");
	broken = NULL;
	assert_int_equal(root_make_directory(&test->root, RUN_FOLDER, &err), 0);
	assert_int_equal(undo_begin(&test->root, &undo, &plan, &err), 0);
	test_root_put(test, "/proc/swaps", SWAPS_HEAD "/swap file 4000000 2000000 -2\n");
	test_root_put(test, "/proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable: 1000000 kB\n");
	undo_all(&test->root, &undo, &log);
	assert_string_equal(switched_on, "");
	assert_true(undo_is_left(&test->root));
	assert_int_equal(said.count, 1);
	assert_non_null(strstr(said.items[0], "cannot switch off /swap: it holds 1.9 GiB"));
	assert_non_null(strstr(said.items[0], "it stays on until"));
	/* Not yet. */
	undo_recover(&test->root, &log);
	assert_true(undo_is_left(&test->root));
	/* Now there is room. */
	test_root_put(test, "/proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\n");
	undo_recover(&test->root, &log);
	assert_string_equal(switched_on, "/swap off\n");
	assert_false(undo_is_left(&test->root));
	strings_free(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(area_goes_off_when_what_it_holds_fits),
		WITH_TEST_ROOT(killed_one_is_undone_by_the_next),
		WITH_TEST_ROOT(place_of_the_area_is_put_back),
		WITH_TEST_ROOT(what_is_on_stays_as_it_is),
		WITH_TEST_ROOT(what_cannot_be_put_back_is_said_and_forgotten),
		WITH_TEST_ROOT(plan_that_changes_nothing_leaves_no_record),
		WITH_TEST_ROOT(nothing_is_begun_without_a_record),
		WITH_TEST_ROOT(record_that_is_none_is_said_once),
	};

	return cmocka_run_group_tests_name("undo", tests, NULL, free_list);
}
