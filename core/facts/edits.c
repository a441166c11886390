/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/edits.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

char *edits_path(const char *state_dir)
{
	return text_format("%s/%s", state_dir, EDITS_NAME);
}

void edits_free(struct edits *edits)
{
	for (size_t i = 0; i < edits->count; i++) {
		free(edits->items[i].file);
		free(edits->items[i].before);
		free(edits->items[i].after);
	}
	free(edits->items);
	*edits = (struct edits) { 0 };
}

static bool read_edit(json_t *json, struct edit *edit)
{
	json_t *line = json_object_get(json, "line");
	const char *file = json_string_value(json_object_get(json, "file"));
	const char *before = json_string_value(json_object_get(json, "before"));
	const char *after = json_string_value(json_object_get(json, "after"));

	if (!file || *file != '/' || !before || !after || !json_is_integer(line) ||
		json_integer_value(line) < 0)
		return false;
	edit->file = text_copy(file);
	edit->before = text_copy(before);
	edit->after = text_copy(after);
	edit->line = (uint64_t)json_integer_value(line);
	edit->open_end = json_is_true(json_object_get(json, "open_end"));
	edit->made_file = json_is_true(json_object_get(json, "made_file"));
	return true;
}

int edits_read(
	const struct root *root, const char *state_dir, struct edits *edits, struct error *err)
{
	memory_cleanup_free char *path = edits_path(state_dir), *text = NULL;
	json_error_t problem;
	json_t *json, *list, *item;
	size_t i;
	int status;

	*edits = (struct edits) { 0 };
	/* What it says is done to files of the system. */
	status = root_check_own(root, path, err);
	if (status < 0)
		return status;
	status = root_read(root, path, FILE_LIMIT, &text, NULL, err);
	if (status == -ENOENT || status == -ENOTDIR)
		return 0;
	if (status < 0)
		return status;
	json = json_loads(text, 0, &problem);
	list = json_object_get(json, "edits");
	if (!json_is_array(list))
		status = error_set(err, EINVAL, "%s%s is damaged: %s", root->path, path,
			json ? "it has no list of edits" : problem.text);
	json_array_foreach(list, i, item)
	{
		struct edit edit = { 0 };

		if (!read_edit(item, &edit)) {
			status = error_set(err, EINVAL, "%s%s is damaged: edit %zu is not one",
				root->path, path, i + 1);
			break;
		}
		edits->items = memory_grow(edits->items, edits->count, sizeof(edit));
		edits->items[edits->count++] = edit;
	}
	json_decref(json);
	return status;
}
