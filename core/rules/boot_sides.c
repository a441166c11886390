/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/boot_sides.h"

#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "core/rules/arguments.h"

/* What one command line says. */
static enum boot_side line_side(const struct fact_text *line, const struct strings *wanted)
{
	memory_cleanup_free char *resume = NULL, *offset = NULL;

	if (line->is == FACT_UNKNOWN)
		return SIDE_UNKNOWN;
	if (arguments_complete(fact_text_or(line, ""), wanted))
		return SIDE_WANTED;
	resume = arguments_get(fact_text_or(line, ""), "resume");
	offset = arguments_get(fact_text_or(line, ""), "resume_offset");
	return resume || offset ? SIDE_OTHER : SIDE_BARE;
}

/* The least of what the entries say: an unknown one before all, then one that says nothing. */
enum boot_side boot_result_side(const struct boot_facts *boot, const struct strings *wanted)
{
	enum boot_side side = SIDE_ABSENT;

	if (boot->entries.is == FACT_UNKNOWN)
		return SIDE_UNKNOWN;
	for (size_t i = 0; i < boot->entries.count; i++) {
		const struct entry_facts *entry = &boot->entries.items[i];
		enum boot_side its_side;

		if (!entry_is_of_this_system(boot, entry))
			continue;
		its_side = line_side(&entry->arguments, wanted);
		if (side == SIDE_ABSENT || its_side < side)
			side = its_side;
	}
	return side;
}

enum boot_side boot_settings_side(const struct boot_facts *boot, const struct strings *wanted)
{
	return boot->settings.is == FACT_ABSENT ? SIDE_ABSENT : line_side(&boot->settings, wanted);
}

bool boot_sides_lack(const struct boot_facts *boot, const struct strings *wanted)
{
	enum boot_side settings = boot_settings_side(boot, wanted);

	return boot_result_side(boot, wanted) != SIDE_WANTED || settings == SIDE_BARE ||
	       settings == SIDE_OTHER;
}

bool boot_sides_drop(const struct boot_facts *boot, const struct strings *wanted)
{
	enum boot_side settings = boot_settings_side(boot, wanted);

	return boot_result_side(boot, wanted) == SIDE_WANTED &&
	       (settings == SIDE_BARE || settings == SIDE_OTHER);
}

bool boot_sides_left_over(const struct boot_facts *boot, const struct strings *wanted)
{
	const struct boot_loader *loader = boot_loader_of(boot);

	return loader && loader->generator && boot_sides_drop(boot, wanted);
}
