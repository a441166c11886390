/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which steps setup and teardown plan, from the facts of a machine that is ready and what changes.
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
#include "core/rules/plan.h"
#include "tests/rules/checks_fixture.h"

struct row {
	const char *set; /* JSON: path and value of what differs from ready.json */
	int status;
	const char *says; /* the ids of the steps, or a part of the error */
};

typedef int planner(struct plan *plan, const struct facts *facts, struct error *err);

static int plan_request(struct plan *plan, const struct facts *facts,
	const struct setup_request *request, struct error *err)
{
	struct config config;
	int status;

	config_init(&config);
	status = setup_plan(plan, facts, &config, request, err);
	config_free(&config);
	return status;
}

static int plan_setup(struct plan *plan, const struct facts *facts, struct error *err)
{
	const struct setup_request request = { .size = NULL };

	return plan_request(plan, facts, &request, err);
}

static int plan_service(struct plan *plan, const struct facts *facts, struct error *err)
{
	const struct setup_request request = { .service = true };

	return plan_request(plan, facts, &request, err);
}

static int plan_take_over(struct plan *plan, const struct facts *facts, struct error *err)
{
	const struct setup_request request = { .service = true, .take_over = true };

	return plan_request(plan, facts, &request, err);
}

static char *ids_of(const struct plan *plan)
{
	strings_cleanup struct strings ids = { 0 };

	for (size_t i = 0; i < plan->count; i++)
		strings_add(&ids, plan->steps[i].id);
	return strings_join(&ids, " ");
}

static void try_row(planner *make, const struct row *row)
{
	json_t *changes = json_loads(row->set, 0, NULL), *json;
	memory_cleanup_free char *ids = NULL;
	struct facts facts;
	struct plan plan;
	struct error err = { "" };

	assert_non_null(changes);
	json = facts_changed(changes);
	facts_read(&facts, json);
	assert_int_equal(make(&plan, &facts, &err), row->status);
	ids = ids_of(&plan);
	if (row->status == 0)
		assert_string_equal(ids, row->says);
	else if (!strstr(err.text, row->says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, row->says);
	plan_free(&plan);
	facts_free(&facts);
	json_decref(json);
	json_decref(changes);
}

static void try_rows(planner *make, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		try_row(make, &rows[i]);
}

static void setup_plans_what_is_missing(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{}", 0, "" },
		{ "{\"area.signature\": \"image\"}", 0, "clean-image" },
		{ "{\"area.signature\": \"none\"}", 0, "format-swap" },
		{ "{\"area.unfinished\": 4096}", 0, "sweep-swap" },
		{ "{\"area.mode\": 420}", 0, "protect-swap" },
		{ "{\"area.active\": false}", 0, "swap-on" },
		{ "{\"kernel.resume_offset\": 7}", 0, "kernel-resume" },
		/* Before 4.17 the command line is all that tells. */
		{ "{\"kernel.resume_offset\": null}", 0, "" },
		{ "{\"kernel.resume_offset\": null, \"kernel.command_line\": \"quiet\"}", 0,
			"kernel-resume" },
		{ "{\"kernel.freeze_timeout\": 10000}", 0,
			"freeze-timeout freeze-timeout-at-boot" },
		{ "{\"memory.total\": 34359738368, \"area.size\": 34359738368, \"area.header_size\": 34359738368}",
			0, "freeze-timeout freeze-timeout-at-boot" },
		/* Kept for the memory that there was before. */
		{ "{\"memory.total\": 34359738368, \"area.size\": 34359738368, \"area.header_size\": 34359738368,"
		  "\"kernel.freeze_timeout\": 40000, \"boot.freeze_timeout_kept\": true}",
			0, "freeze-timeout freeze-timeout-at-boot" },
		{ "{\"memory.total\": 34359738368, \"area.size\": 34359738368, \"area.header_size\": 34359738368,"
		  "\"kernel.freeze_timeout\": 60000, \"boot.freeze_timeout_kept\": true}",
			0, "" },
		/* It is never lowered. */
		{ "{\"memory.total\": 34359738368, \"area.size\": 34359738368, \"area.header_size\": 34359738368,"
		  "\"kernel.freeze_timeout\": 600000, \"boot.freeze_timeout_kept\": true}",
			0, "" },
	};

	try_rows(plan_setup, rows, ARRAY_SIZE(rows));
}

