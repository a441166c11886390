/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_record.h"
#include "core/facts/boot_text.h"

/* An entry file is a few lines. */
#define ENTRY_LIMIT ((size_t)64 * 1024)

/* Set by systemd-boot: the name of the loader, in UTF-16 (systemd.io/BOOT_LOADER_INTERFACE). */
#define LOADER_INFO "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* What was found on the way to the answer. */
struct search {
	const struct root *root;
	struct boot_facts *boot;
	char *config;	   /* grub.cfg, or NULL */
	char *config_text; /* NULL when it cannot be read */
	char *environment; /* the text of grubenv, or NULL */
	char *choice;	   /* what grub.cfg sets as default, or NULL */
	char *folder;	   /* of BLS entries, or NULL */
	bool uses_bls;	   /* grub.cfg takes its entries from there */
	bool efi;
	struct error hidden; /* why something could not be looked at; empty: all could */
};

/* The text of PATH or NULL; what is there but cannot be read is remembered. */
static char *read_text(struct search *search, const char *path, size_t limit)
{
	struct error err = { "" };
	char *text;
	int status = root_read(search->root, path, limit, &text, NULL, &err);

	if (status < 0 && status != -ENOENT && status != -ENOTDIR)
		search->hidden = err;
	return text;
}

char *boot_real_path(const struct root *root, const char *path)
{
	static const char *const places[] = { "", "/boot", "/boot/efi", "/efi" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char *real = text_format("%s%s", places[i], path);

		if (root_exists(root, real))
			return real;
		free(real);
	}
	/* On btrfs the loader sees subvolumes' names in front: /@/.snapshots/1/snapshot/boot/... */
	while (*path && (path = strchr(path + 1, '/')))
		if (root_exists(root, path))
			return text_copy(path);
	return NULL;
}

static bool has_entry_file(const struct root *root, const char *folder)
{
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	root_list(root, folder, &names, &err);
	for (size_t i = 0; i < names.count; i++)
		if (text_ends(names.items[i], ".conf"))
			return true;
	return false;
}

