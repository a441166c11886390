/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/rehearsal.h"

#include <errno.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"

static const struct field marker_fields[] = {
	NUMBER(struct rehearsal_marker, format, "version of this layout"),
	TEXT(struct rehearsal_marker, level, "the level that is rehearsed"),
	TEXT(struct rehearsal_marker, started, "when, UTC, ISO 8601"),
	TEXT(struct rehearsal_marker, boot_id, "the boot in which it runs"),
	NUMBER(struct rehearsal_marker, slept,
		"how long the machine had been hibernated since that boot, ms"),
	GROUP(struct rehearsal_marker, machine, &rehearsal_facts_layout, "kernel, area and entry"),
};
const struct layout rehearsal_marker_layout = LAYOUT(struct rehearsal_marker, marker_fields);

static const struct field record_fields[] = {
	NUMBER(struct rehearsal_record, format, "version of this layout"),
	GROUP(struct rehearsal_record, rehearsal, &rehearsal_facts_layout, "what was shown"),
};
const struct layout rehearsal_record_layout = LAYOUT(struct rehearsal_record, record_fields);

void rehearsal_gather(struct rehearsal_facts *facts, const struct root *root, const char *state_dir)
{
	memory_cleanup_free char *path = text_format("%s/" REHEARSAL_NAME, state_dir);
	struct rehearsal_record record = { 0 };
	struct error err = { "" };
	int status =
		record_read(root, path, &rehearsal_record_layout, REHEARSAL_FORMAT, &record, &err);

	if (status == 0) {
		*facts = record.rehearsal;
		return;
	}
	layout_free(&rehearsal_record_layout, &record);
	if (status != -ENOENT && status != -ENOTDIR) {
		layout_set_unknown(&rehearsal_facts_layout, facts, err.text);
		return;
	}
	for (size_t i = 0; i < rehearsal_facts_layout.count; i++)
		fact_set_absent((void *)((char *)facts + rehearsal_facts_layout.fields[i].offset));
}

int rehearsal_marker_read(const struct root *root, const char *state_dir,
	struct rehearsal_marker *marker, struct error *err)
{
	memory_cleanup_free char *path = text_format("%s/" REHEARSAL_MARKER_NAME, state_dir);
	/* What stands in it is done to the machine. */
	int status = root_check_own(root, path, err);

	if (status == 0)
		status = record_read(
			root, path, &rehearsal_marker_layout, REHEARSAL_FORMAT, marker, err);
	return status == -ENOTDIR ? -ENOENT : status;
}
