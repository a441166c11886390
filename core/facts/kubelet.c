/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/kubelet.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* Programs that are kubelet, or start one; what it leaves; and its services. */
static const char *const signs[] = { "/usr/bin/kubelet", "/usr/local/bin/kubelet",
	"/usr/sbin/kubelet", "/opt/bin/kubelet", "/etc/systemd/system/kubelet.service",
	"/usr/lib/systemd/system/kubelet.service", "/lib/systemd/system/kubelet.service",
	"/var/lib/kubelet", "/usr/bin/kubeadm", "/usr/local/bin/kubeadm", "/usr/bin/nodeadm",
	"/etc/eks/bootstrap.sh", "/usr/local/bin/k3s", "/usr/bin/k3s", "/opt/bin/k3s",
	"/etc/systemd/system/k3s.service", "/etc/systemd/system/k3s-agent.service",
	"/usr/local/bin/rke2", "/opt/rke2/bin/rke2", "/usr/bin/rke2", "/usr/local/bin/k0s",
	"/snap/bin/microk8s", "/snap/bin/kubelet" };

/* Where it is told that a swap may be on. */
static const char *const settings[] = { "/var/lib/kubelet/config.yaml",
	"/var/lib/kubelet/kubeadm-flags.env", "/etc/default/kubelet", "/etc/sysconfig/kubelet",
	"/etc/kubernetes/kubelet-config.yaml", "/etc/kubernetes/kubelet/config.json",
	"/etc/kubernetes/kubelet/kubelet-config.json", "/etc/kubernetes/kubelet.yaml",
	"/etc/rancher/k3s/config.yaml", "/etc/rancher/rke2/config.yaml",
	"/var/snap/microk8s/current/args/kubelet", "/etc/systemd/system/kubelet.service",
	"/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
	"/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
	"/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf" };

/* failSwapOn: false in YAML, "failSwapOn": false in JSON, --fail-swap-on=false among arguments. */
static bool line_allows_swap(const char *line)
{
	static const char *const names[] = { "failSwapOn", "fail-swap-on" };

	line += strspn(line, " \t");
	for (size_t i = 0; i < ARRAY_SIZE(names) && *line != '#'; i++) {
		const char *found = strstr(line, names[i]);

		if (!found)
			continue;
		found += strlen(names[i]);
		found += strspn(found, "\"' \t:=");
		if (text_starts(found, "false"))
			return true;
	}
	return false;
}

static bool file_allows_swap(const struct root *root, const char *path)
{
	strings_cleanup struct strings lines = { 0 };
	memory_cleanup_free char *text = NULL;
	struct error ignored = { "" };

	if (root_read(root, path, FILE_LIMIT, &text, NULL, &ignored) < 0)
		return false;
	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++)
		if (line_allows_swap(lines.items[i]))
			return true;
	return false;
}

void kubelet_gather(struct system_facts *system, const struct root *root)
{
	fact_set_absent(fact_of(&system->kubelet));
	fact_set_absent(fact_of(&system->kubelet_swaps));
	for (size_t i = 0; i < ARRAY_SIZE(signs) && system->kubelet.is != FACT_KNOWN; i++)
		if (root_exists(root, signs[i]))
			fact_set_text(&system->kubelet, signs[i]);
	if (system->kubelet.is != FACT_KNOWN)
		return;
	fact_set_flag(&system->kubelet_swaps, false);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (file_allows_swap(root, settings[i]))
			fact_set_flag(&system->kubelet_swaps, true);
}

/* ---- When the swap area is on ---------------------------------------------------------------- */

static void gather_remembered(
	struct area_facts *area, const struct root *root, const struct config *config)
{
	memory_cleanup_free char *record =
		text_format("%s/" SWAP_ON_RECORD_NAME, config->state_dir);
	struct fact_text *word = &area->swap_on_remembered;
	struct error err = { "" };

	if (root_check_own(root, record, &err) < 0) {
		fact_set_unknown(fact_of(word), "%s", err.text);
		return;
	}
	fact_read_text(word, root, record);
	if (word->is == FACT_KNOWN && !fact_text_is(word, SWAP_ON_ALWAYS) &&
		!fact_text_is(word, SWAP_ON_HIBERNATION))
		fact_set_unknown(fact_of(word), "%s%s says neither always nor hibernation",
			root->path, record);
}

static void decide(struct area_facts *area, const char *when, const char *why)
{
	fact_set_text(&area->swap_on, when);
	fact_set_text(&area->swap_on_why, why);
}

void swap_on_gather(struct area_facts *area, const struct root *root, const struct config *config,
	const struct system_facts *system)
{
	gather_remembered(area, root, config);
	if (config->swap_on == SWAP_IS_ON_ALWAYS)
		decide(area, SWAP_ON_ALWAYS, "swap-on of the configuration");
	else if (config->swap_on == SWAP_IS_ON_FOR_HIBERNATION)
		decide(area, SWAP_ON_HIBERNATION, "swap-on of the configuration");
	else if (area->swap_on_remembered.is == FACT_KNOWN)
		decide(area, area->swap_on_remembered.value, "setup --swap-on");
	else if (system->kubelet.is == FACT_KNOWN && !fact_is_true(&system->kubelet_swaps))
		decide(area, SWAP_ON_HIBERNATION, "kubelet");
	else
		decide(area, SWAP_ON_ALWAYS, NULL);
}
