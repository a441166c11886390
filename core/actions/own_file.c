/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/memory.h"

#define OWN_FILE_LIMIT ((size_t)64 * 1024)

#define OWN_FOLDER "# ec2hib made this folder as well.\n"

/* Reads all of it and says whether the folder is ours too. */
static int read_all(
	const struct root *root, const char *path, char **text, bool *folder, struct error *err)
{
	int status = root_read(root, path, OWN_FILE_LIMIT, text, NULL, err);

	*folder = status == 0 && text_ends(*text, OWN_FOLDER);
	return status == -ENOENT || status == -ENOTDIR ? 0 : status;
}

int own_file_read(const struct root *root, const char *path, char **text, struct error *err)
{
	bool folder;
	int status = read_all(root, path, text, &folder, err);

	if (folder)
		(*text)[strlen(*text) - strlen(OWN_FOLDER)] = '\0';
	return status;
}

/* Removes an empty folder; one that others use by now stays. */
static void remove_folder(const struct root *root, const char *folder)
{
	memory_cleanup_free char *above = path_folder(folder);
	struct error ignored = { "" };
	file_cleanup_close int fd = root_openat(root, above, O_RDONLY | O_DIRECTORY, 0, &ignored);

	if (fd >= 0 && unlinkat(fd, path_name(folder), AT_REMOVEDIR) == 0)
		fsync(fd);
}

/* Where a folder is made together with its first file; the caller frees it. */
static char *draft_folder(const char *folder)
{
	memory_cleanup_free char *above = path_folder(folder);

	return text_format(
		"%s/.%s.ec2hib-new", strcmp(above, "/") == 0 ? "" : above, path_name(folder));
}

/*
 * Makes the folder of PATH with the file in it appear at once, so that a kill leaves both or none.
 */
static int put_with_folder(
	const struct root *root, const char *path, const char *text, struct error *err)
{
	memory_cleanup_free char *folder = path_folder(path), *draft = draft_folder(folder);
	memory_cleanup_free char *file = text_format("%s/%s", draft, path_name(path));
	memory_cleanup_free char *all = text_format("%s" OWN_FOLDER, text);
	int status = root_make_directory(root, draft, err);

	if (status == 0)
		status = root_replace(root, file, all, 0644, err);
	if (status == 0)
		status = root_rename(root, draft, folder, err);
	if (status < 0)
		own_leftover_remove(root, path);
	return status;
}

int own_file_put(const struct root *root, const char *path, const char *text, struct error *err)
{
	memory_cleanup_free char *folder = path_folder(path), *old = NULL, *all = NULL;
	bool own_folder;
	int status = read_all(root, path, &old, &own_folder, err);

	if (status < 0)
		return status;
	own_leftover_remove(root, path);
	if (!text) {
		status = root_remove(root, path, err);
		if (status == 0 && own_folder)
			remove_folder(root, folder);
		return status;
	}
	if (!root_exists(root, folder))
		return put_with_folder(root, path, text, err);
	all = text_format("%s%s", text, own_folder ? OWN_FOLDER : "");
	return root_replace(root, path, all, 0644, err);
}

/* The name that root_replace() gives the new file of PATH; the caller frees it. */
static char *leftover_path(const char *path)
{
	memory_cleanup_free char *folder = path_folder(path);

	return text_format(
		"%s/.%s.ec2hib-new", strcmp(folder, "/") == 0 ? "" : folder, path_name(path));
}

/* Ours is root's until it has the owner of the file that it is to replace. */
static bool may_be_ours(const struct root *root, const struct stat *found, const char *of)
{
	struct stat old;

	if (!S_ISREG(found->st_mode))
		return false;
	return found->st_uid == geteuid() ||
	       (root_stat(root, of, &old) == 0 && old.st_uid == found->st_uid);
}

void own_draft_remove(const struct root *root, const char *draft, const char *of)
{
	memory_cleanup_free char *folder = path_folder(draft);
	struct error ignored = { "" };
	file_cleanup_close int fd = root_openat(root, folder, O_RDONLY | O_DIRECTORY, 0, &ignored);
	struct stat found;

	if (fd < 0 || fstatat(fd, path_name(draft), &found, AT_SYMLINK_NOFOLLOW) < 0 ||
		!may_be_ours(root, &found, of))
		return;
	if (unlinkat(fd, path_name(draft), 0) == 0)
		fsync(fd);
}

/* A folder that was being made with PATH in it. */
static void remove_draft_folder(const struct root *root, const char *path)
{
	memory_cleanup_free char *folder = path_folder(path), *draft = draft_folder(folder);
	memory_cleanup_free char *inside = text_format("%s/%s", draft, path_name(path));
	memory_cleanup_free char *leftover = leftover_path(inside);
	struct stat found;

	if (root_lstat(root, draft, &found) < 0 || !S_ISDIR(found.st_mode) ||
		found.st_uid != geteuid())
		return;
	own_draft_remove(root, inside, path);
	own_draft_remove(root, leftover, path);
	remove_folder(root, draft);
}

void own_leftover_remove(const struct root *root, const char *path)
{
	/* Of a link it is beside what it names. */
	memory_cleanup_free char *target = root_follow_links(root, path);
	memory_cleanup_free char *leftover = leftover_path(target);

	own_draft_remove(root, leftover, target);
	remove_draft_folder(root, path);
}
