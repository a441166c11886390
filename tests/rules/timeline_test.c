/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hibernations in kernel logs: what is in a log, and what is read from it, side by side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/rules/timeline_check.h"

/* ---- Whole logs --------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *expected;
} logs[] = {
	{ "linux-4.9-messages",
		"cycle\nresult resumed\nfailure_id -\nfailure -\nstamp Nov 21 13:00:02\n"
		"entry 4021118\nsync -\nfreeze_user 4\nfreeze_kernel 1\n"
		"allocate_size 2096754688\nallocate_time 1500\nallocate_rate 1397831680\n"
		"devices_freeze_us 106910\ndevices_freeze_late_us 884\n"
		"devices_freeze_noirq_us 2503\nimage_pages 148822\n"
		"image_size 609574912\nthreads -\nwrite_size ?\nwrite_time ?\n"
		"write_rate ?\nread_size ?\nread_time ?\nread_rate ?\npower_off -\n"
		"away 8019471\ndevices_restore_noirq_us 6015\n"
		"devices_restore_early_us 432\ndevices_restore_us 118227\nexit 4023192\n" },
	{ "linux-4.9-console", "cycle\nresult resumed\nfailure_id -\nstamp -\nentry 4021118\n"
			       "freeze_user 4\nthreads 2\nwrite_size 610779136\nwrite_time 3520\n"
			       "write_rate 173516800\nread_size 610779136\nread_time 2220\n"
			       "read_rate 275118080\npower_off 4026856\naway 8019471\n"
			       "devices_restore_us 98227\nexit 4023192\n" },
	{ "linux-5.10-journal",
		"cycle\nresult resumed\nstamp 2026-11-21T08:05:11+0000\nentry -\nsync 21\n"
		"freeze_user 3\nfreeze_kernel 1\nallocate_size 1233797120\n"
		"allocate_time 310\nimage_pages 143991\nimage_size 589787136\n"
		"write_size ?\nread_rate ?\naway -\nexit -\n" },
	{ "linux-6.1-console",
		"cycle\nresult resumed\nentry 15657\nsync 9\nfreeze_user 2\n"
		"freeze_kernel 10\nallocate_time 6050\nimage_pages 21327\nthreads 1\n"
		"write_size 87527424\nwrite_time 1270\nwrite_rate 68915200\n"
		"power_off 23485\nread_size 87527424\nread_time 1450\nexit 21936\n" },
	{ "linux-6.1-refused",
		"cycle\nresult failed\nfailure_id swap-device\nfreeze_user 5\nwrite_size -\n"
		"cycle\nresult failed\nfailure_id swap-space\nimage_pages 20440\n"
		"threads 1\nwrite_size -\nwrite_rate -\n"
		"cycle\nresult failed\nfailure_id freezing\n"
		"failure 1 task did not freeze within 1.009 s: touch\n"
		"cycle\nresult resumed\nfailure -\nimage_pages 20714\nwrite_size ?\n"
		"entry 25883\nexit 26471\n" },
	{ "linux-6.1-freezing",
		"cycle\nresult failed\nfailure_id freezing\nfailure 2 tasks did not freeze "
		"within 20.003 s: mount.nfs4, df\nentry 610001\nfreeze_user -\n"
		"exit 630060\nwrite_size -\n"
		"cycle\nresult resumed\nfailure_id -\nentry 640001\nfreeze_user 2\n"
		"write_size ?\n" },
};

static void whole_logs_are_read(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		timeline_list found = { 0 };
		size_t size;
		memory_cleanup_free char *log = timeline_log(logs[i].name, &size);

		timelines_parse(log, size, TIMELINE_PAGE, &found);
		timeline_check(logs[i].name, &found, logs[i].expected);
		timelines_free(&found);
	}
}

/* ---- What dmesg, syslog and the rest put in front ---------------------------------------- */

