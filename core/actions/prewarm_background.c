/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/prewarm_background.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"
#include "core/facts/prewarm_state.h"

/* Until it has begun. */
#define BEGIN_TIMEOUT_MS 60000

static void add_number(struct strings *arguments, const char *option, uint64_t number)
{
	if (number == 0)
		return;
	strings_add(arguments, option);
	strings_take(arguments, text_format("%llu", (unsigned long long)number));
}

int prewarm_start(const struct gather *gather, const struct prewarm_order *order, struct error *err)
{
	strings_cleanup struct strings arguments = { 0 };
	memory_cleanup_free const char **vector = NULL;
	struct process process = {
		.root = gather->root, .timeout_ms = BEGIN_TIMEOUT_MS, .alone = true
	};
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

static uint64_t number(const struct fact_number *fact)
{
	return fact_number_or(fact, 0);
}

int prewarm_go_on(const struct gather *gather, struct error *err)
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
		const struct prewarm_order order = { .option = device ? "--device" : "--swapfile",
			.path = state.path.value,
			.rate = number(&state.limit),
			.block = number(&state.block),
			.depth = (unsigned)number(&state.fixed) };

		status = prewarm_start(gather, &order, err);
		if (status == 0)
			status = 1;
	}
	layout_free(&prewarm_state_layout, &state);
	return status;
}
