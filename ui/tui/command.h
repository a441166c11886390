/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A command of ec2hib that the dashboard runs: our own program as a child, which reads nothing and
 * whose output is kept. It is in a session of its own: what it does to the machine is not cut short
 * when the terminal or the dashboard goes.
 */
#ifndef EC2HIB_UI_TUI_COMMAND_H
#define EC2HIB_UI_TUI_COMMAND_H

#include <sys/types.h>

#include "core/base/error.h"
#include "core/base/stream.h"
#include "core/base/text.h"
#include "ui/tui/requests.h"

/* What can be run; the rows are given by cmd/, which knows the commands. */
struct action {
	enum request request;
	const char *title;
	const char *what;	      /* a sentence: what it does to the machine */
	const char *const *arguments; /* of ec2hib, NULL at the end */
	const char *const *plan;      /* shown before, changes nothing; NULL: there is none */
	bool needs_root;
	bool any_root; /* also of an image (--root), and not only of this machine */
	bool to_file;  /* its output goes into a file whose name is asked for */
};

/* More lines than that lose their first ones. */
#define COMMAND_LINES_MOST 5000

struct command_run {
	pid_t pid; /* 0: none runs */
	struct stream stream;
	struct strings lines; /* of its output, harmless for a terminal */
	size_t lost;	      /* so many lines of the beginning are gone */
	char *shown;	      /* as a person would type it */
	char *file;	      /* that its output went to; NULL: none */
	const struct action *action;
	bool is_plan;
	bool ended;
	int status; /* as waitpid(2) gave it */
};

/*
 * Starts PROGRAM (its path, then options that every command gets, NULL at the end) with ARGUMENTS.
 * FILE (NULL: none) must not exist yet. 0 or a negative errno.
 */
int command_start(struct command_run *run, const char *const *program, const char *const *arguments,
	const char *file, struct error *err);

/* What a person would type: "ec2hib --root /mnt setup --yes". The caller frees it. */
char *command_shown(const char *const *program, const char *const *arguments);

/* Takes what it said; to be called when its descriptor has something. */
void command_listen(struct command_run *run);

/* To be called on SIGCHLD. True when it has just ended. */
bool command_reap(struct command_run *run);

/* SIGTERM: every command ends cleanly after it. */
void command_stop(const struct command_run *run);

/* "succeeded", "failed with status 1"; the caller frees it. */
char *command_result(const struct command_run *run);

/* Forgets it; one that runs goes on. */
void command_free(struct command_run *run);

#endif
