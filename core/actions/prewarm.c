/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/prewarm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "core/actions/prewarm_engine.h"
#include "core/actions/swap.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/area.h"
#include "core/facts/area_choice.h"
#include "core/facts/device.h"
#include "core/facts/prewarm_state.h"
#include "core/facts/record.h"
#include "core/facts/swaps.h"

/* How long another one that is about to end may hold the lock. */
#define LOCK_WAIT_MS 200
/* How often the state is published, milliseconds. */
#define PUBLISH_MS 1000

/* So often it may lie elsewhere at the end than at the beginning. */
#define MOVES_MOST 3

/* How often the lock of one that is to stop is looked at, milliseconds. */
#define LOOK_MS 5

/* Areas and volumes whose state is saved: an instance has a few. The oldest go. */
#define RECORDS_MOST 16

/* What is to be warmed, opened. */
struct target {
	char *path;   /* /swap, or the device */
	char *device; /* /dev/nvme0n1p1 */
	char *volume; /* names the device beyond a boot */
	char *map;
	enum prewarm_method method;
	int fd;			      /* of the device, or of the file that is written to */
	int counters;		      /* of its disk, /sys/block/DISK/stat; -1: none */
	uint64_t logical;	      /* bytes */
	struct prewarm_ranges ranges; /* of FD */
	char *uuid, *label;	      /* of the swap header; NULL: none */
};

/* ---- The device ----------------------------------------------------------------------------- */

/*
 * Of the whole disk: who uses another partition of it waits as well. Without them it does not give
 * way.
 */
static void open_counters(
	struct target *target, const struct root *host, const device_list *devices)
{
	const struct device_facts *disk = devices_next_leaf(devices, NULL);
	memory_cleanup_free char *path = NULL;
	struct error err = { "" };

	/* What others ask of a loop device, the disk below its file may never see. */
	for (size_t i = devices->count; i > 0; i--)
		if (fact_text_is(&devices->items[i - 1].kind, "loop"))
			disk = &devices->items[i - 1];
	path = text_format("/sys/block/%s/stat", disk ? fact_text_or(&disk->name, "") : "");
	target->counters = root_openat(host, path, O_RDONLY, 0, &err);
}

/* Opens the first device of a chain as what the chain says that it is. */
static int open_device(struct target *target, const struct root *host, const device_list *devices,
	struct error *err)
{
	memory_cleanup_free char *number = NULL;
	struct stat status;

	if (devices->is != FACT_KNOWN || devices->count == 0)
		return error_set(err, ENODEV, "the device of %s is not known%s%s", target->path,
			devices->why ? ": " : "", devices->why ? devices->why : "");
	target->device = text_format("/dev/%s", devices->items[0].name.value);
	for (char *bang = target->device; (bang = strchr(bang, '!'));)
		*bang = '/'; /* sysfs has cciss!c0d0 for /dev/cciss/c0d0 */
	target->volume = prewarm_volume_name(host, devices);
	target->fd = root_openat(
		host, target->device, O_RDONLY | O_DIRECT | O_NOFOLLOW | O_NONBLOCK, 0, err);
	if (target->fd < 0)
		return target->fd;
	if (fstat(target->fd, &status) < 0)
		return error_errno(err, errno, "cannot look at %s", target->device);
	number = device_number_text(status.st_rdev);
	if (!S_ISBLK(status.st_mode) || !fact_text_is(&devices->items[0].number, number))
		return error_set(err, ENODEV, "%s is not the block device %s", target->device,
			devices->items[0].number.value);
	open_counters(target, host, devices);
	return 0;
}

static int measure_device(struct target *target, uint64_t *size, struct error *err)
{
	int logical;

	if (ioctl(target->fd, BLKGETSIZE64, size) < 0 || ioctl(target->fd, BLKSSZGET, &logical) < 0)
		return error_errno(err, errno, "cannot ask %s for its size", target->device);
	if (*size == 0 || logical <= 0)
		return error_set(err, ENODEV, "%s has no medium: its size is 0", target->device);
	target->logical = (uint64_t)logical;
	return 0;
}

