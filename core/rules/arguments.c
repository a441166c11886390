/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/arguments.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "core/facts/device_name.h"

const char *const arguments_keys[] = { "resume", "resume_offset", "no_console_suspend", NULL };

/* One word of a command line, and whether it is the "--" after which init's words begin. */
struct word {
	const char *start;
	size_t length;
	bool last;
	bool open; /* its quote does not end: it holds all the rest of the line */
};

/* The next word from *AT on, which moves after it; false at the end. */
static bool next_word(const char **at, struct word *word)
{
	const char *text = *at;
	bool quoted = false;

	while (isspace((unsigned char)*text))
		text++;
	word->start = text;
	for (; *text && (quoted || !isspace((unsigned char)*text)); text++)
		if (*text == '"')
			quoted = !quoted;
	word->length = (size_t)(text - word->start);
	word->open = quoted;
	word->last = word->length == 2 && memcmp(word->start, "--", 2) == 0;
	*at = text;
	return word->length > 0;
}

static bool same_name_character(char a, char b)
{
	return (a == '-' ? '_' : a) == (b == '-' ? '_' : b);
}

/* What follows the name KEY and '=' in a word of LENGTH bytes; NULL: another name. */
static const char *value_in(const char *word, size_t length, const char *key)
{
	const char *end = word + length;

	if (length && *word == '"')
		word++;
	for (; *key; key++, word++)
		if (word == end || !same_name_character(*word, *key))
			return NULL;
	if (word == end || *word == '"')
		return word;
	return *word == '=' ? word + 1 : NULL;
}

/* The value of a word that has KEY, without the quotes. */
static char *word_value(const struct word *word, const char *key)
{
	const char *value = value_in(word->start, word->length, key);
	const char *end = word->start + word->length;

	if (!value)
		return NULL;
	if (value < end && *value == '"')
		value++;
	if (end > value && end[-1] == '"')
		end--;
	return text_copy_length(value, (size_t)(end - value));
}

char *arguments_get(const char *line, const char *key)
{
	struct word word;
	char *found = NULL;

	while (next_word(&line, &word) && !word.last) {
		char *value = word_value(&word, key);

		if (value)
			text_set(&found, value);
	}
	return found;
}

/* Says of a word whether it goes. */
typedef bool word_matches(const struct word *word, const void *data);

/*
 * LINE without the words that MATCHES picks. The gap before a word goes with it, and the white
 * space at both ends of the line stays.
 */
static char *remove_words(const char *line, word_matches *matches, const void *data)
{
	char *result = memory_new(strlen(line) + 1, 1);
	size_t margin = strspn(line, " \t\n\v\f\r"), length = margin;
	const char *at = line, *gap = line;
	bool ended = false;
	struct word word;

	memcpy(result, line, margin);
	for (; next_word(&at, &word); gap = at) {
		ended = ended || word.last;
		if (!ended && matches(&word, data))
			continue;
		if (length == margin)
			gap = word.start;
		memcpy(result + length, gap, (size_t)(at - gap));
		length += (size_t)(at - gap);
	}
	if (length > margin)
		memcpy(result + length, gap, strlen(gap));
	return result;
}

static bool has_any_key(const struct word *word, const void *data)
{
	for (const char *const *key = data; *key; key++)
		if (value_in(word->start, word->length, *key))
			return true;
	return false;
}

char *arguments_remove(const char *line, const char *const *keys)
{
	return remove_words(line, has_any_key, keys);
}

/* The name in "name=value"; the caller frees it. */
static char *key_of(const char *argument)
{
	return text_copy_length(argument, strcspn(argument, "="));
}

/* The initramfs takes all of these, the kernel and init's words only the last one. */
static bool is_list(const char *argument)
{
	return text_starts(argument, "rd.");
}

static bool is_word(const struct word *word, const char *argument)
{
	return word->length == strlen(argument) && memcmp(word->start, argument, word->length) == 0;
}

static bool has_wanted_key(const struct word *word, const void *data)
{
	const struct strings *wanted = data;

	for (size_t i = 0; i < wanted->count; i++) {
		memory_cleanup_free char *key = key_of(wanted->items[i]);

		if (is_list(key) ? is_word(word, wanted->items[i])
				 : value_in(word->start, word->length, key) != NULL)
			return true;
	}
	return has_any_key(word, arguments_keys);
}

