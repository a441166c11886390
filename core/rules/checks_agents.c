/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who acts when EC2 asks the instance to hibernate, and who gets in the way. */
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/checks_parts.h"
#include "core/rules/checks_table.h"

#define AGENT_SPOT	"hibagent"
#define AGENT_ON_DEMAND "hibinit-agent"
#define AGENT_ACPID	"acpid"
#define AGENT_LOGIND	"systemd-logind"

#define LIFE_CYCLE_SPOT "spot"

static const struct agent_facts *agent_find(const struct facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->system.agents.count; i++)
		if (fact_text_is(&facts->system.agents.items[i].name, name))
			return &facts->system.agents.items[i];
	return NULL;
}

static bool agent_runs(const struct facts *facts, const char *name)
{
	const struct agent_facts *agent = agent_find(facts, name);

	return agent && fact_is_true(&agent->running);
}

/*
 * EC2 presses the sleep button to hibernate an On-Demand instance. logind answers with
 * HandleSuspendKey (logind.conf(5)), which is suspend unless somebody set it.
 */
CHECK_FUNCTION(sleep_key)
{
	const struct system_facts *system = &facts->system;
	const char *fix =
		fact_text_is(&system->init, "systemd")
			? "set HandleSuspendKey=hibernate in /etc/systemd/logind.conf"
			: "let acpid hibernate on button/sleep";
	struct finding finding;

	(void)config;
	if (not_ec2(facts, &finding))
		return finding;
	if (fact_text_is(&facts->instance.life_cycle, LIFE_CYCLE_SPOT))
		return finding_skip("a Spot instance gets a notice, not a button");
	if (finding_gap(&finding, NEED(facts->system.reads_sleep_key)))
		return finding;
	if (fact_text_is(&system->logind_sleep_key, "hibernate"))
		return finding_pass(
			"logind hibernates when EC2 presses the sleep button");
	if (system->reads_sleep_key.value)
		return finding_pass("acpid answers when EC2 presses the sleep button");
	if (system->logind_sleep_key.is == FACT_KNOWN &&
		strcmp(system->logind_sleep_key.value, "ignore") != 0)
		return finding_warn(fix,
			"logind answers EC2's sleep button with %s, not with hibernate: "
			"EC2 would "
			"wait about 20 minutes and stop the instance by force",
			system->logind_sleep_key.value);
	return finding_warn(fix, "nothing answers EC2's sleep button: the instance would "
				 "hang in stopping until EC2 "
				 "stops it by force after about 20 minutes");
}

CHECK_FUNCTION(sleep_key_double)
{
	const struct system_facts *system = &facts->system;
	struct finding finding;

	(void)config;
	if (finding_gap(&finding, NEED(facts->system.agents),
		    NEED(facts->system.reads_sleep_key)))
		return finding;
	if (!agent_runs(facts, AGENT_ACPID) || !system->reads_sleep_key.value)
		return finding_pass("acpid does not answer the sleep button");
	if (system->logind_sleep_key.is == FACT_ABSENT ||
		!agent_runs(facts, AGENT_LOGIND) ||
		fact_text_is(&system->logind_sleep_key, "ignore"))
		return finding_pass("only acpid answers the sleep button");
	if (fact_is_true(&system->sleep_key_inhibited))
		return finding_pass(
			"only acpid answers the sleep button (logind is inhibited)");
	if (finding_gap(&finding, NEED(facts->system.logind_sleep_key)))
		return finding;
	return finding_warn("set HandleSuspendKey=ignore in /etc/systemd/logind.conf",
		"acpid and logind (HandleSuspendKey=%s) both answer the sleep button: "
		"the machine "
		"may sleep twice",
		system->logind_sleep_key.value);
}

/* The Spot notice stands in the metadata service; who does not look does not know. */
CHECK_FUNCTION(spot_notice)
{
	struct finding finding;

	(void)config;
	if (not_ec2(facts, &finding))
		return finding;
	if (facts->instance.life_cycle.is == FACT_KNOWN &&
		!fact_text_is(&facts->instance.life_cycle, LIFE_CYCLE_SPOT))
		return finding_skip("not a Spot instance");
	if (finding_gap(&finding, NEED(facts->instance.life_cycle),
		    NEED(facts->system.agents)))
		return finding;
	if (agent_runs(facts, AGENT_SPOT))
		return finding_pass("hibagent reads the Spot notice");
	return finding_warn("run an agent that reads it, such as hibagent",
		"nothing reads the Spot notice: EC2 would take the instance without its "
		"being "
		"hibernated");
}

static bool agent_is_active(const struct agent_facts *agent)
{
	return fact_is_true(&agent->enabled) || fact_is_true(&agent->running);
}

CHECK_FUNCTION(old_agents)
{
	static const char *const names[] = { AGENT_ON_DEMAND, AGENT_SPOT };
	strings_cleanup struct strings active = { 0 }, idle = { 0 };
	memory_cleanup_free char *fix = NULL, *text = NULL;
	struct finding finding;

	(void)config;
	if (finding_gap(&finding, NEED(facts->system.agents)))
		return finding;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct agent_facts *agent = agent_find(facts, names[i]);

		if (agent && agent_is_active(agent))
			strings_add(&active, names[i]);
		else if (agent && fact_is_true(&agent->installed))
			strings_add(&idle, names[i]);
	}
	if (active.count) {
		fix = strings_join(&active, " ");
		text_set(&fix, text_format("systemctl disable --now %s", fix));
		text = strings_join(&active, " and ");
		return finding_warn(fix,
			"%s %s active: swap file and boot arguments would be changed "
			"behind "
			"ec2hib's back",
			text, active.count == 1 ? "is" : "are");
	}
	if (idle.count) {
		text = strings_join(&idle, " and ");
		return finding_pass("%s %s installed, but neither enabled nor running",
			text, idle.count == 1 ? "is" : "are");
	}
	return finding_pass("no other hibernation agent is installed");
}
