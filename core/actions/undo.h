/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a hibernation changes for its time and undoes afterwards: other swaps that go off, the size
 * of the image, and in a rehearsal the place where the kernel looks for its swap area.
 *
 * How it was before is in UNDO_PATH from before the first change until all is undone. So also an
 * ec2hib that is killed in between leaves what the next one needs to undo it, which has to have the
 * lock. The record is in memory, as the changes are: a resumed machine has both again, and a boot
 * has neither.
 */
#ifndef EC2HIB_ACTIONS_UNDO_H
#define EC2HIB_ACTIONS_UNDO_H

#include "core/actions/lock.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/reporter.h"
#include "core/facts/fact.h"
#include "core/rules/hibernation.h"

/* Its name is that of the first versions: one that is updated finds what the older one has left. */
#define UNDO_PATH   RUN_FOLDER "/away.json"
#define UNDO_FORMAT 1

/* A swap that was on. */
#define UNDO_SWAP(TEXT, NUMBER, FLAG, GROUP, LIST)                                                 \
	TEXT(path, "the file or device")                                                           \
	TEXT(priority, "its priority as in /proc/swaps, which may be below 0")
struct undo_swap {
	FACT_MEMBERS(UNDO_SWAP)
};
typedef FACT_LIST(struct undo_swap) undo_swap_list;

/* {0}: nothing is changed. */
#define UNDO(TEXT, NUMBER, FLAG, GROUP, LIST)                                                      \
	NUMBER(format, "", "version of this layout")                                               \
	LIST(swaps, undo_swap_list, undo_swap, "swaps that were on")                               \
	TEXT(off_after, "the swap area, which goes off again; null: it stays")                     \
	NUMBER(image_size, "bytes", "what /sys/power/image_size said; null: not changed")          \
	NUMBER(resume_offset, "pages", "what /sys/power/resume_offset said; null: not changed")
struct undo {
	FACT_MEMBERS(UNDO)
};

/*
 * Before the first change: records how all is that PLAN changes. Nothing may be changed after an
 * error. The caller must have the lock.
 */
int undo_begin(const struct root *root, struct undo *undo, const struct hibernation_plan *plan,
	struct error *err);

/*
 * Makes the kernel look for its swap area where there is none; BEFORE, the offset that it has now,
 * is recorded first.
 */
int undo_hide_area(const struct root *root, struct undo *undo, uint64_t before, struct error *err);

/* Restores the kernel's resume offset alone, for who needs it before the rest. */
void undo_show_area(
	const struct root *root, const struct undo *undo, const struct reporter *reporter);

/*
 * Restores what is not as it was, says what cannot be, and forgets both. Also when only a part of
 * the plan came about: a swap that is on stays as it is. The area itself goes off where it is on
 * for a hibernation only; while what it holds does not fit into memory it stays on and on record,
 * for undo_recover() to try again.
 */
void undo_all(const struct root *root, struct undo *undo, const struct reporter *reporter);

/*
 * The same for what a killed ec2hib has left, and says so. Nothing where there is no record. The
 * caller must have the lock, and ROOT be the running machine.
 */
void undo_recover(const struct root *root, const struct reporter *reporter);

/* Whether undo_recover() would find a record. */
bool undo_is_left(const struct root *root);

#endif
