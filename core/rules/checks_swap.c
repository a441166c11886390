/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The swap area: as the kernel uses it (there, large enough, active, free of old images), and as a
 * file (where it lies, what it is made of, who may touch it).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/device.h"
#include "core/facts/swaps.h"
#include "core/rules/checks_parts.h"
#include "core/rules/hibernation.h"
#include "core/rules/size.h"
#include "core/rules/storage.h"
#include "core/rules/unswappable.h"

#define MODE_OTHERS_READ  0044
#define MODE_OTHERS_WRITE 0022

#define SWAP_LABEL_TYPE "swapfile_t"

#define FIX_SNAPSHOTS FIX_SETUP " --swapfile " SUGGESTED_SUBVOLUME_FILE

/* ---- As the kernel uses it ---- */

static struct finding describe_area(const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	memory_cleanup_free char *size = NULL;

	if (area->size.is != FACT_KNOWN)
		return finding_pass("%s is there", area_name(facts));
	size = size_format(area->size.value);
	if (fact_text_is(&area->kind, "device"))
		return finding_pass("%s is there, %s", area_name(facts), size);
	return finding_pass("%s is there, %s on %s (%s)%s", area_name(facts), size,
		fact_text_or(&area->mount_point, "its disk"),
		fact_text_or(&area->filesystem, "file system not known"),
		!area_is_adopted(area)			    ? ""
		: fact_text_is(&area->chosen, CHOSEN_FSTAB) ? "; it is in /etc/fstab"
							    : "; it was switched on already");
}

CHECK_FUNCTION(swap_file)
{
	const struct fact_text *kind = &facts->area.kind;
	const char *path = area_name(facts);
	const char *fix = FIX_SETUP " --swapfile " SUGGESTED_FILE;
	obstacle_cleanup struct obstacle obstacle = { 0 };
	struct finding finding;

	if (storage_refuses_file(facts, &obstacle))
		return finding_fail(obstacle.fix, "%s", obstacle.text);
	if (kind->is == FACT_ABSENT && *config->swap_device)
		return finding_fail("create the device, or clear swap-device in " CONFIG_PATH,
			"%s is not there: there is no place for the image", path);
	if (kind->is == FACT_ABSENT)
		return finding_fail(
			FIX_SETUP, "%s is not there: there is no place for the image", path);
	if (finding_gap(&finding, NEED(facts->area.kind)))
		return finding;
	if (fact_text_is(kind, "link"))
		return finding_fail(
			fix, "%s is a symbolic link: what it points to could be exchanged", path);
	if (!fact_text_is(kind, "file") && !fact_text_is(kind, "device"))
		return finding_fail(fix, "%s is neither a regular file nor a block device", path);
	return describe_area(facts);
}

/*
 * Half of memory is the largest image (Linux Documentation/power/swsusp.rst); what does
 * not fit into that half is swapped out first, to the same place.
 */
CHECK_FUNCTION(swap_size)
{
	const struct area_facts *area = &facts->area;
	uint64_t size = area->size.value, memory = facts->memory.total.value;
	memory_cleanup_free char *size_text = NULL, *memory_text = size_format(memory);
	struct finding finding;

	if (no_area(facts, &finding) ||
		finding_gap(&finding, NEED(facts->area.size), NEED(facts->memory.total)))
		return finding;
	if (area->header_size.is == FACT_KNOWN && area->header_size.value < size)
		size = area->header_size.value;
	size_text = size_format(size);
	if (size >= memory / 2 && image_fits_memory(&facts->memory) == IMAGE_FITS_NOT) {
		memory_cleanup_free char *stays = unswappable_text(&facts->memory);

		return finding_warn("ec2hib status memory-unswappable",
			"%s of swap for %s of memory, but no swap is large enough now: %s",
			size_text, memory_text, stays);
	}
	if (size + SWAP_SIZE_SLACK >= memory)
		return finding_pass("%s of swap for %s of memory", size_text, memory_text);
	if (size < memory / 2)
		return finding_fail(FIX_SETUP,
			"%s of swap for %s of memory: the image can be half of memory and would not fit",
			size_text, memory_text);
	return finding_warn(FIX_SETUP,
		"%s of swap for %s of memory: enough for an image, but not while memory is full",
		size_text, memory_text);
}

