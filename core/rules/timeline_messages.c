/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What kernels say when they hibernate: one table of all lines that tell something, and what each
 * tells.
 *
 * The words are those of the printk calls in kernel/power/{hibernate,snapshot,swap,process,main}.c,
 * drivers/base/power/main.c, kernel/{cpu,reboot}.c, drivers/acpi/sleep.c,
 * arch/x86/power/hibernate*.c and arch/arm64/kernel/hibernate.c, from 4.4 to 7.3. From 6.19 on
 * swsusp_save() tells of the image only where pm_debug_messages is on; "Normal pages needed" is
 * left where the kernel has dynamic debug.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/rules/timeline_parser.h"

#define PAGE_SIZE_MAX ((uint64_t)65536)

/* The kernel's MB/s are thousands of KiB, printed with two digits behind the point. */
#define RATE_DIGITS 2
#define RATE_UNIT   ((uint64_t)1000 * 1024 / 100)

/* A crash is told by its first words. */
#define CRASH_WORDS_MAX 80

static const char *const names[FAILURES] = { [FAILURE_NONE] = "",
	[FAILURE_FREEZING] = "freezing",
	[FAILURE_SWAP_SPACE] = "swap-space",
	[FAILURE_SWAP_DEVICE] = "swap-device",
	[FAILURE_DEVICE_BUSY] = "device-busy",
	[FAILURE_MEMORY] = "memory",
	[FAILURE_WAKEUP] = "wakeup",
	[FAILURE_IMAGE_MISSING] = "image-missing",
	[FAILURE_IMAGE_MISMATCH] = "image-mismatch",
	[FAILURE_OTHER] = "other" };

const char *timeline_failure_name(enum timeline_failure failure)
{
	return names[failure];
}

enum timeline_failure timeline_failure_of(const struct timeline *timeline)
{
	for (int failure = FAILURE_NONE + 1; failure < FAILURES; failure++)
		if (fact_text_is(&timeline->failure_id, names[failure]))
			return (enum timeline_failure)failure;
	return timeline->failure_id.is == FACT_KNOWN ? FAILURE_OTHER : FAILURE_NONE;
}

bool timeline_failure_passes(enum timeline_failure failure)
{
	return failure == FAILURE_FREEZING || failure == FAILURE_DEVICE_BUSY ||
	       failure == FAILURE_MEMORY || failure == FAILURE_WAKEUP;
}

/* ---- How it goes --------------------------------------------------------------------------- */

static void on_entry(struct parser *parser, const char *rest UNUSED)
{
	parser_end(parser);
	parser->suspending = false;
	parser_open(parser);
	parser->seen.entry = parser->seen.sure = true;
	parser_set_clock(parser, &parser->now.entry);
}

static void on_exit_line(struct parser *parser, const char *rest UNUSED)
{
	parser_begin(parser);
	parser->seen.exit = true;
	parser_set_clock(parser, &parser->now.exit);
	parser_end(parser);
}

static void on_suspend(struct parser *parser, const char *rest UNUSED)
{
	parser_end(parser);
	parser->suspending = true;
}

/* A suspend whose beginning is not in the log. */
static void on_suspend_exit(struct parser *parser, const char *rest UNUSED)
{
	parser_drop(parser);
	parser->suspending = false;
}

/* Xen saves or moves the guest: it freezes tasks and devices, too (drivers/xen/manage.c). */
static void on_something_else(struct parser *parser, const char *rest UNUSED)
{
	parser_drop(parser);
}

/* Kernels before 4.10 announce nothing: writing out the file systems comes first. */
static void on_syncing(struct parser *parser, const char *rest UNUSED)
{
	if (parser->open && parser->seen.entry && !parser->seen.freezing)
		return;
	parser_end(parser);
	parser_open(parser);
	parser_set_clock(parser, &parser->now.entry);
}

static void on_sync(struct parser *parser, const char *rest)
{
	uint64_t ms;

	if (parser->open && parser->phase == PHASE_SAVING && log_decimal(rest, 3, &ms, NULL))
		fact_set_number(&parser->now.sync, ms);
}

static void on_preallocate(struct parser *parser, const char *rest)
{
	parser_begin(parser);
	parser->seen.preallocate = true;
	if (strstr(rest, "done"))
		parser->seen.allocated = true;
}

/* "done (allocated N pages)" on a line of its own */
static void on_preallocated(struct parser *parser, const char *rest UNUSED)
{
	if (parser->open && parser->seen.preallocate)
		parser->seen.allocated = true;
}

/* N kbytes in S seconds (R MB/s) */
static bool take_speed(const char *text, struct fact_number *size, struct fact_number *time,
	struct fact_number *rate)
{
	uint64_t kbytes, ms, speed;

