/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which instance types EC2 hibernates, as far as its guide says.
 *
 * The list is data with a date. New families appear all the time, so a family that is not in it is
 * a warning, never a failure; the authority is
 *	aws ec2 describe-instance-types --filters Name=hibernation-supported,Values=true
 */
#ifndef EC2HIB_RULES_FAMILIES_H
#define EC2HIB_RULES_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When the guide was read (AWS, "Prerequisites for EC2 instance hibernation"). */
#define FAMILIES_DATE "2024-07"

/* Linux instances with more memory are not hibernated (same page). */
#define INSTANCE_MEMORY_MAX_GIB 150

/* Family names, which is what comes before the point in an instance type; sorted. */
extern const char *const families[];
extern const size_t family_count;

/* TYPE is an instance type such as "m5.large". */
bool family_is_listed(const char *type);
bool instance_type_is_bare_metal(const char *type);

/*
 * The least memory that the guide advises for TYPE, in bytes as MemTotal counts it (the
 * kernel keeps a part of what the type has); 0 when it says nothing.
 */
uint64_t instance_type_memory_min(const char *type);

#endif
