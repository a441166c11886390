/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/saved.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/facts/gather.h"

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
