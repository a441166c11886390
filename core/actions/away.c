/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/away.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "core/actions/kernel.h"
#include "core/actions/swap.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/swaps.h"
#include "core/facts/record.h"

static const struct field swap_fields[] = {
	TEXT(struct away_swap, path, "the file or device"),
	TEXT(struct away_swap, priority, "its priority"),
};
static const struct layout away_swap_layout = LAYOUT(struct away_swap, swap_fields);

static const struct field fields[] = {
	NUMBER(struct away, format, "version of this layout"),
	LIST(struct away, swaps, &away_swap_layout, "swaps that were on"),
	NUMBER(struct away, image_size, "what /sys/power/image_size said, bytes"),
	NUMBER(struct away, resume_offset, "what /sys/power/resume_offset said, pages"),
};
static const struct layout away_layout = LAYOUT(struct away, fields);

/* ---- The record --------------------------------------------------------------------------------- */

static void forget(struct away *away)
{
	layout_free(&away_layout, away);
	memset(away, 0, sizeof(*away));
}

int away_begin(const struct root *root, struct away *away, const struct hibernation_plan *plan,
	struct error *err)
{
	int status;

	if (plan->leave_count == 0 && !plan->set_image_size && !plan->hide_area)
		return 0;
	fact_set_number(&away->format, AWAY_FORMAT);
	away->swaps.is = FACT_KNOWN;
	for (size_t i = 0; i < plan->leave_count; i++) {
		struct away_swap *swap = facts_add(&away->swaps);

		fact_set_text(&swap->path, plan->leaves[i].path);
		fact_take_text(&swap->priority, text_format("%ld", plan->leaves[i].priority));
	}
	if (plan->set_image_size)
		fact_set_number(&away->image_size, plan->image_size_before);
	else
		fact_set_absent(fact_of(&away->image_size));
	if (plan->hide_area)
		fact_set_number(&away->resume_offset, plan->resume_offset_before);
	else
		fact_set_absent(fact_of(&away->resume_offset));
	status = record_publish(root, AWAY_PATH, &away_layout, away, err);
	if (status < 0)
		forget(away);
	return status;
}

bool away_is_left(const struct root *root)
{
	return root_exists(root, AWAY_PATH);
}

/* ---- Putting back --------------------------------------------------------------------------------- */

static bool is_on(const swap_list *active, const char *path)
{
	for (size_t i = 0; i < active->count; i++)
		if (fact_text_is(&active->items[i].path, path))
			return true;
	return false;
}

/*
 * In the order of /proc/swaps, in which they were switched on: where the kernel chooses, the priority
 * becomes lower with each. What says nothing of /proc/swaps may be off, and is tried.
 */
static bool switch_on(
	const struct root *root, const struct away *away, bool tell, const struct reporter *log)
{
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };
	swap_list active = { 0 };
	bool all = true;

	if (root_read(root, "/proc/swaps", FILE_LIMIT, &text, NULL, &err) == 0)
		swaps_parse(&active, text);
	else
		reporter_log(log, LOG_WARNING, "%s", err.text);
	for (size_t i = 0; i < away->swaps.count; i++) {
		const struct away_swap *swap = &away->swaps.items[i];
		const char *path = fact_text_or(&swap->path, NULL);
		long priority = swap->priority.is == FACT_KNOWN
					? strtol(swap->priority.value, NULL, 10)
					: -1;

		if (!path || is_on(&active, path))
			continue;
		if (swap_on(path, priority, &err) < 0) {
			reporter_log(log, LOG_ERR, "%s", err.text);
			all = false;
		} else if (tell) {
			reporter_log(log, LOG_NOTICE, "%s is switched on again", path);
		}
	}
	swaps_free(&active);
	return all;
}

/* By SET of kernel.h. */
static bool set_back(const struct root *root, const struct fact_number *before,
	int (*set)(const struct root *root, uint64_t number, struct error *err),
	const struct reporter *log)
{
	struct error err = { "" };

	if (before->is != FACT_KNOWN || set(root, before->value, &err) == 0)
		return true;
	reporter_log(log, LOG_ERR, "%s", err.text);
	return false;
}

void away_show_area(const struct root *root, struct away *away, const struct reporter *log)
{
	set_back(root, &away->resume_offset, kernel_set_resume_offset, log);
}

/* TELL: nobody knows yet that there is something to put back. */
static void put_back(
	const struct root *root, struct away *away, bool tell, const struct reporter *log)
{
	bool place = set_back(root, &away->resume_offset, kernel_set_resume_offset, log);
	bool size = set_back(root, &away->image_size, kernel_set_image_size, log);
	bool swaps = switch_on(root, away, tell, log);
	struct error err = { "" };

	forget(away);
	if (root_remove(root, AWAY_PATH, &err) < 0)
		reporter_log(log, LOG_WARNING, "%s", err.text);
	if (tell && place && size && swaps)
		reporter_log(log, LOG_NOTICE, "what a killed hibernation had changed is as before");
}

void away_end(const struct root *root, struct away *away, const struct reporter *log)
{
	if (away->format.is == FACT_KNOWN)
		put_back(root, away, false, log);
}

void away_recover(const struct root *root, const struct reporter *log)
{
	struct away away = { 0 };
	struct error err = { "" };
	int status;

	if (!away_is_left(root))
		return;
	status = record_read(root, AWAY_PATH, &away_layout, AWAY_FORMAT, &away, &err);
	if (status == 0) {
		put_back(root, &away, true, log);
		return;
	}
	/* Nothing can be done with it, and it need not be said at every start. */
	reporter_log(log, LOG_WARNING, "what a killed hibernation had changed is not known: %s",
		err.text);
	layout_free(&away_layout, &away);
	if (status == -EBADMSG && root_remove(root, AWAY_PATH, &err) < 0)
		reporter_log(log, LOG_WARNING, "%s", err.text);
}
