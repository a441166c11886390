/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/at_boot.h"

#include <errno.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

/* The fields of an fstab(5) line and the words of its fourth; false for a comment. */
static bool split_line(const char *line, struct strings *fields, struct strings *options)
{
	strings_split(fields, line, " \t");
	if (fields->count < 3 || *fields->items[0] == '#')
		return false;
	if (fields->count > 3)
		strings_split(options, fields->items[3], ",");
	return true;
}

static bool is_ours(const char *line)
{
	strings_cleanup struct strings fields = { 0 };
	strings_cleanup struct strings options = { 0 };

	return split_line(line, &fields, &options) && strings_contain(&options, FSTAB_MARK);
}

char *fstab_without(const char *text)
{
	char *rest = memory_new(strlen(text) + 1, 1), *end = rest;

	while (*text) {
		size_t length = strcspn(text, "\n");
		memory_cleanup_free char *line = text_copy_length(text, length);

		length += text[length] == '\n';
		if (!is_ours(line)) {
			memcpy(end, text, length);
			end += length;
		} else if (text[length - 1] != '\n' && end > rest) {
			/* One of ours without an end comes after one that had none before. */
			*--end = '\0';
		}
		text += length;
	}
	return rest;
}

/*
 * The line that setup adds for AREA. nofail: a boot without the swap area is better than none. A
 * device is there by the UUID of its swap header, because NVMe names move between boots.
 */
static char *our_line(const struct area_facts *area)
{
	memory_cleanup_free char *name = text_copy(area->path.value);

	if (fact_text_is(&area->kind, "device") && area->header_uuid.is == FACT_KNOWN)
		text_set(&name, text_format("UUID=%s", area->header_uuid.value));
	return text_format("%s\tnone\tswap\tsw,nofail," FSTAB_MARK "\t0\t0", name);
}

char *fstab_with(const char *text, const struct area_facts *area)
{
	memory_cleanup_free char *line = our_line(area);
	char *wanted = fstab_without(text);

	if (*wanted && !text_ends(wanted, "\n"))
		text_append(&wanted, "\n%s", line);
	else
		text_append(&wanted, "%s\n", line);
	return wanted;
}

/* True when PREFIX followed by a known VALUE is SPEC. */
static bool names(const char *spec, const char *prefix, const struct fact_text *value)
{
	memory_cleanup_free char *name = NULL;

	if (value->is != FACT_KNOWN)
		return false;
	name = text_format("%s%s", prefix, value->value);
	return strcmp(spec, name) == 0;
}

/* The first field may name a swap area in several ways. */
static bool names_area(const char *spec, const struct area_facts *area)
{
	const struct device_facts *device = area->devices.items;

	if (names(spec, "", &area->path))
		return true;
	if (!fact_text_is(&area->kind, "device"))
		return false;
	return names(spec, "UUID=", &area->header_uuid) ||
	       names(spec, "LABEL=", &area->header_label) ||
	       (area->devices.count && (names(spec, "/dev/", &device->name) ||
					       names(spec, "PARTUUID=", &device->partuuid)));
}

/* Does this line switch AREA on at boot? */
static bool activates(const char *line, const struct area_facts *area)
{
	strings_cleanup struct strings fields = { 0 };
	strings_cleanup struct strings options = { 0 };

	return split_line(line, &fields, &options) && strcmp(fields.items[2], "swap") == 0 &&
	       names_area(fields.items[0], area) && !strings_contain(&options, "noauto");
}

static void gather_fstab(
	struct boot_facts *boot, const struct root *root, const struct area_facts *area)
{
	memory_cleanup_free char *fstab = NULL;
	strings_cleanup struct strings lines = { 0 };
	struct error err = { "" };
	int status = root_read(root, FSTAB_PATH, FILE_LIMIT, &fstab, NULL, &err);

	if (status < 0 && status != -ENOENT) {
		fact_set_unknown(fact_of(&boot->fstab_entry), "%s", err.text);
		fact_set_unknown(fact_of(&boot->our_fstab_entry), "%s", err.text);
		return;
	}
	fact_set_flag(&boot->fstab_entry, false);
	fact_set_flag(&boot->our_fstab_entry, false);
	strings_split(&lines, fstab ? fstab : "", "\n");
	for (size_t i = 0; i < lines.count; i++) {
		if (activates(lines.items[i], area))
			fact_set_flag(&boot->fstab_entry, true);
		if (is_ours(lines.items[i]))
			fact_set_flag(&boot->our_fstab_entry, true);
	}
}

void at_boot_gather(struct boot_facts *boot, const struct root *root, const struct area_facts *area)
{
	gather_fstab(boot, root, area);
	fact_set_flag(&boot->freeze_timeout_kept, root_exists(root, TMPFILES_PATH));
}
