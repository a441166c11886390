/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/checks_parts.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/boot.h"
#include "core/rules/arguments.h"

#define VENDOR_EC2 "Amazon EC2"

__attribute__((format(printf, 3, 0))) static struct finding finding_of(
	enum check_state state, const char *fix, const char *format, va_list arguments)
{
	return (struct finding) {
		.state = state, .text = text_format_list(format, arguments), .fix = text_copy(fix)
	};
}

struct finding finding_pass(const char *format, ...)
{
	struct finding finding;
	va_list arguments;

	va_start(arguments, format);
	finding = finding_of(CHECK_PASS, NULL, format, arguments);
	va_end(arguments);
	return finding;
}

struct finding finding_skip(const char *format, ...)
{
	struct finding finding;
	va_list arguments;

	va_start(arguments, format);
	finding = finding_of(CHECK_SKIP, NULL, format, arguments);
	va_end(arguments);
	return finding;
}

struct finding finding_warn(const char *fix, const char *format, ...)
{
	struct finding finding;
	va_list arguments;

	va_start(arguments, format);
	finding = finding_of(CHECK_WARN, fix, format, arguments);
	va_end(arguments);
	return finding;
}

struct finding finding_fail(const char *fix, const char *format, ...)
{
	struct finding finding;
	va_list arguments;

	va_start(arguments, format);
	finding = finding_of(CHECK_FAIL, fix, format, arguments);
	va_end(arguments);
	return finding;
}

struct finding finding_unknown(const char *format, ...)
{
	struct finding finding;
	memory_cleanup_free char *reason = NULL;
	va_list arguments;

	va_start(arguments, format);
	finding = finding_of(CHECK_UNKNOWN, NULL, format, arguments);
	va_end(arguments);
	reason = finding.text;
	finding.text = text_format("cannot tell: %s", reason);
	return finding;
}

/* "facts->area.size" as "area.size", "entry->arguments" as "entry.arguments". */
static char *need_name(const char *member)
{
	char *name = text_copy(text_starts(member, "facts->") ? member + 7 : member);
	char *arrow = strstr(name, "->");

	if (arrow) {
		*arrow = '.';
		memmove(arrow + 1, arrow + 2, strlen(arrow + 2) + 1);
	}
	return name;
}

bool finding_first_gap(struct finding *finding, const struct need *needs)
{
	memory_cleanup_free char *name = NULL;

	while (needs->fact && needs->fact->is == FACT_KNOWN)
		needs++;
	if (!needs->fact)
		return false;
	name = need_name(needs->name);
	if (needs->fact->is == FACT_ABSENT)
		*finding = finding_unknown("this machine has no %s", name);
	else if (needs->fact->why)
		*finding = finding_unknown("%s", needs->fact->why);
	else
		*finding = finding_unknown("%s is not known", name);
	return true;
}

const char *area_name(const struct facts *facts)
{
	return fact_text_or(&facts->area.path, "the swap area");
}

bool no_area(const struct facts *facts, struct finding *finding)
{
	const struct fact_text *kind = &facts->area.kind;

	if (kind->is == FACT_ABSENT) {
		*finding = finding_skip("no swap area yet");
		return true;
	}
	if (finding_gap(finding, NEED(facts->area.kind)))
		return true;
	if (fact_text_is(kind, "file") || fact_text_is(kind, "device"))
		return false;
	*finding = finding_skip("%s is not a swap area", area_name(facts));
	return true;
}

bool no_area_file(const struct facts *facts, struct finding *finding)
{
	if (no_area(facts, finding))
		return true;
	if (!fact_text_is(&facts->area.kind, "device"))
		return false;
	*finding = finding_skip("%s is a device, not a file", area_name(facts));
	return true;
}

bool no_active_area(const struct facts *facts, struct finding *finding)
{
	if (no_area(facts, finding) || finding_gap(finding, NEED(facts->area.active)))
		return true;
	if (facts->area.active.value)
		return false;
	*finding = finding_skip("%s is not an active swap", area_name(facts));
	return true;
}

enum platform platform_of(const struct facts *facts)
{
	const struct fact_text *vendor = &facts->system.vendor;

	if (fact_text_is(vendor, VENDOR_EC2) || facts->instance.id.is == FACT_KNOWN)
		return PLATFORM_EC2;
	return vendor->is == FACT_UNKNOWN ? PLATFORM_UNKNOWN : PLATFORM_OTHER;
}

bool not_ec2(const struct facts *facts, struct finding *finding)
{
	if (platform_of(facts) != PLATFORM_OTHER)
		return false;
	*finding = finding_skip("not an EC2 instance (the machine's maker is %s)",
		fact_text_or(&facts->system.vendor, "not named"));
	return true;
}

bool no_next_entry(
	const struct facts *facts, struct finding *finding, const struct entry_facts **entry)
{
	*entry = facts_next_entry(facts);
	if (*entry)
		return false;
	if (facts->boot.loader.is == FACT_ABSENT)
		*finding = finding_skip("no boot loader known, so no entry of the next boot");
	else if (!finding_gap(finding, NEED(facts->boot.loader), NEED(facts->boot.entries)))
		*finding = finding_unknown(
			"none of the %zu boot entries is the default", facts->boot.entries.count);
	return true;
}

char *boot_fix(const struct facts *facts, const struct config *config)
{
	const struct boot_loader *loader = boot_loader_of(&facts->boot);
	strings_cleanup struct strings wanted = { 0 };

	if ((loader && !loader->manual && config->boot_config != CHOICE_NO) ||
		!arguments_wanted(facts, &wanted))
		return text_copy(FIX_SETUP);
	return arguments_by_hand(facts, &wanted);
}

bool method_is_systemd(const struct facts *facts, const struct config *config)
{
	if (config->method == METHOD_IS_AUTO)
		return fact_text_is(&facts->system.init, "systemd") &&
		       fact_is_true(&facts->system.sleep_scripts);
	return config->method == METHOD_IS_SYSTEMD;
}