/* By one way: not by fstab where something else does it, nor where a line is there already. */
static void setup_sees_to_the_next_ordinary_boot(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{\"boot.fstab_entry\": false}", 0, "swap-at-boot" },
		{ "{\"boot.fstab_entry\": false, \"boot.fstab_noauto\": true}", 0, "swap-at-boot" },
		{ "{\"boot.fstab_entry\": false, \"boot.swap_unit\": \"swap.swap\"}", 0, "" },
		{ "{\"boot.fstab_entry\": {\"unknown\": \"line 3\"}}", 0, "" },
		{ "{\"boot.swap_mask\": \"swap.target\"}", 0, "" },
	};

	try_rows(plan_setup, rows, ARRAY_SIZE(rows));
}

/* Before the first step: the plan is empty, not cut short. */
static void setup_refuses_storage_that_loses_the_image(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{\"area.devices.1.medium\": \"instance-store\"}", -EMEDIUMTYPE,
			"/swap is on nvme0n1, which is instance store" },
		{ "{\"area.kind\": null, \"area.devices.1.medium\": \"instance-store\"}",
			-EMEDIUMTYPE, "/swap is on nvme0n1, which is instance store" },
		{ "{\"area.devices.0.random_key\": true}", -EMEDIUMTYPE, "new at every boot" },
		{ "{\"area.devices.0.kind\": \"thin-pool\"}", -EMEDIUMTYPE, "thin pool" },
		{ "{\"area.kind\": null, \"area.devices\": null, \"area.filesystem\": \"overlay\"}",
			-EMEDIUMTYPE, "/ is overlay, which cannot hold a swap file" },
		{ "{\"area.kind\": null, \"area.filesystem_read_only\": true}", -EMEDIUMTYPE,
			"mounted read-only" },
	};

	try_rows(plan_setup, rows, ARRAY_SIZE(rows));
}

static int plan_prewarm_yes(struct plan *plan, const struct facts *facts, struct error *err)
{
	return plan_request(
		plan, facts, &(struct setup_request) { .prewarm = SETUP_PREWARM_YES }, err);
}

static int plan_prewarm_no(struct plan *plan, const struct facts *facts, struct error *err)
{
	return plan_request(
		plan, facts, &(struct setup_request) { .prewarm = SETUP_PREWARM_NO }, err);
}

#define COLD	 "\"area.prewarmed\": \"never\""
#define PARTLY	 "\"area.prewarmed\": \"partly\""
#define WARMING	 "\"area.prewarmed\": \"running\""
#define UNKNOWN	 "\"area.prewarmed\": {\"unknown\": \"lost\"}"
#define ON_OTHER "\"area.devices.1.medium\": \"other\""

static void cold_area_on_ebs_is_warmed_last(void **state UNUSED)
{
	static const struct row automatic[] = {
		{ "{\"area.active\": false}", 0, "swap-on" },
		{ "{" COLD ", \"area.active\": false}", 0, "swap-on prewarm" },
		/*
		 * Ended between setup and pre-warm; started from the image of a finished instance.
		 */
		{ "{" COLD "}", 0, "prewarm" },
		{ "{" PARTLY "}", 0, "prewarm" },
		{ "{" WARMING "}", 0, "" },
		{ "{" COLD ", " ON_OTHER "}", 0, "" },
		{ "{" COLD ", \"live\": false}", 0, "" },
		{ "{" UNKNOWN "}", 0, "" },
		{ "{" UNKNOWN ", \"area.active\": false}", 0, "swap-on prewarm" },
		{ "{" UNKNOWN ", \"area.signature\": \"none\"}", 0, "format-swap prewarm" },
		{ "{\"area.mode\": 420}", 0, "protect-swap" },
	};
	static const struct row yes[] = {
		{ "{}", 0, "" },
		{ "{" COLD "}", 0, "prewarm" },
		{ "{" WARMING "}", 0, "prewarm" },
		{ "{" COLD ", " ON_OTHER "}", 0, "prewarm" },
		{ "{" COLD ", \"live\": false}", 0, "" },
	};
	static const struct row no[] = {
		{ "{" COLD ", \"area.active\": false}", 0, "swap-on" },
	};

	try_rows(plan_setup, automatic, ARRAY_SIZE(automatic));
	try_rows(plan_prewarm_yes, yes, ARRAY_SIZE(yes));
	try_rows(plan_prewarm_no, no, ARRAY_SIZE(no));
}

/*
 * Agents of ready.json: logind runs, acpid, hibagent, hibinit-agent and ec2hib (4) are not there.
 */
