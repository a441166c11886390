/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel, the running one and the next, has to allow. */
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/curve.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/arguments.h"
#include "core/rules/checks_parts.h"
#include "core/rules/unswappable.h"
#include "core/rules/rehearsal.h"

/* AWS advises 4294967295 s for EBS; kernels before 4.15 take at most 255 s. */
#define NVME_TIMEOUT_MIN_S 255

#define KASLR_FROM "16.04"
#define KASLR_TO   "22.04"

static bool has_word(const char *text, const char *word)
{
	strings_cleanup struct strings words = { 0 };

	strings_split(&words, text, " \t\n");
	return strings_contain(&words, word);
}

static bool has_argument(const char *line, const char *name)
{
	memory_cleanup_free char *value = arguments_get(line, name);

	return value != NULL;
}

/* The command line that counts: that of the next boot, else the running kernel's. */
static const struct fact_text *coming_command_line(const struct facts *facts)
{
	const struct entry_facts *next = facts_next_entry(facts);

	if (next && next->arguments.is == FACT_KNOWN)
		return &next->arguments;
	return &facts->kernel.command_line;
}

/* kernel/power/hibernate.c: nohibernate and hibernate=no forbid it altogether. */
static const char *forbids_hibernation(const char *line)
{
	memory_cleanup_free char *value = arguments_get(line, "hibernate");

	if (has_argument(line, "nohibernate"))
		return "nohibernate";
	return value && strcmp(value, "no") == 0 ? "hibernate=no" : NULL;
}

/*
 * The same file: noresume and hibernate=noresume keep a boot from looking for the image.
 */
static const char *forbids_resume(const char *line)
{
	memory_cleanup_free char *value = arguments_get(line, "hibernate");

	if (has_argument(line, "noresume"))
		return "noresume";
	if (value && strcmp(value, "noresume") == 0)
		return "hibernate=noresume";
	return forbids_hibernation(line);
}

/* hibernation_available() of kernel/power/hibernate.c has these reasons and no others. */
static struct finding no_hibernation(const struct facts *facts, const char *seen)
{
	const struct kernel_facts *kernel = &facts->kernel;
	const char *word = kernel->command_line.is == FACT_KNOWN
				   ? forbids_hibernation(kernel->command_line.value)
				   : NULL;

	if (word)
		return finding_fail("take it out of the kernel command line and reboot",
			"the kernel does not offer hibernation (%s): %s is on its command line",
			seen, word);
	if (kernel->lockdown.is == FACT_KNOWN && strcmp(kernel->lockdown.value, "none") != 0)
		return finding_fail("switch Secure Boot off, or boot without lockdown=",
			"the kernel does not offer hibernation (%s): lockdown is %s", seen,
			kernel->lockdown.value);
	return finding_fail("stop what uses memfd_secret, or boot a kernel with CONFIG_HIBERNATION",
		"the kernel does not offer hibernation (%s): it was built without, or a process keeps secret memory (memfd_secret)",
		seen);
}

CHECK_FUNCTION(kernel_hibernation)
{
	const struct kernel_facts *kernel = &facts->kernel;
	struct finding finding;

	if (kernel->power_state.is == FACT_ABSENT)
		return no_hibernation(facts, "no /sys/power/state");
	if (finding_gap(&finding, NEED(facts->kernel.power_state)))
		return finding;
	if (!has_word(kernel->power_state.value, "disk"))
		return no_hibernation(facts, "/sys/power/state has no disk");
	if (fact_text_is(&kernel->power_disk, "[disabled]"))
		return no_hibernation(facts, "/sys/power/disk is disabled");
	return finding_pass("the kernel offers hibernation");
}

/* What else the mode test_resume would do with an image; see kernel_test_resume(). */
static char *test_resume_text(const char *before, const struct kernel_facts *kernel)
{
	static const char *const texts[] = {
		[TEST_RESUME_READS] = "would read it back at once",
		[TEST_RESUME_LEAVES] = "would leave it there for a later boot",
		[TEST_RESUME_UNKNOWN] = "may leave it there for a later boot",
	};
	const char *release = fact_text_or(&kernel->release, NULL);

	return release ? text_format("; %sLinux %s %s", before, release,
				 texts[kernel_test_resume(release)])
		       : text_copy("");
}

