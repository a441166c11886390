/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/shell_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/base/memory.h"

/* The file that runs, also when another one has its name by now. */
#define PROGRAM "/proc/self/exe"

#define ANSWER_LIMIT ((size_t)256 * 1024)

static void set_descriptors(posix_spawn_file_actions_t *actions, const struct shell_child *child)
{
	if (child->aside || child->no_input)
		posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (child->output >= 0)
		posix_spawn_file_actions_adddup2(actions, child->output, STDOUT_FILENO);
	else if (child->aside)
		posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (child->aside)
		posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
}

static void set_signals(posix_spawnattr_t *attributes, const struct shell_child *child)
{
	sigset_t none;

	sigemptyset(&none);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setflags(
		attributes, child->aside ? POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
					 : POSIX_SPAWN_SETSIGMASK);
}

pid_t shell_child_start(const struct shell_child *child, struct error *err)
{
	strings_cleanup struct strings words = { 0 };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t number;
	int status;

	strings_add(&words, "ec2hib");
	for (size_t i = 0; child->options && i < child->options->count; i++)
		strings_add(&words, child->options->items[i]);
	for (size_t i = 0; i < child->arguments->count; i++)
		strings_add(&words, child->arguments->items[i]);
	words.items = memory_grow(words.items, words.count, sizeof(*words.items));

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	set_descriptors(&actions, child);
	set_signals(&attributes, child);
	status = posix_spawn(&number, PROGRAM, &actions, &attributes, words.items, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (status)
		return error_errno(err, status, "cannot start " PROGRAM);
	return number;
}

int shell_child_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* Adds what comes from FD to *TEXT until its end, the limit, or DUE (ms of CLOCK_MONOTONIC). */
static void read_until(int fd, uint64_t due, char **text)
{
	struct pollfd source = { .fd = fd, .events = POLLIN };
	size_t size = 0;
	char block[4096];

	while (size < ANSWER_LIMIT) {
		uint64_t now = clock_ms(CLOCK_MONOTONIC);
		int ready = now < due ? poll(&source, 1, (int)(due - now)) : 0;
		ssize_t got;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return;
		got = read(fd, block, sizeof(block));
		if (got <= 0)
			return;
		size += (size_t)got;
		text_append(text, "%.*s", (int)got, block);
	}
}

char *shell_child_ask(const struct strings *options, const struct strings *arguments, int limit_ms)
{
	uint64_t due = clock_ms(CLOCK_MONOTONIC) + (uint64_t)limit_ms;
	struct error err = { "" };
	char *answer = text_copy("");
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return answer;
	child = shell_child_start(&(struct shell_child) { .options = options,
					  .arguments = arguments,
					  .aside = true,
					  .output = ends[1] },
		&err);
	close(ends[1]);
	if (child > 0) {
		read_until(ends[0], due, &answer);
		/* At its end it has nothing to lose; late, it is not waited for. */
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	return answer;
}
