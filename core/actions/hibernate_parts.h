/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of a hibernation share; private to core/actions/hibernate*.c and
 * rehearse*.c. */
#ifndef EC2HIB_ACTIONS_HIBERNATE_PARTS_H
#define EC2HIB_ACTIONS_HIBERNATE_PARTS_H

#include "core/actions/away.h"
#include "core/actions/hibernate.h"
#include "core/rules/hibernation.h"

struct transaction {
	const struct hibernation *asked;
	const struct config *config;
	struct facts facts;
	struct hibernation_plan plan;
	struct cycle *cycle;
	struct away away; /* what is to be put back after resume */
	int lock;	  /* LOCK_PATH */
};

void transaction_say(const struct transaction *transaction, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void transaction_enter(const struct transaction *transaction, enum hibernation_phase phase);
bool transaction_cancelled(const struct transaction *transaction);
const struct root *transaction_root(const struct transaction *transaction);

/* The steps of the plan: what setup would do about the swap area and the running kernel. */
int transaction_apply_steps(struct transaction *transaction, struct error *err);

/* ---- hibernate_write.c ---- */

/* Hibernates, as often as it may help. 0: the machine was away and is back. */
int transaction_attempts(struct transaction *transaction, struct error *err);

/* What a rehearsal does in its place; what it left behind is cleaned. */
int transaction_rehearse(struct transaction *transaction, struct error *err);

/* Everything of it but the write. */
void transaction_pretend(struct transaction *transaction);

#endif
