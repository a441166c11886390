/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that ec2hib knows about a machine, gathered once. Rules decide from this alone.
 *
 * Each fact is named once, in a list of its group (core/facts/fact.h says how to read one): its
 * name here is its name in JSON, and its unit and its text are what `ec2hib status --describe`
 * prints. An offset in a swap area counts pages of the running kernel, as resume_offset does.
 */
#ifndef EC2HIB_FACTS_FACTS_H
#define EC2HIB_FACTS_FACTS_H

#include "core/facts/fact.h"

/* The layout version of saved facts: higher when an old reader would misunderstand a new file. */
#define FACTS_FORMAT 1

/* The running kernel. All unknown when facts are gathered from an image. */
#define KERNEL_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                              \
	TEXT(release, "kernel release, as uname -r")                                               \
	TEXT(machine, "architecture, as uname -m")                                                 \
	NUMBER(page_size, "bytes", "a page of memory; resume offsets count pages")                 \
	TEXT(command_line, "/proc/cmdline")                                                        \
	TEXT(power_state, "/sys/power/state; has \"disk\" when hibernation works")                 \
	TEXT(power_disk, "/sys/power/disk; the mode in brackets, or [disabled]")                   \
	TEXT(resume_device, "/sys/power/resume, major:minor")                                      \
	NUMBER(resume_offset, "pages", "/sys/power/resume_offset")                                 \
	NUMBER(image_size, "bytes", "/sys/power/image_size, which the kernel aims at")             \
	NUMBER(freeze_timeout, "ms", "/sys/power/pm_freeze_timeout")                               \
	TEXT(pm_test, "/sys/power/pm_test; null: a kernel without CONFIG_PM_DEBUG")                \
	FLAG(snapshot_device, "/dev/snapshot is there")                                            \
	TEXT(lockdown, "none, integrity or confidentiality")                                       \
	FLAG(fips, "FIPS mode, /proc/sys/crypto/fips_enabled")                                     \
	NUMBER(nvme_io_timeout, "s", "nvme_core.io_timeout")                                       \
	FLAG(workqueue_power_efficient, "workqueue.power_efficient")
struct kernel_facts {
	FACT_MEMBERS(KERNEL_FACTS)
};

#define MEMORY_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                              \
	NUMBER(total, "bytes", "MemTotal of /proc/meminfo")                                        \
	NUMBER(available, "bytes", "MemAvailable of /proc/meminfo", VOLATILE)                      \
	NUMBER(image_estimate, "bytes",                                                            \
		"what an image would need now: used memory less file cache", VOLATILE)             \
	NUMBER(unswappable, "bytes", "what can be neither dropped nor swapped out", VOLATILE)      \
	NUMBER(huge_pages, "bytes", "reserved for huge pages of all sizes, in use or not")         \
	NUMBER(huge_pages_free, "bytes", "of these, not in use", VOLATILE)                         \
	TEXT(huge_pages_setting, "what reserves them; null: nothing that could be found")          \
	NUMBER(locked, "bytes", "Mlocked of /proc/meminfo", VOLATILE)                              \
	NUMBER(unevictable, "bytes", "Unevictable: locked and secret memory, and ramfs", VOLATILE) \
	NUMBER(kernel, "bytes", "slab that stays, stacks, page tables, per CPU, vmalloc",          \
		VOLATILE)                                                                          \
	NUMBER(compressed, "bytes", "what zram and zswap hold", VOLATILE)                          \
	NUMBER(zfs_cache, "bytes", "of what cannot be swapped out, what ZFS gives back", VOLATILE) \
	TEXT(holder,                                                                               \
		"the process that holds most of what cannot be swapped out; null: it is little",   \
		VOLATILE)                                                                          \
	NUMBER(holder_bytes, "bytes", "how much that is: locked, pinned and huge pages", VOLATILE)
struct memory_facts {
	FACT_MEMBERS(MEMORY_FACTS)
};

/* Where data on a block device ends up. In `medium`. */
#define MEDIUM_EBS	      "ebs"
#define MEDIUM_INSTANCE_STORE "instance-store"
#define MEDIUM_ZRAM	      "zram"
#define MEDIUM_MEMORY	      "memory"	/* a RAM disk */
#define MEDIUM_NETWORK	      "network" /* another machine's, by a driver of this one */
#define MEDIUM_OTHER	      "other"

