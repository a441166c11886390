/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/base/process: what a request can ask for beyond process_run(). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"

/* Longer than any test may last, so that a limit that fails shows as a failure. */
#define LONG_MS 60000

static struct root host;

static int open_host(void **state UNUSED)
{
	struct error err;

	return root_open(&host, "/", &err);
}

static int close_host(void **state UNUSED)
{
	root_close(&host);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void keep_line(void *data, const char *line)
{
	strings_add(data, line);
}

/* Runs SCRIPT with /bin/sh; its lines are kept in LINES. */
static int run_script(const char *script, unsigned timeout_ms, unsigned grace_ms,
	struct strings *lines, struct error *err)
{
	const char *const arguments[] = { "/bin/sh", "-c", script, NULL };
	struct process process = { .root = &host,
		.arguments = arguments,
		.timeout_ms = timeout_ms,
		.grace_ms = grace_ms,
		.line = keep_line,
		.data = lines };

	return process_execute(&process, NULL, err);
}

/* ---- Lines --------------------------------------------------------------------------------- */

static void bytes_are_made_printable(void **state UNUSED)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *shown;
	} cases[] = {
		{ "", 0, "" },
		{ "plain", 5, "plain" },
		{ "a\tb", 3, "a b" },
		{ "dos\r", 4, "dos" },
		{ "a\rb", 3, "a\\x0db" },
		{ "a\0b", 3, "a\\x00b" },
		{ "\033[31mred", 8, "\\x1b[31mred" },
		{ "\x7f", 1, "\\x7f" },
		{ "caf\xc3\xa9", 5, "caf\xc3\xa9" },
		{ "\xe2\x82\xac", 3, "\xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80" },
		{ "\xc2\x9b", 2, "\\xc2\\x9b" }, /* a control of ISO 6429 */
		{ "\xc3", 1, "\\xc3" },
		{ "\xc0\xaf", 2, "\\xc0\\xaf" },	  /* overlong */
		{ "\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf" }, /* overlong */
		{ "\xed\xa0\x80", 3, "\\xed\\xa0\\x80" }, /* surrogate */
		{ "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80" },
		{ "\xff\xfe", 2, "\\xff\\xfe" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memory_cleanup_free char *shown = text_printable(cases[i].bytes, cases[i].length);

		assert_string_equal(shown, cases[i].shown);
	}
}

static void add_line(void *data, const char *line)
{
	strings_add(data, line);
}

static void lines_of_a_child_come_whole_or_not_at_all(void **state UNUSED)
{
	strings_cleanup struct strings got = { 0 };
	struct lines lines = { 0 };
	const size_t limit = 100000;
	char *line = memory_new(limit + 2, 1);
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 1024 * 1024) >= 0, 1);
	assert_true(lines_read(&lines, ends[0], limit, add_line, &got));
	assert_int_equal(file_write_all(ends[1], "one\n\n\001two", 9), 0);
	assert_true(lines_read(&lines, ends[0], limit, add_line, &got));
	assert_int_equal(got.count, 2);
	assert_int_equal(file_write_all(ends[1], "\nthree", 6), 0);
	memset(line, 'x', limit);
	assert_int_equal(file_write_all(ends[1], line, limit - 5), 0);
	assert_int_equal(file_write_all(ends[1], "\n", 1), 0);
	assert_true(lines_read(&lines, ends[0], limit, add_line, &got));
	assert_int_equal(got.count, 4);
	assert_string_equal(got.items[0], "one");
	assert_string_equal(got.items[1], "");
	assert_string_equal(got.items[2], "\001two");
	assert_int_equal(strlen(got.items[3]), limit);
	/* One that is too long is passed over, and so is its end when that comes later. */
	assert_int_equal(file_write_all(ends[1], line, limit), 0);
	assert_int_equal(file_write_all(ends[1], "xx", 2), 0);
	assert_true(lines_read(&lines, ends[0], limit, add_line, &got));
	assert_int_equal(file_write_all(ends[1], "its end\nafter\n", 14), 0);
	assert_true(lines_read(&lines, ends[0], limit, add_line, &got));
	assert_int_equal(got.count, 5);
	assert_string_equal(got.items[4], "after");
	close(ends[1]);
	assert_false(lines_read(&lines, ends[0], limit, add_line, &got));
	assert_int_equal(got.count, 5);
	lines_free(&lines);
	close(ends[0]);
	free(line);
}

