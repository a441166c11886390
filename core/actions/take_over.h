/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking over from hibagent and ec2-hibinit-agent: their services are stopped and disabled, and
 * what has acpid answer the sleep button is put aside. Nothing is removed, and all of it is recorded
 * first (core/facts/agents.h), so that it can be given back.
 */
#ifndef EC2HIB_ACTIONS_TAKE_OVER_H
#define EC2HIB_ACTIONS_TAKE_OVER_H

#include "core/base/reporter.h"
#include "core/actions/service.h"

/*
 * Switches off what the facts show to be on. Killed anywhere, the record says that it is unfinished,
 * and doing it again completes it. 0 or a negative errno.
 */
int take_over(const struct services *services, const struct facts *facts, const char *state_dir,
	struct error *err);

/*
 * Switches on again what the record has, and removes the record. What is no longer installed, and a
 * file that somebody has made anew, is left alone and noted.
 */
int give_back(const struct services *services, const struct facts *facts, const char *state_dir,
	const struct reporter *reporter, struct error *err);

#endif
