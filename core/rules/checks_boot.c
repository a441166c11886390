/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the next boot is one that resumes. */
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/arguments.h"
#include "core/rules/checks_parts.h"
#include "core/rules/checks_table.h"

/*
 * Does the running kernel have all that setup would ask of a boot entry but the console's
 * part?
 */
static bool started_right(const struct facts *facts, const struct strings *wanted)
{
	const struct fact_text *line = &facts->kernel.command_line;

	if (line->is != FACT_KNOWN)
		return false;
	for (size_t i = 0; i < wanted->count; i++) {
		const char *argument = wanted->items[i];
		size_t length = strcspn(argument, "=");
		memory_cleanup_free char *key = text_copy_length(argument, length);
		memory_cleanup_free char *value = arguments_get(line->value, key);

		if (text_starts(key, "resume") && !text_equal(value, argument + length + 1))
			return false;
	}
	return true;
}

CHECK_FUNCTION(boot_loader)
{
	const struct boot_facts *boot = &facts->boot;
	strings_cleanup struct strings wanted = { 0 };
	memory_cleanup_free char *arguments = NULL, *fix = NULL;
	struct finding finding;

	if (boot->loader.is == FACT_KNOWN)
		return finding_pass("%s (%s)", boot->loader.value,
			fact_text_or(&boot->config, "place not known"));
	if (boot->loader.is == FACT_UNKNOWN) {
		finding_gap(&finding, NEED(facts->boot.loader));
		return finding;
	}
	if (!arguments_wanted(facts, &wanted))
		return finding_warn(NULL,
			"no boot loader that ec2hib knows: the resume arguments will have to be added by hand");
	arguments = strings_join(&wanted, " ");
	fix = text_format("add to the kernel command line: %s", arguments);
	if (started_right(facts, &wanted))
		return finding_warn(NULL,
			"no boot loader that ec2hib knows: this boot had the right resume arguments, the next one is hoped to have them, too");
	return finding_fail(fix,
		"no boot loader that ec2hib knows: the next boot would not look for the image");
}

/* A person, or a failed boot, can choose another entry. */
CHECK_FUNCTION(other_entries)
{
	strings_cleanup struct strings wanted = { 0 };
	memory_cleanup_free char *fix = boot_fix(facts, config);
	size_t others = 0, lacking = 0;
	struct finding finding;

	if (facts->boot.loader.is == FACT_ABSENT)
		return finding_skip("no boot loader known");
	if (no_area(facts, &finding) ||
		finding_gap(&finding, NEED(facts->boot.entries), NEED(facts->area.resume_argument),
			NEED(facts->area.resume_offset)))
		return finding;
	arguments_wanted(facts, &wanted);
	for (size_t i = 0; i < facts->boot.entries.count; i++) {
		const struct entry_facts *entry = &facts->boot.entries.items[i];

		if (fact_is_true(&entry->is_default) || fact_is_true(&entry->rescue) ||
			!entry_is_of_this_system(&facts->boot, entry))
			continue;
		others++;
		if (entry->arguments.is != FACT_KNOWN ||
			!arguments_complete(entry->arguments.value, &wanted))
			lacking++;
	}
	if (others == 0)
		return finding_skip("there is no other boot entry");
	if (lacking)
		return finding_warn(fix,
			"%zu of %zu other boot entries %s not have the resume arguments: a boot from there loses the image",
			lacking, others, lacking == 1 ? "does" : "do");
	return finding_pass("the other boot entries have the resume arguments, too (%zu)", others);
}

/* arm64 refuses the image of another kernel build (arch/arm64/kernel/hibernate.c). */
CHECK_FUNCTION(kernel_version_next_boot)
{
	const struct kernel_facts *kernel = &facts->kernel;
	const struct entry_facts *entry;
	struct finding finding;

	if (no_next_entry(facts, &finding, &entry) ||
		finding_gap(&finding, NEED(entry->version), NEED(facts->kernel.release),
			NEED(facts->kernel.machine)))
		return finding;
	if (strcmp(entry->version.value, kernel->release.value) == 0)
		return finding_pass(
			"the next boot has the running kernel, %s", kernel->release.value);
	if (strcmp(kernel->machine.value, "aarch64") == 0)
		return finding_fail("reboot",
			"the next boot has kernel %s, but %s is running: arm64 refuses the image of another kernel",
			entry->version.value, kernel->release.value);
	return finding_warn("reboot",
		"the next boot has kernel %s, but %s is running: it may refuse the image (\"Image mismatch\")",
		entry->version.value, kernel->release.value);
}

