/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/saved_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/actions/own_file.h"
#include "core/base/memory.h"

/* Fills text and mode of FILE with what is there now; a file that is not there has no text. */
static int read_now(struct saved_file *file, const struct root *root, struct error *err)
{
	struct stat status;
	int result;

	file->text = NULL;
	file->mode = 0644;
	if (file->own)
		return own_file_read(root, file->path, &file->text, err);
	result = root_read_text(root, file->path, FILE_LIMIT, &file->text, err);
	if (result == -ENOENT || result == -ENOTDIR)
		return 0;
	if (result == 0 && root_stat(root, file->path, &status) == 0)
		file->mode = status.st_mode & 07777;
	return result;
}

static int add(struct saved_files *saved, const struct root *root, struct saved_file file,
	struct error *err)
{
	int status;

	for (size_t i = 0; i < saved->count; i++)
		if (strcmp(saved->items[i].path, file.path) == 0)
			return 0;
	status = read_now(&file, root, err);
	if (status < 0)
		return status;
	file.path = text_copy(file.path);
	saved->items = memory_grow(saved->items, saved->count, sizeof(file));
	saved->items[saved->count++] = file;
	return 0;
}

int saved_files_add(
	struct saved_files *saved, const struct root *root, const char *path, struct error *err)
{
	return add(saved, root, (struct saved_file) { .path = (char *)path }, err);
}

int saved_files_add_own(
	struct saved_files *saved, const struct root *root, const char *path, struct error *err)
{
	return add(saved, root, (struct saved_file) { .path = (char *)path, .own = true }, err);
}

/* One that cannot be read now is not what it was. */
static bool is_same(const struct saved_file *file, const struct root *root)
{
	struct saved_file now = *file;
	struct error ignored = { "" };
	bool same = read_now(&now, root, &ignored) == 0 && text_equal(now.text, file->text);

	free(now.text);
	return same;
}

static int restore_one(const struct saved_file *file, const struct root *root, struct error *err)
{
	if (is_same(file, root))
		return 0;
	if (file->own)
		return own_file_put(root, file->path, file->text, err);
	if (!file->text)
		return root_remove(root, file->path, err);
	return root_replace(root, file->path, file->text, file->mode, err);
}

int saved_files_restore(const struct saved_files *saved, const struct root *root, struct error *err)
{
	struct error another = { "" };
	int first = 0;

	for (size_t i = saved->count; i > 0; i--) {
		int status = restore_one(&saved->items[i - 1], root, first ? &another : err);

		if (first == 0)
			first = status;
	}
	return first;
}

void saved_files_compare(
	const struct saved_files *saved, const struct root *root, struct strings *changed)
{
	for (size_t i = 0; i < saved->count; i++)
		if (!is_same(&saved->items[i], root))
			strings_add(changed, saved->items[i].path);
}

void saved_files_free(struct saved_files *saved)
{
	for (size_t i = 0; i < saved->count; i++) {
		free(saved->items[i].path);
		free(saved->items[i].text);
	}
	free(saved->items);
	*saved = (struct saved_files) { 0 };
}
