/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules behind the checks: the freeze timeout and the instance families. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/compiler.h"
#include "core/base/curve.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/families.h"

#define STANDARD_CURVE "0-8:20,8-16:40,16-64:60,64-128:150,128-256:200,256-:400"

/* ---- Freeze timeout ---------------------------------------------------------------- */

static void curve_has_a_timeout_for_each_size(void **state UNUSED)
{
	static const struct {
		uint64_t memory;
		uint64_t ms;
	} rows[] = { { 0, 20000 }, { 8 * GIB - 1, 20000 }, { 8 * GIB, 40000 }, { 15 * GIB, 40000 },
		{ 16 * GIB, 60000 }, { 63 * GIB, 60000 }, { 64 * GIB, 150000 },
		{ 128 * GIB, 200000 }, { 255 * GIB, 200000 }, { 256 * GIB, 400000 },
		{ 24 * 1024 * GIB, 400000 }, { UINT64_MAX - 1, 400000 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t ms = 0;

		assert_true(curve_timeout(STANDARD_CURVE, rows[i].memory, &ms));
		assert_int_equal(ms, rows[i].ms);
	}
}

static void curve_that_says_nothing_changes_nothing(void **state UNUSED)
{
	static const char *const curves[] = { "", "16-64:60", "0-4:20,16-:60", "0-7:20" };

	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		uint64_t ms = 7;

		assert_int_equal(curve_check(curves[i]), 0);
		assert_false(curve_timeout(curves[i], 8 * GIB, &ms));
		assert_int_equal(ms, 7);
	}
}

static void curve_that_does_not_parse_is_refused(void **state UNUSED)
{
	static const char *const curves[] = { "x", "0-8", "0:20", "0-8:", "0-8:0", "-8:20",
		"8-8:20", "16-8:20", "0-8:20,", ",0-8:20", "0-8:20,,8-:40", "0-8:20 ", " 0-8:20",
		"0-8:20;8-:40", "0-8:20s", "0-0x8:20", "0--8:20", "+0-8:20", "0-8:4294968",
		"0-8:99999999999999999999", "0-99999999999999999999:20", "17179869184-:20",
		"0-8.5:20", "0-16:20,16-:x", "0:8-20", ":", "-", "-:20" };

	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (curve_check(curves[i]) != -EINVAL)
			fail_msg("\"%s\" parses", curves[i]);
}

static void first_segment_that_holds_the_size_counts(void **state UNUSED)
{
	uint64_t ms;

	assert_true(curve_timeout("0-16:30,8-:90", 10 * GIB, &ms));
	assert_int_equal(ms, 30000);
	assert_true(curve_timeout("8-:4294967", 10 * GIB, &ms));
	assert_int_equal(ms, 4294967000);
}

/* ---- Instance families ------------------------------------------------------------- */

static void families_are_sorted_and_found(void **state UNUSED)
{
	for (size_t i = 0; i < family_count; i++) {
		memory_cleanup_free char *type = text_format("%s.large", families[i]);

		assert_true(family_is_listed(type));
		assert_true(i == 0 || strcmp(families[i - 1], families[i]) < 0);
	}
}

static void family_is_the_word_before_the_point(void **state UNUSED)
{
	static const char *const others[] = { "", "m5", "m5n.large", "m5dn.large", "m55.large",
		"xm5.large", ".large", "M5.large", "p5.48xlarge", "m7i-flexx.large", "a1.large" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(family_is_listed(others[i]));
	assert_true(family_is_listed("m7i-flex.large"));
	assert_true(family_is_listed("t4g.micro"));
}

static void bare_metal_is_a_size(void **state UNUSED)
{
	assert_true(instance_type_is_bare_metal("m5.metal"));
	assert_true(instance_type_is_bare_metal("m7i.metal-48xl"));
	assert_false(instance_type_is_bare_metal("m5.large"));
	assert_false(instance_type_is_bare_metal("metal"));
	assert_false(instance_type_is_bare_metal("m5.metals"));
	assert_false(instance_type_is_bare_metal(""));
}

static void t3_wants_a_gibibyte(void **state UNUSED)
{
	assert_true(instance_type_memory_min("t3.nano") > 512 * MIB);
	assert_true(instance_type_memory_min("t3a.micro") < 930 * MIB);
	assert_int_equal(instance_type_memory_min("t2.nano"), 0);
	assert_int_equal(instance_type_memory_min("t4g.nano"), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(curve_has_a_timeout_for_each_size),
		cmocka_unit_test(curve_that_says_nothing_changes_nothing),
		cmocka_unit_test(curve_that_does_not_parse_is_refused),
		cmocka_unit_test(first_segment_that_holds_the_size_counts),
		cmocka_unit_test(families_are_sorted_and_found),
		cmocka_unit_test(family_is_the_word_before_the_point),
		cmocka_unit_test(bare_metal_is_a_size),
		cmocka_unit_test(t3_wants_a_gibibyte),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