static void lines_are_read_whatever_is_in_front(void **state UNUSED)
{
	static const struct {
		const char *format; /* of one line, %s for the kernel's words */
		const char *expected;
	} rows[] = {
		{ "%s", "stamp -\nentry -" },
		{ "[   12.345678] %s", "stamp -\nentry 12345" },
		{ "[12.3] %s", "stamp -\nentry 12300" },
		{ "<6>[   12.345678] %s", "stamp -\nentry 12345" },
		{ "<30>[12.345678][ T2131] %s", "entry 12345" },
		{ "[   12.345678] [    C0] %s", "entry 12345" },
		{ "[Sat Nov 21 13:00:02 2026] %s", "stamp Sat Nov 21 13:00:02 2026\nentry -" },
		{ "6,123,12345678,-;%s", "stamp -\nentry 12345" },
		{ "6,123,12345678,-,caller=T123;%s", "entry 12345" },
		{ "Nov 21 13:00:02 host kernel: [   12.345678] %s",
			"stamp Nov 21 13:00:02\nentry 12345" },
		{ "Nov  1 03:00:02 host kernel: %s", "stamp Nov  1 03:00:02\nentry -" },
		{ "2026-11-21T13:00:02+0000 host kernel: %s",
			"stamp 2026-11-21T13:00:02+0000\nentry -" },
		{ "2026-11-21T13:00:02.123456+01:00 h kernel: [12.345678] %s",
			"stamp 2026-11-21T13:00:02.123456+01:00\nentry 12345" },
		{ "login: [   12.345678] %s", "entry 12345" },
		{ "\033[H\033[J[   12.345678] %s\r", "entry 12345" },
		{ "[   12.345678] %s \r", "entry 12345" },
	};
	static const char *const words[] = { "PM: hibernation: hibernation entry",
		"Freezing user space processes ... (elapsed 0.007 seconds) done.",
		"PM: hibernation: Need to copy 10 pages", "PM: hibernation: hibernation exit" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *log = NULL, *expected = NULL;

		for (size_t k = 0; k < ARRAY_SIZE(words); k++) {
			const char *place = strstr(rows[i].format, "%s");

			text_append(&log, "%.*s%s%s\n", (int)(place - rows[i].format),
				rows[i].format, words[k], place + 2);
		}
		expected = text_format("cycle\nresult resumed\nfreeze_user 7\n"
				       "image_size 40960\n%s",
			rows[i].expected);
		timeline_check_text(log, expected);
	}
}

static void lines_of_other_programs_do_not_count(void **state UNUSED)
{
	timeline_check_text(
		"Nov 21 13:00:02 host logger: PM: hibernation: hibernation entry\n"
		"Nov 21 13:00:02 host sh[12]: kernel: PM: hibernation entry\n"
		"Nov 21 13:00:02 host sudo: a : COMMAND= kernel: PM: hibernation entry\n"
		"2026-11-21T13:00:02Z host sh[1]: [ 12.3] PM: hibernation entry\n"
		"grep: PM: hibernation: hibernation entry\n"
		" SUBSYSTEM=PM: hibernation: hibernation entry\n"
		"6,1,2,-;x PM: hibernation: hibernation entry\n",
		"");
	timeline_check_text("[    0.1] Linux version 6.1.0\n"
			    "[    0.2] PM: hibernation: Registered nosave memory: [mem 0x0-0xfff]\n"
			    "[    1.9] PM: Image not found (code -22)\n"
			    "[    1.9] PM: Hibernation image not present or could not be loaded.\n"
			    "[   99.0] reboot: Power down\n",
		"");
}

static void suspend_to_memory_is_no_hibernation(void **state UNUSED)
{
	timeline_check_text("PM: suspend entry (deep)\nPM: Syncing filesystems ... done.\n"
			    "Freezing user space processes ... (elapsed 0.001 seconds) done.\n"
			    "PM: freeze of devices complete after 1.000 msecs\n"
			    "Restarting tasks ... done.\nPM: suspend exit\n",
		"");
	timeline_check_text("PM: Syncing filesystems ... done.\n"
			    "Freezing user space processes ... (elapsed 0.001 seconds) done.\n"
			    "Restarting tasks ... done.\n",
		"");
	timeline_check_text(
		"PM: suspend entry (s2idle)\nPM: suspend exit\n"
		"PM: hibernation entry\nPM: Need to copy 1 pages\nPM: hibernation exit\n",
		"cycle\nresult resumed");
}

/* ---- Failures ---------------------------------------------------------------------------- */

