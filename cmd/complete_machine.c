/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Candidates that only the machine knows: metadata paths, swap files, devices. */
#include <stdio.h>
#include <string.h>

#include "cmd/complete.h"
#include "cmd/command.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds.h"
#include "core/facts/imds_text.h"
#include "core/facts/imds_tree.h"
#include "core/facts/swaps.h"

/* Whoever has typed Tab waits. */
#define ITEMS_TIMEOUT_MS 500
#define ITEMS_TOTAL_MS	 800

#define SECTOR ((uint64_t)512) /* /sys/class/block/NAME/size counts these, whatever the disk has */

/* ---- The metadata service ---------------------------------------------------------------- */

static void offer_known_items(struct completion *completion)
{
	static const char *const items[] = { "ami-id", "hibernation/configured", "instance-id",
		"instance-life-cycle", "instance-type", "placement/region", "spot/instance-action",
		"events/maintenance/scheduled", "events/recommendations/rebalance", "meta-data/",
		"dynamic/instance-identity/document", "user-data", NULL };

	for (size_t i = 0; items[i]; i++)
		offer(completion, items[i], NULL);
}

/* What a folder lists, behind PREFIX. public-keys/ has "0=my-key" for what is below 0/. */
static void offer_listing(struct completion *completion, const char *prefix, const char *listing)
{
	strings_cleanup struct strings names = { 0 };

	strings_split(&names, listing, "\r\n");
	for (size_t i = 0; i < names.count; i++) {
		size_t digits = strspn(names.items[i], "0123456789");
		bool key = digits && names.items[i][digits] == '=';
		memory_cleanup_free char *path = text_format("%s%.*s%s", prefix,
			key ? (int)digits : (int)strlen(names.items[i]), names.items[i],
			key ? "/" : "");
		memory_cleanup_free char *whole = imds_path_complete(path);

		if (imds_path_valid(whole))
			offer(completion, path, NULL);
	}
}

/* 0 and the caller's text, or a negative errno. */
static int list_folder(const char *endpoint, const char *folder, char **listing)
{
	struct imds_options options = { .endpoint = endpoint };
	struct error err = { "" };
	struct imds *imds;
	int status = imds_options_read(&options, getenv, &err);

	if (status < 0)
		return status;
	if (!options.timeout_ms || options.timeout_ms > ITEMS_TIMEOUT_MS)
		options.timeout_ms = ITEMS_TIMEOUT_MS;
	options.total_ms = ITEMS_TOTAL_MS;
	options.attempts = 1;
	status = imds_open(&imds, &options, &err);
	if (status < 0)
		return status;
	status = imds_get(imds, folder, listing, &err);
	imds_close(imds);
	return status;
}

/* The folders above all others, behind PREFIX. */
static void offer_tops(struct completion *completion, const char *prefix)
{
	static const char *const tops[] = { "meta-data/", "dynamic/", "user-data" };

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		memory_cleanup_free char *top = text_format("%s%s", prefix, tops[i]);

		offer(completion, top, NULL);
	}
}

void offer_items(struct completion *completion)
{
	const char *slash = strrchr(completion->typed, '/');
	memory_cleanup_free char *prefix = text_copy_length(
		completion->typed, slash ? (size_t)(slash - completion->typed) + 1 : 0);
	memory_cleanup_free char *folder = imds_path_complete(prefix);
	char *listing = NULL;

	if (!*folder)
		offer_tops(completion, prefix);
	/* Of /latest/ these are all; who wants credentials has to know their name. */
	if ((!*folder && *prefix) || imds_path_is_secret(folder))
		return;
	if (list_folder(completion->endpoint, *folder ? folder : "meta-data/", &listing) == 0)
		offer_listing(completion, prefix, listing);
	else
		offer_known_items(completion);
	free(listing);
}

/* ---- Swaps and devices ------------------------------------------------------------------- */

/* A size of 0 is not known. */
static void offer_sized(
	struct completion *completion, const char *path, uint64_t size, const char *what)
{
	memory_cleanup_free char *text = size_format(size);
	memory_cleanup_free char *help =
		text_format("%s%s%s", what, *what && size ? ", " : "", size ? text : "");

	offer(completion, path, help);
}

/* TYPE is file or partition, as /proc/swaps has it. */
static void offer_swaps(struct completion *completion, const struct root *root, const char *type)
{
	memory_cleanup_free char *text = NULL;
	swap_list swaps = { 0 };
	struct error err = { "" };

	if (root_read_line(root, "/proc/swaps", &text, &err) < 0)
		return;
	swaps_parse(&swaps, text);
	for (size_t i = 0; i < swaps.count; i++)
		if (fact_text_is(&swaps.items[i].type, type))
			offer_sized(completion, swaps.items[i].path.value,
				swaps.items[i].size.value, "active swap");
	swaps_free(&swaps);
}

static void offer_block_devices(struct completion *completion, const struct root *root)
{
	/* Memory, files and media that no image should go to. */
	static const char *const unfit[] = { "ram", "loop", "zram", "sr", "fd", "dm-" };
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	if (root_list(root, "/sys/class/block", &names, &err) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *file =
			text_format("/sys/class/block/%s/size", names.items[i]);
		memory_cleanup_free char *path = text_format("/dev/%s", names.items[i]);
		memory_cleanup_free char *text = NULL;
		uint64_t sectors;
		size_t k = 0;

		while (k < ARRAY_SIZE(unfit) && !text_starts(names.items[i], unfit[k]))
			k++;
		if (k == ARRAY_SIZE(unfit) && root_read_line(root, file, &text, &err) == 0 &&
			number_parse(text, &sectors) == 0 && sectors)
			offer_sized(completion, path, sectors * SECTOR, "");
	}
}

void offer_swap_files(struct completion *completion)
{
	struct error err = { "" };
	struct root root;

	if (!completion->image && root_open(&root, "/", &err) == 0) {
		offer_swaps(completion, &root, "file");
		root_close(&root);
	}
	if (!completion->offered)
		offer(completion, "/swap", "the default");
}

void offer_devices(struct completion *completion)
{
	struct error err = { "" };
	struct root root;

	if (completion->image || root_open(&root, "/", &err) < 0)
		return;
	offer_swaps(completion, &root, "partition");
	offer_block_devices(completion, &root);
	root_close(&root);
}
