/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/hibernate.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/history.h"
#include "core/actions/hooks.h"
#include "core/actions/kernel.h"
#include "core/actions/recover.h"
#include "core/actions/swap.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"
#include "core/rules/timeline.h"
#include "core/rules/unswappable.h"

/* systemd's own jobs before and after; the time away does not count (CLOCK_MONOTONIC). */
#define SYSTEMD_TIMEOUT_MS (30 * 60 * 1000)

/* Before the second attempt; three times as long before each further one. */
#define PAUSE_MS      1000
#define PAUSE_STEP_MS 100

/* ---- Hooks ----------------------------------------------------------------------------------- */

static int run_hooks(const struct transaction *transaction, enum hook_event event,
	const struct reporter *reporter, struct error *err)
{
	const struct cycle *cycle = transaction->cycle;
	const struct hibernation *request = &transaction->request;
	const struct hooks hooks = { .root = transaction->root,
		.timeout_ms = (unsigned)transaction->config->hook_timeout,
		.reporter = reporter };
	memory_cleanup_free char *away =
		cycle->away.is == FACT_KNOWN
			? text_format("%llu", (unsigned long long)cycle->away.value / 1000)
			: NULL;
	const struct hook_fact facts[] = {
		{ "REASON", request->reason },
		{ "ACTION", request->notice_action },
		{ "TIME", request->notice_time },
		{ "METHOD", transaction->plan.method },
		{ "RESULT", fact_text_or(&cycle->result, NULL) },
		{ "MESSAGE", fact_text_or(&cycle->message, NULL) },
		{ "AWAY_SECONDS", away },
	};
	struct hooks_result result = { 0 };

	hooks_run(&hooks, event, facts, ARRAY_SIZE(facts), &result);
	if (result.failed == 0)
		return 0;
	return error_set(err, ECANCELED, "the hook %s/%s failed: %s", hook_events[event],
		result.first, result.reason.text);
}

static int hooks_before(const struct transaction *transaction, struct error *err)
{
	struct error failed = { "" };

	if (run_hooks(transaction, HOOK_PRE_HIBERNATE, transaction->request.reporter, &failed) <
			0 &&
		!transaction_cancelled(transaction) &&
		transaction->config->hook_failure == HOOK_FAILURE_ABORT)
		return error_set(err, ECANCELED, "%s, and hook-failure is abort", failed.text);
	return 0;
}

/* Also those of who was told to stop: they put the machine back to work. */
static void hooks_after(const struct transaction *transaction, int status)
{
	struct error ignored = { "" };

	/* Whoever has answered it in our place has run the hooks. */
	if (status != -EALREADY)
		run_hooks(transaction, status < 0 ? HOOK_FAILED : HOOK_POST_RESUME,
			&transaction->steady, &ignored);
}

/* ---- The write ------------------------------------------------------------------------------- */

static int write_disk(const struct transaction *transaction, struct error *err)
{
	static const char *const systemctl[] = { "systemctl", "start", "hibernate.target", NULL };

	if (strcmp(transaction->plan.method, METHOD_SYSTEMD) == 0)
		return process_run(transaction->root, systemctl, SYSTEMD_TIMEOUT_MS, NULL, err);
	return kernel_hibernate(transaction->root, err);
}

/* The write that stops the machine is next. */
static void enter_last(const struct transaction *transaction)
{
	fact_set_number(&transaction->cycle->prepare,
		clock_ms(CLOCK_BOOTTIME) - transaction->request.requested_at);
	transaction_enter(transaction, PHASE_HIBERNATING);
}

