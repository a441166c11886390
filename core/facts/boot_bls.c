/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/boot_bls.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/facts/boot_grub.h"
#include "core/facts/boot_grub_script.h"
#include "core/facts/boot_text.h"

/* An entry file is a few lines. */
#define ENTRY_LIMIT ((size_t)64 * 1024)

/* "id+3-1.conf" is id: systemd-boot counts attempts to boot in the name. */
static char *id_of(const char *name)
{
	size_t length = strlen(name);
	const char *plus;

	if (text_ends(name, ".conf"))
		length -= strlen(".conf");
	plus = memrchr(name, '+', length);
	if (plus && strspn(plus + 1, "0123456789-") == (size_t)(name + length - plus - 1))
		length = (size_t)(plus - name);
	return text_copy_length(name, length);
}

/* The fields of an entry that matter here; lines of the same key are joined by a blank. */
struct fields {
	char *title;
	char *version;
	char *linux;
	char *initrd;
	char *options;
	char *machine;
	char *sort_key;
};

static void read_field(struct fields *fields, char *line)
{
	const struct {
		const char *key;
		char **value;
	} known[] = {
		{ "title", &fields->title },
		{ "version", &fields->version },
		{ "linux", &fields->linux },
		{ "initrd", &fields->initrd },
		{ "options", &fields->options },
		{ "machine-id", &fields->machine },
		{ "sort-key", &fields->sort_key },
	};

	text_trim(line);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const char *value = line + strlen(known[i].key);

		if (!boot_line_is(line, known[i].key))
			continue;
		value += strspn(value, " \t");
		text_append(known[i].value, "%s%s", *known[i].value ? " " : "", value);
		return;
	}
}

static void read_fields(struct fields *fields, const char *text)
{
	char *line;

	while ((line = boot_next_line(&text))) {
		read_field(fields, line);
		free(line);
	}
}

static void free_fields(struct fields *fields)
{
	free(fields->title);
	free(fields->version);
	free(fields->linux);
	free(fields->initrd);
	free(fields->options);
	free(fields->machine);
	free(fields->sort_key);
}

/* The options of an entry file as they are written; NULL: none. The caller frees it. */
static char *raw_options(const char *text)
{
	struct fields fields = { 0 };
	char *options;

	read_fields(&fields, text);
	options = fields.options;
	fields.options = NULL;
	free_fields(&fields);
	return options;
}

/* What follows the id in a file's name: "+0.conf" or "+0-3.conf" has no attempt left. */
static bool is_exhausted(const char *rest)
{
	size_t zeros = strspn(rest + (*rest == '+'), "0");

	return *rest == '+' && zeros && (rest[1 + zeros] == '-' || rest[1 + zeros] == '.');
}

void boot_bls_parse(
	struct boot_facts *boot, const char *name, const char *text, const char *environment)
{
	memory_cleanup_free char *id = id_of(name), *options = NULL, *initrd = NULL;
	struct fields fields = { 0 };
	struct entry_facts *entry;

	read_fields(&fields, text);
	if (fields.linux) {
		options =
			boot_environment_expand(fields.options ? fields.options : "", environment);
		initrd = boot_environment_expand(fields.initrd ? fields.initrd : "", environment);
		text_trim(options);
		entry = boot_add_entry(boot, id, fields.title ? fields.title : id, fields.linux,
			fields.version, initrd, options);
		fact_set_text(&entry->machine, fields.machine);
		fact_set_text(&entry->sort_key, fields.sort_key);
		fact_set_flag(&entry->exhausted, is_exhausted(name + strlen(id)));
	}
	free_fields(&fields);
}

/* The length of the run of digits, or of letters, that TEXT begins with. */
static size_t segment(const char *text, bool digits)
{
	size_t length = 0;

	while (digits ? isdigit((unsigned char)text[length]) : isalpha((unsigned char)text[length]))
		length++;
	return length;
}

static int compare_segments(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t shorter = a_length < b_length ? a_length : b_length;
	int order = memcmp(a, b, shorter);

	return order ? order : (a_length > b_length) - (a_length < b_length);
}

