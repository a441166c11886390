/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that ec2hib knows about a machine, gathered once. Rules decide from this alone.
 *
 * Sizes are bytes and times milliseconds unless a name says otherwise; offsets in a swap area are
 * pages of the running kernel, as resume_offset counts them. Each struct has its layout in
 * layouts.c, where the help text of every field says where it comes from.
 */
#ifndef EC2HIB_FACTS_FACTS_H
#define EC2HIB_FACTS_FACTS_H

#include "core/facts/fact.h"

/* The layout version of saved facts: higher when an old reader would misunderstand a new file. */
#define FACTS_FORMAT 1

/* The running kernel. All unknown when facts are gathered from an image. */
struct kernel_facts {
	struct fact_text release;
	struct fact_text machine;
	struct fact_number page_size;
	struct fact_text command_line;
	struct fact_text power_state;
	struct fact_text power_disk;
	struct fact_text resume_device;
	struct fact_number resume_offset;
	struct fact_number image_size;
	struct fact_number freeze_timeout;
	struct fact_text pm_test;
	struct fact_flag snapshot_device;
	struct fact_text lockdown;
	struct fact_flag fips;
	struct fact_number nvme_io_timeout;
	struct fact_flag workqueue_power_efficient;
};

struct memory_facts {
	struct fact_number total;
	struct fact_number available;
	struct fact_number image_estimate;
};

/* Where data on a block device ends up. In `medium`. */
#define MEDIUM_EBS	      "ebs"
#define MEDIUM_INSTANCE_STORE "instance-store"
#define MEDIUM_ZRAM	      "zram"
#define MEDIUM_OTHER	      "other"

/* One device of a chain, from a file system's device down to the disk. */
struct device_facts {
	struct fact_text name;
	struct fact_text number;
	struct fact_text kind;
	struct fact_number size;
	struct fact_text model;
	struct fact_text serial;
	struct fact_text medium;
	struct fact_text holds;
	struct fact_text uuid;
	struct fact_text partuuid;
	struct fact_flag random_key;
};

typedef FACT_LIST(struct device_facts) device_list;

/* An active swap, one line of /proc/swaps. */
struct swap_facts {
	struct fact_text path;
	struct fact_text type;
	struct fact_number size;
	struct fact_number used;
	struct fact_text priority;
	struct fact_text device;
	struct fact_text medium;
	struct fact_flag random_key;
	struct fact_flag is_area;
};

typedef FACT_LIST(struct swap_facts) swap_list;

