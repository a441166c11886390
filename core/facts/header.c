/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/header.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/files.h"
#include "core/facts/facts.h"

#define SIGNATURE_LENGTH 10

/* Offsets of union swap_header's info: 1024 bytes are left for a boot sector. */
#define OFFSET_LAST_PAGE 1028
#define OFFSET_UUID	 1036
#define OFFSET_LABEL	 1052

static const size_t page_sizes[] = { 4096, 8192, 16384, 65536 };

/*
 * NULL: none. S1SUSPEND is the kernel's own, the others those of uswsusp and TuxOnIce; all mean an
 * image.
 */
static const char *signature_of(const unsigned char *mark)
{
	static const char *const images[] = { "S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001" };

	if (memcmp(mark, "SWAPSPACE2", SIGNATURE_LENGTH) == 0)
		return SIGNATURE_SWAP;
	for (size_t i = 0; i < ARRAY_SIZE(images); i++)
		if (memcmp(mark, images[i], strlen(images[i])) == 0)
			return SIGNATURE_IMAGE;
	return NULL;
}

static bool is_blank(const unsigned char *bytes, size_t size)
{
	while (size && bytes[size - 1] == 0)
		size--;
	return size == 0;
}

static void format_uuid(char text[37], const unsigned char *uuid)
{
	static const unsigned char none[16];
	char *out = text;

	*text = '\0';
	if (memcmp(uuid, none, 16) == 0)
		return;
	for (int i = 0; i < 16; i++)
		out += sprintf(
			out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

void header_parse(struct swap_header *header, const unsigned char *page, size_t size)
{
	const char *signature;
	uint32_t last_page;

	*header = (struct swap_header) { .signature = is_blank(page, size) ? SIGNATURE_NONE
									   : SIGNATURE_OTHER };
	for (size_t i = 0; i < ARRAY_SIZE(page_sizes); i++) {
		if (page_sizes[i] > size)
			return;
		signature = signature_of(page + page_sizes[i] - SIGNATURE_LENGTH);
		if (!signature)
			continue;
		header->signature = signature;
		header->page_size = (uint32_t)page_sizes[i];
		memcpy(&last_page, page + OFFSET_LAST_PAGE, sizeof(last_page));
		header->size = ((uint64_t)last_page + 1) * page_sizes[i];
		format_uuid(header->uuid, page + OFFSET_UUID);
		memcpy(header->label, page + OFFSET_LABEL, sizeof(header->label) - 1);
		for (char *c = header->label; *c; c++)
			if (*c < ' ' || *c > '~')
				*c = '?';
		return;
	}
}

int header_read(struct swap_header *header, int folder, const char *name, uint64_t position,
	struct error *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	file_cleanup_close int fd = openat(folder, name, flags | O_DIRECT);
	unsigned char *page;
	ssize_t got;
	int code;

	if (fd < 0 && errno == EINVAL) /* a file system without direct I/O */
		fd = openat(folder, name, flags);
	if (fd < 0)
		return error_errno(err, errno, "cannot open %s", name);
	/* mmap gives what O_DIRECT wants: memory aligned to a page, and zeroed. */
	page = mmap(
		NULL, HEADER_SIZE_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return error_errno(err, errno, "cannot read the header of %s", name);
	got = pread(fd, page, HEADER_SIZE_MAX, (off_t)position);
	if (got < 0 && errno == EINVAL) {
		close(fd);
		fd = openat(folder, name, flags);
		got = pread(fd, page, HEADER_SIZE_MAX, (off_t)position);
	}
	code = errno;
	if (got >= 0)
		header_parse(header, page, (size_t)got);
	munmap(page, HEADER_SIZE_MAX);
	if (got < 0)
		return error_errno(err, code, "cannot read the header of %s", name);
	return 0;
}
