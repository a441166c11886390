/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/rehearse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/hibernate.h"
#include "core/actions/hibernate_parts.h"
#include "core/actions/hooks.h"
#include "core/actions/kernel.h"
#include "core/actions/lock.h"
#include "core/actions/prewarm_background.h"
#include "core/actions/rehearse_record.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/checks.h"
#include "core/rules/hibernation.h"

/* All levels, one after the other. */
struct run {
	const struct rehearsal *asked;
	struct gather gather;		/* without the metadata service, where nobody needs it */
	struct rehearsal_result result; /* of the level that runs */
};

void rehearsal_result_free(struct rehearsal_result *result)
{
	free(result->reason);
	layout_free(&cycle_layout, &result->cycle);
	*result = (struct rehearsal_result) { 0 };
}

static void say(void *data, int priority, const char *text)
{
	const struct run *run = data;

	run->asked->log(run->asked->data, priority, text);
}

static bool cancelled(void *data)
{
	const struct run *run = data;

	return run->asked->cancelled(run->asked->data);
}

/* ---- ready ------------------------------------------------------------------------------------------ */

static int rehearse_ready(struct run *run, struct error *err)
{
	strings_cleanup struct strings failed = { 0 }, unknown = { 0 };
	memory_cleanup_free char *ids = NULL;
	struct facts facts = { 0 };
	struct report report;

	facts_gather(&facts, run->asked->gather);
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

/* ---- hooks ------------------------------------------------------------------------------------------ */

/* The last is what puts the machine back to work. */
static int rehearse_hooks(struct run *run, struct error *err)
{
	static const enum hook_event events[] = { HOOK_NOTICE, HOOK_PRE_HIBERNATE, HOOK_FAILED,
		HOOK_POST_RESUME };
	static const struct hook_fact facts[] = { { "TEST", "1" }, { "REASON", REASON_REHEARSAL } };
	const struct reporter reporter = { .log = say, .data = run };
	const struct hooks hooks = { .root = run->gather.root,
		.timeout_ms = (unsigned)run->gather.config->hook_timeout,
		.reporter = &reporter };
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
				"of the hooks in %s %u cannot be run: see above", event,
				result.refused);
	}
	return status;
}

/* ---- The kernel's tests ----------------------------------------------------------------------------- */

/*
 * The test ID of the kernel, with the swap area hidden. No other test was set: hibernate refuses then.
 * A kernel that takes itself to be hibernating (see rehearse.h) finds no swap area (-ENODEV) when the
 * test is over, and with that it is a kernel like any other: the test counts that is made then.
 */
static int test_kernel_as(struct run *run, const char *id, struct error *err)
{
	struct error back = { "" };
	int status = kernel_set_test(run->gather.root, id, err);

	if (status == 0)
		status = kernel_hibernate(run->gather.root, err);
	if (status == -ENODEV)
		status = kernel_hibernate(run->gather.root, err);
	if (kernel_set_test(run->gather.root, "none", &back) < 0) {
		say(run, LOG_ERR, back.text);
		if (status == 0)
			status = error_set(err, EIO, "%s", back.text);
	}
	return status;
}

static int test_kernel(void *data, const struct facts *facts UNUSED, struct error *err)
{
	struct run *run = data;

	return test_kernel_as(run, rehearsal_levels[run->result.level].id, err);
}

/* ---- image ------------------------------------------------------------------------------------------ */

/*
 * A kernel that has made an image through /dev/snapshot takes itself to be hibernating from then on, and
 * would write an empty one, and power off, when somebody has it go through a test by pm_test. What
 * ends that is such a test.
 */
static void forget_image(void *data, const struct facts *facts)
{
	struct run *run = data;
	const struct kernel_facts *kernel = &facts->kernel;
	struct error err = { "" };

	if (!run->result.image.asked || kernel->pm_test.is != FACT_KNOWN)
		return;
	if (kernel->resume_offset.is == FACT_KNOWN &&
		test_kernel_as(run, rehearsal_levels[LEVEL_DEVICES].id, &err) == 0)
		return;
	say(run, LOG_WARNING,
		"until the next start of this machine do not use /sys/power/pm_test by hand: the kernel would power off after the test");
	if (*err.text)
		say(run, LOG_WARNING, err.text);
}

