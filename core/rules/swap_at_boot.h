/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the swap area is switched on by an ordinary boot, and by what. */
#ifndef EC2HIB_RULES_SWAP_AT_BOOT_H
#define EC2HIB_RULES_SWAP_AT_BOOT_H

#include "core/facts/facts.h"

enum swap_at_boot {
	AT_BOOT_FSTAB,	 /* by its line in /etc/fstab */
	AT_BOOT_UNIT,	 /* by another unit of systemd: facts->boot.swap_unit */
	AT_BOOT_NOAUTO,	 /* not: its line has noauto */
	AT_BOOT_BLOCKED, /* not, although it has a line */
	AT_BOOT_NOTHING, /* not */
	AT_BOOT_UNKNOWN,
};

/*
 * *WHY says what blocks it ("swap.target is masked"), or why it is not known; else NULL. *FIX mends
 * what blocks it; else NULL. The caller frees both.
 */
enum swap_at_boot swap_at_boot(const struct facts *facts, char **why, char **fix);

#endif
