/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/fstab.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/area.h"
#include "core/facts/device_name.h"

/* libmount takes the end of a line of DOS off, as well. */
#define BLANKS " \t\r"

/* ---- One line ---- */

struct fields {
	struct strings words;
	struct strings options;
};

static void fields_free(struct fields *fields)
{
	strings_free(&fields->words);
	strings_free(&fields->options);
}
#define fields_cleanup __attribute__((cleanup(fields_free)))

/* False for a comment, or a line that nobody reads. */
static bool fields_split(struct fields *fields, const char *line)
{
	strings_split(&fields->words, line, BLANKS);
	if (fields->words.count < 3 || *fields->words.items[0] == '#')
		return false;
	if (fields->words.count > 3)
		strings_split(&fields->options, fields->words.items[3], ",");
	return true;
}

static bool is_swap(const struct fields *fields)
{
	return strcmp(fields->words.items[2], "swap") == 0;
}

static bool is_ours(const struct fields *fields)
{
	return strings_contain(&fields->options, FSTAB_MARK);
}

/* Of noauto and auto the last one counts, as for systemd. */
static bool is_noauto(const struct fields *fields)
{
	bool noauto = false;

	for (size_t i = 0; i < fields->options.count; i++) {
		if (strcmp(fields->options.items[i], "noauto") == 0)
			noauto = true;
		else if (strcmp(fields->options.items[i], "auto") == 0)
			noauto = false;
	}
	return noauto;
}

/* Whether it is about AREA as swap. No path is longer than the kernel takes. */
static enum name_match match_of(
	const struct fields *fields, const struct root *root, const struct area_facts *area)
{
	const char *name = fields->words.items[0];

	if (!is_swap(fields) || strlen(name) >= PATH_MAX)
		return NAME_DIFFERS;
	return area_name_match(area, root, name);
}

/* LINE with each option FROM as TO, which is less than twice as long; the caller frees it. */
static char *replace_option(const char *line, const char *from, const char *to)
{
	char *changed = memory_new(2 * strlen(line) + 1, 1), *end = changed;
	const char *at = line + strspn(line, BLANKS);

	for (int field = 1; field < 4; field++) {
		at += strcspn(at, BLANKS);
		at += strspn(at, BLANKS);
	}
	end = mempcpy(end, line, (size_t)(at - line));
	while (*at && !strchr(BLANKS, *at)) {
		size_t length = strcspn(at, "," BLANKS);

		if (length == strlen(from) && memcmp(at, from, length) == 0)
			end = stpcpy(end, to);
		else
			end = mempcpy(end, at, length);
		at += length;
		if (*at == ',')
			*end++ = *at++;
	}
	strcpy(end, at);
	return changed;
}

/* ---- A whole file ---- */

/* The line at *AT, without its end, and *AT moved to the next one; NULL at the end of the text. */
static char *next_line(const char **at)
{
	const char *line = *at;
	size_t length = strcspn(line, "\n");

	if (!*line)
		return NULL;
	*at = line + length + (line[length] == '\n');
	return text_copy_length(line, length);
}

char *fstab_without(const char *text)
{
	char *rest = memory_new(strlen(text) + 1, 1), *end = rest, *line;

	for (const char *at = text; (line = next_line(&at));) {
		fields_cleanup struct fields fields = { 0 };
		memory_cleanup_free char *plain = NULL;
		bool ended = at[-1] == '\n';

		if (!fields_split(&fields, line))
			end = stpcpy(end, line);
		else if (!is_ours(&fields))
			end = stpcpy(
				end, plain = replace_option(line, FSTAB_NOAUTO_MARK, "noauto"));
		else if (!ended && end > rest)
			/* One of ours without an end comes after one that had none before. */
			*--end = '\0';
		if (ended && !is_ours(&fields))
			*end++ = '\n';
		free(line);
	}
	return rest;
}

/* As fstab(5) wants it: what would end the field, and the backslash, become \ooo. */
static char *escape(const char *name)
{
	char *escaped = text_copy("");

	for (; *name; name++)
		if (strchr(" \t\n\\", *name))
			text_append(&escaped, "\\%03o", (unsigned char)*name);
		else
			text_append(&escaped, "%c", *name);
	return escaped;
}

