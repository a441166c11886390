/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/rehearse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/hibernate.h"
#include "core/actions/hooks.h"
#include "core/actions/kernel.h"
#include "core/actions/lock.h"
#include "core/actions/recover.h"
#include "core/actions/transaction.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/checks.h"
#include "core/rules/hibernation.h"

/* All levels, one after the other. */
struct run {
	const struct rehearsal *rehearsal;
	const struct reporter *reporter;
	struct gather gather;		/* without the metadata service, where nobody needs it */
	struct rehearsal_result result; /* of the level that runs */
};

static void result_free(struct rehearsal_result *result)
{
	free(result->reason);
	layout_free(&cycle_layout, &result->cycle);
	*result = (struct rehearsal_result) { 0 };
}

/* ---- ready ----------------------------------------------------------------------------------- */

static int rehearse_ready(struct run *run, struct error *err)
{
	strings_cleanup struct strings failed = { 0 }, unknown = { 0 };
	memory_cleanup_free char *ids = NULL;
	struct facts facts = { 0 };
	struct report report;

	facts_gather(&facts, run->rehearsal->gather);
	report_make(&report, NULL, &facts, run->gather.config);
	for (size_t i = 0; i < report.count; i++) {
		const struct finding *finding = &report.findings[i];

		if (finding->state == CHECK_FAIL)
			strings_add(&failed, finding->check->id);
		if (finding->state == CHECK_UNKNOWN && finding->check->vital)
			strings_add(&unknown, finding->check->id);
	}
	report_free(&report);
	facts_free(&facts);
	ids = strings_join(failed.count ? &failed : &unknown, ", ");
	if (failed.count)
		return error_set(err, EPERM, "checks that fail: %s; run: ec2hib status", ids);
	if (unknown.count)
		return error_set(
			err, ENODATA, "checks that cannot tell: %s; run: ec2hib status", ids);
	return 0;
}

/* ---- hooks ----------------------------------------------------------------------------------- */

static int rehearse_hooks(struct run *run, struct error *err)
{
	static const enum hook_event events[] = { HOOK_NOTICE, HOOK_PRE_HIBERNATE, HOOK_FAILED,
		HOOK_POST_RESUME };
	static const struct hook_fact facts[] = { { "TEST", "1" }, { "REASON", REASON_REHEARSAL } };
	/* Not cancelled on the way: the last ones put the machine back to work. */
	const struct reporter steady = { .log = run->reporter->log, .data = run->reporter->data };
	const struct hooks hooks = { .root = run->gather.root,
		.timeout_ms = (unsigned)run->gather.config->hook_timeout,
		.reporter = &steady };
	struct hooks_result result;
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		const char *event = hook_events[events[i]];

		hooks_run(&hooks, events[i], facts, ARRAY_SIZE(facts), &result);
		if (status < 0)
			continue;
		if (result.failed)
			status = error_set(err, EIO, "the hook %s/%s failed: %s", event,
				result.first, result.reason.text);
		else if (result.refused)
			status = error_set(err, EPERM,
				"%u of the hooks in %s cannot be run: see above", result.refused,
				event);
	}
	return status;
}

/* ---- The kernel's tests ---------------------------------------------------------------------- */

/*
 * The test ID of the kernel, with the swap area hidden. No other test was set: hibernate refuses
 * then. A kernel that takes itself to be hibernating (see rehearse.h) finds no swap area (-ENODEV)
 * when the test is over, and with that it is a kernel like any other: the test counts that is made
 * then.
 */
static int test_kernel(const struct run *run, enum rehearsal_level level, struct error *err)
{
	const struct root *root = run->gather.root;
	struct error back = { "" };
	int status = kernel_set_test(root, rehearsal_levels[level].id, err);

	if (status == 0)
		status = kernel_hibernate(root, err);
	if (status == -ENODEV)
		status = kernel_hibernate(root, err);
	if (kernel_set_test(root, "none", &back) < 0) {
		reporter_log(run->reporter, LOG_ERR, "%s", back.text);
		if (status == 0)
			status = error_set(err, EIO, "%s", back.text);
	}
	return status;
}

/* ---- image ----------------------------------------------------------------------------------- */

static int pass_image(struct run *run, const struct facts *facts, struct error *err)
{
	const struct area_facts *area = &facts->area;
	const struct kernel_facts *kernel = &facts->kernel;
	struct snapshot snapshot = { .root = run->gather.root,
		.page_size = kernel->page_size.value,
		.extents = (const extent_list *)&area->extents,
		.timeout_ms = run->rehearsal->timeout_ms,
		.reporter = run->reporter };

	if (area->resume_device.is != FACT_KNOWN || area->resume_offset.is != FACT_KNOWN ||
		area->devices.count == 0 || area->size.is != FACT_KNOWN ||
		area->extents.is == FACT_UNKNOWN)
		return error_set(err, ENODATA, "it is not known where %s lies", area->path.value);
	snapshot.number = area->resume_device.value;
	snapshot.name = area->devices.items[0].name.value;
	snapshot.offset = area->resume_offset.value;
	snapshot.size = area->size.value;
	snapshot.platform = kernel->power_disk.is == FACT_KNOWN &&
			    strstr(kernel->power_disk.value, "[platform]");
	return snapshot_rehearse(&snapshot, &run->result.image, err);
}

