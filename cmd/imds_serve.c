/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib imds serve: a simulated metadata service, for trials and tests. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/command.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "sim/http.h"
#include "sim/metadata.h"

static const char *const life_cycles[] = { "on-demand", "spot", NULL };
static const char *const token_words[] = { "required", "optional", NULL };
static const char *const spot_actions[] = { "hibernate", "stop", "terminate", NULL };
static const char *const maintenance_codes[] = { "instance-reboot", "system-reboot",
	"system-maintenance", "instance-retirement", "instance-stop", NULL };

struct imds_serve_options {
	const char *listen;
	const char *data;
	const char *control;
	const char *instance_id;
	const char *instance_type;
	const char *region;
	const char *life_cycle;
	const char *tokens;
	struct option_uses uses; /* all others */
};

/* What an option of the others does; the first four are the kinds of enum metadata_event. */
enum serve_tag {
	TAG_SPOT = METADATA_SPOT,
	TAG_REBALANCE = METADATA_REBALANCE,
	TAG_MAINTENANCE = METADATA_MAINTENANCE,
	TAG_LIFECYCLE = METADATA_LIFECYCLE,
	TAG_AFTER,
	TAG_CLEAR_AFTER,
	TAG_SET,
	TAG_FAULT,
};

#define EVENTS "spot rebalance maintenance lifecycle-state"

#define OPTIONS struct imds_serve_options
static const struct option_row options[] = {
	OPT_TEXT("listen", listen, ARGUMENT_TEXT, "ADDRESS:PORT",
		"where (standard: " METADATA_ADDRESS "; port 0: a free one)"),
	OPT_TEXT("data", data, ARGUMENT_FILE, "FILE", "items as imds get --all --json has them"),
	OPT_USE("set", uses, ARGUMENT_TEXT, TAG_SET, "PATH=VALUE", "one item; can be repeated"),
	OPT_TEXT("instance-id", instance_id, ARGUMENT_TEXT, "ID", "the instance's id"),
	OPT_TEXT("instance-type", instance_type, ARGUMENT_TEXT, "TYPE", "and its type"),
	OPT_TEXT("region", region, ARGUMENT_TEXT, "REGION", "and its region"),
	OPT_WORD("life-cycle", life_cycle, life_cycles, "WORD", "on-demand or spot"),
	OPT_WORD("tokens", tokens, token_words, "WORD",
		"required (IMDSv2, the standard) or optional"),
	OPT_USE("spot", uses, ARGUMENT_WORD, TAG_SPOT, "ACTION",
		"a notice: hibernate, stop or terminate", .words = spot_actions),
	OPT_USE("rebalance", uses, ARGUMENT_NONE, TAG_REBALANCE, NULL,
		"a rebalance recommendation"),
	OPT_USE("maintenance", uses, ARGUMENT_WORD, TAG_MAINTENANCE, "CODE",
		"a maintenance event: system-reboot, ...", .words = maintenance_codes),
	OPT_USE("lifecycle-state", uses, ARGUMENT_TEXT, TAG_LIFECYCLE, "STATE",
		"target state in an Auto Scaling group"),
	OPT_USE("after", uses, ARGUMENT_DURATION, TAG_AFTER, "TIME",
		"when the event before it comes: 10s", .follows = EVENTS),
	OPT_USE("clear-after", uses, ARGUMENT_DURATION, TAG_CLEAR_AFTER, "TIME",
		"how long it then stays", .follows = EVENTS),
	OPT_USE("fault", uses, ARGUMENT_FAULT, TAG_FAULT, "[SCOPE:]FAULT",
		"latency=200ms, error=10%, hang, ...; see the manual"),
	OPT_TEXT("control", control, ARGUMENT_TEXT, "PATH",
		"the control path (standard: " CONTROL_PATH "; none: off)"),
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
	*scenario = (struct scenario) { .clear_after_ms = HTTP_NEVER };
	return status;
}

