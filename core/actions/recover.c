/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/recover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/history.h"
#include "core/actions/kernel.h"
#include "core/actions/lock.h"
#include "core/actions/setup.h"
#include "core/actions/undo.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/kernel_log.h"
#include "core/facts/record.h"
#include "core/rules/size.h"

/* Another ec2hib may be at work for a moment. */
#define LOCK_WAIT_MS 2000

#define RECORD_MODE 0644

/* ---- The marker and the record --------------------------------------------------------------- */

static void set_now(struct fact_text *fact)
{
	char stamp[INSTANT_LENGTH];

	instant_now(stamp);
	fact_set_text(fact, stamp);
}

static int write_file(const struct gather *gather, const char *name, const struct layout *layout,
	const void *structure, struct error *err)
{
	memory_cleanup_free char *path = text_format("%s/%s", gather->config->state_dir, name);

	return record_write(gather->root, path, layout, structure, RECORD_MODE, err);
}

int rehearsal_marker_write(const struct gather *gather, const struct facts *facts,
	enum rehearsal_level level, int64_t slept_ms, struct error *err)
{
	struct rehearsal_marker marker = { 0 };
	memory_cleanup_free char *id = NULL;
	int status = root_read_line(gather->root, BOOT_ID_PATH, &id, err);

	if (status < 0)
		return status;
	fact_set_number(&marker.format, REHEARSAL_FORMAT);
	fact_set_text(&marker.level, rehearsal_levels[level].id);
	set_now(&marker.started);
	fact_set_text(&marker.boot_id, id);
	fact_set_number(&marker.slept, slept_ms > 0 ? (uint64_t)slept_ms : 0);
	rehearsal_describe(&marker.machine, facts);
	status = write_file(gather, REHEARSAL_MARKER_NAME, &rehearsal_marker_layout, &marker, err);
	layout_free(&rehearsal_marker_layout, &marker);
	return status;
}

int rehearsal_left_nothing(const struct facts *facts, struct error *err)
{
	const struct fact_text *signature = &facts->area.signature;
	const struct fact_text *test = &facts->kernel.pm_test;

	if (fact_text_is(signature, SIGNATURE_IMAGE))
		return error_set(err, EIO,
			"%s still carries an image, which a later boot would resume; run: ec2hib setup",
			facts->area.path.value);
	if (signature->is == FACT_UNKNOWN)
		return error_set(err, EIO,
			"it is not known whether %s carries an image: %s; run: ec2hib status",
			fact_text_or(&facts->area.path, "the swap area"),
			signature->why ? signature->why : "it was not looked at");
	if (test->is == FACT_KNOWN && !strstr(test->value, "[none]"))
		return error_set(err, EIO,
			"the kernel is still in a test mode (/sys/power/pm_test: %s)", test->value);
	return 0;
}

int rehearsal_marker_remove(const struct gather *gather, struct error *err)
{
	memory_cleanup_free char *path =
		text_format("%s/" REHEARSAL_MARKER_NAME, gather->config->state_dir);

	return root_remove(gather->root, path, err);
}

static int save(const struct gather *gather, const struct facts *facts, struct error *err)
{
	struct rehearsal_record record = { 0 };
	int status;

	fact_set_number(&record.format, REHEARSAL_FORMAT);
	layout_copy(&rehearsal_facts_layout, &record.rehearsal, &facts->rehearsal);
	status = write_file(gather, REHEARSAL_NAME, &rehearsal_record_layout, &record, err);
	layout_free(&rehearsal_record_layout, &record);
	return status;
}

static void forget_failure(struct rehearsal_facts *rehearsal)
{
	fact_set_absent(fact_of(&rehearsal->failed_level));
	fact_set_absent(fact_of(&rehearsal->failed_time));
	fact_set_absent(fact_of(&rehearsal->failure));
}

/* What failed at the level or before it is mended. */
static bool mends(enum rehearsal_level level, const struct rehearsal_facts *rehearsal)
{
	return rehearsal->failed_level.is == FACT_KNOWN &&
	       rehearsal_level_find(rehearsal->failed_level.value) <= level;
}

int rehearsal_record_passed(const struct gather *gather, struct facts *facts,
	enum rehearsal_level level, struct error *err)
{
	struct rehearsal_facts *rehearsal = &facts->rehearsal;
	bool counts = rehearsal_counts(level, facts);

	if (!counts && !mends(level, rehearsal))
		return 0;
	if (counts) {
		fact_set_text(&rehearsal->level, rehearsal_levels[level].id);
		set_now(&rehearsal->time);
		rehearsal_describe(rehearsal, facts);
	}
	if (rehearsal->failed_level.is != FACT_KNOWN || mends(level, rehearsal))
		forget_failure(rehearsal);
	return save(gather, facts, err);
}

int rehearsal_record_failed(const struct gather *gather, struct facts *facts,
	enum rehearsal_level level, const char *why, struct error *err)
{
	struct rehearsal_facts *rehearsal = &facts->rehearsal;

