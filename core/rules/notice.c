/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/notice.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

const char *const notice_kinds[NOTICE_KIND_COUNT] = {
	[NOTICE_HIBERNATE] = "hibernate",
	[NOTICE_STOP] = "stop",
	[NOTICE_TERMINATE] = "terminate",
	[NOTICE_REBALANCE] = "rebalance",
	[NOTICE_MAINTENANCE] = "maintenance",
	[NOTICE_LIFECYCLE] = "lifecycle",
};

const char *const notice_paths[NOTICE_SOURCES] = {
	[SOURCE_ACTION] = "meta-data/spot/instance-action",
	[SOURCE_REBALANCE] = "meta-data/events/recommendations/rebalance",
	[SOURCE_MAINTENANCE] = "meta-data/events/maintenance/scheduled",
	[SOURCE_LIFECYCLE] = "meta-data/autoscaling/target-lifecycle-state",
};

/* As far as a strange value is quoted in an error. */
#define QUOTED_LENGTH 60

static int bad(struct error *err, const char *what, const char *value)
{
	memory_cleanup_free char *shown = text_printable(value, strnlen(value, QUOTED_LENGTH));

	return error_set(err, EBADMSG, "%s: \"%s\"", what, shown);
}

/* The one JSON value that TEXT is; json_decref() ends it. NULL and the error. */
static json_t *load(const char *text, size_t limit, int *status, struct error *err)
{
	size_t length = strnlen(text, limit + 1);
	json_error_t parse;
	json_t *value;

	if (length > limit) {
		*status = error_set(err, EFBIG, "the answer has more than %zu bytes", limit);
		return NULL;
	}
	value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &parse);
	if (!value)
		*status = error_set(err, EBADMSG, "the answer is not JSON: %s", parse.text);
	return value;
}

/* The text of a member that has to be there; NULL and the error. */
static const char *member(const json_t *object, const char *name, int *status, struct error *err)
{
	const char *text = json_string_value(json_object_get(object, name));

	if (!text)
		*status = error_set(err, EBADMSG, "the answer has no string \"%s\"", name);
	return text;
}

static int take_time(struct notice *notice, const char *text, struct error *err)
{
	if (instant_parse(text, &notice->when) < 0)
		return bad(err, "the answer's time is not a date and time", text);
	instant_format(notice->when, notice->time);
	return 0;
}

/* A word that is safe in a log, an environment variable and a line of the state file. */
static bool take_word(char *word, size_t size, const char *text)
{
	size_t length =
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

	if (length == 0 || text[length] || length >= size)
		return false;
	memcpy(word, text, length + 1);
	return true;
}

static int take_action(const json_t *object, struct notice *notice, struct error *err)
{
	int status = 0;
	const char *action = member(object, "action", &status, err);

	if (!action)
		return status;
	for (int kind = NOTICE_HIBERNATE; kind <= NOTICE_TERMINATE; kind++) {
		if (strcmp(action, notice_kinds[kind]) != 0)
			continue;
		notice->kind = (enum notice_kind)kind;
		return 0;
	}
	return bad(err, "the answer's action is not known", action);
}

/* A Spot notice or a rebalance recommendation. An action without a time is one for now. */
static int parse_object(
	enum notice_source source, const char *text, struct notice *notice, struct error *err)
{
	const char *name = source == SOURCE_ACTION ? "time" : "noticeTime", *time = NULL;
	int status = 0;
	json_t *object = load(text, NOTICE_TEXT_LIMIT, &status, err);
	json_t *value = json_object_get(object, name);

	notice->kind = NOTICE_REBALANCE;
	if (object && !json_is_object(object))
		status = error_set(err, EBADMSG, "the answer is not a JSON object");
	else if (object && (source != SOURCE_ACTION || (value && !json_is_null(value))))
		time = member(object, name, &status, err);
	if (time)
		status = take_time(notice, time, err);
	if (status == 0 && source == SOURCE_ACTION)
		status = take_action(object, notice, err);
	json_decref(object);
	return status;
}

/* ---- Lifecycle --------------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool leaves;
} lifecycle_states[] = {
	{ "InService", false },
	{ "Terminated", true },
	{ "Detached", true },
	{ "Standby", true },
	{ "Warmed:Hibernated", true },
	{ "Warmed:Running", false },
	{ "Warmed:Stopped", true },
	{ "Warmed:Terminated", true },
};
#define LIFECYCLE_COUNT (ARRAY_SIZE(lifecycle_states))

static int parse_lifecycle(const char *text, struct notice *notice, struct error *err)
{
	size_t length = strcspn(text, "\n");

	/* One newline after the word is as good as none. */
	if (text[length] && text[length + 1])
		return error_set(err, EBADMSG, "the lifecycle state has more than one line");
	for (size_t i = 0; i < LIFECYCLE_COUNT; i++) {
		const char *name = lifecycle_states[i].name;

		if (strlen(name) != length || strncmp(text, name, length) != 0)
			continue;
		notice->kind = NOTICE_LIFECYCLE;
		memcpy(notice->detail, name, length + 1);
		return 0;
	}
	return bad(err, "the lifecycle state is not known", text);
}

