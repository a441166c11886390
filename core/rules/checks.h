/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The readiness checks: one for each thing that keeps an instance from hibernating or from coming
 * back. `status`, the dashboard and the manual read the same tables. Pure: a check sees the facts
 * and the configuration and answers.
 *
 * A group of checks is a file, checks_NAME.c: the functions that answer, and at its end the table
 * that gives each its id, its texts and what it means for hibernating. checks_parts.h has what they
 * share.
 */
#ifndef EC2HIB_RULES_CHECKS_H
#define EC2HIB_RULES_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/config.h"
#include "core/facts/facts.h"

/* In the order in which a reader wants to see them. */
enum check_state { CHECK_FAIL, CHECK_WARN, CHECK_UNKNOWN, CHECK_PASS, CHECK_SKIP };
#define CHECK_STATES 5

/* What it means for hibernating now when a check fails. */
enum check_hibernate {
	HIBERNATE_ANYWAY,  /* the kernel hibernates and comes back all the same */
	HIBERNATE_MENDS,   /* hibernate repairs it before it goes on */
	HIBERNATE_REFUSES, /* the kernel would refuse, or memory would be lost */
};

struct check {
	const char *id;	   /* stable: scripts use it */
	const char *title; /* a few words: what is checked */
	const char *why;   /* a paragraph: what goes wrong otherwise */
	bool needs_live;   /* skipped for an image */
	bool vital;	   /* without its answer nobody can say "ready": readiness is unknown */
	bool gates;	   /* when it fails, all that setup would do is of no use */
	enum check_hibernate hibernate;
	struct finding (*evaluate)(const struct facts *facts, const struct config *config);
};

struct check_group {
	const char *name;
	const struct check *checks;
	size_t count;
};

#define CHECK_GROUPS 5
extern const struct check_group *const check_groups[CHECK_GROUPS];
const struct check_group *check_group_of(const struct check *check);

/* All checks, group by group: check_at() is NULL from check_count() on. */
size_t check_count(void);
const struct check *check_at(size_t index);

/* The check with this id, or NULL. */
const struct check *check_find(const char *id);

/*
 * What a check found. TEXT is one sentence without a full stop: what is, and what that means. FIX
 * is what to do, a command where there is one ("ec2hib setup"); NULL where there is nothing to do.
 * finding_free() frees both.
 */
struct finding {
	const struct check *check;
	enum check_state state;
	char *text;
	char *fix;
};

/* Runs one check; a check that needs the running machine is skipped for an image. */
struct finding check_evaluate(
	const struct check *check, const struct facts *facts, const struct config *config);
void finding_free(struct finding *finding);

/* What some checks, or all of them, found; in the order of the table. */
struct report {
	struct finding *findings;
	size_t count;
};

/* Runs the checks whose ids are given, which there have to be, or all. NULL ends IDS. */
void report_make(struct report *report, const char *const *ids, const struct facts *facts,
	const struct config *config);
void report_free(struct report *report);

/*
 * What makes a setup useless: the checks that gate and fail (EC2 does not hibernate this instance,
 * or the kernel cannot). One that cannot tell keeps nobody from anything.
 */
void setup_gate(struct report *gate, const struct facts *facts, const struct config *config);

/* All checks were run: only then the findings say whether the machine is ready. */
bool report_is_whole(const struct report *report);

const char *check_state_name(enum check_state state); /* "fail" */

/*
 * What findings come to: not ready when any check fails; unknown when a vital one cannot tell; else
 * ready. Warnings are risks, and facts that are only nice to know may be missing. Off EC2 (the
 * firmware says so and no metadata service answers) what only EC2 asks for is skipped: ready then
 * means that the machine would hibernate and come back.
 */
enum readiness { READY, NOT_READY, READINESS_UNKNOWN };
enum readiness readiness_of(const struct finding *findings, size_t count);

#endif
