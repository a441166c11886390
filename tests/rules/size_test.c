/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How large the swap area has to be, whether it fits, and which file will do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/size.h"

struct size_row {
	const char *wanted; /* NULL: auto */
	uint64_t memory;
	uint64_t free;
	uint64_t present; /* size of the file that is there; 0: none */
	int status;
	enum size_decision decision;
	uint64_t bytes;
	bool remove_first;
	const char *text; /* why, or the error */
};

/* A row's facts with the default configuration, for a test to change. */
struct scene {
	struct facts facts;
	struct config config;
};

static void scene_open(struct scene *scene, const struct size_row *row)
{
	struct facts *facts = &scene->facts;
	struct area_facts *area = &facts->area;

	*scene = (struct scene) { 0 };
	config_init(&scene->config);
	fact_set_number(&facts->kernel.page_size, 4096);
	fact_set_number(&facts->memory.total, row->memory);
	fact_set_text(&area->path, "/swap");
	fact_set_text(&area->filesystem, "ext4");
	fact_set_text(&area->mount_point, "/");
	fact_set_number(&area->filesystem_free, row->free);
	fact_set_absent(fact_of(&area->kind));
	if (!row->present)
		return;
	fact_set_text(&area->kind, "file");
	fact_set_number(&area->size, row->present);
	fact_set_number(&area->holes, 0);
	fact_set_number(&facts_add(&area->extents)->length, row->present);
}

static void scene_decide(const struct scene *scene, const struct size_row *row)
{
	struct error err = { "" };
	struct swap_size size;
	int status = swap_size_decide(&scene->facts, &scene->config, row->wanted, &size, &err);

	assert_string_equal(status < 0 ? err.text : size.why, row->text);
	assert_int_equal(status, row->status);
	assert_int_equal(size.decision, row->decision);
	assert_int_equal(size.bytes, row->bytes);
	assert_int_equal(size.remove_first, row->remove_first);
	swap_size_free(&size);
}

static void scene_close(struct scene *scene)
{
	facts_free(&scene->facts);
	config_free(&scene->config);
}

static void decide_rows(const struct size_row *rows, size_t count)
{

	for (size_t i = 0; i < count; i++) {
		struct scene scene;

		scene_open(&scene, &rows[i]);
		scene_decide(&scene, &rows[i]);
		scene_close(&scene);
	}
}

static void auto_size_is_the_larger_of_memory_and_4000_mib(void **state UNUSED)
{
	static const struct size_row rows[] = {
		{ NULL, 16 * GIB, 100 * GIB, 0, 0, SIZE_CREATE, 16 * GIB, false,
			"16.0 GiB: 100 % of memory (16.0 GiB)" },
		{ "auto", 1 * GIB, 100 * GIB, 0, 0, SIZE_CREATE, 4000 * MIB, false,
			"3.9 GiB: target-size-mb, 4000 MiB; memory has 1.0 GiB" },
		/* Memory alone where only that fits. */
		{ "auto", 1 * GIB, 3 * GIB, 0, 0, SIZE_CREATE, 1 * GIB, false,
			"1.0 GiB: memory's size, since 3.9 GiB (target-size-mb) does "
			"not fit on / (ext4)" },
		{ "auto", 1 * GIB, 4010 * MIB, 0, 0, SIZE_CREATE, 4000 * MIB, false,
			"3.9 GiB: target-size-mb, 4000 MiB; memory has 1.0 GiB" },
		/* Whole pages. */
		{ "auto", 8 * GIB + 1, 100 * GIB, 0, 0, SIZE_CREATE, 8 * GIB + 4096, false,
			"8.0 GiB: 100 % of memory (8.0 GiB)" },
		{ "auto", 16 * GIB, 3435973836, 0, -ENOSPC, SIZE_KEEP, 0, false,
			"cannot create /swap: needs 16.0 GiB, 3.2 GiB free on / (ext4)" },
		{ "auto", 16 * GIB, 16 * GIB + 10 * MIB - 1, 0, -ENOSPC, SIZE_KEEP, 0, false,
			"cannot create /swap: needs 16.0 GiB, 16.0 GiB free on / "
			"(ext4); 10 MiB have to stay free" },
		{ "auto", 16 * GIB, 16 * GIB + 10 * MIB, 0, 0, SIZE_CREATE, 16 * GIB, false,
			"16.0 GiB: 100 % of memory (16.0 GiB)" },
		{ "auto", 1 * GIB, 0, 0, -ENOSPC, SIZE_KEEP, 0, false,
			"cannot create /swap: needs 1.0 GiB, 0 bytes free on / (ext4)" },
	};

	decide_rows(rows, ARRAY_SIZE(rows));
}

