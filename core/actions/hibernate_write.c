/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The write that hibernates the machine, what the kernel's log says of it, and trying again. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/hibernate_parts.h"
#include "core/actions/kernel.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/kernel_log.h"
#include "core/rules/timeline.h"

/* systemd's own jobs before and after; the time away does not count (CLOCK_MONOTONIC). */
#define SYSTEMD_TIMEOUT_MS (30 * 60 * 1000)

/* Before the second attempt; three times as long before each further one. */
#define PAUSE_MS      1000
#define PAUSE_STEP_MS 100

static int write_state(const struct transaction *transaction, struct error *err)
{
	static const char *const systemctl[] = { "systemctl", "start", "hibernate.target", NULL };

	if (strcmp(transaction->plan.method, METHOD_SYSTEMD) == 0)
		return process_run(
			transaction_root(transaction), systemctl, SYSTEMD_TIMEOUT_MS, NULL, err);
	return kernel_hibernate(transaction_root(transaction), err);
}

/*
 * The cycle that the kernel's log tells of since the mark. False when the log cannot be read; one that
 * tells of none leaves the timeline empty.
 */
static bool read_log(struct transaction *transaction, uint64_t mark)
{
	memory_cleanup_free char *log = NULL;
	struct error err = { "" };
	timeline_list found = { 0 };
	uint64_t last;

	if (kernel_log_read(transaction_root(transaction), mark, &log, &last, &err) < 0) {
		transaction_say(transaction, LOG_WARNING, "%s", err.text);
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
	fact_set_number(
		&transaction->cycle->prepare, clock_ms(CLOCK_BOOTTIME) - transaction->asked->asked);
	transaction_enter(transaction, PHASE_HIBERNATING);
}

void transaction_pretend(struct transaction *transaction)
{
	sync();
	enter_last(transaction);
	transaction_say(transaction, LOG_NOTICE,
		"dry run: everything is done but the write to /sys/power/state");
	fact_set_text(&transaction->cycle->result, RESULT_DRY_RUN);
	transaction_enter(transaction, PHASE_RESUMED);
}

/* Otherwise the error of the write has the reason, or a part of it. */
static bool log_tells(enum timeline_failure failure)
{
	return failure != FAILURE_NONE && failure != FAILURE_OTHER;
}

static int resumed(struct transaction *transaction)
{
	struct cycle *cycle = transaction->cycle;

	fact_set_text(&cycle->result, RESULT_RESUMED);
	fact_set_absent(fact_of(&cycle->message));
	return 0;
}

/* The error of the write was STATUS, for REASON. */
static int failed(const struct transaction *transaction, int status, const struct error *reason,
	bool *passes, struct error *err)
{
	const struct timeline *timeline = &transaction->cycle->timeline;
	enum timeline_failure failure = timeline_failure_of(timeline);

	*passes = timeline_failure_passes(failure) || (!log_tells(failure) && status == -EBUSY);
	if (log_tells(failure))
		return error_set(
			err, -status, "the kernel did not hibernate: %s", timeline->failure.value);
	return error_set(err, -status, "the kernel did not hibernate: %s%s%s", reason->text,
		failure == FAILURE_OTHER ? "; " : "",
		failure == FAILURE_OTHER ? timeline->failure.value : "");
}

/*
 * The machine has not slept, as its clocks say; STATUS is what the write said. The kernel's test modes
 * (/sys/power/disk, pm_test) end without an error, and so may systemctl. The log decides then, for a
 * machine without a clock that lasts cannot tell that it was away.
 */
static int judge_awake(struct transaction *transaction, uint64_t mark, int status,
	const struct error *reason, bool *passes, struct error *err)
{
	bool told = read_log(transaction, mark);
	const struct timeline *timeline = &transaction->cycle->timeline;

	if (status < 0)
		return failed(transaction, status, reason, passes, err);
	if (told && !fact_text_is(&timeline->result, RESULT_RESUMED))
		return error_set(err, EIO,
			"the machine did not hibernate, though there was no error: its clocks went on, and the kernel's log %s",
			fact_text_is(&timeline->result, RESULT_TESTED) ? "tells of a test mode"
								       : "has no resume");
	transaction_enter(transaction, PHASE_RESUMED);
	return resumed(transaction);
}

/*
 * One attempt. *PASSES when it failed for a reason that may be gone in a moment. Where a failed
 * attempt left an image on the disk, it is made plain swap again at once: a later boot would bring
 * the past back.
 */
static int attempt(struct transaction *transaction, bool *passes, struct error *err)
{
	struct cycle *cycle = transaction->cycle;
	int64_t slept = clock_slept_ms(), away;
	struct error reason = { "" };
	uint64_t mark = 0;
	int status;

	layout_free(&timeline_layout, &cycle->timeline);
	kernel_log_read(transaction_root(transaction), 0, NULL, &mark, &reason);
	sync();
	*passes = false;
	/* Writing out the file systems may have taken long. */
	if (transaction_cancelled(transaction))
		return error_set(err, ECANCELED, "stopped before hibernating");
	enter_last(transaction);
	status = write_state(transaction, &reason);
	away = clock_slept_ms() - slept;
	if (away < CLOCK_SLEPT_LEAST_MS)
		return judge_awake(transaction, mark, status, &reason, passes, err);
	/* At once: what is pressed from now on is not an echo for ever. */
	transaction_enter(transaction, PHASE_RESUMED);
	fact_set_number(&cycle->away, (uint64_t)away);
	read_log(transaction, mark);
	if (status < 0)
		transaction_say(transaction, LOG_WARNING,
			"the machine was away and is back, but: %s", reason.text);
	return resumed(transaction);
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

/* An attempt that failed may have left an image or taken something away: look again, mend. */
static int prepare_again(struct transaction *transaction, struct error *err)
{
	facts_gather_again(&transaction->facts, transaction->asked->gather);
	plan_free(&transaction->plan.steps);
	transaction->plan.steps = (struct plan) { 0 };
	return preparation_plan(
		       &transaction->plan.steps, &transaction->facts, transaction->config, err) < 0
		       ? -EIO
		       : transaction_apply_steps(transaction, err);
}

int transaction_attempts(struct transaction *transaction, struct error *err)
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
			transaction_say(transaction, LOG_ERR, "%s", mending.text);
			return status;
		}
		if (!passes || tries >= transaction->config->attempts)
			return status;
		transaction_say(transaction, LOG_WARNING,
			"attempt %llu of %llu: %s; trying again in %u s", (unsigned long long)tries,
			(unsigned long long)transaction->config->attempts, err->text,
			pause_ms / 1000);
		if (pause_before(transaction, pause_ms))
			return error_set(err, ECANCELED, "stopped before attempt %llu",
				(unsigned long long)tries + 1);
		pause_ms *= 3;
	}
}

