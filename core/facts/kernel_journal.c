/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/kernel_log.h"

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/library.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-journal.h>

LIBRARY_NOTE(journal_note, "journal", "past hibernations from the journal", "suggested",
	"\"libsystemd.so.0\"");

/* As journalctl writes an id. */
#define BOOT_ID_LENGTH 32

/* clang-format off */
#define JOURNAL_FUNCTIONS(X)                                                                   \
	X(open) X(close) X(add_match) X(flush_matches) X(seek_head) X(next) X(get_data)        \
	X(get_realtime_usec) X(query_unique) X(enumerate_unique)
/* clang-format on */

static struct {
#define X(name) __typeof__(sd_journal_##name) *name;
	JOURNAL_FUNCTIONS(X)
#undef X
} journals;

static const struct library_function functions[] = {
#define X(name) { "sd_journal_" #name, offsetof(__typeof__(journals), name) },
	JOURNAL_FUNCTIONS(X)
#undef X
};

static const struct library library = {
	.title = "libsystemd",
	.names = (const char *const[]) { "libsystemd.so.0", NULL },
	.functions = functions,
	.count = ARRAY_SIZE(functions),
	.remedy = "the package libsystemd0 (Debian, Ubuntu, SUSE) or systemd-libs (Fedora family)",
};

struct boot {
	uint64_t began; /* its first record, us since 1970 */
	char match[sizeof("_BOOT_ID=") + BOOT_ID_LENGTH];
};

struct boots {
	struct boot *items;
	size_t count;
};

static int compare_boots(const void *a, const void *b)
{
	const struct boot *first = a, *second = b;

	return (first->began > second->began) - (first->began < second->began);
}

static int match_boot(sd_journal *journal, const char *match)
{
	int status;

	journals.flush_matches(journal);
	status = journals.add_match(journal, "_TRANSPORT=kernel", 0);
	if (status >= 0)
		status = journals.add_match(journal, match, 0);
	return status < 0 ? status : journals.seek_head(journal);
}

/* All boots of which the journal has lines of the kernel, oldest first. */
static int list_boots(sd_journal *journal, struct boots *boots)
{
	const void *data;
	size_t size;
	int status = journals.query_unique(journal, "_BOOT_ID");

	while (status >= 0 && (status = journals.enumerate_unique(journal, &data, &size)) > 0) {
		struct boot *boot;

		if (size != sizeof(boot->match) - 1)
			continue;
		boots->items = memory_grow(boots->items, boots->count, sizeof(*boots->items));
		boot = &boots->items[boots->count++];
		memcpy(boot->match, data, size);
	}
	for (size_t i = 0; status >= 0 && i < boots->count; i++) {
		struct boot *boot = &boots->items[i];

		status = match_boot(journal, boot->match);
		if (status >= 0)
			status = journals.next(journal);
		if (status > 0)
			status = journals.get_realtime_usec(journal, &boot->began);
	}
	qsort(boots->items, boots->count, sizeof(*boots->items), compare_boots);
	while (boots->count && boots->items[0].began == 0) { /* none of the kernel's */
		boots->count--;
		memmove(boots->items, boots->items + 1, boots->count * sizeof(*boots->items));
	}
	return status;
}

/* The value of a field of the record, the caller frees it; NULL: it has none. */
static char *field_of(sd_journal *journal, const char *name)
{
	const char *data;
	size_t size, skip = strlen(name) + 1;

	if (journals.get_data(journal, name, (const void **)(void *)&data, &size) < 0 ||
		size < skip)
		return NULL;
	return text_copy_length(data + skip, size - skip);
}

/* Each line of a message as one of its own. */
static void give_record(sd_journal *journal, kernel_log_piece *piece, void *data)
{
	memory_cleanup_free char *message = field_of(journal, "MESSAGE");
	memory_cleanup_free char *host = field_of(journal, "_HOSTNAME");
	strings_cleanup struct strings lines = { 0 };
	char stamp[INSTANT_LENGTH];
	uint64_t us = 0;

	if (!message)
		return;
	journals.get_realtime_usec(journal, &us);
	instant_format((int64_t)(us / 1000000), stamp);
	strings_split(&lines, message, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		memory_cleanup_free char *line = text_format("%s %s kernel: %s\n", stamp,
			host && *host ? host : "localhost", lines.items[i]);

		piece(data, line, strlen(line));
	}
}

static int give_boot(
	sd_journal *journal, const struct boot *boot, kernel_log_piece *piece, void *data)
{
	memory_cleanup_free char *head =
		text_format("-- Boot %s --\n", boot->match + strlen("_BOOT_ID="));
	int status = match_boot(journal, boot->match);

	piece(data, head, strlen(head));
	while (status >= 0 && (status = journals.next(journal)) > 0)
		give_record(journal, piece, data);
	return status;
}

static int scan(sd_journal *journal, const int *boot, kernel_log_piece *piece, void *data,
	struct error *err)
{
	struct boots boots = { 0 };
	int status = list_boots(journal, &boots);
	size_t first = 0, last = boots.count;

	if (status >= 0 && boots.count == 0)
		status = error_set(err, ENOENT,
			"the journal has no line of the kernel that you may read; run as root, or see Storage= in journald.conf(5)");
	else if (status < 0)
		error_errno(err, -status, "cannot read the journal");
	if (status >= 0 && boot && (*boot > 0 || (size_t) - *boot >= boots.count))
		status = error_set(err, ENOENT,
			"there is no boot %d in the journal: it has %zu, 0 to -%zu", *boot,
			boots.count, boots.count - 1);
	if (status >= 0 && boot) {
		first = boots.count - 1 - (size_t) - *boot;
		last = first + 1;
	}
	for (size_t i = first; status >= 0 && i < last; i++) {
		status = give_boot(journal, &boots.items[i], piece, data);
		if (status < 0)
			error_errno(err, -status, "cannot read the journal");
	}
	free(boots.items);
	return status < 0 ? status : 0;
}

int kernel_journal_scan(const int *boot, kernel_log_piece *piece, void *data, struct error *err)
{
	sd_journal *journal;
	int status;

	if (!journals.open && library_open(&library, &journals, err) < 0)
		return -ENOENT;
	status = journals.open(&journal, SD_JOURNAL_LOCAL_ONLY);
	if (status < 0)
		return error_errno(err, -status, "cannot open the journal");
	status = scan(journal, boot, piece, data, err);
	journals.close(journal);
	return status;
}
#else
int kernel_journal_scan(const int *boot UNUSED, kernel_log_piece *piece UNUSED, void *data UNUSED,
	struct error *err)
{
	return error_set(err, ENOENT,
		"this ec2hib was built without libsystemd; run: journalctl -k -o short-iso | ec2hib history --log -");
}
#endif
