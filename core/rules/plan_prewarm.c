/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pre-warming as the last step of setup. */
#include "core/base/text.h"
#include "core/rules/plan_parts.h"

static bool on_ebs(const device_list *devices)
{
	return devices->is == FACT_KNOWN && devices->count &&
	       fact_text_is(&devices->items[devices->count - 1].medium, MEDIUM_EBS);
}

static bool has_step(const struct plan *plan, enum step_kind kind)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == kind)
			return true;
	return false;
}

/* Not by what this plan does alone: setup may have been ended just before the pre-warm. */
static bool is_cold(const struct plan *plan, const struct facts *facts)
{
	const struct fact_text *prewarmed = &facts->area.prewarmed;

	if (has_step(plan, STEP_CREATE_SWAP))
		return true; /* in other places, whatever was done before */
	if (prewarmed->is == FACT_KNOWN)
		return fact_text_is(prewarmed, PREWARMED_NEVER) ||
		       fact_text_is(prewarmed, PREWARMED_PARTLY);
	return has_step(plan, STEP_FORMAT_SWAP) || has_step(plan, STEP_SWAP_ON);
}

/* Whether there is nothing left to wait for. */
static bool is_done(const struct plan *plan, const struct facts *facts)
{
	return fact_text_is(&facts->area.prewarmed, PREWARMED_FINISHED) &&
	       !has_step(plan, STEP_CREATE_SWAP);
}

void plan_prewarm(struct plan *plan, const struct facts *facts, const struct setup_request *request)
{
	enum setup_prewarm wanted = request->prewarm;

	if (wanted == SETUP_PREWARM_AUTO)
		wanted = fact_is_true(&facts->live) && on_ebs(&facts->area.devices) &&
					 is_cold(plan, facts)
				 ? SETUP_PREWARM_BACKGROUND
				 : SETUP_PREWARM_NO;
	if (wanted == SETUP_PREWARM_NO || is_done(plan, facts))
		return;
	if (!fact_is_true(&facts->live)) {
		strings_add(&plan->notes,
			"nothing is pre-warmed: what is cold is the volume of the machine that will run this image");
		return;
	}
	plan_add(plan, STEP_PREWARM, wanted == SETUP_PREWARM_BACKGROUND,
		text_format("touch every block of %s%s (ec2hib prewarm)", facts->area.path.value,
			wanted == SETUP_PREWARM_BACKGROUND ? " in the background"
							   : ", which takes a while"));
}
