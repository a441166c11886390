/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib history: past hibernations, from the history or from a kernel log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "config.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/kernel_log.h"
#include "core/rules/timeline.h"
#include "ui/history_view.h"
#include "ui/json_view.h"

struct history_options {
	bool json;
	const char *log;
};

#define OPTIONS struct history_options
static const struct option_row options[] = {
	OPT_FLAG("json", json, "the cycles as JSON"),
	OPT_TEXT("log", log, ARGUMENT_FILE, "FILE", "read a kernel log (- reads standard input)"),
};

/* The log of the running kernel has no end, as a saved one has. */
static int read_log(const struct session *session, const char *path, char **text, size_t *size,
	struct error *err)
{
	uint64_t last;
	int status;

	if (strcmp(path, KERNEL_LOG_PATH) != 0)
		return kernel_log_load(path, text, size, err);
	status = kernel_log_read(&session->host, 0, text, &last, err);
	if (status == 0)
		*size = strlen(*text);
	return status;
}

static int cycles_from_log(
	const struct session *session, const char *path, cycle_list *list, struct error *err)
{
	memory_cleanup_free char *log = NULL;
	timeline_list found = { 0 };
	size_t size;
	int status = read_log(session, path, &log, &size, err);

	if (status < 0)
		return status;
	timelines_parse(log, size, (unsigned long)sysconf(_SC_PAGESIZE), &found);
	list->is = FACT_KNOWN;
	list->count = found.count;
	list->items = memory_new(found.count, sizeof(*list->items));
	for (size_t i = 0; i < found.count; i++)
		cycle_take_timeline(&list->items[i], &found.items[i]);
	timelines_free(&found);
	return 0;
}

static void show_json(const cycle_list *list)
{
	json_t *object =
		json_pack("{s:s, s:o}", "ec2hib", PACKAGE_VERSION, "cycles", history_to_json(list));

	json_show(object);
}

/* No cycles: of the history that is an answer, in a log something was looked for. */
static int show_none(const struct invocation *invocation, const struct session *session)
{
	const struct history_options *wanted = invocation->options;
	const char *log = wanted->log;
	memory_cleanup_free char *path = NULL;

	if (log && !invocation->global.quiet)
		complain("no hibernation in %s", strcmp(log, "-") == 0 ? "standard input" : log);
	if (!log && !invocation->global.quiet && !wanted->json) {
		path = text_format(
			"%s%s/" HISTORY_NAME, session->root.path, session->config.state_dir);
		fputs("no hibernation so far (", stdout);
		style_print(stdout, path, strlen(path));
		puts(")");
	}
	return log ? EXIT_NOT_READY : EXIT_READY;
}

static int answer(
	const struct invocation *invocation, const struct session *session, const cycle_list *list)
{
	const struct history_options *wanted = invocation->options;

	if (wanted->json)
		show_json(list);
	if (list->count == 0)
		return show_none(invocation, session);
	if (wanted->json || invocation->global.quiet)
		return EXIT_READY;
	if (invocation->global.verbose)
		history_explain(list, &invocation->style);
	else
		history_show(list, &invocation->style);
	return EXIT_READY;
}

static int run(struct invocation *invocation, struct session *session)
{
	const struct history_options *wanted = invocation->options;
	const char *log = wanted->log;
	cycle_list list = { 0 };
	struct error err = { "" };
	int status;

	status = log ? cycles_from_log(session, log, &list, &err)
		     : history_read(&session->root, session->config.state_dir, &list, &err);
	if (status < 0) {
		complain("%s", err.text);
		status = log ? EXIT_USAGE : EXIT_NOT_READY;
	} else {
		status = answer(invocation, session, &list);
	}
	cycles_free(&list);
	return status;
}

const struct command command_history = {
	.name = "history",
	.synopsis = "[--json] [--log FILE]",
	.summary = "show past hibernations, or those in a kernel log",
	.details =
		"A line for each hibernation, newest last; -v shows all that is known of each.\n"
		"With --log the history is not looked at: FILE is a saved kernel log, such as\n"
		"/var/log/messages or the output of dmesg, or /dev/kmsg. The exit status is then\n"
		"1 when there is no hibernation in it, and 2 when it cannot be read.",
	COMMAND_OPTIONS(options),
	.needs = NEEDS_SESSION,
	.run = run,
};
