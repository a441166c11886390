/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the fields of the facts are called in JSON, and what they mean. */
#include "core/facts/facts.h"

static const struct field kernel_fields[] = {
	TEXT(struct kernel_facts, release, "kernel release, as uname -r"),
	TEXT(struct kernel_facts, machine, "architecture, as uname -m"),
	NUMBER(struct kernel_facts, page_size, "bytes of a memory page, the unit of resume_offset"),
	TEXT(struct kernel_facts, command_line, "/proc/cmdline"),
	TEXT(struct kernel_facts, power_state,
		"/sys/power/state; has \"disk\" when hibernation works"),
	TEXT(struct kernel_facts, power_disk,
		"/sys/power/disk; the mode in brackets, or [disabled]"),
	TEXT(struct kernel_facts, resume_device, "/sys/power/resume, major:minor"),
	NUMBER(struct kernel_facts, resume_offset, "/sys/power/resume_offset, in pages"),
	NUMBER(struct kernel_facts, image_size, "/sys/power/image_size, bytes the kernel aims at"),
	NUMBER(struct kernel_facts, freeze_timeout, "/sys/power/pm_freeze_timeout, milliseconds"),
	TEXT(struct kernel_facts, pm_test, "/sys/power/pm_test; absent without CONFIG_PM_DEBUG"),
	FLAG(struct kernel_facts, snapshot_device, "/dev/snapshot is there"),
	TEXT(struct kernel_facts, lockdown, "none, integrity or confidentiality"),
	FLAG(struct kernel_facts, fips, "FIPS mode, /proc/sys/crypto/fips_enabled"),
	NUMBER(struct kernel_facts, nvme_io_timeout, "nvme_core.io_timeout, seconds"),
	FLAG(struct kernel_facts, workqueue_power_efficient, "workqueue.power_efficient"),
};
const struct layout kernel_layout = LAYOUT(struct kernel_facts, kernel_fields);

static const struct field memory_fields[] = {
	NUMBER(struct memory_facts, total, "MemTotal, bytes"),
	NUMBER(struct memory_facts, available, "MemAvailable, bytes"),
	NUMBER(struct memory_facts, image_estimate,
		"bytes an image would need now: used memory less file cache"),
};
const struct layout memory_layout = LAYOUT(struct memory_facts, memory_fields);

static const struct field device_fields[] = {
	TEXT(struct device_facts, name, "kernel name, without /dev/"),
	TEXT(struct device_facts, number, "major:minor"),
	TEXT(struct device_facts, kind, "disk, partition, lvm, crypt, raid, loop or zram"),
	NUMBER(struct device_facts, size, "bytes"),
	TEXT(struct device_facts, model, "the disk's model; tells EBS from instance store"),
	TEXT(struct device_facts, serial, "the disk's serial; a volume id on EBS"),
	TEXT(struct device_facts, medium, "ebs, instance-store, zram or other"),
	TEXT(struct device_facts, holds,
		"what is on it: ext4, swap, gpt, ...; null: nothing known"),
	TEXT(struct device_facts, uuid, "UUID of what the device holds"),
	TEXT(struct device_facts, partuuid, "UUID of the partition"),
	FLAG(struct device_facts, random_key, "a dm-crypt device whose key is new at every boot"),
};
const struct layout device_layout = LAYOUT(struct device_facts, device_fields);

static const struct field swap_fields[] = {
	TEXT(struct swap_facts, path, "file or device"),
	TEXT(struct swap_facts, type, "file or partition"),
	NUMBER(struct swap_facts, size, "bytes"),
	NUMBER(struct swap_facts, used, "bytes"),
	TEXT(struct swap_facts, priority, "higher is used first"),
	TEXT(struct swap_facts, device, "kernel name of the device below"),
	TEXT(struct swap_facts, medium, "ebs, instance-store, zram or other"),
	FLAG(struct swap_facts, random_key, "encrypted with a key that is new at every boot"),
	FLAG(struct swap_facts, is_area, "the swap area that hibernation is meant to use"),
};
const struct layout swap_layout = LAYOUT(struct swap_facts, swap_fields);

static const struct field extent_fields[] = {
	NUMBER(struct extent_facts, logical, "where in the file, bytes"),
	NUMBER(struct extent_facts, physical, "where on the device, bytes"),
	NUMBER(struct extent_facts, length, "bytes"),
};
const struct layout extent_layout = LAYOUT(struct extent_facts, extent_fields);

