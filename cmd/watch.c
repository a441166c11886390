/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib watch: the agent. In the foreground for a service manager, or as a daemon. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/daemon.h"
#include "config.h"
#include "core/actions/rehearse.h"
#include "core/actions/watch.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* Where the log goes: the journal, syslog, lines on standard error, or two of them. */
struct watch_log {
	struct log logs[2];
	size_t count;
	bool on_stderr; /* one of them is what a user at the terminal, or the journal, sees */
};

static bool wanted(enum config_choice choice, bool otherwise)
{
	return choice == CHOICE_AUTO ? otherwise : choice == CHOICE_YES;
}

/*
 * In the background there is nobody at standard error. A service manager that keeps standard error
 * in its journal gets the facts beside the words, too.
 */
static void watch_log_open(struct watch_log *log, const struct config *config, bool background)
{
	struct error ignored = { "" };

	log->count = 0;
	log->on_stderr = wanted(config->log_to_stderr, !background);
	if (log->on_stderr) {
		/* What cannot be said to the journal itself is said on the line to it. */
		if (!log_is_journal(STDERR_FILENO, getenv("JOURNAL_STREAM")) ||
			log_to_journal(&log->logs[0], "ec2hib", LOG_JOURNAL_SOCKET, &ignored) < 0)
			log_to_lines(&log->logs[0], "ec2hib", STDERR_FILENO,
				getenv("JOURNAL_STREAM") != NULL);
		log->count++;
	}
	if (wanted(config->log_to_syslog, background))
		log_to_syslog(&log->logs[log->count++], "ec2hib", LOG_SYSLOG_SOCKET);
}

static void watch_log_close(struct watch_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		log_close(&log->logs[i]);
	log->count = 0;
}

/* As log_message(), to all of them. */
static void watch_log_message(struct watch_log *log, int priority, const char *text,
	const struct log_field *fields, size_t count)
{
	for (size_t i = 0; i < log->count; i++)
		log_message(&log->logs[i], priority, text, fields, count);
}

struct service {
	struct invocation *invocation;
	struct session *session;
	struct watch_log log;
	char *pidfile; /* NULL: none */
	bool begun;    /* the pidfile is ours */
	int starter;   /* pipe to the process that was started, -1 in the foreground */
};

static void service_log(
	void *data, int priority, const char *text, const struct log_field *fields, size_t count)
{
	struct service *service = data;

	if (priority > LOG_NOTICE && option_given(service->invocation, "quiet"))
		return;
	watch_log_message(&service->log, priority, text, fields, count);
}

static int service_reload(void *data, struct error *err)
{
	struct service *service = data;

	return session_reload(service->session, service->invocation, err);
}

static void write_pidfile(struct service *service)
{
	memory_cleanup_free char *text = text_format("%ld\n", (long)getpid());
	struct error err = { "" };

	service->begun = true;
	if (service->pidfile &&
		root_publish(&service->session->host, service->pidfile, text, 0644, &err) < 0)
		service_log(service, LOG_WARNING, err.text, NULL, 0);
}

/* Who started the daemon waits for this: from now on it listens. */
static void service_ready(void *data)
{
	struct service *service = data;
	const bool daemon = service->starter >= 0;
	struct error err = { "" };

	write_pidfile(service);
	if (daemon_begun(&service->starter, &err) < 0)
		service_log(service, LOG_WARNING, err.text, NULL, 0);
	/* Who reads what the start said would otherwise wait for the daemon's end. */
	if (daemon && service->session->config.log_to_stderr != CHOICE_YES)
		descriptors_leave(STDERR_FILENO, STDERR_FILENO);
}

/* ---- The command ---------------------------------------------------------------------------------- */

/* A rehearsal that was cut short, perhaps by the boot of which the agent is a part. */
static void put_right(struct service *service, const struct gather *gather)
{
	memory_cleanup_free char *said = NULL;
	struct error err = { "" };

	if (option_given(service->invocation, "dry-run"))
		return;
	if (rehearsal_recover(gather, &said, &err) < 0)
		service_log(service, LOG_ERR, err.text, NULL, 0);
	if (said)
		service_log(service, LOG_WARNING, said, NULL, 0);
}

