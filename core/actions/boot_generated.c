/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Boot loaders whose grub.cfg grub-mkconfig makes from settings that are shell: Debian and Ubuntu,
 * where a drop-in of ours is read after all others, and Amazon Linux 2 and SUSE, where there is one
 * file of settings and a marked block at its end is ours.
 *
 * The settings change first, then grub.cfg is made under another name, looked at, and renamed into
 * place: grub-mkconfig itself writes over the old file (cat new > old), which a power cut would
 * leave torn. Going back, the settings stay in place without effect until grub.cfg is made, so that
 * a teardown that was cut short is seen and done again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/actions/boot_backend.h"
#include "core/actions/boot_own.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot.h"
#include "core/facts/boot_text.h"
#include "core/rules/arguments.h"

/* Stands in place of our settings until grub.cfg is made without them. */
#define GOING_AWAY "# Being taken away: run \"ec2hib teardown\" again.\n"

/* The begin of the block when the line before it had no newline at its end. */
#define OPEN_END " after a line without an end"

/*
 * A piece of sh that takes stale arguments out of the settings and appends the wanted ones to
 * GRUB_CMDLINE_LINUX, which every entry gets; GRUB_CMDLINE_LINUX_DEFAULT would leave out the
 * recovery entries, and a recovery boot over a hibernated system destroys its file systems. The
 * lines are indented for the sake of tools that edit lines beginning with GRUB_.
 */
static char *shell_piece(const struct strings *wanted)
{
	static const char *const names[] = { "GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT",
		"GRUB_CMDLINE_LINUX_RECOVERY" };
	memory_cleanup_free char *line = strings_join(wanted, " "), *keys = NULL;
	memory_cleanup_free char *value = arguments_get(line, "resume");
	char *piece = NULL;

	for (const char *const *key = arguments_keys; *key; key++)
		text_append(&keys, "%s%s", keys ? "|" : "", *key);
	text_append(&piece,
		"# The next boot finds the hibernated system by these kernel arguments.\n"
		"ec2hib_clean() {\n"
		"\tprintf '%%s\\n' \" $1 \" | sed -E -e ':again' \\\n"
		"\t\t-e 's/[[:space:]](%s)(=[^[:space:]]*)?[[:space:]]/ /' \\\n"
		"\t\t-e 't again' -e 's/^ //' -e 's/ $//'\n"
		"}\n",
		keys);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		text_append(&piece,
			"if [ \"${%s+set}\" ]; then\n"
			"\t%s=\"$(ec2hib_clean \"$%s\")\"\n"
			"fi\n",
			names[i], names[i], names[i]);
	text_append(&piece,
		"\tGRUB_CMDLINE_LINUX=\"${GRUB_CMDLINE_LINUX:+$GRUB_CMDLINE_LINUX }%s\"\n"
		"unset -f ec2hib_clean\n",
		line);
	if (resume_value_needs_initramfs(value))
		text_append(&piece,
			"# Only an initramfs can find %s: do not boot without one.\n"
			"\tGRUB_FORCE_PARTUUID=\n",
			value);
	return piece;
}

/* A file of settings: as it is, and as it should be. */
struct settings {
	const char *path;
	char *old;  /* NULL: there is no such file */
	char *with; /* with our arguments */
	char *idle; /* ours is there, without effect */
	char *bare; /* without ours; NULL: the file goes */
};

static void settings_free(struct settings *settings)
{
	free(settings->old);
	free(settings->with);
	free(settings->idle);
	free(settings->bare);
}

/* Makes the file hold TEXT; NULL: our drop-in goes. */
static int settings_put(const struct root *root, const struct settings *settings, const char *text,
	struct error *err)
{
	if (strcmp(settings->path, BOOT_DROPIN) == 0)
		return own_file_put(root, settings->path, text, err);
	return root_replace(root, settings->path, text, 0644, err);
}

/* The name under which grub.cfg is made; the caller frees it. */
static char *draft_path(const char *config)
{
	return text_format("%s.ec2hib-new", config);
}

