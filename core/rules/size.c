/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/size.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

#define SPARE_BYTES    (10 * MIB)  /* stay free on the file system */
#define EXCESS_BYTES   (100 * MIB) /* a file that is larger by more than this is replaced */
#define PAGE_BYTES     4096	   /* where the kernel's is not known */
#define AREA_BYTES_MIN (40 * KIB)  /* ten pages; mkswap(8) takes no less */
#define SWAP_OFF_SPARE (64 * MIB)  /* of memory, beside what swapoff brings back */

/* What is wanted: BEST, or anything from LEAST on where BEST does not fit. */
struct target {
	uint64_t best;
	uint64_t least;
	const char *key; /* the configuration's, where BEST comes from it */
	char *why;	 /* of BEST */
};

/* Where the file goes. */
struct room {
	const char *path;
	uint64_t free;
	uint64_t back;	   /* what the present file's removal would add */
	uint64_t reserved; /* free as well, for root alone: never taken */
	char *disk;	   /* "/ (ext4)" */
};

static const char *area_path(const struct facts *facts)
{
	return fact_text_or(&facts->area.path, "the swap area");
}

static int fact_missing(const struct fact *fact, const char *what, struct error *err)
{
	return error_set(err, ENODATA, "cannot tell %s: %s", what,
		fact->is == FACT_UNKNOWN && fact->why ? fact->why : "it is not known");
}

static int round_up(const struct facts *facts, uint64_t *bytes, struct error *err)
{
	const struct fact_number *page_size = &facts->kernel.page_size;
	uint64_t page =
		page_size->is == FACT_KNOWN && page_size->value ? page_size->value : PAGE_BYTES;
	uint64_t over = *bytes % page;

	if (over && __builtin_add_overflow(*bytes, page - over, bytes))
		return error_set(err, EINVAL, "the size of the swap area is out of range");
	return 0;
}

static int share_of_memory(
	const struct facts *facts, uint64_t percentage, uint64_t *bytes, struct error *err)
{
	uint64_t total = facts->memory.total.value, whole, rest = total % 100;

	if (facts->memory.total.is != FACT_KNOWN)
		return fact_missing(fact_of(&facts->memory.total), "how much memory there is", err);
	if (__builtin_mul_overflow(total / 100, percentage, &whole) ||
		__builtin_mul_overflow(rest, percentage, &rest) ||
		__builtin_add_overflow(whole, rest / 100, bytes))
		return error_set(err, EINVAL, "%llu %% of memory is out of range",
			(unsigned long long)percentage);
	return round_up(facts, bytes, err);
}

static int target_auto(const struct facts *facts, const struct config *config,
	struct target *target, struct error *err)
{
	uint64_t fixed, share, memory;
	memory_cleanup_free char *total = NULL;
	int status;

	status = share_of_memory(facts, config->percentage_of_ram, &share, err);
	if (status < 0)
		return status;
	status = share_of_memory(facts, 100, &memory, err);
	if (status < 0)
		return status;
	if (__builtin_mul_overflow(config->target_size_mb, MIB, &fixed))
		return error_set(err, EINVAL, "target-size-mb is out of range");
	status = round_up(facts, &fixed, err);
	if (status < 0)
		return status;
	target->best = share > fixed ? share : fixed;
	target->least = memory < target->best ? memory : target->best;
	total = size_format(facts->memory.total.value);
	if (target->best == 0)
		return error_set(err, EINVAL, "percentage-of-ram and target-size-mb are both 0");
	target->key = share >= fixed ? "percentage-of-ram" : "target-size-mb";
	if (share >= fixed)
		target->why = text_format("%llu %% of memory (%s)",
			(unsigned long long)config->percentage_of_ram, total);
	else
		target->why = text_format("target-size-mb, %llu MiB; memory has %s",
			(unsigned long long)config->target_size_mb, total);
	return 0;
}

static int target_percentage(
	const struct facts *facts, const char *wanted, struct target *target, struct error *err)
{
	memory_cleanup_free char *digits = text_copy_length(wanted, strlen(wanted) - 1);
	memory_cleanup_free char *total = NULL;
	uint64_t percentage;
	int status;

	if (number_parse(digits, &percentage) < 0 || percentage == 0)
		return error_set(err, EINVAL, "size \"%s\" is not a percentage", wanted);
	status = share_of_memory(facts, percentage, &target->best, err);
	if (status < 0)
		return status;
	target->least = target->best;
	total = size_format(facts->memory.total.value);
	target->why = text_format("%s of memory (%s), as asked", wanted, total);
	return 0;
}

