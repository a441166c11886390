/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define FAULTS_MOST 64

/* What a value is decides how it is read; these names are also shown. */
#define TIME	"TIME"
#define PERCENT "PERCENT"
#define STATUS	"STATUS"
#define NUMBER	"N"
#define SIGNED	"[-]N"
#define TEXT	"TEXT"
#define URL	"URL"

const struct fault_kind fault_kinds[] = {
	[FAULT_LATENCY] = { "latency", TIME, "answers so much later: 200ms" },
	[FAULT_ERROR] = { "error", PERCENT, "HTTP status 503, to so many requests: 10%" },
	[FAULT_ERROR_FIRST] = { "error-first", NUMBER, "HTTP status 503, to the first N requests" },
	[FAULT_ERROR_AFTER] = { "error-after", NUMBER, "HTTP status 503, to all after N requests" },
	[FAULT_STATUS] = { "status", STATUS, "this HTTP status: 404" },
	[FAULT_REDIRECT] = { "redirect", URL, "HTTP status 302, to this URL" },
	[FAULT_BODY] = { "body", TEXT, "this text in place of what is there" },
	[FAULT_GARBAGE] = { "garbage", PERCENT, "an answer that is not text" },
	[FAULT_HANG] = { "hang", PERCENT, "never answers" },
	[FAULT_CLOSE] = { "close", PERCENT, "closes the connection instead" },
	[FAULT_RESET] = { "reset", PERCENT, "resets the connection instead" },
	[FAULT_CUT] = { "cut", PERCENT, "closes it in the middle of the answer" },
	[FAULT_CUT_HEADER] = { "cut-header", PERCENT, "closes it in the middle of the header" },
	[FAULT_HUGE] = { "huge", PERCENT, "an answer of 64 MiB" },
	[FAULT_HEADER_FLOOD] = { "header-flood", PERCENT, "a header of 64 KiB without an end" },
	[FAULT_NOT_HTTP] = { "not-http", PERCENT, "an answer that is not HTTP" },
	[FAULT_LENGTH] = { "length", SIGNED, "adds N to Content-Length" },
	[FAULT_TRICKLE] = { "trickle", TIME, "a byte each so often: 10ms" },
	[FAULT_TOKEN_LOSS] = { "token-loss", NUMBER, "a token is good for N requests" },
	[FAULT_TOKEN_TTL] = { "token-ttl", NUMBER, "a token is good for N seconds" },
	[FAULT_TOKEN_OPTIONAL] = { "token-optional", PERCENT,
		"answers without a token, too, as IMDSv1 does" },
};
const size_t fault_kind_count = ARRAY_SIZE(fault_kinds);

static int value_parse(enum fault_id id, const char *value, int64_t *number)
{
	const char *form = fault_kinds[id].value;
	bool negative = strcmp(form, SIGNED) == 0 && *value == '-';
	memory_cleanup_free char *bare = NULL;
	uint64_t most = INT32_MAX, parsed = 0;
	size_t length = strlen(value);
	int status = 0;

	if (strcmp(form, PERCENT) == 0) {
		most = 100;
		length -= text_ends(value, "%");
	} else if (strcmp(form, STATUS) == 0) {
		most = 599;
	}
	bare = text_copy_length(value + negative, length - negative);
	if (strcmp(form, TIME) == 0)
		status = duration_parse(bare, &parsed);
	else if (strcmp(form, TEXT) != 0 && strcmp(form, URL) != 0)
		status = number_parse(bare, &parsed);
	if (status < 0)
		return status;
	if (strcmp(form, TIME) != 0 && parsed > most)
		return -EINVAL;
	if (strcmp(form, STATUS) == 0 && parsed < 200)
		return -EINVAL;
	*number = negative ? -(int64_t)parsed : (int64_t)parsed;
	return 0;
}

static int unknown_kind(const char *text, struct error *err)
{
	strings_cleanup struct strings names = { 0 };
	memory_cleanup_free char *all = NULL;

	for (size_t i = 0; i < fault_kind_count; i++)
		strings_add(&names, fault_kinds[i].name);
	all = strings_join(&names, ", ");
	return error_set(err, EINVAL,
		"\"%s\" is not a fault; one is [SCOPE:]NAME[=VALUE], with NAME of %s", text, all);
}

int faults_add(struct faults *faults, const char *text, struct error *err)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : strlen(text);
	const char *colon = memrchr(text, ':', length), *name = colon ? colon + 1 : text;
	const struct fault_kind *kind = fault_kinds;
	const char *value = equals ? equals + 1 : NULL;
	struct fault *fault;
	int64_t number;

	length -= (size_t)(name - text);
	for (; kind < fault_kinds + fault_kind_count; kind++)
		if (strlen(kind->name) == length && strncmp(kind->name, name, length) == 0)
			break;
	if (kind == fault_kinds + fault_kind_count)
		return unknown_kind(text, err);
	/* What happens to a share of the requests happens to all when none is given. */
	if (!value && strcmp(kind->value, PERCENT) == 0)
		value = "100%";
	if (!value || value_parse((enum fault_id)(kind - fault_kinds), value, &number) < 0)
		return error_set(err, EINVAL, "fault \"%s\": expected %s=%s (%s)", text, kind->name,
			kind->value, kind->help);
	if (faults->count == FAULTS_MOST)
		return error_set(err, ENOSPC, "more than %d faults", FAULTS_MOST);
	faults->list = memory_grow(faults->list, faults->count, sizeof(*faults->list));
	fault = &faults->list[faults->count++];
	*fault = (struct fault) { .id = (enum fault_id)(kind - fault_kinds), .number = number };
	fault->text = text_copy(text);
	fault->scope = text_copy_length(text, colon ? (size_t)(colon - text) : 0);
	fault->value = equals ? fault->text + (equals + 1 - text) : "";
	return 0;
}

