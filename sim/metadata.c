/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/metadata.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "sim/metadata_parts.h"
#include "core/base/clock.h"
#include "core/base/instant.h"
#include "core/base/memory.h"
#include "core/base/text.h"

uint64_t metadata_clock(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

struct metadata *metadata_open(void)
{
	struct metadata *metadata = memory_new(1, sizeof(*metadata));

	metadata->items = metadata_items_standard();
	metadata->control = text_copy(METADATA_CONTROL);
	for (size_t i = 0; i < EVENT_KINDS; i++)
		metadata->planned[i].due = metadata->planned[i].clear_due = METADATA_NEVER;
	return metadata;
}

void metadata_close(struct metadata *metadata)
{
	if (!metadata)
		return;
	for (size_t i = 0; i < EVENT_KINDS; i++)
		free(metadata->planned[i].value);
	metadata_faults_clear(metadata);
	json_decref(metadata->items);
	free(metadata->control);
	free(metadata);
}

int metadata_control_at(struct metadata *metadata, const char *path, struct error *err)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length && (*path != '/' || length == 1))
		return error_set(err, EINVAL,
			"\"%s\" is no control path: it begins with a slash and has a name", path);
	if (text_starts(path, "/latest") && (path[7] == '/' || path[7] == '\0'))
		return error_set(err, EINVAL,
			"the control path cannot be %s: /latest belongs to the service", path);
	text_set(&metadata->control, text_copy_length(path, length));
	return 0;
}

/* ---- Events ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *path;
} events[EVENT_KINDS] = {
	[METADATA_SPOT] = { "spot", NOTICE_PATH },
	[METADATA_REBALANCE] = { "rebalance", "meta-data/events/recommendations/rebalance" },
	[METADATA_MAINTENANCE] = { "maintenance", "meta-data/events/maintenance/scheduled" },
	[METADATA_LIFECYCLE] = { "lifecycle", "meta-data/autoscaling/target-lifecycle-state" },
};

const char *metadata_event_name(enum metadata_event kind)
{
	return events[kind].name;
}

const char *metadata_event_path(enum metadata_event kind)
{
	return events[kind].path;
}

/*
 * From hibernate EC2 does not wait, before stop and terminate it leaves two minutes ("Spot
 * Instance interruption notices" in the EC2 User Guide).
 */
#define SPOT_WARNING_S 120
#define MAINTENANCE_S  3600

static char *spot_text(const char *action)
{
	int wait = strcmp(action, "hibernate") == 0 ? 0 : SPOT_WARNING_S;
	char when[INSTANT_LENGTH];

	instant_format(time(NULL) + wait, when);
	return text_format("{\"action\": \"%s\", \"time\": \"%s\"}", action, when);
}

static char *rebalance_text(void)
{
	char when[INSTANT_LENGTH];

	instant_now(when);
	return text_format("{\"noticeTime\": \"%s\"}", when);
}

static char *maintenance_text(const char *code)
{
	int64_t now = time(NULL);
	memory_cleanup_free char *from = instant_format_gmt(now + MAINTENANCE_S);
	memory_cleanup_free char *to = instant_format_gmt(now + 2 * MAINTENANCE_S);

	return text_format("[ {\n  \"NotBefore\" : \"%s\",\n  \"Code\" : \"%s\",\n"
			   "  \"Description\" : \"scheduled %s\",\n"
			   "  \"EventId\" : \"instance-event-0123456789abcdef0\",\n"
			   "  \"NotAfter\" : \"%s\",\n  \"State\" : \"active\"\n} ]",
		from, code, code, to);
}

/* What is in the kind's item while VALUE is so. */
static char *event_text(enum metadata_event kind, const char *value)
{
	if (*value == '{' || *value == '[' || kind == METADATA_LIFECYCLE)
		return text_copy(value);
	if (kind == METADATA_SPOT)
		return spot_text(value);
	if (kind == METADATA_REBALANCE)
		return rebalance_text();
	return maintenance_text(value);
}

static bool word_is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words;
}

static int value_check(enum metadata_event kind, const char *value, struct error *err)
{
	static const char *const actions[] = { "hibernate", "stop", "terminate", NULL };
	static const char *const codes[] = { "instance-reboot", "system-reboot",
		"system-maintenance", "instance-retirement", "instance-stop", NULL };

	if (*value == '{' || *value == '[')
		return 0;
	if (kind == METADATA_SPOT && !word_is_one_of(value, actions))
		return error_set(err, EINVAL,
			"\"%s\" is no Spot notice: hibernate, stop, terminate, or JSON", value);
	if (kind == METADATA_MAINTENANCE && !word_is_one_of(value, codes))
		return error_set(err, EINVAL,
			"\"%s\" is no maintenance event: instance-reboot, system-reboot, system-maintenance, instance-retirement, instance-stop, or JSON",
			value);
	if (kind == METADATA_REBALANCE && *value)
		return error_set(err, EINVAL,
			"\"%s\" is no rebalance recommendation: JSON, or empty for now", value);
	if (kind == METADATA_LIFECYCLE && !*value)
		return error_set(err, EINVAL, "a lifecycle state is wanted: Terminated");
	return 0;
}

static uint64_t later(uint64_t now, uint64_t ms)
{
	return ms == METADATA_NEVER ? METADATA_NEVER : now + ms * NS_PER_MS;
}

int metadata_plan(struct metadata *metadata, enum metadata_event kind, const char *value,
	uint64_t after_ms, uint64_t clear_after_ms, struct error *err)
{
	struct planned *planned = &metadata->planned[kind];
	uint64_t now = metadata_clock();
	int status = value_check(kind, value, err);

	if (status < 0)
		return status;
	text_set(&planned->value, text_copy(value));
	planned->due = later(now, after_ms);
	planned->clear_after_ms = clear_after_ms;
	planned->clear_due = METADATA_NEVER;
	metadata_advance(metadata, now);
	return 0;
}

void metadata_event_clear(struct metadata *metadata, enum metadata_event kind)
{
	struct planned *planned = &metadata->planned[kind];

	planned->due = planned->clear_due = METADATA_NEVER;
	/* The list of maintenance events is there when it is empty, too. */
	metadata_put(metadata, events[kind].path, kind == METADATA_MAINTENANCE ? "[]" : NULL);
}

static void event_happen(struct metadata *metadata, enum metadata_event kind, uint64_t now)
{
	struct planned *planned = &metadata->planned[kind];
	memory_cleanup_free char *text = event_text(kind, planned->value);

	planned->due = METADATA_NEVER;
	planned->clear_due = later(now, planned->clear_after_ms);
	metadata_put(metadata, events[kind].path, text);
	if (kind != METADATA_SPOT)
		return;
	metadata->notice_set = now;
	metadata->notice_served = 0;
}

uint64_t metadata_advance(struct metadata *metadata, uint64_t now)
{
	uint64_t next = METADATA_NEVER;

	for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
		struct planned *planned = &metadata->planned[kind];

		if (planned->due <= now)
			event_happen(metadata, kind, now);
		if (planned->clear_due <= now)
			metadata_event_clear(metadata, kind);
		if (planned->due < next)
			next = planned->due;
		if (planned->clear_due < next)
			next = planned->clear_due;
	}
	return next;
}
