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
#include "ui/tui/desk.h"
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

static void desk_begin(struct desk *desk, const struct dashboard *settings)
{
	struct model *model = &desk->model;

	desk->settings = settings;
	desk->gatherer.fd = desk->poller.fd = desk->command.stream.fd = -1;
	desk->files = (struct state_files) { -1, -1, -1 };
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
	for (size_t i = 0; i < PANELS; i++) {
		desk->own[i] = memory_new(1, panels[i]->own_size);
		desk->scrolls[i].item = ITEM_NONE;
	}
	/* The readiness is what most come for. */
	desk->focus = 1;
	desk->changed = desk->unsettled = true;
}

static void desk_end(struct desk *desk)
{
	worker_stop(&desk->gatherer);
	worker_stop(&desk->poller);
	if (desk->files.fd >= 0)
		close(desk->files.fd);
	command_free(&desk->command);
	for (size_t i = 0; i < PANELS; i++) {
		if (panels[i]->free_own)
			panels[i]->free_own(desk->own[i]);
		free(desk->own[i]);
	}
	model_free(&desk->model);
	free(desk->typed);
	free(desk->search);
	free(desk->file);
	free(desk->message);
}

/* ---- Children ---- */

static int take_saved(struct desk *desk, struct error *err)
{
	int status = model_take_saved(&desk->model, desk->settings->saved, err);

	if (status < 0)
		return error_prefix(err, status, "cannot use %s", desk->settings->from);
	desk_tell(desk, NEWS_FACTS | NEWS_WATCH | NEWS_PREWARM);
	return 0;
}

static void take_facts(void *data, const char *line)
{
	struct desk *desk = data;
	json_t *json = json_loads(line, 0, NULL);
	struct error err = { "" };

	if (model_take_facts(&desk->model, json, &err) < 0)
		text_set(&desk->model.facts_error, text_copy(err.text));
	json_decref(json);
	desk_tell(desk, NEWS_FACTS);
}

static void take_answer(void *data, const char *line)
{
	struct desk *desk = data;

	service_take(&desk->model.service, line, desk->model.ticks);
	desk_tell(desk, NEWS_SERVICE);
}

static void gather_begin(struct desk *desk)
{
	const struct dashboard *settings = desk->settings;
	struct error err = { "" };

	desk->gather_wanted = false;
	desk->gather_next = desk->model.ticks + GATHER_EVERY_MS;
	if (!settings->gather)
		return;
	if (worker_start(&desk->gatherer, settings->gather, settings->data, &err) < 0)
		desk_say(desk, "%s", err.text);
	desk->changed = true;
}

static void poll_begin(struct desk *desk)
{
	const struct dashboard *settings = desk->settings;
	struct error err = { "" };

	if (settings->poll_service &&
		worker_start(&desk->poller, settings->poll_service, settings->data, &err) < 0)
		desk_say(desk, "%s", err.text);
}

/* ---- State files ---- */

/* They are replaced by rename(2); one that is written by hand is seen, too. */
#define CHANGES                                                                                    \
	(IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF)

static int add_watch(const struct desk *desk, const char *path, uint32_t events)
{
	memory_cleanup_free char *name =
		text_format("/proc/self/fd/%d%s", desk->settings->state->fd, path);

	return inotify_add_watch(desk->files.fd, name, events | IN_ONLYDIR);
}

/* Watches /run/ec2hib, or until that is there /run. */
static void watch_folder(struct desk *desk)
{
	struct state_files *files = &desk->files;

	files->folder = add_watch(desk, RUN_FOLDER, CHANGES);
	if (files->folder < 0 && files->above < 0) {
		files->above = add_watch(desk, "/run", IN_CREATE | IN_MOVED_TO);
		/* It may have come in between. */
		files->folder = add_watch(desk, RUN_FOLDER, CHANGES);
	}
	if (files->folder >= 0 && files->above >= 0) {
		inotify_rm_watch(files->fd, files->above);
		files->above = -1;
	}
}

static void read_states(struct desk *desk, unsigned news)
{
	const struct root *root = desk->settings->state;

	if (news & NEWS_WATCH)
		model_read_watch(&desk->model, root);
	if (news & NEWS_PREWARM)
		model_read_prewarm(&desk->model, root);
	if (news)
		desk_tell(desk, news);
}

static void follow_states(struct desk *desk)
{
	desk->files.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (desk->files.fd >= 0)
		watch_folder(desk);
	read_states(desk, NEWS_WATCH | NEWS_PREWARM);
}

/* What has changed, as enum news has it; perhaps it is gone. */
static unsigned take_event(struct desk *desk, const struct inotify_event *event)
{
	const char *name = event->len ? event->name : "";

	if (event->wd == desk->files.above || (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF))) {
		watch_folder(desk);
		return NEWS_WATCH | NEWS_PREWARM;
	}
	if (event->mask & IN_Q_OVERFLOW)
		return NEWS_WATCH | NEWS_PREWARM;
	if (strcmp(name, path_name(WATCH_STATE_PATH)) == 0)
		return NEWS_WATCH;
	return strcmp(name, path_name(PREWARM_STATE_PATH)) == 0 ? NEWS_PREWARM : 0;
}

