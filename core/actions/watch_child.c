/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In the child: what takes time. It tells the agent what it does by lines on a pipe: the word of a
 * phase, and at the end the cycle as JSON.
 *
 * It is a fork of the agent and has a copy of all its descriptors, which it does not use. They close
 * when it starts a program; only the lock of the one agent it lets go of itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/undo.h"
#include "core/actions/hibernate.h"
#include "core/actions/hooks.h"
#include "core/actions/lock.h"
#include "core/actions/prewarm.h"
#include "core/actions/setup.h"
#include "core/actions/watch_agent.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"

/* A setup that makes a new initramfs may take minutes, and without its end there is no way back. */
#define PATIENCE_MS (10 * 60 * 1000)

static volatile sig_atomic_t child_stop;

static void on_stop(int number)
{
	child_stop = number;
}

static bool child_cancelled(void *data UNUSED)
{
	return child_stop != 0;
}

struct child {
	const struct agent *agent;
	int pipe;
};

static void child_log(void *data, int priority, const char *text)
{
	const struct child *child = data;

	agent_log(child->agent, priority, "hibernation", "%s", text);
}

static void child_note(void *data, int priority UNUSED, const char *text)
{
	child_log(data, LOG_INFO, text);
}

static void child_tell(const struct child *child, const char *line)
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

	child_tell(data, lines[phase]);
}

