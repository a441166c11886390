/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the initramfs that boots next can resume, told from configuration and time stamps: no
 * program runs and no image is unpacked, because status has to answer in a blink.
 *
 * A tool that makes images is a file: initramfs_NAME.c has one struct initramfs_tool. As with the
 * boot loaders it reads and names what is to be done; core/actions/initramfs.c does it. A new one
 * is its file, its row in initramfs.c, and a tree in tests/fixtures/trees.
 */
#ifndef EC2HIB_FACTS_INITRAMFS_H
#define EC2HIB_FACTS_INITRAMFS_H

#include "core/base/files.h"
#include "core/facts/facts.h"

struct initramfs_tool {
	const char *name;   /* in boot->initramfs_tool */
	const char *config; /* the configuration file that is ours */

	/* Does it make the images here? */
	bool (*makes)(const struct root *root);

	/* Fills initramfs_setting; NULL: there is no such setting. */
	void (*gather_setting)(struct boot_facts *boot, const struct root *root);

	/* Fills initramfs_resume for an image that is as old as IMAGE says. */
	void (*gather_resume)(
		struct boot_facts *boot, const struct root *root, const struct stat *image);

	/* What our file has to say for the images to resume. The caller frees it. */
	char *(*settings)(const struct facts *facts);

	/* A sentence on why images would not resume all the same; the caller frees it. NULL: they
	 * will. */
	char *(*obstacle)(const struct root *root);

	/* The program that makes the image of the kernel VERSION, and its arguments. */
	void (*generator)(const char *output, const char *version, struct strings *program);
	bool takes_output; /* it writes to OUTPUT; otherwise it replaces the image by itself */
};

/* All tools, in the order in which they are asked; NULL ends them. */
extern const struct initramfs_tool *const initramfs_tools[];

/* The one that makes this machine's images; NULL: it is not known, or none are made. */
const struct initramfs_tool *initramfs_tool_of(const struct boot_facts *boot);

/*
 * Fills initramfs_tool, initramfs_resume, initramfs_setting and our_initramfs, after boot_gather():
 * the default entry tells the image. RUNNING_RELEASE (may be NULL) names the kernel to look for
 * when there is no such entry.
 */
void initramfs_gather(
	struct boot_facts *boot, const struct root *root, const char *running_release);

/*
 * For the tools: the files of a package's folder and then of the administrator's, each in the order
 * of the names. A file in the second hides the one of the same name in the first.
 */
void initramfs_dropins(
	const struct root *root, const char *const folders[2], struct strings *paths);

#endif