/* The word in brackets is what the kernel does once the image is written. */
CHECK_FUNCTION(hibernation_mode)
{
	static const char *const harmful[] = { "reboot", "suspend", "test_resume", "testproc",
		"test" };
	const char *modes = facts->kernel.power_disk.value;
	memory_cleanup_free char *test = NULL;
	struct finding finding;

	if (facts->kernel.power_disk.is == FACT_ABSENT)
		return finding_skip("the kernel does not offer hibernation");
	if (finding_gap(&finding, NEED(facts->kernel.power_disk)))
		return finding;
	for (size_t i = 0; i < ARRAY_SIZE(harmful); i++) {
		memory_cleanup_free char *chosen = text_format("[%s]", harmful[i]);
		memory_cleanup_free char *more = NULL;

		if (!strstr(modes, chosen))
			continue;
		if (strcmp(harmful[i], "test_resume") == 0)
			more = test_resume_text("", &facts->kernel);
		return finding_fail("echo shutdown > /sys/power/disk",
			"/sys/power/disk is set to %s: the machine would not stay off once the image is written%s",
			harmful[i], more ? more : "");
	}
	if (strstr(modes, "test_resume"))
		test = test_resume_text("in the mode test_resume ", &facts->kernel);
	return finding_pass("the machine powers off once the image is written%s", test ? test : "");
}

CHECK_FUNCTION(hibernation_test_mode)
{
	const struct fact_text *test = &facts->kernel.pm_test;
	struct finding finding;

	if (test->is == FACT_ABSENT)
		return finding_skip("this kernel has no test mode");
	if (finding_gap(&finding, NEED(facts->kernel.pm_test)))
		return finding;
	if (strstr(test->value, "[none]"))
		return finding_pass("no test mode is set");
	return finding_fail("echo none > /sys/power/pm_test",
		"/sys/power/pm_test is \"%s\": the kernel would only rehearse a part of the hibernation and stay up",
		test->value);
}

CHECK_FUNCTION(command_line_forbids)
{
	const struct fact_text *running = &facts->kernel.command_line;
	const struct fact_text *coming = coming_command_line(facts);
	bool live = fact_is_true(&facts->live);
	struct finding finding;
	const char *word;

	if (live && finding_gap(&finding, NEED(facts->kernel.command_line)))
		return finding;
	word = live ? forbids_hibernation(running->value) : NULL;
	if (word)
		return finding_fail("take it out of the kernel command line and reboot",
			"%s is on the command line of the running kernel: it will not hibernate",
			word);
	if (coming->is != FACT_KNOWN)
		return finding_unknown("no command line of the next boot is known");
	word = forbids_resume(coming->value);
	if (word)
		return finding_fail("take it out of the kernel command line",
			"%s is on the command line of the next boot: it would not look for the image",
			word);
	word = live ? forbids_resume(running->value) : NULL;
	if (word)
		return finding_warn("reboot",
			"%s is on the command line of the running kernel: systemd would refuse to hibernate",
			word);
	return finding_pass("the command line forbids neither hibernation nor resume");
}

CHECK_FUNCTION(lockdown)
{
	const struct fact_text *lockdown = &facts->kernel.lockdown;
	struct finding finding;

	if (lockdown->is == FACT_ABSENT || fact_text_is(lockdown, "none"))
		return finding_pass("no lockdown");
	if (finding_gap(&finding, NEED(facts->kernel.lockdown)))
		return finding;
	return finding_fail("switch Secure Boot off, or boot without lockdown=",
		"lockdown is %s: the kernel refuses to hibernate, since an image on disk could be changed",
		lockdown->value);
}

/* /sys/power/resume_offset came with Linux 4.17. */
CHECK_FUNCTION(resume_interface)
{
	const struct kernel_facts *kernel = &facts->kernel;
	struct finding finding;

	if (kernel->resume_offset.is == FACT_KNOWN)
		return finding_pass("/sys/power/resume_offset is there");
	if (fact_text_is(&facts->area.kind, "device"))
		return finding_skip("%s needs no offset", area_name(facts));
	if (kernel->resume_offset.is == FACT_UNKNOWN) {
		finding_gap(&finding, NEED(facts->kernel.resume_offset));
		return finding;
	}
	if (fact_is_true(&kernel->snapshot_device))
		return finding_warn("ec2hib setup, then reboot",
			"this kernel has no /sys/power/resume_offset: setup asks /dev/snapshot in its place, and only a reboot is sure to set the swap area");
	return finding_warn("ec2hib setup, then reboot",
		"this kernel has neither /sys/power/resume_offset nor /dev/snapshot: only a reboot sets the swap area");
}