static void whole_device(struct target *target, uint64_t size)
{
	prewarm_ranges_add(
		&target->ranges, &(struct prewarm_range) { 0, size - size % target->logical });
}

/* ---- The area ------------------------------------------------------------------------------- */

/* Of all facts only those about the area: nothing else has a say. */
static void gather_area(struct facts *facts, const struct gather *gather)
{
	area_choice_cleanup struct area_choice choice = { 0 };

	root_gather(&facts->root, gather->root, gather->host);
	area_choose(&choice, gather->config, gather->root, gather->host, &facts->root.devices);
	swaps_gather(&facts->swaps, gather->root, &facts->root.devices);
	area_gather(&facts->area, gather->root, gather->host, &facts->root.devices, choice.path);
	area_complete(facts);
}

/*
 * The file may be an active swap under another name (a hard link, a second mount), and kernels
 * before 5.4 let root write to one.
 */
static int refuse_active(int fd, const struct prewarm *prewarm, const char *path, struct error *err)
{
	swap_list swaps = { 0 };
	struct stat file, swap;
	int status = fstat(fd, &file) < 0 ? -errno : 0;

	swaps_gather(&swaps, prewarm->gather->root, &(device_list) { 0 });
	if (status < 0 || swaps.is != FACT_KNOWN)
		status = error_set(err, EBUSY,
			"cannot tell whether %s is an active swap; nothing is written", path);
	for (size_t i = 0; status == 0 && i < swaps.count; i++)
		if (stat(swaps.items[i].path.value, &swap) == 0 && swap.st_dev == file.st_dev &&
			swap.st_ino == file.st_ino)
			status = error_set(err, EBUSY,
				"%s is the active swap %s: writing would destroy what is swapped out; use the read method",
				path, swaps.items[i].path.value);
	swaps_free(&swaps);
	return status;
}

/*
 * Through the file. Its header stays what it is until mkswap(8) writes it again at the end: at no
 * time is there a swap file without one.
 */
static int open_file(struct target *target, const struct prewarm *prewarm,
	const struct area_facts *area, struct error *err)
{
	uint64_t header = area->header_page_size.value, size = area->size.value;
	int status;

	close(target->fd);
	target->fd = root_openat(prewarm->gather->root, target->path,
		O_RDWR | O_DIRECT | O_NOFOLLOW | O_NONBLOCK, 0, err);
	if (target->fd < 0)
		return target->fd;
	status = refuse_active(target->fd, prewarm, target->path, err);
	if (status < 0)
		return status;
	/* Whole pages; mkswap(8) makes nothing of the rest. */
	size -= size % header;
	prewarm_ranges_free(&target->ranges);
	if (size > header)
		prewarm_ranges_add(
			&target->ranges, &(struct prewarm_range) { header, size - header });
	if (area->header_uuid.is == FACT_KNOWN)
		target->uuid = text_copy(area->header_uuid.value);
	if (area->header_label.is == FACT_KNOWN)
		target->label = text_copy(area->header_label.value);
	return 0;
}

static int open_area(struct target *target, const struct prewarm *prewarm,
	const struct area_facts *area, struct error *err)
{
	uint64_t size;
	int status;

	target->path = text_copy(area->path.value);
	status = prewarm_method_for(&target->method, area, err);
	if (status == 0)
		status = open_device(target, prewarm->gather->host, &area->devices, err);
	if (status == 0)
		status = measure_device(target, &size, err);
	if (status < 0)
		return status;
	if (fact_text_is(&area->kind, "device"))
		whole_device(target, size);
	else
		status = prewarm_ranges_of(
			&target->ranges, &area->extents, size, target->logical, err);
	if (status < 0)
		return error_prefix(err, status, "%s on %s", target->path, target->device);
	/* The map is that of the device either way, so that a file that moved is known. */
	target->map = prewarm_map_name(&target->ranges, size);
	return target->method == PREWARM_WRITE ? open_file(target, prewarm, area, err) : 0;
}

