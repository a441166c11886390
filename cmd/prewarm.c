/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib prewarm: touch every block of the swap area, or of a volume, before it is needed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/daemon.h"
#include "config.h"
#include "core/actions/prewarm.h"
#include "core/base/compiler.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/json_view.h"
#include "ui/progress_bar.h"

/* Between two lines of --json, ms. */
#define JSON_EVERY_MS 1000
/* A request that is on its way ends before its process does. */
#define STOP_WAIT_MS 10000

struct screen {
	const struct invocation *invocation;
	struct progress_bar bar;
	uint64_t json_due; /* ms of the run */
	int starter;	   /* pipe to the process that was started, -1 in the foreground */
	bool background;
	struct log log; /* in the background */
};

static void show_line(const struct prewarm_state *state)
{
	json_t *json = layout_to_json(&prewarm_state_layout, state);

	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(json);
}

static void screen_note(void *data, int priority UNUSED, const char *text)
{
	struct screen *screen = data;

	if (screen->background && screen->starter < 0) {
		log_text(&screen->log, LOG_WARNING, "%s", text);
	} else if (!option_given(screen->invocation, "quiet")) {
		progress_bar_hide(&screen->bar);
		complain("%s", text);
	}
}

/* From here on nobody at a terminal is spoken to. */
static void screen_begun(void *data, const struct prewarm_state *state UNUSED)
{
	struct screen *screen = data;
	struct error err = { "" };
	int null;

	if (!screen->background)
		return;
	daemon_begun(&screen->starter, &err); /* who started it need not be there any more */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0 && dup2(null, STDERR_FILENO) >= 0)
		close(null);
}

static void screen_report(void *data, const struct prewarm_state *state)
{
	struct screen *screen = data;

	if (option_given(screen->invocation, "quiet") || screen->background)
		return;
	if (!option_given(screen->invocation, "json")) {
		progress_bar_show(&screen->bar, state);
	} else if (state->elapsed.value >= screen->json_due) {
		screen->json_due = state->elapsed.value + JSON_EVERY_MS;
		show_line(state);
	}
}

static void show_end(struct screen *screen, const struct prewarm_state *state)
{
	progress_bar_hide(&screen->bar);
	if (screen->background)
		return;
	if (option_given(screen->invocation, "json")) {
		show_line(state);
		return;
	}
	if (option_given(screen->invocation, "quiet") || state->total.is != FACT_KNOWN)
		return;
	prewarm_show(state, false);
	if (screen->invocation->verbose)
		prewarm_show_histogram(state, &screen->invocation->style);
}

/* ---- Running ------------------------------------------------------------------------------------ */

static int warm(struct screen *screen, struct prewarm *prewarm)
{
	const struct reporter reporter = { screen_note, interrupt_came, screen };
	struct prewarm_state state = { 0 };
	struct error err = { "" };
	int status;

	if (screen->background && daemon_become(&screen->starter, &err) < 0) {
		complain("%s", err.text);
		return EXIT_NOT_READY;
	}
	if (screen->background)
		log_to_syslog(&screen->log, "ec2hib", LOG_SYSLOG_SOCKET);
	prewarm->background = screen->background;
	prewarm->reporter = &reporter;
	prewarm->begun = screen_begun;
	prewarm->report = screen_report;
	prewarm->data = screen;
	interrupt_catch();
	status = prewarm_run(prewarm, &state, &err);
	show_end(screen, &state);
	if (status == -ECANCELED)
		screen_note(
			screen, LOG_NOTICE, "stopped; the next ec2hib prewarm goes on from here");
	else if (status < 0 && screen->background && screen->starter < 0)
		log_text(&screen->log, LOG_ERR, "%s", err.text);
	else if (status < 0)
		complain("%s", err.text);
	layout_free(&prewarm_state_layout, &state);
	if (screen->background)
		log_close(&screen->log);
	return status < 0 ? EXIT_NOT_READY : 0;
}

static int stop(const struct session *session, const struct invocation *invocation)
{
	struct error err = { "" };
	int status = prewarm_stop(&session->root, STOP_WAIT_MS, &err);

	if (status < 0) {
		complain("%s", err.text);
		return EXIT_NOT_READY;
	}
	if (!option_given(invocation, "quiet"))
		puts(status ? "stopped; the next ec2hib prewarm goes on from there"
			    : "no pre-warm runs");
	return 0;
}

static int show_status(const struct session *session, const struct invocation *invocation)
{
	struct prewarm_state state = { 0 };
	struct error err = { "" };
	bool runs = prewarm_runs(&session->root), good;
	int status = prewarm_state_read(&session->root, &state, &err);

	if (status == -ENOENT) {
		complain("no pre-warm has run since the boot");
	} else if (status < 0) {
		complain("%s", err.text);
	} else if (option_given(invocation, "json")) {
		json_show(layout_to_json(&prewarm_state_layout, &state));
	} else if (!option_given(invocation, "quiet")) {
		prewarm_show(&state, runs);
		if (state.error.is == FACT_KNOWN)
			complain("%s", state.error.value);
		if (invocation->verbose)
			prewarm_show_histogram(&state, &invocation->style);
	}
	good = runs || fact_text_is(&state.state, PREWARM_FINISHED);
	layout_free(&prewarm_state_layout, &state);
	return good ? 0 : EXIT_NOT_READY;
}

/* ---- The command line --------------------------------------------------------------------------- */

static const char *const methods[] = { "auto", "read", "write", NULL };

/* At most one of NAMES, NULL at the end, may be given. */
static bool at_most_one(const struct invocation *invocation, const char *const *names)
{
	const char *first = NULL;

	for (; *names; names++) {
		if (!option_given(invocation, *names))
			continue;
		if (first) {
			complain("--%s and --%s exclude each other", first, *names);
			return false;
		}
		first = *names;
	}
	return true;
}

