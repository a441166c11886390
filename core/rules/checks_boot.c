/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the next boot is one that resumes, and finds the image. */
#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/boot.h"
#include "core/facts/device_name.h"
#include "core/rules/arguments.h"
#include "core/rules/boot_sides.h"
#include "core/rules/checks_parts.h"
#include "core/rules/rehearsal.h"
#include "core/rules/size.h"
#include "core/rules/swap_at_boot.h"

#define NO_DEVICE "0:0"

#define FIX_REHEARSE "ec2hib test-hibernate"

/* The loader is not known, or is not one that setup can change: the entries alone tell. */
static struct finding by_hand(const struct facts *facts, const char *what)
{
	const struct entry_facts *next = facts_next_entry(facts);
	strings_cleanup struct strings wanted = { 0 };
	memory_cleanup_free char *fix = NULL;

	if (!arguments_wanted(facts, &wanted))
		return finding_warn(
			NULL, "%s: the resume arguments will have to be added by hand", what);
	if (next && next->arguments.is == FACT_KNOWN &&
		arguments_complete(next->arguments.value, &wanted))
		return finding_pass("%s: the next boot has the resume arguments", what);
	if (!next && arguments_of_this_boot(facts, &wanted))
		return finding_warn(NULL,
			"%s: this boot had the right resume arguments, whether the next one has them cannot be told",
			what);
	fix = arguments_by_hand(facts, &wanted);
	return finding_fail(fix, "%s: the next boot would not look for the image", what);
}

CHECK_FUNCTION(boot_loader)
{
	const struct boot_facts *boot = &facts->boot;
	const struct boot_loader *loader = boot_loader_of(boot);
	memory_cleanup_free char *what = NULL;
	struct finding finding;

	if (boot->unmounted.is == FACT_KNOWN) {
		what = text_format("mount %s, then run: ec2hib setup", boot->unmounted.value);
		return finding_fail(what,
			"%s is in %s but not mounted: what is there is not what boots",
			boot->unmounted.value, fact_text_or(&boot->unmounted_by, "/etc/fstab"));
	}
	if (loader && loader->manual) {
		what = text_format("%s, which ec2hib does not change", loader->name);
		return by_hand(facts, what);
	}
	if (boot->loader.is == FACT_KNOWN)
		return finding_pass("%s (%s)", boot->loader.value,
			fact_text_or(&boot->config, "its file is not known"));
	if (boot->loader.is == FACT_ABSENT)
		return by_hand(facts, "no boot loader that ec2hib knows");
	if (fact_text_is(&boot->loader_known, LOADER_CONTRADICTED) && boot->loader.why)
		return by_hand(facts, boot->loader.why);
	finding_gap(&finding, NEED(facts->boot.loader));
	return finding;
}