static int open_whole(struct target *target, const struct prewarm *prewarm, struct error *err)
{
	const struct gather *gather = prewarm->gather;
	device_list devices = { 0 };
	struct stat found;
	uint64_t size;
	int status;

	target->path = text_copy(prewarm->device);
	if (prewarm->method == PREWARM_WRITE)
		return error_set(err, EINVAL, "%s is a device: the write method is for a swap file",
			target->path);
	target->method = PREWARM_READ;
	status = root_stat(gather->root, prewarm->device, &found);
	if (status < 0)
		return error_errno(err, -status, "cannot look at %s", target->path);
	if (!S_ISBLK(found.st_mode))
		return error_set(err, ENOTBLK, "%s is not a block device", target->path);
	devices_gather(&devices, gather->host, gather->root, found.st_rdev);
	status = open_device(target, gather->host, &devices, err);
	if (status == 0)
		status = measure_device(target, &size, err);
	if (status == 0) {
		whole_device(target, size);
		target->map = prewarm_map_name(&target->ranges, size);
	}
	fact_list_free(&device_facts_layout, &devices);
	return status;
}

/*
 * Finds and opens it. What is wrong with it is one of the errors of prewarm_run(). target_close()
 * in any case; TARGET needs not be set before.
 */
static int target_open(struct target *target, const struct prewarm *prewarm, struct error *err)
{
	struct facts facts = { 0 };
	int status;

	*target = (struct target) { .method = prewarm->method, .fd = -1, .counters = -1 };
	if (prewarm->device)
		return open_whole(target, prewarm, err);
	gather_area(&facts, prewarm->gather);
	status = open_area(target, prewarm, &facts.area, err);
	facts_free(&facts);
	return status;
}

static void target_close(struct target *target)
{
	if (target->fd >= 0)
		close(target->fd);
	if (target->counters >= 0)
		close(target->counters);
	prewarm_ranges_free(&target->ranges);
	free(target->path);
	free(target->device);
	free(target->volume);
	free(target->map);
	free(target->uuid);
	free(target->label);
}

/* ---- How far it came ------------------------------------------------------------------------- */

static const char *method_word(enum prewarm_method method)
{
	return method == PREWARM_WRITE ? "write" : "read";
}

static void take_pieces(const struct prewarm_record *record, struct prewarm_ranges *done)
{
	for (size_t i = 0; i < record->done.count; i++) {
		struct prewarm_range piece = { record->done.items[i].start.value,
			record->done.items[i].length.value };

		if (piece.length <= UINT64_MAX - piece.start)
			prewarm_ranges_add(done, &piece);
	}
}

/*
 * What was done by earlier runs for TARGET: added to DONE. True when that was all of it, at *WHEN
 * (the caller frees it). A record that cannot be read counts as none, and is noted.
 */
static bool record_recall(const struct prewarm *prewarm, const struct target *target,
	struct prewarm_ranges *done, char **when)
{
	struct prewarm_records records = { 0 };
	const struct prewarm_record *record = NULL;
	struct error err = { "" };
	bool finished = false;

	if (prewarm_records_read(
		    prewarm->gather->root, prewarm->gather->config->state_dir, &records, &err) == 0)
		record = prewarm_record_find(&records, target->volume, target->map);
	else
		reporter_log(prewarm->reporter, LOG_INFO,
			"how far an earlier run came is not known: %s", err.text);
	if (record && record->finished.is == FACT_KNOWN) {
		*when = text_copy(record->finished.value);
		finished = true;
	} else if (record && fact_text_is(&record->method, method_word(target->method))) {
		take_pieces(record, done);
	}
	layout_free(&prewarm_records_layout, &records);
	return finished;
}

static void drop(struct prewarm_records *records, size_t index)
{
	struct prewarm_record *items = records->records.items;

	layout_free(&prewarm_record_layout, &items[index]);
	records->records.count--;
	memmove(&items[index], &items[index + 1],
		(records->records.count - index) * sizeof(*items));
	memset(&items[records->records.count], 0, sizeof(*items));
}

