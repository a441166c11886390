/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernel command lines: what they say, and what they have to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/rules/arguments.h"

/* A list made from words with blanks between them. */
static struct strings words(const char *text)
{
	struct strings list = { 0 };

	strings_split(&list, text, " ");
	return list;
}

static void kernel_takes_the_last_value(void **state UNUSED)
{
	static const struct {
		const char *line;
		const char *key;
		const char *value;
	} rows[] = {
		{ "", "resume", NULL },
		{ "quiet", "resume", NULL },
		{ "resume=UUID=1", "resume", "UUID=1" },
		{ "resume=UUID=1 ro resume=PARTUUID=2", "resume", "PARTUUID=2" },
		{ "resume_offset=7", "resume", NULL },
		{ "resume=a resume_offset=7", "resume", "a" },
		{ "noresume", "resume", NULL },
		{ "resume", "resume", "" },
		{ "resume=", "resume", "" },
		{ "resume-offset=7", "resume_offset", "7" },
		{ "\t resume=\"UUID=1\"\n", "resume", "UUID=1" },
		{ "\"resume=UUID=1\"", "resume", "UUID=1" },
		{ "dyndbg=\"resume=no +p\"", "resume", NULL },
		{ "init=/x -- resume=UUID=1", "resume", NULL },
		{ "resume=UUID=1 -- resume=UUID=2", "resume", "UUID=1" },
		{ "resume=\"", "resume", "" },
		{ "\"", "resume", NULL },
		{ "no_console_suspend", "no_console_suspend", "" },
		{ "no_console_suspend=1", "no_console_suspend", "1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *value = arguments_get(rows[i].line, rows[i].key);

		if (!text_equal(value, rows[i].value))
			fail_msg("%s of \"%s\" is \"%s\"", rows[i].key, rows[i].line,
				value ? value : "(none)");
	}
}

#define FILE_WANTED   "resume=PARTUUID=1 resume_offset=34816 no_console_suspend=1"
#define LIST_WANTED   "resume=UUID=2 rd.lvm.lv=a/swap"
#define DEVICE_WANTED "resume=UUID=2 no_console_suspend=1"

static void replace_leaves_everything_else_as_it_is(void **state UNUSED)
{
	static const struct {
		const char *line;
		const char *wanted;
		const char *result;
	} rows[] = {
		{ "", FILE_WANTED, FILE_WANTED },
		{ "ro quiet", FILE_WANTED, "ro quiet " FILE_WANTED },
		/* Complete lines stay byte for byte, whatever the order and the blanks. */
		{ FILE_WANTED, FILE_WANTED, FILE_WANTED },
		{ "  " FILE_WANTED "  ro\t", FILE_WANTED, "  " FILE_WANTED "  ro\t" },
		{ "no_console_suspend  resume_offset=34816 ro resume=PARTUUID=1", FILE_WANTED,
			"no_console_suspend  resume_offset=34816 ro resume=PARTUUID=1" },
		/* Stale and doubled ones go. */
		{ "ro resume=UUID=9 quiet resume_offset=1", FILE_WANTED, "ro quiet " FILE_WANTED },
		{ "resume=UUID=9  ro", FILE_WANTED, "ro " FILE_WANTED },
		{ "resume=PARTUUID=1 resume=PARTUUID=1 ro", FILE_WANTED, "ro " FILE_WANTED },
		{ "ro  console=ttyS0   resume-offset=5 x", FILE_WANTED,
			"ro  console=ttyS0 x " FILE_WANTED },
		{ "resume= resume_offset=", FILE_WANTED, FILE_WANTED },
		{ "ro no_console_suspend=0", FILE_WANTED, "ro " FILE_WANTED },
		/* Names that only begin alike stay, and so do noresume and resumedelay. */
		{ "noresume resumedelay=5 resume_offsets=1", FILE_WANTED,
			"noresume resumedelay=5 resume_offsets=1 " FILE_WANTED },
		{ "dyndbg=\"file resume=1 +p\" ro", FILE_WANTED,
			"dyndbg=\"file resume=1 +p\" ro " FILE_WANTED },
		/* What is behind -- is init's. */
		{ "ro -- single resume=x", FILE_WANTED, "ro " FILE_WANTED " -- single resume=x" },
		{ "-- single", FILE_WANTED, FILE_WANTED " -- single" },
		/* A swap device has no offset, and no stale one either. */
		{ "ro " FILE_WANTED, DEVICE_WANTED, "ro " DEVICE_WANTED },
		{ "ro resume=UUID=2 no_console_suspend resume_offset=4", DEVICE_WANTED,
			"ro " DEVICE_WANTED },
		/* What the initramfs is to open is a list: others of it stay. */
		{ "rd.lvm.lv=a/root ro", LIST_WANTED, "rd.lvm.lv=a/root ro " LIST_WANTED },
		{ "rd.lvm.lv=a/swap rd.lvm.lv=a/root resume=UUID=2", LIST_WANTED,
			"rd.lvm.lv=a/swap rd.lvm.lv=a/root resume=UUID=2" },
		{ "rd.lvm.lv=a/swap rd.lvm.lv=a/root", LIST_WANTED,
			"rd.lvm.lv=a/root " LIST_WANTED },
		/* Line ends and quotes that do not close. */
		{ "\tkernel /boot/vmlinuz ro  ", DEVICE_WANTED,
			"\tkernel /boot/vmlinuz ro " DEVICE_WANTED },
		{ "ro x=\"a b", DEVICE_WANTED, "ro " DEVICE_WANTED " x=\"a b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		strings_cleanup struct strings wanted = words(rows[i].wanted);
		memory_cleanup_free char *result = arguments_replace(rows[i].line, &wanted);

		assert_string_equal(result, rows[i].result);
	}
}

static void replaced_line_is_complete_and_stays(void **state UNUSED)
{
	static const char *const lines[] = { "", "a", "resume=1 resume=2", "ro -- x",
		"resume_offset=1 no_console_suspend", "  resume  ", "a=\"b c\" resume=d",
		"ro a=\"b c", "\"" };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		strings_cleanup struct strings wanted = words(FILE_WANTED);
		memory_cleanup_free char *once = arguments_replace(lines[i], &wanted);
		memory_cleanup_free char *twice = arguments_replace(once, &wanted);

		assert_true(arguments_complete(once, &wanted));
		assert_string_equal(once, twice);
	}
}

static void remove_takes_all_of_the_keys(void **state UNUSED)
{
	static const struct {
		const char *line;
		const char *result;
	} rows[] = {
		{ "", "" },
		{ "ro quiet", "ro quiet" },
		{ "ro " FILE_WANTED " quiet", "ro quiet" },
		{ "ro  " FILE_WANTED "  quiet", "ro  quiet" },
		{ FILE_WANTED, "" },
		{ "resume=1 a resume=2 b resume=3", "a b" },
		{ " resume=1 a ", " a " },
		{ "a -- resume=1", "a -- resume=1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *result = arguments_remove(rows[i].line, arguments_keys);

		assert_string_equal(result, rows[i].result);
	}
}

static void line_is_complete_with_each_argument_once(void **state UNUSED)
{
	static const struct {
		const char *line;
		const char *wanted;
		bool complete;
	} rows[] = {
		{ FILE_WANTED, FILE_WANTED, true },
		{ "", FILE_WANTED, false },
		{ "resume=PARTUUID=1 resume_offset=1 no_console_suspend", FILE_WANTED, false },
		{ "resume=PARTUUID=1 resume_offset=34816 no_console_suspend", FILE_WANTED, true },
		{ FILE_WANTED " resume=UUID=3", FILE_WANTED, false },
		{ DEVICE_WANTED " resume_offset=4", DEVICE_WANTED, false },
		{ DEVICE_WANTED, DEVICE_WANTED, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		strings_cleanup struct strings wanted = words(rows[i].wanted);

		assert_int_equal(arguments_complete(rows[i].line, &wanted), rows[i].complete);
	}
}

static void wanted_arguments_follow_from_the_area(void **state UNUSED)
{
	static const struct {
		const char *kind;
		const char *argument;
		long offset;	    /* -1: unknown */
		const char *wanted; /* NULL: cannot be told */
	} rows[] = {
		{ "file", "PARTUUID=1", 34816, FILE_WANTED },
		{ "device", "UUID=2", 0, DEVICE_WANTED },
		{ "device", "UUID=2", -1, DEVICE_WANTED },
		{ "file", "PARTUUID=1", -1, NULL },
		{ "file", NULL, 34816, NULL },
		{ NULL, "PARTUUID=1", 34816, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct facts *facts = memory_new(1, sizeof(*facts));
		strings_cleanup struct strings wanted = { 0 };
		memory_cleanup_free char *text = NULL;
		bool known;

		if (rows[i].kind)
			fact_set_text(&facts->area.kind, rows[i].kind);
		if (rows[i].argument)
			fact_set_text(&facts->area.resume_argument, rows[i].argument);
		if (rows[i].offset >= 0)
			fact_set_number(&facts->area.resume_offset, (uint64_t)rows[i].offset);
		known = arguments_wanted(facts, &wanted);
		text = strings_join(&wanted, " ");
		assert_int_equal(known, rows[i].wanted != NULL);
		assert_string_equal(text, rows[i].wanted ? rows[i].wanted : "");
		facts_free(facts);
		free(facts);
	}
}

static void add_entry(struct facts *facts, const char *arguments, bool is_default)
{
	struct entry_facts *entry = facts_add(&facts->boot.entries);

	if (arguments)
		fact_set_text(&entry->arguments, arguments);
	fact_set_flag(&entry->is_default, is_default);
}

static void entries_of_another_system_do_not_count(void **state UNUSED)
{
	static const struct {
		const char *first;
		const char *second;
		bool complete;
	} rows[] = {
		{ "root=UUID=r " DEVICE_WANTED, "root=UUID=r " DEVICE_WANTED, true },
		{ "root=UUID=r " DEVICE_WANTED, "root=UUID=r single", false },
		{ "root=UUID=r " DEVICE_WANTED, "root=UUID=other", true },
		{ "root=UUID=r " DEVICE_WANTED, "console=ttyS0", true }, /* memtest86+ */
		{ "root=UUID=r", "root=UUID=r " DEVICE_WANTED, false },
		{ DEVICE_WANTED, "root=UUID=r", false },
		{ "root=UUID=r " DEVICE_WANTED, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct facts *facts = memory_new(1, sizeof(*facts));
		strings_cleanup struct strings wanted = words(DEVICE_WANTED);

		assert_false(arguments_in_entries(&facts->boot, &wanted));
		add_entry(facts, rows[i].first, true);
		add_entry(facts, rows[i].second, false);
		assert_int_equal(arguments_in_entries(&facts->boot, &wanted), rows[i].complete);
		facts_free(facts);
		free(facts);
	}
}

static void plain_arguments_are_safe_in_a_shell_file(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool plain;
	} rows[] = { { FILE_WANTED, true }, { "resume=/dev/mapper/vg-swap", true },
		{ "resume=$(reboot)", false }, { "resume=`x`", false }, { "a;b", false },
		{ "resume=\"x\"", false }, { "a|b", false }, { "a\\b", false }, { "a\nb", false } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		strings_cleanup struct strings list = words(rows[i].text);

		assert_int_equal(arguments_plain(&list), rows[i].plain);
	}
}

static void resume_values_are_told_apart(void **state UNUSED)
{
	static const struct {
		const char *value;
		enum resume_kind kind;
		bool needs_initramfs;
	} rows[] = {
		{ NULL, RESUME_NONE, false },
		{ "", RESUME_NONE, false },
		{ "PARTUUID=1b2c-02", RESUME_PARTUUID, false },
		{ "PARTLABEL=root", RESUME_PARTLABEL, false },
		{ "UUID=1", RESUME_UUID, true },
		{ "LABEL=swap", RESUME_LABEL, true },
		{ "/dev/nvme0n1p1", RESUME_DEVICE, false },
		{ "/dev/xvda1", RESUME_DEVICE, false },
		{ "/dev/root", RESUME_DEV_ROOT, false },
		{ "/dev/mapper/vg-swap", RESUME_LINK, true },
		{ "/dev/disk/by-uuid/1", RESUME_LINK, true },
		{ "/dev/", RESUME_PATH, false },
		{ "/swap", RESUME_PATH, false },
		{ "259:1", RESUME_NUMBER, false },
		{ "259:", RESUME_OTHER, false },
		{ ":1", RESUME_OTHER, false },
		{ "259:1x", RESUME_OTHER, false },
		{ "swap", RESUME_OTHER, false },
		{ "uuid=1", RESUME_OTHER, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(resume_value_kind(rows[i].value), rows[i].kind);
		assert_int_equal(
			resume_value_needs_initramfs(rows[i].value), rows[i].needs_initramfs);
	}
}

static void harmless_initramfs_settings_fit(void **state UNUSED)
{
	static const struct {
		const char *setting;
		bool fits;
	} rows[] = { { NULL, true }, { "", true }, { "none", true }, { "auto", true },
		{ "UUID=2", true }, { "UUID=3", false }, { "/dev/sda2", false } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct facts *facts = memory_new(1, sizeof(*facts));

		fact_set_text(&facts->boot.initramfs_setting, rows[i].setting);
		fact_set_text(&facts->area.resume_argument, "UUID=2");
		assert_int_equal(initramfs_setting_fits(facts), rows[i].fits);
		facts_free(facts);
		free(facts);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_takes_the_last_value),
		cmocka_unit_test(replace_leaves_everything_else_as_it_is),
		cmocka_unit_test(replaced_line_is_complete_and_stays),
		cmocka_unit_test(remove_takes_all_of_the_keys),
		cmocka_unit_test(line_is_complete_with_each_argument_once),
		cmocka_unit_test(wanted_arguments_follow_from_the_area),
		cmocka_unit_test(entries_of_another_system_do_not_count),
		cmocka_unit_test(plain_arguments_are_safe_in_a_shell_file),
		cmocka_unit_test(resume_values_are_told_apart),
		cmocka_unit_test(harmless_initramfs_settings_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
