/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/debounce.h"

bool debounce_ignores(const struct debounce *debounce, int64_t pressed_ms)
{
	int64_t since;

	if (debounce->under_way)
		return true;
	if (!debounce->resumed)
		return false;
	/* Pressed before that hibernation was over, read after it. */
	if (pressed_ms <= debounce->resumed_ms)
		return true;
	if (__builtin_sub_overflow(pressed_ms, debounce->resumed_ms, &since))
		return false;
	return since < debounce->window_ms;
}