/* BootOrder may have been changed for another disk; BootNext is meant. */
CHECK_FUNCTION(firmware_next_boot)
{
	const struct boot_facts *boot = &facts->boot;
	struct finding finding;

	if (fact_text_is(&boot->firmware, "bios"))
		return finding_skip("a BIOS keeps no record of what it starts");
	if (boot->next_by.is == FACT_ABSENT)
		return finding_pass("the firmware starts what has started this system");
	if (finding_gap(&finding, NEED(facts->boot.firmware), NEED(facts->boot.next_by)))
		return finding;
	if (fact_is_true(&boot->next_is_once))
		return finding_fail("efibootmgr --delete-bootnext",
			"the firmware starts %s next (BootNext), not what has started this system",
			boot->next_by.value);
	return finding_warn("efibootmgr --bootorder, with what has started this system first",
		"the firmware tries %s first (BootOrder), which is not what has started this system",
		boot->next_by.value);
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

/* grub.cfg has them, the settings that it is made from do not. */
CHECK_FUNCTION(boot_settings)
{
	const struct boot_facts *boot = &facts->boot;
	strings_cleanup struct strings wanted = { 0 };
	memory_cleanup_free char *fix = boot_fix(facts, config);
	struct finding finding;

	if (boot->loader.is == FACT_ABSENT)
		return finding_skip("no boot loader known");
	if (boot->settings.is == FACT_ABSENT)
		return finding_skip("entries of later kernels are not made from settings");
	if (no_area(facts, &finding) ||
		finding_gap(&finding, NEED(facts->boot.settings), NEED(facts->area.resume_argument),
			NEED(facts->area.resume_offset)))
		return finding;
	arguments_wanted(facts, &wanted);
	switch (boot_settings_side(boot, &wanted)) {
	case SIDE_WANTED:
		return finding_pass("entries of later kernels will have the resume arguments");
	case SIDE_OTHER:
		return finding_warn(fix,
			"the settings that boot entries are made from have other resume arguments: after the next kernel update no boot finds the image");
	default:
		return finding_warn(fix,
			"the settings that boot entries are made from do not have the resume arguments: the next kernel update drops them");
	}
}

/* arm64 refuses the image of another kernel build (arch/arm64/kernel/hibernate.c). */
CHECK_FUNCTION(kernel_version_next_boot)
{
	const struct kernel_facts *kernel = &facts->kernel;
	const struct entry_facts *entry;
	const char *next = NULL;
	struct finding finding;
	bool older;

	if (no_next_entry(facts, &finding, &entry))
		return finding;
	/* Saved before there was a release: the text for people may be one. */
	older = entry->release.is == FACT_ABSENT || fact_was_not_saved(fact_of(&entry->release));
	if (older && kernel->release.is == FACT_KNOWN &&
		fact_text_is(&entry->version, kernel->release.value))
		next = kernel->release.value;
	else if (older)
		return finding_unknown(
			"these facts were saved without the release of the kernel that boots next");
	else if (finding_gap(&finding, NEED(entry->release)))
		return finding;
	if (finding_gap(&finding, NEED(facts->kernel.release), NEED(facts->kernel.machine)))
		return finding;
	if (!next)
		next = entry->release.value;
	if (strcmp(next, kernel->release.value) == 0)
		return finding_pass(
			"the next boot has the running kernel, %s", kernel->release.value);
	if (strcmp(kernel->machine.value, "aarch64") == 0)
		return finding_fail("reboot",
			"the next boot has kernel %s, but %s is running: arm64 refuses the image of another kernel",
			next, kernel->release.value);
	return finding_warn("reboot",
		"the next boot has kernel %s, but %s is running: it may refuse the image (\"Image mismatch\")",
		next, kernel->release.value);
}

CHECK_FUNCTION(initramfs_resume)
{
	const struct boot_facts *boot = &facts->boot;
	const struct entry_facts *next = facts_next_entry(facts);
	const char *tool = fact_text_or(&boot->initramfs_tool, "a tool that is not known");
	const char *maker = fact_text_or(&boot->initramfs_maker, tool);
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
		return finding_pass("the initramfs can resume (%s)", maker);
	return finding_fail(FIX_SETUP,
		"the initramfs of the next boot would not look for the image (%s): %s", maker,
		fact_text_or(&boot->initramfs_lacks, "it has no resume support"));
}

/* The image is there now; a kernel update, or whoever runs the tool, makes another one. */
CHECK_FUNCTION(initramfs_rebuild)
{
	const struct boot_facts *boot = &facts->boot;
	struct finding finding;

	if (boot->initramfs_tool.is == FACT_ABSENT)
		return finding_skip("no initramfs is used");
	if (finding_gap(&finding, NEED(facts->boot.initramfs_resume)))
		return finding;
	if (!boot->initramfs_resume.value)
		return finding_skip("the present one cannot resume");
	/* Older ec2hib did not look. */
	if (fact_was_not_saved(fact_of(&boot->initramfs_lasts)))
		return finding_skip("these facts were saved without what the tool is told");
	if (finding_gap(
		    &finding, NEED(facts->boot.initramfs_tool), NEED(facts->boot.initramfs_lasts)))
		return finding;
	if (boot->initramfs_lasts.value)
		return finding_pass("an initramfs that is made anew can resume, too (%s)",
			boot->initramfs_tool.value);
	return finding_warn(FIX_SETUP,
		"nothing tells %s to make the next initramfs able to resume, too: a kernel update may take that away",
		boot->initramfs_tool.value);
}

/* What the swap area's device needs of an initramfs, and whether it is there. */
struct device_need {
	const struct fact_flag *fact;
	const char *name; /* in the JSON of the facts */
	const char *what; /* a person's word */
};

/* False: it needs nothing that an initramfs could lack. */
static bool device_needs(
	const struct boot_facts *boot, const struct device_facts *device, struct device_need *need)
{
	const struct {
		const char *kind, *prefix;
		struct device_need need;
	} rows[] = {
		{ "lvm", "", { &boot->initramfs_lvm, "facts->boot.initramfs_lvm", "LVM" } },
		{ "crypt", "",
			{ &boot->initramfs_crypt, "facts->boot.initramfs_crypt",
				"cryptsetup and dm-crypt" } },
		{ "raid", "", { &boot->initramfs_raid, "facts->boot.initramfs_raid", "mdadm" } },
		{ "disk", "nvme",
			{ &boot->initramfs_nvme, "facts->boot.initramfs_nvme",
				"the driver nvme" } },
		{ "disk", "xvd",
			{ &boot->initramfs_xen_blkfront, "facts->boot.initramfs_xen_blkfront",
				"the driver xen-blkfront" } },
		{ "disk", "vd",
			{ &boot->initramfs_virtio_blk, "facts->boot.initramfs_virtio_blk",
				"the driver virtio_blk" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (fact_text_is(&device->kind, rows[i].kind) &&
			text_starts(fact_text_or(&device->name, ""), rows[i].prefix)) {
			*need = rows[i].need;
			return true;
		}
	return false;
}

static struct finding devices_finding(const struct facts *facts)
{
	const struct device_facts *missing = NULL;
	struct finding finding = { 0 };
	const char *what = NULL;
	size_t needs = 0, gaps = 0;

	for (size_t i = 0; i < facts->area.devices.count; i++) {
		const struct device_facts *device = &facts->area.devices.items[i];
		struct device_need need;

		if (!device_needs(&facts->boot, device, &need))
			continue;
		needs++;
		if (fact_is_false(need.fact) && !missing) {
			missing = device;
			what = need.what;
		} else if (need.fact->is != FACT_KNOWN && !gaps++) {
			finding_first_gap(
				&finding, (const struct need[]) { { fact_of(need.fact), need.name },
						  { NULL, NULL } });
		}
	}
	if (missing) {
		finding_free(&finding);
		return finding_fail("make the initramfs anew with what is missing",
			"%s lies on %s, and the initramfs of the next boot lacks %s: it would not find the image",
			area_name(facts), fact_text_or(&missing->name, "a device"), what);
	}
	if (gaps)
		return finding;
	if (!needs)
		return finding_skip(
			"%s lies on nothing that an initramfs has to open", area_name(facts));
	return finding_pass("the initramfs has what %s lies on", area_name(facts));
}

CHECK_FUNCTION(initramfs_devices)
{
	const struct entry_facts *next = facts_next_entry(facts);
	struct finding finding;

	if (next && next->initramfs.is == FACT_ABSENT)
		return finding_skip("the next boot has no initramfs");
	if (facts->boot.initramfs_tool.is == FACT_ABSENT &&
		facts->boot.initramfs_resume.is == FACT_ABSENT)
		return finding_skip("no initramfs is used");
	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->area.devices)))
		return finding;
	return devices_finding(facts);
}

static struct finding opening_finding(
	const struct facts *facts, const struct device_facts *device, enum opening opening)
{
	const char *name = fact_text_or(&device->mapper, fact_text_or(&device->name, "a device"));
	memory_cleanup_free char *argument = area_device_argument(facts, device);
	memory_cleanup_free char *add =
		argument ? text_format("add to the kernel command line: %s", argument) : NULL;

	switch (opening) {
	case OPENING_NOT_NAMED:
		return finding_fail(FIX_SETUP,
			"%s lies on %s, which the initramfs does not open: others are named to it, and this one is not",
			area_name(facts), name);
	case OPENING_OFF:
		return finding_fail(
			"take rd.lvm=0, rd.luks=0 and rd.md=0 off the kernel command line",
			"%s lies on %s, and the kernel command line keeps the initramfs from opening such devices",
			area_name(facts), name);
	case OPENING_NONE_NAMED:
		return finding_warn(add,
			"%s lies on %s, and nothing names it to the initramfs: dracut opens it with rd.auto=1 alone, or before version 024",
			area_name(facts), name);
	default:
		return finding_unknown("whether the initramfs opens %s", name);
	}
}

CHECK_FUNCTION(initramfs_opens)
{
	const struct entry_facts *entry;
	struct finding finding;
	size_t opened = 0;

	if (no_area(facts, &finding) || no_next_entry(facts, &finding, &entry))
		return finding;
	if (entry->initramfs.is == FACT_ABSENT)
		return finding_skip("the next boot has no initramfs");
	if (finding_gap(&finding, NEED(entry->arguments), NEED(facts->area.devices)))
		return finding;
	for (size_t i = 0; i < facts->area.devices.count; i++) {
		const struct device_facts *device = &facts->area.devices.items[i];
		enum opening opening;

		if (!area_device_needs_opening(facts, device))
			continue;
		opening = area_device_opening(facts, device);
		if (opening != OPENING_YES)
			return opening_finding(facts, device, opening);
		opened++;
	}
	if (!opened)
		return finding_skip(
			"%s lies on nothing that the initramfs has to open for it alone",
			area_name(facts));
	return finding_pass("the initramfs opens what %s lies on", area_name(facts));
}

/* The argument resume= goes before RESUME, which is what is left when the argument is lost. */
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

static struct finding only_for_hibernation(const struct facts *facts)
{
	const char *path = area_name(facts);
	memory_cleanup_free char *why = NULL, *fix = NULL;

	switch (swap_at_boot(facts, &why, &fix)) {
	case AT_BOOT_FSTAB:
		return finding_warn(fact_is_true(&facts->boot.our_fstab_entry)
					    ? FIX_SETUP
					    : "give its line in /etc/fstab noauto",
			"%s is switched on at boot, but is meant to be on only around a hibernation",
			path);
	case AT_BOOT_UNIT:
		return finding_warn("systemctl mask that unit",
			"%s is switched on at boot (%s), but is meant to be on only around a hibernation",
			path, facts->boot.swap_unit.value);
	case AT_BOOT_UNKNOWN:
		return finding_unknown("%s", why);
	default:
		return finding_pass(
			"%s is not switched on at boot: it is on only around a hibernation", path);
	}
}

CHECK_FUNCTION(swap_at_boot)
{
	const char *path = area_name(facts);
	memory_cleanup_free char *why = NULL, *fix = NULL;
	struct finding finding;

	if (no_area(facts, &finding))
		return finding;
	if (swap_only_for_hibernation(&facts->area))
		return only_for_hibernation(facts);
	switch (swap_at_boot(facts, &why, &fix)) {
	case AT_BOOT_FSTAB:
		return finding_pass("%s is switched on at boot (/etc/fstab)", path);
	case AT_BOOT_UNIT:
		return finding_pass(
			"%s is switched on at boot (%s)", path, facts->boot.swap_unit.value);
	case AT_BOOT_NOAUTO:
		return finding_warn(FIX_SETUP,
			"%s has noauto in /etc/fstab: after an ordinary boot there is no swap to hibernate to",
			path);
	case AT_BOOT_BLOCKED:
		return finding_warn(fix,
			"%s is in /etc/fstab, but %s: after an ordinary boot there is no swap to hibernate to",
			path, why);
	case AT_BOOT_NOTHING:
		return finding_warn(FIX_SETUP,
			"%s is not in /etc/fstab: after an ordinary boot there is no swap to hibernate to",
			path);
	case AT_BOOT_UNKNOWN:
		break;
	}
	return finding_unknown("%s", why);
}

/*
 * ---- Where the image is looked for ----
 *
 * Three parties have to know, and each can be wrong by itself: the running kernel (it writes the
 * image), its command line (some tools read it), and the entry of the next boot (it finds the
 * image).
 */

enum match { MATCHES, DIFFERS, MATCH_UNKNOWN };

static enum match text_matches(const struct fact_text *fact, const char *value)
{
	if (fact->is == FACT_UNKNOWN)
		return MATCH_UNKNOWN;
	return fact->is == FACT_KNOWN && strcasecmp(fact->value, value) == 0 ? MATCHES : DIFFERS;
}

/* Does resume=VALUE name the device that holds the area? */
static enum match value_matches(const char *value, const struct area_facts *area)
{
	if (fact_text_is(&area->resume_argument, value))
		return MATCHES;
	switch (resume_value_kind(value)) {
	case RESUME_NONE:
	case RESUME_DEV_ROOT:
	case RESUME_PATH:
	case RESUME_OTHER:
		return DIFFERS;
	case RESUME_NUMBER:
		return text_matches(&area->resume_device, value);
	default:
		break;
	}
	if (area->devices.is != FACT_KNOWN || area->devices.count == 0)
		return MATCH_UNKNOWN;
	switch (device_name_match(value, area->devices.items)) {
	case NAME_MATCHES:
		return MATCHES;
	case NAME_DIFFERS:
		return DIFFERS;
	case NAME_UNKNOWN:
		break;
	}
	return MATCH_UNKNOWN;
}

static struct finding no_answer(const char *value, const char *path)
{
	return finding_unknown(
		"the facts do not say whether resume=%s is the device that holds %s", value, path);
}

enum offset_state { OFFSET_MISSING, OFFSET_BAD, OFFSET_SET };

static enum offset_state offset_read(const char *line, uint64_t *offset)
{
	memory_cleanup_free char *value = arguments_get(line, "resume_offset");

	if (!value)
		return OFFSET_MISSING;
	return number_parse(value, offset) == 0 ? OFFSET_SET : OFFSET_BAD;
}

/* ---- What the next boot is told ---------------------------------------------------- */

/* Why resume=VALUE cannot work whatever device is meant, or NULL. The caller frees it. */
static char *value_defect(const char *value, const struct entry_facts *entry)
{
	switch (resume_value_kind(value)) {
	case RESUME_NONE:
		return text_copy("resume= is empty: the next boot would not look for the image");
	case RESUME_DEV_ROOT:
		return text_copy(
			"resume=/dev/root: no device has that name when the next boot looks for the image");
	case RESUME_PATH:
		return text_format(
			"resume=%s is a file: it has to be the device that holds the file", value);
	case RESUME_OTHER:
		return text_format("resume=%s is not a device", value);
	default:
		break;
	}
	if (entry->initramfs.is == FACT_ABSENT && resume_value_needs_initramfs(value))
		return text_format(
			"resume=%s can be found only by an initramfs, and the next boot has none",
			value);
	return NULL;
}

/* A finding without a fix of its own is about the boot arguments. */
static struct finding with_boot_fix(
	struct finding finding, const struct facts *facts, const struct config *config)
{
	if (!finding.fix && finding.state <= CHECK_UNKNOWN)
		finding.fix = boot_fix(facts, config);
	return finding;
}

/* The name of an NVMe disk counts up in the order in which the disks are found. */
static bool may_move(const char *value, const struct area_facts *area)
{
	return text_starts(value, "/dev/nvme") && area->resume_argument.is == FACT_KNOWN &&
	       strcmp(area->resume_argument.value, value) != 0;
}

static struct finding value_finding(const struct facts *facts, const struct entry_facts *entry)
{
	memory_cleanup_free char *value = arguments_get(entry->arguments.value, "resume");
	memory_cleanup_free char *offset = arguments_get(entry->arguments.value, "resume_offset");
	memory_cleanup_free char *defect = value ? value_defect(value, entry) : NULL;
	uint64_t pages;

	if (!value && !offset)
		return finding_skip("the next boot has no resume=");
	if (defect)
		return finding_fail(NULL, "%s", defect);
	if (offset && !*offset)
		return finding_fail(NULL,
			"resume_offset= is empty: the next boot would look for the image at the start of the device");
	if (offset && number_parse(offset, &pages) < 0)
		return finding_fail(NULL,
			"resume_offset=%s is not a number: the next boot would not find the image",
			offset);
	if (!value)
		return finding_pass("resume_offset=%s is well formed", offset);
	if (may_move(value, &facts->area))
		return finding_warn(NULL,
			"resume=%s: NVMe names can change between boots, then the image is not found",
			value);
	return finding_pass("resume=%s can be found at boot", value);
}

CHECK_FUNCTION(resume_value)
{
	const struct entry_facts *entry;
	struct finding finding;

	if (no_next_entry(facts, &finding, &entry) || finding_gap(&finding, NEED(entry->arguments)))
		return finding;
	return with_boot_fix(value_finding(facts, entry), facts, config);
}

static struct finding device_next_boot(const struct facts *facts, const struct entry_facts *entry)
{
	memory_cleanup_free char *value = arguments_get(entry->arguments.value, "resume");
	memory_cleanup_free char *defect = value ? value_defect(value, entry) : NULL;
	const char *named = fact_text_or(&facts->boot.initramfs_resume_device, NULL);
	const char *path = area_name(facts);

	/* initramfs-tools' own setting knows no offset. */
	if (!value && named && fact_text_is(&facts->area.kind, "device") &&
		value_matches(named, &facts->area) == MATCHES)
		return finding_pass("RESUME=%s in the initramfs is where %s lies", named, path);
	if (!value)
		return finding_fail(
			NULL, "the next boot has no resume=: it would not look for the image");
	if (defect)
		return finding_skip("resume=%s cannot work at all", value);
	switch (value_matches(value, &facts->area)) {
	case MATCHES:
		return finding_pass("resume=%s is where %s lies", value, path);
	case DIFFERS:
		return finding_fail(NULL,
			"resume=%s, but %s lies on %s: the next boot would not find the image",
			value, path, fact_text_or(&facts->area.resume_argument, "another device"));
	case MATCH_UNKNOWN:
		break;
	}
	return finding_unknown("whether resume=%s is the device that holds %s", value, path);
}

CHECK_FUNCTION(resume_device_next_boot)
{
	const struct entry_facts *entry;
	struct finding finding;

	if (no_area(facts, &finding) || no_next_entry(facts, &finding, &entry) ||
		finding_gap(&finding, NEED(entry->arguments)))
		return finding;
	return with_boot_fix(device_next_boot(facts, entry), facts, config);
}

static struct finding offset_next_boot(const struct facts *facts, const struct entry_facts *entry)
{
	const char *path = area_name(facts);
	unsigned long long start = facts->area.resume_offset.value;
	uint64_t offset = 0;
	enum offset_state state = offset_read(entry->arguments.value, &offset);

	if (state == OFFSET_BAD)
		return finding_skip("resume_offset= is not a number");
	if (state == OFFSET_MISSING && start == 0)
		return finding_pass("%s starts with its header: no offset is needed", path);
	if (state == OFFSET_MISSING)
		return finding_fail(NULL,
			"the next boot has no resume_offset=, but %s starts at %llu: it would not find the image",
			path, start);
	if (offset != start)
		return finding_fail(NULL,
			"resume offset %llu, but %s starts at %llu: the next boot would not find the image",
			(unsigned long long)offset, path, start);
	return finding_pass("resume offset %llu is where %s starts", start, path);
}

CHECK_FUNCTION(resume_offset_next_boot)
{
	const struct entry_facts *entry;
	struct finding finding;

	if (no_area(facts, &finding) || no_next_entry(facts, &finding, &entry) ||
		finding_gap(&finding, NEED(entry->arguments), NEED(facts->area.resume_offset)))
		return finding;
	return with_boot_fix(offset_next_boot(facts, entry), facts, config);
}

/* ---- What the running kernel was started with -------------------------------------- */

/*
 * The kernel's own setting and the next boot's entry decide; this is what other tools
 * look at.
 */
CHECK_FUNCTION(resume_device_cmdline)
{
	memory_cleanup_free char *value = NULL;
	struct finding finding;

	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->kernel.command_line)))
		return finding;
	value = arguments_get(facts->kernel.command_line.value, "resume");
	if (!value)
		return finding_skip("the running kernel was started without resume=");
	switch (value_matches(value, &facts->area)) {
	case MATCHES:
		return finding_pass(
			"started with resume=%s, where %s lies", value, area_name(facts));
	case DIFFERS:
		return finding_warn(FIX_SETUP ", then reboot",
			"started with resume=%s, but %s lies on %s: tools that read the command line are misled until the next boot",
			value, area_name(facts),
			fact_text_or(&facts->area.resume_argument, "another device"));
	case MATCH_UNKNOWN:
		break;
	}
	return no_answer(value, area_name(facts));
}

