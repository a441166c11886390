/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/at_boot.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/at_boot.h"
#include "core/facts/fstab.h"

/* The file's text, "" when there is none. */
static int read_fstab(const struct root *root, char **text, struct error *err)
{
	int status = root_read_text(root, FSTAB_PATH, FSTAB_LIMIT, text, err);

	if (status != -ENOENT)
		return status;
	*text = text_copy("");
	return 0;
}

int swap_at_boot_set(const struct root *root, const struct area_facts *area, struct error *err)
{
	memory_cleanup_free char *text = NULL, *wanted = NULL;
	int status = read_fstab(root, &text, err);

	if (status < 0)
		return status;
	wanted = fstab_with(text, root, area);
	if (strcmp(wanted, text) == 0)
		return 0;
	return root_replace(root, FSTAB_PATH, wanted, 0644, err);
}

int swap_at_boot_clear(const struct root *root, struct error *err)
{
	memory_cleanup_free char *text = NULL, *wanted = NULL;
	int status = read_fstab(root, &text, err);

	if (status < 0)
		return status;
	wanted = fstab_without(text);
	if (strcmp(wanted, text) == 0)
		return 0;
	if (!*wanted)
		return root_remove(root, FSTAB_PATH, err);
	return root_replace(root, FSTAB_PATH, wanted, 0644, err);
}

int freeze_timeout_at_boot_set(const struct root *root, uint64_t timeout, struct error *err)
{
	memory_cleanup_free char *text =
		text_format("# made by ec2hib setup; ec2hib teardown removes it (tmpfiles.d(5))\n"
			    "w /sys/power/pm_freeze_timeout - - - - %" PRIu64 "\n",
			timeout);
	int status = root_make_directory(root, "/etc/tmpfiles.d", err);

	return status < 0 ? status : root_replace(root, TMPFILES_PATH, text, 0644, err);
}

int freeze_timeout_at_boot_clear(const struct root *root, struct error *err)
{
	return root_remove(root, TMPFILES_PATH, err);
}
