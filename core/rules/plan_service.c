/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent: it runs, and nobody else answers EC2 in its place. And the way back. */
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/agents.h"
#include "core/facts/sleep_answers.h"
#include "core/rules/plan_parts.h"

static const char *const older_agents[] = { AGENT_SPOT, AGENT_ON_DEMAND };

static bool is_installed(const struct facts *facts, const char *name)
{
	const struct agent_facts *agent = agent_find(&facts->system, name);

	return agent && fact_is_true(&agent->installed);
}

static bool is_active(const struct facts *facts, const char *name)
{
	const struct agent_facts *agent = agent_find(&facts->system, name);

	return agent && (fact_is_true(&agent->enabled) || fact_is_true(&agent->running));
}

/* Who answers EC2 beside us: names for a sentence. acpid is one only as far as the button goes. */
static void others(const struct facts *facts, struct strings *names)
{
	for (size_t i = 0; i < ARRAY_SIZE(older_agents); i++)
		if (is_active(facts, older_agents[i]))
			strings_add(names, older_agents[i]);
	if (is_installed(facts, AGENT_ACPID) && facts->system.acpid_events.is == FACT_KNOWN)
		strings_take(names, text_format("acpid (" ACPID_FOLDER ": %s)",
					    facts->system.acpid_events.value));
}

static void plan_start(struct plan *plan, const struct facts *facts, const struct agent_facts *ours)
{
	bool start = fact_is_true(&facts->live) && !fact_is_true(&ours->running);
	const char *what = "start";

	if (!fact_is_true(&ours->enabled))
		what = start ? "enable and start" : "enable";
	else if (!start)
		return;
	plan_add(plan, STEP_SERVICE, 0,
		text_format("%s the agent (service " AGENT_OURS
			    "), which waits for EC2's notice and its sleep button",
			what));
}

static void plan_take_over(struct plan *plan, const struct facts *facts, bool asked)
{
	strings_cleanup struct strings names = { 0 };
	memory_cleanup_free char *list = NULL;

	others(facts, &names);
	list = strings_join(&names, ", ");
	if (fact_is_true(&facts->system.take_over_unfinished) || (asked && names.count))
		plan_add(plan, STEP_TAKE_OVER, 0,
			names.count
				? text_format("switch off who answered EC2 until now: %s", list)
				: text_copy(
					  "complete what an interrupted setup began to switch off"));
	else if (names.count)
		strings_take(&plan->notes,
			text_format(
				"%s would answer EC2 as well: ec2hib setup --take-over switches that off",
				list));
}

static void plan_sleep_key(struct plan *plan, const struct facts *facts)
{
	const struct system_facts *system = &facts->system;

	if (!is_installed(facts, AGENT_LOGIND))
		return;
	if (!fact_text_is(&system->logind_drop_in, DROP_IN_DONE))
		plan_add(plan, STEP_SLEEP_KEY, 0,
			text_copy(
				"systemd-logind leaves the sleep button to the agent (" LOGIND_DROP_IN
				")"));
	else if (system->logind_sleep_key.is == FACT_KNOWN &&
		 !fact_text_is(&system->logind_sleep_key, "ignore"))
		strings_take(&plan->notes,
			text_format(
				"logind would answer the sleep button as well: a file that it reads after " LOGIND_DROP_IN
				" has HandleSuspendKey=%s; take that out",
				system->logind_sleep_key.value));
}

void plan_service(struct plan *plan, const struct facts *facts, const struct setup_request *request)
{
	const struct agent_facts *ours = agent_find(&facts->system, AGENT_OURS);

	if (!ours || !fact_is_true(&ours->installed)) {
		strings_add(&plan->notes,
			"the service " AGENT_OURS
			" is not installed, or is masked: nothing of ec2hib will wait for EC2's notice");
		if (request->take_over)
			strings_add(&plan->notes, "so the older agents are left as they are");
		return;
	}
	plan_start(plan, facts, ours);
	plan_take_over(plan, facts, request->take_over);
	plan_sleep_key(plan, facts);
}

/* ---- The way back ----------------------------------------------------------------------------------- */

void plan_service_stop(struct plan *plan, const struct facts *facts)
{
	const struct agent_facts *ours = agent_find(&facts->system, AGENT_OURS);

	if (ours && is_active(facts, AGENT_OURS))
		plan_add(plan, STEP_UNDO_SERVICE, 0,
			text_format("%s the agent (service " AGENT_OURS ")",
				!fact_is_true(&ours->running)	? "disable"
				: !fact_is_true(&ours->enabled) ? "stop"
								: "stop and disable"));
	if (facts->system.logind_drop_in.is == FACT_KNOWN)
		plan_add(plan, STEP_UNDO_SLEEP_KEY, 0,
			text_copy(
				"systemd-logind answers the sleep button as before (" LOGIND_DROP_IN
				")"));
}

void plan_give_back(struct plan *plan, const struct facts *facts)
{
	if (facts->system.taken_over.is == FACT_KNOWN)
		plan_add(plan, STEP_UNDO_TAKE_OVER, 0,
			text_format("switch on again what was taken over: %s",
				facts->system.taken_over.value));
}
