/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/boot_record.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/facts/boot.h"

char *edit_record_path(const char *state_dir)
{
	return text_format("%s/%s", state_dir, EDITS_NAME);
}

void edit_record_free(struct edit_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		free(record->items[i].file);
		free(record->items[i].before);
		free(record->items[i].after);
	}
	free(record->items);
	*record = (struct edit_record) { 0 };
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

int edit_record_read(const struct root *root, const char *state_dir, struct edit_record *record,
	struct error *err)
{
	memory_cleanup_free char *path = edit_record_path(state_dir), *text = NULL;
	json_error_t problem;
	json_t *json, *edits, *item;
	size_t i;
	int status;

	*record = (struct edit_record) { 0 };
	/* What stands in it is done to files of the system. */
	status = root_check_own(root, path, err);
	if (status < 0)
		return status;
	status = root_read(root, path, FILE_LIMIT, &text, NULL, err);
	if (status == -ENOENT || status == -ENOTDIR)
		return 0;
	if (status < 0)
		return status;
	json = json_loads(text, 0, &problem);
	edits = json_object_get(json, "edits");
	if (!json_is_array(edits))
		status = error_set(err, EINVAL, "%s%s is damaged: %s", root->path, path,
			json ? "it has no list of edits" : problem.text);
	json_array_foreach(edits, i, item)
	{
		struct edit edit = { 0 };

		if (!read_edit(item, &edit)) {
			status = error_set(err, EINVAL, "%s%s is damaged: edit %zu is not one",
				root->path, path, i + 1);
			break;
		}
		record->items = memory_grow(record->items, record->count, sizeof(edit));
		record->items[record->count++] = edit;
	}
	json_decref(json);
	return status;
}

bool edit_is_boot_file(const char *file)
{
	return text_starts(file, "/boot/") || text_starts(file, "/efi/") ||
	       strcmp(file, "/etc/kernel/cmdline") == 0 || strcmp(file, BOOT_DEFAULTS) == 0;
}
