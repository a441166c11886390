/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot_bls.h"
#include "core/facts/boot_grub.h"
#include "core/facts/boot_text.h"
#include "core/facts/edits.h"

/* The loaders in the order in which they are asked: boot_loader_NAME of each. */
/* clang-format off */
#define LOADERS(row)                                                                  \
	row(grub_debian) /* Debian, Ubuntu */                                         \
	row(bls)         /* Amazon Linux 2023, RHEL 8 and later, Fedora; systemd-boot */ \
	row(grub2)       /* Amazon Linux 2, SUSE */                                   \
	row(grub_legacy) /* Amazon Linux 1 */
/* clang-format on */

#define DECLARE(name) extern const struct boot_loader boot_loader_##name;
#define REFER(name)   &boot_loader_##name,
LOADERS(DECLARE)
const struct boot_loader *const boot_loaders[] = { LOADERS(REFER) NULL };

const struct boot_loader *boot_loader_of(const struct boot_facts *boot)
{
	for (const struct boot_loader *const *loader = boot_loaders; *loader; loader++)
		if (fact_text_is(&boot->loader, (*loader)->name))
			return *loader;
	return NULL;
}

/* Remembers that something is there that we may not look at, as for anybody but root. */
static void find_hidden(struct boot_search *search)
{
	static const char *const paths[] = { "/boot/grub2/grub.cfg", "/boot/grub/grub.cfg",
		"/boot/loader/entries", "/efi/loader/entries", "/boot/efi/EFI" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct stat status;

		if (root_stat(search->root, paths[i], &status) == -EACCES)
			error_errno(&search->hidden, EACCES, "cannot look at %s%s",
				search->root->path, paths[i]);
	}
}

/* Set by systemd-boot: the name of the loader, in UTF-16 (systemd.io/BOOT_LOADER_INTERFACE). */
#define LOADER_INFO "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* True when the firmware says that systemd-boot started this system. */
static bool started_by_systemd_boot(const struct root *root)
{
	static const char name[] = "systemd-boot";
	memory_cleanup_free char *info = NULL;
	struct error err = { "" };
	size_t size;

	if (!root->live || root_read(root, LOADER_INFO, 4096, &info, &size, &err) < 0)
		return false;
	/* Four bytes of attributes, then UTF-16: every second byte. */
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		if (4 + 2 * i >= size || info[4 + 2 * i] != name[i])
			return false;
	return true;
}

void boot_search_begin(struct boot_search *search, const struct root *root, struct boot_facts *boot)
{
	*search = (struct boot_search) { .root = root, .boot = boot };
	find_hidden(search);
	search->efi = root->live && root_exists(root, "/sys/firmware/efi");
	search->entries = boot_bls_folder(root);
	boot_grub_find(search);
	/* A grub.cfg may be left from before, but is not what boots. */
	if (search->entries && started_by_systemd_boot(root)) {
		text_set(&search->config, NULL);
		text_set(&search->config_text, NULL);
	}
}

void boot_search_end(struct boot_search *search)
{
	free(search->entries);
	free(search->config);
	free(search->config_text);
	free(search->environment);
}

/* Whether boot configuration of ours is there: settings, or a changed line. */
static void find_ours(struct boot_search *search, const char *state_dir)
{
	struct fact_flag *ours = &search->boot->our_arguments;
	struct edits edits;
	struct error err = { "" };
	int status = edits_read(search->root, state_dir, &edits, &err);
	bool found = edits.count > 0;

	for (const struct boot_loader *const *at = boot_loaders; *at; at++) {
		const struct boot_loader *loader = *at;
		memory_cleanup_free char *text = NULL;

		if (!loader->settings_file)
			continue;
		if (loader->settings_mark)
			text = boot_search_read(search, loader->settings_file, BOOT_TEXT_LIMIT);
		found = found ||
			(loader->settings_mark ? text && strstr(text, loader->settings_mark)
					       : root_exists(search->root, loader->settings_file));
	}
	if (found || status == 0)
		fact_set_flag(ours, found);
	else
		fact_set_unknown(fact_of(ours), "%s", err.text);
	edits_free(&edits);
}

/* What was not found is absent, or unknown where something may not be looked at. */
static void set_missing(struct fact *fact, const struct boot_search *search)
{
	if (*search->hidden.text)
		fact_set_unknown(fact, "%s", search->hidden.text);
	else
		fact_set_absent(fact);
}

void boot_gather(struct boot_facts *boot, const struct root *root, const char *state_dir)
{
	const struct boot_loader *const *loader = boot_loaders;
	struct boot_search search;

	boot_search_begin(&search, root, boot);
	while (*loader && !(*loader)->boots(&search))
		loader++;
	/*
	 * Who makes a grub.cfg may be unknown; its entries are those of the next boots all the
	 * same.
	 */
	if (*loader)
		(*loader)->gather(&search);
	else
		boot_grub_gather(&search);
	if (*loader)
		fact_set_text(&boot->loader, (*loader)->name);
	else
		set_missing(fact_of(&boot->loader), &search);
	if (boot->entries.count)
		boot->entries.is = FACT_KNOWN;
	else
		set_missing(fact_of(&boot->entries), &search);
	boot_grub_gather_force_partuuid(&search);
	find_ours(&search, state_dir);
	boot_search_end(&search);
}
