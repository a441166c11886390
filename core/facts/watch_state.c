/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/watch_state.h"

#include <errno.h>

#include "core/base/memory.h"
#include "core/facts/record.h"

static FACT_LAYOUT(watch_notice, WATCH_NOTICE);
FACT_LAYOUT(watch_name, WATCH_NAME);
FACT_LAYOUT(watch_acted, WATCH_ACTED);
FACT_LAYOUT(watch_state, WATCH_STATE);

int watch_state_read(const struct root *root, struct watch_state *state, struct error *err)
{
	return record_read(
		root, WATCH_STATE_PATH, &watch_state_layout, WATCH_STATE_FORMAT, state, err);
}
