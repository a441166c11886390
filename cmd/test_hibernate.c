/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib test-hibernate: a hibernation rehearsed level by level; nothing is left behind. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/daemon.h"
#include "config.h"
#include "core/actions/rehearse.h"
#include "core/base/compiler.h"
#include "core/base/duration.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/json_view.h"
#include "ui/rehearsal_view.h"

/*
 * All tasks may stand still so long for the level image, while CLOCK_MONOTONIC goes on: systemd takes a service whose watchdog
 * is due meanwhile for hung, and its own have three minutes (journald, logind, udevd).
 */
#define TIMEOUT_STANDARD_MS 150000

/* Setup takes seconds. */
#define PATIENCE_MS 10000

#define ALL_LEVELS "all"

struct show {
	const struct invocation *invocation;
	json_t *levels; /* with --json */
};

static bool is_quiet(const struct show *show)
{
	return show->levels || option_given(show->invocation, "quiet");
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

/* ---- What is wanted ------------------------------------------------------------------------------- */

static int take_levels(const struct invocation *invocation, bool wanted[LEVEL_COUNT])
{
	const char *list = option_value(invocation, "level");
	strings_cleanup struct strings ids = { 0 };

	/* Without a list all that the machine comes back from by itself. */
	for (int level = 0; !list && level < LEVEL_CYCLE; level++)
		wanted[level] = true;
	strings_split(&ids, list ? list : "", ", ");
	for (size_t i = 0; i < ids.count; i++) {
		enum rehearsal_level level = rehearsal_level_find(ids.items[i]);
		bool all = text_equal(ids.items[i], ALL_LEVELS);

		if (level == LEVEL_COUNT && !all) {
			complain(
				"there is no level \"%s\"; ec2hib test-hibernate --help lists them",
				ids.items[i]);
			return EXIT_USAGE;
		}
		for (int each = 0; all && each < LEVEL_COUNT; each++)
			wanted[each] = true;
		if (!all)
			wanted[level] = true;
	}
	if (!list || ids.count)
		return 0;
	complain("--level names no level");
	return EXIT_USAGE;
}

static int take_timeout(const struct invocation *invocation, unsigned *timeout_ms)
{
	const char *text = option_value(invocation, "timeout");
	uint64_t ms = TIMEOUT_STANDARD_MS;

	if (text && (duration_parse(text, &ms) < 0 || ms == 0 || ms > UINT_MAX)) {
		complain("--timeout is no time: \"%s\"; write 150, 150s or 5min", text);
		return EXIT_USAGE;
	}
	*timeout_ms = (unsigned)ms;
	return 0;
}

/* Of the wanted levels that somebody has to agree to. */
static char *levels_to_ask(const bool wanted[LEVEL_COUNT])
{
	char *ids = NULL;

	for (int level = 0; level < LEVEL_COUNT; level++)
		if (wanted[level] && rehearsal_levels[level].warning)
			text_append(&ids, "%s%s", ids ? "," : "", rehearsal_levels[level].id);
	return ids;
}

static bool says_yes(const struct invocation *invocation, const bool wanted[LEVEL_COUNT])
{
	char answer[16] = "";

	for (int level = 0; level < LEVEL_COUNT; level++) {
		memory_cleanup_free char *text = NULL;

		if (!wanted[level] || !rehearsal_levels[level].warning)
			continue;
		text = text_format(
			"%s: %s", rehearsal_levels[level].id, rehearsal_levels[level].warning);
		style_wrap(&invocation->style, stdout, text, 0, 2);
	}
	printf("Go on? [y/N] ");
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		putchar('\n'); /* Ctrl-D leaves the cursor behind the question */
	return strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0;
}

/* 0 when all levels may be run. */
static int ask(const struct invocation *invocation, const bool wanted[LEVEL_COUNT])
{
	memory_cleanup_free char *ids = levels_to_ask(wanted);

	if (!ids || option_given(invocation, "yes"))
		return 0;
	if (!isatty(STDIN_FILENO) || option_given(invocation, "json")) {
		complain(
			"nothing was begun: without a question %s needs --yes; --level chooses others",
			ids);
		return EXIT_USAGE;
	}
	if (says_yes(invocation, wanted))
		return 0;
	puts("Nothing was begun.");
	return EXIT_NOT_READY;
}

/* ---- All of it --------------------------------------------------------------------------------------- */

static void show_json(json_t *levels, int status, const struct error *err)
{
	json_show(json_pack("{s:s, s:b, s:s?, s:o}", "ec2hib", PACKAGE_VERSION, "passed",
		status == 0, "error", status < 0 ? err->text : NULL, "levels", levels));
}

static int rehearse_here(const struct invocation *invocation, const struct session *session,
	const struct rehearsal *wanted)
{
	const struct gather gather = { .root = &session->root,
		.host = &session->host,
		.config = &session->config,
		.imds = &session->imds,
		.version = PACKAGE_VERSION,
		.config_path = session->config_path };
	struct show show = { .invocation = invocation,
		.levels = option_given(invocation, "json") ? json_array() : NULL };
	struct rehearsal rehearsal = *wanted;
	struct error err = { "" };
	int status;

	rehearsal.gather = &gather;
	rehearsal.data = &show;
	interrupt_catch();
	status = rehearse(&rehearsal, &err);
	if (show.levels)
		show_json(show.levels, status, &err);
	if (status == 0)
		return 0;
	complain("%s", err.text);
	return status == -ENOTSUP ? EXIT_UNKNOWN : EXIT_NOT_READY;
}

static int check(const struct session *session)
{
	if (!session->root.live) {
		complain("%s is an image: only the running machine can hibernate",
			session->root.path);
		return EXIT_USAGE;
	}
	if (geteuid() != 0) {
		complain("test-hibernate needs root: run it with sudo");
		return EXIT_NOT_READY;
	}
	return 0;
}

static int run(struct invocation *invocation)
{
	struct rehearsal rehearsal = { .keep_going = option_given(invocation, "keep-going"),
		.patience_ms = PATIENCE_MS,
		.log = show_line,
		.begin = show_begin,
		.end = show_end,
		.cancelled = interrupt_came };
	struct session session;
	int status = take_levels(invocation, rehearsal.wanted);

	if (status == 0)
		status = take_timeout(invocation, &rehearsal.timeout_ms);
	if (status != 0)
		return status;
	status = session_open(&session, invocation);
	if (status == 0)
		status = check(&session);
	if (status == 0)
		rehearsal_put_right(invocation, &session);
	if (status == 0)
		status = ask(invocation, rehearsal.wanted);
	if (status == 0)
		status = rehearse_here(invocation, &session, &rehearsal);
	session_close(&session);
	return status;
}

static const struct option_entry options[] = {
	{ "level", 'l', ARGUMENT_LEVELS, "LIST", NULL,
		"these levels, or all; without it all but cycle" },
	{ "timeout", 0, ARGUMENT_TEXT, "TIME", NULL, "how long image may take (150 s)" },
	{ "keep-going", 'k', ARGUMENT_NONE, NULL, NULL, "go on after a level that has failed" },
	{ "yes", 'y', ARGUMENT_NONE, NULL, NULL, "do not ask before levels that stop the machine" },
	{ "json", 0, ARGUMENT_NONE, NULL, NULL, "how each level went, as JSON" },
};

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
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.run = run,
};