#define THERE	 "\"system.agents.4.installed\": true"
#define ENABLED	 THERE ", \"system.agents.4.enabled\": true"
#define RUNNING	 ENABLED ", \"system.agents.4.running\": true"
#define KEY_OURS "\"system.logind_drop_in\": \"done\", \"system.logind_sleep_key\": \"ignore\""
#define OLD_ONES                                                                                   \
	"\"system.agents.2.installed\": true, \"system.agents.2.running\": true,"                  \
	"\"system.agents.3.installed\": true, \"system.agents.3.enabled\": true,"                  \
	"\"system.agents.1.installed\": true, \"system.acpid_events\": \"sleepconf\""

static void setup_starts_the_agent_last(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{}", 0, "" }, /* not installed */
		{ "{" THERE "}", 0, "service sleep-key" },
		{ "{" THERE ", " COLD ", \"area.active\": false}", 0,
			"swap-on service sleep-key prewarm" },
		{ "{" ENABLED ", " KEY_OURS "}", 0, "service" },
		{ "{" RUNNING ", " KEY_OURS "}", 0, "" },
		{ "{" RUNNING "}", 0, "sleep-key" },
		/* A run that was killed before logind knew. */
		{ "{" RUNNING ", \"system.logind_drop_in\": \"unfinished\"}", 0, "sleep-key" },
		/* Somebody's own file comes behind ours: a note, and no step that never ends. */
		{ "{" RUNNING ", \"system.logind_drop_in\": \"done\"}", 0, "" },
		{ "{" RUNNING ", \"system.agents.0.installed\": false}", 0, "" },
		{ "{" THERE ", \"system.agents\": {\"unknown\": \"lost\"}}", 0, "" },
		/* Without --take-over only a note. */
		{ "{" RUNNING ", " KEY_OURS ", " OLD_ONES "}", 0, "" },
		/* But what was begun is completed. */
		{ "{" RUNNING ", " KEY_OURS ", \"system.take_over_unfinished\": true}", 0,
			"take-over" },
	};

	try_rows(plan_service, rows, ARRAY_SIZE(rows));
	try_row(plan_setup, &(struct row) { "{" THERE "}", 0, "" });
}

static void take_over_comes_when_the_agent_runs(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{" RUNNING ", " KEY_OURS "}", 0, "" },
		{ "{" THERE ", " OLD_ONES "}", 0, "service take-over sleep-key" },
		{ "{" RUNNING ", " KEY_OURS ", " OLD_ONES "}", 0, "take-over" },
		{ "{" RUNNING ", " KEY_OURS
		  ", \"system.agents.1.installed\": true, \"system.acpid_events\": \"a b\"}",
			0, "take-over" },
		/* Files of an acpid that is not there answer nothing. */
		{ "{" RUNNING ", " KEY_OURS ", \"system.acpid_events\": \"a\"}", 0, "" },
		/* Nobody who could take over. */
		{ "{" OLD_ONES "}", 0, "" },
	};

	try_rows(plan_take_over, rows, ARRAY_SIZE(rows));
}

/* The first note of a plan says what is left out. */
static void try_note(planner *make, const char *set, const char *says)
{
	json_t *changes = json_loads(set, 0, NULL), *json = facts_changed(changes);
	struct facts facts;
	struct plan plan;
	struct error err = { "" };

	facts_read(&facts, json);
	assert_int_equal(make(&plan, &facts, &err), 0);
	assert_true(plan.notes.count > 0);
	assert_string_equal(plan.notes.items[0], says);
	plan_free(&plan);
	facts_free(&facts);
	json_decref(json);
	json_decref(changes);
}

static void setup_says_what_it_leaves_to_others(void **state UNUSED)
{
	try_note(plan_service, "{}",
		"the service ec2hib is not installed, or is masked: nothing of ec2hib "
		"will wait for EC2's notice");
	try_note(plan_service, "{" RUNNING ", " KEY_OURS ", " OLD_ONES "}",
		"hibagent, hibinit-agent, acpid (/etc/acpi/events: sleepconf) would "
		"answer EC2 as well: ec2hib setup --take-over switches that off");
	try_note(plan_service, "{" RUNNING ", \"system.logind_drop_in\": \"done\"}",
		"logind would answer the sleep button as well: a file that it reads after "
		"/etc/systemd/logind.conf.d/ec2hib.conf has HandleSuspendKey=hibernate; "
		"take that out");
}

