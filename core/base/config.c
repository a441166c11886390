/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/curve.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* What a number may be where its key sets no other limit. */
#define NUMBER_MOST 100000000

#define ROW(section, name, kind, member, standard, help, words, least, most)                       \
	{                                                                                          \
		section, name, kind, offsetof(struct config, member), standard, help, words,       \
			least, most                                                                \
	}
#define KEY(section, name, kind, member, standard, help)                                           \
	ROW(section, name, kind, member, standard, help, NULL, 0, 0)
#define WORD(section, name, member, standard, help, words)                                         \
	ROW(section, name, CONFIG_WORD, member, standard, help, words, 0, 0)
#define RANGE(section, name, kind, member, standard, help, least, most)                            \
	ROW(section, name, kind, member, standard, help, NULL, least, most)
#define IGNORED(section, name, help)                                                               \
	{                                                                                          \
		section, name, CONFIG_IGNORED, 0, "", help, NULL, 0, 0                             \
	}
#define REACTION(name, member, help) WORD("watch", name, member, "hooks", help, reactions)

static const char *const methods[] = { "auto", "direct", "systemd", NULL };
static const char *const images[] = { "auto", "minimal", "kernel", NULL };
static const char *const hook_failures[] = { "log", "abort", NULL };
static const char *const reactions[] = { "ignore", "hooks", "hibernate", NULL };

/* clang-format off */
const struct config_key config_keys[] = {
	KEY("core", "grub-update", CONFIG_CHOICE, boot_config, "yes",
		"let setup change the boot configuration"),
	KEY("core", "touch-swap", CONFIG_CHOICE, touch_swap, "auto",
		"write every block of a new swap file; auto: only where fallocate will not do"),
	IGNORED("core", "btrfs-enabled",
		"not needed: a swap file on btrfs is always made nocow and uncompressed"),
	KEY("core", "state-dir", CONFIG_PATH_NAME, state_dir, "/var/lib/ec2hib",
		"where ec2hib keeps what it has to remember"),
	KEY("core", "freeze-timeout-curve", CONFIG_CURVE, freeze_timeout_curve,
		"0-8:20,8-16:40,16-64:60,64-128:150,128-256:200,256-:400",
		"freeze timeout by memory, GiB-GiB:seconds; empty: leave it alone"),
	KEY("core", "lock-in-ram", CONFIG_CHOICE, lock_in_ram, "yes",
		"keep the agent's pages in memory"),
	KEY("core", "log-to-syslog", CONFIG_CHOICE, log_to_syslog, "auto",
		"the agent's log goes to syslog; auto: when it runs in the background"),
	KEY("core", "log-to-stderr", CONFIG_CHOICE, log_to_stderr, "auto",
		"the agent's log goes to standard error; auto: when it runs in the foreground"),
	IGNORED("core", "check-ephemeral-volumes",
		"not needed: the check swap-medium looks at the device itself"),
	KEY("swap", "swapfile", CONFIG_PATH_NAME, swapfile, "auto",
		"the swap file; auto: what setup was given, else /swap-hibinit where only that exists, else /swap"),
	KEY("swap", "swap-device", CONFIG_PATH_NAME, swap_device, "",
		"a swap partition or logical volume to use in place of a file"),
	KEY("swap", "percentage-of-ram", CONFIG_NUMBER, percentage_of_ram, "100",
		"size of the swap file in per cent of memory"),
	KEY("swap", "target-size-mb", CONFIG_NUMBER, target_size_mb, "4000",
		"size of the swap file in MiB; the larger of both counts"),
	IGNORED("swap", "mkswap", "not used: ec2hib runs mkswap without a shell"),
	IGNORED("swap", "swapon", "not used: ec2hib calls swapon(2)"),
	IGNORED("swap", "swapoff", "not used: ec2hib calls swapoff(2)"),
	WORD("hibernate", "method", method, "auto",
		"who tells the kernel to hibernate: ec2hib (direct) or systemd", methods),
	WORD("hibernate", "image-size", image_size, "auto",
		"how small to make the image: only to fit (auto), as can be (minimal), or as the kernel is set (kernel)", images),
	RANGE("hibernate", "attempts", CONFIG_NUMBER, attempts, "3",
		"how often to try when the kernel gives up for a passing reason",
		1, 10),
	RANGE("hibernate", "hook-timeout", CONFIG_DURATION, hook_timeout, "30s",
		"time limit of each hook",
		100, 3600 * 1000),
	WORD("hibernate", "hook-failure", hook_failure, "log",
		"what a failing pre-hibernate hook does: log, or abort the hibernation",
		hook_failures),
	KEY("hibernate", "swapoff-after-resume", CONFIG_CHOICE, swapoff_after_resume, "no",
		"switch the swap area off after resume, where what it holds fits into memory"),
	RANGE("watch", "poll-interval", CONFIG_DURATION, poll_interval, "1s",
		"how often to ask for a Spot notice",
		100, 60 * 1000),
	RANGE("watch", "slow-poll-interval", CONFIG_DURATION, slow_interval, "30s",
		"how often to ask for rebalance recommendations, maintenance events and the target lifecycle state",
		1000, 3600 * 1000),
	RANGE("watch", "debounce", CONFIG_DURATION, debounce, "30s",
		"how long after a resume the sleep button is ignored",
		0, 3600 * 1000),
	REACTION("on-stop", on_stop, "on a Spot notice to stop"),
	REACTION("on-terminate", on_terminate, "on a Spot notice to terminate"),
	REACTION("on-rebalance", on_rebalance, "on a rebalance recommendation"),
	REACTION("on-maintenance", on_maintenance, "on a maintenance event"),
	REACTION("on-lifecycle", on_lifecycle,
		"when the Auto Scaling group wants another state than InService"),
	KEY("watch", "setup-on-start", CONFIG_CHOICE, setup_on_start, "no",
		"complete what setup left undone when the agent starts"),
	IGNORED("pm-utils", "hibernate-command", "not used: no helper is needed to hibernate"),
	IGNORED("notification", "monitored-url", "not used: see --imds-endpoint"),
};
/* clang-format on */
const size_t config_key_count = ARRAY_SIZE(config_keys);

