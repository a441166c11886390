/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The swap area: whether an image fits, and whether everybody knows where it lies. */
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/hibernation.h"
#include "core/rules/size.h"
#include "ui/tui/panel.h"

#define LABEL_COLUMN 10
#define GAUGE_LEAST  6
#define GAUGE_MOST   40

/* Who has to know where the area is, and the checks that tell. */
static const struct resume_user {
	const char *who;
	const char *device, *offset;
} resume_users[] = {
	{ "running kernel", "resume-device-kernel", "resume-offset-kernel" },
	{ "its command line", "resume-device-cmdline", "resume-offset-cmdline" },
	{ "next boot", "resume-device-next-boot", "resume-offset-next-boot" },
};
#define RESUME_USERS (ARRAY_SIZE(resume_users))

static const struct finding *finding_of(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->findings[i].check->id, id) == 0)
			return &report->findings[i];
	return NULL;
}

/* As the check of the size has it. */
static bool suffices(uint64_t need, uint64_t size)
{
	return need <= size + SWAP_SIZE_SLACK;
}

static void draw_gauge(struct page *page, const char *label, uint64_t need, uint64_t room)
{
	memory_cleanup_free char *need_text = size_format(need);
	memory_cleanup_free char *room_text = size_format(room);
	unsigned columns = page->width / 3;
	bool fits = suffices(need, room);
	enum colour colour = fits ? COLOUR_GOOD : COLOUR_BAD;

	page_text(page, COLOUR_DIM, "%s", label);
	page_pad(page, LABEL_COLUMN);
	page_gauge(page, columns < GAUGE_MOST ? columns : GAUGE_MOST, need, room, colour);
	page_add(page, COLOUR_PLAIN, " %s of %s, ", need_text, room_text);
	page_add(page, colour, "%s", fits ? "fits" : "too small");
}

/* Both in one line: what is needed now, and after it what may be. */
static void draw_both(struct page *page, uint64_t now, uint64_t room, uint64_t worst, uint64_t size)
{
	memory_cleanup_free char *now_text = size_format(now);
	memory_cleanup_free char *worst_text = size_format(worst);
	memory_cleanup_free char *size_text = size_format(size);
	enum colour colour = now > room		      ? COLOUR_BAD
			     : !suffices(worst, size) ? COLOUR_RISK
						      : COLOUR_GOOD;
	const char *verdict = now > room	       ? "too small"
			      : !suffices(worst, size) ? "too small at worst"
						       : "fits";
	memory_cleanup_free char *text = NULL;
	size_t used;

	text = text_format(" %s now, %s at worst, of %s: ", now_text, worst_text, size_text);
	used = strlen(text) + strlen(verdict);
	page_line(page);
	if (page->width > used + GAUGE_LEAST)
		page_gauge_more(page,
			page->width - used < GAUGE_MOST ? (unsigned)(page->width - used)
							: GAUGE_MOST,
			now, worst, size, colour);
	page_add(page, COLOUR_PLAIN, "%s", text);
	page_add(page, colour, "%s", verdict);
}

static void draw_gauges(struct page *page, const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	const struct memory_facts *memory = &facts->memory;
	uint64_t room = area->size.value;
	uint64_t now = image_needs(memory->image_estimate.value);
	bool know_now = memory->image_estimate.is == FACT_KNOWN;
	bool know_worst = memory->total.is == FACT_KNOWN;

	if (area->used.is == FACT_KNOWN && area->used.value < room)
		room -= area->used.value;
	if (!page->whole && know_now && know_worst) {
		draw_both(page, now, room, memory->total.value, area->size.value);
		return;
	}
	if (know_now)
		draw_gauge(page, "now", now, room);
	if (know_worst)
		draw_gauge(page, "at worst", memory->total.value, area->size.value);
}

