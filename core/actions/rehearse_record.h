/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing what core/facts/rehearsal.h reads; private to core/actions/rehearse*.c. */
#ifndef EC2HIB_ACTIONS_REHEARSE_RECORD_H
#define EC2HIB_ACTIONS_REHEARSE_RECORD_H

#include "core/facts/gather.h"
#include "core/rules/rehearsal.h"

/* One at a time, from the first marker to the last; who holds it is not cut short. */
#define REHEARSAL_LOCK "/run/ec2hib/rehearsal.lock"

/* The kernel's id of this boot; the caller frees it. */
int boot_id_read(const struct root *root, char **id, struct error *err);

/* On the disk when it returns 0. SLEPT_MS: how long the machine was hibernated since its boot. */
int marker_write(const struct gather *gather, const struct facts *facts, enum rehearsal_level level,
	int64_t slept_ms, struct error *err);
/*
 * 0 when FACTS, which are of now, show that nothing of a rehearsal is left: the area is known to be
 * without an image, and the kernel to be in no test mode. Otherwise -EIO, and the marker has to stay.
 */
int rehearsal_left_nothing(const struct facts *facts, struct error *err);

int marker_remove(const struct gather *gather, struct error *err);

/* Adds to the record; FACTS know the old one and what the machine is, and have the new one after. */
int record_passed(const struct gather *gather, struct facts *facts, enum rehearsal_level level,
	struct error *err);
int record_failed(const struct gather *gather, struct facts *facts, enum rehearsal_level level,
	const char *why, struct error *err);

#endif
