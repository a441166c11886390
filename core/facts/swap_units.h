/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units of systemd that switch a swap area on at boot, or are masked so that nothing does. */
#ifndef EC2HIB_FACTS_SWAP_UNITS_H
#define EC2HIB_FACTS_SWAP_UNITS_H

#include "core/base/files.h"
#include "core/facts/facts.h"

/* The unit that switches a GPT partition on by its type: a generator of systemd. In swap_unit. */
#define SWAP_GPT_GENERATOR "systemd-gpt-auto-generator"

/*
 * Fills swap_unit and swap_mask, after fstab_gather(); where another init than systemd is installed
 * they are absent, and fstab_unit as well. ANY_SWAP: some line of fstab is about a swap, which
 * keeps the generator for GPT partitions from making units.
 */
void swap_units_gather(struct boot_facts *boot, const struct root *root,
	const struct area_facts *area, const device_list *root_devices, bool any_swap);

#endif
