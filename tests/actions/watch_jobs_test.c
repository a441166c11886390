/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the agent does about presses and notices while its jobs run: its functions without its loop.
 * A job is a process here that says what the test wants, and ends when the test wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/actions/watch.c"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/lib/test_root.h"

#define WINDOW_MS 30000

struct watcher {
	struct config config;
	struct imds_options imds;
	struct gather gather;
	struct notify notify;
	struct watch watch;
	struct agent agent;
	struct strings said;
};

/* A child ends when a byte comes through its gate: how. */
static int gates[JOB_KINDS][2];
static const char *lines[JOB_KINDS];
static bool no_process;
static int64_t slept_ms;
static int64_t slept_told; /* what a child has to be told */

int64_t __wrap_clock_slept_ms(void);
int64_t __wrap_clock_slept_ms(void)
{
	return slept_ms;
}

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t __wrap_fork(void)
{
	if (!no_process)
		return __real_fork();
	errno = EAGAIN;
	return -1;
}

static enum job_exit work(
	const struct jobs *jobs UNUSED, enum job_kind kind, const struct request *request, int pipe)
{
	size_t length = strlen(lines[kind]);
	char how = JOB_FAILED;

	if (request->slept != slept_told)
		return JOB_FAILED;
	if (write(pipe, lines[kind], length) != (ssize_t)length ||
		read(gates[kind][0], &how, 1) != 1)
		return JOB_FAILED;
	return (enum job_exit)how;
}

static void keep_line(void *data, int priority UNUSED, const char *event UNUSED, const char *text)
{
	strings_add(data, text);
}

/* The machine has slept for SLEPT before. */
static void begin_after(struct watcher *watcher, struct test_root *test, int64_t slept)
{
	struct error err;

	slept_ms = slept_told = slept;
	*watcher = (struct watcher) { .notify = { -1 } };
	assert_int_equal(root_make_directory(&test->root, RUN_FOLDER, &err), 0);
	config_init(&watcher->config);
	watcher->gather = (struct gather) {
		.root = &test->root, .config = &watcher->config, .imds = &watcher->imds
	};
	watcher->watch = (struct watch) { .gather = &watcher->gather,
		.notify = &watcher->notify,
		.log = { keep_line, &watcher->said } };
	agent_init(&watcher->agent, &watcher->watch);
	watcher->agent.jobs.work = work;
	report_begin(&watcher->agent.report);
	no_process = false;
	for (size_t i = 0; i < JOB_KINDS; i++) {
		lines[i] = "";
		assert_int_equal(pipe(gates[i]), 0);
	}
}

static void begin(struct watcher *watcher, struct test_root *test)
{
	begin_after(watcher, test, 0);
}

static bool runs(const struct watcher *watcher, enum job_kind kind)
{
	return job_runs(&watcher->agent.jobs, kind);
}

static bool press_waits(const struct agent *agent)
{
	for (size_t i = 0; i < agent->requests.count; i++)
		if (agent->requests.items[i].kind == REQUEST_PRESS)
			return true;
	return false;
}

static void hear_the_end(struct watcher *watcher, enum job_kind kind)
{
	struct pollfd polled = { .fd = watcher->agent.jobs.items[kind].pipe, .events = POLLIN };

	while (runs(watcher, kind) && poll(&polled, 1, 20000) == 1)
		listen_to_job(&watcher->agent, kind);
	assert_false(runs(watcher, kind));
}

/* The child of KIND ends. */
static void let_go(struct watcher *watcher, enum job_kind kind, enum job_exit how)
{
	char byte = (char)how;

	assert_int_equal(write(gates[kind][1], &byte, 1), 1);
	hear_the_end(watcher, kind);
}

/* The child that hibernates is killed. */
static void murder(struct watcher *watcher)
{
	assert_int_equal(kill(watcher->agent.jobs.items[JOB_HIBERNATE].pid, SIGKILL), 0);
	hear_the_end(watcher, JOB_HIBERNATE);
}

/* What waits for its time: that has come. */
static void let_time_pass(struct watcher *watcher)
{
	struct agent *agent = &watcher->agent;

	assert_in_range(requests_wait_us(&agent->requests, now_us()), 1, 60000000);
	begin_due(agent);
	assert_false(runs(watcher, JOB_HIBERNATE));
	for (size_t i = 0; i < agent->requests.count; i++)
		agent->requests.items[i].due = 0;
	assert_int_equal(requests_wait_us(&agent->requests, now_us()), UINT64_MAX);
	begin_due(agent);
}

