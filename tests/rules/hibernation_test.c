/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether to hibernate and what comes before, from the facts of a ready machine and what changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/cycle.h"
#include "core/rules/hibernation.h"
#include "tests/rules/checks_fixture.h"

/* A machine: what differs from ready.json, and from the default configuration. */
struct machine {
	struct facts facts;
	struct config config;
};

static void machine_make(struct machine *machine, const char *set, const char *settings)
{
	json_t *changes = json_loads(set, 0, NULL);
	json_t *keys = json_loads(settings ? settings : "{}", 0, NULL);
	json_t *json;

	assert_non_null(changes);
	assert_non_null(keys);
	json = facts_changed(changes);
	facts_read(&machine->facts, json);
	config_read_json(&machine->config, keys);
	json_decref(json);
	json_decref(keys);
	json_decref(changes);
}

static void machine_free(struct machine *machine)
{
	facts_free(&machine->facts);
	config_free(&machine->config);
}

/* ---- Obstacles ------------------------------------------------------------------------------- */

static void obstacles_are_what_hibernate_does_not_mend(void **state UNUSED)
{
	static const struct {
		const char *set;
		const char *before, *prepared; /* the ids; the steps are still to do, or done */
	} rows[] = {
		{ "{}", "", "" },
		{ "{\"kernel.power_state\": \"freeze mem\"}", "kernel-hibernation",
			"kernel-hibernation" },
		{ "{\"kernel.lockdown\": \"integrity\"}", "lockdown", "lockdown" },
		/* Mended on the way, and only then in it. */
		{ "{\"area.active\": false, \"swaps\": []}", "", "swap-active" },
		{ "{\"kernel.resume_offset\": 7}", "", "resume-offset-kernel" },
		{ "{\"kernel.resume_device\": \"8:1\"}", "", "resume-device-kernel" },
		{ "{\"area.signature\": \"image\"}", "", "stale-image" },
		/* Not good, but no reason to stay. */
		{ "{\"kernel.freeze_timeout\": 10000}", "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int prepared = 0; prepared < 2; prepared++) {
			const char *expected = prepared ? rows[i].prepared : rows[i].before;
			strings_cleanup struct strings found = { 0 };
			strings_cleanup struct strings ids = { 0 };
			memory_cleanup_free char *all = NULL;
			struct machine machine;

			machine_make(&machine, rows[i].set, NULL);
			hibernation_obstacles(
				&machine.facts, &machine.config, prepared != 0, &found);
			for (size_t k = 0; k < found.count; k++)
				strings_take(&ids, text_copy_length(found.items[k],
							   strcspn(found.items[k], ":")));
			all = strings_join(&ids, " ");
			if (strcmp(all, expected) != 0)
				fail_msg("%s, %s: \"%s\" in place of \"%s\"", rows[i].set,
					prepared ? "prepared" : "before", all, expected);
			machine_free(&machine);
		}
	}
}

/* ---- The method ------------------------------------------------------------------------------ */

