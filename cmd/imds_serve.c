/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib imds serve: a simulated metadata service, for rehearsal and tests. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd/command.h"
#include "core/base/compiler.h"
#include "core/base/duration.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "sim/metadata_service.h"

static const char *const life_cycles[] = { "on-demand", "spot", NULL };
static const char *const spot_actions[] = { "hibernate", "stop", "terminate", NULL };
static const char *const maintenance_codes[] = { "instance-reboot", "system-reboot",
	"system-maintenance", "instance-retirement", "instance-stop", NULL };

static const struct option_entry options[] = {
	{ "listen", 0, ARGUMENT_TEXT, "ADDRESS:PORT", NULL,
		"where (standard: " METADATA_SERVICE_PLACE "; port 0: a free one)" },
	{ "data", 0, ARGUMENT_FILE, "FILE", NULL, "items as imds get --all --json has them" },
	{ "set", 0, ARGUMENT_TEXT, "PATH=VALUE", NULL, "one item; can be repeated" },
	{ "instance-id", 0, ARGUMENT_TEXT, "ID", NULL, "the instance's id" },
	{ "instance-type", 0, ARGUMENT_TEXT, "TYPE", NULL, "and its type" },
	{ "region", 0, ARGUMENT_TEXT, "REGION", NULL, "and its region" },
	{ "life-cycle", 0, ARGUMENT_WORD, "WORD", life_cycles, "on-demand or spot" },
	{ "spot", 0, ARGUMENT_WORD, "ACTION", spot_actions,
		"a notice: hibernate, stop or terminate" },
	{ "rebalance", 0, ARGUMENT_NONE, NULL, NULL, "a rebalance recommendation" },
	{ "maintenance", 0, ARGUMENT_WORD, "CODE", maintenance_codes,
		"a maintenance event: system-reboot, ..." },
	{ "lifecycle-state", 0, ARGUMENT_TEXT, "STATE", NULL,
		"target state in an Auto Scaling group" },
	{ "after", 0, ARGUMENT_TEXT, "TIME", NULL, "when what stands before it comes: 10s" },
	{ "clear-after", 0, ARGUMENT_TEXT, "TIME", NULL, "how long it then stays" },
	{ "fault", 0, ARGUMENT_FAULT, "[SCOPE:]FAULT", NULL,
		"latency=200ms, error=10%, hang, ...; see the manual" },
	{ "control", 0, ARGUMENT_TEXT, "PATH", NULL,
		"the control path (standard: " METADATA_CONTROL "; none: off)" },
};

/* The scenario that --after and --clear-after speak of. */
struct scenario {
	bool given;
	enum metadata_event kind;
	const char *value;
	uint64_t after_ms;
	uint64_t clear_after_ms;
};

static int scenario_end(struct metadata *metadata, struct scenario *scenario, struct error *err)
{
	int status = 0;

	if (scenario->given)
		status = metadata_plan(metadata, scenario->kind, scenario->value,
			scenario->after_ms, scenario->clear_after_ms, err);
	*scenario = (struct scenario) { .clear_after_ms = METADATA_NEVER };
	return status;
}

static const struct {
	const char *option;
	enum metadata_event kind;
} scenario_options[] = {
	{ "spot", METADATA_SPOT },
	{ "rebalance", METADATA_REBALANCE },
	{ "maintenance", METADATA_MAINTENANCE },
	{ "lifecycle-state", METADATA_LIFECYCLE },
};

/* --after or --clear-after, of the scenario before it. */
static int scenario_time(const struct option_use *use, struct scenario *scenario, struct error *err)
{
	const char *name = use->option->name;
	uint64_t *ms = strcmp(name, "after") == 0 ? &scenario->after_ms : &scenario->clear_after_ms;

	if (!scenario->given)
		return error_set(err, EINVAL,
			"--%s belongs behind --spot, --rebalance, --maintenance or --lifecycle-state",
			name);
	if (duration_parse(use->value, ms) < 0)
		return error_set(err, EINVAL, "--%s is \"%s\", which is no time: 10s, 200ms, 2m",
			name, use->value);
	return 0;
}

static int take_scenario(struct metadata *metadata, const struct option_use *use,
	struct scenario *scenario, struct error *err)
{
	const char *name = use->option->name;
	int status;

	if (strcmp(name, "after") == 0 || strcmp(name, "clear-after") == 0)
		return scenario_time(use, scenario, err);
	for (size_t i = 0; i < ARRAY_SIZE(scenario_options); i++) {
		if (strcmp(name, scenario_options[i].option) != 0)
			continue;
		status = scenario_end(metadata, scenario, err);
		scenario->given = true;
		scenario->kind = scenario_options[i].kind;
		scenario->value = use->value ? use->value : "";
		return status;
	}
	return 0;
}

