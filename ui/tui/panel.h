/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A panel of the dashboard: a small constant object, and a state of its own. update() is called
 * when there is news and draws nothing; draw() fills a page and changes nothing.
 *
 * A new panel is a file, a word in PANELS, and a row among the requests (ui/tui/requests.h).
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
	size_t state_size; /* zeroed at first */
	/* NEWS: enum news, all that has come since the last call. May be NULL. */
	void (*update)(void *state, const struct model *model, unsigned news);
	void (*draw)(struct page *page, const struct model *model, const void *state);
	/* What Enter shows of an item that draw() offered. May be NULL. */
	void (*explain)(struct page *page, const struct model *model, int item);
	/* Shows problems only, or everything again (REQUEST_FILTER). May be NULL. */
	void (*filter)(void *state);
	void (*free_state)(void *state); /* May be NULL. */
};

/* In the order of their numbers. */
#define PANELS(X) X(instance) X(readiness) X(swap) X(prewarm) X(notices) X(log) X(history)

enum panel_number {
#define X(name) PANEL_##name,
	PANELS(X)
#undef X
		PANEL_COUNT
};

#define X(name) extern const struct panel panel_##name;
PANELS(X)
#undef X

extern const struct panel *const panels[PANEL_COUNT];

#endif
