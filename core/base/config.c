/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
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
/* STANDARD is what the older agents' files have, OTHERS what means the same; of these no word. */
#define IGNORED(section, name, standard, others, help)                                             \
	{                                                                                          \
		section, name, CONFIG_IGNORED, 0, standard, help, others, 0, 0                     \
	}
#define REACTION(name, member, help) WORD("watch", name, member, "hooks", help, reactions)

static const char *const swap_times[] = { "auto", "always", "hibernation", NULL };
static const char *const methods[] = { "auto", "direct", "systemd", NULL };
static const char *const images[] = { "auto", "minimal", "kernel", NULL };
static const char *const hook_failures[] = { "log", "abort", NULL };
static const char *const booleans[] = { "true", "false", "t", "f", "1", "0", "yes", "no", NULL };
static const char *const mkswap_commands[] = { "/sbin/mkswap {swapfile}",
	"/usr/sbin/mkswap {swapfile}", NULL };
static const char *const swapon_commands[] = { "/sbin/swapon {swapfile}",
	"/usr/sbin/swapon {swapfile}", NULL };
static const char *const swapoff_commands[] = { "/sbin/swapoff {swapfile}",
	"/usr/sbin/swapoff {swapfile}", NULL };
static const char *const hibernate_commands[] = { "pm-hibernate", "/sbin/pm-hibernate",
	"systemctl hibernate", "/bin/systemctl hibernate", "/usr/bin/systemctl hibernate", NULL };
static const char *const reactions[] = { "ignore", "hooks", "hibernate", NULL };

/* clang-format off */
const struct config_key config_keys[] = {
	KEY("core", "grub-update", CONFIG_CHOICE, boot_config, "yes",
		"let setup change the boot configuration"),
	KEY("core", "touch-swap", CONFIG_CHOICE, touch_swap, "auto",
		"write every block of a new swap file; auto: only where fallocate will not do"),
	IGNORED("core", "btrfs-enabled", "False", booleans,
		"a swap file on btrfs is always made nocow and uncompressed"),
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
	IGNORED("core", "check-ephemeral-volumes", "True", booleans,
		"the check swap-medium looks at the device itself"),
	KEY("swap", "swapfile", CONFIG_PATH_NAME, swapfile, "auto",
		"the swap file; auto: what setup was given, else one that is there and will do, else /swap (btrfs: /swap/swapfile)"),
	KEY("swap", "swap-device", CONFIG_PATH_NAME, swap_device, "",
		"a swap partition or logical volume to use in place of a file"),
	WORD("swap", "swap-on", swap_on, "auto",
		"when the swap area is on: always, or around a hibernation only (hibernation); auto: what setup was given, else hibernation where kubelet is installed, else always", swap_times),
	KEY("swap", "percentage-of-ram", CONFIG_NUMBER, percentage_of_ram, "100",
		"size of the swap file in per cent of memory"),
	KEY("swap", "target-size-mb", CONFIG_NUMBER, target_size_mb, "4000",
		"size of the swap file in MiB; the larger of both counts"),
	IGNORED("swap", "mkswap", "mkswap {swapfile}", mkswap_commands,
		"ec2hib runs mkswap(8) of the system, without a shell"),
	IGNORED("swap", "swapon", "swapon {swapfile}", swapon_commands,
		"ec2hib calls swapon(2) itself"),
	IGNORED("swap", "swapoff", "swapoff {swapfile}", swapoff_commands,
		"ec2hib calls swapoff(2) itself"),
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
	IGNORED("pm-utils", "hibernate-command", "/usr/sbin/pm-hibernate", hibernate_commands,
		"ec2hib needs no helper to hibernate; what is to run before it is a hook in /etc/ec2hib/hooks.d/pre-hibernate"),
	IGNORED("notification", "monitored-url",
		"http://169.254.169.254/latest/meta-data/spot/instance-action", NULL,
		"--imds-endpoint and AWS_EC2_METADATA_SERVICE_ENDPOINT say where the metadata service is"),
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
		{ "false", CHOICE_NO }, { "off", CHOICE_NO }, { "0", CHOICE_NO },
		/* hibagent's short forms, and ours. */
		{ "t", CHOICE_YES }, { "y", CHOICE_YES }, { "f", CHOICE_NO }, { "n", CHOICE_NO } };

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

