/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/prewarm_background.h"

#include <errno.h>
#include <limits.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/prewarm.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"
#include "core/facts/prewarm_state.h"

/* Until it has begun. */
#define BEGIN_TIMEOUT_MS 60000

/* How long a pause waits: a pre-warm ends with its requests, and a cold volume is slow. */
#define PAUSE_WAIT_MS 5000

/* The same for setup, which cannot go on without: a volume's first touch may take seconds. */
#define SETUP_WAIT_MS 10000

struct order {
	const char *option; /* that says what PATH is: --swapfile, --swap-device, --device */
	const char *path;
	uint64_t rate;	/* bytes/s; 0: no limit */
	uint64_t block; /* bytes a request; 0: the standard */
	unsigned depth; /* requests at a time; 0: adapt */
};

static void add_number(struct strings *arguments, const char *option, uint64_t number)
{
	if (number == 0)
		return;
	strings_add(arguments, option);
	strings_take(arguments, text_format("%llu", (unsigned long long)number));
}

/*
 * Runs ec2hib prewarm --background, and returns when it has begun. It goes on when this process has
 * ended. 0, -EIO with what it said, or what process_execute() says.
 */
static int start(const struct gather *gather, const struct order *order, struct error *err)
{
	strings_cleanup struct strings arguments = { 0 };
	memory_cleanup_free const char **vector = NULL;
	struct process process = { .root = gather->root, .timeout_ms = BEGIN_TIMEOUT_MS };
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		return error_errno(err, errno, "cannot find ec2hib itself");
	self[length] = '\0';
	strings_add(&arguments, self);
	if (gather->config_path) {
		strings_add(&arguments, "--config");
		strings_add(&arguments, gather->config_path);
	}
	strings_add(&arguments, "prewarm");
	strings_add(&arguments, "--background");
	strings_add(&arguments, order->option);
	strings_add(&arguments, order->path);
	add_number(&arguments, "--rate", order->rate);
	add_number(&arguments, "--block", order->block);
	add_number(&arguments, "--depth", order->depth);
	vector = memory_new(arguments.count + 1, sizeof(*vector));
	for (size_t i = 0; i < arguments.count; i++)
		vector[i] = arguments.items[i];
	process.arguments = vector;
	return process_execute(&process, NULL, err);
}

/* Of the state of one that was stopped, or killed: writing is for an area that is not active. */
static bool has_more_to_do(const struct prewarm_state *state)
{
	return fact_is_true(&state->background) && fact_text_is(&state->method, "read") &&
	       (fact_text_is(&state->state, PREWARM_STOPPED) ||
		       fact_text_is(&state->state, PREWARM_RUNNING));
}

/*
 * Goes on with the pre-warm that the state tells of, when it ran in the background and was stopped
 * or ended before its time. 1: it has begun; 0: there is none to go on with; or an error.
 */
static int go_on(const struct gather *gather, struct error *err)
{
	struct prewarm_state state = { 0 };
	struct error unread = { "" };
	int status = 0;

	if (prewarm_runs(gather->root) || prewarm_state_read(gather->root, &state, &unread) < 0) {
		layout_free(&prewarm_state_layout, &state);
		return 0;
	}
	if (has_more_to_do(&state)) {
		/* Which device or file it was is kept; what it was given as makes no difference. */
		struct stat found;
		bool device = root_stat(gather->root, state.path.value, &found) == 0 &&
			      S_ISBLK(found.st_mode);
		const struct order order = { .option = device ? "--device" : "--swapfile",
			.path = state.path.value,
			.rate = fact_number_or(&state.limit, 0),
			.block = fact_number_or(&state.block, 0),
			.depth = (unsigned)fact_number_or(&state.fixed, 0) };

		status = start(gather, &order, err);
		if (status == 0)
			status = 1;
	}
	layout_free(&prewarm_state_layout, &state);
	return status;
}

/* ---- For a while ----------------------------------------------------------------------------- */

bool prewarm_pause(const struct gather *gather, const struct reporter *reporter)
{
	struct error err = { "" };
	int status = prewarm_stop(gather->root, PAUSE_WAIT_MS, &err);

	if (status)
		reporter_log(reporter, status < 0 ? LOG_WARNING : LOG_NOTICE, "%s",
			status < 0 ? err.text : "the pre-warm was stopped");
	return status != 0;
}

void prewarm_resume(const struct gather *gather, const struct reporter *reporter)
{
	struct error err = { "" };
	int status = go_on(gather, &err);

	if (status < 0)
		error_prefix(&err, status, "cannot go on with the pre-warm");
	if (status)
		reporter_log(reporter, status < 0 ? LOG_WARNING : LOG_NOTICE, "%s",
			status < 0 ? err.text : "the pre-warm goes on");
}

/* ---- The step of setup ----------------------------------------------------------------------- */

static int run_here(const struct gather *gather, const struct reporter *reporter, struct error *err)
{
	const struct prewarm prewarm = {
		.gather = gather, .block = PREWARM_BLOCK_STANDARD, .reporter = reporter
	};
	struct prewarm_state state = { 0 };
	int status = prewarm_run(&prewarm, &state, err);

	layout_free(&prewarm_state_layout, &state);
	return status;
}

static int run_in_background(
	const struct gather *gather, const struct area_facts *area, struct error *err)
{
	const struct order order = { .option = fact_text_is(&area->kind, "device") ? "--swap-device"
										   : "--swapfile",
		.path = area->path.value };

	return start(gather, &order, err);
}

int prewarm_for_setup(const struct gather *gather, const struct area_facts *area, bool background,
	const struct reporter *reporter, struct error *err)
{
	int status;

	if (background && fact_text_is(&area->prewarmed, PREWARMED_RUNNING)) {
		reporter_log(
			reporter, LOG_INFO, "%s is being pre-warmed already", area->path.value);
		return 0;
	}
	/*
	 * What runs may be for the file that this setup has replaced, or for something else: it
	 * makes room, and goes on some other time from where it was.
	 */
	status = prewarm_stop(gather->root, SETUP_WAIT_MS, err);
	if (status < 0)
		return status;
	if (status > 0)
		reporter_log(reporter, LOG_INFO,
			"the pre-warm that ran was stopped: the swap area comes first");
	return background ? run_in_background(gather, area, err) : run_here(gather, reporter, err);
}
