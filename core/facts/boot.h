/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The next boot: who manages the boot entries, and what the entries say.
 *
 * Only files are read, no program runs. A file that cannot be read or understood makes facts
 * unknown, with the reason, or leaves an entry out; it is never an error.
 */
#ifndef EC2HIB_FACTS_BOOT_H
#define EC2HIB_FACTS_BOOT_H

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/facts/facts.h"

/* What ec2hib leaves in boot configuration; core/actions writes it, here it is recognized. */
#define BOOT_DROPIN	 "/etc/default/grub.d/zz-ec2hib.cfg"
#define BOOT_DEFAULTS	 "/etc/default/grub"
#define BOOT_BLOCK_BEGIN "# begin ec2hib"
#define BOOT_BLOCK_END	 "# end ec2hib"
/* The record of changed lines, in the state folder; see core/actions/edits.h. */
#define EDITS_NAME "edits.json"

/*
 * Fills loader, config, entries, force_partuuid and our_arguments. STATE_DIR is
 * config->state_dir: the record of edits tells whether entries were changed by us.
 */
void boot_gather(struct boot_facts *boot, const struct root *root, const char *state_dir);

/*
 * The file as the running system names it of a PATH that a boot loader uses: the loader's paths
 * begin at its own file system, which may be /boot or the EFI partition. The caller frees it; NULL:
 * there is no such file.
 */
char *boot_real_path(const struct root *root, const char *path);

/*
 * The folder with the entry files of /boot/loader/entries or its like, and GRUB's environment block
 * (grubenv); NULL: there is none. The caller frees them.
 */
char *boot_entries_folder(const struct root *root);
char *boot_environment_path(const struct root *root);

/* The files of GRUB legacy: menu.lst, and grub.conf where that is another file. */
void boot_legacy_files(const struct root *root, struct strings *files);

#endif
