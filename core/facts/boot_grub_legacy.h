/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GRUB legacy's menu.lst. Pure. */
#ifndef EC2HIB_FACTS_BOOT_GRUB_LEGACY_H
#define EC2HIB_FACTS_BOOT_GRUB_LEGACY_H

#include "core/facts/boot_loader.h"

/* SAVED is the number that "default saved" means, "" for none. */
void boot_legacy_parse(struct boot_facts *boot, const char *text, const char *saved);

#endif
