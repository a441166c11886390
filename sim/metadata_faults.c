/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the simulated service misbehaves, as far as HTTP allows it. */
#include <errno.h>
#include <string.h>

#include "sim/metadata_parts.h"
#include "core/base/compiler.h"
#include "core/base/duration.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum kind {
	LATENCY,
	ERROR,
	STATUS,
	HANG,
	CLOSE,
	CUT,
	GARBAGE,
	HUGE,
	TOKEN_LOSS,
};

#define TIME	"TIME"
#define PERCENT "PERCENT"

const struct metadata_fault_kind metadata_fault_kinds[] = {
	[LATENCY] = { "latency", TIME, "answers so much later: 200ms" },
	[ERROR] = { "error", PERCENT, "HTTP status 503, to so many requests: 10%" },
	[STATUS] = { "status", "STATUS", "this HTTP status: 404" },
	[HANG] = { "hang", PERCENT, "never answers" },
	[CLOSE] = { "close", PERCENT, "closes the connection instead" },
	[CUT] = { "cut", PERCENT, "closes it in the middle of the answer" },
	[GARBAGE] = { "garbage", PERCENT, "an answer that is not text" },
	[HUGE] = { "huge", PERCENT, "an answer of 64 MiB" },
	[TOKEN_LOSS] = { "token-loss", "N", "a token is good for N requests" },
};
const size_t metadata_fault_kind_count = ARRAY_SIZE(metadata_fault_kinds);

#define FAULTS_MOST 64

static int number_of(size_t kind, const char *value, uint64_t *number)
{
	memory_cleanup_free char *bare = NULL;
	size_t length = strlen(value);
	int status;

	if (kind == LATENCY)
		return duration_parse(value, number);
	if (strcmp(metadata_fault_kinds[kind].value, PERCENT) != 0) {
		status = number_parse(value, number);
		if (status == 0 && kind == STATUS && (*number < 200 || *number > 599))
			return -EINVAL;
		return status;
	}
	bare = text_copy_length(value, text_ends(value, "%") ? length - 1 : length);
	status = number_parse(bare, number);
	return status == 0 && *number > 100 ? -EINVAL : status;
}

/* The kind with the name that is LENGTH characters long; metadata_fault_kind_count: none. */
static size_t kind_find(const char *name, size_t length)
{
	size_t kind = 0;

	for (; kind < metadata_fault_kind_count; kind++)
		if (strlen(metadata_fault_kinds[kind].name) == length &&
			strncmp(metadata_fault_kinds[kind].name, name, length) == 0)
			break;
	return kind;
}

static int unknown_kind(const char *text, struct error *err)
{
	strings_cleanup struct strings names = { 0 };
	memory_cleanup_free char *all = NULL;

	for (size_t i = 0; i < metadata_fault_kind_count; i++)
		strings_add(&names, metadata_fault_kinds[i].name);
	all = strings_join(&names, ", ");
	return error_set(
		err, EINVAL, "\"%s\" is no fault: [SCOPE:]NAME[=VALUE] with %s", text, all);
}

int metadata_add_fault(struct metadata *metadata, const char *text, struct error *err)
{
	const char *name = text, *value = strchr(text, '=');
	const char *colon = memrchr(text, ':', value ? (size_t)(value - text) : strlen(text));
	struct fault fault = { 0 };
	size_t length;

	if (colon)
		name = colon + 1;
	length = value ? (size_t)(value - name) : strlen(name);
	fault.kind = kind_find(name, length);
	if (fault.kind == metadata_fault_kind_count)
		return unknown_kind(text, err);
	/* What happens to a share of the requests happens to all when none is given. */
	value = value ? value + 1 : "100%";
	if (number_of(fault.kind, value, &fault.number) < 0)
		return error_set(err, EINVAL, "the fault \"%s\" wants %s=%s: %s", text,
			metadata_fault_kinds[fault.kind].name,
			metadata_fault_kinds[fault.kind].value,
			metadata_fault_kinds[fault.kind].help);
	if (metadata->fault_count == FAULTS_MOST)
		return error_set(err, ENOSPC, "more than %d faults", FAULTS_MOST);
	fault.text = text_copy(text);
	fault.scope = text_copy_length(text, colon ? (size_t)(colon - text) : 0);
	metadata->faults = memory_grow(metadata->faults, metadata->fault_count, sizeof(fault));
	metadata->faults[metadata->fault_count++] = fault;
	return 0;
}

void metadata_faults_clear(struct metadata *metadata)
{
	for (size_t i = 0; i < metadata->fault_count; i++) {
		free(metadata->faults[i].text);
		free(metadata->faults[i].scope);
	}
	free(metadata->faults);
	metadata->faults = NULL;
	metadata->fault_count = 0;
}

static bool is_in_scope(const struct fault *fault, const char *path)
{
	const char *scope = fault->scope;
	bool is_token = strcmp(path, TOKEN_PATH) == 0;

	if (!*scope || strcmp(scope, is_token ? "token" : "items") == 0)
		return true;
	return text_ends(scope, "/") ? text_starts(path, scope) : strcmp(path, scope) == 0;
}

/* splitmix64: the same requests meet the same faults in every run. */
static bool happens(struct metadata *metadata, uint64_t percent)
{
	uint64_t chance = metadata->chance += 0x9e3779b97f4a7c15;

	chance = (chance ^ (chance >> 30)) * 0xbf58476d1ce4e5b9;
	chance = (chance ^ (chance >> 27)) * 0x94d049bb133111eb;
	return (chance ^ (chance >> 31)) % 100 < percent;
}

uint64_t metadata_token_uses(const struct metadata *metadata)
{
	for (size_t i = 0; i < metadata->fault_count; i++)
		if (metadata->faults[i].kind == TOKEN_LOSS)
			return metadata->faults[i].number;
	return TIMES_UNLIMITED;
}

static void body_spoil(struct metadata_answer *answer)
{
	static const char bytes[] = "\x7f\x45\x4c\x46\0\xff\xfe\033[2J\r\n\0{\"action\": \xc3(";

	free(answer->body);
	answer->body = memory_new(sizeof(bytes), 1);
	memcpy(answer->body, bytes, sizeof(bytes));
	answer->size = sizeof(bytes) - 1;
}

/* True when the answer met the fault. */
static bool meet(
	struct metadata *metadata, const struct fault *fault, struct metadata_answer *answer)
{
	static const enum metadata_spoil spoils[] = {
		[HANG] = SPOIL_HANG, [CLOSE] = SPOIL_CLOSE, [CUT] = SPOIL_CUT, [HUGE] = SPOIL_HUGE
	};

	if (fault->kind == LATENCY) {
		answer->delay_ms += fault->number;
		return true;
	}
	if (fault->kind == STATUS) {
		metadata_refuse(answer, (unsigned)fault->number);
		return true;
	}
	if (fault->kind == TOKEN_LOSS || !happens(metadata, fault->number))
		return false;
	answer->notice = false;
	if (fault->kind == ERROR)
		metadata_refuse(answer, 503);
	else if (fault->kind == GARBAGE)
		body_spoil(answer);
	else
		answer->spoil = spoils[fault->kind];
	return true;
}

void metadata_spoil(struct metadata *metadata, const char *path, struct metadata_answer *answer)
{
	bool met = false;

	for (size_t i = 0; i < metadata->fault_count; i++)
		if (is_in_scope(&metadata->faults[i], path) &&
			meet(metadata, &metadata->faults[i], answer))
			met = true;
	metadata->counters.faults += met;
}
