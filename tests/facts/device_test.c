/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/facts/device: block devices and what lies below them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sysmacros.h>
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
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

/* ---- More than one device below ---- */

static void put_disk(struct test_root *test, const char *name, int minor, const char *model)
{
	memory_cleanup_free char *folder = text_format("/sys/devices/virtual/block/%s", name);
	memory_cleanup_free char *link = text_format("/sys/dev/block/259:%d", minor);
	memory_cleanup_free char *target = text_format("../../devices/virtual/block/%s", name);
	memory_cleanup_free char *number = text_format("259:%d\n", minor);
	memory_cleanup_free char *dev = text_format("%s/dev", folder);
	memory_cleanup_free char *model_file = text_format("%s/device/model", folder);

	test_root_link(test, link, target);
	test_root_put(test, dev, number);
	if (model)
		test_root_put(test, model_file, model);
}

/* Device 253:MINOR, dm-MINOR. */
static void put_mapper(struct test_root *test, int minor, const char *uuid)
{
	memory_cleanup_free char *link = text_format("/sys/dev/block/253:%d", minor);
	memory_cleanup_free char *target = text_format("../../devices/virtual/block/dm-%d", minor);
	memory_cleanup_free char *file =
		text_format("/sys/devices/virtual/block/dm-%d/dm/uuid", minor);

	test_root_link(test, link, target);
	test_root_put(test, file, uuid);
}

static void put_slave(struct test_root *test, int minor, const char *name, const char *number)
{
	memory_cleanup_free char *file =
		text_format("/sys/devices/virtual/block/dm-%d/slaves/%s/dev", minor, name);

	test_root_put(test, file, number);
}

static void names_and_leaves(const device_list *devices, const char *expected)
{
	memory_cleanup_free char *found = NULL;

	for (size_t i = 0; i < devices->count; i++) {
		const struct device_facts *device = &devices->items[i];

		text_append(&found, "%s%s %s%s", i ? ", " : "",
			fact_text_or(&device->name, device->number.value),
			fact_text_or(&device->kind, "?"),
			fact_is_true(&device->leaf) ? " leaf" : "");
	}
	assert_string_equal(found, expected);
}

static void every_leaf_of_a_volume_group_counts(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };
	device_list *devices = &facts.area.devices;

	put_disk(test, "nvme1n1", 1, "Amazon Elastic Block Store");
	put_disk(test, "nvme2n1", 2, "Amazon EC2 NVMe Instance Storage");
	put_mapper(test, 0, "LVM-abc");
	put_slave(test, 0, "nvme1n1", "259:1");
	put_slave(test, 0, "nvme2n1", "259:2");
	devices_gather(devices, &test->root, &test->root, makedev(253, 0));
	names_and_leaves(devices, "dm-0 lvm, nvme1n1 disk leaf, nvme2n1 disk leaf");
	devices_medium(&facts.root.medium, devices);
	assert_true(fact_text_is(&facts.root.medium, MEDIUM_INSTANCE_STORE));
	facts_free(&facts);
}

/* Both halves of a mirror on one disk: the disk is there once, and the last one is no leaf. */
static void device_below_two_is_listed_once(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };

	put_disk(test, "nvme1n1", 1, "Amazon Elastic Block Store");
	put_mapper(test, 0, "LVM-abc");
	put_mapper(test, 1, "LVM-abd");
	put_mapper(test, 2, "LVM-abe");
	put_slave(test, 0, "dm-1", "253:1");
	put_slave(test, 0, "dm-2", "253:2");
	put_slave(test, 1, "nvme1n1", "259:1");
	put_slave(test, 2, "nvme1n1", "259:1");
	devices_gather(&facts.area.devices, &test->root, &test->root, makedev(253, 0));
	names_and_leaves(&facts.area.devices, "dm-0 lvm, dm-1 lvm, nvme1n1 disk leaf, dm-2 lvm");
	devices_medium(&facts.root.medium, &facts.area.devices);
	assert_true(fact_text_is(&facts.root.medium, MEDIUM_EBS));
	facts_free(&facts);
}

static void device_that_cannot_be_looked_at_is_a_leaf(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };

	put_disk(test, "nvme1n1", 1, "Amazon Elastic Block Store");
	put_mapper(test, 0, "LVM-abc");
	put_slave(test, 0, "nvme1n1", "259:1");
	put_slave(test, 0, "nvme9n1", "259:9");
	devices_gather(&facts.area.devices, &test->root, &test->root, makedev(253, 0));
	names_and_leaves(&facts.area.devices, "dm-0 lvm, nvme1n1 disk leaf, 259:9 ? leaf");
	assert_int_equal(facts.area.devices.items[2].medium.is, FACT_UNKNOWN);
	facts_free(&facts);
}

