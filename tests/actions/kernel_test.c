/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written to /sys/power, and what has to be read before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/actions/kernel.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "tests/lib/test_root.h"

#define PAGE   4096
#define OFFSET 3

static const struct resume_area resume = { "259:1", "nvme0n1p1", OFFSET, PAGE };

/* A device whose page at OFFSET has MARK where a swap header has its signature. */
static void put_device(struct test_root *test, const char *mark)
{
	struct error err;
	file_cleanup_close int fd = -1;

	test_root_put(test, "/dev/nvme0n1p1", "");
	fd = root_openat(&test->root, "/dev/nvme0n1p1", O_WRONLY, 0, &err);
	assert_int_equal(ftruncate(fd, 64 * PAGE), 0);
	assert_int_equal(pwrite(fd, mark, 10, (OFFSET + 1) * PAGE - 10), 10);
}

static void put_power(struct test_root *test)
{
	test_root_put(test, "/sys/power/resume", "0:0\n");
	test_root_put(test, "/sys/power/resume_offset", "0\n");
}

static void says(struct test_root *test, const char *path, const char *wanted)
{
	memory_cleanup_free char *text = NULL;
	struct error err;

	assert_int_equal(root_read_line(&test->root, path, &text, &err), 0);
	assert_string_equal(text, wanted);
}

static void kernel_is_told_of_plain_swap(void **state)
{
	struct test_root *test = *state;
	struct error err = { "" };

	put_power(test);
	put_device(test, "SWAPSPACE2");
	/* A file keeps what is behind the five bytes; the kernel's would not. */
	test_root_put(test, "/sys/power/resume", "");
	test_root_put(test, "/sys/power/resume_offset", "");
	assert_int_equal(kernel_set_resume(&test->root, &resume, &err), 0);
	says(test, "/sys/power/resume", "259:1");
	says(test, "/sys/power/resume_offset", "3");
}

/* Whatever the swap file's own first page says: the kernel reads the device. */
static void kernel_is_not_told_of_anything_else(void **state)
{
	static const char marks[][11] = { "S1SUSPEND", "ULSUSPEND", "", "garbage" };
	struct test_root *test = *state;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		struct error err = { "" };

		put_power(test);
		put_device(test, marks[i]);
		assert_int_equal(kernel_set_resume(&test->root, &resume, &err), -EBUSY);
		assert_non_null(strstr(err.text, "at byte 12288 of /dev/nvme0n1p1"));
		says(test, "/sys/power/resume", "0:0");
		says(test, "/sys/power/resume_offset", "0");
	}
}

static void kernel_is_not_told_of_what_cannot_be_read(void **state)
{
	struct test_root *test = *state;
	struct error err = { "" };

	put_power(test);
	test_root_put(test, "/dev/null", "");
	assert_int_equal(kernel_set_resume(&test->root, &resume, &err), -ENOENT);
	says(test, "/sys/power/resume", "0:0");
}

static void offset_comes_back_when_the_device_is_refused(void **state)
{
	struct test_root *test = *state;
	struct error err = { "" };

	test_root_put(test, "/sys/power/resume/file", "");
	test_root_put(test, "/sys/power/resume_offset", "7");
	put_device(test, "SWAPSPACE2");
	assert_int_equal(kernel_set_resume(&test->root, &resume, &err), -EISDIR);
	says(test, "/sys/power/resume_offset", "7");
}

/*
 * Opened for reading and writing at once the kernel's device answers ENOSYS. A folder
 * tells the two apart as well: it cannot be opened for writing, and has no such ioctl.
 */
static void snapshot_device_is_opened_for_reading(void **state)
{
	struct test_root *test = *state;
	struct error err = { "" };

	put_device(test, "SWAPSPACE2");
	test_root_put(test, "/sys/power/resume", "0:0\n");
	test_root_put(test, "/dev/snapshot/file", "");
	assert_int_equal(kernel_set_resume(&test->root, &resume, &err), -ENOTTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(kernel_is_told_of_plain_swap),
		WITH_TEST_ROOT(kernel_is_not_told_of_anything_else),
		WITH_TEST_ROOT(kernel_is_not_told_of_what_cannot_be_read),
		WITH_TEST_ROOT(offset_comes_back_when_the_device_is_refused),
		WITH_TEST_ROOT(snapshot_device_is_opened_for_reading),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
