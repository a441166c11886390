/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records: what one ec2hib leaves for the next, a JSON file in the layout of a struct whose first fact is
 * the version of that layout.
 */
#ifndef EC2HIB_FACTS_RECORD_H
#define EC2HIB_FACTS_RECORD_H

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/facts/fact.h"

/*
 * Reads PATH, of versions up to FORMAT. -EBADMSG: it is damaged, or of a newer ec2hib; otherwise what
 * root_read() says. STRUCTURE must be zeroed before, and freed also after an error.
 */
int record_read(const struct root *root, const char *path, const struct layout *layout,
	uint64_t format, void *structure, struct error *err);

#endif
