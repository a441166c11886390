/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/packed.h"

#include <config.h> /* not the one beside it */

#ifdef HAVE_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/library.h"
#include "core/base/memory.h"

/* As much as is asked of the source at a time. */
#define PIECE_SIZE ((size_t)256 * 1024)

static const struct {
	const char *mark;
	size_t length;
	enum packed_kind kind;
} marks[] = {
	{ "\x1f\x8b", 2, PACKED_GZIP },
	{ "\3757zXZ", 6, PACKED_XZ },
	{ "\x28\xb5\x2f\xfd", 4, PACKED_ZSTD },
	{ "BZh", 3, PACKED_BZIP2 },
	{ "\x04\x22\x4d\x18", 4, PACKED_LZ4 },
	{ "\x02\x21\x4c\x18", 4, PACKED_LZ4 },
	{ "\x5d\x00\x00", 3, PACKED_LZMA },
	{ "\x89LZO", 4, PACKED_LZOP },
};

enum packed_kind packed_kind_of(const void *bytes, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (size >= marks[i].length && memcmp(bytes, marks[i].mark, marks[i].length) == 0)
			return marks[i].kind;
	return PACKED_NOT;
}

static const char *kind_name(enum packed_kind kind)
{
	static const char *const names[] = { "not packed", "gzip", "bzip2", "xz", "lzma", "zstd",
		"lz4", "lzop" };

	return names[kind];
}

