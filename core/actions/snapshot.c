/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/suspend_ioctls.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* The longest write, bytes; EBS counts up to 256 KiB as one request and merges what follows. */
#define PIECE_MAX ((size_t)1024 * 1024)

#define STOP_COUNT 3

/* Pages next to each other on the device, written at once, and the sum of what is in them. */
struct piece {
	uint64_t position; /* bytes on the device */
	uint64_t sum;
	uint32_t length; /* bytes */
};

/* An image on its way to the disk and back. */
struct round_trip {
	const struct snapshot *snapshot;
	struct snapshot_result *result;
	int kernel; /* /dev/snapshot */
	int device;
	unsigned char *buffer; /* of PIECE_MAX bytes, aligned for direct I/O */
	size_t filled;	       /* bytes in it that are still to be written */
	uint64_t position;     /* of the first of them */
	struct piece *pieces;
	size_t count, room;
	size_t extent;	 /* the one that the last page was of; the next is mostly of the same */
	uint64_t frozen; /* CLOCK_MONOTONIC, ms */
	struct sigaction stops[STOP_COUNT]; /* as they were */
	bool stops_ignored;
};

/* ---- Limits ---------------------------------------------------------------------------------- */

static int check_limits(const struct round_trip *trip, const char *doing, struct error *err)
{
	const struct snapshot *snapshot = trip->snapshot;
	uint64_t still = clock_ms(CLOCK_MONOTONIC) - trip->frozen;

	if (reporter_cancelled(snapshot->reporter))
		return error_set(err, ECANCELED, "stopped while %s the image", doing);
	if (still <= snapshot->timeout_ms)
		return 0;
	return error_set(err, ETIMEDOUT,
		"%s the image was given up after %u s: %llu of %llu MiB written, %llu read back",
		doing, snapshot->timeout_ms / 1000,
		(unsigned long long)(trip->result->written / MIB),
		(unsigned long long)(trip->result->image_size / MIB),
		(unsigned long long)(trip->result->read / MIB));
}

static bool is_of_extent(const struct snapshot *snapshot, size_t index, uint64_t position)
{
	const struct extent_facts *extent = &snapshot->extents->items[index];

	return position >= extent->physical.value &&
	       position + snapshot->page_size <= extent->physical.value + extent->length.value;
}

/*
 * The kernel reserves pages of the area; that they are is looked at all the same, and the header.
 */
static bool is_of_area(struct round_trip *trip, uint64_t position)
{
	const struct snapshot *snapshot = trip->snapshot;
	uint64_t header = snapshot->offset * snapshot->page_size;
	size_t count = snapshot->extents->count;

	if (position == header)
		return false;
	if (count == 0)
		return position > header &&
		       position + snapshot->page_size <= header + snapshot->size;
	for (size_t tried = 0; tried < count; tried++) {
		if (is_of_extent(snapshot, trip->extent, position))
			return true;
		trip->extent = (trip->extent + 1) % count;
	}
	return false;
}

/*
 * FNV-1a on words. It tells a page that is not what was written, of an older image or of zeros; it
 * is no defence against anybody.
 */
