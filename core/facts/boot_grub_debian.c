/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GRUB 2 as Debian and Ubuntu have it: grub-mkconfig reads drop-ins beside /etc/default/grub as
 * well, and ours is read after all others.
 */
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_grub.h"
#include "core/facts/boot_text.h"

/* Debian's grub-mkconfig reads the drop-ins; others have one file only. */
static bool boots(const struct boot_search *search)
{
	memory_cleanup_free char *mkconfig = process_find(search->root, "grub-mkconfig");
	memory_cleanup_free char *text = NULL;
	struct error ignored = { "" };

	if (!mkconfig || !boot_grub_is_generated(search))
		return false;
	root_read(search->root, mkconfig, BOOT_TEXT_LIMIT, &text, NULL, &ignored);
	return text && strstr(text, "default/grub.d");
}

static int settings(
	struct boot_settings *settings, const struct boot_wanted *wanted, struct error *err UNUSED)
{
	memory_cleanup_free char *shell = wanted ? boot_grub_shell(wanted) : NULL;

	if (shell)
		settings->with =
			text_format("# Made by ec2hib; \"ec2hib teardown\" removes it.\n%s", shell);
	settings->idle = text_copy("# Made by ec2hib.\n" GRUB_GOING_AWAY);
	return 0;
}

static void sources(
	const struct root *root, const struct boot_facts *boot UNUSED, struct boot_sources *sources)
{
	boot_grub_add_copies(root, sources);
}

static void gather_settings(struct boot_search *search)
{
	boot_grub_gather_settings(search, true);
}

const struct boot_loader boot_loader_grub_debian = {
	.name = "grub-debian",
	.where = GRUB_DEFAULTS ".d, then update-grub",
	.program = &boot_program_grub,
	.boots = boots,
	.gather = boot_grub_gather,
	.sources = sources,
	.settings_file = GRUB_DROP_IN,
	.settings = settings,
	.gather_settings = gather_settings,
	.generator = boot_grub_generator,
};
