/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding what is in the table of messages (timeline_messages.c): the row of a line, and, before
 * anything is made of a line, the place in a log where there may be one. Both are asked for every
 * line of a log of any size, so neither goes through the whole table.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/rules/timeline_parser.h"

#define NONE UINT8_MAX

/* ---- The row of a line --------------------------------------------------------------------- */

#define ROW_HASH_BITS 9
#define ROW_KEY	      8 /* characters */

/*
 * Rows by the hash of their first characters: the first row of each hash, and the next one of each
 * row. Those that have fewer characters, or any word among them, are tried for every line.
 */
static struct {
	bool ready;
	uint8_t first[1 << ROW_HASH_BITS];
	uint8_t next[NONE];
	uint8_t others;
} rows;

static unsigned row_hash(const char *text)
{
	uint64_t key;

	memcpy(&key, text, ROW_KEY);
	return (unsigned)((key * 0x9e3779b97f4a7c15u) >> (64 - ROW_HASH_BITS));
}

static void index_rows(void)
{
	memset(rows.first, NONE, sizeof(rows.first));
	rows.others = NONE;
	for (size_t i = timeline_message_count; i; i--) {
		const char *words = timeline_messages[i - 1].words;
		bool is_long = strcspn(words, "*") >= ROW_KEY;
		uint8_t *first = is_long ? &rows.first[row_hash(words)] : &rows.others;

		rows.next[i - 1] = *first;
		*first = (uint8_t)(i - 1);
	}
	rows.ready = true;
}

/* What follows WORDS in TEXT, NULL: it does not begin with them. */
static const char *after_words(const char *text, const char *words)
{
	for (; *words; words++) {
		if (*words == '*') {
			size_t length = strcspn(text, " ");

			if (!length)
				return NULL;
			text += length;
		} else if (*text++ != *words) {
			return NULL;
		}
	}
	return text;
}

static const struct message *find_row(
	uint8_t first, const char *text, bool after_pm, const char **rest)
{
	for (uint8_t i = first; i != NONE; i = rows.next[i]) {
		const struct message *row = &timeline_messages[i];

		if ((row->where == PM && !after_pm) || (*row->words != *text && *row->words != '*'))
			continue;
		*rest = after_words(text, row->words);
		if (*rest)
			return row;
	}
	return NULL;
}

const struct message *message_find(const char *message, const char **rest)
{
	const struct message *row = NULL;
	bool pm;

	if (!rows.ready)
		index_rows();
	while (*message == ' ')
		message++;
	pm = *message == 'P' && text_starts(message, "PM: ");
	if (pm)
		message += strlen("PM: ");
	if (pm && text_starts(message, "hibernation: "))
		message += strlen("hibernation: ");
	if (strnlen(message, ROW_KEY) == ROW_KEY)
		row = find_row(rows.first[row_hash(message)], message, pm, rest);
	return row ? row : find_row(rows.others, message, pm, rest);
}

const char *message_row(size_t index, bool *after_pm, const char **kernels)
{
	if (index >= timeline_message_count)
		return NULL;
	*after_pm = timeline_messages[index].where == PM;
	*kernels = timeline_messages[index].kernels;
	return timeline_messages[index].words;
}

bool message_is_known(const struct log_line *line)
{
	const char *rest;

	return message_find(line->message, &rest) ||
	       (!line->other && (strstr(line->message, ": PM: ") ||
					text_starts(line->message, "PM: Device ")));
}

/* ---- Where there may be one ---------------------------------------------------------------- */

#define MARKER(words)                                                                              \
	{                                                                                          \
		words, sizeof(words) - 1                                                           \
	}

/*
 * Each line of the table, and what is told of devices and of freezing, has one of these. All have
 * four bytes at least, by which they are found.
 */
