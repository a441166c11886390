/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/take_over.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "core/actions/own_file.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/agents.h"
#include "core/facts/sleep_answers.h"

static const char *const older_agents[] = { AGENT_SPOT, AGENT_ON_DEMAND };

/* ---- The record ------------------------------------------------------------------------------ */

static struct taken_over *record_item(
	struct taken_over_record *record, const char *name, bool acpid)
{
	for (size_t i = 0; i < record->count; i++)
		if (record->items[i].acpid == acpid && strcmp(record->items[i].name, name) == 0)
			return &record->items[i];
	record->items = memory_grow(record->items, record->count, sizeof(*record->items));
	record->items[record->count].name = text_copy(name);
	record->items[record->count].acpid = acpid;
	return &record->items[record->count++];
}

/* Adds what is on now to what an earlier run has switched off. */
static void record_complete(struct taken_over_record *record, const struct facts *facts)
{
	strings_cleanup struct strings events = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(older_agents); i++) {
		const struct agent_facts *agent = agent_find(&facts->system, older_agents[i]);
		struct taken_over *item;

		if (!agent || (!fact_is_true(&agent->enabled) && !fact_is_true(&agent->running)))
			continue;
		item = record_item(record, older_agents[i], false);
		item->enabled |= fact_is_true(&agent->enabled);
		item->running |= fact_is_true(&agent->running);
	}
	if (facts->system.acpid_events.is == FACT_KNOWN)
		strings_split(&events, facts->system.acpid_events.value, " ");
	for (size_t i = 0; i < events.count; i++)
		record_item(record, events.items[i], true);
}

static int write_record(const struct services *services, const char *state_dir,
	const struct taken_over_record *record, struct error *err)
{
	memory_cleanup_free char *path = text_format("%s/" TAKEN_OVER_NAME, state_dir);
	memory_cleanup_free char *text =
		text_copy(record->unfinished ? TAKEN_OVER_UNFINISHED "\n" : "");
	int status;

	for (size_t i = 0; i < record->count; i++) {
		const struct taken_over *item = &record->items[i];

		text_append(&text, "%s %s%s%s\n",
			item->acpid ? TAKEN_OVER_ACPID : TAKEN_OVER_SERVICE, item->name,
			item->enabled ? " enabled" : "", item->running ? " running" : "");
	}
	status = root_make_directory(services->root, state_dir, err);
	if (status == 0)
		status = root_replace(services->root, path, text, 0644, err);
	return status;
}

/* ---- Taking over ----------------------------------------------------------------------------- */

/* acpid reads its files when it starts. */
static int acpid_read_again(
	const struct services *services, const struct facts *facts, struct error *err)
{
	const struct agent_facts *acpid = agent_find(&facts->system, AGENT_ACPID);

	if (!services->root->live || !acpid || !fact_is_true(&acpid->running))
		return 0;
	return service_restart(services, AGENT_ACPID, err);
}

static int switch_service_off(const struct services *services, const struct facts *facts,
	const char *name, struct error *err)
{
	const struct agent_facts *agent = agent_find(&facts->system, name);
	int status = 0;

	if (!agent || !fact_is_true(&agent->installed))
		return 0;
	if (fact_is_true(&agent->enabled))
		status = service_disable(services, name, err);
	if (status == 0 && services->root->live && fact_is_true(&agent->running))
		status = service_stop(services, name, err);
	return status;
}

static int disable_event(const struct root *root, const char *name, struct error *err)
{
	memory_cleanup_free char *hidden = acpid_hidden_name(name);
	memory_cleanup_free char *from = text_format(ACPID_FOLDER "/%s", name);
	memory_cleanup_free char *to = text_format(ACPID_FOLDER "/%s", hidden);

	return root_exists(root, from) ? root_rename(root, from, to, err) : 0;
}

static int switch_off(const struct services *services, const struct facts *facts,
	const struct taken_over_record *record, struct error *err)
{
	bool acpid = false;
	int status = 0;

	for (size_t i = 0; i < record->count && status == 0; i++) {
		const struct taken_over *item = &record->items[i];

		acpid |= item->acpid;
		status = item->acpid ? disable_event(services->root, item->name, err)
				     : switch_service_off(services, facts, item->name, err);
	}
	if (status == 0 && acpid)
		status = acpid_read_again(services, facts, err);
	return status;
}

int take_over(const struct services *services, const struct facts *facts, const char *state_dir,
	struct error *err)
{
	struct taken_over_record record;
	int status = taken_over_read(&record, services->root, state_dir, err);

	if (status == 0 || status == -ENOENT) {
		record_complete(&record, facts);
		record.unfinished = true;
		status = write_record(services, state_dir, &record, err);
	}
	if (status == 0)
		status = switch_off(services, facts, &record, err);
	if (status == 0) {
		record.unfinished = false;
		status = write_record(services, state_dir, &record, err);
	}
	taken_over_free(&record);
	return status;
}

/* ---- The way back ---------------------------------------------------------------------------- */

