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

/* One rehearsal on its way. */
struct passage {
	const struct snapshot *asked;
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

/* ---- Limits ---------------------------------------------------------------------------------------- */

static int go_on(const struct passage *passage, const char *doing, struct error *err)
{
	const struct snapshot *asked = passage->asked;
	uint64_t still = clock_ms(CLOCK_MONOTONIC) - passage->frozen;

	if (reporter_cancelled(asked->reporter))
		return error_set(err, ECANCELED, "stopped while %s the image", doing);
	if (still <= asked->timeout_ms)
		return 0;
	return error_set(err, ETIMEDOUT,
		"%s the image was given up after %u s: %llu of %llu MiB written, %llu read back",
		doing, asked->timeout_ms / 1000,
		(unsigned long long)(passage->result->written / MIB),
		(unsigned long long)(passage->result->image_size / MIB),
		(unsigned long long)(passage->result->read / MIB));
}

static bool is_of_extent(const struct snapshot *asked, size_t index, uint64_t position)
{
	const struct extent_facts *extent = &asked->extents->items[index];

	return position >= extent->physical.value &&
	       position + asked->page_size <= extent->physical.value + extent->length.value;
}

/* The kernel reserves pages of the area; that they are is looked at all the same, and the header. */
static bool is_of_area(struct passage *passage, uint64_t position)
{
	const struct snapshot *asked = passage->asked;
	uint64_t header = asked->offset * asked->page_size;
	size_t count = asked->extents->count;

	if (position == header)
		return false;
	if (count == 0)
		return position > header && position + asked->page_size <= header + asked->size;
	for (size_t tried = 0; tried < count; tried++) {
		if (is_of_extent(asked, passage->extent, position))
			return true;
		passage->extent = (passage->extent + 1) % count;
	}
	return false;
}

/*
 * FNV-1a on words. It tells a page that is not what was written, of an older image or of zeros; it is
 * no defence against anybody.
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

/* ---- Writing --------------------------------------------------------------------------------------- */

static struct piece *new_piece(struct passage *passage)
{
	if (passage->count == passage->room) {
		struct piece *grown = memory_new(2 * passage->room, sizeof(*grown));

		memcpy(grown, passage->pieces, passage->count * sizeof(*grown));
		free(passage->pieces);
		passage->pieces = grown;
		passage->room *= 2;
	}
	return &passage->pieces[passage->count++];
}

static int write_piece(struct passage *passage, struct error *err)
{
	struct piece *piece;
	ssize_t done;

	if (passage->filled == 0)
		return 0;
	done = pwrite(passage->device, passage->buffer, passage->filled, (off_t)passage->position);
	if (done != (ssize_t)passage->filled)
		return error_errno(err, done < 0 ? errno : EIO,
			"cannot write to byte %llu of /dev/%s",
			(unsigned long long)passage->position, passage->asked->name);
	piece = new_piece(passage);
	*piece = (struct piece) { .position = passage->position,
		.length = (uint32_t)passage->filled,
		.sum = sum_of(passage->buffer, passage->filled) };
	passage->result->written += passage->filled;
	passage->filled = 0;
	return go_on(passage, "writing", err);
}

/* A page of the area for the next page of the image; what is not beside the last begins a piece. */
static int take_place(struct passage *passage, struct error *err)
{
	const struct snapshot *asked = passage->asked;
	loff_t place = 0;
	uint64_t position;

	if (ioctl(passage->kernel, SNAPSHOT_ALLOC_SWAP_PAGE, &place) < 0)
		return error_errno(err, errno, "no room in the swap area after %llu of %llu MiB",
			(unsigned long long)(passage->result->written / MIB),
			(unsigned long long)(passage->result->image_size / MIB));
	position = (uint64_t)place;
	if (!is_of_area(passage, position))
		return error_set(err, EFAULT,
			"the kernel names byte %llu of /dev/%s, which is not of the swap area; nothing was written there",
			(unsigned long long)position, asked->name);
	if (passage->filled &&
		(position != passage->position + passage->filled || passage->filled == PIECE_MAX)) {
		int status = write_piece(passage, err);

		if (status < 0)
			return status;
	}
	if (passage->filled == 0)
		passage->position = position;
	return 0;
}

static int write_image(struct passage *passage, struct error *err)
{
	const size_t page = passage->asked->page_size;
	uint64_t began = clock_ms(CLOCK_MONOTONIC);
	unsigned char *next;
	ssize_t got;
	int status;

	/* The place first: the buffer may have to be written before it takes another page. */
	for (;;) {
		status = take_place(passage, err);
		if (status < 0)
			break;
		next = passage->buffer + passage->filled;
		got = read(passage->kernel, next, page);
		if (got < 0)
			status = error_errno(err, errno, "cannot read the image from the kernel");
		if (got <= 0)
			break;
		memset(next + got, 0, page - (size_t)got);
		passage->filled += page;
	}
	if (status == 0)
		status = write_piece(passage, err);
	if (status == 0 && fdatasync(passage->device) < 0)
		status = error_errno(err, errno, "cannot write to /dev/%s", passage->asked->name);
	passage->result->write_ms = clock_ms(CLOCK_MONOTONIC) - began;
	return status;
}

/* ---- Reading back ---------------------------------------------------------------------------------- */

static int read_piece(struct passage *passage, const struct piece *piece, struct error *err)
{
	ssize_t got =
		pread(passage->device, passage->buffer, piece->length, (off_t)piece->position);

	if (got != (ssize_t)piece->length)
		return error_errno(err, got < 0 ? errno : EIO, "cannot read byte %llu of /dev/%s",
			(unsigned long long)piece->position, passage->asked->name);
	if (sum_of(passage->buffer, piece->length) != piece->sum)
		return error_set(err, EILSEQ,
			"what was read back from byte %llu of /dev/%s is not what was written there",
			(unsigned long long)piece->position, passage->asked->name);
	passage->result->read += piece->length;
	return go_on(passage, "reading", err);
}

static int read_image(struct passage *passage, struct error *err)
{
	uint64_t began = clock_ms(CLOCK_MONOTONIC);
	int status = 0;

	for (size_t i = 0; i < passage->count && status == 0; i++)
		status = read_piece(passage, &passage->pieces[i], err);
	passage->result->read_ms = clock_ms(CLOCK_MONOTONIC) - began;
	return status;
}

/* ---- Making it --------------------------------------------------------------------------------------- */

/* The device behind the name has to be the one that the kernel means: it is written to. */
static int check_device(const struct passage *passage, dev_t meant, struct error *err)
{
	struct stat status;

	if (fstat(passage->device, &status) < 0)
		return error_errno(err, errno, "cannot look at /dev/%s", passage->asked->name);
	if (!S_ISBLK(status.st_mode) || status.st_rdev != meant)
		return error_set(err, ENODEV, "/dev/%s is not the device %s", passage->asked->name,
			passage->asked->number);
	return 0;
}

static int choose_area(const struct passage *passage, struct error *err)
{
	const struct snapshot *asked = passage->asked;
	struct resume_swap_area area = { .offset = (int64_t)asked->offset };
	unsigned major_number, minor_number;
	int status;

	if (sscanf(asked->number, "%u:%u", &major_number, &minor_number) != 2)
		return error_set(err, EINVAL, "%s is no device number", asked->number);
	status = check_device(passage, makedev(major_number, minor_number), err);
	if (status < 0)
		return status;
	area.dev = (uint32_t)makedev(major_number, minor_number);
	if (ioctl(passage->kernel, SNAPSHOT_SET_SWAP_AREA, &area) < 0)
		return error_errno(err, errno,
			"the kernel finds no active swap at page %llu of /dev/%s",
			(unsigned long long)asked->offset, asked->name);
	if (ioctl(passage->kernel, SNAPSHOT_PLATFORM_SUPPORT, (int)asked->platform) < 0)
		return error_errno(err, errno, "cannot ask the firmware to take part");
	return 0;
}

static int make_image(struct passage *passage, struct error *err)
{
	loff_t size = 0;
	int made = 0;

	passage->result->requested = true;
	if (ioctl(passage->kernel, SNAPSHOT_CREATE_IMAGE, &made) < 0)
		return error_errno(err, errno, "the kernel could not make the image");
	if (ioctl(passage->kernel, SNAPSHOT_GET_IMAGE_SIZE, &size) < 0)
		return error_errno(err, errno, "the kernel made no image");
	passage->result->image_size = (uint64_t)size;
	return 0;
}

/* ---- Nothing may stop us --------------------------------------------------------------------------- */

/* Those of a terminal that stop a process; a console's come also while all tasks are frozen. */
static const int stops[STOP_COUNT] = { SIGTSTP, SIGTTIN, SIGTTOU };

/* Nobody could tell us to go on: the shell is frozen as well. */
static void stops_ignore(struct passage *passage)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < STOP_COUNT; i++)
		sigaction(stops[i], &ignore, &passage->stops[i]);
	passage->stops_ignored = true;
}

