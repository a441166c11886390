/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The swap area as a file: where it lies, what it is made of, and who may touch it. */
#include <errno.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/checks_parts.h"
#include "core/rules/checks_table.h"
#include "core/rules/size.h"

#define MODE_OTHERS_READ  0044
#define MODE_OTHERS_WRITE 0022

#define SWAP_LABEL_TYPE "swapfile_t"

CHECK_FUNCTION(swap_holes)
{
	unsigned long long holes = facts->area.holes.value;
	struct finding finding;

	if (no_area_file(facts, &finding) || finding_gap(&finding, NEED(facts->area.holes)))
		return finding;
	if (holes > 0)
		return finding_fail(FIX_SETUP, "%s has %llu %s: the kernel refuses it as swap",
			area_name(facts), holes, holes == 1 ? "hole" : "holes");
	return finding_pass("%s has no holes", area_name(facts));
}

CHECK_FUNCTION(swap_copy_on_write)
{
	const struct area_facts *area = &facts->area;
	const char *path = area_name(facts);
	struct finding finding;

	if (no_area_file(facts, &finding))
		return finding;
	if (fact_is_true(&area->copy_on_write))
		return finding_fail(
			FIX_SETUP, "%s is copy-on-write: the kernel refuses it as swap", path);
	if (fact_is_true(&area->compressed))
		return finding_fail(
			FIX_SETUP, "%s is compressed: the kernel refuses it as swap", path);
	if (fact_is_true(&area->shared))
		return finding_fail(FIX_SETUP,
			"%s shares blocks with another file or a snapshot: the kernel refuses it as swap",
			path);
	if (finding_gap(&finding, NEED(facts->area.copy_on_write), NEED(facts->area.compressed),
		    NEED(facts->area.shared)))
		return finding;
	return finding_pass("%s is written in place", path);
}

CHECK_FUNCTION(swap_fragments)
{
	size_t count = facts->area.extents.count;
	memory_cleanup_free char *size = NULL;
	struct finding finding;

	if (no_area_file(facts, &finding) ||
		finding_gap(&finding, NEED(facts->area.extents), NEED(facts->area.size)))
		return finding;
	size = size_format(facts->area.size.value);
	if (swap_is_fragmented(facts->area.size.value, count))
		return finding_warn("ec2hib teardown, then " FIX_SETUP " while the disk is emptier",
			"%s lies in %zu pieces for %s: writing and reading the image is slow",
			area_name(facts), count, size);
	return finding_pass("%s lies in %zu %s for %s", area_name(facts), count,
		count == 1 ? "piece" : "pieces", size);
}

/* Whoever can write to the swap file, or exchange it, can write to the memory of root. */
CHECK_FUNCTION(swap_permissions)
{
	const struct area_facts *area = &facts->area;
	const char *path = area_name(facts);
	memory_cleanup_free char *mode_fix = text_format("chmod 0600 %s", path);
	memory_cleanup_free char *owner_fix = text_format("chown root:root %s", path);
	unsigned mode = (unsigned)area->mode.value;
	struct finding finding;

	if (no_area_file(facts, &finding))
		return finding;
	if (area->untrusted_folder.is == FACT_KNOWN)
		return finding_fail("keep the swap file in a folder that only root can write to",
			"others could exchange %s: %s", path, area->untrusted_folder.value);
	if (finding_gap(&finding, NEED(facts->area.mode), NEED(facts->area.owner)))
		return finding;
	if (area->owner.value != 0)
		return finding_fail(owner_fix,
			"%s belongs to user %llu: that user could change what is in memory", path,
			(unsigned long long)area->owner.value);
	if (mode & MODE_OTHERS_WRITE)
		return finding_fail(mode_fix,
			"%s has mode %04o: others could change what is in memory", path, mode);
	if (mode & MODE_OTHERS_READ)
		return finding_warn(mode_fix,
			"%s has mode %04o: others can read what was in memory", path, mode);
	return finding_pass("%s is root's alone (%04o)", path, mode);
}

/*
 * The device of the chain, from the area down to the disk, that the image would not
 * survive.
 */
static const struct device_facts *losing_device(const device_list *devices)
{
	for (size_t i = 0; i < devices->count; i++) {
		const struct device_facts *device = &devices->items[i];

		if (fact_is_true(&device->random_key) ||
			fact_text_is(&device->medium, MEDIUM_INSTANCE_STORE) ||
			fact_text_is(&device->medium, MEDIUM_ZRAM))
			return device;
	}
	return NULL;
}

static struct finding losing_finding(const struct facts *facts, const struct device_facts *device)
{
	const char *path = area_name(facts), *name = fact_text_or(&device->name, "its disk");

