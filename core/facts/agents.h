/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The services that act when the machine is told to sleep, ours among them, and what setup has
 * taken over from the older agents.
 */
#ifndef EC2HIB_FACTS_AGENTS_H
#define EC2HIB_FACTS_AGENTS_H

#include "core/facts/facts.h"

#define AGENT_LOGIND	"systemd-logind"
#define AGENT_ACPID	"acpid"
#define AGENT_SPOT	"hibagent"	/* aws/ec2-hibernate-linux-agent */
#define AGENT_ON_DEMAND "hibinit-agent" /* aws/amazon-ec2-hibinit-agent */
#define AGENT_OURS	"ec2hib"

/* The row of that name, or NULL. */
const struct agent_facts *agent_find(const struct system_facts *system, const char *name);

#define ACPID_FOLDER "/etc/acpi/events"

/* acpid(8) reads no other files than those with such names. */
bool acpid_reads(const char *name);

/* Where setup --take-over puts a file of ACPID_FOLDER, which acpid does not read. The caller frees
 * it. */
char *acpid_hidden_name(const char *name);

/*
 * The record of a take-over, in the state folder: a line for each thing that was switched off, and
 * the first one says whether setup is still at it.
 *
 *	unfinished
 *	service hibagent enabled running
 *	acpid sleepconf
 */
#define TAKEN_OVER_NAME	      "taken-over"
#define TAKEN_OVER_LEFTOVER   "." TAKEN_OVER_NAME ".ec2hib-new" /* of root_replace() */
#define TAKEN_OVER_UNFINISHED "unfinished"
#define TAKEN_OVER_SERVICE    "service"
#define TAKEN_OVER_ACPID      "acpid"

/* One line of it. */
struct taken_over {
	char *name;
	bool acpid; /* a file in /etc/acpi/events; else a service */
	bool enabled;
	bool running;
};

struct taken_over_record {
	bool unfinished;
	struct taken_over *items;
	size_t count;
};

/*
 * Reads it; what is damaged or names anything else than the older agents and plain file names is
 * passed over, for what it says is done. 0, -ENOENT when there is none, or another errno.
 * taken_over_free() in any case.
 */
int taken_over_read(struct taken_over_record *record, const struct root *root,
	const char *state_dir, struct error *err);
void taken_over_free(struct taken_over_record *record);

/* Fills agents, watch_running, taken_over and take_over_unfinished; init must be known. */
void agents_gather(struct system_facts *system, const struct root *root, const char *state_dir);

#endif
