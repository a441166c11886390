/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What boot configuration says, read from texts: good ones, odd ones, and garbage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "core/facts/boot_bls.h"
#include "core/facts/boot_grub.h"
#include "core/facts/boot_grub_script.h"
#include "core/facts/boot_grub_legacy.h"
#include "core/facts/boot_text.h"

/* The entry that boots next, of what was parsed; "" when it is none. */
static const char *next_id(const struct facts *facts)
{
	const struct entry_facts *next = facts_next_entry(facts);

	return next ? next->id.value : "";
}

static struct facts *parse_grub(const char *text, const char *environment)
{
	struct facts *facts = memory_new(1, sizeof(*facts));
	memory_cleanup_free char *choice = NULL;

	boot_grub_parse(&facts->boot, text, environment, false, &choice);
	return facts;
}

static void release(struct facts *facts)
{
	facts_free(facts);
	free(facts);
}

#define MENU                                                                                       \
	"menuentry 'A' --class os $menuentry_id_option 'a' {\n linux /vmlinuz-1 a\n}\n"            \
	"submenu 'More' $menuentry_id_option 'more' {\n"                                           \
	"menuentry \"B > b\" --id=b { linux /vmlinuz-2 b; }\n"                                     \
	"menuentry 'Memory test' { linux16 /memtest }\n"                                           \
	"menuentry C { linuxefi (hd0,gpt1)/vmlinuz-3 c\n initrdefi /ucode.img /i-3 }\n"            \
	"}\n"                                                                                      \
	"menuentry 'Setup' --id fw { fwsetup }\n"

static void grub_default_is_found_as_grub_finds_it(void **state UNUSED)
{
	static const struct {
		const char *set;
		const char *environment;
		const char *next;
	} rows[] = {
		{ "", NULL, "0" },
		{ "set default=0\n", NULL, "0" },
		{ "set default=\"1>0\"\n", NULL, "1>0" },
		{ "set default=\"1>2\"\n", NULL, "1>2" },
		{ "set default=1\n", NULL, "1>0" },
		{ "set default='more>b'\n", NULL, "1>0" },
		{ "set default='More>B >> b'\n", NULL, "1>0" },
		{ "set default='more>C'\n", NULL, "1>2" },
		{ "set default=C\n", NULL, "0" }, /* in no submenu: GRUB takes the first */
		{ "set default=99\n", NULL, "0" },
		{ "set default=fw\n", NULL, "" },
		{ "default=\"1>2\"\n", NULL, "1>2" },
		{ "set default=\"${saved_entry}\"\n", "saved_entry=1>2\n####", "1>2" },
		{ "set default=\"${saved_entry}\"\n", "# GRUB\nsaved_entry=more>b\n", "1>0" },
		{ "set default=\"${saved_entry}\"\n", NULL, "0" },
		{ "if [ \"${next_entry}\" ] ; then set default=\"${next_entry}\"\n"
		  "else\n set default=\"${saved_entry}\"\nfi\n",
			"saved_entry=a\nnext_entry=1>2\n", "1>2" },
		{ "if [ -n \"$x\" ]; then set default=1; elif true; then set default='1>2'; fi\n",
			NULL, "1>2" },
		{ "if [ \"$a\" = 1 -o \"$b\" = 2 ]; then set default='1>2'; fi\n", "b=2\n", "1>2" },
		{ "if [ ! \"$a\" = 1 -a x$b = x ]; then set default='1>2'; fi\n", "b=2\n", "0" },
		{ "function f {\n set default=1\n}\nwhile true; do set default=1; done\n", NULL,
			"0" },
		{ "# set default=1\nset def\\\nault=1 # no\n", NULL, "1>0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *text = text_format("%s" MENU, rows[i].set);
		struct facts *facts = parse_grub(text, rows[i].environment);

		if (strcmp(next_id(facts), rows[i].next) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].set, next_id(facts),
				rows[i].next);
		assert_int_equal(facts->boot.entries.count, 4);
		release(facts);
	}
}