	fact_set_text(&rehearsal->failed_level, rehearsal_levels[level].id);
	set_now(&rehearsal->failed_time);
	fact_set_text(&rehearsal->failure, why);
	return save(gather, facts, err);
}

/* ---- A rehearsal that was cut short ---------------------------------------------------------- */

/* What was found, and the machine that it was found on. */
struct find {
	const struct gather *gather;
	struct rehearsal_marker marker;
	struct facts facts;
	bool same_boot;
	char *unreadable; /* why the marker tells no more than that it is there; NULL: it does */
	char *lost;	  /* why a cycle did not come back; NULL: none was lost */
	char *said;	  /* what is told of it; NULL: nothing */
};

static bool is_level(const struct find *find, enum rehearsal_level level)
{
	return fact_text_is(&find->marker.level, rehearsal_levels[level].id);
}

static bool resumed_since(const struct find *find)
{
	int64_t slept = (int64_t)fact_number_or(&find->marker.slept, 0);

	return clock_slept_ms() - slept >= CLOCK_SLEPT_LEAST_MS;
}

static int reset_kernel(const struct find *find, struct error *err)
{
	const struct kernel_facts *kernel = &find->facts.kernel;

	if (!find->same_boot || kernel->pm_test.is != FACT_KNOWN ||
		strstr(kernel->pm_test.value, "[none]"))
		return 0;
	return kernel_set_test(find->gather->root, "none", err);
}

static bool is_wanted(void *data, const struct step *step)
{
	const struct find *find = data;

	return step->kind != STEP_SWAP_ON || !swap_only_for_hibernation(&find->facts.area);
}

/* Plain swap again, and switched on, which a boot with an image in it could not do. */
static int clean_area(struct find *find, struct error *err)
{
	struct setup setup = {
		.gather = find->gather, .facts = &find->facts, .due = is_wanted, .data = find
	};
	struct plan plan = { 0 };
	int status = preparation_plan(&plan, &find->facts, find->gather->config, err);

	if (status == 0)
		status = plan_apply(&setup, &plan, err);
	plan_free(&plan);
	return status;
}

/* Who would have told the history was in the image. */
static int tell_history(const struct find *find, struct error *err)
{
	const struct rehearsal_marker *marker = &find->marker;
	struct cycle cycle = { 0 };
	int status;

	layout_set_absent(&cycle_layout, &cycle);
	if (marker->started.is == FACT_KNOWN)
		fact_set_text(&cycle.began, marker->started.value);
	if (marker->machine.kernel.is == FACT_KNOWN)
		fact_set_text(&cycle.kernel, marker->machine.kernel.value);
	fact_set_text(&cycle.reason, REASON_REHEARSAL);
	fact_set_text(&cycle.result, RESULT_FAILED);
	fact_set_text(&cycle.message, find->lost);
	status = history_append(find->gather->root, find->gather->config->state_dir, &cycle, err);
	layout_free(&cycle_layout, &cycle);
	return status < 0 ? status : 0;
}

static int conclude_cycle(struct find *find, struct error *err)
{
	const char *started = fact_text_or(&find->marker.started, "an unknown time");
	int status;

	if (find->same_boot && resumed_since(find)) {
		find->said = text_format(
			"the cycle rehearsed at %s has come back: this is the resumed system",
			started);
		return rehearsal_record_passed(find->gather, &find->facts, LEVEL_CYCLE, err);
	}
	if (find->same_boot) {
		find->said = text_format(
			"the cycle rehearsed at %s was cut short before the machine went off",
			started);
		return 0;
	}
	find->said =
		text_format("the cycle rehearsed at %s did not come back, this is another boot: %s",
			started, find->lost);
	status = rehearsal_record_failed(find->gather, &find->facts, LEVEL_CYCLE, find->lost, err);
	return status < 0 ? status : tell_history(find, err);
}

static int conclude(struct find *find, struct error *err)
{
	if (is_level(find, LEVEL_CYCLE))
		return conclude_cycle(find, err);
	if (find->unreadable) {
		find->said = text_format(
			"a rehearsal was cut short, and no more is known of it (%s); what it may have changed is as before",
			find->unreadable);
		return 0;
	}
	find->said = text_format("a rehearsal (level %s) was cut short%s",
		fact_text_or(&find->marker.level, "unknown"),
		find->same_boot ? "; what it had changed is as before" : " by a reboot");
	/* See rehearse.h: what ends that stops the machine, which nobody has asked for now. */
	if (find->same_boot && is_level(find, LEVEL_IMAGE) &&
		find->facts.kernel.pm_test.is == FACT_KNOWN)
		text_append(&find->said,
			"; until \"ec2hib test-hibernate --level devices\" or the next boot do not use /sys/power/pm_test by hand: the kernel would power off after the test");
	return 0;
}

/*
 * The header is looked at before the marker goes; why a cycle was lost is found out before the
 * header is mended. What is told comes when that is done, so that it is told once. The header is
 * mended whatever else fails.
 */
