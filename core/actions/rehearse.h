/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rehearsing a hibernation, level by level, and leaving nothing behind.
 *
 * Every level that needs the kernel goes through the steps of a hibernation
 * (core/actions/transaction.h) with something else in place of the last write: the lock, the
 * refusals, the swap area, other swaps, the size of the image and the way back are those of a real
 * one.
 *
 * The steps of each such level, and what a power cut after a step does:
 *
 *  1. The marker is on the disk (STATE_DIR/rehearsal-runs.json; fsync of file and folder).
 *     Power cut: the next boot is an ordinary one. Whichever of status, setup, hibernate, watch and
 *     test-hibernate runs first finds the marker, looks at the header, and removes the marker.
 *  2. What hibernate does before its write: the area is plain swap and active, the kernel knows where
 *     it is, other swaps are off, image_size is set. All of it is in the running kernel only. Power
 *     cut: as after 1.
 *     In all levels but cycle resume_offset then names a place where no swap area begins, so that
 *     this kernel can write no image of its own, whatever it makes of the test. Only hibernating
 *     reads it.
 *  3. freezer to core: pm_test is set, the kernel goes as far as that and comes back after 5 s,
 *     pm_test is none again. Nothing is written to any disk. Power cut: as after 1.
 *     image: see core/actions/snapshot.h. Pages of the swap area that nobody uses are written; the
 *     header, which alone tells a boot that there is an image, never is. Power cut: as after 1. Where
 *     the kernel has pm_test it goes through the test of devices once more, see below.
 *     cycle: a real hibernation. Power cut while the image is written: as after 1, for the kernel
 *     marks the header when the image is written (an image that lacks its last page it finds to be
 *     bad, and boots as usual). After that the next boot resumes. Where it does not, whoever finds
 *     the marker says why.
 *  4. The header is read, from the disk and not from the page cache; should it say that there is an
 *     image in this running system, it is made plain swap again (same UUID and label).
 *  5. What hibernate undoes: resume_offset, image_size, other swaps.
 *  6. The marker is removed.
 *
 * Why not the kernel's own test_resume for the image: it marks the header before it reads the image
 * back. So there is a time in which a power cut, or a kernel that fails to read it, leaves an image
 * that the next boot resumes over newer file systems. Such kernels, where the area's device is
 * mounted, are all from 5.16 to 6.5, and stable ones with commit 39fbef4b0f77; 5904de0d735b meant
 * to mend it, with the condition the wrong way round, and 148b6f4cc392 of 6.6 has it right. What
 * would avoid that is worse: changing boot entries for a test is dangerous itself, and a swap file
 * made for the test alone would not be the one that hibernation uses, and could not be switched off
 * again on those kernels. So no level but cycle ever writes a header that says image.
 *
 * Why the area is hidden: a kernel that has made an image through /dev/snapshot takes itself to be
 * hibernating from then on, until it has hibernated (in_suspend of kernel/power/hibernate.c is 1,
 * and kernel/power/user.c does not set it back; so in 2.6.37 to 6.12 at least). A test by pm_test,
 * from devices on, then ends in "write the image and power off": seen on 6.1, with a header that
 * says image and 0 pages after it. With no swap area to be found the write fails before the header
 * is touched, the kernel comes back with ENODEV, and takes itself to be awake. The level image ends
 * with such a test, so that nobody loses the machine who sets pm_test by hand later.
 *
 * The hooks' level takes no lock: a real notice that comes meanwhile runs its hooks and hibernates
 * at the same time, and does not wait for a rehearsal. While the other levels run it waits, as for
 * any other ec2hib.
 *
 * When a rehearsal is killed, the kernel closes /dev/snapshot and thaws all tasks. pm_test is reset
 * by whoever finds the marker (core/actions/recover.h), and resume_offset, image_size and other
 * swaps with it (core/actions/undo.h). No boot needs any of that: it has them as the kernel sets
 * them.
 */
#ifndef EC2HIB_ACTIONS_REHEARSE_H
#define EC2HIB_ACTIONS_REHEARSE_H

#include "core/actions/snapshot.h"
#include "core/facts/cycle.h"
#include "core/facts/gather.h"
#include "core/rules/rehearsal.h"

/* How one level went; valid until end() returns. */
struct rehearsal_result {
	enum rehearsal_level level;
	enum rehearsal_outcome outcome;
	char *reason;		      /* why it was not passed; NULL: it was */
	struct cycle cycle;	      /* of the levels that the kernel takes part in */
	struct snapshot_result image; /* of image */
	bool estimated;
	struct rehearsal_estimate estimate; /* of image and cycle */
};

struct rehearsal {
	const struct gather *gather; /* of the running machine, with the metadata service */
	bool wanted[LEVEL_COUNT];
	bool keep_going;      /* also after a level has failed */
	unsigned timeout_ms;  /* so long the machine may stand still for image */
	unsigned patience_ms; /* how long to wait for another ec2hib that is at work */
	/* Nothing is said, but it is asked whether to stop, while tasks are frozen. */
	const struct reporter *reporter;
	/* Before and after each level that is wanted. */
	void (*begin)(void *data, enum rehearsal_level level);
	void (*end)(void *data, const struct rehearsal_result *result);
	void *data; /* of both */
};

/*
 * 0 when no level failed and one was passed. -EBUSY: another rehearsal runs. -ENOTSUP: no level can
 * be rehearsed here. -ECANCELED: it was stopped. -EPROTO: one has failed.
 */
int rehearse(const struct rehearsal *rehearsal, struct error *err);

#endif
