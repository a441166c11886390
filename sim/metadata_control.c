/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control path of the simulated service: by it a test changes what it serves, and counts. */
#include <errno.h>
#include <string.h>

#include "sim/metadata_parts.h"
#include "core/base/compiler.h"
#include "core/base/duration.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define WAIT_STANDARD_MS ((uint64_t)10 * 1000)

/* One request under way: what the functions of the table below work on. */
struct control {
	struct metadata *metadata;
	const char *body;
	const char *rest; /* of the path, behind the name */
	struct metadata_answer *answer;
};

static void say_json(struct metadata_answer *answer, json_t *json)
{
	memory_cleanup_free char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY);
	memory_cleanup_free char *line = text_format("%s\n", text);

	json_decref(json);
	metadata_say(answer, 200, line);
	answer->type = "application/json";
}

static void say_error(struct metadata_answer *answer, unsigned status, const char *text)
{
	memory_cleanup_free char *line = text_format("%s\n", text);

	metadata_say(answer, status, line);
}

static void say_done(struct metadata_answer *answer)
{
	metadata_say(answer, 204, "");
}

/* ---- Counters --------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	{ "requests", offsetof(struct counters, requests) },
	{ "tokens", offsetof(struct counters, tokens) },
	{ "polls", offsetof(struct counters, polls) },
	{ "notices", offsetof(struct counters, notices) },
	{ "faults", offsetof(struct counters, faults) },
};
#define COUNTERS (ARRAY_SIZE(counters))

static const uint64_t *counter_at(const struct metadata *metadata, size_t i)
{
	return (const uint64_t *)((const char *)&metadata->counters + counters[i].offset);
}

static json_t *time_or_null(uint64_t time)
{
	return time ? json_integer((json_int_t)time) : json_null();
}

static json_t *counters_to_json(const struct metadata *metadata)
{
	json_t *json = json_object();

	for (size_t i = 0; i < COUNTERS; i++)
		json_object_set_new(
			json, counters[i].name, json_integer((json_int_t)*counter_at(metadata, i)));
	json_object_set_new(json, "notice-set-ns", time_or_null(metadata->notice_set));
	json_object_set_new(json, "notice-served-ns", time_or_null(metadata->notice_served));
	json_object_set_new(json, "now-ns", json_integer((json_int_t)metadata_clock()));
	return json;
}

static void counters_get(struct control *control)
{
	say_json(control->answer, counters_to_json(control->metadata));
}

static void counters_delete(struct control *control)
{
	control->metadata->counters = (struct counters) { 0 };
	control->metadata->notice_served = 0;
	say_done(control->answer);
}

/* wait/COUNTER/N[/TIME]: the answer comes when the counter has reached N. */
static void wait_get(struct control *control)
{
	strings_cleanup struct strings words = { 0 };
	struct metadata_answer *answer = control->answer;
	uint64_t ms = WAIT_STANDARD_MS;

	strings_split(&words, control->rest, "/");
	for (size_t i = 0; words.count >= 2 && i < COUNTERS; i++)
		if (strcmp(words.items[0], counters[i].name) == 0)
			answer->wait_counter = counter_at(control->metadata, i);
	if (!answer->wait_counter || number_parse(words.items[1], &answer->wait_count) < 0 ||
		(words.count > 2 && duration_parse(words.items[2], &ms) < 0)) {
		answer->wait_counter = NULL;
		say_error(answer, 400,
			"wait/COUNTER/N[/TIME], with requests, tokens, polls, notices or faults");
		return;
	}
	answer->wait_end = metadata_clock() + ms * NS_PER_MS;
}

void metadata_wait_over(struct metadata *metadata, struct metadata_answer *answer)
{
	bool reached = *answer->wait_counter >= answer->wait_count;

	answer->wait_counter = NULL;
	say_json(answer, counters_to_json(metadata));
	answer->status = reached ? 200 : 408;
}

/* ---- Events ----------------------------------------------------------------------------- */

/* The member NAME of the plan as a duration; false when it is there and none. */
static bool plan_time(json_t *plan, const char *name, uint64_t *ms)
{
	json_t *value = json_object_get(plan, name);
	double seconds = json_number_value(value);

	if (!value)
		return true;
	if (json_is_string(value))
		return duration_parse(json_string_value(value), ms) == 0;
	if (!json_is_number(value) || seconds < 0 || seconds > DURATION_MOST_MS / 1000.0)
		return false;
	*ms = (uint64_t)(seconds * 1000 + 0.5);
	return true;
}

/* What of the plan metadata_plan() wants: its word, or the JSON that is to be served. */
static char *plan_value(json_t *plan, enum metadata_event kind)
{
	json_t *word = json_object_get(plan, "value");

	if (!word && kind == METADATA_SPOT && !json_object_get(plan, "time"))
		word = json_object_get(plan, "action");
	if (word)
		return text_copy(json_is_string(word) ? json_string_value(word) : "");
	return json_object_size(plan) ? json_dumps(plan, JSON_PRESERVE_ORDER) : text_copy("");
}

/* Takes after and clear-after out of the body; what is left is the event's own. */
static int event_plan(
	struct metadata *metadata, enum metadata_event kind, const char *body, struct error *err)
{
	uint64_t after_ms = 0, clear_after_ms = METADATA_NEVER;
	memory_cleanup_free char *value = NULL;
	json_error_t where;
	json_t *json;
	int status = 0;

