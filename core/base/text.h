/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Strings, lists of strings, and numbers as people write them.
 * Every char * that a function returns belongs to the caller, who frees it.
 */
#ifndef EC2HIB_BASE_TEXT_H
#define EC2HIB_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

char *text_copy(const char *text); /* NULL gives NULL */
char *text_copy_length(const char *text, size_t length);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_format_list(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Replaces *TEXT, which the caller owns, by VALUE, and frees what was there. */
void text_set(char **text, char *value);

/* Adds to *TEXT (NULL counts as empty). */
void text_append(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes white space off both ends, in place; returns TEXT. */
char *text_trim(char *text);

/*
 * Names with characters that a format keeps for itself, in place: \ooo, as in fstab(5),
 * /proc/mounts and /proc/swaps; \xhh, as udev names its links.
 */
void text_unescape_octal(char *text);
void text_unescape_hex(char *text);

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/*
 * The UTF-8 character at TEXT, of which there are LEFT bytes (1 at least): its number in *CODE, and
 * how many bytes it has. 0: there is none (RFC 3629: no overlong form, no surrogate, nothing beyond
 * U+10FFFF).
 */
size_t utf8_next(const char *text, size_t left, uint32_t *code);

/* Whether a terminal takes it for a command: C0, DEL, and C1, U+0080 to U+009F (ISO 6429). */
bool utf8_is_control(uint32_t code);

/*
 * LENGTH bytes that came from outside as one line for a log or a terminal: UTF-8 stays, a tab
 * becomes a space, a carriage return at the end goes, and every other control character (also
 * U+0080 to U+009F, which terminals obey) and every byte that is not UTF-8 becomes \xNN.
 */
char *text_printable(const char *bytes, size_t length);

/* A list of strings that it owns. {0} is empty. */
struct strings {
	char **items;
	size_t count;
};
void strings_add(struct strings *list, const char *text);
void strings_take(struct strings *list, char *text); /* the list owns TEXT afterwards */
bool strings_contain(const struct strings *list, const char *text);
char *strings_join(const struct strings *list, const char *separator);
void strings_sort(struct strings *list);
void strings_free(struct strings *list);
#define strings_cleanup __attribute__((cleanup(strings_free)))

/* The words of TEXT, separated by any of the characters in SEPARATORS; empty words are left out. */
void strings_split(struct strings *list, const char *text, const char *separators);

/*
 * The words of a kernel command line or a shell-like argument list: white space separates, double
 * quotes hold together and stay part of the word (Linux Documentation/admin-guide/
 * kernel-parameters.rst).
 */
void strings_split_arguments(struct strings *list, const char *text);

/*
 * The value of NAME in a TEXT of NAME=value lines as os-release(5) and logind.conf(5) have them,
 * quotes taken off; the last one counts. The caller frees it, NULL: not there.
 */
char *text_assignment(const char *text, const char *name);

/* A whole decimal number, nothing before or after it. 0, -EINVAL, or -ERANGE. */
int number_parse(const char *text, uint64_t *value);

/*
 * A size: N or N.N followed by K, M, G, T (powers of 1024, with or without iB or B); no unit means
 * bytes. 0, -EINVAL, or -ERANGE.
 */
int size_parse(const char *text, uint64_t *bytes);

/* "512 bytes", "3.9 GiB", with one digit after the point. */
char *size_format(uint64_t bytes);

/* -1, 0 or 1 for two version strings, compared number by number as sort -V does. */
int version_compare(const char *a, const char *b);

#endif
