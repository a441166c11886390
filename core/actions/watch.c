/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "core/actions/lock.h"
#include "core/actions/watch_agent.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

/* The longest that nothing may happen, us. */
#define WAIT_MOST_US ((uint64_t)60 * 1000 * 1000)

/* When no process could be started, us. */
#define RETRY_US ((uint64_t)1000 * 1000)

uint64_t agent_now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

uint64_t agent_boottime_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

void agent_log(const struct agent *agent, int priority, const char *event, const char *format, ...)
{
	const struct log_field field = { "EC2HIB_EVENT", event };
	memory_cleanup_free char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	agent->watch->log(agent->watch->data, priority, text, &field, 1);
}

/* ---- Beginning ------------------------------------------------------------------------------------ */

/* Only what is in use: the rest of the libraries would take tens of megabytes. */
static void lock_memory(const struct agent *agent)
{
	if (agent->config->lock_in_ram == CHOICE_NO)
		return;
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		agent_log(agent, LOG_WARNING, "memory", "cannot lock memory: %s", strerror(errno));
}

static int listen_to_signals(struct agent *agent, struct error *err)
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

/* A device that cannot be opened is said once, now or whenever it comes. */
static void tell_key_trouble(struct agent *agent)
{
	const char *trouble = sleep_keys_trouble(agent->keys);

	if (text_equal(agent->key_trouble, trouble))
		return;
	if (trouble)
		agent_log(agent, LOG_WARNING, "button", "%s", trouble);
	text_set(&agent->key_trouble, trouble ? text_copy(trouble) : NULL);
}

static void listen_to_keys(struct agent *agent)
{
	struct error err = { "" };

	if (sleep_keys_open(&agent->keys, agent->watch->gather->root, &err) < 0)
		agent_log(agent, LOG_ERR, "button", "the sleep button is not listened to: %s",
			err.text);
	else
		tell_key_trouble(agent);
}

static int open_service(struct agent *agent, struct error *err)
{
	struct error why = { "" };
	int status = imds_open(&agent->imds, agent->watch->gather->imds, &why);

	if (status == -ECANCELED) {
		agent_log(agent, LOG_WARNING, "metadata", "the metadata service is not asked: %s",
			why.text);
		return 0;
	}
	if (status < 0)
		*err = why;
	return status;
}

/* ---- The loop ------------------------------------------------------------------------------------- */

static void reload(struct agent *agent)
{
	struct error err = { "" };

	notify_reloading(agent->watch->notify);
	if (agent->watch->reload(agent->watch->data, &err) < 0) {
		agent_log(agent, LOG_ERR, "reload", "%s; the configuration stays as it was",
			err.text);
	} else {
		agent_log(agent, LOG_NOTICE, "reload", "the configuration was read again");
		agent->next_poll = agent_now_us();
		agent->next_slow = agent->next_poll;
		lock_memory(agent);
	}
	notify_ready(agent->watch->notify, agent->state.state.value);
	report_write(agent);
}

static void take_signals(struct agent *agent)
{
	struct signalfd_siginfo signal;

	while (read(agent->signals, &signal, sizeof(signal)) == sizeof(signal)) {
		if (signal.ssi_signo == SIGHUP) {
			reload(agent);
			continue;
		}
		agent_log(
			agent, LOG_NOTICE, "stop", "ends, by %s", strsignal((int)signal.ssi_signo));
		agent->stop = true;
	}
}

static void take_keys(struct agent *agent)
{
	struct sleep_press press;

	if (sleep_keys_read(agent->keys, &press))
		errand_press(agent, &press);
	else
		report_write(agent); /* a device came or went */
	tell_key_trouble(agent);
}

/* The time until the manager wants to hear something, us. */
static uint64_t watchdog_step(struct agent *agent)
{
	uint64_t now = agent_now_us();

	if (agent->watch->watchdog_ms == 0)
		return UINT64_MAX;
	if (now >= agent->next_watchdog) {
		notify_watchdog(agent->watch->notify);
		agent->next_watchdog = now + (uint64_t)agent->watch->watchdog_ms * 1000;
	}
	return agent->next_watchdog - now;
}

static void wait_for_something(
	struct agent *agent, struct pollfd *polled, size_t count, uint64_t wait_us)
{
	unsigned wait_ms;