	if (!log_decimal(text, 0, &kbytes, &text) || !text_starts(text, " kbytes in ") ||
		!log_decimal(text + strlen(" kbytes in "), 3, &ms, &text))
		return false;
	parser_set(size, kbytes, KIB);
	parser_set(time, ms, 1);
	text = strchr(text, '(');
	if (text && log_decimal(text + 1, RATE_DIGITS, &speed, NULL))
		parser_set(rate, speed, RATE_UNIT);
	else if (ms)
		parser_set(rate, kbytes * KIB / ms, 1000);
	return true;
}

/* N pages for snapshot, and then the same in kbytes: together they give the size of a page. */
static void on_allocated(struct parser *parser, const char *rest)
{
	struct timeline *now = &parser->now;
	uint64_t pages, size;
	const char *unit;

	parser_begin(parser);
	parser->seen.preallocate = parser->seen.allocated = true;
	if (log_decimal(rest, 0, &pages, &unit) && text_starts(unit, " pages"))
		parser->allocated_pages = pages;
	if (!take_speed(rest, &now->allocate_size, &now->allocate_time, &now->allocate_rate) ||
		!parser->allocated_pages || now->allocate_size.is != FACT_KNOWN)
		return;
	size = now->allocate_size.value / parser->allocated_pages;
	if (size >= KIB && size <= PAGE_SIZE_MAX && (size & (size - 1)) == 0)
		parser->page_size = (unsigned long)size;
}

static void on_creating(struct parser *parser, const char *rest UNUSED)
{
	parser_begin(parser);
	if (parser->seen.copy)
		parser_restored(parser);
}

static void set_image(struct parser *parser, uint64_t pages)
{
	parser_set(&parser->now.image_pages, pages, 1);
	parser_set(&parser->now.image_size, pages, parser->page_size);
}

static void on_copy(struct parser *parser, const char *rest)
{
	uint64_t pages;

	parser_begin(parser);
	if (parser->phase != PHASE_SAVING || parser->seen.created || parser->seen.saving)
		parser_restored(parser);
	parser->seen.copy = true;
	/* In the restored system pages that are zero are counted again. */
	if (log_decimal(rest, 0, &pages, NULL) && !parser->seen.created)
		set_image(parser, pages);
}

/* Normal pages needed: N + M, available pages: A */
static void on_needed(struct parser *parser, const char *rest)
{
	uint64_t pages;

	parser_begin(parser);
	if (parser->phase != PHASE_SAVING)
		parser_restored(parser);
	parser->seen.copy = true;
	if (parser->now.image_pages.is != FACT_KNOWN && log_decimal(rest, 0, &pages, NULL))
		set_image(parser, pages);
}

/* (N pages copied) or (N pages copied, M zero pages): zero pages are not in the image. */
static void on_created(struct parser *parser, const char *rest)
{
	uint64_t pages;

	parser_begin(parser);
	parser->seen.copy = parser->seen.created = true;
	rest = strchr(rest, '(');
	if (rest && log_decimal(rest + 1, 0, &pages, &rest) && text_starts(rest, " pages copied"))
		set_image(parser, pages);
}

static void on_saving(struct parser *parser, const char *rest UNUSED)
{
	parser_begin(parser);
	parser->seen.saving = true;
}

/* Of swap.c, which does not say "hibernation": the line that all is written would be there, too. */
static void on_progress(struct parser *parser, const char *rest)
{
	on_saving(parser, rest);
	parser->seen.told_writing = true;
}

static void on_saved(struct parser *parser, const char *rest)
{
	on_progress(parser, rest);
	parser->seen.saved = true;
}

static void on_wrote(struct parser *parser, const char *rest)
{
	struct timeline *now = &parser->now;

	on_saving(parser, rest);
	parser->seen.wrote = true;
	take_speed(rest, &now->write_size, &now->write_time, &now->write_rate);
}

static void on_compressed(struct parser *parser, const char *rest)
{
	uint64_t kbytes;

	if (parser->open && log_decimal(rest, 0, &kbytes, NULL))
		parser_set(&parser->now.compressed_size, kbytes, KIB);
}

static void on_power_off(struct parser *parser, const char *rest UNUSED)
{
	if (!parser->open || parser->phase != PHASE_SAVING || !parser->seen.saving)
		return;
	parser->seen.power_off = true;
	parser_take_back(parser);
	parser_set_clock(parser, &parser->now.power_off);
}

/* Of the devices' stop, and again, in platform mode, of the power-off itself. */
static void on_state_s4(struct parser *parser, const char *rest)
{
	if (parser->seen.saved || parser->seen.wrote)
		on_power_off(parser, rest);
}

/* A boot has several lines that say so: a second one of a kind is of another boot. */
static void take_boot(struct parser *parser, bool *told)
{
	bool again = *told;

	parser->suspending = false;
	if (!parser->open)
		return;
	if (!parser->seen.sure || parser->seen.restarted || again ||
		(parser->phase != PHASE_SAVING && parser->phase != PHASE_BOOTED)) {
		parser_end(parser);
		return;
	}
	*told = true;
	parser_take_back(parser);
	parser->phase = PHASE_BOOTED;
}

