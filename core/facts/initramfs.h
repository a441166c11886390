/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The initramfs that boots next: what the image itself holds (initramfs_image.h), and what an image
 * that its tool makes anew would hold, by the tool's configuration.
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

	/* Fills initramfs_lasts: whether an image that is made anew resumes. */
	void (*gather_lasts)(struct boot_facts *boot, const struct root *root);

	/* What our file has to say for the images to resume. The caller frees it. */
	char *(*settings)(const struct facts *facts);

	/* A sentence on why images would not resume all the same; the caller frees it. NULL: they
	 * will. */
	char *(*obstacle)(const struct root *root);

	/* The program that makes the image of the kernel RELEASE, and its arguments. */
	void (*generator)(const char *output, const char *release, struct strings *program);
	bool takes_output; /* it writes to OUTPUT; otherwise it replaces the image by itself */
};

/* All tools, in the order in which they are asked; NULL ends them. */
extern const struct initramfs_tool *const initramfs_tools[];

/* The one that makes this machine's images; NULL: it is not known, or none are made. */
const struct initramfs_tool *initramfs_tool_of(const struct boot_facts *boot);

/*
 * Fills all that begins with initramfs_, and our_initramfs, after boot_gather() and
 * kernel_image_gather(): the entry that boots next tells the image. RUNNING_RELEASE (may be NULL)
 * names the kernel to look for when there is no such entry. STATE_DIR is config->state_dir: what
 * was found in an image is kept there; NULL: it is not.
 */
void initramfs_gather(struct boot_facts *boot, const struct root *root, const char *running_release,
	const char *state_dir);

/*
 * 0 when the image in the file PATH resumes; else a negative errno and why not, or why that cannot
 * be told.
 */
int initramfs_check(const struct root *root, const char *path, struct error *err);

/*
 * For the tools: the files of a package's folder and then of the administrator's, each in the order
 * of the names. A file in the second hides the one of the same name in the first.
 */
void initramfs_dropins(
	const struct root *root, const char *const folders[2], struct strings *paths);

#endif