static int target_of(const struct facts *facts, const struct config *config, const char *wanted,
	struct target *target, struct error *err)
{
	int status;

	if (!wanted || strcmp(wanted, SIZE_AUTO) == 0)
		return target_auto(facts, config, target, err);
	if (text_ends(wanted, "%"))
		return target_percentage(facts, wanted, target, err);
	if (size_parse(wanted, &target->best) < 0 || target->best == 0)
		return error_set(err, EINVAL,
			"size \"%s\" is not auto, N%%, or a number with K, M, G or T", wanted);
	status = round_up(facts, &target->best, err);
	if (status < 0)
		return status;
	if (target->best < AREA_BYTES_MIN)
		return error_set(err, EINVAL,
			"size \"%s\" is less than the 40 KiB that a swap area has at least; a number without K, M, G or T counts bytes",
			wanted);
	target->least = target->best;
	target->why = text_format("%s, as asked", wanted);
	return 0;
}

/* Blocks shared with another file or a snapshot stay in use. */
static uint64_t given_back(const struct area_facts *area)
{
	uint64_t bytes = 0;

	if (!fact_text_is(&area->kind, "file") || fact_is_true(&area->shared) ||
		area->extents.is != FACT_KNOWN)
		return 0;
	for (size_t i = 0; i < area->extents.count; i++)
		bytes += area->extents.items[i].length.value;
	return bytes;
}

/*
 * The reserve of a file system is not ours to use (ext4: what only root may allocate). Once others
 * have nothing left a part of it may be in use, too: what a removal gives back fills it up first,
 * and how much is left then cannot be told from here.
 */
static struct room room_of(const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	bool in_reserve = area->filesystem_free.value == 0 &&
			  text_starts(fact_text_or(&area->filesystem, ""), "ext");

	return (struct room) { .path = area_path(facts),
		/* what is unfinished goes before anything is made */
		.free = in_reserve ? 0
				   : area->filesystem_free.value +
					     fact_number_or(&area->unfinished, 0),
		.back = in_reserve ? 0 : given_back(area),
		.reserved = fact_number_or(&area->filesystem_reserved, 0),
		.disk = text_format("%s (%s)", fact_text_or(&area->mount_point, "its disk"),
			fact_text_or(&area->filesystem, "file system not known")) };
}

static bool fits(uint64_t bytes, uint64_t free)
{
	return free >= SPARE_BYTES && bytes <= free - SPARE_BYTES;
}

static bool room_fits(const struct room *room, uint64_t bytes)
{
	return fits(bytes, room->free + room->back);
}

static int no_room(const struct room *room, uint64_t bytes, struct error *err)
{
	memory_cleanup_free char *needed = size_format(bytes), *free_text = NULL, *back = NULL;
	memory_cleanup_free char *reserved = size_format(room->reserved), *spare = text_copy("");

	if (bytes <= room->free + room->back)
		text_set(&spare, text_copy("; 10 MiB have to stay free"));
	else if (room->reserved)
		text_set(&spare,
			text_format("; the %s that are reserved for root stay reserved", reserved));
	free_text = size_format(room->free);
	back = size_format(room->back);
	if (room->back)
		return error_set(err, ENOSPC,
			"cannot create %s: needs %s, %s free on %s and %s in the present file%s",
			room->path, needed, free_text, room->disk, back, spare);
	return error_set(err, ENOSPC, "cannot create %s: needs %s, %s free on %s%s", room->path,
		needed, free_text, room->disk, spare);
}

static void keep(struct swap_size *size, const char *path, uint64_t bytes, const char *why)
{
	memory_cleanup_free char *text = size_format(bytes);

	size->decision = SIZE_KEEP;
	size->bytes = bytes;
	size->why = text_format("%s stays as it is, %s: %s", path, text, why);
}

static void make(struct swap_size *size, const struct facts *facts, const struct room *room,
	uint64_t bytes, const char *why)
{
	bool there = facts->area.kind.is == FACT_KNOWN;
	memory_cleanup_free char *text = size_format(bytes);

	size->decision = there ? SIZE_REPLACE : SIZE_CREATE;
	size->bytes = bytes;
	size->remove_first = there && !fits(bytes, room->free);
	size->why = text_format("%s: %s", text, why);
}

