/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/rehearsal.h"

#include <errno.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"

FACT_LAYOUT(rehearsal_marker, REHEARSAL_MARKER);
FACT_LAYOUT(rehearsal_record, REHEARSAL_RECORD);

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
	layout_set_absent(&rehearsal_facts_layout, facts);
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
