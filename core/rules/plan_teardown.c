/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way back: what of ours there is, in the order in which it has to go. */
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/rules/plan.h"
#include "core/rules/plan_parts.h"
#include "core/rules/size.h"

/* What is not known is tried: the step says what is wrong before the swap area goes. */
static bool may_be_ours(const struct fact_flag *ours)
{
	return ours->is == FACT_UNKNOWN || fact_is_true(ours);
}

static void plan_way_back(struct plan *plan, const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	bool ours = fact_text_is(&area->header_label, SWAP_LABEL);

	/* Nobody hibernates any more while the rest goes. */
	plan_service_stop(plan, facts);
	/* The next boot first: it must not look for an image in what is about to be removed. */
	if (may_be_ours(&facts->boot.our_arguments))
		plan_add(plan, STEP_UNDO_BOOT_ARGUMENTS, 0,
			text_format("take our boot arguments out (%s)", plan_loader_place(facts)));
	if (fact_is_true(&facts->boot.our_initramfs))
		plan_add(plan, STEP_UNDO_INITRAMFS, 0,
			text_format("take our setting out of the initramfs (%s)",
				fact_text_or(&facts->boot.initramfs_tool, "no tool")));
	if (may_be_ours(&facts->boot.our_fstab_entry))
		plan_add(plan, STEP_UNDO_SWAP_AT_BOOT, 0,
			text_format("take our line out of /etc/fstab"));
	if (fact_is_true(&facts->boot.freeze_timeout_kept))
		plan_add(plan, STEP_UNDO_FREEZE_AT_BOOT, 0,
			text_format("remove /etc/tmpfiles.d/ec2hib.conf"));
	/* A device begins at offset 0, which is what a kernel has that was told nothing. */
	if (ours && plan_kernel_knows_area(facts) && area->resume_offset.value != 0)
		plan_add(plan, STEP_UNDO_KERNEL_RESUME, 0,
			text_format("the running kernel forgets where %s lies", area->path.value));
	plan_sweep_area(plan, area);
	if (ours && fact_text_is(&area->kind, "file"))
		plan_add(plan, STEP_UNDO_SWAP, 0,
			text_format("switch %s off and remove it", area->path.value));
	else if (ours && fact_text_is(&area->kind, "device") && fact_is_true(&area->active))
		plan_add(plan, STEP_UNDO_SWAP, 0, text_format("switch %s off", area->path.value));
	else if (area->kind.is == FACT_KNOWN && !ours)
		strings_take(&plan->notes,
			text_format("%s stays: ec2hib did not make it", area->path.value));
	if (area->remembered.is == FACT_KNOWN)
		plan_add(plan, STEP_UNDO_REMEMBER_AREA, 0,
			text_format("forget that %s was the swap area", area->remembered.value));
	/* They make a swap file of their own as soon as they start. */
	plan_give_back(plan, facts);
}

/* Found out before the agent and the boot arguments go, and not halfway. */
static int refuse_what_cannot_go(const struct facts *facts, struct error *err)
{
	const struct area_facts *area = &facts->area;

	if (!fact_text_is(&area->header_label, SWAP_LABEL) || !fact_is_true(&area->active) ||
		area->used.is != FACT_KNOWN)
		return 0;
	return swap_off_fits(area->path.value, area->used.value, &facts->memory, err);
}

int teardown_plan(struct plan *plan, const struct facts *facts, struct error *err)
{
	struct plan back = { 0 };
	int status = refuse_what_cannot_go(facts, err);

	*plan = (struct plan) { 0 };
	if (status < 0)
		return status;
	plan_way_back(&back, facts);
	/*
	 * The blocks of a file that is removed keep what they hold: where some resume= still
	 * names them, a later boot would resume the image from there.
	 */
	if (back.count)
		status = plan_old_image(plan, facts, err);
	for (size_t i = 0; status == 0 && i < back.count; i++) {
		struct step *step = &back.steps[i];

		plan_add(plan, step->kind, step->value, step->text);
		step->text = NULL;
	}
	plan->notes = back.notes;
	back.notes = (struct strings) { 0 };
	plan_free(&back);
	return status;
}
