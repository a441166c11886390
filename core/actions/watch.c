/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent's loop, and the only place where its parts meet: the poller, the sleep keys, signals
 * and the pipes of the jobs say what happens; that makes a request, a job carries it out, and the
 * report publishes it.
 */
#define _GNU_SOURCE
#include "core/actions/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/actions/lock.h"
#include "core/actions/watch_jobs.h"
#include "core/actions/watch_poll.h"
#include "core/actions/watch_report.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

/* The longest that nothing may happen, us. */
#define WAIT_MOST_US ((uint64_t)60 * 1000 * 1000)

/* When no process could be started, us. */
#define RETRY_US ((uint64_t)1000 * 1000)

struct agent {
	const struct watch *watch;
	const struct config *config;
	const struct event_log *log;
	struct poller poller;
	struct sleep_keys *keys; /* NULL: they cannot be listened to */
	char *key_trouble;	 /* what was complained about; NULL: nothing */
	int signals;
	struct requests requests;
	struct debounce debounce;
	struct standing spot, rebalance; /* what these sources said last */
	struct jobs jobs;
	struct report report;
	uint64_t next_watchdog; /* CLOCK_MONOTONIC, us */
	int outcome;		/* of the last hibernation, as waitpid(2) says */
	bool stop;
};

static uint64_t now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

static int64_t boottime_ms(void)
{
	return (int64_t)clock_ms(CLOCK_BOOTTIME);
}

/* ---- Beginning jobs ------------------------------------------------------------------ */

static bool begin_job(struct agent *agent, enum job_kind kind, const struct request *request)
{
	bool begun;

	if (kind == JOB_HIBERNATE)
		job_stop(&agent->jobs, JOB_START);
	/*
	 * Hooks that were begun are not begun again, whatever happens: only a hibernation that has
	 * not come about is.
	 */
	if (kind == JOB_HOOKS) {
		report_settled(&agent->report, &request->notice, true);
		report_write(&agent->report);
	}
	begun = job_begin(&agent->jobs, kind, request);
	if (kind == JOB_HIBERNATE && begun)
		agent->debounce.under_way = true;
	if (kind == JOB_HOOKS && !begun)
		report_settled(&agent->report, &request->notice, false);
	return begun;
}

/*
 * Begins all that is due. Without a process a request stays, and is tried again in the next round.
 */
static void begin_due(struct agent *agent)
{
	uint64_t now = now_us();

	for (size_t i = 0; i < agent->requests.count;) {
		const struct request request = agent->requests.items[i];
		enum job_kind kind = request_job(&request, agent->config);

		if (request.due <= now && !job_runs(&agent->jobs, kind) &&
			begin_job(agent, kind, &request))
			requests_remove(&agent->requests, i);
		else
			i++;
	}
}

static void request_start(struct agent *agent)
{
	const struct request request = { .kind = REQUEST_START };

	requests_add(&agent->requests, &request);
}

/* ---- The metadata service -------------------------------------------------------------------- */

/* Whether it is only said once more. */
static bool is_standing(struct agent *agent, const struct notice *notice)
{
	uint64_t now = clock_ms(CLOCK_MONOTONIC);

	if (notice->kind <= NOTICE_TERMINATE)
		return standing_hears(&agent->spot, notice, now);
	return notice->kind == NOTICE_REBALANCE && standing_hears(&agent->rebalance, notice, now);
}

/*
 * EC2 may press the button and leave a notice of the same order: who has just come back from that
 * hibernation hears it for the first time, and has answered it.
 */
static bool was_answered_by_resume(const struct agent *agent, const struct notice *notice)
{
	int64_t now_ms = boottime_ms();
	int64_t awake_s = (now_ms - agent->debounce.woke_ms) / 1000;

	return !agent->watch->dry_run &&
	       debounce_woke(&agent->debounce, now_ms, (int64_t)agent->config->debounce) &&
	       notice_was_meant_for(notice, time(NULL) - awake_s);
}

static void log_answered(const struct agent *agent, const struct notice *notice)
{
	log_event(agent->log, LOG_NOTICE, "notice",
		"notice: %s%s%s: answered, the machine has hibernated since",
		notice_kinds[notice->kind], *notice->time ? " at " : "", notice->time);
}

