/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/facts.h"

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