/* As rpm compares versions (rpmio/rpmvercmp.c): run by run, numbers by value and above letters. */
static int rpm_compare(const char *a, const char *b)
{
	while (*a || *b) {
		bool digits;
		size_t a_length, b_length;
		int order;

		while (*a && !isalnum((unsigned char)*a) && *a != '~')
			a++;
		while (*b && !isalnum((unsigned char)*b) && *b != '~')
			b++;
		if (*a == '~' || *b == '~') {
			if (*a != *b)
				return *a == '~' ? -1 : 1;
			a++;
			b++;
			continue;
		}
		if (!*a || !*b)
			break;
		digits = isdigit((unsigned char)*a);
		a_length = segment(a, digits);
		b_length = segment(b, digits);
		if (b_length == 0)
			return digits ? 1 : -1;
		if (digits) {
			size_t a_zeros = strspn(a, "0"), b_zeros = strspn(b, "0");
			size_t a_size = a_length > a_zeros ? a_length - a_zeros : 0;
			size_t b_size = b_length > b_zeros ? b_length - b_zeros : 0;

			order = (a_size > b_size) - (a_size < b_size);
			if (order == 0)
				order = compare_segments(a + a_zeros, a_size, b + b_zeros, b_size);
		} else {
			order = compare_segments(a, a_length, b, b_length);
		}
		if (order)
			return order;
		a += a_length;
		b += b_length;
	}
	return (*a != '\0') - (*b != '\0');
}

/* Takes off the last part of ID, after a '-'; "" when there is none. ID is cut. */
static const char *cut_part(char *id)
{
	char *dash = strrchr(id, '-');

	if (!dash)
		return "";
	*dash = '\0';
	return dash + 1;
}

/* By name, version and release, as GRUB's blscfg takes file names apart; highest first. */
static int compare_for_grub(const void *a, const void *b)
{
	const struct entry_facts *left = a, *right = b;
	memory_cleanup_free char *x = text_copy(left->id.value), *y = text_copy(right->id.value);
	const char *x_release = cut_part(x), *y_release = cut_part(y);
	const char *x_version = cut_part(x), *y_version = cut_part(y);
	int order = rpm_compare(y, x);

	if (order == 0)
		order = rpm_compare(y_version, x_version);
	return order ? order : rpm_compare(y_release, x_release);
}

/*
 * As systemd-boot orders its menu (The Boot Loader Specification, "Sorting"): what is out of attempts
 * comes last; entries with a sort-key come first, by that, the machine-id and the version; the rest
 * is by file name.
 */
static int compare_for_systemd_boot(const void *a, const void *b)
{
	const struct entry_facts *left = a, *right = b;
	int order = fact_is_true(&left->exhausted) - fact_is_true(&right->exhausted);

	if (order == 0)
		order = (right->sort_key.is == FACT_KNOWN) - (left->sort_key.is == FACT_KNOWN);
	if (order == 0 && left->sort_key.is == FACT_KNOWN) {
		order = strcmp(left->sort_key.value, right->sort_key.value);
		if (order == 0)
			order = strcmp(fact_text_or(&left->machine, ""),
				fact_text_or(&right->machine, ""));
		if (order == 0)
			order = rpm_compare(fact_text_or(&right->version, ""),
				fact_text_or(&left->version, ""));
	}
	return order ? order : rpm_compare(right->id.value, left->id.value);
}

/* Which entry CHOICE means; the first one when it means none. */
static size_t find_choice(const struct boot_facts *boot, const char *choice, bool grub)
{
	uint64_t number;

	if (grub && number_parse(choice, &number) == 0)
		return number < boot->entries.count ? (size_t)number : 0;
	for (size_t i = 0; *choice && i < boot->entries.count; i++) {
		const struct entry_facts *entry = &boot->entries.items[i];
		memory_cleanup_free char *file = text_format("%s.conf", entry->id.value);

		if (grub ? fact_text_is(&entry->id, choice) || fact_text_is(&entry->title, choice)
			 : fnmatch(choice, entry->id.value, 0) == 0 ||
					fnmatch(choice, file, 0) == 0)
			return i;
	}
	return 0;
}

