/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ways to boot that are recognised and read, and never changed: the configuration belongs to a
 * system that makes it from elsewhere, or to a loader whose files ec2hib does not write. Each says
 * what the administrator types.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_bls.h"
#include "core/facts/boot_grub.h"
#include "core/facts/boot_systemd_boot.h"
#include "core/facts/boot_text.h"

#define NO_FILES                                                                                   \
	.images = (const char *const[])                                                            \
	{                                                                                          \
		NULL                                                                               \
	}

static bool has(const struct boot_search *search, const char *path)
{
	struct stat status;

	/* A link into a store counts where the store is not there. */
	return root_lstat(search->root, path, &status) == 0;
}

static bool has_program(const struct boot_search *search, const char *name)
{
	memory_cleanup_free char *path = process_find(search->root, name);

	return path != NULL;
}

static bool system_is(const struct boot_search *search, const char *id)
{
	static const char *const files[] = { "/etc/os-release", "/usr/lib/os-release" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		memory_cleanup_free char *text = NULL, *value = NULL;
		struct error ignored = { "" };

		if (root_read(search->root, files[i], FILE_LIMIT, &text, NULL, &ignored) < 0)
			continue;
		value = text_assignment(text, "ID");
		return text_equal(value, id);
	}
	return false;
}

/* Where PATH is a link, maybe of several, that leads below FOLDER. */
static bool leads_into(const struct boot_search *search, const char *path, const char *folder)
{
	memory_cleanup_free char *at = text_copy(path);

	for (int i = 0; i < 8; i++) {
		char *target = root_readlink(search->root, at);

		if (!target)
			return false;
		text_set(&at, target);
		if (text_starts(at, folder))
			return true;
	}
	return false;
}

/* Whichever of the entries there are: of systemd-boot, as files for GRUB, or in grub.cfg. */
static void gather_entries(struct boot_search *search)
{
	bool blscfg = search->config_text && strstr(search->config_text, "blscfg");

	if (boot_systemd_boot_is_here(search) || (search->entries && !blscfg))
		boot_systemd_boot_gather(search);
	else if (search->entries)
		boot_bls_gather(search);
	else
		boot_grub_gather(search);
}

/* ---- Systems that make their configuration themselves ---- */

static bool is_ostree(const struct boot_search *search)
{
	return has(search, "/run/ostree-booted") || has(search, "/ostree/deploy") ||
	       has(search, "/sysroot/ostree/deploy") || has(search, "/ostree/repo");
}

static bool is_rpm_ostree(const struct boot_search *search)
{
	return is_ostree(search) && has_program(search, "rpm-ostree");
}

static bool is_bootc(const struct boot_search *search)
{
	return is_ostree(search) && has_program(search, "bootc");
}

const struct boot_loader boot_loader_rpm_ostree = {
	.name = "rpm-ostree",
	.manual =
		&(const struct boot_manual) {
			.before = "run: rpm-ostree kargs --append-if-missing=",
			.between = " --append-if-missing=",
			.after = "",
			.replace = " --delete-if-present=",
			.initramfs = "run: rpm-ostree initramfs --enable --arg=--add --arg=resume",
		},
	.boots = is_rpm_ostree,
	.gather = gather_entries,
};

const struct boot_loader boot_loader_bootc = {
	.name = "bootc",
	.manual =
		&(const struct boot_manual) {
			.before =
				"in the container image, in /usr/lib/bootc/kargs.d/50-hibernation.toml: kargs = [\"",
			.between = "\", \"",
			.after = "\"]; then run: bootc upgrade",
			.initramfs =
				"in the container image, add the dracut module resume and make the initramfs anew: dracut --force --add resume",
		},
	.boots = is_bootc,
	.gather = gather_entries,
};

const struct boot_loader boot_loader_ostree = {
	.name = "ostree",
	.manual =
		&(const struct boot_manual) {
			.before = "run: ostree admin kargs edit-in-place --append-if-missing=",
			.between = " --append-if-missing=",
			.after = "",
			.initramfs =
				"the initramfs belongs to the deployment: build the tree with one that can resume",
		},
	.boots = is_ostree,
	.gather = gather_entries,
};

