/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the firmware says of the program that started this system, and of what it starts next: UEFI
 * variables below /sys/firmware/efi/efivars. A BIOS keeps no such record; it runs the boot sector
 * of the disk, which has the name of the program whose first part it is.
 *
 * Sources: UEFI specification 2.10, 3.1.3 (load options), 3.3 (boot variables) and 10.3 (device
 * paths); systemd.io/BOOT_LOADER_INTERFACE (Loader... and Stub... variables). Anybody may have
 * written these variables: each length is checked, and each text is made printable.
 */
#ifndef EC2HIB_FACTS_FIRMWARE_H
#define EC2HIB_FACTS_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/files.h"

/* A program that the firmware can start: Boot####. What a member does not know is NULL. */
struct firmware_option {
	uint16_t number;
	bool active; /* taken when its turn comes; not a tool of the firmware, not switched off */
	char *description; /* "debian" */
	char *partition;   /* its PARTUUID, in lower case */
	char *path;	   /* on that partition, with slashes: "/EFI/debian/shimx64.efi" */
	char *arguments;   /* what is handed to it */
};

struct firmware {
	bool efi;
	char *sector; /* of a BIOS: the name in the boot sector, as "GRUB"; NULL: none is known */
	char *hidden; /* why variables cannot be read; NULL: they can */

	char *loader;	 /* LoaderInfo: "systemd-boot 257.8" */
	char *stub;	 /* StubInfo: a unified kernel image was started */
	char *image;	 /* StubImageIdentifier: that image, with slashes */
	char *partition; /* LoaderDevicePartUUID, in lower case */
	char *selected;	 /* LoaderEntrySelected, LoaderEntryDefault, LoaderEntryOneShot */
	char *preset;
	char *once;

	struct firmware_option *current; /* BootCurrent; NULL: not told */
	struct firmware_option *next;	 /* what comes first now; NULL: not told */
	bool next_is_once;		 /* by BootNext, for one boot */
};

/* All of a live machine; an image has none of it. */
void firmware_read(struct firmware *firmware, const struct root *root);
void firmware_free(struct firmware *firmware);

/*
 * A Boot#### variable without its attributes, as EFI_LOAD_OPTION. NULL: it is damaged. The caller
 * frees it with firmware_option_free().
 */
struct firmware_option *firmware_option_parse(
	uint16_t number, const unsigned char *data, size_t size);
void firmware_option_free(struct firmware_option *option);

/* True when both start the same program from the same partition, as far as both tell. */
bool firmware_option_same(const struct firmware_option *a, const struct firmware_option *b);

/* UTF-16, little endian, up to its first NUL, as printable UTF-8. The caller frees it. */
char *firmware_text(const unsigned char *data, size_t size);

#endif