void boot_bls_sort(struct boot_facts *boot, const char *choice, bool grub)
{
	size_t next;

	if (boot->entries.count == 0)
		return;
	qsort(boot->entries.items, boot->entries.count, sizeof(boot->entries.items[0]),
		grub ? compare_for_grub : compare_for_systemd_boot);
	next = find_choice(boot, choice, grub);
	for (size_t i = 0; i < boot->entries.count; i++) {
		struct fact_flag *is_default = &boot->entries.items[i].is_default;

		if (*choice == '@')
			fact_set_unknown(fact_of(is_default),
				"systemd-boot keeps its choice in the firmware");
		else
			fact_set_flag(is_default, i == next);
	}
}

void boot_bls_list(const struct root *root, const char *folder, struct strings *files)
{
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	root_list(root, folder, &names, &err);
	for (size_t i = 0; i < names.count; i++)
		if (text_ends(names.items[i], ".conf"))
			strings_take(files, text_format("%s/%s", folder, names.items[i]));
}

char *boot_bls_folder(const struct root *root)
{
	static const char *const folders[] = { "/boot/loader/entries", "/efi/loader/entries",
		"/boot/efi/loader/entries" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		strings_cleanup struct strings files = { 0 };

		boot_bls_list(root, folders[i], &files);
		if (files.count)
			return text_copy(folders[i]);
	}
	return NULL;
}

static bool boots(const struct boot_search *search)
{
	return search->entries && search->config &&
	       (!search->config_text || strstr(search->config_text, "blscfg"));
}

void boot_bls_read(struct boot_search *search, const struct strings *files, const char *environment)
{
	for (size_t i = 0; i < files->count; i++) {
		memory_cleanup_free char *text =
			boot_search_read(search, files->items[i], ENTRY_LIMIT);

		if (text)
			boot_bls_parse(search->boot, path_name(files->items[i]), text, environment);
	}
}

/* grub.cfg says which of the files is the default. */
void boot_bls_gather(struct boot_search *search)
{
	strings_cleanup struct strings files = { 0 };
	memory_cleanup_free char *choice = NULL;

	if (search->config_text)
		boot_grub_parse(search->boot, search->config_text, search->environment,
			search->firmware.efi, &choice);
	fact_set_text(&search->boot->config, search->entries);
	boot_bls_list(search->root, search->entries, &files);
	boot_bls_read(search, &files, search->environment);
	boot_bls_sort(search->boot, choice ? choice : "", true);
}

#define KERNEL_CMDLINE	      "/etc/kernel/cmdline"
#define KERNEL_CMDLINE_VENDOR "/usr/lib/kernel/cmdline"

/* WORDS of a command line without those that the loader fills in. The caller frees it. */
static char *plain_words(const char *text)
{
	strings_cleanup struct strings words = { 0 }, plain = { 0 };

	strings_split_arguments(&words, text);
	for (size_t i = 0; i < words.count; i++)
		if (*words.items[i] != '$' && !text_starts(words.items[i], "initrd=") &&
			!text_starts(words.items[i], "BOOT_IMAGE="))
			strings_add(&plain, words.items[i]);
	return strings_join(&plain, " ");
}

/* What the file of the default entry has as options; NULL: nothing that starts a system. */
static char *default_options(
	const struct root *root, const struct boot_facts *boot, const struct boot_sources *sources)
{
	const struct entry_facts *next = NULL;
	char *options = NULL;

	for (size_t i = 0; !next && i < boot->entries.count; i++)
		if (fact_is_true(&boot->entries.items[i].is_default))
			next = &boot->entries.items[i];
	for (size_t i = 0; next && i < sources->count; i++) {
		const struct boot_source *source = &sources->items[i];
		memory_cleanup_free char *text = NULL;
		struct error ignored = { "" };

		if (options || !fact_text_is(&next->id, source->id ? source->id : "") ||
			root_read(root, source->file, ENTRY_LIMIT, &text, NULL, &ignored) < 0)
			continue;
		options = raw_options(text);
	}
	return options;
}

/*
 * What kernel-install(8) would take where /etc/kernel/cmdline is missing is the command line of the
 * running system: without our arguments until the next boot, and with them after a teardown. So
 * the file is made, as newer versions of grubby do, from what the default entry has.
 */
