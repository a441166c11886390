/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our arguments in the texts that boot entries are made from, and out of them again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/rules/source_text.h"

#define OURS "resume=UUID=1 resume_offset=2"
#define ALL  "GRUB_CMDLINE_LINUX"
#define ORDI "GRUB_CMDLINE_LINUX_DEFAULT"

static const struct boot_facts no_facts;

static void wanted_words(struct strings *wanted)
{
	strings_split(wanted, OURS, " ");
}

/* The text as it has to become, and again, which changes nothing. */
static void assert_set(const struct boot_source *source, const char *text, const char *expected)
{
	strings_cleanup struct strings wanted = { 0 };
	memory_cleanup_free char *changed = NULL, *again = NULL;

	wanted_words(&wanted);
	changed = source_text_set(source, &no_facts, text, &wanted);
	if (strcmp(changed, expected) != 0)
		fail_msg("%s\n-- became --\n%s\n-- not --\n%s", text, changed, expected);
	again = source_text_set(source, &no_facts, changed, &wanted);
	assert_string_equal(again, changed);
}

static void settings_get_plain_assignments(void **state UNUSED)
{
	static const struct boot_source settings = { .shell = true };
	static const struct {
		const char *text;
		const char *expected;
	} rows[] = {
		{ "", ALL "=\"" OURS "\"\n" },
		{ "A=1", "A=1\n" ALL "=\"" OURS "\"\n" },
		{ ALL "=\"\"\n", ALL "=\"" OURS "\"\n" },
		{ ALL "=''\n", ALL "='" OURS "'\n" },
		{ ALL "=\n", ALL "=\"" OURS "\"\n" },
		{ ALL "=quiet\n", ALL "=\"quiet " OURS "\"\n" },
		{ ALL "=\"a  b\"  # why\n", ALL "=\"a  b " OURS "\"  # why\n" },
		{ ALL "='a b' \n", ALL "='a b " OURS "' \n" },
		{ "\texport " ALL "=\"a\";\n", "\texport " ALL "=\"a " OURS "\";\n" },
		/* stale ones, by all their names, wherever they are */
		{ ALL "=\"resume=x a\"\n" ORDI "=\"q resume_offset=9 no-console-suspend\"\n",
			ALL "=\"a " OURS "\"\n" ORDI "=\"q\"\n" },
		{ ALL "_RECOVERY=\"resume=x\"\n" ALL "=\"a\"\n",
			ALL "_RECOVERY=\"\"\n" ALL "=\"a " OURS "\"\n" },
		/* escaped */
		{ ALL "=a\\ b\\$c\n", ALL "=\"a b\\$c " OURS "\"\n" },
		{ ALL "=a\\ resume=x\n", ALL "=\"a " OURS "\"\n" },
		{ ALL "=\"dyn=\\\"a b\\\" \\$x\"\n", ALL "=\"dyn=\\\"a b\\\" \\$x " OURS "\"\n" },
		/* continued */
		{ ALL "=\"a \\\n  resume=x \\\n b\"\nB=1\n",
			ALL "=\"a \\\n  \\\n b " OURS "\"\nB=1\n" },
		{ ALL "=\"a\nb\"\n", ALL "=\"a\nb " OURS "\"\n" },
		/* commented, twice, added to */
		{ "#" ALL "=\"a\"\n", "#" ALL "=\"a\"\n" ALL "=\"$" ALL " " OURS "\"\n" },
		{ ALL "=\"a\"\n" ALL "=\"b\"\n", ALL "=\"a\"\n" ALL "=\"b " OURS "\"\n" },
		{ ALL "=\"a\"\n" ALL "+=\" b\"\n", ALL "=\"a\"\n" ALL "+=\" b " OURS "\"\n" },
		{ ALL "=\"a\"\n" ALL "+=\"\"\n", ALL "=\"a\"\n" ALL "+=\" " OURS "\"\n" },
		/* of others */
		{ ALL "=\"$X a\"\n", ALL "=\"$X a " OURS "\"\n" },
		{ ALL "=\"a\"\n" ALL "=\"$" ALL " b\"\n",
			ALL "=\"a\"\n" ALL "=\"$" ALL " b " OURS "\"\n" },
		{ ALL "=\"a\"\n" ORDI "=\"$" ALL " b\"\n",
			ALL "=\"a\"\n" ORDI "=\"$" ALL " b\"\n" ALL "=\"$" ALL " " OURS "\"\n" },
		/* not to be changed: another one is appended */
		{ ALL "=\"a\"'b'\n", ALL "=\"a\"'b'\n" ALL "=\"$" ALL " " OURS "\"\n" },
		{ ALL "=\"$(cat x)\"'b'\n",
			ALL "=\"$(cat x)\"'b'\n" ALL "=\"$" ALL " " OURS "\"\n" },
		{ ALL "=\"$(echo resume=x)\"\n",
			ALL "=\"$(echo resume=x)\"\n" ALL "=\"$" ALL " " OURS "\"\n" },
		{ ALL "=\"${A:-resume=x b}\"\n",
			ALL "=\"${A:-resume=x b}\"\n" ALL "=\"$" ALL " " OURS "\"\n" },
		{ "if a; then\n" ALL "=\"b\"\nfi\n",
			"if a; then\n" ALL "=\"b\"\nfi\n" ALL "=\"$" ALL " " OURS "\"\n" },
		{ ALL "=\"a\"\n. ./more\n",
			ALL "=\"a\"\n. ./more\n" ALL "=\"$" ALL " " OURS "\"\n" },
		/* in whatever way it says so already */
		{ ORDI "=\"quiet " OURS "\"\n", ORDI "=\"quiet " OURS "\"\n" },
		{ "R=resume=UUID=1\n" ALL "=\"$R resume_offset=2\"\n",
			"R=resume=UUID=1\n" ALL "=\"$R resume_offset=2\"\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_set(&settings, rows[i].text, rows[i].expected);
}

static void command_line_files_keep_their_lines(void **state UNUSED)
{
	static const struct boot_source cmdline = { .keyword = "" };
	static const struct {
		const char *text;
		const char *expected;
	} rows[] = {
		{ "root=UUID=r ro\n", "root=UUID=r ro " OURS "\n" },
		{ "root=UUID=r ro", "root=UUID=r ro " OURS },
		{ "# all\nroot=UUID=r\n# more\nquiet resume=x a\n\n",
			"# all\nroot=UUID=r\n# more\nquiet a " OURS "\n\n" },
		{ "root=UUID=r resume=x\nquiet\n", "root=UUID=r\nquiet " OURS "\n" },
		{ "# nothing\n", "# nothing\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_set(&cmdline, rows[i].text, rows[i].expected);
}

static void entries_get_one_line_of_options(void **state UNUSED)
{
	static const struct boot_source entry = { .keyword = "options", .added = true };
	static const struct boot_source variable = {
		.keyword = "options", .added = true, .variable = "kernelopts"
	};

	assert_set(&entry, "linux /v\noptions a\n", "linux /v\noptions a " OURS "\n");
	assert_set(&entry, "linux /v\n", "linux /v\noptions " OURS "\n");
	assert_set(&entry, "linux /v", "linux /v\noptions " OURS "\n");
	assert_set(&entry, "options a resume=x\noptions\tb\n", "options a\noptions\tb " OURS "\n");
	assert_set(&variable, "options $kernelopts resume=x\n", "options $kernelopts\n");
}

static void copies_lose_just_what_is_ours(void **state UNUSED)
{
	static const struct boot_source entry = { .keyword = "options" };
	static const struct boot_source settings = { .shell = true };
	strings_cleanup struct strings ours = { 0 };
	memory_cleanup_free char *a = NULL, *b = NULL;

	strings_add(&ours, "options root=UUID=r " OURS " no_console_suspend=1");
	a = source_text_clean(&entry,
		"options a " OURS " no-console-suspend b\noptions resume=UUID=1 resume_offset=3\n",
		&ours);
	assert_string_equal(a, "options a b\noptions resume=UUID=1 resume_offset=3\n");
	b = source_text_clean(
		&settings, ALL "=\"x " OURS "\"\n" ORDI "=\"resume=UUID=1\"\n", &ours);
	assert_string_equal(b, ALL "=\"x\"\n" ORDI "=\"resume=UUID=1\"\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_get_plain_assignments),
		cmocka_unit_test(command_line_files_keep_their_lines),
		cmocka_unit_test(entries_get_one_line_of_options),
		cmocka_unit_test(copies_lose_just_what_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
