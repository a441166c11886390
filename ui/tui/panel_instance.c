/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The instance: what it is, and whether EC2 may hibernate it. */
#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/tui/panel.h"

static const char *configured(const struct instance_facts *instance)
{
	if (fact_is_true(&instance->hibernation_configured))
		return "enabled at launch";
	if (fact_is_false(&instance->hibernation_configured))
		return "not enabled at launch";
	return NULL;
}

static void draw_machine(struct page *page, const struct model *model)
{
	const struct facts *facts = &model->facts;
	memory_cleanup_free char *kernel = NULL, *uptime = NULL;

	if (facts->kernel.release.is == FACT_KNOWN)
		kernel = text_format("%s %s", facts->kernel.release.value,
			fact_text_or(&facts->kernel.machine, ""));
	if (model->live && !model->saved)
		uptime = duration_format(model->ticks / 60000 * 60000);
	page_field(page, COLOUR_PLAIN, "kernel", kernel);
	page_field(page, COLOUR_PLAIN, "up", uptime);
	page_fact(page, page->whole ? "system" : "", &facts->system.name);
	page_size(page, "memory", &facts->memory.total);
	page_size(page, "available", &facts->memory.available);
	if (!page->whole)
		return;
	page_fact(page, "init", &facts->system.init);
	page_fact(page, "firmware", &facts->system.vendor);
	page_fact(page, "command line", &facts->kernel.command_line);
}

static void draw(struct page *page, const struct model *model, const void *state UNUSED)
{
	const struct instance_facts *instance = &model->facts.instance;

	if (!model->gathered) {
		page_text(page, COLOUR_DIM, "looking at the machine ...");
		return;
	}
	if (instance->id.is != FACT_KNOWN) {
		page_text(page, COLOUR_RISK, "not known: ");
		page_wrap(page, COLOUR_PLAIN, 2,
			instance->id.why ? instance->id.why : "the metadata service was not asked");
	}
	page_field(page, COLOUR_STRONG, page->whole ? "instance" : "",
		fact_text_or(&instance->id, NULL));
	page_fact(page, page->whole ? "type" : "", &instance->type);
	page_fact(page, page->whole ? "zone" : "", &instance->zone);
	page_fact(page, page->whole ? "bought as" : "", &instance->life_cycle);
	page_field(page, fact_is_true(&instance->hibernation_configured) ? COLOUR_GOOD : COLOUR_BAD,
		"hibernation", configured(instance));
	if (page->whole) {
		page_fact(page, "region", &instance->region);
		page_fact(page, "image", &instance->image);
		page_fact(page, "architecture", &instance->architecture);
		page_fact(page, "Auto Scaling state", &instance->target_lifecycle_state);
	}
	draw_machine(page, model);
}

const struct panel panel_instance = {
	.title = "instance",
	.request = REQUEST_INSTANCE,
	.wish = { .least = 2, .wanted = 2, .rank = 4 },
	.draw = draw,
};
