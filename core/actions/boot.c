/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/actions/boot_backend.h"
#include "core/actions/edits.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "core/rules/arguments.h"

static const struct boot_backend backends[] = {
	{ LOADER_GRUB_DEBIAN, "write " BOOT_DROPIN " and make grub.cfg anew",
		"remove " BOOT_DROPIN " and make grub.cfg anew", boot_dropin_apply,
		boot_dropin_remove },
	{ LOADER_GRUBBY, "set them with grubby in all entries and for new kernels",
		"bring back the earlier arguments of all entries and of new kernels",
		boot_grubby_apply, boot_entries_remove },
	{ LOADER_GRUB2, "add a block to " BOOT_DEFAULTS " and make grub.cfg anew",
		"take the block out of " BOOT_DEFAULTS " and make grub.cfg anew", boot_block_apply,
		boot_block_remove },
	{ LOADER_BLS, "change the options of all entries and of new kernels",
		"bring back the earlier options of all entries and of new kernels",
		boot_entries_apply, boot_entries_remove },
	{ LOADER_GRUB_LEGACY, "change the kernel lines of GRUB's menu",
		"bring back the earlier kernel lines of GRUB's menu", boot_entries_apply,
		boot_entries_remove },
};

static const struct boot_backend *find_backend(const struct boot_facts *boot)
{
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (fact_text_is(&boot->loader, backends[i].loader))
			return &backends[i];
	return NULL;
}

char *boot_arguments_describe(const struct facts *facts)
{
	const struct boot_backend *backend = find_backend(&facts->boot);

	return text_copy(
		backend ? backend->describe : "none: no boot loader that ec2hib knows was found");
}

char *boot_arguments_describe_remove(const struct facts *facts)
{
	const struct boot_backend *backend = find_backend(&facts->boot);

	return text_copy(backend ? backend->describe_remove
				 : "none: no boot loader that ec2hib knows was found");
}

int boot_arguments_set(const struct root *root, const struct facts *facts,
	const struct config *config, const struct strings *wanted, struct error *err)
{
	const struct boot_backend *backend = find_backend(&facts->boot);
	struct boot_job job = { root, &facts->boot, config->state_dir, wanted, NULL };
	memory_cleanup_free char *line = strings_join(wanted, " ");
	bool changed = false;
	int status;

	if (!wanted->count || !arguments_plain(wanted))
		return error_set(err, EINVAL, "no boot configuration can hold \"%s\"", line);
	if (!backend)
		return error_set(err, EOPNOTSUPP,
			"cannot set the kernel arguments of the next boot: %s; add \"%s\" to the kernel command line",
			facts->boot.loader.why ? facts->boot.loader.why
					       : "no known boot loader was found",
			line);
	status = backend->apply(&job, &changed, err);
	if (changed)
		boot_flush(root, &facts->boot);
	if (status < 0)
		error_prefix(err, status, "cannot set the kernel arguments of the next boot");
	return status;
}

int boot_arguments_remove(const struct root *root, const struct facts *facts,
	const struct config *config, struct strings *left, struct error *err)
{
	struct boot_job job = { root, &facts->boot, config->state_dir, NULL, left };
	bool changed = false;
	int status = 0;

	/* The record's own leftover first: it may be all that a killed run has written. */
	edits_sweep(root, config->state_dir);
	/* All of them: the machine may have changed its boot loader since. */
	for (size_t i = 0; status == 0 && i < ARRAY_SIZE(backends); i++)
		status = backends[i].remove(&job, &changed, err);
	if (changed)
		boot_flush(root, &facts->boot);
	if (status < 0)
		error_prefix(err, status, "cannot take the kernel arguments out of the next boot");
	return status;
}
