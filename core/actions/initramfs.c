/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/actions/boot.h"
#include "core/actions/boot_products.h"
#include "core/actions/guard.h"
#include "core/actions/own_file.h"
#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "core/facts/initramfs.h"
#include "core/rules/arguments.h"

/* dracut takes a minute on a small instance with all drivers. */
#define IMAGE_TIMEOUT_MS (15 * 60 * 1000)

#define MADE_BY	   "# Made by ec2hib; \"ec2hib teardown\" removes it.\n"
#define GOING_AWAY "# Being taken away by ec2hib: run \"ec2hib teardown\" again.\n"

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

static int run(const struct root *root, const struct boot_facts *boot,
	const struct initramfs_tool *tool, const char *output, const char *release,
	struct error *err)
{
	strings_cleanup struct strings program = { 0 };

	tool->generator(output, release, &program);
	return guard_run_initramfs(root, boot, &program, IMAGE_TIMEOUT_MS, err);
}

/* An image that cannot be looked into here is taken as it is: status says that nobody can tell. */
static int check_image(const struct root *root, const char *path, struct error *err)
{
	struct error why = { "" };
	int status = initramfs_check(root, path, &why);

	if (status == 0 || status == -ENOSYS || status == -EOPNOTSUPP)
		return 0;
	*err = why;
	return status;
}

/*
 * dracut -f copies a new image over the old one, which a power cut would leave torn. So it gets
 * another name, and a rename puts the image in place.
 */
static int replace_image(const struct root *root, const struct boot_facts *boot,
	const struct initramfs_tool *tool, const char *image, const char *release, bool resumes,
	struct error *err)
{
	memory_cleanup_free char *draft = text_format("%s.ec2hib-new", image);
	struct error ignored = { "" };
	int status = run(root, boot, tool, draft, release, err);

	if (status == 0)
		status = sync_file(root, draft, err);
	if (status == 0 && resumes)
		status = check_image(root, draft, err);
	if (status == 0)
		status = root_install(root, draft, image, err);
	if (status < 0)
		root_remove(root, draft, &ignored);
	return status;
}

/*
 * The initramfs is a part of what boots: that is made anew with it. A tool that writes files of its
 * own makes these first.
 */
static int remake_product(const struct root *root, const struct facts *facts,
	const struct initramfs_tool *tool, const char *release, struct error *err)
{
	const struct boot_products products = {
		.root = root, .boot = &facts->boot, .loader = boot_loader_of(&facts->boot)
	};
	int status = tool->takes_output ? 0 : run(root, &facts->boot, tool, NULL, release, err);

	return status < 0 ? status : boot_products_make(&products, err);
}

/*
 * Makes the image of the entry that boots next anew, with the configuration as it is, and flushes
 * the file system for the boot loader. RESUMES: one that would not resume is an error.
 */
static int make_image(const struct root *root, const struct facts *facts,
	const struct initramfs_tool *tool, bool resumes, struct error *err)
{
	const struct boot_loader *loader = boot_loader_of(&facts->boot);
	const struct entry_facts *entry = facts_next_entry(facts);
	const char *release = entry ? entry->release.value : NULL;
	memory_cleanup_free char *image = NULL;
	int status;

	if (entry && entry->initramfs.value)
		image = boot_real_path(root, entry->initramfs.value);
	if (!release || !image)
		return error_set(err, ENOENT,
			"which kernel boots next, and with which initramfs, is not known%s%s",
			entry && entry->release.why ? ": " : "",
			entry && entry->release.why ? entry->release.why : "");
	if (text_equal(entry->initramfs.value, entry->kernel.value) &&
		!(loader && loader->gather_product))
		return error_set(err, EOPNOTSUPP,
			"%s%s holds kernel and initramfs in one; make it anew with the tool that made it",
			root->path, image);
	if (loader && loader->gather_product)
		status = remake_product(root, facts, tool, release, err);
	else if (tool->takes_output)
		status = replace_image(root, &facts->boot, tool, image, release, resumes, err);
	else
		status = run(root, &facts->boot, tool, NULL, release, err);
	if (status == 0 && resumes && (!tool->takes_output || (loader && loader->gather_product)))
		status = check_image(root, image, err);
	/* GRUB would load what the name meant before the rename, if its blocks are still there. */
	if (status == 0)
		boot_flush(root, &facts->boot);
	return status;
}

int initramfs_set(const struct root *root, const struct facts *facts, struct error *err)
{
	const struct initramfs_tool *tool = initramfs_tool_of(&facts->boot);
	memory_cleanup_free char *old = NULL, *text = NULL, *settings = NULL, *obstacle = NULL;
	int status;

	if (facts->boot.initramfs_tool.is == FACT_ABSENT || initramfs_is_set_up(facts))
		return 0;
	if (!tool)
		return error_set(err, EOPNOTSUPP, "cannot make the initramfs resume: %s",
			facts->boot.initramfs_tool.why ? facts->boot.initramfs_tool.why
						       : "no known tool makes it");
	obstacle = tool->obstacle ? tool->obstacle(root) : NULL;
	if (obstacle)
		return error_set(err, EINVAL, "cannot make the initramfs resume: %s", obstacle);
	settings = tool->settings(facts);
	text = text_format(MADE_BY "%s", settings);
	status = own_file_read(root, tool->config, &old, err);
	if (status == 0 && !text_equal(old, text))
		status = own_file_put(root, tool->config, text, err);
	if (status == 0 && !initramfs_can_resume(facts))
		status = make_image(root, facts, tool, true, err);
	if (status < 0) {
		struct error ignored = { "" };

		if (!text_equal(old, text))
			own_file_put(root, tool->config, old, &ignored);
		error_prefix(err, status, "cannot make the initramfs resume");
	}
	return status;
}

/* With a comment in place of its settings the file says that this work is not finished yet. */
static int remove_config(const struct root *root, const struct facts *facts,
	const struct initramfs_tool *tool, struct error *err)
{
	memory_cleanup_free char *old = NULL;
	int status = own_file_read(root, tool->config, &old, err);

	if (status < 0)
		return status;
	own_leftover_remove(root, tool->config);
	if (!old)
		return 0;
	status = own_file_put(root, tool->config, GOING_AWAY, err);
	/* Where no initramfs is used, or another tool makes it, there is none to make. */
	if (status == 0 && tool == initramfs_tool_of(&facts->boot))
		status = make_image(root, facts, tool, false, err);
	if (status < 0) {
		struct error ignored = { "" };

		own_file_put(root, tool->config, old, &ignored);
		return error_prefix(err, status, "cannot restore the initramfs");
	}
	return own_file_put(root, tool->config, NULL, err);
}

int initramfs_remove(const struct root *root, const struct facts *facts, struct error *err)
{
	int status = 0;

	for (const struct initramfs_tool *const *at = initramfs_tools; status == 0 && *at; at++)
		status = remove_config(root, facts, *at, err);
	return status;
}