static int switch_service_on(const struct services *services, const struct facts *facts,
	const struct taken_over *item, const struct reporter *reporter, struct error *err)
{
	const struct agent_facts *agent = agent_find(&facts->system, item->name);
	int status = 0;

	if (!agent || !fact_is_true(&agent->installed)) {
		reporter_log(reporter, LOG_INFO, "%s is no longer installed", item->name);
		return 0;
	}
	if (item->enabled)
		status = service_enable(services, item->name, err);
	if (status == 0 && item->running && services->root->live)
		status = service_start(services, item->name, err);
	return status;
}

static int enable_event(const struct root *root, const char *name, const struct reporter *reporter,
	struct error *err)
{
	memory_cleanup_free char *hidden = acpid_hidden_name(name);
	memory_cleanup_free char *from = text_format(ACPID_FOLDER "/%s", hidden);
	memory_cleanup_free char *to = text_format(ACPID_FOLDER "/%s", name);

	if (!root_exists(root, from))
		return 0;
	if (root_exists(root, to)) {
		reporter_log(reporter, LOG_INFO, "%s is there again; %s stays", to, from);
		return 0;
	}
	return root_rename(root, from, to, err);
}

int take_over_restore(const struct services *services, const struct facts *facts,
	const char *state_dir, const struct reporter *reporter, struct error *err)
{
	memory_cleanup_free char *path = text_format("%s/" TAKEN_OVER_NAME, state_dir);
	memory_cleanup_free char *leftover = text_format("%s/" TAKEN_OVER_LEFTOVER, state_dir);
	struct taken_over_record record;
	struct error ignored = { "" };
	bool acpid = false;
	int status = taken_over_read(&record, services->root, state_dir, err);

	root_remove(services->root, leftover, &ignored);
	/* acpid first: what it is to do is there before the services start it again. */
	for (size_t i = 0; i < record.count && status == 0; i++)
		if (record.items[i].acpid) {
			acpid = true;
			status = enable_event(services->root, record.items[i].name, reporter, err);
		}
	if (status == 0 && acpid)
		status = acpid_read_again(services, facts, err);
	for (size_t i = 0; i < record.count && status == 0; i++)
		if (!record.items[i].acpid)
			status =
				switch_service_on(services, facts, &record.items[i], reporter, err);
	if (status == 0)
		status = root_remove(services->root, path, err);
	taken_over_free(&record);
	return status == -ENOENT ? 0 : status;
}

/* ---- systemd-logind -------------------------------------------------------------------------- */

#define MADE_BY                                                                                    \
	"# Made by ec2hib setup; ec2hib teardown removes it. The agent (ec2hib.service)\n"         \
	"# answers the sleep button, with which EC2 asks for hibernation.\n"

/*
 * logind calls KEY_SLEEP the suspend key and KEY_SUSPEND the hibernate key (systemd
 * src/login/logind-button.c); the agent reads both.
 */
#define SETTINGS "[Login]\nHandleSuspendKey=ignore\nHandleHibernateKey=ignore\n"

/* Since systemd 250, where a press of five seconds hibernates; older ones would log that they do not
 * know it. */
#define LONG_PRESS "HandleSuspendKeyLongPress=ignore\n"

#define GOING_AWAY "# Being taken away: run ec2hib teardown again.\n"

/* Does this logind know the setting? Its program has all names in it. */
static bool knows_long_press(const struct root *root)
{
	static const char name[] = "HandleSuspendKeyLongPress";
	static const char *const programs[] = { "/usr/lib/systemd/systemd-logind",
		"/lib/systemd/systemd-logind" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		memory_cleanup_free char *program = NULL;
		struct error err = { "" };
		size_t size;

		if (root_read(root, programs[i], FILE_LIMIT, &program, &size, &err) == 0)
			return memmem(program, size, name, strlen(name)) != NULL;
	}
	return false;
}

/*
 * On SIGHUP logind reads its configuration again (systemd src/login/logind.c) and touches no
 * session, which a restart may: X servers lose their devices (systemd #1716). One that is too old
 * for that ends, and systemd starts it again.
 */
static int logind_read_again(
	const struct services *services, const struct facts *facts, struct error *err)
{
	const struct agent_facts *logind = agent_find(&facts->system, AGENT_LOGIND);

	if (!services->root->live || !logind || !fact_is_true(&logind->running))
		return 0;
	return service_hang_up(services, AGENT_LOGIND, err);
}

int sleep_key_take(const struct services *services, const struct facts *facts, struct error *err)
{
	memory_cleanup_free char *settings = text_format(
		MADE_BY SETTINGS "%s", knows_long_press(services->root) ? LONG_PRESS : "");
	memory_cleanup_free char *unfinished = text_format(LOGIND_UNFINISHED "%s", settings);
	int status = own_file_put(services->root, LOGIND_DROP_IN, unfinished, err);

	if (status == 0)
		status = logind_read_again(services, facts, err);
	if (status < 0)
		return status;
	return own_file_put(services->root, LOGIND_DROP_IN, settings, err);
}

int sleep_key_restore(const struct services *services, const struct facts *facts, struct error *err)
{
	int status = 0;

	if (root_exists(services->root, LOGIND_DROP_IN))
		status = own_file_put(services->root, LOGIND_DROP_IN, GOING_AWAY, err);
	if (status == 0)
		status = logind_read_again(services, facts, err);
	if (status < 0)
		return status;
	return own_file_put(services->root, LOGIND_DROP_IN, NULL, err);
}
