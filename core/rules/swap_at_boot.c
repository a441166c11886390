/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/swap_at_boot.h"

#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/swap_units.h"
#include "core/rules/arguments.h"

#define FIX_ARGUMENT "take it out of the kernel command line of the boot entries"

/* What the next boot is told; NULL: nobody knows. */
static const char *next_arguments(const struct facts *facts)
{
	const struct entry_facts *next = facts_next_entry(facts);

	return next ? fact_text_or(&next->arguments, NULL) : NULL;
}

/* As systemd reads a boolean (parse_boolean()). */
static bool is_off(const char *line, const char *key)
{
	static const char *const words[] = { "0", "no", "n", "false", "f", "off" };
	memory_cleanup_free char *value = arguments_get(line, key);

	for (size_t i = 0; value && i < ARRAY_SIZE(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

/* systemd.mask=UNIT on the command line, which may be there several times. */
static bool masks(const char *line, const char *unit)
{
	memory_cleanup_free char *wanted = text_format("systemd.mask=%s", unit);
	strings_cleanup struct strings words = { 0 };

	strings_split_arguments(&words, line);
	return strings_contain(&words, wanted);
}

/*
 * Why systemd passes over the line of /etc/fstab (systemd-fstab-generator(8)); NULL: it does not.
 */
static char *obstacle_of(const struct facts *facts, char **fix)
{
	const struct boot_facts *boot = &facts->boot;
	const char *line = next_arguments(facts);

	if (boot->fstab_unit.is != FACT_KNOWN)
		return NULL;
	if (boot->swap_mask.is == FACT_KNOWN) {
		*fix = text_format(strchr(boot->swap_mask.value, '\\') ? "systemctl unmask '%s'"
								       : "systemctl unmask %s",
			boot->swap_mask.value);
		return text_format("%s is masked", boot->swap_mask.value);
	}
	if (!line)
		return NULL;
	*fix = text_copy(FIX_ARGUMENT);
	if (is_off(line, "systemd.swap"))
		return text_copy("the next boot has systemd.swap=0");
	if (is_off(line, "fstab"))
		return text_copy("the next boot has fstab=0");
	if (masks(line, "swap.target"))
		return text_copy("the next boot has systemd.mask=swap.target");
	if (masks(line, boot->fstab_unit.value))
		return text_format("the next boot has systemd.mask=%s", boot->fstab_unit.value);
	text_set(fix, NULL);
	return NULL;
}

/* Units are systemd's; the generator obeys the command line, units of the administrator do not. */
static bool unit_switches_on(const struct facts *facts)
{
	const struct fact_text *unit = &facts->boot.swap_unit;
	const char *line = next_arguments(facts);

	if (unit->is != FACT_KNOWN)
		return false;
	if (!line)
		return true;
	if (strcmp(unit->value, SWAP_GPT_GENERATOR) == 0)
		return !is_off(line, "systemd.swap") && !is_off(line, "systemd.gpt_auto") &&
		       !is_off(line, "systemd.gpt-auto");
	return !masks(line, unit->value);
}

enum swap_at_boot swap_at_boot(const struct facts *facts, char **why, char **fix)
{
	const struct fact_flag *entry = &facts->boot.fstab_entry;

	*why = NULL;
	*fix = NULL;
	if (unit_switches_on(facts))
		return AT_BOOT_UNIT;
	if (entry->is != FACT_KNOWN) {
		*why = text_copy(entry->why ? entry->why : "boot.fstab_entry is not known");
		return AT_BOOT_UNKNOWN;
	}
	if (!entry->value)
		return fact_is_true(&facts->boot.fstab_noauto) ? AT_BOOT_NOAUTO : AT_BOOT_NOTHING;
	*why = obstacle_of(facts, fix);
	return *why ? AT_BOOT_BLOCKED : AT_BOOT_FSTAB;
}
