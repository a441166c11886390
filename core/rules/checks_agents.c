/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who acts when EC2 asks the instance to hibernate, and who gets in the way. */
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/agents.h"
#include "core/rules/checks_parts.h"

#define LIFE_CYCLE_SPOT "spot"

#define FIX_TAKE_OVER "ec2hib setup --take-over"

static bool agent_runs(const struct facts *facts, const char *name)
{
	const struct agent_facts *agent = agent_find(&facts->system, name);

	return agent && fact_is_true(&agent->running);
}

/* Our agent, as a service or by hand. */
static bool we_watch(const struct facts *facts)
{
	return agent_runs(facts, AGENT_OURS) || fact_is_true(&facts->system.watch_running);
}

/* What to do where our agent should run: setup, when its service is there; else OTHER. */
static const char *fix_watch(const struct facts *facts, const char *other)
{
	const struct agent_facts *ours = agent_find(&facts->system, AGENT_OURS);

	return ours && fact_is_true(&ours->installed) ? FIX_SETUP : other;
}

/* Facts that an older version saved do not tell which files acpid has. */
static bool acpid_answers(const struct facts *facts)
{
	const struct system_facts *system = &facts->system;

	return agent_runs(facts, AGENT_ACPID) &&
	       (system->acpid_events.is == FACT_KNOWN ||
		       (system->acpid_events.is == FACT_UNKNOWN &&
			       fact_is_true(&system->reads_sleep_key)));
}

static bool logind_answers(const struct facts *facts)
{
	const struct system_facts *system = &facts->system;

	return agent_runs(facts, AGENT_LOGIND) && system->logind_sleep_key.is != FACT_ABSENT &&
	       !fact_text_is(&system->logind_sleep_key, "ignore") &&
	       !fact_is_true(&system->sleep_key_inhibited);
}

/*
 * EC2 presses the sleep button of an instance whose hibernation was enabled at launch. logind
 * answers with HandleSuspendKey (logind.conf(5)), which is suspend unless somebody set it.
 */
CHECK_FUNCTION(sleep_key)
{
	const struct system_facts *system = &facts->system;
	const char *fix = fix_watch(
		facts, fact_text_is(&system->init, "systemd")
			       ? "set HandleSuspendKey=hibernate in /etc/systemd/logind.conf"
			       : "let acpid hibernate on button/sleep");
	struct finding finding;

	if (not_ec2(facts, &finding))
		return finding;
	if (fact_text_is(&facts->instance.life_cycle, LIFE_CYCLE_SPOT) &&
		facts->instance.hibernation_configured.is == FACT_KNOWN &&
		!facts->instance.hibernation_configured.value)
		return finding_skip(
			"a Spot instance without hibernation enabled at launch gets a notice, not a button");
	if (we_watch(facts))
		return finding_pass("ec2hib answers when EC2 presses the sleep button");
	if (finding_gap(&finding, NEED(facts->system.reads_sleep_key)))
		return finding;
	if (fact_text_is(&system->logind_sleep_key, "hibernate"))
		return finding_pass("logind hibernates when EC2 presses the sleep button");
	if (system->reads_sleep_key.value)
		return finding_pass("acpid answers when EC2 presses the sleep button");
	if (system->logind_sleep_key.is == FACT_KNOWN &&
		strcmp(system->logind_sleep_key.value, "ignore") != 0)
		return finding_warn(fix,
			"logind answers EC2's sleep button with %s, not with hibernate: EC2 would wait about 20 minutes and stop the instance by force",
			system->logind_sleep_key.value);
	return finding_warn(fix,
		"nothing answers EC2's sleep button: the instance would hang in stopping until EC2 stops it by force after about 20 minutes");
}

/* Who answers beside our agent. */
static struct finding double_with_us(const struct facts *facts)
{
	const struct fact_text *key = &facts->system.logind_sleep_key;
	struct finding finding;

	if (acpid_answers(facts))
		return finding_warn(FIX_TAKE_OVER,
			"ec2hib and acpid both answer the sleep button: the machine may sleep twice");
	if (!logind_answers(facts))
		return finding_pass("only ec2hib answers the sleep button");
	if (finding_gap(&finding, NEED(facts->system.logind_sleep_key)))
		return finding;
	return finding_warn(
		fix_watch(facts, "set HandleSuspendKey=ignore in /etc/systemd/logind.conf"),
		"ec2hib and logind (HandleSuspendKey=%s) both answer the sleep button: the machine may sleep twice",
		key->value);
}

CHECK_FUNCTION(sleep_key_double)
{
	const struct system_facts *system = &facts->system;
	struct finding finding;

	if (finding_gap(&finding, NEED(facts->system.agents)))
		return finding;
	if (we_watch(facts))
		return double_with_us(facts);
	if (finding_gap(&finding, NEED(facts->system.reads_sleep_key)))
		return finding;
	if (!acpid_answers(facts))
		return finding_pass("acpid does not answer the sleep button");
	if (system->logind_sleep_key.is == FACT_ABSENT || !agent_runs(facts, AGENT_LOGIND) ||
		fact_text_is(&system->logind_sleep_key, "ignore"))
		return finding_pass("only acpid answers the sleep button");
	if (fact_is_true(&system->sleep_key_inhibited))
		return finding_pass("only acpid answers the sleep button (logind is inhibited)");
	if (finding_gap(&finding, NEED(facts->system.logind_sleep_key)))
		return finding;
	return finding_warn("set HandleSuspendKey=ignore in /etc/systemd/logind.conf",
		"acpid and logind (HandleSuspendKey=%s) both answer the sleep button: the machine may sleep twice",
		system->logind_sleep_key.value);
}

