/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A folder of the test's own, open as a root: a fixture tree that a test fills as it goes. */
#ifndef EC2HIB_TESTS_PLACE_H
#define EC2HIB_TESTS_PLACE_H

#include "core/base/files.h"

struct place {
	char path[64];
	struct root root;
};

/* For cmocka_unit_test_setup_teardown(): *STATE is the struct place. */
int place_make(void **state);
int place_remove(void **state);

/* Makes the file PATH, and the folders above it, with this text. */
void place_put(struct place *place, const char *path, const char *text);

/* Makes the symbolic link PATH, and the folders above it. */
void place_link(struct place *place, const char *path, const char *target);

#define WITH_PLACE(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)
#define COUNT(array)	 (sizeof(array) / sizeof((array)[0]))

#endif
