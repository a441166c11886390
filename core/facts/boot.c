/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/boot.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot_bls.h"
#include "core/facts/boot_grub.h"
#include "core/facts/boot_text.h"
#include "core/facts/edits.h"

/* The loaders in the order in which they are asked: boot_loader_NAME of each. */
/* clang-format off */
#define LOADERS(row)                                                                  \
	/* Systems that make their configuration themselves, whatever loader reads it. */ \
	row(rpm_ostree) row(bootc) row(ostree) row(nixos) row(guix) row(ubuntu_core)  \
	row(flatcar) row(transactional_bls) row(transactional)                        \
	/* Loaders that are changed. */                                               \
	row(grub_debian) /* Debian, Ubuntu */                                         \
	row(bls)         /* Amazon Linux 2023, RHEL 8 and later, Fedora */             \
	row(uki) row(systemd_boot)                                                        \
	row(grub2)       /* Amazon Linux 2, SUSE */                                   \
	row(grub_legacy) /* Amazon Linux 1 */                                         \
	row(extlinux)                                                                 \
	/* Loaders that are read alone. */                                            \
	row(uki_bare) row(extlinux_made) row(refind) row(limine_made) row(limine) row(stub) row(grub_bare)
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

void boot_search_begin(struct boot_search *search, const struct root *root, struct boot_facts *boot)
{
	*search = (struct boot_search) { .root = root, .boot = boot };
	find_hidden(search);
	firmware_read(&search->firmware, root);
	boot_mounts_gather(&search->mounts, root);
	search->entries = boot_bls_folder(root);
	boot_grub_find(search);
}

