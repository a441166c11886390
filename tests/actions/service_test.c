/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services of a running machine, logind's drop-in, and taking over from older agents. The machine
 * is a folder that a child makes its root; no program runs: what would be run is written to /log
 * (ld(1), --wrap), with what the files say at that moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/actions/service.h"
#include "core/actions/take_over.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/agents.h"
#include "core/facts/sleep_answers.h"
#include "tests/lib/kill.h"
#include "tests/lib/skip.h"
#include "tests/lib/test_root.h"

#define STATE "/var/lib/ec2hib"
#define EVENT "event=button/sleep.*\naction=/bin/true\n"

/* Only tests that clean up run programs. */
static bool programs_run;
/* The program that fails: a part of its command line. */
static const char *failing;

int __real_process_execute(const struct process *process, char **output, struct error *err);
int __wrap_process_execute(const struct process *process, char **output, struct error *err);

static bool says(const struct root *root, const char *path, const char *what)
{
	memory_cleanup_free char *text = NULL;
	struct error err;

	return root_read(root, path, FILE_LIMIT, &text, NULL, &err) == 0 && strstr(text, what);
}

int __wrap_process_execute(const struct process *process, char **output, struct error *err)
{
	memory_cleanup_free char *line = text_copy("");
	int fd;

	if (programs_run)
		return __real_process_execute(process, output, err);
	for (size_t i = 0; process->arguments[i]; i++)
		text_append(&line, "%s%s", i ? " " : "", process->arguments[i]);
	text_append(&line, "%s%s\n",
		says(process->root, LOGIND_DROP_IN, LOGIND_UNFINISHED) ? " (drop-in open)" : "",
		says(process->root, STATE "/" TAKEN_OVER_NAME, TAKEN_OVER_UNFINISHED)
			? " (record open)"
			: "");
	fd = open("/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		_exit(3);
	close(fd);
	return failing && strstr(line, failing) ? error_set(err, EIO, "it failed") : 0;
}

/* ---- A machine ------------------------------------------------------------------------------- */

struct machine {
	const struct test_root *test;
	bool systemd;
	int (*work)(const struct services *services, const struct facts *facts, struct error *err);
};

/* What of the system's facts these actions look at. */
static void gather(struct facts *facts, const struct root *root, bool systemd)
{
	fact_set_text(&facts->system.init, systemd ? "systemd" : "other");
	agents_gather(&facts->system, root, STATE);
	sleep_answers_gather(&facts->system, root);
}

/* In a child: the folder becomes the machine. */
static int work_inside(void *data)
{
	const struct machine *machine = data;
	struct facts facts = { 0 };
	struct root root;
	struct services services;
	struct error err = { "" };
	int status;

	if (chroot(machine->test->path) < 0 || chdir("/") < 0 || root_open(&root, "/", &err) < 0 ||
		!root.live)
		_exit(2);
	programs_run = false;
	gather(&facts, &root, machine->systemd);
	services = services_of(&root, &facts);
	status = machine->work(&services, &facts, &err);
	facts_free(&facts);
	root_close(&root);
	return status;
}

/* True when it succeeded. */
static bool inside(struct machine *machine)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(work_inside(machine) < 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return WEXITSTATUS(status) == 0;
}

/* What programs were asked since the last time; the caller frees it. */
static char *take_log(struct test_root *test)
{
	char *text = NULL;
	struct error err;

	if (root_read(&test->root, "/log", FILE_LIMIT, &text, NULL, &err) < 0)
		return text_copy("");
	root_remove(&test->root, "/log", &err);
	return text;
}

static void assert_log(struct test_root *test, const char *expected)
{
	memory_cleanup_free char *log = take_log(test);

	assert_string_equal(log, expected);
}

/* A process that is always there: our parent while the child works. */
static void make_agent(struct test_root *test, const char *name, bool enabled, bool running)
{
	memory_cleanup_free char *unit = text_format("/usr/lib/systemd/system/%s.service", name);
	memory_cleanup_free char *link =
		text_format("/etc/systemd/system/multi-user.target.wants/%s.service", name);
	memory_cleanup_free char *pid = text_format("/run/%s.pid", name);

	test_root_put(test, unit, "[Service]\n");
	if (enabled)
		test_root_link(test, link, unit);
	if (running)
		test_root_put(test, pid, "7\n");
	test_root_put(test, "/proc/7/comm", "somebody\n");
}

/* ---- Services -------------------------------------------------------------------------------- */

static int all_verbs(
	const struct services *services, const struct facts *facts UNUSED, struct error *err)
{
	service_enable(services, "x", err);
	service_start(services, "x", err);
	service_restart(services, "x", err);
	service_stop(services, "x", err);
	service_disable(services, "x", err);
	return service_forget(services, "x", err);
}

static void services_are_asked_as_they_expect(void **state)
{
	struct test_root *test = *state;
	struct machine machine = { test, true, all_verbs };

	assert_true(inside(&machine));
	assert_log(test, "systemctl enable x.service\nsystemctl start x.service\n"
			 "systemctl try-restart x.service\nsystemctl stop x.service\n"
			 "systemctl disable x.service\nsystemctl disable x.service\n");
	machine.systemd = false;
	assert_false(inside(&machine));
	assert_log(test, "/etc/init.d/x start\n/etc/init.d/x restart\n/etc/init.d/x stop\n");
}

/* ---- logind ---------------------------------------------------------------------------------- */

static void logind_reads_the_drop_in_before_it_is_done(void **state)
{
	struct test_root *test = *state;
	struct machine machine = { test, true, sleep_key_take };

	make_agent(test, AGENT_LOGIND, true, true);
	failing = "kill";
	assert_false(inside(&machine));
	failing = NULL;
	assert_true(says(&test->root, LOGIND_DROP_IN, LOGIND_UNFINISHED));
	free(take_log(test));
	assert_true(inside(&machine));
	assert_log(test, "systemctl kill --kill-who=main --signal=HUP "
			 "systemd-logind.service (drop-in open)\n");
	assert_false(says(&test->root, LOGIND_DROP_IN, LOGIND_UNFINISHED));
	assert_true(says(&test->root, LOGIND_DROP_IN, "\nHandleSuspendKey=ignore\n"));
	machine.work = sleep_key_restore;
	assert_true(inside(&machine));
	assert_log(test, "systemctl kill --kill-who=main --signal=HUP systemd-logind.service\n");
	assert_false(root_exists(&test->root, "/etc/systemd/logind.conf.d"));
}

static void logind_that_does_not_run_is_not_told(void **state)
{
	struct test_root *test = *state;
	struct machine machine = { test, true, sleep_key_take };

	make_agent(test, AGENT_LOGIND, true, false);
	assert_true(inside(&machine));
	assert_log(test, "");
}

/* What counts is the name, whatever the folder; /etc hides the rest. */
static void drop_ins_of_logind_count_by_their_names(void **state)
{
	struct test_root *test = *state;
	struct facts facts = { 0 };

	make_agent(test, AGENT_LOGIND, true, false);
	test_root_put(test, "/usr/lib/systemd/logind.conf", "[Login]\nHandleSuspendKey=lock\n");
	test_root_put(test, "/etc/systemd/logind.conf.d/10-a.conf",
		"[Login]\nHandleSuspendKey=hibernate\n");
	test_root_put(test, "/usr/lib/systemd/logind.conf.d/20-b.conf",
		"[Login]\nHandleSuspendKey=poweroff\n");
	gather(&facts, &test->root, true);
	assert_true(fact_text_is(&facts.system.logind_sleep_key, "poweroff"));
	assert_int_equal(facts.system.logind_drop_in.is, FACT_ABSENT);
	facts_free(&facts);
	facts = (struct facts) { 0 };
	test_root_put(test, "/etc/systemd/logind.conf.d/20-b.conf", "[Login]\n");
	gather(&facts, &test->root, true);
	assert_true(fact_text_is(&facts.system.logind_sleep_key, "hibernate"));
	facts_free(&facts);
}

/* ---- Older agents ---------------------------------------------------------------------------- */

static int take(const struct services *services, const struct facts *facts, struct error *err)
{
	return take_over(services, facts, STATE, err);
}

static int give(const struct services *services, const struct facts *facts, struct error *err)
{
	static const struct reporter reporter = { .log = NULL };

	return take_over_restore(services, facts, STATE, &reporter, err);
}

static void make_older_agents(struct test_root *test)
{
	make_agent(test, AGENT_SPOT, false, true);
	make_agent(test, AGENT_ON_DEMAND, true, false);
	make_agent(test, AGENT_ACPID, true, true);
	test_root_put(test, "/etc/acpi/events/sleepconf", EVENT);
	test_root_put(test, "/etc/acpi/events/arm", "event=button/sleep LNXSLPBN\n");
	test_root_put(test, "/etc/acpi/events/power", "# sleep\nevent=button/power\n");
	test_root_put(test, "/etc/acpi/events/old.rpmsave", EVENT);
}

static void take_over_switches_off_what_is_on(void **state)
{
	struct test_root *test = *state;
	struct machine machine = { test, true, take };
	struct taken_over_record record;
	struct error err;

	make_older_agents(test);
	assert_true(inside(&machine));
	assert_log(test, "systemctl stop hibagent.service (record open)\n"
			 "systemctl disable hibinit-agent.service (record open)\n"
			 "systemctl try-restart acpid.service (record open)\n");
	assert_true(root_exists(&test->root, "/etc/acpi/events/.sleepconf.ec2hib"));
	assert_false(root_exists(&test->root, "/etc/acpi/events/sleepconf"));
	assert_true(root_exists(&test->root, "/etc/acpi/events/power"));
	assert_true(root_exists(&test->root, "/etc/acpi/events/old.rpmsave"));
	assert_int_equal(taken_over_read(&record, &test->root, STATE, &err), 0);
	assert_int_equal(record.count, 4);
	assert_true(record.items[0].running && !record.items[0].enabled);
	assert_true(record.items[1].enabled && !record.items[1].running);
	assert_false(record.unfinished);
	taken_over_free(&record);

	machine.work = give;
	assert_true(inside(&machine));
	assert_log(test, "systemctl try-restart acpid.service\n"
			 "systemctl start hibagent.service\n"
			 "systemctl enable hibinit-agent.service\n");
	assert_true(says(&test->root, "/etc/acpi/events/sleepconf", EVENT));
	assert_true(root_exists(&test->root, "/etc/acpi/events/arm"));
	assert_false(root_exists(&test->root, STATE "/" TAKEN_OVER_NAME));
	assert_true(inside(&machine));
	assert_log(test, "");
}

static void what_was_made_anew_is_kept(void **state)
{
	struct test_root *test = *state;
	struct machine machine = { test, true, take };

	make_older_agents(test);
	assert_true(inside(&machine));
	test_root_put(test, "/etc/acpi/events/sleepconf", "event=button/sleep\n");
	machine.work = give;
	assert_true(inside(&machine));
	assert_false(says(&test->root, "/etc/acpi/events/sleepconf", EVENT));
	assert_true(root_exists(&test->root, "/etc/acpi/events/.sleepconf.ec2hib"));
}

static void record_names_nothing_but_what_we_switch_off(void **state)
{
	struct test_root *test = *state;
	struct taken_over_record record;
	struct error err;

	test_root_put(test, STATE "/" TAKEN_OVER_NAME,
		"service sshd enabled running\nacpid ../../passwd\nacpid\nservice\n\n"
		"what hibagent\nacpid a.b\nservice hibagent enabled\n");
	assert_int_equal(taken_over_read(&record, &test->root, STATE, &err), 0);
	assert_int_equal(record.count, 1);
	assert_string_equal(record.items[0].name, AGENT_SPOT);
	assert_true(record.items[0].enabled && !record.items[0].running);
	taken_over_free(&record);
}

/* ---- Killed ---------------------------------------------------------------------------------- */

/*
 * Files (an empty folder may stay behind after a kill), and whether logind and acpid have read what
 * there is.
 */
static char *look(struct test_root *test)
{
	static const char *const folders[] = { "/etc/acpi/events", "/etc/systemd/logind.conf.d",
		STATE };
	strings_cleanup struct strings all = { 0 };
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		strings_cleanup struct strings names = { 0 };

		root_list(&test->root, folders[i], &names, &err);
		strings_take(&all, strings_join(&names, " "));
	}
	strings_add(&all, says(&test->root, LOGIND_DROP_IN, LOGIND_UNFINISHED) ? "open" : "");
	strings_add(&all,
		says(&test->root, STATE "/" TAKEN_OVER_NAME, TAKEN_OVER_UNFINISHED) ? "open" : "");
	return strings_join(&all, " | ");
}

