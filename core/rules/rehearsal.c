/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/rehearsal.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/arguments.h"

/* What is written in less time than this says nothing of the disk. */
#define WRITE_LEAST_MS 100

/* So much of EC2's patience may be used up by what cannot be foreseen: an eighth. */
#define PATIENCE_SPARE 8

const struct rehearsal_level_entry rehearsal_levels[LEVEL_COUNT] = {
	[LEVEL_READY] = { "ready", "the checks of status", .proves = "no check of status fails" },
	[LEVEL_HOOKS] = { "hooks", "all hooks, with EC2HIB_TEST=1",
		.proves = "every hook may run, ends in time and succeeds" },
	[LEVEL_FREEZER] = { "freezer", "freeze all tasks for 5 s",
		"all tasks can be frozen and go on", .pm_test = true },
	[LEVEL_DEVICES] = { "devices", "stop the devices for 5 s as well",
		"the drivers let their devices stop and start again", .pm_test = true },
	[LEVEL_PLATFORM] = { "platform", "ask the firmware as well, for 5 s",
		"the firmware's part works", .pm_test = true },
	[LEVEL_PROCESSORS] = { "processors", "stop all processors but one as well",
		"the processors go off and come back", .pm_test = true },
	[LEVEL_CORE] = { "core", "stop timers and interrupts as well",
		"everything stops and starts again", .pm_test = true },
	[LEVEL_IMAGE] = { "image", "make a whole image, write it and read it back",
		"the image fits, the disk takes it and gives it back",
		.warning = "all tasks stand still while an image is made, written and read back" },
	[LEVEL_CYCLE] = { "cycle", "hibernate; the next boot has to resume",
		"this machine hibernates and comes back",
		.warning =
			"the machine powers off, and somebody has to start it again; an instance whose shutdown behavior is terminate is lost" },
};

const char *rehearsal_outcome_name(enum rehearsal_outcome outcome)
{
	static const char *const names[OUTCOME_COUNT] = { [OUTCOME_PASSED] = "passed",
		[OUTCOME_FAILED] = "failed",
		[OUTCOME_UNAVAILABLE] = "unavailable",
		[OUTCOME_STOPPED] = "stopped",
		[OUTCOME_LEFT] = "not-run" };

	return names[outcome];
}

enum rehearsal_level rehearsal_level_find(const char *id)
{
	int level = 0;

	while (level < LEVEL_COUNT && strcmp(rehearsal_levels[level].id, id) != 0)
		level++;
	return (enum rehearsal_level)level;
}

/* The word is in brackets where it is the one that is set. */
static bool offers(const struct fact_text *modes, const char *mode)
{
	strings_cleanup struct strings words = { 0 };

	if (modes->is != FACT_KNOWN)
		return false;
	strings_split(&words, modes->value, " []\n");
	return strings_contain(&words, mode);
}

char *rehearsal_missing(enum rehearsal_level level, const struct facts *facts)
{
	const struct kernel_facts *kernel = &facts->kernel;
	const char *id = rehearsal_levels[level].id;

	if (rehearsal_levels[level].pm_test && kernel->pm_test.is == FACT_ABSENT)
		return text_copy(
			"this kernel has no /sys/power/pm_test (it was built without CONFIG_PM_DEBUG)");
	if (rehearsal_levels[level].pm_test && !offers(&kernel->pm_test, id))
		return text_format("/sys/power/pm_test does not offer %s", id);
	/* See core/actions/rehearse.h; at freezer the kernel ends before it comes to that. */
	if (rehearsal_levels[level].pm_test && level != LEVEL_FREEZER &&
		kernel->resume_offset.is != FACT_KNOWN)
		return text_copy(
			"this kernel has no /sys/power/resume_offset (Linux 4.17), by which it can be kept from writing an image after the test");
	if (level == LEVEL_IMAGE && !fact_is_true(&kernel->snapshot_device))
		return text_copy(
			"this kernel has no /dev/snapshot (it was built without CONFIG_HIBERNATION_SNAPSHOT_DEV)");
	return NULL;
}

bool rehearsal_estimate(struct rehearsal_estimate *estimate, uint64_t memory, uint64_t written,
	uint64_t write_ms, uint64_t overhead_ms)
{
	double per_ms = write_ms < WRITE_LEAST_MS ? 0 : (double)written / (double)write_ms;

	*estimate = (struct rehearsal_estimate) { .bytes = memory };
	if (per_ms <= 0)
		return false;
	estimate->rate = (uint64_t)(per_ms * 1000);
	estimate->ms = (uint64_t)((double)memory / per_ms) + overhead_ms;
	estimate->in_time = estimate->ms <= EC2_PATIENCE_MS - EC2_PATIENCE_MS / PATIENCE_SPARE;
	return true;
}

/* ---- Then and now ---------------------------------------------------------------------------- */

static char *entry_text(const struct facts *facts)
{
	const struct entry_facts *next = facts_next_entry(facts);

	if (!next || next->arguments.is != FACT_KNOWN)
		return NULL;
	return text_format("%s %s", fact_text_or(&next->release, fact_text_or(&next->version, "-")),
		next->arguments.value);
}

static void take_text(struct fact_text *to, const struct fact_text *from)
{
	fact_set_text(to, fact_text_or(from, NULL));
}

