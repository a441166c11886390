/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of a log that are one thing together, so that what they say is known only when the last of
 * them has come:
 *	base64 in one line or in many, also after something else (<output>, Output:, a tab);
 *	lines of YAML that end with a backslash: they go on in the next one, which is indented;
 *	a field of the journal's export format that is told by its length (systemd's Journal Export Formats).
 */
#ifndef EC2HIB_FACTS_LOG_BLOCK_H
#define EC2HIB_FACTS_LOG_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* Of a longer one the rest is left out. */
#define LOG_BLOCK_MAX ((size_t)8 * 1024 * 1024)

enum log_block_kind { LOG_BLOCK_NONE, LOG_BLOCK_BASE64, LOG_BLOCK_FOLDED, LOG_BLOCK_BINARY };

/* {0} is none. The text is the block's, and has no NUL at its end. */
struct log_block {
	enum log_block_kind kind;
	char *text;
	size_t length, room;
};

void log_block_append(struct log_block *block, const char *bytes, size_t size);
void log_block_free(struct log_block *block);

/*
 * Whether a block begins with this line; then what it has of it is in BLOCK, which is none so far.
 */
bool log_block_begin_base64(struct log_block *block, const char *line, size_t length);
bool log_block_begin_folded(struct log_block *block, const char *line, size_t length);

/*
 * Whether the block goes on with this line, which is then in BLOCK; *ENDED: with that it is whole.
 */
bool log_block_take_base64(struct log_block *block, const char *line, size_t length, bool *ended);
bool log_block_take_folded(struct log_block *block, const char *line, size_t length, bool *ended);
bool log_block_take_binary(struct log_block *block, const char *line, size_t length, bool *ended);

/* The bytes of the value of a binary field that is whole. */
const char *log_block_value(const struct log_block *block, size_t *size);

/*
 * The *SIZE bytes that LENGTH ones at TEXT are the base64 of (RFC 4648); the caller frees them.
 * NULL: none.
 */
char *base64_decode(const char *text, size_t length, size_t *size);

#endif