static void setup_keeps_off_what_may_be_needed(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{\"area.signature\": \"other\"}", -EEXIST,
			"cannot use /swap as swap: it is a file with something else in it" },
		{ "{\"area.signature\": {\"unknown\": \"an I/O error\"}}", -ENODATA,
			"what it holds is not known: an I/O error" },
		{ "{\"area.signature\": \"image\", \"live\": false}", -EBUSY,
			"/swap holds a hibernation image" },
		{ "{\"area.untrusted_folder\": \"/ belongs to uid 7, not to root\"}", -EPERM,
			"cannot use /swap: / belongs to uid 7" },
		{ "{\"area.kind\": null, \"area.untrusted_folder\": \"/ is a link\"}", -EPERM,
			"cannot create /swap: / is a link" },
		{ "{\"area.kind\": \"device\", \"area.signature\": \"none\","
		  "\"area.devices.0.holds\": \"ext4\"}",
			-EEXIST, "it holds ext4; if nothing on it is needed" },
		{ "{\"area.kind\": \"device\", \"area.signature\": \"other\","
		  "\"area.devices.0.holds\": null}",
			-EEXIST, "it holds something that is not swap" },
	};

	try_rows(plan_setup, rows, ARRAY_SIZE(rows));
}

/* The boot arguments and the swap file are ours, or nothing is. */
#define REST                                                                                       \
	"\"boot.our_initramfs\": false, \"boot.our_fstab_entry\": false,"                          \
	"\"boot.freeze_timeout_kept\": false"
#define OURS	"\"area.header_label\": \"ec2hib\", \"boot.our_arguments\": true," REST
#define FOREIGN "\"area.header_label\": \"data\", \"boot.our_arguments\": false," REST

static void teardown_plans_what_is_ours(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{" FOREIGN "}", 0, "" },
		{ "{" FOREIGN ", \"area.signature\": \"image\"}", 0, "" },
		{ "{" OURS "}", 0, "undo-boot-arguments undo-kernel-resume undo-swap" },
		{ "{" FOREIGN ", \"area.unfinished\": 4096}", 0, "sweep-swap" },
		{ "{" FOREIGN ", " THERE ", \"system.agents.3.enabled\": true}", 0, "" },
		{ "{" FOREIGN ", " ENABLED "}", 0, "undo-service" },
		{ "{" FOREIGN ", " RUNNING ", \"system.agents.4.enabled\": false}", 0,
			"undo-service" },
		{ "{" FOREIGN ", \"system.logind_drop_in\": \"unfinished\"}", 0, "undo-sleep-key" },
		{ "{" FOREIGN ", \"system.taken_over\": \"hibagent\"}", 0, "undo-take-over" },
		{ "{" OURS ", " RUNNING ", " KEY_OURS ", \"system.taken_over\": \"hibagent\"}", 0,
			"undo-service undo-sleep-key undo-boot-arguments undo-kernel-resume "
			"undo-swap undo-take-over" },
		/* The blocks of a removed file keep the image. */
		{ "{" OURS ", \"area.signature\": \"image\"}", 0,
			"clean-image undo-boot-arguments undo-kernel-resume undo-swap" },
		/* Cannot be told: the step finds out, before the swap file goes. */
		{ "{" OURS ", \"boot.our_arguments\": {\"unknown\": \"damaged\"}}", 0,
			"undo-boot-arguments undo-kernel-resume undo-swap" },
	};

	try_rows(teardown_plan, rows, ARRAY_SIZE(rows));
}

/* Nothing goes where the last step would fail. */
static void teardown_refuses_while_swap_is_needed(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{" OURS ", \"area.used\": 2147483648, \"memory.available\": 1073741824}", -EBUSY,
			"cannot switch off /swap: it holds 2.0 GiB and only 1.0 GiB of "
			"memory is free" },
		{ "{" OURS ", \"area.used\": 1073741824, \"memory.available\": 2147483648}", 0,
			"undo-boot-arguments undo-kernel-resume undo-swap" },
		{ "{" FOREIGN ", \"area.used\": 2147483648, \"memory.available\": 1073741824}", 0,
			"" },
		/* Where others could lead it to another file. */
		{ "{" OURS
		  ", \"area.untrusted_folder\": \"/home/a belongs to uid 7, not to root\"}",
			-EPERM,
			"cannot remove /swap: others could exchange it: /home/a belongs to uid 7" },
		{ "{" FOREIGN
		  ", \"area.untrusted_folder\": \"/home/a belongs to uid 7, not to root\"}",
			0, "" },
	};

	try_rows(teardown_plan, rows, ARRAY_SIZE(rows));
}