static int take_item(struct metadata *metadata, const char *text, struct error *err)
{
	const char *equals = strchr(text, '=');
	memory_cleanup_free char *path = NULL;

	if (!equals)
		return error_set(err, EINVAL, "--set is \"%s\", not PATH=VALUE", text);
	path = text_copy_length(text, (size_t)(equals - text));
	return metadata_set(metadata, path, equals + 1, err);
}

/* The data first, whatever the order of the options: the others change it. */
static int take_data(
	struct metadata *metadata, const struct invocation *invocation, struct error *err)
{
	const char *path = option_value(invocation, "data");
	memory_cleanup_free char *absolute = path ? realpath(path, NULL) : NULL;
	struct root root;
	int status;

	if (!path)
		return 0;
	if (!absolute)
		return error_errno(err, errno, "cannot read %s", path);
	status = root_open(&root, "/", err);
	if (status == 0)
		status = metadata_load(metadata, &root, absolute, err);
	root_close(&root);
	return status;
}

static int prepare(
	struct metadata *metadata, const struct invocation *invocation, struct error *err)
{
	struct metadata_instance instance = {
		.id = option_value(invocation, "instance-id"),
		.type = option_value(invocation, "instance-type"),
		.region = option_value(invocation, "region"),
		.life_cycle = option_value(invocation, "life-cycle"),
	};
	struct scenario scenario = { .clear_after_ms = METADATA_NEVER };
	const char *control = option_value(invocation, "control");
	int status = take_data(metadata, invocation, err);

	/* Only a Spot instance gets such a notice. */
	if (option_given(invocation, "spot") && !instance.life_cycle)
		instance.life_cycle = "spot";
	metadata_describe(metadata, &instance);
	if (status == 0 && control)
		status = metadata_control_at(
			metadata, strcmp(control, "none") == 0 ? "" : control, err);
	for (size_t i = 0; status == 0 && i < invocation->use_count; i++) {
		const struct option_use *use = &invocation->uses[i];

		if (strcmp(use->option->name, "set") == 0)
			status = take_item(metadata, use->value, err);
		else if (strcmp(use->option->name, "fault") == 0)
			status = metadata_add_fault(metadata, use->value, err);
		else
			status = take_scenario(metadata, use, &scenario, err);
	}
	return status == 0 ? scenario_end(metadata, &scenario, err) : status;
}

/* SIGINT and SIGTERM as a descriptor. */
static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* A path is what the client made of it. */
static void show_request(void *data, int priority UNUSED, const char *text)
{
	if (option_given(data, "verbose")) {
		style_line(stdout, "", text);
		fflush(stdout);
	}
}

static int serve(struct invocation *invocation, struct metadata *metadata)
{
	const struct reporter reporter = { .log = show_request, .data = invocation };
	const char *place = option_value(invocation, "listen");
	struct metadata_service *service = NULL;
	struct error err = { "" };
	int stop = signals_open();
	int status;

	status = metadata_service_open(
		&service, metadata, place ? place : METADATA_SERVICE_PLACE, &reporter, &err);
	if (status == 0 && metadata_service_is_exposed(service))
		warn_user(invocation,
			"%s is not an address of this machine alone: others can reach this simulated service",
			metadata_service_place(service));
	if (status == 0) {
		printf("listening on %s\n", metadata_service_place(service));
		fflush(stdout);
		status = metadata_service_run(service, stop, &err);
	}
	metadata_service_close(service);
	if (stop >= 0)
		close(stop);
	if (status < 0)
		complain("%s", err.text);
	if (status == -EINVAL)
		return EXIT_USAGE;
	return status < 0 ? EXIT_NOT_READY : 0;
}

static int run(struct invocation *invocation)
{
	struct metadata *metadata = metadata_open();
	struct error err = { "" };
	int status;

	if (prepare(metadata, invocation, &err) < 0) {
		complain("%s", err.text);
		status = EXIT_USAGE;
	} else {
		status = serve(invocation, metadata);
	}
	metadata_close(metadata);
	return status;
}

const struct command command_imds_serve = {
	.name = "serve",
	.parent = &command_imds,
	.synopsis = "[--listen ADDRESS:PORT] [OPTION...]",
	.summary = "serve a simulated metadata service",
	.details = "For rehearsal and tests, on any machine. It wants IMDSv2 tokens as EC2's does.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.run = run,
};