static void add_record(struct prewarm_records *records, const struct target *target,
	const struct prewarm_ranges *done, const char *finished)
{
	struct prewarm_record *record = prewarm_record_find(records, target->volume, target->map);

	if (record)
		drop(records, (size_t)(record - records->records.items));
	while (records->records.count >= RECORDS_MOST)
		drop(records, 0);
	record = facts_add(&records->records);
	fact_set_text(&record->path, target->path);
	fact_set_text(&record->volume, target->volume);
	fact_set_text(&record->map, target->map);
	fact_set_text(&record->method, method_word(target->method));
	fact_set_text(&record->finished, finished);
	record->done.is = FACT_KNOWN;
	for (size_t i = 0; i < done->count && !finished; i++) {
		struct prewarm_piece *piece = facts_add(&record->done);

		fact_set_number(&piece->start, done->items[i].start);
		fact_set_number(&piece->length, done->items[i].length);
	}
}

/* Saves DONE for the next run; FINISHED is when all of it was done, NULL: it was not. */
static int record_save(const struct prewarm *prewarm, const struct target *target,
	const struct prewarm_ranges *done, const char *finished, struct error *err)
{
	const struct root *root = prewarm->gather->root;
	const char *folder = prewarm->gather->config->state_dir;
	memory_cleanup_free char *path = text_format("%s/" PREWARM_RECORD_NAME, folder);
	struct prewarm_records records = { 0 };
	struct error unread = { "" };
	int status;

	/* A damaged record has nothing that is worth an error now: it is written anew. */
	if (prewarm_records_read(root, folder, &records, &unread) < 0) {
		layout_free(&prewarm_records_layout, &records);
		memset(&records, 0, sizeof(records));
	}
	fact_set_number(&records.format, PREWARM_RECORD_FORMAT);
	add_record(&records, target, done, finished);
	status = record_write(root, path, &prewarm_records_layout, &records, 0644, err);
	layout_free(&prewarm_records_layout, &records);
	return status < 0 ? error_prefix(err, status, "cannot save how far it came") : 0;
}

/* ---- The run --------------------------------------------------------------------------------- */

struct run {
	const struct prewarm *prewarm;
	struct prewarm_state *state;
	struct target target;
	struct prewarm_ranges earlier; /* done by earlier runs */
	struct prewarm_ranges left;
	uint64_t published; /* CLOCK_MONOTONIC, ms */
};

static const struct root *root_of(const struct run *run)
{
	return run->prewarm->gather->root;
}

/* ---- The state ------------------------------------------------------------------------------- */

static void publish(struct run *run)
{
	struct error err = { "" };

	run->published = clock_ms(CLOCK_MONOTONIC);
	if (record_publish(
		    root_of(run), PREWARM_STATE_PATH, &prewarm_state_layout, run->state, &err) < 0)
		reporter_log(run->prewarm->reporter, LOG_INFO, "%s", err.text);
}

static void state_begin(struct run *run)
{
	struct prewarm_state *state = run->state;
	char now[INSTANT_LENGTH];

	instant_now(now);
	fact_set_number(&state->format, PREWARM_STATE_FORMAT);
	fact_set_text(&state->state, PREWARM_RUNNING);
	fact_set_number(&state->pid, (uint64_t)getpid());
	fact_set_text(&state->started, now);
	fact_set_text(&state->path, run->prewarm->device);
	fact_set_absent(fact_of(&state->device));
	fact_set_absent(fact_of(&state->method));
	fact_set_absent(fact_of(&state->total));
	fact_set_absent(fact_of(&state->left));
	fact_set_absent(fact_of(&state->error));
	fact_set_absent(fact_of(&state->volume));
	fact_set_absent(fact_of(&state->map));
	fact_set_absent(fact_of(&state->limit));
	fact_set_absent(fact_of(&state->fixed));
	fact_set_flag(&state->background, run->prewarm->background);
	fact_set_number(&state->block, run->prewarm->block);
	if (run->prewarm->depth)
		fact_set_number(&state->fixed, run->prewarm->depth);
	if (run->prewarm->rate)
		fact_set_number(&state->limit, run->prewarm->rate);
	fact_set_number(&state->done, 0);
	fact_set_number(&state->earlier, 0);
	fact_set_number(&state->rate, 0);
	fact_set_number(&state->depth, 0);
	fact_set_flag(&state->gives_way, false);
	fact_set_number(&state->slowest_us, 0);
	fact_set_number(&state->elapsed, 0);
	fact_set_number(&state->errors, 0);
	fact_set_number(&state->quick_us, 0);
	fact_set_number(&state->slow, 0);
	state->histogram.is = FACT_KNOWN;
	for (size_t i = 0; i < PREWARM_BUCKETS; i++) {
		struct prewarm_bucket *bucket = facts_add(&state->histogram);

		if (prewarm_bucket_bounds[i] == UINT64_MAX)
			fact_set_absent(fact_of(&bucket->up_to));
		else
			fact_set_number(&bucket->up_to, prewarm_bucket_bounds[i]);
		fact_set_number(&bucket->count, 0);
	}
}

