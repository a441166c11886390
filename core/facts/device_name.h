/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of block devices as people and programs write them: in fstab(5), in resume= and RESUME=, in
 * What= of swap units. A device has many; whether two of them mean the same one, text does not
 * tell.
 */
#ifndef EC2HIB_FACTS_DEVICE_NAME_H
#define EC2HIB_FACTS_DEVICE_NAME_H

#include "core/facts/facts.h"

enum name_match { NAME_MATCHES, NAME_DIFFERS, NAME_UNKNOWN };

/*
 * Whether NAME means DEVICE: a path below /dev; UUID=, LABEL=, PARTUUID=, PARTLABEL= or ID=, the
 * value quoted or not (libblkid's blkid_parse_tag_string()); or major:minor. \ooo (fstab) and \xhh
 * (udev) are taken as the characters that they mean. Unknown where the facts do not tell.
 */
enum name_match device_name_match(const char *name, const struct device_facts *device);

/*
 * NAME as the path that systemd and udev make of it: /dev/disk/by-uuid/X for UUID=X, and so on; any
 * other name stays. The caller frees it.
 */
char *device_name_path(const char *name);

/* systemd's unit for the swap file or device at PATH: systemd-escape --path --suffix=swap. */
char *swap_unit_name(const char *path);

/* Fills links of DEVICE: what below /dev of ROOT, the running machine, leads to it. */
void device_links_gather(struct device_facts *device, const struct root *root);

#endif
