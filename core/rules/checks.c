/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/checks.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/rules/checks_parts.h"

/* In the order in which a reader meets them. */
const struct check_group *const check_groups[CHECK_GROUPS] = { &instance_checks, &kernel_checks,
	&swap_checks, &boot_checks, &agent_checks };

const struct check_group *check_group_of(const struct check *check)
{
	for (size_t i = 0; i < CHECK_GROUPS; i++)
		for (size_t k = 0; k < check_groups[i]->count; k++)
			if (&check_groups[i]->checks[k] == check)
				return check_groups[i];
	return NULL;
}

size_t check_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < CHECK_GROUPS; i++)
		count += check_groups[i]->count;
	return count;
}

const struct check *check_at(size_t index)
{
	for (size_t i = 0; i < CHECK_GROUPS; i++) {
		if (index < check_groups[i]->count)
			return &check_groups[i]->checks[index];
		index -= check_groups[i]->count;
	}
	return NULL;
}

const struct check *check_find(const char *id)
{
	const struct check *check;

	for (size_t i = 0; (check = check_at(i)); i++)
		if (strcmp(check->id, id) == 0)
			break;
	return check;
}

struct finding check_evaluate(
	const struct check *check, const struct facts *facts, const struct config *config)
{
	struct finding finding;

	if (check->needs_live && fact_is_false(&facts->live))
		finding = finding_skip("an image: only the running machine can tell");
	else
		finding = check->evaluate(facts, config);
	finding.check = check;
	return finding;
}

void finding_free(struct finding *finding)
{
	free(finding->text);
	free(finding->fix);
	*finding = (struct finding) { 0 };
}

void report_make(struct report *report, const char *const *ids, const struct facts *facts,
	const struct config *config)
{
	const struct check *check;

	*report = (struct report) { memory_new(check_count(), sizeof(*report->findings)), 0 };
	for (size_t i = 0; (check = check_at(i)); i++) {
		bool wanted = !ids || !*ids;

		for (const char *const *id = ids; !wanted && id && *id; id++)
			wanted = strcmp(*id, check->id) == 0;
		if (wanted)
			report->findings[report->count++] = check_evaluate(check, facts, config);
	}
}

void setup_gate(struct report *gate, const struct facts *facts, const struct config *config)
{
	const struct check *check;

	*gate = (struct report) { memory_new(check_count(), sizeof(*gate->findings)), 0 };
	for (size_t i = 0; (check = check_at(i)); i++) {
		struct finding finding;

		if (!check->gates)
			continue;
		finding = check_evaluate(check, facts, config);
		if (finding.state == CHECK_FAIL)
			gate->findings[gate->count++] = finding;
		else
			finding_free(&finding);
	}
}

void report_free(struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		finding_free(&report->findings[i]);
	free(report->findings);
	*report = (struct report) { 0 };
}

bool report_is_whole(const struct report *report)
{
	return report->count == check_count();
}

const char *check_state_name(enum check_state state)
{
	static const char *const names[CHECK_STATES] = { [CHECK_FAIL] = "fail",
		[CHECK_WARN] = "warn",
		[CHECK_UNKNOWN] = "unknown",
		[CHECK_PASS] = "pass",
		[CHECK_SKIP] = "skip" };

	return names[state];
}

enum readiness readiness_of(const struct finding *findings, size_t count)
{
	enum readiness readiness = READY;

	for (size_t i = 0; i < count; i++) {
		if (findings[i].state == CHECK_FAIL)
			return NOT_READY;
		if (findings[i].state == CHECK_UNKNOWN && findings[i].check->vital)
			readiness = READINESS_UNKNOWN;
	}
	return readiness;
}
