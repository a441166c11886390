/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/facts/device_name, fstab and swap_units: whether a name means the swap area, and what of it
 * a boot switches on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/area.h"
#include "core/facts/at_boot.h"
#include "core/facts/device_name.h"
#include "core/facts/fstab.h"
#include "core/facts/swap_units.h"
#include "tests/lib/test_root.h"

#define UUID "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

/* ---- Names of devices ---- */

/* The logical volume vg-0/swap. */
static void volume(struct device_facts *device)
{
	fact_set_text(&device->name, "dm-1");
	fact_set_text(&device->number, "253:1");
	fact_set_text(&device->kind, KIND_LVM);
	fact_set_text(&device->mapper, "vg--0-swap");
	fact_set_text(&device->uuid, UUID);
	fact_set_text(&device->label, "my swap");
	fact_set_absent(fact_of(&device->partuuid));
	fact_set_absent(fact_of(&device->partlabel));
	fact_set_text(&device->links, "/dev/disk/by-id/dm-name-vg--0-swap /dev/hibernation");
}

static void names_of_a_device_are_recognized(void **state UNUSED)
{
	static const struct {
		const char *name;
		enum name_match match;
	} cases[] = {
		{ "UUID=" UUID, NAME_MATCHES },
		{ "UUID=AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE", NAME_MATCHES },
		{ "UUID=\"" UUID "\"", NAME_MATCHES },
		{ "UUID='" UUID "'", NAME_MATCHES },
		{ "\"UUID=" UUID "\"", NAME_MATCHES },
		{ "UUID=aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff", NAME_DIFFERS },
		{ "UUID=", NAME_DIFFERS },
		{ "/dev/disk/by-uuid/" UUID, NAME_MATCHES },
		{ "/dev/disk/by-uuid/0b9501f5-341a-4da0-8a56-3e1d6a5b1c2d", NAME_DIFFERS },
		{ "LABEL=my\\040swap", NAME_MATCHES },
		{ "LABEL=\"my\\040swap\"", NAME_MATCHES },
		{ "LABEL=My\\040swap", NAME_DIFFERS },
		{ "/dev/disk/by-label/my\\x20swap", NAME_MATCHES },
		{ "/dev/disk/by-label/my\\134x20swap", NAME_MATCHES },
		{ "PARTUUID=" UUID, NAME_DIFFERS },
		{ "PARTLABEL=swap", NAME_DIFFERS },
		{ "ID=dm-name-vg--0-swap", NAME_MATCHES },
		{ "ID=nvme-eui.1", NAME_DIFFERS },
		{ "/dev/disk/by-id/dm-name-vg--0-swap", NAME_MATCHES },
		{ "/dev/hibernation", NAME_MATCHES },
		{ "/dev/dm-1", NAME_MATCHES },
		{ "/dev/dm-10", NAME_DIFFERS },
		{ "/dev/mapper/vg--0-swap", NAME_MATCHES },
		{ "/dev/mapper/vg-0-swap", NAME_DIFFERS },
		{ "/dev/vg-0/swap", NAME_MATCHES },
		{ "/dev/vg/0-swap", NAME_DIFFERS },
		{ "/dev/nvme0n1p2", NAME_DIFFERS },
		{ "253:1", NAME_MATCHES },
		{ "253:10", NAME_DIFFERS },
		{ "/swap", NAME_DIFFERS },
		{ "none", NAME_DIFFERS },
		{ "", NAME_DIFFERS },
	};
	struct device_facts device = { 0 };

	volume(&device);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (device_name_match(cases[i].name, &device) != cases[i].match)
			fail_msg(
				"%s: %d", cases[i].name, device_name_match(cases[i].name, &device));
	layout_free(&device_facts_layout, &device);
}

/* An image: what its machine calls its devices is not known. */
static void name_that_cannot_be_told_is_unknown(void **state UNUSED)
{
	static const struct {
		const char *name;
		enum name_match match;
	} cases[] = {
		{ "UUID=" UUID, NAME_MATCHES },
		{ "/dev/disk/by-uuid/" UUID, NAME_MATCHES },
		{ "/dev/nvme0n1p2", NAME_UNKNOWN },
		{ "/dev/disk/by-id/nvme-x", NAME_UNKNOWN },
		{ "ID=nvme-x", NAME_UNKNOWN },
		{ "PARTUUID=1234-01", NAME_UNKNOWN },
		{ "/swap", NAME_DIFFERS },
	};
	struct device_facts device = { 0 };

	fact_set_text(&device.name, "loop0");
	fact_set_text(&device.uuid, UUID);
	fact_set_absent(fact_of(&device.mapper));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (device_name_match(cases[i].name, &device) != cases[i].match)
			fail_msg(
				"%s: %d", cases[i].name, device_name_match(cases[i].name, &device));
	layout_free(&device_facts_layout, &device);
}

