/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kubelet refuses to start while a swap is on, unless it is told otherwise (failSwapOn: false, or
 * --fail-swap-on=false: Kubernetes documentation, swap memory management). So a machine of a
 * cluster has its swap area on only around a hibernation.
 */
#ifndef EC2HIB_FACTS_KUBELET_H
#define EC2HIB_FACTS_KUBELET_H

#include "core/base/config.h"
#include "core/facts/facts.h"

/* In the state folder: what setup --swap-on was given. */
#define SWAP_ON_RECORD_NAME "swap-on"

/* Fills kubelet and kubelet_swaps. */
void kubelet_gather(struct system_facts *system, const struct root *root);

/* Fills swap_on, swap_on_why and swap_on_remembered of the area. */
void swap_on_gather(struct area_facts *area, const struct root *root, const struct config *config,
	const struct system_facts *system);

#endif
