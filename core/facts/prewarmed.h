/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far the area was pre-warmed, by the volume and the places on it where it lies. */
#ifndef EC2HIB_FACTS_PREWARMED_H
#define EC2HIB_FACTS_PREWARMED_H

#include "core/facts/facts.h"

/*
 * Names the first device of a chain beyond a boot: by the serial number of its disk, or the machine
 * where that has none, so that a copy in another instance is another volume. The caller frees it.
 */
char *prewarm_volume_name(const struct root *host, const device_list *devices);

/* Fills prewarmed, when the rest of AREA is known. STATE_DIR is below ROOT. */
void prewarmed_gather(struct area_facts *area, const struct root *root, const struct root *host,
	const char *state_dir);

#endif
