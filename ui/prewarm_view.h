/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a pre-warm looks: at a terminal a bar that is drawn again in its line, elsewhere a line now
 * and then; and its result in words.
 */
#ifndef EC2HIB_UI_PREWARM_VIEW_H
#define EC2HIB_UI_PREWARM_VIEW_H

#include <stdint.h>

#include "core/facts/prewarm_state.h"
#include "ui/style.h"

struct progress_bar {
	const struct style *style;
	bool drawn;	/* there is a bar on the terminal's last line */
	uint64_t lines; /* elsewhere: so many were printed */
};

/* STATE as it is now, on standard output. */
void progress_bar_show(struct progress_bar *bar, const struct prewarm_state *state);

/* Makes room for another line: the bar goes, and comes back with the next progress_bar_show(). */
void progress_bar_hide(struct progress_bar *bar);

/*
 * The line of STATE without colours; WIDTH columns, 0: as long as it gets, and no bar. UTF8: blocks
 * in place of ASCII. The caller frees it.
 */
char *progress_bar_text(const struct prewarm_state *state, unsigned width, bool utf8);

/* One sentence on what was done, or is being done. RUNS: it goes on now. */
void prewarm_show(const struct prewarm_state *state, bool runs);

/* Requests by the time that they took, and what that means. */
void prewarm_show_histogram(const struct prewarm_state *state, const struct style *style);

/* Microseconds as people say them: "250 us", "9.3 s"; the caller frees it. */
char *us_format(uint64_t us);

#endif
