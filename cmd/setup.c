/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib setup and teardown: show a plan, ask, carry it out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/daemon.h"
#include "core/actions/undo.h"
#include "core/actions/leftovers.h"
#include "core/actions/lock.h"
#include "core/actions/setup.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/json_view.h"
#include "ui/plan_view.h"

/* Of setup and teardown; teardown has no rows for the first part. */
struct setup_options {
	const char *size;
	bool no_boot_config;
	bool no_initramfs;
	bool no_service;
	bool take_over;
	bool force;
	enum setup_prewarm prewarm;

	const char *swapfile;
	const char *swap_device;
	const char *swap_on;
	bool dry_run;
	bool yes;
	bool json;
};

/* In the order of enum setup_prewarm; auto is what is done without the option. */
static const char *const prewarm_words[] = { "auto", "yes", "no", "background", NULL };

static const char *const swap_on_words[] = { SWAP_ON_ALWAYS, SWAP_ON_HIBERNATION, NULL };

#define OPTIONS struct setup_options
#define AREA_ROWS                                                                                  \
	OPT_TEXT("swapfile", swapfile, ARGUMENT_SWAP_FILE, "PATH",                                 \
		"the swap file (default: /swap)", .section = "swap", .clears = "swap-device"),     \
		OPT_TEXT("swap-device", swap_device, ARGUMENT_DEVICE, "DEV",                       \
			"a swap partition or logical volume, not a file", .section = "swap")
#define PLAN_ROWS                                                                                  \
	OPT_FLAG("dry-run", dry_run, "show the plan and change nothing", .letter = 'n',            \
		.lifts = REPAIRS_LEFTOVERS),                                                       \
		OPT_FLAG("yes", yes, "do not ask", .letter = 'y'),                                 \
		OPT_FLAG("json", json, "the plan, and what came of it, as JSON")

static const struct option_row setup_rows[] = {
	OPT_TEXT("size", size, ARGUMENT_SWAP_SIZE, "SIZE",
		"auto, N% of memory, or N with K, M, G or T"),
	AREA_ROWS,
	OPT_WORD("swap-on", swap_on, swap_on_words, "WHEN",
		"when the swap is on: always, or around a hibernation", .section = "swap"),
	OPT_FLAG("no-boot-config", no_boot_config, "leave the boot loader alone"),
	OPT_FLAG("no-initramfs", no_initramfs, "leave the initramfs alone"),
	OPT_FLAG("no-service", no_service, "leave the agent, logind and older agents alone"),
	OPT_FLAG("take-over", take_over, "stop hibagent, hibinit-agent and acpid's answer"),
	OPT_CHOICE("prewarm", prewarm, prewarm_words, "WHEN",
		"touch every block: auto, yes, no or background"),
	OPT_FLAG("force", force, "go on although the machine would not hibernate"),
	PLAN_ROWS,
};

static const struct option_row teardown_rows[] = {
	AREA_ROWS,
	PLAN_ROWS,
};

static bool is_silent(const struct invocation *invocation)
{
	const struct setup_options *wanted = invocation->options;

	return invocation->global.quiet || wanted->json;
}

static void show_note(void *data, int priority, const char *text)
{
	if (priority <= LOG_ERR)
		complain("%s", text);
	else if (!is_silent(data))
		style_line(stdout, "      ", text);
}

/* What was put back that a killed hibernation had left. */
static void show_recovery(void *data, int priority, const char *text)
{
	if (priority <= LOG_WARNING)
		warn_user(data, "%s", text);
	else
		show_note(data, priority, text);
}

static void show_step(void *data, const struct plan *plan, size_t index)
{
	const struct invocation *invocation = data;

	if (!is_silent(invocation))
		plan_show_step(plan, index, &invocation->style);
}

/* True when the user agrees: --yes, or y at a terminal. */
static bool agreed(const struct setup_options *wanted, int *status)
{
	if (wanted->yes)
		return true;
	if (!isatty(STDIN_FILENO) || wanted->json) {
		complain("nothing was changed: --yes applies this plan");
		*status = EXIT_USAGE;
		return false;
	}
	if (ask_user("Apply this plan?"))
		return true;
	puts("Nothing was changed.");
	*status = EXIT_NOT_READY;
	return false;
}

