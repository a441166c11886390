/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes settings last beyond a boot: /etc/fstab and /etc/tmpfiles.d. */
#ifndef EC2HIB_FACTS_KEPT_H
#define EC2HIB_FACTS_KEPT_H

#include "core/facts/facts.h"

#define FSTAB_PATH    "/etc/fstab"
#define TMPFILES_PATH "/etc/tmpfiles.d/ec2hib.conf"

/* Our mark in a line of fstab: programs pass over options that begin with x- (mount(8)). */
#define FSTAB_MARK "x-ec2hib"

/* Does LINE of fstab carry our mark? */
bool fstab_line_is_ours(const char *line);

/*
 * The line that setup adds for AREA; the caller frees it. nofail: a boot without the swap area is
 * better than none. A device stands there by the UUID of its swap header, because NVMe names move
 * between boots.
 */
char *fstab_line(const struct area_facts *area);

/* Fills fstab_entry, our_fstab_entry and freeze_timeout_kept. */
void kept_gather(struct boot_facts *boot, const struct root *root, const struct area_facts *area);

#endif
