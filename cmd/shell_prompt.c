/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/shell_prompt.h"

#include <signal.h>
#include <sys/wait.h>

#include "cmd/shell_child.h"
#include "core/base/memory.h"
#include "ui/line_editor.h"

static const struct saying {
	const char *text;
	enum colour colour;
} sayings[] = {
	[EXIT_READY] = { "ready", COLOUR_GOOD },
	[EXIT_NOT_READY] = { "not ready", COLOUR_BAD },
	/* Why is said by status itself. */
	[EXIT_USAGE] = { "cannot tell", COLOUR_RISK },
	[EXIT_UNKNOWN] = { "cannot tell", COLOUR_RISK },
};

static void begin(struct shell_prompt *prompt)
{
	strings_cleanup struct strings status = { 0 };
	struct error err = { "" };
	pid_t child;

	strings_add(&status, "status");
	strings_add(&status, "--quiet");
	child = shell_child_start(&(struct shell_child) { .options = prompt->options,
					  .arguments = &status,
					  .aside = true,
					  .output = -1 },
		&err);
	prompt->again = false;
	prompt->child = child > 0 ? child : 0;
	if (child < 0)
		prompt->known = false;
}

void shell_prompt_look(struct shell_prompt *prompt)
{
	if (prompt->child)
		prompt->again = true;
	else
		begin(prompt);
}

bool shell_prompt_take(struct shell_prompt *prompt)
{
	struct shell_prompt before = *prompt;
	int status;

	if (!prompt->child || waitpid(prompt->child, &status, WNOHANG) != prompt->child)
		return false;
	status = shell_child_status(status);
	prompt->child = 0;
	prompt->known = true;
	prompt->readiness = status > EXIT_UNKNOWN ? EXIT_UNKNOWN : (enum exit_status)status;
	if (prompt->again)
		begin(prompt);
	return before.known != prompt->known || before.readiness != prompt->readiness;
}

char *shell_prompt_text(const struct shell_prompt *prompt)
{
	const struct saying *saying = &sayings[prompt->readiness];
	const struct style *style = &prompt->invocation->style;
	const char *root = option_value(prompt->invocation, "root");
	memory_cleanup_free char *shown = root ? style_text(root) : NULL;
	memory_cleanup_free char *word = NULL;

	if (!prompt->known)
		return text_format("ec2hib%s%s> ", shown ? " " : "", shown ? shown : "");
	word = line_editor_coloured(saying->text, style_colour(style, saying->colour),
		style_colour(style, COLOUR_PLAIN));
	return text_format("ec2hib%s%s [%s]> ", shown ? " " : "", shown ? shown : "", word);
}

void shell_prompt_close(struct shell_prompt *prompt)
{
	if (prompt->child)
		kill(prompt->child, SIGTERM);
	prompt->child = 0;
}
