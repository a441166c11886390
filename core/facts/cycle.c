/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/cycle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

static const struct field timeline_fields[] = {
	TEXT(struct timeline, stamp, "date and time in front of the first line"),
	NUMBER(struct timeline, entry, "kernel clock at the beginning, ms"),
	NUMBER(struct timeline, sync, "writing out the file systems, ms"),
	NUMBER(struct timeline, freeze_user, "freezing user space, ms"),
	NUMBER(struct timeline, freeze_kernel, "freezing kernel tasks, ms"),
	NUMBER(struct timeline, allocate_size, "memory set aside for the image, bytes"),
	NUMBER(struct timeline, allocate_time, "setting it aside, ms"),
	NUMBER(struct timeline, allocate_rate, "bytes per second"),
	NUMBER(struct timeline, devices_freeze_us, "stopping the devices, us"),
	NUMBER(struct timeline, devices_freeze_late_us, "the late phase of it, us"),
	NUMBER(struct timeline, devices_freeze_noirq_us, "the phase without interrupts, us"),
	NUMBER(struct timeline, image_pages, "pages to copy"),
	NUMBER(struct timeline, image_size, "these pages in bytes"),
	NUMBER(struct timeline, threads, "compression threads"),
	NUMBER(struct timeline, compressed_size,
		"image after compression, bytes; kernel 6.9 and later"),
	NUMBER(struct timeline, write_size, "image written, before compression, bytes"),
	NUMBER(struct timeline, write_time, "writing it, ms"),
	NUMBER(struct timeline, write_rate, "bytes per second"),
	NUMBER(struct timeline, power_off, "kernel clock at power-off, ms"),
	NUMBER(struct timeline, read_size, "image read, bytes"),
	NUMBER(struct timeline, read_time, "reading it, ms"),
	NUMBER(struct timeline, read_rate, "bytes per second"),
	NUMBER(struct timeline, away, "time away as the kernel counts it, ms"),
	NUMBER(struct timeline, devices_restore_noirq_us,
		"starting the devices again without interrupts, us"),
	NUMBER(struct timeline, devices_restore_early_us, "the early phase of it, us"),
	NUMBER(struct timeline, devices_restore_us, "the rest of it, us"),
	NUMBER(struct timeline, exit, "kernel clock at the end, ms"),
	TEXT(struct timeline, result, "resumed, failed, incomplete or tested"),
	TEXT(struct timeline, failure_id, "kind of failure"),
	TEXT(struct timeline, failure, "why it failed"),
};
const struct layout timeline_layout = LAYOUT(struct timeline, timeline_fields);

static const struct field cycle_fields[] = {
	TEXT(struct cycle, began, "when, UTC, ISO 8601"),
	TEXT(struct cycle, reason, "notice, button, command or rehearsal"),
	TEXT(struct cycle, notice_action, "action of the Spot notice"),
	TEXT(struct cycle, notice_time, "time of the Spot notice"),
	TEXT(struct cycle, method, "direct or systemd"),
	TEXT(struct cycle, result, "resumed, failed, refused or dry-run"),
	TEXT(struct cycle, message, "why it failed or was refused"),
	NUMBER(struct cycle, tries, "how often the kernel was asked"),
	NUMBER(struct cycle, away, "how long the machine was off, ms"),
	NUMBER(struct cycle, image_size, "bytes"),
	NUMBER(struct cycle, prepare,
		"from the notice, button or command to the write that hibernates, ms"),
	NUMBER(struct cycle, to_power_off,
		"from that beginning to power-off, as far as the log tells, ms"),
	TEXT(struct cycle, kernel, "kernel release"),
	GROUP(struct cycle, timeline, &timeline_layout, "what the kernel's log tells"),
};
const struct layout cycle_layout = LAYOUT(struct cycle, cycle_fields);

void timelines_free(timeline_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		layout_free(&timeline_layout, &list->items[i]);
	free(list->items);
	free(list->why);
	memset(list, 0, sizeof(*list));
}

void cycles_free(cycle_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		layout_free(&cycle_layout, &list->items[i]);
	free(list->items);
	free(list->why);
	memset(list, 0, sizeof(*list));
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
		return error_set(err, EBADMSG, "%s is no history of ec2hib", path);
	if (json_integer_value(format) != HISTORY_FORMAT)
		return error_set(err, EBADMSG,
			"%s has format %lld, and this ec2hib knows format %d", path,
			(long long)json_integer_value(format), HISTORY_FORMAT);
	list->is = FACT_KNOWN;
	list->count = json_array_size(cycles);
	list->items = memory_new(list->count, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++) {
		memory_cleanup_free char *place = text_format("cycles[%zu]", i);

		status = layout_from_json(
			&cycle_layout, &list->items[i], json_array_get(cycles, i), place, err);
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
