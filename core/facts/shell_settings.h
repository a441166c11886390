/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Settings in the manner of a shell, as /etc/default/grub: assignments, a line each, between which
 * there may be any other code (POSIX.1-2017, Shell Command Language). Code is not run: what it may
 * have assigned is unknown. Pure; any garbage gives less, never a crash.
 */
#ifndef EC2HIB_FACTS_SHELL_SETTINGS_H
#define EC2HIB_FACTS_SHELL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/text.h"

/* How the value of an assignment is written. */
enum shell_quote {
	SHELL_BARE,   /* without quotes */
	SHELL_SINGLE, /* one string in single quotes */
	SHELL_DOUBLE, /* one string in double quotes */
	SHELL_MIXED,  /* several pieces, or code */
};

/* What stands between two ends of line, or more lines where a quote or a backslash joins them. */
struct shell_statement {
	const char *start;
	size_t length; /* without the last end of line */
	bool assigns;  /* NAME=WORD or NAME+=WORD, and nothing else */
	bool nested;   /* within an if, a loop, a function: nobody knows whether it counts */
	bool adds;     /* += */
	const char *name;
	size_t name_length;
	const char *word; /* as it is written, with its quotes */
	size_t word_length;
	enum shell_quote quote;
};

/* Where a text is read. {text} begins. */
struct shell_reader {
	const char *at;
	unsigned depth; /* of ifs, loops and functions */
};

/* The next statement, also an empty one and a comment; false at the end. */
bool shell_next(struct shell_reader *reader, struct shell_statement *statement);

/* True when the statement assigns to NAME. */
bool shell_assigns(const struct shell_statement *statement, const char *name);

/* True when the statement is code that may assign to NAME. */
bool shell_may_assign(const struct shell_statement *statement, const char *name);

/* One variable; VALUE NULL: nobody knows. */
struct shell_variable {
	char *name;
	char *value;
};

/* The variables after some texts were read. {0} is before. */
struct shell_variables {
	struct shell_variable *items;
	size_t count;
	bool obscure; /* what is not here may have any value: a file of others was read */
};
void shell_read(struct shell_variables *variables, const char *text);
void shell_variables_free(struct shell_variables *variables);

/* Sets NAME to VALUE, whatever it was. */
void shell_set(struct shell_variables *variables, const char *name, const char *value);

/* The value of NAME, "" where nothing was assigned; NULL: nobody knows. */
const char *shell_value(const struct shell_variables *variables, const char *name);

#endif
