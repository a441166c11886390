/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking the metadata service for notices now and then, in a child of its own (ui/tui/aside.h): it
 * may hang as long as it likes.
 */
#ifndef EC2HIB_UI_TUI_SERVICE_H
#define EC2HIB_UI_TUI_SERVICE_H

#include "core/facts/imds.h"

/* Between two questions, and how much later an answer may be before it is missed. */
#define SERVICE_EVERY_MS 5000
#define SERVICE_LATE_MS	 2000

/*
 * Never returns while somebody reads FD. After each question a line of JSON: {"latency_us",
 * "token_age" or null, "error" or null, "notices": [{"kind", "time", "detail"}]}.
 */
void service_ask(const struct imds_options *options, int fd);

#endif
