/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/edits.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/actions/own_file.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/record.h"

/* ---- One line of a text: pure ---- */

/* The first line of a grubenv. What fills it up to its fixed size is '#'. */
#define ENVIRONMENT_MARK "# GRUB Environment Block\n"

bool line_next(const char **at, struct line *line)
{
	if (!**at)
		return false;
	line->start = *at;
	line->length = strcspn(*at, "\n");
	line->number++;
	*at += line->length + ((*at)[line->length] == '\n');
	return true;
}

static bool same_words(const struct line *line, const char *text)
{
	memory_cleanup_free char *copy = text_copy_length(line->start, line->length);
	strings_cleanup struct strings a = { 0 }, b = { 0 };

	strings_split(&a, copy, " \t\r");
	strings_split(&b, text, " \t\r");
	strings_sort(&a);
	strings_sort(&b);
	for (size_t i = 0; a.count == b.count && i < a.count; i++)
		if (strcmp(a.items[i], b.items[i]) != 0)
			return false;
	return a.count == b.count;
}

static bool same_text(const struct line *line, const char *text)
{
	return line->length == strlen(text) && memcmp(line->start, text, line->length) == 0;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The line of TEXT that is the SAME as WANTED, the nearest to line NUMBER. False: there is none. */
static bool find_line(const char *text, const char *wanted, uint64_t number,
	bool (*same)(const struct line *line, const char *text), struct line *found)
{
	struct line line = { 0 };
	bool any = false;

	while (line_next(&text, &line)) {
		if (!same(&line, wanted))
			continue;
		if (!any || distance(line.number, number) < distance(found->number, number))
			*found = line;
		any = true;
	}
	return any;
}

/* The line as we left it: exactly, or else by its words. */
static bool find_after(const char *text, const struct edit *edit, struct line *found)
{
	return find_line(text, edit->after, edit->line, same_text, found) ||
	       find_line(text, edit->after, edit->line, same_words, found);
}

/* Finds out line, open_end of a new EDIT of TEXT. False: TEXT does not have the line. */
static bool edit_locate(const char *text, struct edit *edit)
{
	struct line line = { 0 };
	size_t size = strlen(text);

	if (*edit->before) {
		if (!find_line(text, edit->before, edit->line, same_text, &line))
			return false;
		edit->line = line.number;
		edit->open_end = !*edit->after && !line.start[line.length];
		return true;
	}
	while (line_next(&text, &line))
		;
	edit->line = line.number + 1;
	edit->open_end = size && text[-1] != '\n';
	return true;
}

char *text_fit_environment(const char *old, char *text)
{
	size_t size = strlen(old), length = strlen(text);
	char *fitted;

	if (!text_starts(old, ENVIRONMENT_MARK))
		return text;
	while (length && text[length - 1] == '#')
		length--;
	fitted = memory_new((length > size ? length : size) + 1, 1);
	memcpy(fitted, text, length);
	if (length < size)
		memset(fitted + length, '#', size - length);
	free(text);
	return fitted;
}

/* TEXT with what is at LINE replaced by TO; with TO "" the line goes, end and all. */
static char *exchange(const char *text, const struct line *line, const char *to)
{
	const char *rest = line->start + line->length;

	if (!*to && *rest == '\n')
		rest++;
	return text_fit_environment(
		text, text_format("%.*s%s%s", (int)(line->start - text), text, to, rest));
}

/* The line with that NUMBER, when it begins with the same word as WANTED. */
static bool find_by_number(
	const char *text, uint64_t number, const char *wanted, struct line *found)
{
	size_t length = strcspn(wanted, " \t=");

	*found = (struct line) { 0 };
	while (found->number < number && line_next(&text, found))
		;
	return found->number == number && length && found->length > length &&
	       memcmp(found->start, wanted, length) == 0 && strchr(" \t=", found->start[length]);
}

/*
 * TEXT with EDIT made; the caller frees it. NULL: nothing to do, for it is so already. *FOREIGN:
 * nor can it be done, for somebody else has changed the line.
 */
static char *edit_make(const char *text, const struct edit *edit, bool *foreign)
{
	struct line line = { 0 };

	*foreign = false;
	if (!*edit->before) {
		size_t size = strlen(text);

		if (!*edit->after || find_line(text, edit->after, 0, same_text, &line))
			return NULL;
		return text_format(
			"%s%s%s\n", text, size && text[size - 1] != '\n' ? "\n" : "", edit->after);
	}
	if (find_line(text, edit->before, edit->line, same_text, &line) &&
		line.number == edit->line)
		return exchange(text, &line, edit->after);
	if (*edit->after && find_after(text, edit, &line))
		return NULL;
	if (find_line(text, edit->before, edit->line, same_text, &line) ||
		find_by_number(text, edit->line, edit->before, &line))
		return exchange(text, &line, edit->after);
	*foreign = *edit->after;
	return NULL;
}

/* TEXT with the line BEFORE in its place again, for an edit that took it away. */
static char *insert_line(const char *text, const struct edit *edit)
{
	struct line line = { 0 };
	const char *at = text;

	while (line.number + 1 < edit->line && line_next(&at, &line))
		;
	return text_format("%.*s%s%s%s", (int)(at - text), text, edit->before,
		edit->open_end && !*at ? "" : "\n", at);
}

/* The same for taking EDIT back. */
static char *edit_unmake(const char *text, const struct edit *edit, bool *foreign)
{
	struct line line = { 0 };
	char *changed;
	size_t length;

	*foreign = false;
	/* As it was, in its old place: it was never changed, or is changed back already. */
	if (*edit->before && find_line(text, edit->before, edit->line, same_text, &line) &&
		line.number == edit->line)
		return NULL;
	if (!*edit->after)
		return insert_line(text, edit);
	if (!find_after(text, edit, &line)) {
		/* One that was added may have been changed, or removed. */
		*foreign = *edit->before
				   ? !find_line(text, edit->before, edit->line, same_text, &line)
				   : find_by_number(text, edit->line, edit->after, &line);
		return NULL;
	}
	changed = exchange(text, &line, edit->before);
	length = strlen(changed);
	if (edit->open_end && length && changed[length - 1] == '\n')
		changed[length - 1] = '\0';
	return changed;
}

/* ---- The record ---- */

static int write_record(const struct root *root, const char *state_dir, const struct edits *edits,
	struct error *err)
{
	memory_cleanup_free char *path = edits_path(state_dir);
	json_t *list;

	if (edits->count == 0)
		return root_remove(root, path, err);
	list = json_array();
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->items[i];
		json_t *item = json_pack("{s:s, s:I, s:s, s:s, s:b, s:b}", "file", edit->file,
			"line", (json_int_t)edit->line, "before", edit->before, "after",
			edit->after, "open_end", edit->open_end, "made_file", edit->made_file);

		if (!item) {
			json_decref(list);
			return error_set(err, EILSEQ,
				"cannot change line %" PRIu64 " of %s%s: it is not UTF-8",
				edit->line, root->path, edit->file);
		}
		json_array_append_new(list, item);
	}
	return record_write_json(
		root, path, json_pack("{s:i, s:o}", "format", 1, "edits", list), 0644, err);
}