static bool is_nixos(const struct boot_search *search)
{
	return system_is(search, "nixos") || has(search, "/etc/NIXOS") ||
	       leads_into(search, "/etc/static", "/nix/store/") ||
	       leads_into(search, "/etc/fstab", "/nix/store/") ||
	       leads_into(search, "/run/current-system", "/nix/store/");
}

const struct boot_loader boot_loader_nixos = {
	.name = "nixos",
	.manual =
		&(const struct boot_manual) {
			.before = "in /etc/nixos/configuration.nix: boot.kernelParams = [ \"",
			.between = "\" \"",
			.after = "\" ];",
			.device_before = " boot.resumeDevice = \"",
			.device_after = "\"; then run: nixos-rebuild boot",
			.swap_before =
				"in /etc/nixos/configuration.nix: swapDevices = [ { device = \"",
			.swap_after = "\"; } ]; then run: nixos-rebuild boot",
		},
	.boots = is_nixos,
	.gather = gather_entries,
};

static bool is_guix(const struct boot_search *search)
{
	return system_is(search, "guix") ||
	       leads_into(search, "/run/current-system", "/gnu/store/") ||
	       leads_into(search, "/etc/fstab", "/gnu/store/") ||
	       leads_into(search, "/etc/static", "/gnu/store/");
}

const struct boot_loader boot_loader_guix = {
	.name = "guix",
	.manual =
		&(const struct boot_manual) {
			.before =
				"in the operating-system declaration: (kernel-arguments (append (list \"",
			.between = "\" \"",
			.after =
				"\") %default-kernel-arguments)); then run: guix system reconfigure",
			.swap_before =
				"in the operating-system declaration: (swap-devices (list (swap-space (target \"",
			.swap_after = "\")))); then run: guix system reconfigure",
		},
	.boots = is_guix,
	.gather = gather_entries,
};

static bool is_ubuntu_core(const struct boot_search *search)
{
	return system_is(search, "ubuntu-core");
}

const struct boot_loader boot_loader_ubuntu_core = {
	.name = "ubuntu-core",
	.manual =
		&(const struct boot_manual) {
			.before = "run: snap set system system.kernel.dangerous-cmdline-append=\"",
			.between = " ",
			.after = "\"",
			.initramfs =
				"the initramfs belongs to the kernel snap: build one that can resume",
		},
	.boots = is_ubuntu_core,
	.gather = gather_entries,
};

static bool is_flatcar(const struct boot_search *search)
{
	return system_is(search, "flatcar") || system_is(search, "coreos");
}

const struct boot_loader boot_loader_flatcar = {
	.name = "flatcar",
	.manual =
		&(const struct boot_manual) {
			.before =
				"add to grub.cfg of the OEM partition (/oem or /usr/share/oem): set linux_append=\"$linux_append ",
			.between = " ",
			.after = "\"",
			.initramfs =
				"the initramfs is in the kernel of the image: it has to be one that can resume",
		},
	.boots = is_flatcar,
	.gather = gather_entries,
};

/* transactional-update(8) is installed elsewhere, too: the root that is mounted read-only tells. */
static bool is_transactional(const struct boot_search *search)
{
	memory_cleanup_free char *text = NULL;
	strings_cleanup struct strings lines = { 0 };
	struct error ignored = { "" };
	bool read_only = false;

	if (!has_program(search, "transactional-update") ||
		root_read(search->root, "/etc/fstab", FILE_LIMIT, &text, NULL, &ignored) < 0)
		return false;
	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		strings_cleanup struct strings fields = { 0 }, options = { 0 };

		strings_split(&fields, lines.items[i], " \t");
		if (fields.count < 4 || *fields.items[0] == '#' ||
			strcmp(fields.items[1], "/") != 0)
			continue;
		strings_split(&options, fields.items[3], ",");
		read_only = strings_contain(&options, "ro");
	}
	return read_only;
}

