/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define WAIT_STANDARD_MS ((uint64_t)10 * 1000)
#define NS_PER_MS	 ((uint64_t)1000000)

void control_say_json(struct http_answer *answer, json_t *json)
{
	memory_cleanup_free char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY);
	memory_cleanup_free char *line = text_format("%s\n", text);

	json_decref(json);
	http_answer_text(answer, 200, line);
	answer->type = "application/json";
}

void control_say_error(struct http_answer *answer, const char *text)
{
	memory_cleanup_free char *line = text_format("%s\n", text);

	http_answer_text(answer, 400, line);
}

void control_say_done(struct http_answer *answer)
{
	http_answer_text(answer, 204, "");
}

/* ---- Counters --------------------------------------------------------------------------- */

static json_t *counters_to_json(const struct control *control)
{
	json_t *json = json_object();

	for (size_t i = 0; i < control->counter_count; i++) {
		const struct counter *counter = &control->counters[i];

		json_object_set_new(json, counter->name,
			counter->is_time && counter->value == 0
				? json_null()
				: json_integer((json_int_t)counter->value));
	}
	json_object_set_new(json, "now-ns", json_integer((json_int_t)clock_ns(CLOCK_MONOTONIC)));
	return json;
}

static void counters_get(struct control_call *call)
{
	control_say_json(call->answer, counters_to_json(call->control));
}

static void counters_delete(struct control_call *call)
{
	for (size_t i = 0; i < call->control->counter_count; i++)
		if (!call->control->counters[i].stays)
			call->control->counters[i].value = 0;
	control_say_done(call->answer);
}

static void waited(void *data, struct http_answer *answer)
{
	bool reached = *answer->wait_counter >= answer->wait_count;

	answer->wait_counter = NULL;
	control_say_json(answer, counters_to_json(data));
	answer->status = reached ? 200 : 408;
}

/* wait/COUNTER/N[/TIME]: the answer comes when the counter has reached N. */
static void wait_get(struct control_call *call)
{
	strings_cleanup struct strings words = { 0 };
	struct http_answer *answer = call->answer;
	struct control *control = call->control;
	const struct counter *found = NULL;
	uint64_t ms = WAIT_STANDARD_MS;

	strings_split(&words, call->rest, "/");
	for (size_t i = 0; words.count >= 2 && i < control->counter_count; i++)
		if (!control->counters[i].is_time &&
			strcmp(words.items[0], control->counters[i].name) == 0)
			found = &control->counters[i];
	if (!found || number_parse(words.items[1], &answer->wait_count) < 0 ||
		(words.count > 2 && duration_parse(words.items[2], &ms) < 0)) {
		control_say_error(answer,
			"expected wait/COUNTER/N[/TIME], with one of the counters and a time (examples: 200ms, 10s)");
		return;
	}
	answer->wait_counter = &found->value;
	answer->wait_end = clock_ns(CLOCK_MONOTONIC) + ms * NS_PER_MS;
	answer->waited = waited;
	answer->data = control;
}

/* ---- Faults ----------------------------------------------------------------------------- */

static void faults_get(struct control_call *call)
{
	json_t *list = json_array();

	for (size_t i = 0; i < call->control->faults.count; i++)
		json_array_append_new(list, json_string(call->control->faults.list[i].text));
	control_say_json(call->answer, list);
}

/* Words of the body, one fault each. When one is wrong, those before it are there. */
static void faults_post(struct control_call *call)
{
	strings_cleanup struct strings words = { 0 };
	struct error err = { "" };

	strings_split(&words, call->body, " \t\r\n");
	for (size_t i = 0; i < words.count; i++)
		if (faults_add(&call->control->faults, words.items[i], &err) < 0) {
			control_say_error(call->answer, err.text);
			return;
		}
	control_say_done(call->answer);
}

static void faults_put(struct control_call *call)
{
	faults_clear(&call->control->faults);
	faults_post(call);
}

static void faults_delete(struct control_call *call)
{
	faults_clear(&call->control->faults);
	control_say_done(call->answer);
}

/* ---- The path ----------------------------------------------------------------------------- */

static const struct control_entry shared_entries[] = {
	{ "GET", "counters", counters_get },
	{ "DELETE", "counters", counters_delete },
	{ "GET", "wait", wait_get },
	{ "GET", "faults", faults_get },
	{ "PUT", "faults", faults_put },
	{ "POST", "faults", faults_post },
	{ "DELETE", "faults", faults_delete },
};

void control_free(struct control *control)
{
	faults_clear(&control->faults);
	free(control->path);
}

int control_move(struct control *control, const char *path, struct error *err)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length && (*path != '/' || length == 1))
		return error_set(
			err, EINVAL, "\"%s\" is not a control path (example: /control)", path);
	if (control->is_taken && control->is_taken(path))
		return error_set(err, EINVAL,
			"the control path cannot be %s: that is a path of the service itself",
			path);
	text_set(&control->path, text_copy_length(path, length));
	return 0;
}

const char *path_below(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);

	if (!*prefix || strncmp(path, prefix, length) != 0)
		return NULL;
	if (path[length] == '/')
		return path + length + 1;
	return path[length] ? NULL : path + length;
}

bool control_has(const struct control *control, const char *path)
{
	return path_below(path, control->path) != NULL;
}

/* Runs the entry that fits; true when there is one of that name. */
static bool entries_run(
	struct control_call *call, const struct control_entry *entries, size_t count)
{
	bool known = false;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(entries[i].name, call->name) != 0)
			continue;
		known = true;
		if (entries[i].method && strcmp(entries[i].method, call->method) != 0)
			continue;
		entries[i].run(call);
		return true;
	}
	if (known)
		http_answer_refuse(call->answer, 405);
	return known;
}

void control_answer(
	struct control *control, const struct http_request *request, struct http_answer *answer)
{
	static const char *const methods[] = { "GET", "PUT", "POST", "DELETE" };
	const char *path = path_below(request->path, control->path);
	size_t length = strcspn(path, "/"), method = 0;
	memory_cleanup_free char *name = text_copy_length(path, length);
	struct control_call call = {
		.control = control,
		.method = request->method,
		.name = name,
		.rest = path + length + (path[length] == '/'),
		.body = request->body,
		.answer = answer,
	};

	while (method < ARRAY_SIZE(methods) && strcmp(methods[method], request->method) != 0)
		method++;
	if (!request->is_local)
		http_answer_refuse(answer, 403);
	else if (method == ARRAY_SIZE(methods))
		http_answer_refuse(answer, 405);
	else if (!entries_run(&call, shared_entries, ARRAY_SIZE(shared_entries)) &&
		 !entries_run(&call, control->entries, control->entry_count))
		http_answer_refuse(answer, 404);
}
