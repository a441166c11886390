/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/hibernate.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "core/actions/hibernate_parts.h"
#include "core/actions/history.h"
#include "core/actions/hooks.h"
#include "core/actions/kernel.h"
#include "core/actions/lock.h"
#include "core/actions/prewarm_background.h"
#include "core/actions/rehearse.h"
#include "core/actions/setup.h"
#include "core/actions/swap.h"
#include "core/base/clock.h"
#include "core/base/instant.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

void transaction_say(const struct transaction *transaction, int priority, const char *format, ...)
{
	memory_cleanup_free char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	transaction->asked->log(transaction->asked->data, priority, text);
}

static void note(void *data, int priority UNUSED, const char *text)
{
	transaction_say(data, LOG_INFO, "%s", text);
}

static struct reporter log_of(const struct transaction *transaction)
{
	return (struct reporter) { .log = transaction->asked->log,
		.data = transaction->asked->data };
}

void transaction_enter(const struct transaction *transaction, enum hibernation_phase phase)
{
	if (transaction->asked->phase)
		transaction->asked->phase(transaction->asked->data, phase);
}

bool transaction_cancelled(const struct transaction *transaction)
{
	return transaction->asked->cancelled &&
	       transaction->asked->cancelled(transaction->asked->data);
}

const struct root *transaction_root(const struct transaction *transaction)
{
	return transaction->asked->gather->root;
}

/* ---- Hooks -------------------------------------------------------------------------------------- */