static void on_boot(struct parser *parser, const char *rest UNUSED)
{
	take_boot(parser, &parser->seen.boot_kernel);
}

static void on_boot_cpu(struct parser *parser, const char *rest UNUSED)
{
	take_boot(parser, &parser->seen.boot_cpu);
}

static void on_boot_journal(struct parser *parser, const char *rest UNUSED)
{
	take_boot(parser, &parser->seen.boot_journal);
}

/* User space of the next boot is up: nobody looks for an image any more. */
static void on_user_space(struct parser *parser, const char *rest UNUSED)
{
	if (parser->open && parser->phase == PHASE_BOOTED)
		parser->seen.user_space_up = true;
}

static void on_reading(struct parser *parser, const char *rest UNUSED)
{
	parser_begin(parser);
	if (parser->phase == PHASE_SAVING || parser->phase == PHASE_BOOTED)
		parser->phase = PHASE_READING;
	parser->seen.user_space_up = false;
	/* That an earlier look found none was one that came too soon. */
	parser_take_back(parser);
}

/* Read to its end, and to be restored next. */
static void on_loaded(struct parser *parser, const char *rest)
{
	on_reading(parser, rest);
	parser->seen.loaded = true;
}

static void on_read(struct parser *parser, const char *rest)
{
	struct timeline *now = &parser->now;

	on_reading(parser, rest);
	take_speed(rest, &now->read_size, &now->read_time, &now->read_rate);
}

/* Using N thread(s) for [algorithm] compression, or decompression */
static void on_threads(struct parser *parser, const char *rest)
{
	uint64_t threads;

	if (!log_decimal(rest, 0, &threads, &rest) || !text_starts(rest, " thread(s)"))
		return;
	if (strstr(rest, "decompression")) {
		on_reading(parser, rest);
		return;
	}
	on_progress(parser, rest);
	fact_set_number(&parser->now.threads, threads);
}

static void on_restored(struct parser *parser, const char *rest UNUSED)
{
	parser_begin(parser);
	parser_restored(parser);
}

static void on_away(struct parser *parser, const char *rest)
{
	uint64_t ms;

	if (parser->open && log_decimal(rest, 3, &ms, NULL))
		fact_set_number(&parser->now.away, ms);
}

/* Not the end yet: from 4.10 on the line that announces it is still to come. */
static void on_restarting(struct parser *parser, const char *rest)
{
	if (parser->open && parser->phase == PHASE_READING)
		parser->seen.thawed = true;
	if (!parser->open || parser->phase == PHASE_READING || parser->phase == PHASE_BOOTED)
		return;
	parser->seen.restarted = true;
	parser->names_to_come = 0;
	/* "Restarting tasks ... done." up to 6.16, "Restarting tasks: Starting" later. */
	if (text_starts(rest, " ..."))
		parser->seen.old_words = true;
	if (!parser->seen.entry)
		parser_set_clock(parser, &parser->now.exit);
}

static void on_test(struct parser *parser, const char *rest UNUSED)
{
	if (parser->open)
		parser->seen.sure = parser->seen.tested = true;
}

/* ---- What went wrong ----------------------------------------------------------------------- */

/* "-5" or "-5)": the number of an error, 0 for none */
static unsigned error_number(const char *text)
{
	uint64_t code;

	text += *text == '-';
	return log_decimal(text, 0, &code, NULL) && code < 4096 ? (unsigned)code : 0;
}

static void on_saving_failed(struct parser *parser, const char *rest)
{
	unsigned code = error_number(rest);

	parser_begin(parser);
	switch (code) {
	case 28:
		parser_fail(parser, FAILURE_SWAP_SPACE,
			"there is not enough free swap for the image (error -28)");
		break;
	case 12:
		parser_fail(parser, FAILURE_MEMORY,
			"there is not enough free memory to write the image (error -12)");
		break;
	case 5:
		parser_fail(parser, FAILURE_OTHER,
			"writing the image failed: the disk has an error (error -5)");
		break;
	default:
		parser_fail(parser, FAILURE_OTHER, "writing the image failed (error -%u)", code);
	}
}

static void on_error_creating(struct parser *parser, const char *rest)
{
	unsigned code = error_number(rest);

	if (strstr(rest, " resuming")) {
		if (parser->open && parser->phase == PHASE_READING)
			parser_fail(parser, FAILURE_OTHER,
				"the image could not be loaded (error -%u)", code);
		return;
	}
	if (!strstr(rest, " creating "))
		return;
	parser_begin(parser);
	if (code == 12)
		parser_fail(parser, FAILURE_MEMORY,
			"there is not enough free memory to make the image");
	parser_fail(parser, FAILURE_OTHER, "the kernel could not make the image (error -%u)", code);
}

