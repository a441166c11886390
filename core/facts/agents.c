/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/agents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

const struct agent_facts *agent_find(const struct system_facts *system, const char *name)
{
	for (size_t i = 0; i < system->agents.count; i++)
		if (fact_text_is(&system->agents.items[i].name, name))
			return &system->agents.items[i];
	return NULL;
}

bool acpid_reads(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return *name && name[strspn(name, letters)] == '\0';
}

char *acpid_hidden_name(const char *name)
{
	return text_format(".%s.ec2hib", name);
}

/* ---- Services ---------------------------------------------------------------------------- */

static const char *const unit_folders[] = { "/etc/systemd/system", "/run/systemd/system",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system" };

/* A unit that is masked is a link to /dev/null: nobody can enable or start it. */
static bool unit_masked(const struct root *root, const char *name)
{
	memory_cleanup_free char *unit = text_format("/etc/systemd/system/%s.service", name);
	memory_cleanup_free char *target = root_readlink(root, unit);

	return text_equal(target, "/dev/null");
}

/* Only systemd reads unit files; it also takes the scripts of System V. */
static bool unit_installed(const struct root *root, const char *name, bool systemd)
{
	memory_cleanup_free char *script = text_format("/etc/init.d/%s", name);

	if (systemd && unit_masked(root, name))
		return false;
	for (size_t i = 0; systemd && i < ARRAY_SIZE(unit_folders); i++) {
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

	for (size_t folder = 0; folder < ARRAY_SIZE(unit_folders); folder++)
		for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
			memory_cleanup_free char *link = text_format(
				"%s/%s.wants/%s.service", unit_folders[folder], targets[i], name);
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

/* The folder in /proc of the process whose id the file PATH has; NULL: it is not there. */
static char *process_folder(const struct root *root, const char *path)
{
	memory_cleanup_free char *pid = NULL;
	struct error err = { "" };
	uint64_t number;
	char *folder;

	if (root_read_line(root, path, &pid, &err) < 0 || number_parse(pid, &number) < 0 ||
		number == 0)
		return NULL;
	folder = text_format("/proc/%llu", (unsigned long long)number);
	if (root_exists(root, folder))
		return folder;
	free(folder);
	return NULL;
}

static bool process_runs(const struct root *root, const char *path)
{
	memory_cleanup_free char *folder = process_folder(root, path);

	return folder != NULL;
}

/* systemd keeps a control group for what runs; other inits leave a file with the process id. */
static bool unit_running(const struct root *root, const char *name)
{
	memory_cleanup_free char *group2 =
		text_format("/sys/fs/cgroup/system.slice/%s.service/cgroup.procs", name);
	memory_cleanup_free char *group1 =
		text_format("/sys/fs/cgroup/systemd/system.slice/%s.service/cgroup.procs", name);
	memory_cleanup_free char *record = text_format("/run/%s.pid", name);
	memory_cleanup_free char *old_record = text_format("/var/run/%s.pid", name);
	memory_cleanup_free char *bare_record = text_format("/run/%s", name); /* hibagent's */
	const char *const groups[] = { group2, group1 };
	struct error err = { "" };

	for (size_t i = 0; i < 2; i++) {
		memory_cleanup_free char *members = NULL;

		if (root_read_line(root, groups[i], &members, &err) == 0 && *members)
			return true;
	}
	return process_runs(root, record) || process_runs(root, old_record) ||
	       process_runs(root, bare_record);
}

/* True when "watch" is among the arguments of a process. */
static bool process_watches(const struct root *root, const char *folder)
{
	memory_cleanup_free char *file = text_format("%s/cmdline", folder), *words = NULL;
	struct error err = { "" };
	size_t size;

	if (root_read(root, file, FILE_LIMIT, &words, &size, &err) < 0)
		return false;
	for (const char *at = words; at < words + size; at += strlen(at) + 1)
		if (strcmp(at, "watch") == 0)
			return true;
	return false;
}

/*
 * As a service or by hand: whoever is the agent has this lock, with its process id inside. Its
 * control group would not tell, for what a hook left running stays in there. After a kill the id
 * may be another process by now, also another ec2hib.
 */
static bool agent_holds_lock(const struct root *root)
{
	memory_cleanup_free char *folder = process_folder(root, "/run/ec2hib/watch.lock");
	memory_cleanup_free char *file = folder ? text_format("%s/comm", folder) : NULL;
	memory_cleanup_free char *name = NULL;
	struct error err = { "" };

	return folder && root_read_line(root, file, &name, &err) == 0 &&
	       strcmp(name, "ec2hib") == 0 && process_watches(root, folder);
}

static void gather_services(struct system_facts *system, const struct root *root)
{
	static const char *const names[] = { AGENT_LOGIND, AGENT_ACPID, AGENT_SPOT, AGENT_ON_DEMAND,
		AGENT_OURS };
	bool systemd = fact_text_is(&system->init, "systemd");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct agent_facts *agent = facts_add(&system->agents);

		fact_set_text(&agent->name, names[i]);
		fact_set_flag(&agent->installed, unit_installed(root, names[i], systemd));
		fact_set_flag(&agent->enabled, unit_enabled(root, names[i]));
		if (root->live)
			fact_set_flag(&agent->running, strcmp(names[i], AGENT_OURS) == 0
							       ? agent_holds_lock(root)
							       : unit_running(root, names[i]));
		else
			fact_set_unknown(fact_of(&agent->running), "%s is an image", root->path);
	}
}

/* ---- What was taken over ------------------------------------------------------------------- */

static bool older_agent(const char *name)
{
	return strcmp(name, AGENT_SPOT) == 0 || strcmp(name, AGENT_ON_DEMAND) == 0;
}

static void read_record_line(struct taken_over_record *record, const char *line)
{
	strings_cleanup struct strings words = { 0 };
	struct taken_over *item;
	bool acpid;

	strings_split(&words, line, " ");
	if (words.count == 1 && strcmp(words.items[0], TAKEN_OVER_UNFINISHED) == 0)
		record->unfinished = true;
	if (words.count < 2)
		return;
	acpid = strcmp(words.items[0], TAKEN_OVER_ACPID) == 0;
	if (acpid ? !acpid_reads(words.items[1])
		  : strcmp(words.items[0], TAKEN_OVER_SERVICE) != 0 || !older_agent(words.items[1]))
		return;
	record->items = memory_grow(record->items, record->count, sizeof(*record->items));
	item = &record->items[record->count++];
	item->name = text_copy(words.items[1]);
	item->acpid = acpid;
	item->enabled = strings_contain(&words, "enabled");
	item->running = strings_contain(&words, "running");
}

int taken_over_read(struct taken_over_record *record, const struct root *root,
	const char *state_dir, struct error *err)
{
	memory_cleanup_free char *path = text_format("%s/" TAKEN_OVER_NAME, state_dir);
	memory_cleanup_free char *text = NULL;
	strings_cleanup struct strings lines = { 0 };
	int status = root_read(root, path, FILE_LIMIT, &text, NULL, err);

	*record = (struct taken_over_record) { 0 };
	if (status < 0)
		return status == -ENOTDIR ? -ENOENT : status;
	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++)
		read_record_line(record, lines.items[i]);
	return 0;
}

void taken_over_free(struct taken_over_record *record)
{
	for (size_t i = 0; i < record->count; i++)
		free(record->items[i].name);
	free(record->items);
	*record = (struct taken_over_record) { 0 };
}

static void gather_taken_over(
	struct system_facts *system, const struct root *root, const char *state_dir)
{
	memory_cleanup_free char *leftover = text_format("%s/" TAKEN_OVER_LEFTOVER, state_dir);
	struct taken_over_record record;
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };
	int status = taken_over_read(&record, root, state_dir, &err);

	fact_set_flag(&system->take_over_unfinished, record.unfinished);
	for (size_t i = 0; i < record.count; i++)
		strings_take(&names, text_format("%s%s", record.items[i].acpid ? "acpid/" : "",
					     record.items[i].name));
	if (status == 0)
		fact_take_text(&system->taken_over, strings_join(&names, " "));
	else if (status == -ENOENT && root_exists(root, leftover))
		fact_set_text(
			&system->taken_over, "nothing yet, an interrupted setup was about to");
	else if (status == -ENOENT)
		fact_set_absent(fact_of(&system->taken_over));
	else
		fact_set_unknown(fact_of(&system->taken_over), "%s", err.text);
	taken_over_free(&record);
}

void agents_gather(struct system_facts *system, const struct root *root, const char *state_dir)
{
	gather_services(system, root);
	if (root->live)
		fact_set_flag(&system->watch_running, agent_holds_lock(root));
	else
		fact_set_unknown(fact_of(&system->watch_running), "%s is an image", root->path);
	gather_taken_over(system, root, state_dir);
}
