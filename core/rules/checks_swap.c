/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The swap area as the kernel uses it: there, large enough, active, and free of old
 * images.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/swaps.h"
#include "core/rules/checks_parts.h"
#include "core/rules/checks_table.h"
#include "core/rules/hibernation.h"
#include "core/rules/size.h"

static struct finding describe_area(const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	memory_cleanup_free char *size = NULL;

	if (area->size.is != FACT_KNOWN)
		return finding_pass("%s is there", area_name(facts));
	size = size_format(area->size.value);
	if (fact_text_is(&area->kind, "device"))
		return finding_pass("%s is there, %s", area_name(facts), size);
	return finding_pass("%s is there, %s on %s (%s)", area_name(facts), size,
		fact_text_or(&area->mount_point, "its disk"),
		fact_text_or(&area->filesystem, "file system not known"));
}

CHECK_FUNCTION(swap_file)
{
	const struct fact_text *kind = &facts->area.kind;
	const char *path = area_name(facts);
	memory_cleanup_free char *fix = text_format("remove %s, then: " FIX_SETUP, path);
	struct finding finding;

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

/*
 * In a running machine an image is stale by definition; in an image of a disk it may be
 * wanted.
 */
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
