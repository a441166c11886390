/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/at_boot.h"
#include "core/actions/boot.h"
#include "core/actions/initramfs.h"
#include "core/actions/kernel.h"
#include "core/actions/prewarm_background.h"
#include "core/actions/service.h"
#include "core/actions/subvolume.h"
#include "core/actions/swap.h"
#include "core/actions/take_over.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/agents.h"
#include "core/facts/area.h"
#include "core/facts/kubelet.h"
#include "core/rules/arguments.h"

/* The kernel chooses: below every swap that is on already. */
#define SWAP_PRIORITY (-1)

/* ---- The swap area --------------------------------------------------------------------------- */

static const struct root *root_of(const struct setup *setup)
{
	return setup->gather->root;
}

static const char *area_of(const struct setup *setup)
{
	return setup->facts->area.path.value;
}

static int switch_off(struct setup *setup, struct error *err)
{
	if (!fact_is_true(&setup->facts->area.active))
		return 0;
	return swap_off(root_of(setup), area_of(setup), fact_number_or(&setup->facts->area.used, 0),
		&setup->facts->memory, err);
}

/* After a failure: the machine has the swap again that it had before, if that is still there. */
static void switch_on_again(struct setup *setup)
{
	struct error ignored = { "" };

	if (swap_on(area_of(setup), SWAP_PRIORITY, &ignored) == 0)
		reporter_log(setup->reporter, LOG_INFO, "%s is switched on again", area_of(setup));
}

/* The slow way: swapoff, mkswap with the same UUID and label, swapon. */
static int format_again(struct setup *setup, struct error *err)
{
	const struct area_facts *area = &setup->facts->area;
	bool active = fact_is_true(&area->active);
	int status = switch_off(setup, err);

	if (status < 0)
		return error_prefix(err, status, "the stale image stays");
	status = swap_format(root_of(setup), area->path.value,
		fact_text_or(&area->header_uuid, NULL), fact_text_or(&area->header_label, NULL),
		err);
	if (status == 0 && active)
		status = swap_on(area->path.value, SWAP_PRIORITY, err);
	return status;
}

/*
 * The signature is put back on the block device, which works while the area is active and takes one
 * write: there is no moment in which a power cut leaves something else than the image or plain
 * swap. Only where the kernel does not let anybody write to a device in use, the area is formatted
 * again.
 */
static int clean_image(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	const struct area_facts *area = &setup->facts->area;
	memory_cleanup_free char *device = NULL;
	struct error reason = { "" };
	uint64_t position;

	if (area->devices.count == 0 || area->resume_offset.is != FACT_KNOWN)
		return format_again(setup, err);
	device = text_format("/dev/%s", area->devices.items[0].name.value);
	position = area->resume_offset.value * setup->facts->kernel.page_size.value;
	if (swap_header_mend(device, position, &reason) == 0)
		return 0;
	reporter_log(setup->reporter, LOG_INFO, "%s; formatting it again", reason.text);
	return format_again(setup, err);
}

static char *area_record(const struct setup *setup)
{
	return text_format("%s/%s", setup->gather->config->state_dir, AREA_RECORD_NAME);
}

static int remember_area(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	memory_cleanup_free char *record = area_record(setup);
	memory_cleanup_free char *name = area_stable_name(&setup->facts->area);
	int status = root_make_directory(root_of(setup), setup->gather->config->state_dir, err);

	text_append(&name, "\n");
	return status < 0 ? status : root_replace(root_of(setup), record, name, 0644, err);
}

static char *swap_on_record(const struct setup *setup)
{
	return text_format("%s/" SWAP_ON_RECORD_NAME, setup->gather->config->state_dir);
}

static int remember_swap_on(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	memory_cleanup_free char *record = swap_on_record(setup);
	memory_cleanup_free char *line = text_format("%s\n", setup->facts->area.swap_on.value);
	int status = root_make_directory(root_of(setup), setup->gather->config->state_dir, err);

	return status < 0 ? status : root_replace(root_of(setup), record, line, 0644, err);
}

static int forget_swap_on(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	memory_cleanup_free char *record = swap_on_record(setup);

	return root_remove(root_of(setup), record, err);
}

static int forget_area(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	memory_cleanup_free char *record = area_record(setup);

	return root_remove(root_of(setup), record, err);
}

