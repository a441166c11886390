/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "ui/tui/worker.h"

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

/* In the child: nothing of the terminal, and none of our signal handling. */
static void detach(void)
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

int worker_start(
	struct worker *worker, void (*work)(void *data, int fd), void *data, struct error *err)
{
	pid_t us = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	worker->pid = fork();
	if (worker->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != us)
			_exit(1);
		detach();
		close(ends[0]);
		work(data, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (worker->pid < 0) {
		worker->pid = 0;
		close(ends[0]);
		return error_errno(err, errno, "cannot start a process");
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	worker->fd = ends[0];
	worker->started = clock_ms(CLOCK_BOOTTIME);
	return 0;
}

bool worker_read(struct worker *worker, void (*take)(void *data, const char *line), void *data)
{
	if (lines_read(&worker->lines, worker->fd, WORKER_LINE_MOST, take, data))
		return true;
	worker_stop(worker);
	return false;
}

/* Killed, but not gone yet. They are waited for only here, so that no process number is reused. */
static struct {
	pid_t *pids;
	size_t count;
} dying;

void worker_reap(void)
{
	size_t left = 0;

	for (size_t i = 0; i < dying.count; i++)
		if (waitpid(dying.pids[i], NULL, WNOHANG) == 0)
			dying.pids[left++] = dying.pids[i];
	dying.count = left;
	if (left == 0) {
		free(dying.pids);
		dying.pids = NULL;
	}
}

void worker_stop(struct worker *worker)
{
	if (worker->pid > 0) {
		kill(worker->pid, SIGKILL);
		close(worker->fd);
		dying.pids = memory_grow(dying.pids, dying.count, sizeof(*dying.pids));
		dying.pids[dying.count++] = worker->pid;
		worker_reap();
	}
	lines_free(&worker->lines);
	*worker = (struct worker) { .fd = -1 };
}

bool worker_write(int fd, const char *line)
{
	return file_write_all(fd, line, strlen(line)) == 0 && file_write_all(fd, "\n", 1) == 0;
}
