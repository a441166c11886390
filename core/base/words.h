/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line as a person types it, cut into words: white space separates; '...' is taken as it is; in
 * "..." a backslash escapes " \ $ and `; elsewhere any character; a word that begins
 * with # begins a comment, and ~ or ~/ at the beginning of a word is the home folder. Nothing else
 * is special: no variables, no patterns, no other programs. So | & ; < > are errors unless they are
 * quoted, for whoever types them expects something to happen.
 */
#ifndef EC2HIB_BASE_WORDS_H
#define EC2HIB_BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "core/base/text.h"

/* HOME: the home folder; NULL: ~ stays. 0, or -EINVAL when a quote is open or for | & ; < >. */
int words_split(struct strings *words, const char *line, const char *home, struct error *err);

/*
 * The words of the first LENGTH bytes, the last of which is still being typed: it is there even
 * when it is empty, and its quote may be open. False in a comment.
 */
bool words_split_begun(struct strings *words, const char *line, size_t length, const char *home);

/* Whether the character at INDEX is quoted or escaped. */
bool words_is_quoted(const char *line, size_t index);

/* TEXT as it has to be typed where QUOTE (' or " or, for none, 0) is open. The caller frees it. */
char *words_quote(const char *text, char quote);

/* Adds WORD to *LINE as another word of a command line: in '...' where a shell needs that. */
void words_append(char **line, const char *word);

/* What TEXT, typed where QUOTE was open, stands for. The caller frees it. */
char *words_unquote(const char *text, char quote);

#endif