/*
 * The Spot notice is in the metadata service: who does not look does not know. To an
 * instance whose hibernation was enabled at launch EC2 presses the button, Spot or not.
 */
CHECK_FUNCTION(spot_notice)
{
	struct finding finding;

	if (not_ec2(facts, &finding))
		return finding;
	if (facts->instance.life_cycle.is == FACT_KNOWN &&
		!fact_text_is(&facts->instance.life_cycle, LIFE_CYCLE_SPOT))
		return finding_skip("not a Spot instance");
	if (fact_is_true(&facts->instance.hibernation_configured))
		return finding_skip(
			"hibernation was enabled at launch: EC2 presses the sleep button of this Spot instance");
	if (finding_gap(&finding, NEED(facts->instance.life_cycle), NEED(facts->system.agents)))
		return finding;
	if (we_watch(facts))
		return finding_pass("ec2hib reads the Spot notice");
	if (agent_runs(facts, AGENT_SPOT))
		return finding_pass("hibagent reads the Spot notice");
	return finding_warn(fix_watch(facts, "run ec2hib watch, which reads it"),
		"nothing reads the Spot notice: EC2 would take the instance without its being hibernated");
}

static bool agent_is_active(const struct agent_facts *agent)
{
	return fact_is_true(&agent->enabled) || fact_is_true(&agent->running);
}

/* Setup switches them off where our own service can take their place. */
static char *fix_old_agents(const struct facts *facts, const struct strings *active)
{
	memory_cleanup_free char *names = strings_join(active, " ");

	if (strcmp(fix_watch(facts, ""), FIX_SETUP) == 0)
		return text_copy(FIX_TAKE_OVER);
	return text_format("systemctl disable --now %s", names);
}

CHECK_FUNCTION(old_agents)
{
	static const char *const names[] = { AGENT_ON_DEMAND, AGENT_SPOT };
	strings_cleanup struct strings active = { 0 }, idle = { 0 };
	memory_cleanup_free char *fix = NULL, *text = NULL;
	struct finding finding;

	if (finding_gap(&finding, NEED(facts->system.agents)))
		return finding;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct agent_facts *agent = agent_find(&facts->system, names[i]);

		if (agent && agent_is_active(agent))
			strings_add(&active, names[i]);
		else if (agent && fact_is_true(&agent->installed))
			strings_add(&idle, names[i]);
	}
	if (active.count) {
		fix = fix_old_agents(facts, &active);
		text = strings_join(&active, " and ");
		return finding_warn(fix,
			"%s %s active: swap file and boot arguments would be changed behind ec2hib's back",
			text, active.count == 1 ? "is" : "are");
	}
	if (idle.count) {
		text = strings_join(&idle, " and ");
		return finding_pass("%s %s installed, but neither enabled nor running", text,
			idle.count == 1 ? "is" : "are");
	}
	return finding_pass("no other hibernation agent is installed");
}

/* Packages hang things on systemd's own way to hibernate, which we do not go. */
CHECK_FUNCTION(sleep_scripts)
{
	const struct fact_text *names = &facts->system.sleep_script_names;
	struct finding finding;

	if (names->is == FACT_ABSENT)
		return finding_pass("no program in systemd's folder system-sleep");
	if (finding_gap(&finding, NEED(facts->system.init), NEED(facts->system.sleep_script_names)))
		return finding;
	if (!fact_text_is(&facts->system.init, "systemd"))
		return finding_skip("systemd is not the init");
	if (method_is_systemd(facts, config))
		return finding_pass(
			"systemd hibernates this machine, and runs %s of its folder system-sleep",
			names->value);
	return finding_warn("set method = auto in [hibernate] of the configuration",
		"method = direct: %s in systemd's folder system-sleep would not run around a hibernation",
		names->value);
}

/* ---- The table: what status, the dashboard and the manual say of each check ---- */

/* clang-format off */
static const struct check checks[] = {
	{ "sleep-key", "answer to the sleep button",
		"EC2 asks an instance whose hibernation was enabled at launch to hibernate by pressing its ACPI sleep button. When nothing in the instance answers with hibernation, it hangs in stopping until EC2 stops it by force, and what was in memory is lost.",
		LIVE, .evaluate = check_sleep_key },
	{ "sleep-key-double", "one answer to the sleep button",
		"When two of ec2hib, acpid and systemd-logind answer the sleep button, the machine hibernates and, as soon as it is back, sleeps again.",
		LIVE, .evaluate = check_sleep_key_double },
	{ "spot-notice", "reader of the Spot notice",
		"EC2 announces the hibernation of a Spot instance in the metadata service and expects something in the instance to read it and to hibernate at once. Where hibernation was enabled at launch it presses the sleep button instead.",
		LIVE, .evaluate = check_spot_notice },
	{ "sleep-scripts", "programs of systemd-sleep",
		"Packages and administrators put programs into systemd's folder system-sleep, which systemd runs before and after a hibernation that it does itself. A hibernation by method = direct does not run them.",
		LIVE, .evaluate = check_sleep_scripts },
	{ "old-agents", "no other agent",
		"hibinit-agent and hibagent make their own swap file and change boot arguments when they start; the resume offset that ec2hib has set is wrong after that.",
		.evaluate = check_old_agents },
};
/* clang-format on */
const struct check_group agent_checks = { "agents", checks, ARRAY_SIZE(checks) };