#define ENTRY	"PM: hibernation: hibernation entry\n"
#define EXIT	"PM: hibernation: hibernation exit\n"
#define FROZEN	"Freezing user space processes ... (elapsed 0.001 seconds) done.\n"
#define SNAP	"PM: hibernation: Need to copy 1000 pages\n"
#define CREATED "PM: hibernation: Image created (1000 pages copied)\n"
#define WROTE                                                                                      \
	"PM: Using 2 thread(s) for lz4 compression\n"                                              \
	"PM: hibernation: Wrote 4000 kbytes in 0.50 seconds (8.00 MB/s)\n"                         \
	"PM: Image size after compression: 1500 kbytes\nPM: S|\nreboot: Power down\n"
#define BOOT	 "[    0.0] Linux version 6.1.0\n"
#define READING	 "PM: hibernation: resume from hibernation\n"
#define READ	 "PM: hibernation: Read 4000 kbytes in 0.25 seconds (16.00 MB/s)\n"
#define NOT_LOAD "PM: hibernation: Failed to load image, recovering.\n"

static const struct {
	const char *log;
	const char *id;
	const char *failure;
} failures[] = {
	{ "PM: Syncing filesystems ... done.\nFreezing user space processes ... \n"
	  "Freezing of tasks failed after 20.008 seconds (1 tasks refusing to freeze, "
	  "wq_busy=0):\n  task                        PC stack   pid father\n"
	  "systemd-udevd   D13440   382    330 0x80004124\nCall Trace:\n\n"
	  "Restarting tasks ... done.\n",
		"freezing", "1 task did not freeze within 20.008 s: systemd-udevd" },
	{ ENTRY FROZEN "Freezing remaining freezable tasks ...\n"
		       "Freezing of tasks failed after 20.002 seconds (7 tasks refusing to "
		       "freeze, wq_busy=1):\nhwrng           R  running task        0   289      "
		       "2 0x00000020\n" EXIT,
		"freezing",
		"7 kernel tasks and a work queue did not freeze within 20.002 s: hwrng and 6 more" },
	{ ENTRY FROZEN "Freezing remaining freezable tasks\n"
		       "Freezing remaining freezable tasks failed after 20.002 seconds (0 tasks "
		       "refusing to freeze, wq_busy=1):\n"
		       "Showing freezable workqueues that are still busy:\n"
		       "workqueue events_freezable_pwr_efficient: flags=0x86\n"
		       "  pwq 20: cpus=0-3 node=0 flags=0x4 nice=0 active=1 refcnt=2\n" EXIT,
		"freezing",
		"a work queue of the kernel was still busy after 20.002 s: "
		"events_freezable_pwr_efficient" },
	{ ENTRY "Freezing user space processes\nFreezing user space processes aborted "
		"after 0.013 seconds (3 tasks refusing to freeze, wq_busy=0):\n" EXIT,
		"wakeup", "an event woke the machine while its tasks were being frozen" },
	{ ENTRY SNAP CREATED "PM: Not enough free swap\n" EXIT, "swap-space",
		"there is not enough free swap for the image" },
	{ ENTRY SNAP CREATED "PM: Cannot get swap writer\n" EXIT, "swap-space",
		"no free page of swap is left to write the image to" },
	{ ENTRY SNAP CREATED "PM: Cannot find swap device, try swapon -a\n"
			     "PM: Cannot get swap writer\n" EXIT,
		"swap-device", "the kernel's resume device and offset are no active swap" },
	{ "PM: Syncing filesystems ... done.\nPM: Need to copy 10 pages\n"
	  "PM: writing image.\nPM: Cannot find swap device, try swapon -a.\n"
	  "Restarting tasks ... done.\n",
		"swap-device", "the kernel's resume device and offset are no active swap" },
	{ ENTRY SNAP CREATED "PM: Swap header not found!\n" EXIT, "swap-device",
		"there is no swap header where the kernel's resume offset points" },
	{ ENTRY "PM: Device usb8 failed to freeze async: error -2\n" EXIT, "device-busy",
		"device usb8 refused to stop (error -2)" },
	{ ENTRY "xhci_hcd 0000:00:14.0: PM: pci_pm_freeze(): hcd_pci_suspend returns -16\n"
		"xhci_hcd 0000:00:14.0: PM: failed to freeze async: error -16\n" EXIT,
		"device-busy", "device xhci_hcd 0000:00:14.0 refused to stop (error -16)" },
	{ ENTRY "PM: Device 0000:00:05.0 failed to freeze noirq: error -16\n"
		"PM: Some devices failed to power down, aborting hibernation\n" EXIT,
		"device-busy", "device 0000:00:05.0 refused to stop (error -16)" },
	{ ENTRY "PM: hibernation: Some devices failed to power down, aborting hibernation\n" EXIT,
		"device-busy", "a device refused to stop" },
	{ ENTRY "nvme nvme0: PM: not prepared for power transition: code -11\n" EXIT, "device-busy",
		"device nvme nvme0 refused to stop (error -11)" },
	{ ENTRY SNAP "PM: hibernation: Not enough free memory\n"
		     "PM: hibernation: Error -12 creating image\n" EXIT,
		"memory", "there is not enough free memory to make the image" },
	{ ENTRY "PM: hibernation: Image allocation is 812 pages short\n" EXIT, "memory",
		"the kernel could not set enough memory aside for the image" },
	{ ENTRY FROZEN "PM: Preallocating image memory... \n"
		       "Restarting tasks ... done.\n" EXIT,
		"memory", "the kernel could not set enough memory aside for the image" },
	{ ENTRY SNAP CREATED "PM: Failed to allocate LZO page\n" EXIT, "memory",
		"there is not enough free memory to write or read the image" },
	{ ENTRY "PM: hibernation: Wakeup event detected during hibernation, rolling back.\n" EXIT,
		"wakeup", "an event woke the machine while it was hibernating" },
	{ ENTRY SNAP CREATED WROTE BOOT "PM: Image not found (code -22)\n", "image-missing",
		"the boot found no image (code -22)" },
	{ ENTRY SNAP CREATED WROTE BOOT READING
		"PM: hibernation: Image mismatch: kernel version\n" READ NOT_LOAD
		"PM: hibernation: resume failed (-1)\n",
		"image-mismatch",
		"the image is of another kernel or machine: kernel version differs" },
	{ READING "PM: Image mismatch: architecture specific data\n" NOT_LOAD, "image-mismatch",
		"the image is of another kernel or machine: architecture specific data differs" },
	{ ENTRY SNAP CREATED WROTE BOOT "PM: Suspend image hardware signature mismatch "
					"(00000001 now 00000002); aborting resume.\n",
		"image-mismatch", "the image is of other hardware (its signature differs)" },
	{ READING READ "nvidia 0000:01:00.0: PM: failed to quiesce async: error -5\n" NOT_LOAD
		       "Restarting tasks ... done.\n"
		       "PM: hibernation: resume failed (-5)\n",
		"device-busy",
		"device nvidia 0000:01:00.0 refused to stop (error -5), so the image was "
		"not loaded" },
	{ READING "PM: hibernation: resume failed (-5)\n", "other",
		"the image could not be loaded (error -5)" },
	{ ENTRY SNAP CREATED "PM: Compressing and saving image data (10 pages)...\n"
			     "Write-error on swap-device (259:0:12345)\n" EXIT,
		"other", "writing the image failed: the disk has an error" },
	{ ENTRY SNAP "PM: hibernation: Error -5 creating image\n" EXIT, "other",
		"the kernel could not make the image (error -5)" },
	{ ENTRY SNAP CREATED EXIT, "other",
		"the machine did not switch off after the image was made; the log has no reason" },
	{ ENTRY SNAP CREATED
		"PM: Compressing and saving image data (21105 pages)...\n"
		"PM: Image saving progress:  10%\n"
		"PM: hibernation: Wrote 84420 kbytes in 0.20 seconds (422.10 MB/s)\n" EXIT,
		"swap-space",
		"the kernel stopped writing the image without a word, as it does when there "
		"is not enough free swap" },
	{ ENTRY FROZEN EXIT, "other",
		"the kernel gave up before it made an image; the log has no reason" },
};

