/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What boots where a program makes it from settings: grub.cfg, a unified kernel image. It is made
 * under another name, looked at, and renamed into place: the programs themselves write over the old
 * file (grub-mkconfig: cat new > old), which a power cut would leave torn.
 */
#ifndef EC2HIB_ACTIONS_BOOT_PRODUCTS_H
#define EC2HIB_ACTIONS_BOOT_PRODUCTS_H

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/facts/boot_loader.h"

/* What is made, and for whom. */
struct boot_products {
	const struct root *root;
	const struct boot_facts *boot;
	const struct boot_loader *loader; /* has a generator */
	const struct strings *wanted;	  /* arguments that have to be in it; NULL: any */
};

/*
 * Makes all products from sources and settings as they are now. Each changes at once or not at all.
 * -EIO: the program failed, or what it made does not boot with the wanted arguments. -ENOENT: there
 * is nothing to make.
 */
int boot_products_make(const struct boot_products *products, struct error *err);

/* Removes what a run that was killed has left beside the products. Best effort. */
void boot_products_sweep(const struct boot_products *products);

#endif
