/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the firmware's variables say: whole ones, odd ones, and damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/firmware.h"

#define ROOM 1024

/* A load option as it grows. */
struct option {
	unsigned char data[ROOM];
	size_t size, path;
};

static void put(struct option *option, const void *bytes, size_t size)
{
	memcpy(option->data + option->size, bytes, size);
	option->size += size;
}

static void put_number(struct option *option, uint32_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		put(option, &(unsigned char) { (unsigned char)(number >> (8 * i)) }, 1);
}

static void put_text(struct option *option, const char *text)
{
	for (; *text; text++)
		put_number(option, (unsigned char)*text, 2);
}

static void begin(struct option *option, uint32_t attributes, const char *description)
{
	*option = (struct option) { .size = 0 };
	put_number(option, attributes, 4);
	put_number(option, 0, 2);
	put_text(option, description);
	put_number(option, 0, 2);
	option->path = option->size;
}

static void put_node(struct option *option, unsigned type, unsigned subtype, size_t size)
{
	put_number(option, type, 1);
	put_number(option, subtype, 1);
	put_number(option, (uint32_t)size + 4, 2);
}

static void put_drive(struct option *option, unsigned kind)
{
	static const unsigned char guid[] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba,
		0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };

	put_node(option, 4, 1, 38);
	put_number(option, 15, 4);
	put_number(option, 2048, 4);
	put_number(option, 0, 4);
	put_number(option, 4096, 4);
	put_number(option, 0, 4);
	put(option, guid, sizeof(guid));
	put_number(option, kind, 1);
	put_number(option, kind, 1);
}

static void put_file(struct option *option, const char *path)
{
	put_node(option, 4, 4, 2 * strlen(path) + 2);
	put_text(option, path);
	put_number(option, 0, 2);
}

static void end(struct option *option)
{
	size_t length;

	put_node(option, 0x7f, 0xff, 0);
	length = option->size - option->path;
	option->data[4] = (unsigned char)length;
	option->data[5] = (unsigned char)(length >> 8);
}

static void make_debian(struct option *option, unsigned kind)
{
	begin(option, 1, "debian");
	put_drive(option, kind);
	put_file(option, "\\EFI\\debian\\shimx64.efi");
	end(option);
}

static void a_program_on_a_partition_is_told(void **state UNUSED)
{
	struct option option;
	struct firmware_option *parsed;

	make_debian(&option, 2);
	parsed = firmware_option_parse(7, option.data, option.size);
	assert_non_null(parsed);
	assert_int_equal(parsed->number, 7);
	assert_true(parsed->active);
	assert_string_equal(parsed->description, "debian");
	assert_string_equal(parsed->partition, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_string_equal(parsed->path, "/EFI/debian/shimx64.efi");
	assert_null(parsed->arguments);
	firmware_option_free(parsed);
}

static void a_partition_of_an_mbr_has_its_disk_and_number(void **state UNUSED)
{
	struct option option;
	struct firmware_option *parsed;

	make_debian(&option, 1);
	parsed = firmware_option_parse(7, option.data, option.size);
	assert_string_equal(parsed->partition, "c12a7328-0f");
	firmware_option_free(parsed);
}

static void a_path_in_parts_is_one_path(void **state UNUSED)
{
	struct option option;
	struct firmware_option *parsed;

	begin(&option, 1, "x");
	put_file(&option, "\\EFI");
	put_file(&option, "Linux\\a.efi");
	end(&option);
	parsed = firmware_option_parse(0, option.data, option.size);
	assert_string_equal(parsed->path, "/EFI/Linux/a.efi");
	assert_null(parsed->partition);
	firmware_option_free(parsed);
}

static void a_kernel_gets_its_command_line(void **state UNUSED)
{
	struct option option;
	struct firmware_option *parsed;

	begin(&option, 1, "Linux");
	put_file(&option, "\\vmlinuz");
	end(&option);
	put_text(&option, "root=/dev/vda1 initrd=\\initrd ");
	parsed = firmware_option_parse(0, option.data, option.size);
	assert_string_equal(parsed->arguments, "root=/dev/vda1 initrd=\\initrd");
	firmware_option_free(parsed);
}

/* The firmware's own tools are no boot option that comes by itself, nor is one switched off. */
static void what_does_not_boot_by_itself_is_not_active(void **state UNUSED)
{
	static const uint32_t attributes[] = { 0, 0x101, 0x100 };

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		struct option option;
		struct firmware_option *parsed;

		begin(&option, attributes[i], "UiApp");
		end(&option);
		parsed = firmware_option_parse(0, option.data, option.size);
		assert_non_null(parsed);
		assert_false(parsed->active);
		assert_null(parsed->path);
		firmware_option_free(parsed);
	}
}

