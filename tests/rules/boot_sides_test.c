/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings and result, in every combination. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/rules/boot_sides.h"

#define OURS  "resume=UUID=1 resume_offset=2 no_console_suspend=1"
#define STALE "resume=UUID=1 resume_offset=9 no_console_suspend=1"
#define CODE  "?"

static struct facts *facts_with(const char *settings, const char *result, const char *loader)
{
	struct facts *facts = memory_new(1, sizeof(*facts));
	struct boot_facts *boot = &facts->boot;
	struct entry_facts *entry;

	fact_set_text(&boot->loader, loader);
	fact_set_absent(fact_of(&boot->settings));
	if (settings && *settings == *CODE)
		fact_set_unknown(fact_of(&boot->settings), "code");
	else
		fact_set_text(&boot->settings, settings);
	entry = facts_add(&boot->entries);
	fact_set_flag(&entry->is_default, true);
	fact_set_text(&entry->arguments, result);
	boot->entries.is = FACT_KNOWN;
	return facts;
}

static void both_sides_count(void **state UNUSED)
{
	static const struct {
		const char *settings;
		const char *result;
		enum boot_side settings_side;
		enum boot_side result_side;
		bool lack;	/* setup has something to do */
		bool drop;	/* the check warns */
		bool left_over; /* teardown makes grub.cfg anew */
	} rows[] = {
		{ OURS, "ro " OURS, SIDE_WANTED, SIDE_WANTED, false, false, false },
		{ OURS, "ro", SIDE_WANTED, SIDE_BARE, true, false, false },
		{ OURS, "ro " STALE, SIDE_WANTED, SIDE_OTHER, true, false, false },
		{ "quiet", "ro " OURS, SIDE_BARE, SIDE_WANTED, true, true, true },
		{ "quiet", "ro", SIDE_BARE, SIDE_BARE, true, false, false },
		{ "quiet", "ro " STALE, SIDE_BARE, SIDE_OTHER, true, false, false },
		{ "", "ro " OURS, SIDE_BARE, SIDE_WANTED, true, true, true },
		{ STALE, "ro " OURS, SIDE_OTHER, SIDE_WANTED, true, true, true },
		{ STALE, "ro", SIDE_OTHER, SIDE_BARE, true, false, false },
		{ STALE, "ro " STALE, SIDE_OTHER, SIDE_OTHER, true, false, false },
		{ OURS " " OURS, "ro " OURS, SIDE_OTHER, SIDE_WANTED, true, true, true },
		{ "resume=UUID=1", "ro " OURS, SIDE_OTHER, SIDE_WANTED, true, true, true },
		{ CODE, "ro " OURS, SIDE_UNKNOWN, SIDE_WANTED, false, false, false },
		{ CODE, "ro", SIDE_UNKNOWN, SIDE_BARE, true, false, false },
		{ NULL, "ro " OURS, SIDE_ABSENT, SIDE_WANTED, false, false, false },
		{ NULL, "ro", SIDE_ABSENT, SIDE_BARE, true, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct facts *facts = facts_with(rows[i].settings, rows[i].result, "grub2");
		struct boot_facts *boot = &facts->boot;
		strings_cleanup struct strings wanted = { 0 };

		strings_split(&wanted, OURS, " ");
		assert_int_equal(boot_settings_side(boot, &wanted), rows[i].settings_side);
		assert_int_equal(boot_result_side(boot, &wanted), rows[i].result_side);
		assert_int_equal(boot_sides_lack(boot, &wanted), rows[i].lack);
		assert_int_equal(boot_sides_drop(boot, &wanted), rows[i].drop);
		assert_int_equal(boot_sides_left_over(boot, &wanted), rows[i].left_over);
		/* Entry files are not made from settings: each is edited by itself. */
		fact_set_text(&boot->loader, "bls");
		assert_false(boot_sides_left_over(boot, &wanted));
		facts_free(facts);
		free(facts);
	}
}

static void no_entry_is_no_result(void **state UNUSED)
{
	struct facts *facts = memory_new(1, sizeof(*facts));
	strings_cleanup struct strings wanted = { 0 };

	strings_split(&wanted, OURS, " ");
	fact_set_unknown(fact_of(&facts->boot.entries), "not readable");
	assert_int_equal(boot_result_side(&facts->boot, &wanted), SIDE_UNKNOWN);
	fact_set_absent(fact_of(&facts->boot.entries));
	assert_int_equal(boot_result_side(&facts->boot, &wanted), SIDE_ABSENT);
	assert_true(boot_sides_lack(&facts->boot, &wanted));
	facts_free(facts);
	free(facts);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_count),
		cmocka_unit_test(no_entry_is_no_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
