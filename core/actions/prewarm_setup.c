/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The step of setup that pre-warms. */
#include "core/actions/prewarm_setup.h"

#include <syslog.h>

#include "core/actions/prewarm.h"
#include "core/actions/prewarm_background.h"

/* For requests that are on their way: a volume's first touch may take seconds. */
#define STOP_WAIT_MS 10000

static int run_here(const struct setup *setup, struct error *err)
{
	const struct prewarm prewarm = { .gather = setup->gather,
		.block = PREWARM_BLOCK_STANDARD,
		.reporter = setup->reporter };
	struct prewarm_state state = { 0 };
	int status = prewarm_run(&prewarm, &state, err);

	layout_free(&prewarm_state_layout, &state);
	return status;
}

static int run_in_background(const struct setup *setup, struct error *err)
{
	const struct area_facts *area = &setup->facts->area;
	const struct prewarm_order order = {
		.option = fact_text_is(&area->kind, "device") ? "--swap-device" : "--swapfile",
		.path = area->path.value
	};

	return prewarm_start(setup->gather, &order, err);
}

/*
 * What runs may be for the file that this setup has replaced, or for something else: it makes room,
 * and goes on some other time from where it was.
 */
static int stop_other(const struct setup *setup, struct error *err)
{
	int status = prewarm_stop(setup->gather->root, STOP_WAIT_MS, err);

	if (status > 0)
		reporter_log(setup->reporter, LOG_INFO,
			"the pre-warm that ran was stopped: the swap area comes first");
	return status < 0 ? status : 0;
}

int prewarm_for_setup(struct setup *setup, bool background, struct error *err)
{
	int status;

	if (background && fact_text_is(&setup->facts->area.prewarmed, PREWARMED_RUNNING)) {
		reporter_log(setup->reporter, LOG_INFO, "a pre-warm of it runs already");
		return 0;
	}
	status = stop_other(setup, err);
	if (status < 0)
		return status;
	return background ? run_in_background(setup, err) : run_here(setup, err);
}
