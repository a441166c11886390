/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The next boot: who manages the boot entries, and what the entries say.
 *
 * Only files are read, no program runs. A file that cannot be read or understood makes facts
 * unknown, with the reason, or leaves an entry out; it is never an error.
 */
#ifndef EC2HIB_FACTS_BOOT_H
#define EC2HIB_FACTS_BOOT_H

#include "core/facts/boot_loader.h"

/* All loaders, in the order in which they are asked; NULL ends them. */
extern const struct boot_loader *const boot_loaders[];

/* The one that boots this machine; NULL: it is not known. */
const struct boot_loader *boot_loader_of(const struct boot_facts *boot);

/*
 * Fills loader, config, entries, root_names, settings, force_partuuid and our_arguments. STATE_DIR
 * is config->state_dir: the record of edits tells whether entries were changed by us.
 */
void boot_gather(struct boot_facts *boot, const struct root *root, const char *state_dir);

/* Adds the names of the device that holds the root file system to root_names. */
void boot_name_root_device(struct boot_facts *boot, const device_list *devices);

/* Looks at the disk for the loaders. boot_search_end() in any case. */
void boot_search_begin(
	struct boot_search *search, const struct root *root, struct boot_facts *boot);
void boot_search_end(struct boot_search *search);

#endif
