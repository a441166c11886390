/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/initramfs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot_loader.h"
#include "core/facts/initramfs_image.h"
#include "core/facts/cache.h"
#include "core/facts/pe.h"

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

/* ---- The image ---- */

/* Adds the file PATH; of a unified kernel image the section that is its initramfs. */
static int read_file(
	struct image_reader *reader, const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *shown = root_shown(root, path);
	file_cleanup_close int fd = root_openat(root, path, O_RDONLY | O_NONBLOCK, 0, err);
	struct pe_section section = { 0 };
	struct stat about;

	if (fd < 0)
		return fd;
	if (fstat(fd, &about) < 0)
		return error_errno(err, errno, "cannot read %s", shown);
	if (!S_ISREG(about.st_mode))
		return error_set(err, EINVAL, "%s is not a file", shown);
	section.size = (uint64_t)about.st_size;
	if (!pe_find_section(fd, section.size, ".initrd", &section))
		section = (struct pe_section) { 0, (uint64_t)about.st_size };
	return image_reader_add(reader, fd, section.offset, section.size, shown, err);
}

/* The image in FILES, as the running system names them. IMAGE is the caller's after 0 alone. */
static int read_image(struct initramfs_image *image, const struct root *root,
	const struct strings *files, struct error *err)
{
	struct image_reader *reader = image_reader_begin();
	int status = 0;

	for (size_t i = 0; status == 0 && i < files->count; i++)
		status = read_file(reader, root, files->items[i], err);
	image_reader_end(reader, status == 0 ? image : NULL);
	return status;
}

int initramfs_check(const struct root *root, const char *path, struct error *err)
{
	strings_cleanup struct strings files = { 0 };
	memory_cleanup_free char *why = NULL;
	struct initramfs_image image = { 0 };
	int status;

	strings_add(&files, path);
	status = read_image(&image, root, &files, err);
	if (status < 0)
		return status;
	if (image_resumes(&image, &why) != IMAGE_RESUMES)
		status = error_set(err, ENOENT, "%s%s would not resume: %s", root->path, path, why);
	layout_free(&initramfs_image_layout, &image);
	return status;
}

/* What its kernel has built in, where the image has no list of it. */
static void read_built_in(
	struct initramfs_image *image, const struct root *root, const char *release)
{
	memory_cleanup_free char *path =
		release ? text_format("/lib/modules/%s/modules.builtin", release) : NULL;
	memory_cleanup_free char *list = NULL;
	struct error ignored = { "" };

	if (path && !fact_is_true(&image->knows_built_in) &&
		root_read(root, path, FILE_LIMIT, &list, NULL, &ignored) == 0)
		image_built_in(image, list);
}

/*
 * PROGRAM opens it with the driver; a tool that is not known may do without the one and the other.
 */
static void set_opener(struct fact_flag *fact, const struct initramfs_image *image,
	enum image_member program, enum image_member driver)
{
	bool there = image_has(image, program) && image_driver(image, driver) != DRIVER_IS_MISSING;

	if (there || image_maker(image))
		fact_set_flag(fact, there);
	else
		fact_set_unknown(fact_of(fact), "it was made by a tool that ec2hib does not know");
}

static void set_driver(
	struct fact_flag *fact, const struct initramfs_image *image, enum image_member driver)
{
	enum image_driver answer = image_driver(image, driver);

	if (answer == DRIVER_UNKNOWN)
		fact_set_unknown(fact_of(fact),
			"the initramfs has no such module, and which drivers its kernel has built in is not known");
	else
		fact_set_flag(fact, answer == DRIVER_IS_THERE);
}

static void set_image(struct boot_facts *boot, const struct initramfs_image *image)
{
	memory_cleanup_free char *why = NULL;
	enum image_answer answer = image_resumes(image, &why);

	if (answer == IMAGE_UNKNOWN)
		fact_set_unknown(fact_of(&boot->initramfs_resume), "%s", why);
	else
		fact_set_flag(&boot->initramfs_resume, answer == IMAGE_RESUMES);
	fact_set_text(&boot->initramfs_lacks, why);
	if (image_maker(image))
		fact_set_text(&boot->initramfs_maker, image_maker(image));
	else
		fact_set_unknown(fact_of(&boot->initramfs_maker), "the initramfs does not tell");
	fact_set_text(&boot->initramfs_resume_device, image->resume.value);
	fact_set_text(&boot->initramfs_arguments, image->arguments.value);
	fact_set_text(&boot->initramfs_opens, image->crypttab.value);
	set_opener(&boot->initramfs_lvm, image, IMAGE_lvm, IMAGE_dm_mod);
	set_opener(&boot->initramfs_crypt, image, IMAGE_cryptsetup, IMAGE_dm_crypt);
	set_opener(&boot->initramfs_raid, image, IMAGE_mdadm, IMAGE_md_mod);
	set_driver(&boot->initramfs_nvme, image, IMAGE_nvme);
	set_driver(&boot->initramfs_xen_blkfront, image, IMAGE_xen_blkfront);
	set_driver(&boot->initramfs_virtio_blk, image, IMAGE_virtio_blk);
}

