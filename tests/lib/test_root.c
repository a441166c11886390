/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/base/memory.h"
#include "core/base/process.h"
#include "tests/lib/test_root.h"

int test_root_make(void **state)
{
	struct test_root *test = memory_new(1, sizeof(*test));
	struct error err;

	strcpy(test->path, "/tmp/ec2hib-test-XXXXXX");
	assert_non_null(mkdtemp(test->path));
	assert_int_equal(root_open(&test->root, test->path, &err), 0);
	*state = test;
	return 0;
}

int test_root_remove(void **state)
{
	struct test_root *test = *state;
	struct root host;
	struct error err;
	const char *const arguments[] = { "rm", "-rf", test->path, NULL };

	assert_int_equal(root_open(&host, "/", &err), 0);
	assert_int_equal(process_run(&host, arguments, 60000, NULL, &err), 0);
	root_close(&host);
	root_close(&test->root);
	free(test);
	return 0;
}

void test_root_put(struct test_root *test, const char *path, const char *text)
{
	struct error err;
	memory_cleanup_free char *folder = path_folder(path);

	assert_int_equal(root_make_directory(&test->root, folder, &err), 0);
	assert_int_equal(root_replace(&test->root, path, text, 0644, &err), 0);
}

void test_root_link(struct test_root *test, const char *path, const char *target)
{
	struct error err;
	memory_cleanup_free char *folder = path_folder(path);

	assert_int_equal(root_make_directory(&test->root, folder, &err), 0);
	assert_int_equal(symlinkat(target, test->root.fd, path + 1), 0);
}
