/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metadata service as a tree: a path that ends with a slash is a folder, whose answer lists
 * what is in it, a line each ("Retrieve instance metadata" in the EC2 User Guide).
 */
#ifndef EC2HIB_FACTS_IMDS_TREE_H
#define EC2HIB_FACTS_IMDS_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/facts/imds.h"

/* Far more than an instance has (a hundred or so); an answer is not trusted to end. */
#define IMDS_TREE_ITEMS_MOST 4096
#define IMDS_TREE_DEPTH_MOST 16
/* How many are asked for with one imds_get_all(). */
#define IMDS_TREE_BATCH 8

/*
 * What a user may leave out, put in: "/latest/meta-data/instance-id", "meta-data/instance-id" and
 * "instance-id" are one item. The caller frees it. It may be no path at all; imds_path_valid().
 */
char *imds_path_complete(const char *typed);

/*
 * True for what holds credentials or proves who the instance is: whoever walks the tree leaves it
 * out, so that it comes into no log or report unasked.
 */
bool imds_path_is_secret(const char *path);

/* All that was found. {0} is empty; imds_tree_free() frees it. */
struct imds_tree {
	struct imds_item *items; /* each PATH is the tree's, too */
	size_t count;
	struct strings secrets; /* items that were left out; folders of such end with a slash */
	bool cut;		/* there was more than the limits allow */
};

/*
 * Walks FOLDERS ("meta-data/") and all below them, and gets every item. An item has its own
 * status; a folder that could not be listed stands among them with its reason. What a folder
 * lists and the service then does not have is left out. 0, or the errno of the reason for which
 * no more could be asked; TREE has what was there until then.
 */
int imds_tree_walk(struct imds *imds, const struct strings *folders, struct imds_tree *tree,
	struct error *err);
void imds_tree_free(struct imds_tree *tree);

#endif
