/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What makes settings last beyond a boot: our line in /etc/fstab, which carries our mark, so that
 * nothing has to be remembered about it, and our file in /etc/tmpfiles.d.
 */
#ifndef EC2HIB_FACTS_AT_BOOT_H
#define EC2HIB_FACTS_AT_BOOT_H

#include "core/base/files.h"
#include "core/facts/facts.h"

#define FSTAB_PATH    "/etc/fstab"
#define TMPFILES_PATH "/etc/tmpfiles.d/ec2hib.conf"

/* Our mark in a line of fstab: programs pass over options that begin with x- (mount(8)). */
#define FSTAB_MARK "x-ec2hib"

/*
 * The TEXT of an fstab with a line for AREA as the only one of ours, or with none of ours; all
 * other lines stay byte for byte. The caller frees it.
 */
char *fstab_with(const char *text, const struct area_facts *area);
char *fstab_without(const char *text);

/* Fills fstab_entry, our_fstab_entry and freeze_timeout_kept. */
void at_boot_gather(
	struct boot_facts *boot, const struct root *root, const struct area_facts *area);

#endif
