/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel's release from the kernel itself. What an entry has as its title or version is text for
 * people (The Boot Loader Specification), and a file's name is only a name.
 */
#ifndef EC2HIB_FACTS_KERNEL_IMAGE_H
#define EC2HIB_FACTS_KERNEL_IMAGE_H

#include "core/base/files.h"
#include "core/facts/facts.h"

/*
 * The release, as uname -r will say it, of the kernel PATH below ROOT:
 *	x86: the header of the boot protocol (Linux Documentation/arch/x86/boot.rst, kernel_version);
 *	arm64: the banner within the Image, be it plain, packed with gzip, or in an EFI program that
 *	unpacks it (Linux drivers/firmware/efi/libstub/zboot-header.S);
 *	a unified kernel image: its section .uname, else its kernel.
 *
 * *RELEASE belongs to the caller. 0 or a negative errno, -EBADMSG for what is not a kernel.
 */
int kernel_image_release(
	const struct root *root, const char *path, char **release, struct error *err);

/*
 * Fills the release of the entry that boots next, after boot_gather(). Of a kernel that cannot be
 * read the name tells, when it has a release in it for which there are modules here. STATE_DIR is
 * config->state_dir, where what was found is kept; NULL: it is not.
 */
void kernel_image_gather(struct boot_facts *boot, const struct root *root, const char *state_dir);

#endif