#define REFUSED(wanted, text)                                                                      \
	{                                                                                          \
		wanted, GIB, GIB, 0, -EINVAL, SIZE_KEEP, 0, false, text                            \
	}
#define NO_SIZE(wanted)                                                                            \
	REFUSED(wanted, "size \"" wanted "\" is not auto, N%, or a number with K, M, G or T")
#define TOO_SMALL(wanted)                                                                          \
	REFUSED(wanted, "size \"" wanted                                                           \
			"\" is less than the 40 KiB that a swap area has at least; a number "      \
			"without K, M, G or T counts bytes")
#define NO_PERCENTAGE(wanted) REFUSED(wanted, "size \"" wanted "\" is not a percentage")

static void asked_size_is_taken_as_it_is(void **state UNUSED)
{
	static const struct size_row rows[] = {
		{ "2G", 16 * GIB, 100 * GIB, 0, 0, SIZE_CREATE, 2 * GIB, false,
			"2.0 GiB: 2G, as asked" },
		{ "512M", 16 * GIB, 100 * GIB, 0, 0, SIZE_CREATE, 512 * MIB, false,
			"512.0 MiB: 512M, as asked" },
		{ "50%", 16 * GIB, 100 * GIB, 0, 0, SIZE_CREATE, 8 * GIB, false,
			"8.0 GiB: 50% of memory (16.0 GiB), as asked" },
		{ "10000001", 16 * GIB, 100 * GIB, 0, 0, SIZE_CREATE, 10002432, false,
			"9.5 MiB: 10000001, as asked" },
		/* Nothing smaller in its place. */
		{ "8G", 1 * GIB, 4 * GIB, 0, -ENOSPC, SIZE_KEEP, 0, false,
			"cannot create /swap: needs 8.0 GiB, 4.0 GiB free on / (ext4)" },
		{ "40960", GIB, GIB, 0, 0, SIZE_CREATE, 40960, false, "40.0 KiB: 40960, as asked" },
		TOO_SMALL("8"),
		TOO_SMALL("36K"),
		NO_SIZE("big"),
		NO_SIZE(""),
		NO_SIZE("0"),
		NO_SIZE("-1G"),
		NO_PERCENTAGE("0%"),
		NO_PERCENTAGE("%"),
		NO_PERCENTAGE("1.5%"),
		REFUSED("18446744073709551615%",
			"18446744073709551615 % of memory is out of range"),
		REFUSED("18446744073709551615", "the size of the swap area is out of range"),
	};

	decide_rows(rows, ARRAY_SIZE(rows));
}

static void present_file_is_kept_when_it_is_about_right(void **state UNUSED)
{
	static const struct size_row rows[] = {
		{ NULL, 8 * GIB, 1 * GIB, 8 * GIB, 0, SIZE_KEEP, 8 * GIB, false,
			"/swap stays as it is, 8.0 GiB: 100 % of memory (8.0 GiB)" },
		{ NULL, 8 * GIB, 1 * GIB, 8 * GIB + 100 * MIB, 0, SIZE_KEEP, 8 * GIB + 100 * MIB,
			false, "/swap stays as it is, 8.1 GiB: 100 % of memory (8.0 GiB)" },
		{ NULL, 8 * GIB, 1 * GIB, 8 * GIB + 100 * MIB + 1, 0, SIZE_REPLACE, 8 * GIB, true,
			"8.0 GiB: 100 % of memory (8.0 GiB); the present file has 8.1 GiB" },
		{ NULL, 8 * GIB, 20 * GIB, 8 * GIB - 4096, 0, SIZE_REPLACE, 8 * GIB, false,
			"8.0 GiB: 100 % of memory (8.0 GiB); the present file has 8.0 GiB" },
		/* What it would give back is room. */
		{ NULL, 8 * GIB, 3 * GIB, 6 * GIB, 0, SIZE_REPLACE, 8 * GIB, true,
			"8.0 GiB: 100 % of memory (8.0 GiB); the present file has 6.0 GiB" },
		{ NULL, 8 * GIB, 1 * GIB, 6 * GIB, -ENOSPC, SIZE_KEEP, 0, false,
			"cannot create /swap: needs 8.0 GiB, 1.0 GiB free on / (ext4) "
			"and 6.0 GiB in the present file" },
		/* 4000 MiB do not fit, and this one is as large as memory at least. */
		{ NULL, 1 * GIB, 1 * GIB, 2 * GIB, 0, SIZE_KEEP, 2 * GIB, false,
			"/swap stays as it is, 2.0 GiB: memory's size, since 3.9 GiB "
			"(target-size-mb) does not fit on / (ext4)" },
		{ "8G", 1 * GIB, 1 * GIB, 8 * GIB, 0, SIZE_KEEP, 8 * GIB, false,
			"/swap stays as it is, 8.0 GiB: 8G, as asked" },
	};

	decide_rows(rows, ARRAY_SIZE(rows));
}

