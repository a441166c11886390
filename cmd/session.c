/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every command needs to begin: the root, the configuration, the metadata client's options. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/command.h"
#include "config.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/base/files.h"

/* Whose configuration is read, and for which command line. */
struct reader {
	struct session *session;
	const struct invocation *invocation;
};

static void config_complaint(void *data, int priority, const char *text)
{
	const struct reader *reader = data;

	if (priority == LOG_ERR) {
		complain("%s", text);
		return;
	}
	reader->session->config_warnings++;
	warn_user(reader->invocation, "%s", text);
}

/*
 * What root does follows the configuration, so nobody else may write it. Of the file that --config
 * names root knows itself where it lies; an image's is as good as the image.
 */
static int check_config(const struct session *session, struct error *err)
{
	const char *given = session->config_path;
	const struct root *root = given ? &session->host : &session->root;
	const char *path = given ? given : CONFIG_PATH;
	file_cleanup_close int fd = -1;
	int status;

	if (geteuid() != 0 || !root->live)
		return 0;
	fd = given ? root_openat(root, path, O_PATH | O_NOFOLLOW, 0, err)
		   : trusted_open(root, path, err);
	if (fd == -ENOENT)
		return 0; /* whoever reads it will say so where it matters */
	status = fd < 0 ? fd : trusted_file(root, fd, path, err);
	return status < 0 ? error_prefix(err, status, "the configuration is not read") : 0;
}

/* What the command line gave for an option with a text; NULL: nothing. */
static const char *option_text(const struct invocation *invocation, const struct option_row *row)
{
	return *(const char **)((char *)invocation->options + row->offset);
}

/* Options of the command that say what a key of the configuration says otherwise. */
static int read_overrides(
	struct config *config, const struct invocation *invocation, struct error *err)
{
	const struct command *command = invocation->command;
	struct error cause = { "" };
	int status = 0;

	for (size_t i = 0; status == 0 && i < command->option_count; i++) {
		const struct option_row *row = &command->options[i];
		const char *value = row->section ? option_text(invocation, row) : NULL;

		if (!value)
			continue;
		status = config_set(config, row->section, row->name, value, &cause);
		if (status == 0 && row->clears)
			status = config_set(config, row->section, row->clears, "", &cause);
		if (status < 0)
			error_set(err, -status, "--%s", cause.text);
	}
	return status;
}

/* --config is a path outside of --root; the standard place is inside. */
static int read_config(struct session *session, struct config *config,
	const struct invocation *invocation, struct error *err)
{
	struct reader reader = { session, invocation };
	const struct reporter reporter = { .log = config_complaint, .data = &reader };
	const char *given = session->config_path;
	int status = check_config(session, err);

	if (status < 0)
		return status;
	status = config_read(config, given ? &session->host : &session->root,
		given ? given : CONFIG_PATH, &reporter, err);
	if (status < 0 && (status != -ENOENT || given))
		return status;
	return read_overrides(config, invocation, err);
}

int session_reload(struct session *session, const struct invocation *invocation, struct error *err)
{
	struct config fresh;
	int status;

	config_init(&fresh);
	status = read_config(session, &fresh, invocation, err);
	if (status < 0) {
		config_free(&fresh);
		return status;
	}
	config_free(&session->config);
	session->config = fresh;
	return 0;
}

/* ---- A machine --------------------------------------------------------------------------- */

static int open_machine(
	struct session *session, const struct invocation *invocation, struct error *err)
{
	const struct global_options *global = &invocation->global;
	const char *root = global->root ? global->root : "/";

	if (root_open(&session->host, "/", err) < 0 || root_open(&session->root, root, err) < 0)
		return -EINVAL;
	/* The working folder may be another one when it is read again. */
	session->config_path = global->config ? realpath(global->config, NULL) : NULL;
	if (global->config && !session->config_path)
		return error_errno(err, errno, "cannot read %s", global->config);
	if (read_config(session, &session->config, invocation, err) < 0)
		return -EINVAL;
	session->imds.endpoint = global->imds_endpoint;
	if (imds_options_read(&session->imds, getenv, err) < 0 ||
		(session->imds.endpoint && imds_endpoint_check(session->imds.endpoint, err) < 0))
		return -EINVAL;
	session->gather = (struct gather) { .root = &session->root,
		.host = &session->host,
		.config = &session->config,
		.imds = (invocation->needs & NEEDS_METADATA) && session->root.live ? &session->imds
										   : NULL,
		.version = PACKAGE_VERSION,
		.config_path = session->config_path };
	return 0;
}

/* ---- Saved facts ------------------------------------------------------------------------- */

/* The JSON in an open FILE, which messages call NAME; NULL with an error. */
static json_t *read_json(FILE *file, const char *name, struct error *err)
{
	json_error_t where;
	json_t *json;

	errno = 0;
	json = json_loadf(file, JSON_REJECT_DUPLICATES, &where);
	if (!json && ferror(file))
		error_errno(err, errno ? errno : EIO, "cannot read %s", name);
	else if (!json)
		error_set(err, EINVAL, "cannot read %s: line %d: %s", name, where.line, where.text);
	return json;
}

static int open_saved(struct session *session, const struct invocation *invocation,
	const struct option_row *row, const char *path, struct error *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	FILE *file;

	if (standard_input && invocation->command->terminal)
		return error_set(err, EINVAL, "--%s needs a file: standard input is the keyboard",
			row->name);
	file = standard_input ? stdin : fopen(path, "re");
	if (!file)
		return error_errno(err, errno, "cannot read %s", path);
	session->saved_name = standard_input ? "standard input" : path;
	session->saved = read_json(file, session->saved_name, err);
	if (!standard_input)
		fclose(file);
	return session->saved ? 0 : -EINVAL;
}

/* ---- Both -------------------------------------------------------------------------------- */

int session_open(struct session *session, const struct invocation *invocation)
{
	const struct command *command = invocation->command;
	const struct option_row *saved = NULL;
	const char *path = NULL;
	struct error err = { "" };
	int status;

	*session = (struct session) { .root = { .fd = -1 }, .host = { .fd = -1 } };
	config_init(&session->config);
	for (size_t i = 0; !path && i < command->option_count; i++) {
		saved = &command->options[i];
		path = saved->kind == ARGUMENT_SAVED ? option_text(invocation, saved) : NULL;
	}
	status = path ? open_saved(session, invocation, saved, path, &err)
		      : open_machine(session, invocation, &err);
	if (status == 0)
		return 0;
	complain("%s", err.text);
	return EXIT_USAGE;
}

void session_close(struct session *session)
{
	root_close(&session->root);
	root_close(&session->host);
	config_free(&session->config);
	free(session->config_path);
	json_decref(session->saved);
}

int session_facts(struct session *session, struct facts *facts, struct error *err)
{
	int status;

	if (!session->saved) {
		facts_gather(facts, &session->gather);
		return 0;
	}
	config_free(&session->config);
	status = facts_load(facts, &session->config, session->saved, err);
	return status < 0 ? error_prefix(err, status, "cannot use %s", session->saved_name) : 0;
}
