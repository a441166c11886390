/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/tui/follow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "core/actions/lock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/prewarm_state.h"
#include "core/facts/watch_state.h"

#define ABOVE "/run"

/* They are replaced by rename(2); who writes one by hand is seen, too. */
#define CHANGES                                                                                    \
	(IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF)

static int add(struct follow *follow, const char *path, uint32_t events)
{
	memory_cleanup_free char *name = text_format("/proc/self/fd/%d%s", follow->root->fd, path);

	return inotify_add_watch(follow->fd, name, events | IN_ONLYDIR);
}

static void look(struct follow *follow)
{
	follow->folder = add(follow, RUN_FOLDER, CHANGES);
	if (follow->folder < 0 && follow->above < 0) {
		follow->above = add(follow, ABOVE, IN_CREATE | IN_MOVED_TO);
		/* It may have come in between. */
		follow->folder = add(follow, RUN_FOLDER, CHANGES);
	}
	if (follow->folder >= 0 && follow->above >= 0) {
		inotify_rm_watch(follow->fd, follow->above);
		follow->above = -1;
	}
}

void follow_begin(struct follow *follow, const struct root *root)
{
	*follow = (struct follow) { .root = root, .folder = -1, .above = -1 };
	follow->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (follow->fd >= 0)
		look(follow);
}

void follow_end(struct follow *follow)
{
	if (follow->fd >= 0)
		close(follow->fd);
	follow->fd = -1;
}

static void take(struct follow *follow, const struct inotify_event *event, struct follow_news *news)
{
	const char *name = event->len ? event->name : "";

	if (event->mask & IN_Q_OVERFLOW)
		news->watch = news->prewarm = true;
	if (event->wd == follow->above || (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF))) {
		look(follow);
		news->watch = news->prewarm = true;
	}
	if (strcmp(name, path_name(WATCH_STATE_PATH)) == 0)
		news->watch = true;
	if (strcmp(name, path_name(PREWARM_STATE_PATH)) == 0)
		news->prewarm = true;
}

struct follow_news follow_read(struct follow *follow)
{
	_Alignas(struct inotify_event) char buffer[4096];
	struct follow_news news = { 0 };
	ssize_t got;

	while ((got = read(follow->fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			take(follow, event, &news);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	return news;
}
