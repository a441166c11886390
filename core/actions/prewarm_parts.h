/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files prewarm*.c share. */
#ifndef EC2HIB_ACTIONS_PREWARM_PARTS_H
#define EC2HIB_ACTIONS_PREWARM_PARTS_H

#include "core/actions/prewarm.h"

/* What is to be warmed, opened. */
struct prewarm_target {
	char *path;   /* /swap, or the device */
	char *device; /* /dev/nvme0n1p1 */
	char *volume; /* names the device beyond a boot */
	char *map;
	enum prewarm_method method;
	int fd;			      /* of the device, or of the file that is written to */
	int counters;		      /* of its disk, /sys/block/DISK/stat; -1: none */
	uint64_t logical;	      /* bytes */
	struct prewarm_ranges ranges; /* of FD */
	char *uuid, *label;	      /* of the swap header; NULL: none */
};

/*
 * Finds and opens it. What is wrong with it is one of the errors of prewarm_run().
 * prewarm_target_close() in any case; TARGET needs not be set before.
 */
int prewarm_target_open(
	struct prewarm_target *target, const struct prewarm *prewarm, struct error *err);
void prewarm_target_close(struct prewarm_target *target);

/*
 * What was done by earlier runs for TARGET: added to DONE. True when that was all of it, at *WHEN
 * (the caller frees it). A record that cannot be read counts as none, and is noted.
 */
bool prewarm_recall(const struct prewarm *prewarm, const struct prewarm_target *target,
	struct prewarm_ranges *done, char **when);

/* Keeps DONE for the next run; FINISHED is when all of it was done, NULL: it was not. */
int prewarm_remember(const struct prewarm *prewarm, const struct prewarm_target *target,
	const struct prewarm_ranges *done, const char *finished, struct error *err);

#endif
