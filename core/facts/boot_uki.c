/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unified kernel images: kernel, initramfs and command line in one program of the firmware, started
 * by systemd-boot or by the firmware itself (The Unified Kernel Image specification,
 * uapi-group.org; systemd-stub(7)). The command line is changed where the images are made from, and
 * they are made anew; what boots is what is in the image then.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_bls.h"
#include "core/facts/boot_systemd_boot.h"
#include "core/facts/boot_text.h"
#include "core/facts/kernel_image.h"
#include "core/facts/pe.h"

#define IMAGES "EFI/Linux"

/* A command line or an os-release; more is not read. */
#define SECTION_LIMIT ((uint64_t)64 * 1024)

#define KERNEL_CMDLINE "/etc/kernel/cmdline"

static const struct boot_program program_image = {
	.name = "a unified kernel image",
	.images = (const char *const[]) { "/EFI/Linux/*.efi", NULL },
};

/* ---- What is in an image ---- */

/* The text of a section; the caller frees it, NULL: it has none. */
static char *read_section(int fd, uint64_t size, const char *name)
{
	struct pe_section section;
	char *text;

	if (!pe_find_section(fd, size, name, &section) || section.size > SECTION_LIMIT)
		return NULL;
	text = memory_new(section.size + 1, 1);
	if (pread(fd, text, section.size, (off_t)section.offset) == (ssize_t)section.size)
		return text;
	free(text);
	return NULL;
}

/* Line ends are blanks in a command line (systemd-stub(7)). */
static char *as_one_line(char *text)
{
	for (char *at = text; at && *at; at++)
		if (isspace((unsigned char)*at) || iscntrl((unsigned char)*at))
			*at = ' ';
	return text ? text_trim(text) : NULL;
}

struct image {
	char *arguments; /* NULL: it has no command line of its own */
	char *title;
	char *version;
	bool kernel;
	bool initramfs;
};

static void image_free(struct image *image)
{
	free(image->arguments);
	free(image->title);
	free(image->version);
}

static int image_read(
	struct image *image, const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int fd = root_openat(root, path, O_RDONLY, 0, err);
	memory_cleanup_free char *release = NULL;
	struct pe_section section;
	struct stat status;
	uint64_t size;

	*image = (struct image) { 0 };
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return error_set(err, EINVAL, "%s%s is not a file", root->path, path);
	size = (uint64_t)status.st_size;
	image->kernel = pe_find_section(fd, size, ".linux", &section);
	image->initramfs = pe_find_section(fd, size, ".initrd", &section);
	image->arguments = as_one_line(read_section(fd, size, ".cmdline"));
	image->version = as_one_line(read_section(fd, size, ".uname"));
	release = read_section(fd, size, ".osrel");
	image->title = release ? text_assignment(release, "PRETTY_NAME") : NULL;
	if (image->kernel || image->arguments)
		return 0;
	return error_set(err, EINVAL, "%s%s is not a unified kernel image", root->path, path);
}

/* Add-ons of one image, beside it, each with more of a command line (systemd-stub(7)). */
static void add_addons(const struct root *root, const char *path, struct image *image)
{
	memory_cleanup_free char *folder = text_format("%s.extra.d", path);
	strings_cleanup struct strings names = { 0 };
	struct error ignored = { "" };

	root_list(root, folder, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *addon = text_format("%s/%s", folder, names.items[i]);
		struct image more;

		if (text_ends(addon, ".addon.efi") &&
			image_read(&more, root, addon, &ignored) == 0) {
			if (more.arguments)
				text_append(&image->arguments, " %s", more.arguments);
			image_free(&more);
		}
	}
}

/* The caller has the entry; one whose image cannot be read has arguments that are unknown. */
static void add_entry(struct boot_search *search, const char *path, const char *name)
{
	struct error err = { "" };
	struct image image;
	struct entry_facts *entry;
	int status = image_read(&image, search->root, path, &err);

	if (status == 0)
		add_addons(search->root, name, &image);
	entry = boot_add_entry(search->boot, path_name(name),
		image.title ? image.title : path_name(name), path, image.version,
		image.initramfs ? path : NULL, image.arguments ? image.arguments : "");
	if (status < 0) {
		fact_set_unknown(fact_of(&entry->arguments), "%s", err.text);
		fact_set_unknown(fact_of(&entry->initramfs), "%s", err.text);
	} else if (!image.arguments) {
		fact_set_unknown(fact_of(&entry->arguments),
			"%s has no command line in it: whoever starts it gives one", path);
	}
	image_free(&image);
}

/* ---- The images that are there ---- */