static const struct marker {
	const char *words;
	size_t length;
} markers[] = { MARKER("PM: "), MARKER("Freezing "), MARKER("(elapsed "), MARKER("(allocated "),
	MARKER("Filesystems sync"), MARKER("Restarting tasks"), MARKER("xen:manage"),
	MARKER("xenstore"), MARKER("Starting new kernel"), MARKER("hibernation debug"),
	MARKER("Preparing to enter"), MARKER("reboot: "), MARKER("Power down."),
	MARKER("Linux version"), MARKER("Booting Linux"), MARKER("-- Boot "), MARKER("-- Reboot"),
	MARKER("Reached target "), MARKER("Startup finished"), MARKER("Suspended for"),
	MARKER("Error taking CPU"), MARKER("Non-boot CPUs are not"), MARKER("Lockdown: "),
	MARKER("-error on swap"), MARKER("Hibernate inconsistent"),
	MARKER("Unrecognized hibernate"), MARKER("hibernate: "), MARKER("Kernel panic"),
	MARKER("Oops: "), MARKER("Internal error: "), MARKER("BUG: "), MARKER("kernel BUG at "),
	MARKER("invalid opcode: "), MARKER("divide error: "), MARKER("Unable to handle kernel"),
	MARKER("general protection fault") };

#define HASH_BITS 12

/* Markers of the same hash: the first one, and the next one of each. */
static struct {
	bool ready;
	uint8_t first[1 << HASH_BITS];
	uint8_t next[ARRAY_SIZE(markers)];
} marked;

static unsigned hash_of(const char *text)
{
	uint32_t bytes;

	memcpy(&bytes, text, sizeof(bytes));
	return (bytes * 2654435761u) >> (32 - HASH_BITS);
}

static void index_markers(void)
{
	memset(marked.first, NONE, sizeof(marked.first));
	for (size_t i = 0; i < ARRAY_SIZE(markers); i++) {
		uint8_t *first = &marked.first[hash_of(markers[i].words)];

		marked.next[i] = *first;
		*first = (uint8_t)i;
	}
	marked.ready = true;
}

/* No row has more characters in its words. */
#define WORDS_MAX ((size_t)120)

/*
 * "PM: " and words that no row has: most of what the kernel says of power management. What comes
 * from a device has its name in front, and an escape sequence of a terminal may follow.
 */
static bool is_other_pm(const char *begin, const char *text, const char *end)
{
	static const char kernel[] = "kernel: ", named[] = ": ", hibernation[] = "hibernation: ";
	size_t size = (size_t)(end - text) < WORDS_MAX ? (size_t)(end - text) : WORDS_MAX;
	size_t before = (size_t)(text - begin);
	char words[WORDS_MAX + 1];
	const char *after = words + strlen("PM: "), *rest;

	if (before >= strlen(named) && memcmp(text - strlen(named), named, strlen(named)) == 0 &&
		(before < strlen(kernel) ||
			memcmp(text - strlen(kernel), kernel, strlen(kernel)) != 0))
		return false;
	memcpy(words, text, size);
	words[size] = '\0';
	if (text_starts(after, hibernation))
		after += strlen(hibernation);
	return isalpha((unsigned char)*after) && !text_starts(after, "Device ") &&
	       !message_find(words, &rest);
}

static bool begins_with_marker(const char *begin, const char *text, const char *end)
{
	for (uint8_t i = marked.first[hash_of(text)]; i != NONE; i = marked.next[i])
		if ((size_t)(end - text) >= markers[i].length &&
			memcmp(text, markers[i].words, markers[i].length) == 0)
			return i > 0 || !is_other_pm(begin, text, end);
	return false;
}

const char *messages_search(const char *text, size_t length)
{
	const char *begin = text, *end = text + length;

	if (!marked.ready)
		index_markers();
	for (const char *last = end - sizeof(uint32_t); length >= sizeof(uint32_t) && text <= last;
		text++)
		if (marked.first[hash_of(text)] != NONE && begins_with_marker(begin, text, end))
			return text;
	return NULL;
}
