/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether to hibernate now, and what has to be prepared just before: decided from the facts alone,
 * the same for the command, the agent and the dashboard.
 */
#ifndef EC2HIB_RULES_HIBERNATION_H
#define EC2HIB_RULES_HIBERNATION_H

#include "core/rules/checks.h"
#include "core/rules/plan.h"

/* A swap beside the area that goes off until after resume. */
struct other_swap {
	char *path;
	long priority;
	uint64_t used; /* bytes */
};

struct hibernation_plan {
	const char *method; /* METHOD_DIRECT or METHOD_SYSTEMD */
	struct plan steps;  /* of setup: what swap area and running kernel lack */
	struct other_swap *others;
	size_t other_count;
	char *off_after; /* the swap area, where it is on for the hibernation only; else NULL */
	bool set_image_size;
	uint64_t image_size;	    /* bytes for /sys/power/image_size */
	uint64_t image_size_before; /* what it says now */
};

/*
 * What keeps the machine from hibernating and coming back, in the words of the checks: those that
 * fail and that hibernate does not mend itself. With PREPARED (the steps of the plan are done) also
 * those that it should have mended. Each is "ID: text; run: fix". None: it can be done.
 */
void hibernation_obstacles(const struct facts *facts, const struct config *config, bool prepared,
	struct strings *obstacles);

/*
 * What has to be done before. METHOD of the configuration is asked; auto is systemd only where
 * programs in its folder system-sleep would not run otherwise.
 *
 * Other swaps: the kernel writes the image to its resume device, whatever other swaps there are, so
 * they may stay on, and with them what they hold; but a swap whose storage does not last (instance
 * store, a key made anew at each boot) would lose its pages. systemd before 255 chooses an area by
 * priority and refuses when it is another than the kernel's: there all that come before ours go
 * off. -EPERM when a swap has to go off and what it holds does not fit into memory, with the
 * numbers.
 *
 * hibernation_plan_free() in any case.
 */
int hibernation_plan(struct hibernation_plan *plan, const struct facts *facts,
	const struct config *config, struct error *err);
void hibernation_plan_free(struct hibernation_plan *plan);

/* Free bytes of swap that an image of SIZE bytes may need at worst, and the other way round. */
uint64_t image_needs(uint64_t size);
uint64_t image_fits(uint64_t free_bytes);

#endif