static void failures_are_named(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		memory_cleanup_free char *expected =
			text_format("cycle\nresult failed\nfailure_id %s\nfailure %s\n"
				    "away -\nwrite_size %s",
				failures[i].id, failures[i].failure,
				strstr(failures[i].log, "reboot: Power down") ? "4096000" : "-");

		timeline_check_text(failures[i].log, expected);
	}
}

static void failures_have_stable_names(void **state UNUSED)
{
	for (int failure = 0; failure < FAILURES; failure++) {
		struct timeline timeline = { 0 };
		const char *name = timeline_failure_name((enum timeline_failure)failure);

		if (failure != FAILURE_NONE)
			fact_set_text(&timeline.failure_id, name);
		assert_int_equal(timeline_failure_of(&timeline), failure);
		layout_free(&timeline_layout, &timeline);
	}
	assert_true(timeline_failure_passes(FAILURE_FREEZING));
	assert_true(timeline_failure_passes(FAILURE_DEVICE_BUSY));
	assert_false(timeline_failure_passes(FAILURE_SWAP_SPACE));
	assert_false(timeline_failure_passes(FAILURE_IMAGE_MISMATCH));
	assert_false(timeline_failure_passes(FAILURE_NONE));
}

/* ---- Parts of a cycle, several, and others in between --------------------------------------- */

