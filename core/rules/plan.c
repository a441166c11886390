/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/area.h"
#include "core/rules/arguments.h"
#include "core/rules/freeze.h"
#include "core/rules/plan_parts.h"
#include "core/rules/size.h"

static const char *const step_ids[] = {
	[STEP_REMEMBER_AREA] = "remember-area",
	[STEP_CLEAN_IMAGE] = "clean-image",
	[STEP_SWEEP_SWAP] = "sweep-swap",
	[STEP_REMOVE_SWAP] = "remove-swap",
	[STEP_CREATE_SWAP] = "create-swap",
	[STEP_PROTECT_SWAP] = "protect-swap",
	[STEP_LABEL_SWAP] = "label-swap",
	[STEP_FORMAT_SWAP] = "format-swap",
	[STEP_SWAP_ON] = "swap-on",
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
	[STEP_UNDO_TAKE_OVER] = "undo-take-over",
};

void plan_add(struct plan *plan, enum step_kind kind, uint64_t value, char *text)
{
	struct step *step;

	plan->steps = memory_grow(plan->steps, plan->count, sizeof(*plan->steps));
	step = &plan->steps[plan->count++];
	*step = (struct step) { kind, value, step_ids[kind], text };
}

bool step_is_vital(const struct step *step)
{
	return step->kind <= STEP_KERNEL_RESUME && step->kind != STEP_SWAP_AT_BOOT;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->steps[i].text);
	free(plan->steps);
	strings_free(&plan->notes);
	*plan = (struct plan) { 0 };
}

/* ---- The swap area -------------------------------------------------------------------------- */

int plan_old_image(struct plan *plan, const struct facts *facts, struct error *err)
{
	const struct area_facts *area = &facts->area;

	if (!fact_text_is(&area->signature, SIGNATURE_IMAGE))
		return 0;
	if (!fact_is_true(&facts->live))
		return error_set(err, EBUSY,
			"%s holds a hibernation image: the machine that this image belongs to is hibernated; start it before you change it",
			area->path.value);
	plan_add(plan, STEP_CLEAN_IMAGE, 0,
		text_format(
			"make %s plain swap again: it holds the image of an earlier hibernation that a later boot would resume",
			area->path.value));
	return 0;
}

void plan_sweep_area(struct plan *plan, const struct area_facts *area)
{
	memory_cleanup_free char *size = NULL;

	if (area->unfinished.is != FACT_KNOWN)
		return;
	size = size_format(area->unfinished.value);
	plan_add(plan, STEP_SWEEP_SWAP, 0,
		text_format("remove what an interrupted setup left beside %s (%s)",
			area->path.value, size));
}

static void plan_new_file(
	struct plan *plan, const struct facts *facts, const struct swap_size *size)
{
	const char *path = facts->area.path.value;