ssize_t packed_from_range(void *data, char *buffer, size_t size, struct error *err)
{
	struct packed_range *range = data;
	uint64_t left = range->end - range->at;
	ssize_t got;

	if (size > left)
		size = (size_t)left;
	do
		got = pread(range->fd, buffer, size, (off_t)range->at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_errno(err, errno, "cannot read it");
	range->at += (uint64_t)got;
	return got;
}

/* ---- Frames ---- */

static uint32_t le32(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* The COUNT bytes at AT, at most 4, as a number; false: they are not there. */
static bool number_at(const struct packed_range *range, uint64_t at, size_t count, uint32_t *number)
{
	unsigned char bytes[4] = { 0 };

	if (at + count > range->end || pread(range->fd, bytes, count, (off_t)at) != (ssize_t)count)
		return false;
	*number = le32(bytes);
	return true;
}

/*
 * More than a gigabyte has, in the 64 KiB that are the smallest anybody uses; looking at each
 * costs.
 */
#define BLOCKS_MAX 65536

#define ZSTD_MAGIC	 0xfd2fb528U
#define SKIPPABLE_MAGIC	 0x184d2a50U /* and the fifteen after it */
#define LZ4_MAGIC	 0x184d2204U
#define LZ4_LEGACY_MAGIC 0x184c2102U

/* The end of the frame of zstd whose header begins at AT; 0: it cannot be told. */
static uint64_t zstd_frame_end(const struct packed_range *range, uint64_t at)
{
	static const unsigned dictionary[] = { 0, 1, 2, 4 }, content[] = { 0, 2, 4, 8 };
	uint32_t descriptor, block = 0;
	bool single;

	if (!number_at(range, at, 1, &descriptor))
		return 0;
	single = descriptor >> 5 & 1;
	at += 1 + !single + dictionary[descriptor & 3] + content[descriptor >> 6] +
	      (single && descriptor >> 6 == 0);
	for (int blocks = 0; !(block & 1); blocks++) {
		if (blocks == BLOCKS_MAX || !number_at(range, at, 3, &block))
			return 0;
		/* A block that is one byte many times over stores that byte. */
		at += 3 + ((block >> 1 & 3) == 1 ? 1 : block >> 3);
	}
	return at + (descriptor & 4);
}

static uint64_t lz4_frame_end(const struct packed_range *range, uint64_t at)
{
	uint32_t flags, size;

	if (!number_at(range, at, 1, &flags))
		return 0;
	/* Flags, block size, content size, dictionary, checksum. */
	at += 2 + (flags & 8) + (flags & 1 ? 4 : 0) + 1;
	for (int blocks = 0; blocks < BLOCKS_MAX; blocks++) {
		if (!number_at(range, at, 4, &size))
			return 0;
		at += 4;
		if (size == 0)
			return at + (flags & 4);
		at += (size & 0x7fffffffU) + (flags & 16 ? 4 : 0);
	}
	return 0;
}

/* Blocks up to the end, to zeros, or to what cannot be a block's size (8 MiB unpacked at most). */
static uint64_t lz4_legacy_end(const struct packed_range *range, uint64_t at)
{
	uint32_t size;

	for (int blocks = 0; blocks < BLOCKS_MAX; blocks++) {
		if (!number_at(range, at, 4, &size) || !size || size > 0x810000 ||
			at + 4 + size > range->end)
			return at;
		at += 4 + (uint64_t)size;
	}
	return 0;
}

static uint64_t frame_end(const struct packed_range *range, uint64_t at)
{
	uint32_t magic, size;

	if (!number_at(range, at, 4, &magic))
		return 0;
	if (magic == ZSTD_MAGIC)
		return zstd_frame_end(range, at + 4);
	if (magic == LZ4_MAGIC)
		return lz4_frame_end(range, at + 4);
	if (magic == LZ4_LEGACY_MAGIC)
		return lz4_legacy_end(range, at + 4);
	if ((magic & ~15U) == SKIPPABLE_MAGIC && number_at(range, at + 4, 4, &size))
		return at + 8 + size;
	return 0;
}

uint64_t packed_frames_end(enum packed_kind kind, const struct packed_range *range)
{
	uint64_t at = range->at, next;

	if (kind != PACKED_ZSTD && kind != PACKED_LZ4)
		return range->end;
	while ((next = frame_end(range, at)) != 0 && next <= range->end)
		at = next;
	return at == range->at ? range->end : at;
}

#ifdef HAVE_LIBARCHIVE
LIBRARY_NOTE(archive_note, "unpacking", "packed kernel logs, initramfs images and kernels",
	"recommended", "\"libarchive.so.13\"");

/* clang-format off */
#define ARCHIVE_FUNCTIONS(X)                                                                   \
	X(read_new) X(read_free) X(read_support_format_raw) X(read_support_filter_gzip)        \
	X(read_support_filter_bzip2) X(read_support_filter_xz) X(read_support_filter_lzma)     \
	X(read_support_filter_zstd) X(read_support_filter_lz4) X(read_support_filter_lzop)     \
	X(read_open) X(read_next_header) X(read_data) X(filter_bytes) X(error_string)
/* clang-format on */

static struct {
#define X(name) __typeof__(archive_##name) *name;
	ARCHIVE_FUNCTIONS(X)
#undef X
} archives;

static const struct library_function archive_functions[] = {
#define X(name) { "archive_" #name, offsetof(__typeof__(archives), name) },
	ARCHIVE_FUNCTIONS(X)
#undef X
};

static const struct library archive_library = {
	.title = "libarchive",
	.names = (const char *const[]) { "libarchive.so.13", NULL },
	.functions = archive_functions,
	.count = ARRAY_SIZE(archive_functions),
	.remedy = "the package libarchive13 (Debian, Ubuntu, SUSE) or libarchive (Fedora family)",
};

struct packed {
	struct archive *archive;
	packed_source *source;
	void *data;
	int status; /* what the source said last, when it failed */
	struct error failure;
	char buffer[PIECE_SIZE];
};

static la_ssize_t read_source(struct archive *archive UNUSED, void *data, const void **bytes)
{
	struct packed *packed = data;
	ssize_t got = packed->source(
		packed->data, packed->buffer, sizeof(packed->buffer), &packed->failure);

	*bytes = packed->buffer;
	if (got < 0)
		packed->status = (int)got;
	return got < 0 ? -1 : got;
}

/*
 * A filter of the library itself: where it would run a program of the system's it does not say OK.
 */
static int add_filter(struct archive *archive, enum packed_kind kind)
{
	switch (kind) {
	case PACKED_GZIP:
		return archives.read_support_filter_gzip(archive);
	case PACKED_BZIP2:
		return archives.read_support_filter_bzip2(archive);
	case PACKED_XZ:
		return archives.read_support_filter_xz(archive);
	case PACKED_LZMA:
		return archives.read_support_filter_lzma(archive);
	case PACKED_ZSTD:
		return archives.read_support_filter_zstd(archive);
	case PACKED_LZ4:
		return archives.read_support_filter_lz4(archive);
	case PACKED_LZOP:
		return archives.read_support_filter_lzop(archive);
	case PACKED_NOT:
		break;
	}
	return ARCHIVE_FATAL;
}

static int failed(const struct packed *packed, struct error *err)
{
	const char *why = archives.error_string(packed->archive);

	if (packed->status < 0) {
		*err = packed->failure;
		return packed->status;
	}
	return error_set(err, EBADMSG, "%s", why ? why : "it cannot be unpacked");
}

int packed_open(struct packed **opened, enum packed_kind kind, packed_source *source, void *data,
	struct error *err)
{
	struct archive_entry *entry;
	struct packed *packed;
	int status = 0;

	*opened = NULL;
	if (!archives.read_new)
		status = library_open(&archive_library, &archives, err);
	if (status < 0)
		return error_prefix(err, -ENOSYS, "it is packed with %s", kind_name(kind));
	packed = *opened = memory_new(1, sizeof(*packed));
	packed->source = source;
	packed->data = data;
	packed->archive = archives.read_new();
	if (!packed->archive)
		abort(); /* no memory: core/base/memory.h */
	if (archives.read_support_format_raw(packed->archive) != ARCHIVE_OK ||
		add_filter(packed->archive, kind) != ARCHIVE_OK)
		return error_set(err, ENOSYS,
			"it is packed with %s, which this libarchive cannot unpack",
			kind_name(kind));
	if (archives.read_open(packed->archive, packed, NULL, read_source, NULL) != ARCHIVE_OK ||
		archives.read_next_header(packed->archive, &entry) != ARCHIVE_OK)
		return failed(packed, err);
	return 0;
}

ssize_t packed_read(struct packed *packed, char *buffer, size_t size, struct error *err)
{
	la_ssize_t got = archives.read_data(packed->archive, buffer, size);

	return got < 0 ? failed(packed, err) : got;
}

uint64_t packed_used(const struct packed *packed)
{
	la_int64_t used = archives.filter_bytes(packed->archive, -1);

	return used > 0 ? (uint64_t)used : 0;
}

void packed_close(struct packed *packed)
{
	if (packed)
		archives.read_free(packed->archive);
	free(packed);
}
#else
int packed_open(struct packed **packed, enum packed_kind kind, packed_source *source UNUSED,
	void *data UNUSED, struct error *err)
{
	*packed = NULL;
	return error_set(err, ENOSYS,
		"it is packed with %s, and this ec2hib was built without libarchive",
		kind_name(kind));
}

ssize_t packed_read(struct packed *packed UNUSED, char *buffer UNUSED, size_t size UNUSED,
	struct error *err UNUSED)
{
	return -ENOSYS;
}

uint64_t packed_used(const struct packed *packed UNUSED)
{
	return 0;
}

void packed_close(struct packed *packed UNUSED)
{
}
#endif
