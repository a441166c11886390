/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/prewarm_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"

static const struct field bucket_fields[] = {
	NUMBER(struct prewarm_bucket, up_to, "us; absent in the last, which has no bound"),
	NUMBER(struct prewarm_bucket, count, "requests"),
};
static const struct layout bucket_layout = LAYOUT(struct prewarm_bucket, bucket_fields);

static const struct field state_fields[] = {
	NUMBER(struct prewarm_state, format, "version of this layout"),
	TEXT(struct prewarm_state, state, "running, finished, stopped or failed"),
	NUMBER(struct prewarm_state, pid, "process of the pre-warm, while it runs"),
	TEXT(struct prewarm_state, started, "when it began, UTC"),
	TEXT(struct prewarm_state, path, "the swap file or device"),
	TEXT(struct prewarm_state, device, "the block device that is read"),
	TEXT(struct prewarm_state, volume, "the volume and the device on it"),
	TEXT(struct prewarm_state, map, "names the places on the device"),
	TEXT(struct prewarm_state, method, "read or write"),
	FLAG(struct prewarm_state, background, "it runs in the background"),
	NUMBER(struct prewarm_state, limit, "of --rate, bytes/s"),
	NUMBER(struct prewarm_state, block, "of --block, bytes a request"),
	NUMBER(struct prewarm_state, fixed, "of --depth, requests at a time"),
	NUMBER(struct prewarm_state, total, "bytes of the area"),
	NUMBER(struct prewarm_state, done, "of these touched, now and earlier"),
	NUMBER(struct prewarm_state, earlier, "of these touched by earlier runs"),
	NUMBER(struct prewarm_state, rate, "lately, bytes/s"),
	NUMBER(struct prewarm_state, depth, "requests at a time"),
	FLAG(struct prewarm_state, gives_way, "somebody else uses the disk now"),
	NUMBER(struct prewarm_state, slowest_us, "the slowest request lately, us"),
	NUMBER(struct prewarm_state, elapsed, "since it began, ms"),
	NUMBER(struct prewarm_state, left, "at this rate, ms"),
	NUMBER(struct prewarm_state, errors, "blocks (of 4 KiB as a rule) that cannot be touched"),
	TEXT(struct prewarm_state, error, "why it failed, or the first such block"),
	NUMBER(struct prewarm_state, quick_us,
		"the quickest tenth of the requests took at most this, us"),
	NUMBER(struct prewarm_state, slow, "requests that took more than 8 times that"),
	LIST(struct prewarm_state, histogram, &bucket_layout,
		"requests by the time that they took"),
};
const struct layout prewarm_state_layout = LAYOUT(struct prewarm_state, state_fields);

static const struct field piece_fields[] = {
	NUMBER(struct prewarm_piece, start, "first byte on the device, or in the file"),
	NUMBER(struct prewarm_piece, length, "bytes"),
};
static const struct layout piece_layout = LAYOUT(struct prewarm_piece, piece_fields);

static const struct field record_fields[] = {
	TEXT(struct prewarm_record, path, "the swap file or device"),
	TEXT(struct prewarm_record, volume, "the volume and the device on it"),
	TEXT(struct prewarm_record, map, "names the places on the device"),
	TEXT(struct prewarm_record, method, "read or write"),
	TEXT(struct prewarm_record, finished, "when all was touched, UTC"),
	LIST(struct prewarm_record, done, &piece_layout, "what was touched so far"),
};
const struct layout prewarm_record_layout = LAYOUT(struct prewarm_record, record_fields);

static const struct field records_fields[] = {
	NUMBER(struct prewarm_records, format, "version of this layout"),
	LIST(struct prewarm_records, records, &prewarm_record_layout,
		"how far each pre-warm came, the newest last"),
};
const struct layout prewarm_records_layout = LAYOUT(struct prewarm_records, records_fields);

int prewarm_state_read(const struct root *root, struct prewarm_state *state, struct error *err)
{
	return record_read(
		root, PREWARM_STATE_PATH, &prewarm_state_layout, PREWARM_STATE_FORMAT, state, err);
}

/* ---- Whether one runs --------------------------------------------------------------------------- */

int prewarm_lock_look(const struct root *root, struct error *err)
{
	return root_openat(root, PREWARM_LOCK, O_RDONLY | O_NOFOLLOW, 0, err);
}

/*
 * Looking is to hold it for a moment, shared, so that two who look do not see each other; lock_take()
 * waits for longer.
 */
bool prewarm_lock_held(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

/*
 * Whether the kernel lists it as held (proc_locks(5)), for who may not open it. One who waits for it
 * has an arrow in place of FLOCK.
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

/* ---- How far each came -------------------------------------------------------------------------- */

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