static void stops_heed(const struct passage *passage)
{
	for (size_t i = 0; passage->stops_ignored && i < STOP_COUNT; i++)
		sigaction(stops[i], &passage->stops[i], NULL);
}

/* A frozen debugger would hold us at our next system call, and the machine with us. */
static int refuse_tracer(const struct snapshot *asked, struct error *err)
{
	memory_cleanup_free char *status = NULL;
	const char *tracer;
	long pid;
	int read = root_read(asked->root, "/proc/self/status", FILE_LIMIT, &status, NULL, err);

	if (read < 0)
		return read;
	tracer = strstr(status, "\nTracerPid:");
	pid = tracer ? strtol(tracer + strlen("\nTracerPid:"), NULL, 10) : 0;
	if (pid == 0)
		return 0;
	return error_set(err, EPERM,
		"process %ld traces this one (strace, a debugger): frozen, it would keep the machine standing still for ever",
		pid);
}

/* From here on until the kernel's file is closed this is the only task that runs. */
static int stand_still(struct passage *passage, struct error *err)
{
	int status;

	stops_ignore(passage);
	if (ioctl(passage->kernel, SNAPSHOT_FREEZE, 0) < 0)
		return error_errno(err, errno, "the tasks could not be frozen");
	passage->frozen = clock_ms(CLOCK_MONOTONIC);
	status = make_image(passage, err);
	if (status == 0)
		status = write_image(passage, err);
	if (status == 0)
		status = read_image(passage, err);
	return status;
}

