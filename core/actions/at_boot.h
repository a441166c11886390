/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings that are made again at every boot (core/facts/at_boot.h), and no longer. */
#ifndef EC2HIB_ACTIONS_AT_BOOT_H
#define EC2HIB_ACTIONS_AT_BOOT_H

#include <stdint.h>

#include "core/base/files.h"
#include "core/facts/facts.h"

/* Makes /etc/fstab switch AREA on at boot; nothing else in it is ours then (core/facts/fstab.h). */
int swap_at_boot_set(const struct root *root, const struct area_facts *area, struct error *err);

/* Takes out what is ours; a file that held nothing else goes, too. */
int swap_at_boot_clear(const struct root *root, struct error *err);

/* The freeze timeout, in milliseconds. */
int freeze_timeout_at_boot_set(const struct root *root, uint64_t timeout, struct error *err);
int freeze_timeout_at_boot_clear(const struct root *root, struct error *err);

#endif