/* What a device is. In `kind`. */
#define KIND_DISK      "disk"
#define KIND_PARTITION "partition"
#define KIND_LVM       "lvm" /* a logical volume, or a part of one */
#define KIND_CRYPT     "crypt"
#define KIND_RAID      "raid"
#define KIND_MULTIPATH "multipath"
#define KIND_THIN_POOL "thin-pool"
#define KIND_SNAPSHOT  "snapshot" /* what a snapshot keeps beside its origin */
#define KIND_CACHE     "cache"
#define KIND_VDO       "vdo"
#define KIND_DM	       "dm" /* another device of the device mapper */
#define KIND_LOOP      "loop"
#define KIND_ZRAM      "zram"
#define KIND_RAM       "ram"
#define KIND_ZVOL      "zvol"
#define KIND_BCACHE    "bcache"
#define KIND_NETWORK   "network"

/* One device of a stack, from a file system's device down to the disks. */
#define DEVICE_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                              \
	TEXT(name, "kernel name, without /dev/")                                                   \
	TEXT(number, "major:minor")                                                                \
	TEXT(kind, "disk, partition, lvm, crypt, raid, multipath, thin-pool, snapshot, cache, "    \
		   "vdo, dm, loop, zram, ram, zvol, bcache or network")                            \
	FLAG(leaf, "nothing is known to lie below it")                                             \
	TEXT(mapper, "name at the device mapper: vg-lv, or crypttab's; null: no such device")      \
	TEXT(mapper_uuid, "identity at the device mapper: LVM-..., CRYPT-LUKS2-...")               \
	TEXT(backing_file, "file of a loop device; null: none")                                    \
	NUMBER(size, "bytes", "size of the device")                                                \
	TEXT(model, "the disk's model; tells EBS from instance store")                             \
	TEXT(serial, "the disk's serial; a volume id on EBS")                                      \
	TEXT(medium, "ebs, instance-store, zram, memory, network or other")                        \
	TEXT(holds, "what is on it: ext4, swap, gpt, ...; null: nothing known")                    \
	TEXT(uuid, "UUID of what the device holds")                                                \
	TEXT(label, "label of what the device holds")                                              \
	TEXT(partuuid, "UUID of the partition")                                                    \
	TEXT(partlabel, "name of the partition")                                                   \
	TEXT(parttype, "type of the partition: a GUID, or 0x and a number")                        \
	TEXT(partflags, "attributes of the partition: 0x and a number; null: none")                \
	TEXT(links, "of the first device: other names of it below /dev; null: none")               \
	FLAG(random_key, "a dm-crypt device whose key is new at every boot")
struct device_facts {
	FACT_MEMBERS(DEVICE_FACTS)
};
typedef FACT_LIST(struct device_facts) device_list;

/* An active swap, one line of /proc/swaps. */
#define SWAP_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                                \
	TEXT(path, "file or device")                                                               \
	TEXT(type, "file or partition")                                                            \
	NUMBER(size, "bytes", "what fits into it")                                                 \
	NUMBER(used, "bytes", "what is swapped out into it", VOLATILE)                             \
	TEXT(priority, "a whole number; the highest is used first")                                \
	TEXT(device, "kernel name of the device below")                                            \
	TEXT(medium, "ebs, instance-store, zram, memory, network or other")                        \
	FLAG(random_key, "encrypted with a key that is new at every boot")                         \
	FLAG(is_area, "the swap area that hibernation is meant to use")
struct swap_facts {
	FACT_MEMBERS(SWAP_FACTS)
};
typedef FACT_LIST(struct swap_facts) swap_list;

/* Contiguous bytes of the swap file on its device; neighbours are merged. */
#define EXTENT_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                              \
	NUMBER(logical, "bytes", "where it begins in the file")                                    \
	NUMBER(physical, "bytes", "where it begins on the device")                                 \
	NUMBER(length, "bytes", "how long it is")
struct extent_facts {
	FACT_MEMBERS(EXTENT_FACTS)
};
typedef FACT_LIST(struct extent_facts) extent_list;