static bool same_edit(const struct edit *a, const struct edit *b)
{
	return strcmp(a->file, b->file) == 0 && strcmp(a->before, b->before) == 0 &&
	       strcmp(a->after, b->after) == 0 && a->line == b->line;
}

static bool contain(const struct edits *edits, const struct edit *edit)
{
	for (size_t i = 0; i < edits->count; i++)
		if (same_edit(&edits->items[i], edit))
			return true;
	return false;
}

/* Adds a copy of EDIT. */
static void add_copy(struct edits *edits, const struct edit *edit)
{
	struct edit *item;

	edits->items = memory_grow(edits->items, edits->count, sizeof(*edit));
	item = &edits->items[edits->count++];
	*item = *edit;
	item->file = text_copy(edit->file);
	item->before = text_copy(edit->before);
	item->after = text_copy(edit->after);
}

void edits_add(
	struct edits *edits, const char *file, uint64_t line, const char *before, const char *after)
{
	const struct edit edit = {
		.file = (char *)file, .before = (char *)before, .after = (char *)after, .line = line
	};

	if (strcmp(before, after) != 0)
		add_copy(edits, &edit);
}

static void drop(struct edits *edits, size_t index)
{
	free(edits->items[index].file);
	free(edits->items[index].before);
	free(edits->items[index].after);
	memmove(&edits->items[index], &edits->items[index + 1],
		(edits->count - index - 1) * sizeof(edits->items[0]));
	edits->count--;
}

/* ---- Files ---- */

/* The file's text; a file that EDIT makes is empty before. */
static int read_file(const struct root *root, const struct edit *edit, char **text, bool *missing,
	struct error *err)
{
	int status = root_read_text(root, edit->file, FILE_LIMIT, text, err);

