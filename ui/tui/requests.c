/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/tui/requests.h"

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

const struct request_entry requests[REQUEST_COUNT] = {
#define X(name, first, second, third, word, help)                                                  \
	[REQUEST_##name] = { { first, second, third }, word, help },
	REQUESTS(X)
#undef X
};

enum request request_of_key(int key)
{
	for (int i = 0; key != KEY_NONE && i < REQUEST_COUNT; i++)
		for (int k = 0; k < REQUEST_KEYS; k++)
			if (requests[i].keys[k] == key)
				return (enum request)i;
	return REQUEST_NONE;
}

char *key_label(int key)
{
	static const struct {
		int key;
		const char *name;
	} names[] = { { KEY_IS_TAB, "Tab" }, { KEY_IS_ENTER, "Enter" }, { KEY_IS_ESCAPE, "Escape" },
		{ KEY_IS_BACKSPACE, "Backspace" }, { KEY_IS_UP, "Up" }, { KEY_IS_DOWN, "Down" },
		{ KEY_IS_LEFT, "Left" }, { KEY_IS_RIGHT, "Right" }, { KEY_IS_PAGE_UP, "Page-Up" },
		{ KEY_IS_PAGE_DOWN, "Page-Down" }, { KEY_IS_HOME, "Home" }, { KEY_IS_END, "End" },
		{ KEY_IS_BACK_TAB, "Shift-Tab" }, { ' ', "Space" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].key == key)
			return text_copy(names[i].name);
	if (key >= KEY_IS_F1 && key <= KEY_IS_F12)
		return text_format("F%d", key - KEY_IS_F1 + 1);
	if (key > 0 && key < ' ')
		return text_format("Ctrl-%c", key + '@');
	return text_format("%c", key);
}

char *request_keys(enum request request)
{
	char *text = NULL;

	for (int k = 0; k < REQUEST_KEYS && requests[request].keys[k] != KEY_NONE; k++) {
		memory_cleanup_free char *name = key_label(requests[request].keys[k]);

		text_append(&text, "%s%s", k ? ", " : "", name);
	}
	return text;
}