CHECK_FUNCTION(swap_active)
{
	struct finding finding;

	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->area.active)))
		return finding;
	if (swap_only_for_hibernation(&facts->area)) {
		const char *why = fact_text_or(&facts->area.swap_on_why, SWAP_ON_HIBERNATION);

		if (!facts->area.active.value)
			return finding_pass(
				"%s is off until a hibernation (%s)", area_name(facts), why);
		return finding_warn(FIX_SETUP,
			"%s is on, but is meant to be on only around a hibernation (%s)",
			area_name(facts), why);
	}
	if (facts->area.active.value)
		return finding_pass("%s is an active swap", area_name(facts));
	return finding_fail(FIX_SETUP,
		"%s is not an active swap: the kernel would not write the image to it",
		area_name(facts));
}

static struct finding header_finding(const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	uint64_t page = facts->kernel.page_size.value, made = area->header_page_size.value;
	memory_cleanup_free char *covered = size_format(area->header_size.value);
	memory_cleanup_free char *size = size_format(area->size.value);
	memory_cleanup_free char *fix = text_format(
		"swapoff %s; mkswap %s; " FIX_SETUP, area_name(facts), area_name(facts));

	if (facts->kernel.page_size.is == FACT_KNOWN && area->header_page_size.is == FACT_KNOWN &&
		page != made)
		return finding_fail(fix,
			"the header of %s is for pages of %llu bytes, this kernel's have %llu: it cannot be switched on",
			area_name(facts), (unsigned long long)made, (unsigned long long)page);
	if (area->header_size.is == FACT_KNOWN && area->size.is == FACT_KNOWN &&
		area->header_size.value + SWAP_SIZE_SLACK < area->size.value)
		return finding_warn(fact_text_is(&area->kind, "device") ? fix : FIX_SETUP,
			"the header of %s covers %s of its %s", area_name(facts), covered, size);
	return finding_pass("%s has a swap header", area_name(facts));
}

CHECK_FUNCTION(swap_header)
{
	const struct fact_text *signature = &facts->area.signature;
	memory_cleanup_free char *fix =
		text_format(fact_text_is(&facts->area.kind, "device")
				    ? "if nothing on it is needed: mkswap %s, then: " FIX_SETUP
				    : "if nothing in it is needed: rm %s, then: " FIX_SETUP,
			area_name(facts));
	struct finding finding;

	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->area.signature)))
		return finding;
	if (strcmp(signature->value, SIGNATURE_OTHER) == 0)
		return finding_fail(fix,
			"%s holds something that is not swap: setup does not touch it",
			area_name(facts));
	if (strcmp(signature->value, SIGNATURE_IMAGE) == 0)
		return finding_skip("%s holds an image in place of its header", area_name(facts));
	if (strcmp(signature->value, SIGNATURE_SWAP) != 0)
		return finding_fail(FIX_SETUP, "%s has no swap header: it cannot be switched on",
			area_name(facts));
	return header_finding(facts);
}

/* In a running machine an image is stale by definition; in an image of a disk it may be wanted. */
CHECK_FUNCTION(stale_image)
{
	const char *path = area_name(facts);
	struct finding finding;

	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->area.signature)))
		return finding;
	if (!fact_text_is(&facts->area.signature, SIGNATURE_IMAGE))
		return finding_pass("%s holds no hibernation image", path);
	if (fact_is_false(&facts->live))
		return finding_fail("start the machine and let it resume first",
			"%s holds a hibernation image: what is changed in its files now is damaged when it resumes",
			path);
	return finding_fail(FIX_SETUP,
		"%s holds a hibernation image although the machine runs: a later boot would bring the past back over newer files",
		path);
}