static int take_both(const struct services *services, const struct facts *facts, struct error *err)
{
	int status = take(services, facts, err);

	return status < 0 ? status : sleep_key_take(services, facts, err);
}

static int give_both(const struct services *services, const struct facts *facts, struct error *err)
{
	int status = sleep_key_restore(services, facts, err);

	return status < 0 ? status : give(services, facts, err);
}

/* Whatever was done before a kill, the run after it ends as one that nobody disturbed. */
static void killed_at_any_step_it_is_completed(void **state)
{
	struct test_root *test = *state;
	struct machine there = { test, true, take_both };
	struct machine back = { test, true, give_both };
	memory_cleanup_free char *start = NULL, *done = NULL;
	bool through = false;
	size_t step;

	make_older_agents(test);
	make_agent(test, AGENT_LOGIND, true, true);
	test_root_put(test, STATE "/other", "");
	start = look(test);
	assert_true(inside(&there));
	done = look(test);
	assert_true(inside(&back));
	for (step = 1; !through; step++) {
		memory_cleanup_free char *now = NULL, *again = NULL, *end = NULL;

		through = run_up_to_step(work_inside, &there, step);
		if (step % 2)
			assert_true(inside(&there));
		now = step % 2 ? look(test) : text_copy(done);
		assert_string_equal(now, done);
		assert_true(inside(&back));
		again = look(test);
		assert_string_equal(again, start);
		assert_true(inside(&there));
		run_up_to_step(work_inside, &back, step);
		assert_true(inside(&back));
		end = look(test);
		assert_string_equal(end, start);
	}
	assert_true(step > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(services_are_asked_as_they_expect),
		WITH_TEST_ROOT(logind_reads_the_drop_in_before_it_is_done),
		WITH_TEST_ROOT(logind_that_does_not_run_is_not_told),
		WITH_TEST_ROOT(drop_ins_of_logind_count_by_their_names),
		WITH_TEST_ROOT(take_over_switches_off_what_is_on),
		WITH_TEST_ROOT(what_was_made_anew_is_kept),
		WITH_TEST_ROOT(record_names_nothing_but_what_we_switch_off),
		WITH_TEST_ROOT(killed_at_any_step_it_is_completed),
	};

	if (geteuid() != 0)
		return skip_all("only root can make a folder its root");
	programs_run = true;
	return cmocka_run_group_tests_name("services", tests, NULL, NULL);
}