static int sweep_swap(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return swap_file_sweep(root_of(setup), area_of(setup), err);
}

static int remove_swap(struct setup *setup, const struct step *step, struct error *err)
{
	const bool only_off = step->value != 0;
	int status = switch_off(setup, err);

	if (status < 0 || only_off)
		return status;
	return swap_file_remove(root_of(setup), area_of(setup), err);
}

static int create_subvolume(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	memory_cleanup_free char *folder = path_folder(area_of(setup));

	return subvolume_create(root_of(setup), folder, err);
}

static int create_swap(struct setup *setup, const struct step *step, struct error *err)
{
	const struct facts *facts = setup->facts;
	const struct config *config = setup->gather->config;
	const struct swap_request request = {
		.path = area_of(setup),
		.size = step->value,
		.filesystem = fact_text_or(&facts->area.filesystem, "the file system"),
		.kernel = fact_text_or(&facts->kernel.release, NULL),
		.write_out = config->touch_swap == CHOICE_YES,
		.nocow = fact_text_is(&facts->area.filesystem, "btrfs"),
		.label = facts->system.selinux.is == FACT_KNOWN &&
			 !fact_text_is(&facts->system.selinux, "disabled"),
	};

	return swap_file_create(root_of(setup), &request, setup->reporter, err);
}

static int protect_swap(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return swap_file_protect(root_of(setup), area_of(setup), err);
}

static int label_swap(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return swap_file_label(root_of(setup), area_of(setup), err);
}

static int format_swap(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	int status = switch_off(setup, err);

	if (status < 0)
		return status;
	return swap_format(root_of(setup), area_of(setup), NULL, SWAP_LABEL, err);
}

static int activate_swap(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return swap_on(area_of(setup), SWAP_PRIORITY, err);
}

static int deactivate_swap(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return switch_off(setup, err);
}

static int swap_at_boot(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return swap_at_boot_set(root_of(setup), &setup->facts->area, err);
}

/* ---- The next boot and the running kernel ---------------------------------------------------- */

static int boot_arguments(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	strings_cleanup struct strings wanted = { 0 };

	if (!arguments_wanted(setup->facts, &wanted))
		return error_set(err, ENODATA, "it is not known where %s lies", area_of(setup));
	return boot_arguments_set(
		root_of(setup), setup->facts, setup->gather->config, &wanted, err);
}

static int initramfs(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return initramfs_set(root_of(setup), setup->facts, err);
}

/* kernel_set_resume() reads the header again just before, whatever the facts said. */
static int kernel_resume(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	const struct area_facts *area = &setup->facts->area;
	struct resume_area resume;

	if (area->resume_device.is != FACT_KNOWN || area->resume_offset.is != FACT_KNOWN ||
		area->devices.count == 0)
		return error_set(err, ENODATA, "it is not known where %s lies", area_of(setup));
	resume = (struct resume_area) { .device = area->resume_device.value,
		.name = area->devices.items[0].name.value,
		.offset = area->resume_offset.value,
		.page_size = setup->facts->kernel.page_size.value };
	if (!fact_text_is(&area->signature, SIGNATURE_SWAP))
		return error_set(err, EBUSY,
			"%s is not plain swap now (its header says: %s); the kernel is not told about it",
			area_of(setup), fact_text_or(&area->signature, "unknown"));
	return kernel_set_resume(root_of(setup), &resume, err);
}

static int freeze_timeout(struct setup *setup, const struct step *step, struct error *err)
{
	return kernel_set_freeze_timeout(root_of(setup), step->value, err);
}

static int freeze_at_boot(struct setup *setup, const struct step *step, struct error *err)
{
	return freeze_timeout_at_boot_set(root_of(setup), step->value, err);
}

/* ---- The agent ------------------------------------------------------------------------------- */

static int start_agent(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	const struct services services = services_of(root_of(setup), setup->facts);
	const struct agent_facts *ours = agent_find(&setup->facts->system, AGENT_OURS);
	int status = 0;

	if (!ours || !fact_is_true(&ours->enabled))
		status = service_enable(&services, AGENT_OURS, err);
	if (status == 0 && root_of(setup)->live && !(ours && fact_is_true(&ours->running)))
		status = service_start(&services, AGENT_OURS, err);
	return status;
}

