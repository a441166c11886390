/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/families.h"

#include <string.h>

#include "core/base/compiler.h"
#include "core/base/text.h"

/*
 * x86 families as the guide names them. The Graviton families came in July 2024 all at
 * once, with Graviton 2 and 3; the names here are those that there were then.
 */
const char *const families[] = { "c3", "c4", "c5", "c5d", "c6g", "c6gd", "c6gn", "c6i", "c6id",
	"c7g", "c7gd", "c7gn", "i3", "i3en", "i4g", "im4gn", "is4gen", "m3", "m4", "m5", "m5a",
	"m5ad", "m5d", "m6g", "m6gd", "m6i", "m6id", "m7g", "m7gd", "m7i", "m7i-flex", "r3", "r4",
	"r5", "r5a", "r5ad", "r5d", "r6g", "r6gd", "r7g", "r7gd", "t2", "t3", "t3a", "t4g",
	"x2gd" };
const size_t family_count = ARRAY_SIZE(families);

/* A type of 1 GiB has a MemTotal of 0.9 GiB and more, one of 0.5 GiB less than that. */
#define MEMTOTAL_OF_1_GIB (768 * MIB)

static bool family_is(const char *type, const char *family)
{
	size_t length = strlen(family);

	return strncmp(type, family, length) == 0 && type[length] == '.';
}

bool family_is_listed(const char *type)
{
	for (size_t i = 0; i < family_count; i++)
		if (family_is(type, families[i]))
			return true;
	return false;
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
