/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/actions/boot_products.h"
#include "core/actions/edits.h"
#include "core/actions/own_file.h"
#include "core/actions/saved_files.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "core/facts/boot_grub.h"
#include "core/facts/boot_text.h"
#include "core/rules/arguments.h"
#include "core/rules/boot_sides.h"
#include "core/rules/source_text.h"

/* One job: what is there, what is wanted, and what was done. */
struct boot_job {
	const struct root *root;
	const struct boot_facts *boot;
	const struct boot_loader *loader; /* that boots this machine, NULL: not known */
	const char *state_dir;
	const struct boot_wanted *wanted; /* NULL when arguments are removed */
	struct strings *left;		  /* what the administrator has to see to; may be NULL */
	bool left_over;		  /* what boots has ours, and what it is made from no longer has */
	struct saved_files saved; /* all that may change, as it was */
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

/* ---- Lines in other people's files ---- */
/*
 * Every changed line is recorded first, so that the way back restores its bytes. All entries of
 * this system change, rescue entries too: a rescue boot that does not resume would run over a
 * hibernated system.
 */

/* True when the file is an entry, but not one that starts this system. */
static bool is_of_another(const struct boot_job *job, const struct boot_source *source)
{
	for (size_t i = 0; i < job->boot->entries.count; i++) {
		const struct entry_facts *entry = &job->boot->entries.items[i];

		if (fact_text_is(&entry->id, source->id) &&
			entry_is_of_this_system(job->boot, entry))
			return false;
	}
	return true;
}

/* Adds the edits that make TEXT, which FILE holds, into CHANGED: lines, and one more at its end. */
static void add_edits(struct edits *edits, const char *file, const char *text, const char *changed)
{
	struct line old = { 0 }, new = { 0 };

	while (line_next(&changed, &new)) {
		memory_cleanup_free char *after = text_copy_length(new.start, new.length);
		memory_cleanup_free char *before = NULL;
		bool there = line_next(&text, &old);

		before = there ? text_copy_length(old.start, old.length) : text_copy("");
		edits_add(edits, file, there ? old.number : 0, before, after);
	}
}

/* The text of a source as it is, or as it is once the settings are written. NULL: no file. */
static int read_source(const struct boot_job *job, const struct boot_settings *settings,
	const struct boot_source *source, char **text, struct error *err)
{
	const char *own = job->loader->settings_file;
	int status;

	*text = NULL;
	if (settings->with && own && strcmp(own, source->file) == 0) {
		*text = text_copy(settings->with);
		return 0;
	}
	status = root_read_text(job->root, source->file, BOOT_TEXT_LIMIT, text, err);
	return status == -ENOENT || status == -ENOTDIR ? 0 : status;
}

static int compare_source(const struct boot_job *job, const struct boot_settings *settings,
	const struct boot_source *source, struct edits *edits, struct error *err)
{
	memory_cleanup_free char *text = NULL, *changed = NULL;
	int status;

	if (source->copy || (source->id && is_of_another(job, source)))
		return 0;
	status = read_source(job, settings, source, &text, err);
	if (status < 0)
		return status;
	if (text)
		changed = source_text_set(source, job->boot, text, job->wanted->arguments);
	else if (source->initial && arguments_are_of_this_system(job->boot, source->initial))
		changed = arguments_replace(source->initial, job->wanted->arguments);
	if (changed)
		add_edits(edits, source->file, text ? text : "", changed);
	return 0;
}

/* What has to change in the sources, once the settings are written. */
static int compare_sources(const struct boot_job *job, const struct boot_settings *settings,
	struct edits *edits, struct error *err)
{
	struct boot_sources sources = { 0 };
	int status = 0;

