/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/watch_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/actions/hibernate.h"
#include "core/actions/hooks.h"
#include "core/actions/lock.h"
#include "core/actions/prewarm.h"
#include "core/actions/setup.h"
#include "core/actions/undo.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/reporter.h"
#include "core/facts/watch_state.h"

/* A line has one cycle; its timeline is some 3 KiB. */
#define SAID_MOST ((size_t)64 * 1024)

/* A setup that makes a new initramfs may take minutes, and without its end there is no way back. */
#define PATIENCE_MS (10 * 60 * 1000)

/* ---- The agent's side ------------------------------------------------------------------------ */

bool job_runs(const struct jobs *jobs, enum job_kind kind)
{
	return jobs->items[kind].pid != 0;
}

bool job_begin(struct jobs *jobs, enum job_kind kind, const struct request *request)
{
	int ends[2];
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
		pid = fork();
		if (pid == 0) {
			/* A full pipe is waited for: the cycle may be long. */
			fcntl(ends[1], F_SETFL, 0);
			close(ends[0]);
			_exit(jobs->work(jobs, kind, request, ends[1]));
		}
		close(ends[1]);
		if (pid < 0)
			close(ends[0]);
	}
	if (pid < 0 && !jobs->no_process)
		log_event(jobs->log, LOG_ERR, "job", "cannot start a process, trying again: %s",
			strerror(errno));
	jobs->no_process = pid < 0;
	if (pid < 0)
		return false;
	jobs->items[kind] = (struct job) { .pid = pid, .pipe = ends[0], .request = *request };
	return true;
}

void job_stop(const struct jobs *jobs, enum job_kind kind)
{
	if (job_runs(jobs, kind))
		kill(jobs->items[kind].pid, SIGTERM);
}

bool job_listen(struct jobs *jobs, enum job_kind kind, stream_line *line, void *data)
{
	struct job *job = &jobs->items[kind];

	return !lines_read(&job->said, job->pipe, SAID_MOST, line, data);
}

int job_end(struct jobs *jobs, enum job_kind kind)
{
	struct job *job = &jobs->items[kind];
	int status = 0;

	close(job->pipe);
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		;
	lines_free(&job->said);
	*job = (struct job) { 0 };
	return status;
}

/* ---- The child's side ------------------------------------------------------------------------ */

/*
 * A child is a fork of the agent and has a copy of all its descriptors, which it does not use. They
 * close when it starts a program; only the lock of the one agent it lets go of itself.
 */
struct child {
	const struct jobs *jobs;
	struct gather gather; /* with the metadata service only where setup asks it */
	int pipe;
	bool sets_up;		  /* setup-on-start, and nothing is known that makes it useless */
	struct reporter reporter; /* of hooks and of the hibernation */
};

static volatile sig_atomic_t child_stop;

static void on_stop(int number)
{
	child_stop = number;
}

static bool child_cancelled(void *data UNUSED)
{
	return child_stop != 0;
}

static void child_log(void *data, int priority, const char *text)
{
	const struct child *child = data;

	log_event(child->jobs->log, priority, "hibernation", "%s", text);
}

static void child_say(const struct child *child, const char *line)
{
	/* When nobody listens any more, the agent was killed. */
	(void)file_write_all(child->pipe, line, strlen(line));
}

static void child_phase(void *data, enum hibernation_phase phase)
{
	static const char *const lines[] = { [PHASE_PREPARING] = WATCH_PREPARING "\n",
		[PHASE_HIBERNATING] = WATCH_HIBERNATING "\n",
		[PHASE_RESUMED] = WATCH_RESUMED "\n",
		[PHASE_FAILED] = WATCH_FAILED "\n" };

	child_say(data, lines[phase]);
}

static int run_hooks(const struct child *child, const struct notice *notice)
{
	const struct hooks hooks = { .root = child->gather.root,
		.timeout_ms = (unsigned)child->gather.config->hook_timeout,
		.reporter = &child->reporter };
	const struct hook_fact facts[] = {
		{ "REASON", REASON_NOTICE },
		{ "ACTION", notice_kinds[notice->kind] },
		{ "TIME", *notice->time ? notice->time : NULL },
		{ "DETAIL", *notice->detail ? notice->detail : NULL },
	};
	struct hooks_result result;

	hooks_run(&hooks, HOOK_NOTICE, facts, ARRAY_SIZE(facts), &result);
	return result.cancelled ? -ECANCELED : 0;
}

static int run_hibernation(struct child *child, const struct request *request)
{
	const struct notice *notice = request->kind == REQUEST_NOTICE ? &request->notice : NULL;
	struct hibernation hibernation = { .gather = &child->gather,
		.reason = notice ? REASON_NOTICE : REASON_BUTTON,
		.notice_action = notice ? notice_kinds[notice->kind] : NULL,
		.notice_time = notice && *notice->time ? notice->time : NULL,
		.requested_at = request->requested_at,
		.slept = request->slept,
		.cancel_ends_all = true,
		.patience_ms = PATIENCE_MS,
		.reporter = &child->reporter,
		.phase = child_phase,
		.data = child };
	bool dry_run = child->jobs->dry_run;
	struct cycle cycle = { 0 };
	struct error err = { "" };
	memory_cleanup_free char *line = NULL;
	json_t *json;
	int status;

	/* The disk is needed for other things now; hibernate() says it when this fails. */
	if (!dry_run)
		hibernation.prewarm_stopped = prewarm_stop(child->gather.root, 0, &err) != 0;
	if (notice)
		run_hooks(child, notice);
	status = dry_run ? hibernate_pretend(&hibernation, &cycle, &err)
			 : hibernate(&hibernation, &cycle, &err);
	if (status < 0)
		reporter_log(&child->reporter, LOG_ERR, "%s", err.text);
	else if (cycle.away.is == FACT_KNOWN)
		log_event(child->jobs->log, LOG_NOTICE, "resumed", "resumed after %llu s",
			(unsigned long long)cycle.away.value / 1000);
	json = layout_to_json(&cycle_layout, &cycle);
	line = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	text_append(&line, "\n");
	child_say(child, line);
	layout_free(&cycle_layout, &cycle);
	return status;
}

