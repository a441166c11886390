/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/json_view.h"

#include <stdio.h>

void json_show(json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(json);
}
