/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/tui/panel.h"

const struct panel *const panels[PANELS] = {
	&panel_instance,
	&panel_readiness,
	&panel_swap,
	&panel_warmth,
	&panel_notices,
	&panel_log,
	&panel_history,
};
const size_t panel_count = PANELS;

const char *shown_text(const struct fact_text *fact)
{
	return fact_text_or(fact, NULL);
}