static void state_target(struct run *run)
{
	struct prewarm_state *state = run->state;
	uint64_t total = prewarm_ranges_total(&run->target.ranges);
	uint64_t earlier = total - prewarm_ranges_total(&run->left);

	fact_set_text(&state->path, run->target.path);
	fact_set_text(&state->device, run->target.device);
	fact_set_text(&state->volume, run->target.volume);
	fact_set_text(&state->map, run->target.map);
	fact_set_text(&state->method, method_word(run->target.method));
	fact_set_number(&state->total, total);
	fact_set_number(&state->earlier, earlier);
	fact_set_number(&state->done, earlier);
}

static void state_numbers(struct run *run, const struct prewarm_numbers *numbers)
{
	struct prewarm_state *state = run->state;
	uint64_t done = state->earlier.value + numbers->bytes, quick;
	uint64_t left = prewarm_time_left(state->total.value - done, numbers->rate);

	fact_set_number(&state->done, done);
	fact_set_number(&state->rate, numbers->rate);
	fact_set_number(&state->depth, numbers->depth);
	fact_set_flag(&state->gives_way, numbers->gives_way);
	fact_set_number(&state->slowest_us, numbers->slowest_us);
	fact_set_number(&state->elapsed, numbers->elapsed_ms);
	fact_set_number(&state->errors, numbers->errors);
	if (left == UINT64_MAX)
		fact_set_absent(fact_of(&state->left));
	else
		fact_set_number(&state->left, left);
	fact_set_number(&state->slow, prewarm_histogram_slow(&numbers->histogram, &quick));
	fact_set_number(&state->quick_us, quick);
	for (size_t i = 0; i < PREWARM_BUCKETS; i++)
		fact_set_number(&state->histogram.items[i].count, numbers->histogram.counts[i]);
	if (*numbers->first_error.text)
		fact_set_text(&state->error, numbers->first_error.text);
}

static void state_end(struct run *run, int status, const struct error *err)
{
	fact_set_text(&run->state->state, status == 0		 ? PREWARM_FINISHED
					  : status == -ECANCELED ? PREWARM_STOPPED
								 : PREWARM_FAILED);
	fact_set_absent(fact_of(&run->state->pid));
	fact_set_absent(fact_of(&run->state->left));
	fact_set_flag(&run->state->gives_way, false);
	if (status < 0 && status != -ECANCELED)
		fact_set_text(&run->state->error, err->text);
}

/* ---- What the engine calls ------------------------------------------------------------------- */

static void engine_report(void *data, const struct prewarm_numbers *numbers)
{
	struct run *run = data;

	state_numbers(run, numbers);
	if (clock_ms(CLOCK_MONOTONIC) - run->published >= PUBLISH_MS)
		publish(run);
	if (run->prewarm->report)
		run->prewarm->report(run->prewarm->data, run->state);
}

static int save(
	struct run *run, const struct prewarm_ranges *done, const char *finished, struct error *err)
{
	struct prewarm_ranges all = { 0 };
	int status;

	for (size_t i = 0; i < run->earlier.count; i++)
		prewarm_ranges_add(&all, &run->earlier.items[i]);
	for (size_t i = 0; i < done->count; i++)
		prewarm_ranges_add(&all, &done->items[i]);
	status = record_save(run->prewarm, &run->target, &all, finished, err);
	prewarm_ranges_free(&all);
	return status;
}

