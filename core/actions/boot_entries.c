/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Boot loaders whose entries are lines in files: BLS entries, with grubby or without, and GRUB
 * legacy's menu. Every changed line is recorded first, so that the way back restores its bytes.
 *
 * All entries change, rescue entries too: a rescue boot that does not resume would run over a
 * hibernated system. For kernels that are installed later: kernel-install takes
 * /etc/kernel/cmdline, RHEL 8 and 9 GRUB's variable kernelopts and GRUB_CMDLINE_LINUX, and the
 * grubby of Amazon Linux 1 copies the default entry.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/actions/boot_backend.h"
#include "core/actions/edits.h"
#include "core/actions/edits_text.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot.h"
#include "core/facts/boot_text.h"
#include "core/rules/arguments.h"

#define KERNEL_CMDLINE "/etc/kernel/cmdline"

/* How the command line stands in the lines of a file. */
enum form {
	FORM_OPTIONS,  /* options ARGUMENTS; several lines add up */
	FORM_WHOLE,    /* ARGUMENTS; several lines add up */
	FORM_VARIABLE, /* kernelopts=ARGUMENTS */
	FORM_SETTING,  /* GRUB_CMDLINE_LINUX="ARGUMENTS" */
	FORM_KERNEL,   /* kernel FILE ARGUMENTS; each line for itself */
};

struct source {
	const char *file;
	enum form form;
};

/* Where in LINE the command line begins and how long it is; false: the line has none. */
static bool find_arguments(enum form form, const char *line, size_t *start, size_t *length)
{
	static const char variable[] = "kernelopts=", setting[] = "GRUB_CMDLINE_LINUX=";
	size_t blank = strspn(line, " \t");

	*length = strlen(line);
	switch (form) {
	case FORM_OPTIONS:
		*start = blank + strlen("options");
		if (!boot_line_is(line, "options"))
			return false;
		break;
	case FORM_KERNEL:
		*start = blank + strlen("kernel");
		if (!boot_line_is(line, "kernel"))
			return false;
		break;
	case FORM_WHOLE:
		*start = 0;
		if (!line[blank] || line[blank] == '#')
			return false;
		break;
	case FORM_VARIABLE:
		*start = strlen(variable);
		if (!text_starts(line, variable))
			return false;
		break;
	case FORM_SETTING:
		*start = strlen(setting);
		if (!text_starts(line, setting))
			return false;
		break;
	}
	if (form == FORM_SETTING) {
		char quote = line[*start];
		const char *end;

		/* A value that is more than one quoted string is left to its owner. */
		if (quote != '"' && quote != '\'')
			return false;
		end = strchr(line + ++*start, quote);
		if (!end || end[1 + strspn(end + 1, " \t")])
			return false;
		*length = (size_t)(end - line);
	}
	/* The blanks behind a key word belong to the key word. */
	if (form == FORM_OPTIONS || form == FORM_KERNEL)
		*start += strspn(line + *start, " \t");
	*length -= *start;
	return true;
}

/* LINE with its arguments as wanted, or with WANTED NULL without ours. The caller frees it. */
static char *convert(enum form form, const char *line, const struct strings *wanted)
{
	size_t start, length;
	memory_cleanup_free char *arguments = NULL, *changed = NULL;

	if (!find_arguments(form, line, &start, &length))
		return text_copy(line);
	arguments = text_copy_length(line + start, length);
	changed = wanted ? arguments_replace(arguments, wanted)
			 : arguments_remove(arguments, arguments_keys);
	return text_format("%.*s%s%s", (int)start, line, changed, line + start + length);
}

/* Says whether an options line takes its arguments from GRUB's environment block. */
static bool uses_variable(const char *line)
{
	return strstr(line, "$kernelopts") || strstr(line, "${kernelopts}");
}

/* The last line of TEXT that has a command line, as its number; 0: none. */
static uint64_t last_line(enum form form, const char *text)
{
	struct line line = { 0 };
	uint64_t last = 0;

	while (line_next(&text, &line)) {
		memory_cleanup_free char *copy = text_copy_length(line.start, line.length);
		size_t start, length;

		if (find_arguments(form, copy, &start, &length))
			last = line.number;
	}
	return last;
}

/* Adds what has to change in one file. */
static void plan_file(const struct boot_job *job, const struct source *source, bool has_variable,
	struct line_changes *changes)
{
	memory_cleanup_free char *text = NULL;
	struct line line = { 0 };
	struct error ignored = { "" };
	uint64_t last;
	const char *at;