/* All that the image tells. */
#define IMAGE_FACTS_OF(boot)                                                                       \
	{                                                                                          \
		fact_of(&(boot)->initramfs_maker), fact_of(&(boot)->initramfs_resume),             \
			fact_of(&(boot)->initramfs_lacks),                                         \
			fact_of(&(boot)->initramfs_resume_device),                                 \
			fact_of(&(boot)->initramfs_arguments), fact_of(&(boot)->initramfs_opens),  \
			fact_of(&(boot)->initramfs_lvm), fact_of(&(boot)->initramfs_crypt),        \
			fact_of(&(boot)->initramfs_raid), fact_of(&(boot)->initramfs_nvme),        \
			fact_of(&(boot)->initramfs_xen_blkfront),                                  \
			fact_of(&(boot)->initramfs_virtio_blk)                                     \
	}

static void set_image_unknown(struct boot_facts *boot, const char *why)
{
	struct fact *const facts[] = IMAGE_FACTS_OF(boot);

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		fact_set_unknown(facts[i], "%s", why);
}

static void set_image_absent(struct boot_facts *boot)
{
	struct fact *const facts[] = IMAGE_FACTS_OF(boot);

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		fact_set_absent(facts[i]);
}

/*
 * The files of the entry that boots next as the running system names them; false: one is not there.
 */
static bool find_files(struct strings *files, const struct root *root,
	const struct entry_facts *entry, const char *running_release)
{
	strings_cleanup struct strings names = { 0 };

	if (!entry) {
		char *image = running_image(root, running_release);

		if (image)
			strings_take(files, image);
		return image != NULL;
	}
	strings_split(&names,
		fact_text_or(&entry->initramfs_files, fact_text_or(&entry->initramfs, "")), " ");
	for (size_t i = 0; i < names.count; i++) {
		char *real = boot_real_path(root, names.items[i]);

		if (!real)
			return false;
		strings_take(files, real);
	}
	return files->count > 0;
}

#define CACHED_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                              \
	NUMBER(format, "", "version of this layout")                                               \
	TEXT(files, "identity of the files")                                                       \
	GROUP(image, initramfs_image, "what is in them")
struct cached_image {
	FACT_MEMBERS(CACHED_FACTS)
};
static FACT_LAYOUT(cached_image, CACHED_FACTS);

static const struct cache_kind cached_image_kind = { "initramfs.json", &cached_image_layout, 1 };
static_assert(IMAGE_MEMBER_COUNT == 24, "another format of cached_image_kind");

/* Reads it, or what was found in these files before. The caller has the image, zeroed before. */
static int find_image(struct initramfs_image *image, const struct root *root,
	const struct strings *files, const char *state_dir, struct error *err)
{
	memory_cleanup_free char *identity = cache_identity(root, files);
	struct cached_image cached = { 0 };
	bool found = cache_read(&cached_image_kind, &cached, root, state_dir, identity) &&
		     cached.image.members.is == FACT_KNOWN &&
		     cached.image.built_in.is == FACT_KNOWN;
	int status = 0;

	if (!found) {
		layout_free(&cached_image_layout, &cached);
		status = read_image(&cached.image, root, files, err);
		if (status == 0)
			cache_write(&cached_image_kind, &cached, root, state_dir, files, identity);
	}
	if (status == 0)
		layout_copy(&initramfs_image_layout, image, &cached.image);
	layout_free(&cached_image_layout, &cached);
	return status;
}

static void gather_image(struct boot_facts *boot, const struct root *root,
	const struct entry_facts *entry, const char *running_release, const char *state_dir)
{
	const char *release = entry ? entry->release.value : running_release;
	strings_cleanup struct strings files = { 0 };
	struct initramfs_image image = { 0 };
	struct error err = { "" };

	if (!find_files(&files, root, entry, running_release)) {
		set_image_unknown(boot, "the initramfs of the entry that boots next was not found");
		return;
	}
	if (find_image(&image, root, &files, state_dir, &err) < 0) {
		set_image_unknown(boot, err.text);
		return;
	}
	read_built_in(&image, root, release ? release : image.release.value);
	set_image(boot, &image);
	layout_free(&initramfs_image_layout, &image);
}

void initramfs_gather(struct boot_facts *boot, const struct root *root, const char *running_release,
	const char *state_dir)
{
	const struct entry_facts *entry = next_entry(boot);
	const struct initramfs_tool *tool = NULL;
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
		fact_set_absent(fact_of(&boot->initramfs_lasts));
		set_image_absent(boot);
		return;
	}
	if (tool) {
		fact_set_text(&boot->initramfs_tool, tool->name);
		tool->gather_lasts(boot, root);
	} else {
		fact_set_unknown(fact_of(&boot->initramfs_tool), NO_TOOL);
		fact_set_unknown(fact_of(&boot->initramfs_lasts), NO_TOOL);
	}
	gather_image(boot, root, entry, running_release, state_dir);
}