/*
 * A notice is remembered before anything is done about it, so that it is done once. What has to
 * wait was still requested now: should another ec2hib hibernate the machine before its turn comes,
 * it has been answered.
 */
static void hear_notice(struct agent *agent, const struct notice *notice)
{
	const struct request request = { .kind = REQUEST_NOTICE,
		.notice = *notice,
		.requested_at = clock_ms(CLOCK_BOOTTIME),
		.slept = clock_slept_ms() };
	bool ignored = notice_reaction(notice, agent->config) == REACTION_IGNORE;
	bool answered = was_answered_by_resume(agent, notice);

	if (notice->kind == NOTICE_LIFECYCLE && !notice_leaves_service(notice)) {
		report_forget_lifecycle(&agent->report);
		return;
	}
	if (is_standing(agent, notice) || report_was_acted_on(&agent->report, notice))
		return;
	if (answered)
		log_answered(agent, notice);
	else
		log_event(agent->log, LOG_NOTICE, "notice", "notice: %s%s%s%s%s%s",
			notice_kinds[notice->kind], *notice->time ? " at " : "", notice->time,
			*notice->detail ? ", " : "", notice->detail,
			ignored ? "; ignored, as configured" : "");
	report_acted_on(&agent->report, notice);
	if (ignored || answered) {
		report_settled(&agent->report, notice, true);
		report_write(&agent->report);
		return;
	}
	requests_add(&agent->requests, &request);
	report_state(&agent->report, WATCH_NOTICED);
}

/* Whether no hibernation runs and no notice waits; of those that wait notices are the last. */
static bool is_idle(const struct agent *agent)
{
	const struct requests *requests = &agent->requests;

	return !job_runs(&agent->jobs, JOB_HIBERNATE) &&
	       (requests->count == 0 ||
		       requests->items[requests->count - 1].kind != REQUEST_NOTICE);
}

/* The time until there is more to do, us. */
static uint64_t poll_step(struct agent *agent)
{
	struct poller *poller = &agent->poller;
	struct poll_news news;

	poller_step(poller, &news);
	for (size_t i = 0; i < news.count; i++)
		hear_notice(agent, &news.notices[i]);
	free(news.notices);
	if (news.gone) {
		agent->spot.is = false;
		report_forget_timeless(&agent->report);
	}
	if (news.result == POLL_ANSWERED)
		report_poll_answered(&agent->report, poller->latency, is_idle(agent));
	else if (news.result == POLL_FAILED)
		report_poll_failed(&agent->report, poller->failures, poller->error.text);
	return news.wait;
}

/* ---- The sleep button ------------------------------------------------------------------------ */

static void hear_press(struct agent *agent, const struct sleep_press *press)
{
	const struct request request = { .kind = REQUEST_PRESS,
		.requested_at = (uint64_t)press->when_ms,
		.slept = clock_slept_ms() };
	bool echo = debounce_ignores(
		&agent->debounce, press->when_ms, (int64_t)agent->config->debounce);
	const char *what = "";

	if (echo && agent->debounce.under_way)
		what = ": ignored, a hibernation is under way";
	else if (echo)
		what = ": ignored, the last one was just now";
	else if (job_runs(&agent->jobs, JOB_HIBERNATE))
		what = ": after the hooks of the last hibernation";
	log_event(agent->log, LOG_NOTICE, "button", "sleep button of %s (%s)%s", press->node,
		press->device, what);
	if (echo)
		return;
	requests_add(&agent->requests, &request);
	/* From here on what comes is an echo of this one. */
	agent->debounce.under_way = true;
	begin_due(agent);
}

/* A device that cannot be opened is said once, now or whenever it comes. */
static void tell_key_trouble(struct agent *agent)
{
	const char *trouble = sleep_keys_trouble(agent->keys);

	if (text_equal(agent->key_trouble, trouble))
		return;
	if (trouble)
		log_event(agent->log, LOG_WARNING, "button", "%s", trouble);
	text_set(&agent->key_trouble, trouble ? text_copy(trouble) : NULL);
}

static void listen_to_keys(struct agent *agent)
{
	struct sleep_press press;

	if (sleep_keys_read(agent->keys, &press))
		hear_press(agent, &press);
	else
		report_write(&agent->report); /* a device came or went */
	tell_key_trouble(agent);
}

