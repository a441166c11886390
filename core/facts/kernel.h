/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The running kernel. */
#ifndef EC2HIB_FACTS_KERNEL_H
#define EC2HIB_FACTS_KERNEL_H

#include "core/facts/facts.h"

/* From /proc and /sys below ROOT, and uname(2). */
void kernel_gather(struct kernel_facts *kernel, const struct root *root);

#endif
