/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the agent does about presses and notices while its children are at work. A child is a process
 * here that says what the test wants, and ends when the test wants (ld(1), --wrap).
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

#include "core/actions/lock.h"
#include "core/actions/watch_agent.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/lib/test_root.h"

#define WINDOW_MS 30000

/* An agent below PLACE. */
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
static int gates[ERRAND_KINDS][2];
static const char *lines[ERRAND_KINDS];
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
enum child_exit __wrap_child_run(
	const struct agent *agent, enum errand_kind kind, const struct order *order, int pipe);

pid_t __wrap_fork(void)
{
	if (!no_process)
		return __real_fork();
	errno = EAGAIN;
	return -1;
}

enum child_exit __wrap_child_run(const struct agent *agent UNUSED, enum errand_kind kind,
	const struct order *order, int pipe)
{
	size_t length = strlen(lines[kind]);
	char how = CHILD_FAILED;

	if (order->slept != slept_told)
		return CHILD_FAILED;
	if (write(pipe, lines[kind], length) != (ssize_t)length ||
		read(gates[kind][0], &how, 1) != 1)
		return CHILD_FAILED;
	return (enum child_exit)how;
}

static void keep_line(void *data, int priority UNUSED, const char *text,
	const struct log_field *fields UNUSED, size_t count UNUSED)
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
		.log = keep_line,
		.data = &watcher->said };
	watcher->agent = (struct agent) { .watch = &watcher->watch, .config = &watcher->config };
	report_begin(&watcher->agent);
	no_process = false;
	for (size_t i = 0; i < ERRAND_KINDS; i++) {
		lines[i] = "";
		assert_int_equal(pipe(gates[i]), 0);
	}
}

static void begin(struct watcher *watcher, struct test_root *test)
{
	begin_after(watcher, test, 0);
}

static void hear_the_end(struct watcher *watcher, enum errand_kind kind)
{
	struct pollfd polled = { .fd = watcher->agent.errands[kind].pipe, .events = POLLIN };

	while (errand_runs(&watcher->agent, kind) && poll(&polled, 1, 20000) == 1)
		errand_listen(&watcher->agent, kind);
	assert_false(errand_runs(&watcher->agent, kind));
}

/* The child of KIND ends. */
static void let_go(struct watcher *watcher, enum errand_kind kind, enum child_exit how)
{
	char byte = (char)how;

	assert_int_equal(write(gates[kind][1], &byte, 1), 1);
	hear_the_end(watcher, kind);
}

/* The child that hibernates is killed. */
static void murder(struct watcher *watcher)
{
	assert_int_equal(kill(watcher->agent.errands[ERRAND_HIBERNATE].pid, SIGKILL), 0);
	hear_the_end(watcher, ERRAND_HIBERNATE);
}

/* What waits for its time: that has come. */
static void let_time_pass(struct watcher *watcher)
{
	struct agent *agent = &watcher->agent;

	assert_in_range(errands_wait_us(agent), 1, 60000000);
	errands_begin(agent);
	assert_false(errand_runs(agent, ERRAND_HIBERNATE));
	agent->press.order.due = 0;
	for (size_t i = 0; i < agent->pending_count; i++)
		agent->pending[i].due = 0;
	assert_int_equal(errands_wait_us(agent), UINT64_MAX);
	errands_begin(agent);
}

static void end(struct watcher *watcher)
{
	for (enum errand_kind kind = 0; kind < ERRAND_KINDS; kind++) {
		if (errand_runs(&watcher->agent, kind))
			let_go(watcher, kind, CHILD_DONE);
		close(gates[kind][0]);
		close(gates[kind][1]);
	}
	free(watcher->agent.pending);
	layout_free(&watch_state_layout, &watcher->agent.state);
	config_free(&watcher->config);
	strings_free(&watcher->said);
}

/* What the child of KIND has said so far. */
static void hear(struct watcher *watcher, enum errand_kind kind)
{
	struct pollfd polled = { .fd = watcher->agent.errands[kind].pipe, .events = POLLIN };

	assert_int_equal(poll(&polled, 1, 20000), 1);
	assert_false(errand_listen(&watcher->agent, kind));
}

