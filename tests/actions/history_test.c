/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The history of hibernations on disk, and reading the kernel's log. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/actions/history.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/kernel_log.h"
#include "tests/lib/test_root.h"

#define STATE	"/var/lib/ec2hib"
#define HISTORY STATE "/" HISTORY_NAME

static int append(struct test_root *test, uint64_t number, struct error *err)
{
	struct cycle cycle = { 0 };
	int status;

	fact_set_text(&cycle.began, "2026-11-21T13:00:02Z");
	fact_set_text(&cycle.reason, REASON_NOTICE);
	fact_set_text(&cycle.result, RESULT_RESUMED);
	fact_set_number(&cycle.away, number);
	fact_set_number(&cycle.timeline.image_size, 4096);
	status = history_append(&test->root, STATE, &cycle, err);
	layout_free(&cycle_layout, &cycle);
	return status;
}

static char *content(struct test_root *test, const char *path)
{
	struct error err;
	char *text;

	if (root_read(&test->root, path, HISTORY_FILE_LIMIT, &text, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

static void history_is_empty_where_there_is_none(void **state)
{
	struct test_root *test = *state;
	struct error err;
	cycle_list list = { 0 };

	assert_int_equal(history_read(&test->root, STATE, &list, &err), 0);
	assert_int_equal(list.count, 0);
	cycles_free(&list);
}

static void history_gives_back_what_was_added(void **state)
{
	struct test_root *test = *state;
	struct error err;
	cycle_list list = { 0 };
	struct stat status;

	assert_int_equal(append(test, 1, &err), 0);
	assert_int_equal(append(test, 2, &err), 0);
	assert_int_equal(history_read(&test->root, STATE, &list, &err), 0);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.items[1].away.value, 2);
	assert_true(fact_text_is(&list.items[1].reason, REASON_NOTICE));
	assert_int_equal(list.items[0].timeline.image_size.value, 4096);
	assert_int_equal(list.items[0].tries.is, FACT_UNKNOWN);
	cycles_free(&list);
	assert_int_equal(root_stat(&test->root, HISTORY, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
}

static void history_keeps_the_newest_thousand(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *text = text_copy("{\"format\":1,\"cycles\":[");
	struct error err;
	cycle_list list = { 0 };

	for (int i = 0; i < HISTORY_MAX + 5; i++)
		text_append(&text, "%s{\"away\":%d}", i ? "," : "", i);
	text_append(&text, "]}");
	test_root_put(test, HISTORY, text);
	assert_int_equal(append(test, 123456, &err), 0);
	assert_int_equal(history_read(&test->root, STATE, &list, &err), 0);
	assert_int_equal(list.count, HISTORY_MAX);
	assert_int_equal(list.items[0].away.value, 6);
	assert_int_equal(list.items[HISTORY_MAX - 1].away.value, 123456);
	cycles_free(&list);
}

static void fields_of_a_newer_version_are_passed_over(void **state)
{
	struct test_root *test = *state;
	struct error err;
	cycle_list list = { 0 };

	test_root_put(test, HISTORY,
		"{\"format\":1,\"written_by\":\"ec2hib 9\",\"cycles\":[{\"away\":7,"
		"\"mood\":\"good\",\"timeline\":{\"entry\":5,\"colour\":[1]}}]}");
	assert_int_equal(history_read(&test->root, STATE, &list, &err), 0);
	assert_int_equal(list.items[0].timeline.entry.value, 5);
	cycles_free(&list);
	assert_int_equal(append(test, 8, &err), 0);
}

static void damaged_history_is_saved(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"cycles\":[]}", "null",
		"{\"format\":2,\"cycles\":[]}", "{\"format\":1,\"cycles\":{}}",
		"{\"format\":1,\"cycles\":[3]}", "{\"format\":1,\"cycles\":[{\"away\":\"long\"}]}",
		"{\"format\":1,\"format\":1,\"cycles\":[]}" };
	struct test_root *test = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		memory_cleanup_free char *aside = i ? text_format("%s.damaged-%zu", HISTORY, i + 1)
						    : text_copy(HISTORY ".damaged");
		memory_cleanup_free char *kept = NULL;
		cycle_list list = { 0 };
		struct error err = { "" };

		test_root_put(test, HISTORY, texts[i]);
		assert_int_equal(history_read(&test->root, STATE, &list, &err), -EBADMSG);
		cycles_free(&list);
		assert_int_equal(append(test, i, &err), 1);
		assert_non_null(strstr(err.text, aside));
		kept = content(test, aside);
		assert_string_equal(kept, texts[i]);
		assert_int_equal(history_read(&test->root, STATE, &list, &err), 0);
		assert_int_equal(list.count, 1);
		cycles_free(&list);
	}
}

static void history_that_cannot_be_written_is_an_error(void **state)
{
	struct test_root *test = *state;
	struct error err = { "" };

	test_root_put(test, STATE, "a file where the folder should be");
	assert_true(append(test, 1, &err) < 0);
	assert_non_null(strstr(err.text, "/var/lib/ec2hib"));
}

static void cycle_takes_what_the_log_tells(void **state UNUSED)
{
	struct cycle cycle = { 0 };
	struct timeline timeline = { 0 };

	fact_set_number(&cycle.away, 5000);
	fact_set_text(&timeline.result, RESULT_FAILED);
	fact_set_text(&timeline.failure, "a device refused to stop");
	fact_set_number(&timeline.away, 4000);
	fact_set_number(&timeline.image_size, 8192);
	fact_set_number(&timeline.entry, 1000);
	fact_set_number(&timeline.power_off, 3500);
	cycle_take_timeline(&cycle, &timeline);
	assert_int_equal(cycle.away.value, 5000);
	assert_int_equal(cycle.image_size.value, 8192);
	assert_int_equal(cycle.to_power_off.value, 2500);
	assert_true(fact_text_is(&cycle.result, RESULT_FAILED));
	assert_string_equal(cycle.message.value, "a device refused to stop");
	assert_int_equal(timeline.entry.is, FACT_UNKNOWN);
	layout_free(&cycle_layout, &cycle);
}

/* ---- The kernel's log ---------------------------------------------------------------------- */

#define RECORDS "6,0,100,-;first\n SUBSYSTEM=a\n4,7,200,-;second\n6,8,300,c;third\n DEVICE=b\n"

static void records_after_the_mark_are_read(void **state)
{
	static const struct {
		uint64_t after;
		const char *text;
		uint64_t last;
	} rows[] = {
		{ 0, RECORDS, 8 },
		{ 1, "4,7,200,-;second\n6,8,300,c;third\n DEVICE=b\n", 8 },
		{ 7, "6,8,300,c;third\n DEVICE=b\n", 8 },
		{ 8, "", 8 },
		{ 99, "", 99 },
	};
	struct test_root *test = *state;

	test_root_put(test, KERNEL_LOG_PATH, RECORDS);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *text = NULL;
		struct error err;
		uint64_t last;

		assert_int_equal(
			kernel_log_read(&test->root, rows[i].after, &text, &last, &err), 0);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(last, rows[i].last);
		assert_int_equal(kernel_log_read(&test->root, rows[i].after, NULL, &last, &err), 0);
		assert_int_equal(last, rows[i].last);
	}
}

static void empty_and_missing_logs_are_told_apart(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *text = NULL;
	struct error err;
	uint64_t last;

	assert_int_equal(kernel_log_read(&test->root, 0, &text, &last, &err), -ENOENT);
	assert_non_null(strstr(err.text, KERNEL_LOG_PATH));
	test_root_put(test, KERNEL_LOG_PATH, "");
	assert_int_equal(kernel_log_read(&test->root, 0, &text, &last, &err), 0);
	assert_string_equal(text, "");
	assert_int_equal(last, 0);
}

static void append_piece(void *data, const char *bytes, size_t size)
{
	char **text = data;

	text_append(text, "%.*s", (int)size, bytes);
}

static void saved_logs_are_read_as_they_are(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *path = text_format("%s/log", test->path);
	memory_cleanup_free char *text = NULL;
	struct error err;

	test_root_put(test, "/log", "one\ntwo");
	assert_int_equal(kernel_log_scan(path, append_piece, &text, &err), 0);
	assert_string_equal(text, "one\ntwo");
}

static void what_is_no_log_is_refused(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *path = text_format("%s/log", test->path);
	memory_cleanup_free char *text = NULL;
	struct error err;
	int status;

	test_root_put(test, "/log", "LPKSHHRH");
	assert_int_equal(kernel_log_scan(path, append_piece, &text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "journalctl"));
	/* Damaged; or packed, where this build or this machine cannot unpack it. */
	test_root_put(test, "/log", "BZh91AY&SY and then nothing that bzip2 knows");
	status = kernel_log_scan(path, append_piece, &text, &err);
	assert_true(status == -EBADMSG || status == -EINVAL);
	assert_non_null(strstr(err.text, status == -EBADMSG ? "is damaged" : "bzcat"));
	assert_int_equal(kernel_log_scan(test->path, append_piece, &text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "folder"));
	assert_int_equal(kernel_log_scan("/no/such", append_piece, &text, &err), -ENOENT);
	assert_null(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(history_is_empty_where_there_is_none),
		WITH_TEST_ROOT(history_gives_back_what_was_added),
		WITH_TEST_ROOT(history_keeps_the_newest_thousand),
		WITH_TEST_ROOT(fields_of_a_newer_version_are_passed_over),
		WITH_TEST_ROOT(damaged_history_is_saved),
		WITH_TEST_ROOT(history_that_cannot_be_written_is_an_error),
		cmocka_unit_test(cycle_takes_what_the_log_tells),
		WITH_TEST_ROOT(records_after_the_mark_are_read),
		WITH_TEST_ROOT(empty_and_missing_logs_are_told_apart),
		WITH_TEST_ROOT(saved_logs_are_read_as_they_are),
		WITH_TEST_ROOT(what_is_no_log_is_refused),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
