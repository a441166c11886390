/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The btrfs subvolume that a swap file lies in. While the file is switched on the kernel refuses to
 * take a snapshot of it (ETXTBSY), and a snapshot of a file that is off makes it share its blocks,
 * which spoils it. A snapshot does not go into subvolumes below, so the file wants one of its own.
 */
#ifndef EC2HIB_FACTS_SUBVOLUME_H
#define EC2HIB_FACTS_SUBVOLUME_H

#include "core/facts/facts.h"

/* An attribute of the subvolume that setup makes: teardown removes no other. */
#define SUBVOLUME_MARK "trusted.ec2hib"

/* After the name of a subvolume while it is made. */
#define SUBVOLUME_UNFINISHED ".ec2hib-new"

/* Fills folder, folder_ours, subvolume, subvolume_shared and snapshots for the file PATH. */
void subvolume_gather(struct area_facts *area, const struct root *root, const char *path);

#endif
