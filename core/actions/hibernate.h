/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hibernating, for the command, the agent and the dashboard alike: lock, look, refuse or prepare,
 * hooks, write, and after resume undo what was changed, tell the hooks and the history. Whatever goes
 * wrong on the way, the machine is left as it was.
 *
 * The steps are in core/actions/transaction.h; core/actions/rehearse.h goes through the same with a
 * test in place of the write.
 */
#ifndef EC2HIB_ACTIONS_HIBERNATE_H
#define EC2HIB_ACTIONS_HIBERNATE_H

#include <stdint.h>

#include "core/base/reporter.h"
#include "core/facts/cycle.h"
#include "core/facts/gather.h"

enum hibernation_phase {
	PHASE_PREPARING,
	PHASE_HIBERNATING, /* the next thing is the write that stops the machine */
	PHASE_RESUMED,	   /* just now: what was changed is undone next, and the hooks run */
	PHASE_FAILED,	   /* also: refused */
};

/* A hibernation that somebody requests. */
struct hibernation {
	const struct gather *gather; /* of the running machine */
	const char *reason;	     /* REASON_... */
	const char *notice_action;   /* NULL: there was no notice */
	const char *notice_time;
	uint64_t requested_at; /* CLOCK_BOOTTIME, ms; 0: now */
	int64_t slept;	       /* clock_slept_ms() of that moment */
	bool prewarm_stopped;  /* the caller has told one to stop: it goes on afterwards */
	bool cancel_ends_all;  /* who is cancelled ends as well: no pre-warm is started again */
	unsigned patience_ms;  /* how long to wait for another ec2hib that is at work */
	/* Asked whether to stop while it waits, before the write and between attempts. */
	const struct reporter *reporter;
	void (*phase)(void *data, enum hibernation_phase phase); /* may be NULL */
	void *data;						 /* of phase */
};

/*
 * 0 when the machine was away and is back. CYCLE, which must be zeroed, says what happened in any
 * case, and is in the history unless its turn did not come; the caller frees it with
 * layout_free(&cycle_layout, ...).
 *
 * -EBUSY: another ec2hib changes this machine. -EPERM: refused, in the words of the checks; nothing
 * was changed, but a pre-warm that ran has been stopped. -ECANCELED: the reporter was cancelled, or a
 * hook failed that may end it. -EALREADY: the machine has hibernated since this was requested, which
 * answers it; no hook runs. Else what failed, with the kernel's reason.
 */
int hibernate(const struct hibernation *request, struct cycle *cycle, struct error *err);

/*
 * Everything of it, hooks included, but the write that stops the machine: 0 when it would go now. No
 * pre-warm is stopped, and nothing goes into the history.
 */
int hibernate_pretend(const struct hibernation *request, struct cycle *cycle, struct error *err);

#endif
