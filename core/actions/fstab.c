/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/fstab.h"

#include <errno.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/kept.h"

/*
 * TEXT without our lines; everything else as it is. A line of ours without an end stands behind one
 * that had none before.
 */
static char *without_ours(const char *text)
{
	char *rest = memory_new(strlen(text) + 1, 1), *end = rest;

	while (*text) {
		size_t length = strcspn(text, "\n");
		memory_cleanup_free char *line = text_copy_length(text, length);

		length += text[length] == '\n';
		if (!fstab_line_is_ours(line)) {
			memcpy(end, text, length);
			end += length;
		} else if (text[length - 1] != '\n' && end > rest) {
			*--end = '\0';
		}
		text += length;
	}
	return rest;
}

/* The file's text, "" when there is none. */
static int read_fstab(const struct root *root, char **text, struct error *err)
{
	int status = root_read_text(root, FSTAB_PATH, FILE_LIMIT, text, err);

	if (status != -ENOENT)
		return status;
	*text = text_copy("");
	return 0;
}

int fstab_set(const struct root *root, const struct area_facts *area, struct error *err)
{
	memory_cleanup_free char *text = NULL;
	memory_cleanup_free char *line = fstab_line(area);
	memory_cleanup_free char *wanted = NULL;
	int status = read_fstab(root, &text, err);

	if (status < 0)
		return status;
	wanted = without_ours(text);
	if (*wanted && !text_ends(wanted, "\n"))
		text_append(&wanted, "\n%s", line);
	else
		text_append(&wanted, "%s\n", line);
	return root_replace(root, FSTAB_PATH, wanted, 0644, err);
}

int fstab_clear(const struct root *root, struct error *err)
{
	memory_cleanup_free char *text = NULL;
	memory_cleanup_free char *wanted = NULL;
	int status = read_fstab(root, &text, err);

	if (status < 0)
		return status;
	wanted = without_ours(text);
	if (strcmp(wanted, text) == 0)
		return 0;
	if (!*wanted)
		return root_remove(root, FSTAB_PATH, err);
	return root_replace(root, FSTAB_PATH, wanted, 0644, err);
}
