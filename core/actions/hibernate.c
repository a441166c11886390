/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/hibernate.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "core/actions/history.h"
#include "core/actions/hooks.h"
#include "core/actions/kernel.h"
#include "core/actions/lock.h"
#include "core/actions/prewarm.h"
#include "core/actions/setup.h"
#include "core/actions/swap.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"
#include "core/facts/kernel_log.h"
#include "core/rules/hibernation.h"
#include "core/rules/timeline.h"

/* systemd's own jobs before and after; the time away does not count (CLOCK_MONOTONIC). */
#define SYSTEMD_TIMEOUT_MS (30 * 60 * 1000)

/* Before the second attempt; three times as long before each further one. */
#define PAUSE_MS	1000
#define PAUSE_STEP_MS	100
#define PREWARM_WAIT_MS 5000 /* it ends with its requests; a cold volume is slow */

struct transaction {
	const struct hibernation *asked;
	const struct config *config;
	struct facts facts;
	struct hibernation_plan plan;
	struct cycle *cycle;
	size_t switched_off; /* so many of plan.leaves */
	bool image_size_changed;
};

static void say(const struct transaction *transaction, int priority, const char *format,
	...) __attribute__((format(printf, 3, 4)));

static void say(
	const struct transaction *transaction, int priority, const char *format, ...)
{
	memory_cleanup_free char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	transaction->asked->log(transaction->asked->data, priority, text);
}

static void note(void *data, const char *text)
{
	say(data, LOG_INFO, "%s", text);
}

static void enter(const struct transaction *transaction, enum hibernation_phase phase)
{
	if (transaction->asked->phase)
		transaction->asked->phase(transaction->asked->data, phase);
}

static bool cancelled(const struct transaction *transaction)
{
	return transaction->asked->cancelled &&
	       transaction->asked->cancelled(transaction->asked->data);
}

static const struct root *root_of(const struct transaction *transaction)
{
	return transaction->asked->gather->root;
}

/* How long the machine has slept since it was booted: only CLOCK_BOOTTIME goes on meanwhile. */
static uint64_t slept_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME) - clock_ms(CLOCK_MONOTONIC);
}

/* ---- Hooks -------------------------------------------------------------------------------------- */

static int run_hooks(
	struct transaction *transaction, enum hook_event event, struct error *err)
{
	const struct cycle *cycle = transaction->cycle;
	const struct hooks hooks = { .root = root_of(transaction),
		.timeout_ms = (unsigned)transaction->config->hook_timeout,
		.log = transaction->asked->log,
		/* What comes after has to be done, also by who was told to stop. */
		.cancelled = event == HOOK_PRE_HIBERNATE ? transaction->asked->cancelled
							 : NULL,
		.data = transaction->asked->data };
	memory_cleanup_free char *away =
		cycle->away.is == FACT_KNOWN
			? text_format(
				  "%llu", (unsigned long long)cycle->away.value / 1000)
			: NULL;
	const struct hook_fact facts[] = {
		{ "REASON", transaction->asked->reason },
		{ "ACTION", transaction->asked->notice_action },
		{ "TIME", transaction->asked->notice_time },
		{ "METHOD", transaction->plan.method },
		{ "RESULT", cycle->result.is == FACT_KNOWN ? cycle->result.value : NULL },
		{ "MESSAGE",
			cycle->message.is == FACT_KNOWN ? cycle->message.value : NULL },
		{ "AWAY_SECONDS", away },
	};
	struct hooks_result result = { 0 };

	hooks_run(&hooks, event, facts, sizeof(facts) / sizeof(facts[0]), &result);
	if (result.failed == 0)
		return 0;
	return error_set(err, ECANCELED, "the hook %s/%s failed: %s", hook_events[event],
		result.first, result.reason.text);
}

/* ---- Before ------------------------------------------------------------------------------------- */

static int refuse(const struct transaction *transaction, bool prepared, struct error *err)
{
	strings_cleanup struct strings obstacles = { 0 };
	memory_cleanup_free char *text = NULL;

	hibernation_obstacles(
		&transaction->facts, transaction->config, prepared, &obstacles);
	if (obstacles.count == 0)
		return 0;
	text = strings_join(&obstacles, "; ");
	return error_set(err, EPERM, "this machine cannot hibernate now: %s", text);
}

