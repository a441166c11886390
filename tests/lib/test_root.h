/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A folder of the test's own, open as a root: a fixture tree that a test fills as it goes. */
#ifndef EC2HIB_TESTS_LIB_TEST_ROOT_H
#define EC2HIB_TESTS_LIB_TEST_ROOT_H

#include "core/base/compiler.h"
#include "core/base/files.h"

struct test_root {
	char path[64];
	struct root root;
};

/* For cmocka_unit_test_setup_teardown(): *STATE is the struct test_root. */
int test_root_make(void **state);
int test_root_remove(void **state);

/* Makes the file PATH, and the folders above it, with this text. */
void test_root_put(struct test_root *test, const char *path, const char *text);

/* Makes the symbolic link PATH, and the folders above it. */
void test_root_link(struct test_root *test, const char *path, const char *target);

#define WITH_TEST_ROOT(name) cmocka_unit_test_setup_teardown(name, test_root_make, test_root_remove)

#endif