static char *initial_cmdline(
	const struct root *root, const struct boot_facts *boot, const struct boot_sources *sources)
{
	memory_cleanup_free char *program = process_find(root, "kernel-install");
	memory_cleanup_free char *text = NULL, *plain = NULL;
	struct error ignored = { "" };

	if (!program)
		return NULL;
	if (root_read(root, KERNEL_CMDLINE_VENDOR, ENTRY_LIMIT, &text, NULL, &ignored) < 0)
		text_set(&text, default_options(root, boot, sources));
	plain = text ? plain_words(text) : NULL;
	return plain && strstr(plain, "root=") ? text_copy(plain) : NULL;
}

void boot_bls_add_entries(
	struct boot_sources *sources, const struct strings *files, const char *variable)
{
	for (size_t i = 0; i < files->count; i++) {
		struct boot_source *source =
			boot_sources_add(sources, text_copy(files->items[i]), "options");

		source->id = id_of(path_name(files->items[i]));
		source->added = true;
		source->variable = variable;
	}
}

void boot_bls_add_cmdline(
	const struct root *root, const struct boot_facts *boot, struct boot_sources *sources)
{
	char *initial = initial_cmdline(root, boot, sources);

	boot_sources_add(sources, text_copy(KERNEL_CMDLINE), "")->initial = initial;
}

/*
 * For kernels that are installed later: kernel-install takes /etc/kernel/cmdline, RHEL 8
 * GRUB's variable kernelopts; grub2-mkconfig makes both from GRUB_CMDLINE_LINUX, and RHEL 9 and
 * Fedora run it when /etc/default/grub is the younger file.
 */
static void list_sources(
	const struct root *root, const struct boot_facts *boot, struct boot_sources *sources)
{
	memory_cleanup_free char *folder = boot_bls_folder(root);
	memory_cleanup_free char *environment = boot_environment_path(root), *text = NULL;
	memory_cleanup_free char *kernelopts = NULL;
	strings_cleanup struct strings files = { 0 };
	struct error ignored = { "" };

	if (environment)
		root_read(root, environment, BOOT_TEXT_LIMIT, &text, NULL, &ignored);
	kernelopts = boot_environment_get(text, "kernelopts");
	if (folder)
		boot_bls_list(root, folder, &files);
	boot_bls_add_entries(sources, &files, kernelopts ? "kernelopts" : NULL);
	if (environment)
		boot_sources_add(sources, text_copy(environment), "kernelopts=");
	boot_sources_add(sources, text_copy(GRUB_DEFAULTS), "")->shell = true;
	if (kernelopts)
		boot_sources_add(sources, text_copy(KERNEL_CMDLINE), "");
	else
		boot_bls_add_cmdline(root, boot, sources);
}

/* The words of a command line that is a file, without its comments. The caller frees it. */
static char *file_words(const char *text)
{
	char *words = text_copy(""), *line;

	while ((line = boot_next_line(&text))) {
		text_trim(line);
		if (*line && *line != '#')
			text_append(&words, "%s%s", *words ? " " : "", line);
		free(line);
	}
	return words;
}

void boot_bls_gather_cmdline(struct boot_search *search)
{
	struct fact_text *fact = &search->boot->settings;
	strings_cleanup struct strings files = { 0 }, texts = { 0 };

	strings_add(&files, KERNEL_CMDLINE);
	strings_add(&files, KERNEL_CMDLINE_VENDOR);
	if (!boot_search_read_all(search, &files, &texts, fact_of(fact)))
		return;
	for (size_t i = 0; i < files.count; i++)
		if (*texts.items[i]) {
			fact_take_text(fact, file_words(texts.items[i]));
			return;
		}
	fact_set_absent(fact_of(fact));
}

static void gather_settings(struct boot_search *search)
{
	memory_cleanup_free char *kernelopts =
		boot_environment_get(search->environment, "kernelopts");

	if (kernelopts && !root_exists(search->root, KERNEL_CMDLINE))
		fact_set_text(&search->boot->settings, kernelopts);
	else
		boot_bls_gather_cmdline(search);
}

const struct boot_loader boot_loader_bls = {
	.name = "bls",
	.where = "in the boot entries",
	.program = &boot_program_grub,
	.boots = boots,
	.gather = boot_bls_gather,
	.sources = list_sources,
	.gather_settings = gather_settings,
};
