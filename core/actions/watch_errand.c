/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What takes time is done by children, see watch_child.c. There are three at most, so that none keeps
 * another waiting: one that hibernates, one that runs the hooks of other notices, and one that
 * completes setup at the start.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/actions/watch_agent.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* A line has one cycle; its timeline is some 3 KiB. */
#define SAID_MOST ((size_t)64 * 1024)

/* So many children for one hibernation, when signals end them. */
#define LOST_MOST     3
#define LOST_PAUSE_US ((uint64_t)1000 * 1000) /* and longer each time */

/* ---- Beginning ---------------------------------------------------------------------------------- */

bool errand_runs(const struct agent *agent, enum errand_kind kind)
{
	return agent->errands[kind].pid != 0;
}

static bool errand_begin(struct agent *agent, enum errand_kind kind, const struct order *order)
{
	struct errand *errand = &agent->errands[kind];
	int ends[2];
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
		pid = fork();
		if (pid == 0) {
			/* A full pipe is waited for: the cycle may be long. */
			fcntl(ends[1], F_SETFL, 0);
			close(ends[0]);
			_exit(child_run(agent, kind, order, ends[1]));
		}
		close(ends[1]);
		if (pid < 0)
			close(ends[0]);
	}
	if (pid < 0 && !agent->no_process)
		agent_log(agent, LOG_ERR, "errand", "cannot start a process, trying on: %s",
			strerror(errno));
	agent->no_process = pid < 0;
	if (pid < 0)
		return false;
	*errand = (struct errand) { .pid = pid, .pipe = ends[0], .order = *order };
	return true;
}

static void pending_add(struct agent *agent, const struct order *order)
{
	agent->pending = memory_grow(agent->pending, agent->pending_count, sizeof(*agent->pending));
	agent->pending[agent->pending_count++] = *order;
}

/*
 * What has to wait was still asked for now: should another ec2hib hibernate the machine before its
 * turn comes, it has been answered.
 */
void errand_notice(struct agent *agent, const struct notice *notice)
{
	const struct order order = { .has_notice = true,
		.notice = *notice,
		.asked = agent_boottime_ms(),
		.slept = clock_slept_ms() };

	pending_add(agent, &order);
}

static void pending_remove(struct agent *agent, size_t index)
{
	agent->pending_count--;
	memmove(&agent->pending[index], &agent->pending[index + 1],
		(agent->pending_count - index) * sizeof(*agent->pending));
}

static bool begin_hibernation(struct agent *agent, const struct order *order)
{
	if (errand_runs(agent, ERRAND_START))
		kill(agent->errands[ERRAND_START].pid, SIGTERM);
	if (!errand_begin(agent, ERRAND_HIBERNATE, order))
		return false;
	agent->debounce.under_way = true;
	return true;
}

/*
 * Hooks that were begun are not begun again, whatever happens: only a hibernation that has not come
 * about is.
 */
static bool begin_hooks(struct agent *agent, const struct order *order)
{
	bool begun;

	report_settled(agent, &order->notice, true);
	report_write(agent);
	begun = errand_begin(agent, ERRAND_HOOKS, order);
	if (!begun)
		report_settled(agent, &order->notice, false);
	return begun;
}

static void begin_notice(struct agent *agent, size_t index)
{
	const struct order order = agent->pending[index];
	bool begun = notice_reaction(&order.notice, agent->config) == REACTION_HIBERNATE
			     ? begin_hibernation(agent, &order)
			     : begin_hooks(agent, &order);

	/* Without a process it stays, and is tried again in the next round. */
	if (begun)
		pending_remove(agent, index);
}

static bool can_begin(const struct agent *agent, const struct order *order)
{
	bool hooks = order->has_notice &&
		     notice_reaction(&order->notice, agent->config) != REACTION_HIBERNATE;

	return !errand_runs(agent, hooks ? ERRAND_HOOKS : ERRAND_HIBERNATE) &&
	       order->due <= agent_now_us();
}

