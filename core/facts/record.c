/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/record.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/text.h"

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
		return error_set(err, EBADMSG, "%s was written by a newer ec2hib", shown);
	return 0;
}

/* As one line; releases JSON. */
static char *record_text(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	if (!text)
		abort(); /* no memory: core/base/memory.h */
	text_append(&text, "\n");
	return text;
}

int record_write_json(
	const struct root *root, const char *path, json_t *json, mode_t mode, struct error *err)
{
	memory_cleanup_free char *text = record_text(json);
	memory_cleanup_free char *folder = path_folder(path);
	int status = root_make_directory(root, folder, err);

	return status < 0 ? status : root_replace(root, path, text, mode, err);
}

int record_write(const struct root *root, const char *path, const struct layout *layout,
	const void *structure, mode_t mode, struct error *err)
{
	return record_write_json(root, path, layout_to_json(layout, structure), mode, err);
}

int record_publish(const struct root *root, const char *path, const struct layout *layout,
	const void *structure, struct error *err)
{
	memory_cleanup_free char *text = record_text(layout_to_json(layout, structure));

	return root_publish(root, path, text, 0644, err);
}
