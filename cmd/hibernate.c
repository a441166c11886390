/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib hibernate: one hibernation now; comes back after resume with what happened. */
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "cmd/command.h"
#include "cmd/daemon.h"
#include "core/actions/hibernate.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/hibernation.h"
#include "ui/history_view.h"
#include "ui/json_view.h"
#include "ui/plan_view.h"

struct hibernate_options {
	const char *method;
	bool dry_run;
	bool json;
};

static const char *const methods[] = { "auto", "direct", "systemd", NULL };

#define OPTIONS struct hibernate_options
static const struct option_row options[] = {
	OPT_WORD("method", method, methods, "METHOD",
		"who tells the kernel: auto, direct or systemd", .section = "hibernate"),
	OPT_FLAG("dry-run", dry_run, "say what would be done and what is in the way", .letter = 'n',
		.lifts = NEEDS_ROOT | REPAIRS_LEFTOVERS),
	OPT_FLAG("json", json, "what happened, as JSON"),
};

/* Setup takes seconds; who waits at a terminal longer than that wants to know why. */
#define PATIENCE_MS 10000

static void show_line(void *data, int priority, const char *text)
{
	const struct invocation *invocation = data;
	const struct hibernate_options *wanted = invocation->options;

	if (priority <= LOG_WARNING)
		warn_user(invocation, "%s", text);
	else if (!invocation->global.quiet && !wanted->json)
		style_line(stdout, "", text);
	fflush(stdout);
}

static json_t *strings_to_json(const struct strings *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_string(list->items[i]));
	return array;
}

static json_t *plan_as_json(const struct hibernation_plan *plan, const struct strings *obstacles)
{
	json_t *swaps_off = json_array();
	json_t *json = plan_to_json(&plan->steps);

	for (size_t i = 0; i < plan->other_count; i++)
		json_array_append_new(swaps_off, json_string(plan->others[i].path));
	json_object_set_new(json, "method", json_string(plan->method));
	json_object_set_new(json, "swaps_off", swaps_off);
	json_object_set_new(json, "image_size",
		plan->set_image_size ? json_integer((json_int_t)plan->image_size) : json_null());
	json_object_set_new(json, "obstacles", strings_to_json(obstacles));
	return json;
}

static void show_plan(const struct hibernation_plan *plan)
{
	memory_cleanup_free char *size = size_format(plan->image_size);

	printf("would hibernate, method %s\n", plan->method);
	for (size_t i = 0; i < plan->steps.count; i++)
		style_line(stdout, "  first: ", plan->steps.steps[i].text);
	for (size_t i = 0; i < plan->other_count; i++)
		style_line(stdout, "  switched off until after resume: ", plan->others[i].path);
	if (plan->set_image_size)
		printf("  the image is made smaller: /sys/power/image_size %s\n", size);
}

/* What would be done, and nothing of it: no hook runs, no lock is taken. */
static int pretend(const struct invocation *invocation, const struct gather *gather)
{
	const struct hibernate_options *wanted = invocation->options;
	strings_cleanup struct strings obstacles = { 0 };
	struct hibernation_plan plan = { 0 };
	struct facts facts = { 0 };
	struct error err = { "" };

	facts_gather(&facts, gather);
	hibernation_obstacles(&facts, gather->config, false, &obstacles);
	if (hibernation_plan(&plan, &facts, gather->config, &err) < 0)
		strings_add(&obstacles, err.text);
	if (wanted->json)
		json_show(plan_as_json(&plan, &obstacles));
	else if (obstacles.count == 0 && !invocation->global.quiet)
		show_plan(&plan);
	if (!wanted->json)
		for (size_t i = 0; i < obstacles.count; i++)
			complain("cannot hibernate now: %s", obstacles.items[i]);
	hibernation_plan_free(&plan);
	facts_free(&facts);
	return obstacles.count ? EXIT_NOT_READY : 0;
}

static int run(struct invocation *invocation, struct session *session)
{
	const struct hibernate_options *wanted = invocation->options;
	const struct reporter reporter = { show_line, interrupt_came, invocation };
	const struct hibernation request = { .gather = &session->gather,
		.reason = REASON_COMMAND,
		.patience_ms = PATIENCE_MS,
		.reporter = &reporter };
	struct cycle cycle = { 0 };
	struct error err = { "" };
	int status;

	if (wanted->dry_run)
		return pretend(invocation, &session->gather);
	interrupt_catch();
	status = hibernate(&request, &cycle, &err);
	if (wanted->json)
		json_show(layout_to_json(&cycle_layout, &cycle));
	else if (status == 0 && !invocation->global.quiet)
		cycle_explain(stdout, &cycle, &invocation->style);
	if (status < 0)
		complain("%s", err.text);
	layout_free(&cycle_layout, &cycle);
	return status < 0 ? EXIT_NOT_READY : 0;
}

const struct command command_hibernate = {
	.name = "hibernate",
	.synopsis = "[--method METHOD] [--dry-run] [--json]",
	.summary = "hibernate now; comes back after resume with what happened",
	.details =
		"Refuses, in the words of status, when the machine would not hibernate or not\n"
		"come back. Runs the hooks, makes sure that the swap area and the kernel agree,\n"
		"writes the image, and after resume puts back what it changed. When the kernel\n"
		"gives up for a reason that may pass, it tries again.",
	COMMAND_OPTIONS(options),
	.needs = NEEDS_SESSION | NEEDS_ROOT | REPAIRS_LEFTOVERS,
	.only_live = "only the running machine can hibernate",
	.run = run,
};
