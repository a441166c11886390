/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/kernel_image.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/packed.h"
#include "core/facts/boot_loader.h"
#include "core/facts/cache.h"
#include "core/facts/pe.h"

/* uname(2): a release has at most 64 bytes. */
#define RELEASE_MAX 64

/* Header and first pages: all that tells the kinds of kernels apart. */
#define START_SIZE ((size_t)1024)

/* Larger than any unpacked kernel. */
#define KERNEL_LIMIT (256 * MIB)

#define PIECE_SIZE ((size_t)256 * 1024)

static const char banner[] = "Linux version ";

struct kernel {
	int fd;
	uint64_t offset; /* where it begins in the file, */
	uint64_t size;	 /* and how long it is */
	unsigned char start[START_SIZE];
};

static uint32_t le32(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* The release that TEXT, of LENGTH bytes, begins with; NULL: none. The caller frees it. */
static char *release_at(const char *text, size_t length)
{
	size_t i = 0;

	if (!length || !isdigit((unsigned char)*text))
		return NULL;
	while (i < length &&
		(isalnum((unsigned char)text[i]) || (text[i] && strchr("._+~-", text[i]))))
		i++;
	/* What ends it: a blank and who built the kernel, or the end of the text. */
	if (i > RELEASE_MAX || !memchr(text, '.', i) ||
		(i < length && text[i] && !isspace((unsigned char)text[i])))
		return NULL;
	return text_copy_length(text, i);
}

static int no_kernel(struct error *err)
{
	return error_set(err, EBADMSG, "it is not a kernel that ec2hib can read");
}

/* "6.1.0-25-amd64 (debian-kernel@lists.debian.org) #1 SMP ..." */
static int read_x86(const struct kernel *kernel, char **release, struct error *err)
{
	uint64_t at = 0x200 + (uint64_t)(kernel->start[0x20e] | kernel->start[0x20f] << 8);
	char text[2 * RELEASE_MAX];
	ssize_t got = -1;

	if (at > 0x200 && at < kernel->size)
		got = pread(kernel->fd, text, sizeof(text), (off_t)(kernel->offset + at));
	if (got > 0)
		*release = release_at(text, (size_t)got);
	return *release ? 0 : no_kernel(err);
}

/* "Linux version 6.1.0-25-arm64 (debian..." within BYTES. */
static char *find_banner(const char *bytes, size_t size)
{
	const char *end = bytes + size;

	while ((bytes = memmem(bytes, (size_t)(end - bytes), banner, strlen(banner)))) {
		char *release;

		bytes += strlen(banner);
		release = release_at(bytes, (size_t)(end - bytes));
		if (release)
			return release;
	}
	return NULL;
}

/* Reads on where it was: packed_read() or packed_from_range(). */
typedef ssize_t read_on(void *from, char *buffer, size_t size, struct error *err);

static int scan(read_on *next, void *from, char **release, struct error *err)
{
	/* What a piece ends with is looked at again with the next one. */
	const size_t overlap = strlen(banner) + 2 * RELEASE_MAX;
	memory_cleanup_free char *buffer = memory_new(1, PIECE_SIZE);
	uint64_t total = 0;
	size_t there = 0;
	ssize_t got;

	while ((got = next(from, buffer + there, PIECE_SIZE - there, err)) > 0) {
		there += (size_t)got;
		total += (uint64_t)got;
		*release = there > overlap ? find_banner(buffer, there) : NULL;
		if (*release)
			return 0;
		if (total > KERNEL_LIMIT)
			break;
		if (there > overlap) {
			memmove(buffer, buffer + there - overlap, overlap);
			there = overlap;
		}
	}
	if (got < 0)
		return (int)got;
	*release = find_banner(buffer, there);
	return *release ? 0 : no_kernel(err);
}

static ssize_t read_packed(void *from, char *buffer, size_t size, struct error *err)
{
	return packed_read(from, buffer, size, err);
}

static int read_packed_kernel(
	const struct kernel *kernel, enum packed_kind kind, char **release, struct error *err)
{
	struct packed_range range = { kernel->fd, kernel->offset, kernel->offset + kernel->size };
	struct packed *packed;
	int status = packed_open(&packed, kind, packed_from_range, &range, err);

	if (status == 0)
		status = scan(read_packed, packed, release, err);
	packed_close(packed);
	return status;
}

/* The part of a kernel from OFFSET on, as a kernel of its own. */
static int open_part(struct kernel *part, const struct kernel *whole, uint64_t offset,
	uint64_t size, struct error *err)
{
	if (offset > whole->size || size > whole->size - offset)
		return no_kernel(err);
	*part = (struct kernel) { .fd = whole->fd, .offset = whole->offset + offset, .size = size };
	if (pread(part->fd, part->start, START_SIZE, (off_t)part->offset) < 0)
		return error_errno(err, errno, "cannot read it");
	return 0;
}

/* What begins as an EFI program: "zimg" after "MZ", then offset and size of the packed Image. */
static int read_zboot(const struct kernel *kernel, char **release, struct error *err)
{
	struct kernel part;
	int status =
		open_part(&part, kernel, le32(kernel->start + 8), le32(kernel->start + 12), err);
	enum packed_kind kind;

	if (status < 0)
		return status;
	kind = packed_kind_of(part.start, PACKED_MARK_SIZE);
	return kind == PACKED_NOT ? no_kernel(err) : read_packed_kernel(&part, kind, release, err);
}

static int read_kernel(const struct kernel *kernel, char **release, struct error *err)
{
	struct packed_range range = { kernel->fd, kernel->offset, kernel->offset + kernel->size };
	enum packed_kind kind = packed_kind_of(kernel->start, PACKED_MARK_SIZE);

	if (memcmp(kernel->start + 0x202, "HdrS", 4) == 0)
		return read_x86(kernel, release, err);
	if (memcmp(kernel->start, "MZ", 2) == 0 && memcmp(kernel->start + 4, "zimg", 4) == 0)
		return read_zboot(kernel, release, err);
	if (kind == PACKED_GZIP || kind == PACKED_ZSTD || kind == PACKED_XZ || kind == PACKED_LZ4)
		return read_packed_kernel(kernel, kind, release, err);
	/*
	 * arm64 (Linux Documentation/arch/arm64/booting.rst), or a kernel as the linker makes it.
	 */
	if (memcmp(kernel->start + 0x38, "ARM\x64", 4) == 0 ||
		memcmp(kernel->start, "\177ELF", 4) == 0)
		return scan(packed_from_range, &range, release, err);
	return no_kernel(err);
}

static int read_unified(const struct kernel *kernel, char **release, struct error *err)
{
	struct pe_section section;
	struct kernel part;
	int status;

	if (pe_find_section(kernel->fd, kernel->size, ".uname", &section)) {
		status = open_part(&part, kernel, section.offset, section.size, err);
		if (status < 0)
			return status;
		*release = release_at((const char *)part.start,
			section.size < START_SIZE ? (size_t)section.size : START_SIZE);
		if (*release)
			return 0;
	}
	if (!pe_find_section(kernel->fd, kernel->size, ".linux", &section))
		return no_kernel(err);
	status = open_part(&part, kernel, section.offset, section.size, err);
	return status < 0 ? status : read_kernel(&part, release, err);
}

int kernel_image_release(
	const struct root *root, const char *path, char **release, struct error *err)
{
	memory_cleanup_free char *shown = root_shown(root, path);
	file_cleanup_close int fd = root_openat(root, path, O_RDONLY | O_NONBLOCK, 0, err);
	struct kernel kernel = { .fd = fd };
	struct pe_section section;
	struct stat about;
	int status;

	*release = NULL;
	if (fd < 0)
		return fd;
	if (fstat(fd, &about) < 0)
		return error_errno(err, errno, "cannot read %s", shown);
	if (!S_ISREG(about.st_mode))
		return error_set(err, EBADMSG, "%s is not a file", shown);
	kernel.size = (uint64_t)about.st_size;
	status = open_part(&kernel, &kernel, 0, kernel.size, err);
	if (status == 0 && pe_find_section(fd, kernel.size, ".linux", &section))
		status = read_unified(&kernel, release, err);
	else if (status == 0)
		status = read_kernel(&kernel, release, err);
	return status < 0 ? error_prefix(err, status, "cannot tell the release of %s", shown) : 0;
}

/* ---- The name ---- */

/* True when PATH has RELEASE as a part: "/boot/vmlinuz-RELEASE", "/machine-id/RELEASE/linux". */
static bool names_release(const char *path, const char *release)
{
	static const char *const ends[] = { "/", "-bzImage", ".efi", ".gz", ".img" };
	size_t length = strlen(release);

	for (const char *at = path; (at = strstr(at, release)); at++) {
		if (at == path || !strchr("/-", at[-1]))
			continue;
		if (!at[length])
			return true;
		for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
			if (text_starts(at + length, ends[i]))
				return true;
	}
	return false;
}

/* The release in the name PATH for which modules are installed, the longest; NULL: none. */
static char *release_of_name(const struct root *root, const char *path)
{
	static const char *const folders[] = { "/usr/lib/modules", "/lib/modules" };
	char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		strings_cleanup struct strings names = { 0 };
		struct error ignored = { "" };

		root_list(root, folders[i], &names, &ignored);
		for (size_t j = 0; j < names.count; j++)
			if (names_release(path, names.items[j]) &&
				(!found || strlen(names.items[j]) > strlen(found)))
				text_set(&found, text_copy(names.items[j]));
	}
	return found;
}