static int open_all(struct passage *passage, struct error *err)
{
	memory_cleanup_free char *path = text_format("/dev/%s", passage->asked->name);
	const int flags = O_RDWR | O_DIRECT | O_NOFOLLOW;

	passage->device = root_openat(passage->asked->root, path, flags, 0, err);
	if (passage->device < 0)
		return passage->device;
	passage->buffer =
		mmap(NULL, PIECE_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (passage->buffer == MAP_FAILED) {
		passage->buffer = NULL;
		return error_errno(err, errno, "no memory for the image");
	}
	passage->room = 4096;
	passage->pieces = memory_new(passage->room, sizeof(*passage->pieces));
	/* Nothing of ours may have to come from a disk while all else stands still. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return error_errno(err, errno, "cannot lock memory");
	passage->kernel = root_openat(passage->asked->root, SNAPSHOT_DEVICE, O_RDONLY, 0, err);
	return passage->kernel < 0 ? passage->kernel : 0;
}

static void close_all(struct passage *passage)
{
	if (passage->kernel >= 0)
		close(passage->kernel); /* gives the pages back and thaws */
	if (passage->frozen)
		passage->result->still_ms = clock_ms(CLOCK_MONOTONIC) - passage->frozen;
	stops_heed(passage);
	munlockall();
	if (passage->device >= 0)
		close(passage->device);
	if (passage->buffer)
		munmap(passage->buffer, PIECE_MAX);
	free(passage->pieces);
}

int snapshot_rehearse(
	const struct snapshot *snapshot, struct snapshot_result *result, struct error *err)
{
	struct passage passage = {
		.asked = snapshot, .result = result, .kernel = -1, .device = -1
	};
	int status;

	*result = (struct snapshot_result) { 0 };
	status = refuse_tracer(snapshot, err);
	if (status == 0)
		status = open_all(&passage, err);
	if (status == 0)
		status = choose_area(&passage, err);
	if (status == 0)
		status = stand_still(&passage, err);
	close_all(&passage);
	return status;
}
