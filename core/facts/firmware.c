/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/firmware.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/device.h"

#define VARIABLES "/sys/firmware/efi/efivars"

/* Vendors: of the UEFI specification, and of the Boot Loader Interface. */
#define GLOBAL	  "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define INTERFACE "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* Each variable's file begins with its attributes (Linux Documentation/filesystems/efivarfs). */
#define ATTRIBUTES_SIZE 4
#define VARIABLE_LIMIT	((size_t)64 * 1024)

/* Of EFI_LOAD_OPTION. */
#define OPTION_ACTIVE	     0x00000001
#define OPTION_CATEGORY	     0x00001f00
#define OPTION_CATEGORY_BOOT 0x00000000

/* Device path nodes: type, subtype, and a length that counts these four bytes. */
#define NODE_HEAD	4
#define NODE_MEDIA	4
#define MEDIA_DRIVE	1
#define MEDIA_FILE	4
#define NODE_END	0x7f
#define DRIVE_SIZE	42
#define DRIVE_NUMBER	4
#define DRIVE_SIGNATURE 24
#define DRIVE_KIND	41 /* of the signature */
#define KIND_MBR	1
#define KIND_GUID	2

static uint32_t number_at(const unsigned char *data, size_t bytes)
{
	uint32_t number = 0;

	for (size_t i = 0; i < bytes; i++)
		number |= (uint32_t)data[i] << (8 * i);
	return number;
}

/* ---- Texts ---- */

