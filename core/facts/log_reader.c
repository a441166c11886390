/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/log_reader.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/log_block.h"

/* A value of JSON costs some hundred bytes, so that one with more commas is not taken for a log. */
#define JSON_COMMAS_MAX 50000

/* After so many lines it is known whether the log is one of records, a line for each field. */
#define PROBE_LINES 400

/* A record of the journal, or of dmesg -J, as its fields come one by one. */
struct record {
	bool open;
	char *message; /* the kernel's words; NULL: none, or none that matters */
	char *text;    /* or a line of a log, with all that stands in front of the words */
	char *host;
	char *stamp; /* microseconds since 1970 */
	char *clock; /* seconds, of dmesg -J */
	char *clock_us;
	bool other; /* of another program */
};

struct log_reader {
	const struct log_taker *taker;
	struct log_line *line;
	struct log_block part; /* of a line that has not ended yet */
	unsigned probed;       /* lines that were looked at one by one */
	struct log_block block;
	char *field;  /* whose value BLOCK is */
	bool records; /* the log is one of fields, a line each */
	struct record record;
};

static void feed_lines(struct log_reader *reader, const char *bytes, size_t size);

static bool wants(const struct log_reader *reader, const char *text, size_t length)
{
	return reader->taker->find(reader->taker->data, text, length) != NULL;
}

/*
 * The end of what was one line once: a carriage return, a NUL, or a newline in words, as in quoted
 * text.
 */
static const char *find_break(const char *text, const char *end)
{
	for (; text < end; text++)
		if (*text == '\r' || !*text ||
			(*text == '\\' && end - text > 1 && strchr("nr", text[1])))
			return text;
	return end;
}

static void take_plain(struct log_reader *reader, const char *text, size_t length)
{
	const char *end = text + length, *next;

	for (; text < end; text = next + (next < end && *next == '\\' ? 2 : 1)) {
		next = find_break(text, end);
		if (!wants(reader, text, (size_t)(next - text)))
			continue;
		log_line_read(reader->line, text, (size_t)(next - text));
		reader->taker->take(reader->taker->data, reader->line);
	}
}

/* ---- Records ---- */

static void record_free(struct record *record)
{
	free(record->message);
	free(record->text);
	free(record->host);
	free(record->stamp);
	free(record->clock);
	free(record->clock_us);
	*record = (struct record) { 0 };
}

static void set_line_time(struct log_line *line, const struct record *record)
{
	uint64_t us, ms;

	if (record->stamp && log_decimal(record->stamp, 0, &us, NULL)) {
		line->has_time = true;
		line->time = (int64_t)(us / 1000000);
		instant_format(line->time, line->stamp);
	}
	if (record->clock && log_decimal(record->clock, 3, &ms, NULL)) {
		line->has_clock = true;
		line->clock = ms;
	}
	if (record->clock_us && log_decimal(record->clock_us, 0, &us, NULL)) {
		line->has_clock = true;
		line->clock = us / 1000;
	}
}

/* It goes to the terminal as well: printable ASCII only. */
static void set_line_host(struct log_line *line, const char *host)
{
	size_t size = 0;

	for (; *host && size < sizeof(line->host) - 1; host++)
		line->host[size++] = *host > ' ' && *host <= '~' ? *host : '?';
	line->host[size] = '\0';
}

static void record_end(struct log_reader *reader)
{
	struct record *record = &reader->record;
	struct log_line *line = reader->line;
	const char *text = record->message ? record->message : record->text;

	if (text && !record->other) {
		log_line_read(line, text, strlen(text));
		if (record->message) {
			/* Whatever it looks like: nothing stands in front of a message. */
			line->message = line->text;
			line->kernel = true;
			*line->stamp = *line->host = '\0';
			line->has_time = line->has_clock = line->other = false;
		}
		if (!line->has_time && !line->has_clock)
			set_line_time(line, record);
		if (record->host && !*line->host)
			set_line_host(line, record->host);
		reader->taker->take(reader->taker->data, line);
	}
	record_free(record);
}

