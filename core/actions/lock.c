/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* How often a lock that is taken is tried again, milliseconds. */
#define TRY_MS 20

/* At least as long is waited for the programs of one that was killed, milliseconds. */
#define GONE_MS 5000

/*
 * Who can open a file can lock it (flock(2)): a plain user would keep a machine from hibernating.
 */
#define LOCK_MODE 0600

/*
 * An image is known by its folder, whatever path leads there. Its lock is on the host: a folder
 * that others can open they could lock.
 */
static char *image_lock_path(const struct root *root, const char *path, struct error *err)
{
	struct stat status;

	if (fstat(root->fd, &status) < 0) {
		error_errno(err, errno, "cannot look at %s", root->path);
		return NULL;
	}
	return text_format(RUN_FOLDER "/image-%llx-%llx-%s", (unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino, path_name(path));
}

static int open_file(const struct root *host, const char *path, struct error *err)
{
	int status = root_make_directory(host, RUN_FOLDER, err), fd;

	if (status < 0)
		return status;
	fd = root_openat(host, path, O_RDWR | O_CREAT | O_NOFOLLOW, LOCK_MODE, err);
	/* It may be there already, of a version that let others read it. */
	if (fd >= 0 && fchmod(fd, LOCK_MODE) < 0) {
		status = error_errno(err, errno, "cannot restrict %s to root", path);
		close(fd);
		return status;
	}
	return fd;
}

static int lock_open(const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *own = NULL;
	struct root host;
	int fd;

	if (root->live)
		return open_file(root, path, err);
	/* Who is not root changes nothing that root would, and keeps nobody out. */
	if (geteuid() != 0)
		return root_openat(root, "/", O_RDONLY | O_DIRECTORY, 0, err);
	own = image_lock_path(root, path, err);
	if (!own || root_open(&host, "/", err) < 0)
		return -EIO;
	fd = open_file(&host, own, err);
	root_close(&host);
	return fd;
}

/* The file says whose the lock is; only the lock itself counts. */
static void lock_sign(int fd)
{
	if (ftruncate(fd, 0) == 0)
		dprintf(fd, "%ld\n", (long)getpid());
}

static const char *busy_with(const char *path)
{
	if (strcmp(path, WATCH_LOCK) == 0)
		return "the agent runs already";
	if (strcmp(path, PREWARM_LOCK) == 0)
		return "another pre-warm runs already";
	return "another ec2hib is changing this machine; wait until it is done";
}

/* The process that signed it last; 0: nobody did. */
static long lock_holder(int fd)
{
	char holder[16] = "";

	return pread(fd, holder, sizeof(holder) - 1, 0) > 0 ? strtol(holder, NULL, 10) : 0;
}

/* It was killed, and a program of its is being ended: that takes a moment (process.h). */
static bool holder_is_gone(int fd)
{
	long process = lock_holder(fd);

	return process > 0 && kill((pid_t)process, 0) < 0 && errno == ESRCH;
}

static int lock_complain(int fd, const char *path, struct error *err)
{
	const char *what = busy_with(path);
	long process = lock_holder(fd);

	if (process <= 0)
		return error_set(err, EBUSY, "%s", what);
	return error_set(err, EBUSY, "%s (process %ld)", what, process);
}

/* 0 when it is ours, -EAGAIN when another has it. */
static int lock_try(int fd, const struct root *root, const char *path, struct error *err)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return -EAGAIN;
	return error_errno(err, errno, "cannot lock %s", root->live ? path : root->path);
}

static int wait_for(int fd, const struct root *root, const char *path, unsigned wait_ms,
	const struct reporter *reporter, struct error *err)
{
	uint64_t start = clock_ms(CLOCK_MONOTONIC), now;
	int status;

	while ((status = lock_try(fd, root, path, err)) == -EAGAIN) {
		if (reporter_cancelled(reporter))
			return error_set(
				err, ECANCELED, "stopped while waiting for another ec2hib");
		now = clock_ms(CLOCK_MONOTONIC);
		if (now >= start + wait_ms && (now >= start + GONE_MS || !holder_is_gone(fd)))
			return lock_complain(fd, path, err);
		poll(NULL, 0, TRY_MS);
	}
	return status;
}

int lock_wait(const struct root *root, const char *path, unsigned wait_ms,
	const struct reporter *reporter, struct error *err)
{
	int fd = lock_open(root, path, err), status;

	if (fd < 0)
		return fd;
	status = wait_for(fd, root, path, wait_ms, reporter, err);
	if (status < 0) {
		close(fd);
		return status;
	}
	lock_sign(fd);
	return fd;
}

int lock_take(const struct root *root, const char *path, unsigned wait_ms, struct error *err)
{
	return lock_wait(root, path, wait_ms, NULL, err);
}