/* "no_console_suspend" alone is a switch: it means the same with "=1". */
static bool same_value(const char *a, const char *b)
{
	return strcmp(*a ? a : "1", *b ? b : "1") == 0;
}

/* True when LINE has ARGUMENT once, with its value, and its key nowhere else. */
static bool says(const char *line, const char *argument)
{
	memory_cleanup_free char *key = key_of(argument);
	const char *value = argument + strlen(key);
	size_t count = 0;
	struct word word;
	bool same = true;

	if (*value == '=')
		value++;
	while (next_word(&line, &word) && !word.last) {
		if (is_list(argument)) {
			count = is_word(&word, argument) ? 1 : count;
			continue;
		}
		memory_cleanup_free char *there = word_value(&word, key);

		if (!there)
			continue;
		count++;
		same = same && same_value(there, value);
	}
	return count == 1 && same;
}

static bool is_wanted(const char *key, const struct strings *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (value_in(wanted->items[i], strlen(wanted->items[i]), key))
			return true;
	return false;
}

bool arguments_complete(const char *line, const struct strings *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (!says(line, wanted->items[i]))
			return false;
	for (const char *const *key = arguments_keys; *key; key++) {
		memory_cleanup_free char *stale = arguments_get(line, *key);

		if (stale && !is_wanted(*key, wanted))
			return false;
	}
	return true;
}

/* Where in LINE new words belong: before a "--" or an open quote, else after the last word. */
static size_t end_of_arguments(const char *line)
{
	const char *at = line;
	size_t end = strspn(line, " \t\n\v\f\r");
	struct word word;

	while (next_word(&at, &word) && !word.last && !word.open)
		end = (size_t)(at - line);
	return end;
}

char *arguments_replace(const char *line, const struct strings *wanted)
{
	memory_cleanup_free char *rest = NULL, *added = NULL;
	const char *tail;
	size_t end;

	if (arguments_complete(line, wanted))
		return text_copy(line);
	rest = remove_words(line, has_wanted_key, wanted);
	added = strings_join(wanted, " ");
	end = end_of_arguments(rest);
	tail = rest + end + strspn(rest + end, " \t\n\v\f\r");
	return text_format("%.*s%s%s%s%s", (int)end, rest,
		end && wanted->count && !isspace((unsigned char)rest[end - 1]) ? " " : "", added,
		*tail ? " " : "", tail);
}

/* ---- What the initramfs opens ---- */

/* Adds the values of all arguments KEY of LINE, which may be NULL. */
static void add_values(struct strings *values, const char *line, const char *key)
{
	struct word word;

	while (line && next_word(&line, &word) && !word.last) {
		char *value = word_value(&word, key);

		if (value)
			strings_take(values, value);
	}
}

/* Of the command line of the next boot and of what its initramfs adds, whatever has one of KEYS. */
static void named(struct strings *values, const struct facts *facts, const char *line,
	const char *const *keys)
{
	for (; *keys; keys++) {
		add_values(values, facts->boot.initramfs_arguments.value, *keys);
		add_values(values, line, *keys);
	}
}

/*
 * "rhel/swap" of "rhel-swap": a '-' within a name is doubled (dmsetup(8), splitname). NULL: it is
 * none.
 */
static char *volume_of(const char *mapper)
{
	char *volume = memory_new(strlen(mapper) + 1, 1), *end = volume;
	bool split = false;

	for (const char *at = mapper; *at; at++) {
		if (*at == '-' && at[1] == '-') {
			*end++ = *at++;
		} else if (*at == '-' && !split) {
			*end++ = '/';
			split = true;
		} else {
			*end++ = *at;
		}
	}
	if (split)
		return volume;
	free(volume);
	return NULL;
}