static void end(struct watcher *watcher)
{
	for (enum job_kind kind = 0; kind < JOB_KINDS; kind++) {
		if (runs(watcher, kind))
			let_go(watcher, kind, JOB_DONE);
		close(gates[kind][0]);
		close(gates[kind][1]);
	}
	agent_free(&watcher->agent);
	config_free(&watcher->config);
	strings_free(&watcher->said);
}

/* What the child of KIND has said so far. */
static void hear(struct watcher *watcher, enum job_kind kind)
{
	struct pollfd polled = { .fd = watcher->agent.jobs.items[kind].pipe, .events = POLLIN };

	assert_int_equal(poll(&polled, 1, 20000), 1);
	listen_to_job(&watcher->agent, kind);
	assert_true(runs(watcher, kind));
}

static void press(struct watcher *watcher, int64_t when_ms)
{
	const struct sleep_press pressed = {
		.when_ms = when_ms, .device = "Sleep Button", .node = "event0", .presses = 1
	};

	hear_press(&watcher->agent, &pressed);
}

static const char *last_said(const struct watcher *watcher)
{
	return watcher->said.items[watcher->said.count - 1];
}

static void notice(struct watcher *watcher, enum notice_kind kind)
{
	struct notice heard = { .kind = kind, .time = "2026-01-02T03:04:05Z" };
	struct agent *agent = &watcher->agent;

	hear_notice(agent, &heard);
	begin_due(agent);
}

/* Whether another agent would hear the first notice of this one again. */
static bool is_open(const struct watcher *watcher)
{
	return fact_is_true(&watcher->agent.report.state.acted.items[0].under_way);
}

/* The same, as the state file says: what another agent finds should this one be killed now. */
static bool is_open_on_disk(const struct watcher *watcher)
{
	struct watch_state state = { 0 };
	struct error err = { "" };
	bool open;

	assert_int_equal(watch_state_read(watcher->gather.root, &state, &err), 0);
	open = state.acted.count == 1 && fact_is_true(&state.acted.items[0].under_way);
	layout_free(&watch_state_layout, &state);
	return open;
}

/* ---- Presses --------------------------------------------------------------------------------- */

static void press_while_the_hooks_run_is_answered_after_them(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;
	int64_t resumed;
	pid_t first;

	begin(&watcher, *state);
	lines[JOB_HIBERNATE] = WATCH_HIBERNATING "\n" WATCH_RESUMED "\n";
	press(&watcher, 1000);
	first = agent->jobs.items[JOB_HIBERNATE].pid;
	assert_int_not_equal(first, 0);
	/* An echo before the machine is away. */
	press(&watcher, 1500);
	assert_non_null(strstr(last_said(&watcher), "ignored, a hibernation is under way"));
	hear(&watcher, JOB_HIBERNATE);
	resumed = agent->debounce.resumed_ms;
	/* The hooks run. An echo, and somebody who means it. */
	press(&watcher, resumed + 1000);
	assert_non_null(strstr(last_said(&watcher), "ignored, the last one was just now"));
	press(&watcher, resumed + WINDOW_MS + 1);
	assert_non_null(strstr(last_said(&watcher), "after the hooks"));
	press(&watcher, resumed + WINDOW_MS + 500);
	assert_non_null(strstr(last_said(&watcher), "ignored"));
	assert_int_equal(agent->jobs.items[JOB_HIBERNATE].pid, first);
	let_go(&watcher, JOB_HIBERNATE, JOB_DONE);
	begin_due(agent);
	assert_true(runs(&watcher, JOB_HIBERNATE));
	assert_false(press_waits(agent));
	end(&watcher);
}

static void window_begins_at_the_resume(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;
	int64_t resumed;

	begin(&watcher, *state);
	lines[JOB_HIBERNATE] = WATCH_RESUMED "\n";
	press(&watcher, 1000);
	hear(&watcher, JOB_HIBERNATE);
	/* The hooks take a minute. */
	agent->debounce.resumed_ms -= 60000;
	resumed = agent->debounce.resumed_ms;
	let_go(&watcher, JOB_HIBERNATE, JOB_DONE);
	assert_int_equal(agent->debounce.resumed_ms, resumed);
	press(&watcher, resumed + 61000);
	assert_true(runs(&watcher, JOB_HIBERNATE));
	end(&watcher);
}

