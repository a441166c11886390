/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/edits.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/actions/boot_own.h"
#include "core/actions/edits_text.h"
#include "core/base/memory.h"
#include "core/facts/boot_record.h"

static int write_record(const struct root *root, const char *state_dir,
	const struct edit_record *record, struct error *err)
{
	memory_cleanup_free char *path = edit_record_path(state_dir), *text = NULL;
	memory_cleanup_free char *written = NULL;
	json_t *json, *edits;
	int status;

	if (record->count == 0)
		return root_remove(root, path, err);
	edits = json_array();
	for (size_t i = 0; i < record->count; i++) {
		const struct edit *edit = &record->items[i];
		json_t *item = json_pack("{s:s, s:I, s:s, s:s, s:b, s:b}", "file", edit->file,
			"line", (json_int_t)edit->line, "before", edit->before, "after",
			edit->after, "open_end", edit->open_end, "made_file", edit->made_file);

		if (!item) {
			json_decref(edits);
			return error_set(err, EILSEQ,
				"cannot change line %" PRIu64 " of %s%s: it is not UTF-8",
				edit->line, root->path, edit->file);
		}
		json_array_append_new(edits, item);
	}
	json = json_pack("{s:i, s:o}", "format", 1, "edits", edits);
	text = json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	status = root_make_directory(root, state_dir, err);
	if (status < 0)
		return status;
	written = text_format("%s\n", text);
	return root_replace(root, path, written, 0644, err);
}

static bool same_edit(const struct edit *a, const struct edit *b)
{
	return strcmp(a->file, b->file) == 0 && strcmp(a->before, b->before) == 0 &&
	       strcmp(a->after, b->after) == 0 && a->line == b->line;
}

/* Puts EDIT on the stack, unless a run that was cut short has left it there. Copies it. */
static void push(struct edit_record *record, const struct edit *edit)
{
	struct edit *item;

	for (size_t i = 0; i < record->count; i++)
		if (same_edit(&record->items[i], edit))
			return;
	record->items = memory_grow(record->items, record->count, sizeof(*edit));
	item = &record->items[record->count++];
	*item = *edit;
	item->file = text_copy(edit->file);
	item->before = text_copy(edit->before);
	item->after = text_copy(edit->after);
}

static void drop(struct edit_record *record, size_t index)
{
	free(record->items[index].file);
	free(record->items[index].before);
	free(record->items[index].after);
	memmove(&record->items[index], &record->items[index + 1],
		(record->count - index - 1) * sizeof(record->items[0]));
	record->count--;
}

static int replace_text(const struct root *root, const char *file, const char *old,
	const char *text, struct error *err)
{
	/* GRUB's environment block has a fixed size, and its lines may fill it. */
	if (text_starts(old, "# GRUB Environment Block\n") && strlen(text) > strlen(old))
		return error_set(err, ENOSPC, "cannot change %s%s: its %zu bytes are full",
			root->path, file, strlen(old));
	return root_replace(root, file, text, 0644, err);
}

void line_changes_add(struct line_changes *changes, const char *file, uint64_t line,
	const char *before, const char *after)
{
	struct line_change *change;

	if (strcmp(before, after) == 0)
		return;
	changes->items = memory_grow(changes->items, changes->count, sizeof(*changes->items));
	change = &changes->items[changes->count++];
	change->file = text_copy(file);
	change->before = text_copy(before);
	change->after = text_copy(after);
	change->line = line;
}

void line_changes_free(struct line_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->items[i].file);
		free(changes->items[i].before);
		free(changes->items[i].after);
	}
	free(changes->items);
	*changes = (struct line_changes) { 0 };
}

/* The edit that CHANGE is; it borrows the change's texts. */
static struct edit edit_of(const struct line_change *change)
{
	return (struct edit) { .file = change->file,
		.before = change->before,
		.after = change->after,
		.line = change->line };
}

/* Puts CHANGE on the stack, or nothing when the file has what it adds. */
static int record_change(const struct root *root, struct line_change *change,
	struct edit_record *record, struct error *err)
{
	struct edit edit = edit_of(change);
	memory_cleanup_free char *text = NULL;
	struct line there;
	int status = root_read_text(root, edit.file, FILE_LIMIT, &text, err);

	if (status == -ENOENT && !*edit.before) {
		text = text_copy("");
		edit.made_file = true;
		status = 0;
	}
	if (status < 0)
		return status;
	if (!*edit.before && line_find(text, edit.after, 0, false, &there))
		return 0;
	if (!edit_locate(text, &edit))
		return error_set(
			err, ENOENT, "%s%s has no line \"%s\"", root->path, edit.file, edit.before);
	change->line = edit.line;
	push(record, &edit);
	return 0;
}

int edits_record(const struct root *root, const char *state_dir, struct line_changes *changes,
	struct error *err)
{
	struct edit_record record;
	int status = edit_record_read(root, state_dir, &record, err);
	size_t before = record.count;