/* ---- What a job says ------------------------------------------------------------------------- */

static void hear_cycle(struct agent *agent, const char *line)
{
	struct cycle *last = &agent->report.state.last_cycle, cycle = { 0 };
	json_t *json = json_loads(line, 0, NULL);
	struct error err = { "" };

	if (json && layout_from_json(&cycle_layout, &cycle, json, "cycle", &err) == 0) {
		layout_free(&cycle_layout, last);
		*last = cycle;
		report_write(&agent->report);
	} else {
		layout_free(&cycle_layout, &cycle);
	}
	json_decref(json);
}

/* What was heard while the machine went to sleep has been answered by that. */
static void settle_answered(struct agent *agent)
{
	for (size_t i = agent->requests.count; i-- > 0;) {
		const struct request request = agent->requests.items[i];
		const struct notice *notice = &request.notice;

		if (request_job(&request, agent->config) != JOB_HIBERNATE)
			continue;
		requests_remove(&agent->requests, i);
		if (request.kind != REQUEST_NOTICE)
			continue;
		log_answered(agent, notice);
		report_settled(&agent->report, notice, true);
	}
}

static void hear_state(struct agent *agent, const char *state)
{
	struct job *job = &agent->jobs.items[JOB_HIBERNATE];
	bool resumed = strcmp(state, WATCH_RESUMED) == 0;

	/* Who finds this state after a crash does not know whether the machine was off. */
	if (strcmp(state, WATCH_HIBERNATING) == 0 && job->request.kind == REQUEST_NOTICE)
		report_settled(&agent->report, &job->request.notice, true);
	/*
	 * What comes now is an echo for a while. What is left to the job (undoing what was changed,
	 * hooks, the history) may take long, and does not count.
	 */
	if (resumed || strcmp(state, WATCH_FAILED) == 0) {
		job->answered = true;
		debounce_answer(&agent->debounce, boottime_ms());
	}
	if (resumed && !agent->watch->dry_run)
		settle_answered(agent);
	report_state(&agent->report, state);
}

static void hear_line(void *data, const char *line)
{
	static const char *const states[] = { WATCH_PREPARING, WATCH_HIBERNATING, WATCH_RESUMED,
		WATCH_FAILED };

	if (*line == '{')
		hear_cycle(data, line);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(line, states[i]) == 0)
			hear_state(data, line);
}

static void hear_end(struct agent *agent, enum job_kind kind)
{
	static const char *const names[JOB_KINDS] = { [JOB_START] = "the job at the start",
		[JOB_HIBERNATE] = "the hibernation",
		[JOB_HOOKS] = "the job of a notice's hooks" };
	struct job job = agent->jobs.items[kind];
	int ended = job_end(&agent->jobs, kind);
	bool killed = WIFSIGNALED(ended), lost, stopped;

	if (killed)
		log_event(agent->log, LOG_ERR, "job", "%s was ended by signal %d (%s)", names[kind],
			WTERMSIG(ended), strsignal(WTERMSIG(ended)));
	/*
	 * A hibernation that a signal has ended (memory ran out, or a kill by hand) before the
	 * machine slept or the kernel refused has answered nothing. When that happens again and
	 * again the notice is left to the next agent, and so is one whose job this agent has
	 * stopped.
	 */
	lost = kind == JOB_HIBERNATE && killed && !job.answered &&
	       clock_slept_ms() - job.request.slept < CLOCK_SLEPT_LEAST_MS;
	stopped = agent->stop && WIFEXITED(ended) && WEXITSTATUS(ended) == JOB_STOPPED;
	if (job.request.kind == REQUEST_NOTICE)
		report_settled(&agent->report, &job.request.notice, !lost && !stopped);
	if (kind != JOB_HIBERNATE)
		return;
	agent->outcome = ended;
	if (!job.answered)
		debounce_answer(&agent->debounce, boottime_ms());
	if (killed)
		report_state(&agent->report, WATCH_FAILED);
	/* The service is asked at once whether there is another notice. */
	poller_hurry(&agent->poller);
	if (lost && !agent->stop) {
		if (request_again(&job.request, now_us())) {
			log_event(agent->log, LOG_WARNING, "job",
				"the hibernation begins again in %u s", job.request.lost);
			requests_add(&agent->requests, &job.request);
			return;
		}
		log_event(agent->log, LOG_ERR, "job",
			"the hibernation was ended %u times by a signal: given up",
			job.request.lost);
	}
	/*
	 * Swaps that it had switched off are still off, and the next hibernation may be weeks away.
	 */
	if (killed && !agent->watch->dry_run)
		request_start(agent);
}

