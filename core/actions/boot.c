/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/actions/boot_products.h"
#include "core/actions/edits.h"
#include "core/actions/own_file.h"
#include "core/actions/saved_files.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "core/facts/boot_text.h"
#include "core/rules/arguments.h"

/* One job: what is there, what is wanted, and what was done. */
struct boot_job {
	const struct root *root;
	const struct boot_facts *boot;
	const struct boot_loader *loader; /* that boots this machine, NULL: not known */
	const char *state_dir;
	const struct boot_wanted *wanted; /* NULL when arguments are removed */
	struct strings *left;		  /* what the administrator has to see to; may be NULL */
	struct saved_files saved;	  /* all that may change, as it was */
};

/* ---- Settings ---- */
/*
 * Going back, the settings stay in place without effect until what boots is made without them, so
 * that a teardown that was cut short is seen and done again.
 */

/* Settings without a mark are ours alone. */
static int settings_read(const struct boot_job *job, const struct boot_loader *loader,
	struct boot_settings *settings, struct error *err)
{
	const char *file = loader->settings_file;
	int status;

	if (!loader->settings_mark)
		status = own_file_read(job->root, file, &settings->old, err);
	else
		status = root_read_text(job->root, file, BOOT_TEXT_LIMIT, &settings->old, err);
	if (status == -ENOENT || status == -ENOTDIR)
		status = 0; /* a machine without such settings */
	if (status < 0)
		return status;
	status = loader->settings(settings, job->wanted, err);
	if (status < 0)
		error_prefix(err, status, "%s%s", job->root->path, file);
	return status;
}

/* Makes the file hold TEXT; NULL: it goes. */
static int settings_write(const struct boot_job *job, const struct boot_loader *loader,
	const char *text, struct error *err)
{
	if (!loader->settings_mark)
		return own_file_put(job->root, loader->settings_file, text, err);
	return root_replace(job->root, loader->settings_file, text, 0644, err);
}

static bool settings_are_ours(const struct boot_settings *settings)
{
	return settings->old && !text_equal(settings->old, settings->bare);
}

/* True when the entry that boots next has what is wanted, and an initramfs if that needs one. */
static bool is_done(const struct boot_job *job)
{
	const struct boot_facts *boot = job->boot;

	for (size_t i = 0; i < boot->entries.count; i++)
		if (fact_is_true(&boot->entries.items[i].is_default) &&
			boot->entries.items[i].initramfs.is == FACT_ABSENT &&
			job->wanted->needs_initramfs && boot->force_partuuid.is == FACT_KNOWN)
			return false;
	return arguments_in_entries(boot, job->wanted->arguments);
}

/* ---- Lines in other people's files ---- */
/*
 * Every changed line is recorded first, so that the way back restores its bytes. All entries
 * change, rescue entries too: a rescue boot that does not resume would run over a hibernated
 * system.
 */

