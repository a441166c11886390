/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a boot loader's back end is; private to core/actions/boot*.c. */
#ifndef EC2HIB_ACTIONS_BOOT_BACKEND_H
#define EC2HIB_ACTIONS_BOOT_BACKEND_H

#include "core/base/files.h"
#include "core/facts/facts.h"

/* A generator looks at every kernel and disk; on a slow machine this takes a minute. */
#define GENERATOR_TIMEOUT_MS (10 * 60 * 1000)

/* One job: what is there, what is wanted, and where to say what was left. */
struct boot_job {
	const struct root *root;
	const struct boot_facts *boot;
	const char *state_dir;
	const struct strings *wanted; /* NULL when arguments are removed */
	struct strings *left;
};

/*
 * A back end. Both functions change nothing when nothing is to be done, and set *CHANGED when they
 * did something, also before a failure.
 */
struct boot_backend {
	const char *loader;
	const char *describe;
	const char *describe_remove;
	int (*apply)(const struct boot_job *job, bool *changed, struct error *err);
	int (*remove)(const struct boot_job *job, bool *changed, struct error *err);
};

int boot_dropin_apply(const struct boot_job *job, bool *changed, struct error *err);
int boot_dropin_remove(const struct boot_job *job, bool *changed, struct error *err);
int boot_block_apply(const struct boot_job *job, bool *changed, struct error *err);
int boot_block_remove(const struct boot_job *job, bool *changed, struct error *err);
int boot_grubby_apply(const struct boot_job *job, bool *changed, struct error *err);
int boot_entries_apply(const struct boot_job *job, bool *changed, struct error *err);
int boot_entries_remove(const struct boot_job *job, bool *changed, struct error *err);

#endif
