/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/at_boot.h"

#include "core/facts/fstab.h"
#include "core/facts/swap_units.h"

void at_boot_gather(struct boot_facts *boot, const struct root *root, const struct area_facts *area,
	const device_list *root_devices)
{
	bool any_swap;

	fstab_gather(boot, root, area, &any_swap);
	swap_units_gather(boot, root, area, root_devices, any_swap);
	fact_set_flag(&boot->freeze_timeout_kept, root_exists(root, TMPFILES_PATH));
}
