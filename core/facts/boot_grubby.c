/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entry files with grubby(8), which changes them: Amazon Linux 2023, RHEL 8 and later, Fedora.
 * Versions of grubby differ in what they touch, so every line is looked at afterwards.
 */
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_bls.h"

static bool boots(const struct boot_search *search)
{
	memory_cleanup_free char *grubby = process_find(search->root, "grubby");

	return grubby && boot_bls_boots(search);
}

/* Removing goes before adding, so that stale values go even where there are two. */
static void setter(const struct boot_wanted *wanted, struct strings *program)
{
	memory_cleanup_free char *line = strings_join(wanted->arguments, " "), *keys = NULL;

	for (const char *const *key = wanted->keys; *key; key++)
		text_append(&keys, "%s%s", keys ? " " : "", *key);
	strings_add(program, "grubby");
	strings_add(program, "--update-kernel=ALL");
	strings_take(program, text_format("--remove-args=%s", keys));
	strings_take(program, text_format("--args=%s", line));
}

const struct boot_loader boot_loader_grubby = {
	.name = "grubby",
	.where = "with grubby",
	.boots = boots,
	.gather = boot_bls_gather,
	.sources = boot_bls_sources,
	.setter = setter,
};
