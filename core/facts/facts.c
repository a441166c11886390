/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/facts.h"

FACT_LAYOUT(kernel_facts, KERNEL_FACTS);
FACT_LAYOUT(memory_facts, MEMORY_FACTS);
FACT_LAYOUT(device_facts, DEVICE_FACTS);
FACT_LAYOUT(swap_facts, SWAP_FACTS);
FACT_LAYOUT(extent_facts, EXTENT_FACTS);
FACT_LAYOUT(area_facts, AREA_FACTS);
static FACT_LAYOUT(root_facts, ROOT_FACTS);
FACT_LAYOUT(entry_facts, ENTRY_FACTS);
static FACT_LAYOUT(boot_facts, BOOT_FACTS);
static FACT_LAYOUT(agent_facts, AGENT_FACTS);
static FACT_LAYOUT(system_facts, SYSTEM_FACTS);
FACT_LAYOUT(instance_facts, INSTANCE_FACTS);
FACT_LAYOUT(rehearsal_facts, REHEARSAL_FACTS);
FACT_LAYOUT(facts, FACTS);

void facts_free(struct facts *facts)
{
	layout_free(&facts_layout, facts);
}

const struct entry_facts *facts_next_entry(const struct facts *facts)
{
	for (size_t i = 0; i < facts->boot.entries.count; i++)
		if (fact_is_true(&facts->boot.entries.items[i].is_default))
			return &facts->boot.entries.items[i];
	return NULL;
}
