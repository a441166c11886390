/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib check-config: is there something wrong in a configuration, before it counts. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/command.h"
#include "core/base/text.h"

/* The file that was looked at, as messages name it; the caller frees it. */
static char *shown_file(const struct session *session)
{
	if (session->config_path)
		return text_copy(session->config_path);
	return root_shown(&session->root, CONFIG_PATH);
}

static int run(struct invocation *invocation, struct session *unused UNUSED)
{
	struct session session;
	char *file;
	int status;

	if (invocation->operand_count > 1) {
		complain("check-config takes one FILE");
		return EXIT_USAGE;
	}
	if (invocation->operand_count)
		invocation->global.config = invocation->operands[0];
	status = session_open(&session, invocation);
	if (status == 0) {
		file = shown_file(&session);
		if (!session.config_path && !root_exists(&session.root, CONFIG_PATH))
			printf("%s is not there: the defaults apply\n", file);
		else if (session.config_warnings)
			printf("%s: no errors, %u warning%s\n", file, session.config_warnings,
				session.config_warnings == 1 ? "" : "s");
		else
			printf("%s: no errors\n", file);
		free(file);
		status = session.config_warnings ? EXIT_NOT_READY : 0;
	}
	session_close(&session);
	return status;
}

const struct command command_check_config = {
	.name = "check-config",
	.synopsis = "[FILE]",
	.summary = "say what is wrong in a configuration",
	.details =
		"Without FILE it is the one that --config names, or /etc/ec2hib.conf. All errors\n"
		"and warnings are printed, with file and line. The exit status is 0, 1 when there\n"
		"are warnings, and 2 when there are errors.",
	.operands = ARGUMENT_FILE,
	.run = run,
};
