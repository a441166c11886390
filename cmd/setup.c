/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib setup and teardown: show a plan, ask, carry it out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/daemon.h"
#include "config.h"
#include "core/actions/away.h"
#include "core/actions/lock.h"
#include "core/actions/setup.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/json_view.h"
#include "ui/plan_view.h"

static void show_note(void *data, int priority UNUSED, const char *text)
{
	const struct invocation *invocation = data;

	if (option_given(invocation, "quiet") || option_given(invocation, "json"))
		return;
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

	if (!option_given(invocation, "quiet") && !option_given(invocation, "json"))
		plan_show_step(plan, index, &invocation->style);
}

/* True when the user agrees: --yes, or y at a terminal. */
static bool agreed(const struct invocation *invocation, int *status)
{
	char answer[16] = "";
	bool answered;

	if (option_given(invocation, "yes"))
		return true;
	if (!isatty(STDIN_FILENO) || option_given(invocation, "json")) {
		complain("nothing was changed: --yes applies this plan");
		*status = EXIT_USAGE;
		return false;
	}
	printf("Apply this plan? [y/N] ");
	fflush(stdout);
	answered = fgets(answer, sizeof(answer), stdin) != NULL;
	if (strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0)
		return true;
	if (!answered)
		putchar('\n'); /* Ctrl-D leaves the cursor behind the question */
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

static int apply(struct invocation *invocation, const struct gather *gather, struct facts *facts,
	const struct plan *plan)
{
	const struct reporter reporter = { show_note, interrupt_came, invocation };
	struct setup setup = { .gather = gather,
		.facts = facts,
		.reporter = &reporter,
		.begin = show_step,
		.data = invocation };
	bool json = option_given(invocation, "json");
	struct error err = { "" };
	int status;

	interrupt_catch();
	status = plan_apply(&setup, plan, &err);
	if (json)
		show_json(plan, status == 0, status < 0 ? err.text : NULL);
	if (status < 0) {
		complain("%s", err.text);
		return EXIT_NOT_READY;
	}
	return 0;
}

/* Shows the plan; true when it is to be carried out. */
static bool present(
	struct invocation *invocation, const struct plan *plan, const char *nothing, int *status)
{
	bool json = option_given(invocation, "json");

	if (option_given(invocation, "dry-run") || plan->count == 0) {
		if (json)
			show_json(plan, !option_given(invocation, "dry-run"), NULL);
		else if (!option_given(invocation, "quiet")) {
			plan_show(plan, &invocation->style);
			if (plan->count == 0)
				puts(nothing);
		}
		return false;
	}
	/* Who is asked has to see what about. */
	if (!json && !(option_given(invocation, "quiet") && option_given(invocation, "yes")))
		plan_show(plan, &invocation->style);
	return agreed(invocation, status);
}

/* What setup and teardown differ in. */
struct errand {
	const char *nothing; /* said when there is nothing to do */
	int (*plan)(struct plan *plan, const struct facts *facts, const struct config *config,
		const struct invocation *invocation, struct error *err);
};

/* Takes the lock, and puts back what a killed hibernation has left. A descriptor or an error. */
static int begin_changes(struct invocation *invocation, const struct root *root, struct error *err)
{
	const struct reporter log = { .log = show_recovery, .data = invocation };
	int lock = lock_take(root, LOCK_PATH, 0, err), status;

	if (lock < 0)
		return lock;
	status = lock_share(lock, err);
	if (status < 0) {
		close(lock);
		return status;
	}
	if (root->live)
		away_recover(root, &log);
	return lock;
}

static int carry_out(
	struct invocation *invocation, struct session *session, const struct errand *errand)
{
	const struct gather gather = { .root = &session->root,
		.host = &session->host,
		.config = &session->config,
		.imds = NULL,
		.version = PACKAGE_VERSION,
		.config_path = session->config_path };
	struct facts facts = { 0 };
	struct plan plan = { 0 };
	struct error err = { "" };
	int status = 0, lock = -1;
	bool go;

	if (!option_given(invocation, "dry-run")) {
		rehearsal_put_right(invocation, session);
		lock = begin_changes(invocation, &session->root, &err);
		if (lock < 0) {
			complain("%s", err.text);
			return EXIT_NOT_READY;
		}
	}
	facts_gather(&facts, &gather);
	if (errand->plan(&plan, &facts, &session->config, invocation, &err) < 0) {
		if (option_given(invocation, "json"))
			show_json(&plan, false, err.text);
		complain("%s", err.text);
		status = EXIT_NOT_READY;
	} else {
		go = present(invocation, &plan, errand->nothing, &status);
		if (go)
			status = apply(invocation, &gather, &facts, &plan);
	}
	plan_free(&plan);
	facts_free(&facts);
	if (lock >= 0)
		close(lock);
	return status;
}

static int run_errand(struct invocation *invocation, const struct errand *errand)
{
	struct session session;
	int status;

	if (option_given(invocation, "swapfile") && option_given(invocation, "swap-device")) {
		complain("--swapfile and --swap-device exclude each other");
		return EXIT_USAGE;
	}
	status = session_open(&session, invocation);
	if (status == 0)
		status = session_set_area(&session, invocation);
	if (status == 0 && geteuid() != 0) {
		complain("%s needs root: run it with sudo", invocation->command->name);
		status = EXIT_NOT_READY;
	}
	if (status == 0)
		status = carry_out(invocation, &session, errand);
	session_close(&session);
	return status;
}

static bool size_needs_memory(const char *size)
{
	return !size || strcmp(size, "auto") == 0 || text_ends(size, "%");
}

/* In the order of enum setup_prewarm; auto is not said. */
static const char *const prewarm_words[] = { "auto", "yes", "no", "background", NULL };

static enum setup_prewarm prewarm_wanted(const char *given)
{
	for (unsigned i = 0; given && prewarm_words[i]; i++)
		if (strcmp(given, prewarm_words[i]) == 0)
			return (enum setup_prewarm)i;
	return SETUP_PREWARM_AUTO;
}

static int make_setup_plan(struct plan *plan, const struct facts *facts,
	const struct config *config, const struct invocation *invocation, struct error *err)
{
	const struct setup_request request = {
		.size = option_value(invocation, "size"),
		.keep_boot_config = option_given(invocation, "no-boot-config"),
		.keep_initramfs = option_given(invocation, "no-initramfs"),
		.area_given = option_given(invocation, "swapfile") ||
			      option_given(invocation, "swap-device"),
		.service = !option_given(invocation, "no-service"),
		.take_over = option_given(invocation, "take-over"),
		.prewarm = prewarm_wanted(option_value(invocation, "prewarm")),
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

/* swap_size_decide() knows more about it; here only what can be told without the machine. */
static bool size_is_one(const char *size)
{
	memory_cleanup_free char *number = NULL;
	uint64_t value;

	if (strcmp(size, "auto") == 0)
		return true;
	if (!text_ends(size, "%"))
		return size_parse(size, &value) == 0 && value > 0;
	number = text_copy_length(size, strlen(size) - 1);
	return number_parse(number, &value) == 0 && value > 0;
}

static int run_setup(struct invocation *invocation)
{
	static const struct errand errand = { "Nothing to do: everything is set up.",
		make_setup_plan };
	const char *size = option_value(invocation, "size");

	if (size && !size_is_one(size)) {
		complain("--size is \"%s\", which is none of: auto, N%%, or N with K, M, G or T",
			size);
		return EXIT_USAGE;
	}
	if (option_given(invocation, "take-over") && option_given(invocation, "no-service")) {
		complain("--take-over and --no-service exclude each other");
		return EXIT_USAGE;
	}
	return run_errand(invocation, &errand);
}

static int make_teardown_plan(struct plan *plan, const struct facts *facts,
	const struct config *config UNUSED, const struct invocation *invocation UNUSED,
	struct error *err)
{
	return teardown_plan(plan, facts, err);
}

static int run_teardown(struct invocation *invocation)
{
	static const struct errand errand = { "Nothing to do: nothing of ec2hib is here.",
		make_teardown_plan };

	return run_errand(invocation, &errand);
}

#define AREA_OPTIONS                                                                               \
	{ "swapfile", 0, ARGUMENT_SWAP_FILE, "PATH", NULL, "the swap file (default: /swap)" },     \
	{                                                                                          \
		"swap-device", 0, ARGUMENT_DEVICE, "DEV", NULL,                                    \
			"a swap partition or logical volume, not a file"                           \
	}
#define PLAN_OPTIONS                                                                               \
	{ "dry-run", 'n', ARGUMENT_NONE, NULL, NULL, "show the plan and change nothing" },         \
		{ "yes", 'y', ARGUMENT_NONE, NULL, NULL, "do not ask" },                           \
	{                                                                                          \
		"json", 0, ARGUMENT_NONE, NULL, NULL, "the plan, and what came of it, as JSON"     \
	}

static const struct option_entry setup_options[] = {
	{ "size", 0, ARGUMENT_SIZE, "SIZE", NULL, "auto, N% of memory, or N with K, M, G or T" },
	AREA_OPTIONS,
	{ "no-boot-config", 0, ARGUMENT_NONE, NULL, NULL, "leave the boot loader alone" },
	{ "no-initramfs", 0, ARGUMENT_NONE, NULL, NULL, "leave the initramfs alone" },
	{ "no-service", 0, ARGUMENT_NONE, NULL, NULL,
		"leave the agent, logind and older agents alone" },
	{ "take-over", 0, ARGUMENT_NONE, NULL, NULL,
		"stop hibagent, hibinit-agent and acpid's answer" },
	{ "prewarm", 0, ARGUMENT_WORD, "WHEN", prewarm_words,
		"touch every block: auto, yes, no or background" },
	PLAN_OPTIONS,
};

static const struct option_entry teardown_options[] = {
	AREA_OPTIONS,
	PLAN_OPTIONS,
};

const struct command command_setup = {
	.name = "setup",
	.synopsis = "[--size SIZE] [--dry-run] [--yes] [OPTION...]",
	.summary = "plan and apply what hibernation needs",
	.details = "Makes the swap file, tells the boot loader, the initramfs and the running\n"
		   "kernel where it is, raises the freeze timeout, and enables and starts the\n"
		   "agent as a service. Shows the plan first; at a terminal it asks, elsewhere\n"
		   "--yes applies. Running it again goes on where an interrupted run was, and\n"
		   "does nothing when all is well.",
	.options = setup_options,
	.option_count = ARRAY_SIZE(setup_options),
	.run = run_setup,
};

const struct command command_teardown = {
	.name = "teardown",
	.synopsis = "[--dry-run] [--yes] [OPTION...]",
	.summary = "undo what setup did",
	.details =
		"Touches only what carries ec2hib's name or label. Running it twice is no error.",
	.options = teardown_options,
	.option_count = ARRAY_SIZE(teardown_options),
	.run = run_teardown,
};