static struct finding timeout_finding(
	const struct facts *facts, uint64_t wanted_ms, const char *memory)
{
	unsigned long long present = facts->kernel.freeze_timeout.value / 1000;
	unsigned long long wanted = wanted_ms / 1000;
	/* setup keeps it with tmpfiles.d(5), which only systemd reads. */
	const char *fix = fact_text_is(&facts->system.init, "other")
				  ? "set /sys/power/pm_freeze_timeout in a boot script"
				  : FIX_SETUP;

	if (facts->kernel.freeze_timeout.value < wanted_ms)
		return finding_warn(FIX_SETUP,
			"%llu s to freeze all tasks, %llu s wanted for %s of memory: hibernation may be given up too early",
			present, wanted, memory);
	if (wanted_ms > FREEZE_TIMEOUT_KERNEL_MS && fact_is_false(&facts->boot.freeze_timeout_kept))
		return finding_warn(fix,
			"%llu s to freeze all tasks now, but the next boot goes back to %d s",
			present, FREEZE_TIMEOUT_KERNEL_MS / 1000);
	return finding_pass("%llu s to freeze all tasks, %llu s wanted for %s of memory", present,
		wanted, memory);
}

/* An image needs as much free memory as it is large: see core/rules/unswappable.h. */
CHECK_FUNCTION(memory_unswappable)
{
	const struct memory_facts *memory = &facts->memory;
	memory_cleanup_free char *text = NULL, *fix = NULL;
	memory_cleanup_free char *stays = size_format(memory_unswappable(memory));
	memory_cleanup_free char *total = size_format(memory->total.value);
	struct finding finding;

	if (finding_gap(&finding, NEED(facts->memory.total), NEED(facts->memory.unswappable)))
		return finding;
	text = unswappable_text(memory);
	fix = unswappable_fix(memory);
	switch (image_fits_memory(memory)) {
	case IMAGE_FITS_NOT:
		return finding_fail(fix,
			"%s; an image needs as much free memory as it is large, so the kernel would give up (ENOMEM) whatever the swap",
			text);
	case IMAGE_FITS_BARELY:
		return finding_warn(fix,
			"%s; from about half of memory on the kernel gives up (ENOMEM) whatever the swap",
			text);
	default:
		return finding_pass("%s of %s of memory cannot be swapped out", stays, total);
	}
}

CHECK_FUNCTION(freeze_timeout)
{
	uint64_t memory = facts->memory.total.value, wanted;
	memory_cleanup_free char *text = size_format(memory);
	struct finding finding;

	if (facts->kernel.freeze_timeout.is == FACT_ABSENT)
		return finding_skip("this kernel has no /sys/power/pm_freeze_timeout");
	if (finding_gap(&finding, NEED(facts->kernel.freeze_timeout), NEED(facts->memory.total)))
		return finding;
	if (!curve_timeout(config->freeze_timeout_curve, memory, &wanted))
		return finding_pass(
			"%llu s to freeze all tasks; the curve has nothing for %s of memory",
			(unsigned long long)facts->kernel.freeze_timeout.value / 1000, text);
	return timeout_finding(facts, wanted, text);
}

CHECK_FUNCTION(nvme_timeout)
{
	unsigned long long timeout = facts->kernel.nvme_io_timeout.value;
	struct finding finding;

	if (facts->kernel.nvme_io_timeout.is == FACT_ABSENT)
		return finding_skip("no NVMe driver");
	if (finding_gap(&finding, NEED(facts->kernel.nvme_io_timeout)))
		return finding;
	if (timeout < NVME_TIMEOUT_MIN_S)
		return finding_warn(
			"add nvme_core.io_timeout=4294967295 to the kernel command line",
			"NVMe requests time out after %llu s: a volume that is slow under a long image write may be given up",
			timeout);
	return finding_pass("NVMe requests time out after %llu s", timeout);
}

