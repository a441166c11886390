/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/hibernation.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/facts/cycle.h"
#include "core/facts/swaps.h"
#include "core/rules/checks_parts.h"
#include "core/rules/size.h"

/*
 * Beside the image the kernel keeps 4 MiB for itself, and a compressed image is counted as if
 * compression made it larger: 35 pages for 32 (Linux kernel/power/swap.c, enough_swap).
 */
#define IMAGE_PAGES	  32
#define IMAGE_PAGES_WORST 35
#define IMAGE_SPARE	  (4 * MIB)

/* Memory that has to stay free beside what swapoff brings back. */
#define MEMORY_SPARE (64 * MIB)

uint64_t image_needs(uint64_t size)
{
	return size / IMAGE_PAGES * IMAGE_PAGES_WORST + IMAGE_SPARE;
}

uint64_t image_fits(uint64_t free_bytes)
{
	if (free_bytes < IMAGE_SPARE)
		return 0;
	return (free_bytes - IMAGE_SPARE) / IMAGE_PAGES_WORST * IMAGE_PAGES;
}

void hibernation_obstacles(const struct facts *facts, const struct config *config, bool prepared,
	struct strings *obstacles)
{
	struct report report;

	report_make(&report, NULL, facts, config);
	for (size_t i = 0; i < report.count; i++) {
		const struct finding *finding = &report.findings[i];
		enum check_hibernate kind = finding->check->hibernate;

		if (finding->state == CHECK_FAIL && kind != HIBERNATE_ANYWAY &&
			(kind != HIBERNATE_MENDS || prepared))
			strings_take(
				obstacles, text_format("%s: %s%s%s", finding->check->id,
						   finding->text, finding->fix ? "; run: " : "",
						   finding->fix ? finding->fix : ""));
	}
	report_free(&report);
}

/* ---- Other swaps ----------------------------------------------------------------------------- */

/* What lies in memory (zram) is in the image, and EBS lasts. */
static bool storage_lasts(const struct swap_facts *swap)
{
	return !fact_text_is(&swap->medium, MEDIUM_INSTANCE_STORE) &&
	       !(fact_is_true(&swap->random_key) && !fact_text_is(&swap->medium, MEDIUM_ZRAM));
}

/* systemd does not look at zram. Where ours is not on yet, it comes last. */
static bool comes_before_area(const struct facts *facts, const struct swap_facts *swap)
{
	if (fact_text_is(&swap->medium, MEDIUM_ZRAM))
		return false;
	for (size_t i = 0; i < facts->swaps.count; i++)
		if (fact_is_true(&facts->swaps.items[i].is_area))
			return swap_priority(swap) > swap_priority(&facts->swaps.items[i]);
	return true;
}

static bool has_to_go(const struct facts *facts, const struct swap_facts *swap, bool systemd)
{
	if (fact_is_true(&swap->is_area))
		return false;
	return !storage_lasts(swap) || (systemd && comes_before_area(facts, swap));
}

static void other_swaps_plan(struct hibernation_plan *plan, const struct facts *facts, bool systemd)
{
	plan->others = memory_new(facts->swaps.count, sizeof(*plan->others));
	for (size_t i = 0; i < facts->swaps.count; i++) {
		const struct swap_facts *swap = &facts->swaps.items[i];

		if (has_to_go(facts, swap, systemd))
			plan->others[plan->other_count++] =
				(struct other_swap) { .path = text_copy(swap->path.value),
					.priority = swap_priority(swap),
					.used = fact_number_or(&swap->used, 0) };
	}
}

static int check_memory(
	const struct facts *facts, const struct hibernation_plan *plan, struct error *err)
{
	const struct fact_number *available = &facts->memory.available;
	memory_cleanup_free char *holds = NULL, *room = NULL;
	uint64_t bytes = 0;

	for (size_t i = 0; i < plan->other_count; i++)
		bytes += plan->others[i].used;
	if (bytes == 0 || available->is != FACT_KNOWN || bytes + MEMORY_SPARE <= available->value)
		return 0;
	holds = size_format(bytes);
	room = size_format(available->value);
	return error_set(err, EPERM,
		"%s%s has to be switched off to hibernate, but holds %s, and only %s of memory is free; end some programs first",
		plan->others[0].path, plan->other_count > 1 ? " (and others)" : "", holds, room);
}

/* ---- The image ------------------------------------------------------------------------------- */

static void image_plan(
	struct hibernation_plan *plan, const struct facts *facts, const struct config *config)
{
	const struct area_facts *area = &facts->area;
	const struct fact_number *kernel = &facts->kernel.image_size;
	uint64_t free_bytes, fits;

	if (config->image_size == IMAGE_KERNEL || kernel->is != FACT_KNOWN)
		return;
	plan->image_size_before = kernel->value;
	if (config->image_size == IMAGE_MINIMAL) {
		plan->set_image_size = kernel->value != 0;
		plan->image_size = 0;
		return;
	}
	if (area->size.is != FACT_KNOWN)
		return;
	free_bytes = area->size.value;
	if (area->used.is == FACT_KNOWN)
		free_bytes -= area->used.value < free_bytes ? area->used.value : free_bytes;
	fits = image_fits(free_bytes);
	if (fits >= kernel->value)
		return;
	plan->set_image_size = true;
	plan->image_size = fits;
}

/* ---- All of it ------------------------------------------------------------------------------- */

int hibernation_plan(struct hibernation_plan *plan, const struct facts *facts,
	const struct config *config, struct error *err)
{
	bool systemd = method_is_systemd(facts, config);
	int status;

	*plan = (struct hibernation_plan) { .method = systemd ? METHOD_SYSTEMD : METHOD_DIRECT };
	status = preparation_plan(&plan->steps, facts, config, err);
	if (status < 0)
		return status;
	if (swap_only_for_hibernation(&facts->area))
		plan->off_after = text_copy(facts->area.path.value);
	other_swaps_plan(plan, facts, systemd);
	image_plan(plan, facts, config);
	return check_memory(facts, plan, err);
}

void hibernation_plan_free(struct hibernation_plan *plan)
{
	plan_free(&plan->steps);
	for (size_t i = 0; i < plan->other_count; i++)
		free(plan->others[i].path);
	free(plan->others);
	free(plan->off_after);
	*plan = (struct hibernation_plan) { 0 };
}