/* Removes what this run, or one that was killed, has left beside its files. */
static void sweep(const struct boot_job *job, const char *settings)
{
	memory_cleanup_free char *draft = NULL, *draft_of_draft = NULL;
	struct error ignored = { "" };

	own_leftover_remove(job->root, settings);
	if (!job->boot->config.value)
		return;
	own_leftover_remove(job->root, job->boot->config.value);
	draft = draft_path(job->boot->config.value);
	draft_of_draft = text_format("%s.new", draft); /* grub-mkconfig's own */
	root_remove(job->root, draft, &ignored);
	root_remove(job->root, draft_of_draft, &ignored);
}

/* Whether the machine can boot from a new grub.cfg, and what is WANTED (or NULL) is in it. */
static int look_at(const struct boot_job *job, const char *text, struct error *err)
{
	memory_cleanup_free char *path = boot_environment_path(job->root), *choice = NULL;
	memory_cleanup_free char *environment = NULL;
	struct facts *facts = memory_new(1, sizeof(*facts));
	const struct entry_facts *next;
	struct error ignored = { "" };
	int status = 0;

	if (path)
		root_read(job->root, path, BOOT_TEXT_LIMIT, &environment, NULL, &ignored);
	boot_grub_parse(&facts->boot, text, environment,
		job->root->live && root_exists(job->root, "/sys/firmware/efi"), &choice);
	next = facts_next_entry(facts);
	if (!next) {
		status = error_set(err, EIO, "the new grub.cfg has no entry to boot");
	} else {
		memory_cleanup_free char *kernel = boot_real_path(job->root, next->kernel.value);

		if (!kernel)
			status = error_set(err, EIO,
				"the new grub.cfg would boot %s, which is not there",
				next->kernel.value);
		else if (job->wanted && !arguments_complete(next->arguments.value, job->wanted))
			status = error_set(err, EIO,
				"the new grub.cfg boots %s with \"%s\": something overrides the settings",
				next->kernel.value, next->arguments.value);
	}
	facts_free(facts);
	free(facts);
	return status;
}

/* Makes grub.cfg from the settings as they are now. It changes at once or not at all. */
static int generate(const struct boot_job *job, struct error *err)
{
	const struct root *root = job->root;
	const char *config = job->boot->config.value;
	memory_cleanup_free char *program = NULL, *draft = NULL, *text = NULL;
	int status;

	if (!config)
		return error_set(err, ENOENT, "there is no grub.cfg");
	draft = draft_path(config);
	program = process_find(root, "grub-mkconfig");
	if (!program)
		program = text_copy("grub2-mkconfig");
	status = process_run(root, (const char *const[]) { program, "-o", draft, NULL },
		GENERATOR_TIMEOUT_MS, NULL, err);
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
	memory_cleanup_free char *line = strings_join(job->wanted, " ");
	memory_cleanup_free char *value = arguments_get(line, "resume");

	for (size_t i = 0; i < boot->entries.count; i++)
		if (fact_is_true(&boot->entries.items[i].is_default) &&
			boot->entries.items[i].initramfs.is == FACT_ABSENT &&
			resume_value_needs_initramfs(value) &&
			boot->force_partuuid.is == FACT_KNOWN)
			return false;
	return arguments_in_entries(boot, job->wanted);
}

static int apply(
	const struct boot_job *job, struct settings *settings, bool *changed, struct error *err)
{
	bool ours_there = settings->old && !text_equal(settings->old, settings->bare);
	bool same = text_equal(settings->old, settings->with);
	int status = 0;

	sweep(job, settings->path);
	if (is_done(job) && (same || !ours_there))
		return 0;
	*changed = true;
	if (!same)
		status = settings_put(job->root, settings, settings->with, err);
	if (status == 0)
		status = generate(job, err);
	if (status < 0 && !same) {
		struct error ignored = { "" };

		settings_put(job->root, settings, settings->old, &ignored);
	}
	sweep(job, settings->path);
	return status;
}

static int take_away(
	const struct boot_job *job, struct settings *settings, bool *changed, struct error *err)
{
	bool generated = fact_text_is(&job->boot->loader, LOADER_GRUB_DEBIAN) ||
			 fact_text_is(&job->boot->loader, LOADER_GRUB2);
	int status;

	*changed = true;
	status = settings_put(job->root, settings, settings->idle, err);
	/* Otherwise the machine has another boot loader by now, and these settings are unused. */
	if (status == 0 && generated)
		status = generate(job, err);
	if (status < 0) {
		struct error ignored = { "" };

		settings_put(job->root, settings, settings->old, &ignored);
	} else {
		status = settings_put(job->root, settings, settings->bare, err);
	}
	sweep(job, settings->path);
	return status;
}

