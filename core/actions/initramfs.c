/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/actions/boot.h"
#include "core/actions/own_file.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot.h"
#include "core/facts/initramfs.h"
#include "core/rules/arguments.h"

/* dracut takes a minute on a small instance with all drivers. */
#define IMAGE_TIMEOUT_MS (15 * 60 * 1000)

#define MADE_BY	   "# Made by ec2hib; \"ec2hib teardown\" removes it.\n"
#define GOING_AWAY "# Being taken away by ec2hib: run \"ec2hib teardown\" again.\n"

/*
 * RESUME that our configuration sets for initramfs-tools: the swap device, or none for a swap file.
 * The build hook accepts only a device that holds swap, warns at each update about any other and
 * takes another one instead; resume= on the command line goes before all of that at boot. A swap
 * file's own device is named where it is not the root file system's, because MODULES=dep takes the
 * drivers to put in from it.
 */
static char *wanted_setting(const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	bool named = fact_text_is(&area->kind, "device") ||
		     (area->mount_point.is == FACT_KNOWN && !fact_text_is(&area->mount_point, "/"));

	if (named && area->resume_argument.is == FACT_KNOWN)
		return text_copy(area->resume_argument.value);
	return text_copy("none");
}

bool initramfs_complete(const struct facts *facts)
{
	const struct boot_facts *boot = &facts->boot;

	if (boot->initramfs_tool.is == FACT_ABSENT)
		return true;
	return fact_is_true(&boot->initramfs_resume) && initramfs_setting_fits(facts);
}

char *initramfs_describe(const struct facts *facts)
{
	const struct entry_facts *entry = facts_next_entry(facts);
	const char *version = entry && entry->version.value ? entry->version.value : "the kernel";

	if (fact_text_is(&facts->boot.initramfs_tool, INITRAMFS_DRACUT))
		return text_format("write %s and make the initramfs of %s anew with dracut",
			INITRAMFS_DRACUT_CONFIG, version);
	if (fact_text_is(&facts->boot.initramfs_tool, INITRAMFS_TOOLS))
		return text_format("write %s and run update-initramfs for %s",
			INITRAMFS_TOOLS_CONFIG, version);
	return text_copy("none: no tool that makes an initramfs is known here");
}

char *initramfs_describe_remove(const struct facts *facts)
{
	bool dracut = fact_text_is(&facts->boot.initramfs_tool, INITRAMFS_DRACUT);

	return text_format("remove %s and make the initramfs anew",
		dracut ? INITRAMFS_DRACUT_CONFIG : INITRAMFS_TOOLS_CONFIG);
}

/* Brings PATH's content to the disk before a rename shows it to the boot loader. */
static int sync_file(const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int fd = root_openat(root, path, O_RDONLY, 0, err);
	struct stat status;

	if (fd < 0)
		return fd;
	if (fsync(fd) < 0 || fstat(fd, &status) < 0)
		return error_errno(err, errno, "cannot write %s%s", root->path, path);
	if (status.st_size == 0)
		return error_set(err, EIO, "%s%s is empty", root->path, path);
	return 0;
}

/*
 * dracut -f copies a new image over the old one, which a power cut would leave torn. So it gets
 * another name, and a rename puts the image in place.
 */
static int run_dracut(
	const struct root *root, const char *image, const char *version, struct error *err)
{
	memory_cleanup_free char *draft = text_format("%s.ec2hib-new", image);
	struct error ignored = { "" };
	int status =
		process_run(root, (const char *const[]) { "dracut", "-f", draft, version, NULL },
			IMAGE_TIMEOUT_MS, NULL, err);

	if (status == 0)
		status = sync_file(root, draft, err);
	if (status == 0)
		status = root_rename(root, draft, image, err);
	if (status < 0)
		root_remove(root, draft, &ignored);
	return status;
}

/*
 * Makes the image of the entry that boots next anew, with the configuration as it is, and flushes
 * the file system for the boot loader.
 */