/* Expectations are those of systemd-escape 252 --path --suffix=swap. */
static void units_are_named_as_systemd_names_them(void **state UNUSED)
{
	static const struct {
		const char *name;
		const char *unit;
	} cases[] = {
		{ "/swap", "swap.swap" },
		{ "//swap/", "swap.swap" },
		{ "/var/swap file", "var-swap\\x20file.swap" },
		{ "/swap\\040file", "swap\\x20file.swap" },
		{ "/.swap", "\\x2eswap.swap" },
		{ "/var/.swap", "var-.swap.swap" },
		{ "/swap-1", "swap\\x2d1.swap" },
		{ "UUID=" UUID,
			"dev-disk-by\\x2duuid-aaaaaaaa\\x2dbbbb\\x2d4ccc\\x2d8ddd\\x2deeeeeeeeeeee.swap" },
		{ "LABEL=\"my\\040swap\"", "dev-disk-by\\x2dlabel-my\\x5cx20swap.swap" },
		{ "/dev/mapper/vg--0-swap", "dev-mapper-vg\\x2d\\x2d0\\x2dswap.swap" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memory_cleanup_free char *path = device_name_path(cases[i].name);
		memory_cleanup_free char *unit = swap_unit_name(path);

		assert_string_equal(unit, cases[i].unit);
	}
}

/* ---- fstab ---- */

static void swap_file(struct area_facts *area)
{
	fact_set_text(&area->path, "/swap");
	fact_set_text(&area->kind, "file");
}

static void swap_volume(struct area_facts *area)
{
	fact_set_text(&area->path, "/dev/dm-1");
	fact_set_text(&area->kind, "device");
	fact_set_text(&area->header_uuid, UUID);
	volume(facts_add(&area->devices));
}

/* What setup makes of it, and that teardown gives back every byte. */
static void one_line_is_left_for_the_area(void **state)
{
	static const struct {
		void (*area)(struct area_facts *area);
		const char *before;
		const char *after; /* NULL: nothing changes */
	} cases[] = {
		{ swap_file, "", "/swap\tnone\tswap\tsw,nofail,x-ec2hib\t0\t0\n" },
		{ swap_file, "# nothing",
			"# nothing\n/swap\tnone\tswap\tsw,nofail,x-ec2hib\t0\t0" },
		{ swap_file, "/swap none swap sw 0 0\n", NULL },
		{ swap_file, "//swap none swap defaults,pri=5\n", NULL },
		{ swap_file, "\t/swap swap swap\n", NULL },
		{ swap_file, "/swap none swap auto,x-systemd.device-timeout=5s 0 0\n", NULL },
		{ swap_file, "/swap none swap noauto,auto 0 0\n", NULL },
		{ swap_file, "/swap\tnone swap noauto,pri=0\t0 0\n",
			"/swap\tnone swap x-ec2hib.on,pri=0\t0 0\n" },
		{ swap_file, "/swap none swap pri=0,noauto 0 0\n/other / ext4 noauto 0 0",
			"/swap none swap pri=0,x-ec2hib.on 0 0\n/other / ext4 noauto 0 0" },
		{ swap_file, "/swap none swap noauto 0 0\n/swap none swap sw 0 0\n", NULL },
		{ swap_file, "#/swap none swap sw 0 0\n/swap none ext4 sw 0 0\n",
			"#/swap none swap sw 0 0\n/swap none ext4 sw 0 0\n/swap\tnone\tswap\tsw,nofail,x-ec2hib\t0\t0\n" },
		{ swap_volume, "/dev/mapper/vg--0-swap none swap sw 0 0\n", NULL },
		{ swap_volume, "/dev/vg-0/swap none swap sw 0 0\n", NULL },
		{ swap_volume, "LABEL=\"my\\040swap\" none swap sw 0 0\n", NULL },
		{ swap_volume, "/dev/disk/by-uuid/" UUID " none swap sw,noauto 0 0\n",
			"/dev/disk/by-uuid/" UUID " none swap sw,x-ec2hib.on 0 0\n" },
		{ swap_volume, "UUID=1 none swap sw 0 0\n",
			"UUID=1 none swap sw 0 0\nUUID=" UUID
			"\tnone\tswap\tsw,nofail,x-ec2hib\t0\t0\n" },
	};
	struct test_root *test = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct facts facts = { 0 };
		memory_cleanup_free char *after = NULL, *again = NULL, *back = NULL;

		cases[i].area(&facts.area);
		after = fstab_with(cases[i].before, &test->root, &facts.area);
		again = fstab_with(after, &test->root, &facts.area);
		back = fstab_without(after);
		assert_string_equal(after, cases[i].after ? cases[i].after : cases[i].before);
		assert_string_equal(again, after);
		assert_string_equal(back, cases[i].before);
		facts_free(&facts);
	}
}