/* The label that ec2hib gives to a swap area that it makes: teardown removes no other. */
#define SWAP_LABEL "ec2hib"

/* What a swap header says (its first page). In `signature`. */
#define SIGNATURE_SWAP	"swap"
#define SIGNATURE_IMAGE "image"
#define SIGNATURE_NONE	"none"	/* and nothing else either: zeros */
#define SIGNATURE_OTHER "other" /* something that is not swap */

/* How far the area was pre-warmed where it lies now. In `prewarmed`. */
#define PREWARMED_NEVER	   "never"
#define PREWARMED_PARTLY   "partly"
#define PREWARMED_RUNNING  "running"
#define PREWARMED_FINISHED "finished"

/* Why the swap area is this one: see core/facts/area_choice.h. In `chosen`. */
#define CHOSEN_CONFIGURED "configured"
#define CHOSEN_REMEMBERED "remembered"
#define CHOSEN_OURS	  "ours"
#define CHOSEN_ACTIVE	  "active"
#define CHOSEN_FSTAB	  "fstab"
#define CHOSEN_STANDARD	  "standard"

/* When the swap area is on: for good, or only around a hibernation. In `swap_on`. */
#define SWAP_ON_ALWAYS	    "always"
#define SWAP_ON_HIBERNATION "hibernation"

/* What the folder of the swap file is. In `folder`. */
#define FOLDER_PLAIN	 "folder"
#define FOLDER_SUBVOLUME "subvolume"

/* The swap area that hibernation is meant to use: the configured file or device. */
#define AREA_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                                \
	TEXT(path, "the file or device that is configured")                                        \
	TEXT(chosen, "why this one: configured, remembered, ours, active (a swap file that is "    \
		     "on), fstab (one that is there) or standard")                                 \
	TEXT(swap_on, "when it is meant to be on: always or hibernation")                          \
	TEXT(swap_on_why, "who says so: the configuration, setup or kubelet; null: nobody")        \
	TEXT(swap_on_remembered, "what setup --swap-on was given; null: nothing")                  \
	TEXT(remembered, "the area that setup was given; null: the standard one")                  \
	TEXT(kind, "file, device, link or other; null: not there")                                 \
	NUMBER(size, "bytes", "size of the file or device")                                        \
	NUMBER(mode, "", "permission bits, as a decimal number")                                   \
	NUMBER(owner, "", "user id")                                                               \
	TEXT(untrusted_folder, "why a folder above is not root's alone; null: all are")            \
	NUMBER(unfinished, "bytes",                                                                \
		"taken by what an interrupted setup left beside it; null: nothing")                \
	TEXT(folder, "its folder: folder or subvolume (the top of one, on btrfs); null: missing")  \
	FLAG(folder_ours, "that subvolume was made by ec2hib")                                     \
	TEXT(subvolume, "where the btrfs subvolume of the file begins; null: not btrfs")           \
	FLAG(subvolume_shared, "more than the swap file is in that subvolume")                     \
	TEXT(snapshots, "who takes snapshots of that subvolume; null: nobody known")               \
	TEXT(selinux_label, "SELinux context")                                                     \
	FLAG(active, "in /proc/swaps")                                                             \
	NUMBER(used, "bytes", "what is swapped out into it", VOLATILE)                             \
	LIST(extents, extent_list, extent_facts, "where the file lies on its device")              \
	NUMBER(holes, "", "ranges of the file without blocks")                                     \
	FLAG(shared, "has blocks shared with another file or snapshot")                            \
	FLAG(copy_on_write, "btrfs without the nocow attribute")                                   \
	FLAG(compressed, "has compressed or encoded extents")                                      \
	TEXT(signature, "what the header says: swap or image; none: only zeros; other: not swap")  \
	NUMBER(header_page_size, "bytes", "page size that the header was made with")               \
	NUMBER(header_size, "bytes", "size of the swap area according to the header")              \
	TEXT(header_uuid, "UUID of the swap area")                                                 \
	TEXT(header_label, "label of the swap area")                                               \
	NUMBER(resume_offset, "pages", "where the header is on the resume device")                 \
	TEXT(resume_device, "major:minor of the device that holds the header")                     \
	TEXT(resume_argument, "what resume= has to be to find that device")                        \
	TEXT(filesystem, "type of the file system that holds the file")                            \
	TEXT(mount_point, "where that file system is mounted")                                     \
	NUMBER(filesystem_devices, "", "devices of a btrfs; null: another file system")            \
	FLAG(filesystem_read_only, "that file system is mounted read-only")                        \
	NUMBER(filesystem_size, "bytes", "size of that file system")                               \
	NUMBER(filesystem_free, "bytes", "what others than root may still use of it", VOLATILE)    \
	NUMBER(filesystem_reserved, "bytes", "free beside that, for root alone", VOLATILE)         \
	LIST(devices, device_list, device_facts,                                                   \
		"from the resume device down to the disks; null: its file system has none")        \
	TEXT(prewarmed, "never, partly, running or finished, by the record of ec2hib prewarm",     \
		VOLATILE)
