/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/initramfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot.h"
#include "core/facts/boot_text.h"

#define CONFIG_LIMIT ((size_t)256 * 1024)

#define TOOLS_FOLDER "/usr/share/initramfs-tools"
#define TOOLS_CONFIG "/etc/initramfs-tools"
#define TOOLS_RESUME TOOLS_FOLDER "/scripts/local-premount/resume"

#define DRACUT_FOLDER "/usr/lib/dracut/dracut.conf.d"
#define DRACUT_CONFIG "/etc/dracut.conf.d"

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
		root_read(root, path, CONFIG_LIMIT, &text, NULL, &err) < 0)
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

/*
 * The files of a package's folder and then of the administrator's, each in the order of the names.
 * A file in the second hides the one of the same name in the first.
 */
static void list_dropins(
	const struct root *root, const char *const folders[2], struct strings *paths)
{
	for (int i = 0; i < 2; i++) {
		strings_cleanup struct strings names = { 0 };
		struct error err = { "" };

		root_list(root, folders[i], &names, &err);
		for (size_t j = 0; j < names.count; j++) {
			memory_cleanup_free char *over =
				text_format("%s/%s", folders[1], names.items[j]);

			if (i == 1 || !root_exists(root, over))
				strings_take(
					paths, text_format("%s/%s", folders[i], names.items[j]));
		}
	}
}

/* dracut.conf(5): a file in /etc hides the one of the same name that a package brought. */
static struct dracut_config read_dracut(const struct root *root)
{
	static const char *const folders[] = { DRACUT_FOLDER, DRACUT_CONFIG };
	strings_cleanup struct strings paths = { 0 };
	struct dracut_config config = { 0 };

	read_dracut_file(&config, root, "/etc/dracut.conf");
	list_dropins(root, folders, &paths);
	for (size_t i = 0; i < paths.count; i++)
		if (text_ends(paths.items[i], ".conf"))
			read_dracut_file(&config, root, paths.items[i]);
	return config;
}

static void gather_dracut(
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

char *initramfs_dracut_omits(const struct root *root)
{
	return read_dracut(root).omits;
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

	if (root_read(root, path, CONFIG_LIMIT, &text, NULL, &err) < 0)
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
	list_dropins(root, folders, &paths);
	for (size_t i = 0; i < paths.count; i++)
		if (is_tools_name(path_name(paths.items[i])))
			read_resume(root, paths.items[i], &value);
	fact_take_text(&boot->initramfs_setting, value);
}

/* The initramfs of the running kernel, for a machine whose boot entries are not known. */
static char *running_image(const struct root *root, const char *release)
{
	static const char *const names[] = { "/boot/initramfs-%s.img", "/boot/initrd.img-%s",
		"/boot/initrd-%s" };

	for (size_t i = 0; release && i < ARRAY_SIZE(names); i++) {
		/* The '%s' of a name is its only one. */
		const char *mark = strstr(names[i], "%s");
		char *path = text_format(
			"%.*s%s%s", (int)(mark - names[i]), names[i], release, mark + 2);

		if (root_exists(root, path))
			return path;
		free(path);
	}
	return NULL;
}

/* Who makes images here. Where both tools are installed, Debian's hook for dracut decides. */
static const char *find_tool(const struct root *root)
{
	memory_cleanup_free char *dracut = process_find(root, "dracut");
	memory_cleanup_free char *tools = process_find(root, "mkinitramfs");

	if (dracut && tools)
		return root_exists(root, "/etc/kernel/postinst.d/dracut") ? INITRAMFS_DRACUT
									  : INITRAMFS_TOOLS;
	return dracut ? INITRAMFS_DRACUT : tools ? INITRAMFS_TOOLS : NULL;
}

static const struct entry_facts *next_entry(const struct boot_facts *boot)
{
	for (size_t i = 0; i < boot->entries.count; i++)
		if (fact_is_true(&boot->entries.items[i].is_default))
			return &boot->entries.items[i];
	return NULL;
}

static void gather_image(
	struct boot_facts *boot, const struct root *root, const char *tool, const char *image)
{
	struct stat status;

	if (!image)
		fact_set_unknown(fact_of(&boot->initramfs_resume),
			"the initramfs of the entry that boots next was not found");
	else if (root_stat(root, image, &status) < 0)
		fact_set_unknown(
			fact_of(&boot->initramfs_resume), "cannot look at %s%s", root->path, image);
	else if (!tool)
		fact_set_unknown(fact_of(&boot->initramfs_resume),
			"neither dracut nor initramfs-tools is installed");
	else if (strcmp(tool, INITRAMFS_DRACUT) == 0)
		gather_dracut(boot, root, &status);
	else
		fact_set_flag(&boot->initramfs_resume, root_exists(root, TOOLS_RESUME));
}

void initramfs_gather(struct boot_facts *boot, const struct root *root, const char *running_release)
{
	const struct entry_facts *entry = next_entry(boot);
	const char *tool = find_tool(root);
	memory_cleanup_free char *image = NULL;

	fact_set_flag(&boot->our_initramfs, root_exists(root, INITRAMFS_DRACUT_CONFIG) ||
						    root_exists(root, INITRAMFS_TOOLS_CONFIG));
	if (text_equal(tool, INITRAMFS_TOOLS))
		gather_setting(boot, root);
	else
		fact_set_absent(fact_of(&boot->initramfs_setting));
	if (entry && entry->initramfs.is == FACT_ABSENT) {
		fact_set_absent(fact_of(&boot->initramfs_tool));
		fact_set_absent(fact_of(&boot->initramfs_resume));
		return;
	}
	if (tool)
		fact_set_text(&boot->initramfs_tool, tool);
	else
		fact_set_unknown(fact_of(&boot->initramfs_tool),
			"neither dracut nor initramfs-tools is installed");
	image = entry ? boot_real_path(root, entry->initramfs.value)
		      : running_image(root, running_release);
	gather_image(boot, root, tool, image);
}