static int make_image(
	const struct root *root, const struct facts *facts, bool dracut, struct error *err)
{
	const struct entry_facts *entry = facts_next_entry(facts);
	const char *version = entry ? entry->version.value : NULL;
	memory_cleanup_free char *image = NULL;
	int status;

	if (entry && entry->initramfs.value)
		image = boot_real_path(root, entry->initramfs.value);
	if (!version || (dracut && !image))
		return error_set(err, ENOENT,
			"which kernel boots next, and with which initramfs, is not known");
	if (dracut)
		status = run_dracut(root, image, version, err);
	else
		status = process_run(root,
			(const char *const[]) { "update-initramfs", "-u", "-k", version, NULL },
			IMAGE_TIMEOUT_MS, NULL, err);
	/* GRUB would load what the name meant before the rename, if its blocks are still there. */
	if (status == 0)
		boot_flush(root, &facts->boot);
	return status;
}

int initramfs_set(const struct root *root, const struct facts *facts, struct error *err)
{
	bool dracut = fact_text_is(&facts->boot.initramfs_tool, INITRAMFS_DRACUT);
	const char *path = dracut ? INITRAMFS_DRACUT_CONFIG : INITRAMFS_TOOLS_CONFIG;
	memory_cleanup_free char *old = NULL, *text = NULL, *setting = NULL;
	memory_cleanup_free char *omits = NULL;
	int status;

	if (initramfs_complete(facts))
		return 0;
	if (!dracut && !fact_text_is(&facts->boot.initramfs_tool, INITRAMFS_TOOLS))
		return error_set(err, EOPNOTSUPP, "cannot make the initramfs resume: %s",
			facts->boot.initramfs_tool.why ? facts->boot.initramfs_tool.why
						       : "no known tool makes it");
	omits = dracut ? initramfs_dracut_omits(root) : NULL;
	if (omits)
		return error_set(err, EINVAL,
			"cannot make the initramfs resume: %s%s leaves dracut's module resume out (omit_dracutmodules); take it out of there",
			root->path, omits);
	setting = wanted_setting(facts);
	text = dracut ? text_copy(MADE_BY "add_dracutmodules+=\" resume \"\n")
		      : text_format(MADE_BY "RESUME=%s\n", setting);
	status = own_file_read(root, path, &old, err);
	if (status == 0 && !text_equal(old, text))
		status = own_file_put(root, path, text, err);
	if (status == 0)
		status = make_image(root, facts, dracut, err);
	if (status < 0) {
		struct error ignored = { "" };

		if (!text_equal(old, text))
			own_file_put(root, path, old, &ignored);
		error_prefix(err, status, "cannot make the initramfs resume");
	}
	return status;
}

/* With a comment in place of its settings the file says that this work is not finished yet. */
static int remove_config(const struct root *root, const struct facts *facts, const char *path,
	bool dracut, struct error *err)
{
	bool current = fact_text_is(
		&facts->boot.initramfs_tool, dracut ? INITRAMFS_DRACUT : INITRAMFS_TOOLS);
	memory_cleanup_free char *old = NULL;
	int status = own_file_read(root, path, &old, err);

	if (status < 0)
		return status;
	own_leftover_remove(root, path);
	if (!old)
		return 0;
	status = own_file_put(root, path, GOING_AWAY, err);
	/* Where no initramfs is used, or another tool makes it, there is none to make. */
	if (status == 0 && current)
		status = make_image(root, facts, dracut, err);
	if (status < 0) {
		struct error ignored = { "" };

		own_file_put(root, path, old, &ignored);
		return error_prefix(err, status, "cannot make the initramfs as it was before");
	}
	return own_file_put(root, path, NULL, err);
}

int initramfs_remove(const struct root *root, const struct facts *facts, struct error *err)
{
	int status = remove_config(root, facts, INITRAMFS_DRACUT_CONFIG, true, err);

	if (status == 0)
		status = remove_config(root, facts, INITRAMFS_TOOLS_CONFIG, false, err);
	return status;
}
