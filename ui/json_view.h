/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What --json prints. */
#ifndef EC2HIB_UI_JSON_VIEW_H
#define EC2HIB_UI_JSON_VIEW_H

#include <jansson.h>

/*
 * Prints JSON on standard output, and releases it. What is not ASCII is escaped: terminals obey
 * U+0080 to U+009F, which JSON may have as they are.
 */
void json_show(json_t *json);

#endif
