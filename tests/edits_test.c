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

#include "core/actions/edits.h"
#include "core/actions/fstab.h"
#include "core/base/memory.h"
#include "tests/place.h"

#define STATE  "/var/lib/ec2hib"
#define RECORD STATE "/edits.json"

static void assert_text(struct place *place, const char *path, const char *expected)
{
	struct error err;
	char *text;

	if (root_read(&place->root, path, FILE_LIMIT, &text, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(text, expected);
	free(text);
}

static void edit(struct place *place, const char *file, const char *before, const char *after)
{
	struct error err;

	if (edit_line(&place->root, STATE, file, before, after, &err) < 0)
		fail_msg("%s", err.text);
}

/* Undoes all; nothing may be left over, nor the record. */
static void undo(struct place *place)
{
	strings_cleanup struct strings left = { 0 };
	struct error err;

	if (edits_undo(&place->root, STATE, NULL, &left, &err) < 0)
		fail_msg("%s", err.text);
	if (left.count)
		fail_msg("%s", left.items[0]);
	assert_false(root_exists(&place->root, RECORD));
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
	struct place *place = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		place_put(place, "/etc/file", rows[i].text);
		edit(place, "/etc/file", rows[i].before, rows[i].after);
		assert_text(place, "/etc/file", rows[i].result);
		assert_true(root_exists(&place->root, RECORD));
		undo(place);
		assert_text(place, "/etc/file", rows[i].text);
	}
	undo(place);
}

static void edits_are_undone_last_one_first(void **state)
{
	struct place *place = *state;
	strings_cleanup struct strings files = { 0 };
	struct error err;

	place_put(place, "/etc/a", "1\n2\n2\n");
	place_put(place, "/etc/b", "1\n");
	edit(place, "/etc/a", "2", "3");
	edit(place, "/etc/a", "2", "3");
	edit(place, "/etc/b", "1", "9");
	edit(place, "/etc/a", "3", "4");
	edit(place, "/etc/a", "", "5");
	assert_text(place, "/etc/a", "1\n4\n3\n5\n");
	assert_true(edits_have(&place->root, STATE, "/etc/a", "5"));
	assert_false(edits_have(&place->root, STATE, "/etc/b", "5"));
	assert_int_equal(edits_files(&place->root, STATE, &files, &err), 0);
	assert_int_equal(files.count, 2);
	assert_string_equal(files.items[0], "/etc/a");
	assert_int_equal(edits_undo(&place->root, STATE, "/etc/a", NULL, &err), 0);
	assert_text(place, "/etc/a", "1\n2\n2\n");
	assert_text(place, "/etc/b", "9\n");
	undo(place);
	assert_text(place, "/etc/b", "1\n");
}

static void line_that_is_there_already_is_not_ours(void **state)
{
	struct place *place = *state;

	place_put(place, "/etc/fstab", "/swap none swap sw 0 0\n");
	edit(place, "/etc/fstab", "", "/swap none swap sw 0 0");
	edit(place, "/etc/fstab", "/swap none swap sw 0 0", "/swap none swap sw 0 0");
	assert_false(root_exists(&place->root, RECORD));
}

static void file_made_for_a_line_goes_with_it(void **state)
{
	struct place *place = *state;

	place_put(place, "/etc/other", "");
	edit(place, "/etc/fstab", "", "/swap none swap sw 0 0");
	assert_text(place, "/etc/fstab", "/swap none swap sw 0 0\n");
	undo(place);
	assert_false(root_exists(&place->root, "/etc/fstab"));
	/* Not when somebody has used it since. */
	edit(place, "/etc/fstab", "", "/swap none swap sw 0 0");
	place_put(place, "/etc/fstab", "/swap none swap sw 0 0\ntmpfs /tmp tmpfs 0 0\n");
	undo(place);
	assert_text(place, "/etc/fstab", "tmpfs /tmp tmpfs 0 0\n");
}

static void changed_line_is_found_by_its_words(void **state)
{
	struct place *place = *state;
	strings_cleanup struct strings left = { 0 };
	struct error err;

	place_put(place, "/boot/x", "options  a  b\n");
	edit(place, "/boot/x", "options  a  b", "options  a  b c");
	place_put(place, "/boot/x", "new\noptions a c b \n");
	undo(place);
	assert_text(place, "/boot/x", "new\noptions  a  b\n");
	/* Other words: it stays and is told. */
	edit(place, "/boot/x", "options  a  b", "options c");
	place_put(place, "/boot/x", "options c d\n");
	assert_int_equal(edits_undo(&place->root, STATE, NULL, &left, &err), 0);
	assert_int_equal(left.count, 1);
	assert_non_null(strstr(left.items[0], "/boot/x"));
	assert_non_null(strstr(left.items[0], "\"options  a  b\""));
	assert_text(place, "/boot/x", "options c d\n");
	assert_false(root_exists(&place->root, RECORD));
	/* A file that is gone needs no undoing. */
	edit(place, "/boot/x", "options c d", "y");
	assert_int_equal(root_remove(&place->root, "/boot/x", &err), 0);
	undo(place);
}

static void impossible_edits_change_nothing(void **state)
{
	struct place *place = *state;
	struct error err;

	place_put(place, "/etc/file", "a\n\xff\n");
	assert_int_equal(edit_line(&place->root, STATE, "/etc/file", "b", "c", &err), -ENOENT);
	assert_non_null(strstr(err.text, "has no line \"b\""));
	assert_int_equal(edit_line(&place->root, STATE, "/etc/none", "b", "c", &err), -ENOENT);
	assert_int_equal(edit_line(&place->root, STATE, "/etc/file", "\xff", "c", &err), -EILSEQ);
	assert_text(place, "/etc/file", "a\n\xff\n");
	assert_false(root_exists(&place->root, RECORD));
	place_put(place, RECORD, "{\"edits\": [");
	assert_int_equal(edit_line(&place->root, STATE, "/etc/file", "a", "c", &err), -EINVAL);
	assert_int_equal(edits_undo(&place->root, STATE, NULL, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "damaged"));
	place_put(place, RECORD, "{\"edits\": [{\"file\": \"x\"}]}");
	assert_int_equal(edits_undo(&place->root, STATE, NULL, NULL, &err), -EINVAL);
	place_put(place, RECORD, "[]");
	assert_int_equal(edits_undo(&place->root, STATE, NULL, NULL, &err), -EINVAL);
	assert_text(place, "/etc/file", "a\n\xff\n");
}

static void change_that_was_recorded_but_not_made_is_dropped(void **state)
{
	struct place *place = *state;
	struct line_changes changes = { 0 };
	struct error err;

	place_put(place, "/etc/file", "a\nb\nx\n");
	line_changes_add(&changes, "/etc/file", 2, "b", "x");
	line_changes_add(&changes, "/etc/file", 0, "", "y");
	line_changes_add(&changes, "/etc/file", 1, "a", "");
	assert_int_equal(edits_record(&place->root, STATE, &changes, &err), 0);
	undo(place);
	assert_text(place, "/etc/file", "a\nb\nx\n");
	/* Recorded twice by a run that was cut short counts once. */
	assert_int_equal(edits_record(&place->root, STATE, &changes, &err), 0);
	assert_int_equal(edits_record(&place->root, STATE, &changes, &err), 0);
	assert_int_equal(edits_make(&place->root, &changes, &err), 0);
	assert_text(place, "/etc/file", "x\nx\ny\n");
	assert_int_equal(edits_take_back(&place->root, STATE, &changes, &err), 0);
	assert_text(place, "/etc/file", "a\nb\nx\n");
	assert_false(root_exists(&place->root, RECORD));
	line_changes_free(&changes);
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
	struct place *place = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line_changes changes = { 0 };
		struct error err;

		place_put(place, "/boot/x", "a\noptions b\n");
		line_changes_add(&changes, "/boot/x", 2, "options b", "options c");
		assert_int_equal(edits_record(&place->root, STATE, &changes, &err), 0);
		place_put(place, "/boot/x", rows[i].after_program);
		assert_int_equal(edits_make(&place->root, &changes, &err), 0);
		assert_text(place, "/boot/x", rows[i].result);
		undo(place);
		assert_text(place, "/boot/x", "a\noptions b\n");
		line_changes_free(&changes);
	}
}