static void file_that_cannot_be_swap_is_replaced(void **state UNUSED)
{
	static const struct size_row row = { NULL, 8 * GIB, 1 * GIB, 8 * GIB, 0, SIZE_REPLACE,
		8 * GIB, true, "8.0 GiB: 100 % of memory (8.0 GiB); the present file has holes" };
	static const struct size_row shared = { NULL, 8 * GIB, 1 * GIB, 8 * GIB, -ENOSPC, SIZE_KEEP,
		0, false, "cannot create /swap: needs 8.0 GiB, 1.0 GiB free on / (ext4)" };
	struct scene scene;

	scene_open(&scene, &row);
	fact_set_number(&scene.facts.area.holes, 3);
	scene_decide(&scene, &row);
	/* Shared blocks stay with the snapshot: removing the file gives nothing back. */
	fact_set_number(&scene.facts.area.holes, 0);
	fact_set_flag(&scene.facts.area.shared, true);
	scene_decide(&scene, &shared);
	assert_string_equal(swap_file_defect(&scene.facts.area),
		"shares blocks with another file or a snapshot");
	fact_set_flag(&scene.facts.area.compressed, true);
	assert_string_equal(swap_file_defect(&scene.facts.area), "is compressed");
	fact_set_flag(&scene.facts.area.copy_on_write, true);
	assert_string_equal(swap_file_defect(&scene.facts.area), "is copy-on-write");
	scene_close(&scene);
}

static void device_is_used_when_it_is_large_enough(void **state UNUSED)
{
	static const struct size_row kept = { NULL, 2 * GIB, 0, 2 * GIB, 0, SIZE_KEEP, 2 * GIB,
		false,
		"/swap stays as it is, 2.0 GiB: target-size-mb, 4000 MiB; memory has 2.0 GiB" };
	static const struct size_row small = { NULL, 8 * GIB, 0, 2 * GIB, -ENOSPC, SIZE_KEEP, 0,
		false, "cannot use /swap: needs 8.0 GiB, has 2.0 GiB" };
	static const struct size_row *const rows[] = { &kept, &small };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct scene scene;

		scene_open(&scene, rows[i]);
		fact_set_text(&scene.facts.area.kind, "device");
		scene_decide(&scene, rows[i]);
		scene_close(&scene);
	}
}