/* The same for a present file that is to be replaced, with what is wrong with it. */
static char *why_replaced(const struct facts *facts, const struct target *target)
{
	const char *defect = swap_file_defect(&facts->area);
	memory_cleanup_free char *present = NULL;

	if (facts->area.kind.is != FACT_KNOWN)
		return text_copy(target->why);
	if (defect)
		return text_format("%s; the present file %s", target->why, defect);
	present = size_format(facts->area.size.value);
	return text_format("%s; the present file has %s", target->why, present);
}

static bool present_between(const struct facts *facts, uint64_t least, uint64_t most)
{
	const struct area_facts *area = &facts->area;
	uint64_t limit;

	if (area->kind.is != FACT_KNOWN || area->size.is != FACT_KNOWN || swap_file_defect(area))
		return false;
	if (__builtin_add_overflow(most, EXCESS_BYTES, &limit))
		limit = UINT64_MAX;
	return area->size.value >= least && area->size.value <= limit;
}

bool area_is_adopted(const struct area_facts *area)
{
	if (fact_text_is(&area->header_label, SWAP_LABEL))
		return false;
	return fact_text_is(&area->chosen, CHOSEN_ACTIVE) ||
	       fact_text_is(&area->chosen, CHOSEN_FSTAB);
}

bool swap_only_for_hibernation(const struct area_facts *area)
{
	return fact_text_is(&area->swap_on, SWAP_ON_HIBERNATION);
}

/* Nobody has named it in this run, and it is not ours. */
static bool must_stay(const struct area_facts *area)
{
	return area_is_adopted(area) || (fact_text_is(&area->chosen, CHOSEN_REMEMBERED) &&
						fact_text_is(&area->kind, "file") &&
						!fact_text_is(&area->header_label, SWAP_LABEL));
}

/* A file of somebody else's: as it is, or not at all. */
static int decide_adopted(const struct facts *facts, const struct target *target,
	struct swap_size *size, struct error *err)
{
	const struct area_facts *area = &facts->area;
	const char *defect = swap_file_defect(area);
	memory_cleanup_free char *present = NULL, *needed = size_format(target->least);
	const bool btrfs = fact_text_is(&area->filesystem, "btrfs");

	if (area->size.is != FACT_KNOWN)
		return fact_missing(fact_of(&area->size), "how large the swap file is", err);
	present = size_format(area->size.value);
	if (!defect && area->size.value + SWAP_SIZE_SLACK >= target->least) {
		keep(size, area_path(facts), area->size.value, target->why);
		return 0;
	}
	return error_set(err, EEXIST,
		"cannot use %s: it %s%s, and stays as it is, because ec2hib did not make it; for a file of %s run: ec2hib setup --swapfile %s",
		area_path(facts), defect ? defect : "has ", defect ? "" : present, needed,
		btrfs ? SUGGESTED_SUBVOLUME_FILE : SUGGESTED_FILE);
}

static int decide_file(const struct facts *facts, const struct target *target,
	struct swap_size *size, struct error *err)
{
	const struct fact_number *free_bytes = &facts->area.filesystem_free;
	memory_cleanup_free char *why = why_replaced(facts, target);
	memory_cleanup_free char *lesser = NULL, *best = size_format(target->best);
	struct room room;
	int status = 0;

	if (present_between(facts, target->best, target->best)) {
		keep(size, area_path(facts), facts->area.size.value, target->why);
		return 0;
	}
	if (free_bytes->is != FACT_KNOWN)
		return fact_missing(fact_of(free_bytes), "how much space is free", err);
	room = room_of(facts);
	lesser = text_format("memory's size, since %s (%s) does not fit on %s", best,
		target->key ? target->key : "as asked", room.disk);
	if (room_fits(&room, target->best))
		make(size, facts, &room, target->best, why);
	else if (present_between(facts, target->least, target->best))
		keep(size, room.path, facts->area.size.value, lesser);
	else if (room_fits(&room, target->least))
		make(size, facts, &room, target->least, lesser);
	else
		status = no_room(&room, target->least, err);
	free(room.disk);
	return status;
}

static int decide_device(const struct facts *facts, const struct target *target,
	struct swap_size *size, struct error *err)
{
	memory_cleanup_free char *present = NULL, *needed = size_format(target->least);
	const struct fact_number *bytes = &facts->area.size;