static void press_without_a_process_is_kept(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	no_process = true;
	press(&watcher, 1000);
	begin_due(agent);
	assert_false(runs(&watcher, JOB_HIBERNATE));
	/* The press and the trouble, once. */
	assert_int_equal(watcher.said.count, 2);
	assert_non_null(strstr(last_said(&watcher), "cannot start a process"));
	no_process = false;
	begin_due(agent);
	assert_true(runs(&watcher, JOB_HIBERNATE));
	assert_false(agent->jobs.no_process);
	end(&watcher);
}

static void start_without_a_process_is_made_up_for(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	no_process = true;
	request_start(agent);
	begin_due(agent);
	assert_false(runs(&watcher, JOB_START));
	no_process = false;
	begin_due(agent);
	assert_true(runs(&watcher, JOB_START));
	let_go(&watcher, JOB_START, JOB_DONE);
	/* Once. */
	begin_due(agent);
	assert_false(runs(&watcher, JOB_START));
	end(&watcher);
}

static void resume_answers_a_press_that_waits(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;
	struct request waiting;

	begin(&watcher, *state);
	no_process = true;
	press(&watcher, 1000);
	no_process = false;
	lines[JOB_HIBERNATE] = WATCH_RESUMED "\n";
	waiting = agent->requests.items[0];
	requests_remove(&agent->requests, 0); /* for the notice's own hibernation */
	notice(&watcher, NOTICE_HIBERNATE);
	requests_add(&agent->requests, &waiting);
	hear(&watcher, JOB_HIBERNATE);
	assert_false(press_waits(agent));
	let_go(&watcher, JOB_HIBERNATE, JOB_DONE);
	begin_due(agent);
	assert_false(runs(&watcher, JOB_HIBERNATE));
	end(&watcher);
}

static void look(struct agent *agent)
{
	debounce_look(&agent->debounce, clock_slept_ms(), boottime_ms());
}

/* By a command, or by the system's own. */
static void press_after_anybodys_resume_is_an_echo(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	look(agent);
	assert_false(agent->debounce.resumed);
	slept_ms = slept_told = 60000;
	look(agent);
	press(&watcher, agent->debounce.resumed_ms - 1000);
	press(&watcher, agent->debounce.resumed_ms + 1000);
	assert_non_null(strstr(last_said(&watcher), "ignored"));
	assert_false(runs(&watcher, JOB_HIBERNATE));
	press(&watcher, agent->debounce.resumed_ms + WINDOW_MS + 1);
	assert_true(runs(&watcher, JOB_HIBERNATE));
	end(&watcher);
}

/* The one that was started anew on the same root. */
static void begin_next(struct watcher *watcher, struct test_root *test, int64_t slept)
{
	end(watcher);
	begin_after(watcher, test, slept);
}

static void next_agent_knows_what_is_an_echo(void **state)
{
	struct watcher watcher;
	int64_t resumed;

	begin(&watcher, *state);
	lines[JOB_HIBERNATE] = WATCH_RESUMED "\n";
	press(&watcher, 1000);
	let_go(&watcher, JOB_HIBERNATE, JOB_DONE);
	resumed = watcher.agent.debounce.resumed_ms;
	begin_next(&watcher, *state, 0);
	press(&watcher, resumed + 1000);
	assert_non_null(strstr(last_said(&watcher), "ignored"));
	press(&watcher, resumed + WINDOW_MS + 1);
	assert_true(runs(&watcher, JOB_HIBERNATE));
	end(&watcher);
}

/* It was killed while its child hibernated the machine. */
static void next_agent_knows_of_a_resume_that_nobody_told(void **state)
{
	struct watcher watcher;

	begin(&watcher, *state);
	begin_next(&watcher, *state, 60000);
	assert_true(watcher.agent.debounce.resumed);
	press(&watcher, watcher.agent.debounce.resumed_ms + 1000);
	assert_non_null(strstr(last_said(&watcher), "ignored"));
	/* One that had ended by itself had no child. */
	fact_set_absent(fact_of(&watcher.agent.report.state.pid));
	watcher.agent.debounce.resumed = false;
	fact_set_absent(fact_of(&watcher.agent.report.state.resumed));
	report_write(&watcher.agent.report);
	begin_next(&watcher, *state, 120000);
	assert_false(watcher.agent.debounce.resumed);
	end(&watcher);
}