CHECK_FUNCTION(kaslr)
{
	const struct system_facts *system = &facts->system;
	const struct fact_text *line = coming_command_line(facts);
	struct finding finding;

	if (system->id.is == FACT_ABSENT ||
		(system->id.is == FACT_KNOWN && !fact_text_is(&system->id, "ubuntu")))
		return finding_skip("only on Ubuntu");
	if (finding_gap(&finding, NEED(facts->system.id), NEED(facts->system.version)))
		return finding;
	if (version_compare(system->version.value, KASLR_FROM) < 0 ||
		version_compare(system->version.value, KASLR_TO) > 0)
		return finding_skip("only on Ubuntu " KASLR_FROM " to " KASLR_TO);
	if (line->is != FACT_KNOWN)
		return finding_unknown("no command line of the next boot is known");
	if (has_argument(line->value, "nokaslr"))
		return finding_pass("KASLR is off (nokaslr)");
	/* Cloud images set GRUB_CMDLINE_LINUX_DEFAULT again in a later file. */
	return finding_warn(
		"add nokaslr to GRUB_CMDLINE_LINUX in /etc/default/grub, run update-grub and reboot",
		"KASLR is on: AWS advises nokaslr for hibernation on Ubuntu " KASLR_FROM
		" to " KASLR_TO);
}

CHECK_FUNCTION(console)
{
	const struct fact_text *line = coming_command_line(facts);
	memory_cleanup_free char *fix = boot_fix(facts, config);

	if (line->is != FACT_KNOWN)
		return finding_unknown("no command line of the next boot is known");
	if (has_argument(line->value, "no_console_suspend"))
		return finding_pass("the console stays on (no_console_suspend)");
	return finding_warn(fix,
		"the console is silent while the machine hibernates: a failure would leave no trace on it");
}

/* ---- The table: what status, the dashboard and the manual say of each check ---- */

/* clang-format off */
static const struct check checks[] = {
	{ "kernel-hibernation", "the kernel can hibernate",
		"A kernel built without hibernation, in lockdown, started with nohibernate, or with a process that keeps secret memory (memfd_secret) does not offer it: /sys/power/state lacks the word disk.",
		LIVE, VITAL, REFUSES, GATES, .evaluate = check_kernel_hibernation },
	{ "hibernation-mode", "power off after the image",
		"/sys/power/disk says what the kernel does once the image is written. Modes such as test_resume or suspend do not power off, and leave an image on disk that a later boot would resume.",
		LIVE, REFUSES, .evaluate = check_hibernation_mode },
	{ "hibernation-test-mode", "no test mode",
		"A kernel with /sys/power/pm_test set goes through a part of the hibernation, waits 5 seconds and carries on. It is a tool for debugging that is easily left on.",
		LIVE, REFUSES, .evaluate = check_hibernation_test_mode },
	{ "command-line-forbids", "allowed by the command line",
		"With nohibernate on its command line a kernel does not hibernate; with noresume the next boot does not look for the image, and what was in memory is lost.",
		VITAL, REFUSES, GATES, .evaluate = check_command_line_forbids },
	{ "lockdown", "no lockdown",
		"In lockdown, which Secure Boot may switch on, the kernel refuses to hibernate: who can change the image on disk could change the kernel.",
		LIVE, REFUSES, GATES, .evaluate = check_lockdown },
	{ "resume-interface", "the running kernel can be told",
		"Kernels from 4.17 take the place of a swap file in /sys/power/resume_offset. Older ones may take it through /dev/snapshot, which only Amazon's kernels heed for good.",
		LIVE, REFUSES, .evaluate = check_resume_interface },
	{ "memory-unswappable", "memory that cannot go",
		"Huge pages, locked and secret memory and the kernel's own cannot be swapped out, so they are in every image; and the kernel makes an image in free memory before it writes it. With more than half of memory like that it gives up, however large the swap is.",
		LIVE, REFUSES, .evaluate = check_memory_unswappable },
	{ "freeze-timeout", "time to freeze all tasks",
		"The kernel gives a hibernation up when it cannot freeze all tasks in time. The more memory, the longer that takes; the curve in the configuration says how long.",
		LIVE, .evaluate = check_freeze_timeout },
	{ "nvme-timeout", "NVMe time limit",
		"EBS volumes are NVMe disks. While a large image is written, a volume at its limit may take long to answer; AWS advises the largest possible nvme_core.io_timeout, so that the kernel waits and does not give the disk up.",
		LIVE, .evaluate = check_nvme_timeout },
	{ "kaslr", "KASLR on Ubuntu",
		"On Ubuntu 16.04 to 22.04 a kernel at a random address sometimes cannot take the image back; AWS advises to boot with nokaslr.",
		.evaluate = check_kaslr },
	{ "console", "console during hibernation",
		"Without no_console_suspend the serial console, which is all that EC2 shows of a machine that hangs, is silent from the moment on in which things go wrong.",
		.evaluate = check_console },
};
/* clang-format on */
const struct check_group kernel_checks = { "kernel", checks, ARRAY_SIZE(checks) };
