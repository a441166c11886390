/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib prewarm: touch every block of the swap area, or of a volume, before it is needed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/daemon.h"
#include "core/actions/prewarm.h"
#include "core/base/compiler.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/json_view.h"
#include "ui/prewarm_view.h"

/* Between two lines of --json, ms. */
#define JSON_EVERY_MS 1000
/* A request that is on its way ends before its process does. */
#define STOP_WAIT_MS 10000

struct prewarm_options {
	const char *swapfile;
	const char *swap_device;
	const char *device;
	enum prewarm_method method;
	uint64_t rate;
	uint64_t block;
	unsigned depth;
	bool force;
	bool background;
	bool stop;
	bool status;
	bool json;
};

/* In the order of enum prewarm_method. */
static const char *const methods[] = { "auto", "read", "write", NULL };

#define RATE_MOST (UINT64_MAX / 1000)

#define OPTIONS struct prewarm_options
static const struct option_row options[] = {
	OPT_TEXT("swapfile", swapfile, ARGUMENT_SWAP_FILE, "PATH", "the swap file (default: /swap)",
		.section = "swap", .clears = "swap-device"),
	OPT_TEXT("swap-device", swap_device, ARGUMENT_DEVICE, "DEV",
		"a swap partition or logical volume, not a file", .section = "swap"),
	OPT_TEXT("device", device, ARGUMENT_DEVICE, "DEV", "a whole volume in place of swap"),
	OPT_CHOICE("method", method, methods, "METHOD",
		"auto, read (the device) or write (an inactive file)"),
	OPT_AMOUNT("rate", rate, ARGUMENT_RATE, 1, RATE_MOST, "BYTES",
		"at most so many bytes a second: 50M"),
	OPT_NUMBER("depth", depth, 1, PREWARM_DEPTH_MOST, "N",
		"requests at a time, 1 to 64 (default: adapts)"),
	OPT_AMOUNT("block", block, ARGUMENT_SIZE, PREWARM_BLOCK_LEAST, PREWARM_BLOCK_MOST, "SIZE",
		"bytes a request, 4K to 16M (default: 1M)", .step = PREWARM_BLOCK_LEAST),
	OPT_FLAG("force", force, "from the beginning, also what was done before"),
	OPT_FLAG("background", background, "go to the background; returns when it has begun"),
	OPT_FLAG("stop", stop, "stop the one that runs"),
	OPT_FLAG("status", status, "how far the one that runs has come", .lifts = NEEDS_ROOT),
	OPT_FLAG("json", json, "how it goes as JSON, a line a second"),
};

static const struct prewarm_options defaults = { .block = PREWARM_BLOCK_STANDARD };

struct screen {
	const struct invocation *invocation;
	const struct prewarm_options *wanted;
	struct progress_bar bar;
	uint64_t json_due; /* ms of the run */
	int starter;	   /* pipe to the process that was started, -1 in the foreground */
	struct log log;	   /* in the background */
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

	if (screen->wanted->background && screen->starter < 0) {
		log_text(&screen->log, LOG_WARNING, "%s", text);
	} else if (!screen->invocation->global.quiet) {
		progress_bar_hide(&screen->bar);
		complain("%s", text);
	}
}

/* From here on nobody at a terminal is spoken to. */
static void screen_begun(void *data, const struct prewarm_state *state UNUSED)
{
	struct screen *screen = data;
	struct error err = { "" };

	if (!screen->wanted->background)
		return;
	daemon_begun(&screen->starter, &err); /* who started it need not be there any more */
	descriptors_leave(STDERR_FILENO, STDERR_FILENO);
}

static void screen_report(void *data, const struct prewarm_state *state)
{
	struct screen *screen = data;

	if (screen->invocation->global.quiet || screen->wanted->background)
		return;
	if (!screen->wanted->json) {
		progress_bar_show(&screen->bar, state);
	} else if (state->elapsed.value >= screen->json_due) {
		screen->json_due = state->elapsed.value + JSON_EVERY_MS;
		show_line(state);
	}
}

static void show_end(struct screen *screen, const struct prewarm_state *state)
{
	const struct invocation *invocation = screen->invocation;

	progress_bar_hide(&screen->bar);
	if (screen->wanted->background)
		return;
	if (screen->wanted->json) {
		show_line(state);
		return;
	}
	if (invocation->global.quiet || state->total.is != FACT_KNOWN)
		return;
	prewarm_show(state, false);
	if (invocation->global.verbose)
		prewarm_show_histogram(state, &invocation->style);
}

