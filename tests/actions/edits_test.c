/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines changed in other people's files, and put back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/actions/at_boot.h"
#include "core/actions/edits.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "tests/lib/test_root.h"

#define STATE  "/var/lib/ec2hib"
#define RECORD STATE "/edits.json"

static void assert_text(struct test_root *test, const char *path, const char *expected)
{
	struct error err;
	char *text;

	if (root_read(&test->root, path, FILE_LIMIT, &text, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(text, expected);
	free(text);
}

/* Records and makes one edit. */
static int edit_line(const struct root *root, const char *file, const char *before,
	const char *after, struct error *err)
{
	struct edits edits = { 0 };
	int status = 0;

	edits_add(&edits, file, 0, before, after);
	if (edits.count)
		status = edits_record(root, STATE, &edits, err);
	if (status == 0)
		status = edits_make(root, &edits, err);
	edits_free(&edits);
	return status;
}

static void edit(struct test_root *test, const char *file, const char *before, const char *after)
{
	struct error err;

	if (edit_line(&test->root, file, before, after, &err) < 0)
		fail_msg("%s", err.text);
}

/* Undoes all; nothing may be left over, nor the record. */
static void undo(struct test_root *test)
{
	strings_cleanup struct strings left = { 0 };
	struct error err;

	if (edits_undo(&test->root, STATE, NULL, &left, &err) < 0)
		fail_msg("%s", err.text);
	if (left.count)
		fail_msg("%s", left.items[0]);
	assert_false(root_exists(&test->root, RECORD));
}

static void line_changes_and_comes_back(void **state)
{
	static const struct {
		const char *text;
		const char *before;
		const char *after;
		const char *result;
	} rows[] = {
		{ "a\nb\nc\n", "b", "x y", "a\nx y\nc\n" },
		{ "a\nb\nc", "c", "x", "a\nb\nx" },
		{ "a\nb\n", "", "c", "a\nb\nc\n" },
		{ "a\nb", "", "c", "a\nb\nc\n" },
		{ "", "", "c", "c\n" },
		{ "a\nb\nc\n", "b", "", "a\nc\n" },
		{ "a\nb\nc\n", "a", "", "b\nc\n" },
		{ "a\nb\nc\n", "c", "", "a\nb\n" },
		{ "a\nb", "b", "", "a\n" },
		{ "a", "a", "", "" },
		{ "b\nb\n", "b", "x", "x\nb\n" },
		{ "x\nb\nx\n", "b", "x", "x\nx\nx\n" },
		{ "a\r\n\xc3\xa4\n", "\xc3\xa4", "\"\\\t", "a\r\n\"\\\t\n" },
	};
	struct test_root *test = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_root_put(test, "/etc/file", rows[i].text);
		edit(test, "/etc/file", rows[i].before, rows[i].after);
		assert_text(test, "/etc/file", rows[i].result);
		assert_true(root_exists(&test->root, RECORD));
		undo(test);
		assert_text(test, "/etc/file", rows[i].text);
	}
	undo(test);
}

static void edits_are_undone_last_one_first(void **state)
{
	struct test_root *test = *state;

	test_root_put(test, "/etc/a", "1\n2\n2\n");
	test_root_put(test, "/etc/b", "1\n");
	edit(test, "/etc/a", "2", "3");
	edit(test, "/etc/a", "2", "3");
	edit(test, "/etc/b", "1", "9");
	edit(test, "/etc/a", "3", "4");
	edit(test, "/etc/a", "", "5");
	assert_text(test, "/etc/a", "1\n4\n3\n5\n");
	undo(test);
	assert_text(test, "/etc/a", "1\n2\n2\n");
	assert_text(test, "/etc/b", "1\n");
}

static void line_that_is_there_already_is_not_ours(void **state)
{
	struct test_root *test = *state;

	test_root_put(test, "/etc/fstab", "/swap none swap sw 0 0\n");
	edit(test, "/etc/fstab", "", "/swap none swap sw 0 0");
	edit(test, "/etc/fstab", "/swap none swap sw 0 0", "/swap none swap sw 0 0");
	assert_false(root_exists(&test->root, RECORD));
}

static void file_made_for_a_line_goes_with_it(void **state)
{
	struct test_root *test = *state;

	test_root_put(test, "/etc/other", "");
	edit(test, "/etc/fstab", "", "/swap none swap sw 0 0");
	assert_text(test, "/etc/fstab", "/swap none swap sw 0 0\n");
	undo(test);
	assert_false(root_exists(&test->root, "/etc/fstab"));
	/* Not when somebody has used it since. */
	edit(test, "/etc/fstab", "", "/swap none swap sw 0 0");
	test_root_put(test, "/etc/fstab", "/swap none swap sw 0 0\ntmpfs /tmp tmpfs 0 0\n");
	undo(test);
	assert_text(test, "/etc/fstab", "tmpfs /tmp tmpfs 0 0\n");
}

static void changed_line_is_found_by_its_words(void **state)
{
	struct test_root *test = *state;
	strings_cleanup struct strings left = { 0 };
	struct error err;

	test_root_put(test, "/boot/x", "options  a  b\n");
	edit(test, "/boot/x", "options  a  b", "options  a  b c");
	test_root_put(test, "/boot/x", "new\noptions a c b \n");
	undo(test);
	assert_text(test, "/boot/x", "new\noptions  a  b\n");
	/* Other words: it stays and is told. */
	edit(test, "/boot/x", "options  a  b", "options c");
	test_root_put(test, "/boot/x", "options c d\n");
	assert_int_equal(edits_undo(&test->root, STATE, NULL, &left, &err), 0);
	assert_int_equal(left.count, 1);
	assert_non_null(strstr(left.items[0], "/boot/x"));
	assert_non_null(strstr(left.items[0], "\"options  a  b\""));
	assert_text(test, "/boot/x", "options c d\n");
	assert_false(root_exists(&test->root, RECORD));
	/* A file that is gone needs no undoing. */
	edit(test, "/boot/x", "options c d", "y");
	assert_int_equal(root_remove(&test->root, "/boot/x", &err), 0);
	undo(test);
}

static void impossible_edits_change_nothing(void **state)
{
	struct test_root *test = *state;
	struct error err;

	test_root_put(test, "/etc/file", "a\n\xff\n");
	assert_int_equal(edit_line(&test->root, "/etc/file", "b", "c", &err), -ENOENT);
	assert_non_null(strstr(err.text, "has no line \"b\""));
	assert_int_equal(edit_line(&test->root, "/etc/none", "b", "c", &err), -ENOENT);
	assert_int_equal(edit_line(&test->root, "/etc/file", "\xff", "c", &err), -EILSEQ);
	assert_text(test, "/etc/file", "a\n\xff\n");
	assert_false(root_exists(&test->root, RECORD));
	test_root_put(test, RECORD, "{\"edits\": [");
	assert_int_equal(edit_line(&test->root, "/etc/file", "a", "c", &err), -EINVAL);
	assert_int_equal(edits_undo(&test->root, STATE, NULL, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "damaged"));
	test_root_put(test, RECORD, "{\"edits\": [{\"file\": \"x\"}]}");
	assert_int_equal(edits_undo(&test->root, STATE, NULL, NULL, &err), -EINVAL);
	test_root_put(test, RECORD, "[]");
	assert_int_equal(edits_undo(&test->root, STATE, NULL, NULL, &err), -EINVAL);
	assert_text(test, "/etc/file", "a\n\xff\n");
}

static void change_that_was_recorded_but_not_made_is_dropped(void **state)
{
	struct test_root *test = *state;
	struct edits edits = { 0 };
	struct error err;

	test_root_put(test, "/etc/file", "a\nb\nx\n");
	edits_add(&edits, "/etc/file", 2, "b", "x");
	edits_add(&edits, "/etc/file", 0, "", "y");
	edits_add(&edits, "/etc/file", 1, "a", "");
	assert_int_equal(edits_record(&test->root, STATE, &edits, &err), 0);
	undo(test);
	assert_text(test, "/etc/file", "a\nb\nx\n");
	/* Recorded twice by a run that was cut short counts once. */
	assert_int_equal(edits_record(&test->root, STATE, &edits, &err), 0);
	assert_int_equal(edits_record(&test->root, STATE, &edits, &err), 0);
	assert_int_equal(edits_make(&test->root, &edits, &err), 0);
	assert_text(test, "/etc/file", "x\nx\ny\n");
	assert_int_equal(edits_undo(&test->root, STATE, &edits, NULL, &err), 0);
	assert_text(test, "/etc/file", "a\nb\nx\n");
	assert_false(root_exists(&test->root, RECORD));
	edits_free(&edits);
}

static void other_programs_results_are_put_right(void **state)
{
	static const struct {
		const char *after_program;
		const char *result;
	} rows[] = {
		{ "a\noptions b\n", "a\noptions c\n" },
		{ "a\noptions c\n", "a\noptions c\n" },
		{ "a\noptions  c \n", "a\noptions  c \n" },
		{ "a\noptions c c d\n", "a\noptions c\n" },
	};
	struct test_root *test = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct edits edits = { 0 };
		struct error err;

		test_root_put(test, "/boot/x", "a\noptions b\n");
		edits_add(&edits, "/boot/x", 2, "options b", "options c");
		assert_int_equal(edits_record(&test->root, STATE, &edits, &err), 0);
		test_root_put(test, "/boot/x", rows[i].after_program);
		assert_int_equal(edits_make(&test->root, &edits, &err), 0);
		assert_text(test, "/boot/x", rows[i].result);
		undo(test);
		assert_text(test, "/boot/x", "a\noptions b\n");
		edits_free(&edits);
	}
}

