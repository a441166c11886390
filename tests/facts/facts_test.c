/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/facts: what is read from files of the kernel and of the distribution. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/extents.h"
#include "core/facts/facts.h"
#include "core/facts/gather.h"
#include "core/facts/header.h"
#include "core/facts/kernel.h"
#include "core/facts/memory.h"
#include "core/facts/swaps.h"
#include "core/facts/system.h"
#include "tests/lib/test_root.h"

/* ---- The kernel ---------------------------------------------------------------------------- */

static void kernel_files_become_facts(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };

	test_root_put(test, "/proc/sys/kernel/osrelease", "6.1.0-28-cloud-amd64\n");
	test_root_put(test, "/sys/power/state", "freeze mem disk\n");
	test_root_put(test, "/sys/power/disk", "platform [shutdown] reboot\n");
	test_root_put(test, "/sys/power/resume", "259:1\n");
	test_root_put(test, "/sys/power/resume_offset", "34816\n");
	test_root_put(test, "/sys/power/pm_freeze_timeout", "20000\n");
	test_root_put(test, "/sys/power/image_size", "lots\n");
	test_root_put(test, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	test_root_put(test, "/sys/module/workqueue/parameters/power_efficient", "N\n");
	kernel_gather(&facts.kernel, &test->root);
	assert_true(fact_text_is(&facts.kernel.release, "6.1.0-28-cloud-amd64"));
	assert_true(fact_text_is(&facts.kernel.power_disk, "platform [shutdown] reboot"));
	assert_true(fact_text_is(&facts.kernel.resume_device, "259:1"));
	assert_int_equal(facts.kernel.resume_offset.value, 34816);
	assert_int_equal(facts.kernel.freeze_timeout.value, 20000);
	assert_true(fact_text_is(&facts.kernel.lockdown, "integrity"));
	assert_true(fact_is_false(&facts.kernel.workqueue_power_efficient));
	assert_int_equal(facts.kernel.pm_test.is, FACT_ABSENT);
	assert_int_equal(facts.kernel.image_size.is, FACT_UNKNOWN);
	assert_non_null(strstr(facts.kernel.image_size.why, "says \"lots\", not a number"));
	facts_free(&facts);
}

