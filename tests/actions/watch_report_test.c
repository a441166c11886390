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
#include "core/actions/watch_report.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/lib/test_root.h"

/* An agent that has begun. */
struct agent {
	struct config config;
	struct imds_options imds;
	struct gather gather;
	struct notify notify;
	struct event_log log;
	struct debounce debounce;
	struct report report;
};

static int64_t slept_ms;

int64_t __wrap_clock_slept_ms(void);
int64_t __wrap_clock_slept_ms(void)
{
	return slept_ms;
}

static void no_log(void *data UNUSED, int priority, const char *event UNUSED, const char *text)
{
	if (priority <= LOG_WARNING)
		fail_msg("the agent complains: %s", text);
}

static void begin_as(struct agent *agent, struct test_root *test, bool dry_run)
{
	struct error err;

	*agent = (struct agent) { .notify = { -1 }, .log = { no_log, NULL } };
	assert_int_equal(root_make_directory(&test->root, RUN_FOLDER, &err), 0);
	config_init(&agent->config);
	agent->gather = (struct gather) {
		.root = &test->root, .config = &agent->config, .imds = &agent->imds
	};
	agent->report = (struct report) { .gather = &agent->gather,
		.notify = &agent->notify,
		.log = &agent->log,
		.debounce = &agent->debounce,
		.dry_run = dry_run };
	report_begin(&agent->report);
}

static void begin(struct agent *agent, struct test_root *test)
{
	begin_as(agent, test, false);
}

static void end(struct agent *agent)
{
	layout_free(&watch_state_layout, &agent->report.state);
	config_free(&agent->config);
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
	struct agent agent;

	begin(&agent, *state);
	assert_false(report_was_acted_on(&agent.report, &stop));
	report_acted_on(&agent.report, &stop);
	report_settled(&agent.report, &stop, true);
	assert_true(report_was_acted_on(&agent.report, &stop));
	assert_false(report_was_acted_on(&agent.report, &hibernate));
	report_state(&agent.report, WATCH_NOTICED);
	end(&agent);
	/* Another agent, as after SIGKILL: nothing was said at the end. */
	begin(&agent, *state);
	assert_true(report_was_acted_on(&agent.report, &stop));
	assert_false(report_was_acted_on(&agent.report, &hibernate));
	assert_int_not_equal(agent.report.state.notice.kind.is, FACT_KNOWN);
	end(&agent);
}

/* Also when it ended without a word. */
static void what_was_not_settled_is_begun_anew(void **state)
{
	struct notice stop = notice_of(NOTICE_STOP, "", 0);
	struct notice hibernate = notice_of(NOTICE_HIBERNATE, "", 0);
	struct agent agent;

	begin(&agent, *state);
	report_acted_on(&agent.report, &stop);
	report_settled(&agent.report, &stop, true);
	report_acted_on(&agent.report, &hibernate);
	/* This agent does not take it twice. */
	assert_true(report_was_acted_on(&agent.report, &hibernate));
	report_state(&agent.report, WATCH_PREPARING);
	end(&agent);
	begin(&agent, *state);
	assert_true(report_was_acted_on(&agent.report, &stop));
	assert_false(report_was_acted_on(&agent.report, &hibernate));
	end(&agent);
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
		struct agent agent;

		slept_ms = rows[i].before_ms;
		test_root_put(*state, WATCH_STATE_PATH, "");
		begin(&agent, *state);
		report_acted_on(&agent.report, &hibernate);
		report_acted_on(&agent.report, &stop);
		report_state(&agent.report, WATCH_PREPARING);
		end(&agent);
		slept_ms = rows[i].after_ms;
		/* And so it stays, for another agent as well. */
		for (int agents = 0; agents < 2; agents++) {
			begin(&agent, *state);
			assert_int_equal(
				report_was_acted_on(&agent.report, &hibernate), rows[i].hibernated);
			assert_false(report_was_acted_on(&agent.report, &stop));
			end(&agent);
		}
	}
	slept_ms = 0;
}

/* Whether an agent of this kind acts on NOTICE, or knows that it was acted on. */
static bool acts(struct test_root *test, bool dry_run, const struct notice *notice)
{
	struct agent agent;
	bool acted;

	begin_as(&agent, test, dry_run);
	acted = !report_was_acted_on(&agent.report, notice);
	if (acted) {
		report_acted_on(&agent.report, notice);
		report_settled(&agent.report, notice, true);
		fact_set_text(&agent.report.state.last_cycle.began, "now");
		fact_set_text(
			&agent.report.state.last_cycle.message, dry_run ? "pretended" : "real");
	}
	report_state(&agent.report, WATCH_STOPPED);
	end(&agent);
	return acted;
}

