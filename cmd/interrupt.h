/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ctrl-C and SIGTERM end the work between two steps, or where a step can stop cleanly. */
#ifndef EC2HIB_CMD_INTERRUPT_H
#define EC2HIB_CMD_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT, SIGTERM and SIGHUP only make interrupt_came() true. */
void interrupt_catch(void);

/* In the form that actions ask for; DATA is not used. */
bool interrupt_came(void *data);

#endif
