/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/actions/edits.h"
#include "core/actions/own_file.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot.h"
#include "core/facts/boot_text.h"
#include "core/rules/arguments.h"

/* A generator looks at every kernel and disk; on a slow machine this takes a minute. */
#define PROGRAM_TIMEOUT_MS (10 * 60 * 1000)

/* One job: what is there, what is wanted, and what was done. */
struct boot_job {
	const struct root *root;
	const struct boot_facts *boot;
	const struct boot_loader *loader; /* that boots this machine, NULL: not known */
	const char *state_dir;
	const struct boot_wanted *wanted; /* NULL when arguments are removed */
	struct strings *left;		  /* what the administrator has to see to; may be NULL */
	bool changed;
};

/* Runs PROGRAM, a name and its arguments, to which the NULL is added that ends them. */
static int run(const struct root *root, struct strings *program, struct error *err)
{
	strings_take(program, NULL);
	return process_run(
		root, (const char *const *)program->items, PROGRAM_TIMEOUT_MS, NULL, err);
}

/* ---- Settings that are made into a configuration ---- */
/*
 * The settings change first, then the configuration is made under another name, looked at, and
 * renamed into place: grub-mkconfig itself writes over the old file (cat new > old), which a power
 * cut would leave torn. Going back, the settings stay in place without effect until the
 * configuration is made, so that a teardown that was cut short is seen and done again.
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

/* The name under which the configuration is made; the caller frees it. */
static char *draft_path(const char *config)
{
	return text_format("%s.ec2hib-new", config);
}

/* Removes what this run, or one that was killed, has left beside its files. */
static void sweep(const struct boot_job *job, const struct boot_loader *loader)
{
	memory_cleanup_free char *draft = NULL, *draft_of_draft = NULL;
	struct error ignored = { "" };

	own_leftover_remove(job->root, loader->settings_file);
	if (!job->boot->config.value)
		return;
	own_leftover_remove(job->root, job->boot->config.value);
	draft = draft_path(job->boot->config.value);
	draft_of_draft = text_format("%s.new", draft); /* grub-mkconfig's own */
	root_remove(job->root, draft, &ignored);
	root_remove(job->root, draft_of_draft, &ignored);
}

/* Whether the machine can boot from a new configuration TEXT, and what is wanted is in it. */
static int look_at(const struct boot_job *job, const char *text, struct error *err)
{
	struct facts *facts = memory_new(1, sizeof(*facts));
	struct boot_search search;
	const struct entry_facts *next;
	int status = 0;

	boot_search_begin(&search, job->root, &facts->boot);
	text_set(&search.config_text, text_copy(text));
	job->loader->gather(&search);
	boot_search_end(&search);
	next = facts_next_entry(facts);
	if (!next) {
		status = error_set(err, EIO, "the new grub.cfg has no entry to boot");
	} else {
		memory_cleanup_free char *kernel = boot_real_path(job->root, next->kernel.value);

		if (!kernel)
			status = error_set(err, EIO,
				"the new grub.cfg would boot %s, which is not there",
				next->kernel.value);
		else if (job->wanted &&
			 !arguments_complete(next->arguments.value, job->wanted->arguments))
			status = error_set(err, EIO,
				"the new grub.cfg boots %s with \"%s\": something overrides the settings",
				next->kernel.value, next->arguments.value);
	}
	facts_free(facts);
	free(facts);
	return status;
}