static void lines_of_both_outputs_come_one_by_one(void **state UNUSED)
{
	strings_cleanup struct strings lines = { 0 };
	struct error err;

	assert_int_equal(run_script("echo one; printf 'two\\n\\nthree'; printf "
				    "'\\000\\377\\n' >&2",
				 LONG_MS, 0, &lines, &err),
		0);
	assert_int_equal(lines.count, 5);
	assert_true(strings_contain(&lines, "one"));
	assert_true(strings_contain(&lines, "two"));
	assert_true(strings_contain(&lines, ""));
	assert_true(strings_contain(&lines, "three"));
	assert_true(strings_contain(&lines, "\\x00\\xff"));
}

static void overlong_line_is_cut(void **state UNUSED)
{
	strings_cleanup struct strings lines = { 0 };
	struct error err;

	assert_int_equal(run_script("head -c 100000 /dev/zero | tr '\\000' a; echo; echo after",
				 LONG_MS, 0, &lines, &err),
		0);
	assert_int_equal(lines.count, 2);
	assert_int_equal(strlen(lines.items[0]), STREAM_LINE_LIMIT + strlen(" ..."));
	assert_true(text_ends(lines.items[0], "a ..."));
	assert_string_equal(lines.items[1], "after");
}

static void output_is_kept_up_to_its_limit(void **state UNUSED)
{
	const char *const arguments[] = { "/bin/sh", "-c", "head -c 3000000 /dev/zero", NULL };
	const char *const silent[] = { "true", NULL };
	memory_cleanup_free char *output = NULL;
	struct error err;

	/* Zeros end a text early; what is looked at is that all of it is read and none is lost. */
	assert_int_equal(process_run(&host, arguments, LONG_MS, &output, &err), 0);
	text_set(&output, NULL);
	assert_int_equal(process_run(&host, silent, LONG_MS, &output, &err), 0);
	assert_string_equal(output, "");
}

/* ---- Environment ----------------------------------------------------------------------------- */

static void added_variables_win_over_the_clean_ones(void **state UNUSED)
{
	const char *const arguments[] = { "env", NULL };
	const char *const environment[] = { "EC2HIB_ACTION=hibernate", "HOME=/nowhere",
		"EMPTY=", NULL };
	struct process process = { .root = &host,
		.arguments = arguments,
		.environment = environment,
		.timeout_ms = LONG_MS };
	memory_cleanup_free char *output = NULL;
	strings_cleanup struct strings lines = { 0 };
	struct error err;

	setenv("EC2HIB_SECRET", "1", 1);
	assert_int_equal(process_execute(&process, &output, &err), 0);
	strings_split(&lines, output, "\n");
	assert_int_equal(lines.count, 5);
	assert_true(strings_contain(&lines, "EC2HIB_ACTION=hibernate"));
	assert_true(strings_contain(&lines, "HOME=/nowhere"));
	assert_true(strings_contain(&lines, "EMPTY="));
	assert_true(strings_contain(&lines, "LC_ALL=C"));
	unsetenv("EC2HIB_SECRET");
}

/* signal(3) as the kernel has it: the handler is the first word of its struct sigaction. */
static void signal_of_libc(int number, void (*handler)(int))
{
	void (*action[16])(int) = { handler };

	syscall(SYS_rt_sigaction, number, action, NULL, (NSIG - 1) / 8);
}

