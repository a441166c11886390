/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/rules/checks_fixture.h"

#define FIXTURES "tests/fixtures/facts"

static const char *const case_files[] = { "cases-instance.json", "cases-kernel.json",
	"cases-swap.json", "cases-boot.json", "cases-agents.json" };

json_t *ready;
json_t *states;
json_t *cases;
json_t *machines;

/* ---- Fixtures ---------------------------------------------------------------------- */

static json_t *fixture_read(const char *name)
{
	const char *folder = getenv("srcdir");
	memory_cleanup_free char *path =
		text_format("%s/" FIXTURES "/%s", folder ? folder : ".", name);
	json_error_t parse;
	json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &parse);

	if (!json)
		fail_msg("%s:%d: %s", path, parse.line, parse.text);
	return json;
}

int fixtures_read(void **state UNUSED)
{
	ready = fixture_read("ready.json");
	states = fixture_read("states.json");
	machines = fixture_read("machines.json");
	cases = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(case_files); i++) {
		json_t *part = fixture_read(case_files[i]);

		json_array_extend(cases, part);
		json_decref(part);
	}
	return 0;
}

int fixtures_free(void **state UNUSED)
{
	json_decref(ready);
	json_decref(states);
	json_decref(machines);
	json_decref(cases);
	return 0;
}

static json_t *member_of(json_t *json, const char *name)
{
	json_t *member = json_is_array(json) ? json_array_get(json, (size_t)atoi(name))
					     : json_object_get(json, name);

	if (!member)
		fail_msg("the facts have no \"%s\"", name);
	return member;
}

/* Puts VALUE at PATH, as "boot.entries.0.arguments". */
static void facts_put(json_t *facts, const char *path, json_t *value)
{
	strings_cleanup struct strings names = { 0 };
	const char *last;

	strings_split(&names, path, ".");
	last = names.items[names.count - 1];
	for (size_t i = 0; i + 1 < names.count; i++)
		facts = member_of(facts, names.items[i]);
	member_of(facts, last);
	json_object_set(facts, last, value);
}

/* The facts of the ready machine with the changes of a case or machine. */
json_t *facts_changed(json_t *changes)
{
	json_t *facts = json_deep_copy(ready), *value;
	const char *path;

	json_object_foreach(changes, path, value) facts_put(facts, path, value);
	return facts;
}

void facts_read(struct facts *facts, json_t *json)
{
	struct error err;

	*facts = (struct facts) { 0 };
	if (layout_from_json(&facts_layout, facts, json, "facts", &err) < 0)
		fail_msg("%s", err.text);
}

void config_read_json(struct config *config, json_t *settings)
{
	struct error err;
	const char *name;
	json_t *value;

	config_init(config);
	json_object_foreach(settings, name,
		value) if (config_set(config, NULL, name, json_string_value(value), &err) < 0)
		fail_msg("%s", err.text);
}

const char *text_in(json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* ---- What every finding has to be -------------------------------------------------- */

bool state_is_declared(const struct check *check, enum check_state state)
{
	json_t *declared = json_object_get(states, check->id), *name;
	size_t i;

	json_array_foreach(
		declared, i, name) if (strcmp(json_string_value(name), check_state_name(state)) ==
				       0) return true;
	return false;
}

void sentence_is_well_formed(const struct check *check, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (length == 0)
		fail_msg("%s: empty text", check->id);
	if (text[length - 1] == '.' || text[length - 1] == ' ' || text[0] == ' ')
		fail_msg("%s: \"%s\" has a full stop or a space too many", check->id, text);
	if (strchr(text, '!') || strchr(text, '\n') || strstr(text, "  ") || strstr(text, "(null)"))
		fail_msg("%s: \"%s\" has what no sentence should have", check->id, text);
}

void finding_is_well_formed(const struct check *check, const struct finding *finding)
{
	sentence_is_well_formed(check, finding->text);
	if (finding->fix)
		sentence_is_well_formed(check, finding->fix);
	if (finding->state == CHECK_FAIL && !finding->fix)
		fail_msg("%s: fails without saying what to do", check->id);
	if (finding->state == CHECK_UNKNOWN && !text_starts(finding->text, "cannot tell: "))
		fail_msg("%s: \"%s\" does not say that nobody can tell", check->id, finding->text);
	if ((finding->state == CHECK_PASS || finding->state == CHECK_SKIP) && finding->fix)
		fail_msg("%s: nothing is wrong, but there is a fix", check->id);
	if (finding->check != check)
		fail_msg("%s: the finding does not say of which check it is", check->id);
	if (!state_is_declared(check, finding->state))
		fail_msg("%s: %s (\"%s\") is not in states.json", check->id,
			check_state_name(finding->state), finding->text);
}