/* Where in LINE the arguments begin and how long they are; false: the line has none. */
static bool find_arguments(
	const struct boot_source *source, const char *line, size_t *start, size_t *length)
{
	const char *keyword = source->keyword;
	size_t blank = strspn(line, " \t");

	*start = 0;
	*length = strlen(line);
	if (!*keyword) {
		if (!line[blank] || line[blank] == '#')
			return false;
	} else if (text_ends(keyword, "=")) {
		if (!text_starts(line, keyword))
			return false;
		*start = strlen(keyword);
	} else {
		if (!boot_line_is(line, keyword))
			return false;
		*start = blank + strlen(keyword);
		/* The blanks after a key word belong to the key word. */
		*start += strspn(line + *start, " \t");
	}
	if (source->quoted) {
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
	*length -= *start;
	return true;
}

/* LINE with its arguments as wanted, or with WANTED NULL without ours. The caller frees it. */
static char *convert(
	const struct boot_source *source, const char *line, const struct strings *wanted)
{
	size_t start, length;
	memory_cleanup_free char *arguments = NULL, *changed = NULL;

	if (!find_arguments(source, line, &start, &length))
		return text_copy(line);
	arguments = text_copy_length(line + start, length);
	changed = wanted ? arguments_replace(arguments, wanted)
			 : arguments_remove(arguments, arguments_keys);
	return text_format("%.*s%s%s", (int)start, line, changed, line + start + length);
}

/* True when TEXT takes its arguments from the source's variable. */
static bool uses_variable(const struct boot_source *source, const char *text)
{
	memory_cleanup_free char *plain = NULL, *braced = NULL;

	if (!source->variable)
		return false;
	plain = text_format("$%s", source->variable);
	braced = text_format("${%s}", source->variable);
	return strstr(text, plain) || strstr(text, braced);
}

/* The last line of TEXT that has arguments, as its number; 0: none. */
static uint64_t last_line(const struct boot_source *source, const char *text)
{
	struct line line = { 0 };
	uint64_t last = 0;

	while (line_next(&text, &line)) {
		memory_cleanup_free char *copy = text_copy_length(line.start, line.length);
		size_t start, length;

		if (find_arguments(source, copy, &start, &length))
			last = line.number;
	}
	return last;
}

/* Adds what has to change in TEXT, which the source's file holds. */
static void compare_text(const struct boot_source *source, const char *text,
	const struct strings *wanted, struct edits *edits)
{
	bool elsewhere = uses_variable(source, text);
	uint64_t last = last_line(source, text);
	struct line line = { 0 };

	for (const char *at = text; line_next(&at, &line);) {
		memory_cleanup_free char *copy = text_copy_length(line.start, line.length);
		memory_cleanup_free char *changed = NULL;
		bool here = (source->each || line.number == last) && !elsewhere;

		changed = convert(source, copy, here ? wanted : NULL);
		edits_add(edits, source->file, line.number, copy, changed);
	}
	if (last == 0 && source->added) {
		memory_cleanup_free char *all = strings_join(wanted, " ");
		memory_cleanup_free char *added = text_format("%s %s", source->keyword, all);

		edits_add(edits, source->file, 0, "", added);
	}
}

static int compare_sources(const struct boot_job *job, struct edits *edits, struct error *err)
{
	struct boot_sources sources = { 0 };
	int status = 0;

	if (job->loader->sources)
		job->loader->sources(job->root, &sources);
	for (size_t i = 0; status == 0 && i < sources.count; i++) {
		memory_cleanup_free char *text = NULL;

		status = root_read_text(
			job->root, sources.items[i].file, BOOT_TEXT_LIMIT, &text, err);
		if (status == 0)
			compare_text(&sources.items[i], text, job->wanted->arguments, edits);
		else if (status == -ENOENT || status == -ENOTDIR)
			status = 0;
	}
	boot_sources_free(&sources);
	return status;
}

/* True when LINE has the resume device and offset that an edit of the record has set. */
static bool is_ours(const struct edits *record, const struct boot_source *source, const char *line)
{
	static const char *const keys[] = { "resume", "resume_offset" };
	memory_cleanup_free char *arguments = NULL;
	size_t start, length;

	if (!find_arguments(source, line, &start, &length))
		return false;
	arguments = text_copy_length(line + start, length);
	for (size_t i = 0; i < record->count; i++) {
		bool same = true;

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
static bool is_recorded(const struct edits *record, const char *file, const char *line)
{
	struct line found;

	for (size_t i = 0; i < record->count; i++)
		if (strcmp(record->items[i].file, file) == 0 && *record->items[i].after &&
			line_find(line, record->items[i].after, 0, true, &found))
			return true;
	return false;
}

/* Takes our arguments out of lines that have no edit: entries of kernels installed since. */
static int clean_file(const struct boot_job *job, const struct boot_source *source,
	const struct edits *record, struct error *err)
{
	memory_cleanup_free char *text = NULL, *cleaned = NULL;
	struct line line = { 0 };
	struct error ignored = { "" };
	char *end;

	if (root_read_text(job->root, source->file, BOOT_TEXT_LIMIT, &text, &ignored) < 0)
		return 0;
	/* Lines lose words and gain none. */
	end = cleaned = memory_new(strlen(text) + 1, 1);
	for (const char *at = text; line_next(&at, &line);) {
		memory_cleanup_free char *copy = text_copy_length(line.start, line.length);
		memory_cleanup_free char *changed = NULL;

		if (is_ours(record, source, copy) && !is_recorded(record, source->file, copy))
			changed = convert(source, copy, NULL);
		end = stpcpy(end, changed ? changed : copy);
		if (line.start[line.length])
			*end++ = '\n';
	}
	if (strcmp(cleaned, text) == 0)
		return 0;
	cleaned = text_fit_environment(text, cleaned);
	return root_replace(job->root, source->file, cleaned, 0644, err);
}

/* ---- There and back ---- */

static struct boot_products products_of(const struct boot_job *job)
{
	return (struct boot_products) { .root = job->root,
		.boot = job->boot,
		.loader = job->loader,
		.wanted = job->wanted ? job->wanted->arguments : NULL };
}

/* Makes what boots, where a program does that. */
static int make_products(const struct boot_job *job, struct error *err)
{
	const struct boot_products products = products_of(job);

	if (!job->loader || !job->loader->generator)
		return 0;
	return boot_products_make(&products, err);
}

/* Removes what a run that was killed has left beside the files. */
static void sweep(const struct boot_job *job)
{
	const struct boot_products products = products_of(job);

	edits_sweep(job->root, job->state_dir);
	for (const struct boot_loader *const *at = boot_loaders; *at; at++)
		if ((*at)->settings)
			own_leftover_remove(job->root, (*at)->settings_file);
	if (job->loader && job->loader->generator)
		boot_products_sweep(&products);
}

/* Remembers the files of one loader. */
static int save_files(struct boot_job *job, const struct boot_loader *loader, struct error *err)
{
	struct boot_sources sources = { 0 };
	int status = 0;

	if (loader->sources)
		loader->sources(job->root, &sources);
	for (size_t i = 0; status == 0 && i < sources.count; i++)
		status = saved_files_add(&job->saved, job->root, sources.items[i].file, err);
	if (status == 0 && loader->settings)
		status = loader->settings_mark ? saved_files_add(&job->saved, job->root,
							 loader->settings_file, err)
					       : saved_files_add_own(&job->saved, job->root,
							 loader->settings_file, err);
	boot_sources_free(&sources);
	return status;
}

/* After a failure: all is as it was. What cannot be made so is left to the next run. */
static void put_back(const struct boot_job *job)
{
	struct error ignored = { "" };

	saved_files_restore(&job->saved, job->root, &ignored);
}

/* The record is saved first, and so comes back last: what it names has then been taken back. */
static int save_all(struct boot_job *job, struct error *err)
{
	memory_cleanup_free char *record = edits_path(job->state_dir);
	int status = saved_files_add(&job->saved, job->root, record, err);

	if (status == 0 && job->loader && job->loader->generator && !job->loader->gather_product &&
		job->boot->config.value)
		status = saved_files_add(&job->saved, job->root, job->boot->config.value, err);
	for (const struct boot_loader *const *at = boot_loaders; status == 0 && *at; at++)
		status = save_files(job, *at, err);
	return status;
}

static int apply(struct boot_job *job, const struct boot_settings *settings, struct edits *edits,
	struct error *err)
{
	int status = save_all(job, err);

	if (status < 0)
		return status;
	if (edits->count)
		status = edits_record(job->root, job->state_dir, edits, err);
	if (status == 0)
		status = edits_make(job->root, edits, err);
	if (status == 0 && settings->with && !text_equal(settings->old, settings->with))
		status = settings_write(job, job->loader, settings->with, err);
	if (status == 0)
		status = make_products(job, err);
	if (status < 0)
		put_back(job);
	sweep(job);
	boot_flush(job->root, job->boot);
	return status;
}

/* Somebody else's settings may give the entries all that is wanted. */
static bool settings_fit(const struct boot_job *job, const struct boot_settings *settings)
{
	return text_equal(settings->old, settings->with) ||
	       (is_done(job) && !settings_are_ours(settings));
}

static int set_all(struct boot_job *job, struct error *err)
{
	struct boot_settings settings = { 0 };
	struct edits edits = { 0 };
	int status = compare_sources(job, &edits, err);

	sweep(job);
	if (status == 0 && job->loader->settings)
		status = settings_read(job, job->loader, &settings, err);
	if (status == 0 && (edits.count || !settings_fit(job, &settings) ||
				   (job->loader->generator && !is_done(job))))
		status = apply(job, &settings, &edits, err);
	boot_settings_free(&settings);
	edits_free(&edits);
	return status;
}

int boot_arguments_set(const struct root *root, const struct facts *facts,
	const struct config *config, const struct strings *wanted, struct error *err)
{
	memory_cleanup_free char *line = strings_join(wanted, " ");
	memory_cleanup_free char *resume = arguments_get(line, "resume");
	const struct boot_wanted arguments = { .arguments = wanted,
		.keys = arguments_keys,
		.resume = resume,
		.needs_initramfs = resume_value_needs_initramfs(resume) };
	struct boot_job job = { .root = root,
		.boot = &facts->boot,
		.loader = boot_loader_of(&facts->boot),
		.state_dir = config->state_dir,
		.wanted = &arguments };
	int status;

	if (!wanted->count || !arguments_plain(wanted))
		return error_set(
			err, EINVAL, "cannot write \"%s\" into a boot configuration", line);
	if (!job.loader)
		return error_set(err, EOPNOTSUPP,
			"cannot set the kernel arguments of the next boot: %s; add \"%s\" to the kernel command line",
			facts->boot.loader.why ? facts->boot.loader.why
					       : "no known boot loader was found",
			line);
	status = set_all(&job, err);
	saved_files_free(&job.saved);
	if (status < 0)
		error_prefix(err, status, "cannot set the kernel arguments of the next boot");
	return status;
}

/* Takes our arguments out of copies of our lines, in files of all loaders. */
static int clean_copies(const struct boot_job *job, const struct edits *record, struct error *err)
{
	struct boot_sources sources = { 0 };
	int status = 0;

	for (const struct boot_loader *const *at = boot_loaders; *at; at++)
		if ((*at)->sources)
			(*at)->sources(job->root, &sources);
	for (size_t i = 0; status == 0 && i < sources.count; i++)
		status = clean_file(job, &sources.items[i], record, err);
	boot_sources_free(&sources);
	return status;
}

/* Our settings of all loaders, without effect or not there at all. *FOUND: there were any. */
static int settings_withdraw(const struct boot_job *job, bool idle, bool *found, struct error *err)
{
	int status = 0;

	for (const struct boot_loader *const *at = boot_loaders; status == 0 && *at; at++) {
		struct boot_settings settings = { 0 };

		if (!(*at)->settings)
			continue;
		status = settings_read(job, *at, &settings, err);
		if (status == 0 && settings_are_ours(&settings)) {
			*found = true;
			status =
				settings_write(job, *at, idle ? settings.idle : settings.bare, err);
		}
		boot_settings_free(&settings);
	}
	return status;
}

/*
 * Of all loaders: the machine may have changed its loader since. The record and settings without
 * effect stay until what boots is made without ours.
 */
static int remove_all(struct boot_job *job, const struct edits *record, struct error *err)
{
	bool found = record->count > 0;
	int status = save_all(job, err);

	if (status < 0)
		return status;
	if (record->count) {
		status = clean_copies(job, record, err);
		if (status == 0)
			status = edits_undo_lines(job->root, record, err);
	}
	if (status == 0)
		status = settings_withdraw(job, true, &found, err);
	if (status == 0 && found)
		status = make_products(job, err);
	if (status < 0) {
		put_back(job);
		return status;
	}
	status = settings_withdraw(job, false, &found, err);
	if (status == 0)
		status = edits_undo(job->root, job->state_dir, NULL, job->left, err);
	if (found)
		boot_flush(job->root, job->boot);
	return status;
}

int boot_arguments_remove(const struct root *root, const struct facts *facts,
	const struct config *config, struct strings *left, struct error *err)
{
	struct boot_job job = { .root = root,
		.boot = &facts->boot,
		.loader = boot_loader_of(&facts->boot),
		.state_dir = config->state_dir,
		.left = left };
	struct edits record;
	int status;

	/* The record's own leftover first: it may be all that a killed run has written. */
	sweep(&job);
	status = edits_read(root, config->state_dir, &record, err);
	if (status == 0)
		status = remove_all(&job, &record, err);
	sweep(&job);
	edits_free(&record);
	saved_files_free(&job.saved);
	if (status < 0)
		error_prefix(err, status, "cannot take the kernel arguments out of the next boot");
	return status;
}