/* What is set after the last that there is room for may have been the default. */
static void grub_script_that_is_too_long_has_no_default(void **state UNUSED)
{
	struct facts *facts = memory_new(1, sizeof(*facts));
	memory_cleanup_free char *text = NULL, *choice = NULL;

	for (unsigned i = 0; i < 5000; i++)
		text_append(&text, "set v%u=x\n", i);
	text_append(&text, "set default=1\n"
			   "menuentry a { linux /boot/a }\nmenuentry b { linux /boot/b }\n");
	boot_grub_parse(&facts->boot, text, NULL, false, &choice);
	assert_int_equal(facts->boot.entries.count, 2);
	assert_null(facts_next_entry(facts));
	release(facts);
}

static void grub_entry_is_read_in_full(void **state UNUSED)
{
	struct facts *facts = parse_grub("set v=x\n" MENU, NULL);
	const struct entry_facts *entry = &facts->boot.entries.items[3];

	assert_string_equal(entry->id.value, "1>2");
	assert_string_equal(entry->title.value, "C");
	assert_string_equal(entry->kernel.value, "/vmlinuz-3");
	assert_string_equal(entry->version.value, "3");
	assert_string_equal(entry->initramfs.value, "/i-3");
	assert_string_equal(entry->arguments.value, "c");
	assert_int_equal(facts->boot.entries.items[2].version.is, FACT_UNKNOWN);
	assert_int_equal(facts->boot.entries.items[2].initramfs.is, FACT_ABSENT);
	release(facts);
}

