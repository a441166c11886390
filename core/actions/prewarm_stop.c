/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stopping a pre-warm of another process. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/actions/prewarm.h"
#include "core/base/clock.h"

/* How often the lock is looked at, milliseconds. */
#define LOOK_MS 5

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