	*missing = status == -ENOENT && !*edit->before;
	if (!*missing)
		return status;
	*text = text_copy("");
	return 0;
}

static int replace_text(const struct root *root, const char *file, const char *old,
	const char *text, struct error *err)
{
	/* GRUB's environment block has a fixed size, and its lines may fill it. */
	if (text_starts(old, ENVIRONMENT_MARK) && strlen(text) > strlen(old))
		return error_set(err, ENOSPC,
			"cannot change %s%s: there is no room in its %zu bytes", root->path, file,
			strlen(old));
	return root_replace(root, file, text, 0644, err);
}

/* Puts EDIT on the stack, or nothing when the file has what it adds. */
static int record_edit(
	const struct root *root, struct edit *edit, struct edits *record, struct error *err)
{
	memory_cleanup_free char *text = NULL;
	struct line there;
	int status = read_file(root, edit, &text, &edit->made_file, err);

	if (status < 0)
		return status;
	if (!*edit->before && find_line(text, edit->after, 0, same_text, &there))
		return 0;
	if (!edit_locate(text, edit))
		return error_set(err, ENOENT, "%s%s has no line \"%s\"", root->path, edit->file,
			edit->before);
	/* A run that was cut short may have left it there. */
	if (!contain(record, edit))
		add_copy(record, edit);
	return 0;
}

int edits_record(
	const struct root *root, const char *state_dir, struct edits *edits, struct error *err)
{
	struct edits record;
	int status = edits_read(root, state_dir, &record, err);
	size_t before = record.count;

	for (size_t i = 0; status == 0 && i < edits->count; i++)
		status = record_edit(root, &edits->items[i], &record, err);
	if (status == 0 && record.count > before)
		status = write_record(root, state_dir, &record, err);
	edits_free(&record);
	return status;
}

int edits_make(const struct root *root, const struct edits *edits, struct error *err)
{
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->items[i];
		memory_cleanup_free char *text = NULL, *changed = NULL;
		bool foreign, missing;
		int status = read_file(root, edit, &text, &missing, err);

		if (status < 0)
			return status;
		changed = edit_make(text, edit, &foreign);
		if (foreign)
			return error_set(err, ENOENT, "line %" PRIu64 " of %s%s is not \"%s\"",
				edit->line, root->path, edit->file, edit->before);
		if (changed)
			status = replace_text(root, edit->file, text, changed, err);
		if (status < 0)
			return status;
	}
	return 0;
}

/* Whether EDIT and those before it that led to its line are undone in TEXT already. */
static bool is_undone(const char *text, const struct edits *record, size_t index)
{
	const struct edit *edit = &record->items[index];
	struct line line;

	for (size_t i = index; i > 0; i--) {
		const struct edit *earlier = &record->items[i - 1];

		if (strcmp(earlier->file, edit->file) != 0 ||
			(strcmp(earlier->after, edit->before) != 0 && earlier->line != edit->line))
			continue;
		/* A line that was added is gone. */
		if (!*earlier->before)
			return !find_line(text, earlier->after, earlier->line, same_words, &line);
		if (find_line(text, earlier->before, earlier->line, same_text, &line))
			return true;
		edit = earlier;
	}
	return false;
}

/* Whether LINE, in which quotes are no part of a word, has WORD. */
static bool has_word(const char *line, const char *word)
{
	strings_cleanup struct strings words = { 0 };

	strings_split(&words, line, " \t\r\n\"'");
	return strings_contain(&words, word);
}

/* True for a word that tells where an image is: what setup adds, and takes away. */
static bool is_resume_word(const char *word)
{
	return text_starts(word, "resume");
}

/*
 * True when TEXT, whose line somebody else has changed, has no resume argument of ours any more,
 * and those that EDIT has taken away are there again, wherever.
 */
static bool is_settled(const char *text, const struct edit *edit)
{
	strings_cleanup struct strings before = { 0 }, after = { 0 };
	bool settled = true;

	strings_split(&before, edit->before, " \t\r\"'");
	strings_split(&after, edit->after, " \t\r\"'");
	for (size_t i = 0; settled && i < after.count; i++)
		settled = strings_contain(&before, after.items[i]) ||
			  !is_resume_word(after.items[i]) || !has_word(text, after.items[i]);
	for (size_t i = 0; settled && i < before.count; i++)
		settled = strings_contain(&after, before.items[i]) ||
			  !is_resume_word(before.items[i]) || has_word(text, before.items[i]);
	return settled;
}

