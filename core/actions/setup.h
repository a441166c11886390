/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Carrying out a plan: setup and teardown. */
#ifndef EC2HIB_ACTIONS_SETUP_H
#define EC2HIB_ACTIONS_SETUP_H

#include "core/base/reporter.h"
#include "core/facts/gather.h"
#include "core/rules/plan.h"

/* Everything that a step needs. */
struct setup {
	const struct gather *gather;
	/*
	 * Gathered; once more before each further step, and before the kernel is told of the area.
	 */
	struct facts *facts;
	const struct reporter *reporter;
	/* Asked when the turn of a step has come; false leaves it out. May be NULL. */
	bool (*due)(void *data, const struct step *step);
	/* Before each step: INDEX of plan->steps. May be NULL. */
	void (*begin)(void *data, const struct plan *plan, size_t index);
	void *data; /* of both */
	/* Lines of others' files that could not be taken back, each told to the reporter. */
	size_t left;
};

/*
 * Runs the steps in order. One that fails has undone what it had half made (a swap file that was
 * switched off to be replaced is on again), and the steps that do not rest on it are done all the
 * same (step_rests_on()). Of several failures the last is in ERR, which says which step it was, and
 * the others go to the reporter. Running setup again then plans what is left. -ECANCELED, and no
 * further step, when the reporter is cancelled between two steps. -EBUSY when all steps were done
 * and lines are left.
 */
int plan_apply(struct setup *setup, const struct plan *plan, struct error *err);

#endif
