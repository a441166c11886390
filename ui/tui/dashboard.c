/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dashboard's one loop. */
#include "ui/tui/dashboard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "core/actions/lock.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "ui/tui/state.h"
#include "ui/tui/terminal.h"

/* Facts are gathered so often even if nobody asks. */
#define GATHER_EVERY_MS 60000

/* The clock at the top, and what is counted in seconds. */
#define TICK_MS 1000

/* ---- Beginning and end ---- */

static int take_signals(sigset_t *before, struct error *err)
{
	static const int taken[] = { SIGWINCH, SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGTSTP };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		sigaddset(&set, taken[i]);
	sigprocmask(SIG_BLOCK, &set, before);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "cannot listen for signals") : fd;
}

static void dashboard_begin(struct dashboard *dashboard, const struct dashboard_settings *settings)
{
	struct model *model = &dashboard->model;

	dashboard->settings = settings;
	dashboard->gatherer.fd = dashboard->poller.fd = dashboard->command.stream.fd = -1;
	dashboard->files = (struct state_files) { -1, -1, -1 };
	model_init(model);
	model->live = settings->state && settings->state->live;
	model->saved = settings->saved != NULL;
	model->root = settings->root;
	model->from = settings->from;
	model->endpoint = settings->endpoint;
	model->version = settings->version;
	model->now = settings->now(settings->data);
	model->ticks = clock_ms(CLOCK_BOOTTIME);
	model->service.at = model->ticks;
	for (size_t i = 0; i < PANEL_COUNT; i++) {
		dashboard->states[i] = memory_new(1, panels[i]->state_size);
		dashboard->scrolls[i].item = ITEM_NONE;
	}
	/* The readiness is what most come for. */
	dashboard->focus = PANEL_readiness;
	dashboard->redraw = dashboard->retile = true;
}

static void dashboard_end(struct dashboard *dashboard)
{
	worker_stop(&dashboard->gatherer);
	worker_stop(&dashboard->poller);
	if (dashboard->files.fd >= 0)
		close(dashboard->files.fd);
	command_free(&dashboard->command);
	for (size_t i = 0; i < PANEL_COUNT; i++) {
		if (panels[i]->free_state)
			panels[i]->free_state(dashboard->states[i]);
		free(dashboard->states[i]);
	}
	model_free(&dashboard->model);
	free(dashboard->typed);
	free(dashboard->search);
	free(dashboard->file);
	free(dashboard->message);
}

/* ---- Children ---- */

static int take_saved(struct dashboard *dashboard, struct error *err)
{
	int status = model_take_saved(&dashboard->model, dashboard->settings->saved, err);

	if (status < 0)
		return error_prefix(err, status, "cannot use %s", dashboard->settings->from);
	dashboard_tell(dashboard, NEWS_FACTS | NEWS_WATCH | NEWS_PREWARM);
	return 0;
}

static void take_facts(void *data, const char *line)
{
	struct dashboard *dashboard = data;
	json_t *json = json_loads(line, 0, NULL);
	struct error err = { "" };

	if (model_take_facts(&dashboard->model, json, &err) < 0)
		text_set(&dashboard->model.facts_error, text_copy(err.text));
	json_decref(json);
	dashboard_tell(dashboard, NEWS_FACTS);
}

static void take_answer(void *data, const char *line)
{
	struct dashboard *dashboard = data;

	service_take(&dashboard->model.service, line, dashboard->model.ticks);
	dashboard_tell(dashboard, NEWS_SERVICE);
}

static void gather_begin(struct dashboard *dashboard)
{
	const struct dashboard_settings *settings = dashboard->settings;
	struct error err = { "" };

	dashboard->gather_wanted = false;
	dashboard->gather_next = dashboard->model.ticks + GATHER_EVERY_MS;
	if (!settings->gather)
		return;
	if (worker_start(&dashboard->gatherer, settings->gather, settings->data, &err) < 0)
		dashboard_say(dashboard, "%s", err.text);
	dashboard->redraw = true;
}

static void poll_begin(struct dashboard *dashboard)
{
	const struct dashboard_settings *settings = dashboard->settings;
	struct error err = { "" };

	if (settings->poll_service &&
		worker_start(&dashboard->poller, settings->poll_service, settings->data, &err) < 0)
		dashboard_say(dashboard, "%s", err.text);
}

