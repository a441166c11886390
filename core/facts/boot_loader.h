/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A way to boot is a file: boot_NAME.c has one struct boot_loader, which says of a machine whether
 * it boots this way and which entries it has, and as data what would have to change in which file.
 * It reads, and changes nothing: core/actions/boot.c writes the files and runs the programs that
 * are named here, the same for all loaders. A new one is its file, its row in boot.c, and a tree in
 * tests/fixtures/trees.
 */
#ifndef EC2HIB_FACTS_BOOT_LOADER_H
#define EC2HIB_FACTS_BOOT_LOADER_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/text.h"
#include "core/facts/boot_mounts.h"
#include "core/facts/facts.h"
#include "core/facts/firmware.h"

/* What was found on the disk before the loaders are asked, and where their answers go. */
struct boot_search {
	const struct root *root;
	struct boot_facts *boot;
	struct firmware firmware;
	struct boot_mounts mounts;
	char *entries;	      /* the folder with entry files, or NULL: boot_bls.h */
	char *config;	      /* the grub.cfg that counts, or NULL: boot_grub.h */
	char *config_text;    /* NULL when it cannot be read */
	char *environment;    /* the text of GRUB's environment block, or NULL */
	struct error unclear; /* why it is not known which grub.cfg counts; empty: it is */
	bool misled;	      /* because what is here is not what boots */
	struct error hidden;  /* why something could not be looked at; empty: all could */
};

/* The arguments that every entry is to have. */
struct boot_wanted {
	const struct strings *arguments; /* "key=value", plain: safe within a shell file */
	const char *const *keys;	 /* whatever else has one of these goes; NULL ends them */
	const char *resume;		 /* the value of resume= */
	bool needs_initramfs;		 /* only an initramfs can find that */
};

/* A file whose lines tell the command line, and belong to others. */
struct boot_source {
	char *file;
	/* What comes before the arguments: a word and a blank ("options"), or a name and '='
	 * ("kernelopts="). "": the whole line is arguments, unless it is a comment. */
	const char *keyword;
	bool shell;  /* settings of GRUB's scripts instead: core/facts/shell_settings.h */
	char *id;    /* the file is the entry with this id, and only changes if that is of this
		       system; NULL: it is none */
	bool quoted; /* after the key word the arguments are one quoted string; what is more is left
			alone */
	bool each;   /* each line is an entry. Otherwise they add up, and the last is changed */
	bool added;  /* a text without such a line gets one */
	bool copy; /* somebody may have copied our lines there: they are not set, only taken out */
	char *initial;	      /* what the file is to hold where there is none; NULL: none is made */
	const char *variable; /* a file that uses it takes its arguments from there; may be NULL */
};
struct boot_sources {
	struct boot_source *items;
	size_t count;
};

/* A file of settings: as it is, and as it should be. */
struct boot_settings {
	char *old;  /* NULL: there is no such file */
	char *with; /* with our arguments */
	char *idle; /* ours is there, without effect: grub.cfg is still to be made without it */
	char *bare; /* without ours; NULL: the file goes */
};

/* A program that starts kernels, and how it is recognised when it has started this system. */
struct boot_program {
	const char *name;
	const char *info;	   /* LoaderInfo begins so; NULL: it sets none */
	const char *sector;	   /* its name in a boot sector ends so; NULL: it has none */
	const char *const *images; /* patterns of its files on the EFI partition; NULL ends them */
};

/* GRUB has several loaders here, which differ in where its entries come from. */
extern const struct boot_program boot_program_grub;

/* What the administrator types where nothing is edited: BEFORE, the arguments, AFTER. */
struct boot_manual {
	const char *before;
	const char *between; /* two arguments */
	const char *after;
	const char *replace;	   /* before an old value that has to go; NULL: it is not said */
	const char *device_before; /* the same with the path of the resume device; may be NULL */
	const char *device_after;
	const char *initramfs;	 /* for an initramfs that can resume; NULL: made as elsewhere */
	const char *swap_before; /* for a swap area that is on at boot, around its path; NULL: */
	const char *swap_after;	 /* /etc/fstab is as elsewhere */
};

struct boot_loader {
	const char *name;  /* in facts->boot.loader */
	const char *where; /* where it has the arguments from, for a plan: "in menu.lst" */

	/* One of these starts such a machine; both NULL: any may, and the files alone decide. */
	const struct boot_program *program, *other_program;
	bool starts_images; /* unified kernel images, which have their arguments in themselves */

	/* Set: it is recognised, and its entries are read, but nothing of it is changed. */
	const struct boot_manual *manual;

	/* Does this machine boot this way? */
	bool (*boots)(const struct boot_search *search);

	/* Fills config and entries of search->boot, and marks the entry that boots next. */
	void (*gather)(struct boot_search *search);

	/*
	 * Lines of other people's files that have the arguments. Adds these files, also those from
	 * which the entries of later kernels will be made. NULL: there are none.
	 */
	void (*sources)(const struct root *root, const struct boot_facts *boot,
		struct boot_sources *sources);

	/* A file of settings that is ours, or has a block of ours; NULL: there is none. */
	const char *settings_file;
	const char *settings_mark; /* our block begins so; NULL: all of the file is ours */

	/*
	 * Fills with (unless WANTED is NULL), idle and bare from old. -EINVAL: what is ours in the
	 * file cannot be told; the sentence follows the file's name.
	 */
	int (*settings)(struct boot_settings *settings, const struct boot_wanted *wanted,
		struct error *err);

	/*
	 * Fills search->boot->settings: what entries that are made later will have. NULL: that is
	 * not told by files.
	 */
	void (*gather_settings)(struct boot_search *search);

	/*
	 * What boots is made from sources and settings: a program that makes PRODUCT, and its
	 * arguments. It writes to OUTPUT, another name in the same folder, which takes the
	 * product's place once it was looked at. NULL: sources and settings are themselves read at
	 * boot.
	 */
	void (*generator)(const struct root *root, const char *product, const char *output,
		struct strings *program);

	/* The files that it makes. NULL: the one in facts->boot.config. */
	void (*products)(
		const struct root *root, const struct boot_facts *boot, struct strings *products);

	/*
	 * Fills the entries of search->boot with those of a product that is in the file PATH now.
	 * NULL: it is a grub.cfg, and gather reads it.
	 */
	void (*gather_product)(struct boot_search *search, const char *path);
};

/* The text of PATH or NULL; what is there but cannot be read is remembered. The caller frees it. */
char *boot_search_read(struct boot_search *search, const char *path, size_t limit);

/*
 * The same for PATHS that together tell one fact: false, and the fact unknown with the reason, when
 * one is there and cannot be read. TEXTS gets one for each path, "" for a file that is not there.
 */
bool boot_search_read_all(struct boot_search *search, const struct strings *paths,
	struct strings *texts, struct fact *fact);

/* Adds a source, which takes FILE over. */
struct boot_source *boot_sources_add(struct boot_sources *sources, char *file, const char *keyword);
void boot_sources_free(struct boot_sources *sources);

void boot_settings_free(struct boot_settings *settings);

/*
 * The file as the running system names it of a PATH that a boot loader uses: the loader's paths
 * begin at its own file system, which may be /boot or the EFI partition. The caller frees it; NULL:
 * there is no such file, or PATH, which is not known, is NULL.
 */
char *boot_real_path(const struct root *root, const char *path);

#endif