/* Makes the configuration from the settings as they are now. It changes at once or not at all. */
static int generate(const struct boot_job *job, struct error *err)
{
	const struct root *root = job->root;
	const char *config = job->boot->config.value;
	memory_cleanup_free char *draft = NULL, *text = NULL;
	strings_cleanup struct strings program = { 0 };
	int status;

	if (!config)
		return error_set(err, ENOENT, "there is no grub.cfg");
	draft = draft_path(config);
	job->loader->generator(root, draft, &program);
	status = run(root, &program, err);
	if (status == 0)
		status = root_read_text(root, draft, BOOT_TEXT_LIMIT, &text, err);
	if (status == 0)
		status = look_at(job, text, err);
	if (status == 0)
		status = root_replace(root, config, text, 0600, err);
	return status;
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

static int settings_apply(
	struct boot_job *job, const struct boot_settings *settings, struct error *err)
{
	const struct boot_loader *loader = job->loader;
	bool same = text_equal(settings->old, settings->with);
	int status = 0;

	sweep(job, loader);
	if (is_done(job) && (same || !settings_are_ours(settings)))
		return 0;
	job->changed = true;
	if (!same)
		status = settings_write(job, loader, settings->with, err);
	if (status == 0)
		status = generate(job, err);
	if (status < 0 && !same) {
		struct error ignored = { "" };

		settings_write(job, loader, settings->old, &ignored);
	}
	sweep(job, loader);
	return status;
}

static int settings_set(struct boot_job *job, struct error *err)
{
	struct boot_settings settings = { 0 };
	int status = settings_read(job, job->loader, &settings, err);

	if (status == 0)
		status = settings_apply(job, &settings, err);
	boot_settings_free(&settings);
	return status;
}

static int settings_take_back(struct boot_job *job, const struct boot_loader *loader,
	const struct boot_settings *settings, struct error *err)
{
	int status;

	job->changed = true;
	status = settings_write(job, loader, settings->idle, err);
	/* Otherwise the machine has another boot loader by now, and these settings are unused. */
	if (status == 0 && job->loader && job->loader->generator)
		status = generate(job, err);
	if (status < 0) {
		struct error ignored = { "" };

		settings_write(job, loader, settings->old, &ignored);
		return status;
	}
	return settings_write(job, loader, settings->bare, err);
}

static int settings_remove(
	struct boot_job *job, const struct boot_loader *loader, struct error *err)
{
	struct boot_settings settings = { 0 };
	int status = settings_read(job, loader, &settings, err);

	if (status == 0 && settings_are_ours(&settings))
		status = settings_take_back(job, loader, &settings, err);
	sweep(job, loader);
	boot_settings_free(&settings);
	return status;
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

static void compare_sources(const struct boot_job *job, struct edits *edits)
{
	struct boot_sources sources = { 0 };

	job->loader->sources(job->root, &sources);
	for (size_t i = 0; i < sources.count; i++) {
		memory_cleanup_free char *text = NULL;
		struct error ignored = { "" };

		if (root_read(job->root, sources.items[i].file, BOOT_TEXT_LIMIT, &text, NULL,
			    &ignored) == 0)
			compare_text(&sources.items[i], text, job->wanted->arguments, edits);
	}
	boot_sources_free(&sources);
}

/*
 * Records, changes, and puts everything back after a failure. What the loader's program did not
 * change, or changed into something else, is changed here.
 */
static int lines_set(struct boot_job *job, struct error *err)
{
	struct edits edits = { 0 };
	int status = 0;

	compare_sources(job, &edits);
	if (edits.count) {
		strings_cleanup struct strings program = { 0 };

		job->changed = true;
		status = edits_record(job->root, job->state_dir, &edits, err);
		if (job->loader->setter)
			job->loader->setter(job->wanted, &program);
		if (status == 0 && program.count)
			status = run(job->root, &program, err);
		if (status == 0)
			status = edits_make(job->root, &edits, err);
		if (status < 0) {
			struct error ignored = { "" };

			edits_undo(job->root, job->state_dir, &edits, NULL, &ignored);
		}
	}
	edits_free(&edits);
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

/* Of all loaders: the machine may have changed its loader since. */
static int lines_remove(struct boot_job *job, struct error *err)
{
	struct boot_sources sources = { 0 };
	struct edits record;
	int status = edits_read(job->root, job->state_dir, &record, err);

	if (record.count) {
		job->changed = true;
		for (const struct boot_loader *const *at = boot_loaders; *at; at++)
			if ((*at)->sources)
				(*at)->sources(job->root, &sources);
		for (size_t i = 0; status == 0 && i < sources.count; i++)
			status = clean_file(job, &sources.items[i], &record, err);
		if (status == 0)
			status = edits_undo(job->root, job->state_dir, NULL, job->left, err);
	}
	boot_sources_free(&sources);
	edits_free(&record);
	return status;
}

/* ---- There and back ---- */

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
	status = job.loader->settings ? settings_set(&job, err) : lines_set(&job, err);
	if (job.changed)
		boot_flush(root, &facts->boot);
	if (status < 0)
		error_prefix(err, status, "cannot set the kernel arguments of the next boot");
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
	int status;

	/* The record's own leftover first: it may be all that a killed run has written. */
	edits_sweep(root, config->state_dir);
	status = lines_remove(&job, err);
	/* All of them: the machine may have changed its boot loader since. */
	for (const struct boot_loader *const *at = boot_loaders; status == 0 && *at; at++)
		if ((*at)->settings)
			status = settings_remove(&job, *at, err);
	if (job.changed)
		boot_flush(root, &facts->boot);
	if (status < 0)
		error_prefix(err, status, "cannot take the kernel arguments out of the next boot");
	return status;
}
