/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/prewarmed.h"

#include <errno.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/prewarm_ranges.h"
#include "core/facts/prewarm_state.h"

/* ---- Which volume --------------------------------------------------------------------------- */

static char *line_of(const struct root *host, const char *path)
{
	char *text = NULL;
	struct error err = { "" };

	return root_read_line(host, path, &text, &err) == 0 ? text : NULL;
}

/*
 * Which machine this is, for a disk without a serial number (Xen instances have none): copies of one
 * image agree in everything on the disk, and are cold all the same.
 */
static char *machine_name(const struct root *host)
{
	static const char *const files[] = { "/sys/class/dmi/id/product_uuid",
		"/sys/hypervisor/uuid", "/proc/sys/kernel/random/boot_id" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		memory_cleanup_free char *line = line_of(host, files[i]);

		if (line && *line)
			return text_format("machine %s", line);
	}
	return text_copy("machine unknown");
}

/* The device of a chain by what stays the same when it gets another name. */
static char *device_name(const struct root *host, const struct device_facts *device)
{
	memory_cleanup_free char *path = NULL, *sequence = NULL, *boot = NULL;

	if (device->partuuid.is == FACT_KNOWN)
		return text_format("part %s", device->partuuid.value);
	if (device->uuid.is == FACT_KNOWN)
		return text_format("uuid %s", device->uuid.value);
	if (device->serial.is == FACT_KNOWN)
		return text_copy("disk");
	/* Nothing tells it from another disk in its place: then only while it is there (5.15). */
	path = text_format("/sys/block/%s/diskseq", device->name.value);
	sequence = line_of(host, path);
	boot = line_of(host, "/proc/sys/kernel/random/boot_id");
	return text_format(
		"%s %s %s", device->name.value, sequence ? sequence : "-", boot ? boot : "-");
}

char *prewarm_volume_name(const struct root *host, const device_list *devices)
{
	const struct device_facts *disk = &devices->items[devices->count - 1];
	memory_cleanup_free char *first =
		disk->serial.is == FACT_KNOWN ? text_copy(disk->serial.value) : machine_name(host);
	memory_cleanup_free char *second = device_name(host, &devices->items[0]);

	return text_format("%s, %s", first, second);
}

/* ---- How far -------------------------------------------------------------------------------- */

/* Bytes of a logical block; 0: not known. A partition has those of its disk. */
static uint64_t logical_size(const struct root *host, const char *number)
{
	static const char *const files[] = { "queue", "../queue" };
	uint64_t size = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		memory_cleanup_free char *path =
			text_format("/sys/dev/block/%s/%s/logical_block_size", number, files[i]);
		memory_cleanup_free char *line = line_of(host, path);

		if (line && number_parse(line, &size) == 0 && size > 0)
			return size;
	}
	return 0;
}

/* As the pre-warm itself names it; NULL and ERR where that is not known. */
static char *area_map(const struct area_facts *area, const struct root *host, struct error *err)
{
	const struct device_facts *device = area->devices.items;
	uint64_t size = fact_number_or(&device->size, 0);
	uint64_t logical =
		device->number.is == FACT_KNOWN ? logical_size(host, device->number.value) : 0;
	struct prewarm_ranges ranges = { 0 };
	char *map = NULL;

	if (size == 0 || logical == 0) {
		error_set(err, ENODATA, "the size of its device is not known");
		return NULL;
	}
	if (fact_text_is(&area->kind, "device"))
		prewarm_ranges_add(&ranges, &(struct prewarm_range) { 0, size - size % logical });
	else if (area->extents.is != FACT_KNOWN)
		error_set(err, ENODATA, "%s",
			area->extents.why ? area->extents.why : "where it lies");
	else
		prewarm_ranges_of(&ranges, &area->extents, size, logical, err);
	if (ranges.count && !*err->text)
		map = prewarm_map_name(&ranges, size);
	prewarm_ranges_free(&ranges);
	return map;
}

static bool runs_for(const struct root *root, const char *volume, const char *map)
{
	struct prewarm_state state = { 0 };
	struct error err = { "" };
	bool runs = prewarm_runs(root) && prewarm_state_read(root, &state, &err) == 0 &&
		    fact_text_is(&state.state, PREWARM_RUNNING) &&
		    fact_text_is(&state.volume, volume) && fact_text_is(&state.map, map);

	layout_free(&prewarm_state_layout, &state);
	return runs;
}

static const char *progress_of(
	const struct root *root, const char *state_dir, const char *volume, const char *map)
{
	struct prewarm_records records = { 0 };
	const struct prewarm_record *record = NULL;
	const char *word = PREWARMED_NEVER;
	struct error err = { "" };

	/* A record that cannot be read counts as none: the pre-warm itself says so, and goes on. */
	if (prewarm_records_read(root, state_dir, &records, &err) == 0)
		record = prewarm_record_find(&records, volume, map);
	if (record)
		word = record->finished.is == FACT_KNOWN ? PREWARMED_FINISHED : PREWARMED_PARTLY;
	layout_free(&prewarm_records_layout, &records);
	return runs_for(root, volume, map) ? PREWARMED_RUNNING : word;
}

void prewarmed_gather(struct area_facts *area, const struct root *root, const struct root *host,
	const char *state_dir)
{
	memory_cleanup_free char *volume = NULL, *map = NULL;
	struct error err = { "" };

	if (!root->live) {
		fact_set_unknown(fact_of(&area->prewarmed),
			"%s is an image, not the running machine", root->path);
		return;
	}
	if (area->kind.is == FACT_ABSENT) {
		fact_set_absent(fact_of(&area->prewarmed));
		return;
	}
	if (area->devices.is != FACT_KNOWN || area->devices.count == 0)
		error_set(&err, ENODATA, "its device is not known");
	else
		map = area_map(area, host, &err);
	if (!map) {
		fact_set_unknown(fact_of(&area->prewarmed), "%s", err.text);
		return;
	}
	volume = prewarm_volume_name(host, &area->devices);
	fact_set_text(&area->prewarmed, progress_of(root, state_dir, volume, map));
}