void errands_begin(struct agent *agent)
{
	if (agent->start_waits && !errand_runs(agent, ERRAND_START))
		errand_begin_start(agent);
	if (agent->press.waits && can_begin(agent, &agent->press.order))
		agent->press.waits = !begin_hibernation(agent, &agent->press.order);
	for (size_t i = 0; i < agent->pending_count;) {
		size_t count = agent->pending_count;

		if (can_begin(agent, &agent->pending[i]))
			begin_notice(agent, i);
		if (agent->pending_count == count)
			i++;
	}
}

uint64_t errands_wait_us(const struct agent *agent)
{
	uint64_t now = agent_now_us(), next = UINT64_MAX;

	if (agent->press.waits && agent->press.order.due > now)
		next = agent->press.order.due;
	for (size_t i = 0; i < agent->pending_count; i++)
		if (agent->pending[i].due > now && agent->pending[i].due < next)
			next = agent->pending[i].due;
	return next == UINT64_MAX ? next : next - now;
}

void errand_press(struct agent *agent, const struct sleep_press *press)
{
	const struct order order = { .asked = (uint64_t)press->when_ms, .slept = clock_slept_ms() };

	agent->debounce.window_ms = (int64_t)agent->config->debounce;
	if (debounce_ignores(&agent->debounce, press->when_ms)) {
		agent_log(agent, LOG_NOTICE, "button", "sleep button of %s (%s): ignored, %s",
			press->node, press->device,
			agent->debounce.under_way ? "a hibernation is under way"
						  : "the last one was just now");
		return;
	}
	agent_log(agent, LOG_NOTICE, "button", "sleep button of %s (%s)%s", press->node,
		press->device,
		errand_runs(agent, ERRAND_HIBERNATE) ? ": after the hooks of the last hibernation"
						     : "");
	agent->press = (struct waiting_press) { .waits = true, .order = order };
	/* From here on what comes is an echo of this one. */
	agent->debounce.under_way = true;
	errands_begin(agent);
}

void errand_begin_start(struct agent *agent)
{
	const struct order order = { 0 };

	agent->start_waits = !errand_begin(agent, ERRAND_START, &order);
}

