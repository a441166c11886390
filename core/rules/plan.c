/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/curve.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/agents.h"
#include "core/facts/area.h"
#include "core/facts/boot.h"
#include "core/facts/device.h"
#include "core/facts/sleep_answers.h"
#include "core/rules/arguments.h"
#include "core/rules/boot_sides.h"
#include "core/rules/size.h"
#include "core/rules/storage.h"
#include "core/rules/swap_at_boot.h"

static const char *const step_ids[] = {
	[STEP_REMEMBER_AREA] = "remember-area",
	[STEP_CLEAN_IMAGE] = "clean-image",
	[STEP_SWEEP_SWAP] = "sweep-swap",
	[STEP_REMOVE_SWAP] = "remove-swap",
	[STEP_CREATE_SUBVOLUME] = "create-subvolume",
	[STEP_CREATE_SWAP] = "create-swap",
	[STEP_PROTECT_SWAP] = "protect-swap",
	[STEP_LABEL_SWAP] = "label-swap",
	[STEP_FORMAT_SWAP] = "format-swap",
	[STEP_SWAP_ON] = "swap-on",
	[STEP_REMEMBER_SWAP_ON] = "remember-swap-on",
	[STEP_SWAP_OFF] = "swap-off",
	[STEP_SWAP_AT_BOOT] = "swap-at-boot",
	[STEP_BOOT_ARGUMENTS] = "boot-arguments",
	[STEP_INITRAMFS] = "initramfs",
	[STEP_KERNEL_RESUME] = "kernel-resume",
	[STEP_FREEZE_TIMEOUT] = "freeze-timeout",
	[STEP_FREEZE_AT_BOOT] = "freeze-timeout-at-boot",
	[STEP_SERVICE] = "service",
	[STEP_TAKE_OVER] = "take-over",
	[STEP_SLEEP_KEY] = "sleep-key",
	[STEP_PREWARM] = "prewarm",
	[STEP_UNDO_SERVICE] = "undo-service",
	[STEP_UNDO_SLEEP_KEY] = "undo-sleep-key",
	[STEP_UNDO_BOOT_ARGUMENTS] = "undo-boot-arguments",
	[STEP_UNDO_INITRAMFS] = "undo-initramfs",
	[STEP_UNDO_SWAP_AT_BOOT] = "undo-swap-at-boot",
	[STEP_UNDO_FREEZE_AT_BOOT] = "undo-freeze-timeout-at-boot",
	[STEP_UNDO_KERNEL_RESUME] = "undo-kernel-resume",
	[STEP_UNDO_SWAP] = "undo-swap",
	[STEP_UNDO_REMEMBER_AREA] = "undo-remember-area",
	[STEP_UNDO_REMEMBER_SWAP_ON] = "undo-remember-swap-on",
	[STEP_UNDO_TAKE_OVER] = "undo-take-over",
};

static void __attribute__((format(printf, 4, 5)))
add_step(struct plan *plan, enum step_kind kind, uint64_t value, const char *format, ...)
{
	struct step *step;
	va_list arguments;

	plan->steps = memory_grow(plan->steps, plan->count, sizeof(*plan->steps));
	step = &plan->steps[plan->count++];
	va_start(arguments, format);
	*step = (struct step) { kind, value, step_ids[kind], text_format_list(format, arguments) };
	va_end(arguments);
}

static void __attribute__((format(printf, 2, 3)))
add_note(struct plan *plan, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	strings_take(&plan->notes, text_format_list(format, arguments));
	va_end(arguments);
}

/* Known to be missing: setup has not ended well before it is done. */
static void plan_by_hand(struct plan *plan, const char *words)
{
	strings_add(&plan->by_hand, words);
	plan->incomplete = true;
}

bool step_is_vital(const struct step *step)
{
	return step->kind <= STEP_KERNEL_RESUME && step->kind != STEP_SWAP_AT_BOOT &&
	       step->kind != STEP_REMEMBER_SWAP_ON && step->kind != STEP_SWAP_OFF;
}

bool step_rests_on(const struct step *step, const struct step *failed)
{
	/* The swap area comes first, and the way back has its order. */
	if (failed->kind < STEP_SWAP_AT_BOOT || failed->kind >= STEP_UNDO_SERVICE)
		return true;
	/* Who answers EC2 until now goes on as long as we cannot. */
	return step->kind == STEP_TAKE_OVER ||
	       (step->kind == STEP_SLEEP_KEY && failed->kind == STEP_SERVICE);
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->steps[i].text);
	free(plan->steps);
	strings_free(&plan->notes);
	report_free(&plan->gate);
	strings_free(&plan->by_hand);
	*plan = (struct plan) { 0 };
}

/* ---- The swap area ---- */

/*
 * An image in a running machine is stale: the boot that it was for did not take it. -EBUSY for one
 * in an image of a machine.
 */
