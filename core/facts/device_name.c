/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/device_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sysmacros.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* ---- What a name says ---- */

/* A tag, and the folder in which udev has a link for each value of it. */
static const struct tag {
	const char *name; /* with the = */
	const char *folder;
} tags[] = {
	{ "UUID=", "/dev/disk/by-uuid/" },
	{ "LABEL=", "/dev/disk/by-label/" },
	{ "PARTUUID=", "/dev/disk/by-partuuid/" },
	{ "PARTLABEL=", "/dev/disk/by-partlabel/" },
	{ "ID=", "/dev/disk/by-id/" },
};

/* Takes one pair of quotes off, in place. */
static char *unquote(char *text)
{
	size_t length = strlen(text);

	if (length < 2 || (*text != '"' && *text != '\'') || text[length - 1] != *text)
		return text;
	text[length - 1] = '\0';
	return text + 1;
}

/* The tag of NAME, or NULL, and its *VALUE, which the caller frees. */
static const struct tag *tag_of(const char *name, char **value)
{
	memory_cleanup_free char *copy = text_copy(name);
	char *text;

	text_unescape_octal(copy);
	text = unquote(copy);
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		if (text_starts(text, tags[i].name)) {
			*value = text_copy(unquote(text + strlen(tags[i].name)));
			return &tags[i];
		}
		if (text_starts(text, tags[i].folder)) {
			*value = text_copy(text + strlen(tags[i].folder));
			text_unescape_hex(*value);
			return &tags[i];
		}
	}
	*value = text_copy(text);
	return NULL;
}

/* As udev writes a value into the name of a link: what is special there becomes \xhh. */
static char *encode(const char *value)
{
	static const char plain[] = "#+-.:=@_";
	char *encoded = text_copy("");

	for (; *value; value++)
		if (isalnum((unsigned char)*value) || strchr(plain, *value) ||
			(unsigned char)*value >= 0x80)
			text_append(&encoded, "%c", *value);
		else
			text_append(&encoded, "\\x%02x", (unsigned char)*value);
	return encoded;
}

char *device_name_path(const char *name)
{
	memory_cleanup_free char *value = NULL, *encoded = NULL;
	const struct tag *tag = tag_of(name, &value);

	if (!tag)
		return text_copy(value);
	encoded = encode(value);
	return text_format("%s%s", tag->folder, encoded);
}

char *swap_unit_name(const char *path)
{
	char *name = text_copy("");

	for (bool first = true; *path; path++) {
		bool plain = isalnum((unsigned char)*path) || *path == '_' || *path == ':' ||
			     (*path == '.' && !first);

		if (*path != '/')
			text_append(&name, plain ? "%c" : "\\x%02x", (unsigned char)*path);
		else if (!first && path[strspn(path, "/")] && path[1] != '/')
			text_append(&name, "-");
		first = first && *path == '/';
	}
	text_append(&name, "%s.swap", *name ? "" : "-");
	return name;
}

/* ---- Whether it means a device ---- */

static enum name_match fact_match(const struct fact_text *fact, const char *value, bool any_case)
{
	if (fact->is == FACT_UNKNOWN)
		return NAME_UNKNOWN;
	if (fact->is == FACT_ABSENT)
		return NAME_DIFFERS;
	return (any_case ? strcasecmp(fact->value, value) : strcmp(fact->value, value)) == 0
		       ? NAME_MATCHES
		       : NAME_DIFFERS;
}

static enum name_match tag_match(
	const struct tag *tag, const char *value, const struct device_facts *device)
{
	if (strcmp(tag->name, "UUID=") == 0)
		return fact_match(&device->uuid, value, true);
	if (strcmp(tag->name, "LABEL=") == 0)
		return fact_match(&device->label, value, false);
	if (strcmp(tag->name, "PARTLABEL=") == 0)
		return fact_match(&device->partlabel, value, false);
	/* PARTUUID=.../PARTNROFF=1: another partition of the same disk. */
	return strchr(value, '/') ? NAME_UNKNOWN : fact_match(&device->partuuid, value, true);
}