#define CACHED_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                              \
	NUMBER(format, "", "version of this layout")                                               \
	TEXT(files, "identity of the files")                                                       \
	TEXT(release, "of the kernel")
struct cached_kernel {
	FACT_MEMBERS(CACHED_FACTS)
};
static FACT_LAYOUT(cached_kernel, CACHED_FACTS);

static const struct cache_kind cached_kernel_kind = { "kernel.json", &cached_kernel_layout, 1 };

/* Reads the kernel, or what was found in it before; NULL and why: it does not tell. */
static char *find_release(
	const struct root *root, const char *path, const char *state_dir, struct error *err)
{
	strings_cleanup struct strings files = { 0 };
	memory_cleanup_free char *identity = NULL;
	struct cached_kernel cached = { 0 };
	char *release = NULL;

	strings_add(&files, path);
	identity = cache_identity(root, &files);
	if (!cache_read(&cached_kernel_kind, &cached, root, state_dir, identity) ||
		cached.release.is != FACT_KNOWN) {
		layout_free(&cached_kernel_layout, &cached);
		kernel_image_release(root, path, &release, err);
		fact_set_text(&cached.release, release);
		if (release)
			cache_write(
				&cached_kernel_kind, &cached, root, state_dir, &files, identity);
	}
	text_set(&release, text_copy(cached.release.value));
	layout_free(&cached_kernel_layout, &cached);
	return release;
}

void kernel_image_gather(struct boot_facts *boot, const struct root *root, const char *state_dir)
{
	for (size_t i = 0; i < boot->entries.count; i++) {
		struct entry_facts *entry = &boot->entries.items[i];
		memory_cleanup_free char *path = NULL;
		char *release = NULL;
		struct error err = { "" };

		if (!fact_is_true(&entry->is_default) || entry->kernel.is != FACT_KNOWN)
			continue;
		path = boot_real_path(root, entry->kernel.value);
		if (path)
			release = find_release(root, path, state_dir, &err);
		else
			error_set(&err, ENOENT, "%s was not found", entry->kernel.value);
		if (!release)
			release = release_of_name(root, path ? path : entry->kernel.value);
		if (release)
			fact_take_text(&entry->release, release);
		else
			fact_set_unknown(fact_of(&entry->release), "%s", err.text);
	}
}