	if (job->loader->sources)
		job->loader->sources(job->root, job->boot, &sources);
	for (size_t i = 0; status == 0 && i < sources.count; i++)
		status = compare_source(job, settings, &sources.items[i], edits, err);
	boot_sources_free(&sources);
	return status;
}

/* Adds TEXT, a line or a file that holds arguments of ours, to OURS as a command line. */
static void add_ours(struct strings *ours, const char *text)
{
	char *line = text_copy(text);

	for (char *at = line; *at; at++)
		if (strchr("\"'}", *at))
			*at = ' ';
	strings_take(ours, line);
}

/* Takes our arguments out of lines that have no edit: entries of kernels installed since. */
static int clean_file(const struct boot_job *job, const struct boot_source *source,
	const struct strings *ours, struct error *err)
{
	memory_cleanup_free char *text = NULL, *cleaned = NULL;
	int status = root_read_text(job->root, source->file, BOOT_TEXT_LIMIT, &text, err);

	if (status == -ENOENT || status == -ENOTDIR)
		return 0;
	if (status < 0)
		return status;
	cleaned = source_text_clean(source, text, ours);
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
		loader->sources(job->root, job->boot, &sources);
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

#define KERNEL_CMDLINE "/etc/kernel/cmdline"

/*
 * kernel-install of RHEL and Fedora takes an /etc/kernel/cmdline that is older than
 * /etc/default/grub for one that has to be made anew from there (grub2's 20-grub.install): what
 * only the former has would be lost because of us.
 */
static bool cmdline_is_newer(const struct root *root)
{
	struct stat cmdline, defaults;

	if (root_stat(root, KERNEL_CMDLINE, &cmdline) < 0 ||
		root_stat(root, GRUB_DEFAULTS, &defaults) < 0)
		return false;
	if (cmdline.st_mtim.tv_sec != defaults.st_mtim.tv_sec)
		return cmdline.st_mtim.tv_sec > defaults.st_mtim.tv_sec;
	return cmdline.st_mtim.tv_nsec >= defaults.st_mtim.tv_nsec;
}

/* Makes it the newer one again. */
static void cmdline_touch(const struct root *root)
{
	struct error ignored = { "" };
	file_cleanup_close int fd = -1;

	if (!root_exists(root, KERNEL_CMDLINE) || cmdline_is_newer(root))
		return;
	fd = root_openat(root, KERNEL_CMDLINE, O_WRONLY | O_NONBLOCK, 0, &ignored);
	if (fd >= 0)
		futimens(fd, NULL);
}

static int apply(struct boot_job *job, const struct boot_settings *settings, struct edits *edits,
	struct error *err)
{
	bool newer = cmdline_is_newer(job->root);
	int status = save_all(job, err);

	if (status < 0)
		return status;
	if (!text_equal(settings->old, settings->with))
		status = settings_write(job, job->loader, settings->with, err);
	if (status == 0 && edits->count)
		status = edits_record(job->root, job->state_dir, edits, err);
	if (status == 0)
		status = edits_make(job->root, edits, err);
	if (status == 0)
		status = make_products(job, err);
	if (status < 0)
		put_back(job);
	if (newer)
		cmdline_touch(job->root);
	sweep(job);
	boot_flush(job->root, job->boot);
	return status;
}

/* What boots has all that is wanted, and an initramfs if that needs one. */
static bool result_fits(const struct boot_job *job)
{
	const struct boot_facts *boot = job->boot;

	for (size_t i = 0; i < boot->entries.count; i++)
		if (fact_is_true(&boot->entries.items[i].is_default) &&
			boot->entries.items[i].initramfs.is == FACT_ABSENT &&
			job->wanted->needs_initramfs && boot->force_partuuid.is == FACT_KNOWN)
			return false;
	return arguments_in_entries(boot, job->wanted->arguments);
}

/* Ours are as they should be, or somebody else's say all that is wanted. */
static bool settings_fit(const struct boot_job *job, const struct boot_settings *settings)
{
	if (text_equal(settings->old, settings->with))
		return true;
	return !settings_are_ours(settings) && job->boot->settings.is == FACT_KNOWN &&
	       arguments_complete(job->boot->settings.value, job->wanted->arguments) &&
	       result_fits(job);
}

static int set_all(struct boot_job *job, struct error *err)
{
	struct boot_settings settings = { 0 };
	struct edits edits = { 0 };
	int status = 0;

	sweep(job);
	if (job->loader->settings)
		status = settings_read(job, job->loader, &settings, err);
	if (status == 0)
		status = compare_sources(job, &settings, &edits, err);
	if (status == 0 && (edits.count || !settings_fit(job, &settings) ||
				   (job->loader->generator && !result_fits(job))))
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
static int clean_copies(const struct boot_job *job, const struct strings *ours, struct error *err)
{
	struct boot_sources sources = { 0 };
	int status = 0;

	for (const struct boot_loader *const *at = boot_loaders; *at; at++)
		if ((*at)->sources)
			(*at)->sources(job->root, job->boot, &sources);
	for (size_t i = 0; status == 0 && i < sources.count; i++)
		status = clean_file(job, &sources.items[i], ours, err);
	boot_sources_free(&sources);
	return status;
}

/* All command lines that we may have written. */
static int list_ours(const struct boot_job *job, const struct edits *record, struct strings *ours,
	struct error *err)
{
	int status = 0;

	/* What the line had before us is not ours. */
	for (size_t i = 0; i < record->count; i++) {
		strings_cleanup struct strings before = { 0 };

		add_ours(&before, record->items[i].before);
		add_ours(ours, record->items[i].after);
		if (source_line_is_ours(ours->items[ours->count - 1], &before))
			*ours->items[ours->count - 1] = '\0';
	}
	for (const struct boot_loader *const *at = boot_loaders; status == 0 && *at; at++) {
		struct boot_settings settings = { 0 };

		if (!(*at)->settings)
			continue;
		status = settings_read(job, *at, &settings, err);
		if (status == 0 && settings_are_ours(&settings))
			add_ours(ours, settings.old);
		boot_settings_free(&settings);
	}
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
	strings_cleanup struct strings ours = { 0 };
	bool found = record->count > 0 || job->left_over, newer = cmdline_is_newer(job->root);
	int status = save_all(job, err);

	if (status == 0)
		status = list_ours(job, record, &ours, err);
	if (status < 0)
		return status;
	status = edits_undo_lines(job->root, record, err);
	if (status == 0)
		status = clean_copies(job, &ours, err);
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
	if (newer)
		cmdline_touch(job->root);
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
	strings_cleanup struct strings wanted = { 0 };
	struct edits record;
	int status;

	job.left_over = arguments_wanted(facts, &wanted) && boot_sides_left_over(job.boot, &wanted);

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
