/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	return -code;
}

int error_errno(struct error *err, int code, const char *format, ...)
{
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	length = strlen(err->text);
	snprintf(err->text + length, sizeof(err->text) - length, ": %s", strerror(code));
	return -code;
}

int error_prefix(struct error *err, int code, const char *format, ...)
{
	struct error cause = *err;
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	length = strlen(err->text);
	snprintf(err->text + length, sizeof(err->text) - length, ": %s", cause.text);
	return code;
}
