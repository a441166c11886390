/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/actions/hooks: which hooks run, in what order, with what, and how they end. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "core/actions/hooks.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"

/* Longer than any test may last, so that a limit that fails shows as a failure. */
#define LONG_MS 60000

/* Everybody can write to /tmp, so nothing there is trusted: the hooks are made elsewhere. */
#define PLACE "/var/lib/ec2hib-hooks-XXXXXX"

struct fixture {
	struct root root;
	char folder[64];
	struct hooks hooks;
	struct reporter reporter; /* keep_log() */
	struct hooks_result result;
	struct strings log; /* "PRIORITY TEXT" */
};

static void keep_log(void *data, int priority, const char *text)
{
	struct fixture *fixture = data;

	strings_take(&fixture->log, text_format("%d %s", priority, text));
}

static int fixture_make(void **state)
{
	struct fixture *fixture = memory_new(1, sizeof(*fixture));
	struct error err;

	*state = fixture;
	strcpy(fixture->folder, PLACE);
	if (geteuid() != 0)
		return 0;
	assert_int_equal(root_open(&fixture->root, "/", &err), 0);
	assert_non_null(mkdtemp(fixture->folder));
	assert_int_equal(chmod(fixture->folder, 0755), 0);
	fixture->hooks = (struct hooks) { .root = &fixture->root,
		.folder = fixture->folder,
		.timeout_ms = LONG_MS,
		.reporter = &fixture->reporter };
	fixture->reporter = (struct reporter) { .log = keep_log, .data = fixture };
	return 0;
}

static int fixture_remove(void **state)
{
	struct fixture *fixture = *state;
	const char *const arguments[] = { "rm", "-rf", fixture->folder, NULL };
	struct error err;

	if (geteuid() == 0) {
		assert_int_equal(process_run(&fixture->root, arguments, LONG_MS, NULL, &err), 0);
		root_close(&fixture->root);
	}
	strings_free(&fixture->log);
	free(fixture);
	return 0;
}

static struct fixture *fixture_of(void **state)
{
	if (geteuid() != 0)
		skip();
	return *state;
}

static char *hook_path(const struct fixture *fixture, const char *name)
{
	return text_format("%s/notice/%s", fixture->folder, name);
}

/* notice/NAME: a script of /bin/sh, root's, 0755. */
static void put(const struct fixture *fixture, const char *name, const char *script)
{
	memory_cleanup_free char *path = hook_path(fixture, name);
	memory_cleanup_free char *folder = path_folder(path);
	memory_cleanup_free char *text = text_format("#!/bin/sh\n%s\n", script);
	struct error err;

	assert_int_equal(root_make_directory(&fixture->root, folder, &err), 0);
	assert_int_equal(root_replace(&fixture->root, path, text, 0755, &err), 0);
}

static void set_mode(const struct fixture *fixture, const char *name, mode_t mode)
{
	memory_cleanup_free char *path = hook_path(fixture, name);

	assert_int_equal(chmod(path, mode), 0);
}

static void put_link(const struct fixture *fixture, const char *name, const char *target)
{
	memory_cleanup_free char *path = hook_path(fixture, name);

	assert_int_equal(symlink(target, path), 0);
}

static void run(struct fixture *fixture)
{
	const struct hook_fact facts[] = { { "ACTION", "hibernate" },
		{ "TIME", "2026-01-02T03:04:05Z" }, { "UNKNOWN", NULL } };

	hooks_run(&fixture->hooks, HOOK_NOTICE, facts, ARRAY_SIZE(facts), &fixture->result);
}

static void assert_counts(
	const struct fixture *fixture, unsigned ran, unsigned failed, unsigned refused)
{
	assert_int_equal(fixture->result.run, ran);
	assert_int_equal(fixture->result.failed, failed);
	assert_int_equal(fixture->result.refused, refused);
}

