/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The swap area that hibernation is meant to use, and the root file system. */
#ifndef EC2HIB_FACTS_AREA_H
#define EC2HIB_FACTS_AREA_H

#include "core/base/config.h"
#include "core/facts/device_name.h"
#include "core/facts/facts.h"

/* In the state folder: the path that setup was given with --swapfile or --swap-device. */
#define AREA_RECORD_NAME "area"

/* Behind the path of a swap file while it is made: the first try, and a second one. */
#define AREA_UNFINISHED	       ".ec2hib-new"
#define AREA_UNFINISHED_SECOND ".ec2hib-new2"

/* What setup was given or has adopted; NULL: nothing. The caller frees it. */
char *area_remembered_path(const struct config *config, const struct root *root);

/*
 * Whether NAME, as a file of ROOT has it, means AREA: by the device, by the file whatever path
 * leads to it, and by the same text.
 */
enum name_match area_name_match(
	const struct area_facts *area, const struct root *root, const char *name);

/*
 * Everything about the area at PATH. HOST is the machine that we run on; ROOT_DEVICES what is below
 * the root file system, where most swap files lie.
 */
void area_gather(struct area_facts *area, const struct root *root, const struct root *host,
	const device_list *root_devices, const char *path);

/* What the header at PATH says, alone: signature and what begins with header_. */
void area_gather_header(struct area_facts *area, const struct root *root, const char *path);

/*
 * A name for the area that holds beyond a boot, since NVMe and dm-N names move: a partition by its
 * PARTUUID, another device by its name at the device mapper or by the UUID of its header, where
 * /dev has that; anything else as it was given. The caller frees it.
 */
char *area_stable_name(const struct area_facts *area);

/* Fills remembered. */
void area_record_gather(
	struct area_facts *area, const struct root *root, const struct config *config);

/*
 * What has to be known of the rest first: whether the area is active, and by which name the next
 * boot can find its device (kernel-parameters.rst: without an initramfs the kernel itself knows
 * PARTUUID= and /dev/ names but not UUID=).
 */
void area_complete(struct facts *facts);

void root_gather(struct root_facts *facts, const struct root *root, const struct root *host);

#endif
