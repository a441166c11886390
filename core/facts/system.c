/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/system.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/memory.h"
#include "core/base/text.h"

char *assignment_value(const char *text, const char *name)
{
	strings_cleanup struct strings lines = { 0 };
	size_t length = strlen(name);
	char *value = NULL;

	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		char *line = text_trim(lines.items[i]), *start;
		size_t end;

		if (strncmp(line, name, length) != 0 || line[length] != '=')
			continue;
		start = line + length + 1;
		end = strlen(start);
		if (end >= 2 && (*start == '"' || *start == '\'') &&
			start[end - 1] == *start) {
			start++;
			end -= 2;
		}
		text_set(&value, text_copy_length(start, end));
	}
	return value;
}

static void gather_release(struct system_facts *system, const struct root *root)
{
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };

	if (root_read(root, "/etc/os-release", FILE_LIMIT, &text, NULL, &err) < 0 &&
		root_read(root, "/usr/lib/os-release", FILE_LIMIT, &text, NULL, &err) <
			0) {
		fact_set_unknown(fact_of(&system->id), "%s", err.text);
		fact_set_unknown(fact_of(&system->version), "%s", err.text);
		fact_set_unknown(fact_of(&system->name), "%s", err.text);
		return;
	}
	fact_take_text(&system->id, assignment_value(text, "ID"));
	fact_take_text(&system->version, assignment_value(text, "VERSION_ID"));
	fact_take_text(&system->name, assignment_value(text, "PRETTY_NAME"));
}

static void gather_selinux(struct system_facts *system, const struct root *root)
{
	memory_cleanup_free char *config = NULL;
	struct fact_number enforce = { 0 };
	struct error err = { "" };

	if (root->live) {
		fact_read_number(&enforce, root, "/sys/fs/selinux/enforce");
		if (enforce.is == FACT_KNOWN)
			fact_set_text(&system->selinux,
				enforce.value ? "enforcing" : "permissive");
		else if (enforce.is == FACT_ABSENT)
			fact_set_text(&system->selinux, "disabled");
		else
			fact_set_unknown(fact_of(&system->selinux), "%s", enforce.why);
		free(enforce.why);
		return;
	}
	/* An image: what it will be after its next boot. */
	if (root_read(root, "/etc/selinux/config", FILE_LIMIT, &config, NULL, &err) == 0)
		fact_take_text(&system->selinux, assignment_value(config, "SELINUX"));
	else
		fact_set_text(&system->selinux, "disabled");
}

/* The machine's maker. On Xen instances the firmware says Xen, and Amazon in its version. */
static void gather_vendor(struct system_facts *system, const struct root *root)
{
	struct fact_text version = { 0 };

	fact_read_text(&system->vendor, root, "/sys/class/dmi/id/sys_vendor");
	fact_read_text(&version, root, "/sys/class/dmi/id/bios_version");
	if (version.is == FACT_KNOWN && strstr(version.value, "amazon"))
		fact_set_text(&system->vendor, "Amazon EC2");
	free(version.value);
	free(version.why);
}

/* ---- Services ---------------------------------------------------------------------------- */

static const char *const unit_folders[] = { "/etc/systemd/system", "/run/systemd/system",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
	"/lib/systemd/system" };

static bool unit_installed(const struct root *root, const char *name)
{
	memory_cleanup_free char *script = text_format("/etc/init.d/%s", name);

	for (size_t i = 0; i < sizeof(unit_folders) / sizeof(unit_folders[0]); i++) {
		memory_cleanup_free char *unit =
			text_format("%s/%s.service", unit_folders[i], name);

		if (root_exists(root, unit))
			return true;
	}
	return root_exists(root, script);
}

/* Wanted by a target that systemd starts, or linked into a run level of System V. */
static bool unit_enabled(const struct root *root, const char *name)
{
	static const char *const targets[] = { "multi-user.target", "default.target",
		"basic.target", "sysinit.target", "graphical.target", "sockets.target" };
	strings_cleanup struct strings links = { 0 };
	struct error err = { "" };

	for (size_t folder = 0; folder < sizeof(unit_folders) / sizeof(unit_folders[0]);
		folder++)
		for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
			memory_cleanup_free char *link =
				text_format("%s/%s.wants/%s.service",
					unit_folders[folder], targets[i], name);
			struct stat status;

			if (root_lstat(root, link, &status) == 0)
				return true;
		}
	root_list(root, "/etc/rc3.d", &links, &err);
	for (size_t i = 0; i < links.count; i++)
		if (links.items[i][0] == 'S' && strlen(links.items[i]) > 3 &&
			strcmp(links.items[i] + 3, name) == 0)
			return true;
	return false;
}