static void method_is_systemd_only_for_its_scripts_or_when_asked(void **state UNUSED)
{
	static const struct {
		const char *set, *settings, *method;
	} rows[] = {
		{ "{}", NULL, METHOD_DIRECT },
		{ "{\"system.sleep_scripts\": true}", NULL, METHOD_SYSTEMD },
		{ "{\"system.sleep_scripts\": true, \"system.init\": \"sysvinit\"}", NULL,
			METHOD_DIRECT },
		{ "{\"system.sleep_scripts\": {\"unknown\": \"no right to look\"}}", NULL,
			METHOD_DIRECT },
		{ "{\"system.sleep_scripts\": true}", "{\"method\": \"direct\"}", METHOD_DIRECT },
		{ "{}", "{\"method\": \"systemd\"}", METHOD_SYSTEMD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hibernation_plan plan;
		struct machine machine;
		struct error err;

		machine_make(&machine, rows[i].set, rows[i].settings);
		assert_int_equal(hibernation_plan(&plan, &machine.facts, &machine.config, &err), 0);
		assert_string_equal(plan.method, rows[i].method);
		assert_int_equal(plan.steps.count, 0);
		hibernation_plan_free(&plan);
		machine_free(&machine);
	}
}

/* ---- Other swaps ----------------------------------------------------------------------------- */

#define AREA(priority)                                                                             \
	"{\"path\": \"/swap\", \"type\": \"file\", \"size\": 8134983680, \"used\": 0,"             \
	"\"priority\": \"" priority "\", \"device\": \"nvme0n1p1\", \"medium\": \"ebs\","          \
	"\"random_key\": false, \"is_area\": true}"
#define OTHER(medium, priority, used, key)                                                         \
	"{\"path\": \"/dev/other\", \"type\": \"partition\", \"size\": 1073741824,"                \
	"\"used\": " used ", \"priority\": \"" priority "\", \"device\": \"other\","               \
	"\"medium\": \"" medium "\", \"random_key\": " key ", \"is_area\": false}"
#define SWAPS(swaps) "{\"swaps\": [" swaps "]}"

static void other_swaps_go_off_where_they_must(void **state UNUSED)
{
	static const struct {
		const char *set;
		bool direct, systemd; /* whether the other one goes off */
	} rows[] = {
		{ SWAPS(AREA("-2")), false, false },
		{ SWAPS(AREA("-2") "," OTHER("ebs", "-3", "0", "false")), false, false },
		/* systemd would choose the other one. */
		{ SWAPS(AREA("-2") "," OTHER("ebs", "5", "4096", "false")), false, true },
		{ SWAPS(OTHER("ebs", "5", "4096", "false")), false, true },
		/* Its pages would be gone, or not be readable any more. */
		{ SWAPS(AREA("5") "," OTHER("instance-store", "-3", "4096", "false")), true, true },
		{ SWAPS(AREA("5") "," OTHER("ebs", "-3", "4096", "true")), true, true },
		/* In memory, and so in the image. */
		{ SWAPS(AREA("-2") "," OTHER("zram", "100", "4096", "false")), false, false },
		{ SWAPS(AREA("-2") "," OTHER("zram", "100", "4096", "true")), false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int systemd = 0; systemd < 2; systemd++) {
			bool goes = systemd ? rows[i].systemd : rows[i].direct;
			struct hibernation_plan plan;
			struct machine machine;
			struct error err;

			machine_make(&machine, rows[i].set,
				systemd ? "{\"method\": \"systemd\"}" : NULL);
			assert_int_equal(
				hibernation_plan(&plan, &machine.facts, &machine.config, &err), 0);
			if (plan.other_count != goes)
				fail_msg("row %zu, method %s: %zu go off", i, plan.method,
					plan.other_count);
			if (goes)
				assert_string_equal(plan.others[0].path, "/dev/other");
			hibernation_plan_free(&plan);
			machine_free(&machine);
		}
	}
}

static void swap_that_does_not_fit_into_memory_is_not_switched_off(void **state UNUSED)
{
	static const struct {
		const char *set;
		int status;
	} rows[] = {
		/* available is 6 GiB */
		{ SWAPS(AREA("5") "," OTHER("instance-store", "-3", "6375342080", "false")), 0 },
		{ SWAPS(AREA("5") "," OTHER("instance-store", "-3", "6375342081", "false")),
			-EPERM },
		{ SWAPS(AREA("5") "," OTHER("ebs", "-3", "6442450945", "false")), 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hibernation_plan plan;
		struct machine machine;
		struct error err = { "" };

		machine_make(&machine, rows[i].set, NULL);
		assert_int_equal(hibernation_plan(&plan, &machine.facts, &machine.config, &err),
			rows[i].status);
		if (rows[i].status < 0 && !strstr(err.text, "/dev/other has to be switched "
							    "off to hibernate, but holds"))
			fail_msg("\"%s\"", err.text);
		hibernation_plan_free(&plan);
		machine_free(&machine);
	}
}

/* ---- The image ------------------------------------------------------------------------------- */

static void image_is_made_smaller_only_where_it_has_to_be(void **state UNUSED)
{
	static const struct {
		const char *set, *settings;
		bool changes;
		uint64_t size;
	} rows[] = {
		{ "{}", NULL, false, 0 },
		/* 2 GiB, of which 4 MiB are the kernel's: 32 parts of 35 of the rest. */
		{ "{\"area.size\": 2147483648}", NULL, true, (2147483648 - 4194304) / 35 * 32 },
		{ "{\"area.size\": 3221225472, \"area.used\": 1073741824}", NULL, true,
			(2147483648 - 4194304) / 35 * 32 },
		/* More is in use than there is, or no room at all. */
		{ "{\"area.size\": 4096, \"area.used\": 8192}", NULL, true, 0 },
		{ "{\"area.size\": 2147483648}", "{\"image-size\": \"kernel\"}", false, 0 },
		{ "{}", "{\"image-size\": \"minimal\"}", true, 0 },
		{ "{\"kernel.image_size\": 0}", "{\"image-size\": \"minimal\"}", false, 0 },
		{ "{\"kernel.image_size\": null, \"area.size\": 2147483648}", NULL, false, 0 },
		{ "{\"area.size\": {\"unknown\": \"no right to look\"}}", NULL, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hibernation_plan plan;
		struct machine machine;
		struct error err;

		machine_make(&machine, rows[i].set, rows[i].settings);
		assert_int_equal(hibernation_plan(&plan, &machine.facts, &machine.config, &err), 0);
		if (plan.set_image_size != rows[i].changes || plan.image_size != rows[i].size)
			fail_msg("row %zu: %d, %llu", i, plan.set_image_size,
				(unsigned long long)plan.image_size);
		if (plan.set_image_size)
			assert_int_equal(
				plan.image_size_before, machine.facts.kernel.image_size.value);
		hibernation_plan_free(&plan);
		machine_free(&machine);
	}
}

static void image_that_fits_needs_no_more_than_there_is(void **state UNUSED)
{
	static const uint64_t sizes[] = { 0, 1, 4194303, 4194304, 4194339, 1u << 30,
		(uint64_t)150 << 30, UINT64_MAX / 64 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t fits = image_fits(sizes[i]);

		if (fits)
			assert_true(image_needs(fits) <= sizes[i]);
		assert_true(image_needs(sizes[i]) > sizes[i]);
	}
}

/* Off again after it, also where it was on already; for good where nothing else is asked for. */
static void area_for_a_hibernation_only_goes_off_after_it(void **state UNUSED)
{
	static const struct {
		const char *set, *off_after;
	} rows[] = {
		{ "{}", NULL },
		{ "{\"area.swap_on\": \"hibernation\"}", "/swap" },
		{ "{\"area.swap_on\": \"hibernation\", \"area.active\": false, \"swaps\": []}",
			"/swap" },
		/* facts of an older version */
		{ "{\"area.swap_on\": {\"unknown\": \"not asked\"}}", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hibernation_plan plan;
		struct machine machine;
		struct error err;

		machine_make(&machine, rows[i].set, NULL);
		assert_int_equal(hibernation_plan(&plan, &machine.facts, &machine.config, &err), 0);
		assert_true(text_equal(plan.off_after, rows[i].off_after));
		hibernation_plan_free(&plan);
		machine_free(&machine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(obstacles_are_what_hibernate_does_not_mend),
		cmocka_unit_test(area_for_a_hibernation_only_goes_off_after_it),
		cmocka_unit_test(method_is_systemd_only_for_its_scripts_or_when_asked),
		cmocka_unit_test(other_swaps_go_off_where_they_must),
		cmocka_unit_test(swap_that_does_not_fit_into_memory_is_not_switched_off),
		cmocka_unit_test(image_is_made_smaller_only_where_it_has_to_be),
		cmocka_unit_test(image_that_fits_needs_no_more_than_there_is),
	};

	return cmocka_run_group_tests_name("hibernation", tests, fixtures_read, fixtures_free);
}