struct area_facts {
	FACT_MEMBERS(AREA_FACTS)
};

/* Where the root file system lies. */
#define ROOT_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                                \
	TEXT(filesystem, "type of the root file system")                                           \
	TEXT(medium, "ebs, instance-store, zram, memory, network or other")                        \
	LIST(devices, device_list, device_facts,                                                   \
		"from its device down to the disks; null: it has none")
struct root_facts {
	FACT_MEMBERS(ROOT_FACTS)
};

/* One entry that the boot loader offers. */
#define ENTRY_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                               \
	TEXT(id, "file name of a BLS entry, else the number of the entry")                         \
	TEXT(title, "what the menu shows")                                                         \
	TEXT(kernel, "path of the kernel as the loader sees it")                                   \
	TEXT(version, "what the entry or the file's name says of it: text for people")             \
	TEXT(release, "kernel release, from the kernel itself; of the entry that boots next")      \
	TEXT(initramfs, "path of the initramfs; null: boots without")                              \
	TEXT(initramfs_files, "all files that are loaded as initramfs, blanks between them")       \
	TEXT(arguments, "kernel command line")                                                     \
	TEXT(machine, "machine-id of the system that it is for, as a BLS entry may say")           \
	TEXT(sort_key, "sort-key of a BLS entry, by which systemd-boot orders them")               \
	FLAG(exhausted, "a BLS entry whose attempts to boot are used up: it comes last")           \
	FLAG(is_default, "the entry that boots next")                                              \
	FLAG(rescue, "a recovery or rescue entry")
struct entry_facts {
	FACT_MEMBERS(ENTRY_FACTS)
};
typedef FACT_LIST(struct entry_facts) entry_list;

/* The tool that the check of RESUME is about; see core/facts/initramfs.h. */
#define INITRAMFS_TOOLS "initramfs-tools"

/* How the loader is known. In `loader_known`. */
#define LOADER_KNOWN	    "known"	   /* it says itself that it started this system */
#define LOADER_GUESSED	    "guessed"	   /* nothing else is there */
#define LOADER_CONTRADICTED "contradicted" /* something else started this system */