CHECK_FUNCTION(swap_free)
{
	const struct area_facts *area = &facts->area;
	uint64_t image = facts->memory.image_estimate.value, free_bytes, needed;
	memory_cleanup_free char *free_text = NULL, *image_text = size_format(image);
	struct finding finding;

	if (no_active_area(facts, &finding) ||
		finding_gap(&finding, NEED(facts->area.size), NEED(facts->area.used),
			NEED(facts->memory.image_estimate)))
		return finding;
	free_bytes = area->size.value > area->used.value ? area->size.value - area->used.value : 0;
	free_text = size_format(free_bytes);
	needed = image_needs(image);
	if (free_bytes < image)
		return finding_fail("stop what uses much memory, or: " FIX_SETUP,
			"%s free in %s, but an image would have about %s now: the kernel would say \"Not enough free swap\"",
			free_text, area_name(facts), image_text);
	if (free_bytes < needed)
		return finding_warn("stop what uses much memory, or: " FIX_SETUP,
			"%s free in %s for an image of about %s: too close to be sure", free_text,
			area_name(facts), image_text);
	return finding_pass(
		"%s free in %s for an image of about %s", free_text, area_name(facts), image_text);
}

/* The other swap that matters most: the one that would be lost, else the first in use. */
static const struct swap_facts *other_swap(const swap_list *swaps, bool lost_only)
{
	const struct swap_facts *found = NULL;

	for (size_t i = 0; i < swaps->count; i++) {
		const struct swap_facts *swap = &swaps->items[i];

		if (fact_is_true(&swap->is_area) ||
			(lost_only && !fact_text_is(&swap->medium, MEDIUM_INSTANCE_STORE)))
			continue;
		if (!found || swap_priority(swap) > swap_priority(found))
			found = swap;
	}
	return found;
}

static const struct swap_facts *area_swap(const swap_list *swaps)
{
	for (size_t i = 0; i < swaps->count; i++)
		if (fact_is_true(&swaps->items[i].is_area))
			return &swaps->items[i];
	return NULL;
}

/* kubelet starts with no swap at all, whoever's it is. */
CHECK_FUNCTION(kubelet)
{
	const struct fact_text *kubelet = &facts->system.kubelet;
	bool only = swap_only_for_hibernation(&facts->area);
	struct finding finding;

	if (kubelet->is == FACT_ABSENT)
		return finding_skip("kubelet is not installed");
	if (finding_gap(&finding, NEED(facts->system.kubelet), NEED(facts->system.kubelet_swaps)))
		return finding;
	if (facts->system.kubelet_swaps.value)
		return finding_pass("kubelet (%s) is told to start with a swap on", kubelet->value);
	if (!only)
		return finding_warn(FIX_SETUP " --swap-on hibernation",
			"kubelet is installed (%s) and does not start while a swap is on, and %s is meant to be on always",
			kubelet->value, area_name(facts));
	if (facts->swaps.is == FACT_KNOWN && facts->swaps.count)
		return finding_warn(FIX_SETUP,
			"kubelet is installed (%s) and does not start while a swap is on, as %s is",
			kubelet->value, fact_text_or(&facts->swaps.items[0].path, "one"));
	return finding_pass("%s is on only around a hibernation, so kubelet (%s) starts",
		area_name(facts), kubelet->value);
}

CHECK_FUNCTION(other_swaps)
{
	const struct swap_facts *lost = other_swap(&facts->swaps, true);
	const struct swap_facts *other = other_swap(&facts->swaps, false);
	const struct swap_facts *area = area_swap(&facts->swaps);
	const struct swap_facts *named = lost ? lost : other;
	const char *path = named ? fact_text_or(&named->path, "another swap") : "";
	memory_cleanup_free char *fix = text_format("swapoff %s", path);
	struct finding finding;

	if (finding_gap(&finding, NEED(facts->swaps)))
		return finding;
	if (lost)
		return finding_fail(fix,
			"%s is an active swap on instance store: what is swapped out there is lost when the instance hibernates",
			path);
	if (!other)
		return finding_pass("no other swap is active");
	if (area && swap_priority(other) > swap_priority(area))
		return finding_warn(fix,
			"%s is an active swap with a higher priority than %s: systemd before 255 may choose it and refuse to hibernate",
			path, area_name(facts));
	return finding_warn(fix,
		"%s is an active swap, too: some systems refuse to hibernate with more than one",
		path);
}

