/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/actions/saved_files.h"
#include "core/base/memory.h"
#include "core/base/process.h"
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

/* Remembers the files that LOADER's entries have their arguments from. */
static int add_settings(struct saved_files *files, const struct root *root,
	const struct boot_loader *loader, const struct boot_sources *sources, struct error *err)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < sources->count; i++)
		if (!sources->items[i].id)
			status = saved_files_add(files, root, sources->items[i].file, err);
	if (status == 0 && loader->settings && loader->settings_mark)
		status = saved_files_add(files, root, loader->settings_file, err);
	else if (status == 0 && loader->settings)
		status = saved_files_add_own(files, root, loader->settings_file, err);
	return status;
}

/* Remembers the entries themselves. */
static int add_entries(struct saved_files *files, const struct root *root,
	const struct boot_sources *sources, struct error *err)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < sources->count; i++)
		if (sources->items[i].id)
			status = saved_files_add(files, root, sources->items[i].file, err);
	return status;
}

static int add_config(struct saved_files *files, const struct root *root,
	const struct boot_facts *boot, struct error *err)
{
	struct stat config;

	if (!boot->config.value || root_stat(root, boot->config.value, &config) < 0 ||
		!S_ISREG(config.st_mode))
		return 0;
	return saved_files_add(files, root, boot->config.value, err);
}

/* Says of what is remembered what has changed, and puts it back. FAILED: the program's status. */
static int end(const struct saved_files *files, const struct root *root, struct strings *touched,
	int failed, struct error *err)
{
	memory_cleanup_free char *names = NULL;
	struct error ignored = { "" };
	int status;

	saved_files_compare(files, root, touched);
	status = saved_files_restore(files, root, failed ? &ignored : err);
	if (failed || status < 0)
		return failed ? failed : status;
	if (touched->count == 0)
		return 0;
	names = strings_join(touched, ", ");
	return error_set(err, EIO, "changed what it was not asked to change: %s", names);
}

static int run(const struct root *root, const struct strings *program, unsigned timeout_ms,
	struct error *err)
{
	strings_cleanup struct strings arguments = { 0 };

	for (size_t i = 0; i < program->count; i++)
		strings_add(&arguments, program->items[i]);
	strings_take(&arguments, NULL);
	return process_run(root, (const char *const *)arguments.items, timeout_ms, NULL, err);
}

/* Kernels and initramfs of BEFORE that are not what they were. */
static void compare_images(
	const struct root *root, const struct strings *before, struct strings *touched)
{
	strings_cleanup struct strings after = { 0 };

	list_images(root, &after);
	for (size_t i = 0; i < before->count; i++)
		if (!strings_contain(&after, before->items[i]))
			strings_take(touched,
				text_copy_length(before->items[i], strcspn(before->items[i], " ")));
}

int guard_run(const struct root *root, const struct boot_facts *boot, const struct strings *program,
	unsigned timeout_ms, struct error *err)
{
	strings_cleanup struct strings images = { 0 }, touched = { 0 };
	struct saved_files files = { 0 };
	int failed, status = add_config(&files, root, boot, err);

	list_images(root, &images);
	for (const struct boot_loader *const *at = boot_loaders; status == 0 && *at; at++) {
		struct boot_sources sources = { 0 };

		if ((*at)->sources)
			(*at)->sources(root, boot, &sources);
		status = add_settings(&files, root, *at, &sources, err);
		if (status == 0)
			status = add_entries(&files, root, &sources, err);
		boot_sources_free(&sources);
	}
	if (status == 0) {
		failed = run(root, program, timeout_ms, err);
		compare_images(root, &images, &touched);
		status = end(&files, root, &touched, failed, err);
		if (failed == 0 && status < 0)
			error_prefix(err, status, "%s", program->items[0]);
	}
	saved_files_free(&files);
	return status;
}

int guard_run_initramfs(const struct root *root, const struct boot_facts *boot,
	const struct strings *program, unsigned timeout_ms, struct error *err)
{
	strings_cleanup struct strings touched = { 0 };
	struct saved_files files = { 0 };
	int failed, status = 0;

	for (const struct boot_loader *const *at = boot_loaders; status == 0 && *at; at++) {
		struct boot_sources sources = { 0 };

		if ((*at)->sources)
			(*at)->sources(root, boot, &sources);
		status = add_settings(&files, root, *at, &sources, err);
		boot_sources_free(&sources);
	}
	if (status == 0) {
		failed = run(root, program, timeout_ms, err);
		status = end(&files, root, &touched, failed, err);
		if (failed == 0 && status < 0)
			error_prefix(err, status, "%s", program->items[0]);
	}
	saved_files_free(&files);
	return status;
}
