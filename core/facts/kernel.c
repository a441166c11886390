/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/kernel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* Of "none [integrity] confidentiality" the word in brackets. */
static void lockdown_gather(struct fact_text *lockdown, const struct root *root)
{
	const char *start, *end;

	fact_read_text(lockdown, root, "/sys/kernel/security/lockdown");
	if (lockdown->is != FACT_KNOWN)
		return;
	start = strchr(lockdown->value, '[');
	end = start ? strchr(start, ']') : NULL;
	if (!end)
		fact_set_unknown(fact_of(lockdown), "/sys/kernel/security/lockdown says \"%s\"",
			lockdown->value);
	else
		fact_take_text(lockdown, text_copy_length(start + 1, (size_t)(end - start - 1)));
}

/* A kernel switch that reads as Y or N, 1 or 0. */
static void switch_gather(struct fact_flag *flag, const struct root *root, const char *path)
{
	struct fact_text text = { 0 };

	fact_read_text(&text, root, path);
	if (text.is == FACT_KNOWN)
		fact_set_flag(flag, *text.value == 'Y' || *text.value == '1');
	else if (text.is == FACT_ABSENT)
		fact_set_absent(fact_of(flag));
	else
		fact_set_unknown(fact_of(flag), "%s", text.why);
	free(text.value);
	free(text.why);
}

void kernel_gather(struct kernel_facts *kernel, const struct root *root)
{
	struct utsname name;

	fact_read_text(&kernel->release, root, "/proc/sys/kernel/osrelease");
	if (uname(&name) == 0)
		fact_set_text(&kernel->machine, name.machine);
	fact_set_number(&kernel->page_size, (uint64_t)sysconf(_SC_PAGESIZE));
	fact_read_text(&kernel->command_line, root, "/proc/cmdline");
	fact_read_text(&kernel->power_state, root, "/sys/power/state");
	fact_read_text(&kernel->power_disk, root, "/sys/power/disk");
	fact_read_text(&kernel->resume_device, root, "/sys/power/resume");
	/* Without a sysfs, as in a bare chroot, nobody can tell; one always has this folder. */
	if (kernel->power_state.is == FACT_ABSENT && !root_exists(root, "/sys/devices"))
		fact_set_unknown(fact_of(&kernel->power_state), "/sys is not mounted");
	fact_read_number(&kernel->resume_offset, root, "/sys/power/resume_offset");
	fact_read_number(&kernel->image_size, root, "/sys/power/image_size");
	fact_read_number(&kernel->freeze_timeout, root, "/sys/power/pm_freeze_timeout");
	fact_read_text(&kernel->pm_test, root, "/sys/power/pm_test");
	fact_set_flag(&kernel->snapshot_device, root_exists(root, "/dev/snapshot"));
	lockdown_gather(&kernel->lockdown, root);
	switch_gather(&kernel->fips, root, "/proc/sys/crypto/fips_enabled");
	fact_read_number(
		&kernel->nvme_io_timeout, root, "/sys/module/nvme_core/parameters/io_timeout");
	switch_gather(&kernel->workqueue_power_efficient, root,
		"/sys/module/workqueue/parameters/power_efficient");
}