static void engine_save(void *data, const struct prewarm_ranges *done)
{
	struct run *run = data;
	struct error err = { "" };

	if (save(run, done, NULL, &err) < 0)
		reporter_log(run->prewarm->reporter, LOG_INFO, "%s", err.text);
}

/* ---- The run --------------------------------------------------------------------------------- */

/* What is left to do. True when an earlier run was through. */
static bool look_back(struct run *run)
{
	const struct prewarm_ranges *all = &run->target.ranges;
	memory_cleanup_free char *when = NULL;

	if (!run->prewarm->force &&
		record_recall(run->prewarm, &run->target, &run->earlier, &when)) {
		reporter_log(run->prewarm->reporter, LOG_INFO,
			"%s was pre-warmed already, at %s; --force does it again", run->target.path,
			when);
		return true;
	}
	for (size_t i = 0; i < all->count; i++)
		prewarm_ranges_add(&run->left, &all->items[i]);
	prewarm_ranges_subtract(&run->left, &run->earlier);
	return false;
}

/* Its header anew, with the names by which fstab and others know it. */
static int format_again(struct run *run, struct error *err)
{
	if (run->target.method != PREWARM_WRITE)
		return 0;
	return swap_format(
		root_of(run), run->target.path, run->target.uuid, run->target.label, err);
}

static int touch(struct run *run, struct error *err)
{
	const struct prewarm *prewarm = run->prewarm;
	/*
	 * Who says how many at a time has thought of the others. Writes are the file system's as
	 * well.
	 */
	bool gives_way = !prewarm->depth && run->target.method == PREWARM_READ;
	const struct prewarm_job job = { .fd = run->target.fd,
		.counters = gives_way ? run->target.counters : -1,
		.name = run->target.method == PREWARM_WRITE ? run->target.path : run->target.device,
		.write = run->target.method == PREWARM_WRITE,
		.ranges = &run->left,
		.block = prewarm->block,
		.logical = run->target.logical,
		.depth = prewarm->depth,
		.rate = prewarm->rate,
		.reporter = prewarm->reporter,
		.report = engine_report,
		.save = engine_save,
		.data = run };
	struct prewarm_ranges done = { 0 };
	struct prewarm_numbers numbers;
	struct error unsaved = { "" };
	char now[INSTANT_LENGTH];
	/*
	 * Nothing may be left to do: a run that was stopped with its last requests on their way had
	 * no end.
	 */
	int status = prewarm_engine_run(&job, &done, &numbers, err);

	if (status == 0)
		status = format_again(run, err);
	instant_now(now);
	if (save(run, &done, status == 0 ? now : NULL, &unsaved) < 0)
		reporter_log(prewarm->reporter, LOG_INFO, "%s", unsaved.text);
	prewarm_ranges_free(&done);
	return status;
}

static int run_target(struct run *run, struct error *err)
{
	int status = target_open(&run->target, run->prewarm, err);
	bool finished;

	if (status == 0 && run->prewarm->block % run->target.logical)
		status = error_set(err, EINVAL,
			"requests of %llu bytes are not a multiple of the %llu bytes of a block of %s",
			(unsigned long long)run->prewarm->block,
			(unsigned long long)run->target.logical, run->target.device);
	if (status < 0) {
		fact_set_text(&run->state->path, run->target.path);
		return status;
	}
	finished = look_back(run);
	state_target(run);
	publish(run);
	if (run->prewarm->begun)
		run->prewarm->begun(run->prewarm->data, run->state);
	return finished ? 0 : touch(run, err);
}

/* Whether the swap file lies elsewhere now than where it was read. */
static bool has_moved(const struct run *run)
{
	struct target now;
	struct error err = { "" };
	bool moved = false;

	if (run->prewarm->device)
		return false;
	if (target_open(&now, run->prewarm, &err) == 0)
		moved = strcmp(now.map, run->target.map) != 0 ||
			strcmp(now.volume, run->target.volume) != 0;
	target_close(&now);
	return moved;
}

static void target_forget(struct run *run)
{
	target_close(&run->target);
	prewarm_ranges_free(&run->earlier);
	prewarm_ranges_free(&run->left);
	run->target = (struct target) { .fd = -1, .counters = -1 };
}