static void environment_block_keeps_its_size(void **state)
{
	struct place *place = *state;
	char block[1025] = "", longer[1200] = "kernelopts=";
	struct error err;

	memset(block, '#', 1024);
	memcpy(block, "# GRUB Environment Block\nkernelopts=ro\n", 39);
	place_put(place, "/boot/grub2/grubenv", block);
	edit(place, "/boot/grub2/grubenv", "kernelopts=ro", "kernelopts=ro resume=x");
	{
		struct stat status;

		assert_int_equal(root_stat(&place->root, "/boot/grub2/grubenv", &status), 0);
		assert_int_equal(status.st_size, 1024);
	}
	undo(place);
	assert_text(place, "/boot/grub2/grubenv", block);
	memset(longer + strlen(longer), 'x', 1100);
	assert_int_equal(edit_line(&place->root, STATE, "/boot/grub2/grubenv", "kernelopts=ro",
				 longer, &err),
		-ENOSPC);
	assert_text(place, "/boot/grub2/grubenv", block);
	undo(place);
	assert_text(place, "/boot/grub2/grubenv", block);
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
	struct place *place = *state;
	struct area_facts area = { 0 };
	struct error err;

	fact_set_text(&area.path, "/swap");
	for (size_t i = 0; i < COUNT(rows); i++) {
		place_put(place, "/etc/fstab", rows[i].before);
		for (int run = 0; run < 2; run++) {
			assert_int_equal(fstab_set(&place->root, &area, &err), 0);
			assert_text(place, "/etc/fstab", rows[i].with);
		}
		assert_int_equal(fstab_clear(&place->root, &err), 0);
		assert_text(place, "/etc/fstab", rows[i].before);
	}
	free(area.path.value);
}

