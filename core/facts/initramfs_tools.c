/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * initramfs-tools: its images always hold scripts/local-premount/resume, and resume= on the command
 * line goes before whatever RESUME its configuration sets (init of initramfs-tools), also before
 * "none".
 */
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_text.h"
#include "core/facts/initramfs.h"

#define TOOLS_FOLDER "/usr/share/initramfs-tools"
#define TOOLS_CONFIG "/etc/initramfs-tools"

static bool makes(const struct root *root)
{
	memory_cleanup_free char *program = process_find(root, "mkinitramfs");

	return program != NULL;
}

/* mkinitramfs leaves out names with odd characters and what dpkg put aside. */
static bool is_tools_name(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return *name != '.' && *name != '_' && *name != '-' && !name[strspn(name, letters)] &&
	       !strstr(name, ".dpkg-");
}

static void read_resume(const struct root *root, const char *path, char **value)
{
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };
	char *found;

	if (root_read(root, path, BOOT_TEXT_LIMIT, &text, NULL, &err) < 0)
		return;
	found = boot_setting(text, "RESUME");
	if (found)
		text_set(value, found);
}

/*
 * RESUME as mkinitramfs reads it: initramfs.conf, then the files of packages that none in /etc
 * hides, then those in /etc, each folder in the order of the names. The last one counts.
 */
static void gather_setting(struct boot_facts *boot, const struct root *root)
{
	static const char *const folders[] = { TOOLS_FOLDER "/conf.d", TOOLS_CONFIG "/conf.d" };
	strings_cleanup struct strings paths = { 0 };
	char *value = NULL;

	read_resume(root, TOOLS_CONFIG "/initramfs.conf", &value);
	initramfs_dropins(root, folders, &paths);
	for (size_t i = 0; i < paths.count; i++)
		if (is_tools_name(path_name(paths.items[i])))
			read_resume(root, paths.items[i], &value);
	fact_take_text(&boot->initramfs_setting, value);
}

static void gather_lasts(struct boot_facts *boot, const struct root *root)
{
	fact_set_flag(&boot->initramfs_lasts,
		root_exists(root, TOOLS_FOLDER "/scripts/local-premount/resume"));
}

/*
 * RESUME: the swap device, or none for a swap file. The build hook accepts only a device that holds
 * swap, warns at each update about any other and takes another one instead; resume= on the command
 * line goes before all of that at boot. A swap file's own device is named where it is not the root
 * file system's, because MODULES=dep takes the drivers to put in from it.
 */
static char *settings(const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	bool named = fact_text_is(&area->kind, "device") ||
		     (area->mount_point.is == FACT_KNOWN && !fact_text_is(&area->mount_point, "/"));

	return text_format(
		"RESUME=%s\n", named ? fact_text_or(&area->resume_argument, "none") : "none");
}

static void generator(const char *output UNUSED, const char *release, struct strings *program)
{
	strings_add(program, "update-initramfs");
	strings_add(program, "-u");
	strings_add(program, "-k");
	strings_add(program, release);
}

const struct initramfs_tool initramfs_tool_initramfs_tools = {
	.name = INITRAMFS_TOOLS,
	/* The name sorts after zz-resume-auto, which mkinitramfs may add. */
	.config = TOOLS_CONFIG "/conf.d/zzz-ec2hib",
	.makes = makes,
	.gather_setting = gather_setting,
	.gather_lasts = gather_lasts,
	.settings = settings,
	.generator = generator,
};
