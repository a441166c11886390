/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/duration.h"

#include <errno.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* Milliseconds of one unit; 0 when there is no such unit. */
static uint64_t unit_ms(const char *unit)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 },
		{ "min", 60 * 1000 }, { "h", 3600 * 1000 } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcmp(unit, units[i].name) == 0)
			return units[i].ms;
	return 0;
}

int duration_parse(const char *text, uint64_t *ms)
{
	size_t digits = strspn(text, "0123456789"), decimals;
	memory_cleanup_free char *number = text_copy_length(text, digits);
	uint64_t whole, part = 0, scale = 1, unit;
	int status = number_parse(number, &whole);

	if (status < 0)
		return status;
	text += digits;
	if (*text == '.') {
		decimals = strspn(++text, "0123456789");
		if (decimals == 0 || decimals > 6)
			return -EINVAL;
		for (; decimals; decimals--, scale *= 10)
			part = part * 10 + (uint64_t)(*text++ - '0');
	}
	unit = unit_ms(text);
	if (unit == 0)
		return -EINVAL;
	if (whole > DURATION_MOST_MS / unit)
		return -ERANGE;
	*ms = whole * unit + part * unit / scale;
	return 0;
}

char *duration_exact(uint64_t ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "h", 3600 * 1000 }, { "min", 60 * 1000 }, { "s", 1000 }, { "ms", 1 } };
	size_t i = 0;

	if (ms == 0)
		return text_copy("0s");
	while (ms % units[i].ms)
		i++;
	return text_format("%llu%s", (unsigned long long)(ms / units[i].ms), units[i].name);
}

char *duration_format(uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = { { 24 * 3600 * 1000, "d" }, { 3600 * 1000, "h" }, { 60 * 1000, "min" },
		{ 1000, "s" } };

	if (ms < 1000)
		return text_format("%llu ms", (unsigned long long)ms);
	if (ms < 60 * 1000)
		return text_format("%llu.%llu s", (unsigned long long)((ms + 50) / 1000),
			(unsigned long long)((ms + 50) % 1000 / 100));
	for (size_t i = 0;; i++) {
		uint64_t whole = ms / units[i].ms;
		uint64_t rest = ms % units[i].ms / units[i + 1].ms;

		if (whole == 0)
			continue;
		if (rest == 0)
			return text_format("%llu %s", (unsigned long long)whole, units[i].name);
		return text_format("%llu %s %llu %s", (unsigned long long)whole, units[i].name,
			(unsigned long long)rest, units[i + 1].name);
	}
}
