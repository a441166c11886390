/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/initramfs.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot_loader.h"

/* The tools in the order in which they are asked: initramfs_tool_NAME of each. */
#define TOOLS(row) row(dracut) row(initramfs_tools)

#define DECLARE(name) extern const struct initramfs_tool initramfs_tool_##name;
#define REFER(name)   &initramfs_tool_##name,
TOOLS(DECLARE)
const struct initramfs_tool *const initramfs_tools[] = { TOOLS(REFER) NULL };

const struct initramfs_tool *initramfs_tool_of(const struct boot_facts *boot)
{
	for (const struct initramfs_tool *const *tool = initramfs_tools; *tool; tool++)
		if (fact_text_is(&boot->initramfs_tool, (*tool)->name))
			return *tool;
	return NULL;
}

void initramfs_dropins(const struct root *root, const char *const folders[2], struct strings *paths)
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

static const struct entry_facts *next_entry(const struct boot_facts *boot)
{
	for (size_t i = 0; i < boot->entries.count; i++)
		if (fact_is_true(&boot->entries.items[i].is_default))
			return &boot->entries.items[i];
	return NULL;
}

#define NO_TOOL "no known tool that makes an initramfs is installed"

static void gather_image(struct boot_facts *boot, const struct root *root,
	const struct initramfs_tool *tool, const char *image)
{
	struct fact *resume = fact_of(&boot->initramfs_resume);
	struct stat status;

	if (!image)
		fact_set_unknown(
			resume, "the initramfs of the entry that boots next was not found");
	else if (root_stat(root, image, &status) < 0)
		fact_set_unknown(resume, "cannot look at %s%s", root->path, image);
	else if (!tool)
		fact_set_unknown(resume, NO_TOOL);
	else
		tool->gather_resume(boot, root, &status);
}

void initramfs_gather(struct boot_facts *boot, const struct root *root, const char *running_release)
{
	const struct entry_facts *entry = next_entry(boot);
	const struct initramfs_tool *tool = NULL;
	memory_cleanup_free char *image = NULL;
	bool ours = false;

	for (const struct initramfs_tool *const *at = initramfs_tools; *at; at++) {
		if (!tool && (*at)->makes(root))
			tool = *at;
		ours = ours || root_exists(root, (*at)->config);
	}
	fact_set_flag(&boot->our_initramfs, ours);
	if (tool && tool->gather_setting)
		tool->gather_setting(boot, root);
	else
		fact_set_absent(fact_of(&boot->initramfs_setting));
	if (entry && entry->initramfs.is == FACT_ABSENT) {
		fact_set_absent(fact_of(&boot->initramfs_tool));
		fact_set_absent(fact_of(&boot->initramfs_resume));
		return;
	}
	if (tool)
		fact_set_text(&boot->initramfs_tool, tool->name);
	else
		fact_set_unknown(fact_of(&boot->initramfs_tool), NO_TOOL);
	image = entry ? boot_real_path(root, entry->initramfs.value)
		      : running_image(root, running_release);
	gather_image(boot, root, tool, image);
}
