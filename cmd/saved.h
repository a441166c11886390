/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Saved facts (--from): nothing of this machine counts, its configuration and environment neither.
 */
#ifndef EC2HIB_CMD_SAVED_H
#define EC2HIB_CMD_SAVED_H

#include "cmd/command.h"
#include "core/facts/facts.h"

/* The JSON of the file PATH (- is standard input), or NULL with an error; json_decref() ends it. */
json_t *saved_read(const char *path, struct error *err);

/* Reads the file PATH (- is standard input) that status --json wrote. 0 or a negative errno. */
int saved_load(const char *path, struct facts *facts, struct config *config, struct error *err);

/* False after a message: an option is given that is about a machine. */
bool saved_alone(const struct invocation *invocation);

#endif
