/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/cache.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "core/base/memory.h"
#include "core/facts/record.h"

/* So old a change has to be, seconds: times of files are as coarse as the kernel's tick. */
#define SETTLED_S 2

static bool is_used(const struct root *root, const char *state_dir)
{
	return root->live && geteuid() == 0 && state_dir;
}

char *cache_identity(const struct root *root, const struct strings *files)
{
	char *identity = text_copy("");

	for (size_t i = 0; i < files->count; i++) {
		struct stat about;

		if (root_stat(root, files->items[i], &about) < 0) {
			free(identity);
			return NULL;
		}
		text_append(&identity, "%s%s %ju %ju %jd %jd.%09ld %jd.%09ld", i ? "\n" : "",
			files->items[i], (uintmax_t)about.st_dev, (uintmax_t)about.st_ino,
			(intmax_t)about.st_size, (intmax_t)about.st_mtim.tv_sec,
			about.st_mtim.tv_nsec, (intmax_t)about.st_ctim.tv_sec,
			about.st_ctim.tv_nsec);
	}
	return identity;
}

bool cache_read(const struct cache_kind *kind, void *structure, const struct root *root,
	const char *state_dir, const char *identity)
{
	const struct cache_head *head = structure;
	memory_cleanup_free char *path = NULL;
	struct error ignored = { "" };

	if (!is_used(root, state_dir) || !identity)
		return false;
	path = text_format("%s/%s", state_dir, kind->name);
	return root_check_own(root, path, &ignored) == 0 &&
	       record_read(root, path, kind->layout, kind->format, structure, &ignored) == 0 &&
	       head->format.value == kind->format && fact_text_is(&head->files, identity);
}

/* True when no file was changed in the last seconds, and all are as they were. */
static bool is_settled(const struct root *root, const struct strings *files, const char *identity)
{
	memory_cleanup_free char *now = cache_identity(root, files);

	for (size_t i = 0; i < files->count; i++) {
		struct stat about;

		if (root_stat(root, files->items[i], &about) < 0 ||
			about.st_ctim.tv_sec + SETTLED_S > time(NULL))
			return false;
	}
	return text_equal(now, identity);
}

void cache_write(const struct cache_kind *kind, void *structure, const struct root *root,
	const char *state_dir, const struct strings *files, const char *identity)
{
	struct cache_head *head = structure;
	memory_cleanup_free char *path = NULL;
	struct error ignored = { "" };

	if (!is_used(root, state_dir) || !identity || !is_settled(root, files, identity))
		return;
	path = text_format("%s/%s", state_dir, kind->name);
	if (root_check_own(root, path, &ignored) < 0)
		return;
	fact_set_number(&head->format, kind->format);
	fact_set_text(&head->files, identity);
	/* Where it cannot be written, the files are read again the next time. */
	record_write(root, path, kind->layout, structure, 0600, &ignored);
}
