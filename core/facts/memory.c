/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define HUGE_PAGES_FOLDER "/sys/kernel/mm/hugepages"
#define PROCESSES_MOST	  10000 /* looked at: some 20 us each */

/* ---- /proc/meminfo --------------------------------------------------------------------------- */

/* The number after the line's start NAME: in bytes where it says kB; false when there is none. */
static bool line_value(const char *text, const char *name, uint64_t *value)
{
	size_t length = strlen(name);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		char *end;

		line += *line == '\n';
		if (strncmp(line, name, length) != 0 ||
			(line[length] != ':' && line[length] != ' '))
			continue;
		*value = strtoull(line + length + (line[length] == ':'), &end, 10);
		*value *= text_starts(end, " kB") ? KIB : 1;
		return true;
	}
	return false;
}

static uint64_t line_value_or(const char *text, const char *name, uint64_t other)
{
	uint64_t value;

	return line_value(text, name, &value) ? value : other;
}

/* All memory less what NAMES, COUNT of them, say; unknown when one is missing. */
static void memory_less(struct fact_number *fact, uint64_t total, const char *meminfo,
	const char *const *names, size_t count)
{
	uint64_t rest = total, part;

	for (size_t i = 0; i < count; i++) {
		if (!line_value(meminfo, names[i], &part)) {
			fact_set_unknown(fact_of(fact), "/proc/meminfo has no %s", names[i]);
			return;
		}
		rest -= part < rest ? part : rest;
	}
	fact_set_number(fact, rest);
}

/*
 * What an image would hold now: all pages in use but those that the kernel drops first, which are
 * file cache and reclaimable slab (kernel/power/snapshot.c, minimum_image_size).
 */
static void estimate_image(struct memory_facts *memory, const char *meminfo)
{
	static const char *const dropped[] = { "MemFree", "Active(file)", "Inactive(file)",
		"SReclaimable" };

	memory_less(&memory->image_estimate, memory->total.value, meminfo, dropped,
		ARRAY_SIZE(dropped));
}

/*
 * The least that an image can hold, by the same function of the kernel: what is in use and neither
 * on one of the lists from which pages are dropped or swapped out, nor reclaimable slab. So it has
 * huge pages, locked and secret memory, the kernel's own and what drivers took, under whatever name
 * or none.
 */
static void gather_unswappable(struct memory_facts *memory, const char *meminfo)
{
	static const char *const movable[] = { "MemFree", "Active(file)", "Inactive(file)",
		"Active(anon)", "Inactive(anon)", "SReclaimable" };

	memory_less(
		&memory->unswappable, memory->total.value, meminfo, movable, ARRAY_SIZE(movable));
}

/* A line that the kernel has, or has not yet: absent then. */
static void take_line(struct fact_number *fact, const char *text, const char *name)
{
	uint64_t bytes;

	if (line_value(text, name, &bytes))
		fact_set_number(fact, bytes);
	else
		fact_set_absent(fact_of(fact));
}

/* Stacks are also in VmallocUsed where they are mapped there; before Linux 5.3 that said 0. */
static void gather_kernel(struct memory_facts *memory, const char *meminfo)
{
	static const char *const parts[] = { "PageTables", "SecPageTables", "Percpu" };
	uint64_t stacks = line_value_or(meminfo, "KernelStack", 0);
	uint64_t mapped = line_value_or(meminfo, "VmallocUsed", 0), bytes;

	if (!line_value(meminfo, "SUnreclaim", &bytes)) {
		fact_set_unknown(fact_of(&memory->kernel), "/proc/meminfo has no SUnreclaim");
		return;
	}
	bytes += mapped > stacks ? mapped : stacks;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		bytes += line_value_or(meminfo, parts[i], 0);
	fact_set_number(&memory->kernel, bytes);
}

