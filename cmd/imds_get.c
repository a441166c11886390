/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib imds get: items of the metadata service, as ec2-metadata prints them. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds.h"
#include "core/facts/imds_tree.h"
#include "ui/json_view.h"

struct imds_get_options {
	bool all;
	bool json;
};

#define OPTIONS struct imds_get_options
static const struct option_row options[] = {
	OPT_FLAG("all", all, "everything below PATH, or all but credentials"),
	OPT_FLAG("json", json, "an object of paths and values"),
};

/* ---- How it looks ---------------------------------------------------------------------- */

static void print_bare(const char *text)
{
	fputs(text, stdout);
	if (!text_ends(text, "\n"))
		putchar('\n');
}

/* Further lines of a value are indented, so that a line at the edge always begins an item. */
static void print_named(const char *name, const char *text)
{
	printf("%s: ", name);
	for (const char *c = text; *c; c++) {
		putchar(*c);
		if (*c == '\n' && c[1])
			putchar('\t');
	}
	if (!text_ends(text, "\n"))
		putchar('\n');
}

static void print_json(const struct imds_item *items, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		if (items[i].status == 0)
			json_object_set_new(object, items[i].path, json_string(items[i].text));
		else if (items[i].status == -ENOENT)
			json_object_set_new(object, items[i].path, json_null());
	json_show(object);
}

/* ---- What went wrong ------------------------------------------------------------------- */

/* What to do about a service that cannot be asked. */
static const char *advice(int status)
{
	switch (status) {
	case -ECANCELED:
		return "; unset it to ask";
	case -EACCES:
		return "; switch it on with aws ec2 modify-instance-metadata-options";
	case -EAGAIN:
		return "; try again later";
	default:
		return "; only EC2 instances have it, --imds-endpoint asks another";
	}
}

static int complain_of_service(int status, const struct error *err)
{
	bool named = strstr(err->text, "metadata service") != NULL;

	complain("%s%s%s", named ? "" : "the metadata service: ", err->text, advice(status));
	return EXIT_UNKNOWN;
}

/* The exit status for all items, after a message for each that is not there. */
static int exit_status_of(const struct imds_item *items, size_t count)
{
	int worst = 0;

	for (size_t i = 0; i < count; i++) {
		size_t top = strcspn(items[i].path, "/");

		if (items[i].status == 0)
			continue;
		if (items[i].status != -ENOENT) {
			complain("%s; try again", items[i].error.text);
			worst = EXIT_UNKNOWN;
			continue;
		}
		complain("%s is not there now (HTTP status 404)%s%.*s", items[i].path,
			items[i].path[top] ? "; see what is: ec2hib imds get " : "",
			items[i].path[top] ? (int)top + 1 : 0, items[i].path);
		worst = worst ? worst : EXIT_NOT_READY;
	}
	return worst;
}

/* ---- The items that were asked for ----------------------------------------------------- */

static int get_items(struct invocation *invocation, struct imds *imds, const struct strings *paths)
{
	const struct imds_get_options *wanted = invocation->options;
	struct imds_item *items = memory_new(paths->count, sizeof(*items));
	struct error err = { "" };
	int status;

	for (size_t i = 0; i < paths->count; i++)
		items[i].path = paths->items[i];
	status = imds_get_all(imds, items, paths->count, &err);
	if (status < 0) {
		status = complain_of_service(status, &err);
	} else {
		if (wanted->json)
			print_json(items, paths->count);
		for (size_t i = 0; !wanted->json && i < paths->count; i++)
			if (items[i].status == 0 && paths->count == 1)
				print_bare(items[i].text);
			else if (items[i].status == 0)
				print_named(invocation->operands[i], items[i].text);
		status = exit_status_of(items, paths->count);
	}
	imds_items_free(items, paths->count);
	free(items);
	return status;
}

/* ---- The tree -------------------------------------------------------------------------- */