int boot_dropin_apply(const struct boot_job *job, bool *changed, struct error *err)
{
	struct settings settings = { .path = BOOT_DROPIN };
	memory_cleanup_free char *piece = shell_piece(job->wanted);
	int status = own_file_read(job->root, settings.path, &settings.old, err);

	settings.with = text_format("# Made by ec2hib; \"ec2hib teardown\" removes it.\n%s", piece);
	if (status == 0)
		status = apply(job, &settings, changed, err);
	settings_free(&settings);
	return status;
}

int boot_dropin_remove(const struct boot_job *job, bool *changed, struct error *err)
{
	struct settings settings = { .path = BOOT_DROPIN };
	int status = own_file_read(job->root, settings.path, &settings.old, err);

	settings.idle = text_copy("# Made by ec2hib.\n" GOING_AWAY);
	if (status == 0 && settings.old)
		status = take_away(job, &settings, changed, err);
	else
		sweep(job, settings.path);
	settings_free(&settings);
	return status;
}

/* The line of TEXT that begins with MARK, or NULL. */
static const char *find_mark(const char *text, const char *mark)
{
	const char *found = text;

	while ((found = strstr(found, mark))) {
		if (found == text || found[-1] == '\n')
			return found;
		found++;
	}
	return NULL;
}

/*
 * Fills bare, with and idle from old. -EINVAL when only a part of the block is left: what belongs
 * to it cannot be told then.
 */
static int block_read(const struct boot_job *job, struct settings *settings, struct error *err)
{
	int status =
		root_read_text(job->root, settings->path, BOOT_TEXT_LIMIT, &settings->old, err);
	memory_cleanup_free char *piece = job->wanted ? shell_piece(job->wanted) : NULL;
	const char *old = settings->old ? settings->old : "";
	const char *begin, *end;
	size_t length;
	bool open_end;

	if (status == -ENOENT || status == -ENOTDIR)
		status = 0; /* a machine without such settings */
	if (status < 0)
		return status;
	begin = find_mark(old, BOOT_BLOCK_BEGIN);
	end = find_mark(begin ? begin : old, BOOT_BLOCK_END);
	if (!begin != !end)
		return error_set(err, EINVAL,
			"%s%s has \"%s\" without \"%s\" or the reverse; mend it by hand",
			job->root->path, settings->path, BOOT_BLOCK_BEGIN, BOOT_BLOCK_END);
	length = begin ? (size_t)(begin - old) : strlen(old);
	open_end = begin ? text_starts(begin, BOOT_BLOCK_BEGIN OPEN_END)
			 : length && old[length - 1] != '\n';
	if (end) {
		end += strcspn(end, "\n");
		end += *end == '\n';
	}
	/* Without the newline that closed the last line for us, unless lines were added since. */
	if (end && open_end && length && !*end)
		length--;
	settings->bare = text_format("%.*s%s", (int)length, old, end ? end : "");
	settings->with = text_format("%s%s" BOOT_BLOCK_BEGIN "%s\n%s" BOOT_BLOCK_END "\n",
		settings->bare, open_end ? "\n" : "", open_end ? OPEN_END : "", piece ? piece : "");
	settings->idle = text_format("%s%s" BOOT_BLOCK_BEGIN "%s\n" GOING_AWAY BOOT_BLOCK_END "\n",
		settings->bare, open_end ? "\n" : "", open_end ? OPEN_END : "");
	return 0;
}

int boot_block_apply(const struct boot_job *job, bool *changed, struct error *err)
{
	struct settings settings = { .path = BOOT_DEFAULTS };
	int status = block_read(job, &settings, err);

	if (status == 0)
		status = apply(job, &settings, changed, err);
	settings_free(&settings);
	return status;
}

int boot_block_remove(const struct boot_job *job, bool *changed, struct error *err)
{
	struct settings settings = { .path = BOOT_DEFAULTS };
	int status = block_read(job, &settings, err);

	if (status == 0 && !text_equal(settings.old ? settings.old : "", settings.bare))
		status = take_away(job, &settings, changed, err);
	else
		sweep(job, settings.path);
	settings_free(&settings);
	return status;
}