static void listen_to_job(struct agent *agent, enum job_kind kind)
{
	if (job_listen(&agent->jobs, kind, hear_line, agent))
		hear_end(agent, kind);
}

static void end_jobs(struct agent *agent)
{
	for (enum job_kind kind = 0; kind < JOB_KINDS; kind++)
		job_stop(&agent->jobs, kind);
	for (enum job_kind kind = 0; kind < JOB_KINDS; kind++) {
		struct pollfd polled = { .fd = agent->jobs.items[kind].pipe, .events = POLLIN };

		while (job_runs(&agent->jobs, kind) && poll(&polled, 1, -1) >= 0)
			listen_to_job(agent, kind);
	}
}

/* ---- Signals and the service manager --------------------------------------------------------- */

/* Only what is in use: the rest of the libraries would take tens of megabytes. */
static void lock_memory(const struct agent *agent)
{
	if (agent->config->lock_in_ram == CHOICE_NO)
		return;
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log_event(agent->log, LOG_WARNING, "memory", "cannot lock memory: %s",
			strerror(errno));
}

static void reload(struct agent *agent)
{
	struct error err = { "" };

	notify_reloading(agent->watch->notify);
	if (agent->watch->reload(agent->watch->data, &err) < 0) {
		log_event(agent->log, LOG_ERR, "reload", "%s; the configuration stays as it was",
			err.text);
	} else {
		log_event(agent->log, LOG_NOTICE, "reload", "the configuration was read again");
		poller_hurry_all(&agent->poller);
		lock_memory(agent);
	}
	notify_ready(agent->watch->notify, agent->report.state.state.value);
	report_write(&agent->report);
}

static void listen_to_signals(struct agent *agent)
{
	struct signalfd_siginfo signal;

	while (read(agent->signals, &signal, sizeof(signal)) == sizeof(signal)) {
		if (signal.ssi_signo == SIGHUP) {
			reload(agent);
			continue;
		}
		log_event(agent->log, LOG_NOTICE, "stop", "stopped by signal %u (%s)",
			signal.ssi_signo, strsignal((int)signal.ssi_signo));
		agent->stop = true;
	}
}

/* The time until the manager wants to hear something, us. */
static uint64_t watchdog_step(struct agent *agent)
{
	uint64_t now = now_us();

	if (agent->watch->watchdog_ms == 0)
		return UINT64_MAX;
	if (now >= agent->next_watchdog) {
		notify_watchdog(agent->watch->notify);
		agent->next_watchdog = now + (uint64_t)agent->watch->watchdog_ms * 1000;
	}
	return agent->next_watchdog - now;
}

/* ---- The loop -------------------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Does what is due, waits for the next thing to happen, and hears it. */
static void run_round(struct agent *agent)
{
	/*
	 * By what is heard first: what a press is depends on what a job has said. poll(2) leaves -1
	 * out.
	 */
	struct pollfd polled[JOB_KINDS + 2] = { 0 };
	struct pollfd *keys = &polled[JOB_KINDS], *signals = keys + 1;
	uint64_t wait = least(poll_step(agent), WAIT_MOST_US);

	begin_due(agent);
	if (agent->jobs.no_process)
		wait = least(wait, RETRY_US);
	wait = least(wait, requests_wait_us(&agent->requests, now_us()));
	wait = least(wait, watchdog_step(agent));
	for (enum job_kind kind = 0; kind < JOB_KINDS; kind++)
		polled[kind].fd = job_runs(&agent->jobs, kind) ? agent->jobs.items[kind].pipe : -1;
	keys->fd = agent->keys ? sleep_keys_fd(agent->keys) : -1;
	signals->fd = agent->signals;
	for (size_t i = 0; i < ARRAY_SIZE(polled); i++)
		polled[i].events = POLLIN;
	poller_wait(&agent->poller, polled, ARRAY_SIZE(polled), wait);
	debounce_look(&agent->debounce, clock_slept_ms(), boottime_ms());
	for (enum job_kind kind = 0; kind < JOB_KINDS; kind++)
		if (polled[kind].revents)
			listen_to_job(agent, kind);
	if (keys->revents)
		listen_to_keys(agent);
	if (signals->revents)
		listen_to_signals(agent);
}

