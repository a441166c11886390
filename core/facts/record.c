/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/record.h"

#include <errno.h>

#include "core/base/memory.h"

int record_read(const struct root *root, const char *path, const struct layout *layout,
	uint64_t format, void *structure, struct error *err)
{
	memory_cleanup_free char *text = NULL, *shown = root_shown(root, path);
	const struct fact_number *version =
		(const void *)((char *)structure + layout->fields[0].offset);
	json_error_t where;
	json_t *json;
	int status = root_read(root, path, FILE_LIMIT, &text, NULL, err);

	if (status < 0)
		return status;
	json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return error_set(
			err, EBADMSG, "%s is damaged: line %d: %s", shown, where.line, where.text);
	status = layout_from_json(layout, structure, json, shown, err);
	json_decref(json);
	if (status < 0)
		return -EBADMSG;
	if (version->is != FACT_KNOWN)
		return error_set(err, EBADMSG, "%s is damaged: it has no format", shown);
	if (version->value > format)
		return error_set(err, EBADMSG, "%s is of a newer ec2hib", shown);
	return 0;
}
