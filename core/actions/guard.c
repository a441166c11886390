/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/facts/boot.h"

/* What is in /boot itself: kernels and initramfs, which are too large to be remembered. */
static void list_images(const struct root *root, struct strings *images)
{
	strings_cleanup struct strings names = { 0 };
	struct error ignored = { "" };

	root_list(root, "/boot", &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *path = text_format("/boot/%s", names.items[i]);
		struct stat status;

		if (root_lstat(root, path, &status) == 0 && S_ISREG(status.st_mode))
			strings_take(
				images, text_format("%s %" PRIu64, path, (uint64_t)status.st_size));
	}
}

static int add_files(struct guard *guard, const struct boot_loader *loader,
	const struct boot_facts *boot, struct error *err)
{
	struct boot_sources sources = { 0 };
	int status = 0;

	if (loader->sources)
		loader->sources(guard->root, boot, &sources);
	for (size_t i = 0; status == 0 && i < sources.count; i++)
		status = saved_files_add(&guard->files, guard->root, sources.items[i].file, err);
	if (status == 0 && loader->settings)
		status = saved_files_add(&guard->files, guard->root, loader->settings_file, err);
	boot_sources_free(&sources);
	return status;
}

int guard_begin(struct guard *guard, const struct root *root, const struct boot_facts *boot,
	struct error *err)
{
	struct stat config;
	int status = 0;

	*guard = (struct guard) { .root = root };
	list_images(root, &guard->images);
	if (boot->config.value && root_stat(root, boot->config.value, &config) == 0 &&
		S_ISREG(config.st_mode))
		status = saved_files_add(&guard->files, root, boot->config.value, err);
	for (const struct boot_loader *const *at = boot_loaders; status == 0 && *at; at++)
		status = add_files(guard, *at, boot, err);
	return status;
}

static int end(struct guard *guard, int failed, struct strings *touched, struct error *err)
{
	memory_cleanup_free char *names = NULL;
	struct error ignored = { "" };
	int status;

	saved_files_compare(&guard->files, guard->root, touched);
	status = saved_files_restore(&guard->files, guard->root, failed ? &ignored : err);
	if (failed || status < 0)
		return failed ? failed : status;
	if (touched->count == 0)
		return 0;
	names = strings_join(touched, ", ");
	return error_set(
		err, EIO, "the program changed what it was not asked to change: %s", names);
}

int guard_end(struct guard *guard, int failed, struct error *err)
{
	strings_cleanup struct strings touched = { 0 }, images = { 0 };

	list_images(guard->root, &images);
	for (size_t i = 0; i < guard->images.count; i++)
		if (!strings_contain(&images, guard->images.items[i]))
			strings_take(&touched, text_copy_length(guard->images.items[i],
						       strcspn(guard->images.items[i], " ")));
	return end(guard, failed, &touched, err);
}

int guard_end_images(struct guard *guard, int failed, struct error *err)
{
	strings_cleanup struct strings touched = { 0 };

	return end(guard, failed, &touched, err);
}

void guard_free(struct guard *guard)
{
	saved_files_free(&guard->files);
	strings_free(&guard->images);
}
