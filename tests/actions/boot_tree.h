/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A copy of one of the machines in tests/fixtures/trees, for the tests of booting. */
#ifndef EC2HIB_TESTS_BOOT_TREE_H
#define EC2HIB_TESTS_BOOT_TREE_H

#include "core/base/config.h"
#include "core/base/files.h"
#include "core/facts/facts.h"

#define TREE_STATE "/var/lib/ec2hib"

/* The names of all trees. */
void tree_names(struct strings *names);

/* What the tree's EXPECTED says of KEY; NULL: nothing. The caller frees it. */
char *tree_expected(const char *name, const char *key);

struct tree {
	char folder[64];
	char *path;
	struct root root;
	struct config config; /* state_dir alone */
	struct facts *facts;
	struct strings wanted;
	bool files_only; /* folders do not count in tree_content() */
};

/* A fresh copy, with facts. tree_close() removes it. */
void tree_open(struct tree *tree, const char *name);
void tree_close(struct tree *tree);

/* Reads the boot facts again. */
void tree_gather(struct tree *tree);

/* Says that the swap area of the facts is found so, and what arguments follow. OFFSET NULL: a
 * device. */
void tree_area(struct tree *tree, const char *argument, const uint64_t *offset);

/* boot_arguments_set() and boot_arguments_remove() with fresh facts. */
int tree_apply(struct tree *tree, struct error *err);
int tree_remove(struct tree *tree, struct strings *left, struct error *err);

/*
 * All there is: names, kinds, modes and content of every file but the log of the stubs and an empty
 * state folder. Two equal texts are two equal trees. The caller frees it.
 */
char *tree_content(const struct tree *tree);

/* Fails the test and shows the difference when the tree is not as CONTENT says. */
void tree_assert_content(const struct tree *tree, const char *content, const char *when);

/* What the stubs were asked to do, "" for nothing; the caller frees it. */
char *tree_log(const struct tree *tree);

/* The text of a file, which must be there; the caller frees it. */
char *tree_read(const struct tree *tree, const char *path);
void tree_write(const struct tree *tree, const char *path, const char *text);

/* What a test lacks here to chroot into a tree; NULL: nothing. */
const char *tree_missing(void);

#endif