static size_t put_utf8(char *to, uint32_t code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

char *firmware_text(const unsigned char *data, size_t size)
{
	/* Two bytes become three at most, and four bytes four. */
	memory_cleanup_free char *text = memory_new(size / 2 * 3 + 1, 1);
	size_t length = 0;

	for (size_t i = 0; i + 2 <= size; i += 2) {
		uint32_t code = number_at(data + i, 2);

		if (code == 0)
			break;
		if (code >= 0xd800 && code < 0xe000) {
			uint32_t low = i + 4 <= size ? number_at(data + i + 2, 2) : 0;

			if (code < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
				code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
				i += 2;
			} else {
				code = 0xfffd;
			}
		}
		length += put_utf8(text + length, code);
	}
	return text_printable(text, length);
}

static char *lower(char *text)
{
	for (char *at = text; at && *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return text;
}

static char *with_slashes(char *path)
{
	for (char *at = path; at && *at; at++)
		if (*at == '\\')
			*at = '/';
	return path;
}

/* ---- Load options ---- */

/* The PARTUUID of a hard drive node, as Linux writes it (block/partitions); NULL: none. */
static char *drive_partition(const unsigned char *node, size_t length)
{
	const unsigned char *id = node + DRIVE_SIGNATURE;

	if (length < DRIVE_SIZE)
		return NULL;
	if (node[DRIVE_KIND] == KIND_MBR)
		return text_format(
			"%08x-%02x", number_at(id, 4), number_at(node + DRIVE_NUMBER, 4));
	if (node[DRIVE_KIND] != KIND_GUID)
		return NULL;
	return text_format("%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", number_at(id, 4),
		number_at(id + 4, 2), number_at(id + 6, 2), id[8], id[9], id[10], id[11], id[12],
		id[13], id[14], id[15]);
}

/* One file may be named in several nodes, a part each. */
static void add_path(struct firmware_option *option, const unsigned char *text, size_t size)
{
	memory_cleanup_free char *part = with_slashes(firmware_text(text, size));
	bool slash = option->path && !text_ends(option->path, "/") && *part != '/';

	text_append(&option->path, "%s%s", slash ? "/" : "", part);
}

/* False: a node does not fit. What comes after the first path's end is another path. */
static bool read_device_path(struct firmware_option *option, const unsigned char *data, size_t size)
{
	while (size >= NODE_HEAD) {
		size_t length = number_at(data + 2, 2);

		if (length < NODE_HEAD || length > size)
			return false;
		if (data[0] == NODE_END)
			return true;
		if (data[0] == NODE_MEDIA && data[1] == MEDIA_DRIVE)
			text_set(&option->partition, drive_partition(data, length));
		if (data[0] == NODE_MEDIA && data[1] == MEDIA_FILE)
			add_path(option, data + NODE_HEAD, length - NODE_HEAD);
		data += length;
		size -= length;
	}
	return false;
}

/* Optional data is for the program alone; when it is text, it is a command line in UTF-16. */
static char *option_arguments(const unsigned char *data, size_t size)
{
	char *text;

	if (size < 4 || data[1] != 0 || !isprint(data[0]))
		return NULL;
	text = text_trim(firmware_text(data, size));
	if (*text)
		return text;
	free(text);
	return NULL;
}

struct firmware_option *firmware_option_parse(
	uint16_t number, const unsigned char *data, size_t size)
{
	struct firmware_option *option;
	size_t path_size, at = 6;
	uint32_t attributes;

	if (size < at)
		return NULL;
	attributes = number_at(data, 4);
	path_size = number_at(data + 4, 2);
	while (at + 2 <= size && number_at(data + at, 2))
		at += 2;
	at += 2;
	if (at > size || path_size > size - at)
		return NULL;
	option = memory_new(1, sizeof(*option));
	option->number = number;
	option->active = (attributes & OPTION_ACTIVE) &&
			 (attributes & OPTION_CATEGORY) == OPTION_CATEGORY_BOOT;
	option->description = firmware_text(data + 6, at - 6);
	option->arguments = option_arguments(data + at + path_size, size - at - path_size);
	if (read_device_path(option, data + at, path_size))
		return option;
	firmware_option_free(option);
	return NULL;
}

void firmware_option_free(struct firmware_option *option)
{
	if (!option)
		return;
	free(option->description);
	free(option->partition);
	free(option->path);
	free(option->arguments);
	free(option);
}

static bool differ(const char *a, const char *b)
{
	return a && b && strcasecmp(a, b) != 0;
}

bool firmware_option_same(const struct firmware_option *a, const struct firmware_option *b)
{
	if (a->number == b->number)
		return true;
	return !differ(a->partition, b->partition) && !differ(a->path, b->path) &&
	       !a->path == !b->path && text_equal(a->arguments, b->arguments);
}

/* ---- Variables ---- */

/*
 * The value of a variable without its attributes, SIZE bytes, which the caller frees; NULL: it is
 * not there, or cannot be read, which is remembered.
 */
static unsigned char *read_variable(struct firmware *firmware, const struct root *root,
	const char *name, const char *vendor, size_t *size)
{
	memory_cleanup_free char *path = text_format(VARIABLES "/%s-%s", name, vendor);
	struct error err = { "" };
	char *value = NULL;
	int status = root_read(root, path, VARIABLE_LIMIT, &value, size, &err);

	if (status < 0 && status != -ENOENT && status != -ENOTDIR)
		text_set(&firmware->hidden, text_copy(err.text));
	if (status < 0 || *size < ATTRIBUTES_SIZE) {
		free(value);
		return NULL;
	}
	*size -= ATTRIBUTES_SIZE;
	/* The NUL that root_read() has put at the end stays. */
	memmove(value, value + ATTRIBUTES_SIZE, *size + 1);
	return (unsigned char *)value;
}

static char *read_text(struct firmware *firmware, const struct root *root, const char *name)
{
	size_t size;
	memory_cleanup_free unsigned char *value =
		read_variable(firmware, root, name, INTERFACE, &size);
	char *text = value ? firmware_text(value, size) : NULL;

	if (text && *text)
		return text;
	free(text);
	return NULL;
}

static struct firmware_option *read_option(
	struct firmware *firmware, const struct root *root, uint16_t number)
{
	memory_cleanup_free char *name = text_format("Boot%04X", number);
	size_t size;
	memory_cleanup_free unsigned char *value =
		read_variable(firmware, root, name, GLOBAL, &size);

	return value ? firmware_option_parse(number, value, size) : NULL;
}

/* The number in a variable such as BootNext; false: it is not there. */
static bool read_number(
	struct firmware *firmware, const struct root *root, const char *name, uint16_t *number)
{
	size_t size;
	memory_cleanup_free unsigned char *value =
		read_variable(firmware, root, name, GLOBAL, &size);

	if (!value || size != 2)
		return false;
	*number = (uint16_t)number_at(value, 2);
	return true;
}

/* An option that names no file, as the network or a whole disk, tells nothing of what it starts. */
static bool names_program(const struct firmware_option *option)
{
	return option && option->active && option->path;
}

/* BootNext, else the first of BootOrder that is a program on a disk, up to what started us. */
static void find_next(struct firmware *firmware, const struct root *root)
{
	const struct firmware_option *current = firmware->current;
	uint16_t number;
	size_t size;
	memory_cleanup_free unsigned char *order = NULL;

	if (read_number(firmware, root, "BootNext", &number)) {
		firmware->next = read_option(firmware, root, number);
		firmware->next_is_once = firmware->next != NULL;
		if (firmware->next)
			return;
	}
	order = read_variable(firmware, root, "BootOrder", GLOBAL, &size);
	for (size_t i = 0; order && i + 2 <= size; i += 2) {
		struct firmware_option *option;

		number = (uint16_t)number_at(order + i, 2);
		option = read_option(firmware, root, number);
		if (names_program(option) || (option && current && number == current->number)) {
			firmware->next = option;
			return;
		}
		firmware_option_free(option);
	}
}

/* ---- The boot sector ---- */

/* The name of a loader in the first 512 bytes of a device; NULL: it has none. */
static const char *sector_name(const struct root *root, const struct fact_text *device)
{
	static const char *const names[] = { "GRUB", "EXTLINUX", "SYSLINUX", "LILO", "Limine" };
	memory_cleanup_free char *path =
		device->value ? text_format("/dev/%s", device->value) : NULL;
	struct error ignored = { "" };
	file_cleanup_close int fd = path ? root_openat(root, path, O_RDONLY, 0, &ignored) : -1;
	char sector[512];

	if (fd < 0 || pread(fd, sector, sizeof(sector), 0) != (ssize_t)sizeof(sector))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (memmem(sector, sizeof(sector), names[i], strlen(names[i])))
			return names[i];
	return NULL;
}

/* That of the disk is run, and where it has no name it runs that of the partition. */
static void read_sector(struct firmware *firmware, const struct root *root)
{
	device_list devices = { 0 };
	struct error ignored = { "" };
	const char *name = NULL;
	dev_t number;

	if (device_of_path("/boot", &number, NULL, NULL, &ignored) < 0)
		return;
	devices_gather(&devices, root, root, number);
	for (size_t i = devices.count; i > 0 && !name; i--)
		name = sector_name(root, &devices.items[i - 1].name);
	firmware->sector = text_copy(name);
	fact_list_free(&device_facts_layout, &devices);
}

void firmware_read(struct firmware *firmware, const struct root *root)
{
	uint16_t number;

	*firmware = (struct firmware) { 0 };
	if (!root->live)
		return;
	if (!root_exists(root, "/sys/firmware/efi")) {
		read_sector(firmware, root);
		return;
	}
	firmware->efi = true;
	firmware->loader = read_text(firmware, root, "LoaderInfo");
	firmware->stub = read_text(firmware, root, "StubInfo");
	firmware->image = with_slashes(read_text(firmware, root, "StubImageIdentifier"));
	firmware->partition = lower(read_text(firmware, root, "LoaderDevicePartUUID"));
	firmware->selected = read_text(firmware, root, "LoaderEntrySelected");
	firmware->preset = read_text(firmware, root, "LoaderEntryDefault");
	firmware->once = read_text(firmware, root, "LoaderEntryOneShot");
	if (read_number(firmware, root, "BootCurrent", &number))
		firmware->current = read_option(firmware, root, number);
	find_next(firmware, root);
}

void firmware_free(struct firmware *firmware)
{
	free(firmware->hidden);
	free(firmware->sector);
	free(firmware->loader);
	free(firmware->stub);
	free(firmware->image);
	free(firmware->partition);
	free(firmware->selected);
	free(firmware->preset);
	free(firmware->once);
	firmware_option_free(firmware->current);
	firmware_option_free(firmware->next);
	*firmware = (struct firmware) { 0 };
}