static void what_is_no_swap_area_is_refused(void **state UNUSED)
{
	static const struct {
		const char *kind; /* NULL: not there */
		const char *device;
		const char *text;
	} rows[] = {
		{ "link", "",
			"cannot use /swap: it is a symbolic link, which others could point elsewhere; run: ec2hib setup --swapfile /swap-ec2hib" },
		{ "other", "",
			"cannot use /swap: it is neither a regular file nor a block device; run: ec2hib setup --swapfile /swap-ec2hib" },
		{ NULL, "/dev/vg/swap", "cannot use /swap: there is no such device" },
		{ "file", "/dev/vg/swap", "cannot use /swap: it is not a block device" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct size_row row = { NULL, GIB, GIB, GIB, -EINVAL, SIZE_KEEP, 0, false,
			rows[i].text };
		struct scene scene;

		scene_open(&scene, &row);
		text_set(&scene.config.swap_device, text_copy(rows[i].device));
		fact_set_text(&scene.facts.area.kind, rows[i].kind);
		scene_decide(&scene, &row);
		scene_close(&scene);
	}
}

static void unknown_facts_are_named(void **state UNUSED)
{
	struct size_row row = { NULL, GIB, 8 * GIB, 0, -ENODATA, SIZE_KEEP, 0, false, NULL };
	struct scene scene;

	scene_open(&scene, &row);
	fact_set_unknown(fact_of(&scene.facts.area.filesystem_free), "statvfs: Permission denied");
	row.text = "cannot tell how much space is free: statvfs: Permission denied";
	scene_decide(&scene, &row);
	fact_set_unknown(fact_of(&scene.facts.memory.total), "/mnt is an image");
	row.text = "cannot tell how much memory there is: /mnt is an image";
	scene_decide(&scene, &row);
	fact_set_unknown(fact_of(&scene.facts.area.kind), "Permission denied");
	row.text = "cannot tell whether there is a swap area: Permission denied";
	scene_decide(&scene, &row);
	scene_close(&scene);
}

/* The reserve is named where its use would have been enough, and is not used. */
static void what_is_reserved_for_root_is_no_room(void **state UNUSED)
{
	static const struct size_row fresh = {
		"4G", GIB, 3 * GIB, 0, -ENOSPC, SIZE_KEEP, 0, false,
		"cannot create /swap: needs 4.0 GiB, 3.0 GiB free on / (ext4); the 2.0 GiB that are reserved for root stay reserved"
	};
	static const struct size_row eaten = {
		"4G", GIB, 0, 8 * GIB, -ENOSPC, SIZE_KEEP, 0, false,
		"cannot create /swap: needs 4.0 GiB, 0 bytes free on / (ext4); the 2.0 GiB that are reserved for root stay reserved"
	};
	static const struct size_row full = { "4G", GIB, 0, 8 * GIB, 0, SIZE_REPLACE, 4 * GIB, true,
		"4.0 GiB: 4G, as asked; the present file has 8.0 GiB" };
	struct scene scene;

	scene_open(&scene, &fresh);
	fact_set_number(&scene.facts.area.filesystem_reserved, 2 * GIB);
	scene_decide(&scene, &fresh);
	scene_close(&scene);
	scene_open(&scene, &eaten);
	fact_set_number(&scene.facts.area.filesystem_reserved, 2 * GIB);
	scene_decide(&scene, &eaten);
	/* A file system without a reserve gives back what it took. */
	fact_set_text(&scene.facts.area.filesystem, "xfs");
	fact_set_number(&scene.facts.area.filesystem_reserved, 0);
	scene_decide(&scene, &full);
	scene_close(&scene);
}

/* An asked size needs no knowledge of memory: --root DIR --size 4G. */
static void asked_size_does_not_need_memory(void **state UNUSED)
{
	static const struct size_row row = { "2G", 0, 8 * GIB, 0, 0, SIZE_CREATE, 2 * GIB, false,
		"2.0 GiB: 2G, as asked" };
	struct scene scene;

	scene_open(&scene, &row);
	fact_set_unknown(fact_of(&scene.facts.memory.total), "/mnt is an image");
	fact_set_unknown(fact_of(&scene.facts.kernel.page_size), "/mnt is an image");
	scene_decide(&scene, &row);
	scene_close(&scene);
}

static void configuration_moves_the_automatic_size(void **state UNUSED)
{
	static const struct size_row half = { NULL, 16 * GIB, 100 * GIB, 0, 0, SIZE_CREATE, 8 * GIB,
		false, "8.0 GiB: 50 % of memory (16.0 GiB)" };
	static const struct size_row nothing = { NULL, 16 * GIB, 100 * GIB, 0, -EINVAL, SIZE_KEEP,
		0, false, "percentage-of-ram and target-size-mb are both 0" };
	struct scene scene;

	scene_open(&scene, &half);
	scene.config.percentage_of_ram = 50;
	scene_decide(&scene, &half);
	scene.config.percentage_of_ram = 0;
	scene.config.target_size_mb = 0;
	scene_decide(&scene, &nothing);
	scene_close(&scene);
}

static void fragments_are_counted_against_the_size(void **state UNUSED)
{
	assert_false(swap_is_fragmented(0, 32));
	assert_true(swap_is_fragmented(0, 33));
	assert_false(swap_is_fragmented(16 * GIB, 288));
	assert_true(swap_is_fragmented(16 * GIB, 289));
	assert_false(swap_is_fragmented(4000 * MIB, 32));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(auto_size_is_the_larger_of_memory_and_4000_mib),
		cmocka_unit_test(asked_size_is_taken_as_it_is),
		cmocka_unit_test(present_file_is_kept_when_it_is_about_right),
		cmocka_unit_test(file_that_cannot_be_swap_is_replaced),
		cmocka_unit_test(device_is_used_when_it_is_large_enough),
		cmocka_unit_test(what_is_no_swap_area_is_refused),
		cmocka_unit_test(unknown_facts_are_named),
		cmocka_unit_test(what_is_reserved_for_root_is_no_room),
		cmocka_unit_test(asked_size_does_not_need_memory),
		cmocka_unit_test(configuration_moves_the_automatic_size),
		cmocka_unit_test(fragments_are_counted_against_the_size),
	};

	return cmocka_run_group_tests_name("size", tests, NULL, NULL);
}