/* ---- State files ---- */

/* They are replaced by rename(2); one that is written by hand is seen, too. */
#define CHANGES                                                                                    \
	(IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF)

static int add_watch(const struct dashboard *dashboard, const char *path, uint32_t events)
{
	memory_cleanup_free char *name =
		text_format("/proc/self/fd/%d%s", dashboard->settings->state->fd, path);

	return inotify_add_watch(dashboard->files.fd, name, events | IN_ONLYDIR);
}

/* Watches /run/ec2hib, or until that is there /run. */
static void watch_folder(struct dashboard *dashboard)
{
	struct state_files *files = &dashboard->files;

	files->folder = add_watch(dashboard, RUN_FOLDER, CHANGES);
	if (files->folder < 0 && files->above < 0) {
		files->above = add_watch(dashboard, "/run", IN_CREATE | IN_MOVED_TO);
		/* It may have come in between. */
		files->folder = add_watch(dashboard, RUN_FOLDER, CHANGES);
	}
	if (files->folder >= 0 && files->above >= 0) {
		inotify_rm_watch(files->fd, files->above);
		files->above = -1;
	}
}

static void read_states(struct dashboard *dashboard, unsigned news)
{
	const struct root *root = dashboard->settings->state;

	if (news & NEWS_WATCH)
		model_read_watch(&dashboard->model, root);
	if (news & NEWS_PREWARM)
		model_read_prewarm(&dashboard->model, root);
	if (news)
		dashboard_tell(dashboard, news);
}

static void follow_states(struct dashboard *dashboard)
{
	dashboard->files.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (dashboard->files.fd >= 0)
		watch_folder(dashboard);
	read_states(dashboard, NEWS_WATCH | NEWS_PREWARM);
}

/* What has changed, as enum news has it; perhaps it is gone. */
static unsigned take_event(struct dashboard *dashboard, const struct inotify_event *event)
{
	const char *name = event->len ? event->name : "";

	if (event->wd == dashboard->files.above ||
		(event->mask & (IN_DELETE_SELF | IN_MOVE_SELF))) {
		watch_folder(dashboard);
		return NEWS_WATCH | NEWS_PREWARM;
	}
	if (event->mask & IN_Q_OVERFLOW)
		return NEWS_WATCH | NEWS_PREWARM;
	if (strcmp(name, path_name(WATCH_STATE_PATH)) == 0)
		return NEWS_WATCH;
	return strcmp(name, path_name(PREWARM_STATE_PATH)) == 0 ? NEWS_PREWARM : 0;
}

