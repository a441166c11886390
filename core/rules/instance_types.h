/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which instance types EC2 hibernates, by what EC2 itself says of them (DescribeInstanceTypes,
 * HibernationSupported): not every size of a family.
 *
 * The list is data with a date, data/instance-types.tsv, which is compiled in;
 * data/instance-types-update makes it anew. Types appear all the time, so one that is not in it is
 * not known, and no more than that.
 */
#ifndef EC2HIB_RULES_INSTANCE_TYPES_H
#define EC2HIB_RULES_INSTANCE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* Linux instances with more memory are not hibernated (AWS's guide, "Prerequisites"). */
#define INSTANCE_MEMORY_MAX_GIB 150

enum type_hibernates { TYPE_HIBERNATES, TYPE_DOES_NOT, TYPE_NOT_KNOWN };

/* TYPE is an instance type such as "m5.large". */
enum type_hibernates instance_type_hibernates(const char *type);

/* The month of the list, "2026-08". */
const char *instance_types_date(void);

bool instance_type_is_bare_metal(const char *type);

/*
 * The least memory that the guide advises for TYPE, in bytes as MemTotal counts it (the
 * kernel keeps a part of what the type has); 0 when it says nothing.
 */
uint64_t instance_type_memory_min(const char *type);

#endif
