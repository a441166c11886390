/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"

char *text_copy_length(const char *text, size_t length)
{
	char *copy = memory_new(length + 1, 1);

	memcpy(copy, text, length);
	return copy;
}

char *text_copy(const char *text)
{
	return text ? text_copy_length(text, strlen(text)) : NULL;
}

char *text_format_list(const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0)
		abort();
	return text;
}

char *text_format(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	return text;
}

void text_set(char **text, char *value)
{
	free(*text);
	*text = value;
}

void text_append(char **text, const char *format, ...)
{
	memory_cleanup_free char *more = NULL;
	va_list arguments;

	va_start(arguments, format);
	more = text_format_list(format, arguments);
	va_end(arguments);
	text_set(text, text_format("%s%s", *text ? *text : "", more));
}

char *text_trim(char *text)
{
	size_t start = 0, end = strlen(text);

	while (isspace((unsigned char)text[start]))
		start++;
	while (end > start && isspace((unsigned char)text[end - 1]))
		end--;
	memmove(text, text + start, end - start);
	text[end - start] = '\0';
	return text;
}

static int digit_of(char character, int base)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = character ? strchr(digits, tolower((unsigned char)character)) : NULL;

	return found && found - digits < base ? (int)(found - digits) : -1;
}

/* COUNT digits at TEXT; -1: they are not all there, or no byte. */
static int escaped_byte(const char *text, int count, int base)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		int digit = digit_of(text[i], base);

		if (digit < 0)
			return -1;
		value = value * base + digit;
	}
	return value > 0 && value < 256 ? value : -1;
}

/* PREFIX, then COUNT digits, is a byte. */
static void unescape(char *text, const char *prefix, int count, int base)
{
	char *out = text;

	for (const char *in = text; *in; out++) {
		size_t skip = strlen(prefix);
		int byte = text_starts(in, prefix) ? escaped_byte(in + skip, count, base) : -1;

		if (byte < 0) {
			*out = *in++;
			continue;
		}
		*out = (char)byte;
		in += skip + (size_t)count;
	}
	*out = '\0';
}

void text_unescape_octal(char *text)
{
	unescape(text, "\\", 3, 8);
}

void text_unescape_hex(char *text)
{
	unescape(text, "\\x", 2, 16);
}

bool text_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

bool text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);

	return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

/* How many bytes a UTF-8 character has by its first one; 0: that is not a first one. */
static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

size_t utf8_next(const char *text, size_t left, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *bytes = (const unsigned char *)text;
	size_t length = utf8_length(bytes[0]);

	if (length == 0 || length > left)
		return 0;
	*code = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3fu);
	}
	if (*code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return length;
}

bool utf8_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

char *text_printable(const char *bytes, size_t length)
{
	char *text = memory_new(length * 4 + 1, 1), *out = text;

	if (length && bytes[length - 1] == '\r')
		length--;
	while (length) {
		uint32_t code;
		size_t taken = utf8_next(bytes, length, &code);

		if (taken && !utf8_is_control(code)) {
			memcpy(out, bytes, taken);
			out += taken;
		} else {
			taken = 1;
			out += *bytes == '\t' ? sprintf(out, " ")
					      : sprintf(out, "\\x%02x", (unsigned char)*bytes);
		}
		bytes += taken;
		length -= taken;
	}
	return text;
}

void strings_take(struct strings *list, char *text)
{
	list->items = memory_grow(list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = text;
}

void strings_add(struct strings *list, const char *text)
{
	strings_take(list, text_copy(text));
}

bool strings_contain(const struct strings *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

char *strings_join(const struct strings *list, const char *separator)
{
	size_t between = strlen(separator), size = 1;
	char *joined, *end;

	for (size_t i = 0; i < list->count; i++)
		size += between + strlen(list->items[i]);
	end = joined = memory_new(size, 1);
	for (size_t i = 0; i < list->count; i++) {
		end = stpcpy(end, i ? separator : "");
		end = stpcpy(end, list->items[i]);
	}
	return joined;
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strings_sort(struct strings *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_items);
}

void strings_free(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strings) { 0 };
}

void strings_split(struct strings *list, const char *text, const char *separators)
{
	while (*text) {
		size_t length = strcspn(text, separators);

		if (length)
			strings_take(list, text_copy_length(text, length));
		text += length;
		text += strspn(text, separators);
	}
}

void strings_split_arguments(struct strings *list, const char *text)
{
	while (*text) {
		const char *start;
		bool quoted = false;

		while (isspace((unsigned char)*text))
			text++;
		for (start = text; *text && (quoted || !isspace((unsigned char)*text)); text++)
			if (*text == '"')
				quoted = !quoted;
		if (text > start)
			strings_take(list, text_copy_length(start, (size_t)(text - start)));
	}
}

char *text_assignment(const char *text, const char *name)
{
	strings_cleanup struct strings lines = { 0 };
	size_t length = strlen(name);
	char *value = NULL;

	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		char *line = text_trim(lines.items[i]), *start;
		size_t end;

		if (strncmp(line, name, length) != 0 || line[length] != '=')
			continue;
		start = line + length + 1;
		end = strlen(start);
		if (end >= 2 && (*start == '"' || *start == '\'') && start[end - 1] == *start) {
			start++;
			end -= 2;
		}
		text_set(&value, text_copy_length(start, end));
	}
	return value;
}

int number_parse(const char *text, uint64_t *value)
{
	uint64_t number = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
			__builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
			return -ERANGE;
	}
	*value = number;
	return 0;
}

int size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	size_t digits = strspn(text, "0123456789"), decimals = 0;
	const char *unit = text + digits, *found;
	uint64_t whole, factor = 1, tenths = 0, scale = 1;
	memory_cleanup_free char *number = text_copy_length(text, digits);
	int status = number_parse(number, &whole);

	if (status < 0)
		return status;
	if (*unit == '.') {
		decimals = strspn(++unit, "0123456789");
		if (decimals == 0 || decimals > 6)
			return -EINVAL;
		for (; decimals; decimals--, scale *= 10)
			tenths = tenths * 10 + (uint64_t)(*unit++ - '0');
	}
	if (*unit) {
		found = strchr(units, toupper((unsigned char)*unit));
		if (found) {
			for (const char *step = units; step <= found; step++)
				factor *= 1024;
			unit++;
			if (unit[0] == 'i' && unit[1] == 'B')
				unit++;
		}
		if (*unit == 'B')
			unit++;
		if (*unit)
			return -EINVAL;
	}
	if (scale > 1 && factor == 1)
		return -EINVAL; /* no half bytes */
	if (__builtin_mul_overflow(whole, factor, &whole) ||
		__builtin_add_overflow(whole, tenths * factor / scale, bytes))
		return -ERANGE;
	return 0;
}

char *size_format(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024)
		return text_format("%llu bytes", (unsigned long long)bytes);
	for (; value >= 1024 && unit < 3; unit++)
		value /= 1024;
	return text_format("%.1f %s", value, units[unit]);
}

int version_compare(const char *a, const char *b)
{
	int order = strverscmp(a, b);

	return (order > 0) - (order < 0);
}
