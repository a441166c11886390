/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/sleep_answers.h"

#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/agents.h"

/* logind.conf(5): from the weakest to the strongest; a file hides those of its name before it. */
static const char *const logind_folders[] = { "/usr/lib/systemd", "/usr/local/lib/systemd",
	"/run/systemd", "/etc/systemd" };
#define LOGIND_FOLDERS (ARRAY_SIZE(logind_folders))

/*
 * HandleSuspendKey of the first file of that name, the strongest folder first; *KEY stays without
 * one.
 */
static void take_key(const struct root *root, const char *name, char **key)
{
	for (size_t i = LOGIND_FOLDERS; i-- > 0;) {
		memory_cleanup_free char *path = text_format("%s/%s", logind_folders[i], name);
		memory_cleanup_free char *text = NULL;
		struct error err = { "" };
		char *value;

		if (root_read(root, path, FILE_LIMIT, &text, NULL, &err) < 0)
			continue;
		value = text_assignment(text, "HandleSuspendKey");
		if (value)
			text_set(key, value);
		return;
	}
}

/*
 * The main file, then the drop-ins of all folders in the order of their names; the last one counts.
 */
static void gather_logind_key(struct system_facts *system, const struct root *root)
{
	const struct agent_facts *logind = agent_find(system, AGENT_LOGIND);
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };
	char *key = NULL;

	if (!logind || !fact_is_true(&logind->installed)) {
		fact_set_absent(fact_of(&system->logind_sleep_key));
		return;
	}
	take_key(root, "logind.conf", &key);
	for (size_t i = 0; i < LOGIND_FOLDERS; i++) {
		memory_cleanup_free char *folder =
			text_format("%s/logind.conf.d", logind_folders[i]);
		strings_cleanup struct strings found = { 0 };

		root_list(root, folder, &found, &err);
		for (size_t k = 0; k < found.count; k++)
			if (text_ends(found.items[k], ".conf") &&
				!strings_contain(&names, found.items[k]))
				strings_add(&names, found.items[k]);
	}
	strings_sort(&names);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *name = text_format("logind.conf.d/%s", names.items[i]);

		take_key(root, name, &key);
	}
	fact_take_text(&system->logind_sleep_key, key ? key : text_copy("suspend"));
}

/* What a killed run has left beside it counts as well: the next one removes it. */
static void gather_drop_in(struct system_facts *system, const struct root *root)
{
	memory_cleanup_free char *text = NULL, *key = NULL;
	struct error err = { "" };

	if (root_read(root, LOGIND_DROP_IN, FILE_LIMIT, &text, NULL, &err) < 0) {
		if (root_exists(root, "/etc/systemd/logind.conf.d/.ec2hib.conf.ec2hib-new") ||
			root_exists(root, "/etc/systemd/.logind.conf.d.ec2hib-new"))
			fact_set_text(&system->logind_drop_in, DROP_IN_UNFINISHED);
		else
			fact_set_absent(fact_of(&system->logind_drop_in));
		return;
	}
	key = text_assignment(text, "HandleSuspendKey");
	fact_set_text(&system->logind_drop_in,
		text_equal(key, "ignore") && !strstr(text, LOGIND_UNFINISHED) ? DROP_IN_DONE
									      : DROP_IN_UNFINISHED);
}

/* The event is a regular expression; the button is called sleep, SBTN, SLPB or LNXSLPBN. */
static bool names_sleep_button(const char *event)
{
	return event && (strstr(event, "sleep") || strstr(event, "SBTN") || strstr(event, "SLPB"));
}

/* acpid(8): files with an event and an action. */
static void gather_acpid_events(struct system_facts *system, const struct root *root)
{
	strings_cleanup struct strings names = { 0 }, answer = { 0 };
	struct error err = { "" };

	if (root_list(root, ACPID_FOLDER, &names, &err) < 0) {
		fact_set_unknown(fact_of(&system->acpid_events), "%s", err.text);
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *path = text_format(ACPID_FOLDER "/%s", names.items[i]);
		memory_cleanup_free char *text = NULL, *event = NULL;

		if (!acpid_reads(names.items[i]) ||
			root_read(root, path, FILE_LIMIT, &text, NULL, &err) < 0)
			continue;
		event = text_assignment(text, "event");
		if (names_sleep_button(event))
			strings_add(&answer, names.items[i]);
	}
	if (answer.count)
		fact_take_text(&system->acpid_events, strings_join(&answer, " "));
	else
		fact_set_absent(fact_of(&system->acpid_events));
}

/* systemd-inhibit(1): logind keeps one file an inhibitor, with WHAT= and MODE=. */
static bool sleep_key_is_inhibited(const struct root *root)
{
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	root_list(root, "/run/systemd/inhibit", &names, &err);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *path =
			text_format("/run/systemd/inhibit/%s", names.items[i]);
		memory_cleanup_free char *text = NULL;
		memory_cleanup_free char *what = NULL;
		memory_cleanup_free char *mode = NULL;

		if (text_ends(path, ".ref") ||
			root_read(root, path, FILE_LIMIT, &text, NULL, &err) < 0)
			continue;
		what = text_assignment(text, "WHAT");
		mode = text_assignment(text, "MODE");
		if (what && strstr(what, "handle-suspend-key") && text_equal(mode, "block"))
			return true;
	}
	return false;
}

void sleep_answers_gather(struct system_facts *system, const struct root *root)
{
	const struct agent_facts *acpid = agent_find(system, AGENT_ACPID);

	gather_logind_key(system, root);
	gather_drop_in(system, root);
	gather_acpid_events(system, root);
	fact_set_flag(&system->sleep_key_inhibited, sleep_key_is_inhibited(root));
	/* A key that only suspends would not hibernate: it counts as no reader. */
	fact_set_flag(&system->reads_sleep_key,
		(acpid && fact_is_true(&acpid->enabled) && system->acpid_events.is == FACT_KNOWN) ||
			fact_text_is(&system->logind_sleep_key, "hibernate"));
}
