/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Work that may take its time, done by a child process so that nobody waits for it: it says what it
 * found in lines on a pipe. What it hangs on (a metadata service, a disk) does not hang us, also not
 * at the end: a child that cannot be killed is left to init.
 */
#ifndef EC2HIB_UI_TUI_ASIDE_H
#define EC2HIB_UI_TUI_ASIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/error.h"
#include "core/base/stream.h"

/* All facts and a long history; more is not believed. */
#define ASIDE_LINE_MOST ((size_t)32 * 1024 * 1024)

struct aside {
	pid_t pid;	/* 0: nobody is at work */
	int fd;		/* -1 with it; it does not block */
	uint64_t began; /* CLOCK_BOOTTIME, ms */
	struct lines lines;
};

/* {0} is none yet. Runs WORK in a child, which writes to FD and ends with it. */
int aside_begin(
	struct aside *aside, void (*work)(void *data, int fd), void *data, struct error *err);

/*
 * Takes what there is, and calls TAKE for each whole line. False when that was the end; the child is
 * then gone, or on its way.
 */
bool aside_read(struct aside *aside, void (*take)(void *data, const char *line), void *data);

/* Ends the child, if there is one, without waiting for it. */
void aside_end(struct aside *aside);

/* To be called on SIGCHLD: lets go of ended children that were not gone yet in aside_end(). */
void aside_reap(void);

/* Writes all of LINE and its end, for WORK. False: nobody listens any more. */
bool aside_write(int fd, const char *line);

#endif
