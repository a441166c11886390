/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes settings last beyond a boot: a swap area that is switched on, a freeze timeout. */
#ifndef EC2HIB_FACTS_AT_BOOT_H
#define EC2HIB_FACTS_AT_BOOT_H

#include "core/base/files.h"
#include "core/facts/facts.h"

#define TMPFILES_PATH "/etc/tmpfiles.d/ec2hib.conf"

/* Fills what boot_facts say of fstab, of swap units, and freeze_timeout_kept. */
void at_boot_gather(struct boot_facts *boot, const struct root *root, const struct area_facts *area,
	const device_list *root_devices);

#endif