/* The error of the write was STATUS, for REASON. */
static int failed(const struct transaction *transaction, int status, const struct error *reason,
	bool *passes, struct error *err)
{
	const struct timeline *timeline = &transaction->cycle->timeline;
	const char *logged = transaction_log_reason(transaction);
	enum timeline_failure failure = timeline_failure_of(timeline);

	*passes = timeline_failure_passes(failure) || (!logged && status == -EBUSY);
	if ((status == -ENOMEM || failure == FAILURE_MEMORY) &&
		transaction->facts.memory.unswappable.is == FACT_KNOWN) {
		memory_cleanup_free char *stays = unswappable_text(&transaction->facts.memory);

		return error_set(err, -status, "the kernel did not hibernate: %s; %s",
			logged ? logged : reason->text, stays);
	}
	if (logged)
		return error_set(err, -status, "the kernel did not hibernate: %s", logged);
	return error_set(err, -status, "the kernel did not hibernate: %s%s%s", reason->text,
		failure == FAILURE_OTHER ? "; " : "",
		failure == FAILURE_OTHER ? timeline->failure.value : "");
}

/*
 * The machine has not slept, as its clocks say; STATUS is what the write said. That decides, and
 * the log only adds why: a machine without a clock that lasts cannot tell that it was away, and
 * kernels from 6.19 on say so little of an image that a good hibernation may be "unknown" in the
 * log. What the log proves counts against an answer without an error: a failure, a test mode
 * (/sys/power/disk, pm_test; they end without one), or no hibernation at all, where systemctl said
 * that all is well without having asked the kernel.
 */
static int conclude_awake(struct transaction *transaction, uint64_t mark, int status,
	const struct error *reason, bool *passes, struct error *err)
{
	const struct timeline *timeline = &transaction->cycle->timeline;
	bool told = transaction_read_log(transaction, mark);
	const char *against = NULL;

	if (status < 0)
		return failed(transaction, status, reason, passes, err);
	if (fact_text_is(&timeline->result, RESULT_TESTED))
		against = "tells of a test mode";
	else if (fact_text_is(&timeline->result, RESULT_FAILED))
		against = timeline->failure.value;
	else if (told && timeline->result.is != FACT_KNOWN)
		against = "tells of no hibernation";
	if (against)
		return error_set(err, EIO,
			"the machine did not hibernate, though there was no error: its clocks went on, and the kernel's log%s %s",
			against == timeline->failure.value ? " says:" : "", against);
	transaction_enter(transaction, PHASE_RESUMED);
	return 0;
}

/* One attempt. *PASSES when it failed for a reason that may be gone in a moment. */
static int attempt(struct transaction *transaction, bool *passes, struct error *err)
{
	struct cycle *cycle = transaction->cycle;
	int64_t slept = clock_slept_ms(), away;
	uint64_t mark = transaction_mark_log(transaction);
	struct error reason = { "" };
	int status;

	sync();
	*passes = false;
	/* Writing out the file systems may have taken long. */
	if (transaction_cancelled(transaction))
		return error_set(err, ECANCELED, "stopped before hibernating");
	enter_last(transaction);
	status = write_disk(transaction, &reason);
	away = clock_slept_ms() - slept;
	if (away < CLOCK_SLEPT_LEAST_MS) {
		status = conclude_awake(transaction, mark, status, &reason, passes, err);
		if (status < 0)
			return status;
	} else {
		/* At once: what is pressed from now on is not an echo for ever. */
		transaction_enter(transaction, PHASE_RESUMED);
		fact_set_number(&cycle->away, (uint64_t)away);
		transaction_read_log(transaction, mark);
		if (status < 0)
			reporter_log(&transaction->steady, LOG_WARNING,
				"the machine was away and is back, but: %s", reason.text);
	}
	fact_set_text(&cycle->result, RESULT_RESUMED);
	fact_set_absent(fact_of(&cycle->message));
	return 0;
}

/* True when it was cancelled meanwhile. */
static bool pause_before(const struct transaction *transaction, unsigned pause_ms)
{
	for (; pause_ms >= PAUSE_STEP_MS; pause_ms -= PAUSE_STEP_MS) {
		if (transaction_cancelled(transaction))
			return true;
		poll(NULL, 0, PAUSE_STEP_MS);
	}
	return transaction_cancelled(transaction);
}

