/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/progress.h"

#include <stdarg.h>

#include "core/base/memory.h"
#include "core/base/text.h"

void progress_note(const struct progress *progress, const char *format, ...)
{
	memory_cleanup_free char *text = NULL;
	va_list arguments;

	if (!progress || !progress->note)
		return;
	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	progress->note(progress->data, text);
}

bool progress_cancelled(const struct progress *progress)
{
	return progress && progress->cancelled && progress->cancelled(progress->data);
}
