/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every command needs to begin: the root, the configuration, the metadata client's options. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "config.h"
#include "core/actions/rehearse.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/base/trusted.h"
#include "core/facts/gather.h"

static void config_complaint(void *data, const char *text)
{
	warn_user(data, "%s", text);
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

/* --config is a path outside of --root; the standard place is inside. */
static int read_config(const struct session *session, struct config *config,
	const struct invocation *invocation, struct error *err)
{
	const char *given = session->config_path;
	int status = check_config(session, err);

	if (status < 0)
		return status;
	status = config_read(config, given ? &session->host : &session->root,
		given ? given : CONFIG_PATH, config_complaint, (void *)(uintptr_t)invocation, err);
	return status == -ENOENT && !given ? 0 : status;
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

/* The working folder may be another one when it is read again. */
static int find_config(
	struct session *session, const struct invocation *invocation, struct error *err)
{
	const char *given = option_value(invocation, "config");

	if (!given)
		return 0;
	session->config_path = realpath(given, NULL);
	return session->config_path ? 0 : error_errno(err, errno, "cannot read %s", given);
}

int session_open(struct session *session, const struct invocation *invocation)
{
	const char *root = option_value(invocation, "root");
	struct error err = { "" };

	*session = (struct session) { .root = { .fd = -1 }, .host = { .fd = -1 } };
	config_init(&session->config);
	if (root_open(&session->host, "/", &err) < 0 ||
		root_open(&session->root, root ? root : "/", &err) < 0) {
		complain("%s", err.text);
		return EXIT_USAGE;
	}
	if (find_config(session, invocation, &err) < 0 ||
		read_config(session, &session->config, invocation, &err) < 0) {
		complain("%s", err.text);
		return EXIT_USAGE;
	}
	session->imds.endpoint = option_value(invocation, "imds-endpoint");
	if (imds_options_read(&session->imds, getenv, &err) < 0 ||
		(session->imds.endpoint && imds_endpoint_check(session->imds.endpoint, &err) < 0)) {
		complain("%s", err.text);
		return EXIT_USAGE;
	}
	return 0;
}

int session_set_area(struct session *session, const struct invocation *invocation)
{
	const char *file = option_value(invocation, "swapfile");
	const char *device = option_value(invocation, "swap-device");
	struct config *config = &session->config;
	struct error err = { "" };
	int status = 0;

	if (file)
		status = config_set(config, "swap", "swapfile", file, &err);
	if (file && status == 0)
		status = config_set(config, "swap", "swap-device", "", &err);
	if (device && status == 0)
		status = config_set(config, "swap", "swap-device", device, &err);
	if (status == 0)
		return 0;
	complain("--%s", err.text);
	return EXIT_USAGE;
}

void session_close(struct session *session)
{
	root_close(&session->root);
	root_close(&session->host);
	config_free(&session->config);
	free(session->config_path);
}

void session_gather(const struct session *session, struct facts *facts)
{
	const struct gather gather = { .root = &session->root,
		.host = &session->host,
		.config = &session->config,
		.imds = session->root.live ? &session->imds : NULL,
		.version = PACKAGE_VERSION,
		.config_path = session->config_path };

	facts_gather(facts, &gather);
}

void rehearsal_put_right(const struct invocation *invocation, const struct session *session)
{
	const struct gather gather = { .root = &session->root,
		.host = &session->host,
		.config = &session->config,
		.version = PACKAGE_VERSION };
	memory_cleanup_free char *said = NULL;
	struct error err = { "" };

	if (rehearsal_recover(&gather, &said, &err) < 0)
		complain("%s", err.text);
	if (said)
		warn_user(invocation, "%s", said);
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

static const char *name_of(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

json_t *saved_read(const char *path, struct error *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	FILE *file = standard_input ? stdin : fopen(path, "re");
	json_t *json;

	if (!file) {
		error_errno(err, errno, "cannot read %s", path);
		return NULL;
	}
	json = read_json(file, name_of(path), err);
	if (!standard_input)
		fclose(file);
	return json;
}

int saved_load(const char *path, struct facts *facts, struct config *config, struct error *err)
{
	json_t *json = saved_read(path, err);
	int status;

	if (!json)
		return -EINVAL;
	status = facts_load(facts, config, json, err);
	json_decref(json);
	return status < 0 ? error_prefix(err, status, "cannot use %s", name_of(path)) : 0;
}

bool saved_alone(const struct invocation *invocation)
{
	static const char *const of_a_machine[] = { "root", "config", "imds-endpoint" };

	for (size_t i = 0; i < ARRAY_SIZE(of_a_machine); i++)
		if (option_given(invocation, of_a_machine[i])) {
			complain(
				"--from and --%s exclude each other: saved facts have their own machine and configuration",
				of_a_machine[i]);
			return false;
		}
	return true;
}