/* Who can write the record could have any boot file changed at the next teardown. */
static void record_that_others_can_write_is_not_followed(void **state)
{
	struct place *place = *state;
	struct error err;

	if (geteuid() != 0)
		skip();
	place_put(place, "/boot/menu", "kernel a\n");
	edit(place, "/boot/menu", "kernel a", "kernel b");
	assert_int_equal(fchmodat(place->root.fd, RECORD + 1, 0666, 0), 0);
	assert_int_equal(edits_undo(&place->root, STATE, NULL, NULL, &err), -EPERM);
	assert_text(place, "/boot/menu", "kernel b\n");
	assert_int_equal(fchmodat(place->root.fd, RECORD + 1, 0644, 0), 0);
	undo(place);
	assert_text(place, "/boot/menu", "kernel a\n");
}

/* What stands behind a NUL byte would be lost when the text is written back. */
static void fstab_that_is_no_text_stays(void **state)
{
	static const char text[] = "/dev/sda1 / ext4\0/dev/sdb1 /data ext4\n";
	struct place *place = *state;
	struct area_facts area = { 0 };
	struct error err = { "" };
	char after[sizeof(text)];
	file_cleanup_close int fd = -1;

	place_put(place, "/etc/fstab", "");
	fd = root_openat(&place->root, "/etc/fstab", O_RDWR, 0, &err);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	fact_set_text(&area.path, "/swap");
	assert_int_equal(fstab_set(&place->root, &area, &err), -EILSEQ);
	assert_int_equal(fstab_clear(&place->root, &err), -EILSEQ);
	assert_int_equal(pread(fd, after, sizeof(after), 0), sizeof(text) - 1);
	assert_memory_equal(after, text, sizeof(text) - 1);
	free(area.path.value);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_PLACE(line_changes_and_comes_back),
		WITH_PLACE(edits_are_undone_last_one_first),
		WITH_PLACE(line_that_is_there_already_is_not_ours),
		WITH_PLACE(file_made_for_a_line_goes_with_it),
		WITH_PLACE(changed_line_is_found_by_its_words),
		WITH_PLACE(impossible_edits_change_nothing),
		WITH_PLACE(change_that_was_recorded_but_not_made_is_dropped),
		WITH_PLACE(other_programs_results_are_put_right),
		WITH_PLACE(environment_block_keeps_its_size),
		WITH_PLACE(fstab_comes_back_byte_for_byte),
		WITH_PLACE(record_that_others_can_write_is_not_followed),
		WITH_PLACE(fstab_that_is_no_text_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
