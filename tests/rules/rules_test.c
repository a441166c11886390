/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules behind the checks: the freeze timeout and the instance types. */
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
#include "core/rules/instance_types.h"

#define STANDARD_CURVE "0-8:20,8-16:40,16-64:60,64-128:150,128-256:200,256-:400"

/* ---- Freeze timeout ---------------------------------------------------------------- */

static void curve_has_a_timeout_for_each_size(void **state UNUSED)
{
	static const struct {
		uint64_t memory;
		uint64_t ms;
	} rows[] = { { 0, 20000 }, { 7 * GIB, 20000 },
		/* What Linux sees of instances of 8, 16 and 64 GiB; hibagent rounds up. */
		{ (uint64_t)7819 * 1024 * 1024, 40000 }, { 8 * GIB, 40000 }, { 15 * GIB, 40000 },
		{ (uint64_t)16069500 * 1024, 60000 }, { 16 * GIB, 60000 }, { 63 * GIB, 60000 },
		{ (uint64_t)65000000 * 1024, 60000 }, { 63 * GIB + 1, 150000 },
		{ 64 * GIB, 150000 }, { 128 * GIB, 200000 }, { 255 * GIB, 200000 },
		{ 256 * GIB, 400000 }, { 24 * 1024 * GIB, 400000 }, { UINT64_MAX, 400000 } };

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
	static const char *const curves[] = { "x", "0-8", "0:20s", "0-8:", "0-8:0", "-8:20",
		"8-8:20", "16-8:20", "0-8:20,", ",0-8:20", "0-8:20,,8-:40", "0-8:2 0", "0-1 6:20",
		"0-8:20;8-:40", "0-8:20s", "0-0x8:20", "0--8:20", "+0-8:20", "0-8:4294968",
		"0-8:99999999999999999999", "0-99999999999999999999:20", "0-8:20:30", "0-8.5:20",
		"0-16:20,16-:x", "0:8-20", ":", "-", "-:20" };

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
	/* As hibagent reads them: blanks, and a size without an end. */
	assert_true(curve_timeout(" 0-8:20, 8 - 16 : 40 ,16-:60", 10 * GIB, &ms));
	assert_int_equal(ms, 40000);
	assert_true(curve_timeout("0-8:20,8:45", 10 * GIB, &ms));
	assert_int_equal(ms, 45000);
}

/* ---- Instance types ---------------------------------------------------------------- */

static void each_size_of_a_family_is_judged_by_itself(void **state UNUSED)
{
	static const struct {
		const char *type;
		enum type_hibernates hibernates;
	} rows[] = { { "m5.large", TYPE_HIBERNATES }, { "m5.24xlarge", TYPE_DOES_NOT },
		{ "m5.metal", TYPE_DOES_NOT }, { "c6a.8xlarge", TYPE_HIBERNATES },
		{ "c6a.12xlarge", TYPE_DOES_NOT }, { "c6a.16xlarge", TYPE_HIBERNATES },
		{ "c8i.metal-48xl", TYPE_DOES_NOT }, { "m7i-flex.large", TYPE_HIBERNATES },
		{ "t4g.nano", TYPE_HIBERNATES }, { "t1.micro", TYPE_DOES_NOT },
		{ "r6i.large", TYPE_DOES_NOT }, { "r6id.large", TYPE_DOES_NOT },
		{ "r6in.large", TYPE_HIBERNATES }, { "u7i-12tb.224xlarge", TYPE_DOES_NOT } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(instance_type_hibernates(rows[i].type), rows[i].hibernates);
}

static void type_that_is_not_listed_is_not_known(void **state UNUSED)
{
	static const char *const others[] = { "", "m5", "m5.", "m5.-", "a1.-", "m55.large",
		"xm5.large", ".large", "M5.large", "m5.LARGE", "m5.larg", "m5.xlarge ",
		"m5.large xlarge", "m5.meta", "m5.metal-", "m7i-flexx.large", "m5.7xlarge",
		"m5.large.", "m99.large" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(instance_type_hibernates(others[i]), TYPE_NOT_KNOWN);
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
		cmocka_unit_test(each_size_of_a_family_is_judged_by_itself),
		cmocka_unit_test(type_that_is_not_listed_is_not_known),
		cmocka_unit_test(bare_metal_is_a_size),
		cmocka_unit_test(t3_wants_a_gibibyte),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
