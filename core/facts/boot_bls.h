/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries as files, one each (The Boot Loader Specification, uapi-group.org): Fedora's GRUB with
 * its blscfg command, and systemd-boot.
 */
#ifndef EC2HIB_FACTS_BOOT_BLS_H
#define EC2HIB_FACTS_BOOT_BLS_H

#include "core/facts/boot_loader.h"

/* Adds the paths of the entry files in FOLDER. */
void boot_bls_list(const struct root *root, const char *folder, struct strings *files);

/* Adds the entries in FILES; ENVIRONMENT as for boot_bls_parse(). */
void boot_bls_read(
	struct boot_search *search, const struct strings *files, const char *environment);

/* The folder with the entry files; NULL: there is none. The caller frees it. */
char *boot_bls_folder(const struct root *root);

/* One entry file; its NAME without .conf is the id. No kernel in it: no entry. */
void boot_bls_parse(
	struct boot_facts *boot, const char *name, const char *text, const char *environment);

/*
 * Sorts the entries the way the loader does and marks the one that boots next: CHOICE is an id, a
 * title or a number (GRUB), or a pattern (systemd-boot). GRUB's blscfg compares file names as rpm
 * compares name-version-release; systemd-boot compares versions.
 */
void boot_bls_sort(struct boot_facts *boot, const char *choice, bool grub);

/* The entries and the settings, also for a system whose files are not changed. */
void boot_bls_gather(struct boot_search *search);

/*
 * For kernel-install(8): adds the entry FILES, of which those that use the variable VARIABLE (NULL:
 * none) have their arguments from there, and /etc/kernel/cmdline, from which the entries of later
 * kernels are made. Where that is missing it is made from what the default entry has.
 */
void boot_bls_add_entries(
	struct boot_sources *sources, const struct strings *files, const char *variable);
void boot_bls_add_cmdline(
	const struct root *root, const struct boot_facts *boot, struct boot_sources *sources);

/* boot->settings from what kernel-install(8) takes. */
void boot_bls_gather_cmdline(struct boot_search *search);

#endif
