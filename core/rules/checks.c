/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of all checks, in the order in which a reader meets them. */
#include "core/rules/checks.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/rules/checks_parts.h"
#include "core/rules/checks_table.h"

/* LIVE: needs the running machine. VITAL: see checks.h. */
#define LIVE  .needs_live = true
#define VITAL .vital = true
/* See enum check_hibernate. */
#define MENDS	.hibernate = HIBERNATE_MENDS
#define REFUSES .hibernate = HIBERNATE_REFUSES

/* clang-format off */
const struct check checks[] = {
	/* ---- Instance ---------------------------------------------------------- */
	{ "metadata-service", GROUP_INSTANCE, "metadata service",
		"EC2 announces Spot interruptions in the instance metadata service, and only "
		"there can an instance see whether it was launched with hibernation enabled. Off "
		"EC2 nobody answers; that is no obstacle to hibernating.",
		LIVE, .evaluate = check_metadata_service },
	{ "hibernation-configured", GROUP_INSTANCE, "hibernation enabled at launch",
		"EC2 hibernates only instances that were launched with hibernation enabled. It "
		"cannot be switched on later, neither on a running nor on a stopped instance.",
		LIVE, VITAL, .evaluate = check_hibernation_configured },
	{ "instance-memory", GROUP_INSTANCE, "memory within EC2's limits",
		"EC2 hibernates Linux instances with at most 150 GiB of memory, and AWS advises "
		"at least 1 GiB for T3 and T3a.",
		LIVE, .evaluate = check_instance_memory },
	{ "instance-bare-metal", GROUP_INSTANCE, "not bare metal",
		"EC2 does not hibernate bare metal instances.",
		LIVE, .evaluate = check_instance_bare_metal },
	{ "instance-family", GROUP_INSTANCE, "instance family",
		"EC2 hibernates certain instance families. The list that ec2hib carries has a "
		"date, and families are added all the time: ask EC2 when yours is not in it.",
		LIVE, .evaluate = check_instance_family },
	{ "instance-fips", GROUP_INSTANCE, "FIPS mode",
		"In FIPS mode EC2 supports hibernation with kernel 5.10 or later.",
		LIVE, .evaluate = check_instance_fips },
	{ "auto-scaling", GROUP_INSTANCE, "Auto Scaling",
		"An Auto Scaling group takes an instance that is hibernated for unhealthy, "
		"terminates it and starts another: what was in memory is lost. Only a warm pool "
		"hibernates its instances itself.",
		LIVE, .evaluate = check_auto_scaling },
	{ "root-volume", GROUP_INSTANCE, "root file system on EBS",
		"The image is written to the root volume, which has to be an encrypted EBS "
		"volume. Instance store is lost when an instance is hibernated. From inside the "
		"instance encryption cannot be seen: aws ec2 describe-volumes tells.",
		LIVE, REFUSES, .evaluate = check_root_volume },

	/* ---- Kernel ------------------------------------------------------------ */
	{ "kernel-hibernation", GROUP_KERNEL, "the kernel can hibernate",
		"A kernel built without hibernation, in lockdown, started with nohibernate, or "
		"with a process that keeps secret memory (memfd_secret) does not offer it: "
		"/sys/power/state lacks the word disk.",
		LIVE, VITAL, REFUSES, .evaluate = check_kernel_hibernation },
	{ "hibernation-mode", GROUP_KERNEL, "power off after the image",
		"/sys/power/disk says what the kernel does once the image is written. Modes such "
		"as test_resume or suspend do not power off, and leave an image on disk that a "
		"later boot would resume.",
		LIVE, REFUSES, .evaluate = check_hibernation_mode },
	{ "hibernation-test-mode", GROUP_KERNEL, "no test mode",
		"A kernel with /sys/power/pm_test set goes through a part of the hibernation, "
		"waits 5 seconds and carries on. It is a tool for debugging that is easily left "
		"on.",
		LIVE, REFUSES, .evaluate = check_hibernation_test_mode },
	{ "command-line-forbids", GROUP_KERNEL, "allowed by the command line",
		"With nohibernate on its command line a kernel does not hibernate; with noresume "
		"the next boot does not look for the image, and what was in memory is lost.",
		VITAL, REFUSES, .evaluate = check_command_line_forbids },
	{ "lockdown", GROUP_KERNEL, "no lockdown",
		"In lockdown, which Secure Boot may switch on, the kernel refuses to hibernate: "
		"who can change the image on disk could change the kernel.",
		LIVE, REFUSES, .evaluate = check_lockdown },
	{ "resume-interface", GROUP_KERNEL, "the running kernel can be told",
		"Kernels from 4.17 take the place of a swap file in /sys/power/resume_offset. "
		"Older ones may take it through /dev/snapshot, which only Amazon's kernels heed "
		"for good.",
		LIVE, REFUSES, .evaluate = check_resume_interface },
	{ "freeze-timeout", GROUP_KERNEL, "time to freeze all tasks",
		"The kernel gives a hibernation up when it cannot freeze all tasks in time. The "
		"more memory, the longer that takes; the curve in the configuration says how "
		"long.",
		LIVE, .evaluate = check_freeze_timeout },
	{ "nvme-timeout", GROUP_KERNEL, "NVMe time limit",
		"EBS volumes are NVMe disks. While a large image is written, a volume at its "
		"limit may take long to answer; AWS advises the largest possible "
		"nvme_core.io_timeout, so that the kernel waits and does not give the disk up.",
		LIVE, .evaluate = check_nvme_timeout },
	{ "kaslr", GROUP_KERNEL, "KASLR on Ubuntu",
		"On Ubuntu 16.04 to 22.04 a kernel at a random address sometimes cannot take the "
		"image back; AWS advises to boot with nokaslr.",
		.evaluate = check_kaslr },
	{ "console", GROUP_KERNEL, "console during hibernation",
		"Without no_console_suspend the serial console, which is all that EC2 shows of a "
		"machine that hangs, is silent from the moment on in which things go wrong.",
		.evaluate = check_console },

	/* ---- Swap -------------------------------------------------------------- */
	{ "swap-file", GROUP_SWAP, "a place for the image",
		"The kernel writes the image into a swap area. It has to be a regular file or a "
		"block device: a symbolic link could be turned to something else.",
		VITAL, REFUSES, .evaluate = check_swap_file },
	{ "swap-size", GROUP_SWAP, "size of the swap area",
		"The image is at most half of memory, but what does not go into it is swapped "
		"out to the same place first. As much swap as memory is sure to suffice.",
		LIVE, VITAL, .evaluate = check_swap_size },
	{ "swap-active", GROUP_SWAP, "active swap",
		"The kernel writes the image only to a swap that is switched on.",
		LIVE, VITAL, MENDS, .evaluate = check_swap_active },
	{ "swap-header", GROUP_SWAP, "swap header",
		"The first page of a swap area says that it is one, and for which page size. "
		"Without it the area cannot be switched on and the kernel finds no place for the "
		"image.",
		VITAL, REFUSES, .evaluate = check_swap_header },
	{ "stale-image", GROUP_SWAP, "no old image",
		"A hibernation image that is still in the swap area while the machine runs will "
		"be resumed by the next boot: processes come back from the past over files that "
		"have changed since, and the file system is damaged.",
		VITAL, MENDS, .evaluate = check_stale_image },
	{ "swap-free", GROUP_SWAP, "room for an image now",
		"Pages that are swapped out take room in the area that the image needs. The "
		"image holds about as much as is in use now, file cache not counted.",
		LIVE, REFUSES, .evaluate = check_swap_free },
	{ "other-swaps", GROUP_SWAP, "no other swap",
		"systemd before 255 chooses a swap by priority and refuses when the kernel would "
		"take another; some systems refuse with more than one. What is swapped out to "
		"instance store is lost.",
		LIVE, MENDS, .evaluate = check_other_swaps },
	{ "swap-holes", GROUP_SWAP, "no holes",
		"The kernel writes to the blocks of a swap file without asking the file system, "
		"so all of them have to be there; it refuses a sparse file.",
		VITAL, REFUSES, .evaluate = check_swap_holes },
	{ "swap-copy-on-write", GROUP_SWAP, "written in place",
		"A swap file must not be copy-on-write, compressed or share blocks with a "
		"snapshot: its blocks would not stay where the kernel knows them.",
		VITAL, REFUSES, .evaluate = check_swap_copy_on_write },
	{ "swap-fragments", GROUP_SWAP, "in few pieces",
		"Each piece of the swap file is one more jump when the image is written and "
		"read, and EC2 stops an instance by force that is not off in about 20 minutes.",
		.evaluate = check_swap_fragments },
	{ "swap-permissions", GROUP_SWAP, "root's alone",
		"The image holds all of memory, keys and passwords included. Who can read the "
		"swap file reads them; who can write to it, or exchange it, becomes root at the "
		"next resume.",
		.evaluate = check_swap_permissions },
	{ "swap-medium", GROUP_SWAP, "storage that lasts",
		"Instance store and compressed memory (zram) are lost when the instance stops, "
		"and a swap that is encrypted with a new key at every boot cannot be read by the "
		"next one.",
		LIVE, REFUSES, .evaluate = check_swap_medium },
	{ "disk-space", GROUP_SWAP, "room for a swap file",
		"As long as there is no swap area that is large enough, setup has to make one: "
		"the file system needs room for it and 10 MiB to spare.",
		LIVE, .evaluate = check_disk_space },
	{ "selinux", GROUP_SWAP, "SELinux label",
		"Where SELinux enforces, services such as systemd-logind may look at a swap file "
		"only when its type is swapfile_t; otherwise they refuse to hibernate.",
		.evaluate = check_selinux },

	/* ---- Boot -------------------------------------------------------------- */
	{ "boot-loader", GROUP_BOOT, "boot loader",
		"The next boot learns from its kernel arguments where the image is. ec2hib "
		"changes them for the boot loaders that it knows; elsewhere somebody has to do "
		"it by hand.",
		VITAL, .evaluate = check_boot_loader },
	{ "resume-value", GROUP_BOOT, "resume arguments well formed",
		"resume= has to name the device that holds the file system of the swap file, in "
		"a way that can be found at boot: not the file, not /dev/root, not UUID= without "
		"an initramfs, and not an NVMe name that can change.",
		VITAL, .evaluate = check_resume_value },
	{ "resume-device-kernel", GROUP_BOOT, "resume device, running kernel",
		"The running kernel writes the image to its resume device (/sys/power/resume), "
		"or to the first active swap when it has none.",
		LIVE, VITAL, MENDS, .evaluate = check_resume_device_kernel },
	{ "resume-device-cmdline", GROUP_BOOT, "resume device, this boot",
		"Some tools look at the command line of the running kernel to see where the "
		"image goes, and believe it even when it is out of date.",
		LIVE, .evaluate = check_resume_device_cmdline },
	{ "resume-device-next-boot", GROUP_BOOT, "resume device, next boot",
		"Without the right resume= in the boot entry, the next boot does not look for "
		"the image or looks on the wrong device: it starts anew and what was in memory "
		"is lost.",
		VITAL, REFUSES, .evaluate = check_resume_device_next_boot },
	{ "resume-offset-kernel", GROUP_BOOT, "resume offset, running kernel",
		"The running kernel writes the image to the swap file that starts at its resume "
		"offset (/sys/power/resume_offset, in pages). A file that was made anew starts "
		"elsewhere.",
		LIVE, VITAL, MENDS, .evaluate = check_resume_offset_kernel },
	{ "resume-offset-cmdline", GROUP_BOOT, "resume offset, this boot",
		"Some tools look at the command line of the running kernel to see where the "
		"image goes, and believe it even when it is out of date.",
		LIVE, .evaluate = check_resume_offset_cmdline },
	{ "resume-offset-next-boot", GROUP_BOOT, "resume offset, next boot",
		"The boot entry has to say at which page of the device the swap file starts. "
		"When the file was made anew and the entry still has the old number, the image "
		"is not found.",
		VITAL, REFUSES, .evaluate = check_resume_offset_next_boot },
	{ "other-entries", GROUP_BOOT, "the other boot entries",
		"Whoever starts the hibernated machine from another entry of the boot menu loses "
		"the image when that entry does not say where it is.",
		.evaluate = check_other_entries },
	{ "kernel-version-next-boot", GROUP_BOOT, "the same kernel next time",
		"After a kernel upgrade without a reboot, the next boot runs another kernel than "
		"the one that wrote the image. arm64 refuses such an image, x86-64 may.",
		LIVE, REFUSES, .evaluate = check_kernel_version_next_boot },
	{ "initramfs-resume", GROUP_BOOT, "initramfs can resume",
		"Where the machine boots with an initramfs, that has to look for the image "
		"before it mounts the root file system. dracut leaves this out unless it is "
		"asked for.",
		VITAL, REFUSES, .evaluate = check_initramfs_resume },
	{ "initramfs-setting", GROUP_BOOT, "RESUME of initramfs-tools",
		"initramfs-tools waits for the device that its RESUME names. One that is not "
		"there delays every boot and is of no use when resume= is lost.",
		.evaluate = check_initramfs_setting },
	{ "force-partuuid", GROUP_BOOT, "boot without initramfs",
		"Ubuntu's cloud images boot without an initramfs first (GRUB_FORCE_PARTUUID). "
		"The kernel then has to find the image by itself, which it can by PARTUUID but "
		"not by UUID.",
		REFUSES, .evaluate = check_force_partuuid },
	{ "swap-at-boot", GROUP_BOOT, "switched on at boot",
		"A swap area that is not switched on at boot is gone after the next ordinary "
		"boot, and with it the place for the image.",
		.evaluate = check_swap_at_boot },
	{ "rehearsal", GROUP_BOOT, "shown in a rehearsal",
		"All other checks look at what is there. That the image fits, that every task "
		"and device stops, and that the next boot finds the image, only doing it shows; "
		"a new kernel, swap area or boot entry asks for it again.",
		LIVE, .evaluate = check_rehearsal },

	/* ---- Agents ------------------------------------------------------------ */
	{ "sleep-key", GROUP_AGENTS, "answer to the sleep button",
		"EC2 asks an On-Demand instance to hibernate by pressing its ACPI sleep button. "
		"When nothing in the instance answers with hibernation, it hangs in stopping "
		"until EC2 stops it by force, and what was in memory is lost.",
		LIVE, .evaluate = check_sleep_key },
	{ "sleep-key-double", GROUP_AGENTS, "one answer to the sleep button",
		"When two of ec2hib, acpid and systemd-logind answer the sleep button, the "
		"machine hibernates and, as soon as it is back, sleeps again.",
		LIVE, .evaluate = check_sleep_key_double },
	{ "spot-notice", GROUP_AGENTS, "reader of the Spot notice",
		"EC2 announces the hibernation of a Spot instance in the metadata service and "
		"expects something in the instance to read it and to hibernate at once.",
		LIVE, .evaluate = check_spot_notice },
	{ "old-agents", GROUP_AGENTS, "no other agent",
		"hibinit-agent and hibagent make their own swap file and change boot arguments "
		"when they start; the resume offset that ec2hib has set is wrong after that.",
		.evaluate = check_old_agents },
};
/* clang-format on */
const size_t check_count = ARRAY_SIZE(checks);

