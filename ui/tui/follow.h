/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Following the state files below /run/ec2hib with inotify(7). */
#ifndef EC2HIB_UI_TUI_FOLLOW_H
#define EC2HIB_UI_TUI_FOLLOW_H

#include <stdbool.h>

#include "core/base/files.h"

struct follow {
	int fd; /* to be polled; -1: there is no inotify here */
	const struct root *root;
	int folder; /* the watch on /run/ec2hib; -1: that is not there yet */
	int above;  /* the watch on /run, until it is */
};

void follow_begin(struct follow *follow, const struct root *root);
void follow_end(struct follow *follow);

/* What is new since the last call. */
struct follow_news {
	bool watch, prewarm; /* perhaps gone */
};
struct follow_news follow_read(struct follow *follow);

#endif
