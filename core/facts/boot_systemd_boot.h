/* SPDX-License-Identifier: GPL-3.0-or-later */
/* systemd-boot, as far as unified kernel images, which it starts as well, have to know. */
#ifndef EC2HIB_FACTS_BOOT_SYSTEMD_BOOT_H
#define EC2HIB_FACTS_BOOT_SYSTEMD_BOOT_H

#include "core/facts/boot_loader.h"

extern const struct boot_program boot_program_systemd_boot;

/* The folders of the partitions that it reads. */
void boot_systemd_boot_folders(const struct boot_search *search, struct strings *folders);

/* True when it is installed on one of them. */
bool boot_systemd_boot_is_here(const struct boot_search *search);

/* The entries of all of them; the second does not sort them. */
void boot_systemd_boot_gather(struct boot_search *search);
void boot_systemd_boot_add(struct boot_search *search);

/* The entry files. */
void boot_systemd_boot_sources(const struct root *root, struct boot_sources *sources);

/* The id or the pattern of the entry that it starts next, "" for the first. The caller frees it. */
char *boot_systemd_boot_choice(struct boot_search *search);

#endif