/* Without slashes at its end; the caller frees it. */
static char *path_without_end(const char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	return text_copy_length(path, length);
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
	memory_cleanup_free char *plain = NULL;
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
		plain = path_without_end(value);
		if (strcmp(plain, key->standard) != 0 && !path_is_clean(plain))
			return error_set(err, EINVAL,
				"%s is \"%s\", not an absolute path without spaces, quotes, // and ..",
				key->name, value);
		text_set(member, text_copy(plain));
		return 0;
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

/* ---- The file -------------------------------------------------------------------------------- */

/*
 * The form that both Python's configparser, which the older agents have, and people expect of an
 * INI file. We read it by ourselves because the libraries for it cut long lines off, or stop at a
 * NUL.
 */
struct reading {
	struct config *config;
	const char *shown; /* the file's name */
	unsigned line;
	char *section; /* NULL before the first one */
	/* The key above, which lines that begin with a blank go on with; NULL: there is none. */
	const struct config_key *above;
	bool goes_on; /* there is a key above, known or not */
	/* What deserves a word, in the order of the lines. */
	struct complaint {
		int priority; /* LOG_ERR or LOG_WARNING */
		char *text;
	} * complaints;
	size_t count, errors;
};

static void complain(struct reading *reading, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void complain(struct reading *reading, int priority, const char *format, ...)
{
	memory_cleanup_free char *text = NULL;
	struct complaint *complaint;
	va_list arguments;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	reading->complaints =
		memory_grow(reading->complaints, reading->count, sizeof(*reading->complaints));
	complaint = &reading->complaints[reading->count++];
	complaint->priority = priority;
	complaint->text = text_format("%s:%u: %s", reading->shown, reading->line, text);
	reading->errors += priority == LOG_ERR;
}

/* Says all of it; a single error is left to the caller. */
static int say(struct reading *reading, const struct reporter *reporter, struct error *err)
{
	size_t errors = reading->errors;

	for (size_t i = 0; i < reading->count; i++) {
		const struct complaint *complaint = &reading->complaints[i];

		if (complaint->priority == LOG_ERR && errors == 1)
			error_set(err, EINVAL, "%s", complaint->text);
		else
			reporter_log(reporter, complaint->priority, "%s", complaint->text);
		free(complaint->text);
	}
	free(reading->complaints);
	if (errors > 1)
		return error_set(err, EINVAL, "%s: %zu errors", reading->shown, errors);
	return errors ? -EINVAL : 0;
}

/* A key that we know and do not follow: a word is due where the file wants something of its own. */
static void take_ignored(struct reading *reading, const struct config_key *key, const char *value)
{
	if (!*value || strcasecmp(value, key->standard) == 0)
		return;
	for (size_t i = 0; key->words && key->words[i]; i++)
		if (strcasecmp(value, key->words[i]) == 0)
			return;
	complain(reading, LOG_WARNING, "%s = %s is not followed: %s", key->name, value, key->help);
}

static void take_value(struct reading *reading, const char *name, const char *value)
{
	const struct config_key *key = key_find(reading->section, name), *elsewhere;
	struct error cause = { "" };

	reading->above = key;
	reading->goes_on = true;
	if (key && key->kind == CONFIG_IGNORED) {
		take_ignored(reading, key, value);
		return;
	}
	if (key) {
		if (key_set(reading->config, key, value, &cause) < 0)
			complain(reading, LOG_ERR, "%s", cause.text);
		return;
	}
	elsewhere = key_find(NULL, name);
	if (!reading->section)
		complain(reading, LOG_WARNING, "unknown key \"%s\"", name);
	else if (elsewhere)
		complain(reading, LOG_WARNING, "unknown key \"%s\" in [%s]: it belongs into [%s]",
			name, reading->section, elsewhere->section);
	else
		complain(
			reading, LOG_WARNING, "unknown key \"%s\" in [%s]", name, reading->section);
}

/* A line that begins with a blank goes on with the value above, unless it is a key itself. */
static bool continues(const struct reading *reading, const char *line, const char *name)
{
	return reading->goes_on && (*line == ' ' || *line == '\t') && !key_find(NULL, name);
}

static void take_line(struct reading *reading, char *line)
{
	memory_cleanup_free char *copy = text_copy(line);
	char *text = text_trim(copy), *end, *value;

	if (!*text || *text == '#' || *text == ';')
		return;
	/* After a blank a semicolon begins a comment. */
	for (end = text; (end = strchr(end, ';')); end++)
		if (end[-1] == ' ' || end[-1] == '\t') {
			*end = '\0';
			break;
		}
	text_trim(text);
	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || end[1]) {
			complain(reading, LOG_ERR, "a section is written [name]");
			return;
		}
		text_set(&reading->section, text_copy_length(text + 1, (size_t)(end - text - 1)));
		reading->goes_on = false;
		return;
	}
	value = text + strcspn(text, "=:");
	if (*value)
		*value++ = '\0';
	else
		value = NULL;
	text_trim(text);
	if (continues(reading, line, text)) {
		if (reading->above && reading->above->kind != CONFIG_IGNORED)
			complain(reading, LOG_ERR,
				"a line that begins with a blank goes on with the value above, which has one line");
		return;
	}
	if (value && *text)
		take_value(reading, text, text_trim(value));
	else
		complain(reading, LOG_ERR, "neither a [section] nor a key = value");
}

int config_read(struct config *config, const struct root *root, const char *path,
	const struct reporter *reporter, struct error *err)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, as editors of Windows write it */
	memory_cleanup_free char *shown = root_shown(root, path), *text = NULL;
	struct reading reading = { .config = config, .shown = shown };
	size_t size;
	int status = root_read(root, path, FILE_LIMIT, &text, &size, err);
	char *at = text;

	if (status < 0)
		return status;
	if (text_starts(at, mark))
		at += strlen(mark);
	while (at < text + size) {
		size_t length = strcspn(at, "\n");

		reading.line++;
		if (at + length < text + size && !at[length]) {
			complain(&reading, LOG_ERR, "a NUL: this is not a text file");
			break;
		}
		at[length] = '\0';
		take_line(&reading, at);
		at += length + 1;
	}
	free(reading.section);
	return say(&reading, reporter, err);
}