static int run_hooks(struct transaction *transaction, enum hook_event event, struct error *err)
{
	const struct cycle *cycle = transaction->cycle;
	const struct reporter reporter = { .log = transaction->asked->log,
		/* What comes after has to be done, also by who was told to stop. */
		.cancelled = event == HOOK_PRE_HIBERNATE ? transaction->asked->cancelled : NULL,
		.data = transaction->asked->data };
	const struct hooks hooks = { .root = transaction_root(transaction),
		.timeout_ms = (unsigned)transaction->config->hook_timeout,
		.reporter = &reporter };
	memory_cleanup_free char *away =
		cycle->away.is == FACT_KNOWN
			? text_format("%llu", (unsigned long long)cycle->away.value / 1000)
			: NULL;
	const struct hook_fact facts[] = {
		{ "REASON", transaction->asked->reason },
		{ "ACTION", transaction->asked->notice_action },
		{ "TIME", transaction->asked->notice_time },
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

/* ---- Before ------------------------------------------------------------------------------------- */

static int refuse(const struct transaction *transaction, bool prepared, struct error *err)
{
	strings_cleanup struct strings obstacles = { 0 };
	memory_cleanup_free char *text = NULL;

	hibernation_obstacles(&transaction->facts, transaction->config, prepared, &obstacles);
	if (obstacles.count == 0)
		return 0;
	text = strings_join(&obstacles, "; ");
	return error_set(err, EPERM, "this machine cannot hibernate now: %s", text);
}

/* What setup would do about the swap area and the running kernel. */
int transaction_apply_steps(struct transaction *transaction, struct error *err)
{
	const struct reporter reporter = { .log = note, .data = transaction };
	struct setup setup = { .gather = transaction->asked->gather,
		.facts = &transaction->facts,
		.reporter = &reporter };
	const struct plan *steps = &transaction->plan.steps;
	int status;

	for (size_t i = 0; i < steps->count; i++)
		transaction_say(
			transaction, LOG_INFO, "before hibernating: %s", steps->steps[i].text);
	status = plan_apply(&setup, steps, err);
	if (status == 0 && steps->count)
		facts_gather_again(&transaction->facts, transaction->asked->gather);
	return status;
}

static int switch_others_off(const struct transaction *transaction, struct error *err)
{
	for (size_t i = 0; i < transaction->plan.leave_count; i++) {
		const struct swap_leave *swap = &transaction->plan.leaves[i];
		int status;

		transaction_say(
			transaction, LOG_INFO, "switching %s off until after resume", swap->path);
		status = swap_off(transaction_root(transaction), swap->path, swap->used,
			&transaction->facts.memory, err);
		if (status < 0)
			return status;
	}
	return 0;
}

static int shrink_image(const struct transaction *transaction, struct error *err)
{
	if (!transaction->plan.set_image_size)
		return 0;
	return kernel_set_image_size(
		transaction_root(transaction), transaction->plan.image_size, err);
}

static void plan_hiding(struct transaction *transaction)
{
	const struct fact_number *offset = &transaction->facts.kernel.resume_offset;

	transaction->plan.hide_area = transaction->asked->hide_area && offset->is == FACT_KNOWN;
	transaction->plan.resume_offset_before = offset->value;
}

static int prepare(struct transaction *transaction, struct error *err)
{
	int status;

	/* A hook may have freed memory or swap. */
	facts_gather_again(&transaction->facts, transaction->asked->gather);
	status =
		hibernation_plan(&transaction->plan, &transaction->facts, transaction->config, err);
	if (status == 0)
		status = transaction_apply_steps(transaction, err);
	plan_hiding(transaction);
	if (status == 0)
		status = away_begin(
			transaction_root(transaction), &transaction->away, &transaction->plan, err);
	if (status == 0)
		status = switch_others_off(transaction, err);
	if (status == 0)
		status = shrink_image(transaction, err);
	if (status == 0 && transaction->plan.leave_count)
		facts_gather_again(&transaction->facts, transaction->asked->gather);
	/* What was just put right is read back here: area, resume device and offset. */
	if (status == 0)
		status = refuse(transaction, true, err);
	if (status == 0 && transaction->plan.hide_area)
		status = kernel_set_resume_offset(
			transaction_root(transaction), RESUME_OFFSET_NOWHERE, err);
	return status;
}

/* ---- After ---------------------------------------------------------------------------------------- */

/* Puts back what prepare() changed for the time away. Best effort: what fails is said. */
static void restore(struct transaction *transaction)
{
	const struct reporter log = log_of(transaction);

	away_end(transaction_root(transaction), &transaction->away, &log);
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
		swap_off(transaction_root(transaction), area->path.value,
			fact_number_or(&area->used, 0), &transaction->facts.memory, &err) < 0)
		transaction_say(transaction, LOG_WARNING, "%s; it stays on", err.text);
}

static void remember(const struct transaction *transaction)
{
	struct error err = { "" };

	if (history_append(transaction_root(transaction), transaction->config->state_dir,
		    transaction->cycle, &err) != 0)
		transaction_say(transaction, LOG_WARNING, "%s", err.text);
}

/* ---- All of it ------------------------------------------------------------------------------------ */

static void cycle_begin(struct transaction *transaction)
{
	const struct hibernation *asked = transaction->asked;
	struct cycle *cycle = transaction->cycle;
	char now[INSTANT_LENGTH];

	instant_now(now);
	fact_set_text(&cycle->began, now);
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
static bool stop_prewarm(const struct transaction *transaction)
{
	const struct reporter log = log_of(transaction);

	return !transaction->asked->dry_run && !transaction->asked->instead &&
	       prewarm_pause(transaction->asked->gather, &log);
}

/* One that ran in the background goes on there, after a hibernation that failed as well. */
static void go_on_with_prewarm(const struct transaction *transaction)
{
	const struct reporter log = log_of(transaction);

	if (!(transaction->asked->cancel_ends_all && transaction_cancelled(transaction)))
		prewarm_resume(transaction->asked->gather, &log);
}

/* The hooks of before. A rehearsal has a level of its own for them. */
static int say_goodbye(struct transaction *transaction, struct error *err)
{
	struct error failed = { "" };

	if (!transaction->asked->instead &&
		run_hooks(transaction, HOOK_PRE_HIBERNATE, &failed) < 0 &&
		!transaction_cancelled(transaction) &&
		transaction->config->hook_failure == HOOK_FAILURE_ABORT)
		return error_set(err, ECANCELED, "%s, and hook-failure is abort", failed.text);
	if (transaction_cancelled(transaction))
		return error_set(err, ECANCELED, "stopped before hibernating");
	/* When this is killed, a swapoff(8) of ours goes on: who undoes it has to wait for its end. */
	return lock_share(transaction->lock, err);
}

/* From the hooks to the write and back; what it changed is put back. */
static int hibernate_prepared(struct transaction *transaction, struct error *err)
{
	int status;

	if (transaction_cancelled(transaction))
		return error_set(err, ECANCELED, "stopped before hibernating");
	status = refuse(transaction, false, err);
	if (status == 0)
		status = say_goodbye(transaction, err);
	if (status < 0)
		return status;
	status = prepare(transaction, err);
	fact_set_text(&transaction->cycle->method, transaction->plan.method);
	if (status == 0 && transaction_cancelled(transaction))
		status = error_set(err, ECANCELED, "stopped before hibernating");
	if (status == 0 && transaction->asked->dry_run)
		transaction_pretend(transaction);
	else if (status == 0 && transaction->asked->instead)
		status = transaction_rehearse(transaction, err);
	else if (status == 0)
		status = transaction_attempts(transaction, err);
	restore(transaction);
	lock_unshare(transaction->lock);
	return status;
}

/*
 * Not by a rehearsal, which has looked before it began. The agent may have been running for long when a
 * rehearsal was killed, and cannot wait for somebody to look.
 */
static void recover_rehearsal(const struct transaction *transaction)
{
	memory_cleanup_free char *said = NULL;
	struct error err = { "" };

	if (transaction->asked->instead)
		return;
	if (rehearsal_recover_locked(transaction->asked->gather, &said, &err) < 0)
		transaction_say(transaction, LOG_ERR, "%s", err.text);
	if (said)
		transaction_say(transaction, LOG_WARNING, "%s", said);
}

static int run(struct transaction *transaction, struct error *err)
{
	struct cycle *cycle = transaction->cycle;
	const struct reporter log = log_of(transaction);
	int status;

	transaction_enter(transaction, PHASE_PREPARING);
	if (transaction_root(transaction)->live)
		away_recover(transaction_root(transaction), &log);
	recover_rehearsal(transaction);
	facts_gather(&transaction->facts, transaction->asked->gather);
	if (transaction->facts.kernel.release.is == FACT_KNOWN)
		fact_set_text(&cycle->kernel, transaction->facts.kernel.release.value);
	status = hibernate_prepared(transaction, err);
	if (status < 0) {
		fact_set_text(&cycle->result, status == -EPERM ? RESULT_REFUSED : RESULT_FAILED);
		fact_set_text(&cycle->message, err->text);
	}
	if (status < 0)
		transaction_enter(transaction, PHASE_FAILED);
	if (transaction->asked->dry_run || transaction->asked->instead)
		return status;
	remember(transaction);
	if (status == 0)
		switch_area_off(transaction);
	return status;
}

/*
 * Who waits has the turn: a rehearsal, which lets go of the lock after each level and takes it again at
 * once, cannot come before a notice that was there first. An image has one lock for all.
 */
static int wait_for_lock(struct transaction *transaction, struct error *err)
{
	const struct hibernation *asked = transaction->asked;
	const struct root *root = transaction_root(transaction);
	const struct reporter reporter = { asked->log, asked->cancelled, asked->data };
	file_cleanup_close int turn =
		root->live ? lock_wait(root, TURN_LOCK, asked->patience_ms, &reporter, err) : -1;

	if (root->live && turn < 0)
		return turn;
	return lock_wait(root, LOCK_PATH, asked->patience_ms, &reporter, err);
}

/*
 * The lock. Whoever had it may have hibernated the machine, and then this was asked for as long ago
 * and has been answered: it must not go away a second time.
 */
static int wait_for_turn(struct transaction *transaction, struct error *err)
{
	const struct hibernation *asked = transaction->asked;
	const struct reporter log = log_of(transaction);
	int status = 0;

	transaction->lock = wait_for_lock(transaction, err);
	if (transaction->lock < 0)
		status = transaction->lock;
	else if (clock_slept_ms() - asked->slept >= CLOCK_SLEPT_LEAST_MS)
		status = error_set(err, EALREADY,
			"the machine has hibernated while this was waiting for its turn");
	if (status == 0)
		return 0;
	/* Whoever did may have been killed since. */
	if (status == -EALREADY && transaction_root(transaction)->live)
		away_recover(transaction_root(transaction), &log);
	fact_set_text(&transaction->cycle->result, RESULT_FAILED);
	fact_set_text(&transaction->cycle->message, err->text);
	transaction_enter(transaction, PHASE_FAILED);
	return status;
}

int hibernate(const struct hibernation *hibernation, struct cycle *cycle, struct error *err)
{
	struct hibernation asked = *hibernation;
	struct transaction transaction = {
		.asked = &asked, .config = hibernation->gather->config, .cycle = cycle, .lock = -1
	};
	struct error failed = { "" };
	bool prewarm_stopped;
	int status;

	if (asked.asked == 0) {
		asked.asked = clock_ms(CLOCK_BOOTTIME);
		asked.slept = clock_slept_ms();
	}
	cycle_begin(&transaction);
	prewarm_stopped = stop_prewarm(&transaction) || asked.prewarm_stopped;
	status = wait_for_turn(&transaction, err);
	if (status == 0)
		status = run(&transaction, err);
	/* Whoever has answered it in our place has run the hooks. */
	if (!asked.instead && status != -EALREADY)
		run_hooks(&transaction, status < 0 ? HOOK_FAILED : HOOK_POST_RESUME, &failed);
	if (prewarm_stopped)
		go_on_with_prewarm(&transaction);
	hibernation_plan_free(&transaction.plan);
	facts_free(&transaction.facts);
	if (transaction.lock >= 0)
		close(transaction.lock);
	return status;
}
