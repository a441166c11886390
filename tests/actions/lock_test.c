/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One at a time: who waits for the lock, how long, and who holds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

/* Starts a program that stays, and closes our own descriptor. Its process. */
static pid_t leave_running(const struct root *live, int lock)
{
	static const char *const script[] = { "sh", "-c", "sleep 1000 & echo $!", NULL };
	memory_cleanup_free char *output = NULL;
	struct error err;

	assert_int_equal(process_run(live, script, 10000, &output, &err), 0);
	close(lock);
	return (pid_t)strtol(output, NULL, 10);
}

static void program_holds_a_lock_that_is_shared(void **state)
{
	struct test_root *test = *state;
	struct error err = { "" };
	struct root live;
	pid_t program;
	int lock;

	assert_int_equal(root_open(&live, "/", &err), 0);
	for (int shared = 0; shared < 2; shared++) {
		lock = lock_take(&test->root, LOCK_PATH, 0, &err);
		assert_true(lock >= 0);
		assert_int_equal(lock_share(lock, &err), 0);
		if (!shared)
			lock_unshare(lock);
		program = leave_running(&live, lock);
		lock = lock_take(&test->root, LOCK_PATH, 0, &err);
		assert_int_equal(lock < 0, shared);
		kill(program, SIGKILL);
		/* As soon as it is gone. */
		if (lock < 0)
			lock = lock_take(&test->root, LOCK_PATH, HOUR_MS, &err);
		assert_true(lock >= 0);
		close(lock);
	}
	root_close(&live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(who_is_told_to_stop_does_not_wait_on),
		WITH_TEST_ROOT(program_holds_a_lock_that_is_shared),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
