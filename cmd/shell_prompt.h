/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shell's prompt, which says whether the machine is ready. That is found out by a child, aside:
 * nobody waits for a metadata service to be able to type.
 */
#ifndef EC2HIB_CMD_SHELL_PROMPT_H
#define EC2HIB_CMD_SHELL_PROMPT_H

#include <stdbool.h>
#include <sys/types.h>

#include "cmd/command.h"
#include "core/base/text.h"

struct shell_prompt {
	const struct invocation *invocation;
	const struct strings *options; /* of every command */
	pid_t child;		       /* that looks; 0: none */
	bool again;		       /* something may have changed since it began */
	bool known;
	enum exit_status readiness;
};

/* Begins to find out anew, unless that is under way: then once more after it. */
void shell_prompt_look(struct shell_prompt *prompt);

/* Takes what a child that has ended found. True when the prompt says something else than before. */
bool shell_prompt_take(struct shell_prompt *prompt);

/* The caller frees it. */
char *shell_prompt_text(const struct shell_prompt *prompt);

/* Ends the child. */
void shell_prompt_close(struct shell_prompt *prompt);

#endif