static int take_over_agents(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	const struct services services = services_of(root_of(setup), setup->facts);

	return take_over(&services, setup->facts, setup->gather->config->state_dir, err);
}

static int sleep_key(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	const struct services services = services_of(root_of(setup), setup->facts);

	return sleep_key_take(&services, setup->facts, err);
}

/* ---- The way back ---------------------------------------------------------------------------- */

/* Disabled first: a boot in between does not start it again. */
static int undo_service(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	const struct services services = services_of(root_of(setup), setup->facts);
	const struct agent_facts *ours = agent_find(&setup->facts->system, AGENT_OURS);
	int status = 0;

	if (ours && fact_is_true(&ours->enabled))
		status = service_forget(&services, AGENT_OURS, err);
	if (status == 0 && root_of(setup)->live && ours && fact_is_true(&ours->running))
		status = service_stop(&services, AGENT_OURS, err);
	return status;
}

static int undo_sleep_key(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	const struct services services = services_of(root_of(setup), setup->facts);

	return sleep_key_restore(&services, setup->facts, err);
}

static int undo_take_over(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	const struct services services = services_of(root_of(setup), setup->facts);

	return take_over_restore(
		&services, setup->facts, setup->gather->config->state_dir, setup->reporter, err);
}

static void tell_left(struct setup *setup, const struct strings *left)
{
	for (size_t i = 0; i < left->count; i++)
		reporter_log(setup->reporter, LOG_WARNING, "%s", left->items[i]);
	setup->left += left->count;
}

static int undo_boot_arguments(
	struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	strings_cleanup struct strings left = { 0 };
	int status = boot_arguments_remove(
		root_of(setup), setup->facts, setup->gather->config, &left, err);

	tell_left(setup, &left);
	return status;
}

static int undo_initramfs(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return initramfs_remove(root_of(setup), setup->facts, err);
}

static int undo_swap_at_boot(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return swap_at_boot_clear(root_of(setup), err);
}

static int undo_freeze_at_boot(
	struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return freeze_timeout_at_boot_clear(root_of(setup), err);
}

/*
 * The offset alone: from 0 on the device of a file system the kernel finds no swap, so that it
 * refuses to hibernate and finds no image. The device cannot be taken back: kernels refuse 0:0
 * (seen on 6.1).
 */
static int undo_kernel_resume(
	struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	return kernel_forget_resume(root_of(setup), err);
}

static int undo_swap(struct setup *setup, const struct step *step UNUSED, struct error *err)
{
	memory_cleanup_free char *folder = path_folder(area_of(setup));
	int status = switch_off(setup, err);

	if (status < 0 || fact_text_is(&setup->facts->area.kind, "device"))
		return status;
	status = swap_file_remove(root_of(setup), area_of(setup), err);
	if (status == 0 && strcmp(folder, "/") != 0)
		status = subvolume_remove(root_of(setup), folder, err);
	return status;
}

static int prewarm_area(struct setup *setup, const struct step *step, struct error *err)
{
	return prewarm_for_setup(
		setup->gather, &setup->facts->area, step->value == 1, setup->reporter, err);
}

/* ---- All steps ------------------------------------------------------------------------------- */

