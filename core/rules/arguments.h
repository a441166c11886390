/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel command line: what it says, and what it has to say for hibernation. Pure.
 *
 * A command line is words separated by white space; double quotes hold a word together. The kernel
 * takes '-' and '_' in a name as the same and leaves everything after a bare "--" to init (Linux
 * Documentation/admin-guide/kernel-parameters.rst, kernel/params.c). So does this module.
 */
#ifndef EC2HIB_RULES_ARGUMENTS_H
#define EC2HIB_RULES_ARGUMENTS_H

#include <stdbool.h>

#include "core/base/text.h"
#include "core/facts/facts.h"

/* The names that ec2hib sets and takes away: resume, resume_offset, ... NULL ends the list. */
extern const char *const arguments_keys[];

/*
 * The value that the kernel would use for KEY: that of the last one, without quotes, "" when it
 * has no value. The caller frees it; NULL: not there.
 */
char *arguments_get(const char *line, const char *key);

/*
 * LINE with the WANTED arguments ("key=value"), each once and at the end (before a "--"), and
 * without any other argument that has the key of a wanted one or one of arguments_keys. Those of
 * the initramfs ("rd.") are lists: others with the same key stay. Everything
 * else keeps its order and spacing. A line that already says just that comes back as it is, byte
 * for byte. The caller frees it.
 */
char *arguments_replace(const char *line, const struct strings *wanted);

/* LINE without the arguments that have one of KEYS (NULL ends them). The caller frees it. */
char *arguments_remove(const char *line, const char *const *keys);

/*
 * True when LINE says just what is WANTED: each of these arguments once and with no other value,
 * and no argument of arguments_keys that is not wanted.
 */
bool arguments_complete(const char *line, const struct strings *wanted);

/*
 * The arguments that the next boot needs to find the image in facts->area: resume=,
 * no_console_suspend=1, and for a swap file resume_offset=. A swap device has none: its header is
 * its first page, offset 0, which is what the kernel and initramfs-tools take without an argument.
 * Where dracut opens only what is named, also the names of what the area lies on (rd.lvm.lv=, ...).
 * False, and WANTED as it was, while the facts do not tell.
 */
bool arguments_wanted(const struct facts *facts, struct strings *wanted);

/*
 * Whether the initramfs of the next boot opens DEVICE, one that the area lies on: a logical volume,
 * an encrypted device or a software RAID.
 *
 * dracut opens those alone that are named by rd.lvm.lv=, rd.lvm.vg=, rd.luks.uuid= and the like,
 * once one is named; of a kind of which none is named all with rd.auto=1, and since version 024
 * none without that (dracut.cmdline(7)). An image may bring arguments of its own and a crypttab.
 * initramfs-tools opens the encrypted devices of the image's crypttab and all volumes.
 */
enum opening {
	OPENING_YES,
	OPENING_NOT_NAMED, /* others are */
	OPENING_NONE_NAMED,
	OPENING_OFF, /* rd.lvm=0 and the like */
	OPENING_UNKNOWN,
};
enum opening area_device_opening(const struct facts *facts, const struct device_facts *device);

/*
 * What names DEVICE to dracut: "rd.lvm.lv=vg/swap". The caller frees it; NULL: it has no such name.
 */
char *area_device_argument(const struct facts *facts, const struct device_facts *device);

/*
 * True for a device that an initramfs has to open and that is not among those of the root file
 * system.
 */
bool area_device_needs_opening(const struct facts *facts, const struct device_facts *device);

/*
 * True when the command line LINE mounts the root file system of this system: the one that the
 * default entry names, or another name of it in boot->root_names. Where neither says anything,
 * true.
 */
bool arguments_are_of_this_system(const struct boot_facts *boot, const char *line);

/*
 * False for an entry that starts another system, found by os-prober or installed beside this one,
 * or no system at all, as a memory test. Its root= tells, and where several systems share a file
 * system, its machine-id and subvolume. A rescue entry, an older kernel and a snapshot are of this
 * system: what they boot would run over the hibernated one.
 */
bool entry_is_of_this_system(const struct boot_facts *boot, const struct entry_facts *entry);

/*
 * True when every entry of the next boots that is of this system has just the WANTED arguments.
 * False also when there is no entry, or one whose arguments are unknown.
 */
bool arguments_in_entries(const struct boot_facts *boot, const struct strings *wanted);

/* True when the running kernel was started with the wanted resume arguments. */
bool arguments_of_this_boot(const struct facts *facts, const struct strings *wanted);

/*
 * What the administrator types for the next boot to have the WANTED arguments, where setup cannot
 * see to it. The caller frees it.
 */
char *arguments_by_hand(const struct facts *facts, const struct strings *wanted);

/* True when the texts consist of letters, digits and _-=:/.,+@% alone: safe within a shell file. */
bool arguments_plain(const struct strings *arguments);

/* What a resume= value is. */
enum resume_kind {
	RESUME_NONE,	  /* NULL or empty */
	RESUME_PARTUUID,  /* PARTUUID=... */
	RESUME_PARTLABEL, /* PARTLABEL=... */
	RESUME_UUID,	  /* UUID=...: of a file system or swap area */
	RESUME_LABEL,	  /* LABEL=... */
	RESUME_DEVICE,	  /* /dev/nvme0n1p1: a name that the kernel gives */
	RESUME_LINK,	  /* /dev/disk/..., /dev/mapper/..., /dev/vg/lv: a name that udev gives */
	RESUME_DEV_ROOT,  /* /dev/root: no device has this name once the system runs */
	RESUME_NUMBER,	  /* 259:1 */
	RESUME_PATH,	  /* any other path: mostly the swap file itself, which cannot work */
	RESUME_OTHER,
};
enum resume_kind resume_value_kind(const char *value);

/*
 * True when the kernel cannot find VALUE by itself (init/do_mounts.c, name_to_dev_t), so that an
 * initramfs has to resume: UUID=, LABEL=, and names that udev makes.
 */
bool resume_value_needs_initramfs(const char *value);

/*
 * True when RESUME of initramfs-tools does no harm: it is not set, empty, auto, the swap area's own
 * device, or, for a swap file, none. resume= on the command line goes before it in any case (init
 * of initramfs-tools); what else it names is waited for when that argument is lost. "none" is what
 * ec2hib sets for a swap file, see core/facts/initramfs_tools.c.
 */
bool initramfs_setting_fits(const struct facts *facts);

/*
 * True when the initramfs of the next boot can resume, and is not told to wait for something else.
 */
bool initramfs_can_resume(const struct facts *facts);

/*
 * True when there is nothing left to do for it: it can resume, and its tool's configuration does
 * not leave that out of the next one. Of an image that nobody can look into, when our configuration
 * asks for it.
 */
bool initramfs_is_set_up(const struct facts *facts);

#endif