/* The answer of --json: the plan, and what came of it. */
static void show_json(const struct plan *plan, bool applied, const char *failure)
{
	json_t *answer = plan_to_json(plan);

	json_object_set_new(answer, "applied", json_boolean(applied));
	json_object_set_new(answer, "error", failure ? json_string(failure) : json_null());
	json_show(answer);
}

typedef int make_plan(struct plan *plan, const struct facts *facts, const struct config *config,
	const struct setup_options *wanted, struct error *err);

/*
 * What is left for the administrator after all that could be done: now with the numbers of the area
 * as it is. True: something is.
 */
static bool anything_left(struct invocation *invocation, const struct session *session,
	struct facts *facts, make_plan *make)
{
	struct plan plan = { 0 };
	struct error ignored = { "" };
	bool left;

	facts_gather_again(facts, &session->gather);
	make(&plan, facts, &session->config, invocation->options, &ignored);
	left = plan.incomplete;
	if (!is_silent(invocation))
		plan_show_by_hand(&plan, &invocation->style);
	/* What could not be read when the plan was made may be readable now. */
	for (size_t i = 0; i < plan.count; i++)
		if (plan.steps[i].kind == STEP_BOOT_ARGUMENTS) {
			complain(
				"the boot arguments are still missing, and can be set now: run ec2hib setup again");
			left = true;
		}
	plan_free(&plan);
	return left;
}

static int apply(struct invocation *invocation, const struct session *session, struct facts *facts,
	const struct plan *plan, make_plan *make)
{
	const struct reporter reporter = { show_note, interrupt_came, invocation };
	struct setup setup = { .gather = &session->gather,
		.facts = facts,
		.reporter = &reporter,
		.begin = show_step,
		.data = invocation };
	const struct setup_options *wanted = invocation->options;
	struct error err = { "" };
	int status;

	interrupt_catch();
	status = plan_apply(&setup, plan, &err);
	if (status == 0)
		status = root_check_seen(&session->root, &err);
	if (wanted->json)
		show_json(plan, status == 0, status < 0 ? err.text : NULL);
	if (status < 0)
		complain("%s", err.text);
	if (plan->by_hand.count && anything_left(invocation, session, facts, make))
		return EXIT_NOT_READY;
	return status < 0 ? EXIT_NOT_READY : 0;
}

/* Shows the plan; true when it is to be carried out. */
static bool present(
	struct invocation *invocation, const struct plan *plan, const char *nothing, int *status)
{
	const struct setup_options *wanted = invocation->options;

	if (wanted->dry_run || plan->count == 0) {
		if (wanted->json) {
			show_json(plan, !wanted->dry_run, NULL);
		} else if (!invocation->global.quiet) {
			plan_show(plan, &invocation->style);
			if (plan->count == 0 && !plan->incomplete)
				puts(nothing);
		}
		if (plan->incomplete && !wanted->dry_run)
			*status = EXIT_NOT_READY;
		return false;
	}
	/* Who is asked has to see what about. */
	if (!wanted->json && !(invocation->global.quiet && wanted->yes))
		plan_show(plan, &invocation->style);
	return agreed(wanted, status);
}

/* Takes the lock, and puts back what a killed hibernation has left. A descriptor or an error. */
static int begin_changes(struct invocation *invocation, const struct root *root, struct error *err)
{
	const struct reporter log = { .log = show_recovery, .data = invocation };
	int lock = lock_take(root, LOCK_PATH, 0, err);

	if (lock >= 0 && root->live)
		undo_recover(root, &log);
	return lock;
}

