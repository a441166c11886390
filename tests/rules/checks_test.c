/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every check in every state that it can have.
 *
 * tests/fixtures/facts has the facts of a machine that is ready (ready.json), the states
 * that each check can have (states.json), the cases (cases-*.json: what to change in
 * those facts, and the exact finding), and whole machines (machines.json: what all checks
 * come to).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/checks.h"
#include "tests/rules/checks_fixture.h"

/* Evaluates and looks at the form; the caller frees the finding. */
static struct finding evaluate(const struct check *check, json_t *json, json_t *settings)
{
	struct facts facts;
	struct config config;
	struct finding finding;

	facts_read(&facts, json);
	config_read_json(&config, settings);
	finding = check_evaluate(check, &facts, &config);
	finding_is_well_formed(check, &finding);
	config_free(&config);
	facts_free(&facts);
	return finding;
}

/* ---- The cases --------------------------------------------------------------------- */

static void same_text(const struct check *check, json_t *input, const char *got, const char *wanted)
{
	memory_cleanup_free char *changes = NULL;

	if (text_equal(got, wanted))
		return;
	changes = json_dumps(json_object_get(input, "set"), JSON_COMPACT);
	fail_msg("%s with %s:\n\tfound    %s\n\texpected %s", check->id, changes,
		got ? got : "nothing", wanted ? wanted : "nothing");
}

static void case_finds_what_it_says(const struct check *check, json_t *input)
{
	json_t *facts = facts_changed(json_object_get(input, "set"));
	struct finding finding = evaluate(check, facts, json_object_get(input, "config"));

	same_text(check, input, check_state_name(finding.state), text_in(input, "state"));
	same_text(check, input, finding.text, text_in(input, "text"));
	same_text(check, input, finding.fix, text_in(input, "fix"));
	finding_free(&finding);
	json_decref(facts);
}

/* One test for each check: all of its cases, and a case for each of its states. */
static void check_finds_every_state(void **state)
{
	const struct check *check = *state;
	bool seen[CHECK_STATES] = { false };
	json_t *input;
	size_t i;

	json_array_foreach(cases, i, input)
	{
		if (strcmp(text_in(input, "check"), check->id) != 0)
			continue;
		case_finds_what_it_says(check, input);
		for (int k = 0; k < CHECK_STATES; k++)
			if (strcmp(check_state_name(k), text_in(input, "state")) == 0)
				seen[k] = true;
	}
	for (int k = 0; k < CHECK_STATES; k++)
		if (seen[k] != state_is_declared(check, k))
			fail_msg("%s: %s is %s", check->id, check_state_name(k),
				seen[k] ? "found, but not in states.json"
					: "in states.json, but no case has it");
	assert_true(seen[CHECK_PASS] && (seen[CHECK_FAIL] || seen[CHECK_WARN]));
	assert_true(seen[CHECK_UNKNOWN]);
	assert_true(seen[CHECK_SKIP] || !check->needs_live);
}

static void every_case_has_a_check(void **state UNUSED)
{
	json_t *input, *declared;
	const char *id;
	size_t i;

	json_array_foreach(cases, i, input) if (!check_find(text_in(input, "check")))
		fail_msg("no check \"%s\"", text_in(input, "check"));
	json_object_foreach(states, id, declared) if (!check_find(id) || !json_is_array(declared))
		fail_msg("no check \"%s\"", id);
}

/* ---- Facts that are missing -------------------------------------------------------- */

/* The facts of one case, the check that is asked, and its configuration. */
struct trial {
	const struct check *check;
	struct facts facts;
	struct config config;
};

static void try_now(struct trial *trial)
{
	struct finding finding = check_evaluate(trial->check, &trial->facts, &trial->config);

	finding_is_well_formed(trial->check, &finding);
	finding_free(&finding);
}

static size_t fact_size(enum field_type type)
{
	switch (type) {
	case FIELD_NUMBER:
		return sizeof(struct fact_number);
	case FIELD_FLAG:
		return sizeof(struct fact_flag);
	case FIELD_TEXT:
		return sizeof(struct fact_text);
	case FIELD_LIST:
		return sizeof(struct fact_list);
	case FIELD_GROUP:
		break;
	}
	return 0;
}

/*
 * Tries without this fact (absent, unknown with and without a reason), with an empty
 * list, and with the other value of a flag; then the fact is as it was.
 */
