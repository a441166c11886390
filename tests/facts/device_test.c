/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/facts/device: block devices and what lies below them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sysmacros.h>
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/text.h"
#include "core/facts/device.h"
#include "core/facts/facts.h"
#include "tests/lib/test_root.h"

#define NVME "/sys/devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1"

/* An EBS volume with a partition, on which LVM has a volume, encrypted. */
static void put_chain(struct test_root *test)
{
	test_root_link(test, "/sys/dev/block/253:1", "../../devices/virtual/block/dm-1");
	test_root_put(test, "/sys/devices/virtual/block/dm-1/dm/uuid", "CRYPT-PLAIN-x\n");
	test_root_put(test, "/sys/devices/virtual/block/dm-1/dm/name", "cryptswap\n");
	test_root_put(test, "/sys/devices/virtual/block/dm-1/size", "2048\n");
	test_root_put(test, "/sys/devices/virtual/block/dm-1/slaves/dm-0/dev", "253:0\n");
	test_root_link(test, "/sys/dev/block/253:0", "../../devices/virtual/block/dm-0");
	test_root_put(test, "/sys/devices/virtual/block/dm-0/dm/uuid", "LVM-abc\n");
	test_root_put(test, "/sys/devices/virtual/block/dm-0/slaves/nvme0n1p3/dev", "259:3\n");
	test_root_link(test, "/sys/dev/block/259:3",
		"../../devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1/nvme0n1p3");
	test_root_put(test, NVME "/nvme0n1p3/partition", "3\n");
	test_root_put(test, NVME "/dev", "259:0\n");
	test_root_link(test, "/sys/dev/block/259:0",
		"../../devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1");
	test_root_put(test, NVME "/device/model", "Amazon Elastic Block Store              \n");
	test_root_put(test, NVME "/device/serial", "vol0123456789abcdef0\n");
	test_root_put(test, NVME "/size", "16777216\n");
	test_root_put(test, "/run/udev/data/b259:3",
		"S:disk/by-partuuid/11\nE:ID_FS_UUID=fs-uuid\nE:ID_PART_ENTRY_UUID=part-uuid\n");
	test_root_put(test, "/etc/crypttab",
		"# name device key options\ncryptswap /dev/vg/swap /dev/urandom swap\n");
}

static void chain_goes_down_to_the_disk(void **state)
{
	static const struct {
		const char *name;
		const char *kind;
	} expected[] = { { "dm-1", "crypt" }, { "dm-0", "lvm" }, { "nvme0n1p3", "partition" },
		{ "nvme0n1", "disk" } };
	struct test_root *test = *state;
	struct facts facts = { 0 };
	device_list *devices = &facts.root.devices;

	put_chain(test);
	devices_gather(devices, &test->root, &test->root, makedev(253, 1));
	assert_int_equal(devices->count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_true(fact_text_is(&devices->items[i].name, expected[i].name));
		assert_true(fact_text_is(&devices->items[i].kind, expected[i].kind));
	}
	assert_true(fact_is_true(&devices->items[0].random_key));
	assert_true(devices_random_key(devices));
	assert_true(fact_text_is(&devices->items[2].uuid, "fs-uuid"));
	assert_true(fact_text_is(&devices->items[2].partuuid, "part-uuid"));
	assert_true(fact_text_is(&devices->items[3].serial, "vol0123456789abcdef0"));
	assert_int_equal(devices->items[3].size.value, 8 * GIB);
	devices_medium(&facts.root.medium, devices);
	assert_true(fact_text_is(&facts.root.medium, MEDIUM_EBS));
	facts_free(&facts);
}

/* The copy is compared by the JSON it gives, and both are freed: nothing may be shared. */
static void known_chain_is_copied_whole(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };
	json_t *known, *copied;

	put_chain(test);
	devices_gather(&facts.root.devices, &test->root, &test->root, makedev(253, 1));
	fact_set_unknown(fact_of(&facts.root.devices.items[3].uuid), "not read");
	test_root_put(test, NVME "/device/serial", "another one now");
	devices_gather_known(&facts.area.devices, &test->root, &test->root, makedev(253, 1),
		&facts.root.devices);
	known = layout_to_json(&device_facts_layout, &facts.root.devices.items[3]);
	copied = layout_to_json(&device_facts_layout, &facts.area.devices.items[3]);
	assert_int_equal(facts.area.devices.count, 4);
	assert_true(json_equal(known, copied));
	json_decref(known);
	json_decref(copied);
	facts_free(&facts);
}

static void another_chain_than_the_known_is_gathered(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };

	put_chain(test);
	devices_gather(&facts.root.devices, &test->root, &test->root, makedev(253, 1));
	devices_gather_known(&facts.area.devices, &test->root, &test->root, makedev(259, 0),
		&facts.root.devices);
	assert_int_equal(facts.area.devices.count, 1);
	assert_true(fact_text_is(&facts.area.devices.items[0].name, "nvme0n1"));
	facts_free(&facts);
}

static void medium_comes_from_the_model(void **state)
{
	static const struct {
		const char *model;
		const char *medium;
	} cases[] = { { "Amazon Elastic Block Store", MEDIUM_EBS },
		{ "Amazon EC2 NVMe Instance Storage", MEDIUM_INSTANCE_STORE },
		{ "QEMU NVMe Ctrl", MEDIUM_OTHER } };
	struct test_root *test = *state;

	put_chain(test);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct facts facts = { 0 };

		test_root_put(test, NVME "/device/model", cases[i].model);
		devices_gather(&facts.root.devices, &test->root, &test->root, makedev(259, 0));
		devices_medium(&facts.root.medium, &facts.root.devices);
		assert_true(fact_text_is(&facts.root.medium, cases[i].medium));
		facts_free(&facts);
	}
}

static void device_that_sysfs_lacks_is_unknown(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };

	devices_gather(&facts.root.devices, &test->root, &test->root, makedev(8, 1));
	assert_int_equal(facts.root.devices.is, FACT_UNKNOWN);
	assert_string_equal(facts.root.devices.why, "/sys/dev/block/8:1 is not there");
	facts_free(&facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(chain_goes_down_to_the_disk),
		WITH_TEST_ROOT(known_chain_is_copied_whole),
		WITH_TEST_ROOT(another_chain_than_the_known_is_gathered),
		WITH_TEST_ROOT(medium_comes_from_the_model),
		WITH_TEST_ROOT(device_that_sysfs_lacks_is_unknown),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