static int serve(struct service *service, const struct gather *gather)
{
	struct invocation *invocation = service->invocation;
	struct notify notify = { -1 };
	struct error err = { "" };
	struct watch watch = { .gather = gather,
		.once = option_given(invocation, "once"),
		.dry_run = option_given(invocation, "dry-run"),
		.notify = &notify,
		.watchdog_ms = notify_watchdog_ms(
			getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), getpid()),
		.log = service_log,
		.reload = service_reload,
		.ready = service_ready,
		.data = service };
	int status;

	put_right(service, gather);
	if (notify_open(&notify, getenv("NOTIFY_SOCKET"), &err) < 0)
		service_log(service, LOG_WARNING, err.text, NULL, 0);
	status = watch_run(&watch, &err);
	notify_close(&notify);
	if (status == 0)
		return 0;
	service_log(service, LOG_ERR, err.text, NULL, 0);
	if (!service->log.on_stderr)
		complain("%s", err.text);
	return EXIT_NOT_READY;
}

static int check(const struct invocation *invocation, const struct session *session)
{
	bool daemon = option_given(invocation, "daemon");

	if (daemon && option_given(invocation, "once")) {
		complain("--daemon and --once exclude each other");
		return EXIT_USAGE;
	}
	if (!session->root.live) {
		complain("%s is an image: only a running machine can be watched",
			session->root.path);
		return EXIT_USAGE;
	}
	if (geteuid() != 0) {
		complain("watch needs root: run it with sudo");
		return EXIT_NOT_READY;
	}
	return 0;
}

/* A relative name means the folder in which the user is, which a daemon leaves. */
static char *pidfile_path(const struct invocation *invocation)
{
	const char *given = option_value(invocation, "pidfile");
	char folder[PATH_MAX];

	if (!given || *given == '/' || !getcwd(folder, sizeof(folder)))
		return given ? text_copy(given) : NULL;
	return text_format("%s/%s", folder, given);
}

static int run(struct invocation *invocation)
{
	struct session session;
	struct service service = { .invocation = invocation, .session = &session, .starter = -1 };
	struct error err = { "" };
	int status = session_open(&session, invocation);
	const struct gather gather = { .root = &session.root,
		.host = &session.host,
		.config = &session.config,
		.imds = &session.imds,
		.version = PACKAGE_VERSION,
		.config_path = session.config_path };

	if (status == 0)
		status = check(invocation, &session);
	service.pidfile = pidfile_path(invocation);
	if (status == 0 && option_given(invocation, "daemon") &&
		daemon_become(&service.starter, &err) < 0) {
		complain("%s", err.text);
		status = EXIT_NOT_READY;
	}
	if (status == 0) {
		watch_log_open(&service.log, &session.config, option_given(invocation, "daemon"));
		status = serve(&service, &gather);
		if (service.pidfile && service.begun)
			root_remove(&session.host, service.pidfile, &err);
		watch_log_close(&service.log);
	}
	free(service.pidfile);
	session_close(&session);
	return status;
}

static const struct option_entry options[] = {
	{ "once", 0, ARGUMENT_NONE, NULL, NULL, "look once, act on what is there, and end" },
	{ "dry-run", 'n', ARGUMENT_NONE, NULL, NULL, "do everything but hibernate" },
	{ "daemon", 0, ARGUMENT_NONE, NULL, NULL,
		"go to the background; returns when it has begun" },
	{ "pidfile", 0, ARGUMENT_FILE, "FILE", NULL, "write the process number there" },
};

const struct command command_watch = {
	.name = "watch",
	.synopsis = "[--once] [--dry-run] [--daemon] [--pidfile FILE]",
	.summary = "the agent: hibernates on a Spot notice and on the sleep button",
	.details =
		"Asks the metadata service for notices and listens to the sleep button of every\n"
		"input device, runs the hooks and hibernates. SIGHUP makes it read its\n"
		"configuration again, SIGTERM ends it. What it is doing stands in\n"
		"/run/ec2hib/watch.json.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.run = run,
};