static const struct field area_fields[] = {
	TEXT(struct area_facts, path, "the file or device that is configured"),
	TEXT(struct area_facts, remembered,
		"the area that setup was given; null: the standard one"),
	TEXT(struct area_facts, kind, "file, device, link or other; null: not there"),
	NUMBER(struct area_facts, size, "bytes of the file or device"),
	NUMBER(struct area_facts, mode, "permission bits, as a decimal number"),
	NUMBER(struct area_facts, owner, "user id"),
	TEXT(struct area_facts, untrusted_folder,
		"why a folder above is not root's alone; null: all are"),
	NUMBER(struct area_facts, unfinished,
		"bytes taken by what an interrupted setup left beside it; null: nothing"),
	TEXT(struct area_facts, selinux_label, "SELinux context"),
	FLAG(struct area_facts, active, "in /proc/swaps"),
	NUMBER(struct area_facts, used, "bytes swapped out into it"),
	LIST(struct area_facts, extents, &extent_layout, "where the file lies on its device"),
	NUMBER(struct area_facts, holes, "ranges of the file without blocks"),
	FLAG(struct area_facts, shared, "has blocks shared with another file or snapshot"),
	FLAG(struct area_facts, copy_on_write, "btrfs without the nocow attribute"),
	FLAG(struct area_facts, compressed, "has compressed or encoded extents"),
	TEXT(struct area_facts, signature,
		"what the header says: swap or image; none: only zeros; other: not swap"),
	NUMBER(struct area_facts, header_page_size, "page size that the header was made with"),
	NUMBER(struct area_facts, header_size, "bytes of swap according to the header"),
	TEXT(struct area_facts, header_uuid, "UUID of the swap area"),
	TEXT(struct area_facts, header_label, "label of the swap area"),
	NUMBER(struct area_facts, resume_offset, "page of the header on the resume device"),
	TEXT(struct area_facts, resume_device, "major:minor of the device that holds the header"),
	TEXT(struct area_facts, resume_argument, "what resume= has to be to find that device"),
	TEXT(struct area_facts, filesystem, "type of the file system that holds the file"),
	TEXT(struct area_facts, mount_point, "where that file system is mounted"),
	NUMBER(struct area_facts, filesystem_size, "bytes"),
	NUMBER(struct area_facts, filesystem_free, "bytes that root may still use"),
	LIST(struct area_facts, devices, &device_layout, "from the resume device down to the disk"),
	TEXT(struct area_facts, prewarmed,
		"never, partly, running or finished, by the record of ec2hib prewarm"),
};
static const struct layout area_layout = LAYOUT(struct area_facts, area_fields);

static const struct field root_fields[] = {
	TEXT(struct root_facts, filesystem, "type of the root file system"),
	TEXT(struct root_facts, medium, "ebs, instance-store, zram or other"),
	LIST(struct root_facts, devices, &device_layout, "from its device down to the disk"),
};
static const struct layout root_layout = LAYOUT(struct root_facts, root_fields);

static const struct field entry_fields[] = {
	TEXT(struct entry_facts, id, "file name of a BLS entry, else the number of the entry"),
	TEXT(struct entry_facts, title, "what the menu shows"),
	TEXT(struct entry_facts, kernel, "path of the kernel as the loader sees it"),
	TEXT(struct entry_facts, version, "kernel release, from the entry or the file's name"),
	TEXT(struct entry_facts, initramfs, "path of the initramfs; null: boots without"),
	TEXT(struct entry_facts, arguments, "kernel command line"),
	FLAG(struct entry_facts, is_default, "the entry that boots next"),
	FLAG(struct entry_facts, rescue, "a recovery or rescue entry"),
};
static const struct layout entry_layout = LAYOUT(struct entry_facts, entry_fields);

static const struct field boot_fields[] = {
	TEXT(struct boot_facts, loader, "grub-debian, grubby, grub2, bls or grub-legacy"),
	TEXT(struct boot_facts, config, "file or folder that holds the entries"),
	LIST(struct boot_facts, entries, &entry_layout, "what the loader offers"),
	TEXT(struct boot_facts, force_partuuid, "GRUB_FORCE_PARTUUID of an Ubuntu cloud image"),
	TEXT(struct boot_facts, initramfs_tool, "dracut or initramfs-tools; null: none"),
	FLAG(struct boot_facts, initramfs_resume, "the initramfs that boots next can resume"),
	TEXT(struct boot_facts, initramfs_setting, "RESUME of initramfs-tools"),
	FLAG(struct boot_facts, our_arguments, "boot configuration that ec2hib wrote is there"),
	FLAG(struct boot_facts, our_initramfs,
		"initramfs configuration that ec2hib wrote is there"),
	FLAG(struct boot_facts, fstab_entry, "/etc/fstab activates the swap area at boot"),
	FLAG(struct boot_facts, our_fstab_entry, "and that line is one that ec2hib wrote"),
	FLAG(struct boot_facts, freeze_timeout_kept, "the freeze timeout is set again at boot"),
};
static const struct layout boot_layout = LAYOUT(struct boot_facts, boot_fields);

