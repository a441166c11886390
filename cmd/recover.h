/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a rehearsal that was cut short has left is put right by whoever comes next. */
#ifndef EC2HIB_CMD_RECOVER_H
#define EC2HIB_CMD_RECOVER_H

#include "cmd/command.h"

/*
 * Looks for one, and says on standard error what was found. Nothing on an image, and for who is not
 * root. Not while a lock is held.
 */
void rehearsal_put_right(const struct invocation *invocation, const struct session *session);

#endif
