/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of fstab(5) for the swap area. What is ours in them carries our mark, so that nothing has
 * to be remembered about it: a line that we added, and the word noauto in one that was there
 * before.
 */
#ifndef EC2HIB_FACTS_FSTAB_H
#define EC2HIB_FACTS_FSTAB_H

#include "core/base/files.h"
#include "core/facts/facts.h"

#define FSTAB_PATH  "/etc/fstab"
#define FSTAB_LIMIT ((size_t)256 * 1024)

/* Programs pass over options that begin with x- (mount(8), systemd.mount(5)). */
#define FSTAB_MARK	  "x-ec2hib"	/* in a line of ours */
#define FSTAB_NOAUTO_MARK "x-ec2hib.on" /* in the place of noauto in another's line */

/*
 * The TEXT of an fstab that switches AREA on at boot, by one line: one that does so already; else
 * one that has noauto, which becomes our mark; else a new line of ours. No other line of TEXT is
 * ours afterwards, and all others stay byte for byte. The caller frees it.
 */
char *fstab_with(const char *text, const struct root *root, const struct area_facts *area);

/* TEXT with nothing of ours. The caller frees it. */
char *fstab_without(const char *text);

/*
 * Fills fstab_entry, fstab_noauto, fstab_unit and our_fstab_entry. *ANY_SWAP: a line for some swap
 * is there, this area or another.
 */
void fstab_gather(struct boot_facts *boot, const struct root *root, const struct area_facts *area,
	bool *any_swap);

#endif