/* The next boot. */
#define BOOT_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                                \
	TEXT(loader, "who manages the boot entries, as ec2hib-setup(8) names it")                  \
	TEXT(loader_known, "known: it started this system; guessed: by its files; contradicted")   \
	TEXT(firmware, "uefi or bios")                                                             \
	TEXT(started_by, "what started this system, as the firmware's variables tell")             \
	TEXT(next_by, "what the firmware starts next; null: the same again")                       \
	FLAG(next_is_once, "by BootNext: for one boot")                                            \
	TEXT(unmounted, "a folder that boot loaders read and that is not mounted; null: none")     \
	TEXT(unmounted_by, "who wants it mounted: /etc/fstab or its mount unit")                   \
	TEXT(config, "file or folder that holds the entries")                                      \
	LIST(entries, entry_list, entry_facts, "what the loader offers")                           \
	TEXT(root_names, "words by which root= may name the root file system")                     \
	TEXT(settings, "kernel arguments that entries made later will have")                       \
	TEXT(force_partuuid, "GRUB_FORCE_PARTUUID of an Ubuntu cloud image")                       \
	TEXT(initramfs_tool, "who makes the initramfs; null: none is used")                        \
	TEXT(initramfs_maker, "who made the initramfs that boots next, as it tells itself")        \
	FLAG(initramfs_resume, "the initramfs that boots next can resume")                         \
	TEXT(initramfs_lacks, "why it cannot; null: it can")                                       \
	FLAG(initramfs_lasts, "one that is made anew can, too, by the tool's configuration")       \
	TEXT(initramfs_setting, "RESUME of initramfs-tools, for one that is made anew")            \
	TEXT(initramfs_resume_device, "RESUME of initramfs-tools in the one that boots next")      \
	TEXT(initramfs_arguments, "what it adds to the kernel command line; null: nothing")        \
	TEXT(initramfs_opens, "mappings in its own crypttab; null: it has none")                   \
	FLAG(initramfs_lvm, "it has what logical volumes need")                                    \
	FLAG(initramfs_crypt, "it has what encrypted devices need")                                \
	FLAG(initramfs_raid, "it has what software RAID needs")                                    \
	FLAG(initramfs_nvme, "it, or its kernel, has the driver of NVMe disks")                    \
	FLAG(initramfs_xen_blkfront, "it, or its kernel, has the driver of Xen's disks")           \
	FLAG(initramfs_virtio_blk, "it, or its kernel, has the driver of virtio disks")            \
	FLAG(our_arguments, "boot configuration that ec2hib wrote is there")                       \
	FLAG(our_initramfs, "initramfs configuration that ec2hib wrote is there")                  \
	FLAG(fstab_entry, "/etc/fstab activates the swap area at boot")                            \
	FLAG(fstab_noauto, "/etc/fstab has the swap area, but with noauto")                        \
	TEXT(fstab_unit,                                                                           \
		"systemd's name for that line of /etc/fstab; null: no line, or no systemd")        \
	FLAG(our_fstab_entry, "/etc/fstab has a line that ec2hib wrote or changed")                \
	TEXT(swap_unit, "what else activates it at boot: a unit of systemd, or "                   \
			"systemd-gpt-auto-generator; null: nothing")                               \
	TEXT(swap_mask, "masked unit that systemd needs for that line of /etc/fstab; null: none")  \
	FLAG(freeze_timeout_kept, "the freeze timeout is set again at boot")
struct boot_facts {
	FACT_MEMBERS(BOOT_FACTS)
};

/* A service or program that has to do with sleeping. */
#define AGENT_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                               \
	TEXT(name, "unit or program")                                                              \
	FLAG(installed, "on the disk")                                                             \
	FLAG(enabled, "starts at boot")                                                            \
	FLAG(running, "a process of it exists")
struct agent_facts {
	FACT_MEMBERS(AGENT_FACTS)
};
typedef FACT_LIST(struct agent_facts) agent_list;

/* The distribution and its services. */
#define SYSTEM_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                              \
	TEXT(id, "ID of os-release")                                                               \
	TEXT(version, "VERSION_ID of os-release")                                                  \
	TEXT(name, "PRETTY_NAME of os-release")                                                    \
	TEXT(init, "systemd or other")                                                             \
	TEXT(selinux, "disabled, permissive or enforcing")                                         \
	TEXT(vendor, "sys_vendor of the firmware; Amazon EC2 on EC2")                              \
	FLAG(reads_sleep_key, "logind or acpid would answer the sleep button")                     \
	TEXT(logind_sleep_key, "HandleSuspendKey of logind")                                       \
	TEXT(logind_drop_in, "the drop-in of setup for logind: done or unfinished; null: none")    \
	TEXT(acpid_events, "files in /etc/acpi/events that answer the sleep button; null: none")   \
	FLAG(sleep_key_inhibited, "an inhibitor keeps logind from answering the sleep button")     \
	FLAG(sleep_scripts, "only systemd would run some programs around a hibernation")           \
	TEXT(sleep_script_names, "these, in systemd's folder system-sleep; null: none")            \
	LIST(agents, agent_list, agent_facts, "agents and services that act on sleep")             \
	FLAG(watch_running, "ec2hib watch runs, as a service or by hand")                          \
	TEXT(taken_over, "what setup --take-over has switched off; null: nothing")                 \
	FLAG(take_over_unfinished, "setup --take-over was interrupted")                            \
	TEXT(kubelet, "what shows that kubelet is installed; null: nothing does")                  \
	FLAG(kubelet_swaps, "kubelet is told to start although a swap is on")