/* What setup would do about the swap area and the running kernel. */
static int apply_steps(struct transaction *transaction, struct error *err)
{
	const struct progress progress = { .note = note, .data = transaction };
	struct setup setup = { .gather = transaction->asked->gather,
		.facts = &transaction->facts,
		.progress = &progress };
	const struct plan *steps = &transaction->plan.steps;
	int status;

	for (size_t i = 0; i < steps->count; i++)
		say(transaction, LOG_INFO, "before hibernating: %s",
			steps->steps[i].text);
	status = plan_apply(&setup, steps, err);
	if (status == 0 && steps->count)
		facts_gather_again(&transaction->facts, transaction->asked->gather);
	return status;
}

static int switch_others_off(struct transaction *transaction, struct error *err)
{
	for (size_t i = 0; i < transaction->plan.leave_count; i++) {
		const struct swap_leave *swap = &transaction->plan.leaves[i];
		int status;

		say(transaction, LOG_INFO, "switching %s off until after resume",
			swap->path);
		status = swap_off(root_of(transaction), swap->path, swap->used,
			&transaction->facts.memory, err);
		if (status < 0)
			return status;
		transaction->switched_off = i + 1;
	}
	return 0;
}

static int shrink_image(struct transaction *transaction, struct error *err)
{
	int status;

	if (!transaction->plan.set_image_size)
		return 0;
	status = kernel_set_image_size(
		root_of(transaction), transaction->plan.image_size, err);
	transaction->image_size_changed = status == 0;
	return status;
}

static int prepare(struct transaction *transaction, struct error *err)
{
	int status = hibernation_plan(
		&transaction->plan, &transaction->facts, transaction->config, err);

	if (status == 0)
		status = apply_steps(transaction, err);
	if (status == 0)
		status = switch_others_off(transaction, err);
	if (status == 0)
		status = shrink_image(transaction, err);
	if (status == 0 && transaction->plan.leave_count)
		facts_gather_again(&transaction->facts, transaction->asked->gather);
	/* What was just put right is read back here: area, resume device and offset. */
	if (status == 0)
		status = refuse(transaction, true, err);
	return status;
}

/* ---- The write ------------------------------------------------------------------------------------ */

static int write_state(const struct transaction *transaction, struct error *err)
{
	static const char *const systemctl[] = { "systemctl", "start", "hibernate.target",
		NULL };

	if (strcmp(transaction->plan.method, METHOD_SYSTEMD) == 0)
		return process_run(
			root_of(transaction), systemctl, SYSTEMD_TIMEOUT_MS, NULL, err);
	return kernel_hibernate(root_of(transaction), err);
}

/* The cycle that the kernel's log tells of since the mark. False: none. */
static bool read_log(struct transaction *transaction, uint64_t mark)
{
	memory_cleanup_free char *log = NULL;
	struct error err = { "" };
	timeline_list found = { 0 };
	uint64_t last;

	if (kernel_log_read(root_of(transaction), mark, &log, &last, &err) < 0) {
		say(transaction, LOG_WARNING, "%s", err.text);
		return false;
	}
	timelines_parse(log, strlen(log), (unsigned long)sysconf(_SC_PAGESIZE), &found);
	if (found.count)
		cycle_take_timeline(transaction->cycle, &found.items[found.count - 1]);
	timelines_free(&found);
	return true;
}

/* The write that stops the machine is next. */
static void enter_last(struct transaction *transaction)
{
	fact_set_number(&transaction->cycle->prepare,
		clock_ms(CLOCK_BOOTTIME) - transaction->asked->asked);
	enter(transaction, PHASE_HIBERNATING);
}

static void pretend(struct transaction *transaction)
{
	sync();
	enter_last(transaction);
	say(transaction, LOG_NOTICE,
		"dry run: everything is done but the write to /sys/power/state");
	fact_set_text(&transaction->cycle->result, RESULT_DRY_RUN);
}

/* Otherwise the error of the write has the reason, or a part of it. */
static bool log_tells(enum timeline_failure failure)
{
	return failure != FAILURE_NONE && failure != FAILURE_OTHER;
}

/*
 * One attempt. *PASSES when it failed for a reason that may be gone in a moment. Where a failed
 * attempt left an image on the disk, it is made plain swap again at once: a later boot would bring
 * the past back.
 */
