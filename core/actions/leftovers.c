/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/leftovers.h"

#include "core/actions/boot_products.h"
#include "core/actions/own_file.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/area.h"
#include "core/facts/at_boot.h"
#include "core/facts/boot.h"
#include "core/facts/edits.h"
#include "core/facts/fstab.h"
#include "core/facts/initramfs.h"

static void sweep_state(const struct root *root, const char *folder)
{
	static const char *const names[] = { AREA_RECORD_NAME, EDITS_NAME };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		memory_cleanup_free char *path = text_format("%s/%s", folder, names[i]);

		own_leftover_remove(root, path);
	}
}

static void sweep_recorded(const struct root *root, const char *state_dir)
{
	struct edits edits = { 0 };
	struct error ignored = { "" };

	/* One that is damaged or not to be trusted has no items. */
	edits_read(root, state_dir, &edits, &ignored);
	for (size_t i = 0; i < edits.count; i++)
		own_leftover_remove(root, edits.items[i].file);
	edits_free(&edits);
}

static void sweep_sources(const struct root *root, const struct facts *facts)
{
	for (const struct boot_loader *const *at = boot_loaders; *at; at++) {
		struct boot_sources sources = { 0 };

		if ((*at)->settings)
			own_leftover_remove(root, (*at)->settings_file);
		if ((*at)->sources)
			(*at)->sources(root, &facts->boot, &sources);
		for (size_t i = 0; i < sources.count; i++)
			own_leftover_remove(root, sources.items[i].file);
		boot_sources_free(&sources);
	}
}

static void sweep_products(const struct root *root, const struct facts *facts)
{
	const struct boot_products products = {
		.root = root, .boot = &facts->boot, .loader = boot_loader_of(&facts->boot)
	};

	if (products.loader && products.loader->generator)
		boot_products_sweep(&products);
}

static void sweep_initramfs(const struct root *root, const struct boot_facts *boot)
{
	for (const struct initramfs_tool *const *at = initramfs_tools; *at; at++)
		if ((*at)->config)
			own_leftover_remove(root, (*at)->config);
	for (size_t i = 0; i < boot->entries.count; i++) {
		memory_cleanup_free char *image =
			boot_real_path(root, boot->entries.items[i].initramfs.value);
		memory_cleanup_free char *draft =
			image ? text_format("%s.ec2hib-new", image) : NULL;

		if (draft)
			own_draft_remove(root, draft, image);
	}
}

void leftovers_sweep(
	const struct root *root, const struct facts *facts, const struct config *config)
{
	own_leftover_remove(root, FSTAB_PATH);
	own_leftover_remove(root, TMPFILES_PATH);
	sweep_state(root, config->state_dir);
	sweep_recorded(root, config->state_dir);
	sweep_sources(root, facts);
	sweep_products(root, facts);
	sweep_initramfs(root, &facts->boot);
}