	if (bytes->is != FACT_KNOWN)
		return fact_missing(fact_of(bytes), "how large the swap device is", err);
	present = size_format(bytes->value);
	if (bytes->value < target->least)
		return error_set(err, ENOSPC, "cannot use %s: needs %s, has %s", area_path(facts),
			needed, present);
	keep(size, area_path(facts), bytes->value, target->why);
	return 0;
}

/* What is at the path can be made a swap area. */
static int check_kind(const struct facts *facts, const struct config *config, struct error *err)
{
	const struct fact_text *kind = &facts->area.kind;
	const char *path = area_path(facts);
	bool device_wanted = (config->swap_device && *config->swap_device) ||
			     text_starts(area_path(facts), "/dev/");

	if (kind->is == FACT_UNKNOWN)
		return fact_missing(fact_of(kind), "whether there is a swap area", err);
	if (kind->is == FACT_ABSENT && device_wanted)
		return error_set(err, EINVAL, "cannot use %s: there is no such device", path);
	if (kind->is == FACT_ABSENT || strcmp(kind->value, "device") == 0)
		return 0;
	if (strcmp(kind->value, "link") == 0)
		return error_set(err, EINVAL,
			"cannot use %s: it is a symbolic link, which others could point elsewhere; run: ec2hib setup --swapfile " SUGGESTED_FILE,
			path);
	if (strcmp(kind->value, "file") != 0)
		return error_set(err, EINVAL,
			"cannot use %s: it is neither a regular file nor a block device; run: ec2hib setup --swapfile " SUGGESTED_FILE,
			path);
	if (device_wanted)
		return error_set(err, EINVAL, "cannot use %s: it is not a block device", path);
	return 0;
}

int swap_size_decide(const struct facts *facts, const struct config *config, const char *wanted,
	struct swap_size *size, struct error *err)
{
	struct target target = { 0 };
	int status = check_kind(facts, config, err);

	*size = (struct swap_size) { 0 };
	if (status == 0)
		status = target_of(facts, config, wanted, &target, err);
	if (status == 0 && fact_text_is(&facts->area.kind, "device"))
		status = decide_device(facts, &target, size, err);
	else if (status == 0 && must_stay(&facts->area))
		status = decide_adopted(facts, &target, size, err);
	else if (status == 0)
		status = decide_file(facts, &target, size, err);
	free(target.why);
	return status;
}

void swap_size_free(struct swap_size *size)
{
	free(size->why);
	*size = (struct swap_size) { 0 };
}

/*
 * ext4 allocates at most 128 MiB at once where its groups are empty: a fresh file has an
 * extent for each, or fewer. Twice that and some is still in order.
 */
bool swap_is_fragmented(uint64_t size, size_t extents)
{
	return extents > 32 + size / (64 * MIB);
}

const char *swap_file_defect(const struct area_facts *area)
{
	if (!fact_text_is(&area->kind, "file"))
		return NULL;
	if (area->holes.is == FACT_KNOWN && area->holes.value > 0)
		return "has holes";
	if (fact_is_true(&area->copy_on_write))
		return "is copy-on-write";
	if (fact_is_true(&area->compressed))
		return "is compressed";
	if (fact_is_true(&area->shared))
		return "shares blocks with another file or a snapshot";
	/* The kernel uses what the header covers (mkswap of a smaller file that grew). */
	if (area->header_size.is == FACT_KNOWN && area->size.is == FACT_KNOWN &&
		area->header_size.value + SWAP_SIZE_SLACK < area->size.value)
		return "has a swap header that covers a part of it only";
	/* See extents_resume_offset(): the only reason when the place itself is known. */
	if (area->resume_offset.is == FACT_UNKNOWN && area->extents.is == FACT_KNOWN &&
		area->extents.count > 0 && area->extents.items[0].physical.is == FACT_KNOWN)
		return "does not begin at a page of its device";
	return NULL;
}

int swap_off_fits(
	const char *path, uint64_t used, const struct memory_facts *memory, struct error *err)
{
	memory_cleanup_free char *holds = size_format(used);
	memory_cleanup_free char *room = NULL;

	if (memory->available.is != FACT_KNOWN || used == 0 ||
		used + SWAP_OFF_SPARE <= memory->available.value)
		return 0;
	room = size_format(memory->available.value);
	return error_set(err, EBUSY,
		"cannot switch off %s: it holds %s and only %s of memory is free; end some programs and run it again",
		path, holds, room);
}