static void *value_of(const struct config *config, const struct config_key *key)
{
	return (char *)config + key->offset;
}

static bool choice_parse(const char *text, enum config_choice *choice)
{
	static const struct {
		const char *word;
		enum config_choice choice;
	} words[] = { { "auto", CHOICE_AUTO }, { "yes", CHOICE_YES }, { "true", CHOICE_YES },
		{ "on", CHOICE_YES }, { "1", CHOICE_YES }, { "no", CHOICE_NO },
		{ "false", CHOICE_NO }, { "off", CHOICE_NO }, { "0", CHOICE_NO } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(text, words[i].word) == 0) {
			*choice = words[i].choice;
			return true;
		}
	return false;
}

/* As the kernel would write it: /proc/swaps is compared with it, letter by letter. */
static bool path_is_clean(const char *path)
{
	static const char *const parts[] = { "//", "/./", "/../" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strstr(path, parts[i]))
			return false;
	return path[0] == '/' && path[1] && !text_ends(path, "/..") && !text_ends(path, "/.") &&
	       !text_ends(path, "/") && !strpbrk(path, " \t\n\"'\\");
}

static int word_set(
	unsigned *member, const struct config_key *key, const char *value, struct error *err)
{
	memory_cleanup_free char *words = text_copy("");

	for (unsigned i = 0; key->words[i]; i++) {
		if (strcasecmp(value, key->words[i]) == 0) {
			*member = i;
			return 0;
		}
		text_append(&words, "%s%s", *words ? ", " : "", key->words[i]);
	}
	return error_set(err, EINVAL, "%s is \"%s\", not one of: %s", key->name, value, words);
}

static int duration_set(
	uint64_t *member, const struct config_key *key, const char *value, struct error *err)
{
	memory_cleanup_free char *least = duration_exact(key->least);
	memory_cleanup_free char *most = duration_exact(key->most);
	uint64_t milliseconds;

	if (duration_parse(value, &milliseconds) < 0 || milliseconds < key->least ||
		milliseconds > key->most)
		return error_set(err, EINVAL,
			"%s is \"%s\", not a time from %s to %s (ms, s, min or h)", key->name,
			value, least, most);
	*member = milliseconds;
	return 0;
}

static int key_set(
	struct config *config, const struct config_key *key, const char *value, struct error *err)
{
	void *member = value_of(config, key);
	uint64_t number;

	switch (key->kind) {
	case CONFIG_IGNORED:
		return 0;
	case CONFIG_CHOICE:
		if (!choice_parse(value, member))
			return error_set(
				err, EINVAL, "%s is \"%s\", not yes, no or auto", key->name, value);
		return 0;
	case CONFIG_WORD:
		return word_set(member, key, value, err);
	case CONFIG_DURATION:
		return duration_set(member, key, value, err);
	case CONFIG_NUMBER:
		if (number_parse(value, &number) < 0 || number < key->least ||
			number > (key->most ? key->most : NUMBER_MOST))
			return error_set(err, EINVAL,
				"%s is \"%s\", not a whole number from %llu to %llu", key->name,
				value, (unsigned long long)key->least,
				(unsigned long long)(key->most ? key->most : NUMBER_MOST));
		*(uint64_t *)member = number;
		return 0;
	case CONFIG_PATH_NAME:
		if (strcmp(value, key->standard) != 0 && !path_is_clean(value))
			return error_set(err, EINVAL,
				"%s is \"%s\", not an absolute path without spaces, quotes, // and ..",
				key->name, value);
		break;
	case CONFIG_CURVE:
		if (curve_check(value) < 0)
			return error_set(err, EINVAL,
				"%s is \"%s\", not FROM-TO:SECONDS with commas between (GiB of memory; TO may be empty)",
				key->name, value);
		break;
	}
	text_set(member, text_copy(value));
	return 0;
}

