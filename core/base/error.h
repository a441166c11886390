/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An error is a negative errno and one sentence for a person.
 *
 * The sentence names the object, the cause and, where there is one, the number:
 *	cannot create /swap: needs 16.0 GiB, 3.2 GiB free on / (ext4)
 * Callers add context in front. Only cmd/ turns an error into a message and an exit status.
 */
#ifndef EC2HIB_BASE_ERROR_H
#define EC2HIB_BASE_ERROR_H

/* Long enough for two paths and a sentence; a longer text is cut, never lost. */
struct error {
	char text[1024];
};

/* Sets the sentence and returns -CODE, so that callers write: return error_set(err, EIO, ...). */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with ": " and the text of CODE (an errno) after the sentence. */
int error_errno(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of what is there; returns CODE as it is. */
int error_prefix(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
