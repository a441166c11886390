/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/undo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "core/actions/kernel.h"
#include "core/actions/swap.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"
#include "core/facts/memory.h"
#include "core/facts/swaps.h"

static FACT_LAYOUT(undo_swap, UNDO_SWAP);
static FACT_LAYOUT(undo, UNDO);

/* ---- The record ------------------------------------------------------------------------------ */

static void forget(struct undo *undo)
{
	layout_free(&undo_layout, undo);
	memset(undo, 0, sizeof(*undo));
}

/* What is in it when nothing is changed. */
static void begin(struct undo *undo)
{
	fact_set_number(&undo->format, UNDO_FORMAT);
	undo->swaps.is = FACT_KNOWN;
	fact_set_absent(fact_of(&undo->off_after));
	fact_set_absent(fact_of(&undo->image_size));
	fact_set_absent(fact_of(&undo->resume_offset));
}

int undo_begin(const struct root *root, struct undo *undo, const struct hibernation_plan *plan,
	struct error *err)
{
	int status;

	if (plan->other_count == 0 && !plan->set_image_size && !plan->off_after)
		return 0;
	begin(undo);
	fact_set_text(&undo->off_after, plan->off_after);
	for (size_t i = 0; i < plan->other_count; i++) {
		struct undo_swap *swap = facts_add(&undo->swaps);

		fact_set_text(&swap->path, plan->others[i].path);
		fact_take_text(&swap->priority, text_format("%ld", plan->others[i].priority));
	}
	if (plan->set_image_size)
		fact_set_number(&undo->image_size, plan->image_size_before);
	status = record_publish(root, UNDO_PATH, &undo_layout, undo, err);
	if (status < 0)
		forget(undo);
	return status;
}

int undo_hide_area(const struct root *root, struct undo *undo, uint64_t before, struct error *err)
{
	int status;

	if (undo->format.is != FACT_KNOWN)
		begin(undo);
	fact_set_number(&undo->resume_offset, before);
	status = record_publish(root, UNDO_PATH, &undo_layout, undo, err);
	if (status < 0) {
		fact_set_absent(fact_of(&undo->resume_offset));
		return status;
	}
	return kernel_set_resume_offset(root, RESUME_OFFSET_NOWHERE, err);
}

bool undo_is_left(const struct root *root)
{
	return root_exists(root, UNDO_PATH);
}

/* ---- Undoing --------------------------------------------------------------------------------- */

static bool is_on(const swap_list *active, const char *path)
{
	for (size_t i = 0; i < active->count; i++)
		if (fact_text_is(&active->items[i].path, path))
			return true;
	return false;
}

/*
 * In the order of /proc/swaps, in which they were switched on: where the kernel chooses, the
 * priority becomes lower with each. Where /proc/swaps cannot be read each may be off, and is tried.
 */
static bool switch_on(const struct root *root, const struct undo *undo, bool tell,
	const struct reporter *reporter)
{
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };
	swap_list active = { 0 };
	bool all = true;

	if (root_read(root, "/proc/swaps", FILE_LIMIT, &text, NULL, &err) == 0)
		swaps_parse(&active, text);
	else
		reporter_log(reporter, LOG_WARNING, "%s", err.text);
	for (size_t i = 0; i < undo->swaps.count; i++) {
		const struct undo_swap *swap = &undo->swaps.items[i];
		const char *path = fact_text_or(&swap->path, NULL);
		long priority = strtol(fact_text_or(&swap->priority, "-1"), NULL, 10);

		if (!path || is_on(&active, path))
			continue;
		if (swap_on(path, priority, &err) < 0) {
			reporter_log(reporter, LOG_ERR, "%s", err.text);
			all = false;
		} else if (tell) {
			reporter_log(reporter, LOG_NOTICE, "%s is switched on again", path);
		}
	}
	swaps_free(&active);
	return all;
}

static const struct swap_facts *find_active(const swap_list *active, const char *path)
{
	for (size_t i = 0; i < active->count; i++)
		if (fact_text_is(&active->items[i].path, path))
			return &active->items[i];
	return NULL;
}

/*
 * The swap area that is on for a hibernation only. False: what it holds does not fit into memory
 * now, or the kernel refused; it stays on.
 */
