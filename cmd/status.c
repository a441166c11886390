/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib status: can this instance hibernate, and why not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "config.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/gather.h"
#include "ui/json_view.h"
#include "ui/status_view.h"

static const struct option_entry options[] = {
	{ "json", 0, ARGUMENT_NONE, NULL, NULL, "facts and checks as JSON" },
	{ "from", 0, ARGUMENT_FILE, "FILE", NULL, "evaluate saved facts (- reads standard input)" },
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
static char *options_of_machine(const struct invocation *invocation)
{
	static const char *const names[] = { "root", "config" };
	char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (option_given(invocation, names[i]))
			text_append(&text, "%s--%s %s", text ? " " : "", names[i],
				option_value(invocation, names[i]));
	return text;
}

static int answer(
	struct invocation *invocation, const struct facts *facts, const struct config *config)
{
	memory_cleanup_free char *options_text = options_of_machine(invocation);
	struct report report;
	int status;

	report_make(&report, (const char *const *)invocation->operands, facts, config);
	if (option_given(invocation, "json"))
		show_json(&report, facts, config);
	else if (option_given(invocation, "verbose"))
		report_explain(&report, options_text, &invocation->style);
	else if (!option_given(invocation, "quiet"))
		report_show(&report, options_text, &invocation->style);
	status = exit_status_of(&report);
	report_free(&report);
	return status;
}

/* Saved facts: nothing of this machine counts, its configuration and environment neither. */
static int run_saved(struct invocation *invocation, const char *from)
{
	struct config config = { 0 };
	struct facts facts = { 0 };
	struct error err = { "" };
	int status;

	if (!saved_alone(invocation))
		return EXIT_USAGE;
	if (saved_load(from, &facts, &config, &err) < 0) {
		complain("%s", err.text);
		status = EXIT_USAGE;
	} else {
		status = answer(invocation, &facts, &config);
	}
	facts_free(&facts);
	config_free(&config);
	return status;
}

static int run_here(struct invocation *invocation)
{
	struct session session;
	struct facts facts = { 0 };
	int status = session_open(&session, invocation);

	if (status == 0) {
		rehearsal_put_right(invocation, &session);
		session_gather(&session, &facts);
		status = answer(invocation, &facts, &session.config);
	}
	facts_free(&facts);
	session_close(&session);
	return status;
}

static int run(struct invocation *invocation)
{
	const char *from = option_value(invocation, "from");

	for (int i = 0; i < invocation->operand_count; i++)
		if (!check_find(invocation->operands[i])) {
			complain("there is no check \"%s\"; ec2hib status lists them",
				invocation->operands[i]);
			return EXIT_USAGE;
		}
	return from ? run_saved(invocation, from) : run_here(invocation);
}

const struct command command_status = {
	.name = "status",
	.synopsis = "[--json] [--from FILE] [CHECK...]",
	.summary = "tell whether this instance can hibernate, and why not",
	.details =
		"Without CHECK all checks run; -v explains each. The exit status is 0 when the\n"
		"machine is ready, 1 when it is not, 2 for a wrong command line, and 3 when that\n"
		"could not be told (often: not run as root). With CHECK it says so of just those.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.operands = ARGUMENT_CHECK,
	.run = run,
};