static void on_mismatch(struct parser *parser, const char *rest)
{
	on_reading(parser, rest);
	parser_fail(parser, FAILURE_IMAGE_MISMATCH,
		"the image is of another kernel or machine: %.60s differs", rest);
}

/*
 * Every ordinary boot looks for an image, too; and one that has an initramfs may look twice, first
 * before the disk is there (ENXIO, ENODEV). Then it is what comes later that tells whether the
 * image is lost.
 */
static void on_not_found(struct parser *parser, const char *rest)
{
	unsigned code = error_number(rest);

	if (!parser->open || parser->phase == PHASE_RESTORED || parser->seen.restarted)
		return;
	if (code == 6 || code == 19)
		parser->seen.looked = true;
	else
		parser_fail(
			parser, FAILURE_IMAGE_MISSING, "the boot found no image (code -%u)", code);
}

static void on_not_present(struct parser *parser, const char *rest UNUSED)
{
	if (parser->open && parser->phase == PHASE_BOOTED)
		parser->seen.looked = true;
	else if (parser->open && parser->phase == PHASE_READING)
		parser_fail(parser, FAILURE_OTHER, "the image could not be loaded");
}

/* resume failed (-5), and up to 5.5 "resume from hibernation failed (-5)" */
static void on_resume_failed(struct parser *parser, const char *rest)
{
	unsigned code = error_number(rest);

	if (!parser->open)
		return;
	parser->phase = PHASE_READING;
	if (code)
		parser_fail(
			parser, FAILURE_OTHER, "the image could not be loaded (error -%u)", code);
	parser_fail(parser, FAILURE_OTHER, "the image could not be loaded");
	parser_end(parser);
}

/* Error taking CPU1 down: -16 */
static void on_cpu_down(struct parser *parser, const char *rest)
{
	const char *number = strchr(rest, '-');

	if (parser->open && parser->seen.sure && !parser->seen.restarted)
		parser_fail(parser, FAILURE_OTHER, "CPU %.*s could not be stopped (error -%u)",
			(int)strspn(rest, "0123456789"), rest, number ? error_number(number) : 0);
}

static void on_cpus_left(struct parser *parser, const char *rest UNUSED)
{
	if (parser->open && parser->seen.sure && !parser->seen.restarted)
		parser_fail(parser, FAILURE_OTHER, "the other CPUs could not be stopped");
}

/* Write-error on swap-device (259:0:12345): the image's only while that is written or read. */
static void on_write_error(struct parser *parser, const char *rest UNUSED)
{
	if (parser->open && parser->phase == PHASE_SAVING && parser->seen.saving &&
		!parser->seen.saved && !parser->seen.restarted)
		parser_fail(
			parser, FAILURE_OTHER, "writing the image failed: the disk has an error");
}

static void on_read_error(struct parser *parser, const char *rest UNUSED)
{
	if (parser->open && parser->phase == PHASE_READING)
		parser_fail(
			parser, FAILURE_OTHER, "reading the image failed: the disk has an error");
}

/* Packing is also what an image that is read fails at. */
static void on_packing(struct parser *parser, const char *rest UNUSED)
{
	if (!parser->open)
		return;
	if (parser->phase == PHASE_READING)
		parser_fail(parser, FAILURE_OTHER, "the image is damaged: it cannot be unpacked");
	else
		parser_fail(parser, FAILURE_OTHER, "packing the image failed");
}

static void on_damaged(struct parser *parser, const char *rest)
{
	on_reading(parser, rest);
	parser_fail(parser, FAILURE_OTHER, "the image is damaged: it cannot be unpacked");
}

/* lz4 compression is not available: when it is asked to hibernate, or when it finds the image */
static void on_no_compression(struct parser *parser, const char *rest UNUSED)
{
	const char *name = parser->line->message + strspn(parser->line->message, " ");
	int length;

	name += text_starts(name, "PM: ") ? strlen("PM: ") : 0;
	name += text_starts(name, "hibernation: ") ? strlen("hibernation: ") : 0;
	length = (int)strcspn(name, " ");
	if (parser->open && parser->phase != PHASE_SAVING) {
		parser->phase = PHASE_READING;
		parser_fail(parser, FAILURE_OTHER,
			"the boot found the image, but its kernel cannot unpack it (%.*s)", length,
			name);
		return;
	}
	if (parser->open && parser->seen.sure)
		return;
	parser_end(parser);
	parser_begin(parser);
	parser_fail(parser, FAILURE_OTHER, "the kernel refused: it cannot pack the image (%.*s)",
		length, name);
	parser_end(parser);
}

