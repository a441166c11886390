/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration: /etc/ec2hib.conf, an INI file.
 *
 * Its keys are a superset of those of hibagent-config.cfg and hibinit-config.cfg, so that either
 * file works unchanged with --config. One table (config_keys) has them all: reading, the defaults,
 * the saved facts and the manual page's test walk it.
 */
#ifndef EC2HIB_BASE_CONFIG_H
#define EC2HIB_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/reporter.h"

#define CONFIG_PATH "/etc/ec2hib.conf"

enum config_choice { CHOICE_AUTO, CHOICE_YES, CHOICE_NO };

/* Numbers of the words of a CONFIG_WORD key; in the order of the words in its row of the table. */
enum config_swap_on { SWAP_IS_ON_AUTO, SWAP_IS_ON_ALWAYS, SWAP_IS_ON_FOR_HIBERNATION };
enum config_method { METHOD_IS_AUTO, METHOD_IS_DIRECT, METHOD_IS_SYSTEMD };
enum config_image { IMAGE_AUTO, IMAGE_MINIMAL, IMAGE_KERNEL };
enum config_hook_failure { HOOK_FAILURE_LOG, HOOK_FAILURE_ABORT };
enum config_reaction { REACTION_IGNORE, REACTION_HOOKS, REACTION_HIBERNATE };

struct config {
	char *swapfile;			/* absolute path, or "auto" */
	char *swap_device;		/* absolute path; "" for a swap file */
	unsigned swap_on;		/* enum config_swap_on */
	uint64_t percentage_of_ram;	/* of MemTotal */
	uint64_t target_size_mb;	/* MiB; the larger of both is the size */
	enum config_choice boot_config; /* key grub-update */
	enum config_choice touch_swap;
	char *freeze_timeout_curve; /* "" changes nothing; see core/base/curve.h */
	char *state_dir;

	/* [hibernate] */
	unsigned method;       /* enum config_method */
	unsigned image_size;   /* enum config_image */
	unsigned hook_failure; /* enum config_hook_failure */
	uint64_t hook_timeout; /* ms */
	uint64_t attempts;
	enum config_choice swapoff_after_resume;

	/* [watch] */
	uint64_t poll_interval; /* ms */
	uint64_t slow_interval; /* ms */
	uint64_t debounce;	/* ms */
	/* enum config_reaction */
	unsigned on_stop, on_terminate, on_rebalance, on_maintenance, on_lifecycle;
	enum config_choice setup_on_start;
	enum config_choice lock_in_ram;
	enum config_choice log_to_syslog;
	enum config_choice log_to_stderr;
};

enum config_kind {
	CONFIG_CURVE, /* core/base/curve.h; empty: none */
	CONFIG_PATH_NAME,
	CONFIG_NUMBER,
	CONFIG_CHOICE,
	CONFIG_WORD,	 /* one of a row's words; its number, an unsigned */
	CONFIG_DURATION, /* "500ms", "30s", "5min", or seconds; in ms */
	CONFIG_IGNORED
};

struct config_key {
	const char *section;
	const char *name;
	enum config_kind kind;
	size_t offset;	      /* in struct config */
	const char *standard; /* the default, as the file would have it */
	const char *help;
	/* Of CONFIG_WORD, NULL at the end; of CONFIG_IGNORED: values that need no word. */
	const char *const *words;
	uint64_t least, most; /* of CONFIG_NUMBER and CONFIG_DURATION; 0, 0: any */
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* The defaults; config_free() ends it. */
void config_init(struct config *config);
void config_free(struct config *config);

/*
 * Reads PATH below ROOT over what CONFIG holds. Whatever is wrong names file and line: REPORTER
 * (may be NULL) gets what deserves a word and is no error, such as an unknown key, as LOG_WARNING,
 * and of several errors each as LOG_ERR. -EINVAL with the one error, or with how many there are;
 * -ENOENT when there is no such file.
 */
int config_read(struct config *config, const struct root *root, const char *path,
	const struct reporter *reporter, struct error *err);

/* Sets one key from text, as config_read() does; SECTION may be NULL for any. */
int config_set(struct config *config, const char *section, const char *name, const char *value,
	struct error *err);

/* The value of KEY as text; the caller frees it. */
char *config_get(const struct config *config, const struct config_key *key);

#endif
