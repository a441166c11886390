/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packed bytes, unpacked as they are read. libarchive does it, which is loaded when it is needed;
 * no other program runs.
 */
#ifndef EC2HIB_BASE_PACKED_H
#define EC2HIB_BASE_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/error.h"

/* PACKED_LZ4 also in the form of its first days, which the kernel's own build makes. */
enum packed_kind {
	PACKED_NOT,
	PACKED_GZIP,
	PACKED_BZIP2,
	PACKED_XZ,
	PACKED_LZMA,
	PACKED_ZSTD,
	PACKED_LZ4,
	PACKED_LZOP,
};

/* So many bytes tell the kind for sure. */
#define PACKED_MARK_SIZE 8

/*
 * What begins with these bytes. PACKED_LZMA has no real mark: three bytes that no text begins with.
 */
enum packed_kind packed_kind_of(const void *bytes, size_t size);

/* Where packed bytes come from: at most SIZE into BUFFER; 0 at the end; or a negative errno. */
typedef ssize_t packed_source(void *data, char *buffer, size_t size, struct error *err);

/* A part of an open file, as the DATA of packed_from_range(). It moves on as it is read. */
struct packed_range {
	int fd;
	uint64_t at;
	uint64_t end;
};
packed_source packed_from_range;

struct packed;

/*
 * 0; -ENOSYS: this build or this machine cannot unpack that kind; -EBADMSG: damaged, and the error
 * says only how; or what SOURCE said. packed_close() in any case.
 */
int packed_open(struct packed **packed, enum packed_kind kind, packed_source *source, void *data,
	struct error *err);

/* At most SIZE unpacked bytes; 0 at the end; -EBADMSG: damaged; or what the source said. */
ssize_t packed_read(struct packed *packed, char *buffer, size_t size, struct error *err);

/* After the end: so many bytes of the source were what is packed; others may follow. */
uint64_t packed_used(const struct packed *packed);

/*
 * Where the frames of zstd or lz4 that RANGE begins with end, by the sizes that they say (RFC 8878,
 * 3.1; lz4_Frame_format.md): their unpackers take whatever follows for damage. RANGE's own end for
 * any other kind, and where the sizes make no sense.
 */
uint64_t packed_frames_end(enum packed_kind kind, const struct packed_range *range);

void packed_close(struct packed *packed); /* NULL: nothing */

#endif