/* Fields that name the program: a record of another one than the kernel is not ours. */
static bool names_program(const char *name, size_t length)
{
	static const char *const names[] = { "_TRANSPORT", "SYSLOG_IDENTIFIER", "appname",
		"programname", "PROGRAM", "ProcessName", "ident" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
			return true;
	return false;
}

/* A field of a record; VALUE is the record's afterwards. NULL: it has something else than text. */
static void record_field(struct log_reader *reader, const char *name, size_t length, char *value)
{
	struct record *record = &reader->record;
	const struct {
		const char *name;
		char **to;
	} fields[] = {
		{ "MESSAGE", &record->message },
		{ "msg", &record->text },
		{ "message", &record->text },
		{ "@message", &record->text },
		{ "Message", &record->text },
		{ "short_message", &record->text },
		{ "SyslogMessage", &record->text },
		{ "log", &record->text },
		{ "line", &record->text },
		{ "event", &record->text },
		{ "_raw", &record->text },
		{ "body", &record->text },
		{ "stringValue", &record->text },
		{ "content", &record->text },
		{ "value", &record->text },
		{ "textPayload", &record->text },
		{ "_HOSTNAME", &record->host },
		{ "__REALTIME_TIMESTAMP", &record->stamp },
		{ "time", &record->clock },
		{ "_SOURCE_MONOTONIC_TIMESTAMP", &record->clock_us },
	};

	record->open = true;
	if (!value)
		return;
	if (names_program(name, length))
		record->other = record->other || !text_starts(value, "kernel");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		bool words = fields[i].to == &record->message || fields[i].to == &record->text;

		if (*fields[i].name != *name || strlen(fields[i].name) != length ||
			memcmp(fields[i].name, name, length) != 0)
			continue;
		if (words && !wants(reader, value, strlen(value)))
			break;
		text_set(fields[i].to, value);
		return;
	}
	free(value);
}

/* ---- JSON ---- */

/*
 * The journal has text that is not UTF-8 as an array of its bytes, and of a field that is there
 * twice both.
 */
static char *text_of_array(const json_t *array)
{
	size_t count = json_array_size(array);
	char *text;

	if (json_is_string(json_array_get(array, 0)))
		return text_copy(json_string_value(json_array_get(array, 0)));
	if (!json_is_integer(json_array_get(array, 0)))
		return NULL;
	text = memory_new(count + 1, 1);
	for (size_t i = 0; i < count; i++)
		text[i] = (char)json_integer_value(json_array_get(array, i));
	return text;
}

/* The text of a field; NULL: it has none. */
static char *text_of(const json_t *value)
{
	if (json_is_array(value))
		return text_of_array(value);
	if (json_is_string(value))
		return text_copy_length(json_string_value(value), json_string_length(value));
	return json_is_number(value) ? text_format("%f", json_number_value(value)) : NULL;
}

/* What get-console-output has for "Output". */
static void take_console(struct log_reader *reader, const char *output)
{
	size_t size;
	memory_cleanup_free char *decoded = base64_decode(output, strlen(output), &size);

	if (decoded)
		feed_lines(reader, decoded, size);
	else
		feed_lines(reader, output, strlen(output));
}

/* An object may be a record, or hold some, in arrays of any name: "dmesg", "events", "results". */
static void take_value(struct log_reader *reader, json_t *value)
{
	const char *output = json_string_value(json_object_get(value, "Output")), *name;
	json_t *item;
	size_t index;

	json_array_foreach(value, index, item) take_value(reader, item);
	if (json_is_string(value))
		feed_lines(reader, json_string_value(value), json_string_length(value));
	if (output)
		take_console(reader, output);
	if (output || !json_is_object(value))
		return;
	json_object_foreach(
		value, name, item) if (json_is_object(item) ||
				       (json_is_array(item) && strcmp(name, "MESSAGE") != 0))
		take_value(reader, item);
	json_object_foreach(value, name, item)
		record_field(reader, name, strlen(name), text_of(item));
	record_end(reader);
}

/*
 * "NAME": VALUE of an object that has a line for each of its members. False: it is something else.
 */
static bool take_member(struct log_reader *reader, const char *text, size_t length)
{
	const char *end = memchr(text + 1, '"', length - 1), *value = end;
	json_error_t ignored;
	json_t *json;

	if (!end)
		return false;
	for (value = end + 1; value < text + length && strchr(" :", *value); value++)
		;
	length -= (size_t)(value - text);
	while (length && strchr(" ,\r", value[length - 1]))
		length--;
	if (length == 1 && strchr("{[", *value))
		return true;
	json = json_loadb(value, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &ignored);
	if (!json)
		return false;
	if (json_is_string(json) && end - text == 1 + (ptrdiff_t)strlen("Output") &&
		memcmp(text + 1, "Output", strlen("Output")) == 0) {
		take_console(reader, json_string_value(json));
	} else {
		reader->records = true;
		record_field(reader, text + 1, (size_t)(end - text - 1), text_of(json));
	}
	json_decref(json);
	return true;
}

