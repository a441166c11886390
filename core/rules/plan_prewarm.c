/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pre-warming as the last step of setup. */
#include "core/base/text.h"
#include "core/rules/plan_parts.h"

static bool on_ebs(const device_list *devices)
{
	return devices->is == FACT_KNOWN && devices->count &&
	       fact_text_is(&devices->items[devices->count - 1].medium, MEDIUM_EBS);
}

/* An area that becomes one now: its blocks may never have been touched. */
static bool area_is_new(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_CREATE_SWAP ||
			plan->steps[i].kind == STEP_FORMAT_SWAP ||
			plan->steps[i].kind == STEP_SWAP_ON)
			return true;
	return false;
}

void plan_prewarm(
	struct plan *plan, const struct facts *facts, const struct setup_request *request)
{
	enum setup_prewarm wanted = request->prewarm;

	if (wanted == SETUP_PREWARM_AUTO)
		wanted = fact_is_true(&facts->live) && on_ebs(&facts->area.devices) &&
					 area_is_new(plan)
				 ? SETUP_PREWARM_BACKGROUND
				 : SETUP_PREWARM_NO;
	if (wanted == SETUP_PREWARM_NO)
		return;
	if (!fact_is_true(&facts->live)) {
		strings_add(&plan->notes,
			"nothing is pre-warmed: what is cold is the volume of the machine "
			"that will run this image");
		return;
	}
	plan_add(plan, STEP_PREWARM, wanted == SETUP_PREWARM_BACKGROUND,
		text_format("touch every block of %s%s (ec2hib prewarm)",
			facts->area.path.value,
			wanted == SETUP_PREWARM_BACKGROUND ? " in the background"
							   : ", which takes a while"));
}