/* What zram and zswap hold: swapped out, but into memory. Pages of zsmalloc, and zswap's others. */
static void gather_compressed(
	struct memory_facts *memory, const struct root *root, const char *meminfo)
{
	memory_cleanup_free char *vmstat = NULL;
	struct error err = { "" };
	uint64_t zswap = line_value_or(meminfo, "Zswap", 0), pages = 0;
	bool known = root_read(root, "/proc/vmstat", FILE_LIMIT, &vmstat, NULL, &err) == 0 &&
		     line_value(vmstat, "nr_zspages", &pages);

	if (!known && zswap == 0) {
		fact_set_absent(fact_of(&memory->compressed));
		return;
	}
	pages *= (uint64_t)sysconf(_SC_PAGESIZE);
	fact_set_number(&memory->compressed, pages > zswap ? pages : zswap);
}

/* ---- Huge pages ------------------------------------------------------------------------------ */

/* The kernel has a folder for each size, hugepages-2048kB, which counts the pools of all nodes. */
static void count_pools(const struct root *root, uint64_t *total, uint64_t *idle)
{
	strings_cleanup struct strings sizes = { 0 };
	struct error ignored = { "" };

	root_list(root, HUGE_PAGES_FOLDER, &sizes, &ignored);
	for (size_t i = 0; i < sizes.count; i++) {
		memory_cleanup_free char *all =
			text_format(HUGE_PAGES_FOLDER "/%s/nr_hugepages", sizes.items[i]);
		memory_cleanup_free char *unused =
			text_format(HUGE_PAGES_FOLDER "/%s/free_hugepages", sizes.items[i]);
		struct fact_number pages = { 0 }, free_pages = { 0 };
		uint64_t size;

		if (!text_starts(sizes.items[i], "hugepages-"))
			continue;
		size = strtoull(sizes.items[i] + strlen("hugepages-"), NULL, 10) * KIB;
		fact_read_number(&pages, root, all);
		fact_read_number(&free_pages, root, unused);
		*total += fact_number_or(&pages, 0) * size;
		*idle += fact_number_or(&free_pages, 0) * size;
		free(pages.why);
		free(free_pages.why);
	}
}

/* Also those that nobody uses: a page that was set aside is not free, and goes into the image. */
static void gather_huge_pages(
	struct memory_facts *memory, const struct root *root, const char *meminfo)
{
	uint64_t size = line_value_or(meminfo, "Hugepagesize", 0), total = 0, idle = 0;
	uint64_t standard = line_value_or(meminfo, "HugePages_Total", 0) * size;
	uint64_t all_sizes = line_value_or(meminfo, "Hugetlb", standard); /* from Linux 4.20 */

	count_pools(root, &total, &idle);
	if (total < all_sizes)
		total = all_sizes;
	if (idle == 0)
		idle = line_value_or(meminfo, "HugePages_Free", 0) * size;
	fact_set_number(&memory->huge_pages, total);
	fact_set_number(&memory->huge_pages_free, idle);
}

/* Whether the last line of TEXT with KEY ("vm.nr_hugepages") gives it another value than 0. */
static bool sets_key(const char *text, const char *key)
{
	strings_cleanup struct strings lines = { 0 };
	bool set = false;

	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		char *line = text_trim(lines.items[i]), *value;

		line += *line == '-'; /* sysctl.d(5): a failure is no matter */
		for (char *slash = line;
			(slash = strchr(slash, '/')) && slash < line + strlen(key);)
			*slash = '.';
		if (!text_starts(line, key))
			continue;
		value = line + strlen(key);
		value += strspn(value, " \t");
		if (*value == '=')
			set = strcmp(text_trim(value + 1), "0") != 0;
	}
	return set;
}

static bool file_sets_pages(const struct root *root, const char *path)
{
	memory_cleanup_free char *text = NULL;
	struct error ignored = { "" };

	return root_read(root, path, FILE_LIMIT, &text, NULL, &ignored) == 0 &&
	       sets_key(text, "vm.nr_hugepages");
}