/* What could not be undone: sentences for a person, and the edits that stay in the record. */
struct undone {
	struct strings *left; /* NULL: nobody wants to know */
	struct edits unsettled;
};

static void tell_foreign(const struct root *root, const struct edit *edit, struct undone *undone)
{
	if (undone->left && !*edit->before)
		strings_take(undone->left,
			text_format("%s%s: line %" PRIu64
				    " was added by ec2hib, changed after it, and is left as it is",
				root->path, edit->file, edit->line));
	else if (undone->left)
		strings_take(undone->left,
			text_format(
				"%s%s: line %" PRIu64
				" was changed after ec2hib and is left as it is; before ec2hib it was \"%s\"",
				root->path, edit->file, edit->line, edit->before));
}

/* Undoes in *TEXT what is edited in its file, last edit first. */
static void undo_text(const struct root *root, const struct edits *edits, const char *file,
	char **text, struct undone *undone)
{
	for (size_t i = edits->count; i > 0; i--) {
		const struct edit *edit = &edits->items[i - 1];
		bool foreign;
		char *changed;

		if (strcmp(edit->file, file) != 0)
			continue;
		changed = edit_unmake(*text, edit, &foreign);
		if (foreign && !is_undone(*text, edits, i - 1)) {
			tell_foreign(root, edit, undone);
			if (!is_settled(*text, edit))
				add_copy(&undone->unsettled, edit);
		}
		if (changed)
			text_set(text, changed);
	}
}

/* True when an edit has made FILE. */
static bool is_made(const struct edits *edits, const char *file)
{
	for (size_t i = 0; i < edits->count; i++)
		if (edits->items[i].made_file && strcmp(edits->items[i].file, file) == 0)
			return true;
	return false;
}

static int undo_file(const struct root *root, const struct edits *edits, const char *file,
	struct undone *undone, struct error *err)
{
	memory_cleanup_free char *old = NULL, *text = NULL;
	int status = root_read_text(root, file, FILE_LIMIT, &old, err);

	if (status == -ENOENT || status == -ENOTDIR)
		return 0; /* the kernel or package that it belonged to is gone */
	if (status < 0)
		return status;
	own_leftover_remove(root, file);
	text = text_copy(old);
	undo_text(root, edits, file, &text, undone);
	if (strcmp(text, old) == 0)
		return 0;
	if (!*text && is_made(edits, file))
		return root_remove(root, file, err);
	return replace_text(root, file, old, text, err);
}

static int undo_files(const struct root *root, const struct edits *edits, struct undone *undone,
	struct error *err)
{
	strings_cleanup struct strings files = { 0 };
	int status = 0;

	for (size_t i = 0; status == 0 && i < edits->count; i++) {
		const char *file = edits->items[i].file;

		if (strings_contain(&files, file))
			continue;
		strings_add(&files, file);
		status = undo_file(root, edits, file, undone, err);
	}
	return status;
}

int edits_undo_lines(const struct root *root, const struct edits *edits, struct error *err)
{
	struct undone undone = { 0 };
	int status = undo_files(root, edits, &undone, err);

	edits_free(&undone.unsettled);
	return status;
}

void edits_sweep(const struct root *root, const char *state_dir)
{
	memory_cleanup_free char *path = edits_path(state_dir);

	own_leftover_remove(root, path);
}

int edits_undo(const struct root *root, const char *state_dir, const struct edits *only,
	struct strings *left, struct error *err)
{
	struct undone undone = { .left = left };
	struct edits record, chosen = { 0 };
	int status = edits_read(root, state_dir, &record, err);

	for (size_t i = 0; status == 0 && i < record.count;) {
		if (only && !contain(only, &record.items[i])) {
			i++;
			continue;
		}
		add_copy(&chosen, &record.items[i]);
		drop(&record, i);
	}
	if (status == 0 && chosen.count) {
		status = undo_files(root, &chosen, &undone, err);
		/* They were found last one first. */
		for (size_t i = undone.unsettled.count; i > 0; i--)
			add_copy(&record, &undone.unsettled.items[i - 1]);
		if (status == 0)
			status = write_record(root, state_dir, &record, err);
	}
	edits_sweep(root, state_dir);
	edits_free(&undone.unsettled);
	edits_free(&chosen);
	edits_free(&record);
	return status;
}
