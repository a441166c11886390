/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/reporter.h"

#include <stdarg.h>

#include "core/base/memory.h"
#include "core/base/text.h"

void reporter_log(const struct reporter *reporter, int priority, const char *format, ...)
{
	memory_cleanup_free char *text = NULL;
	va_list arguments;

	if (!reporter || !reporter->log)
		return;
	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	reporter->log(reporter->data, priority, text);
}

bool reporter_cancelled(const struct reporter *reporter)
{
	return reporter && reporter->cancelled && reporter->cancelled(reporter->data);
}
