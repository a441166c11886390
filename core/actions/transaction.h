/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The request for a hibernation, and the steps that a hibernation, its dry run and a rehearsal have
 * in common. core/actions/hibernate.c and rehearse.c go through them in this order:
 *
 *	begin, (stop_prewarm), lock, look, prepare, (hide_area), the write or what takes its place,
 *	restore, end
 *
 * A step comes only when the one before has succeeded; but when the lock was taken restore follows
 * in any case, and end always.
 */
#ifndef EC2HIB_ACTIONS_TRANSACTION_H
#define EC2HIB_ACTIONS_TRANSACTION_H

#include <stdint.h>

#include "core/actions/undo.h"
#include "core/base/reporter.h"
#include "core/facts/cycle.h"
#include "core/facts/gather.h"
#include "core/rules/hibernation.h"

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

/* A request on its way. */
struct transaction {
	struct hibernation request;
	const struct root *root;
	const struct config *config;
	struct reporter steady; /* the request's, but for what is done also when it is cancelled */
	struct facts facts;
	struct hibernation_plan plan;
	struct cycle *cycle;
	struct undo undo; /* after resume */
	int lock;	  /* LOCK_PATH; -1: not taken */
};

void transaction_begin(
	struct transaction *transaction, const struct hibernation *request, struct cycle *cycle);

/*
 * The disk is needed for something else: stops a pre-warm that runs, which transaction_end() lets
 * go on. Before the lock, which a pre-warm that writes holds, as does a setup that waits for one: a
 * notice waits for neither. What it has done so far stays done.
 */
void transaction_stop_prewarm(struct transaction *transaction);

/*
 * Waits for the lock, and undoes what a killed ec2hib has left (core/actions/undo.h); the cycle
 * says so when the lock is not got. -EALREADY: whoever had it has hibernated the machine, which
 * answers what was requested before: it must not go away a second time.
 */
int transaction_lock(struct transaction *transaction, struct error *err);

/* Gathers the facts. -EPERM: the machine cannot hibernate, in the words of the checks. */
int transaction_look(struct transaction *transaction, struct error *err);

/*
 * Makes what hibernation needs: what setup would do about the swap area and the running kernel, and
 * for the time until transaction_restore() other swaps off and a smaller image. -EPERM: it was not
 * enough. -ECANCELED.
 */
int transaction_prepare(struct transaction *transaction, struct error *err);

/*
 * Until transaction_restore() the kernel finds no swap area, so that it writes no image, whatever
 * it makes of a test; see core/actions/rehearse.h. Only where it has /sys/power/resume_offset
 * (Linux 4.17).
 */
int transaction_hide_area(struct transaction *transaction, struct error *err);

/* Undoes what is for the time of the hibernation only. Best effort: what fails is said. */
void transaction_restore(struct transaction *transaction);

/* After a failure: STATUS and ERR into the cycle, PHASE_FAILED to who listens. */
void transaction_fail(struct transaction *transaction, int status, const struct error *err);

/* Also after a failure a pre-warm that was stopped goes on. */
void transaction_end(struct transaction *transaction);

/* ---- Around the write ------------------------------------------------------------------------ */

void transaction_enter(const struct transaction *transaction, enum hibernation_phase phase);
bool transaction_cancelled(const struct transaction *transaction);

/* Where the kernel's log is now; the cycle's timeline is empty. */
uint64_t transaction_mark_log(struct transaction *transaction);

/*
 * Fills the cycle's timeline from what the kernel has logged since MARK. False when the log cannot
 * be read; one that tells of no cycle leaves the timeline empty.
 */
bool transaction_read_log(struct transaction *transaction, uint64_t mark);

/*
 * Why it failed, as the kernel's log tells; NULL: the error of the write has the reason, or a part.
 */
const char *transaction_log_reason(const struct transaction *transaction);

/*
 * After an attempt or a test that may have left an image or taken something away: looks again and
 * makes the area plain swap, and what else the preparation makes. A later boot would bring the past
 * back from an image.
 */
int transaction_mend(struct transaction *transaction, struct error *err);

#endif
