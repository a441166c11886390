/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/extents.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <endian.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "core/base/memory.h"
#include "core/base/text.h"

#define EXTENTS_A_CALL 512
#define SEARCH_BYTES   65536

void extents_append(extent_list *extents, uint64_t logical, uint64_t physical, uint64_t length)
{
	struct extent_facts *last = extents->count ? &extents->items[extents->count - 1] : NULL;

	if (last && last->logical.value + last->length.value == logical &&
		last->physical.value + last->length.value == physical) {
		last->length.value += length;
		return;
	}
	last = facts_add(extents);
	fact_set_number(&last->logical, logical);
	fact_set_number(&last->physical, physical);
	fact_set_number(&last->length, length);
}

void extents_resume_offset(struct fact_number *offset, const extent_list *extents, uint64_t page)
{
	const struct extent_facts *first = extents->count ? extents->items : NULL;

	if (!first || first->logical.value != 0)
		fact_set_absent(fact_of(offset));
	else if (first->physical.value % page)
		fact_set_unknown(fact_of(offset),
			"the file begins at byte %llu of its device, which is not the start of a page of %llu bytes",
			(unsigned long long)first->physical.value, (unsigned long long)page);
	else
		fact_set_number(offset, first->physical.value / page);
}

/* ---- btrfs: from a logical address to the device ------------------------------------------- */

/* A chunk: LENGTH bytes of logical addresses, in one piece on the device. Length 0: none yet. */
struct chunk {
	uint64_t logical;
	uint64_t length;
	uint64_t physical;
};

/* One search of the chunk tree for the chunks that begin in [from, to]; keeps the last of them. */
static int search_chunks(struct btrfs_ioctl_search_args_v2 *search, int fd, uint64_t from,
	uint64_t to, uint64_t *logical, struct btrfs_chunk *item, struct error *err)
{
	const char *buffer = (const char *)search->buf;
	size_t position = 0;

	search->key = (struct btrfs_ioctl_search_key) {
		.tree_id = BTRFS_CHUNK_TREE_OBJECTID,
		.min_objectid = BTRFS_FIRST_CHUNK_TREE_OBJECTID,
		.max_objectid = BTRFS_FIRST_CHUNK_TREE_OBJECTID,
		.min_type = BTRFS_CHUNK_ITEM_KEY,
		.max_type = BTRFS_CHUNK_ITEM_KEY,
		.min_offset = from,
		.max_offset = to,
		.max_transid = UINT64_MAX,
		.nr_items = UINT32_MAX,
	};
	search->buf_size = SEARCH_BYTES;
	if (ioctl(fd, BTRFS_IOC_TREE_SEARCH_V2, search) < 0)
		return error_errno(err, errno, "cannot read the chunk tree of btrfs");
	for (uint32_t i = 0; i < search->key.nr_items; i++) {
		struct btrfs_ioctl_search_header header;

		memcpy(&header, buffer + position, sizeof(header));
		position += sizeof(header);
		if (header.len < sizeof(*item) || position + header.len > SEARCH_BYTES)
			return error_set(
				err, EIO, "btrfs returned a chunk of %u bytes", header.len);
		memcpy(item, buffer + position, sizeof(*item));
		*logical = header.offset;
		position += header.len;
	}
	return (int)search->key.nr_items;
}

/* Makes CHUNK the one that holds ADDRESS: the last that begins at or before it. */
static int find_chunk(int fd, uint64_t address, struct chunk *chunk, struct error *err)
{
	memory_cleanup_free struct btrfs_ioctl_search_args_v2 *search = NULL;
	struct btrfs_chunk item = { 0 };
	uint64_t from = 0, logical = 0;
	int found;

	if (address >= chunk->logical && address - chunk->logical < chunk->length)
		return 0;
	search = memory_new(1, sizeof(*search) + SEARCH_BYTES);
	do {
		found = search_chunks(search, fd, from, address, &logical, &item, err);
		if (found < 0)
			return found;
		from = logical + 1;
	} while (found > 0 && from <= address);
	if (address - logical >= le64toh(item.length))
		return error_set(err, EIO, "btrfs has no chunk for address %llu",
			(unsigned long long)address);
	if (le16toh(item.num_stripes) != 1)
		return error_set(err, ENOTSUP,
			"btrfs keeps the file in %u stripes; a swap file needs the single profile",
			le16toh(item.num_stripes));
	*chunk = (struct chunk) { .logical = logical,
		.length = le64toh(item.length),
		.physical = le64toh(item.stripe.offset) };
	return 0;
}

