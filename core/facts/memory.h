/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory of the running machine, and what of it cannot go anywhere. */
#ifndef EC2HIB_FACTS_MEMORY_H
#define EC2HIB_FACTS_MEMORY_H

#include "core/facts/facts.h"

/*
 * From /proc and /sys below ROOT. COMMAND_LINE, of the running kernel, may be NULL. The processes
 * are looked at only where much of memory cannot go.
 */
void memory_gather(struct memory_facts *memory, const struct root *root, const char *command_line);

/* MemTotal, bytes; false for an image, and where it cannot be read. */
bool memory_total(const struct root *root, uint64_t *bytes);

#endif