bool notice_leaves_service(const struct notice *notice)
{
	for (size_t i = 0; i < LIFECYCLE_COUNT; i++)
		if (strcmp(notice->detail, lifecycle_states[i].name) == 0)
			return notice->kind == NOTICE_LIFECYCLE && lifecycle_states[i].leaves;
	return false;
}

/* ---- Scheduled events ------------------------------------------------------------------------ */

/* Scheduled events have a form of time of their own; ISO 8601 is taken as well. */
static int take_event_time(struct notice *notice, const char *text, struct error *err)
{
	if (instant_parse_gmt(text, &notice->when) < 0)
		return take_time(notice, text, err);
	instant_format(notice->when, notice->time);
	return 0;
}

/* One event of the list; *ACTIVE says whether it is a notice. */
static int take_event(const json_t *event, struct notice *notice, bool *active, struct error *err)
{
	const char *id, *code, *time, *state;
	int status = 0;

	if (!json_is_object(event))
		return error_set(err, EBADMSG, "a scheduled event is not a JSON object");
	id = member(event, "EventId", &status, err);
	code = id ? member(event, "Code", &status, err) : NULL;
	time = code ? member(event, "NotBefore", &status, err) : NULL;
	state = time ? member(event, "State", &status, err) : NULL;
	if (!state)
		return status;
	*notice = (struct notice) { .kind = NOTICE_MAINTENANCE };
	if (!take_word(notice->id, sizeof(notice->id), id))
		return bad(err, "a scheduled event's EventId is not a plain word", id);
	if (!take_word(notice->detail, sizeof(notice->detail), code))
		return bad(err, "a scheduled event's Code is not a plain word", code);
	*active = strcmp(state, "active") == 0;
	return take_event_time(notice, time, err);
}

static int parse_events(const char *text, struct notice **notices, size_t *count, struct error *err)
{
	int status = 0;
	json_t *list = load(text, NOTICE_LIST_TEXT_LIMIT, &status, err), *event;
	size_t index;

	if (!list)
		return status;
	if (!json_is_array(list))
		status = error_set(err, EBADMSG, "the answer is not a JSON list");
	json_array_foreach(list, index, event)
	{
		struct notice notice;
		bool active = false;

		status = take_event(event, &notice, &active, err);
		if (status < 0)
			break;
		if (!active)
			continue;
		*notices = memory_grow(*notices, *count, sizeof(**notices));
		(*notices)[(*count)++] = notice;
	}
	json_decref(list);
	if (status < 0) {
		free(*notices);
		*notices = NULL;
		*count = 0;
	}
	return status;
}

/* ---- All of them ----------------------------------------------------------------------------- */

int notices_parse(enum notice_source source, const char *text, struct notice **notices,
	size_t *count, struct error *err)
{
	struct notice notice = { 0 };
	int status;

	*notices = NULL;
	*count = 0;
	if (source == SOURCE_MAINTENANCE)
		return parse_events(text, notices, count, err);
	if (source == SOURCE_LIFECYCLE)
		status = parse_lifecycle(text, &notice, err);
	else
		status = parse_object(source, text, &notice, err);
	if (status < 0)
		return status;
	*notices = memory_new(1, sizeof(notice));
	**notices = notice;
	*count = 1;
	return 0;
}

/* What the clocks of two machines, and a poll's way, may differ by, s. */
#define CLOCKS_APART_S 5

bool notice_moves_along(const struct notice *before, const struct notice *after, int64_t elapsed_s)
{
	int64_t moved = after->when > before->when ? after->when - before->when
						   : before->when - after->when;

	if (before->kind != after->kind || before->kind > NOTICE_REBALANCE)
		return false;
	if (!*before->time || !*after->time)
		return *before->time == *after->time;
	return moved <= elapsed_s + CLOCKS_APART_S;
}

bool notice_was_meant_for(const struct notice *notice, int64_t resumed_s)
{
	return notice->kind == NOTICE_HIBERNATE && (!*notice->time || notice->when <= resumed_s);
}

enum config_reaction notice_reaction(const struct notice *notice, const struct config *config)
{
	switch (notice->kind) {
	case NOTICE_HIBERNATE:
		return REACTION_HIBERNATE;
	case NOTICE_STOP:
		return config->on_stop;
	case NOTICE_TERMINATE:
		return config->on_terminate;
	case NOTICE_REBALANCE:
		return config->on_rebalance;
	case NOTICE_MAINTENANCE:
		return config->on_maintenance;
	case NOTICE_LIFECYCLE:
	case NOTICE_KIND_COUNT:
		break;
	}
	return config->on_lifecycle;
}

char *notice_id(const struct notice *notice)
{
	char *id = text_copy(notice_kinds[notice->kind]);

	if (*notice->time)
		text_append(&id, " %s", notice->time);
	if (*notice->id)
		text_append(&id, " %s", notice->id);
	if (notice->kind == NOTICE_LIFECYCLE)
		text_append(&id, " %s", notice->detail);
	return id;
}
