/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"
#include "core/base/files.h"

const char *const hook_events[HOOK_EVENT_COUNT] = {
	[HOOK_NOTICE] = "notice",
	[HOOK_PRE_HIBERNATE] = "pre-hibernate",
	[HOOK_POST_RESUME] = "post-resume",
	[HOOK_FAILED] = "failed",
};

static const char *const leftover_endings[] = { "~", ".bak", ".old", ".orig", ".new", ".sample",
	".swp", ".rpmsave", ".rpmnew", ".rpmorig" };
static const char *const leftover_parts[] = { ".dpkg-", ".ucf-" };

/* One hook on its way. */
struct hook {
	const struct hooks *hooks;
	const char *event;
	const char *name;
	char *path;
};

static bool is_leftover(const char *name)
{
	if (*name == '.')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(leftover_endings); i++)
		if (text_ends(name, leftover_endings[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(leftover_parts); i++)
		if (strstr(name, leftover_parts[i]))
			return true;
	return false;
}

/* The name is whatever somebody could call a file, so it is made printable too. */
static void hook_log(const struct hook *hook, int priority, const char *text)
{
	memory_cleanup_free char *name = text_printable(hook->name, strlen(hook->name));

	reporter_log(hook->hooks->reporter, priority, "%s/%s: %s", hook->event, name, text);
}

/* The path need not be said again after the hook's name. */
static void hook_complain(const struct hook *hook, const char *what, const struct error *err)
{
	size_t length = strlen(hook->path);
	bool named = text_starts(err->text, hook->path) && err->text[length] == ' ';
	const char *said = err->text + (named ? length + 1 : 0);
	memory_cleanup_free char *shown = text_printable(said, strlen(said));
	memory_cleanup_free char *text = text_format("%s%s", what, shown);

	hook_log(hook, LOG_WARNING, text);
}

static const char *hooks_folder(const struct hooks *hooks)
{
	return hooks->folder ? hooks->folder : HOOKS_FOLDER;
}

/* Where a link leads in the end, as a path below the root. The caller frees it. */
static int link_target(const struct hook *hook, char **target, struct error *err)
{
	const struct root *root = hook->hooks->root;
	file_cleanup_close int fd = root_openat(root, hook->path, O_PATH, 0, err);
	memory_cleanup_free char *inside = text_format("%s/", hooks_folder(hook->hooks));
	char link[32], path[PATH_MAX];
	ssize_t length;

	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return error_errno(err, errno, "cannot follow %s%s", root->path, hook->path);
	path[length] = '\0';
	if (!text_starts(path, root->path) || !text_starts(path + strlen(root->path), inside))
		return error_set(err, EPERM, "%s%s leads out of %s%s, to %s", root->path,
			hook->path, root->path, hooks_folder(hook->hooks), path);
	*target = text_copy(path + strlen(root->path));
	return 0;
}

/*
 * 0 when only root can have put there what the hook's path names. It is run by that path, because a
 * script asks its $0 where it is: between this look and the start only root could change it, for
 * every folder on the way is root's.
 */
static int hook_check(const struct hook *hook, struct error *err)
{
	const struct root *root = hook->hooks->root;
	memory_cleanup_free char *target = NULL;
	const char *path = hook->path;
	struct stat status;
	file_cleanup_close int fd = trusted_open(root, path, err);
	file_cleanup_close int real = -1;
	int checked;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0 || !S_ISLNK(status.st_mode))
		return trusted_program(root, fd, path, err);
	checked = link_target(hook, &target, err);
	if (checked < 0)
		return checked;
	real = trusted_open(root, target, err);
	return real < 0 ? real : trusted_program(root, real, target, err);
}

static void take_line(void *data, const char *line)
{
	hook_log(data, LOG_INFO, line);
}

static int hook_execute(
	struct hook *hook, const struct hook_fact *facts, size_t fact_count, struct error *err)
{
	const struct hooks *hooks = hook->hooks;
	strings_cleanup struct strings environment = { 0 };
	struct process process = {
		.root = hooks->root,
		.arguments = (const char *const[]) { hook->path, NULL },
		.timeout_ms = hooks->timeout_ms,
		.grace_ms = hooks->timeout_ms < HOOK_GRACE_MS ? hooks->timeout_ms : HOOK_GRACE_MS,
		.reporter = hooks->reporter,
		.line = take_line,
		.data = hook,
	};

	strings_take(&environment, text_format("EC2HIB_EVENT=%s", hook->event));
	for (size_t i = 0; i < fact_count; i++)
		if (facts[i].value)
			strings_take(&environment,
				text_format("EC2HIB_%s=%s", facts[i].name, facts[i].value));
	strings_take(&environment, NULL);
	process.environment = (const char *const *)environment.items;
	return process_execute(&process, NULL, err);
}

static void hook_run(struct hook *hook, const struct hook_fact *facts, size_t fact_count,
	struct hooks_result *result)
{
	struct error err = { "" };
	int status = hook_check(hook, &err);

	if (status < 0) {
		result->refused++;
		hook_complain(hook, "refused: ", &err);
		return;
	}
	result->run++;
	status = hook_execute(hook, facts, fact_count, &err);
	if (status == 0)
		return;
	result->cancelled = status == -ECANCELED;
	result->failed++;
	if (result->failed == 1) {
		snprintf(result->first, sizeof(result->first), "%s", hook->name);
		result->reason = err;
	}
	hook_complain(hook, "", &err);
}

void hooks_run(const struct hooks *hooks, enum hook_event event, const struct hook_fact *facts,
	size_t fact_count, struct hooks_result *result)
{
	memory_cleanup_free char *folder =
		text_format("%s/%s", hooks_folder(hooks), hook_events[event]);
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	*result = (struct hooks_result) { 0 };
	if (root_list(hooks->root, folder, &names, &err) < 0) {
		result->refused++;
		reporter_log(hooks->reporter, LOG_WARNING, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < names.count && !result->cancelled; i++) {
		struct hook hook = { .hooks = hooks,
			.event = hook_events[event],
			.name = names.items[i],
			.path = text_format("%s/%s", folder, names.items[i]) };

		if (!is_leftover(hook.name))
			hook_run(&hook, facts, fact_count, result);
		free(hook.path);
	}
}
