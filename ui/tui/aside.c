/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "ui/tui/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/process.h"

/* In the child: nothing of the terminal's, and no signal of ours. */
static void settle(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		if (number != SIGPIPE)
			signal(number, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	process_hide_descriptors();
}

int aside_begin(
	struct aside *aside, void (*work)(void *data, int fd), void *data, struct error *err)
{
	pid_t us = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	aside->pid = fork();
	if (aside->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != us)
			_exit(1);
		settle();
		close(ends[0]);
		work(data, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (aside->pid < 0) {
		aside->pid = 0;
		close(ends[0]);
		return error_errno(err, errno, "cannot start a process");
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	aside->fd = ends[0];
	aside->began = clock_ms(CLOCK_BOOTTIME);
	return 0;
}

bool aside_read(struct aside *aside, void (*take)(void *data, const char *line), void *data)
{
	if (lines_read(&aside->lines, aside->fd, ASIDE_LINE_MOST, take, data))
		return true;
	aside_end(aside);
	return false;
}

/* Killed, but not gone yet. Only here they are waited for, so that no number is another's. */
static struct {
	pid_t *pids;
	size_t count;
} leaving;

void aside_reap(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < leaving.count; i++)
		if (waitpid(leaving.pids[i], NULL, WNOHANG) == 0)
			leaving.pids[kept++] = leaving.pids[i];
	leaving.count = kept;
	if (kept == 0) {
		free(leaving.pids);
		leaving.pids = NULL;
	}
}

void aside_end(struct aside *aside)
{
	if (aside->pid > 0) {
		kill(aside->pid, SIGKILL);
		close(aside->fd);
		leaving.pids = reallocarray(leaving.pids, leaving.count + 1, sizeof(*leaving.pids));
		if (!leaving.pids)
			abort();
		leaving.pids[leaving.count++] = aside->pid;
		aside_reap();
	}
	lines_free(&aside->lines);
	*aside = (struct aside) { .fd = -1 };
}

bool aside_write(int fd, const char *line)
{
	return file_write_all(fd, line, strlen(line)) == 0 && file_write_all(fd, "\n", 1) == 0;
}