/* A file with a blank in its name has to be one field. */
static void our_line_escapes_the_name(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };
	memory_cleanup_free char *after = NULL;

	fact_set_text(&facts.area.path, "/my swap");
	fact_set_text(&facts.area.kind, "file");
	after = fstab_with("", &test->root, &facts.area);
	assert_string_equal(after, "/my\\040swap\tnone\tswap\tsw,nofail,x-ec2hib\t0\t0\n");
	test_root_put(test, FSTAB_PATH, after);
	at_boot_gather(&facts.boot, &test->root, &facts.area, &facts.root.devices);
	assert_true(fact_is_true(&facts.boot.fstab_entry));
	facts_free(&facts);
}

/* The line of an earlier area goes, and its noauto comes back. */
static void line_of_another_area_is_not_ours_any_more(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };
	memory_cleanup_free char *after = NULL;

	swap_file(&facts.area);
	after = fstab_with("/old none swap x-ec2hib.on 0 0\n/older none swap sw,x-ec2hib 0 0\n",
		&test->root, &facts.area);
	assert_string_equal(
		after, "/old none swap noauto 0 0\n/swap\tnone\tswap\tsw,nofail,x-ec2hib\t0\t0\n");
	facts_free(&facts);
}

static void fstab_lines_are_told_apart(void **state)
{
	static const struct {
		const char *line;
		bool there;
		bool noauto;
		bool ours;
	} cases[] = {
		{ "/swap none swap sw 0 0\n", true, false, false },
		{ "/swap\tnone\tswap\tsw,nofail,x-ec2hib\t0\t0\n", true, false, true },
		{ "/swap none swap noauto 0 0\n", false, true, false },
		{ "/swap none swap x-ec2hib.on 0 0\n", true, false, true },
		{ "/link none swap sw 0 0\n", true, false, false },
		{ "# /swap none swap sw 0 0\n", false, false, false },
		{ "/swap2 none swap sw 0 0\n", false, false, false },
		{ "UUID=1 / ext4 defaults 0 1\n", false, false, false },
	};
	struct test_root *test = *state;

	test_root_put(test, "/swap", "");
	test_root_put(test, "/swap2", "");
	test_root_link(test, "/link", "swap");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct facts facts = { 0 };

		test_root_put(test, FSTAB_PATH, cases[i].line);
		swap_file(&facts.area);
		at_boot_gather(&facts.boot, &test->root, &facts.area, &facts.root.devices);
		assert_int_equal(fact_is_true(&facts.boot.fstab_entry), cases[i].there);
		assert_int_equal(fact_is_true(&facts.boot.fstab_noauto), cases[i].noauto);
		assert_int_equal(fact_is_true(&facts.boot.our_fstab_entry), cases[i].ours);
		facts_free(&facts);
	}
}

/* ---- Units ---- */

#define UNITS "/etc/systemd/system/"

static void units_of(struct test_root *test, const char *unit, const char *mask)
{
	struct facts facts = { 0 };

	swap_file(&facts.area);
	at_boot_gather(&facts.boot, &test->root, &facts.area, &facts.root.devices);
	assert_string_equal(fact_text_or(&facts.boot.swap_unit, "nothing"), unit);
	assert_string_equal(fact_text_or(&facts.boot.swap_mask, "nothing"), mask);
	facts_free(&facts);
}

static void enabled_unit_switches_on(void **state)
{
	struct test_root *test = *state;

	test_root_put(test, UNITS "swap.swap", "[Swap]\nWhat = /swap\n");
	units_of(test, "nothing", "nothing");
	test_root_link(test, UNITS "hibernate.target.wants/swap.swap", "../swap.swap");
	units_of(test, "nothing", "nothing");
	test_root_link(test, UNITS "swap.target.wants/swap.swap", "../swap.swap");
	units_of(test, "swap.swap", "nothing");
	test_root_link(test, UNITS "swap.target", "/dev/null");
	units_of(test, "nothing", "swap.target");
	test_root_link(test, UNITS "multi-user.target.requires/swap.swap", "../swap.swap");
	units_of(test, "swap.swap", "swap.target");
}

