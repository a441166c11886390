/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The step of setup that pre-warms. */
#ifndef EC2HIB_ACTIONS_PREWARM_SETUP_H
#define EC2HIB_ACTIONS_PREWARM_SETUP_H

#include "core/actions/setup.h"

/*
 * Pre-warms the area of SETUP's facts: until it is done, or in the BACKGROUND, where it goes on when
 * setup has ended. One that runs for another area is stopped before. 0, also when one runs in the
 * background already; else what prewarm_run() and prewarm_stop() say.
 */
int prewarm_for_setup(struct setup *setup, bool background, struct error *err);

#endif