static int plan_old_image(struct plan *plan, const struct facts *facts, struct error *err)
{
	const struct area_facts *area = &facts->area;

	if (!fact_text_is(&area->signature, SIGNATURE_IMAGE))
		return 0;
	if (!fact_is_true(&facts->live))
		return error_set(err, EBUSY,
			"%s holds a hibernation image: the machine that this image belongs to is hibernated; start it before you change it",
			area->path.value);
	add_step(plan, STEP_CLEAN_IMAGE, 0,
		"make %s plain swap again: it holds the image of an earlier hibernation that a later boot would resume",
		area->path.value);
	return 0;
}

/* What an interrupted setup left; in front of the steps that need the room. */
static void plan_sweep_area(struct plan *plan, const struct area_facts *area)
{
	memory_cleanup_free char *size = NULL;

	if (area->unfinished.is != FACT_KNOWN)
		return;
	size = size_format(area->unfinished.value);
	add_step(plan, STEP_SWEEP_SWAP, 0, "remove what an interrupted setup left beside %s (%s)",
		area->path.value, size);
}

/*
 * On btrfs a swap file that is switched on keeps its subvolume from being snapshotted: a new one is
 * made in a subvolume of its own where its folder is not there yet.
 */
static void plan_subvolume(struct plan *plan, const struct area_facts *area)
{
	memory_cleanup_free char *folder = path_folder(area->path.value);
	const char *below = fact_text_or(&area->subvolume, "the file system");

	if (!fact_text_is(&area->filesystem, "btrfs"))
		return;
	if (area->folder.is == FACT_ABSENT)
		add_step(plan, STEP_CREATE_SUBVOLUME, 0,
			"make the btrfs subvolume %s for the swap file alone: snapshots go on working",
			folder);
	else if (fact_is_true(&area->subvolume_shared))
		add_note(plan,
			"no snapshot of %s can be taken while %s is switched on; a swap file in a folder that is not there yet gets a subvolume of its own: ec2hib setup --swapfile " SUGGESTED_SUBVOLUME_FILE,
			below, area->path.value);
}

/* Whose file it is that will be used, where nobody has named it. */
static void note_adopted(struct plan *plan, const struct area_facts *area)
{
	if (area_is_adopted(area))
		add_note(plan, "%s is used, a swap file that is there already (%s) and will do",
			area->path.value,
			fact_text_is(&area->chosen, CHOSEN_FSTAB) ? "/etc/fstab" : "switched on");
}

static void plan_new_file(
	struct plan *plan, const struct facts *facts, const struct swap_size *size)
{
	const char *path = facts->area.path.value;

	if (size->decision == SIZE_REPLACE && size->remove_first)
		add_step(plan, STEP_REMOVE_SWAP, 0, "switch %s off and remove it: %s", path,
			size->why);
	else if (size->decision == SIZE_REPLACE)
		add_step(plan, STEP_REMOVE_SWAP, 1, "switch %s off: %s", path, size->why);
	plan_subvolume(plan, &facts->area);
	add_step(plan, STEP_CREATE_SWAP, size->bytes, "make the swap file %s: %s", path, size->why);
}

/* An area is formatted or replaced only where nothing is known to be in it. */
static int check_content(const struct area_facts *area, struct error *err)
{
	bool device = fact_text_is(&area->kind, "device");
	const struct device_facts *below = area->devices.count ? area->devices.items : NULL;

	if (!device && !fact_text_is(&area->kind, "file"))
		return 0;
	if (!device && area->signature.is == FACT_UNKNOWN)
		return error_set(err, ENODATA,
			"cannot use %s as swap: what it holds is not known: %s", area->path.value,
			area->signature.why ? area->signature.why : "it was not read");
	if (!device && fact_text_is(&area->signature, SIGNATURE_OTHER))
		return error_set(err, EEXIST,
			"cannot use %s as swap: it is a file with something else in it; if that is not needed, remove it first",
			area->path.value);
	if (!device || (!fact_text_is(&area->signature, SIGNATURE_NONE) &&
			       !fact_text_is(&area->signature, SIGNATURE_OTHER)))
		return 0;
	if (fact_text_is(&area->signature, SIGNATURE_NONE) && below &&
		below->holds.is == FACT_ABSENT)
		return 0;
	return error_set(err, EEXIST,
		"cannot use %s as swap: it holds %s; if nothing on it is needed, run mkswap %s first",
		area->path.value,
		below ? fact_text_or(&below->holds, "something that is not swap")
		      : "something that is not swap",
		area->path.value);
}

/* Nothing is begun that ends with an image that nobody can read. */
static int check_storage(const struct facts *facts, struct error *err)
{
	obstacle_cleanup struct obstacle obstacle = { 0 };

	if (!storage_refuses_file(facts, &obstacle) && !storage_loses_image(facts, &obstacle))
		return 0;
	return error_set(
		err, EMEDIUMTYPE, "nothing is set up: %s; %s", obstacle.text, obstacle.fix);
}

