/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kernel arguments in every entry of the next boots, by whatever manages the entries, and back.
 * What there is to do is the loader's to say (core/facts/boot_loader.h); here it is done, for all
 * alike.
 *
 * At every moment there is a configuration that boots: generated files are made beside the old
 * ones, looked at, and exchanged with one rename. A function that fails puts back what it changed;
 * one that is killed leaves what the next run completes.
 */
#ifndef EC2HIB_ACTIONS_BOOT_H
#define EC2HIB_ACTIONS_BOOT_H

#include "core/base/config.h"
#include "core/base/files.h"
#include "core/facts/facts.h"

/*
 * Makes every entry have the WANTED arguments (see arguments_wanted()), also entries for kernels
 * that are installed later, and flushes the file system for the boot loader. FACTS must be fresh:
 * facts->boot says where things are. Nothing runs and nothing is written when all is well.
 *
 * -EOPNOTSUPP when no boot loader was found: the error has the arguments for the administrator.
 * -EINVAL for an argument that is not plain. Otherwise what failed; all is then as before.
 */
int boot_arguments_set(const struct root *root, const struct facts *facts,
	const struct config *config, const struct strings *wanted, struct error *err);

/*
 * Takes away what boot_arguments_set() made and brings back what was there. Lines that somebody
 * else has changed since stay; a sentence about each is added to LEFT (may be NULL). Nothing of
 * ours there: 0, and nothing happens.
 */
int boot_arguments_remove(const struct root *root, const struct facts *facts,
	const struct config *config, struct strings *left, struct error *err);

/*
 * Brings what was written below /boot (and where the loader's files are) to its final place on the
 * disk. GRUB reads ext4 and xfs without replaying their journal, so a fresh file may be invisible
 * to it until then. Flushes ext4's journal, or freezes the file system and thaws it at once, or
 * where neither can be done, syncs it. An image (--root) is synced. Best effort: never an error.
 */
void boot_flush(const struct root *root, const struct boot_facts *boot);

#endif
