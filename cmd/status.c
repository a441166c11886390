/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib status: can this instance hibernate, and why not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "config.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/gather.h"
#include "ui/json_view.h"
#include "ui/status_view.h"

struct status_options {
	bool json;
	bool describe;
	const char *from;
};

#define OPTIONS struct status_options
static const struct option_row options[] = {
	OPT_FLAG("json", json, "facts and checks as JSON"),
	OPT_FLAG("describe", describe, "say what each fact of --json is",
		.lifts = NEEDS_SESSION | REPAIRS_LEFTOVERS),
	OPT_TEXT("from", from, ARGUMENT_SAVED, "FILE",
		"evaluate saved facts (- reads standard input)"),
};

static void show_json(
	const struct report *report, const struct facts *facts, const struct config *config)
{
	enum readiness readiness = readiness_of(report->findings, report->count);
	json_t *saved = facts_save(facts, config);
	/* A few checks cannot call a machine ready. */
	json_t *answer = json_pack("{s:s, s:s?, s:o}", "ec2hib", PACKAGE_VERSION, "readiness",
		report_is_whole(report) ? readiness_name(readiness) : NULL, "checks",
		report_to_json(report));

	json_object_update(answer, saved);
	json_decref(saved);
	json_show(answer);
}

/* Of chosen checks each answer counts, also those that readiness can do without. */
static int exit_status_of_chosen(const struct report *report)
{
	int status = EXIT_READY;

	for (size_t i = 0; i < report->count; i++) {
		if (report->findings[i].state == CHECK_FAIL)
			return EXIT_NOT_READY;
		if (report->findings[i].state == CHECK_UNKNOWN)
			status = EXIT_UNKNOWN;
	}
	return status;
}

static int exit_status_of(const struct report *report)
{
	static const int statuses[] = { [READY] = EXIT_READY,
		[NOT_READY] = EXIT_NOT_READY,
		[READINESS_UNKNOWN] = EXIT_UNKNOWN };

	if (!report_is_whole(report))
		return exit_status_of_chosen(report);
	return statuses[readiness_of(report->findings, report->count)];
}

/* What a command needs to look at the same machine with the same configuration, or NULL. */
static char *options_of_machine(const struct global_options *global)
{
	char *text = NULL;

	if (global->root)
		text_append(&text, "--root %s", global->root);
	if (global->config)
		text_append(&text, "%s--config %s", text ? " " : "", global->config);
	return text;
}

/* Of this program, whatever the machine. */
static int describe(const struct invocation *invocation, bool as_json)
{
	json_t *facts;

	if (invocation->operand_count) {
		complain("status --describe takes no check: it is about the facts");
		return EXIT_USAGE;
	}
	facts = layout_describe(&facts_layout);
	if (as_json) {
		json_show(json_pack("{s:s, s:o}", "ec2hib", PACKAGE_VERSION, "facts", facts));
	} else {
		facts_describe(facts, &invocation->style);
		json_decref(facts);
	}
	return 0;
}

/*
 * A file that could not be looked at counts as missing in the facts: then nothing is sure. Who is not
 * root may look at less, and the facts say so themselves.
 */
static int doubt(const struct invocation *invocation, const struct session *session, int status)
{
	struct error err = { "" };

	if (geteuid() != 0 || root_check_seen(&session->root, &err) == 0)
		return status;
	warn_user(invocation, "%s: what follows from that file is not known", err.text);
	return status == EXIT_READY ? EXIT_UNKNOWN : status;
}

static int run(struct invocation *invocation, struct session *session)
{
	memory_cleanup_free char *machine = options_of_machine(&invocation->global);
	const struct status_options *wanted = invocation->options;
	struct facts facts = { 0 };
	struct report report;
	struct error err = { "" };
	int status;

	if (wanted->describe)
		return describe(invocation, wanted->json);
	if (session_facts(session, &facts, &err) < 0) {
		complain("%s", err.text);
		facts_free(&facts);
		return EXIT_USAGE;
	}
	report_make(&report, (const char *const *)invocation->operands, &facts, &session->config);
	if (wanted->json)
		show_json(&report, &facts, &session->config);
	else if (invocation->global.verbose)
		report_explain(&report, machine, &invocation->style);
	else if (!invocation->global.quiet)
		report_show(&report, machine, &invocation->style);
	status = doubt(invocation, session, exit_status_of(&report));
	report_free(&report);
	facts_free(&facts);
	return status;
}

const struct command command_status = {
	.name = "status",
	.synopsis = "[--json] [--from FILE] [CHECK...] | --describe [--json]",
	.summary = "tell whether this instance can hibernate, and why not",
	.details =
		"Without CHECK all checks run; -v explains each. The exit status is 0 when the\n"
		"machine is ready, 1 when it is not, 2 for a wrong command line, and 3 when that\n"
		"could not be told (often: not run as root). With CHECK it says so of just those.\n"
		"--describe says of each fact what it is, its type and its unit.",
	COMMAND_OPTIONS(options),
	.exclusive = { "describe from" },
	.operands = ARGUMENT_CHECK,
	.needs = NEEDS_SESSION | NEEDS_METADATA | REPAIRS_LEFTOVERS,
	.run = run,
};