/* A database: 4 GiB of huge pages by its own file, a process that holds most of the locked rest. */
static void memory_that_cannot_go_is_counted_and_named(void **state)
{
	struct test_root *test = *state;
	struct memory_facts memory = { 0 };

	test_root_put(test, "/proc/meminfo",
		"MemTotal:        8000000 kB\nMemFree:          400000 kB\n"
		"Unevictable:      900000 kB\nMlocked:          800000 kB\n"
		"Active(anon):     500000 kB\nInactive(anon):   500000 kB\n"
		"Active(file):     100000 kB\nInactive(file):   150000 kB\n"
		"SReclaimable:      50000 kB\nSUnreclaim:        60000 kB\n"
		"KernelStack:        5000 kB\nPageTables:        10000 kB\n"
		"VmallocUsed:       20000 kB\nHugePages_Total:    2048\n"
		"HugePages_Free:     1024\nHugepagesize:       2048 kB\n");
	test_root_put(test, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "2048\n");
	test_root_put(test, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
	test_root_put(test, "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "1\n");
	test_root_put(test, "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "0\n");
	test_root_put(test, "/etc/sysctl.d/10-none.conf", "vm.nr_hugepages = 0\n");
	test_root_put(test, "/etc/sysctl.d/80-db.conf", "# db\n vm/nr_hugepages = 2048\n");
	test_root_put(test, "/proc/1/status", "Name:\tinit\nVmRSS:\t    5000 kB\n");
	test_root_put(test, "/proc/812/status",
		"Name:\tpostgres\nVmLck:\t  900000 kB\nVmPin:\t       0 kB\nVmRSS:\t  700000 kB\nHugetlbPages:\t  2048 kB\n");
	memory_gather(&memory, &test->root, "root=/dev/sda quiet");
	assert_int_equal(memory.unswappable.value, 6300000 * KIB);
	assert_int_equal(memory.huge_pages.value, 5 * GIB);
	assert_int_equal(memory.huge_pages_free.value, GIB);
	assert_string_equal(
		memory.huge_pages_setting.value, "vm.nr_hugepages in /etc/sysctl.d/80-db.conf");
	assert_int_equal(memory.locked.value, 800000 * KIB);
	assert_int_equal(memory.unevictable.value, 900000 * KIB);
	assert_int_equal(memory.kernel.value, 90000 * KIB);
	assert_int_equal(memory.zfs_cache.is, FACT_ABSENT);
	assert_string_equal(memory.holder.value, "postgres (process 812)");
	assert_int_equal(memory.holder_bytes.value, 702048 * KIB);
	layout_free(&memory_facts_layout, &memory);
}

static void who_sets_huge_pages_aside_is_found(void **state)
{
	struct test_root *test = *state;
	static const char *const wanted[] = { "vm.nr_hugepages of the tuned profile my-db",
		"hugepages=16 on the kernel command line" };

	test_root_put(test, "/proc/meminfo",
		"MemTotal:  8000000 kB\nHugetlb:  4194304 kB\nHugePages_Total:  0\nHugepagesize:  2048 kB\n");
	test_root_put(test, "/etc/tuned/active_profile", "throughput-performance my-db\n");
	test_root_put(test, "/etc/tuned/my-db/tuned.conf",
		"[main]\ninclude=postgresql\n[sysctl]\nvm.nr_hugepages=${pages}\n");
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct memory_facts memory = { 0 };

		memory_gather(&memory, &test->root,
			i ? "default_hugepagesz=1G hugepagesz=1G hugepages=16" : "quiet");
		assert_int_equal(memory.huge_pages.value, 4 * GIB);
		assert_string_equal(memory.huge_pages_setting.value, wanted[i]);
		/* Not even the kernel's lists are there: unknown, not little. */
		assert_int_equal(memory.unswappable.is, FACT_UNKNOWN);
		layout_free(&memory_facts_layout, &memory);
	}
}

static void what_zfs_caches_can_go(void **state)
{
	struct test_root *test = *state;
	struct memory_facts memory = { 0 };

	test_root_put(test, "/proc/meminfo", "MemTotal:  8000000 kB\n");
	test_root_put(test, "/proc/spl/kstat/zfs/arcstats",
		"13 1 0x01 123 33456 1 2\nname                            type data\n"
		"size                            4    3221225472\n"
		"c_min                           4    1073741824\n");
	memory_gather(&memory, &test->root, NULL);
	assert_int_equal(memory.zfs_cache.value, 2 * GIB);
	layout_free(&memory_facts_layout, &memory);
}

static void image_estimate_leaves_out_what_the_kernel_drops(void **state)
{
	struct test_root *test = *state;
	struct memory_facts memory = { 0 };

	test_root_put(test, "/proc/meminfo",
		"MemTotal:        1000000 kB\nMemFree:          400000 kB\n"
		"MemAvailable:     700000 kB\nActive(file):     100000 kB\n"
		"Inactive(file):   150000 kB\nSReclaimable:      50000 kB\n");
	memory_gather(&memory, &test->root, NULL);
	assert_int_equal(memory.total.value, 1000000 * KIB);
	assert_int_equal(memory.available.value, 700000 * KIB);
	assert_int_equal(memory.image_estimate.value, 300000 * KIB);
	layout_free(&memory_facts_layout, &memory);
}

/* ---- Swaps ----------------------------------------------------------------------------------- */

static void swaps_are_read_with_odd_names(void **state UNUSED)
{
	static const char text[] =
		"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		"/dev/nvme1n1p2                          partition\t2097148\t\t1024\t\t5\n"
		"/my\\040swap                            file\t\t1048572\t\t0\t\t-2\n"
		"/gone\\040(deleted)                     file\t\t4\t\t0\t\t-3\n"
		"garbage\n";
	swap_list swaps = { 0 };

	swaps_parse(&swaps, text);
	assert_int_equal(swaps.count, 3);
	assert_true(fact_text_is(&swaps.items[0].path, "/dev/nvme1n1p2"));
	assert_true(fact_text_is(&swaps.items[0].type, "partition"));
	assert_int_equal(swaps.items[0].size.value, 2097148 * KIB);
	assert_int_equal(swaps.items[0].used.value, 1024 * KIB);
	assert_true(fact_text_is(&swaps.items[0].priority, "5"));
	assert_true(fact_text_is(&swaps.items[1].path, "/my swap"));
	assert_true(fact_text_is(&swaps.items[1].priority, "-2"));
	assert_true(fact_text_is(&swaps.items[2].path, "/gone (deleted)"));
	{
		struct facts facts = { .swaps = swaps };

		facts_free(&facts);
	}
}

/* ---- The swap header ------------------------------------------------------------------------- */

static void header_tells_swap_from_image(void **state UNUSED)
{
	static const struct {
		size_t page;
		const char *mark;
		const char *signature;
	} cases[] = {
		{ 4096, "SWAPSPACE2", SIGNATURE_SWAP },
		{ 65536, "SWAPSPACE2", SIGNATURE_SWAP },
		{ 4096, "S1SUSPEND", SIGNATURE_IMAGE },
		{ 16384, "S1SUSPEND", SIGNATURE_IMAGE },
		{ 4096, "ULSUSPEND", SIGNATURE_IMAGE },
		{ 4096, "SWAP-SPACE", SIGNATURE_OTHER }, /* version 0: of Linux 2.4 */
		{ 4096, "", SIGNATURE_OTHER },
	};
	unsigned char *page = memory_new(HEADER_SIZE_MAX, 1);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const uint32_t last_page = 999;
		struct swap_header header;

		memset(page, 0, HEADER_SIZE_MAX);
		memcpy(page + 1028, &last_page, 4);
		memcpy(page + 1036,
			"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16);
		memcpy(page + 1052, "ec2hib", 6);
		memcpy(page + cases[i].page - 10, cases[i].mark, strlen(cases[i].mark));
		header_parse(&header, page, HEADER_SIZE_MAX);
		assert_string_equal(header.signature, cases[i].signature);
		if (strcmp(header.signature, SIGNATURE_OTHER) == 0)
			continue;
		assert_int_equal(header.page_size, cases[i].page);
		assert_int_equal(header.size, 1000 * cases[i].page);
		assert_string_equal(header.uuid, "01234567-89ab-cdef-0123-456789abcdef");
		assert_string_equal(header.label, "ec2hib");
	}
	free(page);
}

static void zeros_are_told_from_what_somebody_wrote(void **state UNUSED)
{
	unsigned char page[4095] = { 0 };
	struct swap_header header;

	header_parse(&header, page, sizeof(page));
	assert_string_equal(header.signature, SIGNATURE_NONE);
	header_parse(&header, page, 0);
	assert_string_equal(header.signature, SIGNATURE_NONE);
	page[0] = 'x';
	header_parse(&header, page, sizeof(page));
	assert_string_equal(header.signature, SIGNATURE_OTHER);
}

/* ---- Extents --------------------------------------------------------------------------------- */

static void neighbours_become_one_extent(void **state UNUSED)
{
	extent_list list = { 0 };

	extents_append(&list, 0, 1000, 100);
	extents_append(&list, 100, 1100, 50); /* goes on */
	extents_append(&list, 150, 5000, 50); /* elsewhere */
	extents_append(&list, 300, 5050, 10); /* goes on there, but not in the file */
	assert_int_equal(list.count, 3);
	assert_int_equal(list.items[0].length.value, 150);
	assert_int_equal(list.items[2].logical.value, 300);
	free(list.items);
}

static void offset_counts_whole_pages(void **state UNUSED)
{
	static const struct {
		uint64_t logical;
		uint64_t physical;
		uint64_t page;
		enum knowledge is;
		uint64_t offset;
	} rows[] = {
		{ 0, 40960, 4096, FACT_KNOWN, 10 }, { 0, 655360, 65536, FACT_KNOWN, 10 },
		{ 4096, 40960, 4096, FACT_ABSENT, 0 },
		{ 0, 41984, 4096, FACT_UNKNOWN, 0 },  /* blocks of 1 KiB */
		{ 0, 40960, 65536, FACT_UNKNOWN, 0 }, /* blocks of 4 KiB on arm64 */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		extent_list list = { 0 };
		struct fact_number offset = { 0 };

		extents_append(&list, rows[i].logical, rows[i].physical, 1 << 20);
		extents_resume_offset(&offset, &list, rows[i].page);
		assert_int_equal(offset.is, rows[i].is);
		if (offset.is == FACT_KNOWN)
			assert_int_equal(offset.value, rows[i].offset);
		free(offset.why);
		free(list.items);
	}
}

/* ---- The distribution ------------------------------------------------------------------------ */

static void services_and_their_keys_are_seen(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };
	struct system_facts *system = &facts.system;

	test_root_put(test, "/etc/os-release",
		"NAME=\"Ubuntu\"\nID=ubuntu\nVERSION_ID=\"22.04\"\nPRETTY_NAME='Ubuntu "
		"22.04 LTS'\n");
	test_root_put(test, "/usr/lib/systemd/systemd", "");
	test_root_put(test, "/lib/systemd/system/systemd-logind.service", "");
	test_root_put(test, "/lib/systemd/system/hibagent.service", "");
	test_root_link(test, "/etc/systemd/system/multi-user.target.wants/hibagent.service",
		"/lib/systemd/system/hibagent.service");
	test_root_put(test, "/etc/systemd/logind.conf", "[Login]\n#HandleSuspendKey=suspend\n");
	test_root_put(test, "/etc/systemd/logind.conf.d/10-x.conf",
		"[Login]\nHandleSuspendKey=hibernate\n");
	test_root_put(test, "/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n");
	system_gather(system, &test->root, "/var/lib/ec2hib");
	assert_true(fact_text_is(&system->id, "ubuntu"));
	assert_true(fact_text_is(&system->version, "22.04"));
	assert_true(fact_text_is(&system->name, "Ubuntu 22.04 LTS"));
	assert_true(fact_text_is(&system->init, "systemd"));
	assert_true(fact_text_is(&system->selinux, "enforcing"));
	assert_true(fact_text_is(&system->logind_sleep_key, "hibernate"));
	assert_true(fact_is_true(&system->reads_sleep_key));
	for (size_t i = 0; i < system->agents.count; i++) {
		const struct agent_facts *agent = &system->agents.items[i];
		bool old = strcmp(agent->name.value, "hibagent") == 0;

		assert_int_equal(fact_is_true(&agent->enabled), old);
		assert_int_equal(fact_is_true(&agent->installed),
			old || strcmp(agent->name.value, "systemd-logind") == 0);
	}
	facts_free(&facts);
}

/* ---- Saved facts ----------------------------------------------------------------------------- */

static void saved_facts_come_back_the_same(void **state UNUSED)
{
	struct facts facts = { 0 }, again = { 0 };
	struct config config, config_again;
	struct error err;
	json_t *saved, *second;

	config_init(&config);
	assert_int_equal(config_set(&config, "swap", "target-size-mb", "1234", &err), 0);
	fact_set_number(&facts.format, FACTS_FORMAT);
	fact_set_text(&facts.kernel.release, "6.1");
	fact_set_absent(fact_of(&facts.kernel.pm_test));
	fact_set_unknown(fact_of(&facts.kernel.lockdown), "no permission");
	fact_set_flag(&facts.live, true);
	fact_set_number(&facts_add(&facts.area.extents)->physical, 4096);
	fact_set_text(&facts_add(&facts.swaps)->path, "/with \"quotes\" and \xc3\xbc");
	saved = facts_save(&facts, &config);
	assert_int_equal(facts_load(&again, &config_again, saved, &err), 0);
	second = facts_save(&again, &config_again);
	assert_true(json_equal(saved, second));
	assert_int_equal(again.kernel.pm_test.is, FACT_ABSENT);
	assert_string_equal(again.kernel.lockdown.why, "no permission");
	assert_int_equal(config_again.target_size_mb, 1234);
	json_decref(saved);
	json_decref(second);
	facts_free(&facts);
	facts_free(&again);
	config_free(&config);
	config_free(&config_again);
}

static void list_that_was_read_or_copied_goes_on_growing(void **state UNUSED)
{
	for (size_t count = 0; count < 20; count++) {
		struct facts from = { 0 }, read = { 0 }, copy = { 0 };
		struct error err = { "" };
		json_t *json;

		from.swaps.is = FACT_KNOWN;
		for (size_t i = 0; i < count; i++)
			fact_set_number(&facts_add(&from.swaps)->size, i);
		json = layout_to_json(&facts_layout, &from);
		assert_int_equal(layout_from_json(&facts_layout, &read, json, "facts", &err), 0);
		layout_copy(&facts_layout, &copy, &from);
		/* the sanitizer and valgrind see whether there is room */
		fact_set_number(&facts_add(&read.swaps)->size, 77);
		fact_set_number(&facts_add(&copy.swaps)->size, 77);
		assert_int_equal(read.swaps.items[count].size.value, 77);
		assert_int_equal(copy.swaps.items[count].size.value, 77);
		json_decref(json);
		facts_free(&from);
		facts_free(&read);
		facts_free(&copy);
	}
}

static void damaged_facts_are_refused(void **state UNUSED)
{
	static const struct {
		const char *json;
		const char *says;
	} cases[] = {
		{ "[]", "facts is not an object" },
		{ "{}", "facts.format is missing" },
		{ "{\"format\": 99}", "facts.format is 99, this ec2hib reads up to 1" },
		{ "{\"format\": \"1\"}", "facts.format is not a whole number" },
		{ "{\"format\": 1, \"kernel\": 5}", "facts.kernel is not an object" },
		{ "{\"format\": 1, \"memory\": {\"total\": -1}}", "facts.memory.total is not" },
		{ "{\"format\": 1, \"swaps\": [3]}", "facts.swaps[0] is not an object" },
		{ "{\"facts\": {\"format\": 1}, \"config\": {\"swapfile\": 3}}",
			"config.swapfile is not a text" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = json_loads(cases[i].json, 0, NULL);
		struct facts facts = { 0 };
		struct config config;
		struct error err = { "" };

		assert_non_null(json);
		assert_true(facts_load(&facts, &config, json, &err) < 0);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s gives: %s", cases[i].json, err.text);
		facts_free(&facts);
		config_free(&config);
		json_decref(json);
	}
}

/* A help text says what and whence, the unit is a column of its own: a reader goes by them. */
static void check_layout(const struct layout *layout)
{
	static const char *const units[] = { "", "bytes", "pages", "ms", "s" };

	for (size_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];
		size_t unit = 0;

		while (unit < ARRAY_SIZE(units) && strcmp(units[unit], field->unit) != 0)
			unit++;
		if (unit == ARRAY_SIZE(units) || (field->type != FIELD_NUMBER && unit != 0))
			fail_msg("%s has the unit \"%s\"", field->name, field->unit);
		if (strlen(field->help) < 3 || strcmp(field->help, field->unit) == 0)
			fail_msg("%s is not explained: %s", field->name, field->help);
		if (field->layout)
			check_layout(field->layout);
	}
}

static void every_field_is_explained(void **state UNUSED)
{
	check_layout(&facts_layout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(kernel_files_become_facts),
		WITH_TEST_ROOT(image_estimate_leaves_out_what_the_kernel_drops),
		WITH_TEST_ROOT(memory_that_cannot_go_is_counted_and_named),
		WITH_TEST_ROOT(who_sets_huge_pages_aside_is_found),
		WITH_TEST_ROOT(what_zfs_caches_can_go),
		cmocka_unit_test(swaps_are_read_with_odd_names),
		cmocka_unit_test(header_tells_swap_from_image),
		cmocka_unit_test(zeros_are_told_from_what_somebody_wrote),
		cmocka_unit_test(neighbours_become_one_extent),
		cmocka_unit_test(offset_counts_whole_pages),
		WITH_TEST_ROOT(services_and_their_keys_are_seen),
		cmocka_unit_test(saved_facts_come_back_the_same),
		cmocka_unit_test(list_that_was_read_or_copied_goes_on_growing),
		cmocka_unit_test(damaged_facts_are_refused),
		cmocka_unit_test(every_field_is_explained),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
