/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/instance_types.h"

#include <string.h>

#include "core/base/compiler.h"
#include "core/base/text.h"

/* Sizes are joined by blanks; "-" is none. */
struct family {
	const char *name;
	const char *hibernated;
	const char *others;
};

#include "core/rules/instance_types_table.h"

/* A type of 1 GiB has a MemTotal of 0.9 GiB and more, one of 0.5 GiB less than that. */
#define MEMTOTAL_OF_1_GIB (768 * MIB)

const char *instance_types_date(void)
{
	return INSTANCE_TYPES_DATE;
}

static bool family_is(const char *type, const char *family)
{
	size_t length = strlen(family);

	return strncmp(type, family, length) == 0 && type[length] == '.';
}

static bool has_size(const char *sizes, const char *size)
{
	size_t length = strlen(size);

	for (const char *at = sizes; (at = strstr(at, size)); at++)
		if ((at == sizes || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

enum type_hibernates instance_type_hibernates(const char *type)
{
	const char *point = strchr(type, '.');

	/* What is in the lists of sizes and is not one. */
	if (!point || !point[1] || strcmp(point, ".-") == 0 || strchr(point, ' '))
		return TYPE_NOT_KNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (!family_is(type, families[i].name))
			continue;
		if (has_size(families[i].hibernated, point + 1))
			return TYPE_HIBERNATES;
		return has_size(families[i].others, point + 1) ? TYPE_DOES_NOT : TYPE_NOT_KNOWN;
	}
	return TYPE_NOT_KNOWN;
}

/* "m5.metal", and by size "m7i.metal-24xl". */
bool instance_type_is_bare_metal(const char *type)
{
	const char *size = strchr(type, '.');

	return size && (strcmp(size, ".metal") == 0 || text_starts(size, ".metal-"));
}

uint64_t instance_type_memory_min(const char *type)
{
	return family_is(type, "t3") || family_is(type, "t3a") ? MEMTOTAL_OF_1_GIB : 0;
}