/*
 * The area is opened, formatted and switched on by its path: only root may change where that leads.
 */
static int check_folder(const struct area_facts *area, struct error *err)
{
	if (area->untrusted_folder.is != FACT_KNOWN)
		return 0;
	return error_set(err, EPERM, "cannot %s %s: %s",
		area->kind.is == FACT_KNOWN ? "use" : "create", area->path.value,
		area->untrusted_folder.value);
}

/* What is wrong with an area that will do. */
static void plan_present_area(struct plan *plan, const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	bool file = fact_text_is(&area->kind, "file");

	if (file && ((area->mode.is == FACT_KNOWN && area->mode.value != 0600) ||
			    (area->owner.is == FACT_KNOWN && area->owner.value != 0)))
		add_step(plan, STEP_PROTECT_SWAP, 0, "make %s readable for root only (0600)",
			area->path.value);
	if (file && !fact_text_is(&facts->system.selinux, "disabled") &&
		area->selinux_label.is != FACT_UNKNOWN && facts->system.selinux.is == FACT_KNOWN &&
		(area->selinux_label.is == FACT_ABSENT ||
			!strstr(area->selinux_label.value, ":swapfile_t:")))
		add_step(plan, STEP_LABEL_SWAP, 0, "give %s the SELinux type swapfile_t",
			area->path.value);
	if (fact_text_is(&area->signature, SIGNATURE_NONE))
		add_step(plan, STEP_FORMAT_SWAP, 0, "format %s as swap", area->path.value);
}

static void plan_remember_area(struct plan *plan, const struct facts *facts)
{
	memory_cleanup_free char *name = area_stable_name(&facts->area);
	const struct fact_text *before = &facts->area.remembered;

	if (fact_text_is(before, name))
		return;
	if (before->is == FACT_KNOWN)
		add_note(plan,
			"%s, the swap area until now, stays as it is; if it is not needed, switch it off and remove it",
			before->value);
	add_step(plan, STEP_REMEMBER_AREA, 0, "remember that %s is the swap area", name);
}

/* The same that the check swap-size will say of it. */
static void note_small_area(
	struct plan *plan, const struct facts *facts, const struct swap_size *size)
{
	const struct fact_number *memory = &facts->memory.total;
	memory_cleanup_free char *have = NULL, *total = NULL;

	if (memory->is != FACT_KNOWN || size->bytes >= memory->value / 2)
		return;
	have = size_format(size->bytes);
	total = size_format(memory->value);
	add_note(plan,
		"%s of swap for %s of memory: the image can be half of memory and would not fit",
		have, total);
}

/* By fstab; a system that makes its fstab from elsewhere would drop our line. */
static void plan_fstab(struct plan *plan, const struct facts *facts, const char *how)
{
	const struct boot_loader *loader = boot_loader_of(&facts->boot);
	const struct boot_manual *manual = loader ? loader->manual : NULL;
	const char *path = facts->area.path.value;
	memory_cleanup_free char *words = NULL;

	if (!manual || !manual->swap_before) {
		add_step(plan, STEP_SWAP_AT_BOOT, 0, "switch %s on at every boot (%s)", path, how);
		return;
	}
	words = text_format("%s%s%s", manual->swap_before, path, manual->swap_after);
	plan_by_hand(plan, words);
}

static void plan_swap_at_boot(struct plan *plan, const struct facts *facts)
{
	const char *path = facts->area.path.value;
	memory_cleanup_free char *why = NULL, *fix = NULL;

	switch (swap_at_boot(facts, &why, &fix)) {
	case AT_BOOT_FSTAB:
	case AT_BOOT_UNIT:
		return;
	case AT_BOOT_NOAUTO:
		plan_fstab(plan, facts, "/etc/fstab has it with noauto, which is taken out");
		return;
	case AT_BOOT_BLOCKED:
		add_note(plan,
			"%s is in /etc/fstab, but an ordinary boot does not switch it on: %s", path,
			why);
		return;
	case AT_BOOT_NOTHING:
		plan_fstab(plan, facts, "/etc/fstab");
		return;
	case AT_BOOT_UNKNOWN:
		add_note(plan, "/etc/fstab is left alone: %s", why);
	}
}

/* What is not known is tried: the step says what is wrong before the swap area goes. */
static bool may_be_ours(const struct fact_flag *ours)
{
	return ours->is == FACT_UNKNOWN || fact_is_true(ours);
}

