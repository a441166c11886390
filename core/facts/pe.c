/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/pe.h"

#include <string.h>
#include <unistd.h>

#define PE_HEADER_SIZE	   24 /* "PE\0\0" and the COFF header */
#define SECTION_SIZE	   40 /* a row of the section table */
#define SECTION_NAME_SIZE  8
#define SECTIONS_MAX	   96 /* the format's own limit */
#define PE_OFFSET_POSITION 0x3c

static uint32_t le16(const unsigned char *at)
{
	return (uint32_t)(at[0] | at[1] << 8);
}

static uint32_t le32(const unsigned char *at)
{
	return le16(at) | le16(at + 2) << 16;
}

static bool read_at(int fd, uint64_t offset, void *bytes, size_t size)
{
	return pread(fd, bytes, size, (off_t)offset) == (ssize_t)size;
}

bool pe_find_section(int fd, uint64_t size, const char *name, struct pe_section *section)
{
	unsigned char start[64], header[PE_HEADER_SIZE];
	uint64_t table;

	if (!read_at(fd, 0, start, sizeof(start)) || memcmp(start, "MZ", 2) != 0)
		return false;
	table = le32(start + PE_OFFSET_POSITION);
	if (!read_at(fd, table, header, sizeof(header)) || memcmp(header, "PE\0\0", 4) != 0)
		return false;
	table += sizeof(header) + le16(header + 20); /* after the optional header */
	for (uint32_t i = 0; i < le16(header + 6) && i < SECTIONS_MAX; i++) {
		unsigned char row[SECTION_SIZE];
		uint32_t used, stored;

		if (!read_at(fd, table + i * sizeof(row), row, sizeof(row)))
			return false;
		if (strncmp((const char *)row, name, SECTION_NAME_SIZE) != 0)
			continue;
		used = le32(row + 8);
		stored = le32(row + 16);
		section->offset = le32(row + 20);
		/* What is stored is rounded up; what is used may be filled up with zeros. */
		section->size = used && used < stored ? used : stored;
		return section->offset <= size && section->size <= size - section->offset;
	}
	return false;
}
