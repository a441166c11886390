/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "ui/tui/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/words.h"

#define FILE_MODE 0600 /* facts are nobody else's business */

char *command_shown(const char *const *program, const char *const *arguments)
{
	char *text = text_copy("ec2hib");

	for (program++; *program; program++)
		words_append(&text, *program);
	for (; *arguments; arguments++)
		words_append(&text, *arguments);
	return text;
}

static const char **vector_make(const char *const *program, const char *const *arguments)
{
	const char **vector;
	size_t count = 0;

	for (const char *const *word = program; *word; word++)
		count++;
	for (const char *const *word = arguments; *word; word++)
		count++;
	vector = memory_new(count + 1, sizeof(*vector));
	count = 0;
	while (*program)
		vector[count++] = *program++;
	while (*arguments)
		vector[count++] = *arguments++;
	return vector;
}

/* In the child; does not come back. */
static void become(const char **vector, int out, int pipe)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(pipe, STDERR_FILENO);
	dup2(out >= 0 ? out : pipe, STDOUT_FILENO);
	execv(vector[0], (char *const *)(uintptr_t)vector);
	_exit(127);
}

static void take_line(void *data, const char *line)
{
	struct command_run *run = data;

	if (run->lines.count == COMMAND_LINES_MOST) {
		free(run->lines.items[0]);
		memmove(run->lines.items, run->lines.items + 1,
			(COMMAND_LINES_MOST - 1) * sizeof(*run->lines.items));
		run->lines.count--;
		run->lost++;
	}
	strings_add(&run->lines, line);
}

int command_start(struct command_run *run, const char *const *program, const char *const *arguments,
	const char *file, struct error *err)
{
	memory_cleanup_free const char **vector = vector_make(program, arguments);
	int ends[2], out = -1;

	if (file) {
		out = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
		if (out < 0)
			return error_errno(err, errno, "cannot create %s", file);
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		if (out >= 0)
			close(out);
		return error_errno(err, errno, "cannot make a pipe");
	}
	run->pid = fork();
	if (run->pid == 0)
		become(vector, out, ends[1]);
	close(ends[1]);
	if (out >= 0)
		close(out);
	if (run->pid < 0) {
		run->pid = 0;
		close(ends[0]);
		return error_errno(err, errno, "cannot start a process");
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	run->stream = (struct stream) { .fd = ends[0], .line = take_line, .data = run };
	run->shown = command_shown(program, arguments);
	run->file = text_copy(file);
	return 0;
}

void command_listen(struct command_run *run)
{
	if (run->stream.fd >= 0 && !stream_read(&run->stream))
		stream_close(&run->stream);
}

bool command_reap(struct command_run *run)
{
	int waiting;

	if (run->pid <= 0 || waitpid(run->pid, &run->status, WNOHANG) != run->pid)
		return false;
	/* What it left running may keep the pipe open; what it said itself is all there. */
	while (run->stream.fd >= 0 && ioctl(run->stream.fd, FIONREAD, &waiting) == 0 && waiting > 0)
		command_listen(run);
	stream_close(&run->stream);
	run->pid = 0;
	run->ended = true;
	return true;
}

void command_stop(const struct command_run *run)
{
	if (run->pid > 0)
		kill(run->pid, SIGTERM);
}

char *command_result(const struct command_run *run)
{
	if (WIFSIGNALED(run->status))
		return text_format("killed by signal %d (%s)", WTERMSIG(run->status),
			strsignal(WTERMSIG(run->status)));
	if (WEXITSTATUS(run->status) == 0)
		return text_copy("succeeded");
	return text_format("failed with status %d", WEXITSTATUS(run->status));
}

void command_free(struct command_run *run)
{
	if (run->stream.fd > 0)
		stream_free(&run->stream);
	strings_free(&run->lines);
	free(run->shown);
	free(run->file);
	*run = (struct command_run) { .stream.fd = -1 };
}
