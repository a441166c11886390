/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rehearsals: what follows from the facts, and what is on record. The kernel's part is the lab's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/actions/recover.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "tests/rules/checks_fixture.h"
#include "tests/lib/test_root.h"

#define STATE_DIR "/var/lib/ec2hib"
#define MARKER	  STATE_DIR "/" REHEARSAL_MARKER_NAME
#define RECORD	  STATE_DIR "/" REHEARSAL_NAME

/* The facts of the ready machine with one other; PATH NULL: as they are. */
static void facts_with(struct facts *facts, const char *path, const char *value)
{
	json_t *changes = json_object();
	json_t *json;

	if (path)
		json_object_set_new(changes, path, value ? json_string(value) : json_null());
	json = facts_changed(changes);
	facts_read(facts, json);
	json_decref(json);
	json_decref(changes);
}

/* ---- Levels ---------------------------------------------------------------------------------- */

static void every_level_is_found_by_its_id(void **state UNUSED)
{
	for (int level = 0; level < LEVEL_COUNT; level++) {
		assert_int_equal(rehearsal_level_find(rehearsal_levels[level].id), level);
		assert_non_null(rehearsal_levels[level].title);
		assert_non_null(rehearsal_levels[level].proves);
	}
	assert_int_equal(rehearsal_level_find("all"), LEVEL_COUNT);
	/* Nobody is asked for what the machine comes back from in seconds. */
	for (int level = 0; level < LEVEL_IMAGE; level++)
		assert_null(rehearsal_levels[level].warning);
	assert_non_null(rehearsal_levels[LEVEL_IMAGE].warning);
	assert_non_null(rehearsal_levels[LEVEL_CYCLE].warning);
}

