/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * systemd-boot: entry files on the EFI system partition and on the extended boot loader partition,
 * which it reads both (systemd-boot(7), The Boot Loader Specification, uapi-group.org).
 */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/facts/boot_bls.h"
#include "core/facts/boot_systemd_boot.h"
#include "core/facts/boot_text.h"

#define CONF_LIMIT ((size_t)64 * 1024)

const struct boot_program boot_program_systemd_boot = {
	.name = "systemd-boot",
	.info = "systemd-boot",
	.images = (const char *const[]) { "systemd-boot*.efi", NULL },
};

static bool is_installed(const struct root *root, const char *folder)
{
	strings_cleanup struct strings names = { 0 };
	memory_cleanup_free char *path = text_format("%s/EFI/systemd", folder);
	struct error ignored = { "" };

	root_list(root, path, &names, &ignored);
	for (size_t i = 0; i < names.count; i++)
		if (fnmatch("systemd-boot*.efi", names.items[i], FNM_CASEFOLD) == 0)
			return true;
	return false;
}

/*
 * Partitions of their own if there is one: then /boot on the root file system is not read. Where
 * there is none, as in an image whose partitions are not mounted, all folders that have something.
 */
void boot_systemd_boot_folders(const struct boot_search *search, struct strings *folders)
{
	static const char *const all[] = { "/efi", "/boot/efi", "/boot", "/esp" };

	for (int own = 1; own >= 0 && folders->count == 0; own--)
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			const struct boot_mount *mount = boot_mounts_of(&search->mounts, all[i]);
			bool is_own = mount && strcmp(mount->folder, all[i]) == 0;

			if ((is_own || !own) && root_exists(search->root, all[i]))
				strings_add(folders, all[i]);
		}
}

/* The entry files in the folders, each with its path. */
static void list_entries(const struct boot_search *search, struct strings *files)
{
	strings_cleanup struct strings folders = { 0 };

	boot_systemd_boot_folders(search, &folders);
	for (size_t i = 0; i < folders.count; i++) {
		memory_cleanup_free char *entries =
			text_format("%s/loader/entries", folders.items[i]);

		boot_bls_list(search->root, entries, files);
	}
}

bool boot_systemd_boot_is_here(const struct boot_search *search)
{
	strings_cleanup struct strings folders = { 0 };

	boot_systemd_boot_folders(search, &folders);
	for (size_t i = 0; i < folders.count; i++)
		if (is_installed(search->root, folders.items[i]))
			return true;
	return false;
}

/* Entry files are GRUB's as well; those that its grub.cfg asks for are its own. */
static bool boots(const struct boot_search *search)
{
	strings_cleanup struct strings files = { 0 };
	const struct boot_program *program = &boot_program_systemd_boot;

	list_entries(search, &files);
	if (files.count == 0)
		return false;
	if (search->firmware.loader)
		return text_starts(search->firmware.loader, program->info);
	if (search->config && (!search->config_text || strstr(search->config_text, "blscfg")))
		return boot_systemd_boot_is_here(search);
	return true;
}

/* What loader.conf sets as default; NULL: nothing. It is read from the EFI partition alone. */
static char *configured_choice(struct boot_search *search)
{
	strings_cleanup struct strings folders = { 0 };
	char *choice = NULL;

	boot_systemd_boot_folders(search, &folders);
	for (size_t i = 0; !choice && i < folders.count; i++) {
		memory_cleanup_free char *path =
			text_format("%s/loader/loader.conf", folders.items[i]);
		memory_cleanup_free char *text = boot_search_read(search, path, CONF_LIMIT);
		const char *at = text ? text : "";
		char *line;

		while ((line = boot_next_line(&at))) {
			if (boot_line_is(line, "default"))
				text_set(
					&choice, text_trim(text_copy(strstr(line, "default") + 7)));
			free(line);
		}
	}
	return choice;
}

/* For this boot, for all, or by the file; "" for none. The caller frees it. */
char *boot_systemd_boot_choice(struct boot_search *search)
{
	const struct firmware *firmware = &search->firmware;
	memory_cleanup_free char *configured = NULL;

	if (firmware->once)
		return text_copy(firmware->once);
	if (firmware->preset)
		return text_copy(firmware->preset);
	configured = configured_choice(search);
	/*
	 * The entry that was chosen last, which is the one that this system has (loader.conf(5)).
	 */
	if (text_equal(configured, "@saved") && firmware->selected)
		return text_copy(firmware->selected);
	return text_copy(configured ? configured : "");
}

void boot_systemd_boot_add(struct boot_search *search)
{
	strings_cleanup struct strings files = { 0 };
	memory_cleanup_free char *folder = NULL;

	list_entries(search, &files);
	if (files.count == 0)
		return;
	folder = path_folder(files.items[0]);
	fact_set_text(&search->boot->config, folder);
	boot_bls_read(search, &files, NULL);
}

void boot_systemd_boot_gather(struct boot_search *search)
{
	memory_cleanup_free char *choice = boot_systemd_boot_choice(search);

	boot_systemd_boot_add(search);
	boot_bls_sort(search->boot, choice, false);
}

void boot_systemd_boot_sources(const struct root *root, struct boot_sources *sources)
{
	struct boot_facts none = { 0 };
	struct boot_search search = { .root = root, .boot = &none };
	strings_cleanup struct strings files = { 0 };

	boot_mounts_gather(&search.mounts, root);
	list_entries(&search, &files);
	boot_mounts_free(&search.mounts);
	boot_bls_add_entries(sources, &files, NULL);
}

/* For kernels that are installed later, kernel-install takes /etc/kernel/cmdline. */
static void sources(
	const struct root *root, const struct boot_facts *boot, struct boot_sources *list)
{
	boot_systemd_boot_sources(root, list);
	boot_bls_add_cmdline(root, boot, list);
}

const struct boot_loader boot_loader_systemd_boot = {
	.name = "systemd-boot",
	.where = "in the boot entries",
	.program = &boot_program_systemd_boot,
	.boots = boots,
	.gather = boot_systemd_boot_gather,
	.starts_images = true,
	.sources = sources,
	.gather_settings = boot_bls_gather_cmdline,
};
