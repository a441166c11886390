/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Other programs. No shell: an argument vector, a clean environment (PATH, LC_ALL=C, HOME and what
 * is added), /dev/null as standard input, a process group of their own, a time limit, and standard
 * error kept for the error's text. In an image (--root DIR) a program is the image's own and runs
 * in a chroot(2) of it.
 */
#ifndef EC2HIB_BASE_PROCESS_H
#define EC2HIB_BASE_PROCESS_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/reporter.h"
#include "core/base/stream.h"

#define PROCESS_OUTPUT_LIMIT ((size_t)1024 * 1024)

/* At least this often "cancelled" is asked. */
#define PROCESS_CANCEL_MS 100

/*
 * Where the program NAME is in the usual folders of the root; the caller frees it, NULL: nowhere.
 */
char *process_find(const struct root *root, const char *name);

/* A program to run. What is not set is not wanted. */
struct process {
	const struct root *root;
	const char *const *arguments;	/* NULL at the end; the first is a name or a path */
	const char *const *environment; /* NAME=VALUE, NULL at the end; wins over the clean one */
	unsigned timeout_ms;		/* of CLOCK_MONOTONIC, which stops in hibernation */
	unsigned grace_ms;		/* between SIGTERM and SIGKILL; 0: SIGKILL at once */
	/* "cancelled" is asked while it runs; true ends it as the time limit does. */
	const struct reporter *reporter;
	stream_line *line; /* each line of both outputs as it comes */
	void *data;	   /* of "line" */
};

/*
 * Runs it and waits for its end. *OUTPUT (the caller frees it; OUTPUT may be NULL) is what it wrote
 * to standard output, at most PROCESS_OUTPUT_LIMIT bytes.
 *
 * A program that is ended takes its process group with it. After one that ended by itself, what it
 * left running stays, and is not waited for even when it holds the outputs open. Of what we have
 * open nothing goes with a program: a lock ends with us, whatever a program leaves running.
 *
 * When we are killed while it runs, it is ended, too, and our locks stay taken until it has:
 * whoever comes next and runs the same program does not meet it.
 *
 * A program that cannot be ended, because it waits for a device in the kernel, is left behind after
 * two seconds, and the error says so (-ETIMEDOUT).
 *
 * 0 when it ended with status 0. -ENOENT: no such program. -ETIMEDOUT. -ECANCELED. -EIO: another
 * status or a signal; the error has the end of what it wrote to standard error. Another errno: it
 * could not be started.
 */
int process_execute(const struct process *process, char **output, struct error *err);

/* process_execute() of ARGUMENTS with a time limit in milliseconds, ended by SIGKILL at once. */
int process_run(const struct root *root, const char *const *arguments, unsigned timeout_ms,
	char **output, struct error *err);

/*
 * At the start of the program: no file of ours gets the number 0, 1 or 2 when we were started
 * without these, or messages would go into it. What is written there is an error all the same
 * (EBADF).
 */
void process_fill_descriptors(void);

/* At the start of the program: what we were started with is not for the programs that we run. */
void process_hide_descriptors(void);

#endif