static void environment_block_keeps_its_size(void **state)
{
	struct test_root *test = *state;
	char block[1025] = "", longer[1200] = "kernelopts=";
	struct error err;

	memset(block, '#', 1024);
	memcpy(block, "# GRUB Environment Block\nkernelopts=ro\n", 39);
	test_root_put(test, "/boot/grub2/grubenv", block);
	edit(test, "/boot/grub2/grubenv", "kernelopts=ro", "kernelopts=ro resume=x");
	{
		struct stat status;

		assert_int_equal(root_stat(&test->root, "/boot/grub2/grubenv", &status), 0);
		assert_int_equal(status.st_size, 1024);
	}
	undo(test);
	assert_text(test, "/boot/grub2/grubenv", block);
	memset(longer + strlen(longer), 'x', 1100);
	assert_int_equal(
		edit_line(&test->root, "/boot/grub2/grubenv", "kernelopts=ro", longer, &err),
		-ENOSPC);
	assert_text(test, "/boot/grub2/grubenv", block);
	undo(test);
	assert_text(test, "/boot/grub2/grubenv", block);
}

static void fstab_comes_back_byte_for_byte(void **state)
{
	static const struct {
		const char *before;
		const char *with;
	} rows[] = {
		{ "/dev/sda1 / ext4\n",
			"/dev/sda1 / ext4\n/swap\tnone\tswap\tsw,nofail,x-ec2hib\t0\t0\n" },
		{ "/dev/sda1 / ext4",
			"/dev/sda1 / ext4\n/swap\tnone\tswap\tsw,nofail,x-ec2hib\t0\t0" },
		{ "\n\n# nothing\n",
			"\n\n# nothing\n/swap\tnone\tswap\tsw,nofail,x-ec2hib\t0\t0\n" },
	};
	struct test_root *test = *state;
	struct area_facts area = { 0 };
	struct error err;

	fact_set_text(&area.path, "/swap");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_root_put(test, "/etc/fstab", rows[i].before);
		for (int run = 0; run < 2; run++) {
			assert_int_equal(swap_at_boot_set(&test->root, &area, &err), 0);
			assert_text(test, "/etc/fstab", rows[i].with);
		}
		assert_int_equal(swap_at_boot_clear(&test->root, &err), 0);
		assert_text(test, "/etc/fstab", rows[i].before);
	}
	free(area.path.value);
}