/* A file that is made anew meanwhile is cold again; one that never stays is nothing to wait for. */
static int run_until_it_stays(struct run *run, struct error *err)
{
	int status = run_target(run, err);

	for (int i = 0; status == 0 && has_moved(run); i++) {
		if (i == MOVES_MOST)
			return error_set(err, EAGAIN, "%s has moved %d times while it was touched",
				run->target.path, i + 1);
		reporter_log(run->prewarm->reporter, LOG_INFO,
			"%s has moved while it was touched: once more, where it is now",
			run->target.path);
		target_forget(run);
		status = run_target(run, err);
	}
	return status;
}

int prewarm_run(const struct prewarm *prewarm, struct prewarm_state *state, struct error *err)
{
	const struct root *root = prewarm->gather->root;
	struct run run = {
		.prewarm = prewarm, .state = state, .target = { .fd = -1, .counters = -1 }
	};
	file_cleanup_close int lock = -1, machine = -1;
	int status = 0;

	state_begin(&run);
	lock = lock_take(root, PREWARM_LOCK, LOCK_WAIT_MS, err);
	if (lock < 0) {
		/* What is published is the state of the one that runs. */
		state_end(&run, lock, err);
		return lock;
	}
	/*
	 * To find the device may take a slow one seconds: until then it is not the run before it
	 * that runs.
	 */
	publish(&run);
	if (prewarm->method == PREWARM_WRITE) {
		machine = lock_take(root, LOCK_PATH, 0, err);
		status = machine < 0 ? machine : 0;
	}
	if (status == 0)
		status = run_until_it_stays(&run, err);
	state_end(&run, status, err);
	publish(&run);
	target_forget(&run);
	return status;
}

/* ---- Stopping the one that runs -------------------------------------------------------------- */

/* The process that signed the lock; 0: none. */
static pid_t holder_of(int fd)
{
	char text[16] = "";
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	long pid = length > 0 ? strtol(text, NULL, 10) : 0;

	return pid > 1 && pid < INT32_MAX ? (pid_t)pid : 0;
}

/*
 * SIGTERM to the holder and nobody else. A number is another's once its process has ended, so the
 * process is held by a descriptor first (pidfd_open(2)); if the lock is then still held, and for
 * longer than somebody new needs to sign, under the same number, the descriptor is the holder's.
 * Kernels before 5.3 have no such descriptor; there the number alone has to do.
 */
static int tell_holder(int lock, struct error *err)
{
	pid_t holder = holder_of(lock);
	file_cleanup_close int process = -1;
	long told;

	if (holder == 0)
		return 0; /* it has not signed yet */
	process = (int)syscall(SYS_pidfd_open, holder, 0);
	if (process < 0 && errno == ESRCH)
		return 0;
	if (process < 0 && errno != ENOSYS)
		return error_errno(err, errno, "cannot stop process %ld", (long)holder);
	poll(NULL, 0, LOOK_MS);
	if (!prewarm_lock_held(lock) || holder_of(lock) != holder)
		return 0;
	told = process < 0 ? kill(holder, SIGTERM)
			   : syscall(SYS_pidfd_send_signal, process, SIGTERM, NULL, 0);
	if (told < 0 && errno != ESRCH)
		return error_errno(err, errno, "cannot stop process %ld", (long)holder);
	return told == 0;
}

int prewarm_stop(const struct root *root, unsigned wait_ms, struct error *err)
{
	uint64_t end = clock_ms(CLOCK_MONOTONIC) + wait_ms;
	file_cleanup_close int fd = root->live ? prewarm_lock_look(root, err) : -ENOENT;
	bool ran = false, told = false;
	int status;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	while (prewarm_lock_held(fd)) {
		ran = true;
		if (!told) {
			status = tell_holder(fd, err);
			if (status < 0)
				return status;
			told = status > 0;
		}
		if (clock_ms(CLOCK_MONOTONIC) >= end)
			return error_set(err, ETIMEDOUT,
				"the pre-warm (process %ld) has not stopped within %u ms",
				(long)holder_of(fd), wait_ms);
		poll(NULL, 0, LOOK_MS);
	}
	return ran;
}