void boot_search_end(struct boot_search *search)
{
	free(search->entries);
	free(search->config);
	free(search->config_text);
	free(search->environment);
	firmware_free(&search->firmware);
	boot_mounts_free(&search->mounts);
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

/* ---- Which of the loaders it is ---- */

static bool has_image(const struct boot_program *program, const char *path)
{
	for (const char *const *pattern = program->images; *pattern; pattern++)
		if (fnmatch(*pattern, strchr(*pattern, '/') ? path : path_name(path),
			    FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static bool starts_with_program(const struct firmware *firmware, const struct boot_program *program)
{
	const struct firmware_option *current = firmware->current;

	/* What was started last has set this; the firmware's own record is of what came first. */
	if (firmware->loader)
		return program->info && text_starts(firmware->loader, program->info);
	if (firmware->sector)
		return program->sector && text_ends(firmware->sector, program->sector);
	return current && current->path && has_image(program, current->path);
}

/* Is there any word of what started this system? A path that nobody knows is none. */
static bool is_told(const struct firmware *firmware)
{
	if (firmware->loader || firmware->stub || firmware->sector)
		return true;
	for (const struct boot_loader *const *at = boot_loaders; *at; at++)
		if (((*at)->program && starts_with_program(firmware, (*at)->program)) ||
			((*at)->other_program &&
				starts_with_program(firmware, (*at)->other_program)))
			return true;
	return false;
}

/* What is told, in words; the caller frees it. */
static char *told_words(const struct firmware *firmware)
{
	if (firmware->loader && firmware->stub)
		return text_format(
			"%s with a unified kernel image (LoaderInfo, StubInfo)", firmware->loader);
	if (firmware->loader)
		return text_format("%s (LoaderInfo)", firmware->loader);
	if (firmware->stub)
		return text_format("a unified kernel image (StubInfo: %s)", firmware->stub);
	if (firmware->sector)
		return text_format("%s (the boot sector)", firmware->sector);
	if (firmware->current && firmware->current->path)
		return text_format("%s (Boot%04X \"%s\")", firmware->current->path,
			firmware->current->number, firmware->current->description);
	return NULL;
}

/* Does what is told fit this loader? */
static bool fits(const struct firmware *firmware, const struct boot_loader *loader)
{
	/* The image that is running has its arguments in it, whoever started it. */
	if (firmware->stub && !loader->starts_images)
		return false;
	if (!firmware->loader && firmware->stub)
		return true;
	return (loader->program && starts_with_program(firmware, loader->program)) ||
	       (loader->other_program && starts_with_program(firmware, loader->other_program));
}

/* The loaders whose files are here, in the order in which they are asked. */
struct candidates {
	const struct boot_loader *items[16];
	size_t count;
};

static void find_candidates(struct candidates *candidates, struct boot_search *search)
{
	*candidates = (struct candidates) { 0 };
	for (const struct boot_loader *const *loader = boot_loaders; *loader; loader++)
		if (candidates->count < ARRAY_SIZE(candidates->items) && (*loader)->boots(search))
			candidates->items[candidates->count++] = *loader;
}

/* "GRUB and systemd-boot" */
static char *candidate_names(const struct candidates *candidates)
{
	strings_cleanup struct strings names = { 0 };

	for (size_t i = 0; i < candidates->count; i++)
		if (!strings_contain(&names, candidates->items[i]->program->name))
			strings_add(&names, candidates->items[i]->program->name);
	return strings_join(&names, " and ");
}

/* False: the candidates are of more than one program. */
static bool are_one_program(const struct candidates *candidates)
{
	for (size_t i = 1; i < candidates->count; i++)
		if (candidates->items[i]->program != candidates->items[0]->program)
			return false;
	return true;
}

/* systemd-boot reads the partition that it was started from. False also where nobody can tell. */
static bool is_elsewhere(const struct boot_search *search)
{
	const char *partition = search->firmware.partition;
	bool named = false, unnamed = false;

	if (!partition)
		return false;
	for (size_t i = 0; i < search->mounts.count; i++) {
		const struct boot_mount *mount = &search->mounts.items[i];

		if (mount->partition && strcasecmp(mount->partition, partition) == 0)
			return false;
		named = named || mount->partition;
		unnamed = unnamed || mount->mounted || mount->doubtful;
	}
	return named || !unnamed;
}

static const struct boot_loader *decide_by_word(
	struct boot_search *search, const struct candidates *candidates, const char *told)
{
	const struct boot_loader *fitting = NULL;
	memory_cleanup_free char *names = NULL;

	for (size_t i = 0; !fitting && i < candidates->count; i++)
		if (fits(&search->firmware, candidates->items[i]))
			fitting = candidates->items[i];
	if (fitting && !(fitting->starts_images && is_elsewhere(search))) {
		fact_set_text(&search->boot->loader_known, LOADER_KNOWN);
		return fitting;
	}
	fact_set_text(&search->boot->loader_known, LOADER_CONTRADICTED);
	if (fitting) {
		fact_set_unknown(fact_of(&search->boot->loader),
			"this system was started by %s from the partition %s, which is not mounted",
			told, search->firmware.partition);
		return NULL;
	}
	names = candidate_names(candidates);
	fact_set_unknown(fact_of(&search->boot->loader),
		"this system was started by %s, but the boot configuration that is here is of %s",
		told, names);
	return NULL;
}

static const struct boot_loader *decide_by_files(
	struct boot_search *search, const struct candidates *candidates)
{
	memory_cleanup_free char *names = NULL;

	if (are_one_program(candidates)) {
		fact_set_text(&search->boot->loader_known, LOADER_GUESSED);
		return candidates->items[0];
	}
	names = candidate_names(candidates);
	fact_set_unknown(fact_of(&search->boot->loader),
		"there is boot configuration of %s, and nothing says which of them boots", names);
	return NULL;
}

/* NULL: the fact is unknown with its reason, or no loader was found. */
static const struct boot_loader *choose(struct boot_search *search)
{
	memory_cleanup_free char *told = told_words(&search->firmware);
	const struct boot_loader *chosen;
	struct candidates candidates;

	find_candidates(&candidates, search);
	fact_set_text(&search->boot->started_by, told);
	if (candidates.count == 0)
		return NULL;
	if (!candidates.items[0]->program) {
		fact_set_text(&search->boot->loader_known, LOADER_KNOWN);
		return candidates.items[0];
	}
	chosen = is_told(&search->firmware) ? decide_by_word(search, &candidates, told)
					    : decide_by_files(search, &candidates);
	if (!chosen || chosen->program != &boot_program_grub || !*search->unclear.text)
		return chosen;
	if (search->misled)
		fact_set_text(&search->boot->loader_known, LOADER_CONTRADICTED);
	fact_set_unknown(fact_of(&search->boot->loader), "%s", search->unclear.text);
	return NULL;
}

/* ---- What belongs there and is not mounted ---- */

/* What a boot loader may read and is not mounted; NULL: nothing. */
static const struct boot_mount *missing_mount(const struct boot_search *search)
{
	const struct boot_facts *boot = search->boot;
	const struct boot_mount *missing = boot_mounts_missing(&search->mounts, "/boot/");

	if (!missing && boot->config.is == FACT_KNOWN)
		missing = boot_mounts_missing(&search->mounts, boot->config.value);
	/* A BIOS does not look at the EFI partition. */
	for (size_t i = 0; !missing && search->firmware.efi && i < search->mounts.count; i++)
		missing = boot_mounts_missing(&search->mounts, search->mounts.items[i].folder);
	return missing;
}

static void gather_mounts(struct boot_search *search)
{
	struct fact_text *unmounted = &search->boot->unmounted;
	const struct boot_mount *missing = missing_mount(search);

	if (missing) {
		fact_set_text(unmounted, missing->folder);
		fact_set_text(&search->boot->unmounted_by, missing->who);
		return;
	}
	fact_set_absent(fact_of(unmounted));
	fact_set_absent(fact_of(&search->boot->unmounted_by));
	for (size_t i = 0; i < search->mounts.count; i++) {
		const struct boot_mount *mount = &search->mounts.items[i];

		if (mount->doubtful)
			fact_set_unknown(fact_of(unmounted),
				"%s is in %s and not mounted, but has files: whether these boot cannot be told",
				mount->folder, mount->who);
	}
}

/*
 * True when what the loader reads lies below a folder that is not mounted: its files are not those.
 */
static bool is_below_missing(const struct boot_search *search, const struct boot_loader *loader)
{
	const struct fact_text *config = &search->boot->config;

	if (boot_mounts_missing(&search->mounts, "/boot/"))
		return true;
	if (config->is != FACT_KNOWN)
		return false;
	/*
	 * What firmware starts reads a partition: files on the root file system are not the ones.
	 */
	return boot_mounts_missing(&search->mounts, config->value) ||
	       (loader && loader->starts_images && missing_mount(search) &&
		       !boot_mounts_of(&search->mounts, config->value));
}

/* ---- All of it ---- */

static void gather_firmware(struct boot_search *search)
{
	const struct firmware *firmware = &search->firmware;
	struct boot_facts *boot = search->boot;
	const struct firmware_option *next = firmware->next, *current = firmware->current;

	if (!search->root->live) {
		fact_set_unknown(fact_of(&boot->firmware),
			"%s is an image, not the running machine", search->root->path);
		fact_set_unknown(fact_of(&boot->next_by), "%s", boot->firmware.why);
		return;
	}
	fact_set_text(&boot->firmware, firmware->efi ? "uefi" : "bios");
	if (firmware->hidden)
		fact_set_unknown(fact_of(&boot->next_by), "%s", firmware->hidden);
	else if (!next || !current || firmware_option_same(next, current) ||
		 (!current->path && !firmware->next_is_once))
		fact_set_absent(fact_of(&boot->next_by));
	else
		fact_take_text(&boot->next_by,
			text_format("Boot%04X \"%s\" (%s)", next->number, next->description,
				next->path ? next->path : "no file"));
	fact_set_flag(&boot->next_is_once, firmware->next_is_once);
}

/* Entries of files that do not boot are no answer. */
static void forget_entries(struct boot_search *search)
{
	struct fact_text *loader = &search->boot->loader;
	const struct boot_mount *missing = missing_mount(search);
	memory_cleanup_free char *why =
		missing ? text_format("%s is in %s but not mounted", missing->folder, missing->who)
			: text_copy(loader->why);

	fact_list_free(&entry_facts_layout, &search->boot->entries);
	fact_set_unknown(fact_of(&search->boot->entries), "%s", why);
	fact_set_unknown(fact_of(loader), "%s", why);
}

static void add_root_name(struct boot_facts *boot, const char *prefix, const char *name)
{
	const char *before = fact_text_or(&boot->root_names, "");

	fact_take_text(&boot->root_names,
		text_format("%s%s%s%s", before, *before ? " " : "", prefix, name));
}

/* What /etc/fstab mounts as root. */
static void name_root(struct boot_facts *boot, const struct root *root)
{
	memory_cleanup_free char *text = NULL;
	struct error ignored = { "" };
	const char *at;
	char *line;

	fact_set_absent(fact_of(&boot->root_names));
	if (root_read(root, "/etc/fstab", BOOT_TEXT_LIMIT, &text, NULL, &ignored) < 0)
		return;
	for (at = text; (line = boot_next_line(&at)); free(line)) {
		strings_cleanup struct strings words = { 0 };

		strings_split(&words, line, " \t");
		if (words.count > 1 && *words.items[0] != '#' && strcmp(words.items[1], "/") == 0)
			add_root_name(boot, "", words.items[0]);
	}
}

void boot_name_root_device(struct boot_facts *boot, const device_list *devices)
{
	const struct device_facts *device = devices->count ? devices->items : NULL;

	if (device && device->uuid.is == FACT_KNOWN)
		add_root_name(boot, "UUID=", device->uuid.value);
	if (device && device->partuuid.is == FACT_KNOWN)
		add_root_name(boot, "PARTUUID=", device->partuuid.value);
	if (device && device->name.is == FACT_KNOWN)
		add_root_name(boot, "/dev/", device->name.value);
}

void boot_gather(struct boot_facts *boot, const struct root *root, const char *state_dir)
{
	const struct boot_loader *loader;
	struct boot_search search;
	bool undecided;

	boot_search_begin(&search, root, boot);
	gather_firmware(&search);
	loader = choose(&search);
	/*
	 * Who makes a grub.cfg may be unknown; its entries are those of the next boots all the
	 * same.
	 */
	if (loader)
		loader->gather(&search);
	else
		boot_grub_gather(&search);
	gather_mounts(&search);
	undecided = boot->loader.why != NULL;
	if (loader)
		fact_set_text(&boot->loader, loader->name);
	else if (!undecided)
		set_missing(fact_of(&boot->loader), &search);
	if (boot->entries.count)
		boot->entries.is = FACT_KNOWN;
	else
		set_missing(fact_of(&boot->entries), &search);
	fact_set_absent(fact_of(&boot->settings));
	if (loader && loader->gather_settings)
		loader->gather_settings(&search);
	if (is_below_missing(&search, loader) || undecided)
		forget_entries(&search);
	boot_grub_gather_force_partuuid(&search);
	name_root(boot, root);
	find_ours(&search, state_dir);
	boot_search_end(&search);
}
