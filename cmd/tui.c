/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib tui: the dashboard. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/command.h"
#include "config.h"
#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"
#include "core/facts/gather.h"
#include "core/facts/kernel_log.h"
#include "core/rules/timeline.h"
#include "ui/history_view.h"
#include "ui/tui/worker.h"
#include "ui/tui/dashboard.h"
#include "ui/tui/service.h"

/* For tests alone; the manual page has them. */
#define CLOCK_VARIABLE	 "EC2HIB_TUI_CLOCK"   /* a point in time that never passes */
#define PROGRAM_VARIABLE "EC2HIB_TUI_PROGRAM" /* what is run in place of ec2hib */

/* What the agent logged is asked of the journal; so long it may take, ms. */
#define JOURNAL_TIMEOUT_MS 5000
#define JOURNAL_LINES	   "200"

struct tui_options {
	const char *from;
};

#define OPTIONS struct tui_options
static const struct option_row options[] = {
	OPT_TEXT("from", from, ARGUMENT_SAVED, "FILE", "show saved facts"),
};

/* ---- What can be run ---- */

#define WORDS(...) ((const char *const[]) { __VA_ARGS__, NULL })

static const struct action actions[] = {
	{ .request = REQUEST_SET_UP,
		.title = "set up",
		.what = "Sets up what hibernation needs and this machine lacks, step by step.",
		.arguments = WORDS("setup", "--yes"),
		.plan = WORDS("setup", "--dry-run"),
		.needs_root = true,
		.any_root = true },
	{ .request = REQUEST_PREWARM,
		.title = "pre-warm",
		.what = "Touches every block of the swap area, so that a hibernation need not wait for it. Nothing is changed.",
		.arguments = WORDS("prewarm"),
		.needs_root = true },
	{ .request = REQUEST_PREWARM_STOP,
		.title = "stop the pre-warm",
		.what = "Stops the pre-warm that is running; the next one continues where it stopped.",
		.arguments = WORDS("prewarm", "--stop"),
		.needs_root = true },
	{ .request = REQUEST_DRY_RUN,
		.title = "dry-run the agent",
		.what = "Asks the metadata service once and acts on a notice, hooks included, but does not hibernate.",
		.arguments = WORDS("watch", "--once", "--dry-run"),
		.needs_root = true },
	{ .request = REQUEST_HIBERNATE,
		.title = "hibernate now",
		.what = "This machine writes its memory to the swap area and powers off.",
		.arguments = WORDS("hibernate"),
		.needs_root = true },
	{ .request = REQUEST_SAVE,
		.title = "save the facts",
		.what = "Writes facts and checks as JSON into a new file: ec2hib tui --from shows them on any machine.",
		.arguments = WORDS("status", "--json"),
		.any_root = true,
		.to_file = true },
	{ .request = REQUEST_TEST,
		.title = "test hibernation",
		.what = "Rehearses a hibernation level by level. At some of them the machine stops responding for a while; it does not power off.",
		.arguments = WORDS("test-hibernate", "--yes"),
		.needs_root = true },
};

/* ---- In the child that gathers ---- */

struct here {
	const struct session *session;
	int64_t clock; /* of the tests; 0: the real one */
};

static json_t *history_of(const struct here *here, bool *of_log, struct error *err)
{
	const struct session *session = here->session;
	memory_cleanup_free char *log = NULL;
	struct error ignored = { "" };
	timeline_list found = { 0 };
	cycle_list list = { 0 };
	uint64_t last;
	json_t *json = NULL;

	if (history_read(&session->root, session->config.state_dir, &list, err) == 0) {
		/* Without a history the kernel may remember; often only root may ask it. */
		if (list.count == 0 &&
			kernel_log_read(&session->root, 0, &log, &last, &ignored) == 0) {
			timelines_parse(
				log, strlen(log), (unsigned long)sysconf(_SC_PAGESIZE), &found);
			for (size_t i = 0; i < found.count; i++)
				cycle_take_timeline(facts_add(&list), &found.items[i]);
			*of_log = list.count > 0;
		}
		json = history_to_json(&list);
	}
	timelines_free(&found);
	cycles_free(&list);
	return json;
}

/* What the journal has of us; nothing where there is none. */
static json_t *journal_of(const struct here *here)
{
	static const char *const arguments[] = { "journalctl", "-q", "--no-pager", "--utc", "-t",
		"ec2hib", "-o", "short-iso", "-n", JOURNAL_LINES, NULL };
	memory_cleanup_free char *text = NULL;
	strings_cleanup struct strings lines = { 0 };
	json_t *array = json_array();
	struct error err = { "" };

	if (!here->session->root.live ||
		process_run(&here->session->root, arguments, JOURNAL_TIMEOUT_MS, &text, &err) < 0)
		return array;
	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++)
		json_array_append_new(array, json_string(lines.items[i]));
	return array;
}

