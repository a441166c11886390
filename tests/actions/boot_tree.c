/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "tests/actions/boot_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/actions/boot.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "core/facts/boot_text.h"
#include "core/facts/initramfs.h"
#include "core/facts/kernel_image.h"
#include "core/rules/arguments.h"

extern char **environ;

/* Where the trees are; the caller frees it. */
static char *trees_folder(void)
{
	const char *source = getenv("srcdir");

	return text_format("%s/tests/fixtures/trees", source ? source : ".");
}

static void open_trees(struct root *root)
{
	memory_cleanup_free char *folder = trees_folder();
	struct error err;

	assert_int_equal(root_open(root, folder, &err), 0);
}

void tree_names(struct strings *names)
{
	strings_cleanup struct strings all = { 0 };
	struct root root;
	struct error err;

	open_trees(&root);
	assert_int_equal(root_list(&root, "/", &all, &err), 0);
	for (size_t i = 0; i < all.count; i++) {
		memory_cleanup_free char *path = text_format("/%s/EXPECTED", all.items[i]);

		if (root_exists(&root, path))
			strings_add(names, all.items[i]);
	}
	assert_true(names->count > 0);
	root_close(&root);
}

char *tree_expected(const char *name, const char *key)
{
	memory_cleanup_free char *path = text_format("/%s/EXPECTED", name), *text = NULL;
	struct root root;
	struct error err;

	open_trees(&root);
	assert_int_equal(root_read(&root, path, FILE_LIMIT, &text, NULL, &err), 0);
	root_close(&root);
	return boot_setting(text, key);
}

static void run(const char *const *arguments)
{
	pid_t child;
	int status;

	assert_int_equal(
		posix_spawnp(&child, arguments[0], NULL, NULL, (char *const *)arguments, environ),
		0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

void tree_open(struct tree *tree, const char *name)
{
	memory_cleanup_free char *folder = trees_folder(), *copy = text_format("%s/copy", folder);
	struct error err;

	*tree = (struct tree) { .folder = "/tmp/ec2hib-boot.XXXXXX" };
	assert_non_null(mkdtemp(tree->folder));
	tree->path = text_format("%s/tree", tree->folder);
	run((const char *const[]) { copy, name, tree->path, NULL });
	assert_int_equal(root_open(&tree->root, tree->path, &err), 0);
	tree->config.state_dir = text_copy(TREE_STATE);
	tree->facts = memory_new(1, sizeof(*tree->facts));
	tree_gather(tree);
}

void tree_close(struct tree *tree)
{
	run((const char *const[]) { "rm", "-rf", tree->folder, NULL });
	facts_free(tree->facts);
	free(tree->facts);
	root_close(&tree->root);
	strings_free(&tree->wanted);
	free(tree->config.state_dir);
	free(tree->path);
}

void tree_gather(struct tree *tree)
{
	struct area_facts area = tree->facts->area;

	memset(&tree->facts->area, 0, sizeof(area));
	facts_free(tree->facts);
	tree->facts->area = area;
	boot_gather(&tree->facts->boot, &tree->root, TREE_STATE);
	kernel_image_gather(&tree->facts->boot, &tree->root, NULL);
	initramfs_gather(&tree->facts->boot, &tree->root, NULL, NULL);
}

void tree_area(struct tree *tree, const char *argument, const uint64_t *offset)
{
	struct area_facts *area = &tree->facts->area;

	fact_set_text(&area->kind, offset ? "file" : "device");
	fact_set_text(&area->mount_point, "/");
	fact_set_text(&area->resume_argument, argument);
	if (offset)
		fact_set_number(&area->resume_offset, *offset);
	strings_free(&tree->wanted);
	assert_true(arguments_wanted(tree->facts, &tree->wanted));
}

int tree_apply(struct tree *tree, struct error *err)
{
	tree_gather(tree);
	return boot_arguments_set(&tree->root, tree->facts, &tree->config, &tree->wanted, err);
}

int tree_remove(struct tree *tree, struct strings *left, struct error *err)
{
	tree_gather(tree);
	return boot_arguments_remove(&tree->root, tree->facts, &tree->config, left, err);
}

/* The text of a file; of one with NUL bytes all of them, made visible. */
static char *file_content(const struct tree *tree, const char *name)
{
	struct error err;
	char *bytes;
	size_t size;

	assert_int_equal(root_read(&tree->root, name, FILE_LIMIT, &bytes, &size, &err), 0);
	if (strlen(bytes) != size)
		text_set(&bytes, text_printable(bytes, size));
	return bytes;
}

/* Adds what is in the folder PATH to CONTENT; true when there was anything. */
static bool add_folder(const struct tree *tree, const char *path, char **content)
{
	strings_cleanup struct strings names = { 0 };
	struct error err;

	assert_int_equal(root_list(&tree->root, path, &names, &err), 0);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *name =
			text_format("%s/%s", strcmp(path, "/") == 0 ? "" : path, names.items[i]);
		memory_cleanup_free char *below = text_copy("");
		struct stat status;

		if (strcmp(path, "/bin") == 0 || text_starts(name, "/var/log/"))
			continue;
		assert_int_equal(root_lstat(&tree->root, name, &status), 0);
		if (S_ISDIR(status.st_mode)) {
			bool empty = !add_folder(tree, name, &below);

			if (tree->files_only)
				text_append(content, "%s", below);
			if (tree->files_only || (empty && strcmp(name, TREE_STATE) == 0))
				continue;
		} else if (S_ISLNK(status.st_mode)) {
			text_set(&below, root_readlink(&tree->root, name));
		} else {
			text_set(&below, file_content(tree, name));
		}
		text_append(content, "==== %s %o\n%s\n", name, status.st_mode, below);
	}
	return names.count > 0;
}

char *tree_content(const struct tree *tree)
{
	char *content = text_copy("");

	add_folder(tree, "/", &content);
	return content;
}

void tree_assert_content(const struct tree *tree, const char *content, const char *when)
{
	memory_cleanup_free char *now = tree_content(tree);
	const char *a = content, *b = now;

	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return;
	while (a > content && (a[-1] != '\n' || !text_starts(a, "==== "))) {
		a--;
		b--;
	}
	fail_msg("%s: the tree differs\n---- expected\n%.400s\n---- is\n%.400s", when, a, b);
}

char *tree_log(const struct tree *tree)
{
	struct error err;
	char *text;

	if (root_read(&tree->root, "/var/log/stubs.log", FILE_LIMIT, &text, NULL, &err) < 0)
		return text_copy("");
	return text;
}

char *tree_read(const struct tree *tree, const char *path)
{
	struct error err;
	char *text;

	if (root_read(&tree->root, path, FILE_LIMIT, &text, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

void tree_write(const struct tree *tree, const char *path, const char *text)
{
	memory_cleanup_free char *folder = path_folder(path);
	struct error err;

	assert_int_equal(root_make_directory(&tree->root, folder, &err), 0);
	if (root_replace(&tree->root, path, text, 0644, &err) < 0)
		fail_msg("%s", err.text);
}

const char *tree_missing(void)
{
	const char *busybox = getenv("BUSYBOX");

	if (geteuid() != 0)
		return "only root may chroot into a tree";
	if (access(busybox ? busybox : "/bin/busybox", X_OK) < 0)
		return "no static busybox in /bin";
	return NULL;
}
