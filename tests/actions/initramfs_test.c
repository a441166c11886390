/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resume support in the initramfs, there and back again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/actions/initramfs.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/rules/arguments.h"
#include "tests/actions/boot_tree.h"
#include "tests/lib/skip.h"

#define PARTITION   "PARTUUID=6e1c2d3f-01"
#define FILE_SYSTEM "UUID=0f5e7d3a-2b41-4c63-9d0e-6a1b8c7f2e11"

static const uint64_t offset = 34816;

/* How often the file system of the boot loader was flushed: ld(1), --wrap. */
static unsigned flushes;

void __real_boot_flush(const struct root *root, const struct boot_facts *boot);
void __wrap_boot_flush(const struct root *root, const struct boot_facts *boot);

void __wrap_boot_flush(const struct root *root, const struct boot_facts *boot)
{
	flushes++;
	__real_boot_flush(root, boot);
}

static void initramfs_learns_to_resume_and_forgets(void **state UNUSED)
{
	static const struct {
		const char *name;
		const char *program;
		const char *log;
	} rows[] = {
		{ "amazon-linux-2", "dracut",
			"dracut -f /boot/initramfs-5.10.205-195.807.amzn2.x86_64.img.ec2hib-new "
			"5.10.205-195.807.amzn2.x86_64\n" },
		{ "rhel-9", "dracut",
			"dracut -f /boot/initramfs-5.14.0-427.31.1.el9_4.x86_64.img.ec2hib-new "
			"5.14.0-427.31.1.el9_4.x86_64\n" },
		{ "sles-15", "dracut",
			"dracut -f /boot/initrd-5.14.21-150500.53-default.ec2hib-new "
			"5.14.21-150500.53-default\n" },
		{ "debian-12", "update-initramfs", "update-initramfs -u -k 6.1.0-25-amd64\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *start = NULL, *log = NULL, *again = NULL, *fail = NULL;
		struct error err;
		struct tree tree;

		tree_open(&tree, rows[i].name);
		tree_area(&tree, PARTITION, &offset);
		start = tree_content(&tree);
		assert_false(initramfs_can_resume(tree.facts));
		fail = text_format("/var/log/fail-%s", rows[i].program);
		tree_write(&tree, fail, "");
		assert_int_equal(initramfs_set(&tree.root, tree.facts, &err), -EIO);
		assert_non_null(strstr(err.text, rows[i].program));
		tree_assert_content(&tree, start, "failed initramfs");
		assert_int_equal(root_remove(&tree.root, fail, &err), 0);
		assert_int_equal(root_remove(&tree.root, "/var/log/stubs.log", &err), 0);
		if (initramfs_set(&tree.root, tree.facts, &err) < 0)
			fail_msg("%s", err.text);
		log = tree_log(&tree);
		assert_string_equal(log, rows[i].log);
		tree_gather(&tree);
		assert_true(initramfs_can_resume(tree.facts));
		assert_true(fact_is_true(&tree.facts->boot.our_initramfs));
		assert_int_equal(initramfs_set(&tree.root, tree.facts, &err), 0);
		again = tree_log(&tree);
		assert_string_equal(again, log);
		assert_int_equal(initramfs_remove(&tree.root, tree.facts, &err), 0);
		tree_gather(&tree);
		tree_assert_content(&tree, start, rows[i].name);
		assert_int_equal(initramfs_remove(&tree.root, tree.facts, &err), 0);
		tree_close(&tree);
	}
}

static void new_image_is_flushed_for_the_boot_loader(void **state UNUSED)
{
	struct error err;
	struct tree tree;

	tree_open(&tree, "amazon-linux-2");
	tree_area(&tree, PARTITION, &offset);
	flushes = 0;
	assert_int_equal(initramfs_set(&tree.root, tree.facts, &err), 0);
	assert_int_equal(flushes, 1);
	tree_gather(&tree);
	assert_int_equal(initramfs_set(&tree.root, tree.facts, &err), 0);
	assert_int_equal(flushes, 1);
	assert_int_equal(initramfs_remove(&tree.root, tree.facts, &err), 0);
	assert_int_equal(flushes, 2);
	tree_close(&tree);
}

static void resume_setting_follows_the_area(void **state UNUSED)
{
	memory_cleanup_free char *file = NULL, *device = NULL;
	struct error err;
	struct tree tree;

	tree_open(&tree, "debian-12");
	assert_string_equal(tree.facts->boot.initramfs_setting.value,
		"UUID=11111111-aaaa-4bbb-8ccc-222222222222");
	tree_area(&tree, FILE_SYSTEM, &offset);
	assert_int_equal(initramfs_set(&tree.root, tree.facts, &err), 0);
	file = tree_read(&tree, "/etc/initramfs-tools/conf.d/zzz-ec2hib");
	assert_non_null(strstr(file, "\nRESUME=none\n"));
	tree_gather(&tree);
	assert_string_equal(tree.facts->boot.initramfs_setting.value, "none");
	assert_int_equal(initramfs_remove(&tree.root, tree.facts, &err), 0);
	tree_gather(&tree);
	tree_area(&tree, FILE_SYSTEM, NULL);
	assert_int_equal(initramfs_set(&tree.root, tree.facts, &err), 0);
	device = tree_read(&tree, "/etc/initramfs-tools/conf.d/zzz-ec2hib");
	assert_non_null(strstr(device, "\nRESUME=" FILE_SYSTEM "\n"));
	tree_close(&tree);
}

static void shell(const struct tree *tree, const char *command)
{
	memory_cleanup_free char *line = text_format("cd %s && %s", tree->path, command);

	assert_int_equal(system(line), 0);
}

#define AL2023_IMAGE "/boot/initramfs-6.1.102-108.177.amzn2023.x86_64.img"

static void image_says_whether_it_resumes_not_its_configuration(void **state UNUSED)
{
	struct error err;
	struct tree tree;

	tree_open(&tree, "amazon-linux-2023");
	assert_true(fact_is_false(&tree.facts->boot.initramfs_resume));
	assert_string_equal(tree.facts->boot.initramfs_maker.value, "dracut");
	tree_write(&tree, "/etc/dracut.conf.d/mine.conf", "add_dracutmodules+=\" a resume \"\n");
	tree_gather(&tree);
	assert_true(fact_is_false(&tree.facts->boot.initramfs_resume));
	assert_true(fact_is_true(&tree.facts->boot.initramfs_lasts));
	shell(&tree, "bin/stub-image dracut ." AL2023_IMAGE " resume");
	tree_gather(&tree);
	assert_true(fact_is_true(&tree.facts->boot.initramfs_resume));
	tree_write(&tree, "/etc/dracut.conf.d/off.conf", "omit_dracutmodules+=\" resume \"\n");
	tree_gather(&tree);
	assert_true(fact_is_true(&tree.facts->boot.initramfs_resume));
	assert_true(fact_is_false(&tree.facts->boot.initramfs_lasts));
	/* Nothing that setup can do helps. */
	assert_int_equal(initramfs_set(&tree.root, tree.facts, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/etc/dracut.conf.d/off.conf omits"));
	assert_false(root_exists(&tree.root, "/etc/dracut.conf.d/ec2hib.conf"));
	tree_close(&tree);
}

/* dracut -a resume: in this image, and not in the next one. */
static void configuration_follows_an_image_that_resumes(void **state UNUSED)
{
	struct error err;
	struct tree tree;

	tree_open(&tree, "rhel-9");
	tree_area(&tree, PARTITION, &offset);
	shell(&tree, "bin/stub-image dracut ./boot/initramfs-5.14.0-427*.img resume");
	tree_gather(&tree);
	assert_true(initramfs_can_resume(tree.facts));
	assert_false(initramfs_is_set_up(tree.facts));
	assert_int_equal(initramfs_set(&tree.root, tree.facts, &err), 0);
	assert_true(root_exists(&tree.root, "/etc/dracut.conf.d/ec2hib.conf"));
	assert_false(root_exists(&tree.root, "/var/log/stubs.log"));
	tree_gather(&tree);
	assert_true(initramfs_is_set_up(tree.facts));
	tree_close(&tree);
}

static void new_image_that_does_not_resume_is_refused(void **state UNUSED)
{
	memory_cleanup_free char *start = NULL;
	struct error err;
	struct tree tree;

	tree_open(&tree, "rhel-9");
	tree_area(&tree, PARTITION, &offset);
	tree_write(&tree, "/usr/bin/dracut",
		"#!/bin/sh\nstub-image cpio usr/lib/dracut/modules.txt resume usr/lib/systemd/systemd x >$2\n");
	start = tree_content(&tree);
	assert_int_equal(initramfs_set(&tree.root, tree.facts, &err), -ENOENT);
	assert_non_null(strstr(err.text, "it lacks systemd-hibernate-resume.service"));
	tree_assert_content(&tree, start, "image that does not resume");
	tree_close(&tree);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(initramfs_learns_to_resume_and_forgets),
		cmocka_unit_test(new_image_is_flushed_for_the_boot_loader),
		cmocka_unit_test(resume_setting_follows_the_area),
		cmocka_unit_test(image_says_whether_it_resumes_not_its_configuration),
		cmocka_unit_test(configuration_follows_an_image_that_resumes),
		cmocka_unit_test(new_image_that_does_not_resume_is_refused),
	};

	if (tree_missing())
		return skip_all(tree_missing());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
