/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/base: texts and sizes, files below a root, other programs, the configuration. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/files.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"
#include "tests/lib/test_root.h"

/* ---- Texts --------------------------------------------------------------------------------- */

static void size_is_read_with_its_unit(void **state UNUSED)
{
	static const struct {
		const char *text;
		int status;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0, 0 },
		{ "512", 0, 512 },
		{ "512B", 0, 512 },
		{ "1K", 0, 1024 },
		{ "1k", 0, 1024 },
		{ "4G", 0, 4 * GIB },
		{ "4GiB", 0, 4 * GIB },
		{ "4GB", 0, 4 * GIB },
		{ "1.5G", 0, GIB + GIB / 2 },
		{ "2T", 0, 2048 * GIB },
		{ "", -EINVAL, 0 },
		{ "G", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1X", -EINVAL, 0 },
		{ "1GG", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
		{ " 1G", -EINVAL, 0 },
		{ "1G ", -EINVAL, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "99999999999T", -ERANGE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t bytes = 0;

		assert_int_equal(size_parse(cases[i].text, &bytes), cases[i].status);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void duration_is_read_strictly(void **state UNUSED)
{
	static const struct {
		const char *text;
		int status;
		uint64_t milliseconds;
	} cases[] = { { "500ms", 0, 500 }, { "30s", 0, 30000 }, { "30", 0, 30000 },
		{ "5min", 0, 300000 }, { "5m", 0, 300000 }, { "1h", 0, 3600000 }, { "0", 0, 0 },
		{ "", -EINVAL, 0 }, { "s", -EINVAL, 0 }, { "-1s", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 }, { "1.5s", 0, 1500 }, { "1d", -EINVAL, 0 },
		{ "99999999999999999999s", -ERANGE, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t milliseconds = 0;

		assert_int_equal(duration_parse(cases[i].text, &milliseconds), cases[i].status);
		assert_int_equal(milliseconds, cases[i].milliseconds);
	}
}

static void duration_is_written_as_it_is_read(void **state UNUSED)
{
	static const struct {
		uint64_t milliseconds;
		const char *text;
	} cases[] = { { 0, "0s" }, { 1, "1ms" }, { 1500, "1500ms" }, { 30000, "30s" },
		{ 60000, "1min" }, { 3600000, "1h" }, { 5400000, "90min" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memory_cleanup_free char *text = duration_exact(cases[i].milliseconds);

		assert_string_equal(text, cases[i].text);
	}
}

static void utf8_is_decoded_strictly(void **state UNUSED)
{
	static const struct {
		const char *bytes;
		size_t length;
		uint32_t code;
	} cases[] = {
		{ "a", 1, 'a' },
		{ "\x7f", 1, 0x7f },
		{ "\xc2\x80", 2, 0x80 },
		{ "\xc3\xa9t", 2, 0xe9 },
		{ "\xe2\x82\xac", 3, 0x20ac },
		{ "\xed\x9f\xbf", 3, 0xd7ff },
		{ "\xee\x80\x80", 3, 0xe000 },
		{ "\xf0\x9f\x98\x80", 4, 0x1f600 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\x80", 0, 0 },
		{ "\xc3", 0, 0 },
		{ "\xc3t", 0, 0 },
		{ "\xe2\x82", 0, 0 },
		{ "\xc1\xbf", 0, 0 },
		{ "\xe0\x9f\xbf", 0, 0 },
		{ "\xf0\x8f\xbf\xbf", 0, 0 },
		{ "\xed\xa0\x80", 0, 0 },
		{ "\xed\xbf\xbf", 0, 0 },
		{ "\xf4\x90\x80\x80", 0, 0 },
		{ "\xf8\x88\x80\x80\x80", 0, 0 },
		{ "\xff", 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t code = 0;
		size_t length = utf8_next(cases[i].bytes, strlen(cases[i].bytes), &code);

		assert_int_equal(length, cases[i].length);
		if (length)
			assert_int_equal(code, cases[i].code);
	}
	assert_int_equal(utf8_next("", 1, &(uint32_t) { 1 }), 1);
}

static void size_is_written_for_people(void **state UNUSED)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = { { 0, "0 bytes" }, { 1023, "1023 bytes" }, { 1024, "1.0 KiB" },
		{ 10 * MIB, "10.0 MiB" }, { 16 * GIB, "16.0 GiB" },
		{ 3 * GIB + GIB / 5, "3.2 GiB" }, { 5000 * GIB, "4.9 TiB" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memory_cleanup_free char *text = size_format(cases[i].bytes);

		assert_string_equal(text, cases[i].text);
	}
}

static void arguments_keep_quoted_words_together(void **state UNUSED)
{
	strings_cleanup struct strings words = { 0 };
	memory_cleanup_free char *joined = NULL;

	strings_split_arguments(&words, "  quiet  dyndbg=\"file a +p\" ro\n");
	joined = strings_join(&words, "|");
	assert_string_equal(joined, "quiet|dyndbg=\"file a +p\"|ro");
}

static void versions_compare_number_by_number(void **state UNUSED)
{
	assert_int_equal(version_compare("4.9.10", "4.18"), -1);
	assert_int_equal(version_compare("5.10.0-8", "5.10.0-8"), 0);
	assert_int_equal(version_compare("6.1.0-28", "6.1.0-9"), 1);
}

/* ---- Files below a root ---------------------------------------------------------------------- */

static void replace_keeps_mode_and_link(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *text = NULL;
	struct stat status;
	struct error err;

	test_root_put(test, "/etc/real", "old\n");
	assert_int_equal(fchmodat(test->root.fd, "etc/real", 0640, 0), 0);
	assert_int_equal(symlinkat("real", test->root.fd, "etc/link"), 0);
	assert_int_equal(root_replace(&test->root, "/etc/link", "new\n", 0644, &err), 0);
	assert_int_equal(root_lstat(&test->root, "/etc/link", &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(root_stat(&test->root, "/etc/real", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(root_read(&test->root, "/etc/real", 100, &text, NULL, &err), 0);
	assert_string_equal(text, "new\n");
}

static void replace_leaves_no_temporary_file(void **state)
{
	struct test_root *test = *state;
	strings_cleanup struct strings names = { 0 };
	struct error err;

	test_root_put(test, "/etc/a", "1");
	/* what a power cut left behind */
	test_root_put(test, "/etc/.a.ec2hib-new", "half");
	test_root_put(test, "/etc/a", "2");
	assert_int_equal(root_list(&test->root, "/etc", &names, &err), 0);
	assert_int_equal(names.count, 1);
	assert_string_equal(names.items[0], "a");
}

static void link_in_an_image_stays_inside(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *text = NULL;
	struct error err;

	test_root_put(test, "/etc/hostname", "inside\n");
	assert_int_equal(symlinkat("/etc/hostname", test->root.fd, "absolute"), 0);
	assert_int_equal(symlinkat("../../../../etc/hostname", test->root.fd, "upwards"), 0);
	assert_int_equal(root_read_line(&test->root, "/absolute", &text, &err), 0);
	assert_string_equal(text, "inside");
	text_set(&text, NULL);
	assert_int_equal(root_read_line(&test->root, "/upwards", &text, &err), 0);
	assert_string_equal(text, "inside");
}

static void reading_too_much_is_an_error(void **state)
{
	struct test_root *test = *state;
	char *text;
	struct error err;

	test_root_put(test, "/big", "0123456789");
	assert_int_equal(root_read(&test->root, "/big", 9, &text, NULL, &err), -EFBIG);
	assert_null(text);
	assert_non_null(strstr(err.text, "/big: more than 9 bytes"));
	assert_int_equal(root_read(&test->root, "/big", 10, &text, NULL, &err), 0);
	free(text);
}

static void folder_that_others_can_write_is_not_trusted(void **state)
{
	struct test_root *test = *state;
	struct error err;

	if (geteuid() != 0)
		skip();
	assert_int_equal(fchmodat(test->root.fd, ".", 0755, 0), 0);
	test_root_put(test, "/var/swap/file", "");
	assert_int_equal(root_check_trusted(&test->root, "/var/swap/file", &err), 0);
	assert_int_equal(fchmodat(test->root.fd, "var", 0777, 0), 0);
	assert_int_equal(root_check_trusted(&test->root, "/var/swap/file", &err), -EPERM);
	assert_non_null(strstr(err.text, "/var can be written by others (mode 0777)"));
	assert_int_equal(fchmodat(test->root.fd, "var", 0755, 0), 0);
	assert_int_equal(fchownat(test->root.fd, "var/swap", 1000, 0, 0), 0);
	assert_int_equal(root_check_trusted(&test->root, "/var/swap/file", &err), -EPERM);
	assert_non_null(strstr(err.text, "/var/swap belongs to uid 1000"));
}

static void orders_are_taken_from_root_alone(void **state)
{
	static const char path[] = "/var/lib/ec2hib/edits.json";
	struct test_root *test = *state;
	struct error err;

	if (geteuid() != 0)
		skip();
	assert_int_equal(fchmodat(test->root.fd, ".", 0755, 0), 0);
	assert_int_equal(root_check_own(&test->root, path, &err), 0); /* none */
	test_root_put(test, path, "");
	assert_int_equal(root_check_own(&test->root, path, &err), 0);
	test_root_link(test, "/srv", "var/lib");
	assert_int_equal(root_check_own(&test->root, "/srv/ec2hib/edits.json", &err), 0);
	assert_int_equal(fchmodat(test->root.fd, path + 1, 0666, 0), 0);
	assert_int_equal(root_check_own(&test->root, path, &err), -EPERM);
	assert_int_equal(fchmodat(test->root.fd, path + 1, 0644, 0), 0);
	assert_int_equal(fchmodat(test->root.fd, "var/lib", 01777, 0), 0);
	assert_int_equal(root_check_own(&test->root, path, &err), -EPERM);
	assert_int_equal(fchmodat(test->root.fd, "var/lib", 0755, 0), 0);
	assert_int_equal(fchownat(test->root.fd, path + 1, 1000, 0, 0), 0);
	assert_int_equal(root_check_own(&test->root, path, &err), -EPERM);
	assert_non_null(strstr(err.text, "edits.json is not trusted"));
}

/* ---- Other programs -------------------------------------------------------------------------- */

static void program_output_and_failure_are_told_apart(void **state UNUSED)
{
	const char *const good[] = { "/bin/sh", "-c", "echo out; echo err >&2", NULL };
	const char *const bad[] = { "/bin/sh", "-c", "echo no room >&2; exit 3", NULL };
	const char *const killed[] = { "/bin/sh", "-c", "kill -9 $$", NULL };
	const char *const missing[] = { "no-such-program", NULL };
	memory_cleanup_free char *output = NULL;
	struct root host;
	struct error err;

	assert_int_equal(root_open(&host, "/", &err), 0);
	assert_int_equal(process_run(&host, good, 60000, &output, &err), 0);
	assert_string_equal(output, "out\n");
	assert_int_equal(process_run(&host, bad, 60000, NULL, &err), -EIO);
	assert_string_equal(err.text, "/bin/sh failed with status 3: no room");
	assert_int_equal(process_run(&host, killed, 60000, NULL, &err), -EIO);
	assert_string_equal(err.text, "/bin/sh was ended by signal 9 (Killed)");
	assert_int_equal(process_run(&host, missing, 60000, NULL, &err), -ENOENT);
	assert_string_equal(err.text, "no-such-program is not installed");
	root_close(&host);
}

static void program_gets_a_clean_environment(void **state UNUSED)
{
	const char *const arguments[] = { "env", NULL };
	memory_cleanup_free char *output = NULL;
	struct root host;
	struct error err;

	setenv("LD_PRELOAD_SECRET", "1", 1);
	assert_int_equal(root_open(&host, "/", &err), 0);
	assert_int_equal(process_run(&host, arguments, 60000, &output, &err), 0);
	assert_null(strstr(output, "SECRET"));
	assert_non_null(strstr(output, "LC_ALL=C\n"));
	root_close(&host);
}

static void program_that_hangs_is_killed_with_its_children(void **state UNUSED)
{
	const char *const arguments[] = { "/bin/sh", "-c", "sleep 1000 & sleep 1000", NULL };
	struct root host;
	struct error err;

	assert_int_equal(root_open(&host, "/", &err), 0);
	assert_int_equal(process_run(&host, arguments, 100, NULL, &err), -ETIMEDOUT);
	root_close(&host);
}

static void end_of_a_long_complaint_is_kept(void **state UNUSED)
{
	const char *const arguments[] = { "/bin/sh", "-c",
		"i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1", NULL };
	struct root host;
	struct error err;

	assert_int_equal(root_open(&host, "/", &err), 0);
	assert_int_equal(process_run(&host, arguments, 60000, NULL, &err), -EIO);
	assert_non_null(strstr(err.text, "line 2999"));
	root_close(&host);
}

/* ---- The configuration ----------------------------------------------------------------------- */

/* Keeps the last warning. */
static void keep_warning(void *data, int priority UNUSED, const char *text)
{
	text_set(data, text_copy(text));
}

static void files_of_the_old_agents_are_read_as_they_are(void **state)
{
	struct test_root *test = *state;
	static const char hibagent[] =
		"[core]\n"
		"# a comment\n"
		"lock-in-ram = True\n"
		"log-to-stderr = True\n"
		"check-ephemeral-volumes = True\n"
		"freeze-timeout-curve=0-8:20,8-:40\n"
		"[swap]\n"
		"percentage-of-ram = 90\n"
		"target-size-mb = 5000\n"
		"mkswap = /sbin/mkswap {swapfile}\n"
		"swapon = /sbin/swapon {swapfile}\n"
		"swapfile = /var/swap.1\n"
		"[pm-utils]\n"
		"hibernate-command = /usr/sbin/pm-hibernate\n"
		"[notification]\n"
		"monitored-url = http://169.254.169.254/latest/meta-data/spot/instance-action\n";
	static const char hibinit[] = "[core]\nlog-to-syslog = True\ngrub-update = False\n"
				      "touch-swap = False\nbtrfs-enabled = True\n"
				      "state-dir = /var/lib/hibinit-agent\n";
	memory_cleanup_free char *warning = NULL;
	struct config config;
	struct error err;

	test_root_put(test, "/a.cfg", hibagent);
	test_root_put(test, "/b.cfg", hibinit);
	config_init(&config);
	assert_int_equal(
		config_read(&config, &test->root, "/a.cfg",
			&(struct reporter) { .log = keep_warning, .data = &warning }, &err),
		0);
	assert_null(warning);
	assert_string_equal(config.swapfile, "/var/swap.1");
	assert_int_equal(config.percentage_of_ram, 90);
	assert_int_equal(config.target_size_mb, 5000);
	assert_string_equal(config.freeze_timeout_curve, "0-8:20,8-:40");
	assert_int_equal(
		config_read(&config, &test->root, "/b.cfg",
			&(struct reporter) { .log = keep_warning, .data = &warning }, &err),
		0);
	assert_null(warning);
	assert_int_equal(config.boot_config, CHOICE_NO);
	assert_int_equal(config.touch_swap, CHOICE_NO);
	assert_string_equal(config.state_dir, "/var/lib/hibinit-agent");
	config_free(&config);
}

static void bad_values_name_file_and_line(void **state)
{
	struct test_root *test = *state;
	static const struct {
		const char *text;
		int status;
		const char *says; /* an error, or for status 0 a warning */
	} cases[] = {
		{ "[swap]\n\ntarget-size-mb = lots\n", -EINVAL,
			":3: target-size-mb is \"lots\", not a whole number" },
		{ "[swap]\npercentage-of-ram = -1\n", -EINVAL, ":2: percentage-of-ram" },
		{ "[swap]\nswapfile = swap\n", -EINVAL, ":2: swapfile is \"swap\"" },
		{ "[swap]\nswapfile = /a/../etc/x\n", -EINVAL, ":2: swapfile" },
		{ "[swap]\nswapfile = //swap\n", -EINVAL, ":2: swapfile" },
		{ "[swap]\nswapfile = /data/./swap\n", -EINVAL, ":2: swapfile" },
		{ "[core]\ngrub-update = maybe\n", -EINVAL, ":2: grub-update is \"maybe\"" },
		{ "[core]\nfreeze-timeout-curve = 0-8:20 s\n", -EINVAL,
			":2: freeze-timeout-curve is \"0-8:20 s\", not FROM-TO:SECONDS" },
		{ "[core]\nnonsense\n", -EINVAL, ":2: neither a [section] nor a key = value" },
		{ "[core]\n# c\ncolour = red\n", 0, ":3: unknown key \"colour\" in [core]" },
		{ "[swap]\ngrub-update = no\n", 0,
			":2: unknown key \"grub-update\" in [swap]: it belongs into [core]" },
		{ "colour = red\n", 0, ":1: unknown key \"colour\"" },
		{ "[swap\nswapfile = /x\n", -EINVAL, ":1: a section is written [name]" },
		{ "[swap]\n= 7\n", -EINVAL, ":2: neither a [section] nor a key = value" },
		{ "[swap]\nswapfile = /a\n  /b\n", -EINVAL, ":3: a line that begins with a blank" },
		{ "[pm-utils]\nhibernate-command = /usr/local/sbin/drain\n", 0,
			":2: hibernate-command = /usr/local/sbin/drain is not followed: " },
		{ "[swap]\nmkswap = /sbin/mkswap -L mine {swapfile}\n", 0,
			":2: mkswap = /sbin/mkswap -L mine {swapfile} is not followed: " },
		{ "[notification]\nmonitored-url = http://127.0.0.1:9/x\n", 0,
			":2: monitored-url = http://127.0.0.1:9/x is not followed: " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memory_cleanup_free char *warning = NULL;
		struct config config;
		struct error err = { "" };

		test_root_put(test, "/c", cases[i].text);
		config_init(&config);
		assert_int_equal(
			config_read(&config, &test->root, "/c",
				&(struct reporter) { .log = keep_warning, .data = &warning }, &err),
			cases[i].status);
		if (cases[i].status == 0)
			assert_non_null(warning);
		if (!strstr(cases[i].status == 0 ? warning : err.text, cases[i].says))
			fail_msg("case %zu says: %s", i, cases[i].status == 0 ? warning : err.text);
		config_free(&config);
	}
}

/* Whatever the file says more: its values are as if it were plain. */
static void forms_of_the_old_agents_are_taken(void **state)
{
	struct test_root *test = *state;
	static const struct {
		const char *text, *section, *name, *value;
	} cases[] = {
		{ "image-size = minimal\n", "hibernate", "image-size", "minimal" },
		{ "[core]\nstate-dir = /var/lib/hibinit-agent/\n", "core", "state-dir",
			"/var/lib/hibinit-agent" },
		{ "[core]\ntouch-swap = T\n", "core", "touch-swap", "yes" },
		{ "[core]\ntouch-swap = f\n", "core", "touch-swap", "no" },
		{ "[core]\nfreeze-timeout-curve = 0-8:20, 8-:40\n", "core", "freeze-timeout-curve",
			"0-8:20, 8-:40" },
		{ "\xef\xbb\xbf[swap]\r\nswapfile: /a\r\n", "swap", "swapfile", "/a" },
		{ "[Swap]\n  SwapFile = /a ; a comment\n", "swap", "swapfile", "/a" },
		{ "[pm-utils]\nhibernate-command = a\n  b\n[swap]\nswapfile=/a", "swap", "swapfile",
			"/a" },
		{ "[swap]\nswapfile = /a\n[swap]\nswapfile = /b\n", "swap", "swapfile", "/b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memory_cleanup_free char *value = NULL;
		struct config config;
		struct error err = { "" };

		test_root_put(test, "/c", cases[i].text);
		config_init(&config);
		if (config_read(&config, &test->root, "/c", NULL, &err) != 0)
			fail_msg("case %zu: %s", i, err.text);
		for (size_t k = 0; k < config_key_count; k++)
			if (strcmp(config_keys[k].name, cases[i].name) == 0)
				value = config_get(&config, &config_keys[k]);
		assert_string_equal(value, cases[i].value);
		config_free(&config);
	}
}

static void long_lines_are_read_whole(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *text = NULL, *path = memory_new(3001, 1);
	struct config config;
	struct error err = { "" };

	memset(path, 'x', 3000);
	*path = '/';
	text = text_format("# %s\n[swap]\nswapfile = %s\ntarget-size-mb = 1\n", path, path);
	test_root_put(test, "/c", text);
	config_init(&config);
	assert_int_equal(config_read(&config, &test->root, "/c", NULL, &err), 0);
	assert_string_equal(config.swapfile, path);
	assert_int_equal(config.target_size_mb, 1);
	config_free(&config);
}

static void no_configuration_is_enoent(void **state)
{
	struct test_root *test = *state;
	struct config config;
	struct error err;

	config_init(&config);
	assert_int_equal(config_read(&config, &test->root, "/none", NULL, &err), -ENOENT);
	assert_string_equal(config.swapfile, "auto");
	config_free(&config);
}

static void pipe_in_an_image_is_not_waited_for(void **state)
{
	struct test_root *test = *state;
	struct error err = { "" };
	char *text;

	assert_int_equal(mkfifoat(test->root.fd, "pipe", 0644), 0);
	alarm(10);
	assert_int_equal(root_read(&test->root, "/pipe", FILE_LIMIT, &text, NULL, &err), -EINVAL);
	alarm(0);
	assert_non_null(strstr(err.text, "/pipe: it is not a regular file"));
	test_root_link(test, "/etc/masked", "/dev/null");
	assert_int_equal(
		root_read(&test->root, "/etc/masked", FILE_LIMIT, &text, NULL, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_is_read_with_its_unit),
		cmocka_unit_test(duration_is_read_strictly),
		cmocka_unit_test(duration_is_written_as_it_is_read),
		cmocka_unit_test(utf8_is_decoded_strictly),
		cmocka_unit_test(size_is_written_for_people),
		cmocka_unit_test(arguments_keep_quoted_words_together),
		cmocka_unit_test(versions_compare_number_by_number),
		WITH_TEST_ROOT(replace_keeps_mode_and_link),
		WITH_TEST_ROOT(replace_leaves_no_temporary_file),
		WITH_TEST_ROOT(link_in_an_image_stays_inside),
		WITH_TEST_ROOT(reading_too_much_is_an_error),
		WITH_TEST_ROOT(pipe_in_an_image_is_not_waited_for),
		WITH_TEST_ROOT(folder_that_others_can_write_is_not_trusted),
		WITH_TEST_ROOT(orders_are_taken_from_root_alone),
		cmocka_unit_test(program_output_and_failure_are_told_apart),
		cmocka_unit_test(program_gets_a_clean_environment),
		cmocka_unit_test(program_that_hangs_is_killed_with_its_children),
		cmocka_unit_test(end_of_a_long_complaint_is_kept),
		WITH_TEST_ROOT(files_of_the_old_agents_are_read_as_they_are),
		WITH_TEST_ROOT(bad_values_name_file_and_line),
		WITH_TEST_ROOT(forms_of_the_old_agents_are_taken),
		WITH_TEST_ROOT(long_lines_are_read_whole),
		WITH_TEST_ROOT(no_configuration_is_enoent),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