/* Off, and not switched on at boot: hibernation switches it on for its time. */
static void plan_swap_off(struct plan *plan, const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	const char *path = area->path.value;
	struct error held = { "" };

	if (fact_text_is(&area->swap_on_why, "kubelet"))
		add_note(plan,
			"kubelet is installed (%s) and does not start while a swap is on: %s is switched on only around a hibernation; to have it on for good: ec2hib setup --swap-on always",
			fact_text_or(&facts->system.kubelet, "?"), path);
	if (may_be_ours(&facts->boot.our_fstab_entry))
		add_step(plan, STEP_UNDO_SWAP_AT_BOOT, 0, "take what is ours out of /etc/fstab");
	else if (fact_is_true(&facts->boot.fstab_entry))
		add_note(plan,
			"/etc/fstab switches %s on at every boot: give that line noauto, for it is meant to be on only around a hibernation",
			path);
	if (!fact_is_true(&area->active))
		return;
	if (swap_off_fits(path, fact_number_or(&area->used, 0), &facts->memory, &held) < 0)
		add_note(plan, "%s stays on for now: %s", path, held.text);
	else
		add_step(plan, STEP_SWAP_OFF, 0, "switch %s off until a hibernation", path);
}

/* When it is on, as far as it is not so yet. */
static void plan_swap_on(struct plan *plan, const struct facts *facts,
	const struct setup_request *request, bool new_file)
{
	const struct area_facts *area = &facts->area;

	if (request->swap_on_given && area->swap_on.is == FACT_KNOWN &&
		!fact_text_is(&area->swap_on_remembered, area->swap_on.value))
		add_step(plan, STEP_REMEMBER_SWAP_ON, 0, "remember that %s is on %s",
			area->path.value,
			swap_only_for_hibernation(area) ? "only around a hibernation" : "always");
	if (swap_only_for_hibernation(area)) {
		plan_swap_off(plan, facts);
		return;
	}
	if (fact_is_true(&facts->live) && (new_file || !fact_is_true(&area->active)))
		add_step(plan, STEP_SWAP_ON, 0, "switch %s on", area->path.value);
	plan_swap_at_boot(plan, facts);
}

static int plan_area(struct plan *plan, const struct facts *facts, const struct config *config,
	const struct setup_request *request, bool *new_file, struct error *err)
{
	const struct area_facts *area = &facts->area;
	struct swap_size size = { 0 };
	int status = plan_old_image(plan, facts, err);

	if (status == 0)
		status = check_storage(facts, err);
	if (status == 0)
		status = check_folder(area, err);
	if (status == 0)
		status = check_content(area, err);
	if (status == 0)
		status = swap_size_decide(facts, config, request->size, &size, err);
	if (status < 0)
		return status;
	*new_file = size.decision != SIZE_KEEP;
	plan_sweep_area(plan, area);
	if (*new_file)
		plan_new_file(plan, facts, &size);
	else
		plan_present_area(plan, facts);
	note_adopted(plan, area);
	note_small_area(plan, facts, &size);
	swap_size_free(&size);
	plan_swap_on(plan, facts, request, *new_file);
	return 0;
}

/* ---- The next boot ---- */

/* Where the boot arguments are written, in words. */
static const char *loader_files(const struct facts *facts)
{
	const struct boot_loader *loader = boot_loader_of(&facts->boot);

	return loader && loader->where ? loader->where : "no known boot loader";
}

/* Of an area that is still to be made: where it will lie, nobody knows yet. */
static bool wanted_arguments(const struct facts *facts, bool new_file, struct strings *wanted)
{
	if (!new_file)
		return arguments_wanted(facts, wanted);
	if (facts->area.resume_argument.is != FACT_KNOWN)
		return false;
	strings_take(wanted, text_format("resume=%s", facts->area.resume_argument.value));
	strings_add(wanted, "resume_offset=(where the file will lie)");
	strings_add(wanted, "no_console_suspend=1");
	return true;
}

/* What setup cannot do: the words to type, unless the running kernel shows that somebody did. */
static void plan_boot_by_hand(
	struct plan *plan, const struct facts *facts, const struct strings *wanted, bool new_file)
{
	const struct boot_facts *boot = &facts->boot;
	memory_cleanup_free char *words = arguments_by_hand(facts, wanted);

	if (boot->loader.is == FACT_ABSENT) {
		strings_take(&plan->by_hand,
			text_format("no boot loader configuration was found; %s", words));
		return;
	}
	if (boot->unmounted.is != FACT_KNOWN && !new_file && !facts_next_entry(facts) &&
		arguments_of_this_boot(facts, wanted))
		return;
	if (boot->loader.is == FACT_UNKNOWN)
		add_note(plan, "the boot configuration is left alone: %s",
			boot->loader.why ? boot->loader.why : "the loader is not known");
	plan_by_hand(plan, words);
}