void faults_clear(struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		free(faults->list[i].text);
		free(faults->list[i].scope);
	}
	free(faults->list);
	faults->list = NULL;
	faults->count = 0;
}

static bool is_in_scope(const struct fault *fault, const char *group, const char *path)
{
	const char *scope = fault->scope;

	if (!*scope || strcmp(scope, group) == 0)
		return true;
	return text_ends(scope, "/") ? text_starts(path, scope) : strcmp(path, scope) == 0;
}

struct fault *faults_find(
	const struct faults *faults, enum fault_id id, const char *group, const char *path)
{
	for (size_t i = 0; i < faults->count; i++)
		if (faults->list[i].id == id && is_in_scope(&faults->list[i], group, path))
			return &faults->list[i];
	return NULL;
}

/* splitmix64: the same requests meet the same faults in every run. */
bool fault_happens(struct faults *faults, const struct fault *fault)
{
	uint64_t chance = faults->chance += 0x9e3779b97f4a7c15;

	chance = (chance ^ (chance >> 30)) * 0xbf58476d1ce4e5b9;
	chance = (chance ^ (chance >> 27)) * 0x94d049bb133111eb;
	return (chance ^ (chance >> 31)) % 100 < (uint64_t)fault->number;
}

static void body_garbage(struct http_answer *answer)
{
	static const char bytes[] = "\x7f\x45\x4c\x46\0\xff\xfe\033[2J\r\n\0{\"action\": \xc3(";

	free(answer->body);
	answer->body = memory_new(sizeof(bytes), 1);
	memcpy(answer->body, bytes, sizeof(bytes));
	answer->size = sizeof(bytes) - 1;
}

/* True when this request is one of those that the fault meets. */
static bool is_met(struct faults *faults, struct fault *fault)
{
	if (strcmp(fault_kinds[fault->id].value, PERCENT) == 0)
		return fault_happens(faults, fault);
	if (fault->id == FAULT_ERROR_FIRST)
		return fault->number > 0 && fault->number--;
	if (fault->id != FAULT_ERROR_AFTER || fault->number == 0)
		return true;
	fault->number--;
	return false;
}

static void answer_spoil(struct http_answer *answer, const struct fault *fault)
{
	static const enum http_spoil spoils[] = { [FAULT_HANG] = HTTP_HANG,
		[FAULT_CLOSE] = HTTP_CLOSE,
		[FAULT_RESET] = HTTP_RESET,
		[FAULT_CUT] = HTTP_CUT,
		[FAULT_CUT_HEADER] = HTTP_CUT_HEADER,
		[FAULT_HUGE] = HTTP_HUGE,
		[FAULT_HEADER_FLOOD] = HTTP_HEADER_FLOOD,
		[FAULT_NOT_HTTP] = HTTP_NOT_HTTP,
		[FAULT_LENGTH] = HTTP_WRONG_LENGTH,
		[FAULT_TRICKLE] = HTTP_TRICKLE };

	switch (fault->id) {
	case FAULT_LATENCY:
		answer->delay_ms += (uint64_t)fault->number;
		return;
	case FAULT_ERROR:
	case FAULT_ERROR_FIRST:
	case FAULT_ERROR_AFTER:
		http_answer_refuse(answer, 503);
		return;
	case FAULT_STATUS:
		http_answer_refuse(answer, (unsigned)fault->number);
		return;
	case FAULT_REDIRECT:
		http_answer_refuse(answer, 302);
		http_answer_header(answer, "Location", fault->value);
		return;
	case FAULT_BODY:
		if (answer->status == 200)
			http_answer_text(answer, 200, fault->value);
		break;
	case FAULT_GARBAGE:
		body_garbage(answer);
		break;
	default:
		answer->spoil = spoils[fault->id];
		answer->spoil_number = fault->number;
	}
	/* All of it comes, if slowly. */
	if (fault->id != FAULT_TRICKLE)
		answer->sent = NULL;
}

bool faults_meet(
	struct faults *faults, const char *group, const char *path, struct http_answer *answer)
{
	bool met = false;

	for (size_t i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->list[i];

		if (fault->id >= FAULT_TOKEN_LOSS || !is_in_scope(fault, group, path) ||
			!is_met(faults, fault))
			continue;
		answer_spoil(answer, fault);
		met = true;
	}
	return met;
}