/*
 * The line that setup adds for AREA. nofail: a boot without the swap area is better than none. A
 * device is there by the UUID of its swap header, because NVMe names move between boots.
 */
static char *our_line(const struct area_facts *area)
{
	memory_cleanup_free char *name = escape(area->path.value);

	if (fact_text_is(&area->kind, "device") && area->header_uuid.is == FACT_KNOWN)
		text_set(&name, text_format("UUID=%s", area->header_uuid.value));
	return text_format("%s\tnone\tswap\tsw,nofail," FSTAB_MARK "\t0\t0", name);
}

static char *add_line(const char *text, const struct area_facts *area)
{
	memory_cleanup_free char *line = our_line(area);

	return *text && !text_ends(text, "\n") ? text_format("%s\n%s", text, line)
					       : text_format("%s%s\n", text, line);
}

char *fstab_with(const char *text, const struct root *root, const struct area_facts *area)
{
	memory_cleanup_free char *plain = fstab_without(text), *line = NULL;
	char *with_noauto = NULL;

	for (const char *start = plain, *at = plain; (line = next_line(&at)); start = at) {
		fields_cleanup struct fields fields = { 0 };
		memory_cleanup_free char *owned = line;

		line = NULL;
		if (!fields_split(&fields, owned) || match_of(&fields, root, area) != NAME_MATCHES)
			continue;
		if (!is_noauto(&fields)) {
			free(with_noauto);
			return text_copy(plain);
		}
		if (!with_noauto) {
			memory_cleanup_free char *changed =
				replace_option(owned, "noauto", FSTAB_NOAUTO_MARK);

			with_noauto = text_format("%.*s%s%s", (int)(start - plain), plain, changed,
				start + strlen(owned));
		}
	}
	return with_noauto ? with_noauto : add_line(plain, area);
}

/* ---- Facts ---- */

static void gather_line(
	struct boot_facts *boot, const struct fields *fields, size_t number, enum name_match match)
{
	memory_cleanup_free char *path = NULL;

	if (is_ours(fields) || strings_contain(&fields->options, FSTAB_NOAUTO_MARK))
		fact_set_flag(&boot->our_fstab_entry, true);
	if (fact_is_true(&boot->fstab_entry))
		return;
	if (match == NAME_UNKNOWN)
		fact_set_unknown(fact_of(&boot->fstab_entry),
			"whether %s in line %zu of " FSTAB_PATH " is the swap area is not known",
			fields->words.items[0], number);
	if (match != NAME_MATCHES)
		return;
	path = device_name_path(fields->words.items[0]);
	fact_take_text(&boot->fstab_unit, swap_unit_name(path));
	fact_set_flag(&boot->fstab_noauto, is_noauto(fields));
	if (!is_noauto(fields))
		fact_set_flag(&boot->fstab_entry, true);
}

void fstab_gather(struct boot_facts *boot, const struct root *root, const struct area_facts *area,
	bool *any_swap)
{
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };
	int status = root_read(root, FSTAB_PATH, FSTAB_LIMIT, &text, NULL, &err);
	const char *at = text ? text : "";
	char *line;

	*any_swap = false;
	if (status < 0 && status != -ENOENT) {
		fact_set_unknown(fact_of(&boot->fstab_entry), "%s", err.text);
		fact_set_unknown(fact_of(&boot->fstab_noauto), "%s", err.text);
		fact_set_unknown(fact_of(&boot->fstab_unit), "%s", err.text);
		fact_set_unknown(fact_of(&boot->our_fstab_entry), "%s", err.text);
		return;
	}
	fact_set_flag(&boot->fstab_entry, false);
	fact_set_flag(&boot->fstab_noauto, false);
	fact_set_absent(fact_of(&boot->fstab_unit));
	fact_set_flag(&boot->our_fstab_entry, false);
	for (size_t number = 1; (line = next_line(&at)); number++) {
		fields_cleanup struct fields fields = { 0 };

		if (fields_split(&fields, line)) {
			*any_swap = *any_swap || is_swap(&fields);
			gather_line(boot, &fields, number, match_of(&fields, root, area));
		}
		free(line);
	}
}