	if (*body != '{')
		return metadata_plan(metadata, kind, body, after_ms, clear_after_ms, err);
	json = json_loads(body, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return error_set(err, EINVAL, "the body is not JSON: %s", where.text);
	if (!plan_time(json, "after", &after_ms) ||
		!plan_time(json, "clear-after", &clear_after_ms))
		status = error_set(
			err, EINVAL, "after and clear-after are times: \"200ms\", \"10s\", 1.5");
	json_object_del(json, "after");
	json_object_del(json, "clear-after");
	value = plan_value(json, kind);
	if (status == 0)
		status = metadata_plan(metadata, kind, value, after_ms, clear_after_ms, err);
	json_decref(json);
	return status;
}

static void event_put(struct control *control, size_t kind)
{
	memory_cleanup_free char *body = text_copy(control->body);
	struct error err = { "" };

	if (event_plan(control->metadata, kind, text_trim(body), &err) < 0)
		say_error(control->answer, 400, err.text);
	else
		say_done(control->answer);
}

static void event_get(struct control *control, size_t kind)
{
	const char *text = metadata_get(control->metadata, metadata_event_path(kind));

	if (text)
		metadata_say(control->answer, 200, text);
	else
		metadata_refuse(control->answer, 404);
}

static void event_answer(struct control *control, size_t kind, const char *method)
{
	if (strcmp(method, "GET") == 0) {
		event_get(control, kind);
	} else if (strcmp(method, "DELETE") == 0) {
		metadata_event_clear(control->metadata, kind);
		say_done(control->answer);
	} else {
		event_put(control, kind);
	}
}

/* ---- Items, faults, tokens -------------------------------------------------------------- */

static void items_get(struct control *control)
{
	const char *text;

	if (!*control->rest) {
		say_json(control->answer, json_incref(control->metadata->items));
		return;
	}
	text = metadata_get(control->metadata, control->rest);
	if (text)
		metadata_say(control->answer, 200, text);
	else
		metadata_refuse(control->answer, 404);
}

static void item_set(struct control *control, const char *text)
{
	struct error err = { "" };

	if (metadata_set(control->metadata, control->rest, text, &err) < 0)
		say_error(control->answer, 400, err.text);
	else
		say_done(control->answer);
}

static void items_put(struct control *control)
{
	item_set(control, control->body);
}

static void items_delete(struct control *control)
{
	item_set(control, NULL);
}

static void faults_get(struct control *control)
{
	json_t *list = json_array();

	for (size_t i = 0; i < control->metadata->fault_count; i++)
		json_array_append_new(list, json_string(control->metadata->faults[i].text));
	say_json(control->answer, list);
}

/* Words of the body, one fault each. When one is wrong, those before it are there. */
static void faults_post(struct control *control)
{
	strings_cleanup struct strings words = { 0 };
	struct error err = { "" };

	strings_split(&words, control->body, " \t\r\n");
	for (size_t i = 0; i < words.count; i++)
		if (metadata_add_fault(control->metadata, words.items[i], &err) < 0) {
			say_error(control->answer, 400, err.text);
			return;
		}
	say_done(control->answer);
}

static void faults_put(struct control *control)
{
	metadata_faults_clear(control->metadata);
	faults_post(control);
}

static void faults_delete(struct control *control)
{
	metadata_faults_clear(control->metadata);
	say_done(control->answer);
}

static void tokens_delete(struct control *control)
{
	memset(control->metadata->tokens, 0, sizeof(control->metadata->tokens));
	say_done(control->answer);
}

/* ---- What there is ------------------------------------------------------------------------ */

typedef void control_function(struct control *control);

static const struct {
	const char *method;
	const char *name;
	control_function *run;
} functions[] = {
	{ "GET", "counters", counters_get },
	{ "DELETE", "counters", counters_delete },
	{ "GET", "wait", wait_get },
	{ "GET", "items", items_get },
	{ "PUT", "items", items_put },
	{ "DELETE", "items", items_delete },
	{ "GET", "faults", faults_get },
	{ "PUT", "faults", faults_put },
	{ "POST", "faults", faults_post },
	{ "DELETE", "faults", faults_delete },
	{ "DELETE", "tokens", tokens_delete },
};

static bool name_is(const char *path, size_t length, const char *name)
{
	return strlen(name) == length && strncmp(path, name, length) == 0;
}

static void function_answer(
	struct control *control, const char *path, size_t length, const char *method)
{
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (!name_is(path, length, functions[i].name))
			continue;
		known = true;
		if (strcmp(functions[i].method, method) != 0)
			continue;
		functions[i].run(control);
		return;
	}
	metadata_refuse(control->answer, known ? 405 : 404);
}

void metadata_control(struct metadata *metadata, const struct metadata_request *request,
	struct metadata_answer *answer)
{
	const char *path = request->path + strlen(metadata->control);
	bool changes = strcmp(request->method, "PUT") == 0 ||
		       strcmp(request->method, "POST") == 0 ||
		       strcmp(request->method, "DELETE") == 0;
	struct control control = { metadata, request->body, "", answer };
	size_t length, kind;

	path += *path == '/';
	length = strcspn(path, "/");
	control.rest = path + length + (path[length] == '/');
	if (!request->own) {
		metadata_refuse(answer, 403);
		return;
	}
	if (!changes && strcmp(request->method, "GET") != 0) {
		metadata_refuse(answer, 405);
		return;
	}
	for (kind = 0; kind < EVENT_KINDS; kind++)
		if (name_is(path, length, metadata_event_name(kind)))
			break;
	if (kind < EVENT_KINDS)
		event_answer(&control, kind, request->method);
	else
		function_answer(&control, path, length, request->method);
}
