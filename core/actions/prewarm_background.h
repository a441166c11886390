/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pre-warm in a process of its own. */
#ifndef EC2HIB_ACTIONS_PREWARM_BACKGROUND_H
#define EC2HIB_ACTIONS_PREWARM_BACKGROUND_H

#include "core/base/reporter.h"
#include "core/facts/gather.h"

struct prewarm_order {
	const char *option; /* that says what PATH is: --swapfile, --swap-device, --device */
	const char *path;
	uint64_t rate;	/* bytes/s; 0: no limit */
	uint64_t block; /* bytes a request; 0: the standard */
	unsigned depth; /* requests at a time; 0: adapt */
};

/*
 * Runs ec2hib prewarm --background, and returns when it has begun. It goes on when this process has
 * ended, and has none of its locks. 0, -EIO with what it said, or what process_execute() says.
 */
int prewarm_start(
	const struct gather *gather, const struct prewarm_order *order, struct error *err);

/*
 * Goes on with the pre-warm that the state tells of, when it ran in the background and was stopped
 * or ended before its time. 1: it has begun; 0: there is none to go on with; else as above.
 */
int prewarm_go_on(const struct gather *gather, struct error *err);

/*
 * For a while the disk is needed for something else: stops a pre-warm that runs, waits for its end, and
 * says so in LOG. Whether one was told to stop; then prewarm_take_up() lets it go on when that is over.
 * Not with LOCK_PATH in hand: a pre-warm that writes has it.
 */
bool prewarm_put_aside(const struct gather *gather, const struct reporter *log);
void prewarm_take_up(const struct gather *gather, const struct reporter *log);

#endif