static void list_images(const struct boot_search *search, struct strings *images)
{
	strings_cleanup struct strings folders = { 0 };

	boot_systemd_boot_folders(search, &folders);
	for (size_t i = 0; i < folders.count; i++) {
		memory_cleanup_free char *folder = text_format("%s/" IMAGES, folders.items[i]);
		strings_cleanup struct strings names = { 0 };
		struct error ignored = { "" };

		root_list(search->root, folder, &names, &ignored);
		for (size_t j = 0; j < names.count; j++)
			if (text_ends(names.items[j], ".efi"))
				strings_take(images, text_format("%s/%s", folder, names.items[j]));
	}
}

/* The folder of the modules, in which the kernel lies as well; NULL: it is not installed. */
static char *modules_of(const struct root *root, const char *release)
{
	static const char *const folders[] = { "/usr/lib/modules", "/lib/modules" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char *path = text_format("%s/%s", folders[i], release);

		if (root_exists(root, path))
			return path;
		free(path);
	}
	return NULL;
}

/* The kernel from which an image of RELEASE is made; the caller frees it, NULL: it is not there. */
static char *kernel_of(const struct root *root, const char *release)
{
	memory_cleanup_free char *modules = modules_of(root, release);
	char *kernel = modules ? text_format("%s/vmlinuz", modules) : NULL;

	if (kernel && root_exists(root, kernel))
		return kernel;
	text_set(&kernel, text_format("/boot/vmlinuz-%s", release));
	if (root_exists(root, kernel))
		return kernel;
	free(kernel);
	return NULL;
}

/* The release in an image whose kernel is installed; NULL: it cannot be made anew. */
static char *release_of(const struct root *root, const char *image)
{
	struct error ignored = { "" };
	memory_cleanup_free char *kernel = NULL;
	char *release = NULL;

	if (kernel_image_release(root, image, &release, &ignored) < 0)
		return NULL;
	kernel = kernel_of(root, release);
	if (kernel)
		return release;
	free(release);
	return NULL;
}

/* ---- What makes them ---- */

enum maker { MAKER_NONE, MAKER_MKINITCPIO, MAKER_DRACUT, MAKER_KERNEL_INSTALL };

static bool has_program(const struct root *root, const char *name)
{
	memory_cleanup_free char *path = process_find(root, name);

	return path != NULL;
}

/* The value of NAME in install.conf of kernel-install(8); the caller frees it, NULL: not set. */
static char *install_setting(const struct root *root, const char *name)
{
	static const char *const files[] = { "/etc/kernel/install.conf",
		"/usr/local/lib/kernel/install.conf", "/usr/lib/kernel/install.conf" };

	char *value = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		memory_cleanup_free char *text = NULL;
		struct error ignored = { "" };

		if (root_read(root, files[i], FILE_LIMIT, &text, NULL, &ignored) < 0)
			continue;
		value = boot_setting(text, name);
		break;
	}
	/* From systemd 256 on, files beside it add to it. */
	for (size_t i = ARRAY_SIZE(files); i > 0; i--) {
		memory_cleanup_free char *folder = text_format("%s.d", files[i - 1]);
		strings_cleanup struct strings names = { 0 };
		struct error ignored = { "" };

		root_list(root, folder, &names, &ignored);
		for (size_t j = 0; j < names.count; j++) {
			memory_cleanup_free char *path =
				text_format("%s/%s", folder, names.items[j]);
			memory_cleanup_free char *text = NULL;
			char *set;

			if (root_read(root, path, FILE_LIMIT, &text, NULL, &ignored) < 0)
				continue;
			set = boot_setting(text, name);
			if (set)
				text_set(&value, set);
		}
	}
	return value;
}

/* Configuration files of dracut (dracut.conf(5)), in the order in which they are read. */
static void list_dracut(const struct root *root, struct strings *files)
{
	strings_cleanup struct strings names = { 0 };
	struct error ignored = { "" };

	strings_add(files, "/etc/dracut.conf");
	root_list(root, "/etc/dracut.conf.d", &names, &ignored);
	for (size_t i = 0; i < names.count; i++)
		if (text_ends(names.items[i], ".conf"))
			strings_take(files, text_format("/etc/dracut.conf.d/%s", names.items[i]));
}

/* The last file of dracut that sets NAME; the caller frees it, NULL: none. */
static char *dracut_file(const struct root *root, const char *name, const char *value)
{
	strings_cleanup struct strings files = { 0 };
	char *found = NULL;

	list_dracut(root, &files);
	for (size_t i = 0; i < files.count; i++) {
		memory_cleanup_free char *text = NULL, *set = NULL;
		struct error ignored = { "" };

		if (root_read(root, files.items[i], FILE_LIMIT, &text, NULL, &ignored) < 0)
			continue;
		set = boot_setting(text, name);
		if (set && (!value || strcmp(set, value) == 0))
			text_set(&found, text_copy(files.items[i]));
	}
	return found;
}