static void the_same_program_under_two_numbers_is_the_same(void **state UNUSED)
{
	struct firmware_option a = { .number = 1, .partition = "aa", .path = "/EFI/A/x.efi" };
	struct firmware_option b = { .number = 2, .partition = "AA", .path = "/efi/a/X.EFI" };
	struct firmware_option other = { .number = 3, .partition = "bb", .path = "/EFI/A/x.efi" };
	struct firmware_option none = { .number = 4 };

	assert_true(firmware_option_same(&a, &b));
	assert_false(firmware_option_same(&a, &other));
	assert_false(firmware_option_same(&a, &none));
}

/* Each exact size, so that a tool that watches memory sees every byte too many. */
static void a_cut_option_is_damaged_not_read_over(void **state UNUSED)
{
	struct option option;

	make_debian(&option, 2);
	for (size_t size = 0; size < option.size; size++) {
		memory_cleanup_free unsigned char *copy = memory_new(size + 1, 1);

		memcpy(copy, option.data, size);
		assert_null(firmware_option_parse(1, copy, size));
	}
}

static void any_byte_may_be_wrong(void **state UNUSED)
{
	struct option option;

	make_debian(&option, 2);
	for (size_t i = 0; i < option.size; i++)
		for (unsigned value = 0; value < 256; value += 5) {
			memory_cleanup_free unsigned char *copy = memory_new(option.size, 1);
			struct firmware_option *parsed;

			memcpy(copy, option.data, option.size);
			copy[i] = (unsigned char)value;
			parsed = firmware_option_parse(1, copy, option.size);
			/* Whatever was read is text for a terminal. */
			for (const char *at = parsed ? parsed->description : ""; *at; at++)
				assert_true((unsigned char)*at >= ' ');
			firmware_option_free(parsed);
		}
}

static void texts_are_printable(void **state UNUSED)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *text;
	} rows[] = {
		{ "", 0, "" },
		{ "a\0b", 3, "a" },
		{ "a\0b\0\0\0c\0", 8, "ab" },
		{ "\xe4\0", 2, "\xc3\xa4" },
		{ "\x3d\xd8\x00\xde", 4, "\xf0\x9f\x98\x80" },
		{ "\x3d\xd8", 2, "\xef\xbf\xbd" },
		{ "\x00\xde\x61\0", 4,
			"\xef\xbf\xbd"
			"a" },
		{ "\x1b\0[\0", 4, "\\x1b[" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memory_cleanup_free char *text =
			firmware_text((const unsigned char *)rows[i].bytes, rows[i].size);

		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_on_a_partition_is_told),
		cmocka_unit_test(a_partition_of_an_mbr_has_its_disk_and_number),
		cmocka_unit_test(a_path_in_parts_is_one_path),
		cmocka_unit_test(a_kernel_gets_its_command_line),
		cmocka_unit_test(what_does_not_boot_by_itself_is_not_active),
		cmocka_unit_test(the_same_program_under_two_numbers_is_the_same),
		cmocka_unit_test(a_cut_option_is_damaged_not_read_over),
		cmocka_unit_test(any_byte_may_be_wrong),
		cmocka_unit_test(texts_are_printable),
	};

	return cmocka_run_group_tests_name("firmware", tests, NULL, NULL);
}