/* What setup and teardown have in common; NOTHING is said when there is nothing to do. */
static int carry_out(struct invocation *invocation, const struct session *session, make_plan *make,
	const char *nothing)
{
	const struct setup_options *wanted = invocation->options;
	struct facts facts = { 0 };
	struct plan plan = { 0 };
	struct error err = { "" };
	int status = 0, lock = -1;

	if (!wanted->dry_run) {
		lock = begin_changes(invocation, &session->root, &err);
		if (lock < 0) {
			complain("%s", err.text);
			return EXIT_NOT_READY;
		}
	}
	facts_gather(&facts, &session->gather);
	if (root_check_seen(&session->root, &err) < 0 ||
		make(&plan, &facts, &session->config, wanted, &err) < 0) {
		if (wanted->json)
			show_json(&plan, false, err.text);
		else
			plan_show_gate(&plan.gate, &invocation->style);
		complain("%s", err.text);
		status = EXIT_NOT_READY;
	} else {
		bool applied = present(invocation, &plan, nothing, &status);

		/* Also where nothing else is left to do. */
		if (applied || (plan.count == 0 && !wanted->dry_run))
			leftovers_sweep(&session->root, &facts, &session->config);
		if (applied)
			status = apply(invocation, session, &facts, &plan, make);
	}
	plan_free(&plan);
	facts_free(&facts);
	if (lock >= 0)
		close(lock);
	return status;
}

static bool size_needs_memory(const char *size)
{
	return !size || strcmp(size, "auto") == 0 || text_ends(size, "%");
}

static int make_setup_plan(struct plan *plan, const struct facts *facts,
	const struct config *config, const struct setup_options *wanted, struct error *err)
{
	const struct setup_request request = {
		.size = wanted->size,
		.keep_boot_config = wanted->no_boot_config,
		.keep_initramfs = wanted->no_initramfs,
		.area_given = wanted->swapfile || wanted->swap_device,
		.swap_on_given = wanted->swap_on,
		.service = !wanted->no_service,
		.take_over = wanted->take_over,
		.force = wanted->force,
		.prewarm = wanted->prewarm,
	};
	int status = setup_plan(plan, facts, config, &request, err);

	/* An image: nobody knows how much memory the machine will have. */
	if (status == -ENODATA && facts->memory.total.is != FACT_KNOWN &&
		size_needs_memory(request.size)) {
		memory_cleanup_free char *why = text_copy(err->text);

		error_set(err, ENODATA, "%s; say it with a number, such as --size 8G", why);
	}
	return status;
}

static int run_setup(struct invocation *invocation, struct session *session)
{
	return carry_out(
		invocation, session, make_setup_plan, "Nothing to do: everything is set up.");
}

static int make_teardown_plan(struct plan *plan, const struct facts *facts,
	const struct config *config UNUSED, const struct setup_options *wanted UNUSED,
	struct error *err)
{
	return teardown_plan(plan, facts, err);
}

static int run_teardown(struct invocation *invocation, struct session *session)
{
	return carry_out(invocation, session, make_teardown_plan,
		"Nothing to do: nothing of ec2hib is here.");
}

const struct command command_setup = {
	.name = "setup",
	.synopsis = "[--size SIZE] [--dry-run] [--yes] [OPTION...]",
	.summary = "plan and apply what hibernation needs",
	.details =
		"Swap file, boot loader, initramfs, kernel, freeze timeout and the agent. Shows\n"
		"the plan first; at a terminal it asks, elsewhere --yes applies. Run again it\n"
		"does what is left. Where the machine would not hibernate it changes nothing.",
	COMMAND_OPTIONS(setup_rows),
	.exclusive = { "swapfile swap-device", "take-over no-service" },
	.needs = NEEDS_SESSION | NEEDS_ROOT | NEEDS_METADATA | REPAIRS_LEFTOVERS,
	.run = run_setup,
};

const struct command command_teardown = {
	.name = "teardown",
	.synopsis = "[--dry-run] [--yes] [OPTION...]",
	.summary = "undo what setup did",
	.details =
		"Touches only what carries ec2hib's name or label. Running it twice does no harm.",
	COMMAND_OPTIONS(teardown_rows),
	.exclusive = { "swapfile swap-device" },
	.needs = NEEDS_SESSION | NEEDS_ROOT | REPAIRS_LEFTOVERS,
	.run = run_teardown,
};
