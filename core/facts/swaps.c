/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/swaps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/device.h"

static void take_line(swap_list *swaps, const char *line)
{
	strings_cleanup struct strings words = { 0 };
	uint64_t size, used;
	struct swap_facts *swap;
	size_t type;

	/* Filename Type Size Used Priority; a deleted file has "\040(deleted)" after its name. */
	strings_split(&words, line, " \t");
	if (words.count < 5)
		return;
	type = words.count - 4;
	if (number_parse(words.items[type + 1], &size) < 0 ||
		number_parse(words.items[type + 2], &used) < 0)
		return;
	swap = facts_add(swaps);
	text_unescape_octal(words.items[0]); /* seq_path() of the kernel */
	fact_set_text(&swap->path, words.items[0]);
	fact_set_text(&swap->type, words.items[type]);
	fact_set_number(&swap->size, size * KIB);
	fact_set_number(&swap->used, used * KIB);
	fact_set_text(&swap->priority, words.items[type + 3]);
}

void swaps_parse(swap_list *swaps, const char *text)
{
	strings_cleanup struct strings lines = { 0 };

	strings_split(&lines, text, "\n");
	swaps->is = FACT_KNOWN;
	for (size_t i = 1; i < lines.count; i++)
		take_line(swaps, lines.items[i]);
}

/* The storage below one swap. */
static void look_below(
	struct swap_facts *swap, const struct root *root, const device_list *root_devices)
{
	device_list devices = { 0 };
	struct error err = { "" };
	struct stat status;
	dev_t number;
	int found;

	found = root_stat(root, swap->path.value, &status);
	if (found == 0 && S_ISBLK(status.st_mode))
		number = status.st_rdev;
	else if (found == 0)
		found = device_of_path(swap->path.value, &number, NULL, NULL, &err);
	else
		error_errno(&err, -found, "cannot look at %s", swap->path.value);
	if (found < 0) {
		fact_set_unknown(fact_of(&swap->device), "%s", err.text);
		fact_set_unknown(fact_of(&swap->medium), "%s", err.text);
		fact_set_unknown(fact_of(&swap->random_key), "%s", err.text);
		return;
	}
	devices_gather_known(&devices, root, root, number, root_devices);
	if (devices.count)
		fact_set_text(&swap->device, devices.items[0].name.value);
	devices_medium(&swap->medium, &devices);
	fact_set_flag(&swap->random_key, devices_random_key(&devices));
	fact_list_free(&device_facts_layout, &devices);
}

void swaps_gather(swap_list *swaps, const struct root *root, const device_list *root_devices)
{
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };

	if (root_read(root, "/proc/swaps", FILE_LIMIT, &text, NULL, &err) < 0) {
		fact_set_unknown(fact_of(swaps), "%s", err.text);
		return;
	}
	swaps_parse(swaps, text);
	for (size_t i = 0; i < swaps->count; i++)
		look_below(&swaps->items[i], root, root_devices);
}

long swap_priority(const struct swap_facts *swap)
{
	return swap->priority.is == FACT_KNOWN ? strtol(swap->priority.value, NULL, 10) : 0;
}

void swaps_free(swap_list *swaps)
{
	fact_list_free(&swap_facts_layout, swaps);
}
