/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A panel of the dashboard: a small constant object, and what it keeps for itself. update() is called
 * when there is news and draws nothing; draw() fills a page and changes nothing.
 */
#ifndef EC2HIB_UI_TUI_PANEL_H
#define EC2HIB_UI_TUI_PANEL_H

#include "ui/tui/model.h"
#include "ui/tui/page.h"
#include "ui/tui/requests.h"
#include "ui/tui/tiling.h"

struct panel {
	const char *title;
	enum request request; /* that shows it alone */
	struct tile_wish wish;
	size_t own_size; /* of what it keeps; zeroed at first */
	/* NEWS: enum news, all that has come since the last call. May be NULL. */
	void (*update)(void *own, const struct model *model, unsigned news);
	void (*draw)(struct page *page, const struct model *model, const void *own);
	/* What Enter shows of an item that draw() offered. May be NULL. */
	void (*explain)(struct page *page, const struct model *model, const void *own, int item);
	/* A request of its own; false: it has none such. May be NULL. */
	bool (*request_own)(void *own, enum request request);
	void (*free_own)(void *own); /* May be NULL. */
};

extern const struct panel panel_instance;
extern const struct panel panel_readiness;
extern const struct panel panel_swap;
extern const struct panel panel_warmth;
extern const struct panel panel_notices;
extern const struct panel panel_log;
extern const struct panel panel_history;

/* In the order of their numbers. */
extern const struct panel *const panels[];
extern const size_t panel_count;

#define PANELS 7

/* The text of a fact, or NULL; and with what stands for it where it is not known. */
const char *shown_text(const struct fact_text *fact);

#endif