struct system_facts {
	FACT_MEMBERS(SYSTEM_FACTS)
};

/* From the metadata service; all unknown, with one reason, when it did not answer. */
#define INSTANCE_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                            \
	TEXT(id, "meta-data/instance-id")                                                          \
	TEXT(type, "instanceType of the identity document")                                        \
	TEXT(region, "region of the identity document")                                            \
	TEXT(zone, "availabilityZone of the identity document")                                    \
	TEXT(image, "imageId of the identity document")                                            \
	TEXT(architecture, "architecture of the identity document")                                \
	TEXT(life_cycle, "on-demand, spot or scheduled")                                           \
	FLAG(hibernation_configured, "meta-data/hibernation/configured")                           \
	TEXT(target_lifecycle_state, "Auto Scaling state; null: in no group")
struct instance_facts {
	FACT_MEMBERS(INSTANCE_FACTS)
};

/*
 * What ec2hib test-hibernate has shown on this machine, and what the machine was then: once kernel,
 * area or entry are others, it shows little. All absent where nothing was rehearsed.
 */
#define REHEARSAL_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                           \
	TEXT(level, "the furthest that test-hibernate has come; null: nowhere yet")                \
	TEXT(time, "when that was, UTC, ISO 8601")                                                 \
	TEXT(kernel, "kernel release at that time")                                                \
	TEXT(area_uuid, "UUID of the swap area at that time")                                      \
	NUMBER(area_offset, "pages", "resume_offset at that time")                                 \
	TEXT(entry, "kernel and arguments of the next boot's entry at that time")                  \
	TEXT(failed_level, "the level that failed after that; null: none did")                     \
	TEXT(failed_time, "when it failed, UTC, ISO 8601")                                         \
	TEXT(failure, "why it failed")
struct rehearsal_facts {
	FACT_MEMBERS(REHEARSAL_FACTS)
};

#define FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                                     \
	NUMBER(format, "", "version of this layout")                                               \
	TEXT(program, "version of ec2hib that gathered")                                           \
	FLAG(live, "the machine itself; false: an image")                                          \
	FLAG(privileged, "gathered as root")                                                       \
	GROUP(kernel, kernel_facts, "the running kernel")                                          \
	GROUP(memory, memory_facts, "memory")                                                      \
	LIST(swaps, swap_list, swap_facts, "active swaps")                                         \
	GROUP(area, area_facts, "the swap area for hibernation")                                   \
	GROUP(root, root_facts, "the root file system")                                            \
	GROUP(boot, boot_facts, "the next boot")                                                   \
	GROUP(system, system_facts, "the distribution and its services")                           \
	GROUP(instance, instance_facts, "the EC2 instance")                                        \
	GROUP(rehearsal, rehearsal_facts, "what test-hibernate has shown")
struct facts {
	FACT_MEMBERS(FACTS)
};

extern const struct layout facts_layout;

/* Layouts of the parts that somebody needs alone. */
extern const struct layout area_facts_layout;
extern const struct layout device_facts_layout;
extern const struct layout entry_facts_layout;
extern const struct layout extent_facts_layout;
extern const struct layout instance_facts_layout;
extern const struct layout kernel_facts_layout;
extern const struct layout memory_facts_layout;
extern const struct layout rehearsal_facts_layout;
extern const struct layout swap_facts_layout;

/* Adds an item to a list of facts and makes the list known; returns the new item, all unknown. */
#define facts_add(list)                                                                            \
	((list)->is = FACT_KNOWN,                                                                  \
		(list)->items = memory_grow((list)->items, (list)->count, sizeof(*(list)->items)), \
		&(list)->items[(list)->count++])

void facts_free(struct facts *facts);

/* The entry that boots next: the default one; NULL when it is not known. */
const struct entry_facts *facts_next_entry(const struct facts *facts);

#endif