static void teardown_leaves_a_hibernated_machine_alone(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{" OURS ", \"area.signature\": \"image\", \"live\": false}", -EBUSY,
			"/swap holds a hibernation image" },
		{ "{" FOREIGN ", \"area.signature\": \"image\", \"live\": false}", 0, "" },
	};

	try_rows(teardown_plan, rows, ARRAY_SIZE(rows));
}

static int plan_forced(struct plan *plan, const struct facts *facts, struct error *err)
{
	const struct setup_request request = { .force = true };
	int status = plan_request(plan, facts, &request, err);

	assert_true(status < 0 || plan->gate.count > 0);
	return status;
}

#define USELESS "this machine would not hibernate"

static void setup_stops_where_it_is_of_no_use(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{\"instance.hibernation_configured\": false}", -ENOTSUP, USELESS },
		{ "{\"instance.hibernation_configured\": null}", -ENOTSUP, USELESS },
		{ "{\"instance.type\": \"m5.metal\"}", -ENOTSUP, USELESS },
		{ "{\"instance.type\": \"r6i.large\"}", -ENOTSUP, USELESS },
		{ "{\"memory.total\": 171798691840}", -ENOTSUP, USELESS },
		{ "{\"kernel.power_state\": \"freeze mem\"}", -ENOTSUP, USELESS },
		{ "{\"kernel.power_state\": null}", -ENOTSUP, USELESS },
		{ "{\"kernel.power_disk\": \"[disabled]\"}", -ENOTSUP, USELESS },
		{ "{\"kernel.lockdown\": \"integrity\"}", -ENOTSUP, USELESS },
		{ "{\"kernel.command_line\": \"quiet nohibernate\"}", -ENOTSUP, USELESS },
		{ "{\"root.medium\": \"instance-store\"}", -ENOTSUP, USELESS },
	};
	static const struct row forced[] = {
		{ "{\"instance.hibernation_configured\": false, \"area.active\": false}", 0,
			"swap-on" },
		{ "{\"kernel.power_disk\": \"[disabled]\", \"area.mode\": 420}", 0,
			"protect-swap" },
	};

	try_rows(plan_setup, rows, ARRAY_SIZE(rows));
	try_rows(plan_forced, forced, ARRAY_SIZE(forced));
}

static void setup_goes_on_where_nobody_can_tell(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{\"instance.hibernation_configured\": {\"unknown\": \"no answer\"}}", 0, "" },
		{ "{\"instance.type\": {\"unknown\": \"no answer\"}}", 0, "" },
		{ "{\"instance.type\": \"m99.large\"}", 0, "" },
		{ "{\"kernel.power_state\": {\"unknown\": \"no permission\"}}", 0, "" },
		/* A Spot request may have asked for it. */
		{ "{\"instance.hibernation_configured\": false, \"instance.life_cycle\": \"spot\"}",
			0, "" },
		/* Elsewhere EC2's limits do not count. */
		{ "{\"system.vendor\": \"QEMU\", \"instance.id\": {\"unknown\": \"no answer\"},"
		  "\"instance.hibernation_configured\": {\"unknown\": \"no answer\"}}",
			0, "" },
		/* An image: what the running machine would fail is not the image's. */
		{ "{\"live\": false, \"instance.hibernation_configured\": false,"
		  "\"kernel.power_state\": \"freeze\"}",
			0, "" },
	};

	try_rows(plan_setup, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setup_plans_what_is_missing),
		cmocka_unit_test(setup_sees_to_the_next_ordinary_boot),
		cmocka_unit_test(setup_refuses_storage_that_loses_the_image),
		cmocka_unit_test(setup_starts_the_agent_last),
		cmocka_unit_test(take_over_comes_when_the_agent_runs),
		cmocka_unit_test(setup_says_what_it_leaves_to_others),
		cmocka_unit_test(cold_area_on_ebs_is_warmed_last),
		cmocka_unit_test(setup_keeps_off_what_may_be_needed),
		cmocka_unit_test(setup_stops_where_it_is_of_no_use),
		cmocka_unit_test(setup_goes_on_where_nobody_can_tell),
		cmocka_unit_test(teardown_plans_what_is_ours),
		cmocka_unit_test(teardown_refuses_while_swap_is_needed),
		cmocka_unit_test(teardown_leaves_a_hibernated_machine_alone),
	};

	return cmocka_run_group_tests_name("plan", tests, fixtures_read, fixtures_free);
}