static bool sysctl_sets_pages(struct fact_text *setting, const struct root *root)
{
	static const char *const folders[] = { "/etc/sysctl.d", "/run/sysctl.d",
		"/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d" };

	if (file_sets_pages(root, "/etc/sysctl.conf")) {
		fact_set_text(setting, "vm.nr_hugepages in /etc/sysctl.conf");
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		strings_cleanup struct strings names = { 0 };
		struct error ignored = { "" };

		root_list(root, folders[i], &names, &ignored);
		for (size_t k = names.count; k-- > 0;) {
			memory_cleanup_free char *path =
				text_format("%s/%s", folders[i], names.items[k]);

			if (!text_ends(path, ".conf") || !file_sets_pages(root, path))
				continue;
			fact_take_text(setting, text_format("vm.nr_hugepages in %s", path));
			return true;
		}
	}
	return false;
}

/* tuned(8) has profiles in four places; /etc comes first. */
static bool tuned_sets_pages(struct fact_text *setting, const struct root *root)
{
	static const char *const folders[] = { "/etc/tuned/profiles", "/etc/tuned",
		"/usr/lib/tuned/profiles", "/usr/lib/tuned" };
	strings_cleanup struct strings profiles = { 0 };
	memory_cleanup_free char *active = NULL;
	struct error ignored = { "" };

	if (root_read(root, "/etc/tuned/active_profile", FILE_LIMIT, &active, NULL, &ignored) < 0)
		return false;
	strings_split(&profiles, active, " \t\n");
	for (size_t i = 0; i < profiles.count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(folders); k++) {
			memory_cleanup_free char *path =
				text_format("%s/%s/tuned.conf", folders[k], profiles.items[i]);

			if (strchr(profiles.items[i], '/') || !file_sets_pages(root, path))
				continue;
			fact_take_text(
				setting, text_format("vm.nr_hugepages of the tuned profile %s",
						 profiles.items[i]));
			return true;
		}
	return false;
}

static bool command_line_sets_pages(struct fact_text *setting, const char *command_line)
{
	strings_cleanup struct strings words = { 0 };

	strings_split_arguments(&words, command_line ? command_line : "");
	for (size_t i = 0; i < words.count; i++)
		if (text_starts(words.items[i], "hugepages=")) {
			fact_take_text(setting,
				text_format("%s on the kernel command line", words.items[i]));
			return true;
		}
	return false;
}

/* Who asked for them; a program that writes to /proc or /sys leaves no trace. */
static void gather_setting(
	struct memory_facts *memory, const struct root *root, const char *command_line)
{
	struct fact_text *setting = &memory->huge_pages_setting;

	fact_set_absent(fact_of(setting));
	if (memory->huge_pages.value == 0 || command_line_sets_pages(setting, command_line) ||
		tuned_sets_pages(setting, root))
		return;
	sysctl_sets_pages(setting, root);
}

/* ---- ZFS ------------------------------------------------------------------------------------- */

/* "NAME TYPE VALUE" in a kstat of the SPL. */
static bool kstat_value(const char *text, const char *name, uint64_t *value)
{
	strings_cleanup struct strings lines = { 0 };

	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		strings_cleanup struct strings words = { 0 };

		strings_split(&words, lines.items[i], " \t");
		if (words.count == 3 && strcmp(words.items[0], name) == 0)
			return number_parse(words.items[2], value) == 0;
	}
	return false;
}

/* The ARC is on no list of the kernel's, but shrinks to its least size when memory is short. */
static void gather_zfs(struct memory_facts *memory, const struct root *root)
{
	memory_cleanup_free char *text = NULL;
	struct error err = { "" };
	uint64_t size, least;
	int status = root_read(root, "/proc/spl/kstat/zfs/arcstats", FILE_LIMIT, &text, NULL, &err);

	fact_set_absent(fact_of(&memory->zfs_cache));
	if (status < 0 && !root_exists(root, "/proc/spl"))
		return;
	if (status < 0 || !kstat_value(text, "size", &size) || !kstat_value(text, "c_min", &least))
		fact_set_unknown(fact_of(&memory->zfs_cache), "%s",
			status < 0 ? err.text
				   : "/proc/spl/kstat/zfs/arcstats has no size and c_min");
	else
		fact_set_number(&memory->zfs_cache, size > least ? size - least : 0);
}

