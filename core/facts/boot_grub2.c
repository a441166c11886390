/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GRUB 2 with one file of settings, from which grub2-mkconfig makes grub.cfg: Amazon Linux 2, SUSE.
 * Other programs read and write this file as well (YaST, Puppet, by Augeas' lenses): it gets plain
 * assignments only. A marked block of shell code is what version 0.1.0 has written; it goes.
 */
#include <errno.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_grub.h"

#define BLOCK_BEGIN "# begin ec2hib"
#define BLOCK_END   "# end ec2hib"

/* The begin of the block when the line before it had no newline at its end. */
#define OPEN_END " after a line without an end"

static bool boots(const struct boot_search *search)
{
	memory_cleanup_free char *mkconfig = process_find(search->root, "grub-mkconfig");
	memory_cleanup_free char *mkconfig2 = process_find(search->root, "grub2-mkconfig");

	return (mkconfig || mkconfig2) && boot_grub_is_generated(search);
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

/* When only a part of the block is left, what belongs to it cannot be told. */
static int settings(
	struct boot_settings *settings, const struct boot_wanted *wanted, struct error *err)
{
	const char *old = settings->old ? settings->old : "";
	const char *begin = find_mark(old, BLOCK_BEGIN);
	const char *end = find_mark(begin ? begin : old, BLOCK_END);
	const char *newline, *mark;
	size_t length;
	bool open_end;

	if (!begin != !end)
		return error_set(err, EINVAL,
			"\"" BLOCK_BEGIN "\" and \"" BLOCK_END
			"\" do not pair in it: correct that by hand");
	length = begin ? (size_t)(begin - old) : strlen(old);
	open_end = begin ? text_starts(begin, BLOCK_BEGIN OPEN_END)
			 : length && old[length - 1] != '\n';
	if (end) {
		end += strcspn(end, "\n");
		end += *end == '\n';
	}
	/* Without the newline that closed the last line for us, unless lines were added since. */
	if (end && open_end && length && !*end)
		length--;
	newline = open_end ? "\n" : "";
	mark = open_end ? BLOCK_BEGIN OPEN_END : BLOCK_BEGIN;
	settings->bare = text_format("%.*s%s", (int)length, old, end ? end : "");
	if (wanted)
		settings->with = settings->old ? text_copy(settings->bare) : NULL;
	settings->idle = text_format(
		"%s%s%s\n" GRUB_GOING_AWAY BLOCK_END "\n", settings->bare, newline, mark);
	return 0;
}

static void sources(
	const struct root *root, const struct boot_facts *boot UNUSED, struct boot_sources *sources)
{
	boot_sources_add(sources, text_copy(GRUB_DEFAULTS), "")->shell = true;
	boot_grub_add_copies(root, sources);
}

static void gather_settings(struct boot_search *search)
{
	boot_grub_gather_settings(search, false);
}

const struct boot_loader boot_loader_grub2 = {
	.name = "grub2",
	.where = GRUB_DEFAULTS ", then grub2-mkconfig",
	.program = &boot_program_grub,
	.boots = boots,
	.gather = boot_grub_gather,
	.sources = sources,
	.settings_file = GRUB_DEFAULTS,
	.settings_mark = BLOCK_BEGIN,
	.settings = settings,
	.gather_settings = gather_settings,
	.generator = boot_grub_generator,
};