static enum maker maker_of(const struct root *root)
{
	memory_cleanup_free char *layout = install_setting(root, "layout");
	memory_cleanup_free char *uefi = dracut_file(root, "uefi", "yes");
	bool installs = text_equal(layout, "uki") && has_program(root, "kernel-install");

	if (installs)
		return MAKER_KERNEL_INSTALL;
	if (has_program(root, "mkinitcpio"))
		return MAKER_MKINITCPIO;
	if (uefi && has_program(root, "dracut"))
		return MAKER_DRACUT;
	return MAKER_NONE;
}

/* kernel-install writes the image itself, and no other file of that name. */
static void kernel_install(const struct root *root, const char *release, struct strings *program)
{
	memory_cleanup_free char *initramfs = text_format("/boot/initrd.img-%s", release);

	strings_add(program, "kernel-install");
	strings_add(program, "add");
	strings_add(program, release);
	strings_take(program, kernel_of(root, release));
	/* Debian: of initramfs-tools, whose images are files of their own. */
	if (root_exists(root, initramfs))
		strings_add(program, initramfs);
}

static void generator(
	const struct root *root, const char *product, const char *output, struct strings *program)
{
	memory_cleanup_free char *release = release_of(root, product);
	enum maker maker = maker_of(root);

	if (!release)
		release = text_copy("");
	if (maker == MAKER_KERNEL_INSTALL) {
		kernel_install(root, release, program);
	} else if (maker == MAKER_MKINITCPIO) {
		strings_add(program, "mkinitcpio");
		strings_add(program, "--kernel");
		strings_add(program, release);
		strings_add(program, "--uki");
		strings_add(program, output);
	} else {
		strings_add(program, "dracut");
		strings_add(program, "--force");
		strings_add(program, "--uefi");
		strings_add(program, "--kver");
		strings_add(program, release);
		strings_add(program, output);
	}
}

static void products(const struct root *root, const struct boot_facts *boot, struct strings *list)
{
	for (size_t i = 0; i < boot->entries.count; i++) {
		const struct entry_facts *entry = &boot->entries.items[i];

		if (entry->kernel.value && strstr(entry->kernel.value, "/" IMAGES "/") &&
			root_exists(root, entry->kernel.value))
			strings_add(list, entry->kernel.value);
	}
}

/* ---- Where their command line comes from ---- */

/* The last of /etc/cmdline.d, which mkinitcpio(8) reads; NULL: none. */
static char *last_part(const struct root *root)
{
	strings_cleanup struct strings names = { 0 };
	struct error ignored = { "" };

	root_list(root, "/etc/cmdline.d", &names, &ignored);
	while (names.count && !text_ends(names.items[names.count - 1], ".conf"))
		free(names.items[--names.count]);
	return names.count ? text_format("/etc/cmdline.d/%s", names.items[names.count - 1]) : NULL;
}

/* Cmdline= of ukify(1), unless it names a file; NULL: it does not count. */
static char *ukify_file(const struct root *root)
{
	static const char *const files[] = { "/etc/kernel/uki.conf", "/etc/systemd/ukify.conf" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		memory_cleanup_free char *text = NULL, *value = NULL;
		struct error ignored = { "" };

		if (root_read(root, files[i], FILE_LIMIT, &text, NULL, &ignored) < 0)
			continue;
		value = text_assignment(text, "Cmdline");
		if (value && *value && *value != '@')
			return text_copy(files[i]);
	}
	return NULL;
}

/* One source, or the arguments would be there twice. A file that is not there is none. */
static void add_source(const struct root *root, struct boot_sources *sources)
{
	enum maker maker = maker_of(root);
	char *dracut = maker == MAKER_DRACUT ? dracut_file(root, "kernel_cmdline", NULL) : NULL;
	char *part = maker == MAKER_MKINITCPIO ? last_part(root) : NULL;
	char *ukify = maker == MAKER_KERNEL_INSTALL ? ukify_file(root) : NULL;

	if (dracut)
		boot_sources_add(sources, dracut, "kernel_cmdline=")->quoted = true;
	else if (ukify)
		boot_sources_add(sources, ukify, "Cmdline=");
	else if (part)
		boot_sources_add(sources, part, "");
	else if (root_exists(root, KERNEL_CMDLINE))
		boot_sources_add(sources, text_copy(KERNEL_CMDLINE), "");
}

static void sources(
	const struct root *root, const struct boot_facts *boot UNUSED, struct boot_sources *list)
{
	add_source(root, list);
	boot_systemd_boot_sources(root, list);
}