static void words_lose_their_quotes_and_variables(void **state UNUSED)
{
	static const struct {
		const char *line;
		const char *arguments;
	} rows[] = {
		{ "linux /k root=UUID=1 ro  quiet", "root=UUID=1 ro quiet" },
		{ "linux /k 'a b' c\\ d \"e\\\"f\"", "a b c d e\"f" },
		{ "linux /k '$v' \"$v\" ${v}w $unset x", "$v 1 1w x" },
		{ "linux /k a \"\" b", "a  b" },
		{ "linux /k \"\\$v\"", "$v" },
		{ "linux /k a \\\n b", "a b" },
		{ "linux /k a # b", "a" },
		{ "linux /k a#b", "a#b" },
		{ "linux /k $ ${ ${v", "$ ${ ${v" },
		{ "set v=2; linux /k $v", "2" },
		{ "if [ x$grub_platform = xxen ]; then linux /k a; else linux /k b; fi", "b" },
		{ "linux /k a\n linux /k b", "b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *text =
			text_format("set v=1\nmenuentry x {\n%s\n}\n", rows[i].line);
		struct facts *facts = parse_grub(text, NULL);

		assert_int_equal(facts->boot.entries.count, 1);
		assert_string_equal(
			facts->boot.entries.items[0].arguments.value, rows[i].arguments);
		release(facts);
	}
}

static void legacy_default_is_a_number(void **state UNUSED)
{
	static const struct {
		const char *head;
		const char *saved;
		const char *next;
	} rows[] = { { "", "", "0" }, { "default 2\n", "", "2" }, { "default=2\n", "", "2" },
		{ "  default 0\n", "", "0" }, { "default saved\n", "2", "2" },
		{ "default=1\n", "", "" }, { "default=9\n", "", "" }, { "#default 2\n", "", "0" },
		{ "default\n", "", "0" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *text =
			text_format("%stitle A\nkernel /boot/vmlinuz-1 a\ntitle "
				    "Other\nchainloader +1\n"
				    "title C\nroot (hd0)\n kernel --no-mem-option "
				    "(hd0)/boot/vmlinuz-3 c d \ninitrd /boot/i",
				rows[i].head);
		struct facts *facts = memory_new(1, sizeof(*facts));
		const struct entry_facts *last;

		boot_legacy_parse(&facts->boot, text, rows[i].saved);
		assert_int_equal(facts->boot.entries.count, 2);
		assert_string_equal(next_id(facts), rows[i].next);
		last = &facts->boot.entries.items[1];
		assert_string_equal(last->kernel.value, "/boot/vmlinuz-3");
		assert_string_equal(last->arguments.value, "c d");
		assert_string_equal(last->initramfs.value, "/boot/i");
		release(facts);
	}
}

static void entry_files_are_sorted_as_the_loader_does(void **state UNUSED)
{
	static const struct {
		const char *names[4];
		const char *choice;
		bool grub;
		const char *first;
		const char *next;
	} rows[] = {
		{ { "m-5.9.0-1.conf", "m-5.14.0-1.conf", "m-0-rescue.conf" }, "", true,
			"m-5.14.0-1", "m-5.14.0-1" },
		{ { "m-5.9.0-1.conf", "m-5.14.0-1.conf" }, "m-5.9.0-1", true, "m-5.14.0-1",
			"m-5.9.0-1" },
		{ { "m-5.9.0-1.conf", "m-5.14.0-1.conf" }, "1", true, "m-5.14.0-1", "m-5.9.0-1" },
		{ { "m-5.9.0-1.conf", "m-5.14.0-1.conf" }, "7", true, "m-5.14.0-1", "m-5.14.0-1" },
		{ { "m-5.9.0-1.conf", "m-5.14.0-1.conf" }, "gone", true, "m-5.14.0-1",
			"m-5.14.0-1" },
		{ { "m-5.14.0-9.conf", "m-5.14.0-10.conf", "m-5.14.0~rc1-99.conf" }, "", true,
			"m-5.14.0-10", "m-5.14.0-10" },
		{ { "m-6.1.102-1.amzn2023.conf", "m-6.1.77-99.amzn2023.conf" }, "", true,
			"m-6.1.102-1.amzn2023", "m-6.1.102-1.amzn2023" },
		{ { "a-1+3-1.conf", "a-2+2.conf" }, "", false, "a-2", "a-2" },
		{ { "a-1+3-1.conf", "a-2+0.conf" }, "", false, "a-1", "a-1" },
		{ { "a-1.conf", "a-2+0-3.conf" }, "", false, "a-1", "a-1" },
		{ { "a-1.conf", "a-2+0-3.conf" }, "a-2*", false, "a-1", "a-2" },
		{ { "arch.conf", "debian-1.conf" }, "arch*", false, "debian-1", "arch" },
		{ { "arch.conf", "debian-1.conf" }, "arch.conf", false, "debian-1", "arch" },
		{ { "arch.conf", "debian-1.conf" }, "@saved", false, "debian-1", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct facts *facts = memory_new(1, sizeof(*facts));

		for (size_t j = 0; j < 4 && rows[i].names[j]; j++)
			boot_bls_parse(&facts->boot, rows[i].names[j],
				"linux /vmlinuz\noptions a\n", NULL);
		boot_bls_sort(&facts->boot, rows[i].choice, rows[i].grub);
		assert_string_equal(facts->boot.entries.items[0].id.value, rows[i].first);
		assert_string_equal(next_id(facts), rows[i].next);
		release(facts);
	}
}

/* sort-key, machine-id and version of each, in the order in which systemd-boot has them. */
static void entry_files_with_sort_keys_come_by_these(void **state UNUSED)
{
	static const char *const texts[][2] = {
		{ "z-old", "linux /k\nversion 9\n" },
		{ "b", "linux /k\nsort-key fedora\nmachine-id 2\nversion 6.1\n" },
		{ "a", "linux /k\nsort-key fedora\nmachine-id 1\nversion 5.9\n" },
		{ "c", "linux /k\nsort-key fedora\nmachine-id 1\nversion 5.14\n" },
		{ "d", "linux /k\nsort-key arch\nversion 1\n" },
	};
	static const char *const order[] = { "d", "c", "a", "b", "z-old" };
	struct facts *facts = memory_new(1, sizeof(*facts));

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		boot_bls_parse(&facts->boot, texts[i][0], texts[i][1], NULL);
	boot_bls_sort(&facts->boot, "", false);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_string_equal(facts->boot.entries.items[i].id.value, order[i]);
	release(facts);
}

static void entry_file_joins_lines_and_variables(void **state UNUSED)
{
	struct facts *facts = memory_new(1, sizeof(*facts));
	const struct entry_facts *entry;

	boot_bls_parse(&facts->boot, "x.conf",
		"# a comment\ntitle\tX y\r\nversion 5\nlinux /l\ninitrd /intel-ucode.img\n"
		"initrd /i $tuned_initrd\noptions $kernelopts one\noptions two $tuned_params\n"
		"optionsx three\n",
		"kernelopts=root=a\\\\b ro\ntuned_params=\n");
	boot_bls_parse(&facts->boot, "no-kernel.conf", "title x\nefi /shell.efi\n", NULL);
	assert_int_equal(facts->boot.entries.count, 1);
	entry = &facts->boot.entries.items[0];
	assert_string_equal(entry->title.value, "X y");
	assert_string_equal(entry->version.value, "5");
	assert_string_equal(entry->initramfs.value, "/i");
	assert_string_equal(entry->arguments.value, "root=a\\b ro one two");
	release(facts);
}

static void settings_are_read_as_a_shell_would(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *value;
	} rows[] = {
		{ "", NULL },
		{ "RESUME=a\n", "a" },
		{ "RESUME=a\nRESUME=b", "b" },
		{ "RESUME=\"a b\" # c\n", "a b" },
		{ "RESUME='a'b\\ c d\n", "ab c" },
		{ "export RESUME=a;b\n", "a" },
		{ "#RESUME=a\nXRESUME=b\nRESUMEX=c\n", NULL },
		{ "RESUME=\n", "" },
		{ "RESUME=\"a", "a" },
		{ "RESUME = a\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *value = boot_setting(rows[i].text, "RESUME");

		assert_true(text_equal(value, rows[i].value));
	}
	assert_true(boot_setting_names("m+=\" a resume \"\n", "m", "resume"));
	assert_true(boot_setting_names("m=resume\nm=b\n", "m", "resume"));
	assert_false(boot_setting_names("m+=\" noresume \"\n", "m", "resume"));
	assert_false(boot_setting_names("#m+=\" resume \"\n", "m", "resume"));
}

static const struct boot_loader *loader_named(const char *name)
{
	for (const struct boot_loader *const *loader = boot_loaders; *loader; loader++)
		if (strcmp((*loader)->name, name) == 0)
			return *loader;
	return NULL;
}

/* What the driver of all loaders relies on. */
static void every_loader_is_whole(void **state UNUSED)
{
	for (const struct boot_loader *const *at = boot_loaders; *at; at++) {
		const struct boot_loader *loader = *at;

		assert_ptr_equal(loader_named(loader->name), loader);
		assert_true(loader->boots && loader->gather);
		if (loader->manual) {
			assert_true(loader->manual->before && loader->manual->between &&
				    loader->manual->after);
			assert_int_equal(loader->manual->swap_before != NULL,
				loader->manual->swap_after != NULL);
			assert_true(!loader->where && !loader->sources && !loader->settings &&
				    !loader->generator);
			continue;
		}
		assert_true(loader->where && loader->program);
		assert_true(loader->sources || loader->settings);
		assert_int_equal(loader->settings != NULL, loader->settings_file != NULL);
		assert_true(!loader->settings || loader->generator);
		assert_true(loader->generator || (!loader->products && !loader->gather_product));
	}
}

#define BLOCK	   "# begin ec2hib\n" GRUB_GOING_AWAY "# end ec2hib\n"
#define BLOCK_OPEN "# begin ec2hib after a line without an end\n" GRUB_GOING_AWAY "# end ec2hib\n"

static void block_of_settings_comes_and_goes(void **state UNUSED)
{
	static const struct {
		const char *old;
		const char *idle; /* NULL: what is ours cannot be told */
		const char *bare;
	} rows[] = {
		{ NULL, BLOCK, "" },
		{ "A=1\n", "A=1\n" BLOCK, "A=1\n" },
		{ "A=1", "A=1\n" BLOCK_OPEN, "A=1" },
		{ "A=1\n# begin ec2hib\nx\n# end ec2hib\n", "A=1\n" BLOCK, "A=1\n" },
		{ "A=1\n" BLOCK_OPEN, "A=1\n" BLOCK_OPEN, "A=1" },
		{ "A=1\n" BLOCK_OPEN "B=2\n", "A=1\nB=2\n\n" BLOCK_OPEN, "A=1\nB=2\n" },
		{ "A=1\n" BLOCK "B=2\n", "A=1\nB=2\n" BLOCK, "A=1\nB=2\n" },
		{ "A='# begin ec2hib'\n", "A='# begin ec2hib'\n" BLOCK, "A='# begin ec2hib'\n" },
		{ "# begin ec2hib\nA=1\n", NULL, NULL },
		{ "A=1\n# end ec2hib\n", NULL, NULL },
		{ "# end ec2hib\n# begin ec2hib\n", NULL, NULL },
	};
	const struct boot_loader *grub2 = loader_named("grub2");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct boot_settings settings = { .old = text_copy(rows[i].old) };
		struct error err;
		int status = grub2->settings(&settings, NULL, &err);

		assert_int_equal(status, rows[i].idle ? 0 : -EINVAL);
		assert_true(text_equal(settings.idle, rows[i].idle));
		assert_true(text_equal(settings.bare, rows[i].bare));
		assert_null(settings.with);
		boot_settings_free(&settings);
	}
}

/* The same numbers in every run. */
static uint32_t random_number(void)
{
	static uint32_t seed = 20170918;

	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/*
 * Pieces in any order, and bytes in any order: the answer does not matter, that there is one does.
 */
static void garbage_is_survived(void **state UNUSED)
{
	static const char *const pieces[] = { "menuentry ", "submenu ", "{", "}", "if ", "then",
		"else", "elif ", "fi", "[ ", " ]", "\n", ";", " ", "'", "\"", "\\", "$", "${",
		"linux /vmlinuz-1 a", "initrd /i", "set default=", "1>0", ">", "$default",
		"for x in a; do ", "done", "while ", "function f ", "--id ", "#", "blscfg",
		"title x", "kernel /k", "default 1", "options ", "=", "\t", "\r", "a=$a$a$a$a",
		"set a=$a$a", "!", "-o", "-a" };

	for (size_t round = 0; round < 3000; round++) {
		char *text = text_copy(""), *choice = NULL;
		size_t count = random_number() % 200;
		struct facts *facts = memory_new(1, sizeof(*facts));

		for (size_t i = 0; i < count; i++)
			if (random_number() % 20)
				text_append(
					&text, "%s", pieces[random_number() % ARRAY_SIZE(pieces)]);
			else
				text_append(&text, "%c", (char)(1 + random_number() % 255));
		boot_grub_parse(&facts->boot, text, text, true, &choice);
		boot_legacy_parse(&facts->boot, text, choice);
		boot_bls_parse(&facts->boot, text, text, text);
		boot_bls_sort(&facts->boot, text, round % 2);
		boot_setting_names(text, "a", "b");
		free(choice);
		choice = boot_setting(text, "a");
		free(choice);
		free(text);
		release(facts);
	}
}

static void depth_and_size_have_limits(void **state UNUSED)
{
	static const char *const pieces[] = { "if true; then ", "menuentry x { ", "submenu x {\n",
		"{ ", "if [ ", "function f { ", "set a=$a$a$a$a\n", "while x; do ",
		"menuentry x { linux /k }\n", "[ ! ! ! ! ] ", "1>", "\\\n" };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		size_t length = strlen(pieces[i]), count = 20000;
		memory_cleanup_free char *text = memory_new(count * length + 8, 1);
		struct facts *facts;

		strcpy(text, "a=xxxx\n");
		for (size_t j = 0; j < count; j++)
			memcpy(text + 7 + j * length, pieces[i], length);
		facts = parse_grub(text, NULL);
		assert_true(facts->boot.entries.count <= 1000);
		release(facts);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(grub_default_is_found_as_grub_finds_it),
		cmocka_unit_test(grub_script_that_is_too_long_has_no_default),
		cmocka_unit_test(grub_entry_is_read_in_full),
		cmocka_unit_test(words_lose_their_quotes_and_variables),
		cmocka_unit_test(legacy_default_is_a_number),
		cmocka_unit_test(entry_files_are_sorted_as_the_loader_does),
		cmocka_unit_test(entry_files_with_sort_keys_come_by_these),
		cmocka_unit_test(entry_file_joins_lines_and_variables),
		cmocka_unit_test(settings_are_read_as_a_shell_would),
		cmocka_unit_test(every_loader_is_whole),
		cmocka_unit_test(block_of_settings_comes_and_goes),
		cmocka_unit_test(garbage_is_survived),
		cmocka_unit_test(depth_and_size_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
