/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hooks: what an administrator wants done around a hibernation.
 *
 * A hook is an executable in one of four folders below /etc/ec2hib/hooks.d. All of a folder run one
 * after the other, in the order of their names' bytes (LC_ALL=C). Each has its own time limit; one
 * that passes it is sent SIGTERM and, as long again but at most HOOK_GRACE_MS later, SIGKILL, with
 * its process group.
 *
 * Left out are hidden files and what editors and package managers leave beside a file: names that
 * end in ~, .bak, .old, .orig, .new, .sample, .swp, .rpmsave, .rpmnew, .rpmorig, .dpkg-*, .ucf-*.
 * Dots are allowed otherwise (10-drain.sh), unlike in run-parts(8).
 *
 * Refused, with a word in the log, is what somebody else than root could have put there or could
 * change: see core/base/files.h. A symbolic link may lead only to another file below hooks.d,
 * so that one hook can serve several folders.
 *
 * A hook finds in its environment EC2HIB_EVENT (the folder's name) and EC2HIB_ in front of each
 * fact's name.
 */
#ifndef EC2HIB_ACTIONS_HOOKS_H
#define EC2HIB_ACTIONS_HOOKS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/reporter.h"

#define HOOKS_FOLDER  "/etc/ec2hib/hooks.d"
#define HOOK_GRACE_MS 5000

enum hook_event {
	HOOK_NOTICE,
	HOOK_PRE_HIBERNATE,
	HOOK_POST_RESUME,
	HOOK_FAILED,
	HOOK_EVENT_COUNT
};

/* The folders' names: notice, pre-hibernate, post-resume, failed. */
extern const char *const hook_events[HOOK_EVENT_COUNT];

/* One thing that a hook is told: ACTION=hibernate reaches it as EC2HIB_ACTION. */
struct hook_fact {
	const char *name;  /* A to Z, 0 to 9 and _ */
	const char *value; /* NULL: not known, and left out */
};

struct hooks {
	const struct root *root;
	const char *folder;  /* NULL: HOOKS_FOLDER */
	unsigned timeout_ms; /* for each hook */
	/* Is told what a hook wrote (LOG_INFO) and why it failed or was refused (LOG_WARNING), with
	 * "EVENT/NAME: " in front. Cancelled, it ends the hook that runs, and no further one
	 * starts. */
	const struct reporter *reporter;
};

struct hooks_result {
	unsigned run; /* all that were started, also those that failed */
	unsigned failed;
	unsigned refused;
	bool cancelled;		  /* what was left has not been run */
	char first[NAME_MAX + 1]; /* the name of the first that failed; "": none did */
	struct error reason;	  /* why that one failed */
};

/*
 * Runs the hooks of EVENT. A folder that is not there has none. What a failure means is for the
 * caller to decide; the others run all the same.
 */
void hooks_run(const struct hooks *hooks, enum hook_event event, const struct hook_fact *facts,
	size_t fact_count, struct hooks_result *result);

#endif