static void cycles_are_told_apart(void **state UNUSED)
{
	static const struct {
		const char *log;
		const char *expected;
	} rows[] = {
		{ "", "" },
		{ ENTRY, "cycle\nresult incomplete\nfailure_id -" },
		{ ENTRY SNAP CREATED WROTE, "cycle\nresult incomplete\nthreads 2\n"
					    "write_time 500\nwrite_rate 8192000\n"
					    "compressed_size 1536000" },
		{ ENTRY "PM: Not enough free swap\n",
			"cycle\nresult failed\nfailure_id swap-space" },
		{ EXIT, "cycle\nresult incomplete" },
		{ SNAP EXIT, "cycle\nresult resumed\nimage_pages 1000" },
		{ READING READ SNAP EXIT, "cycle\nresult resumed\nread_time 250" },
		{ ENTRY SNAP EXIT ENTRY SNAP EXIT, "cycle\nresult resumed\ncycle\nresult resumed" },
		{ ENTRY SNAP CREATED WROTE ENTRY SNAP EXIT,
			"cycle\nresult incomplete\ncycle\nresult resumed\nthreads -" },
		{ ENTRY SNAP CREATED WROTE BOOT
			"PM: Image not found (code -6)\n" READING FROZEN READ SNAP EXIT,
			"cycle\nresult resumed\nfailure -\nfreeze_user -\n"
			"read_size 4096000" },
		{ ENTRY SNAP CREATED WROTE SNAP "Restarting tasks: Starting\n"
						"Restarting tasks: Done\n" EXIT,
			"cycle\nresult resumed\nread_size ?\nwrite_size 4096000" },
		{ ENTRY SNAP "Restarting tasks ... done.\n", "cycle\nresult resumed" },
		{ ENTRY "hibernation debug: Waiting for 5 seconds.\n" EXIT,
			"cycle\nresult tested" },
		{ ENTRY "PM: hibernation: debug: Waiting for 5 seconds.\n" EXIT,
			"cycle\nresult tested" },
		{ ENTRY "Freezing user space processes ... \nrandom: crng init done\n"
			"(elapsed 0.005 seconds) done.\n" SNAP EXIT,
			"cycle\nresult resumed\nfreeze_user 5" },
		{ ENTRY "PM: Timekeeping suspended for 12.500 seconds\n" SNAP EXIT,
			"cycle\naway 12500" },
		{ "PM: Allocated 100 pages for snapshot\n"
		  "PM: Allocated 6400 kbytes in 0.01 seconds (640.00 MB/s)\n" SNAP,
			"cycle\nresult incomplete\nimage_size 65536000" },
		/* Through /dev/snapshot nothing announces it. */
		{ "Freezing user space processes\n"
		  "Freezing user space processes completed (elapsed 0.005 seconds)\n" SNAP,
			"cycle\nresult incomplete\nfreeze_user 5\nimage_pages 1000" },
		{ "Freezing user space processes\n"
		  "Freezing of tasks failed after 1.004 seconds (1 tasks refusing to freeze, "
		  "wq_busy=0):\n"
		  "task:dd              state:D stack:0     pid:214   ppid:213    flags:0x00004006\n",
			"cycle\nfailure_id freezing\n"
			"failure 1 task did not freeze within 1.004 s: dd" },
		{ "Freezing user space processes ... \n", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		timeline_check_text(rows[i].log, rows[i].expected);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_logs_are_read),
		cmocka_unit_test(lines_are_read_whatever_is_in_front),
		cmocka_unit_test(lines_of_other_programs_do_not_count),
		cmocka_unit_test(suspend_to_memory_is_no_hibernation),
		cmocka_unit_test(failures_are_named),
		cmocka_unit_test(failures_have_stable_names),
		cmocka_unit_test(cycles_are_told_apart),
	};

	return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
