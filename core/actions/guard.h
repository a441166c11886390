/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A foreign program that runs in a plan: what it may not touch is remembered before, compared
 * after, and put back: settings, entries, command lines and what is made from them. Programs do
 * more than they are asked for, by hooks and by their version.
 */
#ifndef EC2HIB_ACTIONS_GUARD_H
#define EC2HIB_ACTIONS_GUARD_H

#include "core/actions/saved_files.h"
#include "core/facts/facts.h"

struct guard {
	const struct root *root;
	struct saved_files files;
	struct strings images; /* "/boot/vmlinuz-6.1.0 8192048": what is in /boot */
};

/* Before the program. guard_free() in any case. */
int guard_begin(struct guard *guard, const struct root *root, const struct boot_facts *boot,
	struct error *err);

/*
 * After it: puts back what it touched. -EIO, with the names, when it touched anything; the error of
 * a program that FAILED stays the error.
 */
int guard_end(struct guard *guard, int failed, struct error *err);

/* The same for a program that makes files in /boot: these may change and appear. */
int guard_end_images(struct guard *guard, int failed, struct error *err);

void guard_free(struct guard *guard);

#endif
