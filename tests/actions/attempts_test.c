/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The write that hibernates, what is made of its end, and trying again. The kernel is a script here
 * (ld(1), --wrap): what the write says, what it logs, and for how long the machine was away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "core/actions/hibernate.h"
#include "core/actions/transaction.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/kernel_log.h"
#include "tests/lib/test_root.h"

#define ENTRY	"PM: hibernation: hibernation entry"
#define COPY	"PM: hibernation: Need to copy 1000 pages"
#define EXIT	"PM: hibernation: hibernation exit"
#define DEBUG	"PM: hibernation: debug: Waiting for 5 seconds."
#define NO_SWAP "PM: Not enough free swap"
#define FROZEN	"Freezing remaining freezable tasks completed (elapsed 0.001 seconds)"

/* One write to /sys/power/state. */
struct answer {
	int status;
	int64_t away_ms;
	const char *log[4];
};

static const struct answer *answers;
static unsigned writes;
static int64_t slept_ms;
static struct test_root *machine;

int __wrap_kernel_hibernate(const struct root *root, struct error *err);
int64_t __wrap_clock_slept_ms(void);
int __wrap_preparation_plan(struct plan *plan, const struct facts *facts,
	const struct config *config, struct error *err);

int64_t __wrap_clock_slept_ms(void)
{
	return slept_ms;
}

int __wrap_kernel_hibernate(const struct root *root UNUSED, struct error *err)
{
	const struct answer *answer = &answers[writes++];
	memory_cleanup_free char *log = text_copy("6,1,1,-;before\n");

	for (size_t i = 0; answer->log[i]; i++)
		text_append(&log, "6,%zu,%zu,-;%s\n", 10 * writes + i, i + 2, answer->log[i]);
	test_root_put(machine, KERNEL_LOG_PATH, log);
	slept_ms += answer->away_ms;
	return answer->status ? error_errno(err, -answer->status, "cannot write to the state") : 0;
}

/* A folder is no machine that could be ready. */
int __wrap_transaction_look(struct transaction *transaction, struct error *err);
int __wrap_transaction_prepare(struct transaction *transaction, struct error *err);

int __wrap_transaction_look(struct transaction *transaction UNUSED, struct error *err UNUSED)
{
	return 0;
}

int __wrap_transaction_prepare(struct transaction *transaction, struct error *err UNUSED)
{
	transaction->plan.method = METHOD_DIRECT;
	return 0;
}

/* Nothing has to be mended after an attempt. */
int __wrap_preparation_plan(struct plan *plan, const struct facts *facts UNUSED,
	const struct config *config UNUSED, struct error *err UNUSED)
{
	*plan = (struct plan) { 0 };
	return 0;
}

static void keep_line(void *data UNUSED, int priority UNUSED, const char *text UNUSED)
{
}

/* What was told of the machine's way. */
static char told[8];

static void keep_phase(void *data UNUSED, enum hibernation_phase phase)
{
	told[strlen(told)] = "phrf"[phase];
}

/* Attempts on the kernel of SCRIPT. */
static int hibernate_with(
	struct test_root *test, const struct answer *script, struct cycle *cycle, struct error *err)
{
	struct config config;
	const struct gather gather = {
		.root = &test->root, .host = &test->root, .config = &config
	};
	const struct reporter reporter = { .log = keep_line };
	const struct hibernation request = { .gather = &gather,
		.reason = REASON_COMMAND,
		.reporter = &reporter,
		.phase = keep_phase };
	int status;

	answers = script;
	writes = 0;
	machine = test;
	memset(told, 0, sizeof(told));
	config_init(&config);
	test_root_put(test, KERNEL_LOG_PATH, "6,1,1,-;before\n");
	status = hibernate(&request, cycle, err);
	config_free(&config);
	return status;
}

static void machine_that_was_away_has_hibernated(void **state)
{
	const struct answer script[] = { { 0, 3600000, { ENTRY, COPY, EXIT } } };
	struct cycle cycle = { 0 };
	struct error err = { "" };

	assert_int_equal(hibernate_with(*state, script, &cycle, &err), 0);
	assert_int_equal(cycle.away.value, 3600000);
	assert_string_equal(cycle.result.value, RESULT_RESUMED);
	assert_string_equal(told, "phr");
	layout_free(&cycle_layout, &cycle);
}