static int take_item(struct metadata *metadata, const char *text, struct error *err)
{
	const char *equals = strchr(text, '=');
	memory_cleanup_free char *path = NULL;

	if (!equals)
		return error_set(err, EINVAL, "--set: \"%s\" is not PATH=VALUE", text);
	path = text_copy_length(text, (size_t)(equals - text));
	return metadata_set(metadata, path, equals + 1, err);
}

static int take_use(struct metadata *metadata, const struct option_use *use,
	struct scenario *scenario, struct error *err)
{
	int status;

	switch (use->row->tag) {
	case TAG_SET:
		return take_item(metadata, use->text, err);
	case TAG_FAULT:
		return faults_add(&metadata_control(metadata)->faults, use->text, err);
	case TAG_AFTER:
		scenario->after_ms = use->number;
		return 0;
	case TAG_CLEAR_AFTER:
		scenario->clear_after_ms = use->number;
		return 0;
	default:
		status = scenario_end(metadata, scenario, err);
		scenario->given = true;
		scenario->kind = (enum metadata_event)use->row->tag;
		scenario->value = use->text ? use->text : "";
		return status;
	}
}

/* The data first, whatever the order of the options: the others change it. */
static int take_data(struct metadata *metadata, const char *path, struct error *err)
{
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
	struct metadata *metadata, const struct imds_serve_options *wanted, struct error *err)
{
	struct metadata_instance instance = { .id = wanted->instance_id,
		.type = wanted->instance_type,
		.region = wanted->region,
		.life_cycle = wanted->life_cycle };
	struct scenario scenario = { .clear_after_ms = HTTP_NEVER };
	int status = take_data(metadata, wanted->data, err);

	/* Only a Spot instance gets such a notice. */
	for (size_t i = 0; !instance.life_cycle && i < wanted->uses.count; i++)
		if (wanted->uses.items[i].row->tag == TAG_SPOT)
			instance.life_cycle = "spot";
	metadata_describe(metadata, &instance);
	metadata_set_tokens_optional(
		metadata, wanted->tokens && strcmp(wanted->tokens, "optional") == 0);
	if (status == 0 && wanted->control)
		status = control_move(metadata_control(metadata),
			strcmp(wanted->control, "none") == 0 ? "" : wanted->control, err);
	for (size_t i = 0; status == 0 && i < wanted->uses.count; i++)
		status = take_use(metadata, &wanted->uses.items[i], &scenario, err);
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
static void show_request(void *data, int priority, const char *text)
{
	const struct invocation *invocation = data;

	if (priority < LOG_DEBUG && invocation->global.verbose) {
		style_line(stdout, "", text);
		fflush(stdout);
	}
}

static int serve(struct invocation *invocation, struct metadata *metadata)
{
	const struct reporter reporter = { .log = show_request, .data = invocation };
	const struct imds_serve_options *wanted = invocation->options;
	struct http_server *server = NULL;
	struct error err = { "" };
	int stop = signals_open();
	int status;

	status = http_server_open(&server, metadata_service(metadata),
		wanted->listen ? wanted->listen : METADATA_ADDRESS, &reporter, &err);
	if (status == 0 && http_server_is_exposed(server))
		warn_user(invocation,
			"%s is not an address of this machine alone: others can reach this simulated service",
			http_server_address(server));
	if (status == 0) {
		printf("listening on %s\n", http_server_address(server));
		fflush(stdout);
		status = http_server_run(server, stop, &err);
	}
	http_server_close(server);
	if (stop >= 0)
		close(stop);
	if (status < 0)
		complain("%s", err.text);
	if (status == -EINVAL)
		return EXIT_USAGE;
	return status < 0 ? EXIT_NOT_READY : 0;
}

static int run(struct invocation *invocation, struct session *session UNUSED)
{
	struct metadata *metadata = metadata_open();
	struct error err = { "" };
	int status;

	if (prepare(metadata, invocation->options, &err) < 0) {
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
	COMMAND_OPTIONS(options),
	.run = run,
};