/* LVM joins group and volume with a dash, and doubles those that they have themselves. */
static char *mapper_of_volume(const char *group_and_volume)
{
	char *mapper = text_copy("");

	for (const char *at = group_and_volume; *at; at++)
		text_append(&mapper, "%s",
			*at == '/'   ? "-"
			: *at == '-' ? "--"
				     : (char[]) { *at, 0 });
	return mapper;
}

static bool links_have(const struct device_facts *device, const char *path)
{
	strings_cleanup struct strings links = { 0 };

	strings_split(&links, fact_text_or(&device->links, ""), " ");
	return strings_contain(&links, path);
}

/* The kernel's name; sysfs has ! for / in it. */
static bool is_kernel_name(const struct device_facts *device, const char *name)
{
	memory_cleanup_free char *own = text_copy(fact_text_or(&device->name, ""));

	for (char *bang = own; (bang = strchr(bang, '!'));)
		*bang = '/';
	return strcmp(own, name) == 0;
}

static enum name_match path_match(const char *path, const struct device_facts *device)
{
	static const char dev[] = "/dev/", mapper[] = "/dev/mapper/";
	memory_cleanup_free char *plain = text_copy(path), *volume = NULL;

	if (!text_starts(path, dev))
		return NAME_DIFFERS;
	if (links_have(device, path) || is_kernel_name(device, path + strlen(dev)))
		return NAME_MATCHES;
	text_unescape_hex(plain);
	if (text_starts(plain, mapper) && device->mapper.is != FACT_UNKNOWN)
		return fact_match(&device->mapper, plain + strlen(mapper), false);
	volume = mapper_of_volume(plain + strlen(dev));
	if (fact_text_is(&device->kind, KIND_LVM) && fact_text_is(&device->mapper, volume))
		return NAME_MATCHES;
	return device->links.is == FACT_UNKNOWN ? NAME_UNKNOWN : NAME_DIFFERS;
}

static bool is_number(const char *name)
{
	size_t major = strspn(name, "0123456789");
	size_t minor = name[major] == ':' ? strspn(name + major + 1, "0123456789") : 0;

	return major && minor && !name[major + 1 + minor];
}

enum name_match device_name_match(const char *name, const struct device_facts *device)
{
	memory_cleanup_free char *value = NULL, *path = NULL;
	const struct tag *tag = tag_of(name, &value);

	if (!tag)
		return is_number(value) ? fact_match(&device->number, value, false)
					: path_match(value, device);
	path = device_name_path(name);
	if (links_have(device, path))
		return NAME_MATCHES;
	if (strcmp(tag->name, "ID=") == 0)
		return device->links.is == FACT_UNKNOWN ? NAME_UNKNOWN : NAME_DIFFERS;
	return tag_match(tag, value, device);
}

/* ---- The links below /dev ---- */

#define DEPTH 3

/* Folders of other things; /dev/shm is everybody's. */
static bool has_no_disks(const char *name)
{
	static const char *const others[] = { "shm", "pts", "mqueue", "hugepages", "char", "fd",
		"bus", "input", "snd", "dri", "net", "cpu", "vfio" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	return false;
}

static void find_links(
	const struct root *root, const char *folder, dev_t device, int depth, struct strings *links)
{
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	root_list(root, folder, &names, &err);
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);
		struct stat own, target;

		if (root_lstat(root, path, &own) < 0)
			continue;
		if (S_ISDIR(own.st_mode) && depth < DEPTH && !has_no_disks(names.items[i]))
			find_links(root, path, device, depth + 1, links);
		else if (S_ISLNK(own.st_mode) && root_stat(root, path, &target) == 0 &&
			 S_ISBLK(target.st_mode) && target.st_rdev == device)
			strings_take(links, text_copy(path));
	}
}

void device_links_gather(struct device_facts *device, const struct root *root)
{
	strings_cleanup struct strings links = { 0 };
	unsigned major_number, minor_number;

	if (device->number.is != FACT_KNOWN ||
		sscanf(device->number.value, "%u:%u", &major_number, &minor_number) != 2)
		return;
	find_links(root, "/dev", makedev(major_number, minor_number), 1, &links);
	fact_set_absent(fact_of(&device->links));
	if (links.count)
		fact_take_text(&device->links, strings_join(&links, " "));
}