/*
 * A kernel that has made an image through /dev/snapshot takes itself to be hibernating from then
 * on, and would write an empty one, and power off, when somebody has it go through a test by
 * pm_test. What ends that is such a test.
 */
static void forget_image(const struct run *run, const struct facts *facts)
{
	const struct kernel_facts *kernel = &facts->kernel;
	struct error err = { "" };

	if (!run->result.image.requested || kernel->pm_test.is != FACT_KNOWN)
		return;
	if (kernel->resume_offset.is == FACT_KNOWN && test_kernel(run, LEVEL_DEVICES, &err) == 0)
		return;
	reporter_log(run->reporter, LOG_WARNING,
		"until the next boot do not use /sys/power/pm_test by hand: the kernel would power off after the test");
	if (*err.text)
		reporter_log(run->reporter, LOG_WARNING, "%s", err.text);
}

/* What the kernel does before it writes. */
static uint64_t overhead_ms(const struct timeline *timeline)
{
	return fact_number_or(&timeline->freeze_user, 0) +
	       fact_number_or(&timeline->freeze_kernel, 0) +
	       fact_number_or(&timeline->allocate_time, 0);
}

static void estimate(struct rehearsal_result *result, const struct facts *facts)
{
	const struct timeline *timeline = &result->cycle.timeline;
	uint64_t written = result->image.written, ms = result->image.write_ms;

	/* Of a cycle only a kernel that keeps its log beyond the write knows. */
	if (result->level == LEVEL_CYCLE) {
		written = fact_number_or(&timeline->write_size, 0);
		ms = fact_number_or(&timeline->write_time, 0);
	}
	if (facts->memory.total.is == FACT_KNOWN)
		result->estimated = rehearsal_estimate(&result->estimate, facts->memory.total.value,
			written, ms, overhead_ms(timeline));
}

/* ---- Levels of the kernel -------------------------------------------------------------------- */

/*
 * No image goes to a disk and comes back from it: what only a serial console would tell of that
 * does not apply, and what looks like a resume in the log is the end of the test.
 */
static void forget_resume(struct timeline *timeline)
{
	struct fact_number *const console[] = { &timeline->write_size, &timeline->write_time,
		&timeline->write_rate, &timeline->read_size, &timeline->read_time,
		&timeline->read_rate };

	for (size_t i = 0; i < ARRAY_SIZE(console); i++)
		if (console[i]->is == FACT_UNKNOWN)
			fact_set_absent(fact_of(console[i]));
	if (fact_text_is(&timeline->result, RESULT_RESUMED))
		fact_set_text(&timeline->result, RESULT_TESTED);
}

/* In place of the write; what it left behind is mended. */
static int test_prepared(struct run *run, struct transaction *transaction, struct error *err)
{
	enum rehearsal_level level = run->result.level;
	uint64_t mark = transaction_mark_log(transaction);
	struct error reason = { "" }, mending = { "" };
	const char *logged;
	int status;

	sync();
	if (transaction_cancelled(transaction))
		return error_set(err, ECANCELED, "stopped before the rehearsal");
	status = level == LEVEL_IMAGE ? pass_image(run, &transaction->facts, &reason)
				      : test_kernel(run, level, &reason);
	transaction_read_log(transaction, mark);
	forget_resume(&transaction->cycle->timeline);
	forget_image(run, &transaction->facts);
	fact_set_text(&transaction->cycle->result, RESULT_TESTED);
	fact_set_absent(fact_of(&transaction->cycle->message));
	logged = transaction_log_reason(transaction);
	if (status < 0)
		error_set(err, -status, "%s", logged ? logged : reason.text);
	/*
	 * Whatever it was: no header may say that there is an image. The kernel has to find the
	 * area.
	 */
	undo_show_area(transaction->root, &transaction->undo, run->reporter);
	if (transaction_mend(transaction, &mending) < 0)
		reporter_log(run->reporter, LOG_ERR, "%s", mending.text);
	return status;
}

/* All but cycle: a hibernation with something else in place of its write, and without hooks. */
static int rehearse_kernel(struct run *run, const struct hibernation *request, struct error *err)
{
	struct transaction transaction;
	int status;

	transaction_begin(&transaction, request, &run->result.cycle);
	/* It would read the disk that is to be measured, or hold the lock. */
	if (run->result.level == LEVEL_IMAGE)
		transaction_stop_prewarm(&transaction);
	status = transaction_lock(&transaction, err);
	if (status == 0) {
		status = transaction_look(&transaction, err);
		if (status == 0)
			status = transaction_prepare(&transaction, err);
		if (status == 0)
			status = transaction_hide_area(&transaction, err);
		if (status == 0)
			status = test_prepared(run, &transaction, err);
		transaction_restore(&transaction);
		if (status < 0)
			transaction_fail(&transaction, status, err);
	}
	transaction_end(&transaction);
	return status;
}

