/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib test-hibernate: a hibernation rehearsed level by level; nothing is left behind. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/daemon.h"
#include "config.h"
#include "core/actions/rehearse.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/json_view.h"
#include "ui/rehearsal_view.h"

/*
 * For so long may all tasks stand still for the level image. CLOCK_MONOTONIC goes on meanwhile, and
 * systemd takes a service whose watchdog becomes due for hung; its own have three minutes
 * (journald, logind, udevd).
 */
#define TIMEOUT_STANDARD_MS 150000

/* Setup takes seconds. */
#define PATIENCE_MS 10000

struct test_options {
	unsigned levels; /* bit N is level N */
	uint64_t timeout_ms;
	bool keep_going;
	bool yes;
	bool json;
};

/* All that the machine comes back from by itself. */
static const struct test_options defaults = { .levels = (1u << LEVEL_CYCLE) - 1,
	.timeout_ms = TIMEOUT_STANDARD_MS };

#define OPTIONS struct test_options
static const struct option_row options[] = {
	OPT_LEVELS("level", levels, "LIST", "these levels, or all; without it all but cycle",
		.letter = 'l'),
	OPT_AMOUNT("timeout", timeout_ms, ARGUMENT_DURATION, 1, UINT_MAX, "TIME",
		"how long image may take (150 s)"),
	OPT_FLAG("keep-going", keep_going, "go on after a level that has failed", .letter = 'k'),
	OPT_FLAG("yes", yes, "do not ask before levels that stop the machine", .letter = 'y'),
	OPT_FLAG("json", json, "how each level went, as JSON"),
};

struct show {
	const struct invocation *invocation;
	json_t *levels; /* with --json */
};

static bool is_quiet(const struct show *show)
{
	return show->levels || show->invocation->global.quiet;
}

static void show_line(void *data, int priority, const char *text)
{
	const struct show *show = data;

	if (priority <= LOG_WARNING) {
		warn_user(show->invocation, "%s", text);
	} else if (!is_quiet(show)) {
		fputs("  ", stdout);
		style_wrap(&show->invocation->style, stdout, text, 2, 2);
	}
	fflush(stdout);
}

static void show_begin(void *data, enum rehearsal_level level)
{
	const struct show *show = data;

	if (is_quiet(show))
		return;
	level_show(level, &show->invocation->style);
	if (level == LEVEL_CYCLE)
		puts("  the machine powers off now; start it again (on EC2: aws ec2 start-instances),\n  and this goes on. If it does not, run: ec2hib status");
	fflush(stdout);
}

static void show_end(void *data, const struct rehearsal_result *result)
{
	const struct show *show = data;

	if (show->levels)
		json_array_append_new(show->levels, result_to_json(result));
	else if (!is_quiet(show))
		result_show(result, &show->invocation->style);
	fflush(stdout);
}

/* Whether somebody has to agree to the level, and it is among those wanted. */
static bool asks(const struct test_options *wanted, int level)
{
	return (wanted->levels & (1u << level)) && rehearsal_levels[level].warning;
}

/* 0 when all levels that are wanted may be run. */
static int ask(const struct invocation *invocation)
{
	const struct test_options *wanted = invocation->options;
	memory_cleanup_free char *ids = NULL;

	for (int level = 0; level < LEVEL_COUNT; level++)
		if (asks(wanted, level))
			text_append(&ids, "%s%s", ids ? "," : "", rehearsal_levels[level].id);
	if (!ids || wanted->yes)
		return 0;
	if (!isatty(STDIN_FILENO) || wanted->json) {
		complain(
			"nothing was begun: without a question %s needs --yes; --level chooses others",
			ids);
		return EXIT_USAGE;
	}
	for (int level = 0; level < LEVEL_COUNT; level++)
		if (asks(wanted, level)) {
			memory_cleanup_free char *text = text_format("%s: %s",
				rehearsal_levels[level].id, rehearsal_levels[level].warning);

			style_wrap(&invocation->style, stdout, text, 0, 2);
		}
	if (ask_user("Go on?"))
		return 0;
	puts("Nothing was begun.");
	return EXIT_NOT_READY;
}

static void show_json(json_t *levels, int status, const struct error *err)
{
	json_show(json_pack("{s:s, s:b, s:s?, s:o}", "ec2hib", PACKAGE_VERSION, "passed",
		status == 0, "error", status < 0 ? err->text : NULL, "levels", levels));
}

static int run(struct invocation *invocation, struct session *session)
{
	const struct test_options *wanted = invocation->options;
	struct show show = { .invocation = invocation };
	const struct reporter reporter = { show_line, interrupt_came, &show };
	struct rehearsal rehearsal = { .gather = &session->gather,
		.keep_going = wanted->keep_going,
		.timeout_ms = (unsigned)wanted->timeout_ms,
		.patience_ms = PATIENCE_MS,
		.reporter = &reporter,
		.begin = show_begin,
		.end = show_end,
		.data = &show };
	struct error err = { "" };
	int status = ask(invocation);

	for (int level = 0; level < LEVEL_COUNT; level++)
		rehearsal.wanted[level] = wanted->levels & (1u << level);
	if (status != 0)
		return status;
	show.levels = wanted->json ? json_array() : NULL;
	interrupt_catch();
	status = rehearse(&rehearsal, &err);
	if (show.levels)
		show_json(show.levels, status, &err);
	if (status == 0)
		return 0;
	complain("%s", err.text);
	return status == -ENOTSUP ? EXIT_UNKNOWN : EXIT_NOT_READY;
}

const struct command command_test_hibernate = {
	.name = "test-hibernate",
	.synopsis = "[--level LIST|all] [--timeout TIME] [OPTION...]",
	.summary = "rehearse hibernation step by step, up to a whole cycle",
	.details =
		"The levels, each of which goes further: ready (the checks), hooks (with\n"
		"EC2HIB_TEST=1), freezer, devices, platform, processors, core (tests of the\n"
		"kernel, where it has them), image (a whole image is made, written to the swap\n"
		"area and read back), cycle (the machine powers off and has to come back). It\n"
		"ends at the first that fails. At no moment before cycle is there anything on the\n"
		"disk that a boot could resume. The exit status is 0 when none failed, 1 when one\n"
		"did, 2 for a wrong command line or when --yes is missing, 3 when none can be\n"
		"rehearsed here.",
	COMMAND_OPTIONS(options),
	.defaults = &defaults,
	.needs = NEEDS_SESSION | NEEDS_ROOT | NEEDS_METADATA | REPAIRS_LEFTOVERS,
	.only_live = "only the running machine can hibernate",
	.run = run,
};
