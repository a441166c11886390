/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/command.h"
#include "core/base/compiler.h"

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number)
{
	stop_wanted = number;
}

void interrupt_catch(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

bool interrupt_came(void *data UNUSED)
{
	return stop_wanted != 0;
}

void descriptors_leave(int first, int last)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = first; null >= 0 && fd <= last; fd++)
		dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

int daemon_become(int *starter, struct error *err)
{
	int ends[2];
	pid_t child;
	char byte;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot become a daemon");
	child = fork();
	if (child < 0)
		return error_errno(err, errno, "cannot become a daemon");
	if (child > 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 1 ? 0 : EXIT_NOT_READY);
	}
	close(ends[0]);
	setsid();
	child = fork();
	if (child != 0)
		_exit(child < 0);
	umask(022);
	/* Standard error stays until it has begun, for what may be in its way. */
	descriptors_leave(STDIN_FILENO, STDOUT_FILENO);
	if (chdir("/") < 0)
		return error_errno(err, errno, "cannot go to /");
	*starter = ends[1];
	return 0;
}

int daemon_begun(int *starter, struct error *err)
{
	int status = 0;

	if (*starter < 0)
		return 0;
	if (write(*starter, "", 1) < 0)
		status = error_set(err, EPIPE, "who started the daemon is gone");
	close(*starter);
	*starter = -1;
	return status;
}
