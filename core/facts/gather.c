/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/gather.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/area.h"
#include "core/facts/area_choice.h"
#include "core/facts/at_boot.h"
#include "core/facts/boot.h"
#include "core/facts/initramfs.h"
#include "core/facts/instance.h"
#include "core/facts/kernel.h"
#include "core/facts/kernel_image.h"
#include "core/facts/kubelet.h"
#include "core/facts/memory.h"
#include "core/facts/prewarm_state.h"
#include "core/facts/rehearsal.h"
#include "core/facts/swaps.h"
#include "core/facts/system.h"

/* What only a running kernel can tell. */
static void gather_live(struct facts *facts, const struct root *root)
{
	memory_cleanup_free char *why = NULL;

	if (root->live) {
		kernel_gather(&facts->kernel, root);
		memory_gather(
			&facts->memory, root, fact_text_or(&facts->kernel.command_line, NULL));
		swaps_gather(&facts->swaps, root, &facts->root.devices);
		return;
	}
	why = text_format("%s is an image, not the running machine", root->path);
	layout_set_unknown(&kernel_facts_layout, &facts->kernel, why);
	layout_set_unknown(&memory_facts_layout, &facts->memory, why);
	fact_set_unknown(fact_of(&facts->swaps), "%s", why);
}

/* What stays as it is while ec2hib changes the machine. */
static void gather_lasting(struct facts *facts, const struct gather *gather)
{
	fact_set_number(&facts->format, FACTS_FORMAT);
	fact_set_text(&facts->program, gather->version);
	fact_set_flag(&facts->live, gather->root->live);
	fact_set_flag(&facts->privileged, geteuid() == 0);
	root_gather(&facts->root, gather->root, gather->host);
	system_gather(&facts->system, gather->root, gather->config->state_dir);
	rehearsal_gather(&facts->rehearsal, gather->root, gather->config->state_dir);
}

static void gather_changing(struct facts *facts, const struct gather *gather)
{
	area_choice_cleanup struct area_choice choice = { 0 };

	gather_live(facts, gather->root);
	area_choose(&choice, gather->config, gather->root, gather->host, &facts->root.devices);
	boot_gather(&facts->boot, gather->root, gather->config->state_dir);
	kernel_image_gather(&facts->boot, gather->root, gather->config->state_dir);
	boot_name_root_device(&facts->boot, &facts->root.devices);
	initramfs_gather(&facts->boot, gather->root, fact_text_or(&facts->kernel.release, NULL),
		gather->config->state_dir);
	area_gather(&facts->area, gather->root, gather->host, &facts->root.devices, choice.path);
	fact_set_text(&facts->area.chosen, choice.reason);
	area_record_gather(&facts->area, gather->root, gather->config);
	swap_on_gather(&facts->area, gather->root, gather->config, &facts->system);
	area_complete(facts);
	prewarmed_gather(&facts->area, gather->root, gather->host, gather->config->state_dir);
	at_boot_gather(&facts->boot, gather->root, &facts->area, &facts->root.devices);
}

void facts_gather(struct facts *facts, const struct gather *gather)
{
	gather_lasting(facts, gather);
	gather_changing(facts, gather);
	if (gather->imds)
		instance_gather(&facts->instance, gather->imds);
	else
		layout_set_unknown(&instance_facts_layout, &facts->instance,
			"the metadata service was not asked");
}

void facts_gather_again(struct facts *facts, const struct gather *gather)
{
	struct facts old = *facts;

	memset(facts, 0, sizeof(*facts));
#define MOVE(member)                                                                               \
	memcpy(&facts->member, &old.member, sizeof(old.member));                                   \
	memset(&old.member, 0, sizeof(old.member))
	MOVE(format);
	MOVE(program);
	MOVE(live);
	MOVE(privileged);
	MOVE(root);
	MOVE(system);
	MOVE(instance);
	MOVE(rehearsal);
#undef MOVE
	facts_free(&old);
	gather_changing(facts, gather);
}

static int load_config(struct config *config, json_t *json, struct error *err)
{
	const char *name;
	json_t *value;
	int status;

	json_object_foreach(json, name, value)
	{
		if (!json_is_string(value))
			return error_set(err, EINVAL, "config.%s is not a text", name);
		status = config_set(config, NULL, name, json_string_value(value), err);
		if (status < 0 && status != -ENOENT)
			return error_prefix(err, status, "config");
	}
	return 0;
}

int facts_load(struct facts *facts, struct config *config, json_t *json, struct error *err)
{
	json_t *saved = json_object_get(json, "facts");
	int status;

	config_init(config);
	status = layout_from_json(&facts_layout, facts, saved ? saved : json, "facts", err);
	if (status < 0)
		return status;
	if (facts->format.is != FACT_KNOWN)
		return error_set(err, EINVAL,
			"these are not facts that ec2hib saved: facts.format is missing");
	if (facts->format.value > FACTS_FORMAT)
		return error_set(err, EINVAL,
			"facts.format is %llu, this ec2hib reads up to %d: use a newer version",
			(unsigned long long)facts->format.value, FACTS_FORMAT);
	return load_config(config, json_object_get(json, "config"), err);
}

json_t *facts_save(const struct facts *facts, const struct config *config)
{
	json_t *keys = json_object();

	for (size_t i = 0; i < config_key_count; i++) {
		memory_cleanup_free char *value = NULL;

		if (config_keys[i].kind == CONFIG_IGNORED)
			continue;
		value = config_get(config, &config_keys[i]);
		json_object_set_new(keys, config_keys[i].name, json_string(value));
	}
	return json_pack(
		"{s:o, s:o}", "facts", layout_to_json(&facts_layout, facts), "config", keys);
}