/* ---- As a file ---- */

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

CHECK_FUNCTION(swap_snapshots)
{
	const struct area_facts *area = &facts->area;
	const char *path = area_name(facts), *who = fact_text_or(&area->snapshots, NULL);
	struct finding finding;

	if (no_area_file(facts, &finding))
		return finding;
	if (area->filesystem.is == FACT_KNOWN && !fact_text_is(&area->filesystem, "btrfs"))
		return finding_skip("only on btrfs");
	if (finding_gap(&finding, NEED(facts->area.filesystem), NEED(facts->area.subvolume),
		    NEED(facts->area.subvolume_shared)))
		return finding;
	if (!area->subvolume_shared.value)
		return finding_pass(
			"%s has the subvolume %s to itself", path, area->subvolume.value);
	if (who)
		return finding_warn(FIX_SNAPSHOTS,
			"%s is in the btrfs subvolume %s, of which %s takes snapshots: they fail while it is switched on, and spoil it while it is off",
			path, area->subvolume.value, who);
	if (strcmp(area->subvolume.value, "/") == 0)
		return finding_warn(FIX_SNAPSHOTS,
			"%s is in the btrfs subvolume of /: a snapshot of that fails while it is switched on, and spoils it while it is off",
			path);
	return finding_pass(
		"%s is in the btrfs subvolume %s, of which nobody is known to take snapshots", path,
		area->subvolume.value);
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

/* The first leaf that does not say what it is; NULL: all do. */
static const struct device_facts *unknown_leaf(const device_list *devices)
{
	const struct device_facts *leaf = devices_next_leaf(devices, NULL);

	while (leaf && fact_text_is(&leaf->medium, MEDIUM_EBS))
		leaf = devices_next_leaf(devices, leaf);
	return leaf;
}

CHECK_FUNCTION(swap_medium)
{
	const device_list *devices = &facts->area.devices;
	const struct device_facts *disk = devices_next_leaf(devices, NULL), *other;
	obstacle_cleanup struct obstacle obstacle = { 0 };
	struct finding finding;

	/* Also where there is no file yet: setup would make it there. */
	if (storage_loses_image(facts, &obstacle))
		return finding_fail(obstacle.fix, "%s", obstacle.text);
	if (no_area(facts, &finding))
		return finding;
	if (devices->is == FACT_ABSENT)
		return finding_skip("%s lies on no block device", area_name(facts));
	if (finding_gap(&finding, NEED(facts->area.devices)))
		return finding;
	for (size_t i = 0; i < devices->count; i++) {
		const struct device_facts *device = &devices->items[i];

		if (device->random_key.is == FACT_UNKNOWN && device->random_key.why)
			return finding_unknown("%s", device->random_key.why);
		if (fact_text_is(&device->kind, KIND_DM))
			return finding_unknown(
				"what %s does at the device mapper with what is written to it is not known",
				fact_text_or(&device->mapper, "a device"));
	}
	other = unknown_leaf(devices);
	if (disk && !other)
		return finding_pass("%s is on EBS (%s)", area_name(facts),
			fact_text_or(&disk->serial, "a volume"));
	if (!other || other->medium.is != FACT_KNOWN)
		return finding_unknown("the disk below %s is not known", area_name(facts));
	if (platform_of(facts) == PLATFORM_EC2)
		return finding_unknown(
			"the disk %s below %s does not say whether it is EBS or instance store",
			fact_text_or(&other->name, "without a name"), area_name(facts));
	return finding_pass(
		"%s is on %s, a disk", area_name(facts), fact_text_or(&other->name, "its own"));
}

/* The area holds the largest image; whether it could be larger still does not matter here. */
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

/* ---- The table: what status, the dashboard and the manual say of each check ---- */

/* clang-format off */
static const struct check checks[] = {
	{ "swap-file", "a place for the image",
		"The kernel writes the image into a swap area. It has to be a regular file or a block device: a symbolic link could be turned to something else. A swap file needs a file system on one block device: overlay, tmpfs, NFS, ZFS and the like have none.",
		VITAL, REFUSES, .evaluate = check_swap_file },
	{ "swap-size", "size of the swap area",
		"The image is at most half of memory, but what does not go into it is swapped out to the same place first. As much swap as memory is sure to suffice.",
		LIVE, VITAL, .evaluate = check_swap_size },
	{ "swap-active", "active swap",
		"The kernel writes the image only to a swap that is switched on.",
		LIVE, VITAL, MENDS, .evaluate = check_swap_active },
	{ "swap-header", "swap header",
		"The first page of a swap area says that it is one, and for which page size. Without it the area cannot be switched on and the kernel finds no place for the image.",
		VITAL, REFUSES, .evaluate = check_swap_header },
	{ "stale-image", "no old image",
		"A hibernation image that is still in the swap area while the machine runs will be resumed by the next boot: processes come back from the past over files that have changed since, and the file system is damaged.",
		VITAL, MENDS, .evaluate = check_stale_image },
	{ "swap-free", "room for an image now",
		"Pages that are swapped out take room in the area that the image needs. The image holds about as much as is in use now, file cache not counted.",
		LIVE, REFUSES, .evaluate = check_swap_free },
	{ "other-swaps", "no other swap",
		"systemd before 255 chooses a swap by priority and refuses when the kernel would take another; some systems refuse with more than one. What is swapped out to instance store is lost.",
		LIVE, MENDS, .evaluate = check_other_swaps },
	{ "kubelet", "no swap for kubelet",
		"kubelet refuses to start while a swap is on, unless it is told otherwise (failSwapOn: false). Where it is installed setup has the swap area on only around a hibernation.",
		.evaluate = check_kubelet },
	{ "swap-holes", "no holes",
		"The kernel writes to the blocks of a swap file without asking the file system, so all of them have to be there; it refuses a sparse file.",
		VITAL, REFUSES, .evaluate = check_swap_holes },
	{ "swap-copy-on-write", "written in place",
		"A swap file must not be copy-on-write, compressed or share blocks with a snapshot: its blocks would not stay where the kernel knows them.",
		VITAL, REFUSES, .evaluate = check_swap_copy_on_write },
	{ "swap-snapshots", "no snapshots of it",
		"btrfs takes no snapshot of a subvolume with a swap file that is switched on, so snapper, timeshift and the like fail; and a snapshot of one that is off makes the file share its blocks, after which the kernel refuses it. A snapshot does not go into subvolumes below: a swap file wants one of its own.",
		.evaluate = check_swap_snapshots },
	{ "swap-fragments", "in few pieces",
		"Each piece of the swap file is one more jump when the image is written and read, and EC2 stops an instance by force that is not off in about 20 minutes.",
		.evaluate = check_swap_fragments },
	{ "swap-permissions", "root's alone",
		"The image holds all of memory, keys and passwords included. Who can read the swap file reads them; who can write to it, or exchange it, becomes root at the next resume.",
		.evaluate = check_swap_permissions },
	{ "swap-medium", "storage that lasts",
		"The image has to be where the next boot finds it, whole: every disk below the swap area counts, also one of several in a volume group or RAID. Instance store and memory lose what they hold when the instance stops; a key that is new at every boot does not open it again; a loop device or a disk of the network is not there yet when the image is looked for; thin pools, caches, snapshots, bcache and ZFS keep records that the resumed kernel would have in an old state.",
		LIVE, REFUSES, .evaluate = check_swap_medium },
	{ "disk-space", "room for a swap file",
		"As long as there is no swap area that is large enough, setup has to make one: the file system needs room for it and 10 MiB to spare.",
		LIVE, .evaluate = check_disk_space },
	{ "selinux", "SELinux label",
		"Where SELinux enforces, services such as systemd-logind may look at a swap file only when its type is swapfile_t; otherwise they refuse to hibernate.",
		.evaluate = check_selinux },
};
/* clang-format on */
const struct check_group swap_checks = { "swap", checks, ARRAY_SIZE(checks) };
