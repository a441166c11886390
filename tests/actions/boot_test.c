/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Boot arguments on the machines of tests/fixtures/trees, there and back again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/actions/boot.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "core/facts/boot_text.h"
#include "core/facts/edits.h"
#include "core/facts/initramfs.h"
#include "core/rules/arguments.h"
#include "tests/actions/boot_tree.h"
#include "tests/lib/skip.h"

#define PARTITION   "PARTUUID=6e1c2d3f-01"
#define FILE_SYSTEM "UUID=0f5e7d3a-2b41-4c63-9d0e-6a1b8c7f2e11"

static const uint64_t offset = 34816, other_offset = 1234567;

static void assert_expected(const char *name, const char *key, const char *value)
{
	memory_cleanup_free char *expected = tree_expected(name, key);

	if (!text_equal(value, expected))
		fail_msg("%s: %s is %s, not %s", name, key, value ? value : "nothing",
			expected ? expected : "nothing");
}

static void machines_are_understood(void **state UNUSED)
{
	strings_cleanup struct strings names = { 0 };

	tree_names(&names);
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		memory_cleanup_free char *count = NULL;
		const struct entry_facts *next;
		const struct boot_facts *boot;
		struct tree tree;

		tree_open(&tree, name);
		boot = &tree.facts->boot;
		next = facts_next_entry(tree.facts);
		count = text_format("%zu", boot->entries.count);
		assert_expected(name, "loader", boot->loader.value);
		assert_expected(name, "config", boot->config.value);
		assert_expected(name, "entries", count);
		assert_non_null(next);
		assert_expected(name, "next", next->id.value);
		assert_expected(name, "version", next->version.value);
		assert_expected(name, "initramfs", boot->initramfs_tool.value);
		assert_true(fact_is_false(&boot->our_arguments));
		assert_true(fact_is_false(&boot->our_initramfs));
		tree_close(&tree);
	}
}

/* Applies, and says what is wrong when that fails. */
static void apply(struct tree *tree)
{
	struct error err;

	if (tree_apply(tree, &err) < 0)
		fail_msg("%s: %s", tree->path, err.text);
	tree_gather(tree);
}

static void take_away(struct tree *tree)
{
	strings_cleanup struct strings left = { 0 };
	struct error err;

	if (tree_remove(tree, &left, &err) < 0)
		fail_msg("%s: %s", tree->path, err.text);
	if (left.count)
		fail_msg("left: %s", left.items[0]);
	tree_gather(tree);
}

/* There, there again, elsewhere, and back to the very same bytes. */
static void there_and_back(const char *name, const char *argument, const uint64_t *where)
{
	memory_cleanup_free char *start = NULL, *done = NULL, *log = NULL, *again = NULL;
	struct tree tree;

	tree_open(&tree, name);
	start = tree_content(&tree);
	tree_area(&tree, argument, where);
	apply(&tree);
	for (size_t i = 0; i < tree.facts->boot.entries.count; i++)
		if (!arguments_complete(
			    tree.facts->boot.entries.items[i].arguments.value, &tree.wanted))
			fail_msg("%s: entry %s has \"%s\"", name,
				tree.facts->boot.entries.items[i].id.value,
				tree.facts->boot.entries.items[i].arguments.value);
	assert_true(fact_is_true(&tree.facts->boot.our_arguments));
	done = tree_content(&tree);
	log = tree_log(&tree);
	apply(&tree);
	tree_assert_content(&tree, done, name);
	again = tree_log(&tree);
	assert_string_equal(again, log);
	tree_area(&tree, argument, where ? &other_offset : NULL);
	apply(&tree);
	assert_true(arguments_in_entries(&tree.facts->boot, &tree.wanted));
	take_away(&tree);
	tree_assert_content(&tree, start, name);
	assert_true(fact_is_false(&tree.facts->boot.our_arguments));
	take_away(&tree);
	tree_assert_content(&tree, start, name);
	tree_close(&tree);
}

static void arguments_reach_every_entry_and_go_again(void **state UNUSED)
{
	strings_cleanup struct strings names = { 0 };

	tree_names(&names);
	for (size_t i = 0; i < names.count; i++) {
		there_and_back(names.items[i], PARTITION, &offset);
		there_and_back(names.items[i], FILE_SYSTEM, &offset);
		there_and_back(names.items[i], FILE_SYSTEM, NULL);
	}
}