static void error_after_the_machine_was_away_is_none(void **state)
{
	const struct answer script[] = { { -EIO, 3600000, { ENTRY, COPY, EXIT } } };
	struct cycle cycle = { 0 };
	struct error err = { "" };

	assert_int_equal(hibernate_with(*state, script, &cycle, &err), 0);
	assert_string_equal(cycle.result.value, RESULT_RESUMED);
	layout_free(&cycle_layout, &cycle);
}

/* Status 0 alone is no hibernation: a test mode, or a systemctl with nothing to do. */
static void write_that_comes_back_at_once_is_no_hibernation(void **state)
{
	static const struct {
		struct answer answer;
		const char *reason;
	} rows[] = {
		{ { 0, 0, { NULL } }, "log tells of no hibernation" },
		{ { 0, 1, { NULL } }, "log tells of no hibernation" },
		{ { 0, 0, { ENTRY, DEBUG, EXIT } }, "log tells of a test mode" },
		{ { 0, 0, { ENTRY, NO_SWAP, EXIT } },
			"log says: there is not enough free swap for the image" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cycle cycle = { 0 };
		struct error err = { "" };

		assert_int_equal(hibernate_with(*state, &rows[i].answer, &cycle, &err), -EIO);
		assert_non_null(strstr(err.text, "the machine did not hibernate"));
		assert_non_null(strstr(err.text, rows[i].reason));
		assert_int_not_equal(cycle.away.is, FACT_KNOWN);
		assert_false(fact_text_is(&cycle.result, RESULT_RESUMED));
		assert_string_equal(told, "phf");
		assert_int_equal(writes, 1);
		layout_free(&cycle_layout, &cycle);
	}
}

/* Without a clock that lasts; Linux 6.19 and later say nothing of the image. */
static void write_without_an_error_has_hibernated_unless_the_log_says_no(void **state)
{
	const struct answer scripts[] = { { 0, 0, { ENTRY, COPY, EXIT } },
		{ 0, 0, { ENTRY, FROZEN, EXIT } }, { 0, 0, { ENTRY, EXIT } } };

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct cycle cycle = { 0 };
		struct error err = { "" };

		assert_int_equal(hibernate_with(*state, &scripts[i], &cycle, &err), 0);
		assert_string_equal(cycle.result.value, RESULT_RESUMED);
		assert_string_equal(told, "phr");
		layout_free(&cycle_layout, &cycle);
	}
}

static void busy_kernel_is_asked_again(void **state)
{
	const struct answer script[] = { { -EBUSY, 0, { NULL } },
		{ 0, 3600000, { ENTRY, COPY, EXIT } } };
	struct cycle cycle = { 0 };
	struct error err = { "" };

	assert_int_equal(hibernate_with(*state, script, &cycle, &err), 0);
	assert_int_equal(writes, 2);
	assert_int_equal(cycle.tries.value, 2);
	assert_string_equal(cycle.result.value, RESULT_RESUMED);
	assert_int_not_equal(cycle.message.is, FACT_KNOWN);
	assert_string_equal(told, "phhr");
	layout_free(&cycle_layout, &cycle);
}

static void error_that_stays_is_not_tried_again(void **state)
{
	const struct answer script[] = { { -EIO, 0, { NULL } } };
	struct cycle cycle = { 0 };
	struct error err = { "" };

	assert_int_equal(hibernate_with(*state, script, &cycle, &err), -EIO);
	assert_int_equal(writes, 1);
	assert_non_null(strstr(err.text, "the kernel did not hibernate: "));
	layout_free(&cycle_layout, &cycle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(machine_that_was_away_has_hibernated),
		WITH_TEST_ROOT(error_after_the_machine_was_away_is_none),
		WITH_TEST_ROOT(write_that_comes_back_at_once_is_no_hibernation),
		WITH_TEST_ROOT(write_without_an_error_has_hibernated_unless_the_log_says_no),
		WITH_TEST_ROOT(busy_kernel_is_asked_again),
		WITH_TEST_ROOT(error_that_stays_is_not_tried_again),
	};

	return cmocka_run_group_tests_name("attempts", tests, NULL, NULL);
}