static bool is_transactional_bls(const struct boot_search *search)
{
	return is_transactional(search) && has_program(search, "sdbootutil");
}

#define TRANSACTIONAL_INITRAMFS                                                                    \
	"add to a file in /etc/dracut.conf.d: add_dracutmodules+=\" resume \"; then run: "

const struct boot_loader boot_loader_transactional_bls = {
	.name = "transactional-bls",
	.manual =
		&(const struct boot_manual) {
			.before = "add to /etc/kernel/cmdline: ",
			.between = " ",
			.after = "; then run: sdbootutil update-all-entries",
			.initramfs = TRANSACTIONAL_INITRAMFS
			"sdbootutil --no-reuse-initrd add-all-kernels",
		},
	.boots = is_transactional_bls,
	.gather = gather_entries,
};

const struct boot_loader boot_loader_transactional = {
	.name = "transactional",
	.manual =
		&(const struct boot_manual) {
			.before = "add to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub: ",
			.between = " ",
			.after = "; then run: transactional-update grub.cfg, and reboot",
			.initramfs =
				TRANSACTIONAL_INITRAMFS "transactional-update initrd, and reboot",
		},
	.boots = is_transactional,
	.gather = gather_entries,
};

/* ---- Loaders whose files are not written ---- */

static const struct boot_program program_refind = {
	.name = "rEFInd",
	.info = "rEFInd",
	.images = (const char *const[]) { "refind*.efi", "/EFI/refind/*.efi", NULL },
};

/* A file of the EFI partition, as "/EFI/refind/refind.conf"; the caller frees it, NULL: none. */
static char *find_on_partitions(const struct boot_search *search, const char *path)
{
	strings_cleanup struct strings folders = { 0 };

	boot_systemd_boot_folders(search, &folders);
	for (size_t i = 0; i < folders.count; i++) {
		char *whole = text_format("%s%s", folders.items[i], path);

		if (root_exists(search->root, whole))
			return whole;
		free(whole);
	}
	return NULL;
}

static bool is_refind(const struct boot_search *search)
{
	memory_cleanup_free char *own = find_on_partitions(search, "/EFI/refind/refind.conf");
	memory_cleanup_free char *as_default = find_on_partitions(search, "/EFI/BOOT/refind.conf");

	return own || as_default;
}

/* The second quoted text of a line of refind_linux.conf; the caller frees it, NULL: none. */
static char *second_quoted(const char *line)
{
	for (int i = 0; i < 2; i++) {
		const char *start = strchr(line, '"'), *end = start ? strchr(start + 1, '"') : NULL;

		if (line[strspn(line, " \t")] == '#' || !end)
			return NULL;
		if (i == 1)
			return text_copy_length(start + 1, (size_t)(end - start - 1));
		line = end + 1;
	}
	return NULL;
}

/*
 * refind_linux.conf beside the kernels has a line each of a title and the arguments; the first is
 * the default. Which of the kernels rEFInd takes, it decides when it looks at them.
 */
static void gather_refind(struct boot_search *search)
{
	static const char path[] = "/boot/refind_linux.conf";
	memory_cleanup_free char *text = boot_search_read(search, path, BOOT_TEXT_LIMIT);
	const char *at = text ? text : "";
	char *line;

	fact_set_text(&search->boot->config, path);
	while ((line = boot_next_line(&at))) {
		memory_cleanup_free char *arguments = second_quoted(line), *id = NULL;
		bool first = search->boot->entries.count == 0;
		struct entry_facts *entry;

		free(line);
		if (!arguments)
			continue;
		id = text_format("%zu", search->boot->entries.count);
		entry = boot_add_entry(search->boot, id, id, "vmlinuz", NULL, NULL, arguments);
		fact_set_unknown(fact_of(&entry->kernel), "rEFInd chooses the kernel");
		fact_set_unknown(fact_of(&entry->version), "rEFInd chooses the kernel");
		fact_set_unknown(fact_of(&entry->initramfs), "rEFInd chooses the initramfs");
		fact_set_flag(&entry->is_default, first);
	}
}

