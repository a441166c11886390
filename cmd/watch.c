/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ec2hib watch: the agent. In the foreground for a service manager, or as a daemon. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/daemon.h"
#include "core/actions/recover.h"
#include "core/actions/watch.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

struct watch_options {
	bool once;
	bool dry_run;
	bool daemon;
	const char *pidfile;
};

#define OPTIONS struct watch_options
static const struct option_row options[] = {
	OPT_FLAG("once", once, "look once, act on what is there, and end"),
	OPT_FLAG("dry-run", dry_run, "do everything but hibernate", .letter = 'n'),
	OPT_FLAG("daemon", daemon, "go to the background; returns when it has begun"),
	OPT_TEXT("pidfile", pidfile, ARGUMENT_FILE, "FILE", "write the process number there"),
};

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

struct service {
	struct invocation *invocation;
	struct session *session;
	struct watch_log log;
	char *pidfile; /* NULL: none */
	bool begun;    /* the pidfile is ours */
	int starter;   /* pipe to the process that was started, -1 in the foreground */
};

static void service_log(void *data, int priority, const char *event, const char *text)
{
	struct service *service = data;
	const struct log_field field = { "EC2HIB_EVENT", event };

	if (priority > LOG_NOTICE && service->invocation->global.quiet)
		return;
	for (size_t i = 0; i < service->log.count; i++)
		log_message(&service->log.logs[i], priority, text, &field, 1);
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
		service_log(service, LOG_WARNING, NULL, err.text);
}

/* Who started the daemon waits for this: from now on it listens. */
static void service_ready(void *data)
{
	struct service *service = data;
	const bool daemon = service->starter >= 0;
	struct error err = { "" };

	write_pidfile(service);
	if (daemon_begun(&service->starter, &err) < 0)
		service_log(service, LOG_WARNING, NULL, err.text);
	/* Who reads what the start said would otherwise wait for the daemon's end. */
	if (daemon && service->session->config.log_to_stderr != CHOICE_YES)
		descriptors_leave(STDERR_FILENO, STDERR_FILENO);
}

/* ---- The command ----------------------------------------------------------------------------- */

static void service_note(void *data, int priority, const char *text)
{
	service_log(data, priority, NULL, text);
}

static int serve(struct service *service)
{
	const struct watch_options *wanted = service->invocation->options;
	const struct gather *gather = &service->session->gather;
	const struct reporter reporter = { .log = service_note, .data = service };
	struct notify notify = { -1 };
	struct error err = { "" };
	struct watch watch = { .gather = gather,
		.once = wanted->once,
		.dry_run = wanted->dry_run,
		.notify = &notify,
		.watchdog_ms = notify_watchdog_ms(
			getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), getpid()),
		.log = { service_log, service },
		.reload = service_reload,
		.ready = service_ready,
		.data = service };
	int status;

	/* Here and not by the row of the command: at boot nobody sees what is not in the log. */
	if (!wanted->dry_run)
		recover(gather, &reporter);
	if (notify_open(&notify, getenv("NOTIFY_SOCKET"), &err) < 0)
		service_log(service, LOG_WARNING, NULL, err.text);
	status = watch_run(&watch, &err);
	notify_close(&notify);
	if (status == 0)
		return 0;
	service_log(service, LOG_ERR, NULL, err.text);
	if (!service->log.on_stderr)
		complain("%s", err.text);
	return EXIT_NOT_READY;
}

/* A relative name means the folder in which the user is, which a daemon leaves. */
static char *pidfile_path(const char *given)
{
	char folder[PATH_MAX];

	if (!given || *given == '/' || !getcwd(folder, sizeof(folder)))
		return given ? text_copy(given) : NULL;
	return text_format("%s/%s", folder, given);
}

static int run(struct invocation *invocation, struct session *session)
{
	const struct watch_options *wanted = invocation->options;
	memory_cleanup_free char *pidfile = pidfile_path(wanted->pidfile);
	struct service service = {
		.invocation = invocation, .session = session, .pidfile = pidfile, .starter = -1
	};
	struct error err = { "" };
	int status;

	if (wanted->daemon && daemon_become(&service.starter, &err) < 0) {
		complain("%s", err.text);
		return EXIT_NOT_READY;
	}
	watch_log_open(&service.log, &session->config, wanted->daemon);
	status = serve(&service);
	if (service.pidfile && service.begun)
		root_remove(&session->host, service.pidfile, &err);
	watch_log_close(&service.log);
	return status;
}

const struct command command_watch = {
	.name = "watch",
	.synopsis = "[--once] [--dry-run] [--daemon] [--pidfile FILE]",
	.summary = "the agent: hibernates on a Spot notice and on the sleep button",
	.details =
		"Asks the metadata service for notices and listens to the sleep button of every\n"
		"input device, runs the hooks and hibernates. SIGHUP makes it read its\n"
		"configuration again, SIGTERM ends it. What it is doing is in\n"
		"/run/ec2hib/watch.json.",
	COMMAND_OPTIONS(options),
	.exclusive = { "daemon once" },
	.needs = NEEDS_SESSION | NEEDS_ROOT | NEEDS_METADATA,
	.only_live = "only a running machine can be watched",
	.run = run,
};
