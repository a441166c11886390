/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ec2hib itself as a child, for the shell: what a command does to its memory, its signals and its
 * exit does not touch the shell, and ps(1) shows what runs.
 */
#ifndef EC2HIB_CMD_SHELL_CHILD_H
#define EC2HIB_CMD_SHELL_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/error.h"
#include "core/base/text.h"

struct shell_child {
	const struct strings *options;	 /* of every command */
	const struct strings *arguments; /* the command line */
	bool aside;			 /* no standard input or error, and Ctrl-C is not for it */
	bool no_input;
	int output; /* its standard output; -1: ours, or none when it is aside */
};

/* Its number, or a negative errno. No signal is blocked in it. */
pid_t shell_child_start(const struct shell_child *child, struct error *err);

/* The exit status as a shell has it: 128 and the signal for one that was killed. */
int shell_child_status(int wait_status);

/*
 * What the child says on standard output. One that takes longer than LIMIT_MS is killed, and what it
 * has said until then is all. The caller frees it.
 */
char *shell_child_ask(const struct strings *options, const struct strings *arguments, int limit_ms);

#endif