char *boot_entries_folder(const struct root *root)
{
	static const char *const folders[] = { "/boot/loader/entries", "/efi/loader/entries",
		"/boot/efi/loader/entries" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (has_entry_file(root, folders[i]))
			return text_copy(folders[i]);
	return NULL;
}

char *boot_environment_path(const struct root *root)
{
	static const char *const places[] = { "/boot/grub2/grubenv", "/boot/grub/grubenv",
		"/boot/efi/EFI/amzn/grubenv", "/boot/efi/EFI/redhat/grubenv",
		"/boot/efi/EFI/fedora/grubenv", "/boot/efi/EFI/centos/grubenv" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (root_exists(root, places[i]))
			return text_copy(places[i]);
	return NULL;
}

void boot_legacy_files(const struct root *root, struct strings *files)
{
	struct stat menu, conf;
	bool has_menu = root_stat(root, "/boot/grub/menu.lst", &menu) == 0;
	bool has_conf = root_stat(root, "/boot/grub/grub.conf", &conf) == 0;

	if (has_menu)
		strings_add(files, "/boot/grub/menu.lst");
	if (has_conf && !(has_menu && menu.st_dev == conf.st_dev && menu.st_ino == conf.st_ino))
		strings_add(files, "/boot/grub/grub.conf");
}

/* A grub.cfg on the EFI partition that has entries itself; most only lead to the one in /boot. */
static char *find_efi_config(struct search *search)
{
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	root_list(search->root, "/boot/efi/EFI", &names, &err);
	for (size_t i = 0; i < names.count; i++) {
		char *path = text_format("/boot/efi/EFI/%s/grub.cfg", names.items[i]);
		memory_cleanup_free char *text = NULL;
		struct error ignored = { "" };

		root_read(search->root, path, BOOT_TEXT_LIMIT, &text, NULL, &ignored);
		if (text && (strstr(text, "menuentry ") || strstr(text, "blscfg")))
			return path;
		free(path);
	}
	return NULL;
}

/* The grub.cfg that counts: with EFI firmware the one on its partition, if that is a real one. */
static void find_config(struct search *search)
{
	static const char *const places[] = { "/boot/grub2/grub.cfg", "/boot/grub/grub.cfg" };
	char *efi = find_efi_config(search);

	for (size_t i = 0; !search->config && i < ARRAY_SIZE(places); i++)
		if (root_exists(search->root, places[i]))
			search->config = text_copy(places[i]);
	if (efi && (search->efi || !search->config))
		text_set(&search->config, efi);
	else
		free(efi);
	if (!search->config)
		return;
	search->config_text = read_text(search, search->config, BOOT_TEXT_LIMIT);
	if (search->config_text)
		search->uses_bls = boot_grub_parse(search->boot, search->config_text,
			search->environment, search->efi, &search->choice);
}

/* Remembers that something is there that we may not look at, as for anybody but root. */
static void find_hidden(struct search *search)
{
	static const char *const places[] = { "/boot/grub2/grub.cfg", "/boot/grub/grub.cfg",
		"/boot/loader/entries", "/efi/loader/entries", "/boot/efi/EFI" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct stat status;

		if (root_stat(search->root, places[i], &status) == -EACCES)
			error_errno(&search->hidden, EACCES, "cannot look at %s%s",
				search->root->path, places[i]);
	}
}

/* True when the firmware says that systemd-boot started this system. */
static bool started_by_systemd_boot(struct search *search)
{
	static const char name[] = "systemd-boot";
	memory_cleanup_free char *info = NULL;
	struct error err = { "" };
	size_t size;

	if (!search->root->live ||
		root_read(search->root, LOADER_INFO, 4096, &info, &size, &err) < 0)
		return false;
	/* Four bytes of attributes, then UTF-16: every second byte. */
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		if (4 + 2 * i >= size || info[4 + 2 * i] != name[i])
			return false;
	return true;
}

/* Debian's grub-mkconfig reads /etc/default/grub.d as well; others read one file only. */
static bool reads_dropins(struct search *search, const char *mkconfig)
{
	memory_cleanup_free char *text = read_text(search, mkconfig, BOOT_TEXT_LIMIT);

	return text && strstr(text, "default/grub.d");
}

static const char *find_loader(struct search *search)
{
	const struct root *root = search->root;
	memory_cleanup_free char *mkconfig = process_find(root, "grub-mkconfig");
	memory_cleanup_free char *mkconfig2 = process_find(root, "grub2-mkconfig");
	memory_cleanup_free char *grubby = process_find(root, "grubby");
	bool defaults = root_exists(root, BOOT_DEFAULTS);
	strings_cleanup struct strings legacy = { 0 };

	if (search->config && mkconfig && defaults && reads_dropins(search, mkconfig))
		return LOADER_GRUB_DEBIAN;
	if (search->folder && (!search->config_text || strstr(search->config_text, "blscfg")))
		return grubby ? LOADER_GRUBBY : LOADER_BLS;
	if (search->config && defaults && (mkconfig || mkconfig2))
		return LOADER_GRUB2;
	boot_legacy_files(root, &legacy);
	if (legacy.count && !search->config)
		return LOADER_GRUB_LEGACY;
	return NULL;
}

static void read_entry_files(struct search *search)
{
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	root_list(search->root, search->folder, &names, &err);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *path =
			text_format("%s/%s", search->folder, names.items[i]);
		memory_cleanup_free char *text = NULL;

		if (!text_ends(path, ".conf"))
			continue;
		text = read_text(search, path, ENTRY_LIMIT);
		if (text)
			boot_bls_parse(search->boot, names.items[i], text, search->environment);
	}
}

/* What loader.conf beside the entries sets as default; "" when nothing. */
static char *systemd_boot_choice(struct search *search)
{
	memory_cleanup_free char *folder = path_folder(search->folder);
	memory_cleanup_free char *path = text_format("%s/loader.conf", folder);
	memory_cleanup_free char *text = read_text(search, path, ENTRY_LIMIT);
	const char *at = text ? text : "";
	char *choice = text_copy(""), *line;

	while ((line = boot_next_line(&at))) {
		if (boot_line_is(line, "default"))
			text_set(&choice, text_trim(text_copy(strstr(line, "default") + 7)));
		free(line);
	}
	return choice;
}

static void read_legacy(struct search *search)
{
	strings_cleanup struct strings files = { 0 };
	memory_cleanup_free char *text = NULL, *saved = NULL;

	boot_legacy_files(search->root, &files);
	fact_set_text(&search->boot->config, files.items[0]);
	text = read_text(search, files.items[0], BOOT_TEXT_LIMIT);
	saved = read_text(search, "/boot/grub/default", ENTRY_LIMIT);
	if (saved)
		saved[strcspn(saved, "\n")] = '\0';
	if (text)
		boot_legacy_parse(search->boot, text, saved ? text_trim(saved) : "0");
}

static void read_entries(struct search *search, const char *loader)
{
	struct fact_text *config = &search->boot->config;

	if (text_equal(loader, LOADER_GRUB_LEGACY)) {
		read_legacy(search);
	} else if (text_equal(loader, LOADER_GRUBBY) || text_equal(loader, LOADER_BLS)) {
		fact_set_text(config, search->folder);
		read_entry_files(search);
		if (!search->choice)
			search->choice = systemd_boot_choice(search);
		/* With BLS files grub.cfg still says which of them is the default. */
		boot_bls_sort(search->boot, search->choice, search->uses_bls);
	} else {
		fact_set_text(config, search->config);
	}
}

/* GRUB_FORCE_PARTUUID of Ubuntu's cloud images: the files are read in the order of their names. */
static void read_force_partuuid(struct search *search)
{
	strings_cleanup struct strings names = { 0 };
	memory_cleanup_free char *value = NULL;
	struct error err = { "" };

	root_list(search->root, BOOT_DEFAULTS ".d", &names, &err);
	for (size_t i = 0; i <= names.count; i++) {
		memory_cleanup_free char *path = NULL, *text = NULL;
		char *found;

		if (i && !text_ends(names.items[i - 1], ".cfg"))
			continue;
		path = i ? text_format(BOOT_DEFAULTS ".d/%s", names.items[i - 1])
			 : text_copy(BOOT_DEFAULTS);
		text = read_text(search, path, BOOT_TEXT_LIMIT);
		found = text ? boot_setting(text, "GRUB_FORCE_PARTUUID") : NULL;
		if (found)
			text_set(&value, found);
	}
	fact_set_text(&search->boot->force_partuuid, value && *value ? value : NULL);
}

/* Whether boot configuration of ours is there: the drop-in, the block, or a changed line. */
static void find_ours(struct search *search, const char *state_dir)
{
	struct fact_flag *ours = &search->boot->our_arguments;
	memory_cleanup_free char *defaults = read_text(search, BOOT_DEFAULTS, BOOT_TEXT_LIMIT);
	struct edit_record record;
	struct error err = { "" };
	int status = edit_record_read(search->root, state_dir, &record, &err);
	bool found = root_exists(search->root, BOOT_DROPIN) ||
		     (defaults && strstr(defaults, BOOT_BLOCK_BEGIN));

	for (size_t i = 0; i < record.count; i++)
		found = found || edit_is_boot_file(record.items[i].file);
	if (found || status == 0)
		fact_set_flag(ours, found);
	else
		fact_set_unknown(fact_of(ours), "%s", err.text);
	edit_record_free(&record);
}

void boot_gather(struct boot_facts *boot, const struct root *root, const char *state_dir)
{
	struct search search = { .root = root, .boot = boot };
	memory_cleanup_free char *environment = NULL;
	const char *loader;

	find_hidden(&search);
	search.efi = root->live && root_exists(root, "/sys/firmware/efi");
	search.folder = boot_entries_folder(root);
	environment = boot_environment_path(root);
	if (environment)
		search.environment = read_text(&search, environment, BOOT_TEXT_LIMIT);
	/* A grub.cfg may be left from before, but is not what boots. */
	if (!search.folder || !started_by_systemd_boot(&search))
		find_config(&search);
	loader = find_loader(&search);
	read_entries(&search, loader);
	if (loader)
		fact_set_text(&boot->loader, loader);
	else if (*search.hidden.text)
		fact_set_unknown(fact_of(&boot->loader), "%s", search.hidden.text);
	else
		fact_set_absent(fact_of(&boot->loader));
	if (boot->entries.count)
		boot->entries.is = FACT_KNOWN;
	else if (*search.hidden.text)
		fact_set_unknown(fact_of(&boot->entries), "%s", search.hidden.text);
	else
		fact_set_absent(fact_of(&boot->entries));
	read_force_partuuid(&search);
	find_ours(&search, state_dir);
	free(search.config);
	free(search.config_text);
	free(search.choice);
	free(search.environment);
	free(search.folder);
}
