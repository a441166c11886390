/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the image is looked for. Three parties have to know, and each can be wrong by
 * itself: the running kernel (it writes the image), its command line (some tools read
 * it), and the boot entry of the next boot (it finds the image).
 */
#include <string.h>
#include <strings.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/arguments.h"
#include "core/rules/checks_parts.h"
#include "core/rules/checks_table.h"

#define NO_DEVICE "0:0"

#define BY_UUID	    "/dev/disk/by-uuid/"
#define BY_PARTUUID "/dev/disk/by-partuuid/"

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
	const struct device_facts *device =
		area->devices.is == FACT_KNOWN && area->devices.count ? area->devices.items : NULL;

	if (fact_text_is(&area->resume_argument, value))
		return MATCHES;
	switch (resume_value_kind(value)) {
	case RESUME_NUMBER:
		return text_matches(&area->resume_device, value);
	case RESUME_PARTUUID:
		return device ? text_matches(&device->partuuid, strchr(value, '=') + 1)
			      : MATCH_UNKNOWN;
	case RESUME_UUID:
		return device ? text_matches(&device->uuid, strchr(value, '=') + 1) : MATCH_UNKNOWN;
	case RESUME_DEVICE:
		return device ? text_matches(&device->name, value + strlen("/dev/"))
			      : MATCH_UNKNOWN;
	case RESUME_LINK:
		if (device && text_starts(value, BY_UUID))
			return text_matches(&device->uuid, value + strlen(BY_UUID));
		if (device && text_starts(value, BY_PARTUUID))
			return text_matches(&device->partuuid, value + strlen(BY_PARTUUID));
		return MATCH_UNKNOWN;
	case RESUME_LABEL:
	case RESUME_PARTLABEL:
		return MATCH_UNKNOWN;
	default:
		return DIFFERS;
	}
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
		return text_format("resume=%s is no device", value);
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
			"resume_offset=%s is no number: the next boot would not find the image",
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
	const char *path = area_name(facts);

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
		return finding_skip("resume_offset= is no number");
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
			"started with a resume_offset= that is no number: tools that read the command line are misled until the next boot");
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

/*
 * Without a resume device the kernel takes the first active swap (kernel/power/swap.c).
 */
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
