/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What setup's plan and teardown's have in common; only for the files plan*.c. */
#ifndef EC2HIB_RULES_PLAN_PARTS_H
#define EC2HIB_RULES_PLAN_PARTS_H

#include "core/rules/plan.h"

/* Adds a step, which owns TEXT afterwards. */
void plan_add(struct plan *plan, enum step_kind kind, uint64_t value, char *text);

/*
 * An image in a running machine is stale: the boot that it was for did not take it. -EBUSY for one
 * in an image of a machine.
 */
int plan_old_image(struct plan *plan, const struct facts *facts, struct error *err);

/* What an interrupted setup left; in front of the steps that need the room. */
void plan_sweep_area(struct plan *plan, const struct area_facts *area);

/* Where boot arguments are put, in words. */
const char *plan_loader_place(const struct facts *facts);

/* True when the running kernel has this area's device and offset. */
bool plan_kernel_knows_area(const struct facts *facts);

/* plan_service.c: the agent, the older agents, and the way back of both. */
void plan_service(
	struct plan *plan, const struct facts *facts, const struct setup_request *request);
void plan_service_stop(struct plan *plan, const struct facts *facts);
void plan_give_back(struct plan *plan, const struct facts *facts);

/* plan_prewarm.c: behind all other steps, which it looks at. */
void plan_prewarm(
	struct plan *plan, const struct facts *facts, const struct setup_request *request);

#endif
