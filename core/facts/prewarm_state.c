/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/prewarm_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/device.h"
#include "core/facts/prewarm_ranges.h"
#include "core/facts/record.h"

static FACT_LAYOUT(prewarm_bucket, PREWARM_BUCKET);
FACT_LAYOUT(prewarm_state, PREWARM_STATE);
static FACT_LAYOUT(prewarm_piece, PREWARM_PIECE);
FACT_LAYOUT(prewarm_record, PREWARM_RECORD);
FACT_LAYOUT(prewarm_records, PREWARM_RECORDS);

int prewarm_state_read(const struct root *root, struct prewarm_state *state, struct error *err)
{
	return record_read(
		root, PREWARM_STATE_PATH, &prewarm_state_layout, PREWARM_STATE_FORMAT, state, err);
}

/* ---- Whether one runs ------------------------------------------------------------------------ */

int prewarm_lock_look(const struct root *root, struct error *err)
{
	return root_openat(root, PREWARM_LOCK, O_RDONLY | O_NOFOLLOW, 0, err);
}

/*
 * Looking is to hold it for a moment, shared, so that two who look do not see each other;
 * lock_take() waits for longer.
 */
bool prewarm_lock_held(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

/*
 * Whether the kernel lists it as held (proc_locks(5)), for who may not open it. One who waits for
 * it has an arrow in place of FLOCK.
 */
static bool lock_is_listed(const struct root *root)
{
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };
	struct stat file;

	if (root_stat(root, PREWARM_LOCK, &file) < 0 ||
		root_read(root, "/proc/locks", FILE_LIMIT, &text, NULL, &err) < 0)
		return false;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		unsigned major, minor;
		unsigned long long inode;

		line += *line == '\n';
		if (sscanf(line, "%*u: FLOCK %*s WRITE %*d %x:%x:%llu ", &major, &minor, &inode) ==
				3 &&
			makedev(major, minor) == file.st_dev && inode == file.st_ino)
			return true;
	}
	return false;
}

bool prewarm_runs(const struct root *root)
{
	struct error err = { "" };
	file_cleanup_close int fd = root->live ? prewarm_lock_look(root, &err) : -1;

	return fd == -EACCES ? lock_is_listed(root) : fd >= 0 && prewarm_lock_held(fd);
}

/* ---- How far each came ----------------------------------------------------------------------- */

int prewarm_records_read(const struct root *root, const char *state_dir,
	struct prewarm_records *records, struct error *err)
{
	memory_cleanup_free char *path = text_format("%s/" PREWARM_RECORD_NAME, state_dir);
	int status = record_read(
		root, path, &prewarm_records_layout, PREWARM_RECORD_FORMAT, records, err);

	return status == -ENOENT ? 0 : status;
}

struct prewarm_record *prewarm_record_find(
	struct prewarm_records *records, const char *volume, const char *map)
{
	for (size_t i = 0; i < records->records.count; i++) {
		struct prewarm_record *record = &records->records.items[i];

		if (fact_text_is(&record->volume, volume) && fact_text_is(&record->map, map))
			return record;
	}
	return NULL;
}

/* ---- Which volume --------------------------------------------------------------------------- */

static char *line_of(const struct root *host, const char *path)
{
	char *text = NULL;
	struct error err = { "" };

	return root_read_line(host, path, &text, &err) == 0 ? text : NULL;
}

/*
 * Which machine this is, for a disk without a serial number (Xen instances have none): copies of
 * one image agree in everything on the disk, and are cold all the same.
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
	const struct device_facts *disk = devices_next_leaf(devices, NULL);
	memory_cleanup_free char *first = disk && disk->serial.is == FACT_KNOWN
						  ? text_copy(disk->serial.value)
						  : machine_name(host);
	memory_cleanup_free char *second = device_name(host, &devices->items[0]);

	return text_format("%s, %s", first, second);
}

/* ---- How far the area was warmed ------------------------------------------------------------- */

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