static int run_notice_hooks(struct child *child, const struct notice *notice)
{
	const struct reporter reporter = { child_log, child_cancelled, child };
	const struct hooks hooks = { .root = child->agent->watch->gather->root,
		.timeout_ms = (unsigned)child->agent->config->hook_timeout,
		.reporter = &reporter };
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

static int child_hibernate(struct child *child, const struct order *order)
{
	const struct notice *notice = order->has_notice ? &order->notice : NULL;
	const struct gather gather = { .root = child->agent->watch->gather->root,
		.host = child->agent->watch->gather->host,
		.config = child->agent->config,
		.version = child->agent->watch->gather->version,
		.config_path = child->agent->watch->gather->config_path };
	const struct reporter reporter = { child_log, child_cancelled, child };
	struct hibernation request = { .gather = &gather,
		.reason = notice ? REASON_NOTICE : REASON_BUTTON,
		.notice_action = notice ? notice_kinds[notice->kind] : NULL,
		.notice_time = notice && *notice->time ? notice->time : NULL,
		.requested_at = order->asked,
		.slept = order->slept,
		.cancel_ends_all = true,
		.patience_ms = PATIENCE_MS,
		.reporter = &reporter,
		.phase = child_phase,
		.data = child };
	const bool dry_run = child->agent->watch->dry_run;
	struct cycle cycle = { 0 };
	struct error err = { "" };
	memory_cleanup_free char *line = NULL;
	json_t *json;
	int status;

	/* The disk is needed for other things now; hibernate() says it when this fails. */
	if (!dry_run)
		request.prewarm_stopped = prewarm_stop(gather.root, 0, &err) != 0;
	if (notice)
		run_notice_hooks(child, notice);
	status = dry_run ? hibernate_pretend(&request, &cycle, &err)
			 : hibernate(&request, &cycle, &err);
	if (status < 0)
		child_log(child, LOG_ERR, err.text);
	else if (cycle.away.is == FACT_KNOWN)
		agent_log(child->agent, LOG_NOTICE, "resumed", "resumed after %llu s",
			(unsigned long long)cycle.away.value / 1000);
	json = layout_to_json(&cycle_layout, &cycle);
	line = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	text_append(&line, "\n");
	child_tell(child, line);
	layout_free(&cycle_layout, &cycle);
	return status;
}

/* ---- At the start --------------------------------------------------------------------------------- */

/*
 * Without setup-on-start only an old image is made plain swap again, for a later boot would bring
 * the past back. When a notice comes, setup goes on only with what hibernation cannot do without.
 */
static bool step_is_due(void *data, const struct step *step)
{
	const struct child *child = data;

	if (child->agent->config->setup_on_start != CHOICE_YES)
		return step->kind == STEP_CLEAN_IMAGE;
	return !child_stop || step_is_vital(step);
}

static void say_step(void *data, const struct plan *plan, size_t index)
{
	const struct child *child = data;

	agent_log(child->agent, LOG_NOTICE, "setup", "%s", plan->steps[index].text);
}

static int start_plan(struct plan *plan, const struct facts *facts, const struct config *config,
	struct error *err)
{
	const struct setup_request request = { 0 };

	if (config->setup_on_start == CHOICE_YES)
		return setup_plan(plan, facts, config, &request, err);
	return preparation_plan(plan, facts, config, err);
}

/* What cannot be planned is work as well: it has to be said. */
static bool start_has_work(struct child *child, const struct gather *gather)
{
	struct facts facts = { 0 };
	struct plan plan = { 0 };
	struct error err = { "" };
	bool work = undo_is_left(gather->root);

	facts_gather(&facts, gather);
	if (start_plan(&plan, &facts, gather->config, &err) < 0)
		work = true;
	for (size_t i = 0; i < plan.count && !work; i++)
		work = step_is_due(child, &plan.steps[i]);
	plan_free(&plan);
	facts_free(&facts);
	return work;
}

static int start_apply(struct child *child, const struct gather *gather, struct error *err)
{
	const struct reporter log = { .log = child_log, .data = child };
	const struct reporter reporter = { .log = child_note, .data = child };
	struct facts facts = { 0 };
	struct plan plan = { 0 };
	struct setup setup = { .gather = gather,
		.facts = &facts,
		.reporter = &reporter,
		.due = step_is_due,
		.begin = say_step,
		.data = child };
	int status;

	undo_recover(gather->root, &log);
	facts_gather(&facts, gather);
	status = start_plan(&plan, &facts, gather->config, err);
	if (status == 0)
		status = plan_apply(&setup, &plan, err);
	plan_free(&plan);
	facts_free(&facts);
	return status;
}

/*
 * The lock only where there is something to do: most agents are started by a setup, which has it. What
 * that setup does until it ends is not done twice, for all is planned again then.
 */
static int child_start(struct child *child)
{
	const struct watch *watch = child->agent->watch;
	const struct gather gather = { .root = watch->gather->root,
		.host = watch->gather->host,
		.config = child->agent->config,
		.version = watch->gather->version,
		.config_path = watch->gather->config_path };
	const struct reporter patience = { .cancelled = child_cancelled };
	struct error err = { "" };
	int lock, status;

	if (!start_has_work(child, &gather))
		return 0;
	lock = lock_wait(gather.root, LOCK_PATH, PATIENCE_MS, &patience, &err);
	/* What a step runs goes on when we are killed, and keeps the next one out until it ends. */
	status = lock < 0 ? lock : lock_share(lock, &err);
	if (status == 0)
		status = start_apply(child, &gather, &err);
	if (status < 0 && !(status == -ECANCELED && child_stop))
		agent_log(child->agent, LOG_WARNING, "setup", "%s", err.text);
	if (lock >= 0)
		close(lock);
	return status;
}

/* ---- All of them -------------------------------------------------------------------------------- */

static int child_do(struct child *child, enum errand_kind kind, const struct order *order)
{
	if (kind == ERRAND_HIBERNATE)
		return child_hibernate(child, order);
	if (kind == ERRAND_START)
		return child_start(child);
	return run_notice_hooks(child, &order->notice);
}

enum child_exit child_run(
	const struct agent *agent, enum errand_kind kind, const struct order *order, int pipe)
{
	struct sigaction action = { .sa_handler = on_stop };
	struct child child = { .agent = agent, .pipe = pipe };
	sigset_t none;
	int status;

	process_hide_descriptors(); /* the agent's connection is not for hooks */
	/* Otherwise an agent that is started anew after SIGKILL would be refused by its child. */
	close(agent->lock);
	sigemptyset(&none);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
	status = child_do(&child, kind, order);
	if (status == -ECANCELED && child_stop)
		return CHILD_STOPPED;
	return status < 0 ? CHILD_FAILED : CHILD_DONE;
}