static void ignored_signals_are_not_inherited(void **state UNUSED)
{
	strings_cleanup struct strings lines = { 0 };
	struct error err;
	void (*before)(int) = signal(SIGHUP, SIG_IGN);

	/* libc lets nobody touch these two, and some programs start others with them ignored. */
	signal_of_libc(32, SIG_IGN);
	signal_of_libc(33, SIG_IGN);
	/* The mask of ignored signals; a shell may ignore none of them by itself here. */
	assert_int_equal(run_script("grep SigIgn /proc/self/status", LONG_MS, 0, &lines, &err), 0);
	signal_of_libc(32, SIG_DFL);
	signal_of_libc(33, SIG_DFL);
	signal(SIGHUP, before);
	assert_int_equal(lines.count, 1);
	assert_string_equal(lines.items[0], "SigIgn: 0000000000000000");
}

/* ---- The end --------------------------------------------------------------------------------- */

static void time_limit_ends_the_program(void **state UNUSED)
{
	strings_cleanup struct strings lines = { 0 };
	struct error err;

	assert_int_equal(run_script("sleep 1000", 100, 0, &lines, &err), -ETIMEDOUT);
	assert_string_equal(err.text, "/bin/sh did not end within 0.1 s");
	assert_int_equal(run_script("sleep 1000", 100, LONG_MS, &lines, &err), -ETIMEDOUT);
}

/* The user loses patience when the first line has come. */
static bool has_line(void *data)
{
	const struct strings *lines = data;

	return lines->count > 0;
}

/* Runs SCRIPT until its first line, by which it says that it is ready. */
static int run_until_ready(const char *script, unsigned grace_ms, struct strings *lines)
{
	const char *const arguments[] = { "/bin/sh", "-c", script, NULL };
	const struct reporter reporter = { .cancelled = has_line, .data = lines };
	struct process process = { .root = &host,
		.arguments = arguments,
		.timeout_ms = LONG_MS,
		.grace_ms = grace_ms,
		.reporter = &reporter,
		.line = keep_line,
		.data = lines };
	struct error err;

	return process_execute(&process, NULL, &err);
}

static void program_is_asked_first(void **state UNUSED)
{
	strings_cleanup struct strings lines = { 0 };

	assert_int_equal(run_until_ready("trap 'echo tidy; exit 0' TERM; echo up; "
					 "sleep 1000 & wait",
				 LONG_MS, &lines),
		-ECANCELED);
	assert_true(strings_contain(&lines, "tidy"));
}

static void who_does_not_hear_is_killed_after_the_grace(void **state UNUSED)
{
	strings_cleanup struct strings lines = { 0 };
	int64_t started = now_ms();

	assert_int_equal(
		run_until_ready("trap '' TERM; echo up; while :; do sleep 1000; done", 100, &lines),
		-ECANCELED);
	assert_true(now_ms() - started >= 100);
	assert_true(now_ms() - started < LONG_MS / 2);
}

/* The process with this number is gone; a child of init's may stay a zombie for a moment. */
static bool is_gone(const char *number)
{
	memory_cleanup_free char *path = text_format("/proc/%s/stat", number);
	memory_cleanup_free char *text = NULL;
	struct error err;

	if (root_read(&host, path, FILE_LIMIT, &text, NULL, &err) < 0)
		return true;
	return strstr(text, ") Z ") || strstr(text, ") X ");
}

static void group_goes_with_the_program(void **state UNUSED)
{
	strings_cleanup struct strings lines = { 0 };
	int64_t started = now_ms();

	/* The shell hears SIGTERM and ends, its child does not. */
	assert_int_equal(run_until_ready("trap '' TERM; sleep 1000 & trap 'exit 0' TERM; echo $!; "
					 "wait",
				 LONG_MS, &lines),
		-ECANCELED);
	assert_int_equal(lines.count, 1);
	while (!is_gone(lines.items[0]) && now_ms() - started < LONG_MS / 2)
		usleep(1000);
	assert_true(is_gone(lines.items[0]));
}