const struct check *check_find(const char *id)
{
	for (size_t i = 0; i < check_count; i++)
		if (strcmp(checks[i].id, id) == 0)
			return &checks[i];
	return NULL;
}

struct finding check_evaluate(
	const struct check *check, const struct facts *facts, const struct config *config)
{
	struct finding finding;

	if (check->needs_live && fact_is_false(&facts->live))
		finding = finding_skip("an image: only the running machine can tell");
	else
		finding = check->evaluate(facts, config);
	finding.check = check;
	return finding;
}

void finding_free(struct finding *finding)
{
	free(finding->text);
	free(finding->fix);
	*finding = (struct finding) { 0 };
}

void report_make(struct report *report, const char *const *ids, const struct facts *facts,
	const struct config *config)
{
	*report = (struct report) { memory_new(check_count, sizeof(*report->findings)), 0 };
	for (size_t i = 0; i < check_count; i++) {
		bool wanted = !ids || !*ids;

		for (const char *const *id = ids; !wanted && id && *id; id++)
			wanted = strcmp(*id, checks[i].id) == 0;
		if (wanted)
			report->findings[report->count++] =
				check_evaluate(&checks[i], facts, config);
	}
}

void report_free(struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		finding_free(&report->findings[i]);
	free(report->findings);
	*report = (struct report) { 0 };
}

bool report_is_whole(const struct report *report)
{
	return report->count == check_count;
}

const char *check_state_name(enum check_state state)
{
	static const char *const names[CHECK_STATES] = { [CHECK_FAIL] = "fail",
		[CHECK_WARN] = "warn",
		[CHECK_UNKNOWN] = "unknown",
		[CHECK_PASS] = "pass",
		[CHECK_SKIP] = "skip" };

	return names[state];
}

const char *check_group_name(enum check_group group)
{
	static const char *const names[CHECK_GROUPS] = { [GROUP_INSTANCE] = "instance",
		[GROUP_KERNEL] = "kernel",
		[GROUP_SWAP] = "swap",
		[GROUP_BOOT] = "boot",
		[GROUP_AGENTS] = "agents" };

	return names[group];
}

enum readiness readiness_of(const struct finding *findings, size_t count)
{
	enum readiness readiness = READY;

	for (size_t i = 0; i < count; i++) {
		if (findings[i].state == CHECK_FAIL)
			return NOT_READY;
		if (findings[i].state == CHECK_UNKNOWN && findings[i].check->vital)
			readiness = READINESS_UNKNOWN;
	}
	return readiness;
}