const struct boot_loader boot_loader_refind = {
	.name = "refind",
	.program = &program_refind,
	.manual =
		&(const struct boot_manual) {
			.before =
				"add to the second quoted text of each line in /boot/refind_linux.conf: ",
			.between = " ",
			.after = "",
		},
	.boots = is_refind,
	.gather = gather_refind,
};

static const struct boot_program program_limine = {
	.name = "Limine",
	.info = "Limine",
	.sector = "Limine",
	.images = (const char *const[]) { "*limine*.efi", "/EFI/limine/*.efi", NULL },
};

static char *limine_config(const struct boot_search *search)
{
	static const char *const paths[] = { "/limine.conf", "/limine/limine.conf",
		"/EFI/limine/limine.conf", "/EFI/BOOT/limine.conf", "/limine.cfg",
		"/limine/limine.cfg", "/EFI/limine/limine.cfg", "/EFI/BOOT/limine.cfg" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char *found = find_on_partitions(search, paths[i]);

		if (found)
			return found;
	}
	return NULL;
}

static bool is_limine(const struct boot_search *search)
{
	memory_cleanup_free char *config = limine_config(search);

	return config != NULL;
}

static bool is_limine_made(const struct boot_search *search)
{
	return is_limine(search) && has(search, "/etc/default/limine");
}

/* The value when LINE sets one of NAMES, which '|' separates, in any case, with ':' or '='. */
static char *limine_value(const char *line, const char *names)
{
	strings_cleanup struct strings list = { 0 };
	size_t length;

	line += strspn(line, " \t");
	length = strcspn(line, ":= \t");
	strings_split(&list, names, "|");
	for (size_t i = 0; i < list.count; i++)
		if (length == strlen(list.items[i]) && line[length] &&
			strncasecmp(line, list.items[i], length) == 0)
			return text_trim(text_copy(line + length + 1));
	return NULL;
}

struct limine_entry {
	char *title, *kernel, *arguments, *modules;
};

/* "boot():/vmlinuz" is on the partition of Limine's configuration, "uuid(...):/x" elsewhere. */
static const char *limine_path(const char *path)
{
	const char *end = strstr(path, "):");

	return end ? end + 2 : path;
}

static void limine_finish(
	struct boot_facts *boot, struct limine_entry *entry, size_t *number, size_t chosen)
{
	if (entry->title && entry->kernel) {
		memory_cleanup_free char *id = text_format("%zu", *number);
		struct entry_facts *added =
			boot_add_entry(boot, id, entry->title, limine_path(entry->kernel), NULL,
				entry->modules ? limine_path(entry->modules) : NULL,
				entry->arguments ? entry->arguments : "");

		fact_set_flag(&added->is_default, *number == chosen);
	}
	*number += entry->title != NULL;
	free(entry->title);
	free(entry->kernel);
	free(entry->arguments);
	free(entry->modules);
	*entry = (struct limine_entry) { 0 };
}

/* A module that is microcode is not the initramfs. */
static void limine_read_line(struct limine_entry *entry, const char *line)
{
	char *value;

	if ((value = limine_value(line, "path|kernel_path")))
		text_set(&entry->kernel, value);
	else if ((value = limine_value(line, "cmdline|kernel_cmdline")))
		text_set(&entry->arguments, value);
	else if ((value = limine_value(line, "module_path")) && !strstr(value, "ucode"))
		text_set(&entry->modules, value);
	else
		free(value);
}

