/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rehearsing a hibernation, level by level, and leaving nothing behind.
 *
 * Every level that asks something of the kernel is a hibernation (core/actions/hibernate.h) with
 * something else in place of its last write: the lock, the refusals, the swap area, other swaps, the
 * size of the image and the way back are those of a real one.
 *
 * The steps of each such level, and what a power cut after a step does:
 *
 *  1. The marker is on the disk (STATE_DIR/rehearsal-runs.json; fsync of file and folder).
 *     Power cut: the next boot is an ordinary one. Who comes first of status, setup, hibernate,
 *     watch and test-hibernate finds the marker, looks at the header, and removes the marker.
 *  2. What hibernate does before its write: the area is plain swap and active, the kernel knows where
 *     it is, other swaps off, image_size. All of it is in the running kernel only. Power cut: as
 *     after 1.
 *     In all but cycle then: resume_offset is a place where no swap area begins, so that this kernel
 *     can write no image of its own, whatever it makes of the test. Nothing but hibernating reads it.
 *  3. freezer to core: pm_test is set, the kernel goes as far as that and comes back after 5 s,
 *     pm_test is none again. Nothing is written to any disk. Power cut: as after 1.
 *     image: see core/actions/snapshot.h. Pages of the swap area that nobody uses are written; the
 *     header, by which alone a boot tells an image, is never. Power cut: as after 1. Where the kernel
 *     has pm_test it goes through the test of devices once more, see below.
 *     cycle: a real hibernation. Power cut while the image is written: as after 1, for the kernel
 *     marks the header when the image is written (one that lacks its last page it finds to be bad
 *     and boots as usual). After that the next boot resumes. Where it does not, the one who finds
 *     the marker says why.
 *  4. The header is read, from the disk and not from the page cache; should it say that there is an
 *     image in this running system, it is made plain swap again (same UUID and label).
 *  5. The way back of hibernate: resume_offset, image_size, other swaps.
 *  6. The marker is removed.
 *
 * Why this order, and not the kernel's own test_resume for the image: that marks the header before it
 * reads the image back, so there is a time in which a power cut, or a kernel that fails to read it
 * (all from 5.16 to 6.5, and stable ones with commit 39fbef4b0f77, do where the area's device is
 * mounted; 5904de0d735b meant to mend it, with the condition the wrong way round, and
 * 148b6f4cc392 of 6.6 has it right), leaves an image that the next boot resumes over newer file
 * systems. The ways round are worse: boot entries changed for a test are dangerous themselves, and
 * a swap file made for it alone would not be the one that hibernation uses, and on those kernels
 * could not be switched off again. So no level but cycle ever writes a header that says image.
 *
 * Why the area is hidden: a kernel that has made an image through /dev/snapshot takes itself to be
 * hibernating from then on, until it has hibernated (in_suspend of kernel/power/hibernate.c is 1, and
 * kernel/power/user.c does not set it back; so in 2.6.37 to 6.12 at least). A test by pm_test, from
 * devices on, then ends in "write the image and power off": seen on 6.1, with a header that says image
 * and 0 pages behind it. With no swap area to be found the write fails before the header is touched,
 * the kernel comes back with ENODEV, and takes itself to be awake. So that nobody who sets pm_test by
 * hand later loses the machine by it, the level image ends with such a test.
 *
 * The hooks' level takes no lock: a real notice that comes meanwhile runs its hooks and hibernates
 * beside it, and does not wait for a rehearsal. While the others run it waits, as for any other ec2hib.
 *
 * A rehearsal that is killed: the kernel closes /dev/snapshot and thaws; pm_test is put back by whoever
 * finds the marker, with resume_offset, image_size and other swaps (core/actions/away.h). No boot needs it: they are
 * as the kernel sets them.
 */
#ifndef EC2HIB_ACTIONS_REHEARSE_H
#define EC2HIB_ACTIONS_REHEARSE_H

#include "core/actions/snapshot.h"
#include "core/facts/cycle.h"
#include "core/facts/gather.h"
#include "core/rules/rehearsal.h"

/* How one level went. rehearsal_result_free() ends it. */
struct rehearsal_result {
	enum rehearsal_level level;
	enum rehearsal_outcome outcome;
	char *reason;		      /* why it was not passed; NULL: it was */
	struct cycle cycle;	      /* of the levels that the kernel takes part in */
	struct snapshot_result image; /* of image */
	bool estimated;
	struct rehearsal_estimate estimate; /* of image and cycle */
};
void rehearsal_result_free(struct rehearsal_result *result);

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
 * 0 when no level failed and one was passed. -EBUSY: another rehearsal runs. -ENOTSUP: no level can be
 * rehearsed here. -ECANCELED: it was stopped. -EPROTO: one has failed.
 */
int rehearse(const struct rehearsal *rehearsal, struct error *err);

#endif
