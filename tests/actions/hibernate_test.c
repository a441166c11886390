/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The transaction as far as a folder can be a machine: it is refused, and who has to know knows.
 * What comes after that is the lab's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/hibernate.h"
#include "core/actions/hooks.h"
#include "core/actions/lock.h"
#include "core/actions/recover.h"
#include "core/actions/transaction.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/lib/test_root.h"

#define STATE "/sys/power/state"

struct log {
	struct strings lines, phases;
};

static void keep_line(void *data, int priority UNUSED, const char *text)
{
	struct log *log = data;

	strings_add(&log->lines, text);
}

static void keep_phase(void *data, enum hibernation_phase phase)
{
	static const char *const names[] = { [PHASE_PREPARING] = "preparing",
		[PHASE_HIBERNATING] = "hibernating",
		[PHASE_RESUMED] = "resumed",
		[PHASE_FAILED] = "failed" };
	struct log *log = data;

	strings_add(&log->phases, names[phase]);
}

/*
 * Asks for one on the machine below PLACE; the text of the error in *ERR. SINCE_MS: for how long
 * that has been away since it was asked for.
 */
static int ask_before(struct test_root *test, int64_t since_ms, bool dry_run, struct log *log,
	struct cycle *cycle, struct error *err)
{
	struct config config;
	const struct gather gather = {
		.root = &test->root, .host = &test->root, .config = &config
	};
	const struct reporter reporter = { .log = keep_line, .data = log };
	const struct hibernation request = { .gather = &gather,
		.reason = REASON_NOTICE,
		.notice_action = "hibernate",
		.notice_time = "2026-01-02T03:04:05Z",
		.requested_at = 1,
		.slept = clock_slept_ms() - since_ms,
		.reporter = &reporter,
		.phase = keep_phase,
		.data = log };
	int status;

	config_init(&config);
	status =
		dry_run ? hibernate_pretend(&request, cycle, err) : hibernate(&request, cycle, err);
	config_free(&config);
	return status;
}

static int ask(struct test_root *test, bool dry_run, struct log *log, struct cycle *cycle,
	struct error *err)
{
	return ask_before(test, 0, dry_run, log, cycle, err);
}

/*
 * What a killed rehearsal has left is repaired when the lock is ours, and before it is decided: it
 * may be what is in the way. ld(1), --wrap.
 */
static unsigned looks;

void __wrap_recover_locked(const struct gather *gather, const struct reporter *reporter);

void __wrap_recover_locked(const struct gather *gather, const struct reporter *reporter)
{
	struct error busy = { "" };

	looks++;
	assert_int_equal(lock_take(gather->root, LOCK_PATH, 0, &busy), -EBUSY);
	reporter_log(reporter, LOG_WARNING, "a rehearsal was cut short");
}

/*
 * The running machine is not touched: what would be done to it is a script, each lock that is asked
 * for and the undoing.
 */
static struct strings lock_steps;
static bool lock_is_held;
int __real_lock_wait(const struct root *root, const char *path, unsigned wait_ms,
	const struct reporter *reporter, struct error *err);
int __wrap_lock_wait(const struct root *root, const char *path, unsigned wait_ms,
	const struct reporter *reporter, struct error *err);

int __wrap_lock_wait(const struct root *root, const char *path, unsigned wait_ms,
	const struct reporter *reporter, struct error *err)
{
	if (!root->live)
		return __real_lock_wait(root, path, wait_ms, reporter, err);
	strings_add(&lock_steps, path);
	if (lock_is_held && strcmp(path, LOCK_PATH) == 0)
		return error_set(err, EBUSY, "held");
	return dup(root->fd);
}

void __wrap_undo_recover(const struct root *root, const struct reporter *reporter);

void __wrap_undo_recover(const struct root *root, const struct reporter *reporter UNUSED)
{
	assert_true(root->live);
	strings_add(&lock_steps, "undo");
}

static void assert_state_is_untouched(struct test_root *test)
{
	memory_cleanup_free char *text = NULL;
	struct error err;

	assert_int_equal(root_read(&test->root, STATE, FILE_LIMIT, &text, NULL, &err), 0);
	assert_string_equal(text, "freeze mem\n");
}

static void refusal_changes_nothing_and_is_remembered(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *phases = NULL, *history = NULL;
	struct cycle cycle = { 0 };
	struct log log = { 0 };
	struct error err = { "" };

	test_root_put(test, STATE, "freeze mem\n");
	assert_int_equal(ask(test, false, &log, &cycle, &err), -EPERM);
	assert_non_null(strstr(err.text, "this machine cannot hibernate now: "));
	assert_state_is_untouched(test);
	phases = strings_join(&log.phases, " ");
	assert_string_equal(phases, "preparing failed");
	assert_string_equal(cycle.result.value, RESULT_REFUSED);
	assert_string_equal(cycle.message.value, err.text);
	assert_string_equal(cycle.reason.value, REASON_NOTICE);
	assert_string_equal(cycle.notice_time.value, "2026-01-02T03:04:05Z");
	assert_int_equal(cycle.tries.value, 0);
	assert_int_equal(root_read(&test->root, "/var/lib/ec2hib/history.json", FILE_LIMIT,
				 &history, NULL, &err),
		0);
	assert_non_null(strstr(history, RESULT_REFUSED));
	layout_free(&cycle_layout, &cycle);
	strings_free(&log.lines);
	strings_free(&log.phases);
}

