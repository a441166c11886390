/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/system.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/agents.h"
#include "core/facts/kubelet.h"
#include "core/facts/sleep_answers.h"

static void gather_release(struct system_facts *system, const struct root *root)
{
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };

	if (root_read(root, "/etc/os-release", FILE_LIMIT, &text, NULL, &err) < 0 &&
		root_read(root, "/usr/lib/os-release", FILE_LIMIT, &text, NULL, &err) < 0) {
		fact_set_unknown(fact_of(&system->id), "%s", err.text);
		fact_set_unknown(fact_of(&system->version), "%s", err.text);
		fact_set_unknown(fact_of(&system->name), "%s", err.text);
		return;
	}
	fact_take_text(&system->id, text_assignment(text, "ID"));
	fact_take_text(&system->version, text_assignment(text, "VERSION_ID"));
	fact_take_text(&system->name, text_assignment(text, "PRETTY_NAME"));
}

static void gather_selinux(struct system_facts *system, const struct root *root)
{
	memory_cleanup_free char *config = NULL;
	struct fact_number enforce = { 0 };
	struct error err = { "" };

	if (root->live) {
		fact_read_number(&enforce, root, "/sys/fs/selinux/enforce");
		if (enforce.is == FACT_KNOWN)
			fact_set_text(&system->selinux, enforce.value ? "enforcing" : "permissive");
		else if (enforce.is == FACT_ABSENT)
			fact_set_text(&system->selinux, "disabled");
		else
			fact_set_unknown(fact_of(&system->selinux), "%s", enforce.why);
		free(enforce.why);
		return;
	}
	/* An image: what it will be after its next boot. */
	if (root_read(root, "/etc/selinux/config", FILE_LIMIT, &config, NULL, &err) == 0)
		fact_take_text(&system->selinux, text_assignment(config, "SELINUX"));
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

/*
 * What distributions have there as they come, and a hibernation on EC2 does without: power
 * management of disks (there are none), and waiting for an upgrade under way.
 */
static bool is_dispensable(const char *name)
{
	return strcmp(name, "hdparm") == 0 || strcmp(name, "unattended-upgrades") == 0;
}

/*
 * Programs that only systemd runs around a hibernation: all that can be executed in one folder of
 * its own (systemd-suspend.service(8)), which lies below /lib where that is not /usr/lib.
 */
static void gather_sleep_scripts(struct system_facts *system, const struct root *root)
{
	static const char *const folders[] = { "/usr/lib/systemd/system-sleep",
		"/lib/systemd/system-sleep" };
	memory_cleanup_free char *found = NULL;

	for (size_t i = 0; !found && i < ARRAY_SIZE(folders); i++) {
		strings_cleanup struct strings names = { 0 };
		struct error err = { "" };

		root_list(root, folders[i], &names, &err);
		for (size_t k = 0; k < names.count; k++) {
			memory_cleanup_free char *path =
				text_format("%s/%s", folders[i], names.items[k]);
			struct stat status;

			if (root_stat(root, path, &status) == 0 && S_ISREG(status.st_mode) &&
				(status.st_mode & 0111) && !is_dispensable(names.items[k]))
				text_append(&found, "%s%s", found ? ", " : "", names.items[k]);
		}
	}
	fact_set_flag(&system->sleep_scripts, found != NULL);
	fact_set_text(&system->sleep_script_names, found);
}

void system_gather(struct system_facts *system, const struct root *root, const char *state_dir)
{
	gather_release(system, root);
	if (root_exists(root, "/run/systemd/system") ||
		(!root->live && root_exists(root, "/usr/lib/systemd/systemd")))
		fact_set_text(&system->init, "systemd");
	else
		fact_set_text(&system->init, "other");
	gather_selinux(system, root);
	gather_vendor(system, root);
	gather_sleep_scripts(system, root);
	agents_gather(system, root, state_dir);
	sleep_answers_gather(system, root);
	kubelet_gather(system, root);
}
