/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One at a time: who waits for the lock, how long, and who holds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/actions/lock.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "tests/lib/test_root.h"

#define HOUR_MS (60 * 60 * 1000)

static bool at_the_third_time(void *data)
{
	unsigned *asked = data;

	return ++*asked == 3;
}

static void who_is_told_to_stop_does_not_wait_on(void **state)
{
	struct test_root *test = *state;
	struct error err = { "" };
	unsigned asked = 0;
	const struct reporter reporter = { .cancelled = at_the_third_time, .data = &asked };
	int holder = lock_take(&test->root, LOCK_PATH, 0, &err);

	assert_true(holder >= 0);
	assert_int_equal(lock_take(&test->root, LOCK_PATH, 0, &err), -EBUSY);
	assert_int_equal(lock_wait(&test->root, LOCK_PATH, HOUR_MS, &reporter, &err), -ECANCELED);
	assert_int_equal(asked, 3);
	assert_string_equal(err.text, "stopped while waiting for another ec2hib");
	close(holder);
	/* A lock that is free is taken, whoever says stop: what comes next asks again. */
	asked = 2;
	holder = lock_wait(&test->root, LOCK_PATH, HOUR_MS, &reporter, &err);
	assert_true(holder >= 0);
	assert_int_equal(asked, 2);
	close(holder);
}

/* What update-grub or a hook leaves running has our outputs, and none of our locks. */
static void lock_ends_with_the_command(void **state)
{
	static const char *const script[] = { "sh", "-c",
		"for fd in /proc/$$/fd/*; do readlink $fd >&2; done; sleep 1000 & echo $!", NULL };
	struct test_root *test = *state;
	memory_cleanup_free char *output = NULL;
	struct error err = { "" };
	struct root live;
	pid_t program;
	int lock;

	assert_int_equal(root_open(&live, "/", &err), 0);
	lock = lock_take(&test->root, LOCK_PATH, 0, &err);
	assert_true(lock >= 0);
	/* Also of one that was made to be inherited. */
	fcntl(lock, F_SETFD, 0);
	assert_int_equal(process_run(&live, script, 10000, &output, &err), 0);
	program = (pid_t)strtol(output, NULL, 10);
	assert_int_equal(kill(program, 0), 0);
	close(lock);
	lock = lock_take(&test->root, LOCK_PATH, 0, &err);
	assert_true(lock >= 0);
	close(lock);
	kill(program, SIGKILL);
	root_close(&live);
}

/* In a process of its own: holds the lock and runs a program that says its number and stays. */
static void hold_and_run(const struct root *image, int told)
{
	const char *const script[] = { "sh", "-c",
		"sh -c 'sleep 1000' & echo $! >/proc/$PPID/fd/9; wait", NULL };
	struct error err = { "" };
	struct root live;

	if (dup2(told, 9) < 0 || root_open(&live, "/", &err) < 0 ||
		lock_take(image, LOCK_PATH, 0, &err) < 0)
		_exit(1);
	process_run(&live, script, HOUR_MS, NULL, &err);
	_exit(1);
}

static void killed_command_takes_its_program_with_it(void **state)
{
	struct test_root *test = *state;
	struct error err = { "" };
	char number[16] = "";
	int told[2], lock;
	pid_t command, program;

	assert_int_equal(pipe(told), 0);
	command = fork();
	if (command == 0)
		hold_and_run(&test->root, told[1]);
	assert_true(read(told[0], number, sizeof(number) - 1) > 0);
	program = (pid_t)strtol(number, NULL, 10);
	assert_true(program > 0);
	assert_int_equal(kill(program, 0), 0);
	assert_int_equal(lock_take(&test->root, LOCK_PATH, 0, &err), -EBUSY);
	kill(command, SIGKILL);
	assert_int_equal(waitpid(command, NULL, 0), command);
	/* Whoever has it then does not meet the program. */
	lock = lock_take(&test->root, LOCK_PATH, HOUR_MS, &err);
	assert_true(lock >= 0);
	assert_true(kill(program, 0) < 0 && errno == ESRCH);
	close(lock);
	close(told[0]);
	close(told[1]);
}

/* A folder that others can open, as an image's top folder, they could lock. */
static void nobody_else_can_hold_the_lock(void **state)
{
	struct test_root *test = *state;
	struct error err = { "" };
	char path[64], target[256] = "";
	struct stat status;
	int lock, other;

	if (geteuid() != 0)
		skip();
	other = open(test->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	lock = lock_take(&test->root, LOCK_PATH, 0, &err);
	assert_true(lock >= 0);
	assert_int_equal(fstat(lock, &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0600);
	assert_int_equal(status.st_uid, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", lock);
	assert_true(readlink(path, target, sizeof(target) - 1) > 0);
	assert_int_equal(strncmp(target, RUN_FOLDER "/image-", strlen(RUN_FOLDER "/image-")), 0);
	assert_int_equal(lock_take(&test->root, LOCK_PATH, 0, &err), -EBUSY);
	close(lock);
	close(other);
	unlink(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(who_is_told_to_stop_does_not_wait_on),
		WITH_TEST_ROOT(lock_ends_with_the_command),
		WITH_TEST_ROOT(killed_command_takes_its_program_with_it),
		WITH_TEST_ROOT(nobody_else_can_hold_the_lock),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