static uint64_t sum_of(const unsigned char *bytes, size_t length)
{
	uint64_t sum = 0xcbf29ce484222325, word;

	for (size_t i = 0; i < length; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		sum = (sum ^ word) * 0x100000001b3;
		sum ^= sum >> 29;
	}
	return sum;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static struct piece *new_piece(struct round_trip *trip)
{
	if (trip->count == trip->room) {
		struct piece *grown = memory_new(2 * trip->room, sizeof(*grown));

		memcpy(grown, trip->pieces, trip->count * sizeof(*grown));
		free(trip->pieces);
		trip->pieces = grown;
		trip->room *= 2;
	}
	return &trip->pieces[trip->count++];
}

static int write_piece(struct round_trip *trip, struct error *err)
{
	struct piece *piece;
	ssize_t done;

	if (trip->filled == 0)
		return 0;
	done = pwrite(trip->device, trip->buffer, trip->filled, (off_t)trip->position);
	if (done != (ssize_t)trip->filled)
		return error_errno(err, done < 0 ? errno : EIO,
			"cannot write to byte %llu of /dev/%s", (unsigned long long)trip->position,
			trip->snapshot->name);
	piece = new_piece(trip);
	*piece = (struct piece) { .position = trip->position,
		.length = (uint32_t)trip->filled,
		.sum = sum_of(trip->buffer, trip->filled) };
	trip->result->written += trip->filled;
	trip->filled = 0;
	return check_limits(trip, "writing", err);
}

/* A page of the area for the next page of the image; what is not beside the last begins a piece. */
static int take_page(struct round_trip *trip, struct error *err)
{
	const struct snapshot *snapshot = trip->snapshot;
	loff_t page = 0;
	uint64_t position;

	if (ioctl(trip->kernel, SNAPSHOT_ALLOC_SWAP_PAGE, &page) < 0)
		return error_errno(err, errno, "no room in the swap area after %llu of %llu MiB",
			(unsigned long long)(trip->result->written / MIB),
			(unsigned long long)(trip->result->image_size / MIB));
	position = (uint64_t)page;
	if (!is_of_area(trip, position))
		return error_set(err, EFAULT,
			"the kernel names byte %llu of /dev/%s, which is outside the swap area; nothing was written there",
			(unsigned long long)position, snapshot->name);
	if (trip->filled &&
		(position != trip->position + trip->filled || trip->filled == PIECE_MAX)) {
		int status = write_piece(trip, err);

		if (status < 0)
			return status;
	}
	if (trip->filled == 0)
		trip->position = position;
	return 0;
}

static int write_image(struct round_trip *trip, struct error *err)
{
	const size_t page = trip->snapshot->page_size;
	uint64_t began = clock_ms(CLOCK_MONOTONIC);
	unsigned char *next;
	ssize_t got;
	int status;

	/*
	 * The page of the area first: the buffer may have to be written before it takes another
	 * page.
	 */
	for (;;) {
		status = take_page(trip, err);
		if (status < 0)
			break;
		next = trip->buffer + trip->filled;
		got = read(trip->kernel, next, page);
		if (got < 0)
			status = error_errno(err, errno, "cannot read the image from the kernel");
		if (got <= 0)
			break;
		memset(next + got, 0, page - (size_t)got);
		trip->filled += page;
	}
	if (status == 0)
		status = write_piece(trip, err);
	if (status == 0 && fdatasync(trip->device) < 0)
		status = error_errno(err, errno, "cannot write to /dev/%s", trip->snapshot->name);
	trip->result->write_ms = clock_ms(CLOCK_MONOTONIC) - began;
	return status;
}

/* ---- Reading back ---------------------------------------------------------------------------- */

static int read_piece(struct round_trip *trip, const struct piece *piece, struct error *err)
{
	ssize_t got = pread(trip->device, trip->buffer, piece->length, (off_t)piece->position);

	if (got != (ssize_t)piece->length)
		return error_errno(err, got < 0 ? errno : EIO, "cannot read byte %llu of /dev/%s",
			(unsigned long long)piece->position, trip->snapshot->name);
	if (sum_of(trip->buffer, piece->length) != piece->sum)
		return error_set(err, EILSEQ,
			"what was read back from byte %llu of /dev/%s is not what was written there",
			(unsigned long long)piece->position, trip->snapshot->name);
	trip->result->read += piece->length;
	return check_limits(trip, "reading", err);
}

static int read_image(struct round_trip *trip, struct error *err)
{
	uint64_t began = clock_ms(CLOCK_MONOTONIC);
	int status = 0;

	for (size_t i = 0; i < trip->count && status == 0; i++)
		status = read_piece(trip, &trip->pieces[i], err);
	trip->result->read_ms = clock_ms(CLOCK_MONOTONIC) - began;
	return status;
}

/* ---- Making it ------------------------------------------------------------------------------- */

/* The device behind the name has to be the one that the kernel means: it is written to. */
static int check_device(const struct round_trip *trip, dev_t meant, struct error *err)
{
	struct stat status;

	if (fstat(trip->device, &status) < 0)
		return error_errno(err, errno, "cannot look at /dev/%s", trip->snapshot->name);
	if (!S_ISBLK(status.st_mode) || status.st_rdev != meant)
		return error_set(err, ENODEV, "/dev/%s is not the device %s", trip->snapshot->name,
			trip->snapshot->number);
	return 0;
}

static int choose_area(const struct round_trip *trip, struct error *err)
{
	const struct snapshot *snapshot = trip->snapshot;
	struct resume_swap_area area = { .offset = (int64_t)snapshot->offset };
	unsigned major_number, minor_number;
	int status;

	if (sscanf(snapshot->number, "%u:%u", &major_number, &minor_number) != 2)
		return error_set(err, EINVAL, "\"%s\" is not a device number (major:minor)",
			snapshot->number);
	status = check_device(trip, makedev(major_number, minor_number), err);
	if (status < 0)
		return status;
	area.dev = (uint32_t)makedev(major_number, minor_number);
	if (ioctl(trip->kernel, SNAPSHOT_SET_SWAP_AREA, &area) < 0)
		return error_errno(err, errno,
			"the kernel finds no active swap at page %llu of /dev/%s",
			(unsigned long long)snapshot->offset, snapshot->name);
	if (ioctl(trip->kernel, SNAPSHOT_PLATFORM_SUPPORT, (int)snapshot->platform) < 0)
		return error_errno(err, errno, "cannot ask the firmware to take part");
	return 0;
}

static int make_image(struct round_trip *trip, struct error *err)
{
	loff_t size = 0;
	int made = 0;

	trip->result->requested = true;
	if (ioctl(trip->kernel, SNAPSHOT_CREATE_IMAGE, &made) < 0)
		return error_errno(err, errno, "the kernel could not make the image");
	if (ioctl(trip->kernel, SNAPSHOT_GET_IMAGE_SIZE, &size) < 0)
		return error_errno(err, errno, "the kernel made no image");
	trip->result->image_size = (uint64_t)size;
	return 0;
}

/* ---- Nothing may stop us --------------------------------------------------------------------- */

/* Those of a terminal that stop a process; a console's come also while all tasks are frozen. */
static const int stops[STOP_COUNT] = { SIGTSTP, SIGTTIN, SIGTTOU };

/* Nobody could tell us to go on: the shell is frozen as well. */
static void stops_ignore(struct round_trip *trip)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < STOP_COUNT; i++)
		sigaction(stops[i], &ignore, &trip->stops[i]);
	trip->stops_ignored = true;
}

