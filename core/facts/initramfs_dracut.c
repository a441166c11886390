/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dracut: puts its resume module into an image when a configuration file asks for it, or when the
 * image is a generic one (hostonly="no"); an image older than that file may lack it.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_text.h"
#include "core/facts/initramfs.h"

/* Where both tools are installed, Debian's hook for dracut decides. */
static bool makes(const struct root *root)
{
	memory_cleanup_free char *dracut = process_find(root, "dracut");
	memory_cleanup_free char *other = process_find(root, "mkinitramfs");

	return dracut && (!other || root_exists(root, "/etc/kernel/postinst.d/dracut"));
}

/* What dracut's configuration says of its resume module. */
struct dracut_config {
	bool asks;
	char *omits;	       /* the file that does, or NULL */
	struct timespec since; /* how old the oldest file is that asks */
};

static bool is_older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static void read_dracut_file(
	struct dracut_config *config, const struct root *root, const char *path)
{
	memory_cleanup_free char *text = NULL;
	struct stat status;
	struct error err = { "" };

	if (root_stat(root, path, &status) < 0 ||
		root_read(root, path, BOOT_TEXT_LIMIT, &text, NULL, &err) < 0)
		return;
	if (boot_setting_names(text, "omit_dracutmodules", "resume"))
		text_set(&config->omits, text_copy(path));
	if (!boot_setting_names(text, "add_dracutmodules", "resume") &&
		!boot_setting_names(text, "force_add_dracutmodules", "resume") &&
		!boot_setting_names(text, "dracutmodules", "resume"))
		return;
	if (!config->asks || is_older(&status.st_mtim, &config->since))
		config->since = status.st_mtim;
	config->asks = true;
}

/* dracut.conf(5): a file in /etc hides the one of the same name that a package brought. */
static struct dracut_config read_dracut(const struct root *root)
{
	static const char *const folders[] = { "/usr/lib/dracut/dracut.conf.d",
		"/etc/dracut.conf.d" };
	strings_cleanup struct strings paths = { 0 };
	struct dracut_config config = { 0 };

	read_dracut_file(&config, root, "/etc/dracut.conf");
	initramfs_dropins(root, folders, &paths);
	for (size_t i = 0; i < paths.count; i++)
		if (text_ends(paths.items[i], ".conf"))
			read_dracut_file(&config, root, paths.items[i]);
	return config;
}

static void gather_resume(
	struct boot_facts *boot, const struct root *root, const struct stat *image)
{
	struct fact_flag *resume = &boot->initramfs_resume;
	struct dracut_config config = read_dracut(root);

	if (config.omits)
		fact_set_flag(resume, false);
	else if (!config.asks)
		fact_set_unknown(fact_of(resume),
			"no configuration of dracut asks for its resume module, which an image may have all the same");
	else
		fact_set_flag(resume, !is_older(&image->st_mtim, &config.since));
	free(config.omits);
}

static char *settings(const struct facts *facts UNUSED)
{
	return text_copy("add_dracutmodules+=\" resume \"\n");
}

/* A file that leaves the module out, whatever else asks for it (dracut.conf(5)). */
static char *obstacle(const struct root *root)
{
	memory_cleanup_free char *omits = read_dracut(root).omits;

	return omits ? text_format(
			       "%s%s omits dracut's module resume; remove it from omit_dracutmodules there",
			       root->path, omits)
		     : NULL;
}

static void generator(const char *output, const char *version, struct strings *program)
{
	strings_add(program, "dracut");
	strings_add(program, "-f");
	strings_add(program, output);
	strings_add(program, version);
}

const struct initramfs_tool initramfs_tool_dracut = {
	.name = "dracut",
	.config = "/etc/dracut.conf.d/ec2hib.conf",
	.makes = makes,
	.gather_resume = gather_resume,
	.settings = settings,
	.obstacle = obstacle,
	.generator = generator,
	.takes_output = true,
};
