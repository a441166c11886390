/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dracut: puts its resume module into an image when a configuration file asks for it, or when the
 * image is a generic one (hostonly="no"). In an image for this machine alone it is when the running
 * kernel has a resume device at that moment (modules.d/95resume), which is no promise.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

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
	char *omits;	/* the file that does, or NULL */
	char *hostonly; /* as it is set last, or NULL */
};

static void read_dracut_file(
	struct dracut_config *config, const struct root *root, const char *path)
{
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };
	char *hostonly;

	if (root_read(root, path, BOOT_TEXT_LIMIT, &text, NULL, &err) < 0)
		return;
	if (boot_setting_names(text, "omit_dracutmodules", "resume"))
		text_set(&config->omits, text_copy(path));
	config->asks = config->asks || boot_setting_names(text, "add_dracutmodules", "resume") ||
		       boot_setting_names(text, "force_add_dracutmodules", "resume") ||
		       boot_setting_names(text, "dracutmodules", "resume");
	hostonly = boot_setting(text, "hostonly");
	if (hostonly)
		text_set(&config->hostonly, hostonly);
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

static void gather_lasts(struct boot_facts *boot, const struct root *root)
{
	struct fact_flag *lasts = &boot->initramfs_lasts;
	struct dracut_config config = read_dracut(root);

	if (config.omits)
		fact_set_flag(lasts, false);
	else if (config.asks || text_equal(config.hostonly, "no"))
		fact_set_flag(lasts, true);
	else if (config.hostonly)
		fact_set_flag(lasts, false);
	else
		fact_set_unknown(fact_of(lasts),
			"no configuration of dracut asks for its module resume or sets hostonly");
	free(config.omits);
	free(config.hostonly);
}

static char *settings(const struct facts *facts UNUSED)
{
	return text_copy("add_dracutmodules+=\" resume \"\n");
}

/* A file that leaves the module out, whatever else asks for it (dracut.conf(5)). */
static char *obstacle(const struct root *root)
{
	struct dracut_config config = read_dracut(root);
	memory_cleanup_free char *omits = config.omits;

	free(config.hostonly);
	return omits ? text_format(
			       "%s%s omits dracut's module resume; remove it from omit_dracutmodules there",
			       root->path, omits)
		     : NULL;
}

static void generator(const char *output, const char *release, struct strings *program)
{
	strings_add(program, "dracut");
	strings_add(program, "-f");
	strings_add(program, output);
	strings_add(program, release);
}

const struct initramfs_tool initramfs_tool_dracut = {
	.name = "dracut",
	.config = "/etc/dracut.conf.d/ec2hib.conf",
	.makes = makes,
	.gather_lasts = gather_lasts,
	.settings = settings,
	.obstacle = obstacle,
	.generator = generator,
	.takes_output = true,
};