static int attempt(struct transaction *transaction, bool *passes, struct error *err)
{
	struct cycle *cycle = transaction->cycle;
	uint64_t slept = slept_ms(), mark = 0;
	struct error reason = { "" };
	enum timeline_failure failure;
	int status;

	layout_free(&timeline_layout, &cycle->timeline);
	kernel_log_read(root_of(transaction), 0, NULL, &mark, &reason);
	sync();
	enter_last(transaction);
	status = write_state(transaction, &reason);
	if (slept_ms() > slept)
		fact_set_number(&cycle->away, slept_ms() - slept);
	read_log(transaction, mark);
	if (status == 0) {
		fact_set_text(&cycle->result, RESULT_RESUMED);
		fact_set_absent(fact_of(&cycle->message));
		return 0;
	}
	failure = timeline_failure_of(&cycle->timeline);
	*passes = timeline_failure_passes(failure) ||
		  (!log_tells(failure) && status == -EBUSY);
	if (log_tells(failure))
		return error_set(err, -status, "the kernel did not hibernate: %s",
			cycle->timeline.failure.value);
	return error_set(err, -status, "the kernel did not hibernate: %s%s%s",
		reason.text, failure == FAILURE_OTHER ? "; " : "",
		failure == FAILURE_OTHER ? cycle->timeline.failure.value : "");
}

/* True when it was cancelled meanwhile. */
static bool pause_before(const struct transaction *transaction, unsigned pause_ms)
{
	for (; pause_ms >= PAUSE_STEP_MS; pause_ms -= PAUSE_STEP_MS) {
		if (cancelled(transaction))
			return true;
		poll(NULL, 0, PAUSE_STEP_MS);
	}
	return cancelled(transaction);
}

/* An attempt that failed may have left an image or taken something away: look again, mend. */
static int prepare_again(struct transaction *transaction, struct error *err)
{
	facts_gather_again(&transaction->facts, transaction->asked->gather);
	plan_free(&transaction->plan.steps);
	transaction->plan.steps = (struct plan) { 0 };
	return preparation_plan(&transaction->plan.steps, &transaction->facts,
		       transaction->config, err) < 0
		       ? -EIO
		       : apply_steps(transaction, err);
}

static int attempts(struct transaction *transaction, struct error *err)
{
	unsigned pause_ms = PAUSE_MS;
	uint64_t tries = 0;
	bool passes = false;

	for (;;) {
		struct error mending = { "" };
		int status = attempt(transaction, &passes, err);

		fact_set_number(&transaction->cycle->tries, ++tries);
		if (status == 0)
			return 0;
		if (prepare_again(transaction, &mending) < 0) {
			say(transaction, LOG_ERR, "%s", mending.text);
			return status;
		}
		if (!passes || tries >= transaction->config->attempts)
			return status;
		say(transaction, LOG_WARNING,
			"attempt %llu of %llu: %s; trying again in %u s",
			(unsigned long long)tries,
			(unsigned long long)transaction->config->attempts, err->text,
			pause_ms / 1000);
		if (pause_before(transaction, pause_ms))
			return error_set(err, ECANCELED, "stopped before attempt %llu",
				(unsigned long long)tries + 1);
		pause_ms *= 3;
	}
}

/* ---- After ---------------------------------------------------------------------------------------- */

/* Puts back what prepare() changed for the time away. Best effort: what fails is said. */
static void restore(struct transaction *transaction)
{
	struct error err = { "" };

	if (transaction->image_size_changed &&
		kernel_set_image_size(root_of(transaction),
			transaction->plan.image_size_before, &err) < 0)
		say(transaction, LOG_ERR, "%s", err.text);
	while (transaction->switched_off) {
		const struct swap_leave *swap =
			&transaction->plan.leaves[--transaction->switched_off];

		if (swap_on(swap->path, swap->priority, &err) < 0)
			say(transaction, LOG_ERR, "%s", err.text);
	}
}

/*
 * Only when it is asked for, and what the area holds fits into memory: otherwise swapoff(2) blocks
 * for minutes (aws/amazon-ec2-hibinit-agent #57).
 */
static void switch_area_off(struct transaction *transaction)
{
	const struct area_facts *area = &transaction->facts.area;
	struct error err = { "" };

	if (transaction->config->swapoff_after_resume != CHOICE_YES)
		return;
	facts_gather_again(&transaction->facts, transaction->asked->gather);
	if (fact_is_true(&area->active) &&
		swap_off(root_of(transaction), area->path.value,
			area->used.is == FACT_KNOWN ? area->used.value : 0,
			&transaction->facts.memory, &err) < 0)
		say(transaction, LOG_WARNING, "%s; it stays on", err.text);
}

static void remember(const struct transaction *transaction)
{
	struct error err = { "" };

	if (history_append(root_of(transaction), transaction->config->state_dir,
		    transaction->cycle, &err) != 0)
		say(transaction, LOG_WARNING, "%s", err.text);
}