/* A string alone: an element of an array of lines, or all of a console's output (jq .Output). */
static bool take_quoted(struct log_reader *reader, const char *text, size_t length)
{
	json_error_t ignored;
	json_t *json;

	length -= text[length - 1] == ',';
	json = json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &ignored);
	if (!json_is_string(json)) {
		json_decref(json);
		return false;
	}
	feed_lines(reader, json_string_value(json), json_string_length(json));
	json_decref(json);
	return true;
}

static bool has_many_values(const char *text, size_t length)
{
	size_t commas = 0;

	for (const char *end = text + length; (text = memchr(text, ',', (size_t)(end - text)));
		text++)
		if (++commas > JSON_COMMAS_MAX)
			return true;
	return false;
}

/*
 * Where words begin that are an array of bytes: nothing can be found in them before they are read.
 */
static const char *find_bytes(const char *text, size_t length)
{
	static const char mark[] = "\"MESSAGE\"";
	const char *end = text + length;

	while ((text = memmem(text, (size_t)(end - text), mark, strlen(mark)))) {
		text += strlen(mark);
		while (text < end && strchr(" :", *text))
			text++;
		if (text < end && *text == '[')
			return text;
	}
	return NULL;
}

/* True when the line is JSON, or a part of it. */
static bool take_json(struct log_reader *reader, const char *text, size_t length)
{
	json_error_t ignored;
	json_t *json;

	if (length > 6 && memcmp(text, "data:", 5) == 0) { /* json-sse */
		size_t mark = text[5] == ' ' ? 6 : 5;

		text += mark;
		length -= mark;
	}
	if (length && *text == '\036') { /* json-seq */
		text++;
		length--;
	}
	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	if (length > 2 &&
		((*text == '{' && text[length - 1] == '}') ||
			(*text == '[' && strchr("{[\"", text[1]) && text[length - 1] == ']'))) {
		if (!wants(reader, text, length) && !memmem(text, length, "\"Output\"", 8) &&
			!find_bytes(text, length))
			return true;
		if (has_many_values(text, length))
			return false;
		json = json_loadb(text, length, JSON_ALLOW_NUL, &ignored);
		if (!json)
			return false;
		take_value(reader, json);
		json_decref(json);
		return true;
	}
	if (length && strchr("{}[]", *text) && strspn(text, "{}[], ") >= length) {
		record_end(reader);
		return true;
	}
	if (length < 4 || *text != '"')
		return false;
	return take_member(reader, text, length) || take_quoted(reader, text, length);
}

/* ---- Fields, a line each ---- */

/* The length of NAME= as the journal names fields; 0: none. */
static size_t field_length(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && (isupper((unsigned char)text[i]) || isdigit((unsigned char)text[i]) ||
				     text[i] == '_'))
		i++;
	return i > 2 && i < length && text[i] == '=' ? i + 1 : 0;
}

/* A line that is the name of a field and nothing else: its value is not text. */
static bool is_field_name(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && (isupper((unsigned char)text[i]) || isdigit((unsigned char)text[i]) ||
				     text[i] == '_'))
		i++;
	return i && i == length && !isdigit((unsigned char)*text);
}

/*
 * journalctl -o export and verbose: records end with an empty line, or where the next has its date.
 */
static bool take_field(struct log_reader *reader, const char *text, size_t length, bool indented)
{
	size_t name = field_length(text, length);

	if (name && (reader->records || (!indented && text[0] == '_') ||
			    (length > 8 && memcmp(text, "MESSAGE=", 8) == 0) ||
			    (length > 11 && memcmp(text, "_TRANSPORT=", 11) == 0))) {
		reader->records = true;
		if (!strchr("M_S", *text)) /* as record_field()'s names begin */
			return true;
		while (length > name && text[length - 1] == '\r')
			length--;
		record_field(reader, text, name - 1, text_copy_length(text + name, length - name));
		return true;
	}
	if (reader->records && !indented)
		record_end(reader);
	return false;
}

/* ---- Lines ---- */

static void take_line(struct log_reader *reader, const char *text, size_t length)
{
	const char *whole = text;
	size_t whole_length = length;

	while (length && (*text == ' ' || *text == '\t')) {
		text++;
		length--;
	}
	if (!length) {
		if (reader->record.open)
			record_end(reader);
		return;
	}
	if (strchr("{}[]\"d\036", *text) && take_json(reader, text, length))
		return;
	if ((reader->records || *text == '_' || *text == 'M') &&
		take_field(reader, text, length, text > whole))
		return;
	take_plain(reader, whole, whole_length);
}

/* ---- Lines that are one thing together ---- */