enum test_resume kernel_test_resume(const char *release)
{
	if (version_compare(release, "6.6") >= 0)
		return TEST_RESUME_READS;
	return version_compare(release, "5.16") >= 0 ? TEST_RESUME_LEAVES : TEST_RESUME_UNKNOWN;
}

void rehearsal_describe(struct rehearsal_facts *rehearsal, const struct facts *facts)
{
	char *entry = entry_text(facts);

	take_text(&rehearsal->kernel, &facts->kernel.release);
	take_text(&rehearsal->area_uuid, &facts->area.header_uuid);
	if (facts->area.resume_offset.is == FACT_KNOWN)
		fact_set_number(&rehearsal->area_offset, facts->area.resume_offset.value);
	else
		fact_set_absent(fact_of(&rehearsal->area_offset));
	if (entry)
		fact_take_text(&rehearsal->entry, entry);
	else
		fact_set_absent(fact_of(&rehearsal->entry));
}

static bool differ(const struct fact_text *then, const struct fact_text *now)
{
	return then->is == FACT_KNOWN && now->is == FACT_KNOWN &&
	       strcmp(then->value, now->value) != 0;
}

void rehearsal_changes(
	const struct rehearsal_facts *rehearsal, const struct facts *facts, struct strings *changes)
{
	const struct area_facts *area = &facts->area;
	memory_cleanup_free char *entry = entry_text(facts);

	if (differ(&rehearsal->kernel, &facts->kernel.release))
		strings_take(
			changes, text_format("the kernel was %s and is %s", rehearsal->kernel.value,
					 facts->kernel.release.value));
	if (differ(&rehearsal->area_uuid, &area->header_uuid))
		strings_add(changes, "the swap area is another one");
	else if (rehearsal->area_offset.is == FACT_KNOWN && area->resume_offset.is == FACT_KNOWN &&
		 rehearsal->area_offset.value != area->resume_offset.value)
		strings_add(changes, "the swap area lies elsewhere");
	if (rehearsal->entry.is == FACT_KNOWN && entry &&
		strcmp(rehearsal->entry.value, entry) != 0)
		strings_add(changes, "the boot entry is another one");
}

bool rehearsal_counts(enum rehearsal_level level, const struct facts *facts)
{
	const struct rehearsal_facts *old = &facts->rehearsal;
	strings_cleanup struct strings changes = { 0 };
	enum rehearsal_level before;

	/* The checks and the hooks show nothing of the kernel. */
	if (level < LEVEL_FREEZER)
		return false;
	if (old->level.is != FACT_KNOWN)
		return true;
	before = rehearsal_level_find(old->level.value);
	rehearsal_changes(old, facts, &changes);
	return before == LEVEL_COUNT || before <= level || changes.count;
}

/* ---- A boot that is not the resumed one ------------------------------------------------------ */

static bool has_argument(const char *line, const char *name, const char *value)
{
	memory_cleanup_free char *found = arguments_get(line, name);

	return found && (!value || strcmp(found, value) == 0);
}

/* Why the command line of this boot kept it from the image; NULL: it did not. */
static char *blame_arguments(const struct rehearsal_marker *marker, const char *line)
{
	memory_cleanup_free char *device = arguments_get(line, "resume");
	memory_cleanup_free char *offset = arguments_get(line, "resume_offset");
	const struct fact_number *written = &marker->machine.area_offset;
	const char *pages = offset ? offset : "0";

	if (has_argument(line, "noresume", NULL) || has_argument(line, "hibernate", "noresume"))
		return text_copy("noresume is on the command line of this boot");
	if (!device)
		return text_copy("there is no resume= on the command line of this boot");
	if (written->is == FACT_KNOWN && strtoull(pages, NULL, 10) != written->value)
		return text_format(
			"this boot looked for the image at page %s (resume_offset), and it was written at page %llu",
			pages, (unsigned long long)written->value);
	return NULL;
}

/* What this boot's kernel said of the image; kernel/power/{hibernate,swap,snapshot}.c. */
static char *blame_kernel(const char *log, bool other_kernel, const char *then)
{
	const char *mismatch = strstr(log, "Image mismatch: ");

	if (mismatch)
		return text_format("this boot's kernel refused the image: %.*s",
			(int)strcspn(mismatch, "\n\\"), mismatch);
	if (other_kernel)
		return text_format(
			"this boot runs another kernel than %s, which made the image", then);
	if (strstr(log, "Image not found (code -22)"))
		return text_copy(
			"this boot's kernel looked, and there was no image any more: it was not complete, or something has written over it");
	if (strstr(log, "Image not found (code "))
		return text_copy("this boot's kernel could not read the image");
	return NULL;
}

char *rehearsal_why_lost(
	const struct rehearsal_marker *marker, const struct facts *facts, const char *log)
{
	const struct rehearsal_facts *then = &marker->machine;
	char *why = NULL;

	if (facts->kernel.command_line.is == FACT_KNOWN)
		why = blame_arguments(marker, facts->kernel.command_line.value);
	if (!why)
		why = blame_kernel(log ? log : "", differ(&then->kernel, &facts->kernel.release),
			fact_text_or(&then->kernel, ""));
	if (!why && fact_text_is(&facts->area.signature, SIGNATURE_IMAGE))
		why = text_copy(
			"the image is there, and nothing in this boot has looked for it: resume= names another device, or the initramfs does not resume");
	if (!why)
		why = text_copy("the log of this boot does not say why");
	return why;
}