CHECK_FUNCTION(resume_offset_cmdline)
{
	unsigned long long start = facts->area.resume_offset.value;
	struct finding finding;
	uint64_t offset = 0;

	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->kernel.command_line),
						NEED(facts->area.resume_offset)))
		return finding;
	switch (offset_read(facts->kernel.command_line.value, &offset)) {
	case OFFSET_MISSING:
		return finding_skip("the running kernel was started without resume_offset=");
	case OFFSET_BAD:
		return finding_warn(FIX_SETUP ", then reboot",
			"started with a resume_offset= that is not a number: tools that read the command line are misled until the next boot");
	case OFFSET_SET:
		break;
	}
	if (offset == start)
		return finding_pass("started with resume offset %llu, where %s starts", start,
			area_name(facts));
	return finding_warn(FIX_SETUP ", then reboot",
		"started with resume offset %llu, but %s starts at %llu: tools that read the command line are misled until the next boot",
		(unsigned long long)offset, area_name(facts), start);
}

/* ---- What the running kernel holds ------------------------------------------------- */

static bool only_swap(const struct facts *facts)
{
	return fact_is_true(&facts->area.active) && facts->swaps.is == FACT_KNOWN &&
	       facts->swaps.count == 1;
}

/* Without a resume device the kernel takes the first active swap (kernel/power/swap.c). */
CHECK_FUNCTION(resume_device_kernel)
{
	const char *device = facts->kernel.resume_device.value, *path = area_name(facts);
	struct finding finding;

	if (facts->kernel.resume_device.is == FACT_ABSENT)
		return finding_skip("this kernel has no /sys/power/resume");
	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->kernel.resume_device),
						NEED(facts->area.resume_device)))
		return finding;
	if (strcmp(device, facts->area.resume_device.value) == 0)
		return finding_pass(
			"the running kernel has resume device %s, where %s lies", device, path);
	if (strcmp(device, NO_DEVICE) == 0 && only_swap(facts))
		return finding_warn(FIX_SETUP,
			"the running kernel has no resume device: it would take the first active swap, which is %s as long as there is no other",
			path);
	if (strcmp(device, NO_DEVICE) == 0)
		return finding_fail(FIX_SETUP,
			"the running kernel has no resume device: it would write the image to the first active swap, which need not be %s",
			path);
	return finding_fail(FIX_SETUP,
		"the running kernel has resume device %s, but %s lies on %s: it would not write the image there",
		device, path, facts->area.resume_device.value);
}