/* ---- All of it ------------------------------------------------------------------------------------ */

static void cycle_begin(struct transaction *transaction)
{
	const struct hibernation *asked = transaction->asked;
	struct cycle *cycle = transaction->cycle;
	time_t now = time(NULL);
	char stamp[sizeof("2017-09-18T08:22:00Z")];
	struct tm parts;

	if (strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts)))
		fact_set_text(&cycle->began, stamp);
	fact_set_text(&cycle->reason, asked->reason);
	fact_set_text(&cycle->notice_action, asked->notice_action);
	fact_set_text(&cycle->notice_time, asked->notice_time);
	fact_set_absent(fact_of(&cycle->method));
	fact_set_absent(fact_of(&cycle->message));
	fact_set_number(&cycle->tries, 0);
}

/*
 * The image has the disk for itself. Before the lock, which a pre-warm that writes holds, as does a
 * setup that waits for one: a notice waits for neither. What was done so far is kept.
 */
static void stop_prewarm(const struct transaction *transaction)
{
	struct error err = { "" };
	int status;

	if (transaction->asked->dry_run)
		return;
	status = prewarm_stop(root_of(transaction), PREWARM_WAIT_MS, &err);
	if (status)
		say(transaction, status < 0 ? LOG_WARNING : LOG_NOTICE, "%s",
			status < 0 ? err.text : "the pre-warm was stopped");
}

/* From the hooks to the write and back; what it changed is put back. */
static int hibernate_prepared(struct transaction *transaction, struct error *err)
{
	struct error failed = { "" };
	int status = refuse(transaction, false, err);

	if (status < 0)
		return status;
	if (run_hooks(transaction, HOOK_PRE_HIBERNATE, &failed) < 0 &&
		!cancelled(transaction) &&
		transaction->config->hook_failure == HOOK_FAILURE_ABORT)
		return error_set(
			err, ECANCELED, "%s, and hook-failure is abort", failed.text);
	if (cancelled(transaction))
		return error_set(err, ECANCELED, "stopped before hibernating");
	status = prepare(transaction, err);
	fact_set_text(&transaction->cycle->method, transaction->plan.method);
	if (status == 0 && cancelled(transaction))
		status = error_set(err, ECANCELED, "stopped before hibernating");
	if (status == 0 && transaction->asked->dry_run)
		pretend(transaction);
	else if (status == 0)
		status = attempts(transaction, err);
	restore(transaction);
	return status;
}

static int run(struct transaction *transaction, struct error *err)
{
	struct cycle *cycle = transaction->cycle;
	int status;

	enter(transaction, PHASE_PREPARING);
	facts_gather(&transaction->facts, transaction->asked->gather);
	if (transaction->facts.kernel.release.is == FACT_KNOWN)
		fact_set_text(&cycle->kernel, transaction->facts.kernel.release.value);
	status = hibernate_prepared(transaction, err);
	if (status < 0) {
		fact_set_text(&cycle->result,
			status == -EPERM ? RESULT_REFUSED : RESULT_FAILED);
		fact_set_text(&cycle->message, err->text);
	}
	enter(transaction, status < 0 ? PHASE_FAILED : PHASE_RESUMED);
	if (!transaction->asked->dry_run)
		remember(transaction);
	if (status == 0 && !transaction->asked->dry_run)
		switch_area_off(transaction);
	return status;
}

int hibernate(
	const struct hibernation *hibernation, struct cycle *cycle, struct error *err)
{
	struct hibernation asked = *hibernation;
	struct transaction transaction = {
		.asked = &asked, .config = hibernation->gather->config, .cycle = cycle
	};
	struct error failed = { "" };
	file_cleanup_close int lock = -1;
	int status;

	if (asked.asked == 0)
		asked.asked = clock_ms(CLOCK_BOOTTIME);
	cycle_begin(&transaction);
	stop_prewarm(&transaction);
	lock = lock_take(root_of(&transaction), LOCK_PATH, asked.patience_ms, err);
	if (lock < 0) {
		fact_set_text(&cycle->result, RESULT_FAILED);
		fact_set_text(&cycle->message, err->text);
		return lock;
	}
	status = run(&transaction, err);
	run_hooks(&transaction, status < 0 ? HOOK_FAILED : HOOK_POST_RESUME, &failed);
	hibernation_plan_free(&transaction.plan);
	facts_free(&transaction.facts);
	return status;
}