	if (size->decision == SIZE_REPLACE && size->remove_first)
		plan_add(plan, STEP_REMOVE_SWAP, 0,
			text_format("switch %s off and remove it: %s", path, size->why));
	else if (size->decision == SIZE_REPLACE)
		plan_add(plan, STEP_REMOVE_SWAP, 1,
			text_format("switch %s off: %s", path, size->why));
	plan_add(plan, STEP_CREATE_SWAP, size->bytes,
		text_format("make the swap file %s: %s", path, size->why));
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

/* By the path of the area it is opened, formatted and switched on: nobody else may turn that. */
static int check_folder(const struct area_facts *area, struct error *err)
{
	if (area->untrusted_folder.is != FACT_KNOWN)
		return 0;
	return error_set(err, EPERM, "cannot %s %s: %s",
		area->kind.is == FACT_KNOWN ? "use" : "create", area->path.value,
		area->untrusted_folder.value);
}

/* What is wrong with an area that is kept. */
static void plan_kept_area(struct plan *plan, const struct facts *facts)
{
	const struct area_facts *area = &facts->area;
	bool file = fact_text_is(&area->kind, "file");

	if (file && ((area->mode.is == FACT_KNOWN && area->mode.value != 0600) ||
			    (area->owner.is == FACT_KNOWN && area->owner.value != 0)))
		plan_add(plan, STEP_PROTECT_SWAP, 0,
			text_format("make %s readable for root only (0600)", area->path.value));
	if (file && !fact_text_is(&facts->system.selinux, "disabled") &&
		area->selinux_label.is != FACT_UNKNOWN && facts->system.selinux.is == FACT_KNOWN &&
		(area->selinux_label.is == FACT_ABSENT ||
			!strstr(area->selinux_label.value, ":swapfile_t:")))
		plan_add(plan, STEP_LABEL_SWAP, 0,
			text_format("give %s the SELinux type swapfile_t", area->path.value));
	if (fact_text_is(&area->signature, SIGNATURE_NONE))
		plan_add(plan, STEP_FORMAT_SWAP, 0,
			text_format("format %s as swap", area->path.value));
}

static void plan_memory(struct plan *plan, const struct facts *facts)
{
	memory_cleanup_free char *name = area_stable_name(&facts->area);
	const struct fact_text *before = &facts->area.remembered;

	if (fact_text_is(before, name))
		return;
	if (before->is == FACT_KNOWN)
		strings_take(&plan->notes,
			text_format(
				"%s, the swap area until now, stays as it is; if it is not needed, switch it off and remove it",
				before->value));
	plan_add(plan, STEP_REMEMBER_AREA, 0,
		text_format("remember that %s is the swap area", name));
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
	strings_take(&plan->notes,
		text_format(
			"%s of swap for %s of memory: the image can be half of memory and would not fit",
			have, total));
}

static int plan_area(struct plan *plan, const struct facts *facts, const struct config *config,
	const struct setup_request *request, bool *new_file, struct error *err)
{
	const struct area_facts *area = &facts->area;
	struct swap_size size = { 0 };
	int status = plan_old_image(plan, facts, err);

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
		plan_kept_area(plan, facts);
	if (status == 0)
		note_small_area(plan, facts, &size);
	swap_size_free(&size);
	if (fact_is_true(&facts->live) && (*new_file || !fact_is_true(&area->active)))
		plan_add(plan, STEP_SWAP_ON, 0, text_format("switch %s on", area->path.value));
	if (!fact_is_true(&facts->boot.fstab_entry))
		plan_add(plan, STEP_SWAP_AT_BOOT, 0,
			text_format("switch %s on at every boot (/etc/fstab)", area->path.value));
	return 0;
}

/* ---- The next boot ----------------------------------------------------------------------------- */

const char *plan_loader_place(const struct facts *facts)
{
	static const struct {
		const char *loader;
		const char *place;
	} places[] = {
		{ LOADER_GRUB_DEBIAN, "/etc/default/grub.d, then update-grub" },
		{ LOADER_GRUBBY, "with grubby" },
		{ LOADER_GRUB2, "/etc/default/grub, then grub2-mkconfig" },
		{ LOADER_BLS, "in the boot entries" },
		{ LOADER_GRUB_LEGACY, "in menu.lst" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (fact_text_is(&facts->boot.loader, places[i].loader))
			return places[i].place;
	return "";
}

static void plan_boot_arguments(struct plan *plan, const struct facts *facts,
	const struct config *config, const struct setup_request *request, bool new_file)
{
	strings_cleanup struct strings wanted = { 0 };
	bool known = arguments_wanted(facts, &wanted);
	memory_cleanup_free char *arguments = strings_join(&wanted, " ");
	const char *resume = fact_text_or(&facts->area.resume_argument, "?");

	if (new_file)
		text_set(&arguments,
			text_format(
				"resume=%s resume_offset=(where the file will lie) no_console_suspend=1",
				resume));
	if (facts->area.resume_argument.is != FACT_KNOWN || (!known && !new_file)) {
		strings_take(&plan->notes, text_format("boot arguments are left alone: %s",
						   facts->area.resume_argument.why
							   ? facts->area.resume_argument.why
							   : "the resume device is not known"));
		return;
	}
	if (!new_file && facts->boot.loader.is == FACT_KNOWN &&
		arguments_in_entries(&facts->boot, &wanted))
		return;
	if (facts->boot.loader.is != FACT_KNOWN)
		strings_take(&plan->notes,
			text_format(
				"no boot loader configuration was found; add to the kernel command line yourself: %s",
				arguments));
	else if (request->keep_boot_config || config->boot_config == CHOICE_NO)
		strings_take(&plan->notes,
			text_format("the boot configuration is left alone as asked; it needs: %s",
				arguments));
	else
		plan_add(plan, STEP_BOOT_ARGUMENTS, 0,
			text_format("boot arguments %s (%s)", arguments, plan_loader_place(facts)));
}

/* Does the initramfs of the next boot still have to learn about resuming? */
static bool initramfs_lacks(const struct facts *facts)
{
	const struct boot_facts *boot = &facts->boot;

	if (boot->initramfs_tool.is != FACT_KNOWN)
		return false;
	if (!fact_is_true(&boot->initramfs_resume))
		return true;
	return fact_text_is(&boot->initramfs_tool, INITRAMFS_TOOLS) &&
	       !initramfs_setting_fits(facts);
}

static void plan_initramfs(
	struct plan *plan, const struct facts *facts, const struct setup_request *request)
{
	const struct entry_facts *next = facts_next_entry(facts);

	if (!initramfs_lacks(facts))
		return;
	if (request->keep_initramfs)
		strings_add(&plan->notes,
			"the initramfs is left alone as asked; without resume support in it the next boot finds no image");
	else
		plan_add(plan, STEP_INITRAMFS, 0,
			text_format("initramfs %s: resume support (%s)",
				next ? fact_text_or(&next->initramfs, "of the next boot")
				     : "of the next boot",
				facts->boot.initramfs_tool.value));
}

/* ---- The running kernel --------------------------------------------------------------------------- */

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

bool plan_kernel_knows_area(const struct facts *facts)
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
		!freeze_timeout_wanted(
			config->freeze_timeout_curve, facts->memory.total.value, &wanted))
		return 0;
	return wanted;
}

static void plan_kernel(
	struct plan *plan, const struct facts *facts, const struct config *config, bool new_file)
{
	const struct kernel_facts *kernel = &facts->kernel;
	uint64_t wanted = freeze_timeout_goal(facts, config);

