/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What test-hibernate has shown, and whether that still holds. */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/checks_parts.h"
#include "core/rules/checks_table.h"
#include "core/rules/rehearsal.h"

#define FIX_REHEARSE "ec2hib test-hibernate"

/* The failed level is worth more than what was passed before. */
static struct finding failed_finding(const struct rehearsal_facts *rehearsal)
{
	memory_cleanup_free char *fix =
		text_format(FIX_REHEARSE " --level %s", rehearsal->failed_level.value);

	return finding_warn(fix, "the level %s failed at %s: %s", rehearsal->failed_level.value,
		fact_text_or(&rehearsal->failed_time, "an unknown time"),
		fact_text_or(&rehearsal->failure, "the reason is not known"));
}

CHECK_FUNCTION(rehearsal)
{
	const struct rehearsal_facts *rehearsal = &facts->rehearsal;
	strings_cleanup struct strings changes = { 0 };
	memory_cleanup_free char *changed = NULL;
	const char *level, *when;
	struct finding finding;

	if (rehearsal->failed_level.is == FACT_KNOWN)
		return failed_finding(rehearsal);
	/* Absent is an answer: nothing is on record. */
	if (rehearsal->level.is == FACT_UNKNOWN &&
		finding_gap(&finding, NEED(facts->rehearsal.level)))
		return finding;
	if (rehearsal->level.is == FACT_ABSENT)
		return finding_warn(FIX_REHEARSE, "nothing was rehearsed on this machine");
	level = rehearsal->level.value;
	when = fact_text_or(&rehearsal->time, "an unknown time");
	rehearsal_changes(rehearsal, facts, &changes);
	changed = strings_join(&changes, ", ");
	if (changes.count)
		return finding_warn(FIX_REHEARSE, "passed up to %s at %s, but since then %s", level,
			when, changed);
	if (rehearsal_level_find(level) < LEVEL_IMAGE)
		return finding_warn(FIX_REHEARSE " --level image",
			"passed up to %s at %s: no image was written so far", level, when);
	return finding_pass("passed up to %s at %s; nothing has changed since", level, when);
}