void errand_resume(struct agent *agent)
{
	int64_t slept = clock_slept_ms();

	if (slept - agent->slept < CLOCK_SLEPT_LEAST_MS)
		return;
	agent->slept = slept;
	agent->debounce.resumed = true;
	agent->debounce.resumed_ms = (int64_t)agent_boottime_ms();
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

/* What was heard while the machine went to sleep has been answered by that. */
static void pending_answered(struct agent *agent)
{
	agent->press.waits = false;
	for (size_t i = agent->pending_count; i > 0; i--) {
		const struct notice *notice = &agent->pending[i - 1].notice;

		if (notice_reaction(notice, agent->config) != REACTION_HIBERNATE)
			continue;
		agent_log(agent, LOG_NOTICE, "notice",
			"notice: %s%s%s: answered, the machine has hibernated since",
			notice_kinds[notice->kind], *notice->time ? " at " : "", notice->time);
		report_settled(agent, notice, true);
		pending_remove(agent, i - 1);
	}
}

/*
 * The hibernation has come about, or not, and what comes now is an echo for a while. What is left to
 * the child (putting things back, hooks, the history) may take long, and does not count.
 */
static void hibernation_answered(struct agent *agent)
{
	agent->errands[ERRAND_HIBERNATE].answered = true;
	agent->debounce.under_way = false;
	agent->debounce.resumed = true;
	agent->debounce.resumed_ms = (int64_t)agent_boottime_ms();
}

static void take_phase(struct agent *agent, const char *phase)
{
	struct errand *errand = &agent->errands[ERRAND_HIBERNATE];
	bool resumed = strcmp(phase, WATCH_RESUMED) == 0;

	/* Who finds this state after a crash does not know whether the machine was away. */
	if (strcmp(phase, WATCH_HIBERNATING) == 0 && errand->order.has_notice)
		report_settled(agent, &errand->order.notice, true);
	if (resumed || strcmp(phase, WATCH_FAILED) == 0)
		hibernation_answered(agent);
	if (resumed && !agent->watch->dry_run)
		pending_answered(agent);
	report_state(agent, phase);
}

static void take_line(void *data, const char *line)
{
	struct agent *agent = data;
	static const char *const phases[] = { WATCH_PREPARING, WATCH_HIBERNATING, WATCH_RESUMED,
		WATCH_FAILED };

	if (*line == '{') {
		take_cycle(agent, line);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		if (strcmp(line, phases[i]) == 0)
			take_phase(agent, phases[i]);
}

/* ---- The end ------------------------------------------------------------------------------------ */

/*
 * A hibernation that a signal has ended (memory ran out, somebody's kill) before the machine slept or
 * the kernel refused is nobody's answer. What fails so again and again is left to the next agent.
 */
static bool is_lost(const struct errand *errand, int ended)
{
	return WIFSIGNALED(ended) && !errand->answered &&
	       clock_slept_ms() - errand->order.slept < CLOCK_SLEPT_LEAST_MS;
}

/* False: it is not begun again. */
static bool hibernation_again(struct agent *agent, const struct errand *errand)
{
	struct order order = errand->order;

	if (agent->stop)
		return false;
	if (++order.lost == LOST_MOST) {
		agent_log(agent, LOG_ERR, "errand",
			"the hibernation was ended %u times by a signal: given up", order.lost);
		return false;
	}
	/* What ended it may be over soon: memory that others wanted, for one. */
	order.due = agent_now_us() + order.lost * LOST_PAUSE_US;
	agent_log(agent, LOG_WARNING, "errand", "the hibernation begins again in %u s",
		(unsigned)(order.lost * LOST_PAUSE_US / 1000000));
	if (order.has_notice)
		pending_add(agent, &order);
	else
		agent->press = (struct waiting_press) { .waits = true, .order = order };
	return true;
}

static void hibernation_over(struct agent *agent, const struct errand *errand, int ended)
{
	agent->outcome = ended;
	if (!errand->answered)
		hibernation_answered(agent);
	if (WIFSIGNALED(ended))
		report_state(agent, WATCH_FAILED);
	/* The service is asked at once whether there is another notice. */
	agent->next_poll = agent_now_us();
}

static void errand_over(struct agent *agent, enum errand_kind kind)
{
	struct errand errand = agent->errands[kind];
	int ended = 0;
	bool lost;

	close(errand.pipe);
	while (waitpid(errand.pid, &ended, 0) < 0 && errno == EINTR)
		;
	lines_free(&errand.said);
	agent->errands[kind] = (struct errand) { 0 };
	if (WIFSIGNALED(ended))
		agent_log(agent, LOG_ERR, "errand", "%s was ended by signal %d (%s)",
			kind == ERRAND_HIBERNATE ? "the hibernation" : "an errand", WTERMSIG(ended),
			strsignal(WTERMSIG(ended)));
	/* What this agent's end has cut short the next one begins anew, and what was lost, too. */
	lost = kind == ERRAND_HIBERNATE && is_lost(&errand, ended);
	if (errand.order.has_notice)
		report_settled(agent, &errand.order.notice,
			!lost && !(agent->stop && WIFEXITED(ended) &&
					 WEXITSTATUS(ended) == CHILD_STOPPED));
	if (kind == ERRAND_HIBERNATE)
		hibernation_over(agent, &errand, ended);
	if (lost && hibernation_again(agent, &errand))
		return;
	/* Swaps that it had switched off are still off, and nobody may hibernate for weeks. */
	if (kind == ERRAND_HIBERNATE && WIFSIGNALED(ended) && !agent->watch->dry_run)
		agent->start_waits = true;
}

bool errand_listen(struct agent *agent, enum errand_kind kind)
{
	struct errand *errand = &agent->errands[kind];

	if (lines_read(&errand->said, errand->pipe, SAID_MOST, take_line, agent))
		return false;
	errand_over(agent, kind);
	return true;
}

void errands_end(struct agent *agent)
{
	for (enum errand_kind kind = 0; kind < ERRAND_KINDS; kind++)
		if (errand_runs(agent, kind))
			kill(agent->errands[kind].pid, SIGTERM);
	for (enum errand_kind kind = 0; kind < ERRAND_KINDS; kind++) {
		struct pollfd polled = { .fd = agent->errands[kind].pipe, .events = POLLIN };

		while (errand_runs(agent, kind) && poll(&polled, 1, -1) >= 0)
			errand_listen(agent, kind);
	}
}
