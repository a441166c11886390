/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hibernations in kernel logs: what is in a log, and what is read from it, side by side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/timeline_parser.h"
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

/*
 * Logs that were judged wrongly once: of real machines, or made up after the kernel's sources, each with
 * its right answer. The files of the formats hold the same cycle in many forms.
 */
#define FIVE_PAGES "cycle\nresult resumed\nfailure -\nimage_pages 5\n"

static const struct {
	const char *name;
	const char *expected;
} cases[] = {
	{ "aws-json", "cycle\nresult resumed\nentry 15657\nimage_pages 21327\nexit 21936" },
	{ "compress-errors", "cycle\nresult failed\nfailure_id other\nwrite_size -\n"
			     "failure packing the image failed" },
	{ "cpu-down", "cycle\nresult failed\nfailure CPU 1 could not be stopped (error -16)" },
	{ "crash", "cycle\nresult failed\nfailure the kernel crashed: Oops: general protection "
		   "fault, probably for non-canonical address 0xdffffc00000" },
	{ "format-dmesg-colour", FIVE_PAGES },
	{ "format-dmesg-decode-T", FIVE_PAGES },
	{ "format-dmesg-delta", FIVE_PAGES },
	{ "format-dmesg-iso", FIVE_PAGES },
	{ "format-grep-file", FIVE_PAGES },
	{ "format-journal-export", FIVE_PAGES },
	{ "format-journal-json", FIVE_PAGES },
	{ "format-journal-short-full", FIVE_PAGES },
	{ "format-journal-short-unix", FIVE_PAGES },
	{ "format-kernel-only", FIVE_PAGES },
	{ "format-short-monotonic",
		FIVE_PAGES "cycle\nresult failed\n"
			   "failure device nvme 0000:00:04.0 refused to stop (error -5)" },
	{ "grep-entry-exit", "cycle\nresult unknown\nfailure -" },
	{ "hibernate-verb", "cycle\nresult resumed\nfailure -" },
	{ "image-damaged", "cycle\nresult failed\nfailure_id other\nread_size -\n"
			   "failure the image is damaged (its checksum differs)" },
	{ "image-saving-failed",
		"cycle\nresult failed\nfailure_id other\n"
		"failure writing the image failed (error -11)\nimage_pages 900000" },
	{ "lost-incomplete", "cycle\nresult failed\nfailure_id image-missing\n"
			     "cycle\nresult incomplete\nfailure_id -" },
	{ "lz4-unavailable",
		"cycle\nresult failed\nfailure the boot found the image, but its kernel cannot "
		"unpack it (lz4)" },
	{ "memory-map", "cycle\nresult failed\nfailure_id image-mismatch\n"
			"failure the image is of a machine with another memory map" },
	{ "order", "cycle\nstamp Nov 21 01:00:02\nresult resumed\n"
		   "cycle\nstamp Nov 28 05:00:02\nresult resumed" },
	{ "platform-off", "cycle\nresult resumed\nentry 15600\npower_off 23400\nexit 21900" },
	{ "read-numbers", "cycle\nresult failed\nfailure_id image-mismatch\nread_size -\n"
			  "read_time -\nread_rate -" },
	{ "real-02", "cycle\nresult resumed\nimage_pages 1517335" },
	{ "real-04", "cycle\nresult failed\nfailure_id device-busy\n"
		     "failure device port 0000:02:00.1:0.0 refused to stop (error -16)" },
	{ "real-05", "cycle\nresult failed\nfailure_id swap-device" },
	{ "real-06", "cycle\nresult failed\nfailure_id swap-device" },
	{ "real-07", "cycle\nresult resumed\nentry 23567\npower_off 26708\naway 11016\n"
		     "write_size 167276544\nread_size 167276544\nexit 24206" },
	{ "real-09", "cycle\nresult failed\nfailure a work queue of the kernel was still busy "
		     "after 20.009 s: events_freezable, usb_hub_wq" },
	{ "real-11", "cycle\nresult resumed\nfailure -\nimage_pages 143991" },
	{ "real-12", "cycle\nresult resumed\nfailure -\npower_off 23483\nread_time 1450" },
	{ "real-15", "cycle\nresult failed\nfailure_id swap-device" },
	{ "real-16", "cycle\nresult failed\nfailure_id image-mismatch\nread_size -" },
	{ "real-17", "cycle\nresult failed\nfailure_id image-mismatch\nread_size -" },
	{ "real-18", "cycle\nresult failed\nfailure_id device-busy\nread_time 3650" },
	{ "real-21", "cycle\nresult resumed\nentry 3871\nimage_pages 3371\nexit 7911" },
	{ "real-22", "cycle\nresult resumed\nimage_pages 330336\nexit 49489" },
	{ "real-24", "cycle\nresult resumed\nimage_pages 115354\npower_off 56643\n"
		     "read_time 470\nwrite_size 473718784" },
	{ "real-30", "cycle\nresult failed\nfailure the boot found no image (code -22)" },
	{ "swap-error-later", "cycle\nresult failed\nfailure_id image-missing\n"
			      "failure the machine did not come back: it stopped before the image "
			      "was written, or the next boot did not find it" },
	{ "v619-console-not-found-first",
		"cycle\nresult resumed\nfailure -\nread_time 1450\nexit 21936" },
	{ "v619-resumed", "cycle\nresult resumed\nfailure -\nimage_pages 143991" },
	{ "wq-names", "cycle\nresult failed\nfailure a work queue of the kernel was still busy "
		      "after 20.003 s: usb_hub_wq" },
	{ "xen-migration", "" },
	{ "xen-suspend", "" },
	{ "zero-pages", "cycle\nresult incomplete\nimage_pages 115354\nwrite_size 473718784" },
};

