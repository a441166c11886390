/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

/*
 * Who can open a file can lock it (flock(2)): a plain user would keep a machine from hibernating.
 */
#define LOCK_MODE 0600

static int lock_open(const struct root *root, const char *path, struct error *err)
{
	int status, fd;

	if (!root->live)
		return root_openat(root, "/", O_RDONLY | O_DIRECTORY, 0, err);
	status = root_make_directory(root, RUN_FOLDER, err);
	if (status < 0)
		return status;
	fd = root_openat(root, path, O_RDWR | O_CREAT | O_NOFOLLOW, LOCK_MODE, err);
	/* It may be there already, of a version that let others read it. */
	if (fd >= 0 && fchmod(fd, LOCK_MODE) < 0) {
		status = error_errno(err, errno, "cannot restrict %s to root", path);
		close(fd);
		return status;
	}
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

static int lock_complain(int fd, const struct root *root, const char *path, struct error *err)
{
	const char *what = busy_with(path);
	char holder[16] = "";
	ssize_t length = pread(fd, holder, sizeof(holder) - 1, 0);
	long process = length > 0 ? strtol(holder, NULL, 10) : 0;

	if (!root->live || process <= 0)
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
	uint64_t end = clock_ms(CLOCK_MONOTONIC) + wait_ms;
	int status;

	while ((status = lock_try(fd, root, path, err)) == -EAGAIN) {
		if (reporter_cancelled(reporter))
			return error_set(
				err, ECANCELED, "stopped while waiting for another ec2hib");
		if (clock_ms(CLOCK_MONOTONIC) >= end)
			return lock_complain(fd, root, path, err);
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
	if (root->live)
		lock_sign(fd);
	return fd;
}

int lock_take(const struct root *root, const char *path, unsigned wait_ms, struct error *err)
{
	return lock_wait(root, path, wait_ms, NULL, err);
}

int lock_share(int fd, struct error *err)
{
	if (fcntl(fd, F_SETFD, 0) == 0)
		return 0;
	return error_errno(err, errno, "cannot let programs share the lock");
}

void lock_unshare(int fd)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}