static void plan_boot_arguments(struct plan *plan, const struct facts *facts,
	const struct config *config, const struct setup_request *request, bool new_file)
{
	const struct boot_loader *loader = boot_loader_of(&facts->boot);
	strings_cleanup struct strings wanted = { 0 };
	memory_cleanup_free char *arguments = NULL;

	if (!wanted_arguments(facts, new_file, &wanted)) {
		add_note(plan, "boot arguments are left alone: %s",
			facts->area.resume_argument.why ? facts->area.resume_argument.why
							: "the resume device is not known");
		return;
	}
	if (!new_file && loader && !boot_sides_lack(&facts->boot, &wanted))
		return;
	arguments = strings_join(&wanted, " ");
	if (request->keep_boot_config || config->boot_config == CHOICE_NO)
		add_note(plan, "the boot configuration is left alone as asked; it needs: %s",
			arguments);
	else if (!loader || loader->manual)
		plan_boot_by_hand(plan, facts, &wanted, new_file);
	else {
		if (facts->boot.unmounted.is == FACT_UNKNOWN && facts->boot.unmounted.why)
			add_note(plan, "%s", facts->boot.unmounted.why);
		add_step(plan, STEP_BOOT_ARGUMENTS, 0, "boot arguments %s (%s)", arguments,
			loader_files(facts));
	}
}

/* Why the initramfs of the next boot cannot be made anew here; NULL: it can. */
static const char *initramfs_obstacle(const struct facts *facts)
{
	const struct boot_loader *loader = boot_loader_of(&facts->boot);
	const struct entry_facts *next = facts_next_entry(facts);

	if (!next)
		return "which entry boots next is not known";
	if (next->initramfs.is != FACT_KNOWN)
		return "which initramfs boots next is not known";
	if (text_equal(next->initramfs.value, next->kernel.value) &&
		!(loader && loader->gather_product))
		return "it is a part of the kernel's file, which another tool makes";
	if (next->release.is != FACT_KNOWN)
		return next->release.why ? next->release.why
					 : "which kernel boots next is not known";
	return NULL;
}

static void plan_initramfs(
	struct plan *plan, const struct facts *facts, const struct setup_request *request)
{
	const struct boot_loader *loader = boot_loader_of(&facts->boot);
	const struct entry_facts *next = facts_next_entry(facts);
	const char *obstacle = initramfs_obstacle(facts);

	if (facts->boot.initramfs_tool.is != FACT_KNOWN || initramfs_is_set_up(facts))
		return;
	if (request->keep_initramfs)
		add_note(plan,
			"the initramfs is left alone as asked; without resume support in it the next boot finds no image");
	else if (loader && loader->manual && loader->manual->initramfs)
		plan_by_hand(plan, loader->manual->initramfs);
	else if (initramfs_can_resume(facts))
		add_step(plan, STEP_INITRAMFS, 0,
			"%s: resume support in every initramfs that it makes",
			facts->boot.initramfs_tool.value);
	else if (obstacle)
		add_note(plan,
			"the initramfs is left alone: %s; it needs resume support, or the next boot finds no image",
			obstacle);
	else
		add_step(plan, STEP_INITRAMFS, 0, "initramfs %s: resume support (%s)",
			next->initramfs.value, facts->boot.initramfs_tool.value);
}

/* ---- The running kernel ---- */

/* The offset that the running kernel holds: before 4.17 only its command line tells. */
static bool kernel_offset(const struct kernel_facts *kernel, uint64_t *offset)
{
	memory_cleanup_free char *value = NULL;

	*offset = kernel->resume_offset.value;
	if (kernel->resume_offset.is != FACT_ABSENT)
		return kernel->resume_offset.is == FACT_KNOWN;
	if (kernel->command_line.is == FACT_KNOWN)
		value = arguments_get(kernel->command_line.value, "resume_offset");
	*offset = 0;
	return !value || number_parse(value, offset) == 0;
}

/* True when the running kernel has this area's device and offset. */
static bool kernel_knows_area(const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	uint64_t offset;

	return area->resume_device.is == FACT_KNOWN && area->resume_offset.is == FACT_KNOWN &&
	       fact_text_is(&facts->kernel.resume_device, area->resume_device.value) &&
	       kernel_offset(&facts->kernel, &offset) && offset == area->resume_offset.value;
}

/* The wanted freeze timeout, ms; 0 when it is not known or nothing is wanted. */
static uint64_t freeze_timeout_goal(const struct facts *facts, const struct config *config)
{
	uint64_t wanted;

	if (facts->kernel.freeze_timeout.is != FACT_KNOWN || facts->memory.total.is != FACT_KNOWN ||
		!curve_timeout(config->freeze_timeout_curve, facts->memory.total.value, &wanted))
		return 0;
	return wanted;
}

static void plan_kernel(
	struct plan *plan, const struct facts *facts, const struct config *config, bool new_file)
{
	const struct kernel_facts *kernel = &facts->kernel;
	uint64_t wanted = freeze_timeout_goal(facts, config);