CHECK_FUNCTION(resume_offset_kernel)
{
	unsigned long long offset = facts->kernel.resume_offset.value;
	unsigned long long start = facts->area.resume_offset.value;
	struct finding finding;

	if (facts->kernel.resume_offset.is == FACT_ABSENT)
		return finding_skip("this kernel has no /sys/power/resume_offset");
	if (fact_text_is(&facts->kernel.resume_device, NO_DEVICE))
		return finding_skip("without a resume device the offset does not count");
	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->kernel.resume_offset),
						NEED(facts->area.resume_offset)))
		return finding;
	if (offset == start)
		return finding_pass("the running kernel has resume offset %llu, where %s starts",
			offset, area_name(facts));
	return finding_fail(FIX_SETUP,
		"the running kernel has resume offset %llu, but %s starts at %llu: it would not write the image there",
		offset, area_name(facts), start);
}

/* ---- What test-hibernate has shown ---- */

/* The failed level is worth more than what was passed before. */
static struct finding failed_finding(const struct rehearsal_facts *rehearsal)
{
	memory_cleanup_free char *fix =
		text_format(FIX_REHEARSE " --level %s", rehearsal->failed_level.value);

	return finding_warn(fix, "the level %s failed at %s: %s", rehearsal->failed_level.value,
		fact_text_or(&rehearsal->failed_time, "an unknown time"),
		fact_text_or(&rehearsal->failure, "the reason is not known"));
}

