/* SPDX-License-Identifier: GPL-3.0-or-later */
/* After a rehearsal that was cut short: by a signal, a crash, a power cut, or a cycle that did not
 * come back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/actions/away.h"
#include "core/actions/hibernate_parts.h"
#include "core/actions/history.h"
#include "core/actions/kernel.h"
#include "core/actions/lock.h"
#include "core/actions/rehearse.h"
#include "core/actions/rehearse_record.h"
#include "core/actions/setup.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/kernel_log.h"

/* Another ec2hib may be at work for a moment. */
#define LOCK_WAIT_MS 2000

/* What was found, and the machine that it was found on. */
struct find {
	const struct gather *gather;
	struct rehearsal_marker marker;
	struct facts facts;
	bool same_boot;
	char *strange; /* why the marker tells no more than that it is there; NULL: it does */
	char *why;     /* a cycle did not come back; NULL: none was lost */
};

static bool resumed_since(const struct find *find)
{
	int64_t slept = find->marker.slept.is == FACT_KNOWN ? (int64_t)find->marker.slept.value : 0;

	return clock_slept_ms() - slept >= CLOCK_SLEPT_LEAST_MS;
}

/* ---- What may still be changed -------------------------------------------------------------------------- */

static bool is_cycle(const struct find *find)
{
	return fact_text_is(&find->marker.level, rehearsal_levels[LEVEL_CYCLE].id);
}

/* What away_recover() says: the size of the image and other swaps are as before. */
static void collect(void *data, int priority UNUSED, const char *text)
{
	struct strings *lines = data;

	strings_add(lines, text);
}

static int reset_kernel(const struct find *find, struct error *err)
{
	const struct kernel_facts *kernel = &find->facts.kernel;

	if (!find->same_boot || kernel->pm_test.is != FACT_KNOWN ||
		strstr(kernel->pm_test.value, "[none]"))
		return 0;
	return kernel_set_test(find->gather->root, "none", err);
}

static bool has_image(const struct facts *facts)
{
	return fact_text_is(&facts->area.signature, SIGNATURE_IMAGE);
}

/* Plain swap again, and switched on, which a boot with an image in it could not do. */
static int clean_area(struct find *find, struct error *err)
{
	struct setup setup = { .gather = find->gather, .facts = &find->facts };
	struct plan plan = { 0 };
	int status = preparation_plan(&plan, &find->facts, find->gather->config, err);

	if (status == 0)
		status = plan_apply(&setup, &plan, err);
	plan_free(&plan);
	return status;
}

/* ---- What became of it -------------------------------------------------------------------------------------- */

static char *why_lost(const struct find *find)
{
	memory_cleanup_free char *log = NULL;
	struct error ignored = { "" };
	uint64_t last;

	kernel_log_read(find->gather->root, 0, &log, &last, &ignored);
	return rehearsal_why_lost(&find->marker, &find->facts, log);
}

/* All but its groups. */
static void set_absent(const struct layout *layout, void *structure)
{
	for (size_t i = 0; i < layout->count; i++)
		if (layout->fields[i].type != FIELD_GROUP)
			fact_set_absent((void *)((char *)structure + layout->fields[i].offset));
}

/* Who would have told the history was in the image. */
static int tell_history(const struct find *find, struct error *err)
{
	const struct rehearsal_marker *marker = &find->marker;
	struct cycle cycle = { 0 };
	int status;

	set_absent(&cycle_layout, &cycle);
	set_absent(&timeline_layout, &cycle.timeline);
	if (marker->started.is == FACT_KNOWN)
		fact_set_text(&cycle.began, marker->started.value);
	if (marker->machine.kernel.is == FACT_KNOWN)
		fact_set_text(&cycle.kernel, marker->machine.kernel.value);
	fact_set_text(&cycle.reason, REASON_REHEARSAL);
	fact_set_text(&cycle.result, RESULT_FAILED);
	fact_set_text(&cycle.message, find->why);
	status = history_append(find->gather->root, find->gather->config->state_dir, &cycle, err);
	layout_free(&cycle_layout, &cycle);
	return status < 0 ? status : 0;
}

static int judge_cycle(struct find *find, char **said, struct error *err)
{
	const char *started = fact_text_or(&find->marker.started, "an unknown time");
	int status;

	if (find->same_boot && resumed_since(find)) {
		*said = text_format(
			"the cycle rehearsed at %s has come back: this is the resumed system",
			started);
		return record_passed(find->gather, &find->facts, LEVEL_CYCLE, err);
	}
	if (find->same_boot) {
		*said = text_format(
			"the cycle rehearsed at %s was cut short before the machine went off",
			started);
		return 0;
	}
	*said = text_format("the cycle rehearsed at %s did not come back, this is another boot: %s",
		started, find->why);
	status = record_failed(find->gather, &find->facts, LEVEL_CYCLE, find->why, err);
	return status < 0 ? status : tell_history(find, err);
}

