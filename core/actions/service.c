/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/service.h"

#include <errno.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"

struct services services_of(const struct root *root, const struct facts *facts)
{
	return (struct services) { .root = root,
		.systemd = fact_text_is(&facts->system.init, "systemd") };
}

static int run(const struct services *services, const char *const *arguments,
	const char *const *environment, struct error *err)
{
	const struct process process = { .root = services->root,
		.arguments = arguments,
		.environment = environment,
		.timeout_ms = SERVICE_TIMEOUT_MS };

	return process_execute(&process, NULL, err);
}

/* ---- systemd ------------------------------------------------------------------------------- */

static int systemctl(
	const struct services *services, const char *verb, const char *name, struct error *err)
{
	memory_cleanup_free char *unit = text_format("%s.service", name);

	return run(services, (const char *const[]) { "systemctl", verb, unit, NULL }, NULL, err);
}

/*
 * In an image nobody can be asked, and systemctl makes the links itself: told so by --root before
 * systemd 238, by the variable since (a root of / counts as none there).
 */
static int systemctl_links(
	const struct services *services, const char *verb, const char *name, struct error *err)
{
	memory_cleanup_free char *unit = text_format("%s.service", name);

	if (services->root->live)
		return systemctl(services, verb, name, err);
	return run(services, (const char *const[]) { "systemctl", "--root=/", verb, unit, NULL },
		(const char *const[]) { "SYSTEMD_OFFLINE=1", NULL }, err);
}

/* ---- System V ------------------------------------------------------------------------------- */

/* Two command lines of chkconfig or update-rc.d, of which the first may be empty. */
struct levels_tool {
	const char *program;
	const char *first[4];
	const char *second[4];
};

static int run_tool(
	const struct services *services, const struct levels_tool *tool, struct error *err)
{
	int status = 0;

	if (tool->first[0])
		status = run(services,
			(const char *const[]) { tool->program, tool->first[0], tool->first[1],
				tool->first[2], NULL },
			NULL, err);
	if (status < 0)
		return status;
	return run(services,
		(const char *const[]) {
			tool->program, tool->second[0], tool->second[1], tool->second[2], NULL },
		NULL, err);
}

/* Whichever of the two programs is there. */
static int change_levels(const struct services *services, const struct levels_tool *chkconfig,
	const struct levels_tool *update_rc, struct error *err)
{
	const struct levels_tool *const tools[] = { chkconfig, update_rc };

	for (size_t i = 0; i < 2; i++) {
		memory_cleanup_free char *path = process_find(services->root, tools[i]->program);

		if (path)
			return run_tool(services, tools[i], err);
	}
	return error_set(err, ENOENT,
		"neither chkconfig nor update-rc.d is there to set what starts at boot");
}

static int script(
	const struct services *services, const char *name, const char *verb, struct error *err)
{
	memory_cleanup_free char *path = text_format("/etc/init.d/%s", name);

	return run(services, (const char *const[]) { path, verb, NULL }, NULL, err);
}

/* ---- Both ------------------------------------------------------------------------------------ */

int service_enable(const struct services *services, const char *name, struct error *err)
{
	const struct levels_tool chkconfig = { "chkconfig", { "--add", name }, { name, "on" } };
	const struct levels_tool update_rc = { "update-rc.d", { name, "defaults" },
		{ name, "enable" } };

	if (services->systemd)
		return systemctl_links(services, "enable", name, err);
	return change_levels(services, &chkconfig, &update_rc, err);
}

int service_disable(const struct services *services, const char *name, struct error *err)
{
	const struct levels_tool chkconfig = { "chkconfig", { NULL }, { name, "off" } };
	const struct levels_tool update_rc = { "update-rc.d", { NULL }, { name, "disable" } };

	if (services->systemd)
		return systemctl_links(services, "disable", name, err);
	return change_levels(services, &chkconfig, &update_rc, err);
}

int service_forget(const struct services *services, const char *name, struct error *err)
{
	const struct levels_tool chkconfig = { "chkconfig", { NULL }, { "--del", name } };
	const struct levels_tool update_rc = { "update-rc.d", { NULL }, { "-f", name, "remove" } };

	if (services->systemd)
		return systemctl_links(services, "disable", name, err);
	return change_levels(services, &chkconfig, &update_rc, err);
}

int service_start(const struct services *services, const char *name, struct error *err)
{
	return services->systemd ? systemctl(services, "start", name, err)
				 : script(services, name, "start", err);
}

int service_stop(const struct services *services, const char *name, struct error *err)
{
	return services->systemd ? systemctl(services, "stop", name, err)
				 : script(services, name, "stop", err);
}

int service_restart(const struct services *services, const char *name, struct error *err)
{
	return services->systemd ? systemctl(services, "try-restart", name, err)
				 : script(services, name, "restart", err);
}

int service_hang_up(const struct services *services, const char *name, struct error *err)
{
	memory_cleanup_free char *unit = text_format("%s.service", name);

	return run(services,
		(const char *const[]) {
			"systemctl", "kill", "--kill-who=main", "--signal=HUP", unit, NULL },
		NULL, err);
}
