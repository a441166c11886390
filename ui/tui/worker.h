/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Work that may take long, done by a child process so that the dashboard does not wait for it: the
 * child writes what it finds to a pipe, in lines. What it hangs on (a metadata service, a disk)
 * does not hang us, also not at the end: a child that cannot be killed is left to init.
 */
#ifndef EC2HIB_UI_TUI_WORKER_H
#define EC2HIB_UI_TUI_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/error.h"
#include "core/base/stream.h"

/* All facts and a long history fit; a longer line is not believed. */
#define WORKER_LINE_MOST ((size_t)32 * 1024 * 1024)

struct worker {
	pid_t pid;	  /* 0: none runs */
	int fd;		  /* to be polled; it does not block; -1: none */
	uint64_t started; /* CLOCK_BOOTTIME, ms */
	struct lines lines;
};

/* WORKER is {0} at first. Runs WORK in a child, which writes to FD and ends with it. */
int worker_start(
	struct worker *worker, void (*work)(void *data, int fd), void *data, struct error *err);

/*
 * Reads what there is, and calls TAKE for each whole line. False at the end; the worker is stopped
 * then.
 */
bool worker_read(struct worker *worker, void (*take)(void *data, const char *line), void *data);

/* Kills the child, if there is one, without waiting for it. */
void worker_stop(struct worker *worker);

/* To be called on SIGCHLD: waits for killed children that are gone by now. */
void worker_reap(void);

/* For WORK: writes LINE and its end. False: nobody reads any more. */
bool worker_write(int fd, const char *line);

#endif