	if (kernel->resume_device.is == FACT_ABSENT)
		add_note(plan,
			"the running kernel is left alone: it cannot hibernate (no /sys/power/resume)");
	else if (new_file || !kernel_knows_area(facts))
		add_step(plan, STEP_KERNEL_RESUME, 0,
			"tell the running kernel where %s lies (/sys/power/resume)",
			facts->area.path.value);
	if (wanted > kernel->freeze_timeout.value)
		add_step(plan, STEP_FREEZE_TIMEOUT, wanted, "freeze timeout %llu s (is %llu s)",
			(unsigned long long)wanted / 1000,
			(unsigned long long)kernel->freeze_timeout.value / 1000);
}

static void plan_freeze_at_boot(
	struct plan *plan, const struct facts *facts, const struct config *config)
{
	uint64_t wanted = freeze_timeout_goal(facts, config);

	/* What was set for less memory is too short after a change of the instance type. */
	if (wanted > FREEZE_TIMEOUT_KERNEL_MS &&
		(!fact_is_true(&facts->boot.freeze_timeout_kept) ||
			wanted > facts->kernel.freeze_timeout.value) &&
		fact_text_is(&facts->system.init, "systemd"))
		add_step(plan, STEP_FREEZE_AT_BOOT, wanted,
			"set it again at every boot (/etc/tmpfiles.d/ec2hib.conf)");
}

/* ---- The agent: it runs, and nobody else answers EC2 in its place ---- */

static const char *const older_agents[] = { AGENT_SPOT, AGENT_ON_DEMAND };

static bool is_installed(const struct facts *facts, const char *name)
{
	const struct agent_facts *agent = agent_find(&facts->system, name);

	return agent && fact_is_true(&agent->installed);
}

static bool is_active(const struct facts *facts, const char *name)
{
	const struct agent_facts *agent = agent_find(&facts->system, name);

	return agent && (fact_is_true(&agent->enabled) || fact_is_true(&agent->running));
}

/* Who answers EC2 beside us: names for a sentence. acpid is one only as far as the button goes. */
static void others(const struct facts *facts, struct strings *names)
{
	for (size_t i = 0; i < ARRAY_SIZE(older_agents); i++)
		if (is_active(facts, older_agents[i]))
			strings_add(names, older_agents[i]);
	if (is_installed(facts, AGENT_ACPID) && facts->system.acpid_events.is == FACT_KNOWN)
		strings_take(names, text_format("acpid (" ACPID_FOLDER ": %s)",
					    facts->system.acpid_events.value));
}

static void plan_start(struct plan *plan, const struct facts *facts, const struct agent_facts *ours)
{
	bool start = fact_is_true(&facts->live) && !fact_is_true(&ours->running);
	const char *what = "start";

	if (!fact_is_true(&ours->enabled))
		what = start ? "enable and start" : "enable";
	else if (!start)
		return;
	add_step(plan, STEP_SERVICE, 0,
		"%s the agent (service " AGENT_OURS
		"), which waits for EC2's notice and its sleep button",
		what);
}

static void plan_take_over(
	struct plan *plan, const struct facts *facts, const struct setup_request *request)
{
	strings_cleanup struct strings names = { 0 };
	memory_cleanup_free char *list = NULL;
	bool unfinished = fact_is_true(&facts->system.take_over_unfinished);

	others(facts, &names);
	list = strings_join(&names, ", ");
	if (names.count && (unfinished || request->take_over))
		add_step(
			plan, STEP_TAKE_OVER, 0, "switch off who answered EC2 until now: %s", list);
	else if (unfinished)
		add_step(plan, STEP_TAKE_OVER, 0,
			"complete what an interrupted setup began to switch off");
	else if (names.count)
		add_note(plan,
			"%s would answer EC2 as well: ec2hib setup --take-over switches that off",
			list);
}

static void plan_sleep_key(struct plan *plan, const struct facts *facts)
{
	const struct system_facts *system = &facts->system;

	if (!is_installed(facts, AGENT_LOGIND))
		return;
	if (!fact_text_is(&system->logind_drop_in, DROP_IN_DONE))
		add_step(plan, STEP_SLEEP_KEY, 0,
			"systemd-logind leaves the sleep button to the agent (" LOGIND_DROP_IN ")");
	else if (system->logind_sleep_key.is == FACT_KNOWN &&
		 !fact_text_is(&system->logind_sleep_key, "ignore"))
		add_note(plan,
			"logind would answer the sleep button as well: a file that it reads after " LOGIND_DROP_IN
			" has HandleSuspendKey=%s; take that out",
			system->logind_sleep_key.value);
}

static void plan_service(
	struct plan *plan, const struct facts *facts, const struct setup_request *request)
{
	const struct agent_facts *ours = agent_find(&facts->system, AGENT_OURS);

	if (!ours || !fact_is_true(&ours->installed)) {
		add_note(plan,
			"the service " AGENT_OURS
			" is not installed, or is masked: nothing of ec2hib will wait for EC2's notice");
		if (request->take_over)
			add_note(plan, "so the older agents are left as they are");
		return;
	}
	plan_start(plan, facts, ours);
	plan_take_over(plan, facts, request);
	plan_sleep_key(plan, facts);
}

