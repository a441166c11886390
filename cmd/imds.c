/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib imds: the instance metadata service. */
#include "cmd/commands.h"

static const struct command *const subcommands[] = { &command_imds_get, &command_imds_serve, NULL };

const struct command command_imds = {
	.name = "imds",
	.subcommands = subcommands,
	.synopsis = "COMMAND [ARGUMENT...]",
	.summary = "ask the metadata service, or serve a simulated one",
};