	if (fact_is_true(&device->random_key))
		return finding_fail("use a swap area whose key stays the same",
			"%s is on %s, whose key is new at every boot: the image could not be read",
			path, name);
	if (fact_text_is(&device->medium, MEDIUM_ZRAM))
		return finding_fail("use a swap area on EBS",
			"%s is on %s, which is memory: the image would be lost", path, name);
	return finding_fail("use a swap area on EBS",
		"%s is on %s, which is instance store: the image would be lost", path, name);
}

CHECK_FUNCTION(swap_medium)
{
	const device_list *devices = &facts->area.devices;
	const struct device_facts *disk, *losing;
	struct finding finding;

	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->area.devices)))
		return finding;
	losing = losing_device(devices);
	if (losing)
		return losing_finding(facts, losing);
	disk = devices->count ? &devices->items[devices->count - 1] : NULL;
	if (!disk || disk->medium.is != FACT_KNOWN)
		return finding_unknown("the disk below %s is not known", area_name(facts));
	if (fact_text_is(&disk->medium, MEDIUM_EBS))
		return finding_pass("%s is on EBS (%s)", area_name(facts),
			fact_text_or(&disk->serial, "a volume"));
	if (place_of(facts) == PLACE_EC2)
		return finding_unknown(
			"the disk %s below %s does not say whether it is EBS or instance store",
			fact_text_or(&disk->name, "without a name"), area_name(facts));
	return finding_pass(
		"%s is on %s, a disk", area_name(facts), fact_text_or(&disk->name, "its own"));
}

/*
 * The area holds the largest image; whether it could be larger still is not asked here.
 */
static bool area_suffices(const struct facts *facts)
{
	const struct area_facts *area = &facts->area;

	return area->kind.is == FACT_KNOWN && area->size.is == FACT_KNOWN &&
	       facts->memory.total.is == FACT_KNOWN &&
	       area->size.value >= facts->memory.total.value / 2 && !swap_file_defect(area);
}

/* Room for the swap file that setup would make with the configuration as it is. */
CHECK_FUNCTION(disk_space)
{
	memory_cleanup_free char *free_text = size_format(facts->area.filesystem_free.value);
	memory_cleanup_free char *needed = NULL;
	struct swap_size size;
	struct error err = { "" };
	int status = swap_size_decide(facts, config, SIZE_AUTO, &size, &err);
	enum size_decision decision = size.decision;

	needed = size_format(size.bytes);
	swap_size_free(&size);
	if (area_suffices(facts))
		return finding_skip("%s is there already", area_name(facts));
	if (status == -ENOSPC)
		return finding_fail(
			"make room, enlarge the volume, or: " FIX_SETUP " --size", "%s", err.text);
	if (status == -ENODATA)
		return finding_unknown("%s", text_starts(err.text, "cannot tell ")
						     ? err.text + strlen("cannot tell ")
						     : err.text);
	if (status < 0)
		return finding_skip("no swap file can be made: %s", err.text);
	if (decision == SIZE_KEEP)
		return finding_skip("%s is large enough", area_name(facts));
	return finding_pass("%s free on %s (%s), %s wanted for %s", free_text,
		fact_text_or(&facts->area.mount_point, "its disk"),
		fact_text_or(&facts->area.filesystem, "file system not known"), needed,
		area_name(facts));
}

/* user:role:type:level */
static bool label_has_type(const char *label, const char *type)
{
	strings_cleanup struct strings parts = { 0 };

	strings_split(&parts, label, ":");
	return parts.count >= 3 && strcmp(parts.items[2], type) == 0;
}

CHECK_FUNCTION(selinux)
{
	const struct fact_text *mode = &facts->system.selinux;
	const struct fact_text *label = &facts->area.selinux_label;
	const char *path = area_name(facts);
	struct finding finding;

	if (mode->is == FACT_ABSENT || fact_text_is(mode, "disabled"))
		return finding_skip("SELinux is off");
	if (no_area_file(facts, &finding) || finding_gap(&finding, NEED(facts->system.selinux)))
		return finding;
	if (label->is == FACT_KNOWN && label_has_type(label->value, SWAP_LABEL_TYPE))
		return finding_pass("%s has the SELinux type " SWAP_LABEL_TYPE, path);
	if (label->is == FACT_UNKNOWN) {
		finding_gap(&finding, NEED(facts->area.selinux_label));
		return finding;
	}
	if (label->is == FACT_ABSENT)
		return finding_warn(FIX_SETUP,
			"SELinux is %s and %s has no label: services may not use it as swap",
			mode->value, path);
	return finding_warn(FIX_SETUP,
		"SELinux is %s and %s has the label %s, not the type " SWAP_LABEL_TYPE
		": services may not use it as swap",
		mode->value, path, label->value);
}