static bool switch_area_off(
	const struct root *root, const char *path, bool tell, const struct reporter *reporter)
{
	memory_cleanup_free char *text = NULL;
	const struct swap_facts *swap;
	struct memory_facts memory = { 0 };
	struct error err = { "" };
	swap_list active = { 0 };
	int status = root_read(root, "/proc/swaps", FILE_LIMIT, &text, NULL, &err);

	if (status == 0) {
		swaps_parse(&active, text);
		swap = find_active(&active, path);
		memory_gather(&memory, root, NULL);
		if (swap)
			status =
				swap_off(root, path, fact_number_or(&swap->used, 0), &memory, &err);
		if (swap && status == 0 && tell)
			reporter_log(reporter, LOG_NOTICE, "%s is switched off again", path);
		layout_free(&memory_facts_layout, &memory);
	}
	swaps_free(&active);
	if (status < 0)
		reporter_log(reporter, LOG_WARNING,
			"%s; it stays on until the next hibernation or setup, or the agent's start",
			err.text);
	return status == 0;
}

/* Of all that is on record only the area is left to be switched off. */
static void keep_for_later(
	const struct root *root, const char *path, const struct reporter *reporter)
{
	struct undo later = { 0 };
	struct error err = { "" };

	begin(&later);
	fact_set_text(&later.off_after, path);
	if (record_publish(root, UNDO_PATH, &undo_layout, &later, &err) < 0)
		reporter_log(reporter, LOG_WARNING, "%s", err.text);
	layout_free(&undo_layout, &later);
}

/* By SET of kernel.h. */
static bool restore(const struct root *root, const struct fact_number *before,
	int (*set)(const struct root *root, uint64_t number, struct error *err),
	const struct reporter *reporter)
{
	struct error err = { "" };

	if (before->is != FACT_KNOWN || set(root, before->value, &err) == 0)
		return true;
	reporter_log(reporter, LOG_ERR, "%s", err.text);
	return false;
}

void undo_show_area(
	const struct root *root, const struct undo *undo, const struct reporter *reporter)
{
	restore(root, &undo->resume_offset, kernel_set_resume_offset, reporter);
}

/* TELL: nobody knows yet that there is something to undo. */
static void undo_changes(
	const struct root *root, struct undo *undo, bool tell, const struct reporter *reporter)
{
	bool offset = restore(root, &undo->resume_offset, kernel_set_resume_offset, reporter);
	bool size = restore(root, &undo->image_size, kernel_set_image_size, reporter);
	bool swaps = switch_on(root, undo, tell, reporter);
	memory_cleanup_free char *area = text_copy(fact_text_or(&undo->off_after, ""));
	bool off = !*area || switch_area_off(root, area, tell, reporter);
	struct error err = { "" };

	forget(undo);
	if (!off) {
		keep_for_later(root, area, reporter);
		return;
	}
	if (root_remove(root, UNDO_PATH, &err) < 0)
		reporter_log(reporter, LOG_WARNING, "%s", err.text);
	if (tell && offset && size && swaps)
		reporter_log(
			reporter, LOG_NOTICE, "what a killed hibernation had changed is as before");
}

void undo_all(const struct root *root, struct undo *undo, const struct reporter *reporter)
{
	if (undo->format.is == FACT_KNOWN)
		undo_changes(root, undo, false, reporter);
}

void undo_recover(const struct root *root, const struct reporter *reporter)
{
	struct undo undo = { 0 };
	struct error err = { "" };
	int status;

	if (!undo_is_left(root))
		return;
	status = record_read(root, UNDO_PATH, &undo_layout, UNDO_FORMAT, &undo, &err);
	if (status == 0) {
		undo_changes(root, &undo, true, reporter);
		return;
	}
	/* Nothing can be done with it, and it need not be said at every start. */
	reporter_log(reporter, LOG_WARNING,
		"what a killed hibernation had changed is not known: %s", err.text);
	layout_free(&undo_layout, &undo);
	if (status == -EBADMSG && root_remove(root, UNDO_PATH, &err) < 0)
		reporter_log(reporter, LOG_WARNING, "%s", err.text);
}
