/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The step of setup that pre-warms. */
#include "core/actions/prewarm_setup.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "core/actions/prewarm.h"
#include "core/base/memory.h"
#include "core/base/process.h"

/* Until it has begun. */
#define BEGIN_TIMEOUT_MS 60000

static int run_here(const struct setup *setup, struct error *err)
{
	const struct prewarm prewarm = { .gather = setup->gather,
		.block = PREWARM_BLOCK_STANDARD,
		.progress = setup->progress };
	struct prewarm_state state = { 0 };
	int status = prewarm_run(&prewarm, &state, err);

	layout_free(&prewarm_state_layout, &state);
	return status;
}

/* A program of its own, and alone: the lock that setup holds must not go with it. */
static int run_in_background(const struct setup *setup, struct error *err)
{
	const struct facts *facts = setup->facts;
	bool device = fact_text_is(&facts->area.kind, "device");
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *arguments[8] = { self };
	size_t count = 1;
	const struct process process = { .root = setup->gather->root,
		.arguments = arguments,
		.timeout_ms = BEGIN_TIMEOUT_MS,
		.alone = true };

	if (length < 0)
		return error_errno(err, errno, "cannot find ec2hib itself");
	self[length] = '\0';
	if (setup->config_path) {
		arguments[count++] = "--config";
		arguments[count++] = setup->config_path;
	}
	arguments[count++] = "prewarm";
	arguments[count++] = "--background";
	arguments[count++] = device ? "--swap-device" : "--swapfile";
	arguments[count++] = facts->area.path.value;
	return process_execute(&process, NULL, err);
}

int prewarm_for_setup(struct setup *setup, bool background, struct error *err)
{
	if (!background)
		return run_here(setup, err);
	if (prewarm_runs(setup->gather->root)) {
		progress_note(setup->progress, "a pre-warm runs already");
		return 0;
	}
	return run_in_background(setup, err);
}