/*
 * Lockdown: PROGRAM: hibernation is restricted; see man kernel_lockdown.7. No entry line follows.
 * But the kernel also says so to whoever only looks whether it could: systemd-logind at each login,
 * cat.
 */
static void on_lockdown(struct parser *parser, const char *rest)
{
	static const char *const writers[] = { "systemd-sleep: ", "ec2hib: ", "s2disk: ", "tee: ",
		"sh: ", "bash: ", "dash: ", "zsh: ", "busybox: " };
	bool writes = parser->attempt;

	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		writes = writes || text_starts(rest, writers[i]);
	if (!writes || !strstr(rest, "hibernation is restricted") ||
		(parser->open && parser->seen.sure))
		return;
	parser_end(parser);
	parser_begin(parser);
	parser_fail(parser, FAILURE_OTHER, "the kernel refused: it is in lockdown (Secure Boot)");
	parser_end(parser);
}

/* An oops need not be the end; a panic is. */
static void on_crash(struct parser *parser, const char *rest UNUSED)
{
	const char *words = parser->line->message + strspn(parser->line->message, " ");

	if (parser->open && parser->seen.sure && !parser->seen.restarted && !parser->crash)
		parser->crash = text_format("%.*s", CRASH_WORDS_MAX, words);
}

static void on_panic(struct parser *parser, const char *rest)
{
	on_crash(parser, rest);
	if (parser->open && parser->crash)
		parser_fail(parser, FAILURE_OTHER, "the kernel crashed%s: %s",
			parser->phase == PHASE_READING ? " while it loaded the image" : "",
			parser->crash);
}

static void on_waker(struct parser *parser, const char *rest)
{
	if (parser->open && !parser->waker)
		parser->waker = text_format("%.*s", DEVICE_NAME_MAX, rest);
}

/* ---- The table ----------------------------------------------------------------------------- */

#define FAIL(by, kind, words) .side = by, .failure = kind, .sentence = words