static int pass_image(void *data, const struct facts *facts, struct error *err)
{
	struct run *run = data;
	const struct area_facts *area = &facts->area;
	const struct kernel_facts *kernel = &facts->kernel;
	const struct reporter reporter = { .cancelled = cancelled, .data = run };
	struct snapshot snapshot = { .root = run->gather.root,
		.page_size = kernel->page_size.value,
		.extents = (const extent_list *)&area->extents,
		.timeout_ms = run->asked->timeout_ms,
		.reporter = &reporter };

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

static uint64_t known(const struct fact_number *fact)
{
	return fact_number_or(fact, 0);
}

/* What the kernel does before it writes. */
static uint64_t overhead_ms(const struct timeline *timeline)
{
	return known(&timeline->freeze_user) + known(&timeline->freeze_kernel) +
	       known(&timeline->allocate_time);
}

static void estimate(struct rehearsal_result *result, const struct facts *facts)
{
	const struct timeline *timeline = &result->cycle.timeline;
	uint64_t written = result->image.written, ms = result->image.write_ms;

	/* Of a cycle only a kernel that keeps its log beyond the write knows. */
	if (result->level == LEVEL_CYCLE) {
		written = known(&timeline->write_size);
		ms = known(&timeline->write_time);
	}
	if (facts->memory.total.is == FACT_KNOWN)
		result->estimated = rehearsal_estimate(&result->estimate, facts->memory.total.value,
			written, ms, overhead_ms(timeline));
}

/* ---- Levels of the kernel ---------------------------------------------------------------------------- */

static int rehearse_kernel(struct run *run, struct error *err)
{
	enum rehearsal_level level = run->result.level;
	const struct hibernation hibernation = { .gather = &run->gather,
		.reason = REASON_REHEARSAL,
		.patience_ms = run->asked->patience_ms,
		.log = say,
		.cancelled = cancelled,
		.instead = level == LEVEL_CYCLE	  ? NULL
			   : level == LEVEL_IMAGE ? pass_image
						  : test_kernel,
		.settle = forget_image,
		.hide_area = level != LEVEL_CYCLE,
		.data = run };
	const struct reporter log = { .log = say, .data = run };
	/* It would read the disk that is to be measured, or hold the lock. A cycle does it itself. */
	bool stopped = level == LEVEL_IMAGE && prewarm_pause(&run->gather, &log);
	int status = hibernate(&hibernation, &run->result.cycle, err);

	if (stopped)
		prewarm_resume(&run->gather, &log);
	return status;
}

/* With the marker on the disk before and gone after. */
static int rehearse_marked(struct run *run, struct facts *facts, struct error *err)
{
	const struct gather *gather = &run->gather;
	enum rehearsal_level level = run->result.level;
	struct error left = { "" };
	int status = marker_write(gather, facts, level, clock_slept_ms(), err);

	if (status < 0)
		return error_prefix(err, status, "nothing was begun");
	status = rehearse_kernel(run, err);
	facts_gather_again(facts, gather);
	estimate(&run->result, facts);
	/* What could not be put back is for who comes next; the marker tells of it. */
	if (rehearsal_left_nothing(facts, &left) < 0)
		return error_set(err, EIO, "%s", left.text);
	if (marker_remove(gather, &left) < 0)
		say(run, LOG_ERR, left.text);
	return status;
}

/* Not each -ECANCELED: a hook may also call a cycle off (hook-failure = abort), and that is a failure. */
static bool was_stopped(struct run *run, int status)
{
	return status == -ECANCELED && cancelled(run);
}

static void remember(struct run *run, struct facts *facts, int status, const struct error *why)
{
	enum rehearsal_level level = run->result.level;
	struct error err = { "" };

	if (status == 0)
		status = record_passed(&run->gather, facts, level, &err);
	else if (was_stopped(run, status) || run->result.cycle.kernel.is != FACT_KNOWN)
		status = 0; /* stopped, or its turn did not come: says nothing of the machine */
	else
		status = record_failed(&run->gather, facts, level, why->text, &err);
	if (status < 0)
		say(run, LOG_WARNING, err.text);
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
	remember(run, &facts, status, err);
	facts_free(&facts);
	return status;
}

/* ---- All of it ----------------------------------------------------------------------------------------- */

/* What came of all levels. */
struct tally {
	unsigned passed, failed, wanted;
	const char *first; /* that failed */
	bool stop;
};

static void do_level(struct run *run, enum rehearsal_level level, struct tally *tally)
{
	const struct rehearsal *asked = run->asked;
	struct rehearsal_result *result = &run->result;
	struct error err = { "" };
	int status;

	*result = (struct rehearsal_result) { .level = level, .outcome = OUTCOME_LEFT };
	tally->wanted++;
	tally->stop = tally->stop || asked->cancelled(asked->data);
	if (tally->stop) {
		asked->end(asked->data, result);
		return;
	}
	asked->begin(asked->data, level);
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
		tally->stop = !asked->keep_going;
	}
	asked->end(asked->data, result);
	rehearsal_result_free(result);
}

int rehearse(const struct rehearsal *rehearsal, struct error *err)
{
	struct run run = { .asked = rehearsal, .gather = *rehearsal->gather };
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
	if (rehearsal->cancelled(rehearsal->data))
		return error_set(err, ECANCELED, "stopped");
	if (tally.passed == 0)
		return error_set(err, ENOTSUP, "none of these levels can be rehearsed here");
	return 0;
}
