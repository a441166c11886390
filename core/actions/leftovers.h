/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a setup or teardown that was killed has left beside the files that it was replacing. */
#ifndef EC2HIB_ACTIONS_LEFTOVERS_H
#define EC2HIB_ACTIONS_LEFTOVERS_H

#include "core/base/config.h"
#include "core/base/files.h"
#include "core/facts/facts.h"

/*
 * Removes it, for each file that a plan for this machine may write: whatever step was cut short,
 * the next plan may not have it any more. Nothing else that looks like it (own_file.h says what is
 * ours). The drafts of the swap file are a step of their own, and so are the drop-in for logind and
 * the record of what was taken over, whose drafts say how far a run came. Best effort.
 */
void leftovers_sweep(
	const struct root *root, const struct facts *facts, const struct config *config);

#endif
