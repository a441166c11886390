/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/rehearsal.h"

#include <errno.h>

#include "core/base/memory.h"
#include "core/base/text.h"

static const struct field marker_fields[] = {
	NUMBER(struct rehearsal_marker, format, "version of this layout"),
	TEXT(struct rehearsal_marker, level, "the level that is rehearsed"),
	TEXT(struct rehearsal_marker, started, "when, UTC, ISO 8601"),
	TEXT(struct rehearsal_marker, boot_id, "the boot in which it runs"),
	NUMBER(struct rehearsal_marker, slept,
		"how long the machine had been hibernated since that boot, ms"),
	GROUP(struct rehearsal_marker, machine, &rehearsal_layout,
		"kernel, area and entry"),
};
const struct layout rehearsal_marker_layout =
	LAYOUT(struct rehearsal_marker, marker_fields);

static const struct field record_fields[] = {
	NUMBER(struct rehearsal_record, format, "version of this layout"),
	GROUP(struct rehearsal_record, rehearsal, &rehearsal_layout, "what was shown"),
};
const struct layout rehearsal_record_layout =
	LAYOUT(struct rehearsal_record, record_fields);

/* STRUCTURE begins with its format. */
static int read_file(const struct root *root, const char *path,
	const struct layout *layout, void *structure, struct error *err)
{
	memory_cleanup_free char *text = NULL;
	const struct fact_number *format = structure;
	json_error_t where;
	json_t *json;
	int status = root_read(root, path, FILE_LIMIT, &text, NULL, err);

	if (status < 0)
		return status;
	json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return error_set(err, EBADMSG, "%s%s is damaged: line %d: %s", root->path,
			path, where.line, where.text);
	status = layout_from_json(layout, structure, json, path, err);
	json_decref(json);
	if (status < 0)
		return -EBADMSG;
	if (format->is != FACT_KNOWN || format->value > REHEARSAL_FORMAT)
		return error_set(
			err, EBADMSG, "%s%s is of a newer ec2hib", root->path, path);
	return 0;
}

void rehearsal_gather(
	struct rehearsal_facts *facts, const struct root *root, const char *state_dir)
{
	memory_cleanup_free char *path = text_format("%s/" REHEARSAL_NAME, state_dir);
	struct rehearsal_record record = { 0 };
	struct error err = { "" };
	int status = read_file(root, path, &rehearsal_record_layout, &record, &err);

	if (status == 0) {
		*facts = record.rehearsal;
		return;
	}
	layout_free(&rehearsal_record_layout, &record);
	if (status != -ENOENT && status != -ENOTDIR) {
		layout_set_unknown(&rehearsal_layout, facts, err.text);
		return;
	}
	for (size_t i = 0; i < rehearsal_layout.count; i++)
		fact_set_absent(
			(void *)((char *)facts + rehearsal_layout.fields[i].offset));
}

int rehearsal_marker_read(const struct root *root, const char *state_dir,
	struct rehearsal_marker *marker, struct error *err)
{
	memory_cleanup_free char *path =
		text_format("%s/" REHEARSAL_MARKER_NAME, state_dir);
	/* What stands in it is done to the machine. */
	int status = root_check_own(root, path, err);

	if (status == 0)
		status = read_file(root, path, &rehearsal_marker_layout, marker, err);
	return status == -ENOTDIR ? -ENOENT : status;
}