static void press(struct watcher *watcher, int64_t when_ms)
{
	const struct sleep_press pressed = {
		.when_ms = when_ms, .device = "Sleep Button", .node = "event0", .presses = 1
	};

	errand_press(&watcher->agent, &pressed);
}

static const char *last_said(const struct watcher *watcher)
{
	return watcher->said.items[watcher->said.count - 1];
}

static void notice(struct watcher *watcher, enum notice_kind kind)
{
	struct notice heard = { .kind = kind, .time = "2026-01-02T03:04:05Z" };
	struct agent *agent = &watcher->agent;

	report_acted_on(agent, &heard);
	errand_notice(agent, &heard);
	errands_begin(agent);
}

/* Whether another agent would hear the first notice of this one again. */
static bool is_open(const struct watcher *watcher)
{
	return fact_is_true(&watcher->agent.state.acted.items[0].under_way);
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

/* ---- Presses ------------------------------------------------------------------------------------ */

static void press_while_the_hooks_run_is_answered_after_them(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;
	int64_t resumed;
	pid_t first;

	begin(&watcher, *state);
	lines[ERRAND_HIBERNATE] = WATCH_HIBERNATING "\n" WATCH_RESUMED "\n";
	press(&watcher, 1000);
	first = agent->errands[ERRAND_HIBERNATE].pid;
	assert_int_not_equal(first, 0);
	/* An echo before the machine is away. */
	press(&watcher, 1500);
	assert_non_null(strstr(last_said(&watcher), "ignored, a hibernation is under way"));
	hear(&watcher, ERRAND_HIBERNATE);
	resumed = agent->debounce.resumed_ms;
	/* The hooks run. An echo, and somebody who means it. */
	press(&watcher, resumed + 1000);
	assert_non_null(strstr(last_said(&watcher), "ignored, the last one was just now"));
	press(&watcher, resumed + WINDOW_MS + 1);
	assert_non_null(strstr(last_said(&watcher), "after the hooks"));
	press(&watcher, resumed + WINDOW_MS + 500);
	assert_non_null(strstr(last_said(&watcher), "ignored"));
	assert_int_equal(agent->errands[ERRAND_HIBERNATE].pid, first);
	let_go(&watcher, ERRAND_HIBERNATE, CHILD_DONE);
	errands_begin(agent);
	assert_true(errand_runs(agent, ERRAND_HIBERNATE));
	assert_false(agent->press.waits);
	end(&watcher);
}

static void window_begins_at_the_resume(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;
	int64_t resumed;

	begin(&watcher, *state);
	lines[ERRAND_HIBERNATE] = WATCH_RESUMED "\n";
	press(&watcher, 1000);
	hear(&watcher, ERRAND_HIBERNATE);
	/* The hooks take a minute. */
	agent->debounce.resumed_ms -= 60000;
	resumed = agent->debounce.resumed_ms;
	let_go(&watcher, ERRAND_HIBERNATE, CHILD_DONE);
	assert_int_equal(agent->debounce.resumed_ms, resumed);
	press(&watcher, resumed + 61000);
	assert_true(errand_runs(agent, ERRAND_HIBERNATE));
	end(&watcher);
}

static void press_without_a_process_is_kept(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	no_process = true;
	press(&watcher, 1000);
	errands_begin(agent);
	assert_false(errand_runs(agent, ERRAND_HIBERNATE));
	/* The press and the trouble, once. */
	assert_int_equal(watcher.said.count, 2);
	assert_non_null(strstr(last_said(&watcher), "cannot start a process"));
	no_process = false;
	errands_begin(agent);
	assert_true(errand_runs(agent, ERRAND_HIBERNATE));
	assert_false(agent->no_process);
	end(&watcher);
}

static void start_without_a_process_is_made_up_for(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	no_process = true;
	errand_begin_start(agent);
	errands_begin(agent);
	assert_false(errand_runs(agent, ERRAND_START));
	no_process = false;
	errands_begin(agent);
	assert_true(errand_runs(agent, ERRAND_START));
	let_go(&watcher, ERRAND_START, CHILD_DONE);
	/* Once. */
	errands_begin(agent);
	assert_false(errand_runs(agent, ERRAND_START));
	end(&watcher);
}

static void resume_answers_a_press_that_waits(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	no_process = true;
	press(&watcher, 1000);
	no_process = false;
	lines[ERRAND_HIBERNATE] = WATCH_RESUMED "\n";
	agent->press.waits = false; /* for the notice's own hibernation */
	notice(&watcher, NOTICE_HIBERNATE);
	agent->press.waits = true;
	hear(&watcher, ERRAND_HIBERNATE);
	assert_false(agent->press.waits);
	let_go(&watcher, ERRAND_HIBERNATE, CHILD_DONE);
	errands_begin(agent);
	assert_false(errand_runs(agent, ERRAND_HIBERNATE));
	end(&watcher);
}

/* By a command, or by the system's own. */
static void press_after_anybodys_resume_is_an_echo(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	errand_resume(agent);
	assert_false(agent->debounce.resumed);
	slept_ms = slept_told = 60000;
	errand_resume(agent);
	press(&watcher, agent->debounce.resumed_ms - 1000);
	press(&watcher, agent->debounce.resumed_ms + 1000);
	assert_non_null(strstr(last_said(&watcher), "ignored"));
	assert_false(errand_runs(agent, ERRAND_HIBERNATE));
	press(&watcher, agent->debounce.resumed_ms + WINDOW_MS + 1);
	assert_true(errand_runs(agent, ERRAND_HIBERNATE));
	end(&watcher);
}

/* The one that was started anew below the same place. */
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
	lines[ERRAND_HIBERNATE] = WATCH_RESUMED "\n";
	press(&watcher, 1000);
	let_go(&watcher, ERRAND_HIBERNATE, CHILD_DONE);
	resumed = watcher.agent.debounce.resumed_ms;
	begin_next(&watcher, *state, 0);
	press(&watcher, resumed + 1000);
	assert_non_null(strstr(last_said(&watcher), "ignored"));
	press(&watcher, resumed + WINDOW_MS + 1);
	assert_true(errand_runs(&watcher.agent, ERRAND_HIBERNATE));
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
	fact_set_absent(fact_of(&watcher.agent.state.pid));
	watcher.agent.debounce.resumed = false;
	fact_set_absent(fact_of(&watcher.agent.state.resumed));
	report_write(&watcher.agent);
	begin_next(&watcher, *state, 120000);
	assert_false(watcher.agent.debounce.resumed);
	end(&watcher);
}