static int judge(struct find *find, char **said, struct error *err)
{
	const char *level = fact_text_or(&find->marker.level, "unknown");

	if (is_cycle(find))
		return judge_cycle(find, said, err);
	if (find->strange) {
		*said = text_format(
			"a rehearsal was cut short, and no more is known of it (%s); what it may have changed is as before",
			find->strange);
		return 0;
	}
	*said = text_format("a rehearsal (level %s) was cut short%s", level,
		find->same_boot ? "; what it had changed is as before"
				: " by a new start of the machine");
	/* See rehearse.h: what ends that stops the machine, which nobody has asked for now. */
	if (find->same_boot &&
		fact_text_is(&find->marker.level, rehearsal_levels[LEVEL_IMAGE].id) &&
		find->facts.kernel.pm_test.is == FACT_KNOWN)
		text_append(said,
			"; until \"ec2hib test-hibernate --level devices\" or the next start do not use /sys/power/pm_test by hand: the kernel would power off after the test");
	return 0;
}

/*
 * The header is looked at before the marker goes; the reason is found out before it is mended. What is
 * told comes when that is done, so that it is told once. The header is mended whatever else fails.
 */
static int put_right(struct find *find, char **said, struct error *err)
{
	bool image = has_image(&find->facts);
	struct error kernel = { "" };
	int reset = reset_kernel(find, &kernel), status = 0;

	if (is_cycle(find) && !find->same_boot)
		find->why = why_lost(find);
	if (image)
		status = clean_area(find, err);
	if (status == 0 && reset < 0)
		status = error_set(err, -reset, "%s", kernel.text);
	if (status == 0) {
		facts_gather_again(&find->facts, find->gather);
		status = rehearsal_left_nothing(&find->facts, err);
	}
	if (status == 0)
		status = judge(find, said, err);
	if (status == 0 && image)
		text_append(said, "; the image in %s was made plain swap again",
			find->facts.area.path.value);
	return status == 0 ? marker_remove(find->gather, err) : status;
}

static int look(const struct gather *gather, char **said, struct error *err)
{
	struct find find = { .gather = gather };
	strings_cleanup struct strings lines = { 0 };
	const struct reporter log = { .log = collect, .data = &lines };
	memory_cleanup_free char *boot = NULL;
	int status = boot_id_read(gather->root, &boot, err);

	if (status == 0)
		status = rehearsal_marker_read(
			gather->root, gather->config->state_dir, &find.marker, err);
	/* It ended between two looks. */
	if (status == -ENOENT) {
		layout_free(&rehearsal_marker_layout, &find.marker);
		return 0;
	}
	if (status == -EBADMSG) {
		layout_free(&rehearsal_marker_layout, &find.marker);
		find.marker = (struct rehearsal_marker) { 0 };
		find.strange = text_copy(err->text);
		status = 0;
	}
	if (status == 0) {
		/* In doubt the kernel is put back to what a boot has as well. */
		find.same_boot = find.strange || fact_text_is(&find.marker.boot_id, boot);
		away_recover(gather->root, &log);
		facts_gather(&find.facts, gather);
		status = put_right(&find, said, err);
		for (size_t i = 0; i < lines.count && *said; i++)
			text_append(said, "; %s", lines.items[i]);
		facts_free(&find.facts);
		free(find.why);
		free(find.strange);
	}
	layout_free(&rehearsal_marker_layout, &find.marker);
	return status;
}

/* A marker, and the machine and the right to heed it. */
static bool is_left(const struct gather *gather)
{
	memory_cleanup_free char *path =
		text_format("%s/" REHEARSAL_MARKER_NAME, gather->config->state_dir);

	return gather->root->live && geteuid() == 0 && root_exists(gather->root, path);
}

/* With LOCK_PATH in the hands of the caller. */
static int recover(const struct gather *gather, char **said, struct error *err)
{
	const struct gather local = { .root = gather->root,
		.host = gather->host,
		.config = gather->config,
		.version = gather->version };
	file_cleanup_close int running = lock_take(gather->root, REHEARSAL_LOCK, 0, err);

	if (running == -EBUSY)
		return 0;
	return running < 0 ? running : look(&local, said, err);
}

static int complain(int status, struct error *err)
{
	return status < 0
		       ? error_prefix(err, status,
				 "a rehearsal was cut short, and what it has left cannot be put right")
		       : 0;
}

int rehearsal_recover_locked(const struct gather *gather, char **said, struct error *err)
{
	*said = NULL;
	return is_left(gather) ? complain(recover(gather, said, err), err) : 0;
}

/*
 * One that runs is not waited for. The lock of rehearsals is let go again: who has LOCK_PATH, and
 * finds that held, takes it for a rehearsal that runs.
 */
int rehearsal_recover(const struct gather *gather, char **said, struct error *err)
{
	file_cleanup_close int lock = -1;
	int running;

	*said = NULL;
	if (!is_left(gather))
		return 0;
	running = lock_take(gather->root, REHEARSAL_LOCK, 0, err);
	if (running == -EBUSY)
		return 0;
	if (running < 0)
		return complain(running, err);
	close(running);
	lock = lock_take(gather->root, LOCK_PATH, LOCK_WAIT_MS, err);
	return complain(lock < 0 ? lock : recover(gather, said, err), err);
}
