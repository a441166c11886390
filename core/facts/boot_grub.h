/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GRUB 2, whoever makes its configuration: where grub.cfg and the environment block are, and the
 * settings that grub-mkconfig reads. What a grub.cfg says, as a script: boot_grub_script.h.
 */
#ifndef EC2HIB_FACTS_BOOT_GRUB_H
#define EC2HIB_FACTS_BOOT_GRUB_H

#include "core/facts/boot_loader.h"

#define GRUB_DEFAULTS "/etc/default/grub"

/* Debian's GRUB reads the files *.cfg here as well; ours is the last one. */
#define GRUB_DROP_INS GRUB_DEFAULTS ".d"
#define GRUB_DROP_IN  GRUB_DROP_INS "/zz-ec2hib.cfg"

/* Of all entries; with _DEFAULT, of those that are not for recovery. */
#define GRUB_CMDLINE "GRUB_CMDLINE_LINUX"

/* Where the environment block (grubenv) is; NULL: there is none. The caller frees it. */
char *boot_environment_path(const struct root *root);

/* Fills config, config_text and environment of SEARCH. */
void boot_grub_find(struct boot_search *search);

/* The entries of SEARCH's grub.cfg. */
void boot_grub_gather(struct boot_search *search);

/* GRUB_FORCE_PARTUUID of Ubuntu's cloud images. */
void boot_grub_gather_force_partuuid(struct boot_search *search);

/* ---- For the loaders whose grub.cfg is made by grub-mkconfig ---- */

/* True when there are a grub.cfg and settings to make it from. */
bool boot_grub_is_generated(const struct boot_search *search);

/* Adds the files with menu entries of the administrator's, into which our lines may be copied. */
void boot_grub_add_copies(const struct root *root, struct boot_sources *sources);

/*
 * The command line that an entry gets from the settings TEXT (/etc/default/grub), after root= and
 * the like. The caller frees it; NULL: nobody can tell, for code is in the text.
 */
char *boot_grub_settings_line(const char *text);

/* boot->settings from /etc/default/grub, and where DROP_INS from the files in the folder, too. */
void boot_grub_gather_settings(struct boot_search *search, bool drop_ins);

/*
 * A piece of sh that takes stale arguments out of the settings and appends the wanted ones to
 * GRUB_CMDLINE_LINUX. The caller frees it.
 */
char *boot_grub_shell(const struct boot_wanted *wanted);

/* Takes the place of our settings until grub.cfg is made without them. */
#define GRUB_GOING_AWAY "# Being taken away: run \"ec2hib teardown\" again.\n"

/* grub-mkconfig -o OUTPUT, which is called grub2-mkconfig in some distributions. */
void boot_grub_generator(
	const struct root *root, const char *product, const char *output, struct strings *program);

#endif
