/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records: what one ec2hib leaves for the next, a JSON file in the layout of a struct whose first
 * fact is the version of that layout.
 */
#ifndef EC2HIB_FACTS_RECORD_H
#define EC2HIB_FACTS_RECORD_H

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/facts/fact.h"

/*
 * Reads PATH, of versions up to FORMAT. -EBADMSG: it is damaged, or a newer ec2hib wrote it;
 * otherwise what root_read() says. STRUCTURE must be zeroed before, and freed also after an error.
 */
int record_read(const struct root *root, const char *path, const struct layout *layout,
	uint64_t format, void *structure, struct error *err);

/*
 * Makes PATH hold the record, whole or not at all and also after a power cut, with MODE where it is
 * new; the folder is made when it is missing.
 */
int record_write(const struct root *root, const char *path, const struct layout *layout,
	const void *structure, mode_t mode, struct error *err);

/* The same for JSON that is not from a struct; releases it. */
int record_write_json(
	const struct root *root, const char *path, json_t *json, mode_t mode, struct error *err);

/*
 * The same for what is about the running system and gone with it: below RUN_FOLDER, for everybody
 * to read, without waiting for a disk. A reader sees the old record or the new.
 */
int record_publish(const struct root *root, const char *path, const struct layout *layout,
	const void *structure, struct error *err);

#endif
