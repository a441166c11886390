/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/kernel_log.h"
#include "tests/rules/timeline_check.h"

/* What a field of the timeline says: its value, "-" for absent, "?" for unknown with a reason. */
static char *value_of(json_t *timeline, const char *name)
{
	json_t *value = json_object_get(timeline, name);

	if (!value)
		fail_msg("there is no field \"%s\"", name);
	if (json_is_null(value))
		return text_copy("-");
	if (json_is_object(value))
		return text_copy("?");
	if (json_is_string(value))
		return text_copy(json_string_value(value));
	return text_format("%lld", (long long)json_integer_value(value));
}

void timeline_check(const char *title, const timeline_list *found, const char *expected)
{
	strings_cleanup struct strings wanted = { 0 };
	json_t *timeline = NULL;
	size_t next = 0;

	strings_split(&wanted, expected, "\n");
	for (size_t i = 0; i < wanted.count; i++) {
		char *name = wanted.items[i], *value = strchr(name, ' ');
		memory_cleanup_free char *got = NULL;

		if (strcmp(name, "cycle") == 0) {
			if (next >= found->count)
				fail_msg("%s: %zu cycles only", title, found->count);
			json_decref(timeline);
			timeline = layout_to_json(&timeline_layout, &found->items[next]);
			next++;
			continue;
		}
		*value++ = '\0';
		got = value_of(timeline, name);
		if (strcmp(got, value) != 0)
			fail_msg("%s, cycle %zu: %s is \"%s\", not \"%s\"", title, next, name, got,
				value);
	}
	json_decref(timeline);
	if (next != found->count)
		fail_msg("%s: %zu cycles, not %zu", title, found->count, next);
}

void timeline_check_text(const char *log, const char *expected)
{
	timeline_list found = { 0 };

	timelines_parse(log, strlen(log), TIMELINE_PAGE, &found);
	timeline_check(log, &found, expected);
	timelines_free(&found);
}

/* A log as a whole, in memory. */
struct whole {
	char *text;
	size_t size;
};

static void take_piece(void *data, const char *bytes, size_t size)
{
	struct whole *whole = data;

	whole->text = realloc(whole->text, whole->size + size + 1);
	assert_non_null(whole->text);
	memcpy(whole->text + whole->size, bytes, size);
	whole->size += size;
	whole->text[whole->size] = '\0';
}

char *timeline_log(const char *name, size_t *size)
{
	const char *source = getenv("srcdir");
	memory_cleanup_free char *path =
		text_format("%s/tests/fixtures/logs/%s.txt", source ? source : ".", name);
	struct whole whole = { NULL, 0 };
	struct error err;

	if (kernel_log_scan(path, take_piece, &whole, &err) < 0)
		fail_msg("%s", err.text);
	*size = whole.size;
	return whole.text;
}
