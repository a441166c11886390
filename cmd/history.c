/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib history: past hibernations, from the history or from a kernel log. */
#include <errno.h>
#include <limits.h>
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
	bool journal;
	const char *boot;
};

#define OPTIONS struct history_options
static const struct option_row options[] = {
	OPT_FLAG("json", json, "the cycles as JSON"),
	OPT_TEXT("log", log, ARGUMENT_FILE, "FILE", "read a kernel log (- reads standard input)"),
	OPT_FLAG("journal", journal, "read the journal of this machine"),
	OPT_TEXT("boot", boot, ARGUMENT_TEXT, "NUMBER",
		"of one boot: 0 is the running one, -1 the one before", .follows = "journal"),
};

static void take_piece(void *data, const char *bytes, size_t size)
{
	timelines_feed(data, bytes, size);
}

/* The log of the running kernel has no end, as a saved one has. */
static int read_log(const struct session *session, const char *path, struct timelines *timelines,
	struct error *err)
{
	memory_cleanup_free char *text = NULL;
	uint64_t last;
	int status;

	if (strcmp(path, KERNEL_LOG_PATH) != 0)
		return kernel_log_scan(path, take_piece, timelines, err);
	status = kernel_log_read(&session->host, 0, &text, &last, err);
	if (status == 0)
		timelines_feed(timelines, text, strlen(text));
	return status;
}

static int read_journal(const char *boot, struct timelines *timelines, struct error *err)
{
	bool before = boot && *boot == '-';
	uint64_t number = 0;
	int back;

	if (boot && (number_parse(boot + before, &number) < 0 || number > INT_MAX ||
			    (number && !before)))
		return error_set(err, EINVAL,
			"--boot: \"%s\" is not the number of a boot (examples: 0, -1)", boot);
	back = -(int)number;
	return kernel_journal_scan(boot ? &back : NULL, take_piece, timelines, err);
}

static int cycles_from_log(const struct invocation *invocation, const struct session *session,
	cycle_list *list, struct log_account *account, struct error *err)
{
	const struct history_options *wanted = invocation->options;
	struct timelines *timelines = timelines_begin((unsigned long)sysconf(_SC_PAGESIZE));
	timeline_list found = { 0 };
	int status = wanted->log ? read_log(session, wanted->log, timelines, err)
				 : read_journal(wanted->boot, timelines, err);

	timelines_end(timelines, &found, account);
	list->is = FACT_KNOWN;
	list->count = found.count;
	list->items = memory_new(found.count, sizeof(*list->items));
	for (size_t i = 0; i < found.count; i++) {
		cycle_take_timeline(&list->items[i], &found.items[i]);
		layout_settle(&cycle_layout, &list->items[i]);
	}
	timelines_free(&found);
	return status;
}

/* What a reader should know of how the log was read. */
static void say_account(const struct invocation *invocation, const struct log_account *account)
{
	if (account->backwards)
		warn_user(
			invocation, "the log has its newest line first; it was read from its end");
	if (account->out_of_order)
		warn_user(invocation,
			"parts of the log were not in the order of time; they were put into it");
	if (account->unread)
		warn_user(invocation,
			"%llu %s about hibernation could not be read; the first is: %s",
			(unsigned long long)account->unread,
			account->unread == 1 ? "line" : "lines", account->first);
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
	const char *log = wanted->journal ? "the journal" : wanted->log;
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
	bool log = wanted->log || wanted->journal;
	cycle_list list = { 0 };
	struct log_account account = { 0 };
	struct error err = { "" };
	int status;

	status = log ? cycles_from_log(invocation, session, &list, &account, &err)
		     : history_read(&session->root, session->config.state_dir, &list, &err);
	if (status < 0) {
		complain("%s", err.text);
		status = log ? EXIT_USAGE : EXIT_NOT_READY;
	} else {
		say_account(invocation, &account);
		status = answer(invocation, session, &list);
	}
	cycles_free(&list);
	return status;
}

const struct command command_history = {
	.name = "history",
	.synopsis = "[--json] [--log FILE | --journal [--boot NUMBER]]",
	.summary = "show past hibernations, or those in a kernel log",
	.details =
		"A line for each hibernation, newest last; -v shows all that is known of each.\n"
		"With --log the history is not looked at: FILE is a saved kernel log, such as\n"
		"/var/log/messages, the output of dmesg or journalctl in any form, or /dev/kmsg.\n"
		"The exit status is then 1 when there is no hibernation in it, and 2 when it\n"
		"cannot be read.",
	COMMAND_OPTIONS(options),
	.exclusive = { "log journal" },
	.needs = NEEDS_SESSION,
	.run = run,
};