/* systemd keeps a control group for what runs; other inits leave a file with the process id. */
static bool unit_running(const struct root *root, const char *name)
{
	memory_cleanup_free char *group2 =
		text_format("/sys/fs/cgroup/system.slice/%s.service/cgroup.procs", name);
	memory_cleanup_free char *group1 = text_format(
		"/sys/fs/cgroup/systemd/system.slice/%s.service/cgroup.procs", name);
	memory_cleanup_free char *record = text_format("/run/%s.pid", name);
	const char *const groups[] = { group2, group1 };
	memory_cleanup_free char *pid = NULL;
	memory_cleanup_free char *process = NULL;
	struct error err = { "" };

	for (size_t i = 0; i < 2; i++) {
		memory_cleanup_free char *members = NULL;

		if (root_read_line(root, groups[i], &members, &err) == 0 && *members)
			return true;
	}
	if (root_read_line(root, record, &pid, &err) < 0)
		return false;
	process = text_format("/proc/%s", pid);
	return *pid && !strchr(pid, '/') && root_exists(root, process);
}

static void gather_agents(struct system_facts *system, const struct root *root)
{
	static const char *const names[] = { "systemd-logind", "acpid", "hibagent",
		"hibinit-agent", "ec2hib" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct agent_facts *agent = facts_add(&system->agents);

		fact_set_text(&agent->name, names[i]);
		fact_set_flag(&agent->installed, unit_installed(root, names[i]));
		fact_set_flag(&agent->enabled, unit_enabled(root, names[i]));
		if (root->live)
			fact_set_flag(&agent->running, unit_running(root, names[i]));
		else
			fact_set_unknown(
				fact_of(&agent->running), "%s is an image", root->path);
	}
}

/* ---- The sleep button ------------------------------------------------------------------------ */

/* logind.conf(5): the main file, then *.conf of the drop-in folders; the last word counts. */
static void gather_logind_key(struct system_facts *system, const struct root *root)
{
	static const char *const folders[] = { "/usr/lib/systemd/logind.conf.d",
		"/run/systemd/logind.conf.d", "/etc/systemd/logind.conf.d" };
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };
	char *key = NULL;

	if (!fact_is_true(&system->agents.items[0].installed)) {
		fact_set_absent(fact_of(&system->logind_sleep_key));
		return;
	}
	if (root_read(root, "/etc/systemd/logind.conf", FILE_LIMIT, &text, NULL, &err) ==
		0)
		key = assignment_value(text, "HandleSuspendKey");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		strings_cleanup struct strings names = { 0 };

		root_list(root, folders[i], &names, &err);
		for (size_t k = 0; k < names.count; k++) {
			memory_cleanup_free char *path =
				text_format("%s/%s", folders[i], names.items[k]);
			memory_cleanup_free char *more = NULL;
			char *value;

			if (!text_ends(path, ".conf") ||
				root_read(root, path, FILE_LIMIT, &more, NULL, &err) < 0)
				continue;
			value = assignment_value(more, "HandleSuspendKey");
			if (value)
				text_set(&key, value);
		}
	}
	fact_take_text(&system->logind_sleep_key, key ? key : text_copy("suspend"));
}

/* acpid(8): a file in /etc/acpi/events that names the button and an action. */
static bool acpid_answers(const struct root *root)
{
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	root_list(root, "/etc/acpi/events", &names, &err);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *path =
			text_format("/etc/acpi/events/%s", names.items[i]);
		memory_cleanup_free char *text = NULL;

		if (root_read(root, path, FILE_LIMIT, &text, NULL, &err) == 0 &&
			(strstr(text, "sleep") || strstr(text, "SBTN") ||
				strstr(text, "SLPB")))
			return true;
	}
	return false;
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
		what = assignment_value(text, "WHAT");
		mode = assignment_value(text, "MODE");
		if (what && strstr(what, "handle-suspend-key") &&
			text_equal(mode, "block"))
			return true;
	}
	return false;
}

/* systemd-sleep(8) runs what it finds there; packages put theirs below /usr/lib. */
static bool has_sleep_scripts(const struct root *root)
{
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	return root_list(root, "/etc/systemd/system-sleep", &names, &err) == 0 &&
	       names.count > 0;
}

void system_gather(struct system_facts *system, const struct root *root)
{
	bool acpid, logind;

	gather_release(system, root);
	if (root_exists(root, "/run/systemd/system") ||
		(!root->live && root_exists(root, "/usr/lib/systemd/systemd")))
		fact_set_text(&system->init, "systemd");
	else
		fact_set_text(&system->init, "other");
	gather_selinux(system, root);
	gather_vendor(system, root);
	gather_agents(system, root);
	gather_logind_key(system, root);
	fact_set_flag(&system->sleep_key_inhibited, sleep_key_is_inhibited(root));
	fact_set_flag(&system->sleep_scripts, has_sleep_scripts(root));
	acpid = fact_is_true(&system->agents.items[1].enabled) && acpid_answers(root);
	/* A key that only suspends would not hibernate: it counts as no reader. */
	logind = fact_text_is(&system->logind_sleep_key, "hibernate");
	fact_set_flag(&system->reads_sleep_key, acpid || logind);
}