static void programs_are_asked_as_they_expect(void **state UNUSED)
{
	static const struct {
		const char *name;
		const char *log;
	} rows[] = {
		{ "amazon-linux-1", "" },
		{ "amazon-linux-2", "grub2-mkconfig -o /boot/grub2/grub.cfg.ec2hib-new\n" },
		{ "amazon-linux-2023", "" },
		{ "debian-12", "grub-mkconfig -o /boot/grub/grub.cfg.ec2hib-new\n" },
		{ "rhel-9", "" },
		{ "sles-15", "grub2-mkconfig -o /boot/grub2/grub.cfg.ec2hib-new\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *log = NULL;
		struct tree tree;

		tree_open(&tree, rows[i].name);
		tree_area(&tree, PARTITION, &offset);
		apply(&tree);
		log = tree_log(&tree);
		assert_string_equal(log, rows[i].log);
		tree_close(&tree);
	}
}

static void failing_program_leaves_the_machine_as_it_was(void **state UNUSED)
{
	static const struct {
		const char *name;
		const char *program;
	} rows[] = {
		{ "amazon-linux-2", "grub2-mkconfig" },
		{ "debian-12", "grub-mkconfig" },
		{ "sles-15", "grub2-mkconfig" },
		{ "ubuntu-22.04", "grub-mkconfig" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *start = NULL, *done = NULL, *fail = NULL;
		struct error err;
		struct tree tree;

		tree_open(&tree, rows[i].name);
		tree_area(&tree, PARTITION, &offset);
		fail = text_format("/var/log/fail-%s", rows[i].program);
		start = tree_content(&tree);
		tree_write(&tree, fail, "");
		assert_int_equal(tree_apply(&tree, &err), -EIO);
		assert_non_null(strstr(err.text, rows[i].program));
		assert_non_null(strstr(err.text, "cannot "));
		tree_assert_content(&tree, start, rows[i].name);
		assert_int_equal(root_remove(&tree.root, fail, &err), 0);
		apply(&tree);
		done = tree_content(&tree);
		tree_write(&tree, fail, "");
		assert_int_equal(tree_remove(&tree, NULL, &err), -EIO);
		tree_assert_content(&tree, done, rows[i].name);
		assert_int_equal(root_remove(&tree.root, fail, &err), 0);
		take_away(&tree);
		tree_assert_content(&tree, start, rows[i].name);
		tree_close(&tree);
	}
}

/* Somebody's own settings come after ours and undo them: the result tells, not the program. */
static void settings_that_are_overridden_are_noticed(void **state UNUSED)
{
	memory_cleanup_free char *start = NULL;
	struct error err;
	struct tree tree;

	tree_open(&tree, "ubuntu-22.04");
	tree_area(&tree, PARTITION, &offset);
	tree_write(&tree, "/etc/default/grub.d/zzz-mine.cfg", "GRUB_CMDLINE_LINUX=\"mine\"\n");
	start = tree_content(&tree);
	assert_int_equal(tree_apply(&tree, &err), -EIO);
	assert_non_null(strstr(err.text, "overrides"));
	tree_assert_content(&tree, start, "overridden");
	tree_close(&tree);
}

static void ubuntu_boots_with_an_initramfs_only_where_needed(void **state UNUSED)
{
	static const struct {
		const char *argument;
		bool initramfs;
	} rows[] = { { PARTITION, false }, { FILE_SYSTEM, true }, { "/dev/mapper/a", true },
		{ "/dev/nvme0n1p1", false } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct boot_facts *boot;
		struct tree tree;

		tree_open(&tree, "ubuntu-22.04");
		boot = &tree.facts->boot;
		assert_int_equal(boot->force_partuuid.is, FACT_KNOWN);
		assert_int_equal(boot->initramfs_resume.is, FACT_ABSENT);
		tree_area(&tree, rows[i].argument, &offset);
		apply(&tree);
		assert_int_equal(boot->initramfs_tool.is == FACT_KNOWN, rows[i].initramfs);
		assert_int_equal(boot->force_partuuid.is == FACT_ABSENT, rows[i].initramfs);
		if (rows[i].initramfs)
			assert_true(fact_is_true(&boot->initramfs_resume));
		tree_close(&tree);
	}
}

static void odd_words_in_the_settings_survive(void **state UNUSED)
{
	memory_cleanup_free char *config = NULL;
	struct tree tree;

	tree_open(&tree, "debian-12");
	tree_area(&tree, PARTITION, &offset);
	tree_write(&tree, "/etc/default/grub",
		"GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n"
		"GRUB_CMDLINE_LINUX_DEFAULT='a=* resume=x dyn=\"two  words\"  resume=y "
		"no-console-suspend resume-offset=3 $vt_handoff noresumes'\n");
	apply(&tree);
	config = tree_read(&tree, "/boot/grub/grub.cfg");
	assert_non_null(
		strstr(config, "ro resume=" PARTITION " resume_offset=34816 no_console_suspend=1 "
			       "a=* dyn=\"two  words\"  $vt_handoff noresumes\n"));
	tree_close(&tree);
}

static void legacy_menu_changes_in_its_kernel_lines_alone(void **state UNUSED)
{
	memory_cleanup_free char *before = NULL, *after = NULL;
	const char *a, *b;
	struct tree tree;
	struct stat status;
	size_t changed = 0;

	tree_open(&tree, "amazon-linux-1");
	tree_area(&tree, "/dev/xvda1", &offset);
	before = tree_read(&tree, "/boot/grub/grub.conf");
	apply(&tree);
	after = tree_read(&tree, "/boot/grub/grub.conf");
	for (a = before, b = after; *a;) {
		memory_cleanup_free char *old = boot_next_line(&a);
		memory_cleanup_free char *new = boot_next_line(&b);

		if (boot_line_is(old, "kernel")) {
			memory_cleanup_free char *expected =
				text_format("%s resume=/dev/xvda1 resume_offset=34816 "
					    "no_console_suspend=1",
					old);

			assert_string_equal(new, expected);
			changed++;
		} else {
			assert_string_equal(new, old);
		}
	}
	assert_int_equal(changed, 2);
	assert_int_equal(*b, '\0');
	/* The link that the menu is stays a link. */
	assert_int_equal(root_lstat(&tree.root, "/boot/grub/menu.lst", &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	tree_close(&tree);
}

static void kernel_installed_later_loses_our_arguments_too(void **state UNUSED)
{
	memory_cleanup_free char *line = NULL, *entry = NULL, *rest = NULL, *menu = NULL;
	struct tree tree;

	tree_open(&tree, "rhel-9");
	tree_area(&tree, FILE_SYSTEM, &offset);
	apply(&tree);
	/* As kernel-install makes it. */
	line = tree_read(&tree, "/etc/kernel/cmdline");
	assert_non_null(strstr(line, "resume_offset=34816"));
	text_trim(line);
	entry = text_format("title New\nversion 5.14.0-500\nlinux /vmlinuz-5.14.0-500\n"
			    "initrd /initramfs-5.14.0-500.img\noptions %s\n",
		line);
	tree_write(&tree, "/boot/loader/entries/new-5.14.0-500.conf", entry);
	take_away(&tree);
	rest = tree_read(&tree, "/boot/loader/entries/new-5.14.0-500.conf");
	assert_null(strstr(rest, "resume"));
	assert_non_null(strstr(rest, " net.ifnames=0 nvme_core"));
	menu = tree_read(&tree, "/etc/default/grub");
	assert_null(strstr(menu, "resume"));
	tree_close(&tree);
}

static void line_that_others_changed_stays_and_is_told(void **state UNUSED)
{
	static const char path[] = "/boot/loader/entries/ec2f1a0b3c4d5e6f708192a3b4c5d6e7-"
				   "6.1.77-99.164.amzn2023.x86_64.conf";
	memory_cleanup_free char *rest = NULL;
	strings_cleanup struct strings left = { 0 };
	struct error err;
	struct tree tree;

	tree_open(&tree, "amazon-linux-2023");
	tree_area(&tree, FILE_SYSTEM, &offset);
	apply(&tree);
	tree_write(&tree, path, "title x\nlinux /boot/vmlinuz\noptions root=mine\n");
	assert_int_equal(tree_remove(&tree, &left, &err), 0);
	assert_int_equal(left.count, 1);
	assert_non_null(strstr(left.items[0], path));
	rest = tree_read(&tree, path);
	assert_string_equal(rest, "title x\nlinux /boot/vmlinuz\noptions root=mine\n");
	assert_false(root_exists(&tree.root, TREE_STATE "/" EDITS_NAME));
	tree_close(&tree);
}

/* RHEL 8: entries take their arguments from GRUB's environment block. */
static void kernelopts_in_grubenv_are_changed(void **state UNUSED)
{
	static const char path[] = "/boot/loader/entries/a-4.18.0-553.conf";
	memory_cleanup_free char *start = NULL, *entry = NULL, *block = NULL, *filled = NULL;
	strings_cleanup struct strings names = { 0 };
	struct error err;
	struct tree tree;

	tree_open(&tree, "rhel-9");
	root_list(&tree.root, "/boot/loader/entries", &names, &err);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *name =
			text_format("/boot/loader/entries/%s", names.items[i]);

		assert_int_equal(root_remove(&tree.root, name, &err), 0);
	}
	tree_write(&tree, path,
		"title a\nversion 4.18.0-553\nlinux /vmlinuz-0-rescue-x\n"
		"options $kernelopts $tuned_params\n");
	block = text_copy("# GRUB Environment Block\nsaved_entry=a-4.18.0-553\n"
			  "kernelopts=root=UUID=1 ro resume=UUID=old quiet\n");
	filled = memory_new(1025, 1);
	memset(filled, '#', 1024);
	memcpy(filled, block, strlen(block));
	tree_write(&tree, "/boot/grub2/grubenv", filled);
	start = tree_content(&tree);
	tree_area(&tree, FILE_SYSTEM, &offset);
	apply(&tree);
	assert_string_equal(tree.facts->boot.loader.value, "bls");
	assert_string_equal(facts_next_entry(tree.facts)->arguments.value,
		"root=UUID=1 ro quiet resume=" FILE_SYSTEM
		" resume_offset=34816 no_console_suspend=1");
	entry = tree_read(&tree, path);
	assert_non_null(strstr(entry, "options $kernelopts $tuned_params\n"));
	text_set(&block, tree_read(&tree, "/boot/grub2/grubenv"));
	assert_int_equal(strlen(block), 1024);
	take_away(&tree);
	tree_assert_content(&tree, start, "kernelopts");
	tree_close(&tree);
}

static void machine_without_a_boot_loader_gets_advice(void **state UNUSED)
{
	struct error err;
	struct tree tree;

	tree_open(&tree, "amazon-linux-1");
	assert_int_equal(root_remove(&tree.root, "/boot/grub/menu.lst", &err), 0);
	assert_int_equal(root_remove(&tree.root, "/boot/grub/grub.conf", &err), 0);
	tree_area(&tree, PARTITION, &offset);
	assert_int_equal(tree_apply(&tree, &err), -EOPNOTSUPP);
	assert_non_null(strstr(
		err.text, "\"resume=" PARTITION " resume_offset=34816 no_console_suspend=1\""));
	assert_int_equal(tree.facts->boot.loader.is, FACT_ABSENT);
	assert_int_equal(tree_remove(&tree, NULL, &err), 0);
	tree_close(&tree);
}

static void arguments_with_shell_in_them_are_refused(void **state UNUSED)
{
	memory_cleanup_free char *start = NULL;
	struct error err;
	struct tree tree;

	tree_open(&tree, "debian-12");
	start = tree_content(&tree);
	tree_area(&tree, "UUID=$(reboot)", &offset);
	assert_int_equal(tree_apply(&tree, &err), -EINVAL);
	tree_assert_content(&tree, start, "shell");
	tree_close(&tree);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines_are_understood),
		cmocka_unit_test(arguments_reach_every_entry_and_go_again),
		cmocka_unit_test(programs_are_asked_as_they_expect),
		cmocka_unit_test(failing_program_leaves_the_machine_as_it_was),
		cmocka_unit_test(settings_that_are_overridden_are_noticed),
		cmocka_unit_test(ubuntu_boots_with_an_initramfs_only_where_needed),
		cmocka_unit_test(odd_words_in_the_settings_survive),
		cmocka_unit_test(legacy_menu_changes_in_its_kernel_lines_alone),
		cmocka_unit_test(kernel_installed_later_loses_our_arguments_too),
		cmocka_unit_test(line_that_others_changed_stays_and_is_told),
		cmocka_unit_test(kernelopts_in_grubenv_are_changed),
		cmocka_unit_test(machine_without_a_boot_loader_gets_advice),
		cmocka_unit_test(arguments_with_shell_in_them_are_refused),
	};

	if (tree_missing())
		return skip_all(tree_missing());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
