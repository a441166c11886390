/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GRUB 2, whoever makes its configuration: grub.cfg, which is a script, and the environment block
 * that it starts from. Texts are read without any effect; garbage gives less, never a crash.
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

/*
 * Runs TEXT as GRUB would as far as variables, conditions and menu entries go, with the variables
 * of the environment block ENVIRONMENT (NULL: none), and adds an entry for each menuentry that
 * loads a kernel, with its number ("2", "1>0") as id. Of an entry that tries several kernels in
 * turn, the one that GRUB would load now counts. The entry that boots next is marked.
 *
 * True when the file takes its entries from BLS files (blscfg); *CHOICE, which the caller frees, is
 * then what the file sets as default.
 */
bool boot_grub_parse(struct boot_facts *boot, const char *text, const char *environment, bool efi,
	char **choice);

/*
 * The value of NAME in GRUB's environment block TEXT (grub-editenv). The caller frees it; NULL: not
 * set, or TEXT is NULL.
 */
char *boot_environment_get(const char *text, const char *name);

/* Replaces $name and ${name} in TEXT by the environment block's values, others by nothing. */
char *boot_environment_expand(const char *text, const char *environment);

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
