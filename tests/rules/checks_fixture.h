/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fixtures of checks_test.c, and what every finding has to be. */
#ifndef EC2HIB_TESTS_CHECKS_FIXTURE_H
#define EC2HIB_TESTS_CHECKS_FIXTURE_H

#include <jansson.h>

#include "core/rules/checks.h"

extern json_t *ready;	 /* the facts of a machine that is ready */
extern json_t *states;	 /* check id: list of state names */
extern json_t *cases;	 /* all cases, in one list */
extern json_t *machines; /* whole machines */

/* Setup and teardown of a test group: reads tests/fixtures/facts below $srcdir. */
int fixtures_read(void **state);
int fixtures_free(void **state);

/*
 * The facts of the ready machine with CHANGES: path ("boot.entries.0.arguments"): value.
 */
json_t *facts_changed(json_t *changes);

/*
 * JSON as facts, and settings (key: value) over the default configuration; or the test
 * fails.
 */
void facts_read(struct facts *facts, json_t *json);
void config_read_json(struct config *config, json_t *settings);

/* The text of a member; NULL: not there. */
const char *text_in(json_t *object, const char *name);

bool state_is_declared(const struct check *check, enum check_state state);

/* Fail the test, with the check's id, when the form is not right. */
void sentence_is_well_formed(const struct check *check, const char *text);
void finding_is_well_formed(const struct check *check, const struct finding *finding);

#endif
