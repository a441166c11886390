/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One at a time: setup, teardown and hibernation of a machine exclude each other. */
#ifndef EC2HIB_ACTIONS_LOCK_H
#define EC2HIB_ACTIONS_LOCK_H

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/reporter.h"
#include "core/facts/prewarm_state.h" /* PREWARM_LOCK */

#define RUN_FOLDER "/run/ec2hib"
#define LOCK_PATH  RUN_FOLDER "/lock"	    /* whoever changes the machine */
#define TURN_LOCK  RUN_FOLDER "/turn.lock"  /* who hibernates next, or rehearses it */
#define WATCH_LOCK RUN_FOLDER "/watch.lock" /* the agent */

/*
 * Takes the lock on PATH, a file below /run/ec2hib; for an image on a file of its own there, which
 * only root can open, so that nobody else can hold it. Waits at most WAIT_MS for another to let go.
 * A descriptor: closing it, or the end of the process, lets go; when it is killed while a program
 * of its runs, the end of that (process.h). -EBUSY when somebody else has it; the error names its
 * process.
 */
int lock_take(const struct root *root, const char *path, unsigned wait_ms, struct error *err);

/* The same for a long wait: -ECANCELED when the reporter is cancelled before the lock is ours. */
int lock_wait(const struct root *root, const char *path, unsigned wait_ms,
	const struct reporter *reporter, struct error *err);

#endif