	for (size_t i = 0; status == 0 && i < changes->count; i++)
		status = record_change(root, &changes->items[i], &record, err);
	if (status == 0 && record.count > before)
		status = write_record(root, state_dir, &record, err);
	edit_record_free(&record);
	return status;
}

int edits_make(const struct root *root, const struct line_changes *changes, struct error *err)
{
	for (size_t i = 0; i < changes->count; i++) {
		struct edit edit = edit_of(&changes->items[i]);
		memory_cleanup_free char *text = NULL, *changed = NULL;
		bool foreign;
		int status = root_read_text(root, edit.file, FILE_LIMIT, &text, err);

		if (status == -ENOENT && !*edit.before) {
			text = text_copy("");
			status = 0;
		}
		if (status < 0)
			return status;
		changed = edit_make(text, &edit, &foreign);
		if (foreign)
			return error_set(err, ENOENT, "line %" PRIu64 " of %s%s is not \"%s\"",
				edit.line, root->path, edit.file, edit.before);
		if (changed)
			status = replace_text(root, edit.file, text, changed, err);
		if (status < 0)
			return status;
	}
	return 0;
}

int edit_line(const struct root *root, const char *state_dir, const char *file, const char *before,
	const char *after, struct error *err)
{
	struct line_changes changes = { 0 };
	int status = 0;

	line_changes_add(&changes, file, 0, before, after);
	if (changes.count)
		status = edits_record(root, state_dir, &changes, err);
	if (status == 0)
		status = edits_make(root, &changes, err);
	line_changes_free(&changes);
	return status;
}

static int undo(
	const struct root *root, const struct edit *edit, struct strings *left, struct error *err)
{
	memory_cleanup_free char *text = NULL, *changed = NULL;
	bool foreign;
	int status = root_read_text(root, edit->file, FILE_LIMIT, &text, err);

	if (status == -ENOENT || status == -ENOTDIR)
		return 0; /* the kernel or package that it belonged to is gone */
	if (status < 0)
		return status;
	own_leftover_remove(root, edit->file);
	changed = edit_unmake(text, edit, &foreign);
	if (foreign && left)
		strings_take(
			left, text_format("%s%s: line %" PRIu64
					  " is not as ec2hib left it and stays so; it was \"%s\"",
				      root->path, edit->file, edit->line, edit->before));
	if (!changed)
		return 0;
	if (edit->made_file && !*changed)
		return root_remove(root, edit->file, err);
	return replace_text(root, edit->file, text, changed, err);
}

void edits_sweep(const struct root *root, const char *state_dir)
{
	memory_cleanup_free char *path = edit_record_path(state_dir);

	own_leftover_remove(root, path);
}

/* Undoes what PICKS says, last one first, and takes each off the record when it is undone. */
static int undo_some(const struct root *root, const char *state_dir,
	bool (*picks)(const struct edit *edit, const void *data), const void *data,
	struct strings *left, struct error *err)
{
	struct edit_record record;
	int status = edit_record_read(root, state_dir, &record, err);

	for (size_t i = record.count; status == 0 && i > 0; i--) {
		if (!picks(&record.items[i - 1], data))
			continue;
		status = undo(root, &record.items[i - 1], left, err);
		if (status < 0)
			break;
		drop(&record, i - 1);
		status = write_record(root, state_dir, &record, err);
	}
	edits_sweep(root, state_dir);
	edit_record_free(&record);
	return status;
}

static bool is_of_file(const struct edit *edit, const void *file)
{
	return !file || strcmp(edit->file, file) == 0;
}

int edits_undo(const struct root *root, const char *state_dir, const char *file,
	struct strings *left, struct error *err)
{
	return undo_some(root, state_dir, is_of_file, file, left, err);
}

static bool is_among(const struct edit *edit, const void *data)
{
	const struct line_changes *changes = data;

	for (size_t i = 0; i < changes->count; i++) {
		struct edit other = edit_of(&changes->items[i]);

		if (same_edit(edit, &other))
			return true;
	}
	return false;
}

int edits_take_back(const struct root *root, const char *state_dir,
	const struct line_changes *changes, struct error *err)
{
	return undo_some(root, state_dir, is_among, changes, NULL, err);
}

int edits_files(
	const struct root *root, const char *state_dir, struct strings *files, struct error *err)
{
	struct edit_record record;
	int status = edit_record_read(root, state_dir, &record, err);

	for (size_t i = 0; status == 0 && i < record.count; i++)
		if (!strings_contain(files, record.items[i].file))
			strings_add(files, record.items[i].file);
	strings_sort(files);
	edit_record_free(&record);
	return status;
}

bool edits_have(const struct root *root, const char *state_dir, const char *file, const char *after)
{
	struct edit_record record;
	struct error err = { "" };
	bool found = false;

	edit_record_read(root, state_dir, &record, &err);
	for (size_t i = 0; i < record.count; i++)
		found = found || (strcmp(record.items[i].file, file) == 0 &&
					 strcmp(record.items[i].after, after) == 0);
	edit_record_free(&record);
	return found;
}