static bool read_rate(struct prewarm *prewarm, const char *given)
{
	if (!given || (size_parse(given, &prewarm->rate) == 0 && prewarm->rate > 0 &&
			      prewarm->rate <= UINT64_MAX / 1000))
		return true;
	complain("--rate is \"%s\", which is no number of bytes a second, as 50M", given);
	return false;
}

static bool read_depth(struct prewarm *prewarm, const char *given)
{
	uint64_t depth;

	if (!given)
		return true;
	if (number_parse(given, &depth) == 0 && depth > 0 && depth <= PREWARM_DEPTH_MOST) {
		prewarm->depth = (unsigned)depth;
		return true;
	}
	complain("--depth is \"%s\", which is no number from 1 to %d", given, PREWARM_DEPTH_MOST);
	return false;
}

static bool read_block(struct prewarm *prewarm, const char *given)
{
	prewarm->block = PREWARM_BLOCK_STANDARD;
	if (!given ||
		(size_parse(given, &prewarm->block) == 0 && prewarm->block >= PREWARM_BLOCK_LEAST &&
			prewarm->block <= PREWARM_BLOCK_MOST &&
			prewarm->block % PREWARM_BLOCK_LEAST == 0))
		return true;
	complain("--block is \"%s\", which is no multiple of 4K from 4K to 16M", given);
	return false;
}

static bool read_method(struct prewarm *prewarm, const char *given)
{
	for (unsigned i = 0; given && methods[i]; i++)
		if (strcmp(given, methods[i]) == 0)
			prewarm->method = (enum prewarm_method)i;
	return true;
}

static bool read_options(const struct invocation *invocation, struct prewarm *prewarm)
{
	static const char *const what[] = { "swapfile", "swap-device", "device", NULL };
	static const char *const doing[] = { "background", "stop", "status", NULL };

	prewarm->device = option_value(invocation, "device");
	prewarm->force = option_given(invocation, "force");
	return at_most_one(invocation, what) && at_most_one(invocation, doing) &&
	       read_rate(prewarm, option_value(invocation, "rate")) &&
	       read_depth(prewarm, option_value(invocation, "depth")) &&
	       read_block(prewarm, option_value(invocation, "block")) &&
	       read_method(prewarm, option_value(invocation, "method"));
}

static int carry_out(
	struct invocation *invocation, struct session *session, struct prewarm *prewarm)
{
	const struct gather gather = { .root = &session->root,
		.host = &session->host,
		.config = &session->config,
		.version = PACKAGE_VERSION,
		.config_path = session->config_path };
	struct screen screen = { .invocation = invocation,
		.bar = { .style = &invocation->style },
		.starter = -1,
		.background = option_given(invocation, "background") };

	if (!session->root.live) {
		complain("%s is an image: what is cold is the volume of a running machine",
			session->root.path);
		return EXIT_USAGE;
	}
	if (option_given(invocation, "status"))
		return show_status(session, invocation);
	if (geteuid() != 0) {
		complain("prewarm needs root: run it with sudo");
		return EXIT_NOT_READY;
	}
	if (option_given(invocation, "stop"))
		return stop(session, invocation);
	prewarm->gather = &gather;
	return warm(&screen, prewarm);
}

static int run(struct invocation *invocation)
{
	struct prewarm prewarm = { 0 };
	struct session session;
	int status;

	if (!read_options(invocation, &prewarm))
		return EXIT_USAGE;
	status = session_open(&session, invocation);
	if (status == 0)
		status = session_set_area(&session, invocation);
	if (status == 0)
		status = carry_out(invocation, &session, &prewarm);
	session_close(&session);
	return status;
}

static const struct option_entry options[] = {
	{ "swapfile", 0, ARGUMENT_SWAP_FILE, "PATH", NULL, "the swap file (default: /swap)" },
	{ "swap-device", 0, ARGUMENT_DEVICE, "DEV", NULL,
		"a swap partition or logical volume, not a file" },
	{ "device", 0, ARGUMENT_DEVICE, "DEV", NULL, "a whole volume in place of swap" },
	{ "method", 0, ARGUMENT_WORD, "METHOD", methods,
		"auto, read (the device) or write (an inactive file)" },
	{ "rate", 0, ARGUMENT_SIZE, "BYTES", NULL, "at most so many bytes a second, as 50M" },
	{ "depth", 0, ARGUMENT_TEXT, "N", NULL, "requests at a time, 1 to 64 (default: adapts)" },
	{ "block", 0, ARGUMENT_SIZE, "SIZE", NULL, "bytes a request, 4K to 16M (default: 1M)" },
	{ "force", 0, ARGUMENT_NONE, NULL, NULL, "from the beginning, also what was done before" },
	{ "background", 0, ARGUMENT_NONE, NULL, NULL,
		"go to the background; returns when it has begun" },
	{ "stop", 0, ARGUMENT_NONE, NULL, NULL, "stop the one that runs" },
	{ "status", 0, ARGUMENT_NONE, NULL, NULL, "how far the one that runs has come" },
	{ "json", 0, ARGUMENT_NONE, NULL, NULL, "how it goes as JSON, a line a second" },
};

const struct command command_prewarm = {
	.name = "prewarm",
	.synopsis = "[--background | --stop | --status] [OPTION...]",
	.summary = "touch every block of the swap area before it is needed",
	.details =
		"A volume made from a snapshot fetches each block on first touch, and a\n"
		"hibernation that waits for that may take longer than EC2 does. Reads the area's\n"
		"places on the device, also while the swap is active, and gives way to whoever\n"
		"else uses the disk. What was stopped goes on where it was.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.run = run,
};
