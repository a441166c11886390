/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the agent remembers, and what it tells of itself, on a folder as its root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "core/actions/lock.h"
#include "core/actions/watch_agent.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/lib/test_root.h"

/* An agent that has begun, below PLACE. */
struct report {
	struct config config;
	struct imds_options imds;
	struct gather gather;
	struct notify notify;
	struct watch watch;
	struct agent agent;
};

static int64_t slept_ms;

int64_t __wrap_clock_slept_ms(void);
int64_t __wrap_clock_slept_ms(void)
{
	return slept_ms;
}

static void no_log(void *data UNUSED, int priority, const char *text,
	const struct log_field *fields UNUSED, size_t count UNUSED)
{
	if (priority <= LOG_WARNING)
		fail_msg("the agent complains: %s", text);
}

static void begin_as(struct report *report, struct test_root *test, bool dry_run)
{
	struct error err;

	*report = (struct report) { .notify = { -1 } };
	assert_int_equal(root_make_directory(&test->root, RUN_FOLDER, &err), 0);
	config_init(&report->config);
	report->gather = (struct gather) {
		.root = &test->root, .config = &report->config, .imds = &report->imds
	};
	report->watch = (struct watch) { .gather = &report->gather,
		.dry_run = dry_run,
		.notify = &report->notify,
		.log = no_log };
	report->agent = (struct agent) { .watch = &report->watch, .config = &report->config };
	report_begin(&report->agent);
}

static void begin(struct report *report, struct test_root *test)
{
	begin_as(report, test, false);
}

static void end(struct report *report)
{
	layout_free(&watch_state_layout, &report->agent.state);
	config_free(&report->config);
}

static struct notice notice_of(enum notice_kind kind, const char *detail, int number)
{
	struct notice notice = { .kind = kind };

	if (kind != NOTICE_LIFECYCLE)
		strcpy(notice.time, "2026-01-02T03:04:05Z");
	if (kind == NOTICE_MAINTENANCE)
		snprintf(notice.id, sizeof(notice.id), "instance-event-%d", number);
	snprintf(notice.detail, sizeof(notice.detail), "%s", detail);
	return notice;
}

static void what_was_acted_on_outlives_the_agent(void **state)
{
	struct notice stop = notice_of(NOTICE_STOP, "", 0);
	struct notice hibernate = notice_of(NOTICE_HIBERNATE, "", 0);
	struct report report;

	begin(&report, *state);
	assert_false(report_was_acted_on(&report.agent, &stop));
	report_acted_on(&report.agent, &stop);
	report_settled(&report.agent, &stop, true);
	assert_true(report_was_acted_on(&report.agent, &stop));
	assert_false(report_was_acted_on(&report.agent, &hibernate));
	report_state(&report.agent, WATCH_NOTICED);
	end(&report);
	/* Another agent, as after SIGKILL: nothing was said at the end. */
	begin(&report, *state);
	assert_true(report_was_acted_on(&report.agent, &stop));
	assert_false(report_was_acted_on(&report.agent, &hibernate));
	assert_int_not_equal(report.agent.state.notice.kind.is, FACT_KNOWN);
	end(&report);
}

/* Also when it ended without a word. */
static void what_was_not_settled_is_begun_anew(void **state)
{
	struct notice stop = notice_of(NOTICE_STOP, "", 0);
	struct notice hibernate = notice_of(NOTICE_HIBERNATE, "", 0);
	struct report report;

	begin(&report, *state);
	report_acted_on(&report.agent, &stop);
	report_settled(&report.agent, &stop, true);
	report_acted_on(&report.agent, &hibernate);
	/* This agent does not take it twice. */
	assert_true(report_was_acted_on(&report.agent, &hibernate));
	report_state(&report.agent, WATCH_PREPARING);
	end(&report);
	begin(&report, *state);
	assert_true(report_was_acted_on(&report.agent, &stop));
	assert_false(report_was_acted_on(&report.agent, &hibernate));
	end(&report);
}

/*
 * An agent was killed, its child went on and hibernated the machine, and the next agent was started
 * after the resume. Hooks that have not begun are due all the same, and after a boot all is.
 */
static void what_a_resume_has_answered_is_not_begun_anew(void **state)
{
	static const struct {
		int64_t before_ms, after_ms;
		bool hibernated;
	} rows[] = { { 0, 0, false }, { 0, 400, false }, { 0, 3600000, true },
		{ 7200000, 7200000, false }, { 7200000, 7200500, true }, { 7200000, 0, false } };
	struct notice hibernate = notice_of(NOTICE_HIBERNATE, "", 0);
	struct notice stop = notice_of(NOTICE_STOP, "", 0);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct report report;

		slept_ms = rows[i].before_ms;
		test_root_put(*state, WATCH_STATE_PATH, "");
		begin(&report, *state);
		report_acted_on(&report.agent, &hibernate);
		report_acted_on(&report.agent, &stop);
		report_state(&report.agent, WATCH_PREPARING);
		end(&report);
		slept_ms = rows[i].after_ms;
		/* And so it stays, for another agent as well. */
		for (int agents = 0; agents < 2; agents++) {
			begin(&report, *state);
			assert_int_equal(
				report_was_acted_on(&report.agent, &hibernate), rows[i].hibernated);
			assert_false(report_was_acted_on(&report.agent, &stop));
			end(&report);
		}
	}
	slept_ms = 0;
}

