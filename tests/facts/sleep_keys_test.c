/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/facts/sleep_keys with FIFOs for devices: what is a press, and devices that come and go. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/sleep_keys.h"
#include "tests/lib/test_root.h"

/* A device's file is a FIFO: all that the kernel says about it is said here. */
static struct {
	bool has_key;
	bool boottime;
	bool denied;
	unsigned down;
} fake;

static int fake_open(const struct root *root, const char *path, struct error *err)
{
	if (fake.denied)
		return error_set(err, EACCES, "cannot open %s: denied", path);
	return root_openat(root, path, O_RDONLY | O_NONBLOCK, 0, err);
}

static bool fake_has_key(int fd UNUSED)
{
	return fake.has_key;
}

static unsigned fake_key_down(int fd UNUSED)
{
	return fake.down;
}

static bool fake_use_boottime(int fd UNUSED)
{
	return fake.boottime;
}

static void fake_only_keys(int fd UNUSED)
{
}

static void fake_name(int fd UNUSED, char *name, size_t size)
{
	snprintf(name, size, "Sleep\nButton");
}

static const struct sleep_keys_calls calls = {
	.open = fake_open,
	.has_key = fake_has_key,
	.key_down = fake_key_down,
	.use_boottime = fake_use_boottime,
	.only_keys = fake_only_keys,
	.name = fake_name,
};

static struct sleep_keys *open_keys(struct test_root *test)
{
	struct sleep_keys *keys;
	struct error err;

	fake.has_key = fake.boottime = true;
	fake.denied = false;
	fake.down = 0;
	assert_int_equal(root_make_directory(&test->root, "/dev", &err), 0);
	assert_int_equal(sleep_keys_open_with(&keys, &test->root, &calls, &err), 0);
	return keys;
}

