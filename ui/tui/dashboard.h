/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The dashboard: what is so, what is going on, and the commands that change it, on a whole
 * terminal.
 *
 * One poll loop that waits for nothing else: facts are gathered, and the metadata service polled,
 * by workers (ui/tui/worker.h); the state files of the agent and of a pre-warm are followed with
 * inotify(7).
 */
#ifndef EC2HIB_UI_TUI_DASHBOARD_H
#define EC2HIB_UI_TUI_DASHBOARD_H

#include "core/facts/gather.h"
#include "ui/tui/command.h"

struct dashboard_settings {
	bool colour;
	const char *version;
	const char *endpoint; /* of the metadata service; NULL: it is not polled */
	const char *from;     /* the file of saved facts, or the image's folder; "" */
	bool root;	      /* we are root */

	/* Saved facts, as model_take_saved() wants them; NULL: they are gathered. */
	json_t *saved;

	/* Below which the state files are; NULL with saved facts. */
	const struct root *state;

	/*
	 * Each runs in a child of its own and writes lines to FD: GATHER one that
	 * model_take_facts() understands, and ends; POLL_SERVICE runs service_poll() as long as
	 * somebody reads. NULL: there is nothing to gather, no service to poll.
	 */
	void (*gather)(void *data, int fd);
	void (*poll_service)(void *data, int fd);

	int64_t (*now)(void *data); /* seconds since 1970 */
	void *data;		    /* of these functions */

	/* The program as command_start() wants it, and what can be run. */
	const char *const *program;
	const struct action *actions;
	size_t action_count;
};

/*
 * Takes the terminal until the user leaves, or SIGTERM, SIGINT or SIGHUP comes. *LEFT (the caller
 * frees it) is a command that is still running then, or NULL. 0; -EINVAL
 * when the saved facts are none; another negative errno.
 */
int dashboard_run(const struct dashboard_settings *settings, char **left, struct error *err);

#endif
