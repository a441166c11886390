/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/memory.h"

/* How often the time limit is looked at, and without pidfd_open(2) whether the program ended. */
#define TICK_MS 20

/* What is read from a pipe at once; keeping the end of a stream needs at least as much room. */
#define PIPE_PIECE 4096

/* As much of a complaint as an error's text has room for beside the rest. */
#define COMPLAINT_LENGTH 600

static const char *const program_folders[] = { "/usr/local/sbin", "/usr/local/bin",
	"/usr/sbin", "/usr/bin", "/sbin", "/bin" };

char *process_find(const struct root *root, const char *name)
{
	if (strchr(name, '/'))
		return root_executable(root, name) ? text_copy(name) : NULL;
	for (size_t i = 0; i < sizeof(program_folders) / sizeof(program_folders[0]);
		i++) {
		char *path = text_format("%s/%s", program_folders[i], name);

		if (root_executable(root, path))
			return path;
		free(path);
	}
	return NULL;
}

/* What is read from one of the child's two pipes. The start is kept, or for errors the end. */
struct stream {
	int fd;
	char *text;
	size_t length;
	size_t limit;
	bool keep_end;
};

/* Between fork and exec: only what is safe there. The write to standard error reaches the error. */
__attribute__((noreturn)) static void become(const struct root *root, const char *path,
	const char *const *arguments, int out, int errors)
{
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LC_ALL=C", "HOME=/root", NULL
	};
	sigset_t none;
	int null;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (!root->live && (fchdir(root->fd) < 0 || chroot(".") < 0))
		_exit(126);
	if (chdir("/") < 0)
		_exit(126);
	null = open("/dev/null", O_RDONLY);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	else
		close(STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	execve(path, (char *const *)arguments, (char *const *)environment);
	_exit(errno == ENOENT ? 127 : 126);
}

/* One read; false at the end of the stream. */
static bool stream_read(struct stream *stream)
{
	char piece[PIPE_PIECE];
	ssize_t got = read(stream->fd, piece, sizeof(piece));
	size_t size, keep;

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (got == 0)
		return false;
	size = (size_t)got;
	keep = stream->limit - stream->length;
	if (size > keep && stream->keep_end) {
		size_t drop = size - keep;

		memmove(stream->text, stream->text + drop, stream->length - drop);
		stream->length -= drop;
		keep = size;
	}
	if (size > keep)
		size = keep;
	memcpy(stream->text + stream->length, piece, size);
	stream->length += size;
	stream->text[stream->length] = '\0';
	return true;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One look at both streams; waits at most WAIT_MS for something to read or for the child's end. */
static bool streams_poll(struct stream streams[2], int pidfd, int wait_ms)
{
	struct pollfd polled[3] = { { .fd = streams[0].fd, .events = POLLIN },
		{ .fd = streams[1].fd, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN } };
	bool any = false;

	if (poll(polled, 3, wait_ms) <= 0)
		return false;
	for (int i = 0; i < 2; i++) {
		if (!polled[i].revents)
			continue;
		any = true;
		if (stream_read(&streams[i]))
			continue;
		close(streams[i].fd);
		streams[i].fd = -1;
	}
	return any;
}

/* Reads both streams until the child has ended; 0, or -ETIMEDOUT after killing it. */
static int follow(
	pid_t child, struct stream streams[2], unsigned timeout_ms, int *wait_status)
{
	/* Before Linux 5.3 there is no such descriptor, and the child is asked every tick. */
	file_cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	int64_t deadline = now_ms() + timeout_ms;

	for (;;) {
		/* Look first, read after: what it wrote before it ended is then all there. */
		if (waitpid(child, wait_status, WNOHANG) == child) {
			while (streams_poll(streams, -1, 0))
				;
			return 0;
		}
		if (now_ms() > deadline) {
			kill(-child, SIGKILL);
			waitpid(child, wait_status, 0);
			return -ETIMEDOUT;
		}
		streams_poll(streams, pidfd, TICK_MS);
	}
}

static int start(const struct root *root, const char *path, const char *const *arguments,
	struct stream streams[2], pid_t *child, struct error *err)
{
	int out[2], errors[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot run %s", path);
	if (pipe2(errors, O_CLOEXEC) < 0) {
		int code = errno;

		close(out[0]);
		close(out[1]);
		return error_errno(err, code, "cannot run %s", path);
	}
	*child = fork();
	if (*child == 0)
		become(root, path, arguments, out[1], errors[1]);
	if (*child > 0)
		setpgid(*child, *child);
	close(out[1]);
	close(errors[1]);
	streams[0].fd = out[0];
	streams[1].fd = errors[0];
	if (*child < 0)
		return error_errno(err, errno, "cannot run %s", path);
	return 0;
}

/* The sentence for a child that did not end with 0. */
static int describe(const char *path, int wait_status, char *errors, struct error *err)
{
	const char *said = text_trim(errors);
	size_t length = strlen(said);

	/* The end of a long complaint is where the reason stands. */
	if (length > COMPLAINT_LENGTH)
		said += length - COMPLAINT_LENGTH;
	for (char *c = errors; *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (WIFSIGNALED(wait_status))
		return error_set(err, EIO, "%s was ended by signal %d (%s)%s%s", path,
			WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)),
			*said ? ": " : "", said);
	if (WEXITSTATUS(wait_status) == 127 && !*said)
		return error_set(
			err, ENOENT, "cannot run %s: its interpreter is missing", path);
	return error_set(err, EIO, "%s failed with status %d%s%s", path,
		WEXITSTATUS(wait_status), *said ? ": " : "", said);
}

int process_run(const struct root *root, const char *const *arguments,
	unsigned timeout_ms, char **output, struct error *err)
{
	memory_cleanup_free char *path = process_find(root, arguments[0]);
	struct stream streams[2] = { { .fd = -1, .limit = PROCESS_OUTPUT_LIMIT },
		{ .fd = -1, .limit = PIPE_PIECE, .keep_end = true } };
	int status, wait_status = 0;
	pid_t child = -1;

	if (output)
		*output = NULL;
	if (!path)
		return error_set(
			err, ENOENT, "%s%s is not installed", root->path, arguments[0]);
	for (int i = 0; i < 2; i++)
		streams[i].text = memory_new(streams[i].limit + 1, 1);
	status = start(root, path, arguments, streams, &child, err);
	if (status == 0) {
		status = follow(child, streams, timeout_ms, &wait_status);
		if (status == -ETIMEDOUT)
			error_set(err, ETIMEDOUT, "%s did not end within %u s", path,
				timeout_ms / 1000);
		else if (wait_status != 0)
			status = describe(path, wait_status, streams[1].text, err);
	}
	for (int i = 0; i < 2; i++)
		if (streams[i].fd >= 0)
			close(streams[i].fd);
	if (status == 0 && output) {
		*output = streams[0].text;
		streams[0].text = NULL;
	}
	free(streams[0].text);
	free(streams[1].text);
	return status;
}