static void stops_heed(const struct round_trip *trip)
{
	for (size_t i = 0; trip->stops_ignored && i < STOP_COUNT; i++)
		sigaction(stops[i], &trip->stops[i], NULL);
}

/* A frozen debugger would hold us at our next system call, and the machine with us. */
static int refuse_tracer(const struct snapshot *snapshot, struct error *err)
{
	memory_cleanup_free char *status = NULL;
	const char *tracer;
	long pid;
	int read = root_read(snapshot->root, "/proc/self/status", FILE_LIMIT, &status, NULL, err);

	if (read < 0)
		return read;
	tracer = strstr(status, "\nTracerPid:");
	pid = tracer ? strtol(tracer + strlen("\nTracerPid:"), NULL, 10) : 0;
	if (pid == 0)
		return 0;
	return error_set(err, EPERM,
		"process %ld traces this one (strace, a debugger): once frozen, it would halt the machine for good",
		pid);
}

/* From here on until the kernel's file is closed this is the only task that runs. */
static int stand_still(struct round_trip *trip, struct error *err)
{
	int status;

	stops_ignore(trip);
	if (ioctl(trip->kernel, SNAPSHOT_FREEZE, 0) < 0)
		return error_errno(err, errno, "the tasks could not be frozen");
	trip->frozen = clock_ms(CLOCK_MONOTONIC);
	status = make_image(trip, err);
	if (status == 0)
		status = write_image(trip, err);
	if (status == 0)
		status = read_image(trip, err);
	return status;
}

static int open_all(struct round_trip *trip, struct error *err)
{
	memory_cleanup_free char *path = text_format("/dev/%s", trip->snapshot->name);
	const int flags = O_RDWR | O_DIRECT | O_NOFOLLOW;

	trip->device = root_openat(trip->snapshot->root, path, flags, 0, err);
	if (trip->device < 0)
		return trip->device;
	trip->buffer =
		mmap(NULL, PIECE_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (trip->buffer == MAP_FAILED) {
		trip->buffer = NULL;
		return error_errno(err, errno, "no memory for the image");
	}
	trip->room = 4096;
	trip->pieces = memory_new(trip->room, sizeof(*trip->pieces));
	/* Nothing of ours may have to come from a disk while all else stands still. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return error_errno(err, errno, "cannot lock memory");
	trip->kernel = root_openat(trip->snapshot->root, SNAPSHOT_DEVICE, O_RDONLY, 0, err);
	return trip->kernel < 0 ? trip->kernel : 0;
}

static void close_all(struct round_trip *trip)
{
	if (trip->kernel >= 0)
		close(trip->kernel); /* gives the pages back and thaws */
	if (trip->frozen)
		trip->result->still_ms = clock_ms(CLOCK_MONOTONIC) - trip->frozen;
	stops_heed(trip);
	munlockall();
	if (trip->device >= 0)
		close(trip->device);
	if (trip->buffer)
		munmap(trip->buffer, PIECE_MAX);
	free(trip->pieces);
}

int snapshot_rehearse(
	const struct snapshot *snapshot, struct snapshot_result *result, struct error *err)
{
	struct round_trip trip = {
		.snapshot = snapshot, .result = result, .kernel = -1, .device = -1
	};
	int status;

	*result = (struct snapshot_result) { 0 };
	status = refuse_tracer(snapshot, err);
	if (status == 0)
		status = open_all(&trip, err);
	if (status == 0)
		status = choose_area(&trip, err);
	if (status == 0)
		status = stand_still(&trip, err);
	close_all(&trip);
	return status;
}