/* Who can write the record could have any boot file changed at the next teardown. */
static void record_that_others_can_write_is_not_followed(void **state)
{
	struct test_root *test = *state;
	struct error err;

	if (geteuid() != 0)
		skip();
	test_root_put(test, "/boot/menu", "kernel a\n");
	edit(test, "/boot/menu", "kernel a", "kernel b");
	assert_int_equal(fchmodat(test->root.fd, &RECORD[1], 0666, 0), 0);
	assert_int_equal(edits_undo(&test->root, STATE, NULL, NULL, &err), -EPERM);
	assert_text(test, "/boot/menu", "kernel b\n");
	assert_int_equal(fchmodat(test->root.fd, &RECORD[1], 0644, 0), 0);
	undo(test);
	assert_text(test, "/boot/menu", "kernel a\n");
}

/* What stands behind a NUL byte would be lost when the text is written back. */
static void fstab_that_is_no_text_stays(void **state)
{
	static const char text[] = "/dev/sda1 / ext4\0/dev/sdb1 /data ext4\n";
	struct test_root *test = *state;
	struct area_facts area = { 0 };
	struct error err = { "" };
	char after[sizeof(text)];
	file_cleanup_close int fd = -1;

	test_root_put(test, "/etc/fstab", "");
	fd = root_openat(&test->root, "/etc/fstab", O_RDWR, 0, &err);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	fact_set_text(&area.path, "/swap");
	assert_int_equal(swap_at_boot_set(&test->root, &area, &err), -EILSEQ);
	assert_int_equal(swap_at_boot_clear(&test->root, &err), -EILSEQ);
	assert_int_equal(pread(fd, after, sizeof(after), 0), sizeof(text) - 1);
	assert_memory_equal(after, text, sizeof(text) - 1);
	free(area.path.value);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(line_changes_and_comes_back),
		WITH_TEST_ROOT(edits_are_undone_last_one_first),
		WITH_TEST_ROOT(line_that_is_there_already_is_not_ours),
		WITH_TEST_ROOT(file_made_for_a_line_goes_with_it),
		WITH_TEST_ROOT(changed_line_is_found_by_its_words),
		WITH_TEST_ROOT(impossible_edits_change_nothing),
		WITH_TEST_ROOT(change_that_was_recorded_but_not_made_is_dropped),
		WITH_TEST_ROOT(other_programs_results_are_put_right),
		WITH_TEST_ROOT(environment_block_keeps_its_size),
		WITH_TEST_ROOT(fstab_comes_back_byte_for_byte),
		WITH_TEST_ROOT(record_that_others_can_write_is_not_followed),
		WITH_TEST_ROOT(fstab_that_is_no_text_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