static void tell_what_is_left_out(const struct invocation *invocation, const struct imds_tree *tree)
{
	memory_cleanup_free char *secrets = strings_join(&tree->secrets, ", ");

	if (tree->secrets.count)
		warn_user(invocation,
			"left out, because they are credentials: %s; name one to get it", secrets);
	if (tree->cut)
		warn_user(invocation,
			"the service lists more than %d items or is deeper than %d folders: the rest is left out",
			IMDS_TREE_ITEMS_MOST, IMDS_TREE_DEPTH_MOST);
}

static int get_tree(struct invocation *invocation, struct imds *imds, const struct strings *paths)
{
	const struct imds_get_options *wanted = invocation->options;
	strings_cleanup struct strings folders = { 0 };
	struct imds_tree tree = { 0 };
	struct error err = { "" };
	int status, worst;

	for (size_t i = 0; i < paths->count; i++)
		strings_take(&folders, text_format("%s%s", paths->items[i],
					       text_ends(paths->items[i], "/") ? "" : "/"));
	if (folders.count == 0) {
		strings_add(&folders, "meta-data/");
		strings_add(&folders, "dynamic/");
	}
	status = imds_tree_walk(imds, &folders, &tree, &err);
	if (wanted->json && status == 0)
		print_json(tree.items, tree.count);
	for (size_t i = 0; !wanted->json && i < tree.count; i++)
		if (tree.items[i].status == 0)
			print_named(tree.items[i].path, tree.items[i].text);
	worst = status < 0 ? complain_of_service(status, &err)
			   : exit_status_of(tree.items, tree.count);
	tell_what_is_left_out(invocation, &tree);
	imds_tree_free(&tree);
	return worst;
}

/* ---- The command ----------------------------------------------------------------------- */

/* All requests of one call together: as much time as they would have alone. */
static void set_time(struct imds_options *imds, size_t count)
{
	unsigned each = imds->timeout_ms ? imds->timeout_ms : IMDS_TIMEOUT_MS;
	unsigned attempts = imds->attempts ? imds->attempts : 1;

	if (count > IMDS_TREE_BATCH)
		count = IMDS_TREE_BATCH;
	if (count > 1)
		imds->total_ms = (unsigned)count * attempts * each + IMDS_TOTAL_EXTRA_MS;
}

static int run(struct invocation *invocation, struct session *session)
{
	const struct imds_get_options *wanted = invocation->options;
	strings_cleanup struct strings paths = { 0 };
	struct error err = { "" };
	struct imds *imds;
	int status;

	for (int i = 0; i < invocation->operand_count; i++)
		strings_take(&paths, imds_path_complete(invocation->operands[i]));
	if (!paths.count && !wanted->all) {
		complain("imds get needs a PATH, such as instance-id, or --all");
		return EXIT_USAGE;
	}
	set_time(&session->imds, wanted->all ? IMDS_TREE_BATCH : paths.count);
	status = imds_open(&imds, &session->imds, &err);
	if (status < 0)
		return complain_of_service(status, &err);
	status = wanted->all ? get_tree(invocation, imds, &paths)
			     : get_items(invocation, imds, &paths);
	imds_close(imds);
	return status;
}

const struct command command_imds_get = {
	.name = "get",
	.parent = &command_imds,
	.synopsis = "[--json] PATH... | --all [PATH...]",
	.summary = "print items of the metadata service",
	.details =
		"PATH is instance-id, meta-data/instance-id or /latest/meta-data/instance-id; one\n"
		"that ends with / lists a folder. One PATH gives the bare value, several give\n"
		"lines of \"PATH: value\". The exit status is 0, 1 when one is not there, 2 for a\n"
		"wrong command line, and 3 when the service could not be asked.",
	COMMAND_OPTIONS(options),
	.operands = ARGUMENT_ITEM,
	.needs = NEEDS_SESSION,
	.run = run,
};