static void gather(void *data, int fd)
{
	const struct here *here = data;
	memory_cleanup_free char *line = NULL;
	struct facts facts = { 0 };
	struct error err = { "" };
	bool of_log = false;
	json_t *answer, *history;

	facts_gather(&facts, &here->session->gather);
	answer = facts_save(&facts, &here->session->config);
	history = history_of(here, &of_log, &err);
	json_object_set_new(answer, "history", history ? history : json_array());
	if (!history)
		json_object_set_new(answer, "history_error", json_string(err.text));
	json_object_set_new(answer, "of_log", json_boolean(of_log));
	json_object_set_new(answer, "journal", journal_of(here));
	line = json_dumps(answer, JSON_COMPACT);
	if (line)
		worker_write(fd, line);
	json_decref(answer);
	facts_free(&facts);
}

static void poll_service(void *data, int fd)
{
	const struct here *here = data;

	service_poll(&here->session->imds, fd);
}

static int64_t now(void *data)
{
	const struct here *here = data;

	return here->clock ? here->clock : (int64_t)time(NULL);
}

/* ---- The command ---- */

static const char *endpoint_of(const struct session *session)
{
	const struct imds_options *imds = &session->imds;

	if (imds->disabled || !session->root.live)
		return NULL;
	if (imds->endpoint)
		return imds->endpoint;
	return imds->ipv6 ? IMDS_ENDPOINT_IPV6 : IMDS_ENDPOINT_IPV4;
}

static int show(struct dashboard_settings *dashboard, struct here *here)
{
	const char *clock = getenv(CLOCK_VARIABLE);
	memory_cleanup_free char *left = NULL;
	struct error err = { "" };
	int status;

	if (clock && instant_parse(clock, &here->clock) < 0) {
		complain("%s is \"%s\", not a time (example: 2026-11-21T12:00:00Z)", CLOCK_VARIABLE,
			clock);
		return EXIT_USAGE;
	}
	dashboard->now = now;
	dashboard->data = here;
	status = dashboard_run(dashboard, &left, &err);
	if (status < 0) {
		complain("%s", err.text);
		return status == -EINVAL ? EXIT_USAGE : EXIT_NOT_READY;
	}
	if (left)
		complain("%s is still running", left);
	return EXIT_READY;
}

/* The program as command_start() wants it, and what makes it look at the same machine. */
static void program_of(const struct invocation *invocation, struct strings *program)
{
	const char *stand_in = getenv(PROGRAM_VARIABLE);

	strings_add(program, stand_in ? stand_in : "/proc/self/exe");
	invocation_machine_words(invocation, program);
	/* NULL at the end. */
	program->items = memory_grow(program->items, program->count, sizeof(*program->items));
}

static int run(struct invocation *invocation, struct session *session)
{
	const struct tui_options *wanted = invocation->options;
	strings_cleanup struct strings program = { 0 };
	struct here here = { .session = session };
	struct dashboard_settings dashboard = { .colour = invocation->style.colour,
		.version = PACKAGE_VERSION,
		.root = geteuid() == 0,
		.actions = actions,
		.action_count = ARRAY_SIZE(actions) };

	program_of(invocation, &program);
	dashboard.program = (const char *const *)program.items;
	if (session->saved) {
		dashboard.saved = session->saved;
		dashboard.from = wanted->from;
	} else {
		dashboard.state = &session->root;
		dashboard.from = session->root.path;
		dashboard.endpoint = endpoint_of(session);
		dashboard.gather = gather;
		dashboard.poll_service = dashboard.endpoint ? poll_service : NULL;
	}
	return show(&dashboard, &here);
}

const struct command command_tui = {
	.name = "tui",
	.synopsis = "[--from FILE]",
	.summary = "the dashboard: readiness, pre-warm, notices and history",
	.details =
		"Shows what status, prewarm, watch and history know, and follows it; ? lists the\n"
		"keys. Commands that change the machine show what they will run and ask first.\n"
		"Anybody may run it; what only root sees or may do is marked.",
	COMMAND_OPTIONS(options),
	.needs = NEEDS_SESSION | NEEDS_METADATA,
	.terminal = "ec2hib status prints what there is",
	.run = run,
};
