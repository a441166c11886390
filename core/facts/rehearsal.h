/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is on record of rehearsals: STATE_DIR/rehearsal.json, what they have shown, and
 * STATE_DIR/rehearsal-runs.json, the marker of one that is under way. The marker is on the disk
 * before anything else happens; who finds one and no rehearsal that runs knows that it was cut
 * short.
 */
#ifndef EC2HIB_FACTS_REHEARSAL_H
#define EC2HIB_FACTS_REHEARSAL_H

#include "core/facts/facts.h"

#define REHEARSAL_FORMAT      1
#define REHEARSAL_NAME	      "rehearsal.json"
#define REHEARSAL_MARKER_NAME "rehearsal-runs.json"

/* The kernel's name for this boot: a system that has resumed has the one of before. */
#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

/* A rehearsal under way: what it may leave changed, and what the machine was. */
#define REHEARSAL_MARKER(TEXT, NUMBER, FLAG, GROUP, LIST)                                          \
	NUMBER(format, "", "version of this layout")                                               \
	TEXT(level, "the level that is rehearsed")                                                 \
	TEXT(started, "when, UTC, ISO 8601")                                                       \
	TEXT(boot_id, "the boot in which it runs")                                                 \
	NUMBER(slept, "ms", "how long the machine had been hibernated since that boot")            \
	GROUP(machine, rehearsal_facts, "kernel, area and entry")
struct rehearsal_marker {
	FACT_MEMBERS(REHEARSAL_MARKER)
};

/* The file of what was shown: the facts with a format. */
#define REHEARSAL_RECORD(TEXT, NUMBER, FLAG, GROUP, LIST)                                          \
	NUMBER(format, "", "version of this layout")                                               \
	GROUP(rehearsal, rehearsal_facts, "what was shown")
struct rehearsal_record {
	FACT_MEMBERS(REHEARSAL_RECORD)
};

extern const struct layout rehearsal_marker_layout;
extern const struct layout rehearsal_record_layout;

/* Fills all of it; never fails. */
void rehearsal_gather(
	struct rehearsal_facts *facts, const struct root *root, const char *state_dir);

/*
 * The marker into MARKER, which must be zeroed; layout_free() in any case. -ENOENT: there is none,
 * as should be. -EBADMSG: it cannot be understood. -EPERM: not root alone can have written it.
 */
int rehearsal_marker_read(const struct root *root, const char *state_dir,
	struct rehearsal_marker *marker, struct error *err);

#endif
