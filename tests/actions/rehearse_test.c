/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a rehearsal does around the levels of the kernel, which are a script here (ld(1), --wrap).
 * What the kernel does is the lab's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/actions/hibernate.h"
#include "core/actions/prewarm.h"
#include "core/actions/prewarm_background.h"
#include "core/actions/rehearse.h"
#include "core/actions/recover.h"
#include "core/actions/transaction.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "tests/lib/test_root.h"

#define MARKER	     "/var/lib/ec2hib/" REHEARSAL_MARKER_NAME
#define PAGE_LENGTH  4096
#define SIGNATURE_AT (PAGE_LENGTH - 10)
#define OTHER_CONFIG "/somewhere/ec2hib.conf"

/*
 * What was done, a letter each: s(top the pre-warm), h(ibernate) or make an image, m(end), g(o on
 * with the pre-warm).
 */
static char done[8];
static int stop_answer; /* of prewarm_stop() */
static bool stopped;	/* the rehearsal, while the level ran */
static bool called_off; /* by a hook */

int __wrap_hibernate(const struct hibernation *request, struct cycle *cycle, struct error *err);
int __wrap_snapshot_rehearse(
	const struct snapshot *snapshot, struct snapshot_result *result, struct error *err);
int __real_snapshot_rehearse(
	const struct snapshot *snapshot, struct snapshot_result *result, struct error *err);
int __wrap_transaction_lock(struct transaction *transaction, struct error *err);
int __wrap_transaction_look(struct transaction *transaction, struct error *err);
int __wrap_transaction_prepare(struct transaction *transaction, struct error *err);
int __wrap_transaction_mend(struct transaction *transaction, struct error *err);
void __wrap_recover_locked(const struct gather *gather, const struct reporter *reporter);
int __wrap_prewarm_stop(const struct root *root, unsigned wait_ms, struct error *err);
void __wrap_prewarm_resume(const struct gather *gather, const struct reporter *reporter);
char *__wrap_rehearsal_missing(enum rehearsal_level level, const struct facts *facts);

int __wrap_prewarm_stop(const struct root *root UNUSED, unsigned wait_ms UNUSED, struct error *err)
{
	done[strlen(done)] = 's';
	return stop_answer < 0 ? error_set(err, -stop_answer, "it does not stop") : stop_answer;
}

/* What a level ends in, whether the kernel hibernates or makes an image. */
static int run_level(const struct reporter *reporter, struct error *err)
{
	done[strlen(done)] = 'h';
	if (called_off)
		return error_set(err, ECANCELED, "the hook failed");
	return reporter_cancelled(reporter) ? error_set(err, ECANCELED, "stopped") : 0;
}

int __wrap_hibernate(
	const struct hibernation *request, struct cycle *cycle UNUSED, struct error *err)
{
	return run_level(request->reporter, err);
}

int __wrap_snapshot_rehearse(
	const struct snapshot *snapshot, struct snapshot_result *result UNUSED, struct error *err)
{
	return run_level(snapshot->reporter, err);
}

/* An image has one lock for all, and the rehearsal has it. */
int __wrap_transaction_lock(struct transaction *transaction UNUSED, struct error *err UNUSED)
{
	return 0;
}

/* A folder is no machine that could be ready: its area is known, and that is all. */
int __wrap_transaction_look(struct transaction *transaction, struct error *err UNUSED)
{
	struct area_facts *area = &transaction->facts.area;

	fact_set_text(&area->resume_device, "259:1");
	fact_set_number(&area->resume_offset, 34816);
	fact_set_number(&area->size, 16L * PAGE_LENGTH);
	area->extents.is = FACT_ABSENT;
	fact_set_text(&((struct device_facts *)facts_add(&area->devices))->name, "nvme0n1p1");
	return 0;
}

int __wrap_transaction_prepare(struct transaction *transaction UNUSED, struct error *err UNUSED)
{
	return 0;
}

int __wrap_transaction_mend(struct transaction *transaction UNUSED, struct error *err UNUSED)
{
	done[strlen(done)] = 'm';
	return 0;
}

/* Who rehearses has looked before it began, and has a marker of its own on the disk now. */
void __wrap_recover_locked(
	const struct gather *gather UNUSED, const struct reporter *reporter UNUSED)
{
	fail_msg("a rehearsal looks for another");
}

void __wrap_prewarm_resume(const struct gather *gather, const struct reporter *reporter UNUSED)
{
	assert_string_equal(gather->config_path, OTHER_CONFIG);
	done[strlen(done)] = 'g';
}

/* A folder has no kernel to ask. */
char *__wrap_rehearsal_missing(enum rehearsal_level level UNUSED, const struct facts *facts UNUSED)
{
	return NULL;
}

static void ignore_line(void *data UNUSED, int priority UNUSED, const char *text UNUSED)
{
}

static void ignore_begin(void *data UNUSED, enum rehearsal_level level UNUSED)
{
}

static void ignore_end(void *data UNUSED, const struct rehearsal_result *result UNUSED)
{
}

/* Not before the level runs. */
static bool is_stopped(void *data UNUSED)
{
	return stopped && strchr(done, 'h');
}

