/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/imds_text.h"

#include <stdint.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/text.h"

bool imds_text_valid(const char *body, size_t size)
{
	while (size) {
		uint32_t code;
		size_t length = utf8_next(body, size, &code);

		if (length == 0)
			return false;
		if (utf8_is_control(code) && code != '\t' && code != '\n' && code != '\r')
			return false;
		body += length;
		size -= length;
	}
	return true;
}

/* A token goes into a header line: nothing but visible ASCII, so that it cannot add
 * another. */
bool imds_token_valid(const char *body, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (body[i] <= ' ' || body[i] >= 0x7f)
			return false;
	return size > 0;
}

/* Of a service that takes such a path as another one: that one would not be known by its name. */
static bool leads_elsewhere(const char *path)
{
	static const char *const parts[] = { "//", "/./", "/../", "%2f", "%2F", "%2e", "%2E" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strstr(path, parts[i]))
			return true;
	return text_ends(path, "/.") || text_ends(path, "/..");
}

bool imds_path_valid(const char *path)
{
	static const char others[] = "-._~/:@!$&'()*+,;=%";

	if (leads_elsewhere(path))
		return false;

	for (const char *c = path; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
			!(*c >= '0' && *c <= '9') && !strchr(others, *c))
			return false;
	return *path && *path != '/';
}
