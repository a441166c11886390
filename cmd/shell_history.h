/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was typed, kept over sessions: a line a command, no two the same, the newest last. Several
 * shells at a time share the file, and none loses the lines of another.
 */
#ifndef EC2HIB_CMD_SHELL_HISTORY_H
#define EC2HIB_CMD_SHELL_HISTORY_H

#include "core/base/files.h"
#include "core/base/text.h"

#define SHELL_HISTORY_MOST 1000

struct shell_history {
	struct root root;
	char *path; /* NULL: it is not kept */
	struct strings lines;
};

/*
 * Reads the history of this user: ec2hib/shell-history below XDG_STATE_HOME (XDG Base Directory
 * Specification), mode 0600. Root keeps none in a folder that others can write to, where a link
 * could lead to any file. On an error the history lasts as long as the shell.
 */
int shell_history_open(struct shell_history *history, struct error *err);
void shell_history_close(struct shell_history *history);

/* Adds LINE to the lines and to the file. */
int shell_history_add(struct shell_history *history, const char *line, struct error *err);

#endif
