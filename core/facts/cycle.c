/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/cycle.h"

#include <errno.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

FACT_LAYOUT(timeline, TIMELINE);
FACT_LAYOUT(cycle, CYCLE);

void timelines_free(timeline_list *list)
{
	fact_list_free(&timeline_layout, list);
}

void cycles_free(cycle_list *list)
{
	fact_list_free(&cycle_layout, list);
}

static void fill_text(struct fact_text *fact, const struct fact_text *from)
{
	if (fact->is != FACT_KNOWN && from->is == FACT_KNOWN)
		fact_set_text(fact, from->value);
}

static void fill_number(struct fact_number *fact, const struct fact_number *from)
{
	if (fact->is != FACT_KNOWN && from->is == FACT_KNOWN)
		fact_set_number(fact, from->value);
}

void cycle_take_timeline(struct cycle *cycle, struct timeline *timeline)
{
	const struct timeline *told = &cycle->timeline;

	layout_free(&timeline_layout, &cycle->timeline);
	cycle->timeline = *timeline;
	memset(timeline, 0, sizeof(*timeline));
	fill_text(&cycle->began, &told->stamp);
	fill_text(&cycle->result, &told->result);
	fill_text(&cycle->message, &told->failure);
	fill_number(&cycle->away, &told->away);
	fill_number(&cycle->image_size, &told->image_size);
	if (cycle->to_power_off.is == FACT_KNOWN)
		return;
	fact_set_unknown(fact_of(&cycle->to_power_off), "%s",
		told->write_time.why ? told->write_time.why : "not in the log");
	if (told->power_off.is == FACT_KNOWN && told->entry.is == FACT_KNOWN &&
		told->power_off.value >= told->entry.value)
		fact_set_number(&cycle->to_power_off, told->power_off.value - told->entry.value);
}

static int cycles_from_json(cycle_list *list, json_t *json, const char *path, struct error *err)
{
	json_t *format = json_object_get(json, "format");
	json_t *cycles = json_object_get(json, "cycles");
	int status;

	if (!json_is_integer(format) || !json_is_array(cycles))
		return error_set(err, EBADMSG, "%s is not a history of ec2hib", path);
	if (json_integer_value(format) != HISTORY_FORMAT)
		return error_set(err, EBADMSG,
			"%s has format %lld, and this ec2hib knows format %d", path,
			(long long)json_integer_value(format), HISTORY_FORMAT);
	list->is = FACT_KNOWN;
	list->count = json_array_size(cycles);
	list->items = memory_new(list->count, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++) {
		memory_cleanup_free char *position = text_format("cycles[%zu]", i);

		status = layout_from_json(
			&cycle_layout, &list->items[i], json_array_get(cycles, i), position, err);
		if (status < 0)
			return error_prefix(err, -EBADMSG, "%s", path);
	}
	return 0;
}

int history_read(
	const struct root *root, const char *state_dir, cycle_list *list, struct error *err)
{
	memory_cleanup_free char *path = text_format("%s/" HISTORY_NAME, state_dir);
	memory_cleanup_free char *shown = root_shown(root, path);
	memory_cleanup_free char *text = NULL;
	json_error_t where;
	json_t *json;
	size_t size;
	int status = root_read(root, path, HISTORY_FILE_LIMIT, &text, &size, err);

	list->is = FACT_KNOWN;
	if (status == -ENOENT)
		return 0;
	if (status == -EFBIG)
		return error_set(err, EBADMSG, "%s is damaged: more than %zu MiB", shown,
			HISTORY_FILE_LIMIT / (size_t)MIB);
	if (status < 0)
		return status;
	json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return error_set(
			err, EBADMSG, "%s is damaged: line %d: %s", shown, where.line, where.text);
	status = cycles_from_json(list, json, shown, err);
	json_decref(json);
	return status;
}
