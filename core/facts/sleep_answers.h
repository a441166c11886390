/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who else would answer the sleep button: systemd-logind and acpid. */
#ifndef EC2HIB_FACTS_SLEEP_ANSWERS_H
#define EC2HIB_FACTS_SLEEP_ANSWERS_H

#include "core/facts/facts.h"

/* By this setup keeps logind from answering; see core/actions/take_over.h. */
#define LOGIND_DROP_IN "/etc/systemd/logind.conf.d/ec2hib.conf"

/* A comment in it as long as logind may not have read it yet. */
#define LOGIND_UNFINISHED "# Not in effect yet: run ec2hib again.\n"

/* What the fact logind_drop_in says. */
#define DROP_IN_DONE	   "done"
#define DROP_IN_UNFINISHED "unfinished"

/*
 * Fills logind_sleep_key, logind_drop_in, acpid_events, sleep_key_inhibited and reads_sleep_key;
 * agents must be known.
 */
void sleep_answers_gather(struct system_facts *system, const struct root *root);

#endif
