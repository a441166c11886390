/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a rehearsal leaves on the disk for whoever comes next: a marker as long as a level runs, and
 * the record of what was shown (core/facts/rehearsal.h reads both). And recovering: what is done
 * when an ec2hib is found to have been killed.
 */
#ifndef EC2HIB_ACTIONS_RECOVER_H
#define EC2HIB_ACTIONS_RECOVER_H

#include "core/base/reporter.h"
#include "core/facts/gather.h"
#include "core/rules/rehearsal.h"

/* ---- Recovering ------------------------------------------------------------------------------ */

/*
 * For who begins, and has no lock: looks for a rehearsal that was cut short, and repairs what it
 * has left: pm_test, image_size, the header of the swap area. For a cycle it also finds out whether
 * this is the resumed system, and if not why; that goes on record. What was found is said, as
 * LOG_WARNING; nothing when there was nothing, when a rehearsal runs, or for an image.
 *
 * LOG_ERR when something could not be repaired: the marker then stays.
 */
void recover(const struct gather *gather, const struct reporter *reporter);

/*
 * The same for who has LOCK_PATH and is about to hibernate: the agent may have been running for
 * long when a rehearsal was killed, and cannot wait for somebody to look. What was killed while it
 * tested the kernel has left that in a test mode, in which a machine does not hibernate.
 */
void recover_locked(const struct gather *gather, const struct reporter *reporter);

/* ---- For a rehearsal ------------------------------------------------------------------------- */

/* One at a time, from the first marker to the last; who holds it is not cut short. */
#define REHEARSAL_LOCK "/run/ec2hib/rehearsal.lock"

/* On the disk when it returns 0. SLEPT_MS: how long the machine was hibernated since its boot. */
int rehearsal_marker_write(const struct gather *gather, const struct facts *facts,
	enum rehearsal_level level, int64_t slept_ms, struct error *err);
int rehearsal_marker_remove(const struct gather *gather, struct error *err);

/*
 * 0 when FACTS, which are of now, show that nothing of a rehearsal is left: the area is known to be
 * without an image, and the kernel to be in no test mode. Otherwise -EIO, and the marker has to
 * stay.
 */
int rehearsal_left_nothing(const struct facts *facts, struct error *err);

/*
 * Adds to the record; FACTS know the old one and what the machine is, and have the new one after.
 */
int rehearsal_record_passed(const struct gather *gather, struct facts *facts,
	enum rehearsal_level level, struct error *err);
int rehearsal_record_failed(const struct gather *gather, struct facts *facts,
	enum rehearsal_level level, const char *why, struct error *err);

#endif
