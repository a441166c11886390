/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/area_choice.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/area.h"
#include "core/facts/fstab.h"
#include "core/facts/memory.h"
#include "core/facts/swaps.h"

#define HIBINIT_SWAP_FILE "/swap-hibinit"  /* ec2-hibinit-agent's */
#define STANDARD_FOLDER	  "/swap"	   /* hibagent's file, and ours; on btrfs a subvolume */
#define STANDARD_INSIDE	  "/swap/swapfile" /* as the guides of btrfs have it */

/* What of memory a swap file needs no more than: mkswap and rounding take something off. */
#define ADOPT_SLACK (4 * MIB)

static void choose(struct area_choice *choice, const char *path, const char *reason)
{
	*choice = (struct area_choice) { text_copy(path), reason };
}

/* ---- A swap file that is there already ------------------------------------------------------- */

/* What setup would make at least: see swap_size_decide(). 0 for an image, which has no memory. */
static uint64_t least_size(const struct config *config, const struct root *root)
{
	uint64_t memory, best, fixed = config->target_size_mb * MIB;

	if (!memory_total(root, &memory))
		return 0;
	best = memory / 100 * config->percentage_of_ram;
	best = best > fixed ? best : fixed;
	best = best < memory ? best : memory;
	return best > ADOPT_SLACK ? best - ADOPT_SLACK : 0;
}

static bool device_lasts(const struct device_facts *device)
{
	static const char *const lost[] = { MEDIUM_INSTANCE_STORE, MEDIUM_ZRAM, MEDIUM_MEMORY,
		MEDIUM_NETWORK };

	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		if (fact_text_is(&device->medium, lost[i]))
			return false;
	return !fact_is_true(&device->random_key);
}

static bool storage_lasts(const device_list *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		if (!device_lasts(&devices->items[i]))
			return false;
	return devices->is == FACT_KNOWN;
}

/* A swap file that the kernel takes, that can hold an image, and that only root can change. */
static bool will_do(const struct area_facts *area, uint64_t least)
{
	return fact_text_is(&area->kind, "file") && area->size.is == FACT_KNOWN &&
	       area->size.value >= least && area->untrusted_folder.is == FACT_ABSENT &&
	       area->owner.is == FACT_KNOWN && area->owner.value == 0 &&
	       fact_text_is(&area->signature, SIGNATURE_SWAP) && area->holes.is == FACT_KNOWN &&
	       area->holes.value == 0 && fact_is_false(&area->shared) &&
	       fact_is_false(&area->compressed) && fact_is_false(&area->copy_on_write) &&
	       area->resume_offset.is == FACT_KNOWN && area->resume_device.is == FACT_KNOWN &&
	       storage_lasts(&area->devices);
}

/* A file that was found, and where. */
struct candidates {
	struct strings paths;
	size_t active; /* the first so many are switched on */
};

static void add_candidate(struct candidates *candidates, const char *path)
{
	if (*path == '/' && !text_starts(path, "/dev/") &&
		!strings_contain(&candidates->paths, path))
		strings_add(&candidates->paths, path);
}

static void find_candidates(struct candidates *candidates, const struct root *root)
{
	memory_cleanup_free char *active = NULL, *fstab = NULL;
	strings_cleanup struct strings lines = { 0 };
	struct error ignored = { "" };
	swap_list swaps = { 0 };

	if (root->live && root_read(root, "/proc/swaps", FILE_LIMIT, &active, NULL, &ignored) == 0)
		swaps_parse(&swaps, active);
	for (size_t i = 0; i < swaps.count; i++)
		if (fact_text_is(&swaps.items[i].type, "file"))
			add_candidate(candidates, swaps.items[i].path.value);
	candidates->active = candidates->paths.count;
	swaps_free(&swaps);
	if (root_read(root, FSTAB_PATH, FILE_LIMIT, &fstab, NULL, &ignored) == 0)
		strings_split(&lines, fstab, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		strings_cleanup struct strings fields = { 0 };

		strings_split(&fields, lines.items[i], " \t");
		if (fields.count >= 3 && strcmp(fields.items[2], "swap") == 0)
			add_candidate(candidates, fields.items[0]);
	}
}

/* The largest that will do; which one is on must not change the answer. */
static bool adopt(struct area_choice *choice, const struct config *config, const struct root *root,
	const struct root *host, const device_list *root_devices)
{
	uint64_t least = least_size(config, root), largest = 0;
	struct candidates candidates = { 0 };

	find_candidates(&candidates, root);
	for (size_t i = 0; i < candidates.paths.count; i++) {
		struct area_facts area = { 0 };
		const char *path = candidates.paths.items[i];

		area_gather(&area, root, host, root_devices, path);
		if (will_do(&area, least) && area.size.value > largest) {
			largest = area.size.value;
			area_choice_free(choice);
			choose(choice, path, i < candidates.active ? CHOSEN_ACTIVE : CHOSEN_FSTAB);
		}
		layout_free(&area_facts_layout, &area);
	}
	strings_free(&candidates.paths);
	return choice->path;
}

/* ---- The standard ones ----------------------------------------------------------------------- */

static bool is_folder(const struct root *root, const char *path)
{
	struct stat status;

	return root_lstat(root, path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_there(const struct root *root, const char *path)
{
	struct stat status;

	return root_lstat(root, path, &status) == 0;
}

/*
 * A snapshot of a btrfs subvolume cannot be taken while a swap file in it is switched on, but does
 * not go into a subvolume below: there the file gets one of its own.
 */
static const char *standard_file(const struct root *root)
{
	memory_cleanup_free char *shown = root_shown(root, "/");
	struct statfs system;

	if (is_folder(root, STANDARD_FOLDER))
		return STANDARD_INSIDE;
	if (is_there(root, STANDARD_FOLDER))
		return STANDARD_FOLDER;
	if (statfs(*shown ? shown : "/", &system) == 0 && system.f_type == BTRFS_SUPER_MAGIC)
		return STANDARD_INSIDE;
	return STANDARD_FOLDER;
}

static bool is_ours(const struct root *root, const char *path)
{
	struct area_facts area = { 0 };
	bool ours;

	fact_set_text(&area.path, path);
	area_gather_header(&area, root, path);
	ours = fact_text_is(&area.header_label, SWAP_LABEL);
	layout_free(&area_facts_layout, &area);
	return ours;
}

void area_choose(struct area_choice *choice, const struct config *config, const struct root *root,
	const struct root *host, const device_list *root_devices)
{
	memory_cleanup_free char *remembered = NULL;
	const char *standard;

	*choice = (struct area_choice) { 0 };
	if (*config->swap_device || strcmp(config->swapfile, "auto") != 0) {
		choose(choice, *config->swap_device ? config->swap_device : config->swapfile,
			CHOSEN_CONFIGURED);
		return;
	}
	remembered = area_remembered_path(config, root);
	if (remembered) {
		choose(choice, remembered, CHOSEN_REMEMBERED);
		return;
	}
	standard = standard_file(root);
	if (is_there(root, standard) && is_ours(root, standard))
		choose(choice, standard, CHOSEN_OURS);
	else if (adopt(choice, config, root, host, root_devices))
		return;
	else if (!is_there(root, standard) && is_there(root, HIBINIT_SWAP_FILE))
		choose(choice, HIBINIT_SWAP_FILE, CHOSEN_STANDARD);
	else
		choose(choice, standard, CHOSEN_STANDARD);
}

void area_choice_free(struct area_choice *choice)
{
	free(choice->path);
	*choice = (struct area_choice) { 0 };
}
