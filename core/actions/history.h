/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adding to the history of hibernations (core/facts/cycle.h reads it). */
#ifndef EC2HIB_ACTIONS_HISTORY_H
#define EC2HIB_ACTIONS_HISTORY_H

#include "core/facts/cycle.h"

/* The history has so many cycles at most, the newest. */
#define HISTORY_MAX 1000

/*
 * Adds CYCLE to STATE_DIR/history.json below ROOT; the folder and the file are made where they are
 * missing. Whoever calls holds the lock of hibernation, so nobody else writes at that time.
 *
 * 0; or 1 when the file could not be understood: it is saved as history.json.damaged (with a
 * number, if there is one already), ERR says so, and a new history begins with CYCLE. A negative
 * errno when nothing was written.
 */
int history_append(const struct root *root, const char *state_dir, const struct cycle *cycle,
	struct error *err);

#endif