static int append_btrfs(extent_list *extents, int fd, const struct fiemap_extent *extent,
	struct chunk *chunk, struct error *err)
{
	uint64_t logical = extent->fe_logical, address = extent->fe_physical;
	uint64_t left = extent->fe_length;

	while (left) {
		int status = find_chunk(fd, address, chunk, err);
		uint64_t inside, piece;

		if (status < 0)
			return status;
		inside = address - chunk->logical;
		piece = chunk->length - inside < left ? chunk->length - inside : left;
		extents_append(extents, logical, chunk->physical + inside, piece);
		logical += piece;
		address += piece;
		left -= piece;
	}
	return 0;
}

/* ---- FIEMAP ---------------------------------------------------------------------------------- */

/* What is remembered while one file is mapped. */
struct mapping {
	extent_list *extents;
	struct extents_summary *summary;
	int fd;
	uint64_t size;
	bool btrfs;
	struct chunk chunk;
};

static int take_extent(
	struct mapping *mapping, const struct fiemap_extent *extent, struct error *err)
{
	struct extents_summary *summary = mapping->summary;
	struct fiemap_extent part = *extent;

	if (extent->fe_flags & FIEMAP_EXTENT_SHARED)
		summary->shared = true;
	if (extent->fe_flags & (FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_DATA_INLINE))
		summary->compressed = true;
	if (extent->fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC)) {
		summary->unmapped = true;
		return 0;
	}
	/* Blocks allocated beyond the end of the file are not part of the swap area. */
	if (part.fe_logical >= mapping->size)
		return 0;
	if (part.fe_length > mapping->size - part.fe_logical)
		part.fe_length = mapping->size - part.fe_logical;
	if (mapping->btrfs && !(extent->fe_flags & FIEMAP_EXTENT_DATA_INLINE))
		return append_btrfs(mapping->extents, mapping->fd, &part, &mapping->chunk, err);
	extents_append(mapping->extents, part.fe_logical, part.fe_physical, part.fe_length);
	return 0;
}

/* An offset counts from the start of one device, and resume= names one. */
static int refuse_several_devices(int fd, struct error *err)
{
	struct btrfs_ioctl_fs_info_args info = { 0 };

	if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) < 0)
		return error_errno(err, errno, "cannot ask btrfs for its devices");
	if (info.num_devices == 1)
		return 0;
	return error_set(err, ENOTSUP,
		"btrfs has %llu devices; a swap file to hibernate to needs a file system on one",
		(unsigned long long)info.num_devices);
}

int extents_map(extent_list *extents, struct extents_summary *summary, int fd, uint64_t size,
	struct error *err)
{
	struct mapping mapping = { extents, summary, fd, size, false, { 0 } };
	memory_cleanup_free struct fiemap *map =
		memory_new(1, sizeof(*map) + EXTENTS_A_CALL * sizeof(map->fm_extents[0]));
	struct statfs filesystem;
	uint64_t next = 0;
	bool last = false;
	int status;

	*summary = (struct extents_summary) { 0 };
	mapping.btrfs = fstatfs(fd, &filesystem) == 0 && filesystem.f_type == BTRFS_SUPER_MAGIC;
	status = mapping.btrfs ? refuse_several_devices(fd, err) : 0;
	if (status < 0)
		return status;
	while (!last) {
		map->fm_start = next;
		map->fm_length = FIEMAP_MAX_OFFSET - next;
		map->fm_flags = FIEMAP_FLAG_SYNC;
		map->fm_extent_count = EXTENTS_A_CALL;
		map->fm_mapped_extents = 0;
		if (ioctl(fd, FS_IOC_FIEMAP, map) < 0)
			return error_errno(
				err, errno, "the file system cannot tell where the file lies");
		if (map->fm_mapped_extents == 0)
			break;
		for (uint32_t i = 0; i < map->fm_mapped_extents; i++) {
			const struct fiemap_extent *extent = &map->fm_extents[i];

			if (extent->fe_logical > next && next < size)
				summary->holes++;
			status = take_extent(&mapping, extent, err);
			if (status < 0)
				return status;
			next = extent->fe_logical + extent->fe_length;
			last = last || (extent->fe_flags & FIEMAP_EXTENT_LAST);
		}
	}
	if (next < size)
		summary->holes++;
	extents->is = FACT_KNOWN;
	return 0;
}
