/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a command does with its process: it ends well on a signal, or goes to the background. */
#ifndef EC2HIB_CMD_DAEMON_H
#define EC2HIB_CMD_DAEMON_H

#include <stdbool.h>

#include "core/base/error.h"

/* From now on SIGINT, SIGTERM and SIGHUP only make interrupt_came() true. */
void interrupt_catch(void);

/* In the form that actions ask for; DATA is not used. */
bool interrupt_came(void *data);

/*
 * The classical way: two forks, so that the daemon leads no session and gets no terminal. The first
 * process ends when the daemon says that it has begun (status 0) or ends before (1). In the daemon
 * *STARTER is where to say so; in the first process the function does not return. Standard error
 * stays open until then, for what may be in the way. Before any thread is made.
 */
int daemon_become(int *starter, struct error *err);

/* The daemon has begun. Closes *STARTER, which is -1 afterwards; -1 before: does nothing. */
int daemon_begun(int *starter, struct error *err);

/* The descriptors FIRST to LAST, of 0, 1 and 2, lead nowhere from now on. */
void descriptors_leave(int first, int last);

#endif
