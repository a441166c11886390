/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the checks are made of: findings, facts that are not known, and the questions that many
 * checks ask first. A check reads as a list of reasons to answer early:
 *
 *	if (no_area(facts, &finding) || finding_gap(&finding, NEED(facts->area.size)))
 *		return finding;
 */
#ifndef EC2HIB_RULES_CHECKS_PARTS_H
#define EC2HIB_RULES_CHECKS_PARTS_H

#include "core/base/compiler.h"
#include "core/rules/checks.h"

/* Each at the end of its file; checks.c joins them. */
extern const struct check_group instance_checks, kernel_checks, swap_checks, boot_checks,
	agent_checks;

#define CHECK_FUNCTION(name)                                                                       \
	static struct finding check_##name(                                                        \
		const struct facts *facts, const struct config *config UNUSED)

/* At the end of a row: see struct check. */
#define LIVE	.needs_live = true
#define VITAL	.vital = true
#define GATES	.gates = true
#define MENDS	.hibernate = HIBERNATE_MENDS
#define REFUSES .hibernate = HIBERNATE_REFUSES

#define FIX_SETUP "ec2hib setup"

/* The texts are formatted; FIX is copied and may be NULL. */
struct finding finding_pass(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct finding finding_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct finding finding_warn(const char *fix, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct finding finding_fail(const char *fix, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Puts "cannot tell: " in front. */
struct finding finding_unknown(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A fact without which a check cannot answer, with its name as in the JSON of the facts. */
struct need {
	const struct fact *fact;
	const char *name;
};
#define NEED(member)                                                                               \
	{                                                                                          \
		fact_of(&(member)), #member                                                        \
	}

/* True when one of the facts is not known; *FINDING is then unknown, for that fact's reason. */
#define finding_gap(finding, ...)                                                                  \
	finding_first_gap(finding, (const struct need[]) { __VA_ARGS__, { NULL, NULL } })
bool finding_first_gap(struct finding *finding, const struct need *needs);

/* ---- The swap area ----------------------------------------------------------------- */

/* Its path; "the swap area" where that is not known. */
const char *area_name(const struct facts *facts);

/* True, with a finding that skips, when there is no swap area; unknown when nobody can tell. */
bool no_area(const struct facts *facts, struct finding *finding);

/* The same when the swap area is not a file, or not an active swap. */
bool no_area_file(const struct facts *facts, struct finding *finding);
bool no_active_area(const struct facts *facts, struct finding *finding);

/* ---- Hibernating ------------------------------------------------------------------- */

/*
 * Who tells the kernel: systemd, when the configuration says so, or with method = auto where only
 * systemd would run what is in its folder system-sleep.
 */
bool method_is_systemd(const struct facts *facts, const struct config *config);

/* ---- EC2 --------------------------------------------------------------------------- */

enum platform { PLATFORM_EC2, PLATFORM_OTHER, PLATFORM_UNKNOWN };

/*
 * Where the machine runs: on EC2 when the firmware says so or the metadata service gave
 * an instance id; elsewhere when the firmware names somebody else.
 */
enum platform platform_of(const struct facts *facts);

/* True, with a finding that skips, when the machine is elsewhere. */
bool not_ec2(const struct facts *facts, struct finding *finding);

/* ---- The next boot ----------------------------------------------------------------- */

/*
 * True, with a finding that skips, when no boot loader is known; unknown when nobody can tell which
 * entry boots next. Otherwise *ENTRY is that entry.
 */
bool no_next_entry(
	const struct facts *facts, struct finding *finding, const struct entry_facts **entry);

/* What mends the boot arguments: setup, or the arguments to add by hand. The caller frees it. */
char *boot_fix(const struct facts *facts, const struct config *config);

#endif
