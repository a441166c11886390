/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What takes time is done by a child. There are two at most: one that hibernates, and one for
 * everything else, so that hooks of another notice, or setup, keep no hibernation waiting.
 *
 * The child has no descriptor that the agent polls, and tells what it does by lines on a pipe: the
 * word of a phase, and at the end the cycle as JSON.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/actions/hibernate.h"
#include "core/actions/hooks.h"
#include "core/actions/lock.h"
#include "core/actions/prewarm.h"
#include "core/actions/setup.h"
#include "core/actions/watch_agent.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"

/* A line has one cycle; its timeline is some 3 KiB. */
#define SAID_MOST ((size_t)64 * 1024)

/* A setup that makes a new initramfs may take minutes, and without its end there is no way back. */
#define PATIENCE_MS (10 * 60 * 1000)

/* What a child has to do. */
struct order {
	const struct notice *notice; /* NULL: none */
	uint64_t asked;		     /* CLOCK_BOOTTIME, ms */
};

/* ---- In the child --------------------------------------------------------------------------------- */

static volatile sig_atomic_t child_stop;

static void on_stop(int number)
{
	child_stop = number;
}

static bool child_cancelled(void *data)
{
	(void)data;
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

static void child_note(void *data, const char *text)
{
	child_log(data, LOG_INFO, text);
}

static void child_tell(const struct child *child, const char *line)
{
	size_t left = strlen(line);

	while (left) {
		ssize_t sent = write(child->pipe, line, left);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return; /* nobody listens any more: the agent was killed */
		line += sent;
		left -= (size_t)sent;
	}
}

static void child_phase(void *data, enum hibernation_phase phase)
{
	static const char *const lines[] = { [PHASE_PREPARING] = WATCH_PREPARING "\n",
		[PHASE_HIBERNATING] = WATCH_HIBERNATING "\n",
		[PHASE_RESUMED] = WATCH_RESUMED "\n",
		[PHASE_FAILED] = WATCH_FAILED "\n" };

	child_tell(data, lines[phase]);
}

static void run_notice_hooks(struct child *child, const struct notice *notice)
{
	const struct hooks hooks = { .root = child->agent->watch->gather->root,
		.timeout_ms = (unsigned)child->agent->config->hook_timeout,
		.log = child_log,
		.cancelled = child_cancelled,
		.data = child };
	const struct hook_fact facts[] = {
		{ "REASON", REASON_NOTICE },
		{ "ACTION", notice_kinds[notice->kind] },
		{ "TIME", *notice->time ? notice->time : NULL },
		{ "DETAIL", *notice->detail ? notice->detail : NULL },
	};
	struct hooks_result result;

	hooks_run(&hooks, HOOK_NOTICE, facts, sizeof(facts) / sizeof(facts[0]), &result);
}

static int child_hibernate(struct child *child, const struct order *order)
{
	const struct notice *notice = order->notice;
	const struct gather gather = { .root = child->agent->watch->gather->root,
		.host = child->agent->watch->gather->host,
		.config = child->agent->config,
		.version = child->agent->watch->gather->version };
	const struct hibernation hibernation = { .gather = &gather,
		.reason = notice ? REASON_NOTICE : REASON_BUTTON,
		.notice_action = notice ? notice_kinds[notice->kind] : NULL,
		.notice_time = notice && *notice->time ? notice->time : NULL,
		.asked = order->asked,
		.dry_run = child->agent->watch->dry_run,
		.patience_ms = PATIENCE_MS,
		.log = child_log,
		.phase = child_phase,
		.cancelled = child_cancelled,
		.data = child };
	struct cycle cycle = { 0 };
	struct error err = { "" };
	memory_cleanup_free char *line = NULL;
	json_t *json;
	int status;

	/* The disk is needed for other things now; hibernate() says it when this fails. */
	prewarm_stop(gather.root, 0, &err);
	if (notice)
		run_notice_hooks(child, notice);
	status = hibernate(&hibernation, &cycle, &err);
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

/*
 * Without setup-on-start only an old image is made plain swap again, for a later boot would bring
 * the past back. When a notice comes, setup goes on only with what hibernation cannot do without.
 */
static bool step_is_due(const struct config *config, const struct step *step)
{
	if (config->setup_on_start != CHOICE_YES)
		return step->kind == STEP_CLEAN_IMAGE;
	return !child_stop || step_is_vital(step);
}

static int child_setup(struct child *child, const struct gather *gather,
	struct facts *facts, struct error *err)
{
	const struct progress progress = { .note = child_note, .data = child };
	const struct setup_request request = { 0 };
	struct setup setup = { .gather = gather, .facts = facts, .progress = &progress };
	struct plan plan = { 0 };
	int status;

	if (gather->config->setup_on_start == CHOICE_YES)
		status = setup_plan(&plan, facts, gather->config, &request, err);
	else
		status = preparation_plan(&plan, facts, gather->config, err);
	for (size_t i = 0; status == 0 && i < plan.count; i++) {
		struct plan one = { .steps = &plan.steps[i], .count = 1 };

		if (!step_is_due(gather->config, &plan.steps[i]))
			continue;
		agent_log(child->agent, LOG_NOTICE, "setup", "%s", plan.steps[i].text);
		status = plan_apply(&setup, &one, err);
		if (status == 0)
			facts_gather_again(facts, gather);
	}
	plan_free(&plan);
	return status;
}

static int child_start(struct child *child)
{
	const struct watch *watch = child->agent->watch;
	const struct gather gather = { .root = watch->gather->root,
		.host = watch->gather->host,
		.config = child->agent->config,
		.version = watch->gather->version };
	struct facts facts = { 0 };
	struct error err = { "" };
	file_cleanup_close int lock = lock_take(gather.root, LOCK_PATH, 0, &err);
	int status = lock;

	if (lock >= 0) {
		facts_gather(&facts, &gather);
		status = child_setup(child, &gather, &facts, &err);
		facts_free(&facts);
	}
	if (status < 0)
		agent_log(child->agent, LOG_WARNING, "setup", "%s", err.text);
	return status;
}

static int child_run(const struct agent *agent, enum errand_kind kind,
	const struct order *order, int pipe)
{
	struct sigaction action = { .sa_handler = on_stop };
	struct child child = { .agent = agent, .pipe = pipe };
	sigset_t none;

	process_hide_descriptors(); /* the agent's connection is not for hooks */
	/* Otherwise an agent that is started anew after SIGKILL would be refused by its child. */
	close(agent->lock);
	sigemptyset(&none);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (kind == ERRAND_HIBERNATE)
		return child_hibernate(&child, order);
	if (kind == ERRAND_START)
		return child_start(&child);
	run_notice_hooks(&child, order->notice);
	return 0;
}

/* ---- In the agent ------------------------------------------------------------------------------- */

static bool errand_begin(struct agent *agent, struct errand *errand,
	enum errand_kind kind, const struct order *order)
{
	int ends[2];
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
		pid = fork();
		if (pid == 0) {
			/* A full pipe is waited for: the cycle may be long. */
			fcntl(ends[1], F_SETFL, 0);
			close(ends[0]);
			_exit(child_run(agent, kind, order, ends[1]) < 0);
		}
		close(ends[1]);
		if (pid < 0)
			close(ends[0]);
	}
	if (pid < 0) {
		agent_log(agent, LOG_ERR, "errand", "cannot start a process: %s",
			strerror(errno));
		return false;
	}
	*errand = (struct errand) {
		.pid = pid, .pipe = ends[0], .kind = kind, .said = text_copy("")
	};
	return true;
}

static void pending_remove(struct agent *agent, size_t index)
{
	agent->pending_count--;
	memmove(&agent->pending[index], &agent->pending[index + 1],
		(agent->pending_count - index) * sizeof(*agent->pending));
}

static bool begin_hibernation(struct agent *agent, const struct order *order)
{
	if (agent->other.pid && agent->other.kind == ERRAND_START)
		kill(agent->other.pid, SIGTERM);
	if (!errand_begin(agent, &agent->hibernation, ERRAND_HIBERNATE, order))
		return false;
	agent->debounce.under_way = true;
	return true;
}

void errands_begin(struct agent *agent)
{
	for (size_t i = 0; i < agent->pending_count;) {
		struct notice notice = agent->pending[i];
		const struct order order = { .notice = &notice,
			.asked = agent_boottime_ms() };
		bool hibernates =
			notice_reaction(&notice, agent->config) == REACTION_HIBERNATE;

		if (hibernates ? agent->hibernation.pid : agent->other.pid) {
			i++;
			continue;
		}
		/* Without a process it stays, and is tried again after the next poll. */
		if (hibernates ? begin_hibernation(agent, &order)
			       : errand_begin(agent, &agent->other, ERRAND_HOOKS, &order))
			pending_remove(agent, i);
		else
			i++;
	}
}

/* What was heard while the machine went to sleep has been answered by that. */
static void pending_answered(struct agent *agent)
{
	for (size_t i = agent->pending_count; i > 0; i--) {
		const struct notice *notice = &agent->pending[i - 1];

		if (notice_reaction(notice, agent->config) != REACTION_HIBERNATE)
			continue;
		agent_log(agent, LOG_NOTICE, "notice",
			"notice: %s%s%s: answered, the machine has hibernated since",
			notice_kinds[notice->kind], *notice->time ? " at " : "",
			notice->time);
		pending_remove(agent, i - 1);
	}
}

void errand_press(struct agent *agent, const struct sleep_press *press)
{
	const struct order order = { .asked = (uint64_t)press->when_ms };

	agent->debounce.window_ms = (int64_t)agent->config->debounce;
	if (debounce_ignores(&agent->debounce, press->when_ms)) {
		agent_log(agent, LOG_NOTICE, "button",
			"sleep button of %s (%s): ignored, %s", press->node,
			press->device,
			agent->debounce.under_way ? "a hibernation is under way"
						  : "the last one was just now");
		return;
	}
	agent_log(agent, LOG_NOTICE, "button", "sleep button of %s (%s)", press->node,
		press->device);
	begin_hibernation(agent, &order);
}

void errand_begin_start(struct agent *agent)
{
	const struct order order = { 0 };

	errand_begin(agent, &agent->other, ERRAND_START, &order);
}

/* ---- What a child says --------------------------------------------------------------------------- */

static void take_cycle(struct agent *agent, const char *line)
{
	struct cycle cycle = { 0 };
	struct error err = { "" };
	json_t *json = json_loads(line, 0, NULL);

	if (json && layout_from_json(&cycle_layout, &cycle, json, "cycle", &err) == 0) {
		layout_free(&cycle_layout, &agent->state.last_cycle);
		agent->state.last_cycle = cycle;
		report_write(agent);
	} else {
		layout_free(&cycle_layout, &cycle);
	}
	json_decref(json);
}

static void take_line(struct agent *agent, const char *line)
{
	static const char *const phases[] = { WATCH_PREPARING, WATCH_HIBERNATING,
		WATCH_RESUMED, WATCH_FAILED };

	if (*line == '{') {
		take_cycle(agent, line);
		return;
	}
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		if (strcmp(line, phases[i]) == 0)
			report_state(agent, phases[i]);
	if (strcmp(line, WATCH_RESUMED) == 0 && !agent->watch->dry_run)
		pending_answered(agent);
	/* From here on what comes is an echo of the press that was answered. */
	if (strcmp(line, WATCH_RESUMED) == 0 || strcmp(line, WATCH_FAILED) == 0) {
		agent->debounce.resumed = true;
		agent->debounce.resumed_ms = (int64_t)agent_boottime_ms();
	}
}

static void take_lines(struct agent *agent, struct errand *errand)
{
	char *start = errand->said, *end;
	char *rest;

	for (; (end = strchr(start, '\n')); start = end + 1) {
		*end = '\0';
		take_line(agent, start);
	}
	rest = text_copy(start);
	free(errand->said);
	errand->said = rest;
}

static void errand_over(struct agent *agent, struct errand *errand)
{
	bool hibernation = errand == &agent->hibernation;
	int wait_status = 0;

	close(errand->pipe);
	while (waitpid(errand->pid, &wait_status, 0) < 0 && errno == EINTR)
		;
	free(errand->said);
	*errand = (struct errand) { .pipe = -1 };
	if (WIFSIGNALED(wait_status))
		agent_log(agent, LOG_ERR, "errand", "%s was ended by signal %d",
			hibernation ? "the hibernation" : "an errand",
			WTERMSIG(wait_status));
	if (!hibernation)
		return;
	agent->outcome = wait_status;
	agent->debounce.under_way = false;
	agent->debounce.resumed = true;
	agent->debounce.resumed_ms = (int64_t)agent_boottime_ms();
	if (WIFSIGNALED(wait_status))
		report_state(agent, WATCH_FAILED);
	/* The service is asked at once whether there is another notice. */
	agent->next_poll = agent_now_us();
}

bool errand_listen(struct agent *agent, struct errand *errand)
{
	char piece[4096];
	ssize_t got;

	while ((got = read(errand->pipe, piece, sizeof(piece) - 1)) > 0) {
		piece[got] = '\0';
		if (strlen(errand->said) < SAID_MOST)
			text_append(&errand->said, "%s", piece);
		take_lines(agent, errand);
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	errand_over(agent, errand);
	return true;
}

void errands_end(struct agent *agent)
{
	struct errand *const errands[] = { &agent->hibernation, &agent->other };

	for (size_t i = 0; i < 2; i++)
		if (errands[i]->pid)
			kill(errands[i]->pid, SIGTERM);
	for (size_t i = 0; i < 2; i++) {
		struct pollfd polled = { .fd = errands[i]->pipe, .events = POLLIN };

		while (errands[i]->pid && poll(&polled, 1, -1) >= 0)
			errand_listen(agent, errands[i]);
	}
}