	if (root_read(job->root, source->file, BOOT_TEXT_LIMIT, &text, NULL, &ignored) < 0)
		return;
	last = last_line(source->form, text);
	for (at = text; line_next(&at, &line);) {
		memory_cleanup_free char *copy = text_copy_length(line.start, line.length);
		memory_cleanup_free char *changed = NULL;
		bool here = source->form == FORM_KERNEL || line.number == last;

		if (source->form == FORM_OPTIONS && has_variable && uses_variable(text))
			here = false;
		changed = convert(source->form, copy, here ? job->wanted : NULL);
		line_changes_add(changes, source->file, line.number, copy, changed);
	}
	if (last == 0 && source->form == FORM_OPTIONS && text_ends(source->file, ".conf")) {
		memory_cleanup_free char *all = strings_join(job->wanted, " ");
		memory_cleanup_free char *added = text_format("options %s", all);

		line_changes_add(changes, source->file, 0, "", added);
	}
}

static void add_source(struct source **sources, size_t *count, const char *file, enum form form)
{
	*sources = memory_grow(*sources, *count, sizeof(**sources));
	(*sources)[*count].file = file;
	(*sources)[(*count)++].form = form;
}

/* The files that tell the command line; NAMES owns their names, the caller frees the list. */
static struct source *list_sources(const struct boot_job *job, struct strings *names, size_t *count)
{
	memory_cleanup_free char *folder = NULL, *environment = NULL;
	struct source *sources = NULL;
	struct error ignored = { "" };

	*count = 0;
	if (fact_text_is(&job->boot->loader, LOADER_GRUB_LEGACY)) {
		boot_legacy_files(job->root, names);
		for (size_t i = 0; i < names->count; i++)
			add_source(&sources, count, names->items[i], FORM_KERNEL);
		return sources;
	}
	folder = boot_entries_folder(job->root);
	if (folder) {
		strings_cleanup struct strings files = { 0 };

		root_list(job->root, folder, &files, &ignored);
		for (size_t i = 0; i < files.count; i++)
			if (text_ends(files.items[i], ".conf"))
				strings_take(names, text_format("%s/%s", folder, files.items[i]));
	}
	for (size_t i = 0; i < names->count; i++)
		add_source(&sources, count, names->items[i], FORM_OPTIONS);
	environment = boot_environment_path(job->root);
	if (environment) {
		strings_take(names, text_copy(environment));
		add_source(&sources, count, names->items[names->count - 1], FORM_VARIABLE);
	}
	add_source(&sources, count, KERNEL_CMDLINE, FORM_WHOLE);
	add_source(&sources, count, BOOT_DEFAULTS, FORM_SETTING);
	return sources;
}

static bool has_kernelopts(const struct root *root)
{
	memory_cleanup_free char *path = boot_environment_path(root), *text = NULL;
	memory_cleanup_free char *value = NULL;
	struct error ignored = { "" };

	if (path)
		root_read(root, path, BOOT_TEXT_LIMIT, &text, NULL, &ignored);
	value = boot_environment_get(text, "kernelopts");
	return value != NULL;
}

static void plan_changes(const struct boot_job *job, struct line_changes *changes)
{
	strings_cleanup struct strings names = { 0 };
	bool has_variable = has_kernelopts(job->root);
	size_t count;
	struct source *sources = list_sources(job, &names, &count);

	for (size_t i = 0; i < count; i++)
		plan_file(job, &sources[i], has_variable, changes);
	free(sources);
}

/* grubby(8): removing goes before adding, so that stale values go even where there are two. */
static int run_grubby(const struct boot_job *job, struct error *err)
{
	memory_cleanup_free char *line = strings_join(job->wanted, " "), *keys = NULL;
	memory_cleanup_free char *add = text_format("--args=%s", line), *take = NULL;

	for (const char *const *key = arguments_keys; *key; key++)
		text_append(&keys, "%s%s", keys ? " " : "", *key);
	take = text_format("--remove-args=%s", keys);
	return process_run(job->root,
		(const char *const[]) { "grubby", "--update-kernel=ALL", take, add, NULL },
		GENERATOR_TIMEOUT_MS, NULL, err);
}

/*
 * Records, changes, and puts everything back after a failure. What grubby did not change, or
 * changed into something else, is changed here: versions differ in what they touch.
 */