/* ---- Pre-warming ---- */

static bool on_ebs(const device_list *devices)
{
	const struct device_facts *leaf = devices_next_leaf(devices, NULL);
	bool any = leaf;

	for (; leaf; leaf = devices_next_leaf(devices, leaf))
		if (!fact_text_is(&leaf->medium, MEDIUM_EBS))
			return false;
	return any;
}

static bool has_step(const struct plan *plan, enum step_kind kind)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == kind)
			return true;
	return false;
}

/* Not by what this plan does alone: setup may have been ended just before the pre-warm. */
static bool is_cold(const struct plan *plan, const struct facts *facts)
{
	const struct fact_text *prewarmed = &facts->area.prewarmed;

	if (has_step(plan, STEP_CREATE_SWAP))
		return true; /* in other places, whatever was done before */
	if (prewarmed->is == FACT_KNOWN)
		return fact_text_is(prewarmed, PREWARMED_NEVER) ||
		       fact_text_is(prewarmed, PREWARMED_PARTLY);
	return has_step(plan, STEP_FORMAT_SWAP) || has_step(plan, STEP_SWAP_ON);
}

/* Whether there is nothing left to wait for. */
static bool is_done(const struct plan *plan, const struct facts *facts)
{
	return fact_text_is(&facts->area.prewarmed, PREWARMED_FINISHED) &&
	       !has_step(plan, STEP_CREATE_SWAP);
}

/* After all other steps, which it looks at. */
static void plan_prewarm(
	struct plan *plan, const struct facts *facts, const struct setup_request *request)
{
	enum setup_prewarm wanted = request->prewarm;

	if (wanted == SETUP_PREWARM_AUTO)
		wanted = fact_is_true(&facts->live) && on_ebs(&facts->area.devices) &&
					 is_cold(plan, facts)
				 ? SETUP_PREWARM_BACKGROUND
				 : SETUP_PREWARM_NO;
	if (wanted == SETUP_PREWARM_NO || is_done(plan, facts))
		return;
	if (!fact_is_true(&facts->live)) {
		add_note(plan,
			"nothing is pre-warmed: what is cold is the volume of the machine that will run this image");
		return;
	}
	add_step(plan, STEP_PREWARM, wanted == SETUP_PREWARM_BACKGROUND,
		"touch every block of %s%s (ec2hib prewarm)", facts->area.path.value,
		wanted == SETUP_PREWARM_BACKGROUND ? " in the background"
						   : ", which takes a while");
}

/* ---- Setup, and what hibernation catches up on ---- */

int setup_plan(struct plan *plan, const struct facts *facts, const struct config *config,
	const struct setup_request *request, struct error *err)
{
	bool new_file = false;
	int status;

	*plan = (struct plan) { 0 };
	setup_gate(&plan->gate, facts, config);
	if (plan->gate.count && !request->force)
		return error_set(err, ENOTSUP,
			"nothing is set up: this machine would not hibernate; --force sets it up all the same");
	/* What is adopted has to be found again, also when it is off or memory has grown. */
	if (request->area_given || area_is_adopted(&facts->area))
		plan_remember_area(plan, facts);
	status = plan_area(plan, facts, config, request, &new_file, err);
	if (status < 0)
		return status;
	plan_boot_arguments(plan, facts, config, request, new_file);
	plan_initramfs(plan, facts, request);
	if (fact_is_true(&facts->live)) {
		plan_kernel(plan, facts, config, new_file);
		plan_freeze_at_boot(plan, facts, config);
	} else {
		add_note(plan, "the running kernel is left alone: this is an image");
	}
	if (request->service)
		plan_service(plan, facts, request);
	plan_prewarm(plan, facts, request);
	return 0;
}

int preparation_plan(struct plan *plan, const struct facts *facts, const struct config *config,
	struct error *err)
{
	int status;

	*plan = (struct plan) { 0 };
	status = facts->area.kind.is == FACT_KNOWN ? check_folder(&facts->area, err) : 0;
	if (status == 0)
		status = plan_old_image(plan, facts, err);
	if (status < 0)
		return status;
	if (!fact_is_true(&facts->area.active))
		add_step(plan, STEP_SWAP_ON, 0, "switch %s on", facts->area.path.value);
	plan_kernel(plan, facts, config, false);
	return 0;
}

/* ---- Teardown: what of ours there is, in the order in which it has to go ---- */

static void plan_undo_service(struct plan *plan, const struct facts *facts)
{
	const struct agent_facts *ours = agent_find(&facts->system, AGENT_OURS);

	if (ours && is_active(facts, AGENT_OURS))
		add_step(plan, STEP_UNDO_SERVICE, 0, "%s the agent (service " AGENT_OURS ")",
			!fact_is_true(&ours->running)	? "disable"
			: !fact_is_true(&ours->enabled) ? "stop"
							: "stop and disable");
	if (facts->system.logind_drop_in.is == FACT_KNOWN)
		add_step(plan, STEP_UNDO_SLEEP_KEY, 0,
			"systemd-logind answers the sleep button as before (" LOGIND_DROP_IN ")");
}