/* clang-format off */
const struct message timeline_messages[] = {
	/* Beginning and end: hibernate.c, main.c */
	{ "hibernation entry", PM, "4.10-", .take = on_entry },
	{ "hibernation exit", PM, "4.10-", .take = on_exit_line },
	{ "suspend entry", PM, "4.10-", .take = on_suspend },
	{ "suspend exit", PM, "4.10-", .take = on_suspend_exit },
	{ "Suspending system", PM, NULL, .take = on_suspend },
	{ "Finishing wakeup", PM, NULL, .take = on_suspend_exit },
	{ "Preparing system for sleep", PM, NULL, .take = on_suspend },
	{ "Entering mem sleep", PM, "-4.9", .take = on_suspend },
	{ "xen:manage: do_suspend", ANYHOW, NULL, .take = on_something_else },
	{ "suspending xenstore", ANYHOW, NULL, .take = on_something_else },
	{ "xen:manage: Suspending", ANYHOW, NULL, .take = on_something_else },
	{ "kexec_core: Starting new kernel", ANYHOW, NULL, .take = on_something_else },
	{ "kexec: Starting new kernel", ANYHOW, "-4.4", .take = on_something_else },
	{ "Syncing filesystems", PM, "-5.5", .take = on_syncing },
	{ "Filesystems sync: ", ANYHOW, "5.4-", .take = on_sync },
	{ "Restarting tasks", ANYHOW, NULL, .take = on_restarting },

	/* Freezing: process.c */
	{ "Freezing user space processes", ANYHOW, NULL, .take = on_freezing_user },
	{ "Freezing user space", ANYHOW, NULL, .take = on_freezing_user },
	{ "Freezing remaining freezable tasks", ANYHOW, NULL, .take = on_freezing_kernel },
	{ "Freezing of user space", ANYHOW, "-4.4", .take = on_freezing_user },
	{ "Freezing of tasks", ANYHOW, "-6.1", .take = on_freezing },
	{ "(elapsed ", ANYHOW, "-6.1", .take = on_elapsed },

	/* The image in memory: snapshot.c, hibernate.c */
	{ "Preallocating image memory", PM, NULL, .take = on_preallocate },
	{ "done (allocated ", ANYHOW, "-5.5", .take = on_preallocated },
	{ "Allocated ", PM, NULL, .take = on_allocated },
	{ "Creating image", PM, "5.7-6.18", .take = on_creating },
	{ "Creating hibernation image", PM, "-5.6", .take = on_creating },
	{ "Need to copy ", PM, "-6.18", .take = on_copy },
	{ "Normal pages needed: ", PM, NULL, .take = on_needed },
	{ "Image created", PM, "5.7-6.18", .take = on_created },
	{ "Hibernation image created", PM, "-5.6", .take = on_created },
	{ "hibernation debug: Waiting", ANYHOW, "-5.5", .take = on_test },
	{ "debug: Waiting", PM, "5.6-6.12", .take = on_test },

	/* Devices: drivers/base/power/main.c, from 5.x on only where pm_debug_messages is on */
	{ "freeze of devices complete after ", PM, NULL, .take = on_freeze },
	{ "late freeze of devices complete after ", PM, NULL, .take = on_late_freeze },
	{ "noirq freeze of devices complete after ", PM, NULL, .take = on_noirq_freeze },
	{ "noirq restore of devices complete after ", PM, NULL, .take = on_noirq_restore },
	{ "early restore of devices complete after ", PM, NULL, .take = on_early_restore },
	{ "restore of devices complete after ", PM, NULL, .take = on_restore },

	/* Writing: swap.c */
	{ "Using ", PM, NULL, .take = on_threads },
	{ "Compressing and saving image", PM, NULL, .take = on_progress },
	{ "Saving image data", PM, NULL, .take = on_progress },
	{ "Image saving progress: ", PM, NULL, .take = on_progress },
	{ "Image saving done", PM, NULL, .take = on_saved },
	{ "S|", PM, NULL, .take = on_saved },
	{ "Image size after compression: ", PM, "6.9-", .take = on_compressed },
	{ "Wrote ", PM, NULL, .take = on_wrote },

	/* Power-off: reboot.c, acpi/sleep.c */
	{ "ACPI: PM: Preparing to enter system sleep state S4", ANYHOW, "5.6-", .take = on_state_s4 },
	{ "ACPI: Preparing to enter system sleep state S4", ANYHOW, "-5.5", .take = on_state_s4 },
	{ "reboot: Power down", ANYHOW, NULL, .take = on_power_off },
	{ "reboot: Restarting system", ANYHOW, NULL, .take = on_power_off },
	{ "reboot: System halted", ANYHOW, NULL, .take = on_power_off },
	{ "reboot: Power off not available: System halted", ANYHOW, "6.12-", .take = on_power_off },
	{ "Power down manually", PM, NULL, .take = on_power_off },
	{ "Power down.", ANYHOW, "-4.4", .take = on_power_off },

	/* The next boot */
	{ "Linux version ", ANYHOW, NULL, .take = on_boot },
	{ "Booting Linux on physical CPU", ANYHOW, NULL, .take = on_boot_cpu },
	{ "-- Boot ", ANYHOW, NULL, .take = on_boot_journal },
	{ "-- Reboot", ANYHOW, NULL, .take = on_boot_journal },
	{ "systemd[1]: Reached target Multi-User System", ANYHOW, NULL, .take = on_user_space },
	{ "systemd[1]: Reached target multi-user.target", ANYHOW, NULL, .take = on_user_space },
	{ "systemd[1]: Startup finished in", ANYHOW, NULL, .take = on_user_space },

	/* Looking for the image and reading it: hibernate.c, swap.c, snapshot.c */
	{ "Image signature found, resuming", PM, NULL, .take = on_reading },
	{ "resume from hibernation failed (", PM, "4.14-5.5", .take = on_resume_failed },
	{ "resume from hibernation", PM, NULL, .take = on_reading },
	{ "Loading hibernation image", PM, NULL, .take = on_reading },
	{ "Loading and decompressing image", PM, NULL, .take = on_reading },
	{ "Loading image data", PM, NULL, .take = on_reading },
	{ "Image loading progress: ", PM, NULL, .take = on_reading },
	{ "Image loading done", PM, NULL, .take = on_loaded },
	{ "Image successfully loaded", PM, NULL, .take = on_loaded },
	{ "Read ", PM, NULL, .take = on_read },

	/* Back: hibernate.c, snapshot.c, timekeeping.c */
	{ "Hibernation image restored successfully", PM, NULL, .take = on_restored },
	{ "Image restored successfully", PM, "-5.19", .take = on_restored },
	{ "free pages cleared after restore", PM, NULL, .take = on_restored },
	{ "Suspended for ", ANYHOW, "-4.14", .take = on_away },
	{ "Timekeeping suspended for ", PM, NULL, .take = on_away },

	/* Failures to make the image */
	{ "Error taking CPU", ANYHOW, NULL, .take = on_cpu_down },
	{ "Non-boot CPUs are not disabled", ANYHOW, NULL, .take = on_cpus_left },
	{ "Error -", PM, NULL, .take = on_error_creating },
	{ "Some devices failed to power down", PM, NULL, FAIL(HIBERNATING, FAILURE_DEVICE_BUSY,
		"a device refused to stop") },
	{ "Some system devices failed to power down", PM, NULL, FAIL(HIBERNATING, FAILURE_DEVICE_BUSY,
		"a system device refused to stop") },
	{ "Not enough free memory", PM, "-6.18", FAIL(HIBERNATING, FAILURE_MEMORY,
		"there is not enough free memory to make the image") },
	{ "Memory allocation failed", PM, "-6.18", FAIL(HIBERNATING, FAILURE_MEMORY,
		"there is not enough free memory to make the image") },
	{ "Image allocation is ", PM, NULL, FAIL(HIBERNATING, FAILURE_MEMORY,
		"the kernel could not reserve enough memory for the image") },
	{ "Cannot allocate original bitmap", PM, NULL, FAIL(HIBERNATING, FAILURE_MEMORY,
		"there is not enough free memory to make the image") },
	{ "Cannot allocate copy bitmap", PM, NULL, FAIL(HIBERNATING, FAILURE_MEMORY,
		"there is not enough free memory to make the image") },
	{ "Cannot allocate zero bitmap", PM, "6.7-", FAIL(HIBERNATING, FAILURE_MEMORY,
		"there is not enough free memory to make the image") },
	{ "Wakeup event detected during hibernation", PM, "6.12-", FAIL(HIBERNATING, FAILURE_WAKEUP,
		"an event woke the machine while it was hibernating") },
	{ "Wakeup pending", PM, NULL, FAIL(NOT_BY_ITSELF, FAILURE_WAKEUP,
		"an event woke the machine while it was hibernating") },
	{ "active wakeup source: ", PM, NULL, .take = on_waker },
	{ "last active wakeup source: ", PM, NULL, .take = on_waker },
	{ "Lockdown: ", ANYHOW, "5.4-", .take = on_lockdown },
	{ "* compression is not available", PM, "6.9-", .take = on_no_compression },

	/* Failures to write it */
	{ "Not enough free swap", PM, NULL, FAIL(HIBERNATING, FAILURE_SWAP_SPACE,
		"there is not enough free swap for the image") },
	{ "Cannot find swap device", PM, NULL, FAIL(HIBERNATING, FAILURE_SWAP_DEVICE,
		"the kernel's resume device and offset are not an active swap") },
	{ "Cannot get swap writer", PM, NULL, FAIL(HIBERNATING, FAILURE_SWAP_SPACE,
		"no free page of swap is left to write the image to") },
	{ "Swap header not found", PM, NULL, FAIL(HIBERNATING, FAILURE_SWAP_DEVICE,
		"there is no swap header where the kernel's resume offset points") },
	{ "Image saving failed: ", PM, "6.12-", .take = on_saving_failed },
	{ "Failed to allocate ", PM, NULL, FAIL(HIBERNATING, FAILURE_MEMORY,
		"there is not enough free memory to write or read the image") },
	{ "Could not allocate comp ", PM, "6.9-", FAIL(HIBERNATING, FAILURE_MEMORY,
		"there is not enough free memory to write or read the image") },
	{ "Cannot start ", PM, NULL, FAIL(HIBERNATING, FAILURE_MEMORY,
		"the kernel could not start what compresses the image") },
	{ "* compression failed", PM, NULL, .take = on_packing },
	{ "Invalid * compressed length", PM, NULL, .take = on_packing },
	{ "Adding page to bio failed at ", PM, "-6.12", .take = on_packing },
	{ "Write-error on swap-device", ANYHOW, NULL, .take = on_write_error },

	/* Failures to find, read or restore it */
	{ "Image not found (code ", PM, NULL, .take = on_not_found },
	{ "Hibernation image not present", PM, NULL, .take = on_not_present },
	{ "Image mismatch: ", PM, NULL, .take = on_mismatch },
	{ "Suspend image hardware signature mismatch", PM, NULL, FAIL(READING, FAILURE_IMAGE_MISMATCH,
		"the image is of other hardware (its signature differs)") },
	{ "Hibernate inconsistent memory map", ANYHOW, NULL, FAIL(READING, FAILURE_IMAGE_MISMATCH,
		"the image is of a machine with another memory map") },
	{ "[Firmware Bug]: Memory map mismatch", PM, "6.7-", FAIL(READING, FAILURE_IMAGE_MISMATCH,
		"the image is of a machine with another memory map") },
	{ "Unrecognized hibernate image header format", ANYHOW, NULL, FAIL(READING, FAILURE_IMAGE_MISMATCH,
		"the image is of another kernel: the format of its header is not this one's") },
	{ "Cannot find swsusp signature", PM, NULL, FAIL(NOT_BY_ITSELF, FAILURE_OTHER,
		"there is no image where the kernel's resume offset points") },
	{ "Invalid image CRC32", PM, NULL, FAIL(READING, FAILURE_OTHER,
		"the image is damaged (its checksum differs)") },
	{ "* decompression failed", PM, NULL, .take = on_damaged },
	{ "Invalid * uncompressed length", PM, NULL, .take = on_damaged },
	{ "Read-error on swap-device", ANYHOW, NULL, .take = on_read_error },
	{ "Failed to load image", PM, "5.6-", FAIL(READING, FAILURE_OTHER,
		"the image could not be loaded") },
	{ "Failed to load hibernation image", PM, "-5.5", FAIL(READING, FAILURE_OTHER,
		"the image could not be loaded") },
	{ "resume failed (", PM, "5.6-", .take = on_resume_failed },

	/* arm64: arch/arm64/kernel/hibernate.c */
	{ "hibernate: Can't hibernate: no mechanism to offline", ANYHOW, NULL, FAIL(HIBERNATING, FAILURE_OTHER,
		"this machine cannot take its other CPUs off line") },
	{ "hibernate: Failing to hibernate on an unknown CPU", ANYHOW, NULL, FAIL(HIBERNATING, FAILURE_OTHER,
		"the kernel does not know the CPU that it hibernates on") },
	{ "hibernate: Hibernate image not generated by this kernel", ANYHOW, NULL, FAIL(READING, FAILURE_IMAGE_MISMATCH,
		"the image is of another build of the kernel") },
	{ "hibernate: Hibernated on a CPU not known to this kernel", ANYHOW, NULL, FAIL(READING, FAILURE_IMAGE_MISMATCH,
		"the image is of a machine with other CPUs") },
	{ "hibernate: Failing to resume from hibernate on an unknown CPU", ANYHOW, NULL, FAIL(READING, FAILURE_IMAGE_MISMATCH,
		"the image is of a machine with other CPUs") },
	{ "hibernate: Failed to bring hibernate-CPU up", ANYHOW, NULL, FAIL(READING, FAILURE_OTHER,
		"the CPU that the image was made on could not be started") },
	{ "hibernate: Failed to setup el2 vectors", ANYHOW, NULL, FAIL(NOT_BY_ITSELF, FAILURE_OTHER,
		"the kernel could not prepare the hypervisor's vectors") },
	{ "hibernate: Failed to allocate ", ANYHOW, NULL, FAIL(NOT_BY_ITSELF, FAILURE_MEMORY,
		"there is not enough free memory to write or read the image") },
	{ "hibernate: Failed to ", ANYHOW, NULL, FAIL(NOT_BY_ITSELF, FAILURE_OTHER,
		"the kernel could not prepare for the image") },

	/* What ends everything */
	{ "Kernel panic - not syncing", ANYHOW, NULL, .take = on_panic },
	{ "Oops: ", ANYHOW, NULL, .take = on_crash },
	{ "Internal error: ", ANYHOW, NULL, .take = on_crash },
	{ "BUG: unable to handle ", ANYHOW, NULL, .take = on_crash },
	{ "BUG: kernel NULL pointer dereference", ANYHOW, NULL, .take = on_crash },
	{ "BUG: stack guard page", ANYHOW, NULL, .take = on_crash },
	{ "kernel BUG at ", ANYHOW, NULL, .take = on_crash },
	{ "invalid opcode: ", ANYHOW, NULL, .take = on_crash },
	{ "divide error: ", ANYHOW, NULL, .take = on_crash },
	{ "Unable to handle kernel ", ANYHOW, NULL, .take = on_crash },
	{ "general protection fault", ANYHOW, NULL, .take = on_crash },
};
/* clang-format on */

