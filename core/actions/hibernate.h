/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hibernating, as one transaction: the same for the command, the agent and the dashboard.
 *
 * Lock, look, refuse or prepare, hooks, write, and after resume put back what was changed, tell the
 * hooks and the history. Whatever goes wrong on the way, the machine is left as it was.
 */
#ifndef EC2HIB_ACTIONS_HIBERNATE_H
#define EC2HIB_ACTIONS_HIBERNATE_H

#include <stdint.h>

#include "core/facts/cycle.h"
#include "core/facts/gather.h"

enum hibernation_phase {
	PHASE_PREPARING,
	PHASE_HIBERNATING, /* the next thing is the write that stops the machine */
	PHASE_RESUMED,	   /* just now: what was changed is put back next, and the hooks run */
	PHASE_FAILED,	   /* also: refused */
};

struct hibernation {
	const struct gather *gather; /* of the running machine */
	const char *reason;	     /* REASON_... */
	const char *notice_action;   /* NULL: there was no notice */
	const char *notice_time;
	uint64_t asked;	      /* when it was asked for: CLOCK_BOOTTIME, ms; 0: now */
	int64_t slept;	      /* clock_slept_ms() of that moment */
	bool prewarm_stopped; /* the caller has told one to stop: it goes on afterwards */
	bool dry_run;	      /* everything but the write that stops the machine */
	unsigned patience_ms; /* how long to wait for another ec2hib that is at work */
	/* A line for the log, with a priority of syslog(3). */
	void (*log)(void *data, int priority, const char *text);
	/* May be NULL. */
	void (*phase)(void *data, enum hibernation_phase phase);
	/* Asked while it waits, before the write and between attempts; true gives up. May be NULL. */
	bool (*cancelled)(void *data);
	bool cancel_ends_all; /* then whoever asked for it ends as well: no pre-warm is begun again */
	/*
	 * A rehearsal: called in place of the write that stops the machine, when all before it is
	 * done, and once only. No hook runs and nothing goes into the history; CYCLE gets what the
	 * kernel's log says of it. NULL: the write.
	 */
	int (*instead)(void *data, const struct facts *facts, struct error *err);
	/* Called after INSTEAD, when the kernel's log has been read; may be NULL. */
	void (*settle)(void *data, const struct facts *facts);
	/*
	 * With INSTEAD: the kernel is made to look for its swap area where there is none, so that
	 * whatever comes of it no image is written; see core/actions/rehearse.h. Only where it has
	 * /sys/power/resume_offset (Linux 4.17).
	 */
	bool hide_area;
	void *data; /* of the functions */
};

/*
 * 0 when the machine was away and is back, or with dry_run when it would go now. CYCLE, which must
 * be zeroed, says what happened in any case, and is in the history unless it was a dry run or a
 * rehearsal, or its turn did not come; the caller frees it with layout_free(&cycle_layout, ...).
 *
 * -EBUSY: another ec2hib changes this machine. -EPERM: refused, in the words of the checks; nothing
 * was changed, but a pre-warm that ran has been stopped. -ECANCELED: CANCELLED said so, or a hook that
 * may end it. -EALREADY: the machine has hibernated since this was asked for, which answers it; no hook runs. Else what failed,
 * with the kernel's reason.
 */
int hibernate(const struct hibernation *hibernation, struct cycle *cycle, struct error *err);

#endif