int transaction_rehearse(struct transaction *transaction, struct error *err)
{
	const struct hibernation *asked = transaction->asked;
	const struct timeline *timeline = &transaction->cycle->timeline;
	const struct reporter log = { .log = asked->log, .data = asked->data };
	struct error reason = { "" }, mending = { "" };
	uint64_t mark = 0;
	int status;

	kernel_log_read(transaction_root(transaction), 0, NULL, &mark, &reason);
	sync();
	if (transaction_cancelled(transaction))
		return error_set(err, ECANCELED, "stopped before the rehearsal");
	status = asked->instead(asked->data, &transaction->facts, &reason);
	read_log(transaction, mark);
	if (asked->settle)
		asked->settle(asked->data, &transaction->facts);
	fact_set_text(&transaction->cycle->result, RESULT_TESTED);
	fact_set_absent(fact_of(&transaction->cycle->message));
	if (status < 0)
		error_set(err, -status, "%s",
			log_tells(timeline_failure_of(timeline)) ? timeline->failure.value
								 : reason.text);
	/* Whatever it was: no header may say that there is an image. First the kernel may find the area. */
	away_show_area(transaction_root(transaction), &transaction->away, &log);
	if (prepare_again(transaction, &mending) < 0)
		transaction_say(transaction, LOG_ERR, "%s", mending.text);
	return status;
}
