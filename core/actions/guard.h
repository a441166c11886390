/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A foreign program that runs in a plan. What it may not touch is remembered before, compared
 * after, and put back: programs do more than they are asked for, by hooks and by their version.
 */
#ifndef EC2HIB_ACTIONS_GUARD_H
#define EC2HIB_ACTIONS_GUARD_H

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/facts/facts.h"

/*
 * Runs PROGRAM, a name and its arguments, as process_run() does. It may touch no settings, no
 * entries and nothing that is made from them, and no kernel or initramfs in /boot: it makes a new
 * file. What it touched is put back, and is -EIO with the names.
 */
int guard_run(const struct root *root, const struct boot_facts *boot, const struct strings *program,
	unsigned timeout_ms, struct error *err);

/*
 * The same for one that makes an initramfs: that changes in /boot, and its hooks may renew the
 * entries that name it (kernel-install(8)). Settings and command lines are still not its own.
 */
int guard_run_initramfs(const struct root *root, const struct boot_facts *boot,
	const struct strings *program, unsigned timeout_ms, struct error *err);

#endif