/* One round: all items asked for, and whatever came of it is done. */
static bool once_over(const struct agent *agent)
{
	const struct poller *poller = &agent->poller;

	for (enum job_kind kind = 0; kind < JOB_KINDS; kind++)
		if (job_runs(&agent->jobs, kind))
			return false;
	return agent->watch->once && agent->requests.count == 0 && poller->count == 0 &&
	       (poller->complete || poller->failures || !poller->imds);
}

static int once_result(const struct agent *agent, struct error *err)
{
	if (!agent->watch->once)
		return 0;
	if (agent->poller.failures)
		return error_set(err, EIO, "%s", agent->poller.error.text);
	if (agent->outcome != 0)
		return error_set(err, EIO, "%s",
			fact_text_or(
				&agent->report.state.last_cycle.message, "the hibernation failed"));
	return 0;
}

static int open_signals(struct agent *agent, struct error *err)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	agent->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (agent->signals < 0)
		return error_errno(err, errno, "cannot wait for signals");
	return 0;
}

/* An agent without the sleep button has the notices, and goes on. */
static void open_keys(struct agent *agent)
{
	struct error err = { "" };

	if (sleep_keys_open(&agent->keys, agent->watch->gather->root, &err) < 0)
		log_event(agent->log, LOG_ERR, "button", "cannot listen to the sleep button: %s",
			err.text);
	else
		tell_key_trouble(agent);
}

static int run(struct agent *agent, struct error *err)
{
	const struct watch *watch = agent->watch;
	int status = open_signals(agent, err);

	if (status == 0)
		status = poller_open(&agent->poller, watch->gather->imds, err);
	if (status < 0)
		return status;
	open_keys(agent);
	agent->report.keys = agent->keys;
	agent->report.imds = agent->poller.imds;
	report_begin(&agent->report);
	memory_forget_constant();
	lock_memory(agent);
	if (agent->poller.imds)
		log_event(agent->log, LOG_NOTICE, "start", "watching %s every %llu ms",
			agent->report.state.endpoint.value,
			(unsigned long long)agent->config->poll_interval);
	else
		log_event(agent->log, LOG_NOTICE, "start", "watching the sleep button; no polls");
	notify_ready(watch->notify, WATCH_WATCHING);
	if (watch->ready)
		watch->ready(watch->data);
	if (!watch->dry_run)
		request_start(agent);
	while (!agent->stop && !once_over(agent))
		run_round(agent);
	notify_stopping(watch->notify, "stopping");
	end_jobs(agent);
	fact_set_absent(fact_of(&agent->report.state.pid));
	report_state(&agent->report, WATCH_STOPPED);
	return once_result(agent, err);
}

static void agent_init(struct agent *agent, const struct watch *watch)
{
	const struct gather *gather = watch->gather;

	*agent = (struct agent) { .watch = watch,
		.config = gather->config,
		.log = &watch->log,
		.poller = { .config = gather->config, .log = &watch->log },
		.signals = -1,
		.jobs = { .gather = gather,
			.log = &watch->log,
			.dry_run = watch->dry_run,
			.work = job_work },
		.report = { .gather = gather,
			.notify = watch->notify,
			.log = &watch->log,
			.debounce = &agent->debounce,
			.dry_run = watch->dry_run } };
}

static void agent_free(struct agent *agent)
{
	poller_close(&agent->poller);
	sleep_keys_close(agent->keys);
	free(agent->key_trouble);
	free(agent->requests.items);
	layout_free(&watch_state_layout, &agent->report.state);
	if (agent->signals >= 0)
		close(agent->signals);
}

int watch_run(const struct watch *watch, struct error *err)
{
	int lock = lock_take(watch->gather->root, WATCH_LOCK, 0, err);
	struct agent agent;
	int status;

	if (lock < 0)
		return lock;
	agent_init(&agent, watch);
	agent.jobs.lock = lock;
	status = run(&agent, err);
	agent_free(&agent);
	close(lock);
	return status;
}
