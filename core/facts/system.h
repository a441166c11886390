/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The distribution, SELinux, and who else acts when the machine is told to sleep. */
#ifndef EC2HIB_FACTS_SYSTEM_H
#define EC2HIB_FACTS_SYSTEM_H

#include "core/facts/facts.h"

/* STATE_DIR is where setup keeps what it has to remember. */
void system_gather(struct system_facts *system, const struct root *root, const char *state_dir);

#endif