static void kind_comes_from_driver_and_mapper(void **state)
{
	static const struct {
		const char *uuid; /* of the device mapper, or NULL */
		const char *name;
		const char *kind;
	} cases[] = {
		{ "LVM-abcdef", "dm-0", KIND_LVM },
		{ "LVM-abcdef-real", "dm-0", KIND_LVM },
		{ "LVM-abcdef-tpool", "dm-0", KIND_THIN_POOL },
		{ "LVM-abcdef-cow", "dm-0", KIND_SNAPSHOT },
		{ "LVM-abcdef-cdata", "dm-0", KIND_CACHE },
		{ "LVM-abcdef-cvol", "dm-0", KIND_CACHE },
		{ "LVM-abcdef-vpool", "dm-0", KIND_VDO },
		{ "CRYPT-LUKS2-0123-swap", "dm-0", KIND_CRYPT },
		{ "CRYPT-PLAIN-swap", "dm-0", KIND_CRYPT },
		{ "mpath-360000", "dm-0", KIND_MULTIPATH },
		{ "part1-mpath-360000", "dm-0", KIND_PARTITION },
		{ "something", "dm-0", KIND_DM },
		{ NULL, "md127", KIND_RAID },
		{ NULL, "loop0", KIND_LOOP },
		{ NULL, "zd16", KIND_ZVOL },
		{ NULL, "zram0", KIND_ZRAM },
		{ NULL, "ram3", KIND_RAM },
		{ NULL, "bcache0", KIND_BCACHE },
		{ NULL, "nbd0", KIND_NETWORK },
		{ NULL, "rbd0", KIND_NETWORK },
		{ NULL, "nvme0n1", KIND_DISK },
		{ NULL, "xvda", KIND_DISK },
		{ NULL, "sda", KIND_DISK },
		{ NULL, "vda", KIND_DISK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_root *test = *state;
		struct facts facts = { 0 };
		memory_cleanup_free char *target =
			text_format("../../devices/virtual/block/%zu/%s", i, cases[i].name);
		memory_cleanup_free char *folder =
			text_format("/sys/devices/virtual/block/%zu/%s", i, cases[i].name);
		memory_cleanup_free char *link = text_format("/sys/dev/block/99:%zu", i);
		memory_cleanup_free char *uuid = text_format("%s/dm/uuid", folder);

		test_root_link(test, link, target);
		if (cases[i].uuid)
			test_root_put(test, uuid, cases[i].uuid);
		devices_gather(
			&facts.area.devices, &test->root, &test->root, makedev(99, (unsigned)i));
		assert_string_equal(facts.area.devices.items[0].kind.value, cases[i].kind);
		facts_free(&facts);
	}
}

static void disk_of_another_machine_is_network(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };

	test_root_link(test, "/sys/dev/block/8:0",
		"../../devices/platform/host2/session1/target2:0:0/2:0:0:1/block/sda");
	put_disk(test, "nvme7n1", 7, "Linux");
	test_root_put(test, "/sys/devices/virtual/block/nvme7n1/device/nvme7/transport", "tcp\n");
	put_disk(test, "nvme8n1", 8, "Amazon Elastic Block Store");
	test_root_put(test, "/sys/devices/virtual/block/nvme8n1/device/transport", "pcie\n");
	devices_gather(&facts.area.devices, &test->root, &test->root, makedev(8, 0));
	devices_gather(&facts.area.devices, &test->root, &test->root, makedev(259, 7));
	devices_gather(&facts.area.devices, &test->root, &test->root, makedev(259, 8));
	names_and_leaves(
		&facts.area.devices, "sda network leaf, nvme7n1 network leaf, nvme8n1 disk leaf");
	facts_free(&facts);
}

static void random_key_comes_from_crypttab(void **state)
{
	static const struct {
		const char *uuid, *crypttab;
		enum knowledge is;
		bool random;
	} cases[] = {
		{ "CRYPT-PLAIN-s", "s /dev/vg/swap /dev/urandom swap", FACT_KNOWN, true },
		{ "CRYPT-PLAIN-s", "\ts\tUUID=1\t/dev/random\tplain", FACT_KNOWN, true },
		{ "CRYPT-PLAIN-s", "#s /dev/vg/swap /dev/urandom", FACT_UNKNOWN, false },
		{ "CRYPT-PLAIN-s", "s /dev/vg/swap /etc/keys/swap plain", FACT_KNOWN, false },
		{ "CRYPT-PLAIN-s", "s /dev/vg/swap", FACT_KNOWN, false },
		{ "CRYPT-PLAIN-s", "other /dev/vg/swap /dev/urandom", FACT_UNKNOWN, false },
		{ "CRYPT-LUKS2-1-s", "", FACT_KNOWN, false },
		{ "LVM-abc", "s /dev/vg/swap /dev/urandom", FACT_KNOWN, false },
	};

	struct test_root *test = *state;

	test_root_link(test, "/sys/dev/block/253:0", "../../devices/virtual/block/dm-0");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct facts facts = { 0 };
		const struct fact_flag *random;

		test_root_put(test, "/sys/devices/virtual/block/dm-0/dm/uuid", cases[i].uuid);
		test_root_put(test, "/sys/devices/virtual/block/dm-0/dm/name", "s\n");
		test_root_put(test, "/etc/crypttab", cases[i].crypttab);
		devices_gather(&facts.area.devices, &test->root, &test->root, makedev(253, 0));
		random = &facts.area.devices.items[0].random_key;
		assert_int_equal(random->is, cases[i].is);
		assert_int_equal(fact_is_true(random), cases[i].random);
		facts_free(&facts);
	}
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
		WITH_TEST_ROOT(every_leaf_of_a_volume_group_counts),
		WITH_TEST_ROOT(device_below_two_is_listed_once),
		WITH_TEST_ROOT(device_that_cannot_be_looked_at_is_a_leaf),
		WITH_TEST_ROOT(kind_comes_from_driver_and_mapper),
		WITH_TEST_ROOT(disk_of_another_machine_is_network),
		WITH_TEST_ROOT(random_key_comes_from_crypttab),
		WITH_TEST_ROOT(known_chain_is_copied_whole),
		WITH_TEST_ROOT(another_chain_than_the_known_is_gathered),
		WITH_TEST_ROOT(medium_comes_from_the_model),
		WITH_TEST_ROOT(device_that_sysfs_lacks_is_unknown),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