/*
 * Where /run is on a disk, the state file is there after a reboot, and its times are of another
 * clock.
 */
static void resume_of_another_boot_makes_no_echoes(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;
	struct watch_state saved = { 0 };
	struct error err = { "" };
	int64_t now;

	begin(&watcher, *state);
	assert_int_equal(watch_state_read(watcher.gather.root, &saved, &err), 0);
	assert_int_equal(saved.resumed.is, FACT_ABSENT);
	layout_free(&watch_state_layout, &saved);
	now = boottime_ms();
	agent->debounce.resumed = true;
	agent->debounce.resumed_ms = now + 3600000;
	report_write(&agent->report);
	begin_next(&watcher, *state, 0);
	press(&watcher, now + 1);
	assert_true(runs(&watcher, JOB_HIBERNATE));
	end(&watcher);
}

static void press_whose_child_is_killed_is_answered_by_another(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	press(&watcher, 1000);
	murder(&watcher);
	assert_true(press_waits(agent));
	let_time_pass(&watcher);
	assert_true(runs(&watcher, JOB_HIBERNATE));
	end(&watcher);
}

/* ---- Notices --------------------------------------------------------------------------------- */

static void hooks_run_beside_setup_and_hibernation(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	request_start(agent);
	notice(&watcher, NOTICE_REBALANCE);
	assert_true(runs(&watcher, JOB_START));
	assert_true(runs(&watcher, JOB_HOOKS));
	notice(&watcher, NOTICE_HIBERNATE);
	assert_true(runs(&watcher, JOB_HIBERNATE));
	assert_int_equal(agent->requests.count, 0);
	end(&watcher);
}