static void lose_fact(struct trial *trial, const struct field *field, void *member)
{
	static char reason[] = "lost";
	const size_t size = fact_size(field->type);
	struct fact *fact = member;
	unsigned char kept[sizeof(struct fact_list)];

	memcpy(kept, member, size);
	if (field->type == FIELD_FLAG) {
		struct fact_flag *flag = member;

		flag->value = fact->is == FACT_KNOWN && !flag->value;
		fact->is = FACT_KNOWN;
		try_now(trial);
	}
	memset(member, 0, size);
	fact->is = FACT_ABSENT;
	try_now(trial);
	fact->is = FACT_UNKNOWN;
	try_now(trial);
	fact->why = reason;
	try_now(trial);
	fact->why = NULL;
	fact->is = FACT_KNOWN;
	if (field->type == FIELD_LIST)
		try_now(trial);
	memcpy(member, kept, size);
}

static void lose_each_fact(struct trial *trial, const struct layout *layout, void *structure)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];
		void *member = (char *)structure + field->offset;

		if (field->type == FIELD_GROUP) {
			lose_each_fact(trial, field->layout, member);
			continue;
		}
		lose_fact(trial, field, member);
		if (field->type == FIELD_LIST) {
			struct fact_list *list = member;

			for (size_t k = 0; k < list->count; k++)
				lose_each_fact(trial, field->layout,
					(char *)list->items + k * field->layout->size);
		}
	}
}

static void any_lost_fact_gives_a_sound_finding(void **state UNUSED)
{
	json_t *input;
	size_t i;

	json_array_foreach(cases, i, input)
	{
		json_t *json = facts_changed(json_object_get(input, "set"));
		struct trial trial = { .check = check_find(text_in(input, "check")) };

		facts_read(&trial.facts, json);
		config_read_json(&trial.config, json_object_get(input, "config"));
		lose_each_fact(&trial, &facts_layout, &trial.facts);
		config_free(&trial.config);
		facts_free(&trial.facts);
		json_decref(json);
	}
}

static void evaluate_all(
	const struct facts *facts, const struct config *config, struct report *report)
{
	report_make(report, NULL, facts, config);
	assert_true(report_is_whole(report));
	for (size_t i = 0; i < report->count; i++) {
		assert_ptr_equal(report->findings[i].check, check_at(i));
		finding_is_well_formed(check_at(i), &report->findings[i]);
	}
}

static void nothing_known_is_readiness_unknown(void **state UNUSED)
{
	struct facts facts = { 0 };
	struct config config;
	struct report report;

	config_init(&config);
	evaluate_all(&facts, &config, &report);
	for (size_t i = 0; i < report.count; i++)
		if (report.findings[i].state != CHECK_UNKNOWN)
			fail_msg("%s: %s from nothing", check_at(i)->id, report.findings[i].text);
	assert_int_equal(readiness_of(report.findings, report.count), READINESS_UNKNOWN);
	report_free(&report);
	config_free(&config);
}

static void nothing_there_is_not_ready(void **state UNUSED)
{
	struct facts facts = { 0 };
	struct config config;
	struct report report;

	config_init(&config);
	layout_set_absent(&facts_layout, &facts);
	evaluate_all(&facts, &config, &report);
	assert_int_equal(readiness_of(report.findings, report.count), NOT_READY);
	report_free(&report);
	facts_free(&facts);
	config_free(&config);
}

/* ---- Whole machines ---------------------------------------------------------------- */

static const char *readiness_name(enum readiness readiness)
{
	static const char *const names[] = {
		[READY] = "ready", [NOT_READY] = "not ready", [READINESS_UNKNOWN] = "could not tell"
	};

	return names[readiness];
}

/* The ids of the checks that are in STATE, in the order of the table. */
static char *ids_in_state(const struct report *report, enum check_state state)
{
	strings_cleanup struct strings ids = { 0 };

	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].state == state)
			strings_add(&ids, report->findings[i].check->id);
	return strings_join(&ids, " ");
}

