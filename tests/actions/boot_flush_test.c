/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What GRUB would see: a file system in an image file is read without replaying its journal, by
 * debugfs and xfs_db, before and after boot_flush(). A child that takes the mounted image as /boot
 * of its machine flushes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/actions/boot.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "tests/lib/skip.h"

static char folder[64] = "/tmp/ec2hib-flush.XXXXXX";
static struct root host;

/* Runs a program of this machine; its output, or NULL when it failed. The caller frees it. */
static char *run(const char *const *arguments)
{
	struct error err;
	char *output;

	return process_run(&host, arguments, 60000, &output, &err) < 0 ? NULL : output;
}

static void must_run(const char *const *arguments)
{
	memory_cleanup_free char *output = run(arguments);

	if (!output)
		fail_msg("%s failed", arguments[0]);
}

/* In a child: makes the file on /boot, flushes when asked, and sees whether it can still write. */
static _Noreturn void be_machine(const char *top, bool flush)
{
	struct facts *facts = memory_new(1, sizeof(*facts));
	struct root root;
	struct error err;
	int fd;

	alarm(60); /* a file system that stays frozen must not hang the tests */
	if (chroot(top) < 0 || chdir("/") < 0 || root_open(&root, "/", &err) < 0)
		_exit(2);
	if (root_make_directory(&root, "/boot/new", &err) < 0)
		_exit(3);
	if (flush)
		boot_flush(&root, &facts->boot);
	fd = open("/boot/after", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	_exit(fd < 0 || unlink("/boot/after") < 0);
}

static void run_machine(const char *top, bool flush)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		be_machine(top, flush);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* True when the folder that was made shows in a copy of the image, taken as it is now. */
static bool shows(const char *image, const char *const *lister, size_t path_at)
{
	memory_cleanup_free char *copy = text_format("%s.copy", image), *list = NULL;
	const char *arguments[8] = { NULL };

	must_run((const char *const[]) { "cp", "--sparse=always", image, copy, NULL });
	for (size_t i = 0; lister[i]; i++)
		arguments[i] = i == path_at ? copy : lister[i];
	list = run(arguments);
	assert_non_null(list);
	return strstr(list, "new") != NULL;
}

static void check(const char *make, const char *type, const char *const *lister, size_t path_at)
{
	memory_cleanup_free char *image = text_format("%s/%s.img", folder, type);
	memory_cleanup_free char *top = text_format("%s/%s", folder, type);
	memory_cleanup_free char *boot = text_format("%s/boot", top);
	memory_cleanup_free char *program = process_find(&host, make);
	memory_cleanup_free char *reader = process_find(&host, lister[0]);
	memory_cleanup_free char *mounted = NULL;

	if (!program || !reader)
		skip();
	must_run((const char *const[]) { "truncate", "-s", "400M", image, NULL });
	must_run((const char *const[]) { make, "-q", image, NULL });
	must_run((const char *const[]) { "mkdir", "-p", boot, NULL });
	mounted = run((const char *const[]) { "mount", "-o", "loop", image, boot, NULL });
	if (!mounted)
		skip(); /* no loop devices here */
	run_machine(top, false);
	assert_false(shows(image, lister, path_at));
	run_machine(top, true);
	assert_true(shows(image, lister, path_at));
	must_run((const char *const[]) { "umount", boot, NULL });
}

static void ext4_shows_a_new_folder_after_the_flush(void **state UNUSED)
{
	check("mkfs.ext4", "ext4", (const char *const[]) { "debugfs", "-R", "ls /", "", NULL }, 3);
}

static void xfs_shows_a_new_folder_after_the_flush(void **state UNUSED)
{
	check("mkfs.xfs", "xfs", (const char *const[]) { "xfs_db", "-r", "-c", "ls /", "", NULL },
		4);
}

/* Mounts are the test's own, and gone with it. */
static int set_up(void **state UNUSED)
{
	struct error err;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return root_open(&host, "/", &err) < 0 || !mkdtemp(folder) ? -1 : 0;
}

static int tear_down(void **state UNUSED)
{
	free(run((const char *const[]) { "umount", "-R", "-q", folder, NULL }));
	free(run((const char *const[]) { "rm", "-rf", "--one-file-system", folder, NULL }));
	root_close(&host);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ext4_shows_a_new_folder_after_the_flush),
		cmocka_unit_test(xfs_shows_a_new_folder_after_the_flush),
	};

	if (geteuid() != 0)
		return skip_all("only root may mount");
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