/* ---- Who holds it ---------------------------------------------------------------------------- */

/*
 * What a process keeps in memory: locked (an address range, of which no more than the resident part
 * is there), pinned for a device, and huge pages, which count as neither.
 */
static uint64_t held_by(const char *status)
{
	uint64_t locked = line_value_or(status, "VmLck", 0);
	uint64_t resident = line_value_or(status, "VmRSS", 0);

	return (locked < resident ? locked : resident) + line_value_or(status, "VmPin", 0) +
	       line_value_or(status, "HugetlbPages", 0);
}

/* "postgres (process 812)" from the first line, "Name:\tpostgres"; the kernel escapes the name. */
static char *process_name(const char *status, const char *number)
{
	const char *name = text_starts(status, "Name:\t") ? status + strlen("Name:\t") : "";
	memory_cleanup_free char *shown = text_printable(name, strcspn(name, "\n"));

	return text_format("%s (process %s)", *shown ? shown : "?", number);
}

static void gather_holder(struct memory_facts *memory, const struct root *root)
{
	strings_cleanup struct strings names = { 0 };
	struct error ignored = { "" };
	size_t looked = 0;
	uint64_t most = 0;

	root_list(root, "/proc", &names, &ignored);
	for (size_t i = 0; i < names.count && looked < PROCESSES_MOST; i++) {
		memory_cleanup_free char *path = text_format("/proc/%s/status", names.items[i]);
		memory_cleanup_free char *status = NULL;
		uint64_t held;

		if (!isdigit((unsigned char)*names.items[i]))
			continue;
		looked++;
		if (root_read(root, path, FILE_LIMIT, &status, NULL, &ignored) < 0)
			continue; /* it has ended */
		held = held_by(status);
		if (held <= most)
			continue;
		most = held;
		fact_take_text(&memory->holder, process_name(status, names.items[i]));
		fact_set_number(&memory->holder_bytes, held);
	}
}

/* ---- All of it ------------------------------------------------------------------------------- */

void memory_gather(struct memory_facts *memory, const struct root *root, const char *command_line)
{
	memory_cleanup_free char *meminfo = NULL;
	struct error err = { "" };
	uint64_t bytes;

	if (root_read(root, "/proc/meminfo", FILE_LIMIT, &meminfo, NULL, &err) < 0) {
		layout_set_unknown(&memory_facts_layout, memory, err.text);
		return;
	}
	if (!line_value(meminfo, "MemTotal", &bytes)) {
		layout_set_unknown(&memory_facts_layout, memory, "/proc/meminfo has no MemTotal");
		return;
	}
	fact_set_number(&memory->total, bytes);
	if (line_value(meminfo, "MemAvailable", &bytes)) /* from Linux 3.14 */
		fact_set_number(&memory->available, bytes);
	estimate_image(memory, meminfo);
	gather_unswappable(memory, meminfo);
	take_line(&memory->locked, meminfo, "Mlocked");
	take_line(&memory->unevictable, meminfo, "Unevictable");
	gather_kernel(memory, meminfo);
	gather_compressed(memory, root, meminfo);
	gather_huge_pages(memory, root, meminfo);
	gather_setting(memory, root, command_line);
	gather_zfs(memory, root);
	fact_set_absent(fact_of(&memory->holder));
	fact_set_absent(fact_of(&memory->holder_bytes));
	if (fact_number_or(&memory->unswappable, 0) > memory->total.value / 4)
		gather_holder(memory, root);
}

bool memory_total(const struct root *root, uint64_t *bytes)
{
	memory_cleanup_free char *meminfo = NULL;
	struct error ignored = { "" };

	return root->live &&
	       root_read(root, "/proc/meminfo", FILE_LIMIT, &meminfo, NULL, &ignored) == 0 &&
	       line_value(meminfo, "MemTotal", bytes);
}