static int repair(struct find *find, struct error *err)
{
	bool image = fact_text_is(&find->facts.area.signature, SIGNATURE_IMAGE);
	struct error kernel = { "" };
	int reset = reset_kernel(find, &kernel), status = 0;

	if (is_level(find, LEVEL_CYCLE) && !find->same_boot) {
		memory_cleanup_free char *log = NULL;
		struct error ignored = { "" };
		uint64_t last;

		kernel_log_read(find->gather->root, 0, &log, &last, &ignored);
		find->lost = rehearsal_why_lost(&find->marker, &find->facts, log);
	}
	if (image)
		status = clean_area(find, err);
	if (status == 0 && reset < 0)
		status = error_set(err, -reset, "%s", kernel.text);
	if (status == 0) {
		facts_gather_again(&find->facts, find->gather);
		status = rehearsal_left_nothing(&find->facts, err);
	}
	if (status == 0)
		status = conclude(find, err);
	if (status == 0 && image)
		text_append(&find->said, "; the image in %s was made plain swap again",
			find->facts.area.path.value);
	return status == 0 ? rehearsal_marker_remove(find->gather, err) : status;
}

static int read_marker(struct find *find, struct error *err)
{
	const struct gather *gather = find->gather;
	memory_cleanup_free char *boot = NULL;
	int status = root_read_line(gather->root, BOOT_ID_PATH, &boot, err);

	if (status == 0)
		status = rehearsal_marker_read(
			gather->root, gather->config->state_dir, &find->marker, err);
	if (status == -EBADMSG) {
		layout_free(&rehearsal_marker_layout, &find->marker);
		find->marker = (struct rehearsal_marker) { 0 };
		find->unreadable = text_copy(err->text);
		status = 0;
	}
	/* In doubt the kernel is reset as well, to what a boot has. */
	if (status == 0)
		find->same_boot = find->unreadable || fact_text_is(&find->marker.boot_id, boot);
	return status;
}

/* What undo_recover() says: the size of the image and other swaps are as before. */
static void collect(void *data, int priority UNUSED, const char *text)
{
	strings_add(data, text);
}

static void complain(const struct reporter *reporter, const struct error *err)
{
	reporter_log(reporter, LOG_ERR,
		"a rehearsal was cut short, and what it has left cannot be undone: %s", err->text);
}

/* With LOCK_PATH in the hands of the caller, and a marker on the disk a moment ago. */
static void recover_rehearsal(const struct gather *gather, const struct reporter *reporter)
{
	const struct gather local = { .root = gather->root,
		.host = gather->host,
		.config = gather->config,
		.version = gather->version };
	struct find find = { .gather = &local };
	strings_cleanup struct strings undone = { 0 };
	const struct reporter collector = { .log = collect, .data = &undone };
	struct error err = { "" };
	file_cleanup_close int lock = lock_take(gather->root, REHEARSAL_LOCK, 0, &err);
	int status = lock < 0 ? lock : read_marker(&find, &err);

	if (status == 0) {
		undo_recover(gather->root, &collector);
		facts_gather(&find.facts, &local);
		status = repair(&find, &err);
		if (status < 0)
			complain(reporter, &err);
		for (size_t i = 0; i < undone.count && find.said; i++)
			text_append(&find.said, "; %s", undone.items[i]);
		if (find.said)
			reporter_log(reporter, LOG_WARNING, "%s", find.said);
		facts_free(&find.facts);
	} else if (status != -EBUSY && status != -ENOENT) {
		/* Not one that runs, nor one that has ended between two looks. */
		complain(reporter, &err);
	}
	layout_free(&rehearsal_marker_layout, &find.marker);
	free(find.unreadable);
	free(find.lost);
	free(find.said);
}

/* A marker, and the machine and the right to heed it. */
static bool is_left(const struct gather *gather)
{
	memory_cleanup_free char *path =
		text_format("%s/" REHEARSAL_MARKER_NAME, gather->config->state_dir);

	return gather->root->live && geteuid() == 0 && root_exists(gather->root, path);
}

void recover_locked(const struct gather *gather, const struct reporter *reporter)
{
	if (is_left(gather))
		recover_rehearsal(gather, reporter);
}

/*
 * A rehearsal that runs is not waited for. Its lock is let go again: who has LOCK_PATH, and finds
 * that held, takes it for a rehearsal that runs.
 */
void recover(const struct gather *gather, const struct reporter *reporter)
{
	file_cleanup_close int lock = -1;
	struct error err = { "" };
	int running;

	if (!is_left(gather))
		return;
	running = lock_take(gather->root, REHEARSAL_LOCK, 0, &err);
	if (running == -EBUSY)
		return;
	if (running >= 0) {
		close(running);
		lock = lock_take(gather->root, LOCK_PATH, LOCK_WAIT_MS, &err);
	}
	if (lock < 0)
		complain(reporter, &err);
	else
		recover_rehearsal(gather, reporter);
}
