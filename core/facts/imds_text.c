/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/imds_text.h"

#include <stdint.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/text.h"

/* How many bytes the UTF-8 character at TEXT has, 0 when it is none or a control
 * character. */
static size_t character_size(const unsigned char *text, size_t size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t count = *text < 0x80 ? 1 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;
	uint32_t code = count == 1 ? *text : *text & (0x7fU >> count);

	if ((*text >= 0x80 && *text < 0xc2) || *text > 0xf4 || count > size)
		return 0;
	for (size_t i = 1; i < count; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fU);
	}
	if (code < least[count] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	if (code == '\t' || code == '\n' || code == '\r')
		return count;
	return code < ' ' || (code >= 0x7f && code < 0xa0) ? 0 : count;
}

bool imds_text_valid(const char *body, size_t size)
{
	while (size) {
		size_t count = character_size((const unsigned char *)body, size);

		if (count == 0)
			return false;
		body += count;
		size -= count;
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