static int (*const runners[])(struct setup *, const struct step *, struct error *) = {
	[STEP_REMEMBER_AREA] = remember_area,
	[STEP_CLEAN_IMAGE] = clean_image,
	[STEP_SWEEP_SWAP] = sweep_swap,
	[STEP_REMOVE_SWAP] = remove_swap,
	[STEP_CREATE_SUBVOLUME] = create_subvolume,
	[STEP_CREATE_SWAP] = create_swap,
	[STEP_PROTECT_SWAP] = protect_swap,
	[STEP_LABEL_SWAP] = label_swap,
	[STEP_FORMAT_SWAP] = format_swap,
	[STEP_SWAP_ON] = activate_swap,
	[STEP_REMEMBER_SWAP_ON] = remember_swap_on,
	[STEP_SWAP_OFF] = deactivate_swap,
	[STEP_SWAP_AT_BOOT] = swap_at_boot,
	[STEP_BOOT_ARGUMENTS] = boot_arguments,
	[STEP_INITRAMFS] = initramfs,
	[STEP_KERNEL_RESUME] = kernel_resume,
	[STEP_FREEZE_TIMEOUT] = freeze_timeout,
	[STEP_FREEZE_AT_BOOT] = freeze_at_boot,
	[STEP_SERVICE] = start_agent,
	[STEP_TAKE_OVER] = take_over_agents,
	[STEP_SLEEP_KEY] = sleep_key,
	[STEP_PREWARM] = prewarm_area,
	[STEP_UNDO_SERVICE] = undo_service,
	[STEP_UNDO_SLEEP_KEY] = undo_sleep_key,
	[STEP_UNDO_BOOT_ARGUMENTS] = undo_boot_arguments,
	[STEP_UNDO_INITRAMFS] = undo_initramfs,
	[STEP_UNDO_SWAP_AT_BOOT] = undo_swap_at_boot,
	[STEP_UNDO_FREEZE_AT_BOOT] = undo_freeze_at_boot,
	[STEP_UNDO_KERNEL_RESUME] = undo_kernel_resume,
	[STEP_UNDO_SWAP] = undo_swap,
	[STEP_UNDO_REMEMBER_AREA] = forget_area,
	[STEP_UNDO_REMEMBER_SWAP_ON] = forget_swap_on,
	[STEP_UNDO_TAKE_OVER] = undo_take_over,
};

/* The steps that were not done. */
struct failures {
	size_t *steps;
	size_t count;
	struct error last;
};

/* *WAS_ON: the area was switched on before this step, or before it was made room for. */
static int run_step(
	struct setup *setup, const struct plan *plan, size_t index, bool *was_on, struct error *err)
{
	const struct step *step = &plan->steps[index];
	int status;

	if (reporter_cancelled(setup->reporter))
		return error_set(err, ECANCELED,
			"stopped before step %zu of %zu; run it again to go on", index + 1,
			plan->count);
	/*
	 * Every step may have changed what the next one rests on; and what the kernel is told has
	 * to be of now, also when somebody took long to agree to the first step.
	 */
	if (index > 0 || step->kind == STEP_KERNEL_RESUME)
		facts_gather_again(setup->facts, setup->gather);
	if (index == 0 || plan->steps[index - 1].kind != STEP_REMOVE_SWAP)
		*was_on = fact_is_true(&setup->facts->area.active);
	if (setup->begin)
		setup->begin(setup->data, plan, index);
	status = runners[step->kind](setup, step, err);
	if (status < 0)
		return error_prefix(
			err, status, "step %zu of %zu (%s)", index + 1, plan->count, step->id);
	return 0;
}

/* The first step that has failed and that step INDEX rests on; NULL: it can be done. */
static const struct step *missing_step(
	const struct plan *plan, const struct failures *failures, size_t index)
{
	for (size_t i = 0; i < failures->count; i++)
		if (step_rests_on(&plan->steps[index], &plan->steps[failures->steps[i]]))
			return &plan->steps[failures->steps[i]];
	return NULL;
}

/* The last failure is the caller's to tell; the ones before it are told here. */
static void remember_failure(
	struct setup *setup, struct failures *failures, size_t index, const struct error *err)
{
	failures->steps = memory_grow(failures->steps, failures->count, sizeof(*failures->steps));
	failures->steps[failures->count++] = index;
	if (*failures->last.text)
		reporter_log(setup->reporter, LOG_ERR, "%s", failures->last.text);
	failures->last = *err;
}

int plan_apply(struct setup *setup, const struct plan *plan, struct error *err)
{
	struct failures failures = { 0 };
	bool was_on = false;
	int result = 0;

	for (size_t i = 0; i < plan->count && result != -ECANCELED; i++) {
		struct error failure = { "" };
		int status;

		if ((setup->due && !setup->due(setup->data, &plan->steps[i])) ||
			missing_step(plan, &failures, i))
			continue;
		status = run_step(setup, plan, i, &was_on, &failure);
		if (status == 0)
			continue;
		result = result == 0 || status == -ECANCELED ? status : result;
		remember_failure(setup, &failures, i, &failure);
		if (was_on)
			switch_on_again(setup);
	}
	if (failures.count)
		*err = failures.last;
	else if (setup->left)
		result = error_set(err, EBUSY,
			"not all is as it was: %zu lines were changed by others", setup->left);
	free(failures.steps);
	return result;
}