const size_t timeline_message_count = ARRAY_SIZE(timeline_messages);

_Static_assert(ARRAY_SIZE(timeline_messages) < UINT8_MAX, "timeline_search.c has a byte for each");

/* ---- A line -------------------------------------------------------------------------------- */

static void take_failure(struct parser *parser, const struct message *message)
{
	switch (message->side) {
	case NOT_BY_ITSELF:
		if (!parser->open)
			return;
		break;
	case HIBERNATING:
		parser_begin(parser);
		break;
	case READING:
		on_reading(parser, "");
		break;
	}
	parser_fail(parser, message->failure, "%s", message->sentence);
}

/* After a crash: a line that the same kernel would not say if it had been the end. */
static bool goes_on(const struct message *message)
{
	return message->take && message->take != on_crash && message->take != on_panic &&
	       message->take != on_boot && message->take != on_boot_cpu &&
	       message->take != on_boot_journal && message->take != on_user_space &&
	       message->take != on_entry && message->take != on_suspend &&
	       message->take != on_not_found && message->take != on_not_present;
}

void parser_take_line(struct parser *parser, const struct log_line *line)
{
	const char *rest = "";
	const struct message *message = message_find(line->message, &rest);

	parser->line = line;
	if (parser->suspending &&
		!(message && (message->take == on_entry || message->take == on_suspend_exit ||
				     message->take == on_boot)))
		return;
	if (message && parser->crash && goes_on(message))
		text_set(&parser->crash, NULL);
	if (message && message->take)
		message->take(parser, rest);
	else if (message && message->sentence)
		take_failure(parser, message);
	else if (!message && !parser_take_device(parser, line->message) && parser->names_to_come) {
		parser->names_to_come--;
		parser_take_name(parser, line->message);
	}
}
