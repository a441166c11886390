/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/transaction.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/kernel.h"
#include "core/actions/lock.h"
#include "core/actions/prewarm_background.h"
#include "core/actions/setup.h"
#include "core/actions/swap.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/kernel_log.h"
#include "core/rules/timeline.h"

void transaction_enter(const struct transaction *transaction, enum hibernation_phase phase)
{
	if (transaction->request.phase)
		transaction->request.phase(transaction->request.data, phase);
}

bool transaction_cancelled(const struct transaction *transaction)
{
	return reporter_cancelled(transaction->request.reporter);
}

static void fail(struct transaction *transaction, const char *result, const struct error *err)
{
	fact_set_text(&transaction->cycle->result, result);
	fact_set_text(&transaction->cycle->message, err->text);
	transaction_enter(transaction, PHASE_FAILED);
}

void transaction_fail(struct transaction *transaction, int status, const struct error *err)
{
	fail(transaction, status == -EPERM ? RESULT_REFUSED : RESULT_FAILED, err);
}

/* ---- Beginning ------------------------------------------------------------------------------- */

static void cycle_begin(struct cycle *cycle, const struct hibernation *request)
{
	char stamp[INSTANT_LENGTH];

	instant_now(stamp);
	fact_set_text(&cycle->began, stamp);
	fact_set_text(&cycle->reason, request->reason);
	fact_set_text(&cycle->notice_action, request->notice_action);
	fact_set_text(&cycle->notice_time, request->notice_time);
	fact_set_absent(fact_of(&cycle->method));
	fact_set_absent(fact_of(&cycle->message));
	fact_set_number(&cycle->tries, 0);
}

void transaction_begin(
	struct transaction *transaction, const struct hibernation *request, struct cycle *cycle)
{
	*transaction = (struct transaction) { .request = *request,
		.root = request->gather->root,
		.config = request->gather->config,
		.steady = { .log = request->reporter->log, .data = request->reporter->data },
		.cycle = cycle,
		.lock = -1 };
	if (request->requested_at == 0) {
		transaction->request.requested_at = clock_ms(CLOCK_BOOTTIME);
		transaction->request.slept = clock_slept_ms();
	}
	cycle_begin(cycle, request);
}

void transaction_stop_prewarm(struct transaction *transaction)
{
	if (prewarm_pause(transaction->request.gather, &transaction->steady))
		transaction->request.prewarm_stopped = true;
}

/*
 * Who waits has the turn: a rehearsal, which lets go of the lock after each level and takes it
 * again at once, cannot come before a notice that was there first.
 */
static int wait_for_lock(const struct transaction *transaction, struct error *err)
{
	const struct hibernation *request = &transaction->request;
	const struct root *root = transaction->root;
	file_cleanup_close int turn = -1;

	if (root->live) {
		turn = lock_wait(root, TURN_LOCK, request->patience_ms, request->reporter, err);
		if (turn < 0)
			return turn;
	}
	return lock_wait(root, LOCK_PATH, request->patience_ms, request->reporter, err);
}

int transaction_lock(struct transaction *transaction, struct error *err)
{
	int lock = wait_for_lock(transaction, err);

	transaction->lock = lock;
	/*
	 * Whoever had it may have been killed; our own record would take the place of what it left.
	 */
	if (lock >= 0 && transaction->root->live)
		undo_recover(transaction->root, &transaction->steady);
	if (lock >= 0 && clock_slept_ms() - transaction->request.slept >= CLOCK_SLEPT_LEAST_MS)
		lock = error_set(err, EALREADY,
			"the machine has hibernated while this was waiting for its turn");
	if (lock < 0) {
		fail(transaction, RESULT_FAILED, err);
		return lock;
	}
	transaction_enter(transaction, PHASE_PREPARING);
	return 0;
}

/* ---- Looking and preparing ------------------------------------------------------------------- */

/* PREPARED: the obstacles that it removes itself are none to wait for any more. */
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

static int stop_when_cancelled(const struct transaction *transaction, struct error *err)
{
	if (!transaction_cancelled(transaction))
		return 0;
	return error_set(err, ECANCELED, "stopped before hibernating");
}

int transaction_look(struct transaction *transaction, struct error *err)
{
	const struct fact_text *release = &transaction->facts.kernel.release;
	int status;

	facts_gather(&transaction->facts, transaction->request.gather);
	if (release->is == FACT_KNOWN)
		fact_set_text(&transaction->cycle->kernel, release->value);
	status = stop_when_cancelled(transaction, err);
	return status == 0 ? refuse(transaction, false, err) : status;
}

static void gather_again(struct transaction *transaction)
{
	facts_gather_again(&transaction->facts, transaction->request.gather);
}

