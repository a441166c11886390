/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/imds_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

#define HEX_DIGITS "0123456789abcdefABCDEF"

char *imds_path_complete(const char *typed)
{
	static const char *const tops[] = { "meta-data/", "dynamic/", "user-data", NULL };
	const char *path = typed + strspn(typed, "/");

	if (text_starts(path, "latest/"))
		path += strlen("latest/");
	path += strspn(path, "/");
	if (strcmp(path, "meta-data") == 0 || strcmp(path, "dynamic") == 0)
		return text_format("%s/", path);
	for (size_t i = 0; tops[i]; i++)
		if (text_starts(path, tops[i]))
			return text_copy(path);
	return *path ? text_format("meta-data/%s", path) : text_copy("");
}

/* With the characters that the path has in hexadecimal; the caller frees it. */
static char *path_decode(const char *path)
{
	char *plain = text_copy(path), *to = plain;

	for (unsigned code; *path; path++, to++)
		if (*path == '%' && strspn(path + 1, HEX_DIGITS) >= 2 &&
			sscanf(path + 1, "%2x", &code) == 1) {
			*to = (char)code;
			path += 2;
		} else {
			*to = *path;
		}
	*to = '\0';
	return plain;
}

bool imds_path_is_secret(const char *path)
{
	/* The credentials of a role and of EC2's own services; and the signatures of the identity
	 * document, by which some services let the instance log in. */
	static const char *const secrets[] = { "meta-data/iam/security-credentials/",
		"meta-data/identity-credentials/", "dynamic/instance-identity/pkcs7",
		"dynamic/instance-identity/rsa2048", "dynamic/instance-identity/signature", NULL };

	memory_cleanup_free char *plain = path_decode(path);

	for (size_t i = 0; secrets[i]; i++)
		if (text_starts(plain, secrets[i]))
			return true;
	return false;
}

/* The folders that are still to be listed, and the paths of items that are to be got. */
struct walk {
	struct imds *imds;
	struct imds_tree *tree;
	struct strings folders;
	struct strings paths;
};

static size_t depth_of(const char *path)
{
	size_t depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

/* Takes ITEM as it is, with a copy of its path. */
static void tree_add(struct imds_tree *tree, const struct imds_item *item)
{
	tree->items = memory_grow(tree->items, tree->count, sizeof(*tree->items));
	tree->items[tree->count] = *item;
	tree->items[tree->count++].path = text_copy(item->path);
}

static bool has_room(struct walk *walk, const char *path)
{
	if (walk->folders.count + walk->paths.count < IMDS_TREE_ITEMS_MOST &&
		depth_of(path) <= IMDS_TREE_DEPTH_MOST)
		return true;
	walk->tree->cut = true;
	return false;
}

/* A name as a folder lists it. public-keys/ has "0=my-key" for what is below 0/. */
static void name_take(struct walk *walk, const char *folder, const char *name)
{
	size_t digits = strspn(name, "0123456789");
	memory_cleanup_free char *path = digits && name[digits] == '='
						 ? text_format("%s%.*s/", folder, (int)digits, name)
						 : text_format("%s%s", folder, name);
	const char *inner = path + strlen(folder), *slash = strchr(inner, '/');
	struct strings *list = slash ? &walk->folders : &walk->paths;

	/* The service lists plain names: nothing that leads up or further down. */
	if (!imds_path_valid(path) || (slash && (slash == inner || slash[1])) || *inner == '.')
		return;
	if (imds_path_is_secret(path)) {
		if (!strings_contain(&walk->tree->secrets, path))
			strings_add(&walk->tree->secrets, path);
		return;
	}
	if (has_room(walk, path) && !strings_contain(list, path))
		strings_add(list, path);
}

static void listing_take(struct walk *walk, const struct imds_item *listing)
{
	strings_cleanup struct strings names = { 0 };

	strings_split(&names, listing->text, "\r\n");
	for (size_t i = 0; i < names.count; i++)
		name_take(walk, listing->path, names.items[i]);
}

/*
 * Gets COUNT of PATHS from FIRST on. A service that does not answer once is not asked for all the
 * rest, each with its time limit.
 */
static int batch_get(struct walk *walk, const struct strings *paths, size_t first,
	struct imds_item *items, size_t *count, struct error *err)
{
	int status;

	*count = paths->count - first < IMDS_TREE_BATCH ? paths->count - first : IMDS_TREE_BATCH;
	for (size_t i = 0; i < *count; i++)
		items[i] = (struct imds_item) { .path = paths->items[first + i] };
	status = imds_get_all(walk->imds, items, *count, err);
	for (size_t i = 0; status == 0 && i < *count; i++)
		if (items[i].status == -ETIMEDOUT) {
			*err = items[i].error;
			status = -ETIMEDOUT;
		}
	return status;
}

static int folders_list(struct walk *walk, size_t asked_for, struct error *err)
{
	struct imds_item batch[IMDS_TREE_BATCH];
	size_t count;
	int status = 0;

	for (size_t done = 0; status == 0 && done < walk->folders.count; done += count) {
		status = batch_get(walk, &walk->folders, done, batch, &count, err);
		for (size_t i = 0; i < count; i++) {
			if (batch[i].status == 0)
				listing_take(walk, &batch[i]);
			else if (batch[i].status != -ENOENT || done + i < asked_for)
				tree_add(walk->tree, &batch[i]);
		}
		imds_items_free(batch, count);
	}
	return status;
}

static int items_get(struct walk *walk, struct error *err)
{
	struct imds_item batch[IMDS_TREE_BATCH];
	size_t count;
	int status = 0;

	for (size_t done = 0; status == 0 && done < walk->paths.count; done += count) {
		status = batch_get(walk, &walk->paths, done, batch, &count, err);
		for (size_t i = 0; i < count; i++)
			if (batch[i].status != -ENOENT)
				tree_add(walk->tree, &batch[i]); /* with its text */
	}
	return status;
}

int imds_tree_walk(
	struct imds *imds, const struct strings *folders, struct imds_tree *tree, struct error *err)
{
	struct walk walk = { .imds = imds, .tree = tree };
	size_t asked_for;
	int status;

	for (size_t i = 0; i < folders->count; i++) {
		const char *folder = folders->items[i];

		if (imds_path_is_secret(folder))
			strings_add(&tree->secrets, folder);
		else
			strings_add(&walk.folders, folder);
	}
	asked_for = walk.folders.count;
	status = folders_list(&walk, asked_for, err);
	if (status == 0)
		status = items_get(&walk, err);
	strings_free(&walk.folders);
	strings_free(&walk.paths);
	return status;
}

void imds_tree_free(struct imds_tree *tree)
{
	imds_items_free(tree->items, tree->count);
	for (size_t i = 0; i < tree->count; i++)
		free((char *)(uintptr_t)tree->items[i].path);
	free(tree->items);
	strings_free(&tree->secrets);
	*tree = (struct imds_tree) { 0 };
}