static void read_changes(struct dashboard *dashboard)
{
	_Alignas(struct inotify_event) char buffer[4096];
	unsigned news = 0;
	ssize_t got;

	while ((got = read(dashboard->files.fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			news |= take_event(dashboard, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	read_states(dashboard, news);
}

/* ---- Signals ---- */

/* Stops as any program does, with the terminal as it was before; goes on with SIGCONT. */
static void stop_here(struct dashboard *dashboard)
{
	terminal_leave();
	kill(getpid(), SIGSTOP);
	control_leave_question(dashboard);
	terminal_resize();
	terminal_redraw();
	dashboard->redraw = dashboard->retile = true;
}

static void read_signals(struct dashboard *dashboard, int fd)
{
	struct signalfd_siginfo got;

	while (read(fd, &got, sizeof(got)) == sizeof(got)) {
		if (got.ssi_signo == SIGWINCH)
			terminal_resize();
		else if (got.ssi_signo == SIGTSTP)
			stop_here(dashboard);
		else if (got.ssi_signo != SIGCHLD)
			dashboard->quit = true;
		dashboard->redraw = dashboard->retile = true;
	}
	worker_reap();
	if (command_reap(&dashboard->command))
		control_command_ended(dashboard);
}

/* ---- The loop ---- */

enum { POLL_KEYS, POLL_SIGNALS, POLL_FILES, POLL_FACTS, POLL_SERVICE, POLL_OUTPUT, POLLS };

static void listen_to(struct dashboard *dashboard, const struct pollfd *polls)
{
	if (polls[POLL_SIGNALS].revents)
		read_signals(dashboard, polls[POLL_SIGNALS].fd);
	if (polls[POLL_FILES].revents)
		read_changes(dashboard);
	if (polls[POLL_FACTS].revents && !worker_read(&dashboard->gatherer, take_facts, dashboard))
		dashboard->redraw = true;
	if (polls[POLL_SERVICE].revents && !worker_read(&dashboard->poller, take_answer, dashboard))
		dashboard->model.service.over = dashboard->redraw = true;
	if (polls[POLL_OUTPUT].revents) {
		command_listen(&dashboard->command);
		dashboard->redraw = true;
	}
	if (polls[POLL_KEYS].revents) {
		int key = terminal_key();

		/* Bytes that are no character in this locale are a key as well. */
		if (key == KEY_NONE)
			key = KEY_IS_SPECIAL;
		for (; !dashboard->quit && key != KEY_NONE; key = terminal_key())
			control_key(dashboard, key);
		/* A terminal that is gone is readable for ever, and has nothing. */
		if (polls[POLL_KEYS].revents & (POLLHUP | POLLERR | POLLNVAL))
			dashboard->quit = true;
	}
}

/* Until the clock shows another second. */
static int until_tick(void)
{
	return TICK_MS - (int)(clock_ms(CLOCK_REALTIME) % TICK_MS);
}

static void tick(struct dashboard *dashboard)
{
	struct model *model = &dashboard->model;
	int64_t before = model->now;
	uint64_t ticks = clock_ms(CLOCK_BOOTTIME);

	model->now = dashboard->settings->now(dashboard->settings->data);
	if (model->now != before || ticks / TICK_MS != model->ticks / TICK_MS)
		dashboard->redraw = true;
	model->ticks = ticks;
	/* Its end is seen by its lock alone, if it was killed. */
	if (dashboard->redraw && model->prewarm_runs && dashboard->settings->state) {
		model_read_prewarm(model, dashboard->settings->state);
		if (!model->prewarm_runs)
			dashboard_tell(dashboard, NEWS_PREWARM);
	}
	if (!dashboard->gatherer.pid &&
		(dashboard->gather_wanted || ticks >= dashboard->gather_next))
		gather_begin(dashboard);
}

static void loop(struct dashboard *dashboard, int signals)
{
	while (!dashboard->quit) {
		struct pollfd polls[POLLS] = { [POLL_KEYS] = { STDIN_FILENO, POLLIN, 0 },
			[POLL_SIGNALS] = { signals, POLLIN, 0 },
			[POLL_FILES] = { dashboard->files.fd, POLLIN, 0 },
			[POLL_FACTS] = { dashboard->gatherer.pid ? dashboard->gatherer.fd : -1,
				POLLIN, 0 },
			[POLL_SERVICE] = { dashboard->poller.pid ? dashboard->poller.fd : -1,
				POLLIN, 0 },
			[POLL_OUTPUT] = { dashboard->command.stream.fd, POLLIN, 0 } };

		tick(dashboard);
		if (dashboard->redraw) {
			control_settle_plan(dashboard);
			screen_draw(dashboard);
		}
		dashboard->redraw = false;
		/* A child was started by now: its descriptor belongs to the next round. */
		if (polls[POLL_FACTS].fd < 0 && dashboard->gatherer.pid)
			continue;
		if (poll(polls, POLLS, until_tick()) > 0)
			listen_to(dashboard, polls);
	}
}

int dashboard_run(const struct dashboard_settings *settings, char **left, struct error *err)
{
	struct dashboard dashboard = { 0 };
	sigset_t before;
	int signals = take_signals(&before, err), status;

	*left = NULL;
	if (signals < 0)
		return signals;
	dashboard_begin(&dashboard, settings);
	status = settings->saved ? take_saved(&dashboard, err) : 0;
	if (status == 0)
		status = terminal_open(settings->colour, err);
	if (status == 0) {
		if (settings->state)
			follow_states(&dashboard);
		poll_begin(&dashboard);
		loop(&dashboard, signals);
		terminal_close();
		if (dashboard.command.pid)
			*left = text_format("%s (process %d)", dashboard.command.shown,
				(int)dashboard.command.pid);
	}
	dashboard_end(&dashboard);
	close(signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}
