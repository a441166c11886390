/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * systemd-logind and the sleep button. The agent reads the button's input devices itself, and logind
 * would answer the same press with its own idea of sleeping.
 */
#ifndef EC2HIB_ACTIONS_SLEEP_KEY_H
#define EC2HIB_ACTIONS_SLEEP_KEY_H

#include "core/actions/service.h"

/*
 * Writes the drop-in LOGIND_DROP_IN and has a running logind read it. Between the two the file says
 * that it is not in effect, so that a run that was killed there is gone on with. 0 or a negative
 * errno.
 */
int sleep_key_take(const struct services *services, const struct facts *facts, struct error *err);

/* The way back: logind does what it did before. */
int sleep_key_give_back(
	const struct services *services, const struct facts *facts, struct error *err);

#endif