static void notice_is_settled_as_it_ends(void **state)
{
	static const struct {
		enum notice_kind kind;
		const char *says;
		bool agent_ends;
		enum job_exit how;
		bool open;
	} rows[] = {
		{ NOTICE_HIBERNATE, "", false, JOB_DONE, false },
		{ NOTICE_HIBERNATE, "", false, JOB_FAILED, false },
		{ NOTICE_HIBERNATE, "", true, JOB_FAILED, false },
		{ NOTICE_HIBERNATE, WATCH_PREPARING "\n", true, JOB_STOPPED, true },
		/* Between two attempts. */
		{ NOTICE_HIBERNATE, WATCH_HIBERNATING "\n", true, JOB_STOPPED, true },
		{ NOTICE_STOP, "", false, JOB_DONE, false },
		{ NOTICE_STOP, "", true, JOB_DONE, false },
		{ NOTICE_STOP, "", true, JOB_STOPPED, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum job_kind kind = rows[i].kind == NOTICE_HIBERNATE ? JOB_HIBERNATE : JOB_HOOKS;
		struct watcher watcher;

		begin(&watcher, *state);
		lines[kind] = rows[i].says;
		notice(&watcher, rows[i].kind);
		watcher.agent.stop = rows[i].agent_ends;
		let_go(&watcher, kind, rows[i].how);
		assert_int_equal(is_open(&watcher), rows[i].open);
		end(&watcher);
		test_root_remove(state);
		test_root_make(state);
	}
}

/* hibernate() refuses for the second time what was asked for before the machine slept. */
static void notice_that_waits_was_asked_for_when_it_was_heard(void **state)
{
	struct watcher watcher;

	begin(&watcher, *state);
	no_process = true;
	slept_ms = slept_told = 60000;
	notice(&watcher, NOTICE_HIBERNATE);
	/* Somebody has the machine hibernate. */
	slept_ms += 3600000;
	no_process = false;
	begin_due(&watcher.agent);
	let_go(&watcher, JOB_HIBERNATE, JOB_DONE);
	assert_int_equal(watcher.agent.outcome, 0);
	end(&watcher);
}

/* What a SIGKILL of the agent would leave. */
static void notice_is_open_until_the_write(void **state)
{
	struct watcher watcher;

	begin(&watcher, *state);
	lines[JOB_HIBERNATE] = WATCH_PREPARING "\n";
	notice(&watcher, NOTICE_HIBERNATE);
	hear(&watcher, JOB_HIBERNATE);
	assert_true(is_open(&watcher));
	let_go(&watcher, JOB_HIBERNATE, JOB_DONE);
	end(&watcher);
	test_root_remove(state);
	test_root_make(state);
	begin(&watcher, *state);
	lines[JOB_HIBERNATE] = WATCH_HIBERNATING "\n";
	notice(&watcher, NOTICE_HIBERNATE);
	hear(&watcher, JOB_HIBERNATE);
	assert_false(is_open(&watcher));
	end(&watcher);
}

static void notice_whose_child_is_killed_gets_another(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	lines[JOB_HIBERNATE] = WATCH_HIBERNATING "\n";
	notice(&watcher, NOTICE_HIBERNATE);
	for (int i = 0; i < 2; i++) {
		hear(&watcher, JOB_HIBERNATE);
		assert_false(is_open(&watcher));
		murder(&watcher);
		assert_true(is_open(&watcher));
		assert_true(is_open_on_disk(&watcher));
		let_time_pass(&watcher);
		assert_true(runs(&watcher, JOB_HIBERNATE));
		assert_false(runs(&watcher, JOB_START)); /* it does that, too */
	}
	murder(&watcher);
	assert_non_null(strstr(last_said(&watcher), "3 times by a signal: given up"));
	begin_due(agent);
	assert_false(runs(&watcher, JOB_HIBERNATE));
	assert_true(runs(&watcher, JOB_START));
	assert_true(is_open(&watcher)); /* for another agent */
	assert_true(is_open_on_disk(&watcher));
	end(&watcher);
}

/* What is left to a child then is no hibernation. */
static void killed_child_is_no_loss_when_there_is_an_answer(void **state)
{
	static const struct {
		const char *says;
		int64_t slept;
	} rows[] = { { WATCH_RESUMED "\n", 0 }, { WATCH_FAILED "\n", 0 },
		{ WATCH_HIBERNATING "\n", 3600000 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct watcher watcher;

		begin(&watcher, *state);
		lines[JOB_HIBERNATE] = rows[i].says;
		notice(&watcher, NOTICE_HIBERNATE);
		hear(&watcher, JOB_HIBERNATE);
		slept_ms = rows[i].slept;
		murder(&watcher);
		assert_false(is_open(&watcher));
		begin_due(&watcher.agent);
		assert_false(runs(&watcher, JOB_HIBERNATE));
		/* Somebody has to put back what it had changed. */
		assert_true(runs(&watcher, JOB_START));
		assert_int_equal(watcher.agent.requests.count, 0);
		end(&watcher);
		test_root_remove(state);
		test_root_make(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(press_while_the_hooks_run_is_answered_after_them),
		WITH_TEST_ROOT(window_begins_at_the_resume),
		WITH_TEST_ROOT(press_without_a_process_is_kept),
		WITH_TEST_ROOT(start_without_a_process_is_made_up_for),
		WITH_TEST_ROOT(resume_answers_a_press_that_waits),
		WITH_TEST_ROOT(press_after_anybodys_resume_is_an_echo),
		WITH_TEST_ROOT(next_agent_knows_what_is_an_echo),
		WITH_TEST_ROOT(next_agent_knows_of_a_resume_that_nobody_told),
		WITH_TEST_ROOT(resume_of_another_boot_makes_no_echoes),
		WITH_TEST_ROOT(press_whose_child_is_killed_is_answered_by_another),
		WITH_TEST_ROOT(hooks_run_beside_setup_and_hibernation),
		WITH_TEST_ROOT(notice_is_settled_as_it_ends),
		WITH_TEST_ROOT(notice_that_waits_was_asked_for_when_it_was_heard),
		WITH_TEST_ROOT(notice_is_open_until_the_write),
		WITH_TEST_ROOT(notice_whose_child_is_killed_gets_another),
		WITH_TEST_ROOT(killed_child_is_no_loss_when_there_is_an_answer),
	};

	return cmocka_run_group_tests_name("watch jobs", tests, NULL, NULL);
}