CHECK_FUNCTION(initramfs_resume)
{
	const struct boot_facts *boot = &facts->boot;
	const struct entry_facts *next = facts_next_entry(facts);
	const char *tool = fact_text_or(&boot->initramfs_tool, "a tool that is not known");
	struct finding finding;

	if (next && next->initramfs.is == FACT_ABSENT)
		return finding_pass("the next boot has no initramfs: the kernel itself resumes");
	if (boot->initramfs_tool.is == FACT_ABSENT && boot->initramfs_resume.is == FACT_ABSENT)
		return finding_skip("no initramfs is used");
	if (finding_gap(&finding, NEED(facts->boot.initramfs_resume))) {
		/* Root could read all there is: setup makes one that can for sure. */
		if (boot->initramfs_tool.is == FACT_KNOWN && fact_is_true(&facts->privileged))
			finding.fix = text_copy(FIX_SETUP);
		return finding;
	}
	if (boot->initramfs_resume.value)
		return finding_pass("the initramfs can resume (%s)", tool);
	return finding_fail(FIX_SETUP,
		"the initramfs of the next boot has no resume support (%s): it would not look for the image",
		tool);
}

/*
 * The argument resume= goes before RESUME, which is what is left when the argument is
 * lost.
 */
CHECK_FUNCTION(initramfs_setting)
{
	const struct boot_facts *boot = &facts->boot;
	struct finding finding;

	if (boot->initramfs_tool.is != FACT_UNKNOWN &&
		!fact_text_is(&boot->initramfs_tool, INITRAMFS_TOOLS))
		return finding_skip("only for initramfs-tools");
	if (boot->initramfs_setting.is == FACT_ABSENT)
		return finding_skip("RESUME is not set");
	if (no_area(facts, &finding) ||
		finding_gap(&finding, NEED(facts->boot.initramfs_tool),
			NEED(facts->boot.initramfs_setting), NEED(facts->area.resume_argument)))
		return finding;
	if (initramfs_setting_fits(facts))
		return finding_pass("RESUME=%s", boot->initramfs_setting.value);
	return finding_warn(FIX_SETUP,
		"RESUME=%s of initramfs-tools, but %s lies on %s: the boot waits for the wrong device",
		boot->initramfs_setting.value, area_name(facts), facts->area.resume_argument.value);
}

/* Ubuntu's cloud images: grub.d/40-force-partuuid.cfg. */
CHECK_FUNCTION(force_partuuid)
{
	const struct fact_text *force = &facts->boot.force_partuuid;
	memory_cleanup_free char *value = NULL;
	const struct entry_facts *entry;
	struct finding finding;

	if (force->is == FACT_ABSENT || fact_text_is(force, ""))
		return finding_skip("GRUB_FORCE_PARTUUID is not set");
	if (finding_gap(&finding, NEED(facts->boot.force_partuuid)) ||
		no_next_entry(facts, &finding, &entry) ||
		finding_gap(&finding, NEED(entry->arguments)))
		return finding;
	value = arguments_get(entry->arguments.value, "resume");
	if (!value)
		return finding_skip("the next boot has no resume=");
	if (!resume_value_needs_initramfs(value))
		return finding_pass(
			"boots without initramfs first (GRUB_FORCE_PARTUUID); resume=%s needs none",
			value);
	return finding_fail("ec2hib setup, or clear GRUB_FORCE_PARTUUID and run update-grub",
		"boots without initramfs first (GRUB_FORCE_PARTUUID), but resume=%s needs one: the image would not be found",
		value);
}

CHECK_FUNCTION(swap_at_boot)
{
	struct finding finding;

	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->boot.fstab_entry)))
		return finding;
	if (facts->boot.fstab_entry.value)
		return finding_pass("%s is switched on at boot (/etc/fstab)", area_name(facts));
	return finding_warn(FIX_SETUP,
		"%s is not in /etc/fstab: after an ordinary boot there is no swap to hibernate to",
		area_name(facts));
}
