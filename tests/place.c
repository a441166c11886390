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
#include "tests/place.h"

int place_make(void **state)
{
	struct place *place = memory_new(1, sizeof(*place));
	struct error err;

	strcpy(place->path, "/tmp/ec2hib-test-XXXXXX");
	assert_non_null(mkdtemp(place->path));
	assert_int_equal(root_open(&place->root, place->path, &err), 0);
	*state = place;
	return 0;
}

int place_remove(void **state)
{
	struct place *place = *state;
	struct root host;
	struct error err;
	const char *const arguments[] = { "rm", "-rf", place->path, NULL };

	assert_int_equal(root_open(&host, "/", &err), 0);
	assert_int_equal(process_run(&host, arguments, 60000, NULL, &err), 0);
	root_close(&host);
	root_close(&place->root);
	free(place);
	return 0;
}

void place_put(struct place *place, const char *path, const char *text)
{
	struct error err;
	memory_cleanup_free char *folder = path_folder(path);

	assert_int_equal(root_make_directory(&place->root, folder, &err), 0);
	assert_int_equal(root_replace(&place->root, path, text, 0644, &err), 0);
}

void place_link(struct place *place, const char *path, const char *target)
{
	struct error err;
	memory_cleanup_free char *folder = path_folder(path);

	assert_int_equal(root_make_directory(&place->root, folder, &err), 0);
	assert_int_equal(symlinkat(target, place->root.fd, path + 1), 0);
}