/* HEX digits, 32 of them, as a UUID is written; anything else as it is. */
static char *dashed_uuid(const char *hex, size_t length)
{
	if (length != 32)
		return text_copy_length(hex, length);
	return text_format("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* The UUID in "CRYPT-LUKS2-UUID-NAME"; NULL: it is not LUKS. */
static char *luks_uuid(const struct device_facts *device)
{
	const char *identity = fact_text_or(&device->mapper_uuid, ""), *uuid;

	if (!text_starts(identity, "CRYPT-LUKS"))
		return NULL;
	uuid = strchr(identity + strlen("CRYPT-"), '-');
	return uuid && uuid[1] ? dashed_uuid(uuid + 1, strcspn(uuid + 1, "-")) : NULL;
}

/* A UUID without what different tools put between its digits. */
static char *bare_uuid(const char *uuid)
{
	char *bare = text_copy(uuid), *end = bare;

	for (; *uuid; uuid++)
		if (!strchr("-:", *uuid))
			*end++ = (char)tolower((unsigned char)*uuid);
	*end = '\0';
	return bare;
}

/*
 * The UUID of a software RAID as mdadm writes it; the caller frees it, NULL: not known. Its members
 * have it: those come after it in the list.
 */
static char *raid_uuid(const struct facts *facts, const struct device_facts *device)
{
	const device_list *list = &facts->area.devices;

	for (size_t i = (size_t)(device - list->items) + 1; i < list->count; i++) {
		memory_cleanup_free char *bare = NULL;

		if (!fact_text_is(&list->items[i].holds, "linux_raid_member") ||
			list->items[i].uuid.is != FACT_KNOWN)
			continue;
		bare = bare_uuid(list->items[i].uuid.value);
		if (strlen(bare) == 32)
			return text_format(
				"%.8s:%.8s:%.8s:%.8s", bare, bare + 8, bare + 16, bare + 24);
	}
	return NULL;
}

static char *device_argument(const struct facts *facts, const struct device_facts *device)
{
	memory_cleanup_free char *volume = NULL, *uuid = NULL;

	if (fact_text_is(&device->kind, KIND_LVM) && device->mapper.is == FACT_KNOWN) {
		volume = volume_of(device->mapper.value);
		return volume ? text_format("rd.lvm.lv=%s", volume) : NULL;
	}
	if (fact_text_is(&device->kind, KIND_CRYPT)) {
		uuid = luks_uuid(device);
		return uuid ? text_format("rd.luks.uuid=luks-%s", uuid) : NULL;
	}
	if (!fact_text_is(&device->kind, KIND_RAID))
		return NULL;
	uuid = raid_uuid(facts, device);
	return uuid ? text_format("rd.md.uuid=%s", uuid) : NULL;
}

/* True when VALUE, of rd.lvm.lv= and the like, names what ARGUMENT does. */
static bool names_device(const char *value, const char *argument)
{
	const char *wanted = strchr(argument, '=') + 1;
	memory_cleanup_free char *a = NULL, *b = NULL;

	if (text_starts(argument, "rd.lvm.lv="))
		return strcmp(value, wanted) == 0 ||
		       (!strchr(value, '/') && text_starts(wanted, value) &&
			       wanted[strlen(value)] == '/');
	if (text_starts(value, "keysource:"))
		return false;
	value += text_starts(value, "luks-") ? strlen("luks-") : 0;
	wanted += text_starts(wanted, "luks-") ? strlen("luks-") : 0;
	/* A beginning is enough, and rd.luks.name= goes on with the name (dracut.cmdline(7)). */
	a = text_copy_length(value, strcspn(value, "="));
	text_set(&a, bare_uuid(a));
	b = bare_uuid(wanted);
	return *a && strstr(b, a);
}

/* What dracut takes for one kind of device. */
struct opener {
	const char *kind;
	const char *off;
	const char *const *names;
	const char *const *others; /* names that the facts cannot compare */
};

static const struct opener openers[] = {
	{ KIND_LVM, "rd.lvm",
		(const char *const[]) { "rd.lvm.lv", "rd_LVM_LV", "rd.lvm.vg", "rd_LVM_VG", NULL },
		(const char *const[]) { NULL } },
	{ KIND_CRYPT, "rd.luks",
		(const char *const[]) { "rd.luks.uuid", "rd_LUKS_UUID", "rd.luks.name", "luks.uuid",
			"luks.name", NULL },
		(const char *const[]) { "rd.luks.partuuid", "rd.luks.serial", NULL } },
	{ KIND_RAID, "rd.md", (const char *const[]) { "rd.md.uuid", "rd_MD_UUID", NULL },
		(const char *const[]) { NULL } },
};

static const struct opener *opener_of(const struct device_facts *device)
{
	for (size_t i = 0; i < ARRAY_SIZE(openers); i++)
		if (fact_text_is(&device->kind, openers[i].kind))
			return &openers[i];
	return NULL;
}

/* As getargbool of dracut: the last one counts, and "0", "no" and "off" are no. */
static bool is_off(const char *value)
{
	return strcmp(value, "0") == 0 || strcmp(value, "no") == 0 || strcmp(value, "off") == 0;
}

static bool is_switched(
	const struct facts *facts, const char *line, const char *key, bool otherwise)
{
	strings_cleanup struct strings values = { 0 };

	named(&values, facts, line, (const char *const[]) { key, NULL });
	return values.count ? !is_off(values.items[values.count - 1]) : otherwise;
}

static bool is_in_crypttab(const struct facts *facts, const struct device_facts *device)
{
	strings_cleanup struct strings names = { 0 };

	strings_split(&names, fact_text_or(&facts->boot.initramfs_opens, ""), " ");
	return device->mapper.is == FACT_KNOWN && strings_contain(&names, device->mapper.value);
}

/* With LINE as the command line. */
static enum opening dracut_opening(
	const struct facts *facts, const struct device_facts *device, const char *line)
{
	const struct opener *opener = opener_of(device);
	memory_cleanup_free char *argument = device_argument(facts, device);
	strings_cleanup struct strings values = { 0 }, others = { 0 };

	if (!is_switched(facts, line, opener->off, true))
		return OPENING_OFF;
	named(&values, facts, line, opener->names);
	named(&others, facts, line, opener->others);
	for (size_t i = 0; argument && i < values.count; i++)
		if (names_device(values.items[i], argument))
			return OPENING_YES;
	if (others.count || (!argument && values.count))
		return OPENING_UNKNOWN;
	if (values.count)
		return OPENING_NOT_NAMED;
	if (is_in_crypttab(facts, device) || is_switched(facts, line, "rd.auto", false))
		return OPENING_YES;
	return OPENING_NONE_NAMED;
}

/* The command line of the next boot; NULL: it is not known. */
static const char *next_line(const struct facts *facts)
{
	const struct entry_facts *next = facts_next_entry(facts);

	return next && next->arguments.is == FACT_KNOWN ? next->arguments.value : NULL;
}

static bool is_made_by(const struct boot_facts *boot, const char *tool)
{
	return boot->initramfs_maker.is == FACT_KNOWN ? fact_text_is(&boot->initramfs_maker, tool)
						      : fact_text_is(&boot->initramfs_tool, tool);
}

enum opening area_device_opening(const struct facts *facts, const struct device_facts *device)
{
	const char *line = next_line(facts);

	if (is_made_by(&facts->boot, "dracut") && line)
		return dracut_opening(facts, device, line);
	if (!is_made_by(&facts->boot, INITRAMFS_TOOLS))
		return OPENING_UNKNOWN;
	if (!fact_text_is(&device->kind, KIND_CRYPT))
		return OPENING_YES;
	if (facts->boot.initramfs_opens.is == FACT_UNKNOWN || device->mapper.is != FACT_KNOWN)
		return OPENING_UNKNOWN;
	return is_in_crypttab(facts, device) ? OPENING_YES : OPENING_NOT_NAMED;
}

char *area_device_argument(const struct facts *facts, const struct device_facts *device)
{
	return is_made_by(&facts->boot, "dracut") ? device_argument(facts, device) : NULL;
}

bool area_device_needs_opening(const struct facts *facts, const struct device_facts *device)
{
	const device_list *root = &facts->root.devices;

	if (!opener_of(device))
		return false;
	/* What the system has started from was opened. */
	for (size_t i = 0; i < root->count; i++)
		if (text_equal(root->items[i].number.value, device->number.value))
			return false;
	return true;
}

static bool is_argument(const struct word *word, const void *argument)
{
	return is_word(word, argument);
}

/* What dracut has to be told: a line that has it already for this reason keeps it. */
static void add_openers(const struct facts *facts, struct strings *wanted)
{
	const device_list *devices = &facts->area.devices;
	const char *line = next_line(facts);

	for (size_t i = 0; line && i < devices->count; i++) {
		const struct device_facts *device = &devices->items[i];
		memory_cleanup_free char *argument = NULL, *without = NULL;

		if (!area_device_needs_opening(facts, device))
			continue;
		argument = area_device_argument(facts, device);
		if (!argument)
			continue;
		without = remove_words(line, is_argument, argument);
		if (dracut_opening(facts, device, without) == OPENING_NOT_NAMED)
			strings_take(wanted, text_copy(argument));
	}
}

bool arguments_wanted(const struct facts *facts, struct strings *wanted)
{
	const struct area_facts *area = &facts->area;
	bool device = fact_text_is(&area->kind, "device");

	if (area->kind.is != FACT_KNOWN || area->resume_argument.is != FACT_KNOWN)
		return false;
	if (!device && area->resume_offset.is != FACT_KNOWN)
		return false;
	strings_take(wanted, text_format("resume=%s", area->resume_argument.value));
	if (!device)
		strings_take(
			wanted, text_format("resume_offset=%" PRIu64, area->resume_offset.value));
	strings_add(wanted, "no_console_suspend=1");
	add_openers(facts, wanted);
	return true;
}

/*
 * One name for what udev's links and tags name alike: UUID=x for /dev/disk/by-uuid/X. The caller
 * frees it; NULL for NULL.
 */
static char *device_name(const char *value)
{
	static const char *const tags[][2] = { { "/dev/disk/by-uuid/", "UUID" },
		{ "/dev/disk/by-partuuid/", "PARTUUID" }, { "/dev/disk/by-label/", "LABEL" },
		{ "/dev/disk/by-partlabel/", "PARTLABEL" } };
	char *name = text_copy(value);

	for (size_t i = 0; value && i < ARRAY_SIZE(tags); i++)
		if (text_starts(value, tags[i][0]))
			text_set(&name,
				text_format("%s=%s", tags[i][1], value + strlen(tags[i][0])));
	if (name && (text_starts(name, "UUID=") || text_starts(name, "PARTUUID=")))
		for (char *at = strchr(name, '='); *at; at++)
			*at = (char)tolower((unsigned char)*at);
	return name;
}

/* What a command line mounts as root; the caller frees it, NULL: it does not say. */
static char *root_in(const char *line)
{
	memory_cleanup_free char *value = line ? arguments_get(line, "root") : NULL;

	return device_name(value);
}

static const struct entry_facts *default_entry(const struct boot_facts *boot)
{
	for (size_t i = 0; i < boot->entries.count; i++)
		if (fact_is_true(&boot->entries.items[i].is_default))
			return &boot->entries.items[i];
	return NULL;
}

/* True when the root file system is known to have the name NAME. */
static bool is_root_name(const struct boot_facts *boot, const char *name)
{
	strings_cleanup struct strings names = { 0 };

	strings_split(&names, fact_text_or(&boot->root_names, ""), " ");
	for (size_t i = 0; name && i < names.count; i++) {
		memory_cleanup_free char *other = device_name(names.items[i]);

		if (strcmp(other, name) == 0)
			return true;
	}
	return false;
}

/* True when NAME is of a kind by which the root file system is known, but another one. */
static bool is_other_root(const struct boot_facts *boot, const char *name)
{
	strings_cleanup struct strings names = { 0 };
	size_t tag = strcspn(name, "=");
	bool other = false;

	strings_split(&names, fact_text_or(&boot->root_names, ""), " ");
	for (size_t i = 0; name[tag] && i < names.count; i++) {
		memory_cleanup_free char *known = device_name(names.items[i]);

		if (strcmp(known, name) == 0)
			return false;
		other = other || strncmp(known, name, tag + 1) == 0;
	}
	return other;
}

/* Is there an entry whose root= is known to be the root file system? */
static bool root_is_named(const struct boot_facts *boot)
{
	bool found = false;

	for (size_t i = 0; !found && i < boot->entries.count; i++) {
		memory_cleanup_free char *root = root_in(boot->entries.items[i].arguments.value);

		found = is_root_name(boot, root);
	}
	return found;
}

bool arguments_are_of_this_system(const struct boot_facts *boot, const char *line)
{
	const struct entry_facts *next = default_entry(boot);
	memory_cleanup_free char *its_root = root_in(line), *root = NULL;

	if (is_root_name(boot, its_root))
		return true;
	if (next)
		root = root_in(next->arguments.value);
	if (!root)
		return true;
	/* The default entry may be another system's, where one of ours is known. */
	if (is_other_root(boot, root) && root_is_named(boot))
		return false;
	return text_equal(root, its_root);
}

static char *flags_of(const struct entry_facts *entry)
{
	return entry->arguments.value ? arguments_get(entry->arguments.value, "rootflags") : NULL;
}

bool entry_is_of_this_system(const struct boot_facts *boot, const struct entry_facts *entry)
{
	const struct entry_facts *next = default_entry(boot);
	memory_cleanup_free char *root = NULL, *flags = NULL, *its_flags = NULL;
	bool both;

	if (!next || entry->arguments.is == FACT_UNKNOWN)
		return true;
	both = next->machine.is == FACT_KNOWN && entry->machine.is == FACT_KNOWN;
	root = root_in(entry->arguments.value);
	if (!root && both)
		return text_equal(next->machine.value, entry->machine.value);
	if (!arguments_are_of_this_system(boot, fact_text_or(&entry->arguments, "")))
		return false;
	/* Systems in subvolumes of one file system; snapshots of this one have its machine-id. */
	flags = flags_of(next);
	its_flags = flags_of(entry);
	return !both || text_equal(next->machine.value, entry->machine.value) ||
	       text_equal(flags, its_flags);
}

bool arguments_in_entries(const struct boot_facts *boot, const struct strings *wanted)
{
	for (size_t i = 0; i < boot->entries.count; i++) {
		const struct entry_facts *entry = &boot->entries.items[i];

		if (!entry_is_of_this_system(boot, entry))
			continue;
		if (entry->arguments.is == FACT_UNKNOWN ||
			!arguments_complete(
				entry->arguments.value ? entry->arguments.value : "", wanted))
			return false;
	}
	return boot->entries.count > 0;
}

bool arguments_of_this_boot(const struct facts *facts, const struct strings *wanted)
{
	const struct fact_text *line = &facts->kernel.command_line;

	if (line->is != FACT_KNOWN)
		return false;
	for (size_t i = 0; i < wanted->count; i++) {
		const char *argument = wanted->items[i];
		size_t length = strcspn(argument, "=");
		memory_cleanup_free char *key = text_copy_length(argument, length);
		memory_cleanup_free char *value = arguments_get(line->value, key);

		if (text_starts(key, "resume") && !text_equal(value, argument + length + 1))
			return false;
	}
	return true;
}

/* "/dev/disk/by-uuid/..." of "UUID=..."; the caller frees it. */
static char *device_path(const char *value)
{
	if (text_starts(value, "UUID="))
		return text_format("/dev/disk/by-uuid/%s", value + strlen("UUID="));
	if (text_starts(value, "PARTUUID="))
		return text_format("/dev/disk/by-partuuid/%s", value + strlen("PARTUUID="));
	return text_copy(value);
}

/* An old offset has to go where the words only add. */
static void add_stale(const struct facts *facts, const struct boot_manual *manual, char **words)
{
	const struct entry_facts *next = facts_next_entry(facts);

	if (!next || next->arguments.is != FACT_KNOWN)
		return;
	for (const char *const *key = arguments_keys; *key; key++) {
		memory_cleanup_free char *value = arguments_get(next->arguments.value, *key);
		memory_cleanup_free char *argument =
			value ? text_format("%s=%s", *key, value) : NULL;

		if (argument && *value && !strstr(*words, argument))
			text_append(words, "%s%s", manual->replace, argument);
	}
}

static char *manual_words(
	const struct facts *facts, const struct boot_manual *manual, const char *arguments)
{
	char *words = text_format("%s%s%s", manual->before, arguments, manual->after);

	if (manual->replace)
		add_stale(facts, manual, &words);
	if (manual->device_before && facts->area.resume_argument.is == FACT_KNOWN) {
		memory_cleanup_free char *device = device_path(facts->area.resume_argument.value);

		text_append(&words, "%s%s%s", manual->device_before, device, manual->device_after);
	}
	return words;
}

char *arguments_by_hand(const struct facts *facts, const struct strings *wanted)
{
	const struct boot_loader *loader = boot_loader_of(&facts->boot);
	const struct boot_manual *manual = loader ? loader->manual : NULL;
	memory_cleanup_free char *arguments = strings_join(wanted, manual ? manual->between : " ");

	if (facts->boot.unmounted.is == FACT_KNOWN)
		return text_format("mount %s, then run: ec2hib setup", facts->boot.unmounted.value);
	if (manual)
		return manual_words(facts, manual, arguments);
	return text_format("add to the kernel command line: %s", arguments);
}

bool arguments_plain(const struct strings *arguments)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=:/.,+@%";

	for (size_t i = 0; i < arguments->count; i++)
		if (!*arguments->items[i] ||
			arguments->items[i][strspn(arguments->items[i], plain)])
			return false;
	return true;
}

/* "259:1" */
static bool is_device_number(const char *value)
{
	size_t major = strspn(value, "0123456789");
	size_t minor = value[major] == ':' ? strspn(value + major + 1, "0123456789") : 0;

	return major && minor && !value[major + 1 + minor];
}

enum resume_kind resume_value_kind(const char *value)
{
	static const struct {
		const char *prefix;
		enum resume_kind kind;
	} tags[] = {
		{ "PARTUUID=", RESUME_PARTUUID },
		{ "PARTLABEL=", RESUME_PARTLABEL },
		{ "UUID=", RESUME_UUID },
		{ "LABEL=", RESUME_LABEL },
	};

	if (!value || !*value)
		return RESUME_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (text_starts(value, tags[i].prefix))
			return tags[i].kind;
	if (strcmp(value, "/dev/root") == 0)
		return RESUME_DEV_ROOT;
	if (text_starts(value, "/dev/") && value[5])
		return strchr(value + 5, '/') ? RESUME_LINK : RESUME_DEVICE;
	if (*value == '/')
		return RESUME_PATH;
	return is_device_number(value) ? RESUME_NUMBER : RESUME_OTHER;
}

bool resume_value_needs_initramfs(const char *value)
{
	enum resume_kind kind = resume_value_kind(value);

	return kind == RESUME_UUID || kind == RESUME_LABEL || kind == RESUME_LINK;
}

bool initramfs_setting_fits(const struct facts *facts)
{
	static const char *const harmless[] = { "", "auto", "none" };
	const struct fact_text *setting = &facts->boot.initramfs_setting;

	if (setting->is != FACT_KNOWN)
		return true;
	/* Then it tells the hooks which device's drivers and keys the image needs. */
	if (strcmp(setting->value, "none") == 0 && fact_text_is(&facts->area.kind, "device"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (strcmp(setting->value, harmless[i]) == 0)
			return true;
	if (text_equal(setting->value, facts->area.resume_argument.value))
		return true;
	return facts->area.devices.count &&
	       device_name_match(setting->value, facts->area.devices.items) == NAME_MATCHES;
}

bool initramfs_can_resume(const struct facts *facts)
{
	return fact_is_true(&facts->boot.initramfs_resume) && initramfs_setting_fits(facts);
}

bool initramfs_is_set_up(const struct facts *facts)
{
	const struct boot_facts *boot = &facts->boot;

	if (boot->initramfs_resume.is == FACT_UNKNOWN)
		return fact_is_true(&boot->our_initramfs) && fact_is_true(&boot->initramfs_lasts) &&
		       initramfs_setting_fits(facts);
	return initramfs_can_resume(facts) && !fact_is_false(&boot->initramfs_lasts);
}
