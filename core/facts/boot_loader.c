/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/boot_loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot_text.h"

struct boot_source *boot_sources_add(struct boot_sources *sources, char *file, const char *keyword)
{
	struct boot_source *source;

	sources->items = memory_grow(sources->items, sources->count, sizeof(*sources->items));
	source = &sources->items[sources->count++];
	*source = (struct boot_source) { .file = file, .keyword = keyword };
	return source;
}

void boot_sources_free(struct boot_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->items[i].file);
		free(sources->items[i].id);
		free(sources->items[i].initial);
	}
	free(sources->items);
	*sources = (struct boot_sources) { 0 };
}

void boot_settings_free(struct boot_settings *settings)
{
	free(settings->old);
	free(settings->with);
	free(settings->idle);
	free(settings->bare);
	*settings = (struct boot_settings) { 0 };
}

char *boot_real_path(const struct root *root, const char *path)
{
	static const char *const mounts[] = { "", "/boot", "/boot/efi", "/efi" };

	if (!path)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		char *real = text_format("%s%s", mounts[i], path);

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

char *boot_search_read(struct boot_search *search, const char *path, size_t limit)
{
	struct error err = { "" };
	char *text;
	int status = root_read(search->root, path, limit, &text, NULL, &err);

	if (status < 0 && status != -ENOENT && status != -ENOTDIR)
		search->hidden = err;
	return text;
}

bool boot_search_read_all(struct boot_search *search, const struct strings *paths,
	struct strings *texts, struct fact *fact)
{
	for (size_t i = 0; i < paths->count; i++) {
		struct error err = { "" };
		char *text = NULL;
		int status = root_read(
			search->root, paths->items[i], BOOT_TEXT_LIMIT, &text, NULL, &err);

		if (status < 0 && status != -ENOENT && status != -ENOTDIR) {
			fact_set_unknown(fact, "%s", err.text);
			return false;
		}
		strings_take(texts, text ? text : text_copy(""));
	}
	return true;
}