/* What images that are made later will have. */
static void gather_settings(struct boot_search *search)
{
	struct boot_sources list = { 0 };
	memory_cleanup_free char *text = NULL;
	const struct boot_source *source;

	add_source(search->root, &list);
	source = list.count ? list.items : NULL;
	if (source && strcmp(source->file, KERNEL_CMDLINE) == 0)
		boot_bls_gather_cmdline(search);
	else if (source && (text = boot_search_read(search, source->file, BOOT_TEXT_LIMIT)))
		fact_take_text(&search->boot->settings,
			!*source->keyword ? as_one_line(text_copy(text))
			: source->quoted  ? boot_setting(text, "kernel_cmdline")
					  : text_assignment(text, "Cmdline"));
	boot_sources_free(&list);
}

/* ---- The loader ---- */

/* The image that the firmware starts by itself, as an id; the caller frees it, NULL: none. */
static char *started_image(const struct firmware *firmware)
{
	const struct firmware_option *option = firmware->next ? firmware->next : firmware->current;

	if (firmware->loader)
		return NULL;
	if (option && option->path && strcasestr(option->path, "/" IMAGES "/"))
		return text_copy(path_name(option->path));
	return firmware->image ? text_copy(path_name(firmware->image)) : NULL;
}

static void gather(struct boot_search *search)
{
	strings_cleanup struct strings images = { 0 };
	memory_cleanup_free char *choice = started_image(&search->firmware), *folder = NULL;

	if (!choice)
		choice = boot_systemd_boot_choice(search);
	list_images(search, &images);
	boot_systemd_boot_add(search);
	for (size_t i = 0; i < images.count; i++)
		add_entry(search, images.items[i], images.items[i]);
	folder = path_folder(images.items[0]);
	fact_set_text(&search->boot->config, folder);
	boot_bls_sort(search->boot, choice, false);
}

static bool has_images(const struct boot_search *search)
{
	strings_cleanup struct strings images = { 0 };

	list_images(search, &images);
	return images.count > 0;
}

/* Does one of the images boot next, of all entries that systemd-boot has? */
static bool image_is_next(const struct boot_search *search)
{
	struct facts *facts = memory_new(1, sizeof(*facts));
	struct boot_search copy = *search;
	const struct entry_facts *next;
	bool is;

	copy.boot = &facts->boot;
	gather(&copy);
	next = facts_next_entry(facts);
	is = next && text_ends(next->id.value, ".efi");
	facts_free(facts);
	free(facts);
	return is;
}

static bool is_here(const struct boot_search *search)
{
	return has_images(search) && image_is_next(search);
}

/* It can be made anew: there is a program for that, what it is made from, and the kernels. */
static bool can_be_made(const struct boot_search *search)
{
	strings_cleanup struct strings images = { 0 };
	struct boot_sources list = { 0 };
	bool can = is_here(search) && maker_of(search->root) != MAKER_NONE;

	add_source(search->root, &list);
	can = can && list.count > 0;
	boot_sources_free(&list);
	list_images(search, &images);
	for (size_t i = 0; can && i < images.count; i++) {
		memory_cleanup_free char *release = release_of(search->root, images.items[i]);

		can = release != NULL;
	}
	return can;
}

static void gather_product(struct boot_search *search, const char *path)
{
	/* Made under another name, it still is the image of its own. */
	memory_cleanup_free char *name = text_copy(path);

	if (text_ends(name, ".ec2hib-new"))
		name[strlen(name) - strlen(".ec2hib-new")] = '\0';
	add_entry(search, path, name);
	fact_set_flag(&search->boot->entries.items[0].is_default, true);
}

const struct boot_loader boot_loader_uki = {
	.name = "uki",
	.where = "in what the unified kernel image is made from, then it is made anew",
	.program = &boot_program_systemd_boot,
	.other_program = &program_image,
	.starts_images = true,
	.boots = can_be_made,
	.gather = gather,
	.sources = sources,
	.gather_settings = gather_settings,
	.generator = generator,
	.products = products,
	.gather_product = gather_product,
};

const struct boot_loader boot_loader_uki_bare = {
	.name = "uki-by-hand",
	.program = &boot_program_systemd_boot,
	.other_program = &program_image,
	.starts_images = true,
	.manual =
		&(const struct boot_manual) {
			.before =
				"add to /etc/kernel/cmdline, or where the unified kernel image has its command line from: ",
			.between = " ",
			.after = "; then make the image anew",
			.initramfs =
				"the initramfs is in the unified kernel image: make that anew with one that can resume",
		},
	.boots = is_here,
	.gather = gather,
};
