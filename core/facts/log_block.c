/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/log_block.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

#define ROOM_STEP ((size_t)64 * 1024)

void log_block_append(struct log_block *block, const char *bytes, size_t size)
{
	if (size > LOG_BLOCK_MAX - block->length)
		size = LOG_BLOCK_MAX - block->length;
	if (block->length + size > block->room) {
		block->room = block->length + size + ROOM_STEP;
		block->text = realloc(block->text, block->room);
		if (!block->text)
			abort(); /* core/base/memory.h */
	}
	if (size)
		memcpy(block->text + block->length, bytes, size);
	block->length += size;
}

void log_block_free(struct log_block *block)
{
	free(block->text);
	*block = (struct log_block) { 0 };
}

/* ---- Base64 ---- */

/* So many characters are no word; what is cut into lines has 64 or 76 in each. */
#define BASE64_MIN 60

/* The value of a character of base64; -1: it is none. */
static int sextet(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static signed char values[256];

	if (!values['A' + 1])
		for (int i = 0; i < 64; i++)
			values[(unsigned char)alphabet[i]] = (signed char)(i + 1);
	return values[(unsigned char)c] - 1;
}

char *base64_decode(const char *text, size_t length, size_t *size)
{
	char *bytes = memory_new(length / 4 * 3 + 4, 1);
	unsigned value = 0, bits = 0;

	*size = 0;
	for (const char *end = text + length; text < end && *text != '='; text++) {
		int six = sextet(*text);

		if (six < 0 && isspace((unsigned char)*text))
			continue;
		if (six < 0) {
			free(bytes);
			return NULL;
		}
		value = (value << 6 | (unsigned)six) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[(*size)++] = (char)(value >> bits & 0xff);
		}
	}
	return bytes;
}

/*
 * How many characters of base64, with what fills up the last four, LENGTH ones at TEXT begin with.
 */
static size_t base64_length(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && sextet(text[i]) >= 0)
		i++;
	while (i < length && text[i] == '=')
		i++;
	return i;
}

static void trim(const char **line, size_t *length)
{
	while (*length && isspace((unsigned char)**line)) {
		(*line)++;
		(*length)--;
	}
	while (*length && isspace((unsigned char)(*line)[*length - 1]))
		(*length)--;
}

/*
 * The first word in the line that is long enough; it may go on in the next line. JSON is not read
 * here.
 */
bool log_block_begin_base64(struct log_block *block, const char *line, size_t length)
{
	trim(&line, &length);
	if (length && strchr("{[\"", *line))
		return false;
	for (size_t size; length; line += size, length -= size) {
		size = base64_length(line, length);
		if (size < BASE64_MIN) {
			size += size < length;
			continue;
		}
		block->kind = LOG_BLOCK_BASE64;
		log_block_append(block, line, size);
		return true;
	}
	return false;
}

/* Lines that are nothing else; the last one may have an end of XML after it. */
bool log_block_take_base64(struct log_block *block, const char *line, size_t length, bool *ended)
{
	size_t size;

	trim(&line, &length);
	size = base64_length(line, length);
	*ended = size < length || !size;
	if (!size || (size < length && line[size] != '<'))
		return false;
	log_block_append(block, line, size);
	return true;
}

/* ---- YAML ---- */

/* The length without a backslash at the end that is not one of two; LENGTH: there is none. */
static size_t without_backslash(const char *line, size_t length)
{
	size_t count = 0;

	while (length && strchr("\r ", line[length - 1]))
		length--;
	while (count < length && line[length - 1 - count] == '\\')
		count++;
	return length - count % 2;
}

static bool goes_on(const char *line, size_t length)
{
	size_t size = without_backslash(line, length);

	return size < length && line[size] == '\\';
}

bool log_block_begin_folded(struct log_block *block, const char *line, size_t length)
{
	if (!goes_on(line, length))
		return false;
	block->kind = LOG_BLOCK_FOLDED;
	log_block_append(block, line, without_backslash(line, length));
	return true;
}

bool log_block_take_folded(struct log_block *block, const char *line, size_t length, bool *ended)
{
	*ended = true;
	if (!length || !strchr(" \t", *line))
		return false;
	*ended = !goes_on(line, length);
	length = without_backslash(line, length);
	while (length && strchr(" \t", *line)) {
		line++;
		length--;
	}
	/* A space where the line was cut has a backslash of its own. */
	if (length > 1 && line[0] == '\\' && line[1] == ' ') {
		line++;
		length--;
	}
	log_block_append(block, line, length);
	return true;
}

/* ---- Fields of the journal ---- */

/* In front of the value is its size: 64 bits, the least of them first. */
#define SIZE_BYTES 8

static uint64_t value_size(const struct log_block *block)
{
	uint64_t size = 0;

	for (int i = SIZE_BYTES; i; i--)
		size = size << 8 | (unsigned char)block->text[i - 1];
	return size;
}

/* The value may have newlines: what looks like several lines is put together again. */
bool log_block_take_binary(struct log_block *block, const char *line, size_t length, bool *ended)
{
	log_block_append(block, line, length);
	log_block_append(block, "\n", 1);
	*ended = block->length == LOG_BLOCK_MAX ||
		 (block->length >= SIZE_BYTES && value_size(block) < block->length - SIZE_BYTES);
	return true;
}

const char *log_block_value(const struct log_block *block, size_t *size)
{
	*size = (size_t)value_size(block);
	if (*size > block->length - SIZE_BYTES)
		*size = block->length - SIZE_BYTES;
	return block->text + SIZE_BYTES;
}