/* Makes the device and returns the end through which its events come. */
static int plug(struct test_root *test, const char *node)
{
	memory_cleanup_free char *path = text_format("dev/input/%s", node);
	struct error err;
	int fd;

	assert_int_equal(root_make_directory(&test->root, "/dev/input", &err), 0);
	assert_int_equal(mkfifoat(test->root.fd, path, 0600), 0);
	fd = openat(test->root.fd, path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void unplug(struct test_root *test, const char *node)
{
	memory_cleanup_free char *path = text_format("dev/input/%s", node);

	assert_int_equal(unlinkat(test->root.fd, path, 0), 0);
}

static void send(int fd, int64_t ms, unsigned type, unsigned code, int value)
{
	struct input_event event = {
		.type = (uint16_t)type, .code = (uint16_t)code, .value = value
	};

	event.input_event_sec = ms / 1000;
	event.input_event_usec = ms % 1000 * 1000;
	assert_int_equal(write(fd, &event, sizeof(event)), sizeof(event));
}

/* Something can be read, now: inotify's and a pipe's news are there at once. */
static bool is_readable(const struct sleep_keys *keys)
{
	struct pollfd polled = { .fd = sleep_keys_fd(keys), .events = POLLIN };

	return poll(&polled, 1, 0) == 1;
}

static void assert_devices(const struct sleep_keys *keys, const char *expected)
{
	strings_cleanup struct strings devices = { 0 };
	memory_cleanup_free char *joined = NULL;

	sleep_keys_list(keys, &devices);
	strings_sort(&devices);
	joined = strings_join(&devices, ", ");
	assert_string_equal(joined, expected);
}

/* ---- Presses --------------------------------------------------------------------------------- */

static void press_is_told_with_time_and_device(void **state)
{
	struct test_root *test = *state;
	int button = plug(test, "event3");
	struct sleep_keys *keys = open_keys(test);
	struct sleep_press press;

	assert_devices(keys, "event3 (Sleep\\x0aButton)");
	assert_false(is_readable(keys));
	assert_false(sleep_keys_read(keys, &press));
	send(button, 123456, EV_KEY, KEY_SLEEP, 1);
	send(button, 123456, EV_SYN, SYN_REPORT, 0);
	send(button, 123500, EV_KEY, KEY_SLEEP, 2);
	send(button, 123600, EV_KEY, KEY_SLEEP, 0);
	send(button, 123600, EV_SYN, SYN_REPORT, 0);
	assert_true(is_readable(keys));
	assert_true(sleep_keys_read(keys, &press));
	assert_int_equal(press.when_ms, 123456);
	assert_int_equal(press.code, KEY_SLEEP);
	assert_int_equal(press.presses, 1);
	assert_string_equal(press.device, "Sleep\\x0aButton");
	assert_string_equal(press.node, "event3");
	assert_false(is_readable(keys));
	assert_false(sleep_keys_read(keys, &press));
	sleep_keys_close(keys);
	close(button);
}

static void other_events_are_no_press(void **state)
{
	static const struct {
		unsigned type, code;
		int value;
	} cases[] = {
		{ EV_KEY, KEY_SLEEP, 0 },
		{ EV_KEY, KEY_SLEEP, 2 },
		{ EV_KEY, KEY_POWER, 1 },
		{ EV_KEY, KEY_A, 1 },
		{ EV_REL, KEY_SLEEP, 1 },
		{ EV_MSC, MSC_SCAN, KEY_SLEEP },
		{ EV_SYN, SYN_REPORT, 1 },
	};
	struct test_root *test = *state;
	int button = plug(test, "event0");
	struct sleep_keys *keys = open_keys(test);
	struct sleep_press press;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		send(button, 1, cases[i].type, cases[i].code, cases[i].value);
	assert_false(sleep_keys_read(keys, &press));
	send(button, 2, EV_KEY, KEY_SUSPEND, 1);
	assert_true(sleep_keys_read(keys, &press));
	assert_int_equal(press.code, KEY_SUSPEND);
	sleep_keys_close(keys);
	close(button);
}

static void latest_of_many_presses_is_told(void **state)
{
	struct test_root *test = *state;
	int first = plug(test, "event0"), second = plug(test, "event1");
	struct sleep_keys *keys = open_keys(test);
	struct sleep_press press;

	for (int i = 0; i < 200; i++)
		send(first, 1000 + i, EV_KEY, KEY_SLEEP, i % 2 ? 0 : 1);
	send(second, 1050, EV_KEY, KEY_SUSPEND, 1);
	assert_true(sleep_keys_read(keys, &press));
	assert_int_equal(press.presses, 101);
	assert_int_equal(press.when_ms, 1198);
	assert_string_equal(press.node, "event0");
	assert_false(sleep_keys_read(keys, &press));
	sleep_keys_close(keys);
	close(first);
	close(second);
}

static void press_without_the_clock_is_stamped_when_read(void **state)
{
	struct test_root *test = *state;
	int button = plug(test, "event0");
	struct sleep_keys *keys = open_keys(test);
	struct sleep_press press;
	struct timespec now;
	int other = plug(test, "event1");

	fake.boottime = false;
	assert_false(sleep_keys_read(keys, &press));
	send(other, 5, EV_KEY, KEY_SLEEP, 1);
	clock_gettime(CLOCK_BOOTTIME, &now);
	assert_true(sleep_keys_read(keys, &press));
	assert_true(press.when_ms >= (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	sleep_keys_close(keys);
	close(button);
	close(other);
}

static void key_is_asked_for_after_lost_events(void **state)
{
	struct test_root *test = *state;
	int button = plug(test, "event0");
	struct sleep_keys *keys = open_keys(test);
	struct sleep_press press;

	/* What stands between the loss and the next report does not count. */
	send(button, 10, EV_SYN, SYN_DROPPED, 0);
	send(button, 11, EV_KEY, KEY_SLEEP, 1);
	send(button, 12, EV_SYN, SYN_REPORT, 0);
	assert_false(sleep_keys_read(keys, &press));
	/* The press was lost, and the key is down. */
	fake.down = KEY_SLEEP;
	send(button, 20, EV_SYN, SYN_DROPPED, 0);
	send(button, 21, EV_SYN, SYN_REPORT, 0);
	assert_true(sleep_keys_read(keys, &press));
	assert_int_equal(press.when_ms, 21);
	/* It was down before, so this is no new press. */
	send(button, 30, EV_SYN, SYN_DROPPED, 0);
	send(button, 31, EV_SYN, SYN_REPORT, 0);
	assert_false(sleep_keys_read(keys, &press));
	send(button, 40, EV_KEY, KEY_SLEEP, 0);
	send(button, 41, EV_KEY, KEY_SLEEP, 1);
	assert_true(sleep_keys_read(keys, &press));
	sleep_keys_close(keys);
	close(button);
}

/* ---- Devices that come and go ---------------------------------------------------------------- */

static void device_that_appears_is_found(void **state)
{
	struct test_root *test = *state;
	struct sleep_keys *keys = open_keys(test);
	struct sleep_press press;
	int button;

	assert_devices(keys, "");
	assert_null(sleep_keys_trouble(keys));
	button = plug(test, "event7"); /* and its folder */
	assert_true(is_readable(keys));
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "event7 (Sleep\\x0aButton)");
	send(button, 1, EV_KEY, KEY_SLEEP, 1);
	assert_true(sleep_keys_read(keys, &press));
	sleep_keys_close(keys);
	close(button);
}

static void only_event_nodes_with_the_key_are_devices(void **state)
{
	static const char *const others[] = { "mouse0", "event", "eventx", "event1x", "event.1",
		"js0", "event9999999999999999999999999999999999" };
	struct test_root *test = *state;
	struct sleep_keys *keys = open_keys(test);
	struct sleep_press press;
	int fds[ARRAY_SIZE(others)], plain, button;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		fds[i] = plug(test, others[i]);
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "");
	fake.has_key = false;
	plain = plug(test, "event1");
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "");
	fake.has_key = true;
	button = plug(test, "event2");
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "event2 (Sleep\\x0aButton)");
	sleep_keys_close(keys);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		close(fds[i]);
	close(plain);
	close(button);
}