/* Hibernates, as often as it may help. 0: the machine was away and is back. */
static int write_and_resume(struct transaction *transaction, struct error *err)
{
	const unsigned long long attempts = transaction->config->attempts;
	unsigned pause_ms = PAUSE_MS;

	for (unsigned long long tries = 1;; tries++) {
		struct error mending = { "" };
		bool passes = false;
		int status = attempt(transaction, &passes, err);

		fact_set_number(&transaction->cycle->tries, tries);
		if (status == 0)
			return 0;
		if (transaction_mend(transaction, &mending) < 0) {
			reporter_log(&transaction->steady, LOG_ERR, "%s", mending.text);
			return status;
		}
		if (!passes || tries >= attempts)
			return status;
		reporter_log(&transaction->steady, LOG_WARNING,
			"attempt %llu of %llu: %s; trying again in %u s", tries, attempts,
			err->text, pause_ms / 1000);
		if (pause_before(transaction, pause_ms))
			return error_set(err, ECANCELED, "stopped before attempt %llu", tries + 1);
		pause_ms *= 3;
	}
}

/* ---- After resume ---------------------------------------------------------------------------- */

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
	facts_gather_again(&transaction->facts, transaction->request.gather);
	if (fact_is_true(&area->active) &&
		swap_off(transaction->root, area->path.value, fact_number_or(&area->used, 0),
			&transaction->facts.memory, &err) < 0)
		reporter_log(&transaction->steady, LOG_WARNING, "%s; it stays on", err.text);
}

static void record_cycle(const struct transaction *transaction)
{
	struct error err = { "" };

	layout_settle(&cycle_layout, transaction->cycle);
	if (history_append(transaction->root, transaction->config->state_dir, transaction->cycle,
		    &err) != 0)
		reporter_log(&transaction->steady, LOG_WARNING, "%s", err.text);
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* What comes before the write. */
static int prepare(struct transaction *transaction, struct error *err)
{
	int status;

	recover_locked(transaction->request.gather, &transaction->steady);
	status = transaction_look(transaction, err);
	if (status == 0)
		status = hooks_before(transaction, err);
	if (status == 0)
		status = transaction_prepare(transaction, err);
	return status;
}

/* What comes after it, whatever came of it. */
static void settle(struct transaction *transaction, int status, const struct error *err)
{
	transaction_restore(transaction);
	if (status < 0)
		transaction_fail(transaction, status, err);
}

int hibernate(const struct hibernation *request, struct cycle *cycle, struct error *err)
{
	struct transaction transaction;
	int status;

	transaction_begin(&transaction, request, cycle);
	transaction_stop_prewarm(&transaction);
	status = transaction_lock(&transaction, err);
	if (status == 0) {
		status = prepare(&transaction, err);
		if (status == 0)
			status = write_and_resume(&transaction, err);
		settle(&transaction, status, err);
		record_cycle(&transaction);
		if (status == 0)
			switch_area_off(&transaction);
	}
	hooks_after(&transaction, status);
	transaction_end(&transaction);
	return status;
}

static void pretend_to_write(const struct transaction *transaction)
{
	sync();
	enter_last(transaction);
	reporter_log(&transaction->steady, LOG_NOTICE,
		"dry run: everything is done but the write to /sys/power/state");
	fact_set_text(&transaction->cycle->result, RESULT_DRY_RUN);
	transaction_enter(transaction, PHASE_RESUMED);
}

int hibernate_pretend(const struct hibernation *request, struct cycle *cycle, struct error *err)
{
	struct transaction transaction;
	int status;

	transaction_begin(&transaction, request, cycle);
	status = transaction_lock(&transaction, err);
	if (status == 0) {
		status = prepare(&transaction, err);
		if (status == 0)
			pretend_to_write(&transaction);
		settle(&transaction, status, err);
	}
	hooks_after(&transaction, status);
	transaction_end(&transaction);
	return status;
}