static void cases_have_their_right_answers(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memory_cleanup_free char *name = text_format("cases/%s", cases[i].name);
		timeline_list found = { 0 };
		size_t size;
		memory_cleanup_free char *log = timeline_log(name, &size);

		timelines_parse(log, size, TIMELINE_PAGE, &found);
		timeline_check(name, &found, cases[i].expected);
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
		/* dmesg -d, -x, -x -T, -e, --time-format iso, delta; in colour */
		{ "[   12.345678 <    0.000012>] %s", "stamp -\nentry 12345" },
		{ "[<    0.000012>] %s", "stamp -\nentry -" },
		{ "kern  :info  : [   12.345678] %s", "entry 12345" },
		{ "kern  :warn  : [Sun Nov 29 19:32:57 2026] %s",
			"stamp Sun Nov 29 19:32:57 2026" },
		{ "[Nov29 19:32] %s", "stamp Nov29 19:32" },
		{ "[  +0.000012] %s", "stamp -" },
		{ "2026-11-29T19:32:57,657435+00:00 %s", "stamp 2026-11-29T19:32:57,657435+00:00" },
		{ "kern  :err   : 2026-11-29T19:32:57,657435+00:00 %s",
			"stamp 2026-11-29T19:32:57,657435+00:00" },
		{ "\033[32m[   12.345678] \033[0m\033[33m%s\033[0m", "entry 12345" },
		{ "[   12.345678] [ T2131@C0] %s", "entry 12345" },
		/* journalctl -o short-full, with-unit, short-iso-precise, -precise, -unix, -monotonic */
		{ "Sat 2026-11-28 13:00:15 UTC host kernel: %s",
			"stamp Sat 2026-11-28 13:00:15 UTC\nhost host" },
		{ "Sat 2026-11-28 13:00:15 +0530 host kernel: %s",
			"stamp Sat 2026-11-28 13:00:15 +0530" },
		{ "2026-11-28T13:00:15.657435+0100 host kernel: %s",
			"stamp 2026-11-28T13:00:15.657435+0100" },
		{ "Nov 28 13:00:15.657435 host kernel: %s", "stamp Nov 28 13:00:15.657435" },
		{ "1764334815.657435 host kernel: %s", "stamp 1764334815.657435\nhost host" },
		{ "[   12.345000] host kernel: %s", "entry 12345\nhost host" },
		/* journalctl -o short in other languages */
		{ "nov. 28 13:00:15 host kernel: %s", "stamp nov. 28 13:00:15\nhost host" },
		{ "28 nov. 13:00:15 host kernel: %s", "host host" },
		{ "Nov. 28 13:00:15 host kernel: %s", "host host" },
		{ "d\303\251c. 05 13:00:15 host kernel: %s", "host host" },
		{ "11\346\234\210 28 13:00:15 host kernel: %s", "host host" },
		{ "\320\275\320\276\321\217 28 13:00:15 host kernel: %s", "host host" },
		/* RFC 5424, busybox, macOS-like pids, an old rsyslog with a year */
		{ "<6>1 2026-11-28T13:00:15.657Z host kernel - - - %s",
			"stamp 2026-11-28T13:00:15.657Z\nhost host" },
		{ "<6>1 2026-11-28T13:00:15Z host kernel - - [meta@1 a=\"b\"] %s", "host host" },
		{ "<6>Nov 28 13:00:15 host kernel: [   12.345678] %s", "entry 12345\nhost host" },
		{ "Nov 28 13:00:15 host kern.info kernel: [   12.345678] %s", "entry 12345" },
		{ "Nov 28 2026 13:00:15 host kernel: %s", "stamp Nov 28 2026 13:00:15" },
		{ "Nov 28 13:00:15 host.example.com kernel[0]: %s", "host host.example.com" },
		{ "kernel: %s", "stamp -" },
		{ "kernel: [   12.345678] %s", "entry 12345" },
		/* ts(1), terminal programs and consoles with clocks of their own, others' indentation */
		{ "Nov 28 13:00:15 [   12.345678] %s", "entry 12345\nstamp Nov 28 13:00:15" },
		{ "Nov 28 13:00:15 %s", "stamp Nov 28 13:00:15\nhost -" },
		{ "[2026-11-28 13:00:15] [   12.345678] %s", "entry 12345" },
		{ "[2026-11-28T13:00:15.123Z] [   12.345678] %s", "entry 12345" },
		{ "[13:00:15] [   12.345678] %s", "entry 12345" },
		{ "13:00:15.123 [   12.345678] %s", "entry 12345" },
		{ "2026-11-28 13:00:15 [   12.345678] %s", "entry 12345" },
		{ "2026-11-28 13:00:15,123 %s", "stamp 2026-11-28 13:00:15,123" },
		{ "    [   12.345678] %s", "entry 12345" },
		{ "\t%s", "entry -" },
		/* grep's file name, also with the number of the line */
		{ "/var/log/messages:Nov 28 13:00:15 host kernel: %s", "stamp Nov 28 13:00:15" },
		{ "messages-20261128:12:Nov 28 13:00:15 host kernel: %s", "stamp Nov 28 13:00:15" },
		{ "kern.log:[   12.345678] %s", "entry 12345" },
		{ "117:[   12.345678] %s", "entry 12345" },
		{ "dmesg.txt:6,123,12345678,-;%s", "entry 12345" },
		{ "dmesg.txt:%s", "entry -" },
		{ "dmesg.txt:117:%s", "entry -" },
		{ "kern.log-117-Nov 28 13:00:15 host kernel: %s", "host host" },
		/* numbers of lines, quotations and lists, from where logs are shown to others */
		{ "   117\t%s", "entry -" },
		{ "   117  [   12.345678] %s", "entry 12345" },
		{ " 117 | %s", "entry -" },
		{ "> %s", "entry -" },
		{ "| > [   12.345678] %s", "entry 12345" },
		{ "+%s", "entry -" },
		{ "- [   12.345678] %s", "entry 12345" },
		{ "\"[   12.345678] %s\",", "entry 12345" },
		{ "\302\240[   12.345678]\302\240%s", "entry 12345" },
		{ "\357\273\277%s", "entry -" },
		/* colours that became text */
		{ "^[[32m[   12.345678] ^[[0m^[[33m%s^[[0m^M", "entry 12345" },
		{ "ESC[32m[   12.345678] ESC[0m%s", "entry 12345" },
		{ "\\033[32m[   12.345678] \\033[0m%s", "entry 12345" },
		{ "[32m[   12.345678] [0m[33m%s[0m", "entry 12345" },
		{ "?[32m[   12.345678] ?[0m%s", "entry 12345" },
		/* a console that goes back to the beginning of its line */
		{ "login: \r%s\r", "entry -" },
		/* dates with a zone and a year after the time, with slashes, in words of other languages */
		{ "Sat Nov 28 13:00:15 UTC 2026 %s", "stamp Sat Nov 28 13:00:15 UTC 2026" },
		{ "Sat Nov 28 01:00:15 PM UTC 2026 %s", "stamp Sat Nov 28 01:00:15 PM UTC 2026" },
		{ "Sat Nov 28 13:00:15 2026 kern.info kernel: [   12.345678] %s",
			"stamp Sat Nov 28 13:00:15 2026\nentry 12345" },
		{ "2026/11/28 13:00:15 %s", "stamp 2026/11/28 13:00:15" },
		{ "[Sa Nov 28 13:00:15 2026] %s", "stamp Sa Nov 28 13:00:15 2026" },
		{ "Sat 2026-11-28 13:00:15 Europe/Berlin host kernel: %s", "host host" },
		{ "2026-11-28 13:00:15 UTC host kernel: %s", "host host" },
		{ "1764334815 host kernel: %s", "host host" },
		{ "[   12.345678               ] host kernel: %s", "entry 12345\nhost host" },
		/* RFC 5424 without a priority, with a process, with several elements of data */
		{ "1 2026-11-28T13:00:15.657Z host kernel - - - %s", "host host" },
		{ "<6>1 2026-11-28T13:00:15.657Z host kernel 0 - - %s", "host host" },
		{ "<6>1 2026-11-28T13:00:15Z host kernel - - [a@1 b=\"c\"][d@1 e=\"f\"] %s",
			"host host" },
		{ "123 <6>1 2026-11-28T13:00:15Z host kernel - - - %s", "host host" },
		/* other hosts, and what collectors put in front */
		{ "Nov 28 13:00:15 fe80::1 kernel: [   12.345678] %s", "host fe80::1" },
		{ "2026-11-28T13:00:15.657Z i-012 Nov 28 13:00:15 host kernel: %s", "host host" },
		{ "vm-1  | Nov 28 13:00:15 host kernel: %s", "host host" },
		{ "1764334815657,\"Nov 28 13:00:15 host kernel: %s\"", "host host" },
		{ "2026-11-28T13:00:15.123456789Z stdout F [   12.345678] %s", "entry 12345" },
		{ "6.1.0-13,6,123,12345678,-;%s", "entry 12345" },
		/* a clock of whoever passed it on, before the log's own; what is no host */
		{ "Nov 28 14:00:15 Nov 28 13:00:15 kernel: %s", "stamp Nov 28 13:00:15\nhost -" },
		{ "Nov 28 14:00:15 2026-11-28T13:00:15+0000 host kernel: %s",
			"stamp 2026-11-28T13:00:15+0000\nhost host" },
		{ "[14:00:15.123] <6>1 2026-11-28T13:00:15Z host kernel - - - %s", "host host" },
		{ "Nov 28 14:00:15 kern  :info  : [   12.345678] %s", "entry 12345" },
		{ "13:00:15 6,123,12345678,-;%s", "entry 12345" },
		{ "1764334815 %s", "stamp 1764334815" },
		{ "a.log-Nov 28 13:00:15 kernel: %s", "host -" },
		{ "/var/log/a.log-1764334815.657435 kernel: %s", "host -" },
		/* Kubernetes, busybox without its klogd's name, metalog, socklog, daemontools, clush */
		{ "2026-11-28T13:00:15.123456789Z stdout F %s", "entry -" },
		{ "Nov 28 13:00:15 host kern.warn %s", "host host" },
		{ "Nov 28 13:00:15 [kernel] %s", "stamp Nov 28 13:00:15" },
		{ "2026-11-28_13:00:15.12345 kern.info: %s", "stamp 2026-11-28_13:00:15.12345" },
		{ "@4000000065f1a2b300000000 kern.info: %s", "entry -" },
		{ "web-1: Nov 28 13:00:15 host kernel: %s", "host host" },
		/* callers as other kernels name them */
		{ "[   12.345678] [  123] %s", "entry 12345" },
		{ "[   12.345678] [T123:systemd-sleep] %s", "entry 12345" },
		/* logfmt, CSV, Loki's labels, a table */
		{ "time=\"2026-11-28T13:00:15Z\" level=info msg=\"%s\"", "entry -" },
		{ "message=\"%s\" host=h level=info", "entry -" },
		{ "\"2026-11-28T13:00:15Z\",\"h\",\"kernel\",\"%s\"", "entry -" },
		{ "2026-11-28T13:00:15Z,h,kernel,%s", "entry -" },
		{ "2026-11-28T13:00:15+01:00 {job=\"kern\"} %s",
			"stamp 2026-11-28T13:00:15+01:00" },
		{ "host | %s", "entry -" },
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

/* The same three lines in whatever else holds them. */
static void records_are_read_like_lines(void **state UNUSED)
{
	static const char *const rows[] = {
		/* dmesg -J */
		"{\n   \"dmesg\": [\n      {\n         \"pri\": 6,\n"
		"         \"time\":     12.345678,\n"
		"         \"msg\": \"PM: hibernation: hibernation entry\"\n      },{\n"
		"         \"pri\": 6,\n         \"time\":     12.400000,\n"
		"         \"msg\": \"PM: hibernation: Need to copy 5 pages\"\n      },{\n"
		"         \"pri\": 6,\n         \"time\":     12.500000,\n"
		"         \"msg\": \"PM: hibernation: hibernation exit\"\n      }\n   ]\n}\n",
		/* the same through jq -c */
		"{\"dmesg\":[{\"pri\":6,\"time\":12.345,\"msg\":\"PM: hibernation: hibernation entry\"},"
		"{\"time\":12.4,\"msg\":\"PM: hibernation: Need to copy 5 pages\"},"
		"{\"time\":12.5,\"msg\":\"PM: hibernation: hibernation exit\"}]}\n",
		/* journalctl -o json-sse, json-seq, json-pretty, verbose */
		"data: {\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"PM: hibernation entry\"}\n\n"
		"data: {\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"PM: Need to copy 5 pages\"}\n\n"
		"data: {\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"PM: hibernation exit\"}\n\n",
		"\036{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"PM: hibernation entry\"}\n"
		"\036{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"PM: Need to copy 5 pages\"}\n"
		"\036{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"PM: hibernation exit\"}\n",
		"{\n\t\"_TRANSPORT\" : \"kernel\",\n\t\"MESSAGE\" : \"PM: hibernation entry\"\n}\n"
		"{\n\t\"MESSAGE\" : \"PM: Need to copy 5 pages\",\n\t\"_TRANSPORT\" : \"kernel\"\n}\n"
		"{\n\t\"_TRANSPORT\" : \"kernel\",\n\t\"MESSAGE\" : \"PM: hibernation exit\"\n}\n",
		"Sat 2026-11-28 13:00:15.657435 UTC [s=1;i=2;b=3;m=4;t=5;x=6]\n"
		"    _TRANSPORT=kernel\n    MESSAGE=PM: hibernation entry\n    _HOSTNAME=h\n"
		"Sat 2026-11-28 13:00:15.700000 UTC [s=1;i=3;b=3;m=4;t=5;x=7]\n"
		"    _TRANSPORT=kernel\n    MESSAGE=PM: Need to copy 5 pages\n    _HOSTNAME=h\n"
		"Sat 2026-11-28 13:00:16.000000 UTC [s=1;i=4;b=3;m=4;t=5;x=8]\n"
		"    _TRANSPORT=kernel\n    MESSAGE=PM: hibernation exit\n    _HOSTNAME=h\n",
		/* aws ec2 get-console-output as the API gives it, in base64 */
		"{\"InstanceId\": \"i-0\", \"Output\": \"UE06IGhpYmVybmF0aW9uIGVudHJ5DQpQTTogTmVlZCB0byBjb3B5IDUgcGFnZXMNClBNOiBoaWJlcm5hdGlvbiBleGl0DQo=\"}\n",
		/* its output through jq, as YAML, as bytes of Python */
		"\"PM: hibernation entry\\r\\nPM: Need to copy 5 pages\\r\\nPM: hibernation exit\\r\\n\"\n",
		"InstanceId: i-0\nOutput: \"[ 1.0] PM: hibernation entry\\r\\n"
		"[ 1.1] PM: Need to copy 5 pages\\r\\n[ 1.2] PM: hibernation exit\\r\\n\"\n",
		"b'[ 1.0] PM: hibernation entry\\r\\n[ 1.1] PM: Need to copy 5 pages\\r\\n"
		"[ 1.2] PM: hibernation exit\\r\\n'\n",
		/* lines that end with a carriage return */
		"PM: hibernation entry\rPM: Need to copy 5 pages\rPM: hibernation exit\r",
		"PM: hibernation entry\n\rPM: Need to copy 5 pages\n\rPM: hibernation exit\n\r",
		/* CloudWatch: events, the results of a query, and an agent's lines */
		"{\n  \"events\": [\n    {\n      \"timestamp\": 1764334815657,\n"
		"      \"message\": \"Nov 28 13:00:15 ip-10-0-0-1 kernel: PM: hibernation entry\"\n    },\n"
		"    {\n      \"message\": \"Nov 28 13:00:16 ip-10-0-0-1 kernel: PM: Need to copy 5 pages\"\n"
		"    },\n    {\n      \"message\": \"Nov 28 13:00:17 ip-10-0-0-1 kernel: PM: hibernation exit\"\n"
		"    }\n  ]\n}\n",
		"{\"results\":[[{\"field\":\"@message\",\"value\":\"[ 1.0] PM: hibernation entry\"}],"
		"[{\"field\":\"@message\",\"value\":\"[ 1.1] PM: Need to copy 5 pages\"}],"
		"[{\"field\":\"@message\",\"value\":\"[ 1.2] PM: hibernation exit\"}]]}\n",
		"{\"message\":\"PM: hibernation entry\",\"host\":{\"name\":\"h\"}}\n"
		"{\"message\":\"PM: Need to copy 5 pages\",\"host\":{\"name\":\"h\"}}\n"
		"{\"message\":\"PM: hibernation exit\",\"host\":{\"name\":\"h\"}}\n",
		/* Docker's own, and arrays of lines and of records */
		"{\"log\":\"[ 1.0] PM: hibernation entry\\n\",\"stream\":\"stdout\"}\n"
		"{\"log\":\"[ 1.1] PM: Need to copy 5 pages\\n\",\"stream\":\"stdout\"}\n"
		"{\"log\":\"[ 1.2] PM: hibernation exit\\n\",\"stream\":\"stdout\"}\n",
		"[\"PM: hibernation entry\",\"PM: Need to copy 5 pages\",\"PM: hibernation exit\"]\n",
		"[{\"MESSAGE\":\"PM: hibernation entry\"},{\"MESSAGE\":\"PM: Need to copy 5 pages\"},"
		"{\"MESSAGE\":\"PM: hibernation exit\"}]\n",
		/* the answer of the API itself, its base64 alone and after a tab or a key of YAML */
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<GetConsoleOutputResponse>\n"
		"    <instanceId>i-0</instanceId>\n    <output>WyAgICAxLjBdIFBNOiBoaWJlcm5hdGlvbiBlbnRyeQ0KWyAgICAxLjFdIFBNOiBOZWVkIHRvIGNvcHkgNSBwYWdlcw0KWyAgICAxLjJdIFBNOiBoaWJlcm5hdGlvbiBleGl0DQo=</output>\n"
		"</GetConsoleOutputResponse>\n",
		"<GetConsoleOutputResponse><output>\n"
		"WyAgICAxLjBdIFBNOiBoaWJlcm5hdGlvbiBlbnRyeQ0KWyAgICAxLjFdIFBNOiBOZWVkIHRvIGNv\n"
		"cHkgNSBwYWdlcw0KWyAgICAxLjJdIFBNOiBoaWJlcm5hdGlvbiBleGl0DQo=\n"
		"</output></GetConsoleOutputResponse>\n",
		"WyAgICAxLjBdIFBNOiBoaWJlcm5hdGlvbiBlbnRyeQ0KWyAgICAxLjFdIFBNOiBOZWVkIHRvIGNv\n"
		"cHkgNSBwYWdlcw0KWyAgICAxLjJdIFBNOiBoaWJlcm5hdGlvbiBleGl0DQo=\n",
		"i-0\tWyAgICAxLjBdIFBNOiBoaWJlcm5hdGlvbiBlbnRyeQ0KWyAgICAxLjFdIFBNOiBOZWVkIHRvIGNvcHkgNSBwYWdlcw0KWyAgICAxLjJdIFBNOiBoaWJlcm5hdGlvbiBleGl0DQo=\t2026-11-28T13:00:15.000Z\n",
		"InstanceId: i-0\nOutput: WyAgICAxLjBdIFBNOiBoaWJlcm5hdGlvbiBlbnRyeQ0KWyAgICAxLjFdIFBNOiBOZWVkIHRvIGNvcHkgNSBwYWdlcw0KWyAgICAxLjJdIFBNOiBoaWJlcm5hdGlvbiBleGl0DQo=\nTimestamp: 2026\n",
		"\"WyAgICAxLjBdIFBNOiBoaWJlcm5hdGlvbiBlbnRyeQ0KWyAgICAxLjFdIFBNOiBOZWVkIHRvIGNvcHkgNSBwYWdlcw0KWyAgICAxLjJdIFBNOiBoaWJlcm5hdGlvbiBleGl0DQo=\"\n",
		/* YAML in lines of 80 characters */
		"InstanceId: i-0\nOutput: \"[    1.0] PM: hibernation entry\\r\\n[    1.1] PM: Need\\\n"
		"  \\ to copy 5 pages\\r\\n[    1.2] PM: hiber\\\n  nation exit\\r\\n\"\nTimestamp: x\n",
		/* words as an array of bytes */
		"{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":[80,77,58,32,104,105,98,101,114,110,97,116,105,"
		"111,110,32,101,110,116,114,121]}\n"
		"{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"PM: Need to copy 5 pages\"}\n"
		"{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":[\"PM: hibernation exit\",\"x\"]}\n",
		/* GELF, Splunk, Azure, OpenTelemetry, Elastic's agent */
		"{\"host\":\"h\",\"short_message\":\"PM: hibernation entry\",\"_x\":1}\n"
		"{\"result\":{\"_raw\":\"[ 1.0] PM: Need to copy 5 pages\"}}\n"
		"{\"SyslogMessage\":\"PM: hibernation exit\",\"ProcessName\":\"kernel\"}\n",
		"{\"event\":\"PM: hibernation entry\",\"host\":\"h\"}\n"
		"{\"body\":{\"stringValue\":\"PM: Need to copy 5 pages\"}}\n"
		"{\"message\":\"PM: hibernation exit\",\"log\":{\"offset\":1}}\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		timeline_check_text(rows[i], "cycle\nresult resumed\nimage_pages 5");
	/* The journal has the kernel's clock as well. */
	timeline_check_text("__REALTIME_TIMESTAMP=1764334815657435\n_TRANSPORT=kernel\n"
			    "MESSAGE=PM: hibernation entry\n"
			    "_SOURCE_MONOTONIC_TIMESTAMP=12345678\n\n",
		"cycle\nentry 12345\nstamp 2025-11-28T13:00:15Z");
	timeline_check_text(
		"{\"message\":\"Nov 28 13:00:15 host sudo: PM: hibernation entry\"}\n", "");
	timeline_check_text("{\"appname\":\"sh\",\"message\":\"PM: hibernation entry\"}\n", "");
	/* Base64 that is something else, and what is only like it. */
	timeline_check_text("aGVsbG8gd29ybGQhIGhlbGxvIHdvcmxkISBoZWxsbyB3b3JsZCEgaGVsbG8gd29ybGQh\n"
			    "PM: hibernation entry\n",
		"cycle\nresult incomplete");
	timeline_check_text("-rw- /usr/lib/x86/linux/gnu/a/very/long/path/that/is/only/letters/x\n"
			    "entry\nPM: hibernation entry\n",
		"cycle\nresult incomplete");
	timeline_check_text("{\"_TRANSPORT\":\"syslog\",\"SYSLOG_IDENTIFIER\":\"sh\","
			    "\"MESSAGE\":\"PM: hibernation entry\"}\n",
		"");
}

#define BYTES(text)                                                                                \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static void bytes_that_are_no_text_are_read(void **state UNUSED)
{
	static const struct {
		const char *bytes;
		size_t size;
	} rows[] = {
		/* a field of the journal by its length, also of one that has newlines */
		BYTES("__CURSOR=s\n_TRANSPORT=kernel\nX\n\x0e\0\0\0\0\0\0\0a\n\nMESSAGE=no\n\nMESSAGE\n"
		      "\x15\0\0\0\0\0\0\0PM: hibernation entry\n\n"
		      "_TRANSPORT=kernel\nMESSAGE=PM: Need to copy 5 pages\n\n"
		      "_TRANSPORT=kernel\nMESSAGE=PM: hibernation exit\n\n"),
		/* lines that end with a NUL */
		BYTES("PM: hibernation entry\n\0PM: Need to copy 5 pages\n\0PM: hibernation exit\n\0"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		timeline_list found = { 0 };

		timelines_parse(rows[i].bytes, rows[i].size, TIMELINE_PAGE, &found);
		timeline_check(rows[i].bytes, &found, "cycle\nresult resumed\nimage_pages 5");
		timelines_free(&found);
	}
}

static void logs_are_read_in_the_order_of_time(void **state UNUSED)
{
	static const struct {
		const char *log;
		const char *expected;
		bool backwards, out_of_order;
	} rows[] = {
		/* journalctl -r, dmesg | tac */
		{ "Nov 28 13:00:20 h kernel: PM: hibernation: hibernation exit\n"
		  "Nov 28 13:00:18 h kernel: PM: hibernation: Need to copy 5 pages\n"
		  "Nov 28 13:00:15 h kernel: PM: hibernation: hibernation entry\n",
			"cycle\nresult resumed\nstamp Nov 28 13:00:15", true, false },
		{ "[    9.3] PM: hibernation: hibernation exit\n"
		  "[    9.2] PM: hibernation: Need to copy 5 pages\n"
		  "[    9.1] PM: hibernation: hibernation entry\n"
		  "[    5.3] PM: hibernation: hibernation exit\n"
		  "[    5.2] PM: hibernation: Need to copy 5 pages\n"
		  "[    5.1] PM: hibernation: hibernation entry\n",
			"cycle\nresult resumed\nentry 5100\ncycle\nresult resumed\nentry 9100",
			true, false },
		/* zcat messages*: the newer file first, and a cycle over its edge */
		{ "Nov 28 01:00:00 h kernel: PM: hibernation: Need to copy 5 pages\n"
		  "Nov 28 01:00:02 h kernel: PM: hibernation: hibernation exit\n"
		  "Nov 21 05:00:02 h kernel: PM: hibernation: hibernation entry\n"
		  "Nov 21 05:00:02 h kernel: PM: hibernation: Need to copy 7 pages\n"
		  "Nov 21 06:00:02 h kernel: PM: hibernation: hibernation exit\n"
		  "Nov 27 23:59:59 h kernel: PM: hibernation: hibernation entry\n",
			"cycle\nresult resumed\nimage_pages 7\ncycle\nresult resumed\n"
			"stamp Nov 27 23:59:59\nimage_pages 5",
			false, true },
		/* the machine came back with a wrong date */
		{ "Nov 28 13:00:15 h kernel: [   15.1] PM: hibernation: hibernation entry\n"
		  "Nov 28 08:00:01 h kernel: [   15.2] PM: hibernation: Need to copy 7 pages\n"
		  "Nov 28 08:00:01 h kernel: [   15.3] PM: hibernation: hibernation exit\n",
			"cycle\nresult resumed\nstamp Nov 28 13:00:15\nimage_pages 7", false,
			false },
		/* a year ends */
		{ "Dec 31 23:59:59 h kernel: PM: hibernation: hibernation entry\n"
		  "Jan  1 00:00:02 h kernel: PM: hibernation: Need to copy 7 pages\n"
		  "Jan  1 00:00:05 h kernel: PM: hibernation: hibernation exit\n",
			"cycle\nresult resumed\nstamp Dec 31 23:59:59", false, false },
		/* two machines in one stream */
		{ "Nov 28 13:00:15 a kernel: PM: hibernation: hibernation entry\n"
		  "Nov 28 13:00:15 b kernel: PM: hibernation: hibernation entry\n"
		  "Nov 28 13:00:16 a kernel: PM: hibernation: Need to copy 5 pages\n"
		  "Nov 28 13:00:16 b kernel: PM: Not enough free swap\n"
		  "Nov 28 13:00:17 b kernel: PM: hibernation: hibernation exit\n"
		  "Nov 28 13:00:18 a kernel: PM: hibernation: hibernation exit\n",
			"cycle\nhost a\nresult resumed\ncycle\nhost b\nresult failed\n"
			"failure_id swap-space",
			false, false },
		/* each line twice, as two rules of a syslog write it */
		{ "[    5.1] PM: hibernation: hibernation entry\n"
		  "[    5.1] PM: hibernation: hibernation entry\n"
		  "[    5.2] PM: hibernation: Need to copy 5 pages\n"
		  "[    5.2] PM: hibernation: Need to copy 5 pages\n"
		  "[    5.3] PM: hibernation: hibernation exit\n"
		  "[    5.3] PM: hibernation: hibernation exit\n",
			"cycle\nresult resumed\nimage_pages 5", false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct timelines *timelines = timelines_begin(TIMELINE_PAGE);
		struct log_account account;
		timeline_list found = { 0 };

		/* In pieces of any size. */
		for (size_t k = 0; k < strlen(rows[i].log); k += 7)
			timelines_feed(timelines, rows[i].log + k, strnlen(rows[i].log + k, 7));
		timelines_end(timelines, &found, &account);
		timeline_check(rows[i].log, &found, rows[i].expected);
		assert_int_equal(account.backwards, rows[i].backwards);
		assert_int_equal(account.out_of_order, rows[i].out_of_order);
		assert_int_equal(account.unread, 0);
		timelines_free(&found);
	}
}

static void lines_that_cannot_be_read_are_counted(void **state UNUSED)
{
	static const char log[] = "2026|11|28 host (kernel) PM: hibernation: hibernation entry\n"
				  "Nov 28 13:00:15 host logger: PM: hibernation: hibernation exit\n"
				  "kernel: PM: hibernation: Marking nosave pages: [mem 0x0-0xfff]\n"
				  "PM: hibernation: Basic memory bitmaps created\n";
	struct timelines *timelines = timelines_begin(TIMELINE_PAGE);
	struct log_account account;
	timeline_list found = { 0 };

	timelines_feed(timelines, log, strlen(log));
	timelines_end(timelines, &found, &account);
	assert_int_equal(found.count, 0);
	assert_int_equal(account.unread, 1);
	/* One that can be read counts for nothing. */
	assert_string_equal(
		account.first, "2026|11|28 host (kernel) PM: hibernation: hibernation entry");
	timelines_free(&found);
}

/* What is searched for in a log of any size finds every line of the table. */
static void every_row_of_the_table_is_found(void **state UNUSED)
{
	const char *words, *kernels;
	bool pm;

	for (size_t i = 0; (words = message_row(i, &pm, &kernels)); i++) {
		memory_cleanup_free char *line =
			text_format("[    1.0] %s%s1", pm ? "PM: " : "", words);
		struct log_line *read = memory_new(1, sizeof(*read));

		log_line_read(read, line, strlen(line));
		if (!messages_search(line, strlen(line)) || !message_is_known(read))
			fail_msg("\"%s\" is not found", line);
		free(read);
	}
}

/* ---- Failures ---------------------------------------------------------------------------- */

#define ENTRY	      "PM: hibernation: hibernation entry\n"
#define EXIT	      "PM: hibernation: hibernation exit\n"
#define FROZEN	      "Freezing user space processes ... (elapsed 0.001 seconds) done.\n"
#define FROZEN_KERNEL "Freezing remaining freezable tasks completed (elapsed 0.001 seconds)\n"
#define SNAP	      "PM: hibernation: Need to copy 1000 pages\n"
#define CREATED	      "PM: hibernation: Image created (1000 pages copied)\n"
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
	{ ENTRY "Freezing user space processes ... \n"
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
	/* Those that are shown afterwards for another reason did not refuse. */
	{ ENTRY "Freezing user space processes\nFreezing user space processes failed after 20.001 "
		"seconds (1 tasks refusing to freeze, wq_busy=0):\n"
		"task:df              state:D stack:0     pid:9     ppid:1      flags:0x00000004\n"
		"Restarting tasks: Starting\n"
		"task:sh              state:S stack:0     pid:8     ppid:1      flags:0x00000004\n" EXIT,
		"freezing", "1 task did not freeze within 20.001 s: df" },
	{ ENTRY "Freezing user space processes\nFreezing user space processes aborted "
		"after 0.013 seconds (3 tasks refusing to freeze, wq_busy=0):\n" EXIT,
		"wakeup", "an event woke the machine while its tasks were being frozen" },
	{ ENTRY SNAP CREATED "PM: Not enough free swap\n" EXIT, "swap-space",
		"there is not enough free swap for the image" },
	{ ENTRY SNAP CREATED "PM: Cannot get swap writer\n" EXIT, "swap-space",
		"no free page of swap is left to write the image to" },
	{ ENTRY SNAP CREATED "PM: Cannot find swap device, try swapon -a\n"
			     "PM: Cannot get swap writer\n" EXIT,
		"swap-device", "the kernel's resume device and offset are not an active swap" },
	{ "PM: Syncing filesystems ... done.\nPM: Need to copy 10 pages\n"
	  "PM: writing image.\nPM: Cannot find swap device, try swapon -a.\n"
	  "Restarting tasks ... done.\n",
		"swap-device", "the kernel's resume device and offset are not an active swap" },
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
		"the kernel could not reserve enough memory for the image" },
	{ ENTRY FROZEN "PM: Preallocating image memory... \n"
		       "Restarting tasks ... done.\n" EXIT,
		"memory", "the kernel could not reserve enough memory for the image" },
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
	{ ENTRY SNAP CREATED
		"PM: Compressing and saving image data (21105 pages)...\n"
		"PM: Image saving progress:  10%\n"
		"PM: hibernation: Wrote 84420 kbytes in 0.20 seconds (422.10 MB/s)\n" EXIT,
		"swap-space",
		"the kernel stopped writing the image without a word, as it does when there "
		"is not enough free swap" },
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
		{ "Freezing user space processes ... \n", "" },
		/* A log that begins in the middle has no second cycle at its end. */
		{ "Freezing user space processes\n" SNAP "Restarting tasks ... done.\n" EXIT,
			"cycle\nresult resumed" },
		{ CREATED WROTE BOOT READING READ "Restarting tasks: Starting\n" EXIT,
			"cycle\nresult resumed" },
		/* What proves nothing is not called a failure. */
		{ ENTRY EXIT, "cycle\nresult unknown\nfailure_id -" },
		{ ENTRY SNAP CREATED EXIT, "cycle\nresult unknown\nfailure_id -" },
		{ ENTRY FROZEN "Restarting tasks ... done.\n" EXIT,
			"cycle\nresult unknown\nfailure_id -" },
		/* Nor is what a search for "PM:" or "hibernation" leaves of a log. */
		{ ENTRY "PM: hibernation: Preallocating image memory\n" EXIT,
			"cycle\nresult unknown\nfailure_id -" },
		{ ENTRY SNAP CREATED
			"PM: hibernation: Wrote 4000 kbytes in 0.50 seconds (8.00 MB/s)\n" EXIT,
			"cycle\nresult unknown\nfailure_id -" },
		{ "PM: Image saving done\n" BOOT
		  "PM: Image loading done\nRestarting tasks ... done.\n" BOOT,
			"cycle\nresult incomplete\nfailure_id -" },
		/* "S|": the header of the swap was written, so all of the image was before */
		{ ENTRY "PM: Image saving progress:  90%\nPM: hibernation: Wrote 4000 kbytes in 0.50 seconds "
			"(8.00 MB/s)\nPM: S|\n" EXIT,
			"cycle\nresult resumed\nfailure_id -" },
		{ ENTRY BOOT, "cycle\nresult incomplete\nfailure_id -" },
		{ ENTRY "-- Boot 0123456789abcdef --\n" BOOT,
			"cycle\nresult failed\nfailure_id image-missing" },
		/* A crash is one where it was the end. */
		{ ENTRY SNAP
			"kernel BUG at kernel/power/snapshot.c:99!\ninvalid opcode: 0000 [#1] SMP\n",
			"cycle\nresult failed\n"
			"failure the kernel crashed: kernel BUG at kernel/power/snapshot.c:99!" },
		{ ENTRY SNAP "divide error: 0000 [#1] SMP\n" BOOT,
			"cycle\nresult failed\nfailure the kernel crashed: divide error: 0000 [#1] SMP" },
		{ ENTRY SNAP "general protection fault: 0000 [#1] SMP\n" CREATED WROTE,
			"cycle\nresult incomplete\nfailure -" },
		{ ENTRY SNAP "BUG: sleeping function called from invalid context at a.c:1\n",
			"cycle\nresult incomplete\nfailure -" },
		{ ENTRY "nvme nvme0: PM: **** DPM device timeout after 60 seconds; 60 seconds until panic ****\n" SNAP
				EXIT,
			"cycle\nresult resumed\nfailure -" },
		/* Linux 6.19 and later do not tell of the image. */
		{ ENTRY FROZEN FROZEN_KERNEL "Restarting tasks: Starting\n" EXIT,
			"cycle\nresult resumed" },
		/* It was told to power off in each of the modes. */
		{ ENTRY SNAP CREATED
			"PM: Image saving done\n"
			"ACPI: PM: Preparing to enter system sleep state S4\n" BOOT READING READ
				EXIT,
			"cycle\nresult resumed" },
		{ ENTRY SNAP CREATED "PM: Image saving done\nreboot: System halted\n" READING EXIT,
			"cycle\nresult resumed" },
		/* The image was lost: another boot, and nobody looked for it. */
		{ ENTRY SNAP CREATED WROTE BOOT ENTRY SNAP EXIT,
			"cycle\nresult failed\nfailure_id image-missing\ncycle\nresult resumed" },
		{ ENTRY SNAP CREATED WROTE BOOT "[    0.0] Linux version 6.2.0\n",
			"cycle\nresult failed\nfailure_id image-missing" },
		{ ENTRY SNAP CREATED WROTE BOOT "systemd[1]: Reached target Multi-User System.\n",
			"cycle\nresult failed\nfailure_id image-missing" },
		{ ENTRY SNAP CREATED WROTE BOOT, "cycle\nresult incomplete" },
		/* The kernel refused before it began. */
		{ "Lockdown: systemd-sleep: hibernation is restricted; see man kernel_lockdown.7\n",
			"cycle\nresult failed\n"
			"failure the kernel refused: it is in lockdown (Secure Boot)" },
		/* ... which it also says to whoever only looks whether it could */
		{ "Lockdown: systemd-logind: hibernation is restricted; see man kernel_lockdown.7\n",
			"" },
		{ "PM: hibernation: lz4 compression is not available\n",
			"cycle\nresult failed\n"
			"failure the kernel refused: it cannot pack the image (lz4)" },
		/* Pages of 64 KiB, as the log itself tells. */
		{ ENTRY "PM: hibernation: Allocated 1000 pages for snapshot\n"
			"PM: hibernation: Allocated 64000 kbytes in 0.31 seconds (206.45 MB/s)\n" SNAP
				EXIT,
			"cycle\nresult resumed\nimage_size 65536000" },
		/* What is no hibernation. */
		{ "Freezing user space processes\n"
		  "Freezing user space processes completed (elapsed 0.001 seconds)\n"
		  "PM: suspend exit\n",
			"" },
		{ "Freezing user space processes\n"
		  "Freezing user space processes failed after 20.001 seconds (1 tasks refusing to freeze, "
		  "wq_busy=0):\nxen:manage: do_suspend: freeze processes failed -16\n",
			"" },
		{ "Freezing user space processes\n"
		  "kexec_core: Starting new kernel\n",
			"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		timeline_check_text(rows[i].log, rows[i].expected);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_logs_are_read),
		cmocka_unit_test(cases_have_their_right_answers),
		cmocka_unit_test(lines_are_read_whatever_is_in_front),
		cmocka_unit_test(lines_of_other_programs_do_not_count),
		cmocka_unit_test(suspend_to_memory_is_no_hibernation),
		cmocka_unit_test(records_are_read_like_lines),
		cmocka_unit_test(bytes_that_are_no_text_are_read),
		cmocka_unit_test(logs_are_read_in_the_order_of_time),
		cmocka_unit_test(lines_that_cannot_be_read_are_counted),
		cmocka_unit_test(every_row_of_the_table_is_found),
		cmocka_unit_test(failures_are_named),
		cmocka_unit_test(failures_have_stable_names),
		cmocka_unit_test(cycles_are_told_apart),
	};

	return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