static void left_behind_program_is_not_waited_for(void **state UNUSED)
{
	strings_cleanup struct strings lines = { 0 };
	int64_t started = now_ms();
	struct error err;

	assert_int_equal(run_script("sleep 1000 & echo $!", LONG_MS, 0, &lines, &err), 0);
	assert_true(now_ms() - started < LONG_MS / 2);
	assert_int_equal(lines.count, 1);
	assert_false(is_gone(lines.items[0]));
	kill(atoi(lines.items[0]), SIGKILL);
}

static void endless_writer_that_is_left_behind_is_not_read_for_ever(void **state UNUSED)
{
	strings_cleanup struct strings lines = { 0 };
	int64_t started = now_ms();
	struct error err;

	/* It ends by itself: nobody reads its pipe any more. */
	assert_int_equal(run_script("yes & sleep 0.05", LONG_MS, 0, &lines, &err), 0);
	assert_true(now_ms() - started < LONG_MS / 2);
}

static bool cancel_third_time(void *data UNUSED)
{
	static int asked;

	return ++asked >= 3;
}

static void user_can_cancel(void **state UNUSED)
{
	const char *const arguments[] = { "sleep", "1000", NULL };
	const struct reporter reporter = { .cancelled = cancel_third_time };
	struct process process = { .root = &host,
		.arguments = arguments,
		.timeout_ms = LONG_MS,
		.grace_ms = LONG_MS,
		.reporter = &reporter };
	int64_t started = now_ms();
	struct error err;

	assert_int_equal(process_execute(&process, NULL, &err), -ECANCELED);
	assert_string_equal(err.text, "/usr/bin/sleep was cancelled");
	assert_true(now_ms() - started < LONG_MS / 2);
}

/* ---- A file that is open --------------------------------------------------------------------- */

struct script {
	char path[64];
};

/* An executable with this text. */
static struct script script_make(const char *text)
{
	struct script script = { .path = "/tmp/ec2hib-process-XXXXXX" };
	int fd = mkstemp(script.path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0700), 0);
	close(fd);
	return script;
}

static int run_file(const struct script *script, struct strings *lines, struct error *err)
{
	const char *const arguments[] = { script->path, NULL };
	struct process process = { .root = &host,
		.arguments = arguments,
		.timeout_ms = LONG_MS,
		.line = keep_line,
		.data = lines };
	int status = process_execute(&process, NULL, err);

	unlink(script->path);
	return status;
}

static void file_that_cannot_be_started_says_why(void **state UNUSED)
{
	static const struct {
		const char *text;
		int status;
		const char *says;
	} cases[] = {
		{ "#!/no/such/interpreter\n", -ENOENT, ": its interpreter is missing" },
		{ "neither a script nor a binary\n", -ENOEXEC, ": Exec format error" },
		{ "", -ENOEXEC, ": Exec format error" },
		{ "#!/bin/sh\nexit 127\n", -EIO, " failed with status 127" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct script script = script_make(cases[i].text);
		struct error err;

		assert_int_equal(run_file(&script, NULL, &err), cases[i].status);
		assert_true(text_ends(err.text, cases[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_made_printable),
		cmocka_unit_test(lines_of_a_child_come_whole_or_not_at_all),
		cmocka_unit_test(lines_of_both_outputs_come_one_by_one),
		cmocka_unit_test(overlong_line_is_cut),
		cmocka_unit_test(output_is_kept_up_to_its_limit),
		cmocka_unit_test(added_variables_win_over_the_clean_ones),
		cmocka_unit_test(ignored_signals_are_not_inherited),
		cmocka_unit_test(time_limit_ends_the_program),
		cmocka_unit_test(program_is_asked_first),
		cmocka_unit_test(who_does_not_hear_is_killed_after_the_grace),
		cmocka_unit_test(group_goes_with_the_program),
		cmocka_unit_test(left_behind_program_is_not_waited_for),
		cmocka_unit_test(endless_writer_that_is_left_behind_is_not_read_for_ever),
		cmocka_unit_test(user_can_cancel),
		cmocka_unit_test(file_that_cannot_be_started_says_why),
	};

	return cmocka_run_group_tests_name("process", tests, open_host, close_host);
}