static const struct field agent_fields[] = {
	TEXT(struct agent_facts, name, "unit or program"),
	FLAG(struct agent_facts, installed, "on the disk"),
	FLAG(struct agent_facts, enabled, "starts at boot"),
	FLAG(struct agent_facts, running, "a process of it exists"),
};
static const struct layout agent_layout = LAYOUT(struct agent_facts, agent_fields);

static const struct field system_fields[] = {
	TEXT(struct system_facts, id, "ID of os-release"),
	TEXT(struct system_facts, version, "VERSION_ID of os-release"),
	TEXT(struct system_facts, name, "PRETTY_NAME of os-release"),
	TEXT(struct system_facts, init, "systemd or other"),
	TEXT(struct system_facts, selinux, "disabled, permissive or enforcing"),
	TEXT(struct system_facts, vendor, "sys_vendor of the firmware; Amazon EC2 on EC2"),
	FLAG(struct system_facts, reads_sleep_key, "logind or acpid would answer the sleep button"),
	TEXT(struct system_facts, logind_sleep_key, "HandleSuspendKey of logind"),
	TEXT(struct system_facts, logind_drop_in,
		"the drop-in of setup for logind: done or unfinished; null: none"),
	TEXT(struct system_facts, acpid_events,
		"files in /etc/acpi/events that answer the sleep button; null: none"),
	FLAG(struct system_facts, sleep_key_inhibited,
		"an inhibitor keeps logind from answering the sleep button"),
	FLAG(struct system_facts, sleep_scripts,
		"whether the administrator has scripts in /etc/systemd/system-sleep"),
	LIST(struct system_facts, agents, &agent_layout, "agents and services that act on sleep"),
	FLAG(struct system_facts, watch_running, "ec2hib watch runs, as a service or by hand"),
	TEXT(struct system_facts, taken_over,
		"what setup --take-over has switched off; null: nothing"),
	FLAG(struct system_facts, take_over_unfinished, "setup --take-over was interrupted"),
};
static const struct layout system_layout = LAYOUT(struct system_facts, system_fields);

static const struct field instance_fields[] = {
	TEXT(struct instance_facts, id, "meta-data/instance-id"),
	TEXT(struct instance_facts, type, "instanceType of the identity document"),
	TEXT(struct instance_facts, region, "region of the identity document"),
	TEXT(struct instance_facts, zone, "availabilityZone of the identity document"),
	TEXT(struct instance_facts, image, "imageId of the identity document"),
	TEXT(struct instance_facts, architecture, "architecture of the identity document"),
	TEXT(struct instance_facts, life_cycle, "on-demand, spot or scheduled"),
	FLAG(struct instance_facts, hibernation_configured, "meta-data/hibernation/configured"),
	TEXT(struct instance_facts, target_lifecycle_state,
		"Auto Scaling state; null: in no group"),
};
const struct layout instance_layout = LAYOUT(struct instance_facts, instance_fields);

static const struct field rehearsal_fields[] = {
	TEXT(struct rehearsal_facts, level,
		"the furthest that test-hibernate has come; null: nowhere yet"),
	TEXT(struct rehearsal_facts, time, "when, UTC, ISO 8601"),
	TEXT(struct rehearsal_facts, kernel, "kernel release at that time"),
	TEXT(struct rehearsal_facts, area_uuid, "UUID of the swap area at that time"),
	NUMBER(struct rehearsal_facts, area_offset, "resume_offset at that time, pages"),
	TEXT(struct rehearsal_facts, entry,
		"version and arguments of the next boot's entry at that time"),
	TEXT(struct rehearsal_facts, failed_level,
		"the level that failed after that; null: none did"),
	TEXT(struct rehearsal_facts, failed_time, "when, UTC, ISO 8601"),
	TEXT(struct rehearsal_facts, failure, "why it failed"),
};
const struct layout rehearsal_layout = LAYOUT(struct rehearsal_facts, rehearsal_fields);

static const struct field facts_fields[] = {
	NUMBER(struct facts, format, "version of this layout"),
	TEXT(struct facts, program, "version of ec2hib that gathered"),
	FLAG(struct facts, live, "the machine itself; false: an image"),
	FLAG(struct facts, privileged, "gathered as root"),
	GROUP(struct facts, kernel, &kernel_layout, "the running kernel"),
	GROUP(struct facts, memory, &memory_layout, "memory"),
	LIST(struct facts, swaps, &swap_layout, "active swaps"),
	GROUP(struct facts, area, &area_layout, "the swap area for hibernation"),
	GROUP(struct facts, root, &root_layout, "the root file system"),
	GROUP(struct facts, boot, &boot_layout, "the next boot"),
	GROUP(struct facts, system, &system_layout, "the distribution and its services"),
	GROUP(struct facts, instance, &instance_layout, "the EC2 instance"),
	GROUP(struct facts, rehearsal, &rehearsal_layout, "what test-hibernate has shown"),
};
const struct layout facts_layout = LAYOUT(struct facts, facts_fields);
