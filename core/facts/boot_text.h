/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The texts that boot configuration is made of: settings in the manner of a shell, GRUB's
 * environment block, and GRUB's script language. Pure; any garbage gives less, never a crash.
 */
#ifndef EC2HIB_FACTS_BOOT_TEXT_H
#define EC2HIB_FACTS_BOOT_TEXT_H

#include <stdbool.h>

#include "core/base/text.h"
#include "core/facts/facts.h"

/* No boot configuration is larger; what is, is not read. */
#define BOOT_TEXT_LIMIT ((size_t)1024 * 1024)

/* The next line from *AT on, without its end, which the caller frees; NULL at the end. */
char *boot_next_line(const char **at);

/* True when the line, less white space in front, begins with WORD and a blank. */
bool boot_line_is(const char *line, const char *word);

/*
 * The value that NAME has after TEXT was read as a shell would: NAME=value, the last one counts,
 * quotes are taken off, nothing is expanded. The caller frees it; NULL: it is not set there.
 */
char *boot_setting(const char *text, const char *name);

/* True when a line NAME=... or NAME+=... of TEXT has WORD among its words. */
bool boot_setting_names(const char *text, const char *name, const char *word);

/*
 * The value of NAME in GRUB's environment block TEXT (grub-editenv). The caller frees it; NULL: not
 * set, or TEXT is NULL.
 */
char *boot_environment_get(const char *text, const char *name);

/*
 * Adds an entry: KERNEL and INITRAMFS as the loader names them. VERSION NULL: taken from the
 * kernel's file name. INITRAMFS is a list of files (microcode among them) or NULL.
 */
struct entry_facts *boot_add_entry(struct boot_facts *boot, const char *id, const char *title,
	const char *kernel, const char *version, const char *initramfs, const char *arguments);

/*
 * GRUB 2's grub.cfg. Runs TEXT as GRUB would as far as variables, conditions and menu entries go,
 * with the variables of the environment block ENVIRONMENT (NULL: none), and adds an entry for each
 * menuentry that loads a kernel, with its number ("2", "1>0") as id. Of an entry that tries several
 * kernels in turn, the one that GRUB would load now counts. The entry that boots next is marked.
 *
 * True when the file takes its entries from BLS files (blscfg); *CHOICE, which the caller frees, is
 * then what the file sets as default.
 */
bool boot_grub_parse(struct boot_facts *boot, const char *text, const char *environment, bool efi,
	char **choice);

/* Replaces $name and ${name} in TEXT by the environment block's values, others by nothing. */
char *boot_environment_expand(const char *text, const char *environment);

/* GRUB legacy's menu.lst. SAVED is the number that "default saved" means, "" for none. */
void boot_legacy_parse(struct boot_facts *boot, const char *text, const char *saved);

/* One file of /boot/loader/entries; its name without .conf is the id. No kernel in it: no entry. */
void boot_bls_parse(
	struct boot_facts *boot, const char *name, const char *text, const char *environment);

/*
 * Sorts entries from BLS files the way the loader does and marks the one that boots next: CHOICE is
 * an id, a title or a number (GRUB), or a pattern (systemd-boot). GRUB's blscfg compares file names
 * as rpm compares name-version-release; systemd-boot compares versions.
 */
void boot_bls_sort(struct boot_facts *boot, const char *choice, bool grub);

#endif