/* What PLACE's agent of this kind has acted on, or another heard. */
static bool acts(struct test_root *test, bool dry_run, const struct notice *notice)
{
	struct report report;
	bool acted;

	begin_as(&report, test, dry_run);
	acted = !report_was_acted_on(&report.agent, notice);
	if (acted) {
		report_acted_on(&report.agent, notice);
		report_settled(&report.agent, notice, true);
		fact_set_text(&report.agent.state.last_cycle.began, "now");
		fact_set_text(
			&report.agent.state.last_cycle.message, dry_run ? "rehearsed" : "real");
	}
	report_state(&report.agent, WATCH_STOPPED);
	end(&report);
	return acted;
}

static void rehearsal_is_not_taken_for_the_real_thing(void **state)
{
	struct notice rehearsed = notice_of(NOTICE_HIBERNATE, "", 0);
	struct notice real = notice_of(NOTICE_STOP, "", 0);
	struct report report;

	assert_true(acts(*state, true, &rehearsed));
	assert_false(acts(*state, true, &rehearsed));
	/* A dry run knows what was really done, and hands it on. */
	assert_true(acts(*state, false, &real));
	assert_false(acts(*state, true, &real));
	assert_false(acts(*state, false, &real));
	assert_true(acts(*state, true, &rehearsed));
	/* A real agent has not hibernated because one in a dry run says so. */
	begin_as(&report, *state, false);
	assert_false(report_was_acted_on(&report.agent, &rehearsed));
	assert_int_not_equal(report.agent.state.last_cycle.began.is, FACT_KNOWN);
	end(&report);
	assert_true(acts(*state, false, &rehearsed));
}

static void state_file_that_is_none_is_not_believed(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"format\": 99}",
		"{\"format\": 1, \"acted\": 7}", "{\"acted\": [\"stop\"]}" };
	struct notice stop = notice_of(NOTICE_STOP, "", 0);
	struct report report;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		test_root_put(*state, WATCH_STATE_PATH, texts[i]);
		begin(&report, *state);
		assert_false(report_was_acted_on(&report.agent, &stop));
		assert_true(fact_text_is(&report.agent.state.state, WATCH_WATCHING));
		end(&report);
	}
}

static void all_events_of_one_answer_are_remembered(void **state)
{
	/* As many as fit into an answer. */
	const int count = (int)(NOTICE_LIST_TEXT_LIMIT / 90);
	struct report report;

	begin(&report, *state);
	for (int i = 0; i < count; i++) {
		struct notice event = notice_of(NOTICE_MAINTENANCE, "system-reboot", i);

		report_acted_on(&report.agent, &event);
	}
	for (int i = 0; i < count; i++) {
		struct notice event = notice_of(NOTICE_MAINTENANCE, "system-reboot", i);

		assert_true(report_was_acted_on(&report.agent, &event));
	}
	end(&report);
}

static void oldest_notice_is_forgotten_first(void **state)
{
	struct notice first = notice_of(NOTICE_MAINTENANCE, "system-reboot", 0);
	struct notice last = first;
	struct report report;

	begin(&report, *state);
	for (int i = 0; i < 5000; i++) {
		last = notice_of(NOTICE_MAINTENANCE, "system-reboot", i);
		report_acted_on(&report.agent, &last);
	}
	assert_false(report_was_acted_on(&report.agent, &first));
	assert_true(report_was_acted_on(&report.agent, &last));
	assert_in_range(report.agent.state.acted.count, 100, 2000);
	end(&report);
}

static void lifecycle_is_forgotten_alone(void **state)
{
	struct notice stop = notice_of(NOTICE_STOP, "", 0);
	struct notice standby = notice_of(NOTICE_LIFECYCLE, "Standby", 0);
	struct notice ended = notice_of(NOTICE_LIFECYCLE, "Terminated", 0);
	struct report report;

	begin(&report, *state);
	report_acted_on(&report.agent, &standby);
	report_acted_on(&report.agent, &stop);
	report_acted_on(&report.agent, &ended);
	report_forget_lifecycle(&report.agent);
	assert_false(report_was_acted_on(&report.agent, &standby));
	assert_false(report_was_acted_on(&report.agent, &ended));
	assert_true(report_was_acted_on(&report.agent, &stop));
	assert_int_equal(report.agent.state.acted.count, 1);
	report_forget_lifecycle(&report.agent);
	assert_int_equal(report.agent.state.acted.count, 1);
	end(&report);
}

static void state_stays_what_it_is_when_only_the_error_changes(void **state)
{
	struct watch_state read = { 0 };
	struct report report;
	struct error err;

	begin(&report, *state);
	report_state(&report.agent, WATCH_RESUMED);
	fact_set_text(&report.agent.state.error, "no answer");
	report_again(&report.agent);
	assert_int_equal(watch_state_read(report.gather.root, &read, &err), 0);
	assert_string_equal(read.state.value, WATCH_RESUMED);
	assert_string_equal(read.error.value, "no answer");
	layout_free(&watch_state_layout, &read);
	end(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(what_was_acted_on_outlives_the_agent),
		WITH_TEST_ROOT(what_was_not_settled_is_begun_anew),
		WITH_TEST_ROOT(what_a_resume_has_answered_is_not_begun_anew),
		WITH_TEST_ROOT(rehearsal_is_not_taken_for_the_real_thing),
		WITH_TEST_ROOT(state_file_that_is_none_is_not_believed),
		WITH_TEST_ROOT(all_events_of_one_answer_are_remembered),
		WITH_TEST_ROOT(oldest_notice_is_forgotten_first),
		WITH_TEST_ROOT(lifecycle_is_forgotten_alone),
		WITH_TEST_ROOT(state_stays_what_it_is_when_only_the_error_changes),
	};

	return cmocka_run_group_tests_name("watch_report", tests, NULL, NULL);
}