static void dry_run_is_not_in_the_history(void **state)
{
	struct test_root *test = *state;
	struct cycle cycle = { 0 };
	struct log log = { 0 };
	struct error err = { "" };

	test_root_put(test, STATE, "freeze mem\n");
	assert_int_equal(ask(test, true, &log, &cycle, &err), -EPERM);
	assert_state_is_untouched(test);
	assert_false(root_exists(&test->root, "/var/lib/ec2hib"));
	layout_free(&cycle_layout, &cycle);
	strings_free(&log.lines);
	strings_free(&log.phases);
}

static bool has_line(const struct log *log, const char *part)
{
	for (size_t i = 0; i < log->lines.count; i++)
		if (strstr(log->lines.items[i], part))
			return true;
	return false;
}

/*
 * It was asked for, then another ec2hib hibernated the machine. The hooks that would run are seen.
 */
static void what_a_resume_has_answered_is_not_begun(void **state)
{
	static const struct {
		int64_t since_ms;
		int status;
		bool hooks;
	} rows[] = { { 0, -EPERM, true }, { 400, -EPERM, true }, { 3600000, -EALREADY, false } };
	struct test_root *test = *state;

	test_root_put(test, STATE, "freeze mem\n");
	/* Nobody could execute it, and that is said. */
	test_root_put(test, HOOKS_FOLDER "/failed/10-seen", "");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cycle cycle = { 0 };
		struct log log = { 0 };
		struct error err = { "" };

		assert_int_equal(ask_before(test, rows[i].since_ms, true, &log, &cycle, &err),
			rows[i].status);
		assert_int_equal(has_line(&log, "failed/10-seen"), rows[i].hooks);
		layout_free(&cycle_layout, &cycle);
		strings_free(&log.lines);
		strings_free(&log.phases);
	}
}

static void what_a_killed_rehearsal_left_is_repaired_first(void **state)
{
	struct test_root *test = *state;

	for (int dry_run = 0; dry_run < 2; dry_run++) {
		struct cycle cycle = { 0 };
		struct log log = { 0 };
		struct error err = { "" };

		looks = 0;
		assert_int_equal(ask(test, dry_run, &log, &cycle, &err), -EPERM);
		assert_int_equal(looks, 1);
		assert_true(has_line(&log, "a rehearsal was cut short"));
		layout_free(&cycle_layout, &cycle);
		strings_free(&log.lines);
		strings_free(&log.phases);
	}
}

/* The lock of the running machine; the step is the same for a rehearsal. */
static int lock_running(struct test_root *test, struct error *err)
{
	struct config config;
	const struct root running = { .fd = test->root.fd, .path = test->root.path, .live = true };
	const struct gather gather = { .root = &running, .host = &running, .config = &config };
	struct log log = { 0 };
	const struct reporter reporter = { .log = keep_line, .data = &log };
	const struct hibernation request = {
		.gather = &gather, .reason = REASON_COMMAND, .reporter = &reporter
	};
	struct transaction transaction;
	struct cycle cycle = { 0 };
	int status;

	config_init(&config);
	transaction_begin(&transaction, &request, &cycle);
	status = transaction_lock(&transaction, err);
	transaction_end(&transaction);
	config_free(&config);
	layout_free(&cycle_layout, &cycle);
	strings_free(&log.lines);
	return status;
}

static void turn_is_waited_for_before_the_lock(void **state)
{
	memory_cleanup_free char *steps = NULL;
	struct error err = { "" };

	lock_is_held = true;
	assert_int_equal(lock_running(*state, &err), -EBUSY);
	steps = strings_join(&lock_steps, " ");
	assert_string_equal(steps, TURN_LOCK " " LOCK_PATH);
	strings_free(&lock_steps);
}

/* Otherwise the record of the next one would take the place of that of the killed one. */
static void what_a_killed_hibernation_changed_is_undone_with_the_lock(void **state)
{
	memory_cleanup_free char *steps = NULL;
	struct error err = { "" };

	lock_is_held = false;
	assert_int_equal(lock_running(*state, &err), 0);
	steps = strings_join(&lock_steps, " ");
	assert_string_equal(steps, TURN_LOCK " " LOCK_PATH " undo");
	strings_free(&lock_steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(refusal_changes_nothing_and_is_remembered),
		WITH_TEST_ROOT(dry_run_is_not_in_the_history),
		WITH_TEST_ROOT(what_a_resume_has_answered_is_not_begun),
		WITH_TEST_ROOT(what_a_killed_rehearsal_left_is_repaired_first),
		WITH_TEST_ROOT(turn_is_waited_for_before_the_lock),
		WITH_TEST_ROOT(what_a_killed_hibernation_changed_is_undone_with_the_lock),
	};

	return cmocka_run_group_tests_name("hibernate", tests, NULL, NULL);
}