static void dry_run_is_not_taken_for_the_real_thing(void **state)
{
	struct notice pretended = notice_of(NOTICE_HIBERNATE, "", 0);
	struct notice real = notice_of(NOTICE_STOP, "", 0);
	struct agent agent;

	assert_true(acts(*state, true, &pretended));
	assert_false(acts(*state, true, &pretended));
	/* A dry run knows what was really done, and hands it on. */
	assert_true(acts(*state, false, &real));
	assert_false(acts(*state, true, &real));
	assert_false(acts(*state, false, &real));
	assert_true(acts(*state, true, &pretended));
	/* A real agent has not hibernated because one in a dry run says so. */
	begin_as(&agent, *state, false);
	assert_false(report_was_acted_on(&agent.report, &pretended));
	assert_int_not_equal(agent.report.state.last_cycle.began.is, FACT_KNOWN);
	end(&agent);
	assert_true(acts(*state, false, &pretended));
}

static void state_file_that_is_none_is_not_believed(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"format\": 99}",
		"{\"format\": 1, \"acted\": 7}", "{\"acted\": [\"stop\"]}" };
	struct notice stop = notice_of(NOTICE_STOP, "", 0);
	struct agent agent;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		test_root_put(*state, WATCH_STATE_PATH, texts[i]);
		begin(&agent, *state);
		assert_false(report_was_acted_on(&agent.report, &stop));
		assert_true(fact_text_is(&agent.report.state.state, WATCH_WATCHING));
		end(&agent);
	}
}

static void all_events_of_one_answer_are_remembered(void **state)
{
	/* As many as fit into an answer. */
	const int count = (int)(NOTICE_LIST_TEXT_LIMIT / 90);
	struct agent agent;

	begin(&agent, *state);
	for (int i = 0; i < count; i++) {
		struct notice event = notice_of(NOTICE_MAINTENANCE, "system-reboot", i);

		report_acted_on(&agent.report, &event);
	}
	for (int i = 0; i < count; i++) {
		struct notice event = notice_of(NOTICE_MAINTENANCE, "system-reboot", i);

		assert_true(report_was_acted_on(&agent.report, &event));
	}
	end(&agent);
}

static void oldest_notice_is_forgotten_first(void **state)
{
	struct notice first = notice_of(NOTICE_MAINTENANCE, "system-reboot", 0);
	struct notice last = first;
	struct agent agent;

	begin(&agent, *state);
	for (int i = 0; i < 5000; i++) {
		last = notice_of(NOTICE_MAINTENANCE, "system-reboot", i);
		report_acted_on(&agent.report, &last);
	}
	assert_false(report_was_acted_on(&agent.report, &first));
	assert_true(report_was_acted_on(&agent.report, &last));
	assert_in_range(agent.report.state.acted.count, 100, 2000);
	end(&agent);
}

static void lifecycle_is_forgotten_alone(void **state)
{
	struct notice stop = notice_of(NOTICE_STOP, "", 0);
	struct notice standby = notice_of(NOTICE_LIFECYCLE, "Standby", 0);
	struct notice ended = notice_of(NOTICE_LIFECYCLE, "Terminated", 0);
	struct agent agent;

	begin(&agent, *state);
	report_acted_on(&agent.report, &standby);
	report_acted_on(&agent.report, &stop);
	report_acted_on(&agent.report, &ended);
	report_forget_lifecycle(&agent.report);
	assert_false(report_was_acted_on(&agent.report, &standby));
	assert_false(report_was_acted_on(&agent.report, &ended));
	assert_true(report_was_acted_on(&agent.report, &stop));
	assert_int_equal(agent.report.state.acted.count, 1);
	report_forget_lifecycle(&agent.report);
	assert_int_equal(agent.report.state.acted.count, 1);
	end(&agent);
}

static void state_stays_what_it_is_when_only_the_error_changes(void **state)
{
	struct watch_state read = { 0 };
	struct agent agent;
	struct error err;

	begin(&agent, *state);
	report_state(&agent.report, WATCH_RESUMED);
	report_poll_failed(&agent.report, 1, "no answer");
	assert_int_equal(watch_state_read(agent.gather.root, &read, &err), 0);
	assert_string_equal(read.state.value, WATCH_RESUMED);
	assert_string_equal(read.error.value, "no answer");
	layout_free(&watch_state_layout, &read);
	end(&agent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(what_was_acted_on_outlives_the_agent),
		WITH_TEST_ROOT(what_was_not_settled_is_begun_anew),
		WITH_TEST_ROOT(what_a_resume_has_answered_is_not_begun_anew),
		WITH_TEST_ROOT(dry_run_is_not_taken_for_the_real_thing),
		WITH_TEST_ROOT(state_file_that_is_none_is_not_believed),
		WITH_TEST_ROOT(all_events_of_one_answer_are_remembered),
		WITH_TEST_ROOT(oldest_notice_is_forgotten_first),
		WITH_TEST_ROOT(lifecycle_is_forgotten_alone),
		WITH_TEST_ROOT(state_stays_what_it_is_when_only_the_error_changes),
	};

	return cmocka_run_group_tests_name("watch_report", tests, NULL, NULL);
}
