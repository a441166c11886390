/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pre-warm in a process of its own, and what makes it wait. */
#ifndef EC2HIB_ACTIONS_PREWARM_BACKGROUND_H
#define EC2HIB_ACTIONS_PREWARM_BACKGROUND_H

#include <stdbool.h>

#include "core/base/reporter.h"
#include "core/facts/gather.h"

/*
 * For a while the disk is needed for something else: stops a pre-warm that runs, waits for its end,
 * and says so. Whether one was told to stop; then prewarm_resume() lets it go on when that is over,
 * from where it was, if it ran in the background. Not with LOCK_PATH in hand: a pre-warm that
 * writes has it.
 */
bool prewarm_pause(const struct gather *gather, const struct reporter *reporter);
void prewarm_resume(const struct gather *gather, const struct reporter *reporter);

/*
 * The step of setup: pre-warms AREA until it is done, or in the BACKGROUND, where it goes on when
 * setup has ended. One that runs for another area is stopped before. 0, also when one runs in the
 * background already; -EIO with what it said; else what prewarm_run(), prewarm_stop() and
 * process_execute() say.
 */
int prewarm_for_setup(const struct gather *gather, const struct area_facts *area, bool background,
	const struct reporter *reporter, struct error *err);

#endif