/* A line of the log that starts with PRIORITY and has PART in it. */
static void assert_logged(const struct fixture *fixture, int priority, const char *part)
{
	memory_cleanup_free char *start = text_format("%d ", priority);

	for (size_t i = 0; i < fixture->log.count; i++)
		if (text_starts(fixture->log.items[i], start) &&
			strstr(fixture->log.items[i], part))
			return;
	fail_msg("\"%s\" is not in the log, its last line is %s", part,
		fixture->log.count ? fixture->log.items[fixture->log.count - 1] : "not");
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- Which ------------------------------------------------------------------------------- */

static void no_folder_is_no_hook(void **state)
{
	struct fixture *fixture = fixture_of(state);

	run(fixture);
	assert_counts(fixture, 0, 0, 0);
	assert_int_equal(fixture->log.count, 0);
	put(fixture, ".keep", "");
	run(fixture);
	assert_counts(fixture, 0, 0, 0);
	assert_int_equal(fixture->log.count, 0);
}

static void hooks_run_in_the_order_of_their_bytes(void **state)
{
	struct fixture *fixture = fixture_of(state);
	static const char *const names[] = { "b", "a.sh", "20-x", "100-x", "B", "a b" };
	static const char *const order[] = { "6 notice/100-x: ran", "6 notice/20-x: ran",
		"6 notice/B: ran", "6 notice/a b: ran", "6 notice/a.sh: ran", "6 notice/b: ran" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put(fixture, names[i], "echo ran");
	run(fixture);
	assert_counts(fixture, ARRAY_SIZE(names), 0, 0);
	assert_int_equal(fixture->log.count, ARRAY_SIZE(order));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_string_equal(fixture->log.items[i], order[i]);
}

static void leftovers_are_passed_over(void **state)
{
	struct fixture *fixture = fixture_of(state);
	static const char *const names[] = { ".hidden", "a~", "a.bak", "a.rpmsave", "a.rpmnew",
		"a.dpkg-old", "a.dpkg-dist", "a.ucf-dist", "a.sample", ".a.swp", "a.orig" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put(fixture, names[i], "echo ran");
	run(fixture);
	assert_counts(fixture, 0, 0, 0);
	assert_int_equal(fixture->log.count, 0);
}

/* ---- Refused --------------------------------------------------------------------------------- */

static void what_others_could_change_is_refused(void **state)
{
	struct fixture *fixture = fixture_of(state);
	memory_cleanup_free char *owned = hook_path(fixture, "owner");
	memory_cleanup_free char *folder = hook_path(fixture, "folder");
	memory_cleanup_free char *fifo = hook_path(fixture, "fifo");

	put(fixture, "group", "echo ran");
	set_mode(fixture, "group", 0775);
	put(fixture, "others", "echo ran");
	set_mode(fixture, "others", 0757);
	put(fixture, "owner", "echo ran");
	assert_int_equal(chown(owned, 1000, 0), 0);
	put(fixture, "plain", "echo ran");
	set_mode(fixture, "plain", 0644);
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(mkfifo(fifo, 0755), 0);
	put(fixture, "zz-good", "echo ran");
	run(fixture);
	assert_counts(fixture, 1, 0, 6);
	assert_logged(fixture, LOG_WARNING,
		"notice/group: refused: can be written by others (mode 0775)");
	assert_logged(fixture, LOG_WARNING,
		"notice/others: refused: can be written by others (mode 0757)");
	assert_logged(
		fixture, LOG_WARNING, "notice/owner: refused: belongs to uid 1000, not to root");
	assert_logged(fixture, LOG_WARNING, "notice/plain: refused: is not executable (mode 0644)");
	assert_logged(fixture, LOG_WARNING, "notice/folder: refused: is not a regular file");
	assert_logged(fixture, LOG_WARNING, "notice/fifo: refused: is not a regular file");
	assert_logged(fixture, LOG_INFO, "notice/zz-good: ran");
	assert_int_equal(fixture->log.count, 7);
}

static void every_folder_above_counts(void **state)
{
	struct fixture *fixture = fixture_of(state);

	put(fixture, "a", "echo ran");
	assert_int_equal(chmod(fixture->folder, 01777), 0);
	run(fixture);
	assert_counts(fixture, 0, 0, 1);
	assert_logged(fixture, LOG_WARNING, " can be written by others (mode 1777)");
	assert_int_equal(chmod(fixture->folder, 0755), 0);
	assert_int_equal(chown(fixture->folder, 1000, 0), 0);
	run(fixture);
	assert_counts(fixture, 0, 0, 1);
	assert_logged(fixture, LOG_WARNING, " belongs to uid 1000, not to root");
	assert_int_equal(chown(fixture->folder, 0, 0), 0);
	run(fixture);
	assert_counts(fixture, 1, 0, 0);
}

static void folder_that_is_a_link_is_refused(void **state)
{
	struct fixture *fixture = fixture_of(state);
	memory_cleanup_free char *folder = text_format("%s/notice", fixture->folder);
	memory_cleanup_free char *real = text_format("%s/real", fixture->folder);

	put(fixture, "a", "echo ran");
	assert_int_equal(rename(folder, real), 0);
	assert_int_equal(symlink("real", folder), 0);
	run(fixture);
	assert_counts(fixture, 0, 0, 1);
	assert_logged(fixture, LOG_WARNING, "/notice is a symbolic link");
}

static void link_may_lead_to_a_trusted_hook_only(void **state)
{
	struct fixture *fixture = fixture_of(state);
	memory_cleanup_free char *other = NULL;

	put(fixture, "../lib/drain", "echo drained");
	put(fixture, "../lib/open", "echo ran");
	set_mode(fixture, "../lib/open", 0777);
	put(fixture, ".keep", "");
	put_link(fixture, "1-good", "../lib/drain");
	put_link(fixture, "2-twice", "1-good");
	other = hook_path(fixture, "1-good");
	put_link(fixture, "3-absolute", other);
	put_link(fixture, "4-open", "../lib/open");
	put_link(fixture, "5-outside", "/bin/true");
	put_link(fixture, "6-nowhere", "../lib/none");
	put_link(fixture, "7-itself", "7-itself");
	put_link(fixture, "8-folder", "../lib");
	run(fixture);
	assert_counts(fixture, 3, 0, 5);
	assert_logged(fixture, LOG_INFO, "notice/1-good: drained");
	assert_logged(fixture, LOG_INFO, "notice/2-twice: drained");
	assert_logged(fixture, LOG_INFO, "notice/3-absolute: drained");
	assert_logged(fixture, LOG_WARNING, "/lib/open can be written by others");
	assert_logged(fixture, LOG_WARNING, "notice/5-outside: refused: leads out of ");
	assert_logged(fixture, LOG_WARNING, ": No such file or directory");
	assert_logged(fixture, LOG_WARNING, ": Too many levels of symbolic links");
	assert_logged(fixture, LOG_WARNING, "/lib is not a regular file");
}

/* ---- How they run ---------------------------------------------------------------------------- */

static void facts_stand_in_the_environment(void **state)
{
	struct fixture *fixture = fixture_of(state);
	memory_cleanup_free char *path = hook_path(fixture, "a");
	memory_cleanup_free char *line = text_format("program %s", path);

	setenv("EC2HIB_LEAK", "1", 1);
	put(fixture, "a", "env; echo program $0; echo arguments $#; cat; pwd");
	run(fixture);
	unsetenv("EC2HIB_LEAK");
	assert_counts(fixture, 1, 0, 0);
	assert_logged(fixture, LOG_INFO, "notice/a: EC2HIB_EVENT=notice");
	assert_logged(fixture, LOG_INFO, line);
	assert_logged(fixture, LOG_INFO, "EC2HIB_ACTION=hibernate");
	assert_logged(fixture, LOG_INFO, "EC2HIB_TIME=2026-01-02T03:04:05Z");
	assert_logged(fixture, LOG_INFO, "arguments 0");
	for (size_t i = 0; i < fixture->log.count; i++) {
		assert_null(strstr(fixture->log.items[i], "UNKNOWN"));
		assert_null(strstr(fixture->log.items[i], "LEAK"));
	}
}

static void first_failure_is_told_and_the_others_run(void **state)
{
	struct fixture *fixture = fixture_of(state);

	put(fixture, "1-good", "echo fine");
	put(fixture, "2-bad", "echo no database >&2; exit 3");
	put(fixture, "3-killed", "kill -9 $$");
	put(fixture, "4-good", "echo fine");
	run(fixture);
	assert_counts(fixture, 4, 2, 0);
	assert_string_equal(fixture->result.first, "2-bad");
	assert_true(text_ends(
		fixture->result.reason.text, "/notice/2-bad failed with status 3: no database"));
	assert_logged(fixture, LOG_INFO, "notice/2-bad: no database");
	assert_logged(fixture, LOG_WARNING, "notice/2-bad: failed with status 3");
	assert_logged(fixture, LOG_WARNING, "notice/3-killed: was ended by signal 9 (Killed)");
	assert_logged(fixture, LOG_INFO, "notice/4-good: fine");
}

static void hook_that_hangs_is_ended(void **state)
{
	struct fixture *fixture = fixture_of(state);
	int64_t started = now_ms();

	put(fixture, "hangs", "trap '' TERM; sleep 1000 & while :; do wait; done");
	fixture->hooks.timeout_ms = 200;
	run(fixture);
	assert_true(now_ms() - started < LONG_MS / 2);
	assert_counts(fixture, 1, 1, 0);
	assert_logged(fixture, LOG_WARNING, "notice/hangs: did not end within 0.2 s");
}

static void child_that_holds_the_pipe_is_not_waited_for(void **state)
{
	struct fixture *fixture = fixture_of(state);
	int64_t started = now_ms();
	const char *number;

	put(fixture, "a", "sleep 1000 & echo $!");
	run(fixture);
	assert_true(now_ms() - started < LONG_MS / 2);
	assert_counts(fixture, 1, 0, 0);
	assert_int_equal(fixture->log.count, 1);
	number = strrchr(fixture->log.items[0], ' ') + 1;
	assert_true(atoi(number) > 1);
	assert_int_equal(kill(atoi(number), SIGKILL), 0);
}

static void binary_output_is_made_printable(void **state)
{
	struct fixture *fixture = fixture_of(state);

	put(fixture, "a", "printf '\\033[2J\\000\\377\\nplain'");
	put(fixture, "na\nme", "echo ran");
	run(fixture);
	assert_counts(fixture, 2, 0, 0);
	assert_int_equal(fixture->log.count, 3);
	assert_string_equal(fixture->log.items[0], "6 notice/a: \\x1b[2J\\x00\\xff");
	assert_string_equal(fixture->log.items[1], "6 notice/a: plain");
	assert_string_equal(fixture->log.items[2], "6 notice/na\\x0ame: ran");
}

static void hook_without_interpreter_fails(void **state)
{
	struct fixture *fixture = fixture_of(state);
	memory_cleanup_free char *path = hook_path(fixture, "a");
	struct error err;

	put(fixture, "a", "");
	assert_int_equal(root_replace(&fixture->root, path, "#!/no/such\n", 0755, &err), 0);
	run(fixture);
	assert_counts(fixture, 1, 1, 0);
	assert_logged(fixture, LOG_WARNING, ": its interpreter is missing");
}

static bool cancel_now(void *data UNUSED)
{
	return true;
}

static void cancelled_hook_is_the_last(void **state)
{
	struct fixture *fixture = fixture_of(state);

	put(fixture, "1-long", "sleep 1000");
	put(fixture, "2-never", "echo ran");
	fixture->reporter.cancelled = cancel_now;
	run(fixture);
	assert_counts(fixture, 1, 1, 0);
	assert_true(fixture->result.cancelled);
	assert_logged(fixture, LOG_WARNING, "notice/1-long: was cancelled");
}

#define WITH_FIXTURE(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(no_folder_is_no_hook),
		WITH_FIXTURE(hooks_run_in_the_order_of_their_bytes),
		WITH_FIXTURE(leftovers_are_passed_over),
		WITH_FIXTURE(what_others_could_change_is_refused),
		WITH_FIXTURE(every_folder_above_counts),
		WITH_FIXTURE(folder_that_is_a_link_is_refused),
		WITH_FIXTURE(link_may_lead_to_a_trusted_hook_only),
		WITH_FIXTURE(facts_stand_in_the_environment),
		WITH_FIXTURE(first_failure_is_told_and_the_others_run),
		WITH_FIXTURE(hook_that_hangs_is_ended),
		WITH_FIXTURE(child_that_holds_the_pipe_is_not_waited_for),
		WITH_FIXTURE(binary_output_is_made_printable),
		WITH_FIXTURE(hook_without_interpreter_fails),
		WITH_FIXTURE(cancelled_hook_is_the_last),
	};

	return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