	if (wait_us > WAIT_MOST_US)
		wait_us = WAIT_MOST_US;
	wait_ms = (unsigned)((wait_us + 999) / 1000);
	if (agent->imds)
		imds_wait(agent->imds, polled, count, wait_ms);
	else
		poll(polled, count, (int)wait_ms);
}

static void round_of(struct agent *agent)
{
	uint64_t wait_us = poll_step(agent), watchdog_us, due_us;
	struct pollfd polled[2 + ERRAND_KINDS] = { { .fd = agent->signals, .events = POLLIN } };
	size_t count = 1, keys = 0, errands[ERRAND_KINDS] = { 0 };

	errands_begin(agent);
	if (agent->no_process && wait_us > RETRY_US)
		wait_us = RETRY_US;
	due_us = errands_wait_us(agent);
	if (due_us < wait_us)
		wait_us = due_us;
	watchdog_us = watchdog_step(agent);
	if (watchdog_us < wait_us)
		wait_us = watchdog_us;
	if (agent->keys)
		polled[keys = count++] =
			(struct pollfd) { .fd = sleep_keys_fd(agent->keys), .events = POLLIN };
	for (enum errand_kind kind = 0; kind < ERRAND_KINDS; kind++)
		if (errand_runs(agent, kind))
			polled[errands[kind] = count++] =
				(struct pollfd) { .fd = agent->errands[kind].pipe,
					.events = POLLIN };
	wait_for_something(agent, polled, count, wait_us);
	errand_resume(agent);
	/* What a press is depends on what the child has said: it is heard first. */
	for (enum errand_kind kind = 0; kind < ERRAND_KINDS; kind++)
		if (errands[kind] && polled[errands[kind]].revents)
			errand_listen(agent, kind);
	if (keys && polled[keys].revents)
		take_keys(agent);
	if (polled[0].revents)
		take_signals(agent);
}

/* One round: all items asked for, and whatever came of it is done. */
static bool once_over(const struct agent *agent)
{
	for (enum errand_kind kind = 0; kind < ERRAND_KINDS; kind++)
		if (errand_runs(agent, kind))
			return false;
	return agent->watch->once && (agent->answered || agent->failures || !agent->imds) &&
	       agent->asked == 0 && agent->pending_count == 0 && !agent->press.waits &&
	       !agent->start_waits;
}

static int once_result(const struct agent *agent, struct error *err)
{
	if (!agent->watch->once)
		return 0;
	if (agent->failures)
		return error_set(err, EIO, "%s", agent->state.error.value);
	if (agent->outcome != 0)
		return error_set(err, EIO, "%s",
			fact_text_or(&agent->state.last_cycle.message, "the hibernation failed"));
	return 0;
}

static int agent_run(struct agent *agent, struct error *err)
{
	int status = listen_to_signals(agent, err);

	if (status == 0)
		status = open_service(agent, err);
	if (status < 0)
		return status;
	listen_to_keys(agent);
	report_begin(agent);
	memory_forget_constant();
	lock_memory(agent);
	if (agent->imds)
		agent_log(agent, LOG_NOTICE, "start", "watching %s every %llu ms",
			agent->state.endpoint.value,
			(unsigned long long)agent->config->poll_interval);
	else
		agent_log(agent, LOG_NOTICE, "start", "watching the sleep button; no polls");
	notify_ready(agent->watch->notify, WATCH_WATCHING);
	if (agent->watch->ready)
		agent->watch->ready(agent->watch->data);
	if (!agent->watch->dry_run)
		errand_begin_start(agent);
	while (!agent->stop && !once_over(agent))
		round_of(agent);
	notify_stopping(agent->watch->notify, "ends");
	errands_end(agent);
	fact_set_absent(fact_of(&agent->state.pid));
	report_state(agent, WATCH_STOPPED);
	return once_result(agent, err);
}

int watch_run(const struct watch *watch, struct error *err)
{
	struct agent agent = { .watch = watch,
		.config = watch->gather->config,
		.lock = lock_take(watch->gather->root, WATCH_LOCK, 0, err),
		.signals = -1 };
	int status;

	if (agent.lock < 0)
		return agent.lock;
	status = agent_run(&agent, err);
	poll_free(&agent);
	sleep_keys_close(agent.keys);
	free(agent.key_trouble);
	layout_free(&watch_state_layout, &agent.state);
	if (agent.signals >= 0)
		close(agent.signals);
	close(agent.lock);
	return status;
}