static void kernel_says_which_levels_it_has(void **state UNUSED)
{
	static const char all[] = "[none] core processors platform devices freezer";
	static const struct {
		const char *path, *value;
		enum rehearsal_level level;
		const char *missing; /* a part of the reason; NULL: it is there */
	} rows[] = {
		{ NULL, NULL, LEVEL_READY, NULL },
		{ "kernel.pm_test", NULL, LEVEL_HOOKS, NULL },
		{ "kernel.pm_test", NULL, LEVEL_FREEZER, "CONFIG_PM_DEBUG" },
		{ "kernel.pm_test", NULL, LEVEL_CORE, "CONFIG_PM_DEBUG" },
		{ "kernel.pm_test", all, LEVEL_FREEZER, NULL },
		{ "kernel.pm_test", all, LEVEL_CORE, NULL },
		{ "kernel.pm_test", "none [core]", LEVEL_CORE, NULL },
		{ "kernel.pm_test", "[none] core", LEVEL_DEVICES, "does not offer devices" },
		{ "kernel.pm_test", NULL, LEVEL_IMAGE, NULL },
		{ "kernel.snapshot_device", NULL, LEVEL_IMAGE, "/dev/snapshot" },
		{ "kernel.snapshot_device", NULL, LEVEL_CYCLE, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *missing = NULL;
		struct facts facts = { 0 };

		facts_with(&facts, rows[i].path, rows[i].value);
		missing = rehearsal_missing(rows[i].level, &facts);
		if (!rows[i].missing != !missing || (missing && !strstr(missing, rows[i].missing)))
			fail_msg("%s with %s: %s", rehearsal_levels[rows[i].level].id,
				rows[i].value, missing);
		facts_free(&facts);
	}
}

/* A test after which the kernel could write an image is none that is made. */
static void tests_need_a_place_that_can_be_hidden(void **state UNUSED)
{
	for (int level = LEVEL_FREEZER; level < LEVEL_COUNT; level++) {
		memory_cleanup_free char *missing = NULL;
		struct facts facts = { 0 };

		facts_with(&facts, "kernel.pm_test",
			"[none] core processors platform devices freezer");
		fact_set_absent(fact_of(&facts.kernel.resume_offset));
		missing = rehearsal_missing((enum rehearsal_level)level, &facts);
		if (level > LEVEL_FREEZER && level < LEVEL_IMAGE)
			assert_non_null(strstr(missing, "/sys/power/resume_offset"));
		else
			assert_null(missing);
		facts_free(&facts);
	}
}

static void estimate_is_for_all_of_memory(void **state UNUSED)
{
	static const struct {
		uint64_t memory, written, ms, overhead;
		bool known;
		uint64_t seconds;
		bool in_time;
	} rows[] = {
		{ 16 * GIB, GIB, 10000, 0, true, 160, true },
		{ 16 * GIB, GIB, 10000, 5000, true, 165, true },
		/* 1050 s, seven eighths of 20 minutes, is the limit. */
		{ 105 * GIB, GIB, 10000, 0, true, 1050, true },
		{ 106 * GIB, GIB, 10000, 0, true, 1060, false },
		{ 150 * GIB, GIB, 10000, 0, true, 1500, false },
		/* Too little to tell. */
		{ 16 * GIB, 0, 10000, 0, false, 0, false },
		{ 16 * GIB, MIB, 99, 0, false, 0, false },
		{ 16 * GIB, MIB, 0, 0, false, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rehearsal_estimate estimate;

		assert_int_equal(rehearsal_estimate(&estimate, rows[i].memory, rows[i].written,
					 rows[i].ms, rows[i].overhead),
			rows[i].known);
		if (!rows[i].known)
			continue;
		assert_int_equal(estimate.bytes, rows[i].memory);
		assert_int_equal((estimate.ms + 500) / 1000, rows[i].seconds);
		assert_int_equal(estimate.in_time, rows[i].in_time);
	}
}

/* ---- Then and now ---------------------------------------------------------------------------- */

static void machine_is_the_same_until_something_changes(void **state UNUSED)
{
	static const struct {
		const char *path, *value, *changes;
	} rows[] = {
		{ NULL, NULL, "" },
		{ "kernel.release", "6.1.0-27",
			"the kernel was 6.1.0-26-cloud-amd64 and is 6.1.0-27" },
		{ "area.header_uuid", "other", "the swap area is another one" },
		{ "boot.entries.0.arguments", "quiet", "the boot entry is another one" },
		{ "boot.entries.0.version", "6.1.0-27", "the boot entry is another one" },
		/* What is not known now is no change. */
		{ "kernel.release", NULL, "" },
		{ "boot.entries.0.arguments", NULL, "" },
		{ "area.resume_offset", NULL, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rehearsal_facts then = { 0 };
		strings_cleanup struct strings changes = { 0 };
		memory_cleanup_free char *text = NULL;
		struct facts facts = { 0 }, now = { 0 };

		facts_with(&facts, NULL, NULL);
		facts_with(&now, rows[i].path, rows[i].value);
		rehearsal_describe(&then, &facts);
		rehearsal_changes(&then, &now, &changes);
		text = strings_join(&changes, ", ");
		assert_string_equal(text, rows[i].changes);
		layout_free(&rehearsal_facts_layout, &then);
		facts_free(&facts);
		facts_free(&now);
	}
}

static void less_does_not_take_the_place_of_more(void **state UNUSED)
{
	static const struct {
		const char *before;
		enum rehearsal_level level;
		bool counts;
	} rows[] = {
		{ NULL, LEVEL_READY, false },
		{ NULL, LEVEL_HOOKS, false },
		{ NULL, LEVEL_FREEZER, true },
		{ "freezer", LEVEL_CORE, true },
		{ "image", LEVEL_IMAGE, true },
		{ "image", LEVEL_CORE, false },
		{ "cycle", LEVEL_IMAGE, false },
		{ "of-a-newer-version", LEVEL_FREEZER, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct facts facts = { 0 };

		facts_with(&facts, "rehearsal.level", rows[i].before);
		assert_int_equal(rehearsal_counts(rows[i].level, &facts), rows[i].counts);
		/* What was shown with another kernel is worth nothing now. */
		fact_set_text(&facts.rehearsal.kernel, "5.10");
		assert_int_equal(
			rehearsal_counts(rows[i].level, &facts), rows[i].level >= LEVEL_FREEZER);
		facts_free(&facts);
	}
}

/* ---- A boot that did not resume -------------------------------------------------------------- */

#define RIGHT	   "root=/dev/nvme0n1p1 resume=PARTUUID=5c8e resume_offset=38912"
#define NOT_FOUND  "6,1,2,-;PM: Image not found (code -22)\n"
#define UNREADABLE "6,1,2,-;PM: Image not found (code -5)\n"
#define MISMATCH   "3,1,2,-;PM: hibernation: Image mismatch: memory size\n6,2,3,-;more\n"

static void boot_without_the_image_is_explained(void **state UNUSED)
{
	static const struct {
		const char *line, *release, *signature, *log, *why;
	} rows[] = {
		{ "quiet", NULL, "image", NULL, "there is no resume= on the command line" },
		{ RIGHT " noresume", NULL, "image", NULL, "noresume is on the command line" },
		{ RIGHT " hibernate=noresume", NULL, "image", NULL, "noresume is on the" },
		{ "resume=PARTUUID=5c8e resume_offset=4096", NULL, "image", NOT_FOUND,
			"looked for the image at page 4096 (resume_offset), and it was "
			"written at page 38912" },
		{ "resume=PARTUUID=5c8e", NULL, "image", NOT_FOUND, "at page 0 " },
		{ RIGHT, NULL, "swap", NOT_FOUND, "there was no image any more" },
		{ RIGHT, NULL, "image", UNREADABLE, "could not read the image" },
		{ RIGHT, NULL, "swap", MISMATCH, "refused the image: Image mismatch: memory size" },
		{ RIGHT, "6.1.0-27", "swap", NOT_FOUND,
			"another kernel than 6.1.0-26-cloud-amd64" },
		{ RIGHT, NULL, "image", "", "nothing in this boot has looked for it" },
		{ RIGHT, NULL, "swap", NULL, "does not say why" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rehearsal_marker marker = { 0 };
		memory_cleanup_free char *why = NULL;
		struct facts facts = { 0 };

		facts_with(&facts, NULL, NULL);
		rehearsal_describe(&marker.machine, &facts);
		fact_set_text(&facts.kernel.command_line, rows[i].line);
		fact_set_text(&facts.area.signature, rows[i].signature);
		if (rows[i].release)
			fact_set_text(&facts.kernel.release, rows[i].release);
		why = rehearsal_why_lost(&marker, &facts, rows[i].log);
		if (!strstr(why, rows[i].why) || strchr(why, '\n'))
			fail_msg("row %zu: %s", i, why);
		layout_free(&rehearsal_marker_layout, &marker);
		facts_free(&facts);
	}
}

/* ---- On record ------------------------------------------------------------------------------- */

/* A folder as a machine whose state is in STATE_DIR. */
struct machine {
	struct config config;
	struct gather gather;
};

static void machine_init(struct machine *machine, struct test_root *test)
{
	config_init(&machine->config);
	machine->gather = (struct gather) { .root = &test->root,
		.host = &test->root,
		.config = &machine->config,
		.version = "test" };
	test_root_put(test, BOOT_ID_PATH, "0f844e31-adf5-4ee4-b09a-425742fa7b98\n");
}

static void marker_is_there_until_it_is_removed(void **state)
{
	struct test_root *test = *state;
	struct rehearsal_marker marker = { 0 };
	struct machine machine;
	struct facts facts = { 0 };
	struct error err = { "" };

	machine_init(&machine, test);
	facts_with(&facts, NULL, NULL);
	assert_int_equal(rehearsal_marker_read(&test->root, STATE_DIR, &marker, &err), -ENOENT);
	assert_int_equal(rehearsal_marker_write(&machine.gather, &facts, LEVEL_CYCLE, -1, &err), 0);
	assert_int_equal(rehearsal_marker_read(&test->root, STATE_DIR, &marker, &err), 0);
	assert_string_equal(marker.level.value, "cycle");
	assert_string_equal(marker.boot_id.value, "0f844e31-adf5-4ee4-b09a-425742fa7b98");
	assert_int_equal(marker.slept.value, 0);
	assert_int_equal(marker.machine.area_offset.value, 38912);
	layout_free(&rehearsal_marker_layout, &marker);
	assert_int_equal(rehearsal_marker_remove(&machine.gather, &err), 0);
	assert_false(root_exists(&test->root, MARKER));
	facts_free(&facts);
	config_free(&machine.config);
}

static void damaged_files_are_told_from_none(void **state)
{
	static const char *const damaged[] = { "", "{", "[]", "{}",
		"{\"format\": 2, \"level\": \"image\"}", "{\"format\": 1, \"level\": 7}" };
	struct test_root *test = *state;

	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		struct rehearsal_marker marker = { 0 };
		struct rehearsal_facts rehearsal = { 0 };
		struct error err = { "" };

		test_root_put(test, MARKER, damaged[i]);
		test_root_put(test, RECORD, damaged[i]);
		assert_int_equal(
			rehearsal_marker_read(&test->root, STATE_DIR, &marker, &err), -EBADMSG);
		layout_free(&rehearsal_marker_layout, &marker);
		rehearsal_gather(&rehearsal, &test->root, STATE_DIR);
		/* {"format": 1, "level": 7} is wrong in the marker, and no member of the record. */
		if (i + 1 < ARRAY_SIZE(damaged)) {
			assert_int_equal(rehearsal.level.is, FACT_UNKNOWN);
			assert_non_null(rehearsal.level.why);
		}
		layout_free(&rehearsal_facts_layout, &rehearsal);
	}
}

static void marker_of_somebody_else_is_not_heeded(void **state)
{
	struct test_root *test = *state;
	struct rehearsal_marker marker = { 0 };
	memory_cleanup_free char *shown = root_shown(&test->root, MARKER);
	struct error err = { "" };

	if (geteuid() != 0)
		skip();
	test_root_put(test, MARKER, "{\"format\": 1}");
	assert_int_equal(rehearsal_marker_read(&test->root, STATE_DIR, &marker, &err), 0);
	assert_int_equal(chmod(shown, 0666), 0);
	assert_int_equal(rehearsal_marker_read(&test->root, STATE_DIR, &marker, &err), -EPERM);
	layout_free(&rehearsal_marker_layout, &marker);
}

/* What the record says after the steps before. */
static void record_says(struct test_root *test, const char *level, const char *failed)
{
	struct rehearsal_facts rehearsal = { 0 };

	rehearsal_gather(&rehearsal, &test->root, STATE_DIR);
	assert_int_equal(rehearsal.level.is, level ? FACT_KNOWN : FACT_ABSENT);
	assert_int_equal(rehearsal.failed_level.is, failed ? FACT_KNOWN : FACT_ABSENT);
	if (level)
		assert_string_equal(rehearsal.level.value, level);
	if (failed)
		assert_string_equal(rehearsal.failed_level.value, failed);
	layout_free(&rehearsal_facts_layout, &rehearsal);
}

static void record_keeps_the_furthest_and_the_last_failure(void **state)
{
	struct test_root *test = *state;
	struct machine machine;
	struct facts facts = { 0 };
	struct error err = { "" };

	machine_init(&machine, test);
	record_says(test, NULL, NULL);
	facts_with(&facts, "rehearsal.level", NULL);
	assert_int_equal(rehearsal_record_passed(&machine.gather, &facts, LEVEL_HOOKS, &err), 0);
	record_says(test, NULL, NULL);
	assert_int_equal(rehearsal_record_passed(&machine.gather, &facts, LEVEL_IMAGE, &err), 0);
	record_says(test, "image", NULL);
	assert_int_equal(rehearsal_record_passed(&machine.gather, &facts, LEVEL_CORE, &err), 0);
	record_says(test, "image", NULL);
	assert_int_equal(
		rehearsal_record_failed(&machine.gather, &facts, LEVEL_IMAGE, "no room", &err), 0);
	record_says(test, "image", "image");
	/* A level before the one that failed mends nothing; that one itself does. */
	assert_int_equal(rehearsal_record_passed(&machine.gather, &facts, LEVEL_CORE, &err), 0);
	record_says(test, "image", "image");
	assert_int_equal(rehearsal_record_passed(&machine.gather, &facts, LEVEL_IMAGE, &err), 0);
	record_says(test, "image", NULL);
	assert_int_equal(rehearsal_record_passed(&machine.gather, &facts, LEVEL_CYCLE, &err), 0);
	record_says(test, "cycle", NULL);
	facts_free(&facts);
	config_free(&machine.config);
}

static void kernel_tells_what_test_resume_does(void **state UNUSED)
{
	static const struct {
		const char *release;
		enum test_resume expected;
	} rows[] = {
		{ "4.14.355-276.639.amzn2.x86_64", TEST_RESUME_UNKNOWN },
		{ "5.15.0-1072-aws", TEST_RESUME_UNKNOWN },
		{ "5.16.0", TEST_RESUME_LEAVES },
		{ "6.1.0-56-cloud-amd64", TEST_RESUME_LEAVES },
		{ "6.5.13", TEST_RESUME_LEAVES },
		{ "6.6.0", TEST_RESUME_READS },
		{ "6.12.107+deb13-cloud-amd64", TEST_RESUME_READS },
		{ "7.2.13+deb14-cloud-amd64", TEST_RESUME_READS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (kernel_test_resume(rows[i].release) != rows[i].expected)
			fail_msg("%s", rows[i].release);
}

/* ---- Cut short ------------------------------------------------------------------------------- */

static void count_line(void *data, int priority UNUSED, const char *text UNUSED)
{
	++*(unsigned *)data;
}

static void image_is_left_alone(void **state)
{
	struct test_root *test = *state;
	unsigned said = 0;
	const struct reporter reporter = { .log = count_line, .data = &said };
	struct machine machine;
	struct facts facts = { 0 };
	struct error err = { "" };

	machine_init(&machine, test);
	facts_with(&facts, NULL, NULL);
	assert_int_equal(rehearsal_marker_write(&machine.gather, &facts, LEVEL_IMAGE, 0, &err), 0);
	recover(&machine.gather, &reporter);
	assert_int_equal(said, 0);
	assert_true(root_exists(&test->root, MARKER));
	facts_free(&facts);
	config_free(&machine.config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_level_is_found_by_its_id),
		cmocka_unit_test(kernel_says_which_levels_it_has),
		cmocka_unit_test(tests_need_a_place_that_can_be_hidden),
		cmocka_unit_test(estimate_is_for_all_of_memory),
		cmocka_unit_test(machine_is_the_same_until_something_changes),
		cmocka_unit_test(less_does_not_take_the_place_of_more),
		cmocka_unit_test(boot_without_the_image_is_explained),
		cmocka_unit_test(kernel_tells_what_test_resume_does),
		WITH_TEST_ROOT(marker_is_there_until_it_is_removed),
		WITH_TEST_ROOT(damaged_files_are_told_from_none),
		WITH_TEST_ROOT(marker_of_somebody_else_is_not_heeded),
		WITH_TEST_ROOT(record_keeps_the_furthest_and_the_last_failure),
		WITH_TEST_ROOT(image_is_left_alone),
	};

	return cmocka_run_group_tests_name("rehearsal", tests, fixtures_read, fixtures_free);
}