/* Where /run is on a disk, the state file is there after a reboot, and its times are of another clock. */
static void resume_of_another_boot_makes_no_echoes(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;
	struct watch_state kept = { 0 };
	struct error err = { "" };
	int64_t now;

	begin(&watcher, *state);
	assert_int_equal(watch_state_read(watcher.gather.root, &kept, &err), 0);
	assert_int_equal(kept.resumed.is, FACT_ABSENT);
	layout_free(&watch_state_layout, &kept);
	now = (int64_t)agent_boottime_ms();
	agent->debounce.resumed = true;
	agent->debounce.resumed_ms = now + 3600000;
	report_write(agent);
	begin_next(&watcher, *state, 0);
	press(&watcher, now + 1);
	assert_true(errand_runs(agent, ERRAND_HIBERNATE));
	end(&watcher);
}

static void press_whose_child_is_killed_is_answered_by_another(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	press(&watcher, 1000);
	murder(&watcher);
	assert_true(agent->press.waits);
	let_time_pass(&watcher);
	assert_true(errand_runs(agent, ERRAND_HIBERNATE));
	end(&watcher);
}

/* ---- Notices -------------------------------------------------------------------------------------- */

static void hooks_run_beside_setup_and_hibernation(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	errand_begin_start(agent);
	notice(&watcher, NOTICE_REBALANCE);
	assert_true(errand_runs(agent, ERRAND_START));
	assert_true(errand_runs(agent, ERRAND_HOOKS));
	notice(&watcher, NOTICE_HIBERNATE);
	assert_true(errand_runs(agent, ERRAND_HIBERNATE));
	assert_int_equal(agent->pending_count, 0);
	end(&watcher);
}