/*
 * Without a setup only an old image is made plain swap again, for a later boot would bring the past
 * back. When a notice comes, setup goes on only with what hibernation cannot do without.
 */
static bool step_is_due(void *data, const struct step *step)
{
	const struct child *child = data;

	if (!child->sets_up)
		return step->kind == STEP_CLEAN_IMAGE;
	return !child_stop || step_is_vital(step);
}

static void say_step(void *data, const struct plan *plan, size_t index)
{
	const struct child *child = data;

	log_event(child->jobs->log, LOG_NOTICE, "setup", "%s", plan->steps[index].text);
}

static void note(void *data, int priority UNUSED, const char *text)
{
	child_log(data, LOG_INFO, text);
}

/* Where setup-on-start is of no use, the log says why, and it is left until the next start. */
static void tell_gate(struct child *child, const struct report *gate)
{
	for (size_t i = 0; i < gate->count; i++)
		log_event(child->jobs->log, LOG_WARNING, "setup",
			"setup-on-start changes nothing: %s", gate->findings[i].text);
	child->sets_up = false;
}

/* What is left to do now. FACTS and PLAN must be zeroed, and freed in any case. */
static int plan_start(
	struct child *child, struct facts *facts, struct plan *plan, struct error *err)
{
	const struct setup_request request = { 0 };
	const struct config *config = child->gather.config;

	facts_gather(facts, &child->gather);
	if (child->sets_up) {
		int status = root_check_seen(child->gather.root, err);

		if (status == 0)
			status = setup_plan(plan, facts, config, &request, err);
		if (status != -ENOTSUP || plan->gate.count == 0)
			return status;
		tell_gate(child, &plan->gate);
		plan_free(plan);
	}
	return preparation_plan(plan, facts, config, err);
}

/* What cannot be planned is work as well: the error has to be logged. */
static bool start_has_work(struct child *child)
{
	struct facts facts = { 0 };
	struct plan plan = { 0 };
	struct error err = { "" };
	bool work = plan_start(child, &facts, &plan, &err) < 0 || undo_is_left(child->gather.root);

	for (size_t i = 0; i < plan.count && !work; i++)
		work = step_is_due(child, &plan.steps[i]);
	plan_free(&plan);
	facts_free(&facts);
	return work;
}

static int apply_start(struct child *child, struct error *err)
{
	/* Neither is cancelled: what is undone is undone as a whole, and a step is due or not. */
	const struct reporter log = { .log = child_log, .data = child };
	const struct reporter reporter = { .log = note, .data = child };
	struct facts facts = { 0 };
	struct plan plan = { 0 };
	struct setup setup = { .gather = &child->gather,
		.facts = &facts,
		.reporter = &reporter,
		.due = step_is_due,
		.begin = say_step,
		.data = child };
	int status;

	undo_recover(child->gather.root, &log);
	status = plan_start(child, &facts, &plan, err);
	if (status == 0)
		status = plan_apply(&setup, &plan, err);
	plan_free(&plan);
	facts_free(&facts);
	return status;
}

/*
 * The lock only where there is something to do: most agents are started by a setup, which has it.
 * What that setup does until it ends is not done twice, for all is planned again then.
 */
static int run_start(struct child *child)
{
	struct error err = { "" };
	int lock, status;

	child->sets_up = child->gather.config->setup_on_start == CHOICE_YES;
	if (child->sets_up)
		child->gather.imds = child->jobs->gather->imds;
	if (!start_has_work(child))
		return 0;
	lock = lock_wait(child->gather.root, LOCK_PATH, PATIENCE_MS, &child->reporter, &err);
	status = lock < 0 ? lock : apply_start(child, &err);
	if (status < 0 && !(status == -ECANCELED && child_stop))
		log_event(child->jobs->log, LOG_WARNING, "setup", "%s", err.text);
	if (lock >= 0)
		close(lock);
	return status;
}

enum job_exit job_work(
	const struct jobs *jobs, enum job_kind kind, const struct request *request, int pipe)
{
	struct sigaction action = { .sa_handler = on_stop };
	struct child child = { .jobs = jobs, .gather = *jobs->gather, .pipe = pipe };
	sigset_t none;
	int status;

	child.gather.imds = NULL;
	child.reporter = (struct reporter) { child_log, child_cancelled, &child };
	process_hide_descriptors(); /* the agent's connection is not for hooks */
	/* Otherwise an agent that is started again after SIGKILL would be refused by its child. */
	close(jobs->lock);
	sigemptyset(&none);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (kind == JOB_START)
		status = run_start(&child);
	else if (kind == JOB_HIBERNATE)
		status = run_hibernation(&child, request);
	else
		status = run_hooks(&child, &request->notice);
	if (status == -ECANCELED && child_stop)
		return JOB_STOPPED;
	return status < 0 ? JOB_FAILED : JOB_DONE;
}
