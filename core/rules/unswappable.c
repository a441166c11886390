/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/unswappable.h"

#include "core/base/memory.h"
#include "core/base/text.h"

/* Per cent of memory. Beside the image the kernel needs some pages of its own. */
#define FITS_NOT_ABOVE 50
#define BARELY_ABOVE   45

/* A part below this share of what cannot go is not worth naming. */
#define NAMED_FROM 10 /* per cent */

uint64_t memory_unswappable(const struct memory_facts *memory)
{
	uint64_t cache = fact_number_or(&memory->zfs_cache, 0);
	uint64_t bytes = fact_number_or(&memory->unswappable, 0);

	return bytes > cache ? bytes - cache : 0;
}

enum image_fit image_fits_memory(const struct memory_facts *memory)
{
	uint64_t share, bytes = memory_unswappable(memory);

	if (memory->unswappable.is != FACT_KNOWN || memory->total.is != FACT_KNOWN ||
		memory->total.value < 100)
		return IMAGE_FIT_UNKNOWN;
	share = bytes / (memory->total.value / 100);
	if (share >= FITS_NOT_ABOVE)
		return IMAGE_FITS_NOT;
	return share >= BARELY_ABOVE ? IMAGE_FITS_BARELY : IMAGE_FITS;
}

/* The parts that have a name; the rest is what drivers took without telling. */
struct parts {
	uint64_t huge, locked, compressed, kernel, rest;
};

static uint64_t take(uint64_t *rest, const struct fact_number *fact)
{
	uint64_t bytes = fact_number_or(fact, 0);

	bytes = bytes < *rest ? bytes : *rest;
	*rest -= bytes;
	return bytes;
}

static struct parts parts_of(const struct memory_facts *memory)
{
	struct parts parts = { .rest = memory_unswappable(memory) };

	parts.huge = take(&parts.rest, &memory->huge_pages);
	parts.locked = take(&parts.rest, &memory->unevictable);
	parts.compressed = take(&parts.rest, &memory->compressed);
	parts.kernel = take(&parts.rest, &memory->kernel);
	return parts;
}

static uint64_t largest(const struct parts *parts)
{
	const uint64_t all[] = { parts->huge, parts->locked, parts->compressed, parts->kernel,
		parts->rest };
	uint64_t most = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		most = all[i] > most ? all[i] : most;
	return most;
}

/* " (most of it by postgres (process 812), 3.9 GiB)", "" where nobody is known. */
static char *holder(const struct memory_facts *memory)
{
	memory_cleanup_free char *bytes = size_format(fact_number_or(&memory->holder_bytes, 0));

	if (memory->holder.is != FACT_KNOWN)
		return text_copy("");
	return text_format(", most by %s, %s", memory->holder.value, bytes);
}

static void add_part(char **text, uint64_t bytes, uint64_t total, const char *what)
{
	memory_cleanup_free char *size = size_format(bytes);

	if (bytes && bytes >= total / 100 * NAMED_FROM)
		text_append(text, "%s%s %s", *text ? ", " : "", size, what);
}

char *unswappable_text(const struct memory_facts *memory)
{
	struct parts parts = parts_of(memory);
	uint64_t bytes = memory_unswappable(memory);
	memory_cleanup_free char *named = NULL, *size = size_format(bytes);
	memory_cleanup_free char *total = size_format(fact_number_or(&memory->total, 0));
	memory_cleanup_free char *by = holder(memory);
	memory_cleanup_free char *huge = text_format("of huge pages (%s)",
		fact_text_or(&memory->huge_pages_setting, "reserved while the machine ran"));
	memory_cleanup_free char *locked = text_format("locked or secret%s", by);

	add_part(&named, parts.huge, bytes, huge);
	add_part(&named, parts.locked, bytes, locked);
	add_part(&named, parts.compressed, bytes, "in compressed swap (zram, zswap)");
	add_part(&named, parts.kernel, bytes, "of the kernel itself");
	add_part(&named, parts.rest, bytes, "of drivers and what else the kernel does not count");
	return text_format("%s of %s of memory cannot be swapped out%s%s", size, total,
		named ? ": " : "", named ? named : "");
}

char *unswappable_fix(const struct memory_facts *memory)
{
	struct parts parts = parts_of(memory);
	uint64_t most = largest(&parts);

	if (most == parts.huge)
		return text_copy(
			"reserve fewer huge pages, or give them back before: sysctl vm.nr_hugepages=0");
	if (most == parts.locked && memory->holder.is == FACT_KNOWN)
		return text_format("stop %s, or have it lock less memory", memory->holder.value);
	if (most == parts.locked)
		return text_copy("stop what locks its memory, or have it lock less");
	if (most == parts.compressed)
		return text_copy("swap to a disk in place of zram and zswap");
	return text_copy("find out what holds it (slabtop, free -w), and stop that before");
}
