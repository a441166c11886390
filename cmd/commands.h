/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of this folder export to the command table. */
#ifndef EC2HIB_CMD_COMMANDS_H
#define EC2HIB_CMD_COMMANDS_H

#include "cmd/command.h"

extern const struct command command_complete;
extern const struct command command_help;
extern const struct command command_hibernate;
extern const struct command command_history;
extern const struct command command_imds;
extern const struct command command_imds_get;
extern const struct command command_imds_serve;
extern const struct command command_prewarm;
extern const struct command command_setup;
extern const struct command command_shell;
extern const struct command command_status;
extern const struct command command_teardown;
extern const struct command command_test_hibernate;
extern const struct command command_tui;
extern const struct command command_version;
extern const struct command command_watch;

#endif