/* Contiguous bytes of the swap file on its device; neighbours are merged. */
struct extent_facts {
	struct fact_number logical;
	struct fact_number physical;
	struct fact_number length;
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

/* The swap area that hibernation is meant to use: the configured file or device. */
struct area_facts {
	struct fact_text path;
	struct fact_text remembered;
	struct fact_text kind; /* absent: there is no such file */
	struct fact_number size;
	struct fact_number mode;
	struct fact_number owner;
	struct fact_text untrusted_folder;
	struct fact_number unfinished;
	struct fact_text selinux_label;
	struct fact_flag active;
	struct fact_number used;
	extent_list extents;
	struct fact_number holes;
	struct fact_flag shared;
	struct fact_flag copy_on_write;
	struct fact_flag compressed;
	struct fact_text signature;
	struct fact_number header_page_size;
	struct fact_number header_size;
	struct fact_text header_uuid;
	struct fact_text header_label;
	struct fact_number resume_offset;
	struct fact_text resume_device;
	struct fact_text resume_argument;
	struct fact_text filesystem;
	struct fact_text mount_point;
	struct fact_number filesystem_size;
	struct fact_number filesystem_free;
	device_list devices;
	struct fact_text prewarmed;
};

/* Where the root file system lies. */
struct root_facts {
	struct fact_text filesystem;
	struct fact_text medium;
	device_list devices;
};

/* Who manages the boot entries. In `loader`. */
#define LOADER_GRUB_DEBIAN "grub-debian" /* /etc/default/grub.d and update-grub */
#define LOADER_GRUBBY	   "grubby"	 /* Fedora family with grubby */
#define LOADER_GRUB2	   "grub2"	 /* /etc/default/grub and grub2-mkconfig */
#define LOADER_BLS	   "bls"	 /* /boot/loader/entries without grubby */
#define LOADER_GRUB_LEGACY "grub-legacy" /* /boot/grub/menu.lst */

/* One entry that the boot loader offers. */
struct entry_facts {
	struct fact_text id;
	struct fact_text title;
	struct fact_text kernel;
	struct fact_text version;
	struct fact_text initramfs;
	struct fact_text arguments;
	struct fact_flag is_default;
	struct fact_flag rescue;
};

/* Who makes the initramfs. In `tool`; absent: no initramfs is used. */
#define INITRAMFS_DRACUT "dracut"
#define INITRAMFS_TOOLS	 "initramfs-tools"

struct boot_facts {
	struct fact_text loader;
	struct fact_text config;
	FACT_LIST(struct entry_facts) entries;
	struct fact_text force_partuuid;
	struct fact_text initramfs_tool;
	struct fact_flag initramfs_resume;
	struct fact_text initramfs_setting;
	struct fact_flag our_arguments;
	struct fact_flag our_initramfs;
	struct fact_flag fstab_entry;
	struct fact_flag our_fstab_entry;
	struct fact_flag freeze_timeout_kept;
};

/* A service or program that has to do with sleeping. */
struct agent_facts {
	struct fact_text name;
	struct fact_flag installed;
	struct fact_flag enabled;
	struct fact_flag running;
};

struct system_facts {
	struct fact_text id;
	struct fact_text version;
	struct fact_text name;
	struct fact_text init;
	struct fact_text selinux;
	struct fact_text vendor;
	struct fact_flag reads_sleep_key;
	struct fact_text logind_sleep_key;
	struct fact_text logind_drop_in;
	struct fact_text acpid_events;
	struct fact_flag sleep_key_inhibited;
	struct fact_flag sleep_scripts;
	FACT_LIST(struct agent_facts) agents;
	struct fact_flag watch_running;
	struct fact_text taken_over;
	struct fact_flag take_over_unfinished;
};

/*
 * What ec2hib test-hibernate has shown on this machine, and what the machine was then: once kernel,
 * area or entry are others, it shows little. All absent where nothing was rehearsed.
 */
struct rehearsal_facts {
	struct fact_text level;
	struct fact_text time;
	struct fact_text kernel;
	struct fact_text area_uuid;
	struct fact_number area_offset;
	struct fact_text entry;
	struct fact_text failed_level;
	struct fact_text failed_time;
	struct fact_text failure;
};

/* From the metadata service; all unknown, with one reason, when it did not answer. */
struct instance_facts {
	struct fact_text id;
	struct fact_text type;
	struct fact_text region;
	struct fact_text zone;
	struct fact_text image;
	struct fact_text architecture;
	struct fact_text life_cycle;
	struct fact_flag hibernation_configured;
	struct fact_text target_lifecycle_state;
};

struct facts {
	struct fact_number format;
	struct fact_text program;
	struct fact_flag live;
	struct fact_flag privileged;
	struct kernel_facts kernel;
	struct memory_facts memory;
	swap_list swaps;
	struct area_facts area;
	struct root_facts root;
	struct boot_facts boot;
	struct system_facts system;
	struct instance_facts instance;
	struct rehearsal_facts rehearsal;
};

extern const struct layout facts_layout;

/* Layouts of the parts that somebody needs alone. */
extern const struct layout device_layout;
extern const struct layout extent_layout;
extern const struct layout instance_layout;
extern const struct layout kernel_layout;
extern const struct layout memory_layout;
extern const struct layout rehearsal_layout;
extern const struct layout swap_layout;

/* Adds an item to a list of facts and makes the list known; returns the new item, all unknown. */
#define facts_add(list)                                                                            \
	((list)->is = FACT_KNOWN,                                                                  \
		(list)->items = memory_grow((list)->items, (list)->count, sizeof(*(list)->items)), \
		&(list)->items[(list)->count++])

void facts_free(struct facts *facts);

/* The entry that boots next: the default one; NULL when it is not known. */
const struct entry_facts *facts_next_entry(const struct facts *facts);

#endif