CHECK_FUNCTION(rehearsal)
{
	const struct rehearsal_facts *rehearsal = &facts->rehearsal;
	strings_cleanup struct strings changes = { 0 };
	memory_cleanup_free char *changed = NULL;
	const char *level, *when;
	struct finding finding;

	if (rehearsal->failed_level.is == FACT_KNOWN)
		return failed_finding(rehearsal);
	/* Absent is an answer: nothing is on record. */
	if (rehearsal->level.is == FACT_UNKNOWN &&
		finding_gap(&finding, NEED(facts->rehearsal.level)))
		return finding;
	if (rehearsal->level.is == FACT_ABSENT)
		return finding_warn(FIX_REHEARSE, "nothing was rehearsed on this machine");
	level = rehearsal->level.value;
	when = fact_text_or(&rehearsal->time, "an unknown time");
	rehearsal_changes(rehearsal, facts, &changes);
	changed = strings_join(&changes, ", ");
	if (changes.count)
		return finding_warn(FIX_REHEARSE, "passed up to %s at %s, but since then %s", level,
			when, changed);
	if (rehearsal_level_find(level) < LEVEL_IMAGE)
		return finding_warn(FIX_REHEARSE " --level image",
			"passed up to %s at %s: no image was written so far", level, when);
	return finding_pass("passed up to %s at %s; nothing has changed since", level, when);
}

