/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/history.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"

#define HISTORY_MODE 0644

/* More than these would mean that something keeps damaging the file. */
#define DAMAGED_MAX 100

/* Moves a file that cannot be understood to a name that is free. 1, and ERR tells where it is. */
static int save_damaged(const struct root *root, const char *path, struct error *err)
{
	struct error cause = *err;
	int status;

	for (int number = 1; number <= DAMAGED_MAX; number++) {
		memory_cleanup_free char *name =
			number == 1 ? text_format("%s.damaged", path)
				    : text_format("%s.damaged-%d", path, number);
		struct stat there;

		if (root_lstat(root, name, &there) == 0)
			continue;
		status = root_rename(root, path, name, err);
		if (status < 0)
			return status;
		error_set(err, 0, "%s; it is saved as %s%s, and a new history begins", cause.text,
			root->path, name);
		return 1;
	}
	return error_set(err, EEXIST,
		"%s, and there are %d damaged ones already: remove %s%s.damaged*", cause.text,
		DAMAGED_MAX, root->path, path);
}

static json_t *history_to_json(const cycle_list *list, const struct cycle *newest)
{
	size_t first = list->count >= HISTORY_MAX ? list->count - HISTORY_MAX + 1 : 0;
	json_t *cycles = json_array();

	for (size_t i = first; i < list->count; i++)
		json_array_append_new(cycles, layout_to_json(&cycle_layout, &list->items[i]));
	json_array_append_new(cycles, layout_to_json(&cycle_layout, newest));
	return json_pack("{s:i, s:o}", "format", HISTORY_FORMAT, "cycles", cycles);
}

int history_append(const struct root *root, const char *state_dir, const struct cycle *cycle,
	struct error *err)
{
	memory_cleanup_free char *path = text_format("%s/" HISTORY_NAME, state_dir);
	cycle_list list = { 0 };
	struct error failure = { "" };
	int saved = 0, status = history_read(root, state_dir, &list, err);

	if (status == -EBADMSG) {
		cycles_free(&list);
		status = saved = save_damaged(root, path, err);
	}
	if (status < 0) {
		cycles_free(&list);
		return status;
	}
	status = record_write_json(
		root, path, history_to_json(&list, cycle), HISTORY_MODE, &failure);
	cycles_free(&list);
	if (status < 0)
		*err = failure;
	return status < 0 ? status : saved;
}