/* What setup would do about the swap area and the running kernel. */
static int apply_steps(struct transaction *transaction, struct error *err)
{
	struct setup setup = { .gather = transaction->request.gather,
		.facts = &transaction->facts,
		.reporter = &transaction->steady };
	const struct plan *steps = &transaction->plan.steps;
	int status;

	for (size_t i = 0; i < steps->count; i++)
		reporter_log(&transaction->steady, LOG_INFO, "before hibernating: %s",
			steps->steps[i].text);
	status = plan_apply(&setup, steps, err);
	if (status == 0 && steps->count)
		gather_again(transaction);
	return status;
}

static int switch_others_off(const struct transaction *transaction, struct error *err)
{
	for (size_t i = 0; i < transaction->plan.other_count; i++) {
		const struct other_swap *swap = &transaction->plan.others[i];
		int status;

		reporter_log(&transaction->steady, LOG_INFO, "switching %s off until after resume",
			swap->path);
		status = swap_off(
			transaction->root, swap->path, swap->used, &transaction->facts.memory, err);
		if (status < 0)
			return status;
	}
	return 0;
}

int transaction_prepare(struct transaction *transaction, struct error *err)
{
	struct hibernation_plan *plan = &transaction->plan;
	int status = stop_when_cancelled(transaction, err);

	if (status < 0)
		return status;
	/* A hook may have freed memory or swap. */
	gather_again(transaction);
	status = hibernation_plan(plan, &transaction->facts, transaction->config, err);
	fact_set_text(&transaction->cycle->method, plan->method);
	if (status == 0)
		status = undo_begin(transaction->root, &transaction->undo, plan, err);
	if (status == 0)
		status = apply_steps(transaction, err);
	if (status == 0)
		status = switch_others_off(transaction, err);
	if (status == 0 && plan->set_image_size)
		status = kernel_set_image_size(transaction->root, plan->image_size, err);
	if (status == 0 && plan->other_count)
		gather_again(transaction);
	/* What was just made is read back here: area, resume device and offset. */
	if (status == 0)
		status = refuse(transaction, true, err);
	return status == 0 ? stop_when_cancelled(transaction, err) : status;
}

int transaction_hide_area(struct transaction *transaction, struct error *err)
{
	const struct fact_number *offset = &transaction->facts.kernel.resume_offset;

	if (offset->is != FACT_KNOWN)
		return 0;
	return undo_hide_area(transaction->root, &transaction->undo, offset->value, err);
}

/* ---- Around the write ------------------------------------------------------------------------ */

uint64_t transaction_mark_log(struct transaction *transaction)
{
	struct error ignored = { "" };
	uint64_t mark = 0;

	layout_free(&timeline_layout, &transaction->cycle->timeline);
	kernel_log_read(transaction->root, 0, NULL, &mark, &ignored);
	return mark;
}

bool transaction_read_log(struct transaction *transaction, uint64_t mark)
{
	memory_cleanup_free char *log = NULL;
	struct error err = { "" };
	struct timeline timeline = { 0 };
	uint64_t last;

	if (kernel_log_read(transaction->root, mark, &log, &last, &err) < 0) {
		reporter_log(&transaction->steady, LOG_WARNING, "%s", err.text);
		return false;
	}
	timeline_parse_attempt(log, strlen(log), (unsigned long)sysconf(_SC_PAGESIZE), &timeline);
	if (timeline.result.is == FACT_KNOWN)
		cycle_take_timeline(transaction->cycle, &timeline);
	return true;
}

const char *transaction_log_reason(const struct transaction *transaction)
{
	const struct timeline *timeline = &transaction->cycle->timeline;
	enum timeline_failure failure = timeline_failure_of(timeline);

	return failure == FAILURE_NONE || failure == FAILURE_OTHER ? NULL : timeline->failure.value;
}

int transaction_mend(struct transaction *transaction, struct error *err)
{
	struct plan *steps = &transaction->plan.steps;

	gather_again(transaction);
	plan_free(steps);
	*steps = (struct plan) { 0 };
	if (preparation_plan(steps, &transaction->facts, transaction->config, err) < 0)
		return -EIO;
	return apply_steps(transaction, err);
}

/* ---- Ending ---------------------------------------------------------------------------------- */

void transaction_restore(struct transaction *transaction)
{
	undo_all(transaction->root, &transaction->undo, &transaction->steady);
}

void transaction_end(struct transaction *transaction)
{
	const struct hibernation *request = &transaction->request;

	if (request->prewarm_stopped &&
		!(request->cancel_ends_all && transaction_cancelled(transaction)))
		prewarm_resume(request->gather, &transaction->steady);
	hibernation_plan_free(&transaction->plan);
	facts_free(&transaction->facts);
	if (transaction->lock >= 0)
		close(transaction->lock);
}