void config_init(struct config *config)
{
	struct error err = { "" };

	*config = (struct config) { 0 };
	for (size_t i = 0; i < config_key_count; i++)
		key_set(config, &config_keys[i], config_keys[i].standard, &err);
}

void config_free(struct config *config)
{
	free(config->swapfile);
	free(config->swap_device);
	free(config->freeze_timeout_curve);
	free(config->state_dir);
	*config = (struct config) { 0 };
}

static const struct config_key *key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < config_key_count; i++)
		if (strcasecmp(config_keys[i].name, name) == 0 &&
			(!section || strcasecmp(config_keys[i].section, section) == 0))
			return &config_keys[i];
	return NULL;
}

int config_set(struct config *config, const char *section, const char *name, const char *value,
	struct error *err)
{
	const struct config_key *key = key_find(section, name);

	if (!key)
		return error_set(err, ENOENT, "unknown key %s", name);
	return key_set(config, key, value, err);
}

char *config_get(const struct config *config, const struct config_key *key)
{
	static const char *const choices[] = {
		[CHOICE_AUTO] = "auto", [CHOICE_YES] = "yes", [CHOICE_NO] = "no"
	};
	const void *member = value_of(config, key);

	switch (key->kind) {
	case CONFIG_IGNORED:
		return text_copy("");
	case CONFIG_CHOICE:
		return text_copy(choices[*(const enum config_choice *)member]);
	case CONFIG_WORD:
		return text_copy(key->words[*(const unsigned *)member]);
	case CONFIG_DURATION:
		return duration_exact(*(const uint64_t *)member);
	case CONFIG_NUMBER:
		return text_format("%llu", (unsigned long long)*(const uint64_t *)member);
	case CONFIG_PATH_NAME:
	case CONFIG_CURVE:
		break;
	}
	return text_copy(*(char *const *)member);
}

/* inih asks for one line after the other, which tells us the number of the line it is at. */
struct reading {
	struct config *config;
	const char *shown;
	char *next;
	unsigned line;
	config_warning *warn;
	void *data;
	struct error *err;
	int status;
};

static char *next_line(char *buffer, int size, void *data)
{
	struct reading *reading = data;
	size_t length;

	if (!*reading->next || reading->status < 0)
		return NULL;
	reading->line++;
	length = strcspn(reading->next, "\n");
	if (reading->next[length] == '\n')
		length++;
	if (length >= (size_t)size) {
		reading->status = error_set(reading->err, EINVAL, "%s:%u: the line is too long",
			reading->shown, reading->line);
		return NULL;
	}
	memcpy(buffer, reading->next, length);
	buffer[length] = '\0';
	reading->next += length;
	return buffer;
}

static int take_value(void *data, const char *section, const char *name, const char *value)
{
	struct reading *reading = data;
	memory_cleanup_free char *warning = NULL;

	if (reading->status < 0)
		return 0;
	if (!key_find(section, name)) {
		warning =
			*section
				? text_format("%s:%u: unknown key \"%s\" in [%s]", reading->shown,
					  reading->line, name, section)
				: text_format(
					  "%s:%u: key \"%s\" comes before any [section] and is ignored",
					  reading->shown, reading->line, name);
		if (reading->warn)
			reading->warn(reading->data, warning);
		return 1;
	}
	reading->status = config_set(reading->config, section, name, value, reading->err);
	if (reading->status < 0)
		error_prefix(reading->err, 0, "%s:%u", reading->shown, reading->line);
	return reading->status == 0;
}

int config_read(struct config *config, const struct root *root, const char *path,
	config_warning *warn, void *data, struct error *err)
{
	memory_cleanup_free char *shown = root_shown(root, path);
	memory_cleanup_free char *text = NULL;
	struct reading reading = {
		.config = config, .shown = shown, .warn = warn, .data = data, .err = err
	};
	int status = root_read(root, path, FILE_LIMIT, &text, NULL, err), line;

	if (status < 0)
		return status;
	reading.next = text;
	line = ini_parse_stream(next_line, &reading, take_value, &reading);
	if (reading.status < 0)
		return reading.status;
	if (line != 0)
		return error_set(
			err, EINVAL, "%s:%d: neither a [section] nor a key = value", shown, line);
	return 0;
}
