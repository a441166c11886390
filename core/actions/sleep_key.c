/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/sleep_key.h"

#include <stdlib.h>
#include <string.h>

#include "core/actions/own_file.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/agents.h"
#include "core/facts/sleep_answers.h"

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
static int have_it_read(
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
		status = have_it_read(services, facts, err);
	if (status < 0)
		return status;
	return own_file_put(services->root, LOGIND_DROP_IN, settings, err);
}

int sleep_key_give_back(
	const struct services *services, const struct facts *facts, struct error *err)
{
	int status = 0;

	if (root_exists(services->root, LOGIND_DROP_IN))
		status = own_file_put(services->root, LOGIND_DROP_IN, GOING_AWAY, err);
	if (status == 0)
		status = have_it_read(services, facts, err);
	if (status < 0)
		return status;
	return own_file_put(services->root, LOGIND_DROP_IN, NULL, err);
}