/* Whether the kernel, its command line and the next boot know where it is. */
static void draw_resume_users(struct page *page, const struct model *model)
{
	page_line(page);
	page_number(page, "offset", &model->facts.area.resume_offset);
	for (size_t i = 0; i < RESUME_USERS; i++) {
		const struct finding *device = finding_of(&model->report, resume_users[i].device);
		const struct finding *offset = finding_of(&model->report, resume_users[i].offset);
		enum check_state state;

		if (!device || !offset)
			continue;
		state = device->state < offset->state ? device->state : offset->state;
		page_field(page,
			state == CHECK_PASS   ? COLOUR_GOOD
			: state == CHECK_FAIL ? COLOUR_BAD
					      : COLOUR_RISK,
			resume_users[i].who, check_state_name(state));
		if (page->whole && state != CHECK_PASS)
			page_field(page, COLOUR_PLAIN, "",
				device->state < offset->state ? device->text : offset->text);
	}
}

static void draw_details(struct page *page, const struct model *model)
{
	const struct area_facts *area = &model->facts.area;
	const struct entry_facts *next = facts_next_entry(&model->facts);
	memory_cleanup_free char *count = NULL;

	if (area->extents.is == FACT_KNOWN)
		count = text_format("%zu", area->extents.count);
	page_field(page, COLOUR_PLAIN, "extents", count);
	if (!page->whole)
		return;
	page_size(page, "size", &area->size);
	page_fact(page, "file system", &area->filesystem);
	page_fact(page, "in the header", &area->signature);
	page_fact(page, "resume device", &area->resume_device);
	page_fact(page, "resume argument", &area->resume_argument);
	page_fact(page, "command line", &model->facts.kernel.command_line);
	if (next)
		page_fact(page, "next boot", &next->arguments);
}

static void draw_swaps(struct page *page, const struct facts *facts)
{
	size_t others = 0;

	for (size_t i = 0; i < facts->swaps.count; i++)
		others += !fact_is_true(&facts->swaps.items[i].is_area);
	if (!page->whole) {
		memory_cleanup_free char *count = text_format("%zu", others);

		page_field(page, others ? COLOUR_RISK : COLOUR_PLAIN, "other swaps", count);
		return;
	}
	page_title(page, "active swaps");
	for (size_t i = 0; i < facts->swaps.count; i++) {
		const struct swap_facts *swap = &facts->swaps.items[i];
		const char *path = fact_text_or(&swap->path, NULL);
		memory_cleanup_free char *size = size_format(swap->size.value);
		memory_cleanup_free char *used = size_format(swap->used.value);

		page_text(page, COLOUR_PLAIN, "%-22s  %s, %s used%s", path ? path : "?", size, used,
			fact_is_true(&swap->is_area) ? ", the area for the image" : "");
	}
	if (facts->swaps.count == 0) {
		page_text(page, COLOUR_DIM, "none");
	}
}

static void draw(struct page *page, const struct model *model, const void *state UNUSED)
{
	const struct area_facts *area = &model->facts.area;

	if (!model->gathered) {
		page_text(page, COLOUR_DIM, "looking at the machine ...");
		return;
	}
	if (area->kind.is == FACT_KNOWN && area->size.is == FACT_KNOWN) {
		draw_gauges(page, &model->facts);
	} else {
		const char *path = fact_text_or(&area->path, NULL);

		page_text(page, area->kind.is == FACT_ABSENT ? COLOUR_BAD : COLOUR_RISK, "%s ",
			path ? path : "the swap area");
		page_add(page, COLOUR_PLAIN, "%s",
			area->kind.is == FACT_ABSENT ? "is not there; F2 sets it up"
			: area->kind.why	     ? area->kind.why
						     : "is not known");
	}
	draw_resume_users(page, model);
	if (area->kind.is == FACT_KNOWN)
		draw_details(page, model);
	draw_swaps(page, &model->facts);
}

const struct panel panel_swap = {
	.title = "swap readiness",
	.request = REQUEST_SWAP,
	.wish = { .least = 2, .wanted = 3, .rank = 3 },
	.draw = draw,
};