/* ---- Running --------------------------------------------------------------------------------- */

static int warm(const struct invocation *invocation, const struct session *session)
{
	const struct prewarm_options *wanted = invocation->options;
	struct screen screen = { .invocation = invocation,
		.wanted = wanted,
		.bar = { .style = &invocation->style },
		.starter = -1 };
	const struct reporter reporter = { screen_note, interrupt_came, &screen };
	const struct prewarm prewarm = { .gather = &session->gather,
		.device = wanted->device,
		.method = wanted->method,
		.block = wanted->block,
		.rate = wanted->rate,
		.depth = wanted->depth,
		.force = wanted->force,
		.background = wanted->background,
		.reporter = &reporter,
		.begun = screen_begun,
		.report = screen_report,
		.data = &screen };
	struct prewarm_state state = { 0 };
	struct error err = { "" };
	int status;

	if (wanted->background && daemon_become(&screen.starter, &err) < 0) {
		complain("%s", err.text);
		return EXIT_NOT_READY;
	}
	if (wanted->background)
		log_to_syslog(&screen.log, "ec2hib", LOG_SYSLOG_SOCKET);
	interrupt_catch();
	status = prewarm_run(&prewarm, &state, &err);
	show_end(&screen, &state);
	if (status == -ECANCELED)
		screen_note(
			&screen, LOG_NOTICE, "stopped; the next ec2hib prewarm goes on from here");
	else if (status < 0 && wanted->background && screen.starter < 0)
		log_text(&screen.log, LOG_ERR, "%s", err.text);
	else if (status < 0)
		complain("%s", err.text);
	layout_free(&prewarm_state_layout, &state);
	if (wanted->background)
		log_close(&screen.log);
	return status < 0 ? EXIT_NOT_READY : 0;
}

static int stop(const struct invocation *invocation, const struct session *session)
{
	struct error err = { "" };
	int status = prewarm_stop(&session->root, STOP_WAIT_MS, &err);

	if (status < 0) {
		complain("%s", err.text);
		return EXIT_NOT_READY;
	}
	if (!invocation->global.quiet)
		puts(status ? "stopped; the next ec2hib prewarm goes on from there"
			    : "no pre-warm runs");
	return 0;
}

static int show_status(const struct invocation *invocation, const struct session *session)
{
	const struct prewarm_options *wanted = invocation->options;
	struct prewarm_state state = { 0 };
	struct error err = { "" };
	bool runs = prewarm_runs(&session->root), good;
	int status = prewarm_state_read(&session->root, &state, &err);

	if (status == -ENOENT) {
		complain("no pre-warm has run since the boot");
	} else if (status < 0) {
		complain("%s", err.text);
	} else if (wanted->json) {
		json_show(layout_to_json(&prewarm_state_layout, &state));
	} else if (!invocation->global.quiet) {
		prewarm_show(&state, runs);
		if (state.error.is == FACT_KNOWN)
			complain("%s", state.error.value);
		if (invocation->global.verbose)
			prewarm_show_histogram(&state, &invocation->style);
	}
	good = runs || fact_text_is(&state.state, PREWARM_FINISHED);
	layout_free(&prewarm_state_layout, &state);
	return good ? 0 : EXIT_NOT_READY;
}

static int run(struct invocation *invocation, struct session *session)
{
	const struct prewarm_options *wanted = invocation->options;

	if (wanted->status)
		return show_status(invocation, session);
	if (wanted->stop)
		return stop(invocation, session);
	return warm(invocation, session);
}

const struct command command_prewarm = {
	.name = "prewarm",
	.synopsis = "[--background | --stop | --status] [OPTION...]",
	.summary = "touch every block of the swap area before it is needed",
	.details =
		"A volume made from a snapshot fetches each block on first touch, and a\n"
		"hibernation that waits for that may take longer than EC2 does. Reads the area's\n"
		"places on the device, also while the swap is active, and gives way to whoever\n"
		"else uses the disk. What was stopped goes on where it was.",
	COMMAND_OPTIONS(options),
	.defaults = &defaults,
	.exclusive = { "swapfile swap-device device", "background stop status" },
	.needs = NEEDS_SESSION | NEEDS_ROOT,
	.only_live = "what is cold is the volume of a running machine",
	.run = run,
};