static void machine_is_as_it_says(json_t *machine)
{
	static const enum check_state looked_at[] = { CHECK_FAIL, CHECK_WARN, CHECK_UNKNOWN };
	json_t *json = facts_changed(json_object_get(machine, "set"));
	const char *name = text_in(machine, "machine"), *readiness;
	struct config config;
	struct facts facts;
	struct report report;

	facts_read(&facts, json);
	config_read_json(&config, json_object_get(machine, "config"));
	evaluate_all(&facts, &config, &report);
	for (size_t i = 0; i < ARRAY_SIZE(looked_at); i++) {
		const char *state = check_state_name(looked_at[i]);
		const char *wanted = text_in(machine, state);
		memory_cleanup_free char *ids = ids_in_state(&report, looked_at[i]);

		if (!text_equal(ids, wanted ? wanted : ""))
			fail_msg("%s: %s: %s\n\texpected %s", name, state, ids, wanted);
	}
	readiness = readiness_name(readiness_of(report.findings, report.count));
	if (!text_equal(readiness, text_in(machine, "readiness")))
		fail_msg("%s is %s", name, readiness);
	report_free(&report);
	facts_free(&facts);
	config_free(&config);
	json_decref(json);
}

static void machines_come_to_what_they_are(void **state UNUSED)
{
	json_t *machine;
	size_t i;

	json_array_foreach(machines, i, machine) machine_is_as_it_says(machine);
}

/* Saved facts are the interface: the fixture has every field, by its name. */
static void ready_machine_has_every_fact(void **state UNUSED)
{
	memory_cleanup_free char *saved = json_dumps(ready, JSON_SORT_KEYS | JSON_INDENT(1));
	memory_cleanup_free char *again = NULL;
	struct facts facts;
	json_t *json;

	facts_read(&facts, ready);
	json = layout_to_json(&facts_layout, &facts);
	again = json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(1));
	assert_string_equal(again, saved);
	json_decref(json);
	facts_free(&facts);
}

/* ---- The table --------------------------------------------------------------------- */

static void ids_are_unique_words(void **state UNUSED)
{
	const struct check *check;

	for (size_t i = 0; (check = check_at(i)); i++) {
		const char *id = check->id;

		assert_ptr_equal(check_find(id), check);
		assert_true(strspn(id, "abcdefghijklmnopqrstuvwxyz-") == strlen(id));
		assert_true(*id != '-' && !text_ends(id, "-") && !strstr(id, "--"));
	}
	assert_null(check_find("no-such-check"));
}

static void every_check_is_explained(void **state UNUSED)
{
	const struct check *check;

	for (size_t i = 0; (check = check_at(i)); i++) {
		sentence_is_well_formed(check, check->title);
		assert_true(strlen(check->title) <= 40);
		assert_true(text_ends(check->why, "."));
		assert_null(strstr(check->why, "  "));
		assert_null(strchr(check->why, '!'));
		assert_non_null(check_group_of(check));
	}
}

static void only_a_vital_unknown_keeps_from_ready(void **state UNUSED)
{
	static const struct check vital = { .vital = true }, other = { .vital = false };
	struct finding findings[] = { { .check = &vital, .state = CHECK_PASS },
		{ .check = &other, .state = CHECK_UNKNOWN },
		{ .check = &vital, .state = CHECK_WARN } };

	assert_int_equal(readiness_of(findings, 3), READY);
	findings[1].check = &vital;
	assert_int_equal(readiness_of(findings, 3), READINESS_UNKNOWN);
	findings[2].state = CHECK_FAIL;
	assert_int_equal(readiness_of(findings, 3), NOT_READY);
	assert_int_equal(readiness_of(NULL, 0), READY);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(every_case_has_a_check),
		cmocka_unit_test(any_lost_fact_gives_a_sound_finding),
		cmocka_unit_test(nothing_known_is_readiness_unknown),
		cmocka_unit_test(nothing_there_is_not_ready),
		cmocka_unit_test(machines_come_to_what_they_are),
		cmocka_unit_test(ready_machine_has_every_fact),
		cmocka_unit_test(ids_are_unique_words),
		cmocka_unit_test(every_check_is_explained),
		cmocka_unit_test(only_a_vital_unknown_keeps_from_ready),
	};
	const size_t other_count = ARRAY_SIZE(others);
	struct CMUnitTest *tests = memory_new(check_count() + other_count, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < check_count(); i++)
		tests[i] = (struct CMUnitTest) { .name = check_at(i)->id,
			.test_func = check_finds_every_state,
			.initial_state = (void *)check_at(i) };
	memcpy(tests + check_count(), others, sizeof(others));
	failed = _cmocka_run_group_tests(
		"checks", tests, check_count() + other_count, fixtures_read, fixtures_free);
	free(tests);
	return failed;
}
