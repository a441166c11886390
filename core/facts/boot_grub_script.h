/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GRUB 2's grub.cfg, which is a script, and the environment block that it starts from. Texts are read
 * without any effect; garbage gives less, never a crash.
 */
#ifndef EC2HIB_FACTS_BOOT_GRUB_SCRIPT_H
#define EC2HIB_FACTS_BOOT_GRUB_SCRIPT_H

#include <stdbool.h>

#include "core/facts/facts.h"

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

#endif