static void plan_undo_take_over(struct plan *plan, const struct facts *facts)
{
	if (facts->system.taken_over.is == FACT_KNOWN)
		add_step(plan, STEP_UNDO_TAKE_OVER, 0, "switch on again what was taken over: %s",
			facts->system.taken_over.value);
}

/* grub.cfg has our arguments, and the settings that it is made from do not: not any more. */
static bool result_is_left_over(const struct facts *facts)
{
	strings_cleanup struct strings wanted = { 0 };

	return fact_text_is(&facts->area.header_label, SWAP_LABEL) &&
	       arguments_wanted(facts, &wanted) && boot_sides_left_over(&facts->boot, &wanted);
}

static void plan_undo_all(struct plan *plan, const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	bool ours = fact_text_is(&area->header_label, SWAP_LABEL);

	/* Nobody hibernates any more while the rest goes. */
	plan_undo_service(plan, facts);
	/* The next boot first: it must not look for an image in what is about to be removed. */
	if (may_be_ours(&facts->boot.our_arguments) || result_is_left_over(facts))
		add_step(plan, STEP_UNDO_BOOT_ARGUMENTS, 0, "take our boot arguments out (%s)",
			loader_files(facts));
	if (fact_is_true(&facts->boot.our_initramfs))
		add_step(plan, STEP_UNDO_INITRAMFS, 0, "take our setting out of the initramfs (%s)",
			fact_text_or(&facts->boot.initramfs_tool, "no tool"));
	if (may_be_ours(&facts->boot.our_fstab_entry))
		add_step(plan, STEP_UNDO_SWAP_AT_BOOT, 0, "take what is ours out of /etc/fstab");
	if (fact_is_true(&facts->boot.freeze_timeout_kept))
		add_step(plan, STEP_UNDO_FREEZE_AT_BOOT, 0, "remove /etc/tmpfiles.d/ec2hib.conf");
	/* A device begins at offset 0, which is what a kernel has that was told nothing. */
	if (ours && kernel_knows_area(facts) && area->resume_offset.value != 0)
		add_step(plan, STEP_UNDO_KERNEL_RESUME, 0,
			"the running kernel forgets where %s lies", area->path.value);
	plan_sweep_area(plan, area);
	if (ours && fact_text_is(&area->kind, "file"))
		add_step(plan, STEP_UNDO_SWAP, 0, "switch %s off and remove it", area->path.value);
	else if (ours && fact_text_is(&area->kind, "device") && fact_is_true(&area->active))
		add_step(plan, STEP_UNDO_SWAP, 0, "switch %s off", area->path.value);
	else if (area->kind.is == FACT_KNOWN && !ours)
		add_note(plan, "%s stays: ec2hib did not make it", area->path.value);
	if (area->remembered.is == FACT_KNOWN)
		add_step(plan, STEP_UNDO_REMEMBER_AREA, 0, "forget that %s was the swap area",
			area->remembered.value);
	if (area->swap_on_remembered.is == FACT_KNOWN)
		add_step(plan, STEP_UNDO_REMEMBER_SWAP_ON, 0,
			"forget what setup --swap-on was given");
	/* They make a swap file of their own as soon as they start. */
	plan_undo_take_over(plan, facts);
}

/* Before the agent and the boot arguments go, not halfway. */
static int refuse_what_cannot_go(const struct facts *facts, struct error *err)
{
	const struct area_facts *area = &facts->area;
	bool ours = fact_text_is(&area->header_label, SWAP_LABEL);

	if ((ours || area->unfinished.is == FACT_KNOWN) && area->untrusted_folder.is == FACT_KNOWN)
		return error_set(err, EPERM, "cannot remove %s: others could exchange it: %s",
			area->path.value, area->untrusted_folder.value);
	if (!ours || !fact_is_true(&area->active) || area->used.is != FACT_KNOWN)
		return 0;
	return swap_off_fits(area->path.value, area->used.value, &facts->memory, err);
}

int teardown_plan(struct plan *plan, const struct facts *facts, struct error *err)
{
	int status = refuse_what_cannot_go(facts, err);
	size_t count;

	*plan = (struct plan) { 0 };
	if (status < 0)
		return status;
	plan_undo_all(plan, facts);
	count = plan->count;
	/*
	 * The blocks of a file that is removed keep what they hold: where some resume= still names
	 * them, a later boot would resume the image from there. So that goes first.
	 */
	if (count)
		status = plan_old_image(plan, facts, err);
	if (plan->count > count) {
		struct step clean = plan->steps[count];

		memmove(plan->steps + 1, plan->steps, count * sizeof(*plan->steps));
		plan->steps[0] = clean;
	}
	return status;
}