static int rehearse_level(struct test_root *test, enum rehearsal_level level)
{
	struct config config;
	const struct gather gather = { .root = &test->root,
		.host = &test->root,
		.config = &config,
		.version = "test",
		.config_path = OTHER_CONFIG };
	const struct reporter reporter = { .log = ignore_line, .cancelled = is_stopped };
	struct rehearsal rehearsal = {
		.gather = &gather, .reporter = &reporter, .begin = ignore_begin, .end = ignore_end
	};
	struct error err = { "" };
	int status;

	memset(done, 0, sizeof(done));
	config_init(&config);
	test_root_put(test, BOOT_ID_PATH, "0f844e31-adf5-4ee4-b09a-425742fa7b98\n");
	rehearsal.wanted[level] = true;
	status = rehearse(&rehearsal, &err);
	config_free(&config);
	return status;
}

static void prewarm_that_was_stopped_goes_on(void **state)
{
	static const struct {
		enum rehearsal_level level;
		int stop_answer;
		bool stopped;
		const char *done;
	} rows[] = {
		{ LEVEL_IMAGE, 0, false, "shm" }, { LEVEL_IMAGE, 1, false, "shmg" },
		{ LEVEL_IMAGE, -ETIMEDOUT, false, "shmg" }, /* it was told to */
		{ LEVEL_IMAGE, 1, true, "shmg" },
		{ LEVEL_CYCLE, 1, false, "h" }, /* hibernate() does it */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		stop_answer = rows[i].stop_answer;
		stopped = rows[i].stopped;
		rehearse_level(*state, rows[i].level);
		if (strcmp(done, rows[i].done) != 0)
			fail_msg("row %zu: %s", i, done);
	}
}

static void level_that_is_called_off_has_failed(void **state)
{
	stop_answer = 0;
	stopped = false;
	called_off = true;
	assert_int_equal(rehearse_level(*state, LEVEL_CYCLE), -EPROTO);
	called_off = false;
	/* Somebody who does not want to wait says nothing of the machine. */
	stopped = true;
	assert_int_equal(rehearse_level(*state, LEVEL_CYCLE), -ECANCELED);
	stopped = false;
}

/* A swap file with this at the end of its first page. */
static void put_swap(struct test_root *test, const char *signature)
{
	memory_cleanup_free char *shown = root_shown(&test->root, "/swap");
	memory_cleanup_free char *page = memory_new(1, PAGE_LENGTH + 1);

	memset(page, 'x', SIGNATURE_AT);
	strcpy(page + SIGNATURE_AT, signature);
	test_root_put(test, "/swap", page);
	assert_int_equal(truncate(shown, 16L * PAGE_LENGTH), 0);
}

static void marker_stays_while_there_is_an_image(void **state)
{
	struct test_root *test = *state;

	stop_answer = 0;
	stopped = false;
	put_swap(test, "S1SUSPEND");
	assert_int_equal(rehearse_level(test, LEVEL_IMAGE), -EPROTO);
	assert_true(root_exists(&test->root, MARKER));
	put_swap(test, "SWAPSPACE2");
	assert_int_equal(rehearse_level(test, LEVEL_IMAGE), 0);
	assert_false(root_exists(&test->root, MARKER));
}

/* Before anything else: the device is not there, and not missed. */
static void image_is_refused_under_a_debugger(void **state)
{
	struct test_root *test = *state;
	const extent_list none = { 0 };
	const struct snapshot snapshot = { .root = &test->root,
		.number = "259:1",
		.name = "none",
		.page_size = 4096,
		.extents = &none,
		.timeout_ms = 1000 };
	struct snapshot_result result;
	struct error err = { "" };

	test_root_put(test, "/proc/self/status", "Name:\tec2hib\nTracerPid:\t4711\nUid:\t0\n");
	assert_int_equal(__real_snapshot_rehearse(&snapshot, &result, &err), -EPERM);
	assert_non_null(strstr(err.text, "process 4711"));
	test_root_put(test, "/proc/self/status", "Name:\tec2hib\nTracerPid:\t0\nUid:\t0\n");
	assert_int_equal(__real_snapshot_rehearse(&snapshot, &result, &err), -ENOENT);
}

/* What is written to is the device that the kernel means, whatever its name leads to. */
static void image_goes_to_the_resume_device_only(void **state)
{
	struct test_root *test = *state;
	const struct snapshot snapshot = {
		.root = &test->root, .name = "disk", .number = "259:1", .timeout_ms = 1000
	};
	struct snapshot_result result;
	struct error err = { "" };

	test_root_put(test, "/proc/self/status", "TracerPid:\t0\n");
	test_root_put(test, "/dev/snapshot", "");
	test_root_put(test, "/dev/disk", "");
	assert_int_equal(__real_snapshot_rehearse(&snapshot, &result, &err), -ENODEV);
	assert_string_equal(err.text, "/dev/disk is not the device 259:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(image_goes_to_the_resume_device_only),
		WITH_TEST_ROOT(prewarm_that_was_stopped_goes_on),
		WITH_TEST_ROOT(level_that_is_called_off_has_failed),
		WITH_TEST_ROOT(marker_stays_while_there_is_an_image),
		WITH_TEST_ROOT(image_is_refused_under_a_debugger),
	};

	return cmocka_run_group_tests_name("rehearse", tests, NULL, NULL);
}