static void end_block(struct log_reader *reader)
{
	struct log_block block = reader->block;
	char *field = reader->field, *bytes;
	const char *value;
	size_t size;

	/* What it says may have others in it. */
	reader->block = (struct log_block) { 0 };
	reader->field = NULL;
	if (block.kind == LOG_BLOCK_FOLDED)
		take_line(reader, block.text, block.length);
	if (block.kind == LOG_BLOCK_BINARY && block.length > 8) {
		value = log_block_value(&block, &size);
		record_field(reader, field, strlen(field), text_copy_length(value, size));
	}
	if (block.kind == LOG_BLOCK_BASE64) {
		bytes = base64_decode(block.text, block.length, &size);
		if (bytes && wants(reader, bytes, size))
			feed_lines(reader, bytes, size);
		free(bytes);
	}
	free(field);
	log_block_free(&block);
}

/* True where the line belongs to a block, and says nothing of its own. */
static bool take_block(struct log_reader *reader, const char *text, size_t length)
{
	static bool (*const takes[])(struct log_block *, const char *, size_t, bool *) = {
		[LOG_BLOCK_BASE64] = log_block_take_base64,
		[LOG_BLOCK_FOLDED] = log_block_take_folded,
		[LOG_BLOCK_BINARY] = log_block_take_binary,
	};
	struct log_block *block = &reader->block;
	bool ended = false, taken = false;

	if (block->kind != LOG_BLOCK_NONE) {
		taken = takes[block->kind](block, text, length, &ended);
		if (ended)
			end_block(reader);
	}
	if (taken || block->kind != LOG_BLOCK_NONE)
		return taken;
	if (reader->records && is_field_name(text, length)) {
		block->kind = LOG_BLOCK_BINARY;
		reader->field = text_copy_length(text, length);
		return true;
	}
	if (log_block_begin_folded(block, text, length))
		return true;
	/* Beside it the line may have something else. */
	log_block_begin_base64(block, text, length);
	return false;
}

/* A line that is looked at, whatever it is. */
static void feed_line(struct log_reader *reader, const char *text, size_t length)
{
	if (!take_block(reader, text, length))
		take_line(reader, text, length);
	if (reader->block.kind != LOG_BLOCK_NONE)
		reader->probed = 0;
}

/* Where the line begins that has something which may matter, NULL: none of them has. */
static const char *find_line(const struct log_reader *reader, const char *bytes, const char *end)
{
	const char *hit = reader->taker->find(reader->taker->data, bytes, (size_t)(end - bytes));
	const char *newline = hit ? memrchr(bytes, '\n', (size_t)(hit - bytes)) : NULL;

	return newline ? newline + 1 : hit ? bytes : NULL;
}

/* Whole lines; the last one may be without its end. */
static void feed_lines(struct log_reader *reader, const char *bytes, size_t size)
{
	const char *end = bytes + size;

	while (bytes < end) {
		bool looks = reader->records || reader->probed < PROBE_LINES;
		const char *newline;
		size_t length;

		if (!looks && !(bytes = find_line(reader, bytes, end)))
			return;
		newline = memchr(bytes, '\n', (size_t)(end - bytes));
		length = (size_t)((newline ? newline : end) - bytes);
		reader->probed += reader->probed < PROBE_LINES;
		if (looks)
			feed_line(reader, bytes, length);
		else
			take_line(reader, bytes, length);
		bytes = newline ? newline + 1 : end;
	}
}

struct log_reader *log_reader_begin(const struct log_taker *taker)
{
	struct log_reader *reader = memory_new(1, sizeof(*reader));

	reader->taker = taker;
	reader->line = memory_new(1, sizeof(*reader->line));
	return reader;
}

void log_reader_feed(struct log_reader *reader, const char *bytes, size_t size)
{
	const char *end = bytes + size, *last;

	if (reader->part.length) {
		const char *newline = memchr(bytes, '\n', size);

		log_block_append(&reader->part, bytes, (size_t)((newline ? newline : end) - bytes));
		if (!newline)
			return;
		feed_line(reader, reader->part.text, reader->part.length);
		reader->part.length = 0;
		bytes = newline + 1;
	}
	last = bytes < end ? memrchr(bytes, '\n', (size_t)(end - bytes)) : NULL;
	if (last)
		feed_lines(reader, bytes, (size_t)(last + 1 - bytes));
	bytes = last ? last + 1 : bytes;
	if (bytes < end)
		log_block_append(&reader->part, bytes, (size_t)(end - bytes));
}

void log_reader_end(struct log_reader *reader)
{
	if (reader->part.length)
		feed_line(reader, reader->part.text, reader->part.length);
	end_block(reader);
	record_end(reader);
	log_block_free(&reader->part);
	free(reader->line);
	free(reader);
}
