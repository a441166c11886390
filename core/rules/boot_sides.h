/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two sides have the kernel arguments: the entries that boot (the result), and the settings from
 * which a program makes entries for later kernels, and often those of now. Each can be right alone:
 * a setup or a teardown was cut short, or a hand tidied one of them up. Pure.
 */
#ifndef EC2HIB_RULES_BOOT_SIDES_H
#define EC2HIB_RULES_BOOT_SIDES_H

#include <stdbool.h>

#include "core/base/text.h"
#include "core/facts/facts.h"

enum boot_side {
	SIDE_UNKNOWN,
	SIDE_ABSENT, /* no entry, or no settings: what is made later has it from the entries */
	SIDE_BARE,   /* says nothing about resuming */
	SIDE_OTHER,  /* says something else than wanted */
	SIDE_WANTED, /* says just what is wanted */
};

/* What the entries of this system say; those that boot another do not count. */
enum boot_side boot_result_side(const struct boot_facts *boot, const struct strings *wanted);

enum boot_side boot_settings_side(const struct boot_facts *boot, const struct strings *wanted);

/* True when setup has something to do: one of the sides is known not to be as wanted. */
bool boot_sides_lack(const struct boot_facts *boot, const struct strings *wanted);

/*
 * True when the result has what is WANTED and the settings do not: the next kernel update drops it.
 */
bool boot_sides_drop(const struct boot_facts *boot, const struct strings *wanted);

/*
 * True when teardown has to have the result made anew: its arguments are no longer in the settings
 * that it is made from.
 */
bool boot_sides_left_over(const struct boot_facts *boot, const struct strings *wanted);

#endif
