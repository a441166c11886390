/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far each pre-warm came, for the next one. */
#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "core/actions/prewarm_parts.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"

/* Areas and volumes whose state is kept: an instance has a few. The oldest go. */
#define RECORDS_MOST 16

static const char *method_word(enum prewarm_method method)
{
	return method == PREWARM_WRITE ? "write" : "read";
}

static void take_pieces(const struct prewarm_record *record, struct prewarm_ranges *done)
{
	for (size_t i = 0; i < record->done.count; i++) {
		struct prewarm_range piece = { record->done.items[i].start.value,
			record->done.items[i].length.value };

		if (piece.length <= UINT64_MAX - piece.start)
			prewarm_ranges_add(done, &piece);
	}
}

bool prewarm_recall(const struct prewarm *prewarm, const struct prewarm_target *target,
	struct prewarm_ranges *done, char **when)
{
	struct prewarm_records records = { 0 };
	const struct prewarm_record *record = NULL;
	struct error err = { "" };
	bool finished = false;

	if (prewarm_records_read(
		    prewarm->gather->root, prewarm->gather->config->state_dir, &records, &err) == 0)
		record = prewarm_record_find(&records, target->volume, target->map);
	else
		reporter_log(prewarm->reporter, LOG_INFO,
			"how far an earlier run came is not known: %s", err.text);
	if (record && record->finished.is == FACT_KNOWN) {
		*when = text_copy(record->finished.value);
		finished = true;
	} else if (record && fact_text_is(&record->method, method_word(target->method))) {
		take_pieces(record, done);
	}
	layout_free(&prewarm_records_layout, &records);
	return finished;
}

static void drop(struct prewarm_records *records, size_t index)
{
	struct prewarm_record *items = records->records.items;

	layout_free(&prewarm_record_layout, &items[index]);
	records->records.count--;
	memmove(&items[index], &items[index + 1],
		(records->records.count - index) * sizeof(*items));
	memset(&items[records->records.count], 0, sizeof(*items));
}

static void add_record(struct prewarm_records *records, const struct prewarm_target *target,
	const struct prewarm_ranges *done, const char *finished)
{
	struct prewarm_record *record = prewarm_record_find(records, target->volume, target->map);

	if (record)
		drop(records, (size_t)(record - records->records.items));
	while (records->records.count >= RECORDS_MOST)
		drop(records, 0);
	record = facts_add(&records->records);
	fact_set_text(&record->path, target->path);
	fact_set_text(&record->volume, target->volume);
	fact_set_text(&record->map, target->map);
	fact_set_text(&record->method, method_word(target->method));
	fact_set_text(&record->finished, finished);
	record->done.is = FACT_KNOWN;
	for (size_t i = 0; i < done->count && !finished; i++) {
		struct prewarm_piece *piece = facts_add(&record->done);

		fact_set_number(&piece->start, done->items[i].start);
		fact_set_number(&piece->length, done->items[i].length);
	}
}

int prewarm_remember(const struct prewarm *prewarm, const struct prewarm_target *target,
	const struct prewarm_ranges *done, const char *finished, struct error *err)
{
	const struct root *root = prewarm->gather->root;
	const char *folder = prewarm->gather->config->state_dir;
	memory_cleanup_free char *path = text_format("%s/" PREWARM_RECORD_NAME, folder);
	struct prewarm_records records = { 0 };
	struct error unread = { "" };
	int status;

	/* A damaged record has nothing that is worth an error now: it is written anew. */
	if (prewarm_records_read(root, folder, &records, &unread) < 0) {
		layout_free(&prewarm_records_layout, &records);
		memset(&records, 0, sizeof(records));
	}
	fact_set_number(&records.format, PREWARM_RECORD_FORMAT);
	add_record(&records, target, done, finished);
	status = record_write(root, path, &prewarm_records_layout, &records, 0644, err);
	layout_free(&prewarm_records_layout, &records);
	return status < 0 ? error_prefix(err, status, "cannot keep how far it came") : 0;
}
