/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a rehearsal looks: level by level, and as JSON. */
#ifndef EC2HIB_UI_REHEARSAL_VIEW_H
#define EC2HIB_UI_REHEARSAL_VIEW_H

#include <jansson.h>

#include "core/actions/rehearse.h"
#include "ui/style.h"

/* Before a level. */
void level_show(enum rehearsal_level level, const struct style *style);

/* After it: how it ended, and the kernel's timeline. */
void result_show(const struct rehearsal_result *result, const struct style *style);

/* {"level": ..., "result": ..., "reason": ..., "timeline": ..., ...} */
json_t *result_to_json(const struct rehearsal_result *result);

#endif