static int apply(const struct boot_job *job, bool with_grubby, bool *changed, struct error *err)
{
	struct line_changes changes = { 0 };
	int status = 0;

	plan_changes(job, &changes);
	if (changes.count) {
		*changed = true;
		status = edits_record(job->root, job->state_dir, &changes, err);
		if (status == 0 && with_grubby)
			status = run_grubby(job, err);
		if (status == 0)
			status = edits_make(job->root, &changes, err);
		if (status < 0) {
			struct error ignored = { "" };

			edits_take_back(job->root, job->state_dir, &changes, &ignored);
		}
	}
	line_changes_free(&changes);
	return status;
}

int boot_grubby_apply(const struct boot_job *job, bool *changed, struct error *err)
{
	return apply(job, true, changed, err);
}

int boot_entries_apply(const struct boot_job *job, bool *changed, struct error *err)
{
	return apply(job, false, changed, err);
}

/* True when LINE has the resume device and offset that an edit of the record has set. */
static bool is_ours(const struct edit_record *record, enum form form, const char *line)
{
	static const char *const keys[] = { "resume", "resume_offset" };
	memory_cleanup_free char *arguments = NULL;
	size_t start, length;

	if (!find_arguments(form, line, &start, &length))
		return false;
	arguments = text_copy_length(line + start, length);
	for (size_t i = 0; i < record->count; i++) {
		bool same = edit_is_boot_file(record->items[i].file);

		for (size_t j = 0; same && j < ARRAY_SIZE(keys); j++) {
			memory_cleanup_free char *a = arguments_get(arguments, keys[j]);
			memory_cleanup_free char *b =
				arguments_get(record->items[i].after, keys[j]);

			same = text_equal(a, b) && (a || j > 0);
		}
		if (same)
			return true;
	}
	return false;
}

/* True when an edit of FILE has left LINE there, so that undoing it will take care. */
static bool is_recorded(const struct edit_record *record, const char *file, const char *line)
{
	struct line found;

	for (size_t i = 0; i < record->count; i++)
		if (strcmp(record->items[i].file, file) == 0 && *record->items[i].after &&
			line_find(line, record->items[i].after, 0, true, &found))
			return true;
	return false;
}

/* Takes our arguments out of lines that have no edit: entries of kernels installed since. */
static int clean_file(const struct boot_job *job, const struct source *source,
	const struct edit_record *record, struct error *err)
{
	memory_cleanup_free char *text = NULL, *cleaned = NULL;
	struct line line = { 0 };
	struct error ignored = { "" };
	const char *at;
	char *end;

	if (root_read_text(job->root, source->file, BOOT_TEXT_LIMIT, &text, &ignored) < 0)
		return 0;
	/* Lines lose words and gain none. */
	end = cleaned = memory_new(strlen(text) + 1, 1);
	for (at = text; line_next(&at, &line);) {
		memory_cleanup_free char *copy = text_copy_length(line.start, line.length);
		memory_cleanup_free char *changed = NULL;

		if (is_ours(record, source->form, copy) && !is_recorded(record, source->file, copy))
			changed = convert(source->form, copy, NULL);
		end = stpcpy(end, changed ? changed : copy);
		if (line.start[line.length])
			*end++ = '\n';
	}
	if (strcmp(cleaned, text) == 0)
		return 0;
	cleaned = text_fit_environment(text, cleaned);
	return root_replace(job->root, source->file, cleaned, 0644, err);
}

/* Undoes the edits of the files that tell the command line, and of no others. */
static int undo_all(const struct boot_job *job, struct error *err)
{
	strings_cleanup struct strings files = { 0 };
	int status = edits_files(job->root, job->state_dir, &files, err);

	for (size_t i = 0; status == 0 && i < files.count; i++)
		if (edit_is_boot_file(files.items[i]))
			status = edits_undo(
				job->root, job->state_dir, files.items[i], job->left, err);
	return status;
}

int boot_entries_remove(const struct boot_job *job, bool *changed, struct error *err)
{
	strings_cleanup struct strings names = { 0 };
	struct edit_record record;
	struct source *sources;
	size_t count, ours = 0;
	int status = edit_record_read(job->root, job->state_dir, &record, err);

	for (size_t i = 0; i < record.count; i++)
		ours += edit_is_boot_file(record.items[i].file);
	if (ours) {
		*changed = true;
		sources = list_sources(job, &names, &count);
		for (size_t i = 0; status == 0 && i < count; i++)
			status = clean_file(job, &sources[i], &record, err);
		free(sources);
		if (status == 0)
			status = undo_all(job, err);
	}
	edit_record_free(&record);
	return status;
}
