/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/initramfs_kept.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "core/base/memory.h"
#include "core/facts/record.h"

/* Another one whenever what is looked for in an image changes. */
#define KEPT_FORMAT 1
static_assert(IMAGE_MEMBER_COUNT == 24, "another KEPT_FORMAT");

/* So old a change has to be, seconds: times of files are as coarse as the kernel's tick. */
#define SETTLED_S 2

#define KEPT_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                                \
	NUMBER(format, "", "version of this layout")                                               \
	TEXT(files, "identity of the files")                                                       \
	GROUP(image, initramfs_image, "what is in them")
struct kept {
	FACT_MEMBERS(KEPT_FACTS)
};
static FACT_LAYOUT(kept, KEPT_FACTS);

static bool is_kept_here(const struct root *root, const char *state_dir)
{
	return root->live && geteuid() == 0 && state_dir;
}

static char *kept_path(const char *state_dir)
{
	return text_format("%s/%s", state_dir, INITRAMFS_KEPT_NAME);
}

char *initramfs_identity(const struct root *root, const struct strings *files)
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

bool initramfs_kept_read(struct initramfs_image *image, const struct root *root,
	const char *state_dir, const char *identity)
{
	memory_cleanup_free char *path = NULL;
	struct error ignored = { "" };
	struct kept kept = { 0 };
	bool found;

	if (!is_kept_here(root, state_dir) || !identity)
		return false;
	path = kept_path(state_dir);
	found = root_check_own(root, path, &ignored) == 0 &&
		record_read(root, path, &kept_layout, KEPT_FORMAT, &kept, &ignored) == 0 &&
		kept.format.value == KEPT_FORMAT && fact_text_is(&kept.files, identity) &&
		kept.image.members.is == FACT_KNOWN && kept.image.built_in.is == FACT_KNOWN;
	if (found)
		layout_copy(&initramfs_image_layout, image, &kept.image);
	layout_free(&kept_layout, &kept);
	return found;
}

/* True when no file was changed in the last seconds, and all are as they were. */
static bool is_settled(const struct root *root, const struct strings *files, const char *identity)
{
	memory_cleanup_free char *now = initramfs_identity(root, files);

	for (size_t i = 0; i < files->count; i++) {
		struct stat about;

		if (root_stat(root, files->items[i], &about) < 0 ||
			about.st_ctim.tv_sec + SETTLED_S > time(NULL))
			return false;
	}
	return text_equal(now, identity);
}

void initramfs_kept_write(const struct initramfs_image *image, const struct root *root,
	const char *state_dir, const struct strings *files, const char *identity)
{
	memory_cleanup_free char *path = NULL;
	struct error ignored = { "" };
	struct kept kept = { 0 };

	if (!is_kept_here(root, state_dir) || !identity || !is_settled(root, files, identity))
		return;
	path = kept_path(state_dir);
	if (root_check_own(root, path, &ignored) < 0)
		return;
	fact_set_number(&kept.format, KEPT_FORMAT);
	fact_set_text(&kept.files, identity);
	layout_copy(&initramfs_image_layout, &kept.image, image);
	/* Where it cannot be written, the image is read again the next time. */
	record_write(root, path, &kept_layout, &kept, 0600, &ignored);
	layout_free(&kept_layout, &kept);
}