/* ---- The table: what status, the dashboard and the manual say of each check ---- */

/* clang-format off */
static const struct check checks[] = {
	{ "boot-loader", "boot loader",
		"The next boot learns from its kernel arguments where the image is. ec2hib changes them for the boot loaders that it knows; elsewhere somebody has to do it by hand.",
		VITAL, .evaluate = check_boot_loader },
	{ "firmware-next-boot", "firmware starts the same",
		"UEFI firmware starts what BootNext or BootOrder name. Where that is another program or disk than the one that has started this system, the boot entries that were judged here are not those of the next boot.",
		LIVE, REFUSES, .evaluate = check_firmware_next_boot },
	{ "resume-value", "resume arguments well formed",
		"resume= has to name the device that holds the file system of the swap file, in a way that can be found at boot: not the file, not /dev/root, not UUID= without an initramfs, and not an NVMe name that can change.",
		VITAL, .evaluate = check_resume_value },
	{ "resume-device-kernel", "resume device, running kernel",
		"The running kernel writes the image to its resume device (/sys/power/resume), or to the first active swap when it has none.",
		LIVE, VITAL, MENDS, .evaluate = check_resume_device_kernel },
	{ "resume-device-cmdline", "resume device, this boot",
		"Some tools look at the command line of the running kernel to see where the image goes, and believe it even when it is out of date.",
		LIVE, .evaluate = check_resume_device_cmdline },
	{ "resume-device-next-boot", "resume device, next boot",
		"Without the right resume= in the boot entry, the next boot does not look for the image or looks on the wrong device: it starts anew and what was in memory is lost.",
		VITAL, REFUSES, .evaluate = check_resume_device_next_boot },
	{ "resume-offset-kernel", "resume offset, running kernel",
		"The running kernel writes the image to the swap file that starts at its resume offset (/sys/power/resume_offset, in pages). A file that was made anew starts elsewhere.",
		LIVE, VITAL, MENDS, .evaluate = check_resume_offset_kernel },
	{ "resume-offset-cmdline", "resume offset, this boot",
		"Some tools look at the command line of the running kernel to see where the image goes, and believe it even when it is out of date.",
		LIVE, .evaluate = check_resume_offset_cmdline },
	{ "resume-offset-next-boot", "resume offset, next boot",
		"The boot entry has to say at which page of the device the swap file starts. When the file was made anew and the entry still has the old number, the image is not found.",
		VITAL, REFUSES, .evaluate = check_resume_offset_next_boot },
	{ "other-entries", "the other boot entries",
		"Whoever starts the hibernated machine from another entry of the boot menu loses the image when that entry does not say where it is.",
		.evaluate = check_other_entries },
	{ "boot-settings", "settings of later boot entries",
		"Entries for later kernels, and often those of now as soon as one is installed, are made from settings. When only the entries have the resume arguments, the next kernel update drops them.",
		.evaluate = check_boot_settings },
	{ "kernel-version-next-boot", "the same kernel next time",
		"After a kernel upgrade without a reboot, the next boot runs another kernel than the one that wrote the image. arm64 refuses such an image, x86-64 may.",
		LIVE, REFUSES, .evaluate = check_kernel_version_next_boot },
	{ "initramfs-resume", "initramfs can resume",
		"Where the machine boots with an initramfs, that has to look for the image before it mounts the root file system. dracut leaves this out unless it is asked for. The image itself is looked into: what its configuration asks for may not be in it.",
		VITAL, REFUSES, .evaluate = check_initramfs_resume },
	{ "initramfs-devices", "initramfs opens the disks",
		"The initramfs has to open what the swap area lies on before it can look for the image: logical volumes, encrypted devices, software RAID, and the disk itself, whose driver may be a module.",
		REFUSES, .evaluate = check_initramfs_devices },
	{ "initramfs-opens", "initramfs opens the swap area",
		"dracut opens only those logical volumes, encrypted devices and RAIDs that the command line names, once it names one; initramfs-tools only those encrypted devices that its crypttab has. The image on another one is not found.",
		REFUSES, .evaluate = check_initramfs_opens },
	{ "initramfs-rebuild", "the next initramfs resumes, too",
		"A kernel update makes a new initramfs. What was put into the present one by hand is lost then, unless the configuration of the tool that makes it asks for it.",
		.evaluate = check_initramfs_rebuild },
	{ "initramfs-setting", "RESUME of initramfs-tools",
		"initramfs-tools waits for the device that its RESUME names. One that is not there delays every boot and is of no use when resume= is lost.",
		.evaluate = check_initramfs_setting },
	{ "force-partuuid", "boot without initramfs",
		"Ubuntu's cloud images boot without an initramfs first (GRUB_FORCE_PARTUUID). The kernel then has to find the image by itself, which it can by PARTUUID but not by UUID.",
		REFUSES, .evaluate = check_force_partuuid },
	{ "swap-at-boot", "switched on at boot",
		"A swap area that is not switched on at boot is gone after the next ordinary boot, and with it the place for the image.",
		.evaluate = check_swap_at_boot },
	{ "rehearsal", "shown in a rehearsal",
		"All other checks look at what is there. That the image fits, that every task and device stops, and that the next boot finds the image, only doing it shows; a new kernel, swap area or boot entry asks for it again.",
		LIVE, .evaluate = check_rehearsal },
};
/* clang-format on */
const struct check_group boot_checks = { "boot", checks, ARRAY_SIZE(checks) };