static void notice_is_settled_as_it_ends(void **state)
{
	static const struct {
		enum notice_kind kind;
		const char *says;
		bool agent_ends;
		enum child_exit how;
		bool open;
	} rows[] = {
		{ NOTICE_HIBERNATE, "", false, CHILD_DONE, false },
		{ NOTICE_HIBERNATE, "", false, CHILD_FAILED, false },
		{ NOTICE_HIBERNATE, "", true, CHILD_FAILED, false },
		{ NOTICE_HIBERNATE, WATCH_PREPARING "\n", true, CHILD_STOPPED, true },
		/* Between two attempts. */
		{ NOTICE_HIBERNATE, WATCH_HIBERNATING "\n", true, CHILD_STOPPED, true },
		{ NOTICE_STOP, "", false, CHILD_DONE, false },
		{ NOTICE_STOP, "", true, CHILD_DONE, false },
		{ NOTICE_STOP, "", true, CHILD_STOPPED, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum errand_kind kind =
			rows[i].kind == NOTICE_HIBERNATE ? ERRAND_HIBERNATE : ERRAND_HOOKS;
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
	errands_begin(&watcher.agent);
	let_go(&watcher, ERRAND_HIBERNATE, CHILD_DONE);
	assert_int_equal(watcher.agent.outcome, 0);
	end(&watcher);
}

/* What a SIGKILL of the agent would leave. */
static void notice_is_open_until_the_write(void **state)
{
	struct watcher watcher;

	begin(&watcher, *state);
	lines[ERRAND_HIBERNATE] = WATCH_PREPARING "\n";
	notice(&watcher, NOTICE_HIBERNATE);
	hear(&watcher, ERRAND_HIBERNATE);
	assert_true(is_open(&watcher));
	let_go(&watcher, ERRAND_HIBERNATE, CHILD_DONE);
	end(&watcher);
	test_root_remove(state);
	test_root_make(state);
	begin(&watcher, *state);
	lines[ERRAND_HIBERNATE] = WATCH_HIBERNATING "\n";
	notice(&watcher, NOTICE_HIBERNATE);
	hear(&watcher, ERRAND_HIBERNATE);
	assert_false(is_open(&watcher));
	end(&watcher);
}

static void notice_whose_child_is_killed_gets_another(void **state)
{
	struct watcher watcher;
	struct agent *agent = &watcher.agent;

	begin(&watcher, *state);
	lines[ERRAND_HIBERNATE] = WATCH_HIBERNATING "\n";
	notice(&watcher, NOTICE_HIBERNATE);
	for (int i = 0; i < 2; i++) {
		hear(&watcher, ERRAND_HIBERNATE);
		assert_false(is_open(&watcher));
		murder(&watcher);
		assert_true(is_open(&watcher));
		assert_true(is_open_on_disk(&watcher));
		let_time_pass(&watcher);
		assert_true(errand_runs(agent, ERRAND_HIBERNATE));
		assert_false(errand_runs(agent, ERRAND_START)); /* it does that, too */
	}
	murder(&watcher);
	assert_non_null(strstr(last_said(&watcher), "3 times by a signal: given up"));
	errands_begin(agent);
	assert_false(errand_runs(agent, ERRAND_HIBERNATE));
	assert_true(errand_runs(agent, ERRAND_START));
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
		lines[ERRAND_HIBERNATE] = rows[i].says;
		notice(&watcher, NOTICE_HIBERNATE);
		hear(&watcher, ERRAND_HIBERNATE);
		slept_ms = rows[i].slept;
		murder(&watcher);
		assert_false(is_open(&watcher));
		errands_begin(&watcher.agent);
		assert_false(errand_runs(&watcher.agent, ERRAND_HIBERNATE));
		/* Somebody has to put back what it had changed. */
		assert_true(errand_runs(&watcher.agent, ERRAND_START));
		assert_false(watcher.agent.start_waits);
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

	return cmocka_run_group_tests_name("watch errands", tests, NULL, NULL);
}