/* limine.conf (CONFIG.md of Limine): entries begin with '/', before version 8 with ':'. */
static void gather_limine(struct boot_search *search)
{
	memory_cleanup_free char *config = limine_config(search);
	memory_cleanup_free char *text = boot_search_read(search, config, BOOT_TEXT_LIMIT);
	struct limine_entry entry = { 0 };
	const char *at = text ? text : "";
	size_t number = 1;
	uint64_t chosen = 1;
	char *line;

	fact_set_text(&search->boot->config, config);
	while ((line = boot_next_line(&at))) {
		const char *start = line + strspn(line, " \t");
		memory_cleanup_free char *preset = limine_value(line, "default_entry");

		if (preset && !entry.title)
			number_parse(preset, &chosen);
		if (*start == '/' || *start == ':') {
			limine_finish(search->boot, &entry, &number, (size_t)chosen);
			entry.title = text_trim(text_copy(start + strspn(start, "/:+ ")));
		} else {
			limine_read_line(&entry, line);
		}
		free(line);
	}
	limine_finish(search->boot, &entry, &number, (size_t)chosen);
}

const struct boot_loader boot_loader_limine_made = {
	.name = "limine-entry-tool",
	.program = &program_limine,
	.manual =
		&(const struct boot_manual) {
			.before = "add to KERNEL_CMDLINE[default] in /etc/default/limine: ",
			.between = " ",
			.after = "; then run: limine-update",
		},
	.boots = is_limine_made,
	.gather = gather_limine,
};

const struct boot_loader boot_loader_limine = {
	.name = "limine",
	.program = &program_limine,
	.manual =
		&(const struct boot_manual) {
			.before =
				"add to each line cmdline: (KERNEL_CMDLINE=) of Limine's configuration: ",
			.between = " ",
			.after = "",
		},
	.boots = is_limine,
	.gather = gather_limine,
};

static const struct boot_program program_stub = {
	.name = "the firmware itself",
	.images = (const char *const[]) { "vmlinuz*", "*bzImage*", "vmlinux*", "linux*.efi",
		"kernel*.efi", "/EFI/*/vmlinuz*", NULL },
};

static const struct firmware_option *kernel_option(const struct boot_search *search)
{
	const struct firmware *firmware = &search->firmware;
	const struct firmware_option *current = firmware->current;

	if (firmware->loader || firmware->stub || !current || !current->path)
		return NULL;
	if (current->arguments && strstr(current->arguments, "root="))
		return current;
	for (const char *const *at = program_stub.images; *at; at++)
		if (fnmatch(*at, strchr(*at, '/') ? current->path : path_name(current->path), 0) ==
			0)
			return current;
	return NULL;
}

static bool is_stub(const struct boot_search *search)
{
	return kernel_option(search) != NULL;
}

/* The kernel is named with its initramfs and its arguments in the option that starts it. */
static void gather_stub(struct boot_search *search)
{
	const struct firmware_option *option = search->firmware.next;
	memory_cleanup_free char *id = NULL;
	struct entry_facts *entry;

	if (!option || !option->path)
		option = kernel_option(search);
	id = text_format("Boot%04X", option->number);
	entry = boot_add_entry(search->boot, id, option->description, option->path, NULL, NULL,
		option->arguments ? option->arguments : "");
	fact_set_text(&search->boot->config, id);
	fact_set_flag(&entry->is_default, true);
	if (option->arguments && strstr(option->arguments, "initrd="))
		fact_set_unknown(fact_of(&entry->initramfs), "initrd= of %s names it", id);
}

const struct boot_loader boot_loader_stub = {
	.name = "efi-stub",
	.program = &program_stub,
	.manual =
		&(const struct boot_manual) {
			.before =
				"make the firmware's boot entry anew (efibootmgr --create --loader ... --unicode ...) and add to its arguments: ",
			.between = " ",
			.after = "",
		},
	.boots = is_stub,
	.gather = gather_stub,
};

/* After all that can be changed: a grub.cfg whose tools or settings are not here. */
static bool is_bare_grub(const struct boot_search *search)
{
	return search->config_text && strstr(search->config_text, "menuentry");
}

const struct boot_loader boot_loader_grub_bare = {
	.name = "grub",
	.program = &boot_program_grub,
	.manual =
		&(const struct boot_manual) {
			.before =
				"add to each linux line of grub.cfg, and to what it is made from: ",
			.between = " ",
			.after = "",
		},
	.boots = is_bare_grub,
	.gather = boot_grub_gather,
};