	if (kernel->resume_device.is == FACT_ABSENT)
		strings_add(&plan->notes,
			"the running kernel is left alone: it cannot hibernate (no /sys/power/resume)");
	else if (new_file || !plan_kernel_knows_area(facts))
		plan_add(plan, STEP_KERNEL_RESUME, 0,
			text_format("tell the running kernel where %s lies (/sys/power/resume)",
				facts->area.path.value));
	if (wanted > kernel->freeze_timeout.value)
		plan_add(plan, STEP_FREEZE_TIMEOUT, wanted,
			text_format("freeze timeout %llu s (is %llu s)",
				(unsigned long long)wanted / 1000,
				(unsigned long long)kernel->freeze_timeout.value / 1000));
}

static void plan_kept_freeze_timeout(
	struct plan *plan, const struct facts *facts, const struct config *config)
{
	uint64_t wanted = freeze_timeout_goal(facts, config);

	/* What was kept for less memory is too short after a change of the instance type. */
	if (wanted > FREEZE_TIMEOUT_KERNEL_MS &&
		(!fact_is_true(&facts->boot.freeze_timeout_kept) ||
			wanted > facts->kernel.freeze_timeout.value) &&
		fact_text_is(&facts->system.init, "systemd"))
		plan_add(plan, STEP_FREEZE_AT_BOOT, wanted,
			text_format("set it again at every boot (/etc/tmpfiles.d/ec2hib.conf)"));
}

int setup_plan(struct plan *plan, const struct facts *facts, const struct config *config,
	const struct setup_request *request, struct error *err)
{
	bool new_file = false;
	int status;

	*plan = (struct plan) { 0 };
	if (request->area_given)
		plan_memory(plan, facts);
	status = plan_area(plan, facts, config, request, &new_file, err);
	if (status < 0)
		return status;
	plan_boot_arguments(plan, facts, config, request, new_file);
	plan_initramfs(plan, facts, request);
	if (fact_is_true(&facts->live)) {
		plan_kernel(plan, facts, config, new_file);
		plan_kept_freeze_timeout(plan, facts, config);
	} else {
		strings_add(&plan->notes, "the running kernel is left alone: this is an image");
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
	status = plan_old_image(plan, facts, err);
	if (status < 0)
		return status;
	if (!fact_is_true(&facts->area.active))
		plan_add(
			plan, STEP_SWAP_ON, 0, text_format("switch %s on", facts->area.path.value));
	plan_kernel(plan, facts, config, false);
	return 0;
}