static void device_is_opened_once_its_mode_is_right(void **state)
{
	struct test_root *test = *state;
	struct sleep_keys *keys = open_keys(test);
	struct sleep_press press;
	int button;

	fake.denied = true;
	button = plug(test, "event0");
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "");
	assert_string_equal(sleep_keys_trouble(keys), "cannot open /dev/input/event0: denied");
	fake.denied = false;
	assert_int_equal(fchmodat(test->root.fd, "dev/input/event0", 0640, 0), 0);
	assert_true(is_readable(keys));
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "event0 (Sleep\\x0aButton)");
	assert_null(sleep_keys_trouble(keys));
	sleep_keys_close(keys);
	close(button);
}

static void device_that_goes_is_let_go(void **state)
{
	struct test_root *test = *state;
	int first = plug(test, "event0"), second = plug(test, "event1");
	struct sleep_keys *keys = open_keys(test);
	struct sleep_press press;

	/* The node goes. */
	unplug(test, "event0");
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "event1 (Sleep\\x0aButton)");
	/* The device goes: nothing can be read any more. */
	send(second, 5, EV_KEY, KEY_SLEEP, 1);
	close(second);
	assert_true(is_readable(keys));
	assert_true(sleep_keys_read(keys, &press));
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "");
	assert_false(is_readable(keys));
	/* Another one under the same name. */
	close(first);
	first = plug(test, "event0");
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "event0 (Sleep\\x0aButton)");
	sleep_keys_close(keys);
	close(first);
}

static void folder_that_goes_and_comes_back_is_watched_again(void **state)
{
	struct test_root *test = *state;
	int first = plug(test, "event0"), second;
	struct sleep_keys *keys = open_keys(test);
	struct sleep_press press;

	unplug(test, "event0");
	assert_int_equal(unlinkat(test->root.fd, "dev/input", AT_REMOVEDIR), 0);
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "");
	second = plug(test, "event5");
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "event5 (Sleep\\x0aButton)");
	unplug(test, "event5");
	assert_false(sleep_keys_read(keys, &press));
	assert_devices(keys, "");
	sleep_keys_close(keys);
	close(first);
	close(second);
}

static void without_a_device_folder_nothing_can_be_waited_for(void **state)
{
	struct test_root *test = *state;
	struct sleep_keys *keys;
	struct error err;

	assert_int_equal(sleep_keys_open(&keys, &test->root, &err), -ENOENT);
	assert_null(keys);
	sleep_keys_close(keys);
}

/* The kernel's own calls say of what is no input device that it has no key. */
static void fifo_is_no_input_device(void **state)
{
	struct test_root *test = *state;
	int fifo = plug(test, "event0");
	struct sleep_keys *keys;
	struct error err;

	assert_int_equal(sleep_keys_open(&keys, &test->root, &err), 0);
	assert_devices(keys, "");
	sleep_keys_close(keys);
	close(fifo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(press_is_told_with_time_and_device),
		WITH_TEST_ROOT(other_events_are_no_press),
		WITH_TEST_ROOT(latest_of_many_presses_is_told),
		WITH_TEST_ROOT(press_without_the_clock_is_stamped_when_read),
		WITH_TEST_ROOT(key_is_asked_for_after_lost_events),
		WITH_TEST_ROOT(device_that_appears_is_found),
		WITH_TEST_ROOT(only_event_nodes_with_the_key_are_devices),
		WITH_TEST_ROOT(device_is_opened_once_its_mode_is_right),
		WITH_TEST_ROOT(device_that_goes_is_let_go),
		WITH_TEST_ROOT(folder_that_goes_and_comes_back_is_watched_again),
		WITH_TEST_ROOT(without_a_device_folder_nothing_can_be_waited_for),
		WITH_TEST_ROOT(fifo_is_no_input_device),
	};

	return cmocka_run_group_tests_name("sleep_keys", tests, NULL, NULL);
}