/* With the marker on the disk before and gone after. */
static int rehearse_marked(struct run *run, struct facts *facts, struct error *err)
{
	const struct gather *gather = &run->gather;
	enum rehearsal_level level = run->result.level;
	struct error left = { "" };
	const struct hibernation request = { .gather = gather,
		.reason = REASON_REHEARSAL,
		.patience_ms = run->rehearsal->patience_ms,
		.reporter = run->reporter };
	int status = rehearsal_marker_write(gather, facts, level, clock_slept_ms(), err);

	if (status < 0)
		return error_prefix(err, status, "nothing was begun");
	status = level == LEVEL_CYCLE ? hibernate(&request, &run->result.cycle, err)
				      : rehearse_kernel(run, &request, err);
	facts_gather_again(facts, gather);
	estimate(&run->result, facts);
	/* What could not be put back is for who comes next; the marker tells of it. */
	if (rehearsal_left_nothing(facts, &left) < 0)
		return error_set(err, EIO, "%s", left.text);
	if (rehearsal_marker_remove(gather, &left) < 0)
		reporter_log(run->reporter, LOG_ERR, "%s", left.text);
	return status;
}

/*
 * Not each -ECANCELED: a hook may also call a cycle off (hook-failure = abort), and that is a
 * failure.
 */
static bool was_stopped(const struct run *run, int status)
{
	return status == -ECANCELED && reporter_cancelled(run->reporter);
}

static void record(const struct run *run, struct facts *facts, int status, const struct error *why)
{
	enum rehearsal_level level = run->result.level;
	struct error err = { "" };

	if (status == 0)
		status = rehearsal_record_passed(&run->gather, facts, level, &err);
	else if (was_stopped(run, status) || run->result.cycle.kernel.is != FACT_KNOWN)
		status = 0; /* stopped, or its turn did not come: says nothing of the machine */
	else
		status = rehearsal_record_failed(&run->gather, facts, level, why->text, &err);
	if (status < 0)
		reporter_log(run->reporter, LOG_WARNING, "%s", err.text);
}

static int rehearse_level(struct run *run, struct error *err)
{
	struct rehearsal_result *result = &run->result;
	struct facts facts = { 0 };
	int status;

	if (result->level == LEVEL_READY)
		return rehearse_ready(run, err);
	if (result->level == LEVEL_HOOKS)
		return rehearse_hooks(run, err);
	facts_gather(&facts, &run->gather);
	result->reason = rehearsal_missing(result->level, &facts);
	if (result->reason) {
		facts_free(&facts);
		return -ENOTSUP;
	}
	status = rehearse_marked(run, &facts, err);
	record(run, &facts, status, err);
	facts_free(&facts);
	return status;
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* What came of all levels. */
struct tally {
	unsigned passed, failed, wanted;
	const char *first; /* that failed */
	bool stop;
};

static void do_level(struct run *run, enum rehearsal_level level, struct tally *tally)
{
	const struct rehearsal *rehearsal = run->rehearsal;
	struct rehearsal_result *result = &run->result;
	struct error err = { "" };
	int status;

	*result = (struct rehearsal_result) { .level = level, .outcome = OUTCOME_LEFT };
	tally->wanted++;
	tally->stop = tally->stop || reporter_cancelled(run->reporter);
	if (tally->stop) {
		rehearsal->end(rehearsal->data, result);
		return;
	}
	rehearsal->begin(rehearsal->data, level);
	status = rehearse_level(run, &err);
	if (status == 0) {
		result->outcome = OUTCOME_PASSED;
		tally->passed++;
	} else if (result->reason) {
		result->outcome = OUTCOME_UNAVAILABLE;
	} else if (was_stopped(run, status)) {
		result->outcome = OUTCOME_STOPPED;
		result->reason = text_copy(err.text);
	} else {
		result->outcome = OUTCOME_FAILED;
		result->reason = text_copy(err.text);
		tally->first = tally->first ? tally->first : rehearsal_levels[level].id;
		tally->failed++;
		tally->stop = !rehearsal->keep_going;
	}
	rehearsal->end(rehearsal->data, result);
	result_free(result);
}

int rehearse(const struct rehearsal *rehearsal, struct error *err)
{
	struct run run = { .rehearsal = rehearsal,
		.reporter = rehearsal->reporter,
		.gather = *rehearsal->gather };
	file_cleanup_close int lock = -1;
	struct tally tally = { 0 };

	run.gather.imds = NULL;
	lock = lock_take(run.gather.root, REHEARSAL_LOCK, 0, err);
	if (lock < 0)
		return lock;
	for (int level = 0; level < LEVEL_COUNT; level++)
		if (rehearsal->wanted[level])
			do_level(&run, (enum rehearsal_level)level, &tally);
	if (tally.failed)
		return error_set(err, EPROTO, "the level %s has failed", tally.first);
	if (reporter_cancelled(rehearsal->reporter))
		return error_set(err, ECANCELED, "stopped");
	if (tally.passed == 0)
		return error_set(err, ENOTSUP, "none of these levels can be rehearsed here");
	return 0;
}