static void read_changes(struct desk *desk)
{
	_Alignas(struct inotify_event) char buffer[4096];
	unsigned news = 0;
	ssize_t got;

	while ((got = read(desk->files.fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			news |= take_event(desk, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	read_states(desk, news);
}

/* ---- Signals ---- */

/* Stops as any program does, with the terminal as it was before; goes on with SIGCONT. */
static void stop_here(struct desk *desk)
{
	terminal_leave();
	kill(getpid(), SIGSTOP);
	desk_question_leave(desk);
	terminal_resize();
	terminal_redraw();
	desk->changed = desk->unsettled = true;
}

static void read_signals(struct desk *desk, int fd)
{
	struct signalfd_siginfo got;

	while (read(fd, &got, sizeof(got)) == sizeof(got)) {
		if (got.ssi_signo == SIGWINCH)
			terminal_resize();
		else if (got.ssi_signo == SIGTSTP)
			stop_here(desk);
		else if (got.ssi_signo != SIGCHLD)
			desk->quit = true;
		desk->changed = desk->unsettled = true;
	}
	worker_reap();
	if (command_reap(&desk->command))
		desk_command_ended(desk);
}

/* ---- The loop ---- */

enum { POLL_KEYS, POLL_SIGNALS, POLL_FILES, POLL_FACTS, POLL_SERVICE, POLL_OUTPUT, POLLS };

static void listen_to(struct desk *desk, const struct pollfd *polls)
{
	if (polls[POLL_SIGNALS].revents)
		read_signals(desk, polls[POLL_SIGNALS].fd);
	if (polls[POLL_FILES].revents)
		read_changes(desk);
	if (polls[POLL_FACTS].revents && !worker_read(&desk->gatherer, take_facts, desk))
		desk->changed = true;
	if (polls[POLL_SERVICE].revents && !worker_read(&desk->poller, take_answer, desk))
		desk->model.service.over = desk->changed = true;
	if (polls[POLL_OUTPUT].revents) {
		command_listen(&desk->command);
		desk->changed = true;
	}
	if (polls[POLL_KEYS].revents) {
		int key = terminal_key();

		/* Bytes that are no character in this locale are a key as well. */
		if (key == KEY_NONE)
			key = KEY_IS_SPECIAL;
		for (; !desk->quit && key != KEY_NONE; key = terminal_key())
			desk_key(desk, key);
		/* A terminal that is gone is readable for ever, and has nothing. */
		if (polls[POLL_KEYS].revents & (POLLHUP | POLLERR | POLLNVAL))
			desk->quit = true;
	}
}

/* Until the clock shows another second. */
static int until_tick(void)
{
	return TICK_MS - (int)(clock_ms(CLOCK_REALTIME) % TICK_MS);
}

static void tick(struct desk *desk)
{
	struct model *model = &desk->model;
	int64_t before = model->now;
	uint64_t ticks = clock_ms(CLOCK_BOOTTIME);

	model->now = desk->settings->now(desk->settings->data);
	if (model->now != before || ticks / TICK_MS != model->ticks / TICK_MS)
		desk->changed = true;
	model->ticks = ticks;
	/* Its end is seen by its lock alone, if it was killed. */
	if (desk->changed && model->prewarm_runs && desk->settings->state) {
		model_read_prewarm(model, desk->settings->state);
		if (!model->prewarm_runs)
			desk_tell(desk, NEWS_PREWARM);
	}
	if (!desk->gatherer.pid && (desk->gather_wanted || ticks >= desk->gather_next))
		gather_begin(desk);
}

static void loop(struct desk *desk, int signals)
{
	while (!desk->quit) {
		struct pollfd polls[POLLS] = { [POLL_KEYS] = { STDIN_FILENO, POLLIN, 0 },
			[POLL_SIGNALS] = { signals, POLLIN, 0 },
			[POLL_FILES] = { desk->files.fd, POLLIN, 0 },
			[POLL_FACTS] = { desk->gatherer.pid ? desk->gatherer.fd : -1, POLLIN, 0 },
			[POLL_SERVICE] = { desk->poller.pid ? desk->poller.fd : -1, POLLIN, 0 },
			[POLL_OUTPUT] = { desk->command.stream.fd, POLLIN, 0 } };

		tick(desk);
		if (desk->changed) {
			desk_plan_settle(desk);
			desk_draw(desk);
		}
		desk->changed = false;
		/* A child was started by now: its descriptor belongs to the next round. */
		if (polls[POLL_FACTS].fd < 0 && desk->gatherer.pid)
			continue;
		if (poll(polls, POLLS, until_tick()) > 0)
			listen_to(desk, polls);
	}
}

int dashboard_run(const struct dashboard *dashboard, char **left, struct error *err)
{
	struct desk desk = { 0 };
	sigset_t before;
	int signals = take_signals(&before, err), status;

	*left = NULL;
	if (signals < 0)
		return signals;
	desk_begin(&desk, dashboard);
	status = dashboard->saved ? take_saved(&desk, err) : 0;
	if (status == 0)
		status = terminal_open(dashboard->colour, err);
	if (status == 0) {
		if (dashboard->state)
			follow_states(&desk);
		poll_begin(&desk);
		loop(&desk, signals);
		terminal_close();
		if (desk.command.pid)
			*left = text_format(
				"%s (process %d)", desk.command.shown, (int)desk.command.pid);
	}
	desk_end(&desk);
	close(signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}