static void unit_of_another_swap_does_not_count(void **state)
{
	struct test_root *test = *state;

	test_root_put(test, UNITS "swap2.swap", "[Swap]\nWhat=/swap2\n");
	test_root_link(test, UNITS "swap.target.wants/swap2.swap", "../swap2.swap");
	units_of(test, "nothing", "nothing");
}

/* A link to /dev/null or an empty file in /etc, whatever is in /usr. */
static void masked_unit_does_not_switch_on(void **state)
{
	struct test_root *test = *state;

	test_root_put(test, "/usr/lib/systemd/system/swap.swap", "[Swap]\nWhat=/swap\n");
	test_root_link(test, "/usr/lib/systemd/system/swap.target.wants/swap.swap", "../swap.swap");
	units_of(test, "swap.swap", "nothing");
	test_root_put(test, UNITS "swap.swap", "");
	units_of(test, "nothing", "nothing");
	test_root_put(test, FSTAB_PATH, "/swap none swap sw 0 0\n");
	units_of(test, "nothing", "swap.swap");
}

#define GENERATOR "/usr/lib/systemd/system-generators/" SWAP_GPT_GENERATOR

/* Its scripts read fstab, and know of no unit. */
static void another_init_knows_no_units(void **state)
{
	struct test_root *test = *state;

	test_root_put(test, FSTAB_PATH, "/swap none swap sw 0 0\n");
	test_root_link(test, UNITS "swap.target", "/dev/null");
	units_of(test, "nothing", "swap.target");
	test_root_link(test, "/usr/sbin/init", "../lib/systemd/systemd");
	units_of(test, "nothing", "swap.target");
	test_root_put(test, "/sbin/init", "");
	units_of(test, "nothing", "nothing");
}

/* The swap partition nvme0n1p2 beside the root nvme0n1p1. */
static void put_partitions(struct facts *facts)
{
	struct device_facts *partition, *disk;

	fact_set_text(&facts->area.path, "/dev/nvme0n1p2");
	fact_set_text(&facts->area.kind, "device");
	partition = facts_add(&facts->area.devices);
	fact_set_text(&partition->name, "nvme0n1p2");
	fact_set_text(&partition->kind, KIND_PARTITION);
	fact_set_text(&partition->parttype, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F");
	disk = facts_add(&facts->area.devices);
	fact_set_text(&disk->number, "259:0");
	fact_set_text(&facts_add(&facts->root.devices)->kind, KIND_PARTITION);
	fact_set_text(&facts_add(&facts->root.devices)->number, "259:0");
}

static void partition_type_switches_on(void **state)
{
	static const struct {
		const char *fstab;
		const char *flags;
		const char *disk;
		bool on;
	} cases[] = {
		{ "UUID=1 / ext4 defaults 0 1\n", NULL, "259:0", true },
		{ "UUID=1 none swap noauto 0 0\n", NULL, "259:0", false },
		{ "", "0x8000000000000000", "259:0", false },
		{ "", NULL, "259:5", false },
	};
	struct test_root *test = *state;

	test_root_put(test, GENERATOR, "");
	assert_int_equal(fchmodat(test->root.fd, &GENERATOR[1], 0755, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct facts facts = { 0 };

		test_root_put(test, FSTAB_PATH, cases[i].fstab);
		put_partitions(&facts);
		fact_set_text(&facts.area.devices.items[0].partflags, cases[i].flags);
		fact_set_text(&facts.root.devices.items[1].number, cases[i].disk);
		at_boot_gather(&facts.boot, &test->root, &facts.area, &facts.root.devices);
		assert_int_equal(
			fact_text_is(&facts.boot.swap_unit, SWAP_GPT_GENERATOR), cases[i].on);
		facts_free(&facts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_a_device_are_recognized),
		cmocka_unit_test(name_that_cannot_be_told_is_unknown),
		cmocka_unit_test(units_are_named_as_systemd_names_them),
		WITH_TEST_ROOT(one_line_is_left_for_the_area),
		WITH_TEST_ROOT(our_line_escapes_the_name),
		WITH_TEST_ROOT(line_of_another_area_is_not_ours_any_more),
		WITH_TEST_ROOT(fstab_lines_are_told_apart),
		WITH_TEST_ROOT(enabled_unit_switches_on),
		WITH_TEST_ROOT(unit_of_another_swap_does_not_count),
		WITH_TEST_ROOT(masked_unit_does_not_switch_on),
		WITH_TEST_ROOT(another_init_knows_no_units),
		WITH_TEST_ROOT(partition_type_switches_on),
	};

	return cmocka_run_group_tests_name("fstab", tests, NULL, NULL);
}
