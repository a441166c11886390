/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/rehearse_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/instant.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"

#define RECORD_MODE 0644

int boot_id_read(const struct root *root, char **id, struct error *err)
{
	return root_read_line(root, BOOT_ID_PATH, id, err);
}

static void set_now(struct fact_text *fact)
{
	char stamp[INSTANT_LENGTH];

	instant_now(stamp);
	fact_set_text(fact, stamp);
}

static int write_file(const struct gather *gather, const char *name, const struct layout *layout,
	const void *structure, struct error *err)
{
	memory_cleanup_free char *path = text_format("%s/%s", gather->config->state_dir, name);

	return record_write(gather->root, path, layout, structure, RECORD_MODE, err);
}

int marker_write(const struct gather *gather, const struct facts *facts, enum rehearsal_level level,
	int64_t slept_ms, struct error *err)
{
	struct rehearsal_marker marker = { 0 };
	memory_cleanup_free char *id = NULL;
	int status = boot_id_read(gather->root, &id, err);

	if (status < 0)
		return status;
	fact_set_number(&marker.format, REHEARSAL_FORMAT);
	fact_set_text(&marker.level, rehearsal_levels[level].id);
	set_now(&marker.started);
	fact_set_text(&marker.boot_id, id);
	fact_set_number(&marker.slept, slept_ms > 0 ? (uint64_t)slept_ms : 0);
	rehearsal_describe(&marker.machine, facts);
	status = write_file(gather, REHEARSAL_MARKER_NAME, &rehearsal_marker_layout, &marker, err);
	layout_free(&rehearsal_marker_layout, &marker);
	return status;
}

int rehearsal_left_nothing(const struct facts *facts, struct error *err)
{
	const struct fact_text *signature = &facts->area.signature;
	const struct fact_text *test = &facts->kernel.pm_test;

	if (fact_text_is(signature, SIGNATURE_IMAGE))
		return error_set(err, EIO,
			"%s still carries an image, which a later boot would resume; run: ec2hib setup",
			facts->area.path.value);
	if (signature->is == FACT_UNKNOWN)
		return error_set(err, EIO,
			"it is not known whether %s carries an image: %s; run: ec2hib status",
			fact_text_or(&facts->area.path, "the swap area"),
			signature->why ? signature->why : "it was not looked at");
	if (test->is == FACT_KNOWN && !strstr(test->value, "[none]"))
		return error_set(err, EIO,
			"the kernel is still in a test mode (/sys/power/pm_test: %s)", test->value);
	return 0;
}

int marker_remove(const struct gather *gather, struct error *err)
{
	memory_cleanup_free char *path =
		text_format("%s/" REHEARSAL_MARKER_NAME, gather->config->state_dir);

	return root_remove(gather->root, path, err);
}

static int save(const struct gather *gather, const struct facts *facts, struct error *err)
{
	struct rehearsal_record record = { 0 };
	int status;

	fact_set_number(&record.format, REHEARSAL_FORMAT);
	layout_copy(&rehearsal_facts_layout, &record.rehearsal, &facts->rehearsal);
	status = write_file(gather, REHEARSAL_NAME, &rehearsal_record_layout, &record, err);
	layout_free(&rehearsal_record_layout, &record);
	return status;
}

static void forget_failure(struct rehearsal_facts *rehearsal)
{
	fact_set_absent(fact_of(&rehearsal->failed_level));
	fact_set_absent(fact_of(&rehearsal->failed_time));
	fact_set_absent(fact_of(&rehearsal->failure));
}

/* What failed at the level or before it is mended. */
static bool mends(enum rehearsal_level level, const struct rehearsal_facts *rehearsal)
{
	return rehearsal->failed_level.is == FACT_KNOWN &&
	       rehearsal_level_find(rehearsal->failed_level.value) <= level;
}

int record_passed(const struct gather *gather, struct facts *facts, enum rehearsal_level level,
	struct error *err)
{
	struct rehearsal_facts *rehearsal = &facts->rehearsal;
	bool counts = rehearsal_counts(level, facts);

	if (!counts && !mends(level, rehearsal))
		return 0;
	if (counts) {
		fact_set_text(&rehearsal->level, rehearsal_levels[level].id);
		set_now(&rehearsal->time);
		rehearsal_describe(rehearsal, facts);
	}
	if (rehearsal->failed_level.is != FACT_KNOWN || mends(level, rehearsal))
		forget_failure(rehearsal);
	return save(gather, facts, err);
}

int record_failed(const struct gather *gather, struct facts *facts, enum rehearsal_level level,
	const char *why, struct error *err)
{
	struct rehearsal_facts *rehearsal = &facts->rehearsal;

	fact_set_text(&rehearsal->failed_level, rehearsal_levels[level].id);
	set_now(&rehearsal->failed_time);
	fact_set_text(&rehearsal->failure, why);
	return save(gather, facts, err);
}
