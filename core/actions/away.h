/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is different only while the machine is away: other swaps that are off, the size of the image, and
 * in a rehearsal the place where the kernel looks for its swap area.
 *
 * How it was before is in AWAY_PATH from before the first change until all is undone, so that also an
 * ec2hib that is killed in between leaves behind what to put back: the next one that has the lock
 * does it. The record lies in memory as the changes do. A resumed machine has both again, and a boot
 * has neither.
 */
#ifndef EC2HIB_ACTIONS_AWAY_H
#define EC2HIB_ACTIONS_AWAY_H

#include "core/actions/lock.h"
#include "core/base/reporter.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/facts/fact.h"
#include "core/rules/hibernation.h"

#define AWAY_PATH   RUN_FOLDER "/away.json"
#define AWAY_FORMAT 1

/* A swap that was on. */
struct away_swap {
	struct fact_text path;
	struct fact_text priority; /* as in /proc/swaps: may be below 0 */
};

/* {0}: nothing is different. */
struct away {
	struct fact_number format;
	FACT_LIST(struct away_swap) swaps;
	struct fact_number image_size;	  /* bytes; absent: not changed */
	struct fact_number resume_offset; /* pages; absent: not changed */
};

/*
 * Before the first change: AWAY is how all was that PLAN changes, and it is in the record. Nothing may
 * be changed after an error. The caller must have the lock.
 */
int away_begin(const struct root *root, struct away *away, const struct hibernation_plan *plan,
	struct error *err);

/* Puts back the kernel's resume offset alone, and before all else. */
void away_show_area(const struct root *root, struct away *away, const struct reporter *log);

/*
 * Puts back what is not as it was, says what cannot be, and forgets both. Also when only a part of
 * the plan came about: a swap that is on stays as it is.
 */
void away_end(const struct root *root, struct away *away, const struct reporter *log);

/*
 * The same for what an ec2hib left that was killed; it is said. Nothing where no record is. The
 * caller must have the lock, and ROOT be the running machine.
 */
void away_recover(const struct root *root, const struct reporter *log);

/* Whether away_recover() would find a record. */
bool away_is_left(const struct root *root);

#endif
