/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking over from what has answered EC2 so far: hibagent and ec2-hibinit-agent, what acpid does at
 * the sleep button, and what systemd-logind does at it.
 *
 * Nothing is removed, and what another program had is recorded first (core/facts/agents.h), so that
 * it can be restored.
 */
#ifndef EC2HIB_ACTIONS_TAKE_OVER_H
#define EC2HIB_ACTIONS_TAKE_OVER_H

#include "core/actions/service.h"
#include "core/base/reporter.h"

/*
 * Stops and disables the services of the older agents, and renames what has acpid answer the
 * button: all that the facts show to be on. Killed anywhere, the record says that it is unfinished,
 * and doing it again completes it. 0 or a negative errno.
 */
int take_over(const struct services *services, const struct facts *facts, const char *state_dir,
	struct error *err);

/*
 * Switches on again what the record has, and removes the record. What is no longer installed, and a
 * file that somebody has made anew, is left alone and noted.
 */
int take_over_restore(const struct services *services, const struct facts *facts,
	const char *state_dir, const struct reporter *reporter, struct error *err);

/*
 * The agent reads the button's input devices itself, and logind would answer the same press with
 * its own idea of sleeping: writes the drop-in LOGIND_DROP_IN and has a running logind read it.
 * Between the two the file says that it is not in effect, so that a run that was killed there is
 * gone on with. 0 or a negative errno.
 */
int sleep_key_take(const struct services *services, const struct facts *facts, struct error *err);

/* The way back: logind does what it did before. */
int sleep_key_restore(
	const struct services *services, const struct facts *facts, struct error *err);

#endif
